/* ping's bookkeeping: replies in and out of order, twice, late, damaged, and not ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "userland/lib/echo.h"

#define IDENTIFIER 0x4242

static struct echo_log echo_log;
static uint8_t packet[ECHO_HEADER_LENGTH + ECHO_DATA_MAX];

static size_t begin(size_t size)
{
	memset(&echo_log, 0, sizeof(echo_log));
	echo_log.size = size;
	echo_log.identifier = IDENTIFIER;
	return echo_emit(&echo_log, 1000, packet);
}

/* The reply to the request in `packet`. */
static bool take(uint64_t now, size_t length, struct echo_reply *reply)
{
	packet[0] = 0;
	return echo_take(&echo_log, now, packet, length, reply);
}

static void test_request(void **state)
{
	uint32_t sum = 0;

	(void)state;
	assert_int_equal(begin(57), ECHO_HEADER_LENGTH + 57);
	assert_int_equal(packet[0], 8);
	assert_int_equal(packet[4] << 8 | packet[5], IDENTIFIER);
	assert_int_equal(echo_sequence(packet, 65), 1);
	/* RFC 1071: with the checksum in place the sum is all ones. */
	for (size_t i = 0; i < 66; i += 2)
		sum += (uint32_t)packet[i] << 8 | (i + 1 < 65 ? packet[i + 1] : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	assert_int_equal(sum, 0xffff);
}

static void test_reply_and_duplicate(void **state)
{
	struct echo_reply reply;
	size_t length = begin(56);

	(void)state;
	assert_true(take(1500, length, &reply));
	assert_int_equal(reply.sequence, 1);
	assert_int_equal(reply.time, 500);
	assert_false(reply.duplicate);
	assert_true(reply.intact);
	assert_true(take(1600, length, &reply));
	assert_true(reply.duplicate);
	assert_int_equal(echo_log.received, 1);
	assert_int_equal(echo_log.duplicates, 1);
}

static void test_statistics(void **state)
{
	static const uint64_t times[] = {100, 300, 200};
	struct echo_reply reply;
	size_t length = begin(0);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_true(take(1000 + times[i], length, &reply));
		echo_emit(&echo_log, 1000, packet);
	}
	assert_int_equal(echo_log.sent, 4);
	assert_int_equal(echo_log.received, 3);
	assert_int_equal(echo_log.shortest, 100);
	assert_int_equal(echo_log.longest, 300);
	assert_int_equal((int)echo_mean(&echo_log), 200);
	assert_in_range((int)echo_variance(&echo_log), 6666, 6667);
	begin(0);
	assert_int_equal((int)echo_mean(&echo_log), 0);
	assert_int_equal((int)echo_variance(&echo_log), 0);
}

static void test_not_ours(void **state)
{
	struct echo_reply reply;
	size_t length = begin(56);

	(void)state;
	assert_false(echo_take(&echo_log, 1500, packet, length, &reply)); /* the request itself */
	for (size_t cut = 0; cut < ECHO_HEADER_LENGTH; cut++)
		assert_false(take(1500, cut, &reply));
	packet[5] ^= 1;
	assert_false(take(1500, length, &reply));
	echo_log.any_identifier = true;
	assert_true(take(1500, length, &reply));
	packet[7] = 2; /* never sent */
	assert_false(take(1500, length, &reply));
}

static void test_damaged(void **state)
{
	struct echo_reply reply;
	size_t length = begin(56);

	(void)state;
	assert_true(take(1500, length - 1, &reply));
	assert_false(reply.intact);
	packet[20] ^= 1;
	assert_true(take(1500, length, &reply));
	assert_false(reply.intact);
}

/*
 * After 65536 requests the numbers begin again, and a reply to an old request is not taken for a
 * new one.
 */
static void test_window_and_wrap(void **state)
{
	uint8_t first[ECHO_HEADER_LENGTH];
	struct echo_reply reply;
	size_t length = begin(0);

	(void)state;
	memcpy(first, packet, sizeof(first));
	first[0] = 0;
	for (unsigned i = 0; i < ECHO_WINDOW; i++)
		echo_emit(&echo_log, 2000, packet);
	assert_false(echo_take(&echo_log, 3000, first, sizeof(first), &reply));
	for (unsigned i = 0; i < 65536; i++)
		echo_emit(&echo_log, 2000, packet);
	assert_true(take(2100, length, &reply));
	assert_int_equal(reply.sequence, (ECHO_WINDOW + 1) % 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),    cmocka_unit_test(test_reply_and_duplicate),
		cmocka_unit_test(test_statistics), cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_damaged),    cmocka_unit_test(test_window_and_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
