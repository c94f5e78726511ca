/*
 * udpecho: sends every UDP datagram back where it came from (RFC 862).
 *
 * A machine may have several addresses. The answer must come from the one that was asked, or a
 * connected peer will not take it: IP_PKTINFO tells which that was, and sets it for the answer.
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userland/lib/argument.h"
#include "userland/lib/clock.h"
#include "userland/lib/control.h"
#include "userland/lib/stop.h"

enum { ECHO_PORT = 7, DATAGRAM_MAX = 65535 };

static const char usage[] = "usage: udpecho [-p PORT]\n"
			    "Echoes UDP datagrams until Ctrl-C, then says how many.\n"
			    "  -p PORT   listen on this port (7)\n"
			    "  --help    print this text\n";

struct counts {
	unsigned long datagrams, bytes, failures;
};

static int open_socket(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	int yes = 1;
	int socket_fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (socket_fd >= 0 &&
	    setsockopt(socket_fd, IPPROTO_IP, IP_PKTINFO, &yes, sizeof(yes)) == 0 &&
	    bind(socket_fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return socket_fd;
	fprintf(stderr, "udpecho: port %u: %s\n", port, strerror(errno));
	exit(1);
}

/*
 * Makes the answer leave from the address that was asked; when that was a broadcast, from ours on
 * that interface (ipi_spec_dst).
 */
static void choose_source(struct msghdr *message, struct cmsghdr *control)
{
	struct in_pktinfo info;

	if (!control_read(message, IP_PKTINFO, &info, sizeof(info))) {
		message->msg_controllen = 0;
		return;
	}
	info.ipi_addr.s_addr = 0;
	control->cmsg_level = IPPROTO_IP;
	control->cmsg_type = IP_PKTINFO;
	control->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(control), &info, sizeof(info));
	message->msg_controllen = CMSG_SPACE(sizeof(info));
}

/* Two echo servers that answer each other would never stop. */
static bool is_echo_server(const struct sockaddr_in *peer, uint16_t our_port)
{
	return ntohs(peer->sin_port) == our_port;
}

static void echo_one(int socket_fd, uint16_t port, struct counts *counts)
{
	static char datagram[DATAGRAM_MAX];
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control;
	struct sockaddr_in peer;
	struct iovec data = {.iov_base = datagram, .iov_len = sizeof(datagram)};
	struct msghdr message = {
		.msg_name = &peer,
		.msg_namelen = sizeof(peer),
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t length = recvmsg(socket_fd, &message, MSG_DONTWAIT);

	if (length < 0 || is_echo_server(&peer, port))
		return;
	data.iov_len = (size_t)length;
	choose_source(&message, &control.header);
	if (sendmsg(socket_fd, &message, 0) == length) {
		counts->datagrams++;
		counts->bytes += (unsigned long)length;
	} else {
		counts->failures++;
	}
}

int main(int argc, char **argv)
{
	struct counts counts = {0};
	uint16_t port = argument_port_alone("udpecho", argc, argv, usage, ECHO_PORT);
	struct pollfd wait = {.events = POLLIN};

	stop_on_signals();
	wait.fd = open_socket(port);
	while (!stop_requested())
		if (stop_poll(&wait, 1, CLOCK_NEVER) > 0)
			echo_one(wait.fd, port, &counts);
	close(wait.fd);
	printf("udpecho: %lu datagrams, %lu bytes, %lu failures\n", counts.datagrams, counts.bytes,
	       counts.failures);
	return 0;
}
