/* Timers that send signals: timer_create(2). */
#include "test/qemu/programs/check.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#define MS 1000000L

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id __sev_fields.sigev_notify_thread_id
#endif

static volatile int heard, last_value, last_overrun, last_code;
static volatile pid_t last_tid;

static void hear(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	heard++;
	last_value = info->si_value.sival_int;
	last_overrun = info->si_overrun;
	last_code = info->si_code;
	last_tid = (pid_t)syscall(SYS_gettid);
}

static void expect_signal(int signal)
{
	struct sigaction action = {.sa_sigaction = hear, .sa_flags = SA_SIGINFO};

	CHECK(sigaction(signal, &action, NULL) == 0);
	heard = 0;
}

static void set(timer_t timer, long first_ns, long interval_ns)
{
	struct itimerspec value = {.it_value.tv_nsec = first_ns,
				   .it_interval.tv_nsec = interval_ns};

	CHECK(timer_settime(timer, 0, &value, NULL) == 0);
}

/* Until the handler has run `times` times; the harness ends a test that waits for ever. */
static void wait_until_heard(int times)
{
	while (heard < times)
		usleep(1000);
}

static void once(void)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 99};
	struct itimerspec left = {.it_value.tv_sec = 1000};
	timer_t timer;
	uint64_t start;

	expect_signal(SIGUSR1);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &left, NULL) == 0);
	CHECK(timer_gettime(timer, &left) == 0);
	CHECK(left.it_value.tv_sec > 800 && left.it_value.tv_sec <= 1000);
	start = now_us();
	set(timer, 20 * MS, 0);
	wait_until_heard(1);
	CHECK(now_us() - start >= 20000);
	CHECK(last_value == 99 && last_code == SI_TIMER && last_overrun == 0);
	CHECK(timer_gettime(timer, &left) == 0 && left.it_value.tv_nsec == 0);
	CHECK(timer_delete(timer) == 0);
	CHECK_ERROR(timer_gettime(timer, &left), EINVAL);
}

static void default_is_sigalrm(void)
{
	timer_t timer;

	expect_signal(SIGALRM);
	CHECK(timer_create(CLOCK_REALTIME, NULL, &timer) == 0);
	set(timer, 1 * MS, 1 * MS);
	wait_until_heard(5);
	CHECK(timer_delete(timer) == 0);
}

/* Many expirations while the signal is blocked are one signal, which knows their number. */
static void overruns_are_counted(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2};
	sigset_t blocked;
	timer_t timer;

	expect_signal(SIGRTMIN + 2);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGRTMIN + 2);
	CHECK(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	set(timer, 1 * MS, 100000);
	usleep(50000);
	set(timer, 0, 0);
	CHECK(sigprocmask(SIG_UNBLOCK, &blocked, NULL) == 0);
	CHECK(heard == 1);
	CHECK(last_overrun >= 300);
	CHECK(timer_getoverrun(timer) == last_overrun);
	CHECK(timer_delete(timer) == 0);
}

static void *be_told(void *argument)
{
	volatile pid_t *tid = argument;

	*tid = (pid_t)syscall(SYS_gettid);
	wait_until_heard(1);
	return NULL;
}

static void one_thread_is_told(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR2};
	volatile pid_t tid = 0;
	pthread_t thread;
	timer_t timer;

	expect_signal(SIGUSR2);
	CHECK(pthread_create(&thread, NULL, be_told, (void *)&tid) == 0);
	while (!tid)
		usleep(1000);
	event.sigev_notify_thread_id = tid;
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	set(timer, 5 * MS, 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(last_tid == tid);
	CHECK(timer_delete(timer) == 0);
	event.sigev_notify_thread_id = 1; /* init's */
	CHECK_ERROR(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
}

static void nobody_is_told(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	struct itimerspec left;
	timer_t timer;

	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	set(timer, 5 * MS, 10 * MS);
	usleep(30000);
	CHECK(timer_gettime(timer, &left) == 0);
	CHECK(left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 10 * MS);
	CHECK(timer_delete(timer) == 0);
}

static timer_t inherited;

static int has_no_timer(void)
{
	struct itimerspec left;

	return timer_gettime(inherited, &left) == -1 && errno == EINVAL ? 0 : 1;
}

static void a_child_has_none(void)
{
	CHECK(timer_create(CLOCK_MONOTONIC, NULL, &inherited) == 0);
	set(inherited, 500 * MS, 0);
	CHECK(status_of(has_no_timer) == 0);
	CHECK(timer_delete(inherited) == 0);
}

/* The signal's default action would end the new program. */
static int exec_true(void)
{
	timer_t timer;

	signal(SIGALRM, SIG_DFL);
	CHECK(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);
	set(timer, 900 * MS, 0);
	execl("/bin/sleep", "sleep", "1.5", NULL);
	return 1;
}

static void an_exec_ends_them(void)
{
	CHECK(status_of(exec_true) == 0);
}

static void they_are_bounded(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	timer_t timers[10000];
	int count = 0;

	while (count < 10000 && timer_create(CLOCK_MONOTONIC, &event, &timers[count]) == 0)
		count++;
	CHECK(count < 10000 && errno == EAGAIN);
	while (count > 0)
		CHECK(timer_delete(timers[--count]) == 0);
}

static void refusals(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
	struct itimerspec value = {.it_value.tv_nsec = 1000000000};
	timer_t timer;

	CHECK_ERROR(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
	CHECK_ERROR(timer_create(99, NULL, &timer), EINVAL);
	CHECK_ERROR(timer_create(CLOCK_THREAD_CPUTIME_ID, NULL, &timer), EOPNOTSUPP);
	CHECK(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);
	CHECK_ERROR(timer_settime(timer, 0, &value, NULL), EINVAL);
	CHECK_ERROR(timer_settime(timer, 0, (void *)8, NULL), EFAULT);
	CHECK(timer_delete(timer) == 0);
	CHECK_ERROR(timer_settime(timer, 0, &value, NULL), EINVAL);
	CHECK_ERROR(timer_getoverrun(timer), EINVAL);
}

RUN_TESTS({"once", once}, {"default is SIGALRM", default_is_sigalrm},
	  {"overruns are counted", overruns_are_counted},
	  {"one thread is told", one_thread_is_told}, {"nobody is told", nobody_is_told},
	  {"a child has none", a_child_has_none}, {"an exec ends them", an_exec_ends_them},
	  {"they are bounded", they_are_bounded}, {"refusals", refusals})
