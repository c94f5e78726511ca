#include "userland/lib/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userland/lib/dns.h"

enum { BACKLOG = 1024 };

int tcp_connect_to(const char *program, const char *host, uint16_t port)
{
	struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(port)};
	uint32_t address;
	enum dns_result found = dns_find_address(host, &address);
	int fd;

	if (found != DNS_FOUND) {
		fprintf(stderr, "%s: %s: %s\n", program, host, dns_result_text(found));
		return -1;
	}
	peer.sin_addr.s_addr = htonl(address);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&peer, sizeof(peer)) == 0)
		return fd;
	fprintf(stderr, "%s: %s:%u: %s\n", program, host, port, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

int tcp_listen_on(const char *program, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int yes = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	fprintf(stderr, "%s: port %u: %s\n", program, port, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

void tcp_allow_many(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int write_all(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length) {
		ssize_t written = write(fd, at, length);

		if (written < 0 && errno != EINTR)
			return -1;
		if (written > 0) {
			at += written;
			length -= (size_t)written;
		}
	}
	return 0;
}
