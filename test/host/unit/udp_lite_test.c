/* UDP-Lite (RFC 3828): what the checksum covers, and what UDP-Lite has of its own beside UDP. */
#include "test/host/unit/ip4_fixture.h"

#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "net/core/checksum.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/udp.h"
#include "net/ipv4/udp_wire.h"

#define PORT 5000
#define PEER_PORT 77
#define DATAGRAM (IP4_HEADER_MIN)     /* where it begins in a packet */
#define COVERAGE_FIELD (DATAGRAM + 4) /* of 16 bits */
#define CHECKSUM_FIELD (DATAGRAM + 6)
#define TEXT "0123456789" /* the payload of most */
#define TEXT_LENGTH 10
#define WHOLE (UDP_HEADER_LENGTH + TEXT_LENGTH)

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
	host_fail_allocation(0);
	ip4_fixture_destroy(&f);
	return 0;
}

static uint64_t counted(enum udp_statistic which)
{
	return udp_lite_state(&f.net)->statistics[which];
}

/*
 * The sum of a datagram's first bytes and its pseudo-header, folded: 0 when the checksum is right.
 */
static be16 sum_of(const uint8_t *datagram, ip4_t source, ip4_t destination, size_t length,
		   size_t covered)
{
	uint32_t pseudo = checksum_pseudo4(source, destination, IPPROTO_UDPLITE, (uint16_t)length);

	return checksum_fold(checksum_add(datagram, covered, pseudo));
}

/*
 * A packet with TEXT from PEER to one of our ports. The field says `coverage`; the checksum is of
 * `covered` bytes.
 */
static size_t make_for(ip4_t destination, uint16_t coverage, size_t covered)
{
	const struct ip4_spec spec = {.destination = destination, .protocol = IPPROTO_UDPLITE};
	const struct udp_header header = {
		.source = PEER_PORT, .destination = PORT, .covered = coverage};
	uint8_t datagram[WHOLE];

	udp_lite_emit(&header, datagram);
	memcpy(datagram + UDP_HEADER_LENGTH, TEXT, TEXT_LENGTH);
	udp_put_checksum(datagram, sum_of(datagram, PEER, destination, WHOLE, covered));
	return ip4_make(packet, &spec, datagram, WHOLE);
}

static size_t make(uint16_t coverage)
{
	return make_for(OURS, coverage, coverage ? coverage : WHOLE);
}

static void arrives(uint16_t coverage)
{
	ip4_arrives(&f, packet, make(coverage));
}

static struct socket *make_lite(void)
{
	return make_socket(&f, SOCK_DGRAM, IPPROTO_UDPLITE);
}

static struct socket *bound(void)
{
	struct socket *socket = make_lite();

	assert_int_equal(do_bind(socket, 0, PORT), 0);
	return socket;
}

static bool comes(struct socket *socket)
{
	return do_receive(socket, buffer, sizeof(buffer), NULL) == TEXT_LENGTH;
}

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
	struct socket *socket = bound();

	for (size_t i = 0; i < ARRAY_SIZE(illegal); i++)
		assert_refused(&f, packet, make_for(OURS, illegal[i], WHOLE),
			       DROP_UDPLITE_BAD_COVERAGE);
	assert_int_equal(counted(UDP_STAT_IN_ERRORS), ARRAY_SIZE(illegal));
	assert_int_equal(counted(UDP_STAT_IN_CHECKSUM_ERRORS), 0);
	assert_int_equal(udp_state(&f.net)->statistics[UDP_STAT_IN_ERRORS], 0);
	assert_false(comes(socket));
	socket_close(socket);
}

/* RFC3828-5: there is none in a sound datagram, which a sender without checksums would not be. */
static void checksum_0_is_refused(void **state __unused)
{
	struct socket *socket = bound();
	size_t n = make(0);

	put_be16(packet + CHECKSUM_FIELD, 0);
	assert_refused(&f, packet, n, DROP_UDPLITE_NO_CHECKSUM);
	assert_false(comes(socket));
	socket_close(socket);
}

static void cut_below_the_header(void **state __unused)
{
	const struct ip4_spec spec = {.protocol = IPPROTO_UDPLITE};

	for (size_t n = 0; n < UDP_HEADER_LENGTH; n++)
		assert_refused(&f, packet, ip4_make(packet, &spec, "\0\1\0\2\0\0\0", n),
			       DROP_UDP_SHORT);
}

/* Each byte in turn arrives damaged: with the coverage at each place, the damage is seen or not. */
static void damage_counts_where_it_is_covered(void **state __unused)
{
	struct socket *socket = bound();
	uint64_t refused = 0;

	for (uint16_t coverage = UDP_HEADER_LENGTH; coverage <= WHOLE; coverage++) {
		for (size_t at = UDP_HEADER_LENGTH; at < WHOLE; at++) {
			size_t n = make(coverage);

			packet[DATAGRAM + at] ^= 1;
			ip4_arrives(&f, packet, n);
			assert_int_equal(comes(socket), at >= coverage);
			refused += at < coverage;
			if (at >= coverage)
				assert_int_equal(buffer[at - UDP_HEADER_LENGTH],
						 TEXT[at - UDP_HEADER_LENGTH] ^ 1);
		}
	}
	assert_true(refused > 0);
	assert_int_equal(fixture_drops(&f, DROP_UDP_BAD_CHECKSUM), refused);
	assert_int_equal(counted(UDP_STAT_IN_CHECKSUM_ERRORS), refused);
	assert_int_equal(counted(UDP_STAT_IN_ERRORS), refused);
	arrives(0); /* all of it */
	assert_true(comes(socket));
	assert_still_answers(&f);
	socket_close(socket);
}

/* RFC3828-4: ports, addresses, the protocol's number and the packet's length are always covered. */
static void pseudo_header_is_always_covered(void **state __unused)
{
	const struct ip4_spec spec = {.protocol = IPPROTO_UDPLITE};
	struct socket *socket = bound();
	uint8_t datagram[WHOLE];
	size_t n = make(8);

	put_be32(packet + 12, GATEWAY); /* somebody else's address */
	ip4_fix_checksum(packet);
	assert_refused(&f, packet, n, DROP_UDP_BAD_CHECKSUM);

	make(8);
	memcpy(datagram, packet + DATAGRAM, WHOLE);
	datagram[1]++; /* from another port */
	assert_refused(&f, packet, ip4_make(packet, &spec, datagram, WHOLE), DROP_UDP_BAD_CHECKSUM);
	datagram[1]--;
	assert_refused(&f, packet, ip4_make(packet, &spec, datagram, WHOLE - 1),
		       DROP_UDP_BAD_CHECKSUM);

	/* A sound datagram of UDP is none of UDP-Lite. */
	n = udp_make(datagram, PEER, OURS, PEER_PORT, PORT, TEXT, TEXT_LENGTH);
	assert_refused(&f, packet, ip4_make(packet, &spec, datagram, n), DROP_UDP_BAD_CHECKSUM);
	assert_false(comes(socket));
	socket_close(socket);
}

static struct sk_buff *make_frame(size_t n)
{
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

static void what_the_device_says_of_the_checksum_does_not_count(void **state __unused)
{
	struct socket *socket = bound();
	size_t n = make(0);
	struct sk_buff *skb;

	packet[n - 1] ^= 1;
	skb = make_frame(n);
	skb->checksum = SKB_CHECKSUM_VERIFIED;
	frame_arrives(skb);
	assert_int_equal(fixture_drops(&f, DROP_UDP_BAD_CHECKSUM), 1);
	make(0);
	skb = make_frame(n);
	skb->checksum = SKB_CHECKSUM_VERIFIED;
	frame_arrives(skb);
	assert_true(comes(socket));
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
		struct socket *socket = bound();
		uint64_t before = fixture_drops(&f, DROP_UDPLITE_LOW_COVERAGE);

		if (rules[i].asked >= 0)
			assert_int_equal(
				set_option(socket, SOL_UDPLITE, UDPLITE_RECV_CSCOV, rules[i].asked),
				0);
		for (uint16_t coverage = UDP_HEADER_LENGTH; coverage <= WHOLE; coverage++) {
			arrives(coverage);
			assert_int_equal(comes(socket), coverage >= rules[i].least_taken);
		}
		arrives(0);
		assert_true(comes(socket));
		assert_int_equal(fixture_drops(&f, DROP_UDPLITE_LOW_COVERAGE) - before,
				 rules[i].least_taken - UDP_HEADER_LENGTH);
		assert_int_equal(socket->drops, rules[i].least_taken - UDP_HEADER_LENGTH);
		socket_close(socket);
	}
	assert_int_equal(counted(UDP_STAT_IN_ERRORS), fixture_drops(&f, DROP_UDPLITE_LOW_COVERAGE));
}

/* Each of those who share a group has its own mind about the same datagram. */
static void coverage_and_multicast(void **state __unused)
{
	struct socket *modest = make_lite(), *strict = make_lite(),
		      *udp = make_socket(&f, SOCK_DGRAM, 0);
	struct socket *all[] = {modest, strict, udp};
	struct ip_mreq request = {.imr_multiaddr.s_addr = cpu_to_be32(GROUP),
				  .imr_interface.s_addr = cpu_to_be32(OURS)};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		assert_int_equal(set_option(all[i], SOL_SOCKET, SO_REUSEADDR, 1), 0);
		assert_int_equal(do_bind(all[i], 0, PORT), 0);
		assert_int_equal(socket_setsockopt(all[i], SOL_IP, IP_ADD_MEMBERSHIP, &request,
						   sizeof(request)),
				 0);
	}
	assert_int_equal(set_option(strict, SOL_UDPLITE, UDPLITE_RECV_CSCOV, 0), 0);
	ip4_arrives(&f, packet, make_for(GROUP, 9, 9));
	assert_true(comes(modest));
	assert_false(comes(strict));
	ip4_arrives(&f, packet, make_for(GROUP, 0, WHOLE));
	assert_true(comes(modest));
	assert_true(comes(strict));
	assert_false(comes(udp));
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		socket_close(all[i]);
}

/* Sending. */

/*
 * What was sent last: a datagram of UDP-Lite whose field says `coverage` and whose checksum is
 * right.
 */
static const uint8_t *assert_sent(uint32_t frame, size_t length, uint16_t coverage)
{
	struct ip4_header header;
	const uint8_t *datagram = ip4_sent(&f, frame, &header) + DATAGRAM;

	assert_int_equal(header.protocol, IPPROTO_UDPLITE);
	assert_int_equal(header.total_length, IP4_HEADER_MIN + length);
	assert_int_equal(get_be16(datagram + 4), coverage);
	assert_int_not_equal(get_be16(datagram + 6), 0);
	assert_int_equal(sum_of(datagram, OURS, PEER, length, coverage).raw, 0);
	return datagram;
}

static uint16_t coverage_sent(struct socket *socket)
{
	fixture_clear_sent(&f);
	assert_int_equal(do_send(socket, PEER, PEER_PORT, TEXT, TEXT_LENGTH), TEXT_LENGTH);

	struct ip4_header header;
	uint16_t coverage = get_be16(ip4_sent(&f, 0, &header) + COVERAGE_FIELD);

	assert_sent(0, WHOLE, coverage);
	return coverage;
}

/* RFC3828-1, RFC3828-4, RFC3828-6, RFC3828-8 */
static void sender_chooses_the_coverage(void **state __unused)
{
	static const int chosen[][2] = {{1, 8},   {7, 8},   {8, 8},  {9, 9},      {17, 17},
					{18, 18}, {19, 18}, {-1, 8}, {70000, 18}, {0, 18}};
	struct socket *socket = bound();

	assert_int_equal(coverage_sent(socket), WHOLE);
	for (size_t i = 0; i < ARRAY_SIZE(chosen); i++) {
		assert_int_equal(set_option(socket, SOL_UDPLITE, UDPLITE_SEND_CSCOV, chosen[i][0]),
				 0);
		assert_int_equal(coverage_sent(socket), chosen[i][1]);
	}
	assert_int_equal(counted(UDP_STAT_OUT_DATAGRAMS), 1 + ARRAY_SIZE(chosen));
	assert_int_equal(udp_state(&f.net)->statistics[UDP_STAT_OUT_DATAGRAMS], 0);
	socket_close(socket);
}

/* RFC3828-5 */
static void checksum_is_never_left_out(void **state __unused)
{
	struct socket *socket = bound();

	assert_int_equal(set_option(socket, SOL_SOCKET, SO_NO_CHECK, 1), 0);
	assert_int_equal(coverage_sent(socket), WHOLE);
	f.dev.features |= NETDEV_CHECKSUM_OFFLOAD; /* a device that would sum up all there is */
	assert_int_equal(set_option(socket, SOL_UDPLITE, UDPLITE_SEND_CSCOV, 8), 0);
	assert_int_equal(coverage_sent(socket), 8);
	socket_close(socket);
}

/* RFC3828-5 */
static void checksum_that_comes_out_as_0_is_sent_as_ones(void **state __unused)
{
	struct socket *socket = bound();
	uint8_t payload[2] = {0};

	assert_int_equal(do_send(socket, PEER, PEER_PORT, payload, sizeof(payload)), 2);
	memcpy(payload, assert_sent(0, 10, 10) + 6, sizeof(payload));
	fixture_clear_sent(&f);
	assert_int_equal(do_send(socket, PEER, PEER_PORT, payload, sizeof(payload)), 2);
	assert_int_equal(get_be16(assert_sent(0, 10, 10) + 6), 0xffff);
	socket_close(socket);
}

static void corked_and_long_datagrams(void **state __unused)
{
	struct socket *socket = bound();
	static uint8_t big[UDP_PAYLOAD_MAX];

	assert_int_equal(do_connect(socket, PEER, PEER_PORT), 0);
	assert_int_equal(set_option(socket, SOL_UDPLITE, UDPLITE_SEND_CSCOV, 10), 0);
	assert_int_equal(set_option(socket, SOL_UDPLITE, UDP_CORK, 1), 0);
	assert_int_equal(get_option(socket, SOL_UDP, UDP_CORK), 1);
	assert_int_equal(do_send(socket, PEER, PEER_PORT, "one ", 4), 4);
	assert_int_equal(do_send(socket, PEER, PEER_PORT, "two", 3), 3);
	assert_int_equal(f.sent_count, 0);
	assert_int_equal(set_option(socket, SOL_UDP, UDP_CORK, 0), 0);
	assert_memory_equal(assert_sent(0, 15, 10) + 8, "one two", 7);
	socket_close(socket);

	socket = bound();
	assert_int_equal(set_option(socket, SOL_UDPLITE, UDPLITE_SEND_CSCOV, 40000), 0);
	assert_int_equal(set_option(socket, SOL_SOCKET, SO_RCVBUF, 200000), 0);
	memset(big, 'q', sizeof(big));
	assert_int_equal(do_send(socket, OURS, PORT, big, sizeof(big)), sizeof(big));
	fixture_run(&f);
	assert_int_equal(do_receive(socket, buffer, sizeof(buffer), NULL), sizeof(big));
	assert_memory_equal(buffer, big, sizeof(big));
	socket_close(socket);
}

/* RFC3828-6, RFC3828-7 */
static void options(void **state __unused)
{
	static const int values[][2] = {{1, 8}, {7, 8},  {8, 8},        {9, 9},
					{0, 0}, {-1, 8}, {70000, 65535}};
	static const int both[] = {UDPLITE_SEND_CSCOV, UDPLITE_RECV_CSCOV};
	struct socket *lite = make_lite(), *udp = make_socket(&f, SOCK_DGRAM, 0);

	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		assert_int_equal(get_option(lite, SOL_UDPLITE, both[i]), 0);
		for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
			assert_int_equal(set_option(lite, SOL_UDPLITE, both[i], values[j][0]), 0);
			assert_int_equal(get_option(lite, SOL_UDPLITE, both[i]), values[j][1]);
			assert_int_equal(get_option(lite, SOL_UDP, both[i]), values[j][1]);
		}
		assert_int_equal(socket_setsockopt(lite, SOL_UDPLITE, both[i], "\x09", 1), -EINVAL);
		assert_int_equal(set_option(udp, SOL_UDPLITE, both[i], 8), -ENOPROTOOPT);
		assert_int_equal(set_option(udp, SOL_UDP, both[i], 8), -ENOPROTOOPT);
		assert_int_equal(get_option(udp, SOL_UDPLITE, both[i]), -ENOPROTOOPT);
	}
	assert_int_equal(set_option(lite, SOL_UDPLITE, 12, 1), -ENOPROTOOPT);
	assert_int_equal(get_option(lite, SOL_UDPLITE, 12), -ENOPROTOOPT);
	socket_close(lite);
	socket_close(udp);
}

/* Beside UDP. */

static void ports_are_its_own(void **state __unused)
{
	struct socket *lite = bound(), *udp = make_bound(&f, 0, PORT), *second = make_lite();

	assert_int_equal(do_bind(second, 0, PORT), -EADDRINUSE);
	arrives(0);
	assert_true(comes(lite));
	assert_false(comes(udp));
	ip4_arrives(&f, packet, udp_packet(packet, PEER_PORT, PORT, TEXT, TEXT_LENGTH));
	assert_true(comes(udp));
	assert_false(comes(lite));
	assert_int_equal(counted(UDP_STAT_IN_DATAGRAMS), 1);
	assert_int_equal(udp_state(&f.net)->statistics[UDP_STAT_IN_DATAGRAMS], 1);
	socket_close(lite);
	arrives(0);
	assert_false(comes(udp));
	assert_int_equal(counted(UDP_STAT_NO_PORTS), 1);
	socket_close(udp);
	socket_close(second);
}

static void closed_port_is_answered(void **state __unused)
{
	struct ip4_header header;

	arrives(0);
	assert_int_equal(fixture_drops(&f, DROP_UDP_NO_SOCKET), 1);
	assert_int_equal(ip4_sent(&f, 0, &header)[21], ICMP_PORT_UNREACH);
	assert_int_equal(counted(UDP_STAT_NO_PORTS), 1);
	assert_int_equal(udp_state(&f.net)->statistics[UDP_STAT_NO_PORTS], 0);
	assert_still_answers(&f);
}

static void unreachable_arrives(uint8_t protocol)
{
	const struct ip4_spec inner = {.source = OURS, .destination = PEER, .protocol = protocol},
			      outer = {.protocol = IPPROTO_ICMP};
	const struct udp_header lost = {.source = PORT, .destination = PEER_PORT};
	uint8_t datagram[UDP_HEADER_LENGTH], quoted[64], message[128];

	udp_lite_emit(&lost, datagram);
	size_t n = ip4_make(quoted, &inner, datagram, sizeof(datagram));

	n = icmp_make(message, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0, quoted, n);
	ip4_arrives(&f, packet, ip4_make(packet, &outer, message, n));
}

static void errors_reach_the_right_protocol(void **state __unused)
{
	struct socket *lite = bound(), *udp = make_bound(&f, 0, PORT);

	assert_int_equal(do_connect(lite, PEER, PEER_PORT), 0);
	assert_int_equal(do_connect(udp, PEER, PEER_PORT), 0);
	unreachable_arrives(IPPROTO_UDPLITE);
	assert_int_equal(do_receive(udp, buffer, 10, NULL), -EAGAIN);
	assert_int_equal(do_receive(lite, buffer, 10, NULL), -ECONNREFUSED);
	unreachable_arrives(IPPROTO_UDP);
	assert_int_equal(do_receive(lite, buffer, 10, NULL), -EAGAIN);
	assert_int_equal(do_receive(udp, buffer, 10, NULL), -ECONNREFUSED);
	socket_close(lite);
	socket_close(udp);
}

static void kinds(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);

	assert_int_equal(get_option(socket, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
	socket_close(socket);
	socket = make_lite();
	assert_int_equal(get_option(socket, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDPLITE);
	socket_close(socket);
	assert_true(socket_create(&f.net, AF_INET, SOCK_STREAM, IPPROTO_UDPLITE, &socket) < 0);
}

static void proc_files(void **state __unused)
{
	static char text[8192];
	struct socket *socket = bound();

	assert_int_equal(ipv4_proc_init(&f.net), 0);
	arrives(0);
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

/* Every allocation fails once, in turn: no crash, no leak, and the stack goes on. */
static void allocations_fail(void **state __unused)
{
	uint64_t made = 1; /* by a run in which nothing fails: found by the 0th */

	for (uint64_t nth = 0; nth <= made; nth++) {
		struct socket *socket = NULL;
		struct sk_buff *frame = make_frame(make(8)); /* the driver's own memory */

		host_fail_allocation(nth);
		if (socket_create(&f.net, AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, &socket) == 0) {
			do_bind(socket, 0, PORT);
			set_option(socket, SOL_UDPLITE, UDPLITE_SEND_CSCOV, 8);
			do_connect(socket, PEER, PEER_PORT);
			do_send(socket, PEER, PEER_PORT, buffer, 4000);
			frame_arrives(frame);
			frame = NULL;
			comes(socket);
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
		TEST(every_coverage_of_every_short_datagram),
		TEST(illegal_coverage_is_refused),
		TEST(checksum_0_is_refused),
		TEST(cut_below_the_header),
		TEST(damage_counts_where_it_is_covered),
		TEST(pseudo_header_is_always_covered),
		TEST(what_the_device_says_of_the_checksum_does_not_count),
		TEST(too_little_coverage_is_refused),
		TEST(coverage_and_multicast),
		TEST(sender_chooses_the_coverage),
		TEST(checksum_is_never_left_out),
		TEST(checksum_that_comes_out_as_0_is_sent_as_ones),
		TEST(corked_and_long_datagrams),
		TEST(options),
		TEST(ports_are_its_own),
		TEST(closed_port_is_answered),
		TEST(errors_reach_the_right_protocol),
		TEST(kinds),
		TEST(proc_files),
		TEST(allocations_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
