/*
 * What a stranger must not guess: a thousand ISNs from one pair of ends, from many, and after a
 * reboot (RFC 6528); timestamps (RFC 7323 5.4) and ports (RFC 6056).
 */
#include <stdlib.h>
#include <string.h>

#include "test/host/unit/stranger.h"

#define COUNT 1000

static struct fixture f;
static struct socket *listener;

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	return 0;
}

static int tear_down(void **state __unused)
{
	tcp_fixture_destroy(&f, listener);
	return 0;
}

/* The stack's secrets are drawn anew, as at boot. */
static void reboot(uint64_t seed)
{
	tcp_fixture_destroy(&f, listener);
	listener = tcp_fixture_init(&f);
	f.stack.random_state = seed;
	net_lock(&f.net);
	tcp_secrets_draw(&f.net, &tcp_fixture_state(&f)->secrets);
	net_unlock(&f.net);
}

/* The ISN that a SYN from this port brings. */
static uint32_t isn_for(ip4_t address, uint16_t port)
{
	struct stranger stranger;
	struct crafted syn;
	uint32_t isn;

	stranger_init(&stranger, &f);
	stranger.address = address;
	stranger.port = port;
	syn = stranger_syn(&stranger);
	stranger_sends(&stranger, &syn);
	isn = stranger_sees_only(&stranger, TCP_SYN | TCP_ACK).header.seq;
	stranger.seq++;
	stranger_flags(&stranger, TCP_RST);
	return isn;
}

static void from_one_pair(uint32_t isns[COUNT])
{
	for (uint32_t i = 0; i < COUNT; i++) {
		isns[i] = isn_for(PEER, 5000);
		fixture_advance(&f, USEC_PER_MSEC);
	}
}

static void from_many_pairs(uint32_t isns[COUNT])
{
	for (uint32_t i = 0; i < COUNT; i++) {
		isns[i] = isn_for(i % 2 ? PEER : FAR, (uint16_t)(5000 + i));
		fixture_advance(&f, USEC_PER_MSEC);
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void assert_all_different(const uint32_t values[], uint32_t count)
{
	uint32_t *sorted = malloc(count * sizeof(*sorted));

	assert_non_null(sorted);
	memcpy(sorted, values, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare);
	for (uint32_t i = 1; i < count; i++)
		assert_true(sorted[i - 1] != sorted[i]);
	free(sorted);
}

/*
 * As many rises as falls, and every sixteenth of the range as often as the others, within what
 * chance does once in a million runs (and the seed is fixed).
 */
static void assert_no_order(const uint32_t values[COUNT])
{
	uint32_t rises = 0, sixteenths[16] = {0}, differences[COUNT - 1];

	for (uint32_t i = 0; i < COUNT; i++) {
		sixteenths[values[i] >> 28]++;
		if (i == 0)
			continue;
		rises += values[i] > values[i - 1];
		differences[i - 1] = values[i] - values[i - 1];
	}
	assert_in_range(rises, 450, 550);
	for (uint32_t i = 0; i < ARRAY_SIZE(sixteenths); i++)
		assert_in_range(sixteenths[i], 25, 105);
	assert_all_different(values, COUNT);
	assert_all_different(differences, COUNT - 1);
}

/* MUST-8: the clock of 4 us moves one pair's on: an old segment cannot fit a new connection. */
static void isns_of_one_pair(void **state __unused)
{
	uint32_t isns[COUNT];

	from_one_pair(isns);
	for (uint32_t i = 1; i < COUNT; i++)
		assert_int_equal(isns[i] - isns[i - 1], 250);
}

/* SHLD-1 */
static void isns_of_many_pairs(void **state __unused)
{
	uint32_t isns[COUNT];

	from_many_pairs(isns);
	assert_no_order(isns);
}

/* MUST-9: those of another boot at the same time of its clock tell nothing of this one's. */
static void isns_after_a_reboot(void **state __unused)
{
	static uint32_t isns[3][COUNT];
	uint32_t firsts[COUNT];

	from_many_pairs(isns[0]);
	reboot(2);
	from_many_pairs(isns[1]);
	reboot(3);
	from_many_pairs(isns[2]);
	assert_all_different(isns[0], ARRAY_SIZE(isns) * COUNT);
	for (uint32_t i = 0; i < COUNT; i++)
		firsts[i] = isns[1][i] - isns[0][i]; /* no constant between the series */
	assert_no_order(firsts);
	for (uint32_t i = 0; i < COUNT; i++) {
		reboot(i + 10);
		firsts[i] = isn_for(PEER, 5000);
	}
	assert_no_order(firsts);
}

/* Connections that we open: from port to port, and to one peer after another. */
static void isns_of_connections_we_open(void **state __unused)
{
	uint32_t isns[COUNT];

	for (uint32_t i = 0; i < COUNT; i++) {
		struct stranger stranger;
		struct socket *socket;

		stranger_init(&stranger, &f);
		socket = stranger_is_called(&stranger);
		isns[i] = stranger.irs;
		socket_close(socket);
	}
	assert_no_order(isns);
}

static uint32_t offset_for(ip4_t address, uint16_t port)
{
	const struct endpoint local = {net_addr_ip4(OURS), 80};
	const struct endpoint remote = {net_addr_ip4(address), port};
	uint32_t offset;

	net_lock(&f.net);
	offset = tcp_secret_timestamp_offset(&f.net, &local, &remote);
	net_unlock(&f.net);
	return offset;
}

/* Timestamps: of one peer's connections they never go back; of another's they begin elsewhere. */
static void timestamps_have_an_offset(void **state __unused)
{
	uint32_t offsets[COUNT];

	for (uint32_t i = 0; i < COUNT; i++) {
		offsets[i] = offset_for(IP4(10, 1, 0, 0) + i, 1000);
		assert_int_equal(offset_for(IP4(10, 1, 0, 0) + i, 2000), offsets[i]);
	}
	assert_no_order(offsets);
}

/* Every byte of an address counts, of either family. */
static void addresses_of_both_families(void **state __unused)
{
	struct endpoint remote = {.addr.family = AF_INET6, .port = 80};
	const struct net_addr local = {0};
	uint32_t offsets[COUNT];

	net_lock(&f.net);
	for (uint32_t i = 0; i < COUNT; i++) {
		remote.addr.v6[i % 16] = (uint8_t)(i / 16 + 1);
		offsets[i] = tcp_secret_port_offset(&f.net, &local, &remote);
	}
	net_unlock(&f.net);
	assert_no_order(offsets);
}

/* RFC 6056: the ports of connections one after another are not in a row. */
static void ports_are_not_in_a_row(void **state __unused)
{
	uint16_t ports[200];
	uint32_t in_a_row = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(ports); i++) {
		struct stranger stranger;
		struct socket *socket;

		stranger_init(&stranger, &f);
		socket = stranger_is_called(&stranger);
		ports[i] = stranger.ours;
		socket_close(socket);
		assert_true(ports[i] >= 32768);
		in_a_row += i && ports[i] == ports[i - 1] + 1;
	}
	assert_true(in_a_row <= 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(isns_of_one_pair),          TEST(isns_of_many_pairs),
		TEST(isns_after_a_reboot),       TEST(isns_of_connections_we_open),
		TEST(timestamps_have_an_offset), TEST(addresses_of_both_families),
		TEST(ports_are_not_in_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
