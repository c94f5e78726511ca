/* The path's MTU, found by probes: a link swallows what is too long, and nobody says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/tcp/tcp_scoreboard.h"
#include "net/tcp/tcp_state.h"
#include "test/host/simulator/transfer.h"

#define LINE .delay_us = 5000, .rate_bps = 20000000, .queue_bytes = 100000
#define SEARCH_END 32 /* bytes that are not looked for: tcp_mtu_probe.c */
#define BASE_SIZE (1024 + 40)

static struct transfer *open_over(const struct fault_settings *faults, size_t bytes,
				  void (*prepare)(struct transfer *transfer))
{
	const struct transfer_settings settings = {
		.seed = 1,
		.bytes = bytes,
		.there = *faults,
		.back = *faults,
		.retries = 30,
		.prepare = prepare,
	};

	return transfer_open(&settings);
}

static void finish(struct transfer *transfer)
{
	while (transfer_step(transfer))
		;
	if (transfer->trouble)
		fail_msg("%s", transfer->trouble);
}

static uint32_t path_of(const struct transfer *transfer)
{
	return transfer->sender->mtu.path;
}

/* RFC 4821 7.7, 7.2: down to what nearly every path takes, then up to what this one does. */
static void test_black_hole(void **state __unused)
{
	static const uint32_t mtus[] = {1100, 1200, 1300, 1400, 1480};

	for (size_t i = 0; i < ARRAY_SIZE(mtus); i++) {
		const struct fault_settings hole = {LINE, .mtu = mtus[i]};
		struct transfer *transfer = open_over(&hole, 2 << 20, NULL);

		finish(transfer);
		assert_in_range(path_of(transfer), mtus[i] - 2 * SEARCH_END, mtus[i]);
		assert_in_range(transfer_count(transfer, TCP_EXTRA_MTU_PROBE_FAILURES), 1, 8);
		/* Probes that got lost were no reason to send less: RFC 4821 7.5. */
		assert_in_range(transfer->sender->congestion.cwnd, 20000, UINT32_MAX);
		transfer_close(transfer);
	}
}

/* Where probes and other segments get lost, too, nothing longer than the path takes is used. */
static void test_black_hole_with_loss(void **state __unused)
{
	const struct fault_settings hole = {LINE, .mtu = 1280, .loss = 0.05, .reorder = 0.02,
					    .reorder_depth = 5};
	struct transfer *transfer = open_over(&hole, 1 << 20, NULL);

	finish(transfer);
	assert_in_range(path_of(transfer), BASE_SIZE, 1280);
	transfer_close(transfer);
}

/* RFC 8899 5.1.1: ten minutes later the path is tried again. */
static void test_raised_again(void **state __unused)
{
	struct fault_settings slow = {.delay_us = 5000, .rate_bps = 100000, .mtu = 1200};
	struct transfer *transfer = open_over(&slow, 12 << 20, NULL);

	while (path_of(transfer) == 1500)
		assert_true(transfer_step(transfer));
	assert_int_equal(path_of(transfer), BASE_SIZE);
	while (transfer->world->now_us < 120 * USEC_PER_SEC)
		assert_true(transfer_step(transfer));
	assert_in_range(path_of(transfer), 1200 - SEARCH_END, 1200);
	slow.mtu = 1500;
	link_set_faults(transfer->link, &slow);
	finish(transfer);
	assert_in_range(transfer->world->now_us, 700 * USEC_PER_SEC, UINT64_MAX);
	assert_int_equal(path_of(transfer), 1500);
	assert_int_equal(transfer->sender->mtu.search_high, 0);
	transfer_close(transfer);
}

static void always(struct transfer *transfer)
{
	tcp_of(&transfer->from->stack.net)->settings.tcp_mtu_probing = 2;
}

static void test_always_on_a_good_path(void **state __unused)
{
	static const struct fault_settings good = {.delay_us = 5000};
	struct transfer *transfer = open_over(&good, 1 << 20, always);

	assert_int_equal(path_of(transfer), BASE_SIZE);
	finish(transfer);
	assert_int_equal(path_of(transfer), 1500);
	assert_int_equal(transfer->sender->count.retransmissions, 0);
	transfer_close(transfer);
}

/* Not even what nearly every path takes comes through: then routers may cut. */
static void test_fragments_are_better_than_nothing(void **state __unused)
{
	struct fault_settings narrow = {LINE, .mtu = 800};
	struct transfer *transfer = open_over(&narrow, 64 << 10, NULL);

	while (!transfer->sender->mtu.no_dont_fragment)
		assert_true(transfer_step(transfer));
	assert_int_equal(path_of(transfer), BASE_SIZE);
	narrow.mtu = 0;
	link_set_faults(transfer->link, &narrow);
	finish(transfer);
	transfer_close(transfer);
}

/* A device with a tiny MTU still leaves room for some data; without a route there is a floor. */
static void test_bounds(void **state __unused)
{
	static const struct fault_settings good = {LINE};
	struct transfer *transfer = open_over(&good, 1000, NULL);
	struct tcp_socket *tcp = transfer->sender;

	assert_int_equal(tcp_mss_for_path(tcp, 30), 88);
	assert_int_equal(tcp_mss_for_path(tcp, 1500), 1448);
	finish(transfer);
	net_lock(&transfer->from->stack.net);
	tcp->inet.remote.addr.v4 = IP4(192, 0, 2, 1);
	tcp_mtu_setup(tcp);
	assert_int_equal(tcp->mtu.path, 552);
	tcp->inet.remote.addr.v4 = IP4(10, 0, 0, 2);
	net_unlock(&transfer->from->stack.net);
	transfer_close(transfer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_black_hole),
		cmocka_unit_test(test_black_hole_with_loss),
		cmocka_unit_test(test_raised_again),
		cmocka_unit_test(test_always_on_a_good_path),
		cmocka_unit_test(test_fragments_are_better_than_nothing),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
