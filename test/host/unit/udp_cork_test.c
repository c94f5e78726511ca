/* MSG_MORE and UDP_CORK: one datagram from several calls. udp(7) */
#include "test/host/unit/udp_fixture.h"

#include <string.h>

#include "kernel/byteorder.h"
#include "net/ipv4/udp.h"
#include "net/ipv4/udp_wire.h"

static int64_t send_piece(struct socket *socket, const void *bytes, size_t n, uint32_t flags)
{
	struct message message = {.flags = flags | MSG_DONTWAIT};

	iov_init_kernel(&message.iov, (void *)bytes, n);
	return socket_sendmsg(socket, &message);
}

static struct socket *connected(void)
{
	struct socket *socket = make_bound(&udp_stack, 0, 5000);

	assert_int_equal(do_connect(socket, PEER, 7), 0);
	return socket;
}

static void assert_sent(const char *payload)
{
	struct ip4_header header;
	const uint8_t *sent = ip4_sent(&udp_stack, 0, &header);

	assert_int_equal(udp_stack.sent_count, 1);
	assert_int_equal(header.total_length, 28 + strlen(payload));
	assert_int_equal(get_be16(sent + 24), 8 + strlen(payload));
	assert_memory_equal(sent + 28, payload, strlen(payload));
	fixture_clear_sent(&udp_stack);
}

static void more_holds_back(void **state __unused)
{
	struct socket *socket = connected();

	assert_int_equal(send_piece(socket, "one ", 4, MSG_MORE), 4);
	assert_int_equal(send_piece(socket, "two ", 4, MSG_MORE), 4);
	assert_int_equal(udp_stack.sent_count, 0);
	assert_int_equal(send_piece(socket, "three", 5, 0), 5);
	assert_sent("one two three");
	assert_int_equal(send_piece(socket, "four", 4, 0), 4);
	assert_sent("four");
	socket_close(socket);
}

static void cork_holds_back_until_it_is_off(void **state __unused)
{
	struct socket *socket = connected();

	assert_int_equal(set_option(socket, SOL_UDP, UDP_CORK, 1), 0);
	assert_int_equal(get_option(socket, SOL_UDP, UDP_CORK), 1);
	assert_int_equal(send_piece(socket, "a", 1, 0), 1);
	assert_int_equal(send_piece(socket, "b", 1, 0), 1);
	assert_int_equal(udp_stack.sent_count, 0);
	assert_int_equal(set_option(socket, SOL_UDP, UDP_CORK, 0), 0);
	assert_sent("ab");
	assert_int_equal(set_option(socket, SOL_UDP, UDP_CORK, 0), 0); /* with nothing to send */
	assert_int_equal(udp_stack.sent_count, 0);
	socket_close(socket);
}

/* The pieces that follow say nothing of where to; what they do say is not heard. */
static void first_piece_says_where(void **state __unused)
{
	struct socket *socket = make_socket(&udp_stack, SOCK_DGRAM, 0);
	struct ip4_header header;

	assert_int_equal(send_piece(socket, "x", 1, MSG_MORE), -EDESTADDRREQ);
	assert_int_equal(set_option(socket, SOL_UDP, UDP_CORK, 1), 0);
	assert_int_equal(do_send(socket, PEER, 7, "to ", 3), 3);
	assert_int_equal(do_send(socket, GATEWAY, 9, "you", 3), 3);
	assert_int_equal(set_option(socket, SOL_UDP, UDP_CORK, 0), 0);
	const uint8_t *sent = ip4_sent(&udp_stack, 0, &header);

	assert_int_equal(header.destination, PEER);
	assert_int_equal(get_be16(sent + 22), 7);
	assert_sent("to you");
	socket_close(socket);
}

/* Thousands of pieces in one packet's memory; what does not fit loses all, as on Linux. */
static void longest_datagram_and_one_byte_more(void **state __unused)
{
	struct socket *socket = connected();

	for (uint32_t i = 0; i < UDP_PAYLOAD_MAX; i++)
		assert_int_equal(send_piece(socket, "z", 1, MSG_MORE), 1);
	assert_in_range(udp_stack.net.live_skbs, 1, 2);
	assert_int_equal(send_piece(socket, "z", 1, 0), -EMSGSIZE);
	assert_int_equal(udp_stack.net.live_skbs, 0);
	assert_int_equal(udp_stack.sent_count, 0);
	assert_int_equal(send_piece(socket, udp_bytes, 65000, MSG_MORE), 65000);
	assert_int_equal(send_piece(socket, udp_bytes, 507, 0), 507);
	assert_true(udp_stack.sent_count > 1); /* fragments */
	socket_close(socket);
}

/* Also with a send buffer that the pieces alone would fill: they do not wait for themselves. */
static void small_send_buffer_does_not_stop_it(void **state __unused)
{
	struct socket *socket = connected();

	assert_int_equal(set_option(socket, SOL_SOCKET, SO_SNDBUF, 1), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(send_piece(socket, udp_bytes, 1000, MSG_MORE), 1000);
	assert_int_equal(send_piece(socket, udp_bytes, 1000, 0), 1000);
	socket_close(socket);
}

static void close_forgets_what_was_gathered(void **state __unused)
{
	struct socket *socket = connected();

	assert_int_equal(send_piece(socket, "never", 5, MSG_MORE), 5);
	socket_close(socket);
	assert_int_equal(udp_stack.sent_count, 0);
}

static void without_memory_it_starts_anew(void **state __unused)
{
	struct socket *socket = connected();

	for (uint64_t nth = 1; nth <= 3; nth++) {
		host_fail_allocation(nth);
		assert_int_equal(send_piece(socket, "x", 1, MSG_MORE), -ENOBUFS);
	}
	host_fail_allocation(0);
	assert_int_equal(send_piece(socket, "x", 1, MSG_MORE), 1);
	host_fail_allocation(2); /* for a larger packet */
	assert_int_equal(send_piece(socket, udp_bytes, 9000, MSG_MORE), -ENOBUFS);
	host_fail_allocation(0);
	assert_int_equal(send_piece(socket, "afresh", 6, 0), 6);
	assert_sent("afresh");
	socket_close(socket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UDP_TEST(more_holds_back),
		UDP_TEST(cork_holds_back_until_it_is_off),
		UDP_TEST(first_piece_says_where),
		UDP_TEST(longest_datagram_and_one_byte_more),
		UDP_TEST(small_send_buffer_does_not_stop_it),
		UDP_TEST(close_forgets_what_was_gathered),
		UDP_TEST(without_memory_it_starts_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
