/* Signal-driven input and output: O_ASYNC, F_SETOWN, FIOASYNC. */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "test/qemu/programs/check.h"

static volatile sig_atomic_t heard;

static void hear(int number)
{
	(void)number;
	heard++;
}

static void start(int fd)
{
	signal(SIGIO, hear);
	heard = 0;
	CHECK(fcntl(fd, F_SETOWN, getpid()) == 0);
	CHECK(fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK) == 0);
	CHECK((fcntl(fd, F_GETFL) & O_ASYNC) == O_ASYNC);
}

static void stop(int fd)
{
	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && (fcntl(fd, F_GETFL) & O_ASYNC) == 0);
	heard = 0;
}

static void pipes_tell(void)
{
	char byte = 'x';
	int ends[2];

	CHECK(pipe(ends) == 0);
	start(ends[0]);
	CHECK(heard == 0 && write(ends[1], &byte, 1) == 1);
	CHECK(heard == 1 && read(ends[0], &byte, 1) == 1);
	CHECK(heard == 1);                        /* its own reading is no news to it */
	CHECK(close(ends[1]) == 0 && heard == 2); /* the end is */
	stop(ends[0]);
	CHECK(close(ends[0]) == 0);
}

static void sockets_tell(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
	int on = 1;
	char byte;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(bind(receiver, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHECK(getsockname(receiver, (struct sockaddr *)&address, &length) == 0);
	signal(SIGIO, hear);
	CHECK(fcntl(receiver, F_SETOWN, getpid()) == 0 && ioctl(receiver, FIOASYNC, &on) == 0);
	CHECK((fcntl(receiver, F_GETFL) & O_ASYNC) == O_ASYNC);
	heard = 0;
	for (int i = 1; i <= 3; i++) {
		CHECK(sendto(sender, "x", 1, 0, (struct sockaddr *)&address, length) == 1);
		while (heard < i)
			usleep(1000);
		CHECK(recv(receiver, &byte, 1, 0) == 1);
	}
	stop(receiver);
	CHECK(sendto(sender, "x", 1, 0, (struct sockaddr *)&address, length) == 1);
	while (recv(receiver, &byte, 1, 0) < 0)
		usleep(1000);
	CHECK(heard == 0);
	CHECK(close(receiver) == 0 && close(sender) == 0);
}

static void the_owner_may_be_nobody_or_a_group(void)
{
	int ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	start(ends[0]);
	CHECK(fcntl(ends[0], F_SETOWN, 0) == 0 && write(ends[1], "x", 1) == 1 && heard == 0);
	CHECK(fcntl(ends[0], F_SETOWN, -getpgrp()) == 0 && write(ends[1], "x", 1) == 1);
	CHECK(heard == 1);
	CHECK(close(ends[0]) == 0 && close(ends[1]) == 0); /* while it is watched */
}

/* Ends by itself when the other end of the pipe is closed. */
static pid_t start_stranger(int ends[2])
{
	pid_t pid = fork();
	char byte;

	CHECK(pid >= 0);
	if (pid == 0) {
		close(ends[1]);
		_exit((int)read(ends[0], &byte, 1));
	}
	return pid;
}

static pid_t stranger;

static int tell_stranger(void)
{
	int ends[2];

	CHECK(pipe(ends) == 0 && setuid(1000) == 0);
	CHECK_ERROR(kill(stranger, 0), EPERM);
	start(ends[0]);
	CHECK(fcntl(ends[0], F_SETOWN, stranger) == 0 && write(ends[1], "x", 1) == 1);
	CHECK(fcntl(ends[0], F_SETOWN, getpid()) == 0 && write(ends[1], "x", 1) == 1);
	return heard != 1;
}

/* SIGIO would end whom it surprises. */
static void strangers_are_not_told(void)
{
	int ends[2], status;

	CHECK(pipe(ends) == 0);
	stranger = start_stranger(ends);
	CHECK(status_of(tell_stranger) == 0);
	CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
	CHECK(waitpid(stranger, &status, 0) == stranger && status == 0);
}

static void files_that_never_wait_are_silent(void)
{
	char name[] = "/tmp/sigio-XXXXXX";
	int fd = mkstemp(name);

	CHECK(fd >= 0 && unlink(name) == 0);
	start(fd);
	CHECK(write(fd, "x", 1) == 1 && heard == 0);
	CHECK(close(fd) == 0);
}

RUN_TESTS({"pipes tell", pipes_tell}, {"sockets tell", sockets_tell},
	  {"the owner may be nobody or a group", the_owner_may_be_nobody_or_a_group},
	  {"strangers are not told", strangers_are_not_told},
	  {"files that never wait are silent", files_that_never_wait_are_silent})
