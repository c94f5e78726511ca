/* What the storm of random system calls found (docs/fuzzing.md), each by itself. */
#define _GNU_SOURCE 1
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/statfs.h>

#include "test/qemu/programs/check.h"

static int lock_file(void)
{
	char name[] = "/tmp/lock-XXXXXX";
	int fd = mkstemp(name);

	CHECK(fd >= 0 && unlink(name) == 0);
	return fd;
}

static int set_lock(int fd, int command, off_t start, off_t length)
{
	struct flock lock = {.l_type = F_WRLCK, .l_start = start, .l_len = length};

	return fcntl(fd, command, &lock);
}

/* Sums of positions that are out of range. */
static void locks_at_the_ends(void)
{
	int fd = lock_file();

	CHECK_ERROR(set_lock(fd, F_SETLK, LONG_MIN, -1), EINVAL);
	CHECK_ERROR(set_lock(fd, F_SETLK, LONG_MIN, LONG_MIN), EINVAL);
	CHECK_ERROR(set_lock(fd, F_SETLK, 5, LONG_MIN), EINVAL);
	CHECK_ERROR(set_lock(fd, F_SETLK, 5, -6), EINVAL);
	CHECK_ERROR(set_lock(fd, F_SETLK, LONG_MAX, 2), EOVERFLOW);
	CHECK(set_lock(fd, F_SETLK, 5, -5) == 0);
	CHECK(set_lock(fd, F_SETLK, LONG_MAX, 1) == 0);
	CHECK(close(fd) == 0);
}

static int waiting_fd;

static void *wait_for_lock(void *argument)
{
	CHECK_ERROR(set_lock(waiting_fd, F_SETLKW, 0, 1), EBADF);
	return argument;
}

static int hold_lock(int fd, int until)
{
	char byte;

	CHECK(set_lock(fd, F_SETLK, 0, 1) == 0);
	CHECK(write(until, "l", 1) == 1);
	CHECK(read(until, &byte, 1) == 1);
	return 0;
}

/* A lock that comes when its descriptor has been closed would never end. */
static void lock_after_close(void)
{
	int fd = lock_file(), ends[2], status;
	pthread_t thread;
	char byte;

	waiting_fd = dup(fd);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(hold_lock(fd, ends[1]));
	CHECK(read(ends[0], &byte, 1) == 1);
	CHECK(pthread_create(&thread, NULL, wait_for_lock, NULL) == 0);
	usleep(20000); /* it waits, or comes too late and finds it closed: EBADF in both cases */
	CHECK(close(waiting_fd) == 0 && close(fd) == 0);
	CHECK(write(ends[0], "u", 1) == 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(pthread_join(thread, NULL) == 0);
}

static void statfs_of_every_file_system(void)
{
	static const char *const paths[] = {"/", "/proc/meminfo", "/sys", "/dev/pts", "/dev/null"};
	struct statfs statfs_of;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		CHECK(statfs(paths[i], &statfs_of) == 0);
		CHECK(statfs_of.f_type != 0);
	}
	CHECK(statfs("/sys", &statfs_of) == 0 && statfs_of.f_type == 0x62656572);
}

/* Positions beyond the last one, where the end is not known. */
static void far_positions(void)
{
	static const char *const paths[] = {"/proc/meminfo", "/tmp", "/proc", "/proc/self/maps"};
	char bytes[512];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int fd = open(paths[i], O_RDONLY);
		CHECK(lseek(fd, LONG_MAX, SEEK_SET) == LONG_MAX);
		CHECK_ERROR(lseek(fd, 1, SEEK_CUR), EOVERFLOW);
		CHECK_ERROR(lseek(fd, LONG_MIN, SEEK_CUR), EINVAL);
		CHECK(read(fd, bytes, sizeof(bytes)) <= 0);
		CHECK(getdents(fd, (struct dirent *)bytes, sizeof(bytes)) <= 0);
		CHECK(close(fd) == 0);
	}
}

/* The ways through epolls that watch epolls must not grow as their power. */
static void epolls_of_epolls(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	int inner = epoll_create1(0), outer[8];

	for (int i = 0; i < 8; i++) {
		outer[i] = epoll_create1(0);
		CHECK(epoll_ctl(outer[i], EPOLL_CTL_ADD, inner, &event) == 0);
	}
	int ninth = epoll_create1(0);
	CHECK_ERROR(epoll_ctl(ninth, EPOLL_CTL_ADD, inner, &event), EINVAL);
	CHECK(close(outer[0]) == 0);
	CHECK(epoll_ctl(ninth, EPOLL_CTL_ADD, inner, &event) == 0);
	for (int i = 1; i < 8; i++)
		CHECK(close(outer[i]) == 0);
	CHECK(close(inner) == 0 && close(ninth) == 0);
}

RUN_TESTS({"locks at the ends", locks_at_the_ends}, {"a lock after close", lock_after_close},
	  {"statfs", statfs_of_every_file_system}, {"epolls of epolls", epolls_of_epolls},
	  {"far positions", far_positions})
