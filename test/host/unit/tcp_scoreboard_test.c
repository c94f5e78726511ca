/*
 * The scoreboard against a model that keeps a state for every byte: thousands of random changes,
 * over the end of the sequence space, and after each one everything is compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/tcp/tcp_scoreboard.h"
#include "test/host/services/host.h"

#define MSS 10
#define BASE 0xFFFFE000u /* the numbers come round during each test */
#define BYTES 40000u
#define ROUNDS 6000
#define WINDOW 1500 /* bytes that are under way at most */

struct byte {
	enum tcp_sent_state state;
	bool resent;
	uint64_t sent_us;
};

/* All that is between `una` and `nxt`, by offset from BASE. */
struct model {
	struct byte bytes[BYTES];
	uint32_t una, nxt;
	uint64_t now_us;
	struct tcp_socket tcp; /* of which only the scoreboard is used */
};

static struct model model;
static struct tcp_scoreboard *const board = &model.tcp.scoreboard;

static int set_up(void **state __unused)
{
	model = (struct model){.now_us = 1};
	tcp_scoreboard_init(board);
	srand(7);
	return 0;
}

static int tear_down(void **state __unused) NO_LOCK_CHECK /* there is no stack */
{
	tcp_scoreboard_free(&model.tcp);
	assert_int_equal(board->records, 0);
	assert_null(tcp_scoreboard_first(board));
	assert_int_equal(host_allocations_live(), 0);
	return 0;
}

static uint32_t any(uint32_t below)
{
	return (uint32_t)rand() % below;
}

/* ---- Comparing ---- */

static void check_list(const struct list_head *list, enum tcp_sent_state state, uint32_t *count)
{
	const struct tcp_sent *sent;
	uint64_t last_us = 0;

	list_for_each_entry(sent, list, by_time) {
		assert_int_equal(sent->state, state);
		if (list == &board->in_flight) {
			assert_in_range(sent->sent_us, last_us, UINT64_MAX);
			last_us = sent->sent_us;
		}
		(*count)++;
	}
}

/* Each byte of a record is as the model has it. */
static void check_record(const struct tcp_sent *sent)
{
	for (uint32_t at = sent->seq - BASE; at != sent->end - BASE; at++) {
		const struct byte *byte = &model.bytes[at];

		assert_int_equal(byte->state, sent->state);
		if (sent->state == TCP_SENT_SACKED)
			continue; /* joined ones have one time for all */
		assert_int_equal(byte->resent, sent->retransmitted);
		assert_int_equal(byte->sent_us, sent->sent_us);
	}
}

static void check_sums(void)
{
	uint32_t sacked = 0, lost = 0, resent = 0, highest = 0;

	for (uint32_t at = model.una; at < model.nxt; at++) {
		const struct byte *byte = &model.bytes[at];

		sacked += byte->state == TCP_SENT_SACKED;
		lost += byte->state == TCP_SENT_LOST;
		resent += byte->state == TCP_SENT_IN_FLIGHT && byte->resent;
		if (byte->state == TCP_SENT_SACKED)
			highest = at + 1;
	}
	assert_int_equal(board->sacked_bytes, sacked);
	assert_int_equal(board->lost_bytes, lost);
	assert_int_equal(board->retransmitted_bytes, resent);
	if (sacked)
		assert_int_equal(board->highest_sacked, BASE + highest);
}

static void check(void)
{
	uint32_t at = BASE + model.una, records = 0, listed = 0, sacked = 0;
	const struct tcp_sent *last = NULL;

	for (const struct tcp_sent *sent = tcp_scoreboard_first(board); sent;
	     sent = tcp_scoreboard_next(sent)) {
		assert_int_equal(sent->seq, at);
		assert_ptr_equal(tcp_scoreboard_previous(sent), last);
		assert_ptr_equal(tcp_scoreboard_find(board, sent->end - 1), sent);
		if (sent->state == TCP_SENT_SACKED && last) /* neighbours are joined */
			assert_int_not_equal(last->state, TCP_SENT_SACKED);
		sacked += sent->state == TCP_SENT_SACKED;
		check_record(sent);
		at = sent->end;
		last = sent;
		records++;
	}
	assert_int_equal(at, BASE + model.nxt);
	assert_ptr_equal(tcp_scoreboard_last(board), last);
	assert_null(tcp_scoreboard_find(board, BASE + model.una - 1));
	assert_null(tcp_scoreboard_find(board, BASE + model.nxt));
	assert_int_equal(board->records, records);
	check_list(&board->in_flight, TCP_SENT_IN_FLIGHT, &listed);
	check_list(&board->lost, TCP_SENT_LOST, &listed);
	check_list(&board->lost_again, TCP_SENT_LOST, &listed);
	assert_int_equal(listed + sacked, records);
	check_sums();
}

/* ---- Changing both ---- */

static void send_new(void)
{
	uint32_t length = 1 + any(5 * MSS);
	struct tcp_sent *sent;

	length = MIN(length, MIN(BYTES - model.nxt, WINDOW - (model.nxt - model.una)));
	if (!length)
		return;
	sent = tcp_scoreboard_add(board, BASE + model.nxt, BASE + model.nxt + length, MSS,
				  model.now_us);
	assert_non_null(sent);
	assert_int_equal(sent->segments, (length + MSS - 1) / MSS);
	for (uint32_t i = 0; i < length; i++)
		model.bytes[model.nxt++] = (struct byte){TCP_SENT_IN_FLIGHT, false, model.now_us};
}

static struct tcp_sent *any_record(void)
{
	if (model.una == model.nxt)
		return NULL;
	return tcp_scoreboard_find(board, BASE + model.una + any(model.nxt - model.una));
}

static void set_state(const struct tcp_sent *sent, enum tcp_sent_state state)
{
	for (uint32_t at = sent->seq - BASE; at != sent->end - BASE; at++)
		model.bytes[at].state = state;
}

/* A record that is not SACKed, or one of the two parts into which it is cut. */
static struct tcp_sent *any_part(void)
{
	struct tcp_sent *sent = any_record();
	uint32_t length = sent ? sent->end - sent->seq : 0;

	if (!sent || sent->state == TCP_SENT_SACKED || length == 1 || any(2))
		return sent;

	uint32_t at = sent->seq + 1 + any(length - 1);
	struct tcp_sent *second = tcp_scoreboard_split(board, sent, at);

	assert_non_null(second);
	assert_int_equal(sent->end, at);
	assert_int_equal(second->seq, at);
	assert_in_range(sent->segments, 1, length);
	assert_in_range(second->segments, 1, length);
	return any(2) ? sent : second;
}

static void sack(void)
{
	struct tcp_sent *sent = any_part();

	if (!sent || sent->state == TCP_SENT_SACKED)
		return;
	set_state(sent, TCP_SENT_SACKED);
	tcp_scoreboard_mark_sacked(board, sent);
}

static void lose(void)
{
	struct tcp_sent *sent = any_part();

	if (!sent || sent->state != TCP_SENT_IN_FLIGHT)
		return;
	set_state(sent, TCP_SENT_LOST);
	tcp_scoreboard_mark_lost(board, sent);
}

/* What was sent again and is lost once more goes first; after a timeout it goes by sequence. */
static void resend(void)
{
	struct tcp_sent *sent = tcp_scoreboard_next_lost(board);

	assert_true(!sent == (board->lost_bytes == 0));
	if (!sent)
		return;
	if (!list_empty(&board->lost_again))
		assert_true(sent->retransmitted);
	for (uint32_t at = sent->seq - BASE; at != sent->end - BASE; at++)
		model.bytes[at] = (struct byte){TCP_SENT_IN_FLIGHT, true, model.now_us};
	tcp_scoreboard_mark_resent(board, sent, model.now_us);
}

static void acknowledge(void)
{
	uint32_t upto = model.una + any(model.nxt - model.una + 1), delivered = 0, expected = 0;
	struct tcp_sent *sent;

	for (; model.una < upto; model.una++)
		expected += model.bytes[model.una].state != TCP_SENT_SACKED;
	while ((sent = tcp_scoreboard_first(board)) && seq_before(sent->seq, BASE + upto))
		delivered += tcp_scoreboard_acknowledge(board, sent, BASE + upto);
	assert_int_equal(delivered, expected);
}

static void change_all(void)
{
	uint32_t what = any(3);

	if (what == 0)
		tcp_scoreboard_lose_all(board);
	else if (what == 1)
		tcp_scoreboard_forget_sacks(board);
	else
		tcp_scoreboard_recall_lost(board);
	for (uint32_t at = model.una; at < model.nxt; at++) {
		struct byte *byte = &model.bytes[at];

		if (what == 0 && byte->state != TCP_SENT_SACKED)
			byte->state = TCP_SENT_LOST;
		if ((what == 1 && byte->state == TCP_SENT_SACKED) ||
		    (what == 2 && byte->state == TCP_SENT_LOST))
			byte->state = TCP_SENT_IN_FLIGHT;
	}
	if (what != 1)
		return;
	/* Joined records have one time for all, and neighbours are two records again. */
	for (const struct tcp_sent *sent = tcp_scoreboard_first(board); sent;
	     sent = tcp_scoreboard_next(sent)) {
		for (uint32_t at = sent->seq - BASE; at != sent->end - BASE; at++) {
			model.bytes[at].resent = sent->retransmitted;
			model.bytes[at].sent_us = sent->sent_us;
		}
	}
}

static void test_as_the_model(void **state __unused)
{
	static void (*const changes[])(void) = {send_new, send_new, send_new, sack,  sack,
						sack,     lose,     resend,   resend};

	for (uint32_t i = 0; i < ROUNDS; i++) {
		model.now_us += any(2);
		if (any(40) == 0)
			change_all();
		else if (any(25) == 0)
			acknowledge();
		else
			changes[any(ARRAY_SIZE(changes))]();
		check();
	}
	assert_in_range(model.nxt, -BASE, BYTES); /* the numbers came round */
}

/* ---- Single cases ---- */

static void add(uint32_t start, uint32_t end)
{
	assert_non_null(tcp_scoreboard_add(board, start, end, MSS, model.now_us));
}

/* A thousand segments that arrive one by one from both ends make one record in the end. */
static void test_sacked_neighbours_are_one(void **state __unused)
{
	for (uint32_t i = 0; i < 1000; i++)
		add(i * MSS, (i + 1) * MSS);
	for (uint32_t i = 1; i < 500; i++) {
		tcp_scoreboard_mark_sacked(board, tcp_scoreboard_find(board, i * MSS));
		tcp_scoreboard_mark_sacked(board, tcp_scoreboard_find(board, (1000 - i) * MSS));
	}
	assert_int_equal(board->records, 4);
	tcp_scoreboard_mark_sacked(board, tcp_scoreboard_find(board, 500 * MSS));
	assert_int_equal(board->records, 2);
	assert_int_equal(board->sacked_bytes, 999 * MSS);
	assert_int_equal(board->sacked_segments, 999);
	assert_int_equal(board->highest_sacked, 1000 * MSS);
}

/* Part of a large SACKed record: how many segments it had is not forgotten until it is gone. */
static void test_acknowledged_within_a_sacked_record(void **state __unused)
{
	add(0, 8 * MSS);
	tcp_scoreboard_mark_sacked(board, tcp_scoreboard_first(board));
	assert_int_equal(tcp_scoreboard_acknowledge(board, tcp_scoreboard_first(board), 3 * MSS),
			 0);
	assert_int_equal(board->sacked_bytes, 5 * MSS);
	assert_int_equal(board->sacked_segments, 8);
	assert_int_equal(tcp_scoreboard_acknowledge(board, tcp_scoreboard_first(board), 8 * MSS),
			 0);
	assert_int_equal(board->sacked_segments, 0);
	assert_int_equal(board->records, 0);
}

static void test_no_memory(void **state __unused)
{
	host_fail_allocation(1);
	assert_null(tcp_scoreboard_add(board, 0, MSS, MSS, 1));
	add(0, 2 * MSS);
	host_fail_allocation(1);
	assert_null(tcp_scoreboard_split(board, tcp_scoreboard_first(board), MSS));
	host_fail_allocation(0);
	assert_int_equal(board->records, 1);
	assert_int_equal(tcp_scoreboard_first(board)->end, 2 * MSS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_as_the_model, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sacked_neighbours_are_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_acknowledged_within_a_sacked_record, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
