/* Processes as descriptors: pidfd_open(2), waitid with P_PIDFD, pidfd_send_signal(2). */
#include "test/qemu/programs/check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int open_pid(pid_t pid, unsigned int flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int send(int fd, int number)
{
	return (int)syscall(SYS_pidfd_send_signal, fd, number, NULL, 0);
}

static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

static void the_end_is_seen(void)
{
	pid_t pid = start_sleeper();
	int fd = open_pid(pid, 0);
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	siginfo_t info = {0};

	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(poll(&pollfd, 1, 0) == 0);
	CHECK(send(fd, 0) == 0 && send(fd, SIGTERM) == 0);
	CHECK(poll(&pollfd, 1, -1) == 1 && pollfd.revents == POLLIN);
	CHECK(waitid(P_PIDFD, (id_t)fd, &info, WEXITED) == 0);
	CHECK(info.si_pid == pid && info.si_code == CLD_KILLED && info.si_status == SIGTERM);
	CHECK(poll(&pollfd, 1, 0) == 1); /* it is readable for good */
	CHECK_ERROR(send(fd, 0), ESRCH);
	CHECK_ERROR(waitid(P_PIDFD, (id_t)fd, &info, WEXITED), ECHILD);
	close(fd);
}

static void who_waits_is_woken(void)
{
	pid_t pid = fork();
	struct pollfd pollfd = {.events = POLLIN};

	if (pid == 0) {
		usleep(100000);
		_exit(0);
	}
	pollfd.fd = open_pid(pid, 0);
	CHECK(poll(&pollfd, 1, -1) == 1); /* sleeps */
	CHECK(waitpid(pid, NULL, 0) == pid);
	close(pollfd.fd);
}

static void one_that_must_not_sleep(void)
{
	pid_t pid = start_sleeper();
	int fd = open_pid(pid, O_NONBLOCK);
	siginfo_t info = {0};

	CHECK_ERROR(waitid(P_PIDFD, (id_t)fd, &info, WEXITED), EAGAIN);
	info.si_pid = 7;
	CHECK(waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0);
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
	close(fd);
}

static void refusals(void)
{
	int status;
	pid_t gone = fork();

	if (gone == 0)
		_exit(0);
	CHECK(waitpid(gone, &status, 0) == gone);
	CHECK_ERROR(open_pid(gone, 0), ESRCH);
	CHECK_ERROR(open_pid(0, 0), EINVAL);
	CHECK_ERROR(open_pid(getpid(), 1), EINVAL);
	CHECK_ERROR(send(0, SIGTERM), EBADF);
	CHECK_ERROR(waitid(P_PIDFD, 0, NULL, WEXITED), EBADF);
}

RUN_TESTS({"the end is seen", the_end_is_seen}, {"who waits is woken", who_waits_is_woken},
	  {"one that must not sleep", one_that_must_not_sleep}, {"refusals", refusals})
