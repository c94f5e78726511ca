/*
 * Signals: handlers, masks, waiting, restarts, stops, the alternate stack, and that nothing resists
 * SIGKILL.
 */
#include "test/qemu/programs/check.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile sig_atomic_t caught, caught_signal, nested;
static siginfo_t caught_info;

static void count(int signal)
{
	caught++;
	caught_signal = signal;
}

static void count_info(int signal, siginfo_t *info, void *context)
{
	(void)context;
	count(signal);
	caught_info = *info;
}

static void handle(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	CHECK(sigaction(signal, &action, NULL) == 0);
	caught = 0;
}

static void handle_info(int signal, int flags)
{
	struct sigaction action = {.sa_sigaction = count_info, .sa_flags = SA_SIGINFO | flags};

	CHECK(sigaction(signal, &action, NULL) == 0);
	caught = 0;
}

static sigset_t set_of(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	return set;
}

static void a_handler_runs(void)
{
	handle_info(SIGUSR1, 0);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(caught == 1 && caught_signal == SIGUSR1);
	CHECK(caught_info.si_pid == getpid() && caught_info.si_code == SI_USER);
	CHECK(raise(SIGUSR1) == 0 && caught == 2);
	CHECK(caught_info.si_code == SI_TKILL);
	handle(SIGUSR1, count, (int)SA_RESETHAND);
	raise(SIGUSR1);
	struct sigaction action;
	CHECK(sigaction(SIGUSR1, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
	CHECK_ERROR(kill(getpid(), 99), EINVAL);
	CHECK_ERROR(kill(30000, 0), ESRCH);
	CHECK(kill(getpid(), 0) == 0);
	CHECK(signal(SIGKILL, SIG_IGN) == SIG_ERR && errno == EINVAL);
}

static void masks_hold_signals_back(void)
{
	sigset_t set = set_of(SIGUSR1), pending, old;

	handle(SIGUSR1, count, 0);
	CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK(caught == 0);
	CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1));
	CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
	CHECK(caught == 1); /* two of them are one */
	CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGUSR1));
}

static void send_itself_again(int signal)
{
	int before = caught;

	if (++nested < 3)
		raise(signal);
	caught = before + 1;
	nested--;
}

static void nesting(void)
{
	handle(SIGUSR1, send_itself_again, SA_NODEFER);
	nested = 0;
	raise(SIGUSR1);
	CHECK(caught == 1);
	handle(SIGUSR1, count, 0);
}

static void real_time_signals_queue(void)
{
	sigset_t set = set_of(SIGRTMIN + 1), old;
	union sigval value;

	handle_info(SIGRTMIN + 1, 0);
	CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
	for (int i = 0; i < 3; i++) {
		value.sival_int = i;
		CHECK(sigqueue(getpid(), SIGRTMIN + 1, value) == 0);
	}
	CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
	CHECK(caught == 3 && caught_info.si_value.sival_int == 2);
	CHECK(caught_info.si_code == SI_QUEUE);
}

static void waiting_for_signals(void)
{
	sigset_t set = set_of(SIGUSR2), empty, old;
	struct timespec soon = {.tv_nsec = 20000000};
	siginfo_t info;
	uint64_t start;

	handle(SIGUSR2, count, 0);
	CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
	start = now_us();
	CHECK_ERROR(sigtimedwait(&set, &info, &soon), EAGAIN);
	CHECK(now_us() - start >= 20000);
	raise(SIGUSR2);
	CHECK(sigtimedwait(&set, &info, NULL) == SIGUSR2 && info.si_signo == SIGUSR2);
	CHECK(caught == 0);

	raise(SIGUSR2);
	sigemptyset(&empty);
	CHECK_ERROR(sigsuspend(&empty), EINTR);
	CHECK(caught == 1);
	raise(SIGUSR2);
	CHECK(caught == 1); /* the mask is back */
	CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
	CHECK(caught == 2);
}

/* A child signals the parent while that reads an empty pipe, then writes. */
static ssize_t read_interrupted(int flags, char *byte)
{
	pid_t parent = getpid(), pid;
	int ends[2], error;
	ssize_t n;

	handle(SIGUSR1, count, flags);
	CHECK(pipe(ends) == 0);
	pid = fork();
	if (pid == 0) {
		usleep(30000);
		kill(parent, SIGUSR1);
		usleep(30000);
		write(ends[1], "x", 1);
		_exit(0);
	}
	n = read(ends[0], byte, 1);
	error = errno;
	CHECK(waitpid(pid, NULL, 0) == pid);
	close(ends[0]);
	close(ends[1]);
	errno = error;
	return n;
}

static void calls_are_interrupted_or_restarted(void)
{
	char byte = 0;

	CHECK_ERROR(read_interrupted(0, &byte), EINTR);
	CHECK(caught == 1);
	CHECK(read_interrupted(SA_RESTART, &byte) == 1);
	CHECK(caught == 1 && byte == 'x');
	/* A signal that is ignored interrupts nothing. */
	signal(SIGUSR1, SIG_IGN);
	byte = 0;
	handle(SIGUSR1, SIG_IGN, 0);
	CHECK(read_interrupted(SA_RESTART, &byte) == 1);
}

static void sleep_tells_what_is_left(void)
{
	struct timespec time = {.tv_sec = 5}, left = {0};
	struct itimerval timer = {.it_value.tv_usec = 50000};

	handle(SIGALRM, count, SA_RESTART);
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	CHECK_ERROR(nanosleep(&time, &left), EINTR);
	CHECK(left.tv_sec == 4 && caught == 1);
}

/* Stopping and continuing does not make a sleep longer. */
static int sleep_200_ms(void)
{
	struct timespec time = {.tv_nsec = 200000000};

	return nanosleep(&time, NULL) == 0 ? 0 : 1;
}

static void stop_and_continue(void)
{
	uint64_t start = now_us();
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(sleep_200_ms());
	usleep(20000);
	CHECK(kill(pid, SIGSTOP) == 0);
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK(waitpid(pid, &status, WUNTRACED | WNOHANG) == 0); /* told once */
	usleep(20000);
	CHECK(kill(pid, SIGCONT) == 0);
	CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(now_us() - start >= 200000 && now_us() - start < 290000);
}

static void stopped_processes_can_be_killed(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		for (;;)
			pause();
	}
	kill(pid, SIGSTOP);
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	kill(pid, SIGTERM); /* waits for the continuation */
	usleep(20000);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL);
}

static void nothing_resists_sigkill(void)
{
	int ends[2], status;
	pid_t pid;
	char byte;

	CHECK(pipe(ends) == 0);
	pid = fork();
	if (pid == 0) {
		sigset_t all;

		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
		read(ends[0], &byte, 1);
		_exit(0);
	}
	usleep(20000);
	CHECK(kill(pid, SIGTERM) == 0);
	usleep(20000);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL);

	pid = fork();
	if (pid == 0) {
		for (;;)
			; /* never enters the kernel by itself */
	}
	usleep(20000);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL);
	close(ends[0]);
	close(ends[1]);
}

static sigjmp_buf back;

static void jump_back(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	caught_signal = signal;
	caught_info = *info;
	CHECK(uc->uc_mcontext.pc != 0);
	siglongjmp(back, 1);
}

static void faults_can_be_caught(void)
{
	struct sigaction action = {.sa_sigaction = jump_back, .sa_flags = SA_SIGINFO};

	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	CHECK(sigaction(SIGILL, &action, NULL) == 0);
	for (int i = 0; i < 3; i++) {
		if (sigsetjmp(back, 1) == 0) {
			*(volatile char *)0x1230 = 1;
			CHECK(0);
		}
		CHECK(caught_signal == SIGSEGV && caught_info.si_addr == (void *)0x1230);
		CHECK(caught_info.si_code == SEGV_MAPERR);
	}
	if (sigsetjmp(back, 1) == 0) {
		__asm__ volatile(".inst 0");
		CHECK(0);
	}
	CHECK(caught_signal == SIGILL);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGILL, SIG_DFL);
}

/* The handler skips the instruction by changing the saved pc, and the result by changing x0. */
static void change_registers(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)signal;
	(void)info;
	uc->uc_mcontext.pc += 4;
	uc->uc_mcontext.regs[0] = 77;
}

static void handlers_may_change_registers(void)
{
	struct sigaction action = {.sa_sigaction = change_registers, .sa_flags = SA_SIGINFO};
	register uint64_t x0 __asm__("x0") = 8;

	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	x0 = 8;
	__asm__ volatile("ldr x0, [x0]" : "+r"(x0)::"memory");
	uint64_t result = x0;
	CHECK(result == 77);
	signal(SIGSEGV, SIG_DFL);
}

static char stack[65536];
static char *handler_stack;

static void note_stack(int signal)
{
	char here;
	stack_t now;

	handler_stack = &here;
	CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == SS_ONSTACK);
	now.ss_flags = 0;
	CHECK_ERROR(sigaltstack(&now, NULL), EPERM);
	count(signal);
}

static void the_alternate_stack(void)
{
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	stack_t none = {.ss_flags = SS_DISABLE}, old;

	CHECK(sigaltstack(&alternate, NULL) == 0);
	handle(SIGUSR1, note_stack, SA_ONSTACK);
	raise(SIGUSR1);
	CHECK(caught == 1);
	CHECK(handler_stack >= stack && handler_stack < stack + sizeof(stack));
	CHECK(sigaltstack(&none, &old) == 0 && old.ss_sp == stack && old.ss_flags == 0);
	alternate.ss_size = 100;
	CHECK_ERROR(sigaltstack(&alternate, NULL), ENOMEM);
}

/* Uses every FP register, so that a handler that is not kept apart shows. */
static void spoil_fp(int signal)
{
	volatile double a = 1.5, b = 2.5;

	count(signal);
	for (int i = 0; i < 100; i++)
		a = a * b + (double)i;
	__asm__ volatile("movi v0.2d, #0\n\tmovi v8.2d, #0\n\tmovi v31.2d, #0" ::
				 : "v0", "v8", "v31");
}

static void fp_registers_survive_handlers(void)
{
	struct itimerval timer = {.it_value.tv_usec = 20000, .it_interval.tv_usec = 1000};
	struct itimerval stop = {0};
	double in = 3.25, out = 0;
	uint64_t end;

	handle(SIGALRM, spoil_fp, 0);
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	end = now_us() + 100000;
	do {
		__asm__ volatile("fmov d0, %1\n\t"
				 "fmov d8, d0\n\t"
				 "fmov d31, d0\n\t"
				 "mov x9, #20000\n"
				 "1:\tsubs x9, x9, #1\n\t"
				 "b.ne 1b\n\t"
				 "fadd d0, d0, d8\n\t"
				 "fadd %d0, d0, d31"
				 : "=w"(out)
				 : "r"(in)
				 : "x9", "v0", "v8", "v31", "cc");
		CHECK(out == 3 * 3.25);
	} while (now_us() < end);
	CHECK(setitimer(ITIMER_REAL, &stop, NULL) == 0);
	CHECK(caught > 5);
}

static void processes_do_not_share_fp(void)
{
	pid_t children[4];
	int status;

	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		if (children[i])
			continue;
		double x = i + 0.5;
		uint64_t end = now_us() + 100000;

		while (now_us() < end) {
			volatile double y = x;

			for (int k = 0; k < 1000; k++)
				y = y * 1.0;
			if (y != i + 0.5)
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++)
		CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);
}

RUN_TESTS({"a handler runs", a_handler_runs}, {"masks hold signals back", masks_hold_signals_back},
	  {"nesting", nesting}, {"real-time signals queue", real_time_signals_queue},
	  {"waiting for signals", waiting_for_signals},
	  {"calls are interrupted or restarted", calls_are_interrupted_or_restarted},
	  {"sleep tells what is left", sleep_tells_what_is_left},
	  {"stop and continue", stop_and_continue},
	  {"stopped processes can be killed", stopped_processes_can_be_killed},
	  {"nothing resists SIGKILL", nothing_resists_sigkill},
	  {"faults can be caught", faults_can_be_caught},
	  {"handlers may change registers", handlers_may_change_registers},
	  {"the alternate stack", the_alternate_stack},
	  {"FP registers survive handlers", fp_registers_survive_handlers},
	  {"processes do not share FP", processes_do_not_share_fp})
