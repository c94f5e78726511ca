/* Clocks, sleeping, interval timers, fair shares of the processor. */
#include "test/qemu/programs/check.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	CHECK(clock_gettime(clock, &now) == 0);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void clocks_run(void)
{
	uint64_t monotonic = clock_ns(CLOCK_MONOTONIC), before;
	struct timespec time;

	for (int i = 0; i < 1000; i++) {
		before = monotonic;
		monotonic = clock_ns(CLOCK_MONOTONIC);
		CHECK(monotonic >= before);
	}
	CHECK(clock_ns(CLOCK_REALTIME) / 1000000000 > 1600000000); /* after 2020 */
	CHECK(clock_ns(CLOCK_BOOTTIME) >= monotonic);
	CHECK(clock_ns(CLOCK_REALTIME_COARSE) && clock_ns(CLOCK_MONOTONIC_RAW));
	CHECK_ERROR(clock_gettime(99, &time), EINVAL);
	CHECK(clock_getres(CLOCK_MONOTONIC, &time) == 0 && time.tv_sec == 0);
	CHECK(time.tv_nsec <= 1000000);
	CHECK_ERROR(clock_settime(CLOCK_MONOTONIC, &time), EPERM);
	time.tv_nsec = 1000000000;
	CHECK_ERROR(clock_settime(CLOCK_REALTIME, &time), EINVAL);
}

static void the_date_can_be_set(void)
{
	struct timespec before, date = {.tv_sec = 1700000000};
	uint64_t monotonic = clock_ns(CLOCK_MONOTONIC);

	CHECK(clock_gettime(CLOCK_REALTIME, &before) == 0);
	CHECK(clock_settime(CLOCK_REALTIME, &date) == 0);
	CHECK(time(NULL) >= 1700000000 && time(NULL) < 1700000010);
	CHECK(clock_ns(CLOCK_MONOTONIC) - monotonic < 1000000000);
	CHECK(clock_settime(CLOCK_REALTIME, &before) == 0);
}

static void sleeps_are_long_enough(void)
{
	static const long lengths_us[] = {1, 100, 1000, 10000, 50000};

	for (size_t i = 0; i < sizeof(lengths_us) / sizeof(lengths_us[0]); i++) {
		struct timespec time = {.tv_nsec = lengths_us[i] * 1000};
		uint64_t start = now_us();

		CHECK(nanosleep(&time, NULL) == 0);
		CHECK(now_us() - start >= (uint64_t)lengths_us[i]);
		CHECK(now_us() - start < (uint64_t)lengths_us[i] + 40000);
	}
}

static void sleep_until(void)
{
	struct timespec until;
	uint64_t start = now_us();

	CHECK(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
	until.tv_nsec += 30000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0);
	CHECK(now_us() - start >= 30000);
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
	      0); /* over already */
	until.tv_sec = 1;
	CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL) == 0);
	until.tv_nsec = -1;
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &until, NULL) == EINVAL);
}

static volatile sig_atomic_t alarms;

static void count(int signal)
{
	(void)signal;
	alarms++;
}

static void interval_timer(void)
{
	struct itimerval timer = {.it_value.tv_usec = 10000, .it_interval.tv_usec = 10000};
	struct itimerval left, stop = {0};
	uint64_t start = now_us();

	signal(SIGALRM, count);
	alarms = 0;
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	while (alarms < 5)
		pause();
	CHECK(now_us() - start >= 50000 && now_us() - start < 150000);
	CHECK(getitimer(ITIMER_REAL, &left) == 0);
	CHECK(left.it_interval.tv_usec == 10000 && left.it_value.tv_usec <= 10000);
	CHECK(setitimer(ITIMER_REAL, &stop, NULL) == 0);
	CHECK(getitimer(ITIMER_REAL, &left) == 0 && left.it_value.tv_usec == 0);
	alarms = 0;
	usleep(30000);
	CHECK(alarms == 0);
	CHECK_ERROR(setitimer(3, &timer, NULL), EINVAL);
}

/* Until the signal has come five times; only work lets it come. */
static void expect_cpu_timer(int which, int signal_number)
{
	struct itimerval timer = {.it_value.tv_usec = 20000, .it_interval.tv_usec = 20000}, left;
	const struct itimerval stop = {0};
	uint64_t start;

	signal(signal_number, count);
	alarms = 0;
	CHECK(setitimer(which, &timer, NULL) == 0);
	usleep(150000);
	CHECK(alarms == 0);
	start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	while (alarms < 5)
		;
	CHECK(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start >= 70000000);
	CHECK(getitimer(which, &left) == 0 && left.it_interval.tv_usec == 20000);
	CHECK(left.it_value.tv_usec > 0 && left.it_value.tv_usec <= 20000);
	CHECK(setitimer(which, &stop, &left) == 0 && left.it_interval.tv_usec == 20000);
	CHECK(getitimer(which, &left) == 0 && left.it_value.tv_usec == 0);
	alarms = 0;
	start = now_us();
	while (now_us() - start < 100000)
		;
	CHECK(alarms == 0);
}

static void timers_of_cpu_time(void)
{
	expect_cpu_timer(ITIMER_VIRTUAL, SIGVTALRM);
	expect_cpu_timer(ITIMER_PROF, SIGPROF);
}

static void set_cpu_limit(rlim_t soft, rlim_t hard)
{
	struct rlimit limit = {soft, hard};

	CHECK(setrlimit(RLIMIT_CPU, &limit) == 0);
}

/* Works for ever, as its child does, which inherits the limit. */
static int exceed_hard_limit(void)
{
	int status;

	signal(SIGXCPU, SIG_IGN);
	set_cpu_limit(1, 1);
	pid_t child = fork();
	if (child == 0)
		for (;;)
			;
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return 0;
}

static int exceed_soft_limit(void)
{
	set_cpu_limit(1, 10);
	for (;;)
		;
}

static void the_limit_of_cpu_time(void)
{
	int status = status_of(exceed_soft_limit);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU);
	CHECK(status_of(exceed_hard_limit) == 0);
}

static volatile int has_worked, may_end;

static void *work(void *until)
{
	while (now_us() < *(uint64_t *)until)
		;
	has_worked = 1;
	while (!may_end)
		usleep(1000);
	return NULL;
}

/* The clocks of another thread, and of another process. */
static void cpu_clocks_of_others(void)
{
	uint64_t end = now_us() + 60000;
	pthread_t thread;
	clockid_t clock;
	struct timespec time;
	int ends[2], status;

	CHECK(pthread_create(&thread, NULL, work, &end) == 0);
	CHECK(pthread_getcpuclockid(thread, &clock) == 0);
	while (!has_worked)
		usleep(1000);
	CHECK(clock_ns(clock) >= 20000000);
	CHECK(clock_getres(clock, &time) == 0);
	may_end = 1;
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK_ERROR(clock_gettime(clock, &time), EINVAL);

	CHECK(pipe(ends) == 0);
	pid_t child = fork();
	if (child == 0) {
		end = now_us() + 60000;
		work(&end);
		CHECK(write(ends[1], "", 1) == 1);
		pause();
	}
	CHECK(read(ends[0], &status, 1) == 1);
	CHECK(clock_getcpuclockid(child, &clock) == 0 && clock_ns(clock) >= 30000000);
	CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
	CHECK(clock_getcpuclockid(child, &clock) != 0);
	close(ends[0]);
	close(ends[1]);
}

static void cpu_time_counts_work(void)
{
	uint64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID), end;
	struct rusage usage;

	usleep(50000);
	CHECK(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start < 30000000);
	start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	end = now_us() + 50000;
	while (now_us() < end)
		;
	CHECK(clock_ns(CLOCK_THREAD_CPUTIME_ID) - start >= 25000000);
	CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
	CHECK(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec +
		      usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec >=
	      25000);
}

static int spin_and_count(void)
{
	uint64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID), end = now_us() + 300000;

	while (now_us() < end)
		;
	return (int)((clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) / 3000000); /* percent */
}

/* Three that never sleep get a third each, and a fourth that sleeps is not starved. */
static void the_processor_is_shared(void)
{
	pid_t children[3];
	int status;

	for (int i = 0; i < 3; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(spin_and_count());
	}
	for (int i = 0; i < 5; i++) {
		uint64_t start = now_us();

		usleep(10000);
		CHECK(now_us() - start < 150000);
	}
	for (int i = 0; i < 3; i++) {
		CHECK(waitpid(children[i], &status, 0) == children[i]);
		CHECK(WEXITSTATUS(status) >= 15 && WEXITSTATUS(status) <= 55);
	}
}

RUN_TESTS({"clocks run", clocks_run}, {"the date can be set", the_date_can_be_set},
	  {"sleeps are long enough", sleeps_are_long_enough}, {"sleep until", sleep_until},
	  {"interval timer", interval_timer}, {"timers of CPU time", timers_of_cpu_time},
	  {"the limit of CPU time", the_limit_of_cpu_time},
	  {"CPU clocks of others", cpu_clocks_of_others},
	  {"CPU time counts work", cpu_time_counts_work},
	  {"the processor is shared", the_processor_is_shared})
