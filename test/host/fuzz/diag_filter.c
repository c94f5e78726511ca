/*
 * Filters of sockets (net/netlink/diag_filter.h). The input is one program: what is accepted ends,
 * within its bytes, whatever the socket.
 */
#include "net/netlink/diag_filter.h"

#include "test/host/fuzz/fuzz.h"

#define LENGTH_MAX 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct endpoint ends[] = {
		{net_addr_ip4(IP4(10, 0, 0, 1)), 80}, {{0}, 0}, {{.family = AF_INET6}, 65535}};

	if (!diag_filter_check(data, size))
		return 0;
	CHECK(size > 0 && size <= LENGTH_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(ends); j++) {
			const struct diag_subject subject = {.local = &ends[i],
							     .remote = &ends[j],
							     .ifindex = (int)i,
							     .mark = (uint32_t)j};

			diag_filter_passes(data, size, &subject);
		}
	}
	return 0;
}
