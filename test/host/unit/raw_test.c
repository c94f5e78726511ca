/*
 * Raw sockets and ICMP datagram sockets: who gets what, headers of one's own, filters, identifiers.
 */
#include "test/host/unit/ip4_fixture.h"

#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "net/core/checksum.h"
#include "net/ipv4/icmp_wire.h"
#include "net/ipv4/ping.h"

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

static size_t icmp_packet(uint8_t type, uint32_t info, const void *payload, size_t n)
{
	const struct ip4_spec spec = {.protocol = IPPROTO_ICMP};
	uint8_t message[256];

	return ip4_make(packet, &spec, message, icmp_make(message, type, 0, info, payload, n));
}

static void reply_arrives(uint16_t id)
{
	ip4_arrives(&f, packet, icmp_packet(ICMP_ECHOREPLY, (uint32_t)id << 16 | 1, "pong", 4));
}

/* An error about an ICMP echo of ours. */
static void error_arrives(uint8_t type, uint16_t id)
{
	const struct ip4_spec inner = {
		.source = OURS, .destination = PEER, .protocol = IPPROTO_ICMP};
	uint8_t echo[16], quoted[64];
	size_t n = icmp_make(echo, ICMP_ECHO, 0, (uint32_t)id << 16, "ping", 4);

	n = ip4_make(quoted, &inner, echo, n);
	ip4_arrives(&f, packet, icmp_packet(type, 0, quoted, n));
}

/* Raw. */

static void test_raw_gets_the_whole_packet(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_RAW, IPPROTO_ICMP);
	struct endpoint from;
	size_t n = icmp_packet(ICMP_ECHOREPLY, 0x00090001, "pong", 4);

	ip4_arrives(&f, packet, n);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), &from), n);
	assert_memory_equal(buffer, packet, n);
	assert_int_equal(from.addr.v4, PEER);
	assert_int_equal(from.port, 0);
	socket_close(socket);
}

static void test_raw_takes_a_copy_only(void **state __unused)
{
	struct socket *a = make_socket(&f, SOCK_RAW, IPPROTO_ICMP);
	struct socket *b = make_socket(&f, SOCK_RAW, IPPROTO_ICMP);

	assert_still_answers(&f); /* the kernel answers all the same */
	assert_true(do_receive(a, buffer, sizeof(buffer), NULL) > 0);
	assert_true(do_receive(b, buffer, sizeof(buffer), NULL) > 0);
	socket_close(a);
	socket_close(b);
}

/* A protocol that a raw socket listens to is not unknown. */
static void test_raw_makes_a_protocol_known(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_RAW, 200);
	const struct ip4_spec spec = {.protocol = 200};

	ip4_arrives(&f, packet, ip4_make(packet, &spec, "abcdefgh", 8));
	assert_int_equal(f.sent_count, 0);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), 28);
	socket_close(socket);
	ip4_arrives(&f, packet, ip4_make(packet, &spec, "abcdefgh", 8));
	assert_int_equal(fixture_drops(&f, DROP_IP4_UNKNOWN_PROTOCOL), 1);
}

static void test_raw_bound_and_connected(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_RAW, IPPROTO_ICMP);

	assert_int_equal(do_bind(socket, FAR, 0), -EADDRNOTAVAIL);
	assert_int_equal(do_bind(socket, IP4_LOOPBACK, 0), 0);
	reply_arrives(1);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), -EAGAIN);
	assert_int_equal(do_bind(socket, OURS, 0), 0);
	assert_int_equal(do_connect(socket, IP4(10, 0, 0, 3), 0), 0);
	reply_arrives(1);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), -EAGAIN);
	assert_int_equal(do_connect(socket, PEER, 0), 0);
	reply_arrives(1);
	assert_true(do_receive(socket, buffer, sizeof(buffer), NULL) > 0);
	socket_close(socket);
}

static void test_icmp_filter(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_RAW, IPPROTO_ICMP);
	struct socket *other = make_socket(&f, SOCK_RAW, 200);
	struct icmp_filter filter = {.data = ~(1u << ICMP_ECHOREPLY)};

	assert_int_equal(socket_setsockopt(socket, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter)),
			 0);
	assert_int_equal((uint32_t)get_option(socket, SOL_RAW, ICMP_FILTER), filter.data);
	assert_still_answers(&f);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), -EAGAIN);
	reply_arrives(1);
	assert_true(do_receive(socket, buffer, sizeof(buffer), NULL) > 0);
	assert_int_equal(socket_setsockopt(other, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter)),
			 -EOPNOTSUPP);
	socket_close(socket);
	socket_close(other);
}

static void test_raw_send(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_RAW, 200);
	struct ip4_header header;

	assert_int_equal(set_option(socket, SOL_IP, IP_TTL, 9), 0);
	assert_int_equal(do_send(socket, PEER, 0, "payload!", 8), 8);
	const uint8_t *sent = ip4_sent(&f, 0, &header);

	assert_int_equal(header.protocol, 200);
	assert_int_equal(header.ttl, 9);
	assert_int_equal(header.source, OURS);
	assert_memory_equal(sent + 20, "payload!", 8);
	assert_int_equal(do_send(socket, 0, 0, "x", 1), -EDESTADDRREQ);
	assert_int_equal(do_send(socket, PEER, 0, buffer, 65536), -EMSGSIZE);
	assert_int_equal(do_send(socket, PEER, 0, buffer, 65516), -EMSGSIZE);
	socket_close(socket);
}

static void test_raw_send_with_a_header_of_ones_own(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_RAW, IPPROTO_RAW);
	const struct ip4_spec spec = {
		.source = IP4(1, 2, 3, 4), .destination = FAR, .ttl = 3, .protocol = 150, .id = 77};
	struct ip4_header header;
	size_t n = ip4_make(packet, &spec, "payload!", 8);

	assert_int_equal(get_option(socket, SOL_IP, IP_HDRINCL), 1);
	put_be16(packet + 2, 0); /* both are filled in */
	put_be16(packet + 10, 0);
	assert_int_equal(do_send(socket, PEER, 0, packet, n), n);
	ip4_sent(&f, 0, &header);
	assert_int_equal(header.source, IP4(1, 2, 3, 4));
	assert_int_equal(header.destination, FAR); /* though it goes to the neighbour asked for */
	assert_int_equal(header.id, 77);
	assert_int_equal(header.total_length, n);
	put_be32(packet + 12, 0);
	put_be16(packet + 4, 0);
	assert_int_equal(do_send(socket, PEER, 0, packet, n), n);
	ip4_sent(&f, 1, &header);
	assert_int_equal(header.source, OURS);
	packet[0] = 0x4f; /* a header longer than what there is */
	assert_int_equal(do_send(socket, PEER, 0, packet, n), -EINVAL);
	assert_int_equal(do_send(socket, PEER, 0, packet, 19), -EINVAL);
	packet[0] = 0x45;
	assert_int_equal(do_send(socket, PEER, 0, packet, 1501), -EMSGSIZE);
	assert_still_answers(&f);
	socket_close(socket);
}

static void test_raw_hears_errors(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_RAW, IPPROTO_ICMP);

	assert_int_equal(set_option(socket, SOL_IP, IP_RECVERR, 1), 0);
	error_arrives(ICMP_TIME_EXCEEDED, 7);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), -EHOSTUNREACH);
	assert_true(do_receive(socket, buffer, sizeof(buffer), NULL) > 0); /* the message itself */
	socket_close(socket);
}

/* The error of one probe does not keep the next from leaving, as on Linux: traceroute -I and -T. */
static void test_raw_sends_past_errors(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_RAW, IPPROTO_ICMP);

	assert_int_equal(set_option(socket, SOL_IP, IP_RECVERR, 1), 0);
	error_arrives(ICMP_TIME_EXCEEDED, 7);
	assert_int_equal(do_send(socket, PEER, 0, "next", 4), 4);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), -EHOSTUNREACH);
	socket_close(socket);
}

static void test_proc_raw(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_RAW, IPPROTO_ICMP);
	char text[1024];

	assert_int_equal(ipv4_proc_init(&f.net), 0);
	assert_int_equal(host_proc_read("net/raw", text, sizeof(text)), 2 * 128);
	assert_non_null(strstr(text, "\n    1: 00000000:0001 00000000:0000 07 00000000:00000000 "));
	socket_close(socket);
}

/* Those of another interface do not concern it. */
static void test_raw_bound_to_a_device(void **state __unused)
{
	struct socket *here = make_socket(&f, SOCK_RAW, IPPROTO_ICMP),
		      *there = make_socket(&f, SOCK_RAW, IPPROTO_ICMP);

	assert_int_equal(socket_setsockopt(here, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5), 0);
	assert_int_equal(socket_setsockopt(there, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
	reply_arrives(1);
	assert_true(do_receive(here, buffer, sizeof(buffer), NULL) > 0);
	assert_int_equal(do_receive(there, buffer, sizeof(buffer), NULL), -EAGAIN);
	socket_close(here);
	socket_close(there);
}

/* The groups that others joined, unless it wants its own alone. */
static void test_raw_and_groups(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_RAW, 200),
		      *member = make_socket(&f, SOCK_DGRAM, 0);
	const struct ip_mreq request = {.imr_multiaddr.s_addr = cpu_to_be32(GROUP),
					.imr_interface.s_addr = cpu_to_be32(OURS)};
	const struct ip4_spec spec = {.protocol = 200, .destination = GROUP};
	size_t n = ip4_make(packet, &spec, "abcdefgh", 8);

	assert_int_equal(
		socket_setsockopt(member, SOL_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request)), 0);
	ip4_arrives(&f, packet, n);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), n);
	assert_int_equal(set_option(socket, SOL_IP, IP_MULTICAST_ALL, 0), 0);
	ip4_arrives(&f, packet, n);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), -EAGAIN);
	socket_close(socket);
	socket_close(member);
}

/*
 * VRRP's daemons must not hear themselves: their group's other members would be of their own rank.
 */
static void test_raw_own_header_and_loop(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_RAW, 112);
	const struct ip_mreq request = {.imr_multiaddr.s_addr = cpu_to_be32(GROUP),
					.imr_interface.s_addr = cpu_to_be32(OURS)};
	const struct ip4_spec spec = {.source = OURS, .destination = GROUP, .protocol = 112};
	size_t n = ip4_make(packet, &spec, "abcdefgh", 8);

	assert_int_equal(
		socket_setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request)), 0);
	assert_int_equal(set_option(socket, SOL_IP, IP_HDRINCL, 1), 0);
	assert_int_equal(do_send(socket, GROUP, 0, packet, n), n);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), n);
	assert_int_equal(set_option(socket, SOL_IP, IP_MULTICAST_LOOP, 0), 0);
	assert_int_equal(do_send(socket, GROUP, 0, packet, n), n);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), -EAGAIN);
	socket_close(socket);
}

static void test_icmp_filter_and_odd_messages(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_RAW, IPPROTO_ICMP);
	struct icmp_filter filter = {.data = UINT32_MAX};
	const struct ip4_spec spec = {.protocol = IPPROTO_ICMP};
	uint32_t length = 2;

	assert_int_equal(socket_setsockopt(socket, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter)),
			 0);
	assert_int_equal(socket_getsockopt(socket, SOL_RAW, ICMP_FILTER, buffer, &length), 0);
	assert_int_equal(length, 2);
	ip4_arrives(&f, packet, ip4_make(packet, &spec, NULL, 0)); /* no type at all */
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), -EAGAIN);
	ip4_arrives(&f, packet, icmp_packet(200, 0, "abc", 3)); /* one without a bit */
	assert_true(do_receive(socket, buffer, sizeof(buffer), NULL) > 0);
	assert_int_equal(socket_setsockopt(socket, SOL_RAW, ICMP_FILTER + 1, &filter, 4),
			 -ENOPROTOOPT);
	length = 4;
	assert_int_equal(socket_getsockopt(socket, SOL_RAW, ICMP_FILTER + 1, buffer, &length),
			 -ENOPROTOOPT);
	socket_close(socket);
	socket = make_socket(&f, SOCK_RAW, 200);
	assert_int_equal(socket_getsockopt(socket, SOL_RAW, ICMP_FILTER, buffer, &length),
			 -ENOPROTOOPT);
	socket_close(socket);
}

/* Errors about packets that another sent, or that went elsewhere. */
static void test_raw_hears_its_own_errors(void **state __unused)
{
	struct socket *other_source = make_socket(&f, SOCK_RAW, IPPROTO_ICMP);
	struct socket *other_peer = make_socket(&f, SOCK_RAW, IPPROTO_ICMP);
	struct socket *sockets[] = {other_source, other_peer};

	assert_int_equal(do_bind(other_source, IP4_LOOPBACK, 0), 0);
	assert_int_equal(do_connect(other_peer, GATEWAY, 0), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(set_option(sockets[i], SOL_IP, IP_RECVERR, 1), 0);
	error_arrives(ICMP_TIME_EXCEEDED, 7);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(get_option(sockets[i], SOL_SOCKET, SO_ERROR), 0);
		socket_close(sockets[i]);
	}
}

static void test_raw_sends_icmp_and_nothing(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_RAW, IPPROTO_ICMP);
	struct ip4_header header;

	assert_int_equal(do_send(socket, PEER, 0, "", 0), 0);
	ip4_sent(&f, 0, &header);
	assert_int_equal(header.total_length, 20);
	assert_int_equal(set_option(socket, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO), 0);
	assert_int_equal(do_send(socket, PEER, 0, buffer, 1481), -EMSGSIZE);
	assert_int_equal(fixture_drops(&f, DROP_IP4_MUST_FRAGMENT), 1);
	socket_close(socket);
}

/* ICMP datagram sockets. */

static size_t echo_request(uint8_t *to)
{
	return icmp_make(to, ICMP_ECHO, 0, 0xffff0005, "ping", 4); /* the identifier is replaced */
}

static uint16_t sent_id(uint32_t i)
{
	struct ip4_header header;
	const uint8_t *sent = ip4_sent(&f, i, &header);

	assert_int_equal(sent[20], ICMP_ECHO);
	assert_int_equal(checksum_fold(checksum_add(sent + 20, header.total_length - 20u, 0)).raw,
			 0);
	return get_be16(sent + 24);
}

static void test_ping(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, IPPROTO_ICMP);
	struct socket *other = make_socket(&f, SOCK_DGRAM, IPPROTO_ICMP);
	uint8_t request[64];
	size_t n = echo_request(request);
	struct endpoint from;

	assert_int_equal(do_send(socket, PEER, 0, request, n), n);
	assert_int_equal(do_send(other, PEER, 0, request, n), n);
	uint16_t id = sent_id(0);

	assert_int_not_equal(id, sent_id(1));
	reply_arrives(id);
	assert_int_equal(do_receive(other, buffer, sizeof(buffer), NULL), -EAGAIN);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), &from), n);
	assert_int_equal(buffer[0], ICMP_ECHOREPLY);
	assert_int_equal(get_be16(buffer + 4), id);
	assert_int_equal(from.addr.v4, PEER);
	reply_arrives((uint16_t)(id ^ sent_id(1) ^ 0x1234)); /* nobody's */
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), -EAGAIN);
	socket_close(socket);
	socket_close(other);
}

static void test_ping_sends_echo_only(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, IPPROTO_ICMP);
	uint8_t request[64];
	size_t n = echo_request(request);

	request[0] = ICMP_REDIRECT;
	assert_int_equal(do_send(socket, PEER, 0, request, n), -EINVAL);
	request[0] = ICMP_ECHO;
	request[1] = 1;
	assert_int_equal(do_send(socket, PEER, 0, request, n), -EINVAL);
	assert_int_equal(do_send(socket, PEER, 0, request, 7), -EINVAL);
	assert_int_equal(do_send(socket, PEER, 0, buffer, 65516), -EMSGSIZE);
	socket_close(socket);
}

static void test_ping_identifiers(void **state __unused)
{
	struct socket *a = make_socket(&f, SOCK_DGRAM, IPPROTO_ICMP);
	struct socket *b = make_socket(&f, SOCK_DGRAM, IPPROTO_ICMP);

	assert_int_equal(do_bind(a, 0, 4000), 0);
	assert_int_equal(do_bind(a, 0, 4001), -EINVAL);
	assert_int_equal(do_bind(b, 0, 4000), -EADDRINUSE);
	assert_int_equal(do_bind(b, FAR, 4001), -EADDRNOTAVAIL);
	reply_arrives(4000);
	assert_true(do_receive(a, buffer, sizeof(buffer), NULL) > 0);
	socket_close(a);
	assert_int_equal(do_bind(b, 0, 4000), 0);
	socket_close(b);
}

static void test_ping_hears_errors(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, IPPROTO_ICMP);

	assert_int_equal(do_bind(socket, 0, 4000), 0);
	assert_int_equal(set_option(socket, SOL_IP, IP_RECVERR, 1), 0);
	error_arrives(ICMP_TIME_EXCEEDED, 4001);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), -EAGAIN);
	error_arrives(ICMP_TIME_EXCEEDED, 4000);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), -EHOSTUNREACH);
	socket_close(socket);
}

/* Its own conversation only: not replies from another host, or to another address. */
static void test_ping_bound_and_connected(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, IPPROTO_ICMP);

	assert_int_equal(do_bind(socket, IP4_LOOPBACK, 4000), 0);
	reply_arrives(4000); /* to OURS */
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), -EAGAIN);
	socket_close(socket);
	socket = make_socket(&f, SOCK_DGRAM, IPPROTO_ICMP);
	assert_int_equal(do_bind(socket, OURS, 4000), 0);
	assert_int_equal(do_connect(socket, GATEWAY, 0), 0);
	reply_arrives(4000);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), -EAGAIN);
	assert_int_equal(do_connect(socket, PEER, 0), 0);
	reply_arrives(4000);
	assert_true(do_receive(socket, buffer, sizeof(buffer), NULL) > 0);
	assert_int_equal(do_connect(socket, SUBNET_BROADCAST, 0), -EACCES);
	socket_close(socket);
}

static void test_ping_send_errors(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, IPPROTO_ICMP);
	uint8_t request[64];
	size_t n = echo_request(request);

	assert_int_equal(do_send(socket, 0, 0, request, n), -EDESTADDRREQ);
	assert_int_equal(do_send(socket, SUBNET_BROADCAST, 0, request, n), -EACCES);
	socket_close(socket);
}

/* An error about an ICMP message of ours that was no echo concerns nobody. */
static void test_ping_hears_of_echo_only(void **state __unused)
{
	const struct ip4_spec inner = {
		.source = OURS, .destination = PEER, .protocol = IPPROTO_ICMP};
	struct socket *socket = make_socket(&f, SOCK_DGRAM, IPPROTO_ICMP);
	uint8_t message[16], quoted[64];
	size_t n = icmp_make(message, ICMP_ECHOREPLY, 0, 4000u << 16, "ping", 4);

	assert_int_equal(do_bind(socket, 0, 4000), 0);
	assert_int_equal(set_option(socket, SOL_IP, IP_RECVERR, 1), 0);
	n = ip4_make(quoted, &inner, message, n);
	ip4_arrives(&f, packet, icmp_packet(ICMP_TIME_EXCEEDED, 0, quoted, n));
	assert_int_equal(get_option(socket, SOL_SOCKET, SO_ERROR), 0);
	socket_close(socket);
}

static void test_ping_to_ourselves(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, IPPROTO_ICMP);
	uint8_t request[64];
	size_t n = echo_request(request);

	assert_int_equal(do_send(socket, IP4_LOOPBACK, 0, request, n), n);
	fixture_run(&f);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), n);
	assert_int_equal(buffer[0], ICMP_ECHOREPLY);
	assert_int_equal(f.sent_count, 0);
	socket_close(socket);
}

static void test_ping_group_range(void **state __unused)
{
	struct socket *socket;

	ip4_stack(&f.net)->settings.ping_group_range[0] = 1;
	assert_int_equal(socket_create(&f.net, AF_INET, SOCK_DGRAM, IPPROTO_ICMP, &socket),
			 -EACCES);
	ip4_stack(&f.net)->settings.ping_group_range[0] = -1;
	ip4_stack(&f.net)->settings.ping_group_range[1] = -1;
	assert_int_equal(socket_create(&f.net, AF_INET, SOCK_DGRAM, IPPROTO_ICMP, &socket),
			 -EACCES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_raw_gets_the_whole_packet),
		TEST(test_raw_takes_a_copy_only),
		TEST(test_raw_makes_a_protocol_known),
		TEST(test_raw_bound_and_connected),
		TEST(test_icmp_filter),
		TEST(test_raw_send),
		TEST(test_raw_send_with_a_header_of_ones_own),
		TEST(test_raw_hears_errors),
		TEST(test_raw_sends_past_errors),
		TEST(test_raw_bound_to_a_device),
		TEST(test_raw_and_groups),
		TEST(test_raw_own_header_and_loop),
		TEST(test_icmp_filter_and_odd_messages),
		TEST(test_raw_hears_its_own_errors),
		TEST(test_raw_sends_icmp_and_nothing),
		TEST(test_proc_raw),
		TEST(test_ping),
		TEST(test_ping_sends_echo_only),
		TEST(test_ping_identifiers),
		TEST(test_ping_hears_errors),
		TEST(test_ping_bound_and_connected),
		TEST(test_ping_send_errors),
		TEST(test_ping_hears_of_echo_only),
		TEST(test_ping_to_ourselves),
		TEST(test_ping_group_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
