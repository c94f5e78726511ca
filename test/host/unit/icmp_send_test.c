/* ICMP errors that are sent: about what, with how much of it, and how many. */
#include "test/host/unit/ip4_fixture.h"

#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "net/core/checksum.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/icmp.h"

static struct fixture f;
static uint8_t packet[2000];
static uint8_t message[2000];

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

/* What a router quotes of a UDP datagram of ours from port 5000 to `destination`'s port 7. */
static size_t quoted_udp(uint8_t *to, ip4_t destination)
{
	const struct ip4_spec spec = {.source = OURS, .destination = destination};
	uint8_t udp[16];
	size_t n = udp_make(udp, OURS, destination, 5000, 7, "payload!", 8);

	return ip4_make(to, &spec, udp, n);
}

static void closed_port(ip4_t source, bool broadcast_frame)
{
	const struct ip4_spec spec = {.source = source};
	uint8_t udp[16];
	size_t n = udp_make(udp, source, OURS, 9, 9999, "payload!", 8);

	n = ip4_make(packet, &spec, udp, n);
	if (broadcast_frame)
		ip4_arrives_broadcast(&f, packet, n);
	else
		ip4_arrives(&f, packet, n);
}

static void test_port_unreachable_quotes_up_to_576(void **state __unused)
{
	static uint8_t payload[1400];
	struct ip4_header header;
	size_t n = udp_packet(packet, 9, 9999, payload, sizeof(payload));

	ip4_arrives(&f, packet, n);
	const uint8_t *sent = ip4_sent(&f, 0, &header);

	assert_int_equal(header.total_length, 576);
	assert_int_equal(header.destination, PEER);
	assert_int_equal(header.source, OURS);
	assert_int_equal(sent[20], ICMP_DEST_UNREACH);
	assert_int_equal(sent[21], ICMP_PORT_UNREACH);
	assert_memory_equal(sent + 28, packet, 548);
	assert_int_equal(checksum_fold(checksum_add(sent + 20, 556, 0)).raw, 0);
}

static void test_no_error_about_these(void **state __unused)
{
	const struct ip4_spec to_group = {.protocol = 200, .destination = IP4(224, 0, 0, 1)};
	const struct ip4_spec to_all = {.protocol = 200, .destination = IP4_BROADCAST};
	const struct ip4_spec later = {.protocol = 200, .fragment = 10};
	uint8_t quoted[64];
	size_t n;

	ip4_arrives(&f, packet, ip4_make(packet, &to_group, "abcdefgh", 8));
	ip4_arrives_broadcast(&f, packet, ip4_make(packet, &to_all, "abcdefgh", 8));
	ip4_arrives(&f, packet, ip4_make(packet, &later, "abcdefgh", 8));
	fixture_advance(
		&f, 31 * USEC_PER_SEC); /* a fragment that is not the first expires in silence */
	assert_int_equal(f.sent_count, 0);

	/* An ICMP error with a malformed option: nothing about it either. */
	static const uint8_t options[] = {200, 0, 0, 0};
	const struct ip4_spec spec = {
		.protocol = IPPROTO_ICMP, .options = options, .options_length = 4};

	n = quoted_udp(quoted, FAR);
	n = icmp_make(message, ICMP_DEST_UNREACH, 3, 0, quoted, n);
	ip4_arrives(&f, packet, ip4_make(packet, &spec, message, n));
	assert_int_equal(fixture_drops(&f, DROP_IP4_BAD_OPTION), 1);
	assert_int_equal(f.sent_count, 0);
	assert_still_answers(&f);
}

/* With a malformed option, which would be answered: errors of every kind, and what might be one. */
static void test_no_error_about_errors(void **state __unused)
{
	static const uint8_t types[] = {ICMP_DEST_UNREACH, ICMP_SOURCE_QUENCH, ICMP_REDIRECT,
					ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB};
	static const uint8_t options[] = {200, 0, 0, 0};
	const struct ip4_spec spec = {
		.protocol = IPPROTO_ICMP, .options = options, .options_length = 4};

	for (size_t i = 0; i < sizeof(types); i++)
		assert_refused(&f, packet,
			       ip4_make(packet, &spec, message,
					icmp_make(message, types[i], 0, 0, "x", 1)),
			       DROP_IP4_BAD_OPTION);
	assert_refused(&f, packet, ip4_make(packet, &spec, message, 0), DROP_IP4_BAD_OPTION);
	ip4_arrives(&f, packet,
		    ip4_make(packet, &spec, message, icmp_make(message, ICMP_ECHO, 0, 0, "x", 1)));
	assert_int_equal(f.sent_count, 1); /* a question, however, gets its parameter problem */
}

/* RFC 1122 3.2.2: whatever shows that it was not meant for us alone. */
static void test_no_error_about_what_went_to_many(void **state __unused)
{
	static const uint8_t options[] = {200, 0, 0, 0};
	const struct ip4_spec to_subnet = {
		.destination = SUBNET_BROADCAST, .options = options, .options_length = 4};
	const struct ip4_spec from_nobody = {
		.destination = IP4_BROADCAST, .options = options, .options_length = 4};
	static const struct mac group = {{0x01, 0, 0x5e, 0, 0, 1}};
	const struct ip4_spec to_group = {
		.destination = IP4(224, 0, 0, 1), .options = options, .options_length = 4};
	const struct ip4_spec igmp = {
		.protocol = IPPROTO_IGMP, .options = options, .options_length = 4};
	size_t n = ip4_make(packet, &to_subnet, "abcdefgh", 8);

	ip4_arrives(&f, packet, n); /* in a frame to us */
	n = ip4_make(packet, &from_nobody, "abcdefgh", 8);
	put_be32(packet + 12, 0);
	ip4_fix_checksum(packet);
	ip4_arrives(&f, packet, n);
	n = ip4_make(packet, &to_group, "abcdefgh", 8);
	fixture_receive_ethernet(&f, group, FIXTURE_PEER, ETHERTYPE_IP4, packet, n);
	/* IGMP alone may come from nobody (RFC 3376 4.2.13); nobody hears that it was wrong. */
	n = ip4_make(packet, &igmp, "abcdefgh", 8);
	put_be32(packet + 12, 0);
	ip4_fix_checksum(packet);
	ip4_arrives(&f, packet, n);
	assert_int_equal(fixture_drops(&f, DROP_IP4_BAD_OPTION), 4);
	assert_int_equal(f.sent_count, 0);
	assert_still_answers(&f);
}

/* net.ipv4.icmp_ratelimit 0: each one is answered. */
static void test_limiter_switched_off(void **state __unused)
{
	ip4_stack(&f.net)->settings.icmp_ratelimit = 0;
	for (uint32_t i = 0; i < 100; i++)
		closed_port(PEER, false);
	assert_int_equal(f.sent_count, 100);
	assert_int_equal(fixture_drops(&f, DROP_ICMP_RATE_LIMITED), 0);
}

/* The processes of this host hear of errors at once: nobody else could be flooded. */
static void test_errors_to_ourselves_have_no_limit(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);
	uint32_t refused = 0;

	assert_int_equal(do_connect(socket, IP4_LOOPBACK, 9), 0);
	for (uint32_t i = 0; i < 50; i++) {
		assert_int_equal(do_send(socket, 0, 0, "x", 1), 1);
		fixture_run(&f);
		refused += do_receive(socket, message, 1, NULL) == -ECONNREFUSED;
	}
	assert_int_equal(refused, 50);
	socket_close(socket);
}

static void test_datagrams_to_closed_ports_10000(void **state __unused)
{
	for (uint32_t i = 0; i < 10000; i++) {
		closed_port(PEER, false);
		fixture_advance(&f, 100);
	}
	/* One second in all: the burst and about one more. */
	assert_true(f.sent_count >= ICMP_LIMIT_BURST && f.sent_count <= ICMP_LIMIT_BURST + 3);
	assert_int_equal(fixture_drops(&f, DROP_ICMP_RATE_LIMITED), 10000 - f.sent_count);
	assert_int_equal(fixture_drops(&f, DROP_UDP_NO_SOCKET), 10000);
	/* Another destination has its own bucket. */
	fixture_clear_sent(&f);
	closed_port(IP4(10, 0, 0, 254), false);
	assert_int_equal(f.sent_count, 1);
	assert_still_answers(&f);
}

/*
 * The moments at which single errors pass are not the limiter's clock: what a side channel would
 * count.
 */
static void test_limiter_has_jitter(void **state __unused)
{
	uint64_t gaps[20], last = 0;
	uint32_t count = 0;
	bool differ = false;

	while (count < ARRAY_SIZE(gaps)) {
		fixture_clear_sent(&f);
		closed_port(PEER, false);
		if (f.sent_count) {
			gaps[count++] = f.now_us - last;
			last = f.now_us;
		}
		fixture_advance(&f, 10000);
	}
	for (uint32_t i = ICMP_LIMIT_BURST + 2; i < count; i++) {
		differ |= gaps[i] != gaps[i - 1];
		assert_true(gaps[i] >= 400000 && gaps[i] <= 1600000);
	}
	assert_true(differ);
}

static void test_limiter_for_all_destinations(void **state __unused)
{
	for (uint32_t i = 0; i < 2000; i++)
		closed_port(IP4(203, 0, 0, 0) + i * 7 + 1, false);
	assert_true(f.sent_count <= ICMP_LIMIT_ALL_BURST + 40);
	assert_still_answers(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_port_unreachable_quotes_up_to_576),
		TEST(test_no_error_about_these),
		TEST(test_no_error_about_errors),
		TEST(test_no_error_about_what_went_to_many),
		TEST(test_limiter_switched_off),
		TEST(test_errors_to_ourselves_have_no_limit),
		TEST(test_datagrams_to_closed_ports_10000),
		TEST(test_limiter_has_jitter),
		TEST(test_limiter_for_all_destinations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
