/* What sockets refuse to a process without the superuser's rights: capabilities(7). */
#include "test/host/unit/ip4_fixture.h"

#include "include/uapi/socket.h"
#include "kernel/errno.h"
#include "net/core/socket.h"

static const struct ucred nobody = {.pid = 1, .uid = 1000, .gid = 1000};
static const struct ucred root = {.pid = 1};
static struct fixture f;

static int setup(void **state __unused)
{
	ip4_fixture_init(&f);
	return 0;
}

static int teardown(void **state __unused)
{
	host_set_credentials(&root);
	ip4_fixture_destroy(&f);
	return 0;
}

static int bind_to(uint16_t port)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);
	int error = do_bind(socket, 0, port);

	socket_close(socket);
	return error;
}

static void low_ports_are_reserved(void **state __unused)
{
	assert_int_equal(bind_to(53), 0);
	host_set_credentials(&nobody);
	assert_int_equal(bind_to(1), -EACCES);
	assert_int_equal(bind_to(53), -EACCES);
	assert_int_equal(bind_to(1023), -EACCES);
	assert_int_equal(bind_to(1024), 0);
	assert_int_equal(bind_to(0), 0);
}

static int create(int family, int type, int protocol)
{
	struct socket *socket;
	int error = socket_create(&f.net, family, type, protocol, &socket);

	if (!error)
		socket_close(socket);
	return error;
}

static void raw_sockets_are_reserved(void **state __unused)
{
	assert_int_equal(create(AF_INET, SOCK_RAW, IPPROTO_ICMP), 0);
	assert_int_equal(create(AF_PACKET, SOCK_RAW, 0), 0);
	host_set_credentials(&nobody);
	assert_int_equal(create(AF_INET, SOCK_RAW, IPPROTO_ICMP), -EPERM);
	assert_int_equal(create(AF_INET, SOCK_RAW, 0), -EPROTONOSUPPORT);
	assert_int_equal(create(AF_PACKET, SOCK_RAW, 0), -EPERM);
	assert_int_equal(create(AF_PACKET, SOCK_DGRAM, 0), -EPERM);
	assert_int_equal(create(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), 0);
	assert_int_equal(create(AF_INET, SOCK_DGRAM, 0), 0);
}

static void forced_buffers_are_reserved(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);

	host_set_credentials(&nobody);
	assert_int_equal(set_option(socket, SOL_SOCKET, SO_RCVBUFFORCE, 65536), -EPERM);
	assert_int_equal(set_option(socket, SOL_SOCKET, SO_SNDBUFFORCE, 65536), -EPERM);
	assert_int_equal(set_option(socket, SOL_SOCKET, SO_RCVBUF, 65536), 0);
	socket_close(socket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(low_ports_are_reserved, setup, teardown),
		cmocka_unit_test_setup_teardown(raw_sockets_are_reserved, setup, teardown),
		cmocka_unit_test_setup_teardown(forced_buffers_are_reserved, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
