/*
 * TCP between two stacks in the simulator: opening, data both ways, closing; on links good and bad.
 */
#include <stdlib.h>
#include <string.h>

#include "test/host/simulator/transfer.h"
#include "test/host/unit/tcp_pair.h"

static void test_opens_talks_and_closes(void **state __unused)
{
	struct socket *client, *server;
	struct pair pair;
	char text[16];

	pair_create(&pair, NULL);
	pair_connect(&pair, &client, &server);
	assert_int_equal(send_bytes(client, "hello", 5, 0), 5);
	assert_int_equal(receive_bytes(server, text, sizeof(text), 0), 5);
	assert_memory_equal(text, "hello", 5);
	assert_int_equal(send_bytes(server, "world!", 6, 0), 6);
	assert_int_equal(receive_bytes(client, text, sizeof(text), 0), 6);
	socket_close(client);
	assert_int_equal(receive_bytes(server, text, sizeof(text), 0), 0);
	socket_close(server);
	pair_destroy(&pair);
}

/* One side sends `size` bytes of a pattern while the other receives, in turns. */
static void carry(struct pair *pair, struct socket *from, struct socket *to, size_t size)
{
	uint8_t *buffer = malloc(65536), *expected = malloc(65536);
	size_t sent = 0, received = 0;

	while (received < size) {
		size_t part = size - sent < 65536 ? size - sent : 65536;
		bool moved = false;

		for (size_t i = 0; i < part; i++)
			buffer[i] = (uint8_t)((sent + i) * 7 + (sent + i) / 251);
		int64_t n = part ? send_bytes(from, buffer, part, MSG_DONTWAIT) : 0;

		if (n > 0) {
			sent += (size_t)n;
			moved = true;
		}
		n = receive_bytes(to, buffer, 65536, MSG_DONTWAIT);
		assert_true(n > 0 || n == -EAGAIN);
		for (int64_t i = 0; i < n; i++) {
			expected[i] = (uint8_t)((received + (size_t)i) * 7 +
						(received + (size_t)i) / 251);
		}
		if (n > 0) {
			assert_memory_equal(buffer, expected, (size_t)n);
			received += (size_t)n;
			moved = true;
		}
		if (!moved)
			assert_true(world_step(pair->world, TIME_NEVER - 1));
	}
	free(buffer);
	free(expected);
}

static void transfer(const struct fault_settings *faults, size_t size)
{
	struct socket *client, *server;
	struct pair pair;

	pair_create(&pair, faults);
	pair_connect(&pair, &client, &server);

	uint64_t began_us = pair.world->now_us;

	carry(&pair, client, server, size);
	if (getenv("VITRINE_LOG"))
		fprintf(stderr, "%zu bytes in %.3f s: %.1f Mbit/s\n", size,
			(double)(pair.world->now_us - began_us) / 1e6,
			(double)size * 8 / (double)(pair.world->now_us - began_us));
	carry(&pair, server, client, size / 4);
	socket_close(client);
	socket_close(server);
	pair_destroy(&pair);
}

static void test_transfer_on_a_perfect_wire(void **state __unused)
{
	transfer(NULL, 4 << 20);
}

static void test_transfer_with_delay(void **state __unused)
{
	const struct fault_settings faults = {.delay_us = 20000, .rate_bps = 100000000};

	transfer(&faults, 8 << 20);
}

static void test_transfer_with_loss(void **state __unused)
{
	const struct fault_settings faults = {.delay_us = 20000, .loss = 0.01};

	transfer(&faults, 4 << 20);
}

static void test_transfer_with_much_loss_and_reordering(void **state __unused)
{
	const struct fault_settings faults = {.delay_us = 5000,
					      .loss = 0.1,
					      .reorder = 0.2,
					      .reorder_depth = 20,
					      .corrupt = 0.01,
					      .duplicate = 0.05};

	transfer(&faults, 1 << 20);
}

/* lo carries packets of 64 KiB, more than half of what the receiver's first window is. */
static void test_transfer_over_loopback(void **state __unused)
{
	struct sockaddr_storage name = tcp_name(IP4_LOOPBACK, PORT);
	struct socket *client, *server;
	struct pair pair;

	pair_create(&pair, NULL);
	client = tcp_open(pair.server);
	assert_int_equal(socket_connect(client, &name, sizeof(struct sockaddr_in), false), 0);
	assert_int_equal(socket_accept(pair.listener, &server, false), 0);
	carry(&pair, client, server, 8 << 20);
	carry(&pair, server, client, 1 << 20);
	socket_close(client);
	socket_close(server);
	pair_destroy(&pair);
}

/* Both send at once and lose: full segments of data, and SACK blocks to be told with them. */
static void test_both_ways_with_loss(void **state __unused)
{
	const struct fault_settings faults = {.delay_us = 5000, .loss = 0.03};
	static uint8_t bytes[65536], back[65536];
	size_t sent[2] = {0}, received[2] = {0}, size = 1 << 20;
	struct socket *ends[2];
	struct pair pair;

	pair_create(&pair, &faults);
	pair_connect(&pair, &ends[0], &ends[1]);
	while (received[0] < size || received[1] < size) {
		bool moved = false;

		for (int i = 0; i < 2; i++) {
			size_t part = size - sent[i] < 65536 ? size - sent[i] : 65536;
			int64_t n = part ? send_bytes(ends[i], bytes, part, MSG_DONTWAIT) : 0;

			sent[i] += n > 0 ? (size_t)n : 0;
			moved |= n > 0;
			n = receive_bytes(ends[i], back, sizeof(back), MSG_DONTWAIT);
			received[i] += n > 0 ? (size_t)n : 0;
			moved |= n > 0;
		}
		if (!moved)
			assert_true(world_step(pair.world, TIME_NEVER - 1));
	}
	assert_int_equal(pair.client->stack.net.drops[DROP_IP4_MUST_FRAGMENT], 0);
	assert_int_equal(pair.server->stack.net.drops[DROP_IP4_MUST_FRAGMENT], 0);
	socket_close(ends[0]);
	socket_close(ends[1]);
	pair_destroy(&pair);
}

/* SO_RCVBUF of a listener holds for what it accepts: the buffer does not grow, nor the window. */
static void test_chosen_buffers_stay(void **state __unused)
{
	const struct transfer_settings settings = {.seed = 1, .bytes = 256 << 10, .buffer = 8192};
	struct transfer *transfer = transfer_open(&settings);

	while (transfer_step(transfer))
		assert_in_range(transfer->sender->snd_wnd, 0, 8192);
	assert_null(transfer->trouble);
	assert_int_equal(transfer->sink->receive_buffer, 2 * 8192);
	assert_int_equal(transfer->source->send_buffer, 2 * 8192);
	transfer_close(transfer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens_talks_and_closes),
		cmocka_unit_test(test_transfer_on_a_perfect_wire),
		cmocka_unit_test(test_transfer_over_loopback),
		cmocka_unit_test(test_transfer_with_delay),
		cmocka_unit_test(test_chosen_buffers_stay),
		cmocka_unit_test(test_transfer_with_loss),
		cmocka_unit_test(test_both_ways_with_loss),
		cmocka_unit_test(test_transfer_with_much_loss_and_reordering),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
