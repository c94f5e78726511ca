/* IPv4: the header and every check on input, the hostile inputs by name; /proc, socket(2). */
#include "test/host/unit/ip4_fixture.h"

#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/ipv4_options.h"

static struct fixture f;
static uint8_t packet[70000];

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

/* An echo request with one thing wrong, which the caller puts there. */
static size_t echo(void)
{
	return echo_packet(packet, 1, "abcdefgh", 8);
}

static size_t echo_from(ip4_t source, ip4_t destination)
{
	size_t n = echo();

	put_be32(packet + 12, source);
	put_be32(packet + 16, destination);
	ip4_fix_checksum(packet);
	return n;
}

static size_t echo_with_options(const uint8_t *options, size_t length)
{
	const struct ip4_spec spec = {
		.protocol = IPPROTO_ICMP, .options = options, .options_length = length};
	uint8_t message[16];

	return ip4_make(packet, &spec, message, icmp_make(message, ICMP_ECHO, 0, 1, "abcdefgh", 8));
}

static void refused_with_fixed_checksum(size_t n, enum drop_reason reason)
{
	ip4_fix_checksum(packet);
	assert_refused(&f, packet, n, reason);
}

/* The wire. */

static void test_emit_then_parse_gives_the_same(void **state __unused)
{
	static const uint8_t options[] = {IP4_OPTION_ROUTER_ALERT, 4, 0, 0};
	const struct ip4_header header = {.source = IP4(1, 2, 3, 4),
					  .destination = IP4(5, 6, 7, 8),
					  .total_length = 1234,
					  .id = 0xbeef,
					  .fragment_offset = 1480,
					  .header_length = 24,
					  .tos = 0x10,
					  .ttl = 7,
					  .protocol = 99,
					  .dont_fragment = true,
					  .more_fragments = true,
					  .options = options};
	struct ip4_header parsed;
	uint8_t bytes[24];

	ip4_emit(&header, bytes);
	assert_int_equal(ip4_parse(bytes, sizeof(bytes), 1234, &parsed), DROP_NONE);
	assert_int_equal(parsed.source, header.source);
	assert_int_equal(parsed.destination, header.destination);
	assert_int_equal(parsed.total_length, 1234);
	assert_int_equal(parsed.id, 0xbeef);
	assert_int_equal(parsed.fragment_offset, 1480);
	assert_int_equal(parsed.header_length, 24);
	assert_int_equal(parsed.tos, 0x10);
	assert_int_equal(parsed.ttl, 7);
	assert_int_equal(parsed.protocol, 99);
	assert_true(parsed.dont_fragment && parsed.more_fragments);
	assert_memory_equal(parsed.options, options, sizeof(options));
}

static void test_parse_refuses_every_cut(void **state __unused)
{
	struct ip4_header header;
	size_t n = echo();

	for (size_t length = 0; length < IP4_HEADER_MIN; length++)
		assert_int_equal(ip4_parse(packet, length, length, &header), DROP_IP4_SHORT);
	for (size_t length = IP4_HEADER_MIN; length < n; length++)
		assert_int_equal(ip4_parse(packet, length, length, &header),
				 DROP_IP4_BAD_TOTAL_LENGTH);
}

static void test_options_parse(void **state __unused)
{
	static const uint8_t fine[] = {1, 1, 1, 7, 7, 4, 0, 0, 0, 0, 148, 4, 0, 0, 0, 255};
	static const uint8_t unknown[] = {200, 6, 1, 2, 3, 4, 1, 1};
	static const uint8_t record_pointer[] = {7, 3, 3, 0};
	struct ip4_options options;

	assert_int_equal(ip4_options_parse(fine, sizeof(fine), &options), DROP_NONE);
	assert_true(options.router_alert);
	assert_int_equal(ip4_options_parse(unknown, sizeof(unknown), &options), DROP_NONE);
	assert_int_equal(ip4_options_parse(record_pointer, 4, &options), DROP_IP4_BAD_OPTION);
	assert_int_equal(options.bad_offset, 2);
}

/* RFC 791 3.1: each kind that is looked into, right, and wrong in each way. */
static void test_options_by_kind(void **state __unused)
{
	static const struct {
		uint8_t bytes[12];
		enum drop_reason reason;
		uint8_t bad_offset;
	} cases[] = {
		{{IP4_OPTION_RECORD_ROUTE, 2, 0}, DROP_IP4_BAD_OPTION, 1}, /* no pointer */
		{{IP4_OPTION_RECORD_ROUTE, 3, 4, 0}, DROP_NONE, 0},
		{{IP4_OPTION_RECORD_ROUTE, 7, 3, 0}, DROP_IP4_BAD_OPTION, 2},
		{{IP4_OPTION_TIMESTAMP, 8, 5, 0}, DROP_NONE, 0},
		{{IP4_OPTION_TIMESTAMP, 8, 4, 0}, DROP_IP4_BAD_OPTION, 2},
		{{IP4_OPTION_TIMESTAMP, 3, 5, 0}, DROP_IP4_BAD_OPTION, 2},
		{{IP4_OPTION_NOP, IP4_OPTION_ROUTER_ALERT, 3, 0}, DROP_IP4_BAD_OPTION, 3},
		{{IP4_OPTION_NOP, IP4_OPTION_NOP, IP4_OPTION_ROUTER_ALERT, 2},
		 DROP_IP4_BAD_OPTION,
		 3},
		{{IP4_OPTION_END, 200, 0}, DROP_NONE, 0}, /* nothing counts behind the end */
	};
	struct ip4_options options;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			ip4_options_parse(cases[i].bytes, sizeof(cases[i].bytes), &options),
			cases[i].reason);
		assert_int_equal(options.bad_offset, cases[i].bad_offset);
	}
}

/* What is malformed was refused before; the walk ends there all the same. */
static void test_malformed_options_are_in_no_fragment(void **state __unused)
{
	static const struct {
		uint8_t bytes[8];
		size_t length, copied;
	} cases[] = {
		{{200}, 1, 0},                        /* no length */
		{{200, 1, 0, 0}, 4, 0},               /* 1 */
		{{148, 4, 0, 0, 200, 5, 0, 0}, 8, 4}, /* past the end, behind a right one */
		{{IP4_OPTION_NOP, 200, 3, 9}, 4, 4},  /* filled up to a word */
		{{IP4_OPTION_END, 200, 3, 9}, 4, 0},
	};
	uint8_t to[IP4_OPTIONS_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(ip4_options_for_fragment(cases[i].bytes, cases[i].length, to),
				 cases[i].copied);
}

static void test_only_copied_options_are_in_later_fragments(void **state __unused)
{
	static const uint8_t options[] = {7, 7, 4, 0, 0, 0, 0, 1, 148, 4, 0, 0};
	static const uint8_t expected[] = {148, 4, 0, 0};
	uint8_t copied[IP4_OPTIONS_MAX];

	assert_int_equal(ip4_options_for_fragment(options, sizeof(options), copied), 4);
	assert_memory_equal(copied, expected, 4);
}

/* Hostile inputs. */

static void test_version_0_5_6_15(void **state __unused)
{
	static const uint8_t versions[] = {0, 5, 6, 15};

	for (size_t i = 0; i < sizeof(versions); i++) {
		size_t n = echo();

		packet[0] = (uint8_t)(versions[i] << 4 | 5);
		refused_with_fixed_checksum(n, DROP_IP4_BAD_VERSION);
	}
}

static void test_header_length_0_to_4(void **state __unused)
{
	for (uint8_t words = 0; words <= 4; words++) {
		size_t n = echo();

		packet[0] = 0x40 | words;
		assert_refused(&f, packet, n, DROP_IP4_BAD_HEADER_LENGTH);
	}
}

static void test_header_length_15_in_20_bytes(void **state __unused)
{
	const struct ip4_spec spec = {0};
	size_t n = ip4_make(packet, &spec, NULL, 0);

	packet[0] = 0x4f;
	assert_int_equal(n, 20);
	assert_refused(&f, packet, n, DROP_IP4_BAD_HEADER_LENGTH);
}

static void test_checksum_0_ffff_and_one_bit(void **state __unused)
{
	size_t n = echo();

	put_be16(packet + 10, 0);
	assert_refused(&f, packet, n, DROP_IP4_BAD_CHECKSUM);
	put_be16(packet + 10, 0xffff);
	assert_refused(&f, packet, n, DROP_IP4_BAD_CHECKSUM);
	for (size_t bit = 16; bit < 20 * 8; bit++) { /* the first 16 fail as version or length */
		echo();
		packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_refused(&f, packet, n, DROP_IP4_BAD_CHECKSUM);
	}
}

static void test_total_length_0_19_above(void **state __unused)
{
	const uint16_t lengths[] = {0, 19, 37, 65535};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		size_t n = echo();

		put_be16(packet + 2, lengths[i]);
		refused_with_fixed_checksum(n, DROP_IP4_BAD_TOTAL_LENGTH);
	}
}

/* Above the 20 bytes of the shortest header, and below this one's. */
static void test_total_length_below_the_header(void **state __unused)
{
	static const uint8_t options[40] = {IP4_OPTION_NOP};

	for (uint16_t length = 20; length < 60; length++) {
		size_t n = echo_with_options(options, sizeof(options));

		put_be16(packet + 2, length);
		refused_with_fixed_checksum(n, DROP_IP4_BAD_TOTAL_LENGTH);
	}
}

/* What lies beyond the total length belongs to nobody. */
static void test_the_trimmed_length_counts_everywhere_above(void **state __unused)
{
	struct ip4_spec spec = {0};
	uint8_t datagram[200] = {0};
	size_t n = udp_make(datagram, PEER, OURS, 9, 9999, "twenty bytes of data", 20);
	struct ip4_header header;

	/* UDP: a datagram of 28 bytes in a packet that has 27 of them, and the last as padding. */
	n = ip4_make(packet, &spec, datagram, n);
	put_be16(packet + 2, (uint16_t)(n - 1));
	refused_with_fixed_checksum(n, DROP_UDP_BAD_LENGTH);
	/* ICMP: an error of ours quotes nothing of it. */
	n = udp_packet(packet, 9, 9999, "data", 4);
	memset(packet + n, 0xee, 100);
	ip4_arrives(&f, packet, n + 100);
	ip4_sent(&f, 0, &header);
	assert_int_equal(header.total_length, 28 + n);
	fixture_clear_sent(&f);
	/* Fragments: the end of the datagram is where the last one's total length says. */
	n = icmp_make(datagram, ICMP_ECHO, 0, 1, "sixteen bytes ok", 16);
	spec = (struct ip4_spec){.protocol = IPPROTO_ICMP, .fragment = FRAGMENT_MORE};
	ip4_arrives(&f, packet, ip4_make(packet, &spec, datagram, 16) + 30);
	spec.fragment = 2;
	ip4_arrives(&f, packet, ip4_make(packet, &spec, datagram + 16, n - 16) + 30);
	ip4_sent(&f, 0, &header);
	assert_int_equal(header.total_length, 20 + n);
	assert_still_answers(&f);
}

static void test_total_length_below_the_frame_trims(void **state __unused)
{
	size_t n = echo();
	struct ip4_header header;

	memset(packet + n, 0xee, 100);
	ip4_arrives(&f, packet, n + 100);
	ip4_sent(&f, 0, &header);
	assert_int_equal(header.total_length, n);
	assert_int_equal(fixture_sent(&f, 0)->length, ETHERNET_HEADER_LENGTH + n);
	assert_still_answers(&f);
}

/* Refused, and the sender hears which octet was wrong. */
static void assert_parameter_problem(const uint8_t *options, size_t length, uint8_t pointer)
{
	uint64_t before = fixture_drops(&f, DROP_IP4_BAD_OPTION);
	struct ip4_header header;
	size_t n = echo_with_options(options, length);

	fixture_advance(&f, 10 * USEC_PER_SEC); /* the limiter's bucket fills */
	fixture_clear_sent(&f);
	ip4_arrives(&f, packet, n);
	assert_int_equal(fixture_drops(&f, DROP_IP4_BAD_OPTION), before + 1);
	assert_int_equal(f.sent_count, 1);
	const uint8_t *sent = ip4_sent(&f, 0, &header);

	assert_int_equal(sent[20], ICMP_PARAMETERPROB);
	assert_int_equal(sent[24], pointer);
	assert_still_answers(&f);
}

static void test_options_of_length_0_1_and_past_the_end(void **state __unused)
{
	static const uint8_t zero[] = {1, 200, 0, 0}, one[] = {1, 200, 1, 0},
			     past[] = {1, 200, 4, 0};
	static const uint8_t no_length[] = {1, 1, 1, 200};

	assert_parameter_problem(zero, 4, 21);
	assert_parameter_problem(one, 4, 21);
	assert_parameter_problem(past, 4, 21);
	assert_parameter_problem(no_length, 4, 23);
}

static void test_40_nops_and_no_end_mark(void **state __unused)
{
	uint8_t options[40];
	struct ip4_header header;

	memset(options, IP4_OPTION_NOP, sizeof(options));
	ip4_arrives(&f, packet, echo_with_options(options, sizeof(options)));
	assert_int_equal(f.sent_count, 1);
	ip4_sent(&f, 0, &header);
	assert_int_equal(header.destination, PEER);
	assert_still_answers(&f);
}

static void test_source_routes_are_never_followed(void **state __unused)
{
	static const uint8_t kinds[] = {IP4_OPTION_LSRR, IP4_OPTION_SSRR},
			     pointers[] = {0, 3, 4, 255};

	for (size_t i = 0; i < sizeof(kinds); i++) {
		for (size_t j = 0; j < sizeof(pointers); j++) {
			const uint8_t options[] = {kinds[i], 7, pointers[j], 192, 0, 2, 1, 0};

			assert_refused(&f, packet, echo_with_options(options, sizeof(options)),
				       DROP_IP4_SOURCE_ROUTE);
		}
	}
}

static void test_source_0_127_224_255_and_our_own(void **state __unused)
{
	const ip4_t sources[] = {0,
				 IP4(0, 1, 2, 3),
				 IP4(127, 0, 0, 1),
				 IP4(224, 0, 0, 1),
				 IP4(240, 0, 0, 1),
				 IP4_BROADCAST,
				 SUBNET_BROADCAST,
				 OURS};

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		size_t n = echo_from(sources[i], OURS);

		assert_refused(&f, packet, n, DROP_IP4_BAD_SOURCE);
	}
}

static void test_destination_0_127_240(void **state __unused)
{
	const ip4_t destinations[] = {0, IP4(0, 1, 2, 3), IP4(127, 0, 0, 1), IP4(240, 0, 0, 1)};

	for (size_t i = 0; i < ARRAY_SIZE(destinations); i++) {
		size_t n = echo_from(PEER, destinations[i]);

		assert_refused(&f, packet, n, DROP_IP4_BAD_DESTINATION);
	}
}

static void test_unicast_inside_a_broadcast_frame(void **state __unused)
{
	static const struct mac all_hosts = {{0x01, 0, 0x5e, 0, 0, 1}};
	size_t n = echo();

	ip4_arrives_broadcast(&f, packet, n);
	assert_int_equal(fixture_drops(&f, DROP_IP4_UNICAST_IN_BROADCAST), 1);
	fixture_receive_ethernet(&f, all_hosts, FIXTURE_PEER, ETHERTYPE_IP4, packet, n);
	assert_int_equal(fixture_drops(&f, DROP_IP4_UNICAST_IN_BROADCAST), 2);
	assert_int_equal(f.sent_count, 0);
	assert_still_answers(&f);
}

static void test_packet_for_another_host(void **state __unused)
{
	size_t n = echo_from(PEER, FAR);

	assert_refused(&f, packet, n, DROP_IP4_NOT_FOR_US);
}

static void test_multicast_that_nobody_joined(void **state __unused)
{
	size_t n = echo_from(PEER, GROUP);

	assert_refused(&f, packet, n, DROP_IP4_NO_GROUP);
}

static void test_unknown_protocol_is_answered(void **state __unused)
{
	const struct ip4_spec spec = {.protocol = 200};
	struct ip4_header header;

	ip4_arrives(&f, packet, ip4_make(packet, &spec, "abcdefgh", 8));
	assert_int_equal(fixture_drops(&f, DROP_IP4_UNKNOWN_PROTOCOL), 1);
	const uint8_t *sent = ip4_sent(&f, 0, &header);

	assert_int_equal(sent[20], ICMP_DEST_UNREACH);
	assert_int_equal(sent[21], ICMP_PROT_UNREACH);
	assert_int_equal(header.source, OURS);
	assert_still_answers(&f);
}

static void test_frames_cut_everywhere(void **state __unused)
{
	size_t n = echo();

	for (size_t length = 0; length < n; length++)
		assert_refused(&f, packet, length,
			       length < IP4_HEADER_MIN ? DROP_IP4_SHORT
						       : DROP_IP4_BAD_TOTAL_LENGTH);
}

static void test_proc_snmp_and_netstat(void **state __unused)
{
	char text[8192];

	assert_int_equal(ipv4_proc_init(&f.net), 0);
	assert_still_answers(&f);
	assert_true(host_proc_read("net/snmp", text, sizeof(text)) > 0);
	assert_non_null(
		strstr(text, "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors "
			     "ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests "
			     "OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails "
			     "FragOKs FragFails FragCreates\nIp: 2 64 1 0 0 0 0 0 1 "));
	assert_non_null(strstr(text, "IcmpMsg: InType8 OutType0\nIcmpMsg: 1 1\n"));
	assert_non_null(strstr(text,
			       "\nUdp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors "
			       "SndbufErrors InCsumErrors IgnoredMulti MemErrors\n"));
	assert_true(host_proc_read("net/netstat", text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "IpExt: InNoRoutes InTruncatedPkts "));
	assert_int_equal(host_proc_write("sys/net/ipv4/ip_forward", "2"), -EINVAL);
	assert_int_equal(host_proc_write("sys/net/ipv4/ip_forward", "1"), 0);
	assert_int_equal(ip4_stack(&f.net)->settings.ip_forward, 1);
	assert_true(host_proc_read("net/snmp", text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "\nIp: 1 64 ")); /* a router, to SNMP */
}

/* socket(2)'s errors for what is not there. */
static void test_socket_kinds(void **state __unused)
{
	struct socket *socket;

	assert_int_equal(socket_create(&f.net, AF_INET, SOCK_STREAM, 0, &socket), -ESOCKTNOSUPPORT);
	assert_int_equal(socket_create(&f.net, AF_INET, SOCK_SEQPACKET, 0, &socket),
			 -ESOCKTNOSUPPORT);
	assert_int_equal(socket_create(&f.net, AF_INET, SOCK_DGRAM, 99, &socket), -EPROTONOSUPPORT);
	assert_int_equal(socket_create(&f.net, AF_INET, SOCK_RAW, 0, &socket), -EPROTONOSUPPORT);
	assert_int_equal(socket_create(&f.net, AF_INET, SOCK_DGRAM, 256, &socket), -EINVAL);
	assert_int_equal(socket_create(&f.net, AF_INET, SOCK_DGRAM, 0, &socket), 0);
	assert_int_equal(socket->protocol, IPPROTO_UDP);
	socket_close(socket);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_emit_then_parse_gives_the_same),
		TEST(test_parse_refuses_every_cut),
		TEST(test_options_parse),
		TEST(test_options_by_kind),
		TEST(test_malformed_options_are_in_no_fragment),
		TEST(test_only_copied_options_are_in_later_fragments),
		TEST(test_version_0_5_6_15),
		TEST(test_header_length_0_to_4),
		TEST(test_header_length_15_in_20_bytes),
		TEST(test_checksum_0_ffff_and_one_bit),
		TEST(test_total_length_0_19_above),
		TEST(test_total_length_below_the_header),
		TEST(test_the_trimmed_length_counts_everywhere_above),
		TEST(test_total_length_below_the_frame_trims),
		TEST(test_options_of_length_0_1_and_past_the_end),
		TEST(test_40_nops_and_no_end_mark),
		TEST(test_source_routes_are_never_followed),
		TEST(test_source_0_127_224_255_and_our_own),
		TEST(test_destination_0_127_240),
		TEST(test_unicast_inside_a_broadcast_frame),
		TEST(test_packet_for_another_host),
		TEST(test_multicast_that_nobody_joined),
		TEST(test_unknown_protocol_is_answered),
		TEST(test_frames_cut_everywhere),
		TEST(test_proc_snmp_and_netstat),
		TEST(test_socket_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
