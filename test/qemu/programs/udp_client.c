/*
 * udp_client ADDRESS PORT MESSAGE...: sends each message as a datagram, one right behind the
 * other, and prints the answers. Not a test by itself: the tests' UDP peer on the guest, since
 * busybox's nc has no -u. Status: 0 when as many answers came as messages were sent, 1
 * otherwise.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

static int fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	static char answer[65536];
	struct timeval patience = {.tv_sec = 2};
	struct sockaddr_in peer = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc < 4 || inet_pton(AF_INET, argv[1], &peer.sin_addr) != 1)
		return 2;
	peer.sin_port = htons((uint16_t)atoi(argv[2]));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)) != 0)
		return fail("connect");
	for (int i = 3; i < argc; i++)
		if (send(fd, argv[i], strlen(argv[i]), 0) < 0)
			return fail("send");
	for (int i = 3; i < argc; i++) {
		ssize_t length = recv(fd, answer, sizeof(answer), 0);

		if (length < 0)
			return fail("recv");
		printf("answer: %.*s\n", (int)length, answer);
	}
	return 0;
}
