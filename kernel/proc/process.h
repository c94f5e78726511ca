/*
 * Processes and their threads.
 *
 * A process is what has a pid, an address space, descriptors and signal handlers; a thread is what
 * runs. Every process has at least one thread; clone(CLONE_THREAD) adds more. Kernel threads belong
 * to process 0, which has no address space.
 *
 * Process context; changed with interrupts on, since the kernel does not preempt itself. What
 * interrupts touch (run queue, pending signals) is guarded by irq_save inside sched.c and signal.c.
 */
#ifndef KERNEL_PROC_PROCESS_H
#define KERNEL_PROC_PROCESS_H

#include "include/uapi/resource.h"
#include "include/uapi/signal.h"
#include "kernel/arch/arm64/context.h"
#include "kernel/list.h"
#include "kernel/proc/capability.h"
#include "kernel/semaphore.h"
#include "kernel/timer.h"
#include "kernel/types.h"
#include "kernel/wait.h"

struct file_table;
struct inode;
struct tty;
struct vm;

#define PROCESS_NAME_MAX 16   /* with the NUL: comm */
#define PROCESS_GROUPS_MAX 32 /* supplementary groups */
#define PID_MAX 32768         /* one more than the highest pid or tid */

enum thread_state {
	THREAD_READY,    /* runs, or waits in the run queue */
	THREAD_SLEEPING, /* on a semaphore */
	THREAD_STOPPED,  /* by SIGSTOP and the like */
	THREAD_DEAD,
};

struct thread {
	/* The compiler reads the stack canary at [SP_EL0 + 16]; SP_EL0 is the running thread. */
	uint64_t entry_scratch[2];
	uint64_t stack_canary;

	int32_t tid;
	char name[PROCESS_NAME_MAX];
	enum thread_state state;
	struct process *process;
	struct list_head of_process; /* process->threads */
	struct list_head run_link;   /* run queue, or the semaphore's waiters */
	bool exit_requested;         /* another thread of the process runs execve: end */
	bool used_reserve;           /* of memory, in this system call: see oom.h */
	struct arch_context context; /* what is kept while it does not run */
	struct arch_fp_state *fp;    /* user FP/SIMD registers; NULL for kernel threads */
	void *kernel_stack;          /* lowest address */

	/* sleeping */
	struct semaphore *waiting_on;
	struct timer wake_timer;
	int wake_reason; /* 0, -ERESTARTSYS or -ETIMEDOUT */

	/* signals */
	uint64_t signal_mask; /* bit n - 1: signal n is blocked */
	uint64_t saved_mask;  /* what rt_sigsuspend, ppoll and pselect6 put back */
	bool restore_mask;
	uint64_t pending;                 /* sent to this thread alone */
	struct list_head pending_records; /* what is known about them: struct signal_record */
	uint64_t alt_stack, alt_stack_size;
	uint32_t alt_stack_flags;

	/* what clone and futex keep for a thread */
	user_addr_t clear_child_tid, robust_list;
	uint64_t restart_deadline_us; /* of an interrupted call that goes on; see signal.h */

	/* priority.h */
	int8_t nice;
	uint8_t policy;    /* SCHED_OTHER, SCHED_BATCH, SCHED_IDLE */
	uint32_t slice_us; /* which follows from the two */

	/* Consumed, in arch_counter_ticks: counted at each system call, so not turned into time. */
	uint64_t user_ticks, system_ticks;
	uint64_t accounted_ticks; /* since when the current stretch counts */
	uint64_t voluntary_switches, involuntary_switches;
};

struct signal_handlers {
	uint32_t references;
	struct sigaction action[NSIG];
};

/* ITIMER_VIRTUAL or ITIMER_PROF, in microseconds of CPU time. */
struct cpu_interval {
	uint64_t due_us; /* by what the process has used in all; 0: off */
	uint64_t interval_us;
};

struct process {
	int32_t pid;
	int32_t pgid, sid;
	char name[PROCESS_NAME_MAX];
	struct process *parent;
	struct list_head children, sibling; /* parent->children */
	struct list_head all;               /* every process, in order of pid */
	struct list_head threads;
	uint32_t thread_count;

	struct vm *vm; /* NULL: kernel threads and zombies */
	struct file_table *files;
	struct inode *cwd, *root, *executable;
	uint32_t umask;
	uint32_t uid, euid, suid, gid, egid, sgid;
	uint32_t fsuid, fsgid; /* for whom it uses files: euid and egid, but for setfsuid(2) */
	uint32_t groups[PROCESS_GROUPS_MAX], group_count;
	struct capabilities capabilities;
	bool no_new_privileges; /* PR_SET_NO_NEW_PRIVS: no set-user-ID */
	bool no_huge_pages;     /* PR_SET_THP_DISABLE: there are none anyway */
	struct tty *tty;        /* the controlling terminal of its session, or NULL */

	struct signal_handlers *handlers;
	uint64_t pending;                 /* signals sent to the process as a whole */
	struct list_head pending_records; /* what is known about them: struct signal_record */
	uint32_t queued_signals;          /* records of it and its threads: RLIMIT_SIGPENDING */
	int exit_signal;                  /* sent to the parent at the end; 0: none */
	int parent_death_signal;          /* PR_SET_PDEATHSIG; 0: none */
	struct wait_list signal_wait;     /* signalfd; rt_sigtimedwait */

	struct rlimit limits[RLIM_NLIMITS];
	int32_t oom_adjust;            /* /proc/PID/oom_score_adj: see oom.h */
	struct list_head posix_timers; /* timer_create */
	struct list_head pidfds;       /* pidfd_open, of anybody */
	struct timer real_timer;       /* ITIMER_REAL */
	uint64_t real_interval_us;
	struct timer cpu_timer; /* to look at the following, and at RLIMIT_CPU: cpu_timer.h */
	struct cpu_interval virtual_timer, profile_timer;
	uint64_t cpu_warning_s; /* CPU time at which SIGXCPU is due again */

	bool exiting, zombie, stopped;
	bool has_executed;             /* execve since fork: setpgid by the parent is too late */
	bool stop_reported, continued; /* for wait4's WUNTRACED and WCONTINUED */
	int stop_signal;
	int exit_status;              /* as wait4 gives it */
	struct wait_list child_wait;  /* woken when a child changes state */
	struct semaphore *vfork_done; /* the parent of a vfork waits here until exec or exit */
	struct semaphore *exec_waits; /* a thread in execve waits here for the others to end */

	user_addr_t arguments_start, arguments_end; /* /proc/PID/cmdline */
	user_addr_t environment_start, environment_end;
	user_addr_t auxiliary_start, auxiliary_end; /* /proc/PID/auxv */
	user_addr_t trampoline;                     /* the page whose code calls rt_sigreturn */
	uint64_t start_us;
	uint64_t user_us, system_us; /* of threads that ended */
	uint64_t children_user_us, children_system_us;
	uint64_t page_faults, children_page_faults;
	/*
	 * Bytes present at most, of programs that it ran before; of any child that it waited for.
	 */
	uint64_t memory_peak, children_memory_peak;
};

struct thread *current_thread(void); /* in kernel/arch/arm64/cpu.c */
struct process *current_process(void);

struct process *process_find(int32_t pid); /* NULL: none. Zombies are found. */
struct thread *thread_find(int32_t tid);   /* of a living process; NULL: none */

/* Calls `visit` for every process until it returns nonzero, and returns that. */
int process_for_each(int (*visit)(struct process *process, void *context), void *context);

/*
 * Whether the caller may look into the other's memory and files, as proc(5) asks for maps, environ,
 * fd/ and the like: all ids of the other are those for which it uses files, and the other has no
 * right that it has not; or it has CAP_SYS_PTRACE.
 */
bool process_may_inspect(const struct process *process);

/*
 * Starts a thread of the kernel's own, which ends when `function` returns. NULL when memory is out.
 */
struct thread *kernel_thread(const char *name, void (*function)(void *), void *argument);

/* Processes that are no zombies, and all threads: sysinfo, /proc/loadavg. */
uint32_t process_count(void);
uint32_t thread_count(void);

/* Since the boot; the pid or tid that was given last: /proc/stat, /proc/loadavg. */
uint64_t process_created_count(void);
int32_t process_last_pid(void);

/* CPU time that the process has used so far, in all its threads, microseconds. */
void process_cpu_time(struct process *process, uint64_t *user_us, uint64_t *system_us);

/* Bytes of memory that it had at most. */
uint64_t process_memory_peak(const struct process *process);

/* Registers every system call of kernel/proc. Boot. */
void process_syscalls_init(void);

/*
 * Starts /init as process 1 with the console as its descriptors 0, 1, 2. Boot; panics without it.
 */
void process_start_init(void);

void process_exit(int status) __noreturn; /* the whole process; `status` as wait4 gives it */

#endif
