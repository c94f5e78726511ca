/*
 * splice(2) from a pipe: what was handed on stays as it was, whatever is written to the pipe next;
 * and the pipe's room.
 */
#define _GNU_SOURCE 1
#include "test/qemu/programs/check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#define PIPE_BYTES 65536
#define PART 1000

static char bytes[PIPE_BYTES];

static void connect_pair(int ends[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 1) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(ends[0], (struct sockaddr *)&address, length) == 0);
	ends[1] = accept(listener, NULL, NULL);
	CHECK(ends[1] >= 0 && close(listener) == 0);
}

static void cork(int socket, int on)
{
	CHECK(setsockopt(socket, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)) == 0);
}

static void fill(int fd, char with, size_t n)
{
	memset(bytes, with, n);
	CHECK(write(fd, bytes, n) == (ssize_t)n);
}

/* A full pipe: the writer comes round to the page of which a part is on its way. */
static void bytes_on_their_way_do_not_change(void)
{
	int ends[2], pipe_ends[2];

	connect_pair(ends);
	CHECK(pipe2(pipe_ends, O_NONBLOCK) == 0);
	fill(pipe_ends[1], 'A', PIPE_BYTES);
	cork(ends[0], 1);
	CHECK(splice(pipe_ends[0], NULL, ends[0], NULL, PART, SPLICE_F_MORE) == PART);
	memset(bytes, 'B', PART);
	CHECK(write(pipe_ends[1], bytes, PART) == PART || errno == EAGAIN);
	cork(ends[0], 0);
	CHECK(recv(ends[1], bytes, PART, MSG_WAITALL) == PART);
	for (size_t i = 0; i < PART; i++)
		CHECK(bytes[i] == 'A');
	for (int i = 0; i < 2; i++)
		CHECK(close(ends[i]) == 0 && close(pipe_ends[i]) == 0);
}

/* All of a pipe is there again once it is empty, wherever reading has stopped. */
static void an_empty_pipe_has_all_its_room(void)
{
	static const size_t parts[] = {1, PART, 4095, 4096, 4097, 3 * 4096, PIPE_BYTES};
	struct pollfd poll_writer;
	int ends[2];

	CHECK(pipe2(ends, O_NONBLOCK) == 0);
	poll_writer = (struct pollfd){.fd = ends[1], .events = POLLOUT};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		fill(ends[1], 'a' + (char)i, parts[i]);
		CHECK(read(ends[0], bytes, parts[i]) == (ssize_t)parts[i]);
		CHECK(bytes[0] == 'a' + (char)i && bytes[parts[i] - 1] == 'a' + (char)i);
		fill(ends[1], 'x', PIPE_BYTES);
		CHECK_ERROR(write(ends[1], "y", 1), EAGAIN);
		CHECK(poll(&poll_writer, 1, 0) == 0);
		CHECK(read(ends[0], bytes, 4096) == 4096 && poll(&poll_writer, 1, 0) == 1);
		CHECK(read(ends[0], bytes, PIPE_BYTES) == PIPE_BYTES - 4096);
		CHECK(bytes[PIPE_BYTES - 4097] == 'x');
	}
	CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

RUN_TESTS({"bytes on their way do not change", bytes_on_their_way_do_not_change},
	  {"an empty pipe has all its room", an_empty_pipe_has_all_its_room})
