/*
 * udp_receive PORT: prints the length of each datagram that comes, for ever. Not a test by
 * itself: what the tests kill while it is blocked in recvfrom.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	static char datagram[65536];
	struct sockaddr_in here = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc != 2)
		return 2;
	here.sin_port = htons((uint16_t)atoi(argv[1]));
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0)
		return 1;
	for (;;) {
		ssize_t length = recvfrom(fd, datagram, sizeof(datagram), 0, NULL, NULL);

		printf("%zd bytes\n", length);
	}
}
