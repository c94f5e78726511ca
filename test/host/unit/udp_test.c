/*
 * UDP: who gets which datagram, binding, connecting, errors that arrive; hostile datagrams by
 * name.
 */
#include "test/host/unit/ip4_fixture.h"

#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/udp.h"
#include "net/ipv4/udp_wire.h"

static struct fixture f;
static uint8_t packet[70000];
static uint8_t buffer[70000];

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

static void arrives_for(ip4_t source, ip4_t destination, uint16_t from, uint16_t to)
{
	const struct ip4_spec spec = {.destination = destination};
	size_t n = udp_make(buffer, source, destination, from, to, "x", 1);

	n = ip4_make(packet, &spec, buffer, n);
	put_be32(packet + 12, source);
	ip4_fix_checksum(packet);
	ip4_arrives(&f, packet, n);
}

/* How many datagrams wait; they are thrown away. */
static uint32_t take_all(struct socket *socket)
{
	uint32_t count = 0;

	while (do_receive(socket, buffer, sizeof(buffer), NULL) >= 0)
		count++;
	return count;
}

/* Hostile datagrams. */

static void test_length_0_7_above_and_below_the_payload(void **state __unused)
{
	const uint16_t bad[] = {0, 7, 17, 65535};
	struct socket *socket = make_bound(&f, 0, 5000);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t n = udp_packet(packet, 9, 5000, "payload!", 8);

		put_be16(packet + 24, bad[i]);
		assert_refused(&f, packet, n, DROP_UDP_BAD_LENGTH);
	}
	/* Below: the rest does not belong to it, and the checksum covers what does. */
	const struct ip4_spec spec = {0};
	size_t n = udp_make(buffer, PEER, OURS, 9, 5000, "payload!", 8);

	memset(buffer + n, 'z', 20);
	ip4_arrives(&f, packet, ip4_make(packet, &spec, buffer, n + 20));
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), 8);
	assert_memory_equal(buffer, "payload!", 8);
	socket_close(socket);
}

static void test_cut_below_the_header(void **state __unused)
{
	const struct ip4_spec spec = {0};

	for (size_t n = 0; n < UDP_HEADER_LENGTH; n++)
		assert_refused(&f, packet, ip4_make(packet, &spec, "\0\1\0\2\0\10\0", n),
			       DROP_UDP_SHORT);
}

/* RFC1122-8, RFC1122-9 */
static void test_checksum_0_and_wrong(void **state __unused)
{
	struct socket *socket = make_bound(&f, 0, 5000);
	size_t n = udp_packet(packet, 9, 5000, "payload!", 8);

	packet[27] ^= 1;
	assert_refused(&f, packet, n, DROP_UDP_BAD_CHECKSUM);
	put_be16(packet + 26, 0); /* none */
	ip4_arrives(&f, packet, n);
	assert_int_equal(take_all(socket), 1);
	socket_close(socket);
}

/*
 * What a resolver relies on: its connected socket takes nothing from another server, nor from
 * another port of the right one.
 */
static void test_reply_from_the_wrong_server_or_port(void **state __unused)
{
	struct socket *socket = make_bound(&f, 0, 5000);

	assert_int_equal(do_connect(socket, PEER, 53), 0);
	arrives_for(GATEWAY, OURS, 53, 5000);
	assert_int_equal(fixture_drops(&f, DROP_UDP_NO_SOCKET), 1);
	arrives_for(PEER, OURS, 54, 5000);
	assert_int_equal(fixture_drops(&f, DROP_UDP_NO_SOCKET), 2);
	assert_int_equal(take_all(socket), 0);
	arrives_for(PEER, OURS, 53, 5000);
	assert_int_equal(take_all(socket), 1);
	socket_close(socket);
	fixture_clear_sent(&f);
	assert_still_answers(&f);
}

/* RFC1122-4 */
static void test_no_socket_is_answered(void **state __unused)
{
	struct ip4_header header;

	arrives(9, 9999, "hello");
	assert_int_equal(fixture_drops(&f, DROP_UDP_NO_SOCKET), 1);
	assert_int_equal(ip4_sent(&f, 0, &header)[21], ICMP_PORT_UNREACH);
	assert_int_equal(udp_state(&f.net)->statistics[UDP_STAT_NO_PORTS], 1);
	assert_still_answers(&f);
}

static void test_receive_buffer_is_bounded(void **state __unused)
{
	struct socket *socket = make_bound(&f, 0, 5000);

	assert_int_equal(set_option(socket, SOL_SOCKET, SO_RCVBUF, 5000), 0);
	for (uint32_t i = 0; i < 1000; i++)
		arrives(9, 5000, "flood");
	assert_true(socket->receive_queue.truesize < 20000);
	assert_true(socket->drops > 900);
	assert_int_equal(fixture_drops(&f, DROP_SOCKET_BUFFER_FULL), socket->drops);
	assert_int_equal(udp_state(&f.net)->statistics[UDP_STAT_RECEIVE_BUFFER_ERRORS],
			 socket->drops);
	assert_int_equal(take_all(socket) + socket->drops, 1000);
	assert_still_answers(&f);
	socket_close(socket);
}

/* Who gets it. */

static void test_receive_tells_the_sender(void **state __unused)
{
	struct socket *socket = make_bound(&f, 0, 5000);
	struct endpoint from;

	assert_int_equal(do_receive(socket, buffer, 10, &from), -EAGAIN);
	arrives(4242, 5000, "hello");
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), &from), 5);
	assert_memory_equal(buffer, "hello", 5);
	assert_int_equal(from.addr.v4, PEER);
	assert_int_equal(from.port, 4242);
	socket_close(socket);
}

static void test_most_specific_socket_wins(void **state __unused)
{
	struct socket *any = make_socket(&f, SOCK_DGRAM, 0);
	struct socket *own = make_socket(&f, SOCK_DGRAM, 0),
		      *connected = make_socket(&f, SOCK_DGRAM, 0);
	struct socket *all[] = {any, own, connected};

	for (size_t i = 0; i < 3; i++)
		set_option(all[i], SOL_SOCKET, SO_REUSEADDR, 1);
	assert_int_equal(do_bind(any, 0, 5000), 0);
	assert_int_equal(do_bind(own, OURS, 5000), 0);
	assert_int_equal(do_bind(connected, OURS, 5000), 0);
	assert_int_equal(do_connect(connected, PEER, 77), 0);
	arrives(77, 5000, "to the connected one");
	arrives(78, 5000, "to the one with the address");
	assert_int_equal(take_all(connected), 1);
	assert_int_equal(take_all(own), 1);
	assert_int_equal(take_all(any), 0);
	socket_close(own);
	arrives(78, 5000, "to any");
	assert_int_equal(take_all(any), 1);
	socket_close(any);
	arrives(78, 5000, "to nobody");
	assert_int_equal(take_all(connected), 0);
	socket_close(connected);
}

static void test_bound_to_a_device(void **state __unused)
{
	struct socket *on_lo = make_socket(&f, SOCK_DGRAM, 0),
		      *on_eth = make_socket(&f, SOCK_DGRAM, 0);

	assert_int_equal(socket_setsockopt(on_lo, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
	assert_int_equal(socket_setsockopt(on_eth, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5), 0);
	assert_int_equal(do_bind(on_lo, 0, 5000), 0);
	assert_int_equal(do_bind(on_eth, 0, 5000), 0); /* no conflict: other links */
	arrives(9, 5000, "hello");
	assert_int_equal(take_all(on_lo), 0);
	assert_int_equal(take_all(on_eth), 1);
	socket_close(on_lo);
	socket_close(on_eth);
}

static void test_reuse_port_shares_by_flow(void **state __unused)
{
	struct socket *sockets[4];
	uint32_t counts[4], total = 0;

	for (size_t i = 0; i < 4; i++) {
		sockets[i] = make_socket(&f, SOCK_DGRAM, 0);
		assert_int_equal(set_option(sockets[i], SOL_SOCKET, SO_REUSEPORT, 1), 0);
		assert_int_equal(do_bind(sockets[i], 0, 5000), 0);
	}
	for (uint16_t port = 1; port <= 400; port++) {
		arrives(port, 5000, "a");
		arrives(port, 5000, "b"); /* the same flow goes the same way */
	}
	for (size_t i = 0; i < 4; i++) {
		counts[i] = take_all(sockets[i]);
		assert_true(counts[i] > 100 && counts[i] < 300 && counts[i] % 2 == 0);
		total += counts[i];
		socket_close(sockets[i]);
	}
	assert_int_equal(total, 800);
}

static void test_ten_thousand_sockets(void **state __unused)
{
	static struct socket *sockets[10000];
	const struct udp_table *table = &udp_state(&f.net)->table;
	uint32_t longest = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		sockets[i] = make_bound(&f, 0, (uint16_t)(20000 + i));
	for (uint32_t i = 0; i < table->by_any.bucket_count; i++) {
		uint32_t length = 0;

		for (struct hlist_node *at = table->by_any.buckets[i].first; at; at = at->next)
			length++;
		longest = MAX(longest, length);
	}
	assert_true(longest <= 10);
	arrives(9, 24321, "hello");
	assert_int_equal(take_all(sockets[4321]), 1);
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		socket_close(sockets[i]);
}

static void test_broadcast_reaches_every_socket(void **state __unused)
{
	struct socket *a = make_socket(&f, SOCK_DGRAM, 0), *b = make_socket(&f, SOCK_DGRAM, 0);
	struct socket *own = make_socket(&f, SOCK_DGRAM, 0);
	struct socket *all[] = {a, b, own};

	for (size_t i = 0; i < 3; i++)
		set_option(all[i], SOL_SOCKET, SO_REUSEADDR, 1);
	assert_int_equal(do_bind(a, 0, 5000), 0);
	assert_int_equal(do_bind(b, SUBNET_BROADCAST, 5000), 0);
	assert_int_equal(do_bind(own, OURS, 5000), 0);
	arrives_for(PEER, SUBNET_BROADCAST, 9, 5000);
	arrives_for(PEER, IP4_BROADCAST, 9, 5000);
	arrives_for(0, IP4_BROADCAST, 9, 5000); /* a host that asks for its address */
	assert_int_equal(take_all(a), 3);
	assert_int_equal(take_all(b), 1);
	assert_int_equal(take_all(own), 0);
	arrives_for(PEER, IP4_BROADCAST, 9, 5001);
	assert_int_equal(f.sent_count, 0); /* no error about a broadcast */
	for (size_t i = 0; i < 3; i++)
		socket_close(all[i]);
}

static void join_group(struct socket *socket)
{
	struct ip_mreq request = {.imr_multiaddr.s_addr = cpu_to_be32(GROUP),
				  .imr_interface.s_addr = cpu_to_be32(OURS)};

	assert_int_equal(
		socket_setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request)), 0);
}

static void test_multicast(void **state __unused)
{
	struct socket *member = make_socket(&f, SOCK_DGRAM, 0),
		      *other = make_socket(&f, SOCK_DGRAM, 0);

	set_option(member, SOL_SOCKET, SO_REUSEADDR, 1);
	set_option(other, SOL_SOCKET, SO_REUSEADDR, 1);
	assert_int_equal(do_bind(member, GROUP, 5000), 0);
	assert_int_equal(do_bind(other, 0, 5000), 0);
	arrives_for(PEER, GROUP, 9, 5000);
	assert_int_equal(fixture_drops(&f, DROP_IP4_NO_GROUP), 1);
	join_group(member);
	arrives_for(PEER, GROUP, 9, 5000);
	assert_int_equal(take_all(member), 1);
	assert_int_equal(take_all(other), 1); /* IP_MULTICAST_ALL */
	set_option(other, SOL_IP, IP_MULTICAST_ALL, 0);
	arrives_for(PEER, GROUP, 9, 5000);
	assert_int_equal(take_all(member), 1);
	assert_int_equal(take_all(other), 0);
	socket_close(other);
	socket_close(member);
}

static void test_multicast_loop(void **state __unused)
{
	struct socket *member = make_bound(&f, 0, 5000), *sender = make_bound(&f, 0, 6000);
	struct endpoint from;
	struct ip4_header header;

	join_group(member);
	fixture_clear_sent(&f);
	assert_int_equal(do_send(sender, GROUP, 5000, "to all", 6), 6);
	assert_int_equal(do_receive(member, buffer, sizeof(buffer), &from), 6);
	assert_int_equal(from.addr.v4, OURS);
	assert_int_equal(from.port, 6000);
	ip4_sent(&f, 0, &header);
	assert_int_equal(header.ttl, 1);
	assert_int_equal(set_option(sender, SOL_IP, IP_MULTICAST_LOOP, 0), 0);
	assert_int_equal(set_option(sender, SOL_IP, IP_MULTICAST_TTL, 9), 0);
	assert_int_equal(do_send(sender, GROUP, 5000, "to others", 9), 9);
	assert_int_equal(take_all(member), 0);
	ip4_sent(&f, 1, &header);
	assert_int_equal(header.ttl, 9);
	assert_int_equal(set_option(sender, SOL_IP, IP_MULTICAST_TTL, 0), 0);
	assert_int_equal(set_option(sender, SOL_IP, IP_MULTICAST_LOOP, 1), 0);
	assert_int_equal(do_send(sender, GROUP, 5000, "to this host", 12), 12);
	assert_int_equal(f.sent_count, 2);
	assert_int_equal(take_all(member), 1);
	socket_close(member);
	socket_close(sender);
}

/* Binding. */

/* RFC1122-16 */
static void test_bind_errors(void **state __unused)
{
	struct socket *a = make_bound(&f, 0, 5000), *b = make_socket(&f, SOCK_DGRAM, 0);
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
	struct socket *a = make_bound(&f, OURS, 5000), *b = make_bound(&f, IP4_LOOPBACK, 5000);

	arrives(9, 5000, "x");
	assert_int_equal(take_all(a), 1);
	assert_int_equal(take_all(b), 0);
	socket_close(a);
	socket_close(b);
}

static uint16_t local_port(struct socket *socket)
{
	struct sockaddr_storage name;
	uint32_t length = sizeof(name);
	struct endpoint local;

	assert_int_equal(socket_name(socket, false, &name, &length), 0);
	assert_int_equal(inet_read_name(&name, length, &local), 0);
	return local.port;
}

static void test_ephemeral_ports(void **state __unused)
{
	struct socket *sockets[100];
	bool in_order = true;

	for (size_t i = 0; i < 100; i++) {
		sockets[i] = make_bound(&f, 0, 0);
		assert_in_range(local_port(sockets[i]), 32768, 60999);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(local_port(sockets[i]), local_port(sockets[j]));
		if (i)
			in_order &= local_port(sockets[i]) == local_port(sockets[i - 1]) + 1;
	}
	assert_false(in_order);
	for (size_t i = 0; i < 100; i++)
		socket_close(sockets[i]);

	int32_t *range = ip4_stack(&f.net)->settings.ip_local_port_range;

	range[0] = 40000;
	range[1] = 40001;
	sockets[0] = make_bound(&f, 0, 0);
	sockets[1] = make_bound(&f, 0, 0);
	sockets[2] = make_socket(&f, SOCK_DGRAM, 0);
	assert_int_equal(do_bind(sockets[2], 0, 0), -EADDRINUSE);
	assert_int_equal(do_send(sockets[2], PEER, 7, "x", 1), -EADDRINUSE);
	for (size_t i = 0; i < 3; i++)
		socket_close(sockets[i]);
}

/* Connecting. */

static void test_connect_filters_and_dissolves(void **state __unused)
{
	struct socket *socket = make_bound(&f, 0, 5000);
	struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
	uint32_t length = sizeof(name);

	assert_int_equal(socket_name(socket, true, &name, &length), -ENOTCONN);
	assert_int_equal(do_connect(socket, PEER, 77), 0);
	arrives(78, 5000, "from another port");
	assert_int_equal(take_all(socket), 0);
	arrives(77, 5000, "from the peer");
	assert_int_equal(take_all(socket), 1);
	fixture_clear_sent(&f);
	assert_int_equal(do_send(socket, 0, 0, "x", 1), 1);
	assert_int_equal(f.sent_count, 1);
	memset(&name, 0, sizeof(name));
	assert_int_equal(socket_connect(socket, &name, sizeof(name), false), 0);
	assert_int_equal(do_send(socket, 0, 0, "x", 1), -EDESTADDRREQ);
	arrives(78, 5000, "from another port");
	assert_int_equal(take_all(socket), 1);
	socket_close(socket);
}

static void unreachable_arrives(uint8_t code, uint16_t source_port, uint16_t destination_port)
{
	const struct ip4_spec inner = {.source = OURS, .destination = PEER},
			      outer = {.protocol = IPPROTO_ICMP};
	uint8_t udp[32], quoted[64], message[128];
	size_t n = udp_make(udp, OURS, PEER, source_port, destination_port, "lost one", 8);

	n = ip4_make(quoted, &inner, udp, n);
	n = icmp_make(message, ICMP_DEST_UNREACH, code, 0, quoted, n);
	ip4_arrives(&f, packet, ip4_make(packet, &outer, message, n));
}

/* RFC1122-7 */
static void test_port_unreachable_is_econnrefused(void **state __unused)
{
	struct socket *socket = make_bound(&f, 0, 5000);

	unreachable_arrives(ICMP_PORT_UNREACH, 5000, 77);
	assert_int_equal(do_receive(socket, buffer, 10, NULL), -EAGAIN); /* not connected */
	assert_int_equal(do_connect(socket, PEER, 77), 0);
	unreachable_arrives(ICMP_PORT_UNREACH, 5000, 78); /* another conversation's */
	assert_int_equal(do_receive(socket, buffer, 10, NULL), -EAGAIN);
	unreachable_arrives(ICMP_PORT_UNREACH, 5000, 77);
	assert_int_equal(do_receive(socket, buffer, 10, NULL), -ECONNREFUSED);
	assert_int_equal(do_receive(socket, buffer, 10, NULL), -EAGAIN); /* told once */
	unreachable_arrives(ICMP_PORT_UNREACH, 5000, 77);
	assert_int_equal(do_send(socket, 0, 0, "x", 1), -ECONNREFUSED);
	unreachable_arrives(ICMP_HOST_UNREACH, 5000, 77); /* a soft error */
	assert_int_equal(do_receive(socket, buffer, 10, NULL), -EAGAIN);
	unreachable_arrives(ICMP_PORT_UNREACH, 5000, 77);
	assert_int_equal(get_option(socket, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	socket_close(socket);
}

static void test_refused_by_ourselves(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);

	assert_int_equal(do_connect(socket, IP4_LOOPBACK, 9), 0);
	assert_int_equal(do_send(socket, 0, 0, "x", 1), 1);
	fixture_run(&f);
	assert_int_equal(do_receive(socket, buffer, 10, NULL), -ECONNREFUSED);
	socket_close(socket);
}

static void test_unreachable_neighbour_reaches_the_sender(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);

	assert_int_equal(set_option(socket, SOL_IP, IP_RECVERR, 1), 0);
	assert_int_equal(do_send(socket, IP4(10, 0, 0, 66), 7, "x", 1), 1);
	fixture_advance(&f, 5 * USEC_PER_SEC);
	assert_int_equal(do_receive(socket, buffer, 10, NULL), -EHOSTUNREACH);
	socket_close(socket);
}

static void test_proc_udp(void **state __unused)
{
	struct socket *socket = make_bound(&f, OURS, 5000);
	char text[1024];

	assert_int_equal(ipv4_proc_init(&f.net), 0);
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

static struct sk_buff *make_frame(uint16_t from, uint16_t to)
{
	size_t n = udp_packet(packet, from, to, "x", 1);
	struct sk_buff *skb = skb_alloc(&f.net, ETHERNET_HEADER_LENGTH + n);

	assert_non_null(skb);
	uint8_t *bytes = skb_put(skb, ETHERNET_HEADER_LENGTH + n);

	memcpy(bytes, FIXTURE_MAC.bytes, MAC_LENGTH);
	memcpy(bytes + MAC_LENGTH, FIXTURE_PEER.bytes, MAC_LENGTH);
	put_be16(bytes + 2 * MAC_LENGTH, ETHERTYPE_IP4);
	memcpy(bytes + ETHERNET_HEADER_LENGTH, packet, n);
	return skb;
}

static void frame_arrives(struct sk_buff *skb)
{
	net_lock(&f.net);
	netif_receive(&f.dev, skb);
	net_unlock(&f.net);
	fixture_run(&f);
}

/* Every allocation fails once, in turn: no crash, no leak, and the stack goes on. */
static void test_allocations_fail(void **state __unused)
{
	uint64_t made = 1; /* by a run in which nothing fails: found by the 0th */

	for (uint64_t nth = 0; nth <= made; nth++) {
		struct socket *socket = NULL;
		struct sk_buff *frame = make_frame(77, 5000); /* the driver's own memory */

		host_fail_allocation(nth);
		if (socket_create(&f.net, AF_INET, SOCK_DGRAM, 0, &socket) == 0) {
			do_bind(socket, 0, 5000);
			set_option(socket, SOL_IP, IP_RECVERR, 1);
			do_connect(socket, PEER, 77);
			do_send(socket, 0, 0, buffer, 4000);
			frame_arrives(frame);
			frame = NULL;
			take_all(socket);
			socket_close(socket);
		}
		if (frame)
			skb_free(frame);
		if (nth == 0)
			made = host_allocations_made();
		host_fail_allocation(0);
		assert_still_answers(&f);
	}
	assert_true(made > 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_length_0_7_above_and_below_the_payload),
		TEST(test_cut_below_the_header),
		TEST(test_checksum_0_and_wrong),
		TEST(test_reply_from_the_wrong_server_or_port),
		TEST(test_no_socket_is_answered),
		TEST(test_receive_buffer_is_bounded),
		TEST(test_receive_tells_the_sender),
		TEST(test_most_specific_socket_wins),
		TEST(test_bound_to_a_device),
		TEST(test_reuse_port_shares_by_flow),
		TEST(test_ten_thousand_sockets),
		TEST(test_broadcast_reaches_every_socket),
		TEST(test_multicast),
		TEST(test_multicast_loop),
		TEST(test_bind_errors),
		TEST(test_different_addresses_share_a_port),
		TEST(test_ephemeral_ports),
		TEST(test_connect_filters_and_dissolves),
		TEST(test_port_unreachable_is_econnrefused),
		TEST(test_refused_by_ourselves),
		TEST(test_unreachable_neighbour_reaches_the_sender),
		TEST(test_proc_udp),
		TEST(test_allocations_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
