/*
 * tcp_connect ADDRESS PORT [SYNS]: connects, after as many SYNs as TCP_SYNCNT allows for, and
 * prints "connected" or the error, and how many milliseconds that took. Status: 0 when connected.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "check.h"

int main(int argc, char **argv)
{
	struct sockaddr_in peer = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (argc < 3 || inet_pton(AF_INET, argv[1], &peer.sin_addr) != 1)
		return 2;
	peer.sin_port = htons((uint16_t)atoi(argv[2]));
	if (argc > 3) {
		int syns = atoi(argv[3]);

		CHECK(setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &syns, sizeof(syns)) == 0);
	}
	uint64_t began = now_us();
	int error = connect(fd, (struct sockaddr *)&peer, sizeof(peer)) == 0 ? 0 : errno;

	printf("%s after %llu ms\n", error ? strerror(error) : "connected",
	       (unsigned long long)(now_us() - began) / 1000);
	return error != 0;
}
