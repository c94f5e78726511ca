/*
 * Memory runs out: the Nth allocation of a scenario fails, for N = 1 until the scenario passes
 * untouched; and once more with every allocation from the Nth on. Nothing crashes, nothing leaks,
 * and the stack still answers a ping afterwards.
 *
 * A scenario takes whatever comes: its calls may fail, its packets may get lost. To add one, write
 * a function and a line in the table at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "include/uapi/icmp.h"
#include "include/uapi/if_arp.h"
#include "include/uapi/if_packet.h"
#include "include/uapi/sockios.h"
#include "include/uapi/tcp.h"
#include "kernel/byteorder.h"
#include "kernel/clock.h"
#include "net/core/checksum.h"
#include "net/ethernet/arp.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/igmp.h"
#include "net/tcp/tcp.h"
#include "test/host/services/host.h"
#include "test/host/stack/stack.h"
#include "test/host/unit/ip4_fixture.h"
#include "test/host/unit/rig.h"

#define PORT 7
#define SWEEP_MAX 3000 /* no scenario allocates so often */

/* One stack with eth0, whose neighbour PEER is known. */
struct bench {
	struct host_stack stack;
	struct host_device eth0;
};

static bool move_on(void *context, uint64_t deadline_us)
{
	struct bench *bench = context;
	uint64_t next_us = host_stack_next(&bench->stack);

	if (next_us == TIME_NEVER || next_us > deadline_us)
		return false;
	if (next_us > clock_now_us())
		host_clock_advance_to(next_us);
	host_stack_run(&bench->stack);
	return true;
}

static void run(struct bench *bench)
{
	while (host_stack_run(&bench->stack))
		;
}

static void pass(struct bench *bench, uint64_t us)
{
	uint64_t end_us = clock_now_us() + us;

	run(bench);
	while (move_on(bench, end_us))
		;
	host_clock_advance_to(end_us);
}

static void discard_sent(struct bench *bench)
{
	struct host_frame *frame;

	while ((frame = host_device_take(&bench->eth0)))
		free(frame);
}

static void bench_create(struct bench *bench)
{
	const struct host_stack_options options = {.seed = 1};
	const struct host_device_options device = {.mac = FIXTURE_MAC};

	host_clock_virtual(1000 * USEC_PER_SEC);
	host_on_sleep(move_on, bench);
	assert_int_equal(host_stack_create(&bench->stack, &options), 0);
	assert_int_equal(host_device_add(&bench->eth0, &bench->stack, &device), 0);
	assert_int_equal(host_device_set_address(&bench->eth0, OURS, 24), 0);
	net_lock(&bench->stack.net);
	assert_int_equal(arp_set_permanent(&bench->eth0.dev, PEER, FIXTURE_PEER, true), 0);
	net_unlock(&bench->stack.net);
	pass(bench, 10 * USEC_PER_SEC);
	discard_sent(bench);
}

static void bench_destroy(struct bench *bench)
{
	pass(bench, 300 * USEC_PER_SEC);
	discard_sent(bench);
	struct host_leaks leaks = host_stack_destroy(&bench->stack);

	assert_int_equal(leaks.packets, 0);
	assert_int_equal(leaks.sockets, 0);
	assert_int_equal(leaks.allocations, 0);
	host_on_sleep(NULL, NULL);
}

static void frame_arrives(struct bench *bench, struct mac destination, uint16_t ethertype,
			  const void *payload, size_t n)
{
	uint8_t *frame = malloc(ETHERNET_HEADER_LENGTH + n);

	memcpy(frame, destination.bytes, MAC_LENGTH);
	memcpy(frame + MAC_LENGTH, FIXTURE_PEER.bytes, MAC_LENGTH);
	put_be16(frame + 2 * MAC_LENGTH, ethertype);
	memcpy(frame + ETHERNET_HEADER_LENGTH, payload, n);
	(void)host_device_receive(&bench->eth0, frame, (uint32_t)(ETHERNET_HEADER_LENGTH + n));
	free(frame);
	run(bench);
}

static void packet_arrives(struct bench *bench, const uint8_t *packet, size_t n)
{
	frame_arrives(bench, FIXTURE_MAC, ETHERTYPE_IP4, packet, n);
}

static void assert_answers(struct bench *bench)
{
	uint8_t packet[64];

	discard_sent(bench);
	packet_arrives(bench, packet, echo_packet(packet, 5, "still there?", 12));
	struct host_frame *reply = host_device_take(&bench->eth0);

	assert_non_null(reply);
	assert_int_equal(reply->bytes[ETHERNET_HEADER_LENGTH + IP4_HEADER_MIN], ICMP_ECHOREPLY);
	free(reply);
}

/* ---- Sockets, which may not come to be ---- */

static struct socket *try_socket(struct bench *bench, int family, int type, int protocol)
{
	struct socket *socket = NULL;

	return socket_create(&bench->stack.net, family, type, protocol, &socket) ? NULL : socket;
}

static uint32_t name_of(ip4_t address, uint16_t port, struct sockaddr_storage *name)
{
	const struct endpoint endpoint = {.addr = net_addr_ip4(address), .port = port};
	uint32_t length;

	inet_write_name(&endpoint, name, &length);
	return length;
}

static void try_bind(struct socket *socket, ip4_t address, uint16_t port)
{
	struct sockaddr_storage name;
	uint32_t length = name_of(address, port, &name);

	if (socket)
		(void)socket_bind(socket, &name, length);
}

static int64_t try_send(struct socket *socket, ip4_t address, uint16_t port, size_t n)
{
	static uint8_t bytes[65000];
	struct message message = {.flags = MSG_DONTWAIT | MSG_NOSIGNAL};

	if (!socket)
		return -1;
	if (address)
		message.name_length = name_of(address, port, &message.name);
	iov_init_kernel(&message.iov, bytes, n);
	return socket_sendmsg(socket, &message);
}

static int64_t try_receive(struct socket *socket, uint32_t flags)
{
	static uint8_t bytes[65000];
	struct message message = {.flags = MSG_DONTWAIT | flags};

	if (!socket)
		return -1;
	iov_init_kernel(&message.iov, bytes, sizeof(bytes));
	return socket_recvmsg(socket, &message);
}

static void end(struct socket *socket)
{
	if (socket)
		socket_close(socket);
}

/* ---- Scenarios ---- */

static void udp(struct bench *bench)
{
	struct socket *a = try_socket(bench, AF_INET, SOCK_DGRAM, 0);
	struct socket *b = try_socket(bench, AF_INET, SOCK_DGRAM, 0);
	uint8_t packet[128];

	try_bind(a, IP4_ANY, PORT);
	try_bind(b, OURS, PORT + 1);
	packet_arrives(bench, packet, udp_packet(packet, 99, PORT, "hello", 5));
	try_receive(a, MSG_PEEK);
	try_receive(a, 0);
	try_send(b, PEER, 9, 100);
	try_send(b, OURS, PORT, 100); /* over loopback */
	run(bench);
	try_receive(a, 0);
	packet_arrives(bench, packet, udp_packet(packet, 99, 4444, "nobody", 6));
	end(a);
	end(b);
}

static void udp_connected(struct bench *bench)
{
	struct socket *socket = try_socket(bench, AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_storage name;
	uint32_t length = name_of(PEER, 9, &name);
	int yes = 1;

	if (socket) {
		(void)socket_setsockopt(socket, SOL_IP, IP_RECVERR, &yes, sizeof(yes));
		(void)socket_connect(socket, &name, length, true);
	}
	try_send(socket, 0, 0, 50);
	run(bench);
	struct host_frame *sent = host_device_take(&bench->eth0);

	if (sent) { /* port unreachable about it */
		uint8_t packet[128];
		const struct ip4_spec spec = {.protocol = IPPROTO_ICMP};
		size_t n = icmp_make(packet + IP4_HEADER_MIN, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH,
				     0, sent->bytes + ETHERNET_HEADER_LENGTH, IP4_HEADER_MIN + 8);

		packet_arrives(bench, packet, ip4_make(packet, &spec, packet + IP4_HEADER_MIN, n));
		free(sent);
	}
	try_receive(socket, MSG_ERRQUEUE);
	try_receive(socket, 0);
	end(socket);
}

/* Two packets wait for a neighbour who answers, one for a neighbour who does not. */
static void arp(struct bench *bench)
{
	struct socket *socket = try_socket(bench, AF_INET, SOCK_DGRAM, 0);
	uint8_t reply[28] = {0, 1, 8, 0, 6, 4, 0, 2};

	try_send(socket, IP4(10, 0, 0, 77), 9, 10);
	try_send(socket, IP4(10, 0, 0, 77), 9, 10);
	try_send(socket, IP4(10, 0, 0, 78), 9, 10);
	memcpy(reply + 8, FIXTURE_PEER.bytes, MAC_LENGTH);
	put_be32(reply + 14, IP4(10, 0, 0, 77));
	memcpy(reply + 18, FIXTURE_MAC.bytes, MAC_LENGTH);
	put_be32(reply + 24, OURS);
	frame_arrives(bench, FIXTURE_MAC, ETHERTYPE_ARP, reply, sizeof(reply));
	reply[7] = 1; /* a request of his */
	frame_arrives(bench, MAC_BROADCAST, ETHERTYPE_ARP, reply, sizeof(reply));
	pass(bench, 10 * USEC_PER_SEC);
	try_receive(socket, 0);
	end(socket);
}

static void fragments(struct bench *bench)
{
	struct socket *socket = try_socket(bench, AF_INET, SOCK_DGRAM, 0);
	uint8_t datagram[2000], packet[1600], payload[1900] = {0};
	size_t n = udp_make(datagram, PEER, OURS, 99, PORT, payload, sizeof(payload));

	try_bind(socket, IP4_ANY, PORT);
	try_send(socket, PEER, 9, 5000);
	for (size_t at = 0; at < n; at += 800) {
		size_t part = n - at < 800 ? n - at : 800;
		const struct ip4_spec spec = {
			.id = 9,
			.fragment = (uint16_t)(at / 8 | (at + part < n ? FRAGMENT_MORE : 0)),
		};

		packet_arrives(bench, packet, ip4_make(packet, &spec, datagram + at, part));
	}
	try_receive(socket, 0);
	/* One that never becomes whole. */
	const struct ip4_spec spec = {.id = 10, .fragment = FRAGMENT_MORE};

	packet_arrives(bench, packet, ip4_make(packet, &spec, datagram, 800));
	pass(bench, 60 * USEC_PER_SEC);
	end(socket);
}

static void icmp(struct bench *bench)
{
	struct socket *raw = try_socket(bench, AF_INET, SOCK_RAW, IPPROTO_ICMP);
	struct socket *ping = try_socket(bench, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	uint8_t packet[256];

	packet_arrives(bench, packet, echo_packet(packet, 1, "0123456789", 10));
	try_receive(raw, MSG_PEEK);
	try_receive(raw, 0);
	try_send(ping, PEER, 0, 64);
	try_send(raw, PEER, 0, 64);
	run(bench);
	end(raw);
	end(ping);
}

static void groups(struct bench *bench)
{
	struct socket *socket = try_socket(bench, AF_INET, SOCK_DGRAM, 0);
	const struct ip_mreqn group = {.imr_multiaddr.s_addr = cpu_to_be32(GROUP),
				       .imr_ifindex = bench->eth0.dev.ifindex};
	uint8_t packet[128], query[8] = {0x11, 10};

	try_bind(socket, IP4_ANY, PORT);
	if (socket)
		(void)socket_setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group));
	pass(bench, 2 * USEC_PER_SEC);
	put_be16(query + 2, 0xeef5 - 10 * 0 - 0x000a + 0x000a);
	const struct ip4_spec spec = {
		.destination = IP4(224, 0, 0, 1), .protocol = IPPROTO_IGMP, .ttl = 1};

	frame_arrives(bench, (struct mac){{1, 0, 0x5e, 0, 0, 1}}, ETHERTYPE_IP4, packet,
		      ip4_make(packet, &spec, query, sizeof(query)));
	try_send(socket, GROUP, PORT, 20);
	pass(bench, 12 * USEC_PER_SEC);
	try_receive(socket, 0);
	if (socket)
		(void)socket_setsockopt(socket, SOL_IP, IP_DROP_MEMBERSHIP, &group, sizeof(group));
	end(socket);
}

static void routes_and_addresses(struct bench *bench)
{
	struct net *net = &bench->stack.net;
	const struct route route = {
		.destination = FAR & 0xffffff00, .prefix_length = 24, .gateway = PEER};
	struct net_device *dev = &bench->eth0.dev;

	net_lock(net);
	(void)route_add(net, &route);
	(void)route_delete(net, &route);
	(void)ip4_add_address(dev, IP4(10, 9, 9, 9), 16, 0);
	route_learn_mtu(net, FAR, 900);
	netdev_down(dev);
	(void)netdev_up(dev);
	(void)ip4_remove_address(dev, IP4(10, 9, 9, 9));
	/* As it was, for the ping. */
	(void)ip4_add_address(dev, OURS, 24, 0);
	net_unlock(net);
	run(bench);
	host_fail_allocation(0);
	net_lock(net);
	netdev_down(dev);
	(void)ip4_add_address(dev, OURS, 24, 0);
	assert_int_equal(netdev_up(dev), 0);
	(void)arp_set_permanent(dev, PEER, FIXTURE_PEER, true);
	net_unlock(net);
}

static void packets(struct bench *bench)
{
	struct socket *socket = try_socket(bench, AF_PACKET, SOCK_RAW,
					   be16_to_cpu((be16){ETHERTYPE_IP4}));
	struct sockaddr_ll name = {.sll_family = AF_PACKET,
				   .sll_protocol = cpu_to_be16(ETH_P_ALL).raw,
				   .sll_ifindex = bench->eth0.dev.ifindex};
	struct sockaddr_storage storage = {0};
	uint8_t packet[128];

	memcpy(&storage, &name, sizeof(name));
	if (socket)
		(void)socket_bind(socket, &storage, sizeof(name));
	packet_arrives(bench, packet, echo_packet(packet, 3, "seen", 4));
	try_receive(socket, MSG_PEEK);
	try_receive(socket, 0);
	try_send(socket, 0, 0, 60);
	end(socket);
}

/* A listener, a connection to it over loopback, data both ways, and the end. */
static void tcp(struct bench *bench)
{
	struct socket *listener = try_socket(bench, AF_INET, SOCK_STREAM, 0);
	struct socket *client = try_socket(bench, AF_INET, SOCK_STREAM, 0), *server = NULL;
	struct sockaddr_storage name;
	uint32_t length = name_of(IP4_LOOPBACK, PORT, &name);

	try_bind(listener, IP4_ANY, PORT);
	if (listener)
		(void)socket_listen(listener, 5);
	if (client)
		(void)socket_connect(client, &name, length, true);
	pass(bench, 5 * USEC_PER_SEC);
	if (listener && socket_accept(listener, &server, true))
		server = NULL;
	for (int i = 0; i < 3; i++) {
		try_send(client, 0, 0, 50000);
		try_send(server, 0, 0, 100);
		pass(bench, 3 * USEC_PER_SEC);
		try_receive(server, 0);
		try_receive(client, MSG_PEEK);
		try_receive(client, 0);
		pass(bench, USEC_PER_SEC);
	}
	if (client)
		(void)socket_shutdown(client, SHUT_WR);
	pass(bench, USEC_PER_SEC);
	end(server);
	end(client);
	end(listener);
}

static void tcp_segment_arrives(struct bench *bench, uint32_t seq, uint32_t ack, uint8_t flags,
				size_t n)
{
	uint8_t packet[1600] = {0}, *segment = packet + IP4_HEADER_MIN;
	const struct ip4_spec spec = {.protocol = IPPROTO_TCP};
	const struct tcp_header header = {.source = 999,
					  .destination = PORT,
					  .seq = seq,
					  .ack = ack,
					  .flags = flags,
					  .window = 60000};
	const struct tcp_options options = {.mss = flags & TCP_SYN ? 1460 : 0,
					    .sack_permitted = flags & TCP_SYN};
	size_t length = tcp_emit(&header, &options, segment) + n;
	be16 checksum = checksum_fold(checksum_add(
		segment, length, checksum_pseudo4(PEER, OURS, IPPROTO_TCP, (uint16_t)length)));

	memcpy(segment + 16, &checksum, sizeof(checksum));
	packet_arrives(bench, packet, ip4_make(packet, &spec, segment, length));
}

/* A peer of ours opens, sends out of order, and goes away without a word. */
static void tcp_stranger(struct bench *bench)
{
	struct socket *listener = try_socket(bench, AF_INET, SOCK_STREAM, 0), *server = NULL;
	struct host_frame *frame;
	uint32_t iss = 0;

	try_bind(listener, IP4_ANY, PORT);
	if (listener)
		(void)socket_listen(listener, 5);
	discard_sent(bench);
	tcp_segment_arrives(bench, 1000, 0, TCP_SYN, 0);
	frame = host_device_take(&bench->eth0);
	if (frame)
		iss = get_be32(frame->bytes + ETHERNET_HEADER_LENGTH + IP4_HEADER_MIN + 4);
	free(frame);
	tcp_segment_arrives(bench, 1001, iss + 1, TCP_ACK, 0);
	if (listener && socket_accept(listener, &server, true))
		server = NULL;
	tcp_segment_arrives(bench, 2001, iss + 1, TCP_ACK, 500);
	tcp_segment_arrives(bench, 3001, iss + 1, TCP_ACK, 500);
	tcp_segment_arrives(bench, 1501, iss + 1, TCP_ACK, 700);
	tcp_segment_arrives(bench, 1001, iss + 1, TCP_ACK, 500);
	try_send(server, 0, 0, 4000);
	pass(bench, 30 * USEC_PER_SEC);
	try_receive(server, 0);
	tcp_segment_arrives(bench, 2501, iss + 1, TCP_RST, 0);
	end(server);
	end(listener);
	pass(bench, 200 * USEC_PER_SEC);
}

static void interface_calls(struct bench *bench)
{
	struct socket *socket = try_socket(bench, AF_INET, SOCK_DGRAM, 0);
	struct arpreq neighbour = {.arp_flags = ATF_COM | ATF_PERM};
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_addr.s_addr = cpu_to_be32(IP4(10, 0, 0, 55))};

	memcpy(&neighbour.arp_pa, &in, sizeof(in));
	memcpy(neighbour.arp_ha.sa_data, FIXTURE_PEER.bytes, MAC_LENGTH);
	strcpy(neighbour.arp_dev, "eth0");
	if (socket) {
		(void)socket_ioctl(socket, SIOCSARP, &neighbour);
		(void)socket_ioctl(socket, SIOCDARP, &neighbour);
	}
	end(socket);
}

static const struct {
	const char *name;
	void (*run)(struct bench *bench);
} scenarios[] = {
	{"udp", udp},
	{"udp connected", udp_connected},
	{"arp", arp},
	{"fragments", fragments},
	{"icmp, raw and ping sockets", icmp},
	{"multicast groups", groups},
	{"routes and addresses", routes_and_addresses},
	{"packet sockets", packets},
	{"interface calls", interface_calls},
	{"tcp over loopback", tcp},
	{"tcp with a stranger", tcp_stranger},
};

/* One run with failures set by `fail`. False: the scenario was done before any of them. */
static bool run_once(size_t which, uint64_t n, void (*set_failure)(uint64_t nth))
{
	static struct bench bench;

	memset(&bench, 0, sizeof(bench));
	bench_create(&bench);
	set_failure(n);
	scenarios[which].run(&bench);
	bool reached = host_allocations_made() >= n;

	host_fail_allocation(0);
	run(&bench);
	assert_answers(&bench);
	bench_destroy(&bench);
	return reached;
}

static void sweep(void (*set_failure)(uint64_t nth))
{
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
		uint64_t n = 1;

		while (run_once(i, n, set_failure)) {
			n++;
			assert_true(n < SWEEP_MAX);
		}
		print_message("%s: %llu allocations\n", scenarios[i].name,
			      (unsigned long long)n - 1);
	}
}

static void test_each_allocation_fails_once(void **state __unused)
{
	sweep(host_fail_allocation);
}

static void test_all_allocations_fail_from_the_nth_on(void **state __unused)
{
	sweep(host_fail_allocations_from);
}

/* Making a stack: it comes to be, or leaves nothing behind. */
static void test_a_stack_that_cannot_be_made(void **state __unused)
{
	static struct host_stack stack;
	uint64_t before = host_allocations_live(), n = 0;
	int error;

	host_clock_virtual(USEC_PER_SEC);
	do {
		const struct host_stack_options options = {.seed = 1};

		memset(&stack, 0, sizeof(stack));
		host_fail_allocation(++n);
		error = host_stack_create(&stack, &options);
		host_fail_allocation(0);
		if (error)
			assert_int_equal(host_allocations_live(), before);
	} while (error);
	assert_false(host_leaks_any(&(struct host_leaks){0}));
	struct host_leaks leaks = host_stack_destroy(&stack);

	assert_false(host_leaks_any(&leaks));
}

/* The driver: probe, traffic, a device that has to be reset. */
static void test_virtio(void **state __unused)
{
	const struct model_options options = rig_options(false, RIG_FEATURES_ALL);

	for (uint64_t n = 1; n < SWEEP_MAX; n++) {
		static struct rig rig;

		rig_prepare(&rig, &options);
		host_fail_allocation(n);
		rig_probe(&rig);
		if (rig.dev) {
			rig_deliver(&rig, 500);
			model_needs_reset(&rig.model);
			rig_wait(&rig, USEC_PER_SEC);
		}
		bool reached = host_allocations_made() >= n;

		host_fail_allocation(0);
		if (rig.dev) {
			rig_wait(&rig, 10 * USEC_PER_SEC);
			rig_deliver(&rig, 100);
		}
		rig_stop(&rig);
		if (!reached)
			return;
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_allocation_fails_once),
		cmocka_unit_test(test_all_allocations_fail_from_the_nth_on),
		cmocka_unit_test(test_a_stack_that_cannot_be_made),
		cmocka_unit_test(test_virtio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
