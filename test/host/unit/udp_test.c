/*
 * UDP: who gets which datagram, binding, connecting, errors that arrive; hostile datagrams by
 * name.
 */
#include "test/host/unit/udp_fixture.h"

#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "net/ipv4/udp.h"
#include "net/ipv4/udp_wire.h"

/* Hostile datagrams. */

static void test_length_0_7_above_and_below_the_payload(void **state __unused)
{
	const uint16_t bad[] = {0, 7, 17, 65535};
	struct socket *socket = make_bound(&udp_stack, 0, 5000);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t n = udp_packet(udp_wire, 9, 5000, "payload!", 8);

		put_be16(udp_wire + 24, bad[i]);
		assert_refused(&udp_stack, udp_wire, n, DROP_UDP_BAD_LENGTH);
	}
	/* Below: the rest does not belong to it, and the checksum covers what does. */
	const struct ip4_spec spec = {0};
	size_t n = udp_make(udp_bytes, PEER, OURS, 9, 5000, "payload!", 8);

	memset(udp_bytes + n, 'z', 20);
	ip4_arrives(&udp_stack, udp_wire, ip4_make(udp_wire, &spec, udp_bytes, n + 20));
	assert_int_equal(do_receive(socket, udp_bytes, sizeof(udp_bytes), NULL), 8);
	assert_memory_equal(udp_bytes, "payload!", 8);
	socket_close(socket);
}

static void test_cut_below_the_header(void **state __unused)
{
	const struct ip4_spec spec = {0};

	for (size_t n = 0; n < UDP_HEADER_LENGTH; n++)
		assert_refused(&udp_stack, udp_wire,
			       ip4_make(udp_wire, &spec, "\0\1\0\2\0\10\0", n), DROP_UDP_SHORT);
}

/* RFC1122-8, RFC1122-9 */
static void test_checksum_0_and_wrong(void **state __unused)
{
	struct socket *socket = make_bound(&udp_stack, 0, 5000);
	size_t n = udp_packet(udp_wire, 9, 5000, "payload!", 8);

	udp_wire[27] ^= 1;
	assert_refused(&udp_stack, udp_wire, n, DROP_UDP_BAD_CHECKSUM);
	put_be16(udp_wire + 26, 0); /* none */
	ip4_arrives(&udp_stack, udp_wire, n);
	assert_int_equal(udp_take_all(socket), 1);
	socket_close(socket);
}

/*
 * What a resolver relies on: its connected socket takes nothing from another server, nor from
 * another port of the right one.
 */
static void test_reply_from_the_wrong_server_or_port(void **state __unused)
{
	struct socket *socket = make_bound(&udp_stack, 0, 5000);

	assert_int_equal(do_connect(socket, PEER, 53), 0);
	udp_arrives_for(GATEWAY, OURS, 53, 5000);
	assert_int_equal(fixture_drops(&udp_stack, DROP_UDP_NO_SOCKET), 1);
	udp_arrives_for(PEER, OURS, 54, 5000);
	assert_int_equal(fixture_drops(&udp_stack, DROP_UDP_NO_SOCKET), 2);
	assert_int_equal(udp_take_all(socket), 0);
	udp_arrives_for(PEER, OURS, 53, 5000);
	assert_int_equal(udp_take_all(socket), 1);
	socket_close(socket);
	fixture_clear_sent(&udp_stack);
	assert_still_answers(&udp_stack);
}

/* RFC1122-4 */
static void test_no_socket_is_answered(void **state __unused)
{
	struct ip4_header header;

	udp_arrives(9, 9999, "hello");
	assert_int_equal(fixture_drops(&udp_stack, DROP_UDP_NO_SOCKET), 1);
	assert_int_equal(ip4_sent(&udp_stack, 0, &header)[21], ICMP_PORT_UNREACH);
	assert_int_equal(udp_state(&udp_stack.net)->statistics[UDP_STAT_NO_PORTS], 1);
	assert_still_answers(&udp_stack);
}

static void test_receive_buffer_is_bounded(void **state __unused)
{
	struct socket *socket = make_bound(&udp_stack, 0, 5000);

	assert_int_equal(set_option(socket, SOL_SOCKET, SO_RCVBUF, 5000), 0);
	for (uint32_t i = 0; i < 1000; i++)
		udp_arrives(9, 5000, "flood");
	assert_true(socket->receive_queue.truesize < 20000);
	assert_true(socket->drops > 900);
	assert_int_equal(fixture_drops(&udp_stack, DROP_SOCKET_BUFFER_FULL), socket->drops);
	assert_int_equal(udp_state(&udp_stack.net)->statistics[UDP_STAT_RECEIVE_BUFFER_ERRORS],
			 socket->drops);
	assert_int_equal(udp_take_all(socket) + socket->drops, 1000);
	assert_still_answers(&udp_stack);
	socket_close(socket);
}

/* Who gets it. */

static void test_receive_tells_the_sender(void **state __unused)
{
	struct socket *socket = make_bound(&udp_stack, 0, 5000);
	struct endpoint from;

	assert_int_equal(do_receive(socket, udp_bytes, 10, &from), -EAGAIN);
	udp_arrives(4242, 5000, "hello");
	assert_int_equal(do_receive(socket, udp_bytes, sizeof(udp_bytes), &from), 5);
	assert_memory_equal(udp_bytes, "hello", 5);
	assert_int_equal(from.addr.v4, PEER);
	assert_int_equal(from.port, 4242);
	socket_close(socket);
}

static void test_most_specific_socket_wins(void **state __unused)
{
	struct socket *any = make_socket(&udp_stack, SOCK_DGRAM, 0);
	struct socket *own = make_socket(&udp_stack, SOCK_DGRAM, 0),
		      *connected = make_socket(&udp_stack, SOCK_DGRAM, 0);
	struct socket *all[] = {any, own, connected};

	for (size_t i = 0; i < 3; i++)
		set_option(all[i], SOL_SOCKET, SO_REUSEADDR, 1);
	assert_int_equal(do_bind(any, 0, 5000), 0);
	assert_int_equal(do_bind(own, OURS, 5000), 0);
	assert_int_equal(do_bind(connected, OURS, 5000), 0);
	assert_int_equal(do_connect(connected, PEER, 77), 0);
	udp_arrives(77, 5000, "to the connected one");
	udp_arrives(78, 5000, "to the one with the address");
	assert_int_equal(udp_take_all(connected), 1);
	assert_int_equal(udp_take_all(own), 1);
	assert_int_equal(udp_take_all(any), 0);
	socket_close(own);
	udp_arrives(78, 5000, "to any");
	assert_int_equal(udp_take_all(any), 1);
	socket_close(any);
	udp_arrives(78, 5000, "to nobody");
	assert_int_equal(udp_take_all(connected), 0);
	socket_close(connected);
}

static void test_bound_to_a_device(void **state __unused)
{
	struct socket *on_lo = make_socket(&udp_stack, SOCK_DGRAM, 0),
		      *on_eth = make_socket(&udp_stack, SOCK_DGRAM, 0);

	assert_int_equal(socket_setsockopt(on_lo, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
	assert_int_equal(socket_setsockopt(on_eth, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5), 0);
	assert_int_equal(do_bind(on_lo, 0, 5000), 0);
	assert_int_equal(do_bind(on_eth, 0, 5000), 0); /* no conflict: other links */
	udp_arrives(9, 5000, "hello");
	assert_int_equal(udp_take_all(on_lo), 0);
	assert_int_equal(udp_take_all(on_eth), 1);
	socket_close(on_lo);
	socket_close(on_eth);
}

static void test_reuse_port_shares_by_flow(void **state __unused)
{
	struct socket *sockets[4];
	uint32_t counts[4], total = 0;

	for (size_t i = 0; i < 4; i++) {
		sockets[i] = make_socket(&udp_stack, SOCK_DGRAM, 0);
		assert_int_equal(set_option(sockets[i], SOL_SOCKET, SO_REUSEPORT, 1), 0);
		assert_int_equal(do_bind(sockets[i], 0, 5000), 0);
	}
	for (uint16_t port = 1; port <= 400; port++) {
		udp_arrives(port, 5000, "a");
		udp_arrives(port, 5000, "b"); /* the same flow goes the same way */
	}
	for (size_t i = 0; i < 4; i++) {
		counts[i] = udp_take_all(sockets[i]);
		assert_true(counts[i] > 100 && counts[i] < 300 && counts[i] % 2 == 0);
		total += counts[i];
		socket_close(sockets[i]);
	}
	assert_int_equal(total, 800);
}

static void test_ten_thousand_sockets(void **state __unused)
{
	static struct socket *sockets[10000];
	const struct udp_table *table = &udp_state(&udp_stack.net)->table;
	uint32_t longest = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		sockets[i] = make_bound(&udp_stack, 0, (uint16_t)(20000 + i));
	for (uint32_t i = 0; i < table->by_any.bucket_count; i++) {
		uint32_t length = 0;

		for (struct hlist_node *at = table->by_any.buckets[i].first; at; at = at->next)
			length++;
		longest = MAX(longest, length);
	}
	assert_true(longest <= 10);
	udp_arrives(9, 24321, "hello");
	assert_int_equal(udp_take_all(sockets[4321]), 1);
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		socket_close(sockets[i]);
}

static void test_broadcast_reaches_every_socket(void **state __unused)
{
	struct socket *a = make_socket(&udp_stack, SOCK_DGRAM, 0),
		      *b = make_socket(&udp_stack, SOCK_DGRAM, 0);
	struct socket *own = make_socket(&udp_stack, SOCK_DGRAM, 0);
	struct socket *all[] = {a, b, own};

	for (size_t i = 0; i < 3; i++)
		set_option(all[i], SOL_SOCKET, SO_REUSEADDR, 1);
	assert_int_equal(do_bind(a, 0, 5000), 0);
	assert_int_equal(do_bind(b, SUBNET_BROADCAST, 5000), 0);
	assert_int_equal(do_bind(own, OURS, 5000), 0);
	udp_arrives_for(PEER, SUBNET_BROADCAST, 9, 5000);
	udp_arrives_for(PEER, IP4_BROADCAST, 9, 5000);
	udp_arrives_for(0, IP4_BROADCAST, 9, 5000); /* a host that asks for its address */
	assert_int_equal(udp_take_all(a), 3);
	assert_int_equal(udp_take_all(b), 1);
	assert_int_equal(udp_take_all(own), 0);
	udp_arrives_for(PEER, IP4_BROADCAST, 9, 5001);
	assert_int_equal(udp_stack.sent_count, 0); /* no error about a broadcast */
	for (size_t i = 0; i < 3; i++)
		socket_close(all[i]);
}

static void test_multicast(void **state __unused)
{
	struct socket *member = make_socket(&udp_stack, SOCK_DGRAM, 0),
		      *other = make_socket(&udp_stack, SOCK_DGRAM, 0);

	set_option(member, SOL_SOCKET, SO_REUSEADDR, 1);
	set_option(other, SOL_SOCKET, SO_REUSEADDR, 1);
	assert_int_equal(do_bind(member, GROUP, 5000), 0);
	assert_int_equal(do_bind(other, 0, 5000), 0);
	udp_arrives_for(PEER, GROUP, 9, 5000);
	assert_int_equal(fixture_drops(&udp_stack, DROP_IP4_NO_GROUP), 1);
	udp_join_group(member);
	udp_arrives_for(PEER, GROUP, 9, 5000);
	assert_int_equal(udp_take_all(member), 1);
	assert_int_equal(udp_take_all(other), 1); /* IP_MULTICAST_ALL */
	set_option(other, SOL_IP, IP_MULTICAST_ALL, 0);
	udp_arrives_for(PEER, GROUP, 9, 5000);
	assert_int_equal(udp_take_all(member), 1);
	assert_int_equal(udp_take_all(other), 0);
	socket_close(other);
	socket_close(member);
}

static void test_multicast_loop(void **state __unused)
{
	struct socket *member = make_bound(&udp_stack, 0, 5000),
		      *sender = make_bound(&udp_stack, 0, 6000);
	struct endpoint from;
	struct ip4_header header;

	udp_join_group(member);
	fixture_clear_sent(&udp_stack);
	assert_int_equal(do_send(sender, GROUP, 5000, "to all", 6), 6);
	assert_int_equal(do_receive(member, udp_bytes, sizeof(udp_bytes), &from), 6);
	assert_int_equal(from.addr.v4, OURS);
	assert_int_equal(from.port, 6000);
	ip4_sent(&udp_stack, 0, &header);
	assert_int_equal(header.ttl, 1);
	assert_int_equal(set_option(sender, SOL_IP, IP_MULTICAST_LOOP, 0), 0);
	assert_int_equal(set_option(sender, SOL_IP, IP_MULTICAST_TTL, 9), 0);
	assert_int_equal(do_send(sender, GROUP, 5000, "to others", 9), 9);
	assert_int_equal(udp_take_all(member), 0);
	ip4_sent(&udp_stack, 1, &header);
	assert_int_equal(header.ttl, 9);
	assert_int_equal(set_option(sender, SOL_IP, IP_MULTICAST_TTL, 0), 0);
	assert_int_equal(set_option(sender, SOL_IP, IP_MULTICAST_LOOP, 1), 0);
	assert_int_equal(do_send(sender, GROUP, 5000, "to this host", 12), 12);
	assert_int_equal(udp_stack.sent_count, 2);
	assert_int_equal(udp_take_all(member), 1);
	socket_close(member);
	socket_close(sender);
}

/* Binding. */

/* RFC1122-16 */
static void test_bind_errors(void **state __unused)
{
	struct socket *a = make_bound(&udp_stack, 0, 5000),
		      *b = make_socket(&udp_stack, SOCK_DGRAM, 0);
	struct sockaddr_storage name = {.ss_family = AF_INET6};

	assert_int_equal(do_bind(b, 0, 5000), -EADDRINUSE);
	assert_int_equal(do_bind(b, OURS, 5000), -EADDRINUSE);
	assert_int_equal(do_bind(b, FAR, 5001), -EADDRNOTAVAIL);
	assert_int_equal(socket_bind(b, &name, sizeof(name)), -EAFNOSUPPORT);
	name.ss_family = AF_INET;
	assert_int_equal(socket_bind(b, &name, 15), -EINVAL);
	assert_int_equal(do_bind(a, 0, 5001), -EINVAL);
	set_option(b, SOL_SOCKET, SO_REUSEADDR, 1);
	assert_int_equal(do_bind(b, 0, 5000), -EADDRINUSE); /* both must say so */
	set_option(b, SOL_IP, IP_FREEBIND, 1);
	assert_int_equal(do_bind(b, FAR, 5001), 0);
	socket_close(a);
	socket_close(b);
}

static void test_different_addresses_share_a_port(void **state __unused)
{
	struct socket *a = make_bound(&udp_stack, OURS, 5000),
		      *b = make_bound(&udp_stack, IP4_LOOPBACK, 5000);

	udp_arrives(9, 5000, "x");
	assert_int_equal(udp_take_all(a), 1);
	assert_int_equal(udp_take_all(b), 0);
	socket_close(a);
	socket_close(b);
}

static void test_ephemeral_ports(void **state __unused)
{
	struct socket *sockets[100];
	bool in_order = true;

	for (size_t i = 0; i < 100; i++) {
		sockets[i] = make_bound(&udp_stack, 0, 0);
		assert_in_range(udp_local_port(sockets[i]), 32768, 60999);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(udp_local_port(sockets[i]),
					     udp_local_port(sockets[j]));
		if (i)
			in_order &= udp_local_port(sockets[i]) ==
				    udp_local_port(sockets[i - 1]) + 1;
	}
	assert_false(in_order);
	for (size_t i = 0; i < 100; i++)
		socket_close(sockets[i]);

	int32_t *range = ip4_stack(&udp_stack.net)->settings.ip_local_port_range;

	range[0] = 40000;
	range[1] = 40001;
	sockets[0] = make_bound(&udp_stack, 0, 0);
	sockets[1] = make_bound(&udp_stack, 0, 0);
	sockets[2] = make_socket(&udp_stack, SOCK_DGRAM, 0);
	assert_int_equal(do_bind(sockets[2], 0, 0), -EADDRINUSE);
	assert_int_equal(do_send(sockets[2], PEER, 7, "x", 1), -EADDRINUSE);
	for (size_t i = 0; i < 3; i++)
		socket_close(sockets[i]);
}

/* Connecting. */

static void test_connect_filters_and_dissolves(void **state __unused)
{
	struct socket *socket = make_bound(&udp_stack, 0, 5000);
	struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
	uint32_t length = sizeof(name);

	assert_int_equal(socket_name(socket, true, &name, &length), -ENOTCONN);
	assert_int_equal(do_connect(socket, PEER, 77), 0);
	udp_arrives(78, 5000, "from another port");
	assert_int_equal(udp_take_all(socket), 0);
	udp_arrives(77, 5000, "from the peer");
	assert_int_equal(udp_take_all(socket), 1);
	fixture_clear_sent(&udp_stack);
	assert_int_equal(do_send(socket, 0, 0, "x", 1), 1);
	assert_int_equal(udp_stack.sent_count, 1);
	memset(&name, 0, sizeof(name));
	assert_int_equal(socket_connect(socket, &name, sizeof(name), false), 0);
	assert_int_equal(do_send(socket, 0, 0, "x", 1), -EDESTADDRREQ);
	udp_arrives(78, 5000, "from another port");
	assert_int_equal(udp_take_all(socket), 1);
	socket_close(socket);
}

/* RFC1122-7 */
static void test_port_unreachable_is_econnrefused(void **state __unused)
{
	struct socket *socket = make_bound(&udp_stack, 0, 5000);

	udp_error_arrives(ICMP_PORT_UNREACH, 5000, 77);
	assert_int_equal(do_receive(socket, udp_bytes, 10, NULL), -EAGAIN); /* not connected */
	assert_int_equal(do_connect(socket, PEER, 77), 0);
	udp_error_arrives(ICMP_PORT_UNREACH, 5000, 78); /* another conversation's */
	assert_int_equal(do_receive(socket, udp_bytes, 10, NULL), -EAGAIN);
	udp_error_arrives(ICMP_PORT_UNREACH, 5000, 77);
	assert_int_equal(do_receive(socket, udp_bytes, 10, NULL), -ECONNREFUSED);
	assert_int_equal(do_receive(socket, udp_bytes, 10, NULL), -EAGAIN); /* told once */
	udp_error_arrives(ICMP_PORT_UNREACH, 5000, 77);
	assert_int_equal(do_send(socket, 0, 0, "x", 1), -ECONNREFUSED);
	udp_error_arrives(ICMP_HOST_UNREACH, 5000, 77); /* a soft error */
	assert_int_equal(do_receive(socket, udp_bytes, 10, NULL), -EAGAIN);
	udp_error_arrives(ICMP_PORT_UNREACH, 5000, 77);
	assert_int_equal(get_option(socket, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	socket_close(socket);
}

static void test_refused_by_ourselves(void **state __unused)
{
	struct socket *socket = make_socket(&udp_stack, SOCK_DGRAM, 0);

	assert_int_equal(do_connect(socket, IP4_LOOPBACK, 9), 0);
	assert_int_equal(do_send(socket, 0, 0, "x", 1), 1);
	fixture_run(&udp_stack);
	assert_int_equal(do_receive(socket, udp_bytes, 10, NULL), -ECONNREFUSED);
	socket_close(socket);
}

static void test_unreachable_neighbour_reaches_the_sender(void **state __unused)
{
	struct socket *socket = make_socket(&udp_stack, SOCK_DGRAM, 0);

	assert_int_equal(set_option(socket, SOL_IP, IP_RECVERR, 1), 0);
	assert_int_equal(do_send(socket, IP4(10, 0, 0, 66), 7, "x", 1), 1);
	fixture_advance(&udp_stack, 5 * USEC_PER_SEC);
	assert_int_equal(do_receive(socket, udp_bytes, 10, NULL), -EHOSTUNREACH);
	socket_close(socket);
}

static void test_proc_udp(void **state __unused)
{
	struct socket *socket = make_bound(&udp_stack, OURS, 5000);
	char text[1024];

	assert_int_equal(ipv4_proc_init(&udp_stack.net), 0);
	assert_int_equal(do_connect(socket, PEER, 77), 0);
	assert_int_equal(host_proc_read("net/udp", text, sizeof(text)), 2 * 128);
	assert_memory_equal(text,
			    "   sl  local_address rem_address   st tx_queue rx_queue tr "
			    "tm->when retrnsmt   uid  timeout inode ref pointer drops ",
			    116);
	assert_non_null(strstr(text, "\n    0: 0100000A:1388 0200000A:004D 01 00000000:00000000 "
				     "00:00000000 00000000     0        0 "));
	socket_close(socket);
}

static size_t make_to_5000(void)
{
	return udp_packet(udp_wire, 77, 5000, "x", 1);
}

static void send_from_5000(struct socket *socket)
{
	do_bind(socket, 0, 5000);
	set_option(socket, SOL_IP, IP_RECVERR, 1);
	do_connect(socket, PEER, 77);
	do_send(socket, 0, 0, udp_bytes, 4000);
}

static void test_allocations_fail(void **state __unused)
{
	udp_survives_failures(0, make_to_5000, send_from_5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UDP_TEST(test_length_0_7_above_and_below_the_payload),
		UDP_TEST(test_cut_below_the_header),
		UDP_TEST(test_checksum_0_and_wrong),
		UDP_TEST(test_reply_from_the_wrong_server_or_port),
		UDP_TEST(test_no_socket_is_answered),
		UDP_TEST(test_receive_buffer_is_bounded),
		UDP_TEST(test_receive_tells_the_sender),
		UDP_TEST(test_most_specific_socket_wins),
		UDP_TEST(test_bound_to_a_device),
		UDP_TEST(test_reuse_port_shares_by_flow),
		UDP_TEST(test_ten_thousand_sockets),
		UDP_TEST(test_broadcast_reaches_every_socket),
		UDP_TEST(test_multicast),
		UDP_TEST(test_multicast_loop),
		UDP_TEST(test_bind_errors),
		UDP_TEST(test_different_addresses_share_a_port),
		UDP_TEST(test_ephemeral_ports),
		UDP_TEST(test_connect_filters_and_dissolves),
		UDP_TEST(test_port_unreachable_is_econnrefused),
		UDP_TEST(test_refused_by_ourselves),
		UDP_TEST(test_unreachable_neighbour_reaches_the_sender),
		UDP_TEST(test_proc_udp),
		UDP_TEST(test_allocations_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
