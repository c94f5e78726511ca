/* Signals that are read from a file: signalfd(2). */
#include "test/qemu/programs/check.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

static sigset_t set_of(int first, int second)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, first);
	sigaddset(&set, second);
	return set;
}

static void signals_are_read(void)
{
	sigset_t set = set_of(SIGUSR1, SIGRTMIN + 1);
	struct signalfd_siginfo records[4];
	struct pollfd pollfd = {.events = POLLIN};
	int fd;

	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	fd = pollfd.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_ERROR(read(fd, records, sizeof(records)), EAGAIN);
	CHECK(poll(&pollfd, 1, 0) == 0);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 41}) == 0);
	CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 42}) == 0);
	CHECK(poll(&pollfd, 1, 0) == 1 && pollfd.revents == POLLIN);
	CHECK_ERROR(read(fd, records, sizeof(records[0]) - 1), EINVAL);
	CHECK(read(fd, records, sizeof(records)) == 3 * sizeof(records[0]));
	CHECK(records[0].ssi_signo == SIGUSR1 && records[0].ssi_code == SI_USER);
	CHECK(records[0].ssi_pid == (uint32_t)getpid());
	CHECK(records[1].ssi_signo == (uint32_t)SIGRTMIN + 1 && records[1].ssi_int == 41);
	CHECK(records[2].ssi_code == SI_QUEUE && records[2].ssi_int == 42);
	CHECK(poll(&pollfd, 1, 0) == 0);
	close(fd);
}

static int seven(void)
{
	return 7;
}

static void a_child_ends(void)
{
	sigset_t set = set_of(SIGCHLD, SIGUSR2);
	struct signalfd_siginfo record;
	int fd;

	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	fd = signalfd(-1, &set, 0);
	CHECK(WEXITSTATUS(status_of(seven)) == 7);
	CHECK(read(fd, &record, sizeof(record)) == sizeof(record));
	CHECK(record.ssi_signo == SIGCHLD && record.ssi_code == CLD_EXITED);
	CHECK(record.ssi_status == 7);
	close(fd);
}

static void *send_soon(void *argument)
{
	usleep(20000);
	kill(getpid(), SIGUSR2);
	return argument;
}

static void sleeping_readers_are_woken(void)
{
	sigset_t none, set = set_of(SIGUSR2, SIGUSR2);
	struct signalfd_siginfo record;
	struct epoll_event event = {.events = EPOLLIN};
	int fd, epoll = epoll_create1(0);
	pthread_t thread;

	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	sigemptyset(&none);
	fd = signalfd(-1, &none, 0);
	CHECK(signalfd(fd, &set, 0) == fd); /* another set */
	CHECK(pthread_create(&thread, NULL, send_soon, NULL) == 0);
	CHECK(read(fd, &record, sizeof(record)) == sizeof(record));
	CHECK(record.ssi_signo == SIGUSR2);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
	CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
	CHECK(pthread_create(&thread, NULL, send_soon, NULL) == 0);
	CHECK(epoll_wait(epoll, &event, 1, -1) == 1);
	CHECK(read(fd, &record, sizeof(record)) == sizeof(record));
	CHECK(pthread_join(thread, NULL) == 0);
	close(fd);
	close(epoll);
}

static void refusals(void)
{
	sigset_t set = set_of(SIGUSR1, SIGUSR2);

	CHECK_ERROR(signalfd(0, &set, 0), EINVAL);
	CHECK_ERROR(signalfd(999, &set, 0), EBADF);
	CHECK_ERROR(signalfd(-1, &set, 1), EINVAL);
	CHECK_ERROR(signalfd(-1, (void *)8, 0), EFAULT);
}

RUN_TESTS({"signals are read", signals_are_read}, {"a child ends", a_child_ends},
	  {"sleeping readers are woken", sleeping_readers_are_woken}, {"refusals", refusals})
