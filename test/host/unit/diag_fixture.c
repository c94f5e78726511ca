#include "test/host/unit/diag_fixture.h"

struct netlink_fixture diag_world;
struct socket *diag_socket;

int diag_set_up(void **state __unused)
{
	netlink_fixture_init(&diag_world);
	diag_socket = netlink_open_socket(NETLINK_SOCK_DIAG);
	return 0;
}

int diag_tear_down(void **state __unused)
{
	host_fail_allocation(0);
	socket_close(diag_socket);
	netlink_fixture_destroy(&diag_world);
	return 0;
}

void diag_ask(const void *request, size_t length, uint16_t flags)
{
	request_begin(&diag_world, SOCK_DIAG_BY_FAMILY, flags, request, length);
}

uint32_t diag_count(const void *request, size_t length)
{
	diag_ask(request, length, NLM_F_DUMP);
	request_send(&diag_world, diag_socket);
	return count_to_done(&diag_world, diag_socket, SOCK_DIAG_BY_FAMILY);
}
