/*
 * storm [--user] [--batches N] [--children N] [--calls N] --seed SEED
 *
 * Batches of children that make random system calls; after each of them nothing may be left. Batch
 * n has the seed SEED + n, so one that went wrong is run again alone with that seed; how the
 * children interleave is nearly, but not wholly, the same then. --user: they are nobody's (uid
 * 65534), otherwise the superuser's. Status 0: all was well; 1: something was left, and is told.
 */
#include "test/qemu/storm/storm.h"

#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534
#define LIVES 64          /* processes and threads that the children of a batch may make */
#define TURN_US 1500      /* how long the parent waits between two disturbances */
#define BATCH_TURNS 2500  /* so many, and the batch is ended */
#define SETTLE_TURNS 1300 /* for what goes by time: connections that give up */
#define SETTLE_US 100000  /* between two looks, but the first QUICK_LOOKS */
#define QUICK_LOOKS 500

struct options {
	bool user;
	uint32_t batches, children, calls;
	uint64_t seed;
};

static void sleep_us(long us)
{
	nanosleep(&(struct timespec){0, us * 1000}, NULL);
}

static void write_setting(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

/* When memory is out, the children go first, this process never. */
static void set_oom_adjustment(const char *text)
{
	write_setting("/proc/self/oom_score_adj", text);
}

static void start_child(const struct options *options, uint64_t seed)
{
	if (fork() != 0)
		return;
	set_oom_adjustment("1000");
	if (options->user && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
			      setresuid(NOBODY, NOBODY, NOBODY)))
		_exit(2);
	life(seed);
}

/* Signals to whom they hit, until all children have ended or their time is over. */
static void disturb(struct dice *dice, uint32_t children)
{
	static const int mild[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGIO, SIGCONT, 36};

	for (int turn = 0; children > 0 && turn < BATCH_TURNS; turn++) {
		int tid = shared->tids[dice_below(dice, TIDS)];
		int number = dice_one_in(dice, 300) ? SIGKILL : mild[dice_below(dice, COUNT(mild))];

		if (tid > 0)
			raw(SYS_tkill, (uint64_t)tid, (uint64_t)number, 0, 0, 0, 0);
		sleep_us(TURN_US);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			children--;
	}
}

static void run_batch(const struct options *options, uint64_t seed)
{
	struct dice dice = dice_from(seed);

	memset(shared->tids, 0, sizeof(shared->tids));
	shared->lives_left = LIVES;
	shared->calls_a_life = options->calls;
	if (mkdir(WORK_DIRECTORY, 0777) || chmod(WORK_DIRECTORY, 0777) || chdir(WORK_DIRECTORY)) {
		perror("storm: " WORK_DIRECTORY);
		exit(2);
	}
	for (uint32_t i = 0; i < options->children; i++)
		start_child(options, dice_bits(&dice) & 0xffffff);
	disturb(&dice, options->children);
	if (!ledger_end_others()) {
		fprintf(stderr, "storm: kill -9 does not end a process\n");
		exit(1);
	}
	if (chdir("/") == 0)
		folders_clean();
	segments_clean();
}

/* False: more is taken than before, even after a while. */
static bool is_as_before(const struct ledger *before)
{
	struct ledger after = ledger_read();

	for (int turn = 0; turn < SETTLE_TURNS && ledger_is_worse(before, &after, false); turn++) {
		sleep_us(turn < QUICK_LOOKS ? TURN_US : SETTLE_US);
		after = ledger_read();
	}
	return !ledger_is_worse(before, &after, true);
}

static struct options read_options(int argc, char **argv)
{
	static const struct option names[] = {{"user", no_argument, NULL, 'u'},
					      {"batches", required_argument, NULL, 'b'},
					      {"children", required_argument, NULL, 'c'},
					      {"calls", required_argument, NULL, 'n'},
					      {"seed", required_argument, NULL, 's'},
					      {"again", required_argument, NULL, 'a'},
					      {NULL, 0, NULL, 0}};
	struct options options = {.batches = 1, .children = 6, .calls = 2000};
	bool seeded = false, again = false;
	int letter;

	while ((letter = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (letter == 'u')
			options.user = true;
		else if (letter == 'b')
			options.batches = (uint32_t)atoi(optarg);
		else if (letter == 'c')
			options.children = (uint32_t)atoi(optarg);
		else if (letter == 'n')
			options.calls = (uint32_t)atoi(optarg);
		else if (letter == 's' || letter == 'a')
			options.seed = strtoull(optarg, NULL, 10);
		seeded |= letter == 's';
		again |= letter == 'a';
	}
	if (!again && !seeded) { /* a child's execve has lost its words */
		fprintf(stderr, "storm: no --seed\n");
		exit(2);
	}
	if (again && shared_open(false)) /* a child that runs this program anew */
		life(options.seed);
	if (again)
		_exit(3);
	return options;
}

int main(int argc, char **argv)
{
	struct options options = read_options(argc, argv);

	umask(0);
	if (!shared_open(true)) {
		perror("storm: " SHARED_PATH);
		return 2;
	}
	set_oom_adjustment("-1000");
	/* A connection that filters keep from closing gives up while one waits for it. */
	write_setting("/proc/sys/net/ipv4/tcp_orphan_retries", "2");
	folders_note();
	ledger_note_processes();
	run_batch(&options, options.seed); /* what the kernel keeps from now on counts as taken */
	struct ledger before = ledger_read();
	for (uint32_t i = 0; i < options.batches; i++) {
		uint64_t calls = shared->calls;

		run_batch(&options, options.seed + i);
		printf("storm: seed %llu: %llu calls\n", (unsigned long long)(options.seed + i),
		       (unsigned long long)(shared->calls - calls));
		fflush(stdout);
		if (!is_as_before(&before))
			return 1;
	}
	printf("storm: %llu calls in all\n", (unsigned long long)shared->calls);
	return 0;
}
