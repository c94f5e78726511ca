/*
 * What AF_INET sockets share: names, connecting to what is special, ancillary data of messages,
 * the error queue, the ways to treat the path's MTU.
 */
#include "test/host/unit/ip4_fixture.h"

#include <string.h>

#include "include/uapi/errqueue.h"
#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"

static struct fixture f;
static uint8_t packet[2000];
static uint8_t buffer[2000];
static uint8_t control[512];

static int setup(void **state __unused)
{
	ip4_fixture_init(&f);
	return 0;
}

static int teardown(void **state __unused)
{
	ip4_fixture_destroy(&f);
	return 0;
}

static void arrives(uint16_t from, uint16_t to, const char *text)
{
	ip4_arrives(&f, packet, udp_packet(packet, from, to, text, strlen(text)));
}

static struct endpoint name_of(struct socket *socket, bool peer)
{
	struct sockaddr_storage name;
	uint32_t length = sizeof(name);
	struct endpoint endpoint;

	assert_int_equal(socket_name(socket, peer, &name, &length), 0);
	assert_int_equal(inet_read_name(&name, length, &endpoint), 0);
	return endpoint;
}

/* ---- Names and connecting ---- */

static void test_names_of_both_ends(void **state __unused)
{
	struct socket *socket = make_bound(&f, 0, 5000);
	struct sockaddr_storage name;
	uint32_t length = sizeof(name);

	assert_int_equal(socket_name(socket, true, &name, &length), -ENOTCONN);
	assert_int_equal(do_connect(socket, PEER, 77), 0);
	assert_int_equal(name_of(socket, true).addr.v4, PEER);
	assert_int_equal(name_of(socket, true).port, 77);
	assert_int_equal(name_of(socket, false).addr.v4, OURS);
	assert_int_equal(name_of(socket, false).port, 5000);
	socket_close(socket);
}

static void test_names_that_are_none(void **state __unused)
{
	static const int types[] = {SOCK_DGRAM, SOCK_RAW};
	struct sockaddr_storage name = {.ss_family = AF_INET6};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct socket *socket = make_socket(&f, types[i], IPPROTO_ICMP);

		assert_int_equal(socket_connect(socket, &name, sizeof(name), false), -EAFNOSUPPORT);
		assert_int_equal(socket_bind(socket, &name, sizeof(name)), -EAFNOSUPPORT);
		socket_close(socket);
	}
	struct socket *udp = make_socket(&f, SOCK_DGRAM, 0);

	assert_int_equal(socket_connect(udp, &name, sizeof(name), false), -EAFNOSUPPORT);
	name.ss_family = AF_INET;
	assert_int_equal(socket_connect(udp, &name, 8, false), -EINVAL);
	assert_int_equal(name_of(udp, false).port, 0); /* nothing was bound on the way */
	socket_close(udp);
}

/* ip(7): connecting to 0.0.0.0 is connecting to this host. */
static void test_connect_to_any(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);

	assert_int_equal(do_connect(socket, 0, 77), 0);
	assert_int_equal(name_of(socket, true).addr.v4, IP4_LOOPBACK);
	socket_close(socket);
	socket = make_bound(&f, OURS, 5000);
	assert_int_equal(do_connect(socket, 0, 77), 0);
	assert_int_equal(name_of(socket, true).addr.v4, OURS);
	assert_int_equal(name_of(socket, false).addr.v4, OURS);
	socket_close(socket);
}

/* So is sending to it: to the address that is bound. */
static void test_send_to_any(void **state __unused)
{
	struct socket *socket = make_bound(&f, OURS, 5000);

	assert_int_equal(do_send(socket, 0, 5000, "me", 2), 2);
	fixture_run(&f);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), 2);
	assert_int_equal(f.sent_count, 0);
	socket_close(socket);
}

static void test_connect_to_broadcast(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);

	assert_int_equal(do_connect(socket, SUBNET_BROADCAST, 77), -EACCES);
	assert_int_equal(set_option(socket, SOL_SOCKET, SO_BROADCAST, 1), 0);
	assert_int_equal(do_connect(socket, SUBNET_BROADCAST, 77), 0);
	assert_int_equal(do_send(socket, 0, 0, "all", 3), 3);
	assert_memory_equal(fixture_sent(&f, 0)->bytes, MAC_BROADCAST.bytes, MAC_LENGTH);
	socket_close(socket);
}

static void test_shutdown_of_a_connected_socket(void **state __unused)
{
	struct socket *socket = make_bound(&f, 0, 5000);

	assert_int_equal(do_connect(socket, PEER, 77), 0);
	assert_int_equal(socket_shutdown(socket, SHUT_RD), 0);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), 0); /* end of file */
	assert_int_equal(do_send(socket, 0, 0, "x", 1), 1);
	socket_close(socket);
}

static int64_t receive_with_flags(struct socket *socket, uint32_t flags)
{
	struct message message = {.flags = flags | MSG_DONTWAIT};

	iov_init_kernel(&message.iov, buffer, sizeof(buffer));
	return socket_recvmsg(socket, &message);
}

static int64_t send_with_flags(struct socket *socket, uint32_t flags)
{
	struct message message = {.flags = flags | MSG_DONTWAIT};

	iov_init_kernel(&message.iov, buffer, 8);
	return socket_sendmsg(socket, &message);
}

static void test_flags_that_datagrams_have_not(void **state __unused)
{
	struct socket *udp = make_bound(&f, 0, 5000);
	struct socket *raw = make_socket(&f, SOCK_RAW, 200);

	assert_int_equal(receive_with_flags(udp, MSG_OOB), -EOPNOTSUPP);
	assert_int_equal(send_with_flags(udp, MSG_OOB), -EOPNOTSUPP);
	assert_int_equal(send_with_flags(raw, MSG_OOB), -EOPNOTSUPP);
	socket_close(udp);
	socket_close(raw);
}

/* SO_NO_CHECK: the datagram says that it has no checksum. */
static void test_datagrams_without_checksum(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);
	struct ip4_header header;

	assert_int_equal(set_option(socket, SOL_SOCKET, SO_NO_CHECK, 1), 0);
	assert_int_equal(do_send(socket, PEER, 77, "x", 1), 1);
	assert_int_equal(get_be16(ip4_sent(&f, 0, &header) + 26), 0);
	socket_close(socket);
}

/* ---- Ancillary data ---- */

static size_t put_control(size_t at, int level, int type, const void *data, size_t n)
{
	const struct cmsghdr header = {
		.cmsg_len = CMSG_LEN(n), .cmsg_level = level, .cmsg_type = type};

	memset(control + at, 0, CMSG_SPACE(n));
	memcpy(control + at, &header, sizeof(header));
	memcpy(control + at + sizeof(header), data, n);
	return at + CMSG_SPACE(n);
}

/* One byte to PEER, with the control messages that were put. */
static int64_t send_controlled(struct socket *socket, size_t length)
{
	struct message message = {
		.flags = MSG_DONTWAIT, .control = control, .control_length = length};
	const struct endpoint to = {.addr = net_addr_ip4(PEER), .port = 77};

	inet_write_name(&to, &message.name, &message.name_length);
	iov_init_kernel(&message.iov, buffer, 1);
	return socket_sendmsg(socket, &message);
}

static int64_t send_number(struct socket *socket, int level, int type, int number)
{
	return send_controlled(socket, put_control(0, level, type, &number, sizeof(number)));
}

static void test_control_messages_of_every_kind(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);
	struct ip4_header header;
	uint8_t tos = 0x20;
	int ttl = 9;
	size_t length = put_control(0, SOL_IP, IP_TTL, &ttl, sizeof(ttl));

	length = put_control(length, SOL_SOCKET, SO_TIMESTAMP, &ttl, sizeof(ttl)); /* not ours */
	length = put_control(length, SOL_IP, IP_TOS, &tos, sizeof(tos));
	assert_int_equal(send_controlled(socket, length), 1);
	ip4_sent(&f, 0, &header);
	assert_int_equal(header.ttl, 9);
	assert_int_equal(header.tos, 0x20);
	assert_int_equal(send_number(socket, SOL_IP, IP_TTL, 0), -EINVAL);
	assert_int_equal(send_number(socket, SOL_IP, IP_TTL, 256), -EINVAL);
	assert_int_equal(send_number(socket, SOL_IP, IP_TOS, -1), -EINVAL);
	assert_int_equal(send_number(socket, SOL_IP, IP_TOS, 256), -EINVAL);
	assert_int_equal(send_number(socket, SOL_IP, IP_RECVERR, 1), -EINVAL);
	assert_int_equal(send_number(socket, SOL_UDP, IP_TTL, 1), -EINVAL);
	assert_int_equal(send_controlled(socket, put_control(0, SOL_IP, IP_TTL, &ttl, 0)), -EINVAL);
	length = put_control(0, SOL_IP, IP_TTL, &ttl, sizeof(ttl));
	control[0] = 3; /* shorter than its own header */
	assert_int_equal(send_controlled(socket, length), -EINVAL);
	socket_close(socket);
}

static void test_packet_info_chooses_the_interface(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);
	struct in_pktinfo info = {.ipi_ifindex = f.dev.ifindex};

	assert_int_equal(
		send_controlled(socket, put_control(0, SOL_IP, IP_PKTINFO, &info, sizeof(info))),
		1);
	assert_int_equal(f.sent_count, 1);
	info.ipi_ifindex = 99;
	assert_int_equal(
		send_controlled(socket, put_control(0, SOL_IP, IP_PKTINFO, &info, sizeof(info))),
		-ENODEV);
	/* A source that is not ours, for who may have such. */
	info = (struct in_pktinfo){.ipi_spec_dst.s_addr = cpu_to_be32(FAR)};
	assert_int_equal(set_option(socket, SOL_IP, IP_FREEBIND, 1), 0);
	assert_int_equal(
		send_controlled(socket, put_control(0, SOL_IP, IP_PKTINFO, &info, sizeof(info))),
		1);
	struct ip4_header header;

	ip4_sent(&f, 1, &header);
	assert_int_equal(header.source, FAR);
	socket_close(socket);
}

/* Each kind is told by itself, and only when it was asked for. */
static void test_each_kind_is_told_alone(void **state __unused)
{
	static const struct {
		int option, type;
	} kinds[] = {{IP_PKTINFO, IP_PKTINFO}, {IP_RECVTTL, IP_TTL}, {IP_RECVTOS, IP_TOS}};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct socket *socket = make_bound(&f, 0, 5000);
		struct message message = {.control_to = control, .control_room = sizeof(control)};
		const struct cmsghdr *header = (const void *)control;

		assert_int_equal(set_option(socket, SOL_IP, kinds[i].option, 1), 0);
		arrives(77, 5000, "x");
		iov_init_kernel(&message.iov, buffer, sizeof(buffer));
		assert_int_equal(socket_recvmsg(socket, &message), 1);
		assert_int_equal(header->cmsg_type, kinds[i].type);
		assert_int_equal(message.control_used, CMSG_ALIGN(header->cmsg_len));
		socket_close(socket);
	}
}

/* ---- Sources that cannot be used ---- */

/* RFC 1122 3.2.1.3: neither ever stands in the source field. */
static void test_bound_to_a_group_or_to_broadcast(void **state __unused)
{
	static const ip4_t addresses[] = {GROUP, IP4_BROADCAST, SUBNET_BROADCAST};
	struct ip4_header header;

	for (uint32_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct socket *socket = make_bound(&f, addresses[i], 5000);

		assert_int_equal(do_send(socket, PEER, 77, "x", 1), 1);
		ip4_sent(&f, i, &header);
		assert_int_equal(header.source, OURS);
		socket_close(socket);
	}
}

static void test_multicast_from_what_is_bound(void **state __unused)
{
	struct socket *socket = make_bound(&f, OURS, 5000);
	struct ip4_header header;

	assert_int_equal(socket_setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5), 0);
	assert_int_equal(do_send(socket, GROUP, 77, "x", 1), 1);
	ip4_sent(&f, 0, &header);
	assert_int_equal(header.source, OURS);
	socket_close(socket);
}

/* ---- Errors ---- */

/* An ICMP error about a datagram of 8 bytes from port 5000 to PEER's port 77. */
static void error_arrives(uint8_t code, uint32_t info)
{
	const struct ip4_spec inner = {.source = OURS, .destination = PEER},
			      outer = {.protocol = IPPROTO_ICMP};
	uint8_t udp[32], quoted[64], message[128];
	size_t n = udp_make(udp, OURS, PEER, 5000, 77, "lost one", 8);

	n = ip4_make(quoted, &inner, udp, n);
	n = icmp_make(message, ICMP_DEST_UNREACH, code, info, quoted, n);
	ip4_arrives(&f, packet, ip4_make(packet, &outer, message, n));
}

static void test_errors_are_told_one_by_one(void **state __unused)
{
	struct socket *socket = make_bound(&f, 0, 5000);
	struct message message = {.flags = MSG_ERRQUEUE};

	assert_int_equal(set_option(socket, SOL_IP, IP_RECVERR, 1), 0);
	error_arrives(ICMP_HOST_UNREACH, 0);
	error_arrives(ICMP_PORT_UNREACH, 0);
	assert_int_equal(get_option(socket, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	iov_init_kernel(&message.iov, buffer, 4); /* less than the eight bytes that were lost */
	assert_int_equal(socket_recvmsg(socket, &message), 4);
	assert_true(message.flags_out & MSG_TRUNC);
	assert_int_equal(get_option(socket, SOL_SOCKET, SO_ERROR), ECONNREFUSED); /* the next */
	socket_close(socket);
}

/* udp(7): who does without discovery does not hear of what was too long, either. */
static void test_too_long_concerns_those_who_asked(void **state __unused)
{
	struct socket *socket = make_bound(&f, 0, 5000);

	assert_int_equal(do_connect(socket, PEER, 77), 0);
	assert_int_equal(set_option(socket, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT), 0);
	error_arrives(ICMP_FRAG_NEEDED, 1000);
	assert_int_equal(do_receive(socket, buffer, 1, NULL), -EAGAIN);
	assert_int_equal(set_option(socket, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO), 0);
	error_arrives(ICMP_FRAG_NEEDED, 900);
	assert_int_equal(do_receive(socket, buffer, 1, NULL), -EMSGSIZE);
	socket_close(socket);
}

/* ---- The path's MTU ---- */

static void test_discovery_by_the_interface_or_not_at_all(void **state __unused)
{
	static const struct {
		int how;
		int64_t result; /* of 1,200 bytes on a path of 1,000 */
		uint32_t frames;
		bool dont_fragment;
	} cases[] = {
		{IP_PMTUDISC_INTERFACE, 1200, 1, false},
		{IP_PMTUDISC_OMIT, 1200, 1, false},
		{IP_PMTUDISC_DO, -EMSGSIZE, 0, true},
		{IP_PMTUDISC_WANT, 1200, 2, false},
	};
	struct socket *socket = make_bound(&f, 0, 5000);
	struct ip4_header header;

	net_lock(&f.net);
	route_learn_mtu(&f.net, FAR, 1000);
	net_unlock(&f.net);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fixture_clear_sent(&f);
		assert_int_equal(set_option(socket, SOL_IP, IP_MTU_DISCOVER, cases[i].how), 0);
		assert_int_equal(do_send(socket, FAR, 77, buffer, 1200), cases[i].result);
		assert_int_equal(f.sent_count, cases[i].frames);
		if (!f.sent_count)
			continue;
		ip4_sent(&f, 0, &header);
		assert_int_equal(header.dont_fragment, cases[i].dont_fragment);
	}
	/* Longer than the interface's own: cut, or refused. */
	assert_int_equal(set_option(socket, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT), 0);
	assert_int_equal(do_send(socket, FAR, 77, buffer, 1600), 1600);
	assert_int_equal(set_option(socket, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_INTERFACE), 0);
	assert_int_equal(do_send(socket, FAR, 77, buffer, 1600), -EMSGSIZE);
	socket_close(socket);
}

/* A path that claims to be narrower than 552 is not believed, but nothing there may need DF. */
static void test_below_the_floor_nothing_has_df(void **state __unused)
{
	struct socket *socket = make_bound(&f, 0, 5000);
	struct ip4_header header;

	net_lock(&f.net);
	route_learn_mtu(&f.net, FAR, 100);
	net_unlock(&f.net);
	assert_int_equal(do_send(socket, FAR, 77, buffer, 50), 50);
	ip4_sent(&f, 0, &header);
	assert_false(header.dont_fragment);
	assert_int_equal(do_send(socket, PEER, 77, buffer, 50), 50);
	ip4_sent(&f, 1, &header);
	assert_true(header.dont_fragment);
	socket_close(socket);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_names_of_both_ends),
		TEST(test_names_that_are_none),
		TEST(test_connect_to_any),
		TEST(test_send_to_any),
		TEST(test_connect_to_broadcast),
		TEST(test_shutdown_of_a_connected_socket),
		TEST(test_flags_that_datagrams_have_not),
		TEST(test_datagrams_without_checksum),
		TEST(test_control_messages_of_every_kind),
		TEST(test_packet_info_chooses_the_interface),
		TEST(test_each_kind_is_told_alone),
		TEST(test_bound_to_a_group_or_to_broadcast),
		TEST(test_multicast_from_what_is_bound),
		TEST(test_errors_are_told_one_by_one),
		TEST(test_too_long_concerns_those_who_asked),
		TEST(test_discovery_by_the_interface_or_not_at_all),
		TEST(test_below_the_floor_nothing_has_df),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
