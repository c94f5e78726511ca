/* ICMP: echo, and the errors that arrive; hostile messages by name. */
#include "test/host/unit/ip4_fixture.h"

#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "net/core/checksum.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/icmp.h"

static struct fixture f;
static uint8_t packet[70000];
static uint8_t message[66000];

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

static size_t icmp_packet(ip4_t destination, uint8_t type, uint8_t code, uint32_t info,
			  const void *payload, size_t n)
{
	const struct ip4_spec spec = {.protocol = IPPROTO_ICMP, .destination = destination};

	return ip4_make(packet, &spec, message, icmp_make(message, type, code, info, payload, n));
}

/* What a router quotes of a UDP datagram of ours from port 5000 to `destination`'s port 7. */
static size_t quoted_udp(uint8_t *to, ip4_t destination)
{
	const struct ip4_spec spec = {.source = OURS, .destination = destination};
	uint8_t udp[16];
	size_t n = udp_make(udp, OURS, destination, 5000, 7, "payload!", 8);

	return ip4_make(to, &spec, udp, n);
}

static void error_arrives(uint8_t type, uint8_t code, uint32_t info, ip4_t destination)
{
	uint8_t quoted[64];
	size_t n = quoted_udp(quoted, destination);

	ip4_arrives(&f, packet, icmp_packet(OURS, type, code, info, quoted, n));
}

/* Echo. */

static void test_echo_of_0_to_7_bytes_and_more(void **state __unused)
{
	static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 56, 1471, 1472};
	struct ip4_header header;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint8_t payload[1500];

		memset(payload, 'x', sizeof(payload));
		fixture_clear_sent(&f);
		ip4_arrives(&f, packet, echo_packet(packet, 9, payload, sizes[i]));
		assert_int_equal(f.sent_count, 1);
		const uint8_t *sent = ip4_sent(&f, 0, &header);

		assert_int_equal(header.source, OURS);
		assert_int_equal(header.total_length, 28 + sizes[i]);
		assert_int_equal(checksum_fold(checksum_add(sent + 20, 8 + sizes[i], 0)).raw, 0);
		assert_int_equal(get_be16(sent + 24), 9);
		assert_memory_equal(sent + 28, payload, sizes[i]);
	}
}

static void test_echo_cut_below_its_header(void **state __unused)
{
	const struct ip4_spec spec = {.protocol = IPPROTO_ICMP};

	for (size_t n = 0; n < ICMP_HEADER_LENGTH; n++)
		assert_refused(&f, packet, ip4_make(packet, &spec, "\10\0\367\377\0\0\0", n),
			       DROP_ICMP_SHORT);
}

static void test_echo_of_65507_bytes(void **state __unused)
{
	static uint8_t payload[65507];
	struct ip4_spec spec = {.protocol = IPPROTO_ICMP, .id = 3};
	size_t n = icmp_make(message, ICMP_ECHO, 0, 1, payload, sizeof(payload)), received = 0;
	struct ip4_header header;

	for (size_t offset = 0; offset < n; offset += 1480) {
		size_t length = MIN(1480u, n - offset);

		spec.fragment = (uint16_t)(offset / 8 | (offset + length < n ? FRAGMENT_MORE : 0));
		ip4_arrives(&f, packet, ip4_make(packet, &spec, message + offset, length));
	}
	for (uint32_t i = 0; i < f.sent_count; i++) {
		ip4_sent(&f, i, &header);
		received += header.total_length - 20u;
	}
	assert_int_equal(received, 65515);
	assert_still_answers(&f);
}

static void test_echo_to_broadcast_and_multicast(void **state __unused)
{
	size_t n = icmp_packet(SUBNET_BROADCAST, ICMP_ECHO, 0, 1, "abc", 3);

	ip4_arrives_broadcast(&f, packet, n);
	n = icmp_packet(IP4_BROADCAST, ICMP_ECHO, 0, 1, "abc", 3);
	ip4_arrives_broadcast(&f, packet, n);
	n = icmp_packet(IP4(224, 0, 0, 1), ICMP_ECHO, 0, 1, "abc", 3);
	ip4_arrives(&f, packet, n);
	assert_int_equal(fixture_drops(&f, DROP_ICMP_IGNORED), 3);
	assert_int_equal(f.sent_count, 0);
	assert_still_answers(&f);

	ip4_stack(&f.net)->settings.icmp_echo_ignore_broadcasts = 0;
	struct ip4_header header;

	ip4_arrives(&f, packet, n);
	ip4_sent(&f, 0, &header);
	assert_int_equal(header.source, OURS);
	ip4_stack(&f.net)->settings.icmp_echo_ignore_all = 1;
	fixture_clear_sent(&f);
	ip4_arrives(&f, packet, echo_packet(packet, 1, "x", 1));
	assert_int_equal(f.sent_count, 0);
}

static void test_bad_checksum(void **state __unused)
{
	size_t n = icmp_packet(OURS, ICMP_ECHO, 0, 1, "abc", 3);

	packet[22] ^= 1;
	assert_refused(&f, packet, n, DROP_ICMP_BAD_CHECKSUM);
}

static void test_redirect_quench_and_old_queries_are_ignored(void **state __unused)
{
	static const uint8_t types[] = {ICMP_SOURCE_QUENCH, ICMP_REDIRECT, ICMP_TIMESTAMP,
					ICMP_INFO_REQUEST, ICMP_ADDRESS};
	uint8_t quoted[64];
	size_t n = quoted_udp(quoted, FAR);
	struct route_result before, after;

	net_lock(&f.net);
	assert_int_equal(route_lookup(&f.net, FAR, 0, 0, &before), 0);
	net_unlock(&f.net);
	for (size_t i = 0; i < sizeof(types); i++)
		assert_refused(&f, packet, icmp_packet(OURS, types[i], 0, PEER, quoted, n),
			       DROP_ICMP_IGNORED);
	net_lock(&f.net);
	assert_int_equal(route_lookup(&f.net, FAR, 0, 0, &after), 0);
	net_unlock(&f.net);
	assert_int_equal(before.next_hop, after.next_hop);
	assert_int_equal(icmp_state(&f.net)->received[ICMP_REDIRECT], 1);
}

/* RFC 1122 3.2.2.2 lets a host believe redirects; ours believes none of the four kinds. */
static void test_every_kind_of_redirect(void **state __unused)
{
	uint8_t quoted[64];
	size_t n = quoted_udp(quoted, FAR);
	struct socket *socket = make_bound(&f, OURS, 5000);
	struct route_result result;

	for (uint8_t code = 0; code < 4; code++) {
		n = icmp_packet(OURS, ICMP_REDIRECT, code, PEER, quoted, n);
		assert_refused(&f, packet, n, DROP_ICMP_IGNORED);
		n = quoted_udp(quoted, FAR);
	}
	net_lock(&f.net);
	assert_int_equal(route_lookup(&f.net, FAR, 0, 0, &result), 0);
	net_unlock(&f.net);
	assert_int_equal(result.next_hop, GATEWAY);
	socket_close(socket);
}

/* RFC 6918: queries of old and their replies, all of them. */
static void test_every_old_message_is_ignored(void **state __unused)
{
	static const uint8_t types[] = {ICMP_TIMESTAMP,  ICMP_TIMESTAMPREPLY, ICMP_INFO_REQUEST,
					ICMP_INFO_REPLY, ICMP_ADDRESS,        ICMP_ADDRESSREPLY};

	for (size_t i = 0; i < sizeof(types); i++)
		assert_refused(&f, packet, icmp_packet(OURS, types[i], 0, 0, "abcdefgh", 8),
			       DROP_ICMP_IGNORED);
}

/* The sum of nothing but zeroes has one right form in a reply: RFC 1624 3. */
static void test_echo_of_zeroes(void **state __unused)
{
	static const uint8_t zeroes[32];
	struct ip4_header header;

	ip4_arrives(&f, packet, icmp_packet(OURS, ICMP_ECHO, 0, 0, zeroes, sizeof(zeroes)));
	const uint8_t *sent = ip4_sent(&f, 0, &header);

	assert_int_equal(get_be16(sent + 22), 0xffff);
	assert_int_equal(checksum_fold(checksum_add(sent + 20, 40, 0)).raw, 0);
}

/* A device that has looked at the checksum is believed. */
static void test_echo_that_the_device_verified(void **state __unused)
{
	struct ip4_header header;
	size_t n = icmp_packet(OURS, ICMP_ECHO, 0, 1, "abc", 3);
	struct sk_buff *skb = skb_alloc(&f.net, ETHERNET_HEADER_LENGTH + n);
	uint8_t *frame = skb_put(skb, ETHERNET_HEADER_LENGTH + n);

	packet[22] ^= 1; /* wrong, to see who looks */
	memcpy(frame, FIXTURE_MAC.bytes, MAC_LENGTH);
	memcpy(frame + MAC_LENGTH, FIXTURE_PEER.bytes, MAC_LENGTH);
	put_be16(frame + 12, ETHERTYPE_IP4);
	memcpy(frame + ETHERNET_HEADER_LENGTH, packet, n);
	skb->checksum = SKB_CHECKSUM_VERIFIED;
	net_lock(&f.net);
	netif_receive(&f.dev, skb);
	net_unlock(&f.net);
	fixture_run(&f);
	assert_int_equal(f.sent_count, 1);
	assert_int_equal(ip4_sent(&f, 0, &header)[20], ICMP_ECHOREPLY);
}

/* A host without an address asks everybody: there is nobody to answer. */
static void test_echo_from_nobody(void **state __unused)
{
	size_t n = icmp_packet(IP4_BROADCAST, ICMP_ECHO, 0, 1, "abc", 3);

	ip4_stack(&f.net)->settings.icmp_echo_ignore_broadcasts = 0;
	put_be32(packet + 12, 0);
	ip4_fix_checksum(packet);
	ip4_arrives_broadcast(&f, packet, n);
	assert_int_equal(fixture_drops(&f, DROP_ICMP_IGNORED), 1);
	assert_int_equal(f.sent_count, 0);
	assert_still_answers(&f);
}

/* An error concerns one host. */
static void test_errors_to_everybody(void **state __unused)
{
	static const ip4_t destinations[] = {SUBNET_BROADCAST, IP4_BROADCAST, IP4(224, 0, 0, 1)};
	uint8_t quoted[64];
	size_t n = quoted_udp(quoted, FAR);

	for (size_t i = 0; i < ARRAY_SIZE(destinations); i++)
		assert_refused(&f, packet,
			       icmp_packet(destinations[i], ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0,
					   quoted, n),
			       DROP_ICMP_IGNORED);
}

static void test_unknown_types(void **state __unused)
{
	assert_refused(&f, packet, icmp_packet(OURS, 1, 0, 0, "abc", 3), DROP_ICMP_UNKNOWN_TYPE);
	assert_refused(&f, packet, icmp_packet(OURS, 200, 0, 0, "abc", 3), DROP_ICMP_UNKNOWN_TYPE);
}

/* Errors that arrive. */

static const uint8_t error_types[] = {ICMP_DEST_UNREACH, ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB};

static void test_errors_with_a_truncated_inner_header(void **state __unused)
{
	uint8_t quoted[64];

	quoted_udp(quoted, FAR);
	for (size_t i = 0; i < ARRAY_SIZE(error_types); i++) {
		for (size_t n = 0; n < 28; n++)
			assert_refused(&f, packet,
				       icmp_packet(OURS, error_types[i], 3, 0, quoted, n),
				       DROP_ICMP_BAD_INNER);
	}
}

static void test_errors_with_a_bad_inner_packet(void **state __unused)
{
	uint8_t quoted[64], bad[64];
	size_t n = quoted_udp(quoted, FAR);
	static const struct {
		uint8_t offset, value;
	} changes[] = {
		{0, 0x4f},                       /* inner IHL 15 */
		{0, 0x44}, {0, 0x65}, {7, 0x08}, /* not the first fragment */
		{12, 99},                        /* a source that is not us */
	};

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		memcpy(bad, quoted, n);
		bad[changes[i].offset] = changes[i].value;
		for (size_t j = 0; j < ARRAY_SIZE(error_types); j++)
			assert_refused(&f, packet, icmp_packet(OURS, error_types[j], 3, 0, bad, n),
				       DROP_ICMP_BAD_INNER);
	}
}

static void test_errors_about_ports_of_no_socket(void **state __unused)
{
	error_arrives(ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0, FAR);
	error_arrives(ICMP_TIME_EXCEEDED, 0, 0, FAR);
	error_arrives(ICMP_PARAMETERPROB, 0, 0, FAR);
	assert_int_equal(f.sent_count, 0);
	assert_still_answers(&f);
}

static uint32_t mtu_to(ip4_t destination)
{
	struct route_result result;

	net_lock(&f.net);
	assert_int_equal(route_lookup(&f.net, destination, 0, 0, &result), 0);
	net_unlock(&f.net);
	return result.mtu;
}

static void test_fragmentation_needed_with_every_mtu(void **state __unused)
{
	static const struct {
		uint32_t told, learned;
	} cases[] = {{0, 552}, /* plateau 68 below a packet of 44 */
		     {1, 1500}, {67, 1500}, {68, 552}, {576, 576}, {65535, 1500}};
	struct socket *socket = make_bound(&f, 0, 5000);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ip4_t destination = FAR + (ip4_t)i;

		error_arrives(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, cases[i].told, destination);
		assert_int_equal(mtu_to(destination), cases[i].learned);
		assert_still_answers(&f);
	}
	socket_close(socket);
	/* Nobody's datagram: not believed. */
	error_arrives(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, 576, FAR + 100);
	assert_int_equal(mtu_to(FAR + 100), 1500);
}

static void test_meaning_of_errors(void **state __unused)
{
	struct ip4_header inner = {.total_length = 1500};
	struct icmp_header header = {.type = ICMP_DEST_UNREACH, .code = ICMP_PORT_UNREACH};
	struct icmp_error error = icmp_meaning(&header, &inner);

	assert_int_equal(error.error, ECONNREFUSED);
	assert_true(error.hard);
	header.code = ICMP_NET_UNREACH;
	error = icmp_meaning(&header, &inner);
	assert_int_equal(error.error, ENETUNREACH);
	assert_false(error.hard);
	header.code = ICMP_FRAG_NEEDED;
	assert_int_equal(icmp_meaning(&header, &inner).mtu, 1492); /* RFC 1191's next plateau */
	header.code = 200;
	assert_int_equal(icmp_meaning(&header, &inner).error, EHOSTUNREACH);
	header.type = ICMP_PARAMETERPROB;
	assert_int_equal(icmp_meaning(&header, &inner).error, EPROTO);
	header.type = ICMP_TIME_EXCEEDED;
	error = icmp_meaning(&header, &inner);
	assert_int_equal(error.error, EHOSTUNREACH);
	assert_false(error.hard);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_echo_of_0_to_7_bytes_and_more),
		TEST(test_echo_cut_below_its_header),
		TEST(test_echo_of_65507_bytes),
		TEST(test_echo_to_broadcast_and_multicast),
		TEST(test_bad_checksum),
		TEST(test_redirect_quench_and_old_queries_are_ignored),
		TEST(test_every_kind_of_redirect),
		TEST(test_every_old_message_is_ignored),
		TEST(test_echo_of_zeroes),
		TEST(test_echo_that_the_device_verified),
		TEST(test_echo_from_nobody),
		TEST(test_errors_to_everybody),
		TEST(test_unknown_types),
		TEST(test_errors_with_a_truncated_inner_header),
		TEST(test_errors_with_a_bad_inner_packet),
		TEST(test_errors_about_ports_of_no_socket),
		TEST(test_fragmentation_needed_with_every_mtu),
		TEST(test_meaning_of_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
