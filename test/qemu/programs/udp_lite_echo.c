/*
 * udp_lite_echo PORT SENT LEAST: answers each datagram of UDP-Lite with itself, for ever. SENT is
 * the coverage of the answers' checksums, LEAST what the datagrams must have; "-": as it comes. Not
 * a test by itself: the tests' UDP-Lite peer on the guest.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* <netinet/udplite.h> of other C libraries. */
#define UDPLITE_SEND_CSCOV 10
#define UDPLITE_RECV_CSCOV 11

static int set_coverage(int fd, int option, const char *text)
{
	int coverage = atoi(text);

	if (strcmp(text, "-") == 0)
		return 0;
	return setsockopt(fd, IPPROTO_UDPLITE, option, &coverage, sizeof(coverage));
}

int main(int argc, char **argv)
{
	static char datagram[65536];
	struct sockaddr_in here = {.sin_family = AF_INET}, peer;
	int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);

	if (argc != 4)
		return 2;
	here.sin_port = htons((uint16_t)atoi(argv[1]));
	if (set_coverage(fd, UDPLITE_SEND_CSCOV, argv[2]) != 0 ||
	    set_coverage(fd, UDPLITE_RECV_CSCOV, argv[3]) != 0 ||
	    bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0) {
		perror("udp_lite_echo");
		return 1;
	}
	for (;;) {
		socklen_t size = sizeof(peer);
		ssize_t length = recvfrom(fd, datagram, sizeof(datagram), 0,
					  (struct sockaddr *)&peer, &size);

		if (length >= 0)
			sendto(fd, datagram, (size_t)length, 0, (struct sockaddr *)&peer, size);
	}
}
