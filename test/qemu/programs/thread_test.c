/* Threads and futexes, through the C library's pthreads. */
#define _GNU_SOURCE 1
#include "test/qemu/programs/check.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define THREADS 8
#define ROUNDS 2000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int counter;

static long futex(uint32_t *word, int operation, uint32_t value, const struct timespec *timeout,
		  uint32_t *word2, uint32_t value3)
{
	return syscall(SYS_futex, word, operation, value, timeout, word2, value3);
}

static void *add(void *argument)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		int seen = counter;

		if (i % 64 == 0)
			sched_yield(); /* while it holds the lock */
		counter = seen + 1;
		pthread_mutex_unlock(&mutex);
	}
	return argument;
}

static void create_and_join(void)
{
	pthread_t threads[THREADS];
	void *result;

	counter = 0;
	for (intptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, add, (void *)i) == 0);
	for (intptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], &result) == 0 && result == (void *)i);
	CHECK(counter == THREADS * ROUNDS);
}

static void *note_ids(void *argument)
{
	pid_t *ids = argument;

	ids[0] = getpid();
	ids[1] = (pid_t)syscall(SYS_gettid);
	return NULL;
}

static void ids(void)
{
	pthread_t thread;
	pid_t seen[2];

	CHECK(pthread_create(&thread, NULL, note_ids, seen) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(seen[0] == getpid() && seen[1] != getpid());
	CHECK(syscall(SYS_gettid) == getpid());
}

static void *ping_pong(void *argument)
{
	int me = (int)(intptr_t)argument;

	pthread_mutex_lock(&mutex);
	for (int i = 0; i < 500; i++) {
		while (counter % 2 != me)
			pthread_cond_wait(&condition, &mutex);
		counter++;
		pthread_cond_broadcast(&condition);
	}
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void conditions(void)
{
	pthread_t threads[2];
	struct timespec until;
	uint64_t start = now_us();

	counter = 0;
	for (intptr_t i = 0; i < 2; i++)
		CHECK(pthread_create(&threads[i], NULL, ping_pong, (void *)i) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(counter == 1000);

	start = now_us();
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 30000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&mutex);
	CHECK(pthread_cond_timedwait(&condition, &mutex, &until) == ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
	CHECK(now_us() - start >= 29000);
}

static void futex_errors(void)
{
	struct timespec soon = {.tv_nsec = 10000000};
	uint32_t word = 1;

	CHECK_ERROR(futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0), EAGAIN);
	CHECK_ERROR(futex(&word, FUTEX_WAIT, 1, &soon, NULL, 0), ETIMEDOUT);
	CHECK_ERROR(futex((uint32_t *)4096, FUTEX_WAIT, 1, &soon, NULL, 0), EFAULT);
	CHECK_ERROR(futex((uint32_t *)((char *)&word + 1), FUTEX_WAIT, 1, &soon, NULL, 0), EINVAL);
	CHECK_ERROR(futex(&word, FUTEX_WAIT_BITSET, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERROR(futex(&word, 99, 1, NULL, NULL, 0), ENOSYS);
	CHECK(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0) == 0);
}

static uint32_t first, second;
static volatile int awake;

static void *wait_on_first(void *argument)
{
	(void)argument;
	while (futex(&first, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0) != 0)
		;
	__atomic_fetch_add(&awake, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void requeue(void)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&threads[i], NULL, wait_on_first, NULL) == 0);
	usleep(30000);
	CHECK_ERROR(futex(&first, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10, &second, 7), EAGAIN);
	CHECK(futex(&first, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10, &second, 0) == 3);
	usleep(30000);
	CHECK(awake == 1);
	CHECK(futex(&first, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0) == 0);
	CHECK(futex(&second, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0) == 2);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(awake == 3);
}

/* A semaphore in shared memory between two processes. */
static void shared_futexes(void)
{
	sem_t *sem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	CHECK(sem != MAP_FAILED && sem_init(sem, 1, 0) == 0);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 100; i++)
			if (sem_wait(sem) != 0)
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < 100; i++) {
		CHECK(sem_post(sem) == 0);
		if (i % 10 == 0)
			sched_yield();
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	munmap(sem, 4096);
}

static pthread_mutex_t robust;

static void *die_with_lock(void *argument)
{
	pthread_mutex_lock(&robust);
	return argument;
}

static void robust_mutexes(void)
{
	pthread_mutexattr_t attributes;
	pthread_t thread;

	pthread_mutexattr_init(&attributes);
	CHECK(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
	CHECK(pthread_mutex_init(&robust, &attributes) == 0);
	CHECK(pthread_create(&thread, NULL, die_with_lock, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(pthread_mutex_lock(&robust) == EOWNERDEAD);
	CHECK(pthread_mutex_consistent(&robust) == 0);
	CHECK(pthread_mutex_unlock(&robust) == 0);
}

static void *sleep_for_ever(void *argument)
{
	for (;;)
		pause();
	return argument;
}

static void cancelling(void)
{
	pthread_t thread;
	void *result;

	CHECK(pthread_create(&thread, NULL, sleep_for_ever, NULL) == 0);
	usleep(20000);
	CHECK(pthread_cancel(thread) == 0);
	CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
}

static void *spin(void *argument)
{
	for (;;)
		;
	return argument;
}

static int exit_with_threads(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, i % 2 ? spin : sleep_for_ever, NULL);
	usleep(10000);
	exit(6);
}

static void *exec_true(void *argument)
{
	execl("/bin/sh", "sh", "-c", "exit 11", (char *)NULL);
	return argument;
}

static int exec_from_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, spin, NULL);
	pthread_create(&thread, NULL, sleep_for_ever, NULL);
	pthread_create(&thread, NULL, exec_true, NULL);
	for (;;)
		pause();
}

static void *crash(void *argument)
{
	*(volatile int *)8 = 1;
	return argument;
}

static int crash_in_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, crash, NULL);
	for (;;)
		pause();
}

static int leader_ends_first(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, exec_true, NULL);
	pthread_exit(NULL);
}

static void processes_end_with_all_their_threads(void)
{
	int status = status_of(exit_with_threads);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 6);
	status = status_of(exec_from_thread);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 11);
	status = status_of(crash_in_thread);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	status = status_of(leader_ends_first);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 11);
}

static volatile pid_t handled_by;

static void note_thread(int signal)
{
	(void)signal;
	handled_by = (pid_t)syscall(SYS_gettid);
}

static void *wait_for_signal(void *argument)
{
	*(volatile pid_t *)argument = (pid_t)syscall(SYS_gettid);
	while (!handled_by)
		usleep(1000);
	return NULL;
}

static void signals_find_a_thread_that_takes_them(void)
{
	sigset_t set;
	pthread_t thread;
	volatile pid_t tid = 0;

	signal(SIGUSR1, note_thread);
	CHECK(pthread_create(&thread, NULL, wait_for_signal, (void *)&tid) == 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	while (!tid)
		usleep(1000);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(handled_by == tid);
	CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
}

/* What FUTEX_WAKE_OP does to a word that was `old`; `woken` counts nobody here. */
static unsigned after_operation(unsigned old, unsigned operation)
{
	unsigned word = old, other = 0;

	CHECK(futex(&other, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &word, operation) == 0);
	return word;
}

static void wake_with_an_operation(void)
{
	unsigned here = 0;
	pthread_t threads[2];

	CHECK(after_operation(5, FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 0)) == 9);
	CHECK(after_operation(5, FUTEX_OP(FUTEX_OP_ADD, 0xfff, FUTEX_OP_CMP_EQ, 0)) == 4);
	CHECK(after_operation(5, FUTEX_OP(FUTEX_OP_OR, 2, FUTEX_OP_CMP_EQ, 0)) == 7);
	CHECK(after_operation(5, FUTEX_OP(FUTEX_OP_ANDN, 1, FUTEX_OP_CMP_EQ, 0)) == 4);
	CHECK(after_operation(5, FUTEX_OP(FUTEX_OP_XOR, 3, FUTEX_OP_CMP_EQ, 0)) == 6);
	CHECK(after_operation(0, FUTEX_OP(FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 4, 0, 0)) == 16);
	CHECK_ERROR(futex(&here, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &here, 7 << 28), ENOSYS);
	CHECK_ERROR(futex(&here, FUTEX_LOCK_PI, 0, NULL, NULL, 0), ENOSYS);

	awake = 0;
	first = second = 0;
	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&threads[i], NULL, wait_on_first, NULL) == 0);
	usleep(30000);
	/* The comparison fails: one at the word itself, nobody at the second. */
	CHECK(futex(&here, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &first,
		    FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_GT, 0)) == 0);
	CHECK(futex(&here, FUTEX_WAKE_OP_PRIVATE, 1, (void *)2, &first,
		    FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0)) == 2);
	CHECK(first == 1);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

RUN_TESTS({"create and join", create_and_join}, {"ids", ids}, {"conditions", conditions},
	  {"futex errors", futex_errors}, {"requeue", requeue},
	  {"wake with an operation", wake_with_an_operation}, {"shared futexes", shared_futexes},
	  {"robust mutexes", robust_mutexes}, {"cancelling", cancelling},
	  {"processes end with all their threads", processes_end_with_all_their_threads},
	  {"signals find a thread that takes them", signals_find_a_thread_that_takes_them})
