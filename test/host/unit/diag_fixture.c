#include "test/host/unit/diag_fixture.h"

struct socket *diag_socket;

int diag_set_up(void **state)
{
	netlink_set_up(state);
	diag_socket = netlink_open_socket(NETLINK_SOCK_DIAG);
	return 0;
}

int diag_tear_down(void **state)
{
	host_fail_allocation(0);
	socket_close(diag_socket);
	return netlink_tear_down(state);
}

void diag_ask(const void *request, size_t length, uint16_t flags)
{
	request_begin(SOCK_DIAG_BY_FAMILY, flags, request, length);
}

void diag_list(const void *request, size_t length)
{
	diag_ask(request, length, NLM_F_DUMP);
	request_send(diag_socket);
}

uint32_t diag_count(const void *request, size_t length)
{
	diag_ask(request, length, NLM_F_DUMP);
	return request_count(diag_socket, SOCK_DIAG_BY_FAMILY);
}

void diag_next(void *body, size_t length)
{
	expect_message(diag_socket, SOCK_DIAG_BY_FAMILY);
	read_fixed(body, length);
}

void diag_end(void)
{
	expect_message(diag_socket, NLMSG_DONE);
}

void diag_refused(uint16_t type, uint16_t flags, const void *request, size_t length, int error)
{
	request_begin(type, flags, request, length);
	assert_int_equal(request_result(diag_socket), error);
}

struct socket *diag_open(int family, int type, int protocol)
{
	struct socket *socket;

	assert_int_equal(socket_create(&netlink_stack.net, family, type, protocol, &socket), 0);
	return socket;
}
