/*
 * The inner side of signals: what is pending, what is taken, and what happens then. Process context
 * unless said otherwise.
 */
#ifndef KERNEL_SIGNAL_SIGNAL_PENDING_H
#define KERNEL_SIGNAL_SIGNAL_PENDING_H

#include "kernel/proc/process.h"
#include "kernel/signal/signal.h"

/* What no mask can block. */
#define SIGNALS_UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

/* Stop the process unless they are caught, blocked or ignored. */
#define SIGNALS_STOPPING \
	(SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))

/* Do nothing unless they are caught. */
#define SIGNALS_IGNORED \
	(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH))

static inline bool signal_valid(int signal)
{
	return signal > 0 && signal < NSIG;
}

/*
 * Takes the next pending signal of `wanted` from the running thread or its process. 0: there is
 * none.
 */
int signal_take(uint64_t wanted, struct siginfo *info);

/*
 * If a signal of this timer (SI_TIMER) still waits to be taken, counts the new one in it and
 * answers true. A NULL thread: of the process as a whole. Any context but hard interrupt.
 */
bool signal_count_overrun(struct process *process, struct thread *thread,
			  const struct siginfo *info);

/*
 * RLIMIT_SIGPENDING, setrlimit(2): as much waits for the processes of its real user as may. A
 * real-time signal comes without information then; the others are never more than one of a kind.
 */
bool signal_queue_full(const struct process *process);

/* Pending for the running thread: its own and its process's. */
uint64_t signal_pending_set(void);

/* Discards pending signals of `set` from the process and all its threads. */
void signal_discard(struct process *process, uint64_t set);

/* Frees records when their owner ends. */
void signal_forget_pending(struct list_head *records);

/* Sets the running thread's mask; a pending signal that it now blocks may go to another thread. */
void signal_set_mask(uint64_t mask);

/* The running thread takes no signal any more: those of its process are for the others. */
void signal_thread_ends(void);

/* Stops the running thread as long as its process is stopped. */
void signal_stop_if_asked(void);

/* Handlers are shared by threads and by clone(CLONE_SIGHAND). NULL when memory is out. */
struct signal_handlers *signal_handlers_create(void);
struct signal_handlers *signal_handlers_copy(const struct signal_handlers *from);
void signal_handlers_put(struct signal_handlers *handlers); /* NULL is harmless */

/* execve: caught signals get their default action, ignored ones stay ignored. 0 or -ENOMEM. */
int signal_reset_for_exec(struct process *process);

/*
 * Builds the frame on which the handler runs and makes `frame` enter it. False when the stack
 * cannot hold it. `mask` is what rt_sigreturn puts back.
 */
bool signal_frame_push(struct trapframe *frame, const struct sigaction *action,
		       const struct siginfo *info, uint64_t mask);

/* Bytes of stack that a handler's frame takes: AT_MINSIGSTKSZ. */
uint64_t signal_frame_size(void);

/* Maps the page whose code calls rt_sigreturn into a fresh address space. 0 or a negative errno. */
int signal_map_trampoline(struct vm *vm, user_addr_t *address);

/* True when the running thread's stack pointer is on its alternate stack. */
bool signal_on_alt_stack(user_addr_t sp);

/*
 * kill(2) of the running process to one process or, with a siginfo in its memory, rt_sigqueueinfo.
 */
int64_t signal_kill_process(int32_t pid, int signal, user_addr_t info_from);

void signal_frame_syscalls_init(void);
void signal_kill_syscalls_init(void);

#endif
