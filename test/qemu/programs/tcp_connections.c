/*
 * tcp_connections ADDRESS PORT COUNT [at-once]: opens so many connections to an echo server, sends
 * a number through each, takes it back and closes it: one after the other, or when all are open.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "check.h"

enum { CONNECTIONS_MAX = 60000 };

static struct sockaddr_in server = {.sin_family = AF_INET};
static int sockets[CONNECTIONS_MAX];

static int open_one(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(fd >= 0);
	CHECK(connect(fd, (struct sockaddr *)&server, sizeof(server)) == 0);
	return fd;
}

static void ask(int fd, int number)
{
	CHECK(send(fd, &number, sizeof(number), 0) == sizeof(number));
}

static void take_answer(int fd, int number)
{
	int answer = -1;

	CHECK(recv(fd, &answer, sizeof(answer), MSG_WAITALL) == sizeof(answer));
	CHECK(answer == number);
	CHECK(close(fd) == 0);
}

static void all_at_once(int count)
{
	for (int i = 0; i < count; i++)
		sockets[i] = open_one();
	printf("%d are open\n", count);
	fflush(stdout);
	for (int i = 0; i < count; i++)
		ask(sockets[i], i);
	for (int i = 0; i < count; i++)
		take_answer(sockets[i], i);
}

static void one_after_another(int count)
{
	for (int i = 0; i < count; i++) {
		int fd = open_one();

		ask(fd, i);
		take_answer(fd, i);
	}
}

static void allow_descriptors(int count)
{
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = (rlim_t)count + 16;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

int main(int argc, char **argv)
{
	if (argc < 4 || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1)
		return 2;
	server.sin_port = htons((uint16_t)atoi(argv[2]));

	int count = atoi(argv[3]);

	if (count < 1 || count > CONNECTIONS_MAX)
		return 2;
	if (argc > 4) {
		allow_descriptors(count);
		all_at_once(count);
	} else {
		one_after_another(count);
	}
	printf("%d connections, each with its echo\n", count);
	return 0;
}
