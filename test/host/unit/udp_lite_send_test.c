/* UDP-Lite (RFC 3828): what a sender covers, and the options that say how much. */
#include "test/host/unit/udp_lite_fixture.h"

#include <string.h>

#include "kernel/byteorder.h"

/*
 * What was sent last: a datagram of UDP-Lite whose field says `coverage` and whose checksum is
 * right.
 */
static const uint8_t *assert_sent(uint32_t frame, size_t length, uint16_t coverage)
{
	struct ip4_header header;
	const uint8_t *datagram = ip4_sent(&udp_stack, frame, &header) + DATAGRAM;

	assert_int_equal(header.protocol, IPPROTO_UDPLITE);
	assert_int_equal(header.total_length, IP4_HEADER_MIN + length);
	assert_int_equal(get_be16(datagram + COVERAGE_FIELD), coverage);
	assert_int_not_equal(get_be16(datagram + CHECKSUM_FIELD), 0);
	assert_int_equal(lite_sum(datagram, OURS, PEER, length, coverage).raw, 0);
	return datagram;
}

static uint16_t coverage_sent(struct socket *socket)
{
	fixture_clear_sent(&udp_stack);
	assert_int_equal(do_send(socket, PEER, PEER_PORT, TEXT, TEXT_LENGTH), TEXT_LENGTH);

	struct ip4_header header;
	uint16_t coverage = get_be16(ip4_sent(&udp_stack, 0, &header) + DATAGRAM + COVERAGE_FIELD);

	assert_sent(0, WHOLE, coverage);
	return coverage;
}

/* RFC3828-1, RFC3828-4, RFC3828-6, RFC3828-8 */
static void sender_chooses_the_coverage(void **state __unused)
{
	static const int chosen[][2] = {{1, 8},   {7, 8},   {8, 8},  {9, 9},      {17, 17},
					{18, 18}, {19, 18}, {-1, 8}, {70000, 18}, {0, 18}};
	struct socket *socket = lite_bound();

	assert_int_equal(coverage_sent(socket), WHOLE);
	for (size_t i = 0; i < ARRAY_SIZE(chosen); i++) {
		assert_int_equal(set_option(socket, SOL_UDPLITE, UDPLITE_SEND_CSCOV, chosen[i][0]),
				 0);
		assert_int_equal(coverage_sent(socket), chosen[i][1]);
	}
	assert_int_equal(lite_counted(UDP_STAT_OUT_DATAGRAMS), 1 + ARRAY_SIZE(chosen));
	assert_int_equal(udp_state(&udp_stack.net)->statistics[UDP_STAT_OUT_DATAGRAMS], 0);
	socket_close(socket);
}

/* RFC3828-5 */
static void checksum_is_never_left_out(void **state __unused)
{
	struct socket *socket = lite_bound();

	assert_int_equal(set_option(socket, SOL_SOCKET, SO_NO_CHECK, 1), 0);
	assert_int_equal(coverage_sent(socket), WHOLE);
	/* A device that would sum up all there is. */
	udp_stack.dev.features |= NETDEV_CHECKSUM_OFFLOAD;
	assert_int_equal(set_option(socket, SOL_UDPLITE, UDPLITE_SEND_CSCOV, 8), 0);
	assert_int_equal(coverage_sent(socket), 8);
	socket_close(socket);
}

/* RFC3828-5 */
static void checksum_that_comes_out_as_0_is_sent_as_ones(void **state __unused)
{
	struct socket *socket = lite_bound();
	uint8_t payload[2] = {0};

	assert_int_equal(do_send(socket, PEER, PEER_PORT, payload, sizeof(payload)), 2);
	memcpy(payload, assert_sent(0, 10, 10) + CHECKSUM_FIELD, sizeof(payload));
	fixture_clear_sent(&udp_stack);
	assert_int_equal(do_send(socket, PEER, PEER_PORT, payload, sizeof(payload)), 2);
	assert_int_equal(get_be16(assert_sent(0, 10, 10) + CHECKSUM_FIELD), 0xffff);
	socket_close(socket);
}

static void corked_and_long_datagrams(void **state __unused)
{
	struct socket *socket = lite_bound();
	static uint8_t big[UDP_PAYLOAD_MAX];

	assert_int_equal(do_connect(socket, PEER, PEER_PORT), 0);
	assert_int_equal(set_option(socket, SOL_UDPLITE, UDPLITE_SEND_CSCOV, 10), 0);
	assert_int_equal(set_option(socket, SOL_UDPLITE, UDP_CORK, 1), 0);
	assert_int_equal(get_option(socket, SOL_UDP, UDP_CORK), 1);
	assert_int_equal(do_send(socket, PEER, PEER_PORT, "one ", 4), 4);
	assert_int_equal(do_send(socket, PEER, PEER_PORT, "two", 3), 3);
	assert_int_equal(udp_stack.sent_count, 0);
	assert_int_equal(set_option(socket, SOL_UDP, UDP_CORK, 0), 0);
	assert_memory_equal(assert_sent(0, 15, 10) + UDP_HEADER_LENGTH, "one two", 7);
	socket_close(socket);

	socket = lite_bound();
	assert_int_equal(set_option(socket, SOL_UDPLITE, UDPLITE_SEND_CSCOV, 40000), 0);
	assert_int_equal(set_option(socket, SOL_SOCKET, SO_RCVBUF, 200000), 0);
	memset(big, 'q', sizeof(big));
	assert_int_equal(do_send(socket, OURS, PORT, big, sizeof(big)), sizeof(big));
	fixture_run(&udp_stack);
	assert_int_equal(do_receive(socket, udp_bytes, sizeof(udp_bytes), NULL), sizeof(big));
	assert_memory_equal(udp_bytes, big, sizeof(big));
	socket_close(socket);
}

/* RFC3828-6, RFC3828-7 */
static void options(void **state __unused)
{
	static const int values[][2] = {{1, 8}, {7, 8},  {8, 8},        {9, 9},
					{0, 0}, {-1, 8}, {70000, 65535}};
	static const int both[] = {UDPLITE_SEND_CSCOV, UDPLITE_RECV_CSCOV};
	struct socket *lite = lite_socket(), *udp = make_socket(&udp_stack, SOCK_DGRAM, 0);

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		UDP_TEST(sender_chooses_the_coverage),
		UDP_TEST(checksum_is_never_left_out),
		UDP_TEST(checksum_that_comes_out_as_0_is_sent_as_ones),
		UDP_TEST(corked_and_long_datagrams),
		UDP_TEST(options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
