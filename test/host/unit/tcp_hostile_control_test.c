/*
 * Hostile control bits: resets, SYNs and acknowledgements out of place (RFC 5961), answers to a SYN
 * that are none, and ICMP errors that quote what was never sent (RFC 5927).
 */
#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "test/host/unit/stranger.h"

static struct fixture f;
static struct socket *listener, *socket;
static struct stranger stranger;

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	stranger_init(&stranger, &f);
	socket = stranger_connects(&stranger, listener);
	drops_watch(&f);
	return 0;
}

static int tear_down(void **state __unused)
{
	assert_still_serves(&f, listener);
	socket_close(socket);
	tcp_fixture_destroy(&f, listener);
	return 0;
}

static uint64_t counted(enum tcp_extra_statistic which)
{
	return tcp_fixture_state(&f)->extra[which];
}

static void sends_at(uint8_t flags, uint32_t seq, uint32_t ack)
{
	struct crafted segment = stranger_segment(&stranger, flags);

	segment.seq = seq;
	segment.ack = ack;
	stranger_sends(&stranger, &segment);
}

/* What a challenge ACK says: RFC 5961 3.2. */
static void sees_challenge(void)
{
	struct seen seen = stranger_sees_only(&stranger, TCP_ACK);

	assert_int_equal(seen.header.seq, stranger.ack);
	assert_int_equal(seen.header.ack, stranger.seq);
	assert_int_equal(seen.length, 0);
}

static void still_established(void)
{
	assert_int_equal(tcp_socket(socket)->state, TCP_ESTABLISHED);
}

/* ---- Resets: RFC 5961 3.2 ---- */

static void exact_reset(void **state __unused)
{
	char byte;

	sends_at(TCP_RST, stranger.seq, 0);
	stranger_sees_nothing(&stranger);
	assert_dropped(&f, DROP_TCP_RESET, 1);
	assert_int_equal(tcp_socket(socket)->state, TCP_CLOSE);
	assert_int_equal(socket_take(socket, &byte, 1, 0), -ECONNRESET);
}

static void reset_in_the_window(void **state __unused)
{
	sends_at(TCP_RST, stranger.seq + 1, 0);
	sees_challenge();
	assert_dropped(&f, DROP_TCP_BAD_RESET, 1);
	fixture_advance(&f, USEC_PER_SEC);
	sends_at(TCP_RST | TCP_ACK, stranger.seq + 10000, stranger.ack);
	sees_challenge();
	assert_dropped(&f, DROP_TCP_BAD_RESET, 1);
	assert_int_equal(counted(TCP_EXTRA_CHALLENGE_ACKS), 2);
	still_established();
	sends_at(TCP_RST, stranger.seq, 0); /* who sees the challenge knows the number */
	assert_int_equal(tcp_socket(socket)->state, TCP_CLOSE);
}

static void reset_outside_the_window(void **state __unused)
{
	sends_at(TCP_RST, stranger.seq - 1, 0);
	sends_at(TCP_RST, tcp_socket(socket)->rcv_edge, 0);
	sends_at(TCP_RST, stranger.seq + 0x80000000u, 0);
	stranger_sees_nothing(&stranger);
	assert_dropped(&f, DROP_TCP_BAD_RESET, 3);
	still_established();
}

/* A window that is closed: the exact number counts all the same. RFC 9293 3.10.7.4, MUST-66 */
static void reset_at_a_closed_window(void **state __unused)
{
	tcp_socket(socket)->rcv_edge = tcp_socket(socket)->rcv_nxt;
	sends_at(TCP_RST, stranger.seq + 1, 0);
	assert_dropped(&f, DROP_TCP_BAD_RESET, 1);
	still_established();
	sends_at(TCP_RST, stranger.seq, 0);
	assert_dropped(&f, DROP_TCP_RESET, 1);
	assert_int_equal(tcp_socket(socket)->state, TCP_CLOSE);
}

/* A reset with data in it, which is a text for people: RFC 9293 3.5.3, MAY; it is still a reset. */
static void reset_with_data(void **state __unused)
{
	struct crafted segment = stranger_segment(&stranger, TCP_RST);
	char byte;

	segment.data = "why";
	segment.length = 3;
	stranger_sends(&stranger, &segment);
	assert_dropped(&f, DROP_TCP_RESET, 1);
	assert_int_equal(socket_take(socket, &byte, 1, 0), -ECONNRESET);
}

/* ---- SYN in a connection: RFC 5961 4.2 ---- */

static void syn_in_the_window(void **state __unused)
{
	const uint32_t at[] = {stranger.seq, stranger.seq + 1000, stranger.seq - 1,
			       stranger.seq + 0x70000000u};

	for (uint32_t i = 0; i < ARRAY_SIZE(at); i++) {
		sends_at(TCP_SYN, at[i], 0);
		sees_challenge();
		assert_dropped(&f, DROP_TCP_BAD_SYN, 1);
		fixture_advance(&f, USEC_PER_SEC);
	}
	sends_at(TCP_SYN | TCP_ACK, stranger.seq, stranger.ack);
	sees_challenge();
	assert_dropped(&f, DROP_TCP_BAD_SYN, 1);
	assert_int_equal(counted(TCP_EXTRA_SYN_CHALLENGES), 5);
	still_established();
}

static void syn_and_fin(void **state __unused)
{
	struct stranger other;

	sends_at(TCP_SYN | TCP_FIN, stranger.seq, 0);
	sees_challenge();
	assert_dropped(&f, DROP_TCP_BAD_SYN, 1);
	still_established();
	/* To a listener: nobody means that. */
	stranger_init(&other, &f);
	stranger_flags(&other, TCP_SYN | TCP_FIN);
	stranger_sees_nothing(&other);
	assert_dropped(&f, DROP_TCP_BAD_FLAGS, 1);
	/* All bits, and none. */
	stranger_flags(&other, 0xff & ~TCP_ACK);
	stranger_sees_nothing(&other);
	assert_dropped(&f, DROP_TCP_BAD_RESET, 1);
	stranger_flags(&other, 0);
	stranger_sees_nothing(&other);
	assert_dropped(&f, DROP_TCP_BAD_FLAGS, 1);
}

/* ---- Acknowledgements: RFC 5961 5.2 ---- */

static void ack_outside_the_window(void **state __unused)
{
	struct tcp_socket *tcp = tcp_socket(socket);
	const uint32_t at[] = {stranger.ack + 1, stranger.ack + 0x7fffffffu,
			       stranger.ack - tcp->snd_wnd_max - 1, stranger.ack + 0x80000001u};

	for (uint32_t i = 0; i < ARRAY_SIZE(at); i++) {
		sends_at(TCP_ACK, stranger.seq, at[i]);
		sees_challenge();
		assert_dropped(&f, DROP_TCP_BAD_ACK, 1);
		fixture_advance(&f, USEC_PER_SEC);
	}
	assert_int_equal(counted(TCP_EXTRA_CHALLENGE_ACKS), ARRAY_SIZE(at));
	still_established();
	assert_int_equal(tcp->snd_una, stranger.ack);
	/* As old as the window is wide: late, but it may have been sent. */
	sends_at(TCP_ACK, stranger.seq, stranger.ack - tcp->snd_wnd_max);
	stranger_sees_nothing(&stranger);
	assert_dropped(&f, DROP_NONE, 0);
}

/* Its data is not taken either, though it is next in order. */
static void data_with_an_ack_outside(void **state __unused)
{
	struct crafted segment = stranger_segment(&stranger, TCP_ACK | TCP_PSH);
	char byte;

	segment.ack += 1;
	segment.data = "forged";
	segment.length = 6;
	stranger_sends(&stranger, &segment);
	sees_challenge();
	assert_dropped(&f, DROP_TCP_BAD_ACK, 1);
	assert_int_equal(socket_take(socket, &byte, 1, 0), -EAGAIN);
}

static void data_without_ack(void **state __unused)
{
	struct crafted segment = stranger_segment(&stranger, TCP_PSH);

	segment.data = "x";
	segment.length = 1;
	stranger_sends(&stranger, &segment);
	stranger_sees_nothing(&stranger);
	assert_dropped(&f, DROP_TCP_BAD_FLAGS, 1);
	still_established();
}

/* 200 of each kind within a second: a few answers, at distances that cannot be foreseen. */
static void challenges_200_in_a_second(void **state __unused)
{
	uint32_t distances[3], answered = 0;
	uint64_t last_us = 0;

	for (uint32_t i = 0; i < 200; i++) {
		sends_at(i % 3 ? i % 3 == 1 ? TCP_SYN : TCP_ACK : TCP_RST, stranger.seq + 1,
			 stranger.ack + 1);
		if (f.sent_count) {
			sees_challenge();
			assert_true(answered < ARRAY_SIZE(distances));
			distances[answered++] = (uint32_t)(f.now_us - last_us);
			last_us = f.now_us;
		}
		fixture_advance(&f, USEC_PER_SEC / 200);
	}
	assert_in_range(answered, 2, 3);
	assert_in_range(distances[1], 375000, 505000);
	assert_int_equal(counted(TCP_EXTRA_CHALLENGE_ACKS), answered);
	assert_int_equal(counted(TCP_EXTRA_CHALLENGE_ACKS) +
				 counted(TCP_EXTRA_ACK_SKIPPED_CHALLENGE) +
				 counted(TCP_EXTRA_ACK_SKIPPED_SEQUENCE),
			 200);
	still_established();
}

/* The limit is each connection's own: what one uses up says nothing to another. RFC 5961 7 */
static void challenges_do_not_tell_of_other_connections(void **state __unused)
{
	struct stranger other;
	struct socket *second;
	struct crafted reset;

	for (uint32_t i = 0; i < 100; i++)
		sends_at(TCP_RST, stranger.seq + 1, 0);
	stranger_init(&other, &f);
	second = stranger_connects(&other, listener);
	reset = stranger_segment(&other, TCP_RST);
	reset.seq++;
	stranger_sends(&other, &reset);
	stranger_sees_only(&other, TCP_ACK);
	stranger_flags(&other, TCP_RST);
	socket_close(second);
	still_established();
}

/* The distances between challenges are drawn: they are not all the same. */
static void challenge_distances_are_drawn(void **state __unused)
{
	uint64_t first_us = 0, least = UINT64_MAX, most = 0;
	uint32_t answered = 0;

	for (uint32_t i = 0; i < 20000; i++) {
		sends_at(TCP_RST, stranger.seq + 1, 0);
		if (f.sent_count) {
			if (answered++) {
				least = MIN(least, f.now_us - first_us);
				most = MAX(most, f.now_us - first_us);
			}
			first_us = f.now_us;
			fixture_clear_sent(&f);
		}
		fixture_advance(&f, USEC_PER_MSEC);
	}
	assert_true(answered > 30);
	assert_true(least >= 375000 && most <= 501000 && most - least > 50000);
}

/* tcp_challenge_ack_limit: all connections together, in each second another number around it. */
static void challenges_of_all_connections(void **state __unused)
{
	static struct stranger others[16];
	static struct socket *sockets[16];

	tcp_fixture_state(&f)->settings.tcp_challenge_ack_limit = 8;
	for (uint32_t i = 0; i < ARRAY_SIZE(others); i++) {
		stranger_init(&others[i], &f);
		sockets[i] = stranger_connects(&others[i], listener);
	}
	for (uint32_t second = 0; second < 10; second++) {
		for (uint32_t i = 0; i < ARRAY_SIZE(others); i++) {
			struct crafted reset = stranger_segment(&others[i], TCP_RST);

			reset.seq++;
			stranger_sends(&others[i], &reset);
		}
		assert_in_range(f.sent_count, 4, 12);
		fixture_clear_sent(&f);
		fixture_advance(&f, USEC_PER_SEC);
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(others); i++) {
		stranger_flags(&others[i], TCP_RST);
		socket_close(sockets[i]);
	}
}

/* Bare ones outside of the window, from both ends, could go on for ever. */
static void bare_acknowledgements_outside_the_window(void **state __unused)
{
	for (uint32_t i = 0; i < 200; i++) {
		sends_at(TCP_ACK, stranger.seq + 0x100000, stranger.ack);
		fixture_advance(&f, USEC_PER_SEC / 200);
	}
	assert_in_range(f.sent_count, 2, 3);
	assert_int_equal(counted(TCP_EXTRA_ACK_SKIPPED_SEQUENCE), 200 - f.sent_count);
	assert_dropped(&f, DROP_TCP_OUTSIDE_WINDOW, 200);
	fixture_clear_sent(&f);
}

/* ---- SYN-SENT ---- */

static void wrong_ack_in_syn_sent(void **state __unused)
{
	struct stranger server;
	struct socket *client;
	const uint8_t flags[] = {TCP_ACK, TCP_SYN | TCP_ACK, TCP_ACK | TCP_FIN};

	stranger_init(&server, &f);
	client = stranger_is_called(&server);
	for (uint32_t i = 0; i < ARRAY_SIZE(flags); i++) {
		const uint32_t acks[] = {server.irs, server.irs + 2, server.irs - 1,
					 server.irs + 0x80000000u};

		for (uint32_t j = 0; j < ARRAY_SIZE(acks); j++) {
			struct crafted answer = stranger_segment(&server, flags[i]);

			answer.ack = acks[j];
			stranger_sends(&server, &answer);
			assert_int_equal(stranger_sees_only(&server, TCP_RST).header.seq, acks[j]);
			assert_dropped(&f, DROP_TCP_BAD_ACK, 1);
			assert_int_equal(tcp_socket(client)->state, TCP_SYN_SENT);
		}
	}
	socket_close(client);
}

static void wrong_reset_in_syn_sent(void **state __unused)
{
	struct stranger server;
	struct socket *client;
	struct crafted reset;

	stranger_init(&server, &f);
	client = stranger_is_called(&server);
	stranger_flags(&server, TCP_RST); /* acknowledges nothing */
	stranger_sees_nothing(&server);
	assert_dropped(&f, DROP_TCP_BAD_RESET, 1);
	reset = stranger_segment(&server, TCP_RST | TCP_ACK);
	reset.ack++;
	stranger_sends(&server, &reset); /* acknowledges too much */
	stranger_sees_nothing(&server);
	assert_dropped(&f, DROP_TCP_BAD_ACK, 1);
	stranger_flags(&server, TCP_FIN);
	stranger_flags(&server, 0);
	stranger_sees_nothing(&server);
	assert_dropped(&f, DROP_TCP_BAD_FLAGS, 2);
	assert_int_equal(tcp_socket(client)->state, TCP_SYN_SENT);
	stranger_flags(&server, TCP_RST | TCP_ACK);
	assert_dropped(&f, DROP_TCP_RESET, 1);
	assert_int_equal(tcp_socket(client)->state, TCP_CLOSE);
	socket_close(client);
}

/* ---- ICMP errors: RFC 5927 4.1 ---- */

static void icmp_outside_the_window(void **state __unused)
{
	struct tcp_socket *tcp = tcp_socket(socket);
	uint16_t mss = tcp->mss;

	socket_give(socket, "0123456789", 10, 0);
	fixture_clear_sent(&f);

	const uint32_t at[] = {tcp->snd_una - 1, tcp->snd_nxt, tcp->snd_nxt + 1000,
			       tcp->snd_una + 0x80000000u};

	for (uint32_t i = 0; i < ARRAY_SIZE(at); i++) {
		stranger_icmp(&stranger, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0, at[i]);
		stranger_icmp(&stranger, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, 600, at[i]);
		stranger_icmp(&stranger, ICMP_TIME_EXCEEDED, 0, 0, at[i]);
	}
	assert_int_equal(counted(TCP_EXTRA_OUT_OF_WINDOW_ICMPS), 3 * ARRAY_SIZE(at));
	assert_int_equal(tcp->soft_error, 0);
	assert_int_equal(tcp->mss, mss);
	still_established();
	stranger_sees_nothing(&stranger);
	/* The number of what is under way: remembered, and nothing more. */
	stranger_icmp(&stranger, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0, tcp->snd_una);
	assert_int_equal(tcp->soft_error, ECONNREFUSED);
	still_established();
	stranger.ack += 10;
	stranger_flags(&stranger, TCP_ACK);
}

static void icmp_outside_the_window_while_opening(void **state __unused)
{
	struct stranger server;
	struct socket *client;

	stranger_init(&server, &f);
	client = stranger_is_called(&server);
	stranger = server;
	stranger_icmp(&stranger, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0, server.irs + 1);
	stranger_icmp(&stranger, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0, server.irs - 1);
	assert_int_equal(tcp_socket(client)->state, TCP_SYN_SENT);
	assert_int_equal(counted(TCP_EXTRA_OUT_OF_WINDOW_ICMPS), 2);
	stranger_icmp(&stranger, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0, server.irs);
	assert_int_equal(tcp_socket(client)->state, TCP_CLOSE);
	socket_close(client);
}

/* About a half-open connection: only with the number of its SYN-ACK. */
static void icmp_about_a_request(void **state __unused)
{
	struct stranger other;
	struct crafted syn;
	struct seen answer;

	stranger_init(&other, &f);
	syn = stranger_syn(&other);
	stranger_sends(&other, &syn);
	answer = stranger_sees_only(&other, TCP_SYN | TCP_ACK);
	stranger = other;
	stranger_icmp(&stranger, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0, answer.header.seq + 1);
	assert_int_equal(tcp_fixture_state(&f)->requests.table.count, 1);
	assert_int_equal(counted(TCP_EXTRA_OUT_OF_WINDOW_ICMPS), 1);
	stranger_icmp(&stranger, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0, answer.header.seq);
	assert_int_equal(tcp_fixture_state(&f)->requests.table.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(exact_reset),
		TEST(reset_in_the_window),
		TEST(reset_outside_the_window),
		TEST(reset_at_a_closed_window),
		TEST(reset_with_data),
		TEST(syn_in_the_window),
		TEST(syn_and_fin),
		TEST(ack_outside_the_window),
		TEST(data_with_an_ack_outside),
		TEST(data_without_ack),
		TEST(challenges_200_in_a_second),
		TEST(challenges_do_not_tell_of_other_connections),
		TEST(challenge_distances_are_drawn),
		TEST(challenges_of_all_connections),
		TEST(bare_acknowledgements_outside_the_window),
		TEST(wrong_ack_in_syn_sent),
		TEST(wrong_reset_in_syn_sent),
		TEST(icmp_outside_the_window),
		TEST(icmp_outside_the_window_while_opening),
		TEST(icmp_about_a_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
