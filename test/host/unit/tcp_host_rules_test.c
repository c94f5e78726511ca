/*
 * Where TCP meets IP: addresses, time to live, Diffserv, options, ICMP (RFC 9293 3.9; RFC 1122
 * 4.2.3). The requirement that a test shows stands above it.
 */
#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "net/core/checksum.h"
#include "net/ethernet/arp.h"
#include "test/host/unit/stranger.h"

#define SOURCE_QUENCH 4
#define PARAMETER_PROBLEM 12

static struct fixture f;
static struct stranger stranger;
static struct socket *listener, *socket;

static int setup(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	stranger_init(&stranger, &f);
	socket = stranger_connects(&stranger, listener);
	drops_watch(&f);
	return 0;
}

static int teardown(void **state __unused)
{
	assert_still_serves(&f, listener);
	socket_close(socket);
	tcp_fixture_destroy(&f, listener);
	return 0;
}

/* The IP header of the first packet sent. */
static struct ip4_header sent_header(void)
{
	struct ip4_header header;

	ip4_sent(&f, 0, &header);
	return header;
}

/* A SYN to the listener, from and to any address; in a frame to us, or to everybody. */
static void syn_between(ip4_t source, ip4_t destination, bool broadcast_frame)
{
	uint8_t packet[IP4_HEADER_MIN + TCP_HEADER_MIN];
	const struct ip4_spec spec = {
		.source = source, .destination = destination, .protocol = IPPROTO_TCP};
	uint8_t segment[TCP_HEADER_MIN] = {0};
	be16 checksum;

	put_be16(segment, 12345);
	put_be16(segment + 2, TCP_FIXTURE_PORT);
	segment[12] = 5 << 4;
	segment[13] = TCP_SYN;
	checksum = checksum_fold(
		checksum_add(segment, sizeof(segment),
			     checksum_pseudo4(source, destination, IPPROTO_TCP, sizeof(segment))));
	memcpy(segment + 16, &checksum, sizeof(checksum));
	size_t length = ip4_make(packet, &spec, segment, sizeof(segment));

	if (broadcast_frame)
		ip4_arrives_broadcast(&f, packet, length);
	else
		ip4_arrives(&f, packet, length);
}

/* MUST-63, RFC1122-15: IP refuses them for all that stands above it. */
static void test_syn_from_an_impossible_address(void **state __unused)
{
	const ip4_t sources[] = {IP4_ANY,    IP4(127, 0, 0, 1), GROUP,
				 0xffffffff, SUBNET_BROADCAST,  OURS};

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		syn_between(sources[i], OURS, false);
	assert_int_equal(tcp_fixture_state(&f)->requests.table.count, 0);
	stranger_sees_nothing(&stranger);
}

/* MUST-57 */
static void test_syn_to_many(void **state __unused)
{
	syn_between(PEER, SUBNET_BROADCAST, true);
	syn_between(PEER, 0xffffffff, true);
	assert_dropped(&f, DROP_TCP_BAD_DESTINATION, 2);
	assert_int_equal(tcp_fixture_state(&f)->requests.table.count, 0);
	stranger_sees_nothing(&stranger);
}

/* MUST-41, MUST-42: the connection of `setup` lives beside its listener, and beside another. */
static void test_listener_and_connections_of_one_port(void **state __unused)
{
	struct stranger other;
	struct socket *second;
	char byte;

	stranger_init(&other, &f);
	second = stranger_connects(&other, listener);
	stranger_says(&other, "2", 1);
	stranger_says(&stranger, "1", 1);
	assert_int_equal(socket_take(socket, &byte, 1, 0), 1);
	assert_int_equal(byte, '1');
	assert_int_equal(socket_take(second, &byte, 1, 0), 1);
	assert_int_equal(byte, '2');
	socket_close(second);
}

/* MUST-44, MUST-45: the address that IP chose for the SYN stays, though another is added. */
static void test_local_address_is_kept(void **state __unused)
{
	struct stranger server;
	struct socket *client;

	stranger_init(&server, &f);
	client = stranger_is_connected(&server);
	net_lock(&f.net);
	assert_int_equal(ip4_add_address(&f.dev, IP4(10, 0, 0, 9), 24, 0), 0);
	net_unlock(&f.net);
	fixture_clear_sent(&f);
	assert_int_equal(socket_give(client, "x", 1, 0), 1);
	assert_int_equal(sent_header().source, OURS);
	fixture_clear_sent(&f);
	socket_close(client);
}

/* MUST-49, MUST-48, SHLD-21, SHLD-22: chosen while connected, and unchanged on the wire but ECN. */
static void test_time_to_live_and_diffserv(void **state __unused)
{
	assert_int_equal(set_option(socket, SOL_IP, IP_TTL, 7), 0);
	assert_int_equal(set_option(socket, SOL_IP, IP_TOS, 0xb8), 0);
	assert_int_equal(socket_give(socket, "x", 1, 0), 1);
	assert_int_equal(sent_header().ttl, 7);
	assert_int_equal(sent_header().tos, 0xb8);
	stranger_acknowledges(&stranger);
	assert_int_equal(set_option(socket, SOL_IP, IP_TOS, 0x20), 0);
	assert_int_equal(socket_give(socket, "y", 1, 0), 1);
	assert_int_equal(sent_header().tos, 0x20);
	stranger_acknowledges(&stranger);
}

/* MUST-50: a data segment in a packet with options, among them one that nobody knows. */
static void test_ip_options_are_ignored(void **state __unused)
{
	static const uint8_t options[] = {1, 0x9e, 3, 0x55};
	struct crafted segment = stranger_segment(&stranger, TCP_ACK | TCP_PSH);
	char byte;

	segment.data = "o";
	segment.length = 1;
	segment.ip_options = options;
	segment.ip_options_length = sizeof(options);
	stranger_sends(&stranger, &segment);
	stranger.seq++;
	assert_int_equal(socket_take(socket, &byte, 1, 0), 1);
	assert_int_equal(byte, 'o');
	fixture_clear_sent(&f);
}

/* An ICMP error about what is under way. */
static void icmp_error(uint8_t type, uint8_t code)
{
	stranger_icmp(&stranger, type, code, 0, tcp_socket(socket)->snd_una);
}

/* MUST-54, MUST-56, SHLD-25: noted, and the connection goes on. */
static void test_soft_errors(void **state __unused)
{
	static const struct {
		uint8_t type, code;
		int error;
	} rows[] = {
		{ICMP_DEST_UNREACH, 0, ENETUNREACH}, {ICMP_DEST_UNREACH, 1, EHOSTUNREACH},
		{ICMP_DEST_UNREACH, 5, EOPNOTSUPP},  {ICMP_TIME_EXCEEDED, 0, EHOSTUNREACH},
		{PARAMETER_PROBLEM, 0, EPROTO},
	};

	socket_give(socket, "0123456789", 10, 0);
	fixture_clear_sent(&f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		tcp_socket(socket)->soft_error = 0;
		icmp_error(rows[i].type, rows[i].code);
		assert_int_equal(tcp_socket(socket)->state, TCP_ESTABLISHED);
		assert_int_equal(tcp_socket(socket)->soft_error, rows[i].error);
		assert_int_equal(get_option(socket, SOL_SOCKET, SO_ERROR), 0);
	}
	stranger.ack += 10;
	stranger_flags(&stranger, TCP_ACK);
}

/* MUST-55 */
static void test_source_quench(void **state __unused)
{
	uint32_t cwnd = tcp_socket(socket)->congestion.cwnd;

	socket_give(socket, "0123456789", 10, 0);
	fixture_clear_sent(&f);
	icmp_error(SOURCE_QUENCH, 0);
	assert_int_equal(tcp_socket(socket)->congestion.cwnd, cwnd);
	assert_int_equal(tcp_socket(socket)->soft_error, 0);
	stranger_sees_nothing(&stranger);
	stranger.ack += 10;
	stranger_flags(&stranger, TCP_ACK);
}

/* MUST-47, SHLD-20: a process that asks (IP_RECVERR) hears of soft errors; others need not. */
static void test_soft_errors_are_reported(void **state __unused)
{
	uint8_t control[256], byte;
	struct message message = {.flags = MSG_ERRQUEUE | MSG_DONTWAIT};

	assert_int_equal(set_option(socket, SOL_IP, IP_RECVERR, 1), 0);
	socket_give(socket, "0123456789", 10, 0);
	fixture_clear_sent(&f);
	icmp_error(ICMP_DEST_UNREACH, 1);
	iov_init_kernel(&message.iov, &byte, 1);
	message.control_to = control;
	message.control_room = sizeof(control);
	assert_true(socket_recvmsg(socket, &message) >= 0);
	assert_true(message.flags_out & MSG_ERRQUEUE);
	assert_int_equal(tcp_socket(socket)->state, TCP_ESTABLISHED);
	get_option(socket, SOL_SOCKET, SO_ERROR);
	stranger.ack += 10;
	stranger_flags(&stranger, TCP_ACK);
}

/* MUST-20: after R1 retransmissions the first hop is asked whether it is there. */
static void test_the_way_is_doubted(void **state __unused)
{
	uint32_t questions = 0;

	net_lock(&f.net);
	assert_int_equal(arp_delete(&f.dev, PEER), 0);
	assert_int_equal(arp_set_permanent(&f.dev, PEER, FIXTURE_PEER, false), 0);
	net_unlock(&f.net);
	socket_give(socket, "x", 1, 0);
	fixture_clear_sent(&f);
	fixture_advance(&f, 4 * USEC_PER_SEC); /* 200, 400, 800, 1600 ms */
	for (uint32_t i = 0; i < f.sent_count; i++)
		questions += get_be16(fixture_sent(&f, i)->bytes + 12) == 0x0806;
	assert_int_equal(questions, 1);
	net_lock(&f.net);
	assert_int_equal(arp_set_permanent(&f.dev, PEER, FIXTURE_PEER, true), 0);
	net_unlock(&f.net);
	fixture_clear_sent(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_syn_from_an_impossible_address),
		TEST(test_syn_to_many),
		TEST(test_listener_and_connections_of_one_port),
		TEST(test_local_address_is_kept),
		TEST(test_time_to_live_and_diffserv),
		TEST(test_ip_options_are_ignored),
		TEST(test_soft_errors),
		TEST(test_source_quench),
		TEST(test_soft_errors_are_reported),
		TEST(test_the_way_is_doubted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
