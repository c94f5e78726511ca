/*
 * Every option of level SOL_IP, each read back; interface calls of AF_INET; ICMP datagram sockets.
 */
#include <string.h>

#include "include/uapi/if.h"
#include "include/uapi/if_arp.h"
#include "include/uapi/route.h"
#include "include/uapi/sockios.h"
#include "kernel/byteorder.h"
#include "net/ipv4/ping.h"
#include "test/host/unit/ip4_fixture.h"

static int set_bytes(struct socket *socket, int option, const void *value, uint32_t length)
{
	return socket_setsockopt(socket, SOL_IP, option, value, length);
}

/* What each option takes, and what it is then. */
static const struct {
	const char *name;
	int option, value, result, then;
} numbers[] = {
	{"tos", IP_TOS, 0x10, 0, 0x10},
	{"ttl", IP_TTL, 9, 0, 9},
	{"ttl back to the default", IP_TTL, -1, 0, 64},
	{"ttl 0", IP_TTL, 0, -EINVAL, 64},
	{"ttl 256", IP_TTL, 256, -EINVAL, 64},
	{"path mtu: never", IP_MTU_DISCOVER, IP_PMTUDISC_DONT, 0, IP_PMTUDISC_DONT},
	{"path mtu: omit", IP_MTU_DISCOVER, IP_PMTUDISC_OMIT, 0, IP_PMTUDISC_OMIT},
	{"path mtu: nonsense", IP_MTU_DISCOVER, 77, -EINVAL, IP_PMTUDISC_OMIT},
	{"path mtu: negative", IP_MTU_DISCOVER, -1, -EINVAL, IP_PMTUDISC_OMIT},
	{"multicast ttl", IP_MULTICAST_TTL, 5, 0, 5},
	{"multicast ttl back", IP_MULTICAST_TTL, -1, 0, 1},
	{"multicast ttl 256", IP_MULTICAST_TTL, 256, -EINVAL, 1},
	{"multicast ttl -2", IP_MULTICAST_TTL, -2, -EINVAL, 1},
	{"multicast loop", IP_MULTICAST_LOOP, 0, 0, 0},
	{"multicast all", IP_MULTICAST_ALL, 0, 0, 0},
	{"errors", IP_RECVERR, 1, 0, 1},
	{"no errors", IP_RECVERR, 0, 0, 0},
	{"packet info", IP_PKTINFO, 1, 0, 1},
	{"receive ttl", IP_RECVTTL, 1, 0, 1},
	{"receive tos", IP_RECVTOS, 1, 0, 1},
	{"receive options", IP_RECVOPTS, 1, 0, 1},
	{"receive options to send back", IP_RETOPTS, 1, 0, 1},
	{"free bind", IP_FREEBIND, 1, 0, 1},
};

static void test_numbers(void **state __unused)
{
	struct fixture f;

	ip4_fixture_init(&f);
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		int result = set_option(socket, SOL_IP, numbers[i].option, numbers[i].value);
		int then = get_option(socket, SOL_IP, numbers[i].option);

		if (result != numbers[i].result || then != numbers[i].then)
			fail_msg("%s: %d, then %d", numbers[i].name, result, then);
	}
	assert_int_equal(set_option(socket, SOL_IP, 9999, 1), -ENOPROTOOPT);
	assert_int_equal(set_option(socket, 9999, IP_TTL, 1), -ENOPROTOOPT);
	socket_close(socket);
	ip4_fixture_destroy(&f);
}

/* One byte will do for a number, and is what a reader with one byte of room gets. */
static void test_short_values(void **state __unused)
{
	struct fixture f;
	uint8_t byte = 7, wide[4] = {0};
	uint32_t length = 1;

	ip4_fixture_init(&f);
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);

	assert_int_equal(set_bytes(socket, IP_TTL, &byte, 1), 0);
	byte = 0;
	assert_int_equal(socket_getsockopt(socket, SOL_IP, IP_TTL, &byte, &length), 0);
	assert_int_equal(length, 1);
	assert_int_equal(byte, 7);
	assert_int_equal(set_bytes(socket, IP_TOS, &byte, 0), 0); /* none at all is 0 */
	assert_int_equal(get_option(socket, SOL_IP, IP_TOS), 0);
	assert_int_equal(set_bytes(socket, IP_MULTICAST_TTL, &byte, 0), -EINVAL);
	assert_int_equal(set_bytes(socket, IP_MULTICAST_LOOP, &byte, 0), -EINVAL);
	length = sizeof(wide);
	assert_int_equal(socket_getsockopt(socket, 12345, IP_TTL, wide, &length), -ENOPROTOOPT);
	assert_int_equal(socket_getsockopt(socket, SOL_IP, 9999, wide, &length), -ENOPROTOOPT);
	assert_int_equal(socket_getsockopt(socket, SOL_IP, IP_MTU, wide, &length), -ENOTCONN);
	assert_int_equal(do_connect(socket, PEER, 9), 0);
	assert_int_equal(get_option(socket, SOL_IP, IP_MTU), 1500);
	socket_close(socket);
	ip4_fixture_destroy(&f);
}

static void test_header_options(void **state __unused)
{
	const uint8_t route[7] = {7, 7, 4}, broken[3] = {7, 9, 4};
	uint8_t back[40] = {0};
	uint32_t length = sizeof(back);
	struct ip4_header header;
	struct fixture f;

	ip4_fixture_init(&f);
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);

	assert_int_equal(set_bytes(socket, IP_OPTIONS, broken, sizeof(broken)), -EINVAL);
	assert_int_equal(set_bytes(socket, IP_OPTIONS, back, 41), -EINVAL);
	assert_int_equal(set_bytes(socket, IP_OPTIONS, route, sizeof(route)), 0);
	assert_int_equal(socket_getsockopt(socket, SOL_IP, IP_OPTIONS, back, &length), 0);
	assert_int_equal(length, 8);
	assert_memory_equal(back, route, sizeof(route));
	/* They go into each fragment as far as they are to be copied: record route is not. */
	assert_int_equal(do_send(socket, PEER, 9, back, sizeof(back)), sizeof(back));
	ip4_sent(&f, 0, &header);
	assert_int_equal(header.header_length, 28);
	static uint8_t large[3000];

	fixture_clear_sent(&f);
	assert_int_equal(set_option(socket, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT), 0);
	assert_int_equal(do_send(socket, PEER, 9, large, sizeof(large)), sizeof(large));
	ip4_sent(&f, 1, &header);
	assert_int_equal(header.header_length, 20);
	socket_close(socket);
	ip4_fixture_destroy(&f);
}

static void test_multicast_interface(void **state __unused)
{
	struct fixture f;
	struct in_addr address = {cpu_to_be32(OURS)}, back = {{0}};
	struct ip_mreqn by_index = {0}, nowhere = {.imr_ifindex = 99};
	uint32_t length = sizeof(back);

	ip4_fixture_init(&f);
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);

	by_index.imr_ifindex = f.dev.ifindex;
	assert_int_equal(set_bytes(socket, IP_MULTICAST_IF, &address, 2), -EINVAL);
	assert_int_equal(set_bytes(socket, IP_MULTICAST_IF, &address, sizeof(address)), 0);
	assert_int_equal(socket_getsockopt(socket, SOL_IP, IP_MULTICAST_IF, &back, &length), 0);
	assert_int_equal(be32_to_cpu(back.s_addr), OURS);
	assert_int_equal(set_bytes(socket, IP_MULTICAST_IF, &by_index, sizeof(by_index)), 0);
	assert_int_equal(set_bytes(socket, IP_MULTICAST_IF, &nowhere, sizeof(nowhere)),
			 -EADDRNOTAVAIL);
	address.s_addr = cpu_to_be32(FAR);
	assert_int_equal(set_bytes(socket, IP_MULTICAST_IF, &address, sizeof(address)),
			 -EADDRNOTAVAIL);
	address.s_addr = cpu_to_be32(0);
	assert_int_equal(set_bytes(socket, IP_MULTICAST_IF, &address, sizeof(address)), 0);
	assert_int_equal(do_send(socket, GROUP, 9, "x", 1), 1); /* by the default route */
	assert_int_equal(set_bytes(socket, IP_MULTICAST_IF, &by_index, sizeof(by_index)), 0);
	assert_int_equal(do_send(socket, GROUP, 9, "x", 1), 1);
	socket_close(socket);
	ip4_fixture_destroy(&f);
}

/* ---- Interface calls ---- */

static int call(struct socket *socket, uint32_t command, const char *name, ip4_t address,
		ip4_t *result)
{
	struct ifreq request = {0};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = cpu_to_be32(address)};

	strcpy(request.ifr_name, name);
	memcpy(&request.ifr_addr, &in, sizeof(in));
	int error = socket_ioctl(socket, command, &request);

	memcpy(&in, &request.ifr_addr, sizeof(in));
	if (result)
		*result = be32_to_cpu(in.sin_addr.s_addr);
	return error;
}

static void test_interface_calls(void **state __unused)
{
	struct fixture f;
	ip4_t got;

	ip4_fixture_init(&f);
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);

	assert_int_equal(call(socket, SIOCSIFBRDADDR, "eth0", IP4(10, 0, 0, 127), NULL), 0);
	assert_int_equal(call(socket, SIOCSIFBRDADDR, "eth0", IP4(10, 0, 0, 127), NULL), 0);
	assert_int_equal(call(socket, SIOCGIFBRDADDR, "eth0", 0, &got), 0);
	assert_int_equal(got, IP4(10, 0, 0, 127));
	assert_int_equal(call(socket, SIOCSIFADDR, "eth0", OURS, NULL), 0);
	assert_int_equal(call(socket, SIOCSIFNETMASK, "eth0", 0xffffff00, NULL), 0);
	assert_int_equal(call(socket, SIOCSIFNETMASK, "eth0", 0xffffff00, NULL), 0);
	assert_int_equal(call(socket, SIOCSIFDSTADDR, "eth0", GROUP, NULL), -EINVAL);
	assert_int_equal(call(socket, SIOCSIFDSTADDR, "eth0", IP4(10, 0, 0, 9), NULL), 0);
	assert_int_equal(call(socket, SIOCSIFDSTADDR, "eth0", IP4(10, 0, 0, 9), NULL), 0);
	assert_int_equal(call(socket, SIOCGIFDSTADDR, "eth0", 0, &got), 0);
	assert_int_equal(got, IP4(10, 0, 0, 9));
	assert_int_equal(call(socket, SIOCGIFADDR, "eth9", 0, &got), -ENODEV);

	struct ifreq wrong = {.ifr_name = "eth0"}; /* AF_UNSPEC */

	assert_int_equal(socket_ioctl(socket, SIOCSIFADDR, &wrong), -EINVAL);
	socket_close(socket);
	ip4_fixture_destroy(&f);
}

static void test_neighbour_calls(void **state __unused)
{
	struct fixture f;
	struct arpreq request = {.arp_flags = ATF_COM};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = cpu_to_be32(PEER)};

	ip4_fixture_init(&f);
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);

	memcpy(&request.arp_pa, &in, sizeof(in));
	assert_int_equal(socket_ioctl(socket, SIOCGARP, &request), 0); /* by route */
	in.sin_addr.s_addr = cpu_to_be32(IP4(10, 0, 0, 99));
	memcpy(&request.arp_pa, &in, sizeof(in));
	assert_int_equal(socket_ioctl(socket, SIOCGARP, &request), -ENXIO);
	request.arp_flags = ATF_PUBL;
	assert_true(socket_ioctl(socket, SIOCSARP, &request) < 0);
	in.sin_family = AF_UNSPEC;
	memcpy(&request.arp_pa, &in, sizeof(in));
	assert_true(socket_ioctl(socket, SIOCGARP, &request) < 0);
	socket_close(socket);
	ip4_fixture_destroy(&f);
}

static void test_route_calls(void **state __unused)
{
	struct fixture f;
	struct rtentry entry = {
		.rt_flags = RTF_UP | RTF_GATEWAY | RTF_MTU, .rt_mtu = 1400, .rt_metric = 3};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = cpu_to_be32(FAR)};

	ip4_fixture_init(&f);
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);

	memcpy(&entry.rt_dst, &in, sizeof(in));
	in.sin_addr.s_addr = cpu_to_be32(0xffffffff);
	memcpy(&entry.rt_genmask, &in, sizeof(in));
	in.sin_addr.s_addr = cpu_to_be32(GATEWAY);
	memcpy(&entry.rt_gateway, &in, sizeof(in));
	assert_int_equal(socket_ioctl(socket, SIOCADDRT, &entry), 0);
	assert_int_equal(do_connect(socket, FAR, 9), 0);
	assert_int_equal(get_option(socket, SOL_IP, IP_MTU), 1400);
	assert_int_equal(socket_ioctl(socket, SIOCDELRT, &entry), 0);
	in.sin_family = AF_UNSPEC;
	memcpy(&entry.rt_gateway, &in, sizeof(in));
	assert_true(socket_ioctl(socket, SIOCADDRT, &entry) < 0);
	memcpy(&entry.rt_dst, &in, sizeof(in));
	assert_int_equal(socket_ioctl(socket, SIOCADDRT, &entry), -EAFNOSUPPORT);
	socket_close(socket);
	ip4_fixture_destroy(&f);
}

/* ---- ICMP datagram sockets ---- */

static void test_ping_sockets(void **state __unused)
{
	struct fixture f;
	uint8_t echo[16] = {8};
	char text[2000];

	ip4_fixture_init(&f);
	assert_int_equal(ipv4_proc_init(&f.net), 0);
	struct socket *a = make_socket(&f, SOCK_DGRAM, IPPROTO_ICMP);
	struct socket *b = make_socket(&f, SOCK_DGRAM, IPPROTO_ICMP);

	assert_int_equal(do_bind(a, OURS, 77), 0);
	assert_int_equal(do_bind(b, OURS, 77), -EADDRINUSE);
	assert_int_equal(do_connect(b, PEER, 0), 0); /* takes an identifier */
	assert_int_equal(do_send(a, PEER, 0, echo, sizeof(echo)), sizeof(echo));
	assert_true(host_proc_read("net/icmp", text, sizeof(text)) > 127);
	assert_non_null(strstr(text, "0100000A:004D"));

	struct message message = {.flags = MSG_OOB};

	iov_init_kernel(&message.iov, echo, sizeof(echo));
	assert_int_equal(socket_sendmsg(b, &message), -EOPNOTSUPP);
	struct sockaddr_storage unspecified = {.ss_family = AF_UNSPEC};

	assert_int_equal(socket_connect(b, &unspecified, sizeof(struct sockaddr_in), true), 0);
	assert_int_equal(do_send(b, PEER, 0, echo, 4), -EINVAL); /* no whole header */
	socket_close(a);
	socket_close(b);
	ip4_fixture_destroy(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),         cmocka_unit_test(test_short_values),
		cmocka_unit_test(test_header_options),  cmocka_unit_test(test_multicast_interface),
		cmocka_unit_test(test_interface_calls), cmocka_unit_test(test_neighbour_calls),
		cmocka_unit_test(test_route_calls),     cmocka_unit_test(test_ping_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
