/*
 * Signals of the Linux arm64 ABI: numbers, actions, what a handler is told and the frame it runs
 * on. See signal(7), sigaction(2). Structures have the system calls' layouts, not a C library's.
 */
#ifndef UAPI_SIGNAL_H
#define UAPI_SIGNAL_H

#include <stdint.h>

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGIOT 6
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGUSR1 10
#define SIGSEGV 11
#define SIGUSR2 12
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGSTKFLT 16
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGURG 23
#define SIGXCPU 24
#define SIGXFSZ 25
#define SIGVTALRM 26
#define SIGPROF 27
#define SIGWINCH 28
#define SIGIO 29
#define SIGPOLL 29
#define SIGPWR 30
#define SIGSYS 31
#define SIGRTMIN 32
#define SIGRTMAX 64
#define NSIG 65 /* one more than the highest number */

#define SIG_DFL 0ull
#define SIG_IGN 1ull

#define SA_NOCLDSTOP 0x00000001
#define SA_NOCLDWAIT 0x00000002
#define SA_SIGINFO 0x00000004
#define SA_RESTORER 0x04000000
#define SA_ONSTACK 0x08000000
#define SA_RESTART 0x10000000
#define SA_NODEFER 0x40000000
#define SA_RESETHAND 0x80000000

#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

#define SS_ONSTACK 1
#define SS_DISABLE 2
#define SS_AUTODISARM 0x80000000
#define MINSIGSTKSZ 5120
#define SIGSTKSZ 16384

/* si_code: where a signal comes from. */
#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_QUEUE -1
#define SI_TIMER -2
#define SI_TKILL -6

#define ILL_ILLOPC 1
#define FPE_INTDIV 1
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define TRAP_BRKPT 1

#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_DUMPED 3
#define CLD_TRAPPED 4
#define CLD_STOPPED 5
#define CLD_CONTINUED 6

struct sigaction {
	uint64_t handler;  /* SIG_DFL, SIG_IGN or the function's address */
	uint64_t flags;    /* SA_* */
	uint64_t restorer; /* with SA_RESTORER */
	uint64_t mask;     /* bit n - 1: signal n is blocked while the handler runs */
};

typedef struct sigaltstack {
	uint64_t ss_sp;
	int32_t ss_flags;
	uint64_t ss_size;
} stack_t;

/* How a timer tells: sigevent(7). */
#define SIGEV_SIGNAL 0
#define SIGEV_NONE 1
#define SIGEV_THREAD 2 /* the C library's; it asks the kernel for SIGEV_THREAD_ID */
#define SIGEV_THREAD_ID 4

struct sigevent {
	uint64_t sigev_value;
	int32_t sigev_signo;
	int32_t sigev_notify;
	int32_t sigev_notify_thread_id;
	uint8_t unused[44];
};
_Static_assert(sizeof(struct sigevent) == 64, "struct sigevent");

struct siginfo {
	int32_t si_signo;
	int32_t si_errno;
	int32_t si_code;
	int32_t padding;
	union {
		struct { /* kill, sigqueue, SIGCHLD: the sender, or the child */
			int32_t si_pid;
			uint32_t si_uid;
			union {
				uint64_t si_value; /* sigqueue */
				int32_t si_status; /* SIGCHLD: exit status or signal */
			};
			int64_t si_utime, si_stime; /* SIGCHLD: clock ticks */
		};
		struct { /* SI_TIMER; si_value stands where sigqueue has it */
			int32_t si_timerid;
			int32_t si_overrun;
		};
		uint64_t si_addr; /* faults */
		uint8_t rest[112];
	};
};

/*
 * The registers that a handler may look at and change; rt_sigreturn puts them back. 4096 bytes
 * follow for a list of records, each with a head; a head of magic 0 and size 0 ends it.
 */
struct sigcontext {
	uint64_t fault_address;
	uint64_t regs[31];
	uint64_t sp;
	uint64_t pc;
	uint64_t pstate;
} __attribute__((aligned(16)));

#define SIGCONTEXT_RESERVED 4096

struct sigcontext_record {
	uint32_t magic;
	uint32_t size; /* with the head, bytes */
};

#define FPSIMD_MAGIC 0x46508001

struct fpsimd_context {
	struct sigcontext_record head;
	uint32_t fpsr;
	uint32_t fpcr;
	__uint128_t vregs[32];
};

struct ucontext {
	uint64_t uc_flags;
	uint64_t uc_link;
	stack_t uc_stack;
	uint64_t uc_sigmask;
	uint8_t unused[120];
	struct sigcontext uc_mcontext;
};

/*
 * What stands on the handler's stack; in all RT_SIGFRAME_SIZE bytes, the records' unused room with
 * it.
 */
struct rt_sigframe {
	struct siginfo info;
	struct ucontext uc;
	struct fpsimd_context fpsimd;
	struct sigcontext_record end;
};

#define RT_SIGFRAME_SIZE 4688

_Static_assert(sizeof(struct siginfo) == 128, "siginfo");
_Static_assert(sizeof(struct ucontext) == 464, "ucontext");
_Static_assert(__builtin_offsetof(struct rt_sigframe, fpsimd) + SIGCONTEXT_RESERVED ==
		       RT_SIGFRAME_SIZE,
	       "rt_sigframe");

#endif
