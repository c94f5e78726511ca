/*
 * UDP-Lite (RFC 3828): what the checksum of what is received covers, and what UDP-Lite has of its
 * own beside UDP.
 */
#include "test/host/unit/udp_lite_fixture.h"

#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"

/* The header. */

/* RFC3828-2, RFC3828-3 */
static void every_coverage_of_every_short_datagram(void **state __unused)
{
	uint8_t bytes[40] = {0, 1, 0, 2, 0, 0, 0xff, 0xff};
	struct udp_header header;

	for (size_t length = 0; length <= sizeof(bytes); length++) {
		for (size_t coverage = 0; coverage <= sizeof(bytes) + 1; coverage++) {
			enum drop_reason expected = DROP_NONE;

			if (length < UDP_HEADER_LENGTH)
				expected = DROP_UDP_SHORT;
			else if ((coverage && coverage < UDP_HEADER_LENGTH) || coverage > length)
				expected = DROP_UDPLITE_BAD_COVERAGE;
			put_be16(bytes + 4, (uint16_t)coverage);
			assert_int_equal(udp_lite_parse(bytes, length, &header), expected);
			if (expected != DROP_NONE)
				continue;
			assert_int_equal(header.length, length);
			assert_int_equal(header.covered, coverage ? coverage : length);
			assert_int_equal(header.source, 1);
			assert_int_equal(header.destination, 2);
		}
	}
	put_be32(bytes + 4, 0); /* all of it, and no checksum */
	assert_int_equal(udp_lite_parse(bytes, 8, &header), DROP_UDPLITE_NO_CHECKSUM);
}

/* Receiving. */

/* RFC3828-2, RFC3828-3 */
static void illegal_coverage_is_refused(void **state __unused)
{
	static const uint16_t illegal[] = {1, 7, WHOLE + 1, 65535};
	struct socket *socket = lite_bound();

	for (size_t i = 0; i < ARRAY_SIZE(illegal); i++)
		assert_refused(&udp_stack, udp_wire, lite_make_for(OURS, illegal[i], WHOLE),
			       DROP_UDPLITE_BAD_COVERAGE);
	assert_int_equal(lite_counted(UDP_STAT_IN_ERRORS), ARRAY_SIZE(illegal));
	assert_int_equal(lite_counted(UDP_STAT_IN_CHECKSUM_ERRORS), 0);
	assert_int_equal(udp_state(&udp_stack.net)->statistics[UDP_STAT_IN_ERRORS], 0);
	assert_false(lite_comes(socket));
	socket_close(socket);
}

/* RFC3828-5: there is none in a sound datagram, which a sender without checksums would not be. */
static void checksum_0_is_refused(void **state __unused)
{
	struct socket *socket = lite_bound();
	size_t n = lite_make(0);

	put_be16(udp_wire + DATAGRAM + CHECKSUM_FIELD, 0);
	assert_refused(&udp_stack, udp_wire, n, DROP_UDPLITE_NO_CHECKSUM);
	assert_false(lite_comes(socket));
	socket_close(socket);
}

static void cut_below_the_header(void **state __unused)
{
	const struct ip4_spec spec = {.protocol = IPPROTO_UDPLITE};

	for (size_t n = 0; n < UDP_HEADER_LENGTH; n++)
		assert_refused(&udp_stack, udp_wire, ip4_make(udp_wire, &spec, "\0\1\0\2\0\0\0", n),
			       DROP_UDP_SHORT);
}

/* Each byte in turn arrives damaged: with the coverage at each place, the damage is seen or not. */
static void damage_counts_where_it_is_covered(void **state __unused)
{
	struct socket *socket = lite_bound();
	uint64_t refused = 0;

	for (uint16_t coverage = UDP_HEADER_LENGTH; coverage <= WHOLE; coverage++) {
		for (size_t at = UDP_HEADER_LENGTH; at < WHOLE; at++) {
			size_t n = lite_make(coverage);

			udp_wire[DATAGRAM + at] ^= 1;
			ip4_arrives(&udp_stack, udp_wire, n);
			assert_int_equal(lite_comes(socket), at >= coverage);
			refused += at < coverage;
			if (at >= coverage)
				assert_int_equal(udp_bytes[at - UDP_HEADER_LENGTH],
						 TEXT[at - UDP_HEADER_LENGTH] ^ 1);
		}
	}
	assert_true(refused > 0);
	assert_int_equal(fixture_drops(&udp_stack, DROP_UDP_BAD_CHECKSUM), refused);
	assert_int_equal(lite_counted(UDP_STAT_IN_CHECKSUM_ERRORS), refused);
	assert_int_equal(lite_counted(UDP_STAT_IN_ERRORS), refused);
	lite_arrives(0); /* all of it */
	assert_true(lite_comes(socket));
	assert_still_answers(&udp_stack);
	socket_close(socket);
}

/* RFC3828-4: ports, addresses, the protocol's number and the packet's length are always covered. */
static void pseudo_header_is_always_covered(void **state __unused)
{
	const struct ip4_spec spec = {.protocol = IPPROTO_UDPLITE};
	struct socket *socket = lite_bound();
	uint8_t datagram[WHOLE];
	size_t n = lite_make(8);

	put_be32(udp_wire + 12, GATEWAY); /* somebody else's address */
	ip4_fix_checksum(udp_wire);
	assert_refused(&udp_stack, udp_wire, n, DROP_UDP_BAD_CHECKSUM);

	lite_make(8);
	memcpy(datagram, udp_wire + DATAGRAM, WHOLE);
	datagram[1]++; /* from another port */
	assert_refused(&udp_stack, udp_wire, ip4_make(udp_wire, &spec, datagram, WHOLE),
		       DROP_UDP_BAD_CHECKSUM);
	datagram[1]--;
	assert_refused(&udp_stack, udp_wire, ip4_make(udp_wire, &spec, datagram, WHOLE - 1),
		       DROP_UDP_BAD_CHECKSUM);

	/* A sound datagram of UDP is none of UDP-Lite. */
	n = udp_make(datagram, PEER, OURS, PEER_PORT, PORT, TEXT, TEXT_LENGTH);
	assert_refused(&udp_stack, udp_wire, ip4_make(udp_wire, &spec, datagram, n),
		       DROP_UDP_BAD_CHECKSUM);
	assert_false(lite_comes(socket));
	socket_close(socket);
}

static void what_the_device_says_of_the_checksum_does_not_count(void **state __unused)
{
	struct socket *socket = lite_bound();
	size_t n = lite_make(0);
	struct sk_buff *skb;

	udp_wire[n - 1] ^= 1;
	skb = udp_frame(n);
	skb->checksum = SKB_CHECKSUM_VERIFIED;
	udp_frame_arrives(skb);
	assert_int_equal(fixture_drops(&udp_stack, DROP_UDP_BAD_CHECKSUM), 1);
	lite_make(0);
	skb = udp_frame(n);
	skb->checksum = SKB_CHECKSUM_VERIFIED;
	udp_frame_arrives(skb);
	assert_true(lite_comes(socket));
	socket_close(socket);
}

/* RFC3828-7. What Linux 6.18 was seen to take, of datagrams of 18 bytes. */
static void too_little_coverage_is_refused(void **state __unused)
{
	static const struct {
		int asked; /* UDPLITE_RECV_CSCOV; -1: nothing */
		uint16_t least_taken;
	} rules[] = {{-1, 8}, {0, WHOLE}, {8, 8},         {10, 10},
		     {1, 8},  {17, 17},   {WHOLE, WHOLE}, {100, WHOLE}};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct socket *socket = lite_bound();
		uint64_t before = fixture_drops(&udp_stack, DROP_UDPLITE_LOW_COVERAGE);

		if (rules[i].asked >= 0)
			assert_int_equal(
				set_option(socket, SOL_UDPLITE, UDPLITE_RECV_CSCOV, rules[i].asked),
				0);
		for (uint16_t coverage = UDP_HEADER_LENGTH; coverage <= WHOLE; coverage++) {
			lite_arrives(coverage);
			assert_int_equal(lite_comes(socket), coverage >= rules[i].least_taken);
		}
		lite_arrives(0);
		assert_true(lite_comes(socket));
		assert_int_equal(fixture_drops(&udp_stack, DROP_UDPLITE_LOW_COVERAGE) - before,
				 rules[i].least_taken - UDP_HEADER_LENGTH);
		assert_int_equal(socket->drops, rules[i].least_taken - UDP_HEADER_LENGTH);
		socket_close(socket);
	}
	assert_int_equal(lite_counted(UDP_STAT_IN_ERRORS),
			 fixture_drops(&udp_stack, DROP_UDPLITE_LOW_COVERAGE));
}

/* Each of those who share a group has its own mind about the same datagram. */
static void coverage_and_multicast(void **state __unused)
{
	struct socket *modest = lite_socket(), *strict = lite_socket(),
		      *udp = make_socket(&udp_stack, SOCK_DGRAM, 0);
	struct socket *all[] = {modest, strict, udp};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		assert_int_equal(set_option(all[i], SOL_SOCKET, SO_REUSEADDR, 1), 0);
		assert_int_equal(do_bind(all[i], 0, PORT), 0);
		udp_join_group(all[i]);
	}
	assert_int_equal(set_option(strict, SOL_UDPLITE, UDPLITE_RECV_CSCOV, 0), 0);
	ip4_arrives(&udp_stack, udp_wire, lite_make_for(GROUP, 9, 9));
	assert_true(lite_comes(modest));
	assert_false(lite_comes(strict));
	ip4_arrives(&udp_stack, udp_wire, lite_make_for(GROUP, 0, WHOLE));
	assert_true(lite_comes(modest));
	assert_true(lite_comes(strict));
	assert_false(lite_comes(udp));
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		socket_close(all[i]);
}

/* Beside UDP. */

static void ports_are_its_own(void **state __unused)
{
	struct socket *lite = lite_bound(), *udp = make_bound(&udp_stack, 0, PORT),
		      *second = lite_socket();

	assert_int_equal(do_bind(second, 0, PORT), -EADDRINUSE);
	lite_arrives(0);
	assert_true(lite_comes(lite));
	assert_false(lite_comes(udp));
	ip4_arrives(&udp_stack, udp_wire, udp_packet(udp_wire, PEER_PORT, PORT, TEXT, TEXT_LENGTH));
	assert_true(lite_comes(udp));
	assert_false(lite_comes(lite));
	assert_int_equal(lite_counted(UDP_STAT_IN_DATAGRAMS), 1);
	assert_int_equal(udp_state(&udp_stack.net)->statistics[UDP_STAT_IN_DATAGRAMS], 1);
	socket_close(lite);
	lite_arrives(0);
	assert_false(lite_comes(udp));
	assert_int_equal(lite_counted(UDP_STAT_NO_PORTS), 1);
	socket_close(udp);
	socket_close(second);
}

static void closed_port_is_answered(void **state __unused)
{
	struct ip4_header header;

	lite_arrives(0);
	assert_int_equal(fixture_drops(&udp_stack, DROP_UDP_NO_SOCKET), 1);
	assert_int_equal(ip4_sent(&udp_stack, 0, &header)[21], ICMP_PORT_UNREACH);
	assert_int_equal(lite_counted(UDP_STAT_NO_PORTS), 1);
	assert_int_equal(udp_state(&udp_stack.net)->statistics[UDP_STAT_NO_PORTS], 0);
	assert_still_answers(&udp_stack);
}

static void unreachable_arrives(uint8_t protocol)
{
	const struct udp_header lost = {.source = PORT, .destination = PEER_PORT};
	uint8_t datagram[UDP_HEADER_LENGTH];

	udp_lite_emit(&lost, datagram);
	udp_error_about(protocol, ICMP_PORT_UNREACH, datagram, sizeof(datagram));
}

static void errors_reach_the_right_protocol(void **state __unused)
{
	struct socket *lite = lite_bound(), *udp = make_bound(&udp_stack, 0, PORT);

	assert_int_equal(do_connect(lite, PEER, PEER_PORT), 0);
	assert_int_equal(do_connect(udp, PEER, PEER_PORT), 0);
	unreachable_arrives(IPPROTO_UDPLITE);
	assert_int_equal(do_receive(udp, udp_bytes, 10, NULL), -EAGAIN);
	assert_int_equal(do_receive(lite, udp_bytes, 10, NULL), -ECONNREFUSED);
	unreachable_arrives(IPPROTO_UDP);
	assert_int_equal(do_receive(lite, udp_bytes, 10, NULL), -EAGAIN);
	assert_int_equal(do_receive(udp, udp_bytes, 10, NULL), -ECONNREFUSED);
	socket_close(lite);
	socket_close(udp);
}

static void kinds(void **state __unused)
{
	struct socket *socket = make_socket(&udp_stack, SOCK_DGRAM, 0);

	assert_int_equal(get_option(socket, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
	socket_close(socket);
	socket = lite_socket();
	assert_int_equal(get_option(socket, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDPLITE);
	socket_close(socket);
	int error = socket_create(&udp_stack.net, AF_INET, SOCK_STREAM, IPPROTO_UDPLITE, &socket);

	assert_true(error < 0);
}

static void proc_files(void **state __unused)
{
	static char text[8192];
	struct socket *socket = lite_bound();

	assert_int_equal(ipv4_proc_init(&udp_stack.net), 0);
	lite_arrives(0);
	assert_int_equal(host_proc_read("net/udplite", text, sizeof(text)), 2 * 128);
	assert_non_null(strstr(text, "\n    0: 00000000:1388 00000000:0000 07 "));
	assert_int_equal(host_proc_read("net/udp", text, sizeof(text)), 128);
	assert_true(host_proc_read("net/snmp", text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "\nUdp: 0 0 0 0 0 0 0 0 0\n"
				     "UdpLite: InDatagrams NoPorts InErrors OutDatagrams "
				     "RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti "
				     "MemErrors\n"
				     "UdpLite: 1 0 0 0 0 0 0 0 0\n"));
	assert_true(host_proc_read("net/sockstat", text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "\nUDP: inuse 0\nUDPLITE: inuse 1\n"));
	socket_close(socket);
}

static size_t make_covered(void)
{
	return lite_make(8);
}

static void send_covered(struct socket *socket)
{
	do_bind(socket, 0, PORT);
	set_option(socket, SOL_UDPLITE, UDPLITE_SEND_CSCOV, 8);
	do_connect(socket, PEER, PEER_PORT);
	do_send(socket, PEER, PEER_PORT, udp_bytes, 4000);
}

static void allocations_fail(void **state __unused)
{
	udp_survives_failures(IPPROTO_UDPLITE, make_covered, send_covered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UDP_TEST(every_coverage_of_every_short_datagram),
		UDP_TEST(illegal_coverage_is_refused),
		UDP_TEST(checksum_0_is_refused),
		UDP_TEST(cut_below_the_header),
		UDP_TEST(damage_counts_where_it_is_covered),
		UDP_TEST(pseudo_header_is_always_covered),
		UDP_TEST(what_the_device_says_of_the_checksum_does_not_count),
		UDP_TEST(too_little_coverage_is_refused),
		UDP_TEST(coverage_and_multicast),
		UDP_TEST(ports_are_its_own),
		UDP_TEST(closed_port_is_answered),
		UDP_TEST(errors_reach_the_right_protocol),
		UDP_TEST(kinds),
		UDP_TEST(proc_files),
		UDP_TEST(allocations_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
