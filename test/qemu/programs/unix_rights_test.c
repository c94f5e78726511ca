/* AF_UNIX between processes: descriptors and identities that travel. */
#define _GNU_SOURCE 1
#include "test/qemu/programs/check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#define FILE_NAME "/tmp/unix_rights_test.file"

static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
static int pair[2];

/* Sends `fd` over `socket` with a byte. 0 or -1. */
static int send_fd(int socket, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = {0};
	struct iovec piece = {.iov_base = "x", .iov_len = 1};
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};

	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/* Receives a byte with one control message of this type, and its `size` bytes. msg_flags. */
static int receive_control(int socket, int flags, int type, void *to, size_t size)
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr header;
	} control = {0};
	char byte;
	struct iovec piece = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = CMSG_SPACE(size)};

	CHECK(CMSG_SPACE(size) <= sizeof(control) && recvmsg(socket, &message, flags) == 1);
	CHECK(message.msg_controllen >= CMSG_LEN(size) && control.header.cmsg_type == type);
	memcpy(to, CMSG_DATA(&control.header), size);
	return message.msg_flags;
}

static int receive_fd(int socket, int flags)
{
	int fd, told = receive_control(socket, flags, SCM_RIGHTS, &fd, sizeof(fd));

	CHECK(!(told & MSG_CTRUNC) && (told & MSG_CMSG_CLOEXEC) == (flags & MSG_CMSG_CLOEXEC));
	return fd;
}

/* Opens a file that the parent cannot name any more, and sends it. */
static int send_unlinked_file(void)
{
	int fd = open(FILE_NAME, O_RDWR | O_CREAT, 0600);

	CHECK(unlink(FILE_NAME) == 0);
	CHECK(write(fd, "contents", 8) == 8);
	return send_fd(pair[1], fd);
}

static void descriptors_travel(void)
{
	for (int i = 0; i < 3; i++) {
		char to[9] = "";

		CHECK(socketpair(AF_UNIX, types[i], 0, pair) == 0);
		CHECK(status_of(send_unlinked_file) == 0);
		int fd = receive_fd(pair[0], MSG_CMSG_CLOEXEC);

		CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
		CHECK(pread(fd, to, 8, 0) == 8 && strcmp(to, "contents") == 0);
		CHECK(lseek(fd, 0, SEEK_CUR) == 8); /* the sender's file, with its position */
		close(fd);
		close(pair[0]);
		close(pair[1]);
	}
}

/* A message may hold a file that nobody else has: a pipe's end closes with the message. */
static void undelivered_descriptors_are_closed(void)
{
	int ends[2];
	struct pollfd poll_end = {.events = POLLIN};

	CHECK(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK(send_fd(pair[0], ends[1]) == 0);
	close(ends[1]);
	poll_end.fd = ends[0];
	CHECK(poll(&poll_end, 1, 0) == 0);
	/* Into its own queue, too: then nothing but the collector closes it. */
	CHECK(send_fd(pair[0], pair[1]) == 0);
	close(pair[0]);
	close(pair[1]);
	CHECK(poll(&poll_end, 1, 1000) == 1 && poll_end.revents == POLLHUP);
	close(ends[0]);
}

/* As soon as a process is killed, what was in its sockets' queues goes. */
static void a_killed_process_leaves_nothing(void)
{
	struct pollfd poll_end = {.events = POLLIN};
	int ends[2], status;

	CHECK(pipe(ends) == 0);
	pid_t child = fork();

	if (child == 0) {
		CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
		CHECK(send_fd(pair[0], ends[1]) == 0 && send_fd(pair[0], pair[1]) == 0);
		CHECK(send_fd(pair[1], pair[0]) == 0);
		close(ends[1]);
		kill(getpid(), SIGKILL);
	}
	close(ends[1]);
	CHECK(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL);
	poll_end.fd = ends[0];
	CHECK(poll(&poll_end, 1, 1000) == 1 && poll_end.revents == POLLHUP);
	close(ends[0]);
}

/* Its sender's identity, as a message tells it. */
static struct ucred receive_credentials(int socket)
{
	struct ucred sender;

	receive_control(socket, 0, SCM_CREDENTIALS, &sender, sizeof(sender));
	return sender;
}

/* SO_PEERCRED has the effective identity, a message the real one. */
static int as_somebody_else(void)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);
	int on = 1;

	CHECK(setegid(3000) == 0 && seteuid(2000) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0);
	CHECK(peer.pid == getpid() && peer.uid == 2000 && peer.gid == 3000);
	CHECK(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
	CHECK(write(pair[0], "x", 1) == 1);
	struct ucred sender = receive_credentials(pair[1]);

	CHECK(sender.pid == getpid() && sender.uid == 0 && sender.gid == 0);
	return 0;
}

static void identities(void)
{
	CHECK(status_of(as_somebody_else) == 0);
}

RUN_TESTS({"descriptors travel", descriptors_travel},
	  {"undelivered descriptors are closed", undelivered_descriptors_are_closed},
	  {"a killed process leaves nothing", a_killed_process_leaves_nothing},
	  {"identities", identities})
