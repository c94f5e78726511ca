/*
 * The life of a child: calls at random, alone or with threads that share its memory and its
 * descriptors, with children of its own, new programs, signals and ends that nobody expects.
 */
#include "test/qemu/storm/storm.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "test/qemu/storm/arguments.h"

#define THREADS 4
#define STACK_SIZE 32768
#define ADDRESS_SPACE (48ul << 20) /* bytes */
#define FILE_LIMIT (256ul << 10)   /* bytes */
#define ALARM_US 4000
#define THREAD_FLAGS \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static _Alignas(16) uint8_t stacks[THREADS][STACK_SIZE];
static uint64_t seeds[THREADS];
static uint32_t threads_made;

static void live(struct dice *dice, uint32_t calls);

static void heard(int number)
{
	(void)number;
}

static void hear_signals(void)
{
	static const int numbers[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGIO, SIGPIPE,   SIGXFSZ, SIGURG,
				      SIGHUP,  SIGPROF, 36,      64,    SIGVTALRM, SIGXCPU};
	struct sigaction action = {.sa_handler = heard};

	for (size_t i = 0; i < COUNT(numbers); i++)
		sigaction(numbers[i], &action, NULL);
}

/* So that no call blocks for long, and few signals end the process. */
static void keep_going(void)
{
	const struct itimerval alarm = {{0, ALARM_US}, {0, ALARM_US}};
	static const uint64_t none;

	hear_signals();
	raw(SYS_setitimer, ITIMER_REAL, (uint64_t)&alarm, 0, 0, 0, 0);
	raw(SYS_rt_sigprocmask, SIG_SETMASK, (uint64_t)&none, 0, sizeof(none), 0, 0);
}

static void limit(int resource, rlim_t value)
{
	const struct rlimit both = {value, value};

	setrlimit(resource, &both);
}

static void end_thread(void)
{
	raw(SYS_exit, 0, 0, 0, 0, 0, 0);
}

static int thread_life(void *seed)
{
	struct dice dice = dice_from(*(uint64_t *)seed);

	shared_note_tid();
	live(&dice, shared->calls_a_life / 2);
	return 0;
}

static void start_thread(struct dice *dice)
{
	uint32_t n = __atomic_fetch_add(&threads_made, 1, __ATOMIC_RELAXED);

	if (n >= THREADS || !shared_take_life())
		return;
	seeds[n] = dice_bits(dice);
	clone(thread_life, stacks[n] + STACK_SIZE, THREAD_FLAGS, &seeds[n]);
}

/* What a new process does, on a copy of its parent's stack. */
static void child_life(struct dice *dice)
{
	shared_note_tid();
	threads_made = THREADS;
	keep_going();
	if (dice_one_in(dice, 8)) {
		uint64_t frame = memory(dice) & ~15ull;
		raw_signal_return(frame);
	}
	live(dice, 200);
	raw(SYS_exit_group, 0, 0, 0, 0, 0, 0);
}

static void start_process(struct dice *dice)
{
	uint64_t flags = SIGCHLD;

	if (!shared_take_life())
		return;
	if (dice_one_in(dice, 4))
		flags = dice_below(dice, 65);
	if (dice_one_in(dice, 4))
		flags |= CLONE_FILES;
	if (dice_one_in(dice, 4))
		flags |= CLONE_FS;
	if (dice_one_in(dice, 8)) /* that no one should take */
		flags |= dice_bits(dice) & 0xffffffff & ~(uint64_t)(CLONE_VM | CLONE_SETTLS);
	int64_t pid = raw(SYS_clone, flags, 0, memory(dice), 0, memory(dice), 0);
	if (pid == 0)
		child_life(dice);
}

/* As vfork, execve. */
static int run_program(void *seed)
{
	struct dice dice = dice_from(*(uint64_t *)seed);

	raw(SYS_execve, program(&dice), word_list(&dice), 0, 0, 0, 0);
	return 1;
}

static void start_program(struct dice *dice)
{
	uint32_t n = __atomic_fetch_add(&threads_made, 1, __ATOMIC_RELAXED);

	if (n >= THREADS || !shared_take_life())
		return;
	seeds[n] = dice_bits(dice);
	clone(run_program, stacks[n] + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, &seeds[n]);
}

/* What a system call's arguments cannot say. */
static void do_something_rare(struct dice *dice)
{
	switch (dice_below(dice, 24)) {
	case 0:
		raw(SYS_execve, program(dice), word_list(dice), word_list(dice), 0, 0, 0);
		break;
	case 1:
		raw(SYS_execveat, folder(dice), program(dice), word_list(dice), 0, zero(dice), 0);
		break;
	case 2:
		end_thread();
		break;
	case 3:
		if (dice_one_in(dice, 3))
			raw(SYS_exit_group, 0, 0, 0, 0, 0, 0);
		break;
	case 4:
		raw(SYS_kill, process(dice), SIGKILL, 0, 0, 0, 0);
		break;
	case 5:
		raw(SYS_tkill, thread(dice), dice_one_in(dice, 2) ? SIGSTOP : SIGCONT, 0, 0, 0, 0);
		break;
	case 6:
	case 7:
		start_program(dice);
		break;
	case 8:
	case 9:
	case 10:
	case 11:
		start_process(dice);
		break;
	default:
		start_thread(dice);
	}
}

static void live(struct dice *dice, uint32_t calls)
{
	for (uint32_t i = 0; i < calls; i++) {
		call_any(dice);
		if (i % 8 == 0)
			things_open_one(dice);
		if (i % 16 == 0)
			keep_going();
		if (i % 64 == 0)
			arena_refill(dice);
		if (dice_one_in(dice, 80))
			do_something_rare(dice);
	}
}

static void silence(void)
{
	int fd = open("/dev/null", O_RDWR);

	for (int to = 0; to < 3; to++)
		dup2(fd, to);
	for (int other = 3; other < 64; other++)
		close(other);
}

void life(uint64_t seed)
{
	struct dice dice = dice_from(seed);

	setsid();
	silence();
	limit(RLIMIT_AS, ADDRESS_SPACE);
	limit(RLIMIT_FSIZE, FILE_LIMIT);
	limit(RLIMIT_NPROC, 64);
	limit(RLIMIT_NOFILE, THING_FDS);
	shared_note_tid();
	arena_prepare(&dice);
	things_open(&dice);
	keep_going();
	if (seed % 2 == 0) /* alone for ever */
		threads_made = THREADS;
	for (int i = 0; i < 2; i++)
		start_thread(&dice);
	live(&dice, shared->calls_a_life);
	_exit(0);
}
