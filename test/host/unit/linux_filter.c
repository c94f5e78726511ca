#include "test/host/unit/linux_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <sys/socket.h>
#include <unistd.h>

static int pair[2] = {-1, -1};

bool linux_filter_open(void)
{
	static const struct sock_filter keep_all[] = {BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)};

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair))
		return false;
	return linux_filter_attach(keep_all, 1) == 0;
}

void linux_filter_close(void)
{
	close(pair[0]);
	close(pair[1]);
}

int linux_filter_attach(const void *program, uint16_t count)
{
	struct sock_fprog request = {.len = count, .filter = (struct sock_filter *)program};

	return setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_FILTER, &request, sizeof(request)) ? errno
											    : 0;
}

size_t linux_filter_verdict(const void *packet, size_t size)
{
	uint8_t bytes[4096];

	if (send(pair[0], packet, size, 0) < 0)
		return 0;
	ssize_t kept = recv(pair[1], bytes, sizeof(bytes), 0);

	return kept < 0 ? 0 : (size_t)kept;
}
