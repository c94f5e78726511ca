/*
 * Signals: sending them, and the state that system calls look at. signal(7) is the specification.
 */
#ifndef KERNEL_SIGNAL_SIGNAL_H
#define KERNEL_SIGNAL_SIGNAL_H

#include "kernel/arch/arm64/context.h"
#include "kernel/proc/process.h"
#include "kernel/types.h"

#define SIGNAL_BIT(signal) (1ull << ((signal)-1))

/* What a handler with SA_SIGINFO is told about one pending signal. */
struct signal_record {
	struct list_head link;   /* pending_records of a thread or a process */
	struct process *process; /* whose queued_signals counts it */
	struct siginfo info;
};

/* Any context. Wakes a thread that can take it. */
void signal_send_process(struct process *process, int signal);
void signal_send_thread(struct thread *thread, int signal);

/*
 * The same with information for the handler, which is copied; when memory is out, or too many
 * signals wait (RLIMIT_SIGPENDING), the signal goes without it. A NULL `thread` sends to the
 * process as a whole. Any context but hard interrupt.
 */
void signal_send_info(struct process *process, struct thread *thread, const struct siginfo *info);

/* To every process of the group. Returns 0 or -ESRCH. Any context but hard interrupt. */
int signal_send_group(int32_t pgid, int signal);

/* A fault of the running thread: cannot be blocked or ignored. `code`: SEGV_MAPERR... */
void signal_fault(int signal, int code, user_addr_t address);

/* True when a sleep of the running thread must end. */
bool signal_pending(void);

/*
 * Calls with a timeout that is relative (nanosleep, poll, futex) and are interrupted go on, unless
 * a handler runs, with the time that is left. They pass the deadline that they computed through
 * restart_deadline, which answers the deadline of the interrupted call if this is its continuation;
 * and they return restart_until(deadline) when they are interrupted.
 */
uint64_t restart_deadline(uint64_t deadline_us);
int64_t restart_until(uint64_t deadline_us);

/*
 * On the way back to user mode: takes pending signals, builds frames, restarts calls, ends the
 * process.
 */
void signal_deliver(struct trapframe *frame, bool in_syscall);

/*
 * Replaces the mask until the call returns to user mode: rt_sigsuspend, ppoll, pselect6,
 * epoll_pwait.
 */
void signal_mask_temporarily(uint64_t mask);

void signal_syscalls_init(void);

#endif
