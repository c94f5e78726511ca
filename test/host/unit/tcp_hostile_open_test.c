/*
 * Hostile beginnings: data in a SYN, floods of SYNs while an honest client is served (RFC 4987),
 * forged cookies, odd segments for half-open connections. Named in docs/hostile-inputs.md.
 */
#include <string.h>

#include "kernel/byteorder.h"
#include "test/host/unit/stranger.h"

#define FLOOD 100000
#define FLOOD_NET IP4(198, 18, 0, 0) /* behind the gateway: RFC 2544's, two class B nets */

static struct fixture f;
static struct socket *listener;
static struct stranger stranger;

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	stranger_init(&stranger, &f);
	drops_watch(&f);
	return 0;
}

static int tear_down(void **state __unused)
{
	assert_still_serves(&f, listener);
	tcp_fixture_destroy(&f, listener);
	return 0;
}

static uint64_t counted(enum tcp_extra_statistic which)
{
	return tcp_fixture_state(&f)->extra[which];
}

static uint32_t requests(void)
{
	return tcp_fixture_state(&f)->requests.table.count;
}

/* ---- A SYN with data: RFC 9293 3.10.7.2 lets us wait for it to come again ---- */

static void syn_with_1400_bytes(void **state __unused)
{
	static char data[1400];
	struct crafted syn = stranger_syn(&stranger);
	struct seen answer;
	struct socket *socket;
	uint64_t live = f.net.live_skbs;
	char byte;

	syn.data = data;
	syn.length = sizeof(data);
	stranger_sends(&stranger, &syn);
	answer = stranger_sees_only(&stranger, TCP_SYN | TCP_ACK);
	assert_int_equal(answer.header.ack, stranger.seq + 1); /* of the SYN alone */
	assert_int_equal(f.net.live_skbs, live);
	assert_dropped(&f, DROP_NONE, 0);
	stranger.seq++;
	stranger.ack = answer.header.seq + 1;
	stranger_flags(&stranger, TCP_ACK);
	assert_int_equal(socket_accept(listener, &socket, true), 0);
	assert_int_equal(socket_take(socket, &byte, 1, 0), -EAGAIN);
	stranger_says(&stranger, "again", 5);
	assert_int_equal(socket_take(socket, &byte, 1, 0), 1);
	assert_int_equal(byte, 'a');
	stranger_flags(&stranger, TCP_RST);
	socket_close(socket);
}

/* With a FIN too, and with a reset: no request comes of it. */
static void syn_with_other_bits(void **state __unused)
{
	stranger_flags(&stranger, TCP_SYN | TCP_FIN);
	assert_dropped(&f, DROP_TCP_BAD_FLAGS, 1);
	stranger_flags(&stranger, TCP_SYN | TCP_RST);
	assert_dropped(&f, DROP_TCP_BAD_RESET, 1);
	stranger_sees_nothing(&stranger);
	stranger.ack = 1234;
	stranger_flags(&stranger, TCP_SYN | TCP_ACK);
	assert_int_equal(stranger_sees_only(&stranger, TCP_RST).header.seq, 1234);
	assert_dropped(&f, DROP_TCP_BAD_ACK, 1);
	assert_int_equal(requests(), 0);
}

/* Both open at once, and the other half brings data: its first byte stands behind the SYN. */
static void syn_ack_with_data_in_syn_received(void **state __unused)
{
	struct socket *socket = stranger_is_called(&stranger);
	struct crafted syn = stranger_syn(&stranger);
	char bytes[8];

	stranger_sends(&stranger, &syn);
	assert_int_equal(tcp_socket(socket)->state, TCP_SYN_RECV);
	fixture_clear_sent(&f);
	syn.flags |= TCP_ACK;
	syn.ack = stranger.ack;
	syn.data = "abc";
	syn.length = 3;
	stranger_sends(&stranger, &syn);
	assert_int_equal(tcp_socket(socket)->state, TCP_ESTABLISHED);
	assert_int_equal(tcp_socket(socket)->snd_wnd, syn.window); /* which no scale applies to */
	stranger.seq += 4;
	assert_int_equal(socket_take(socket, bytes, sizeof(bytes), 0), 3);
	assert_memory_equal(bytes, "abc", 3);
	stranger_flags(&stranger, TCP_RST);
	socket_close(socket);
	fixture_clear_sent(&f);
}

/* ---- A flood ---- */

/* The i-th SYN of the flood, each from another address and port. */
static void flood(uint32_t i)
{
	struct stranger attacker;
	struct crafted syn;

	stranger_init(&attacker, &f);
	attacker.address = FLOOD_NET + i;
	attacker.port = (uint16_t)(1024 + i * 7);
	attacker.wscale = 7;
	attacker.sack = attacker.timestamps = i % 2;
	syn = stranger_syn(&attacker);
	stranger_sends(&attacker, &syn);
	fixture_clear_sent(&f);
}

/* An honest client that comes by in the midst of it, with all options. */
static void honest_client(void)
{
	struct stranger honest;
	struct socket *socket;
	struct tcp_socket *tcp;
	char bytes[8];

	stranger_init(&honest, &f);
	honest.mss = 1300;
	honest.wscale = 9;
	honest.sack = honest.timestamps = true;
	socket = stranger_connects(&honest, listener);
	tcp = tcp_socket(socket);
	assert_int_equal(tcp->peer_mss, 1300);
	assert_true(tcp->has_wscale && tcp->has_sack && tcp->has_timestamps);
	assert_int_equal(tcp->snd_wscale, 9);
	stranger_says(&honest, "served?", 7);
	assert_int_equal(socket_take(socket, bytes, sizeof(bytes), 0), 7);
	fixture_clear_sent(&f);
	assert_int_equal(socket_give(socket, "served!", 7, 0), 7);
	assert_int_equal(stranger_sees(&honest, 0).length, 7);
	stranger_flags(&honest, TCP_RST);
	socket_close(socket);
	fixture_clear_sent(&f);
}

static void syn_flood(void **state __unused)
{
	uint64_t allocated = host_allocations_live(), most = 0;

	for (uint32_t i = 0; i < FLOOD; i++) {
		flood(i);
		most = MAX(most, host_allocations_live() - allocated);
		if (i % 10000 == 9999)
			honest_client();
	}
	assert_int_equal(requests(), 17); /* of backlog 16 */
	assert_true(most < 64);
	assert_int_equal(f.net.live_skbs, 0);
	assert_int_equal(counted(TCP_EXTRA_SYNCOOKIES_SENT), FLOOD - 17 + 10);
	assert_int_equal(counted(TCP_EXTRA_SYNCOOKIES_RECEIVED), 10);
	assert_int_equal(counted(TCP_EXTRA_SYNCOOKIES_FAILED), 0);
	/* The requests give up in the end. */
	fixture_advance(&f, 70 * USEC_PER_SEC);
	fixture_clear_sent(&f);
	assert_int_equal(requests(), 0);
	assert_int_equal(tcp_fixture_state(&f)->statistics[TCP_STAT_ATTEMPT_FAILS], 17);
}

/* Without cookies there is an end to it, which is counted. */
static void syn_flood_without_cookies(void **state __unused)
{
	tcp_fixture_state(&f)->settings.tcp_syncookies = 0;
	for (uint32_t i = 0; i < 100; i++)
		flood(i);
	assert_int_equal(requests(), 17);
	assert_dropped(&f, DROP_TCP_BACKLOG_FULL, 83);
	assert_int_equal(counted(TCP_EXTRA_LISTEN_DROPS), 83);
	fixture_advance(&f, 70 * USEC_PER_SEC);
	fixture_clear_sent(&f);
}

/* All listeners together: tcp_max_syn_backlog. */
static void syn_flood_of_a_long_backlog(void **state __unused)
{
	assert_int_equal(socket_listen(listener, 4096), 0);
	tcp_fixture_state(&f)->settings.tcp_max_syn_backlog = 100;
	for (uint32_t i = 0; i < 1000; i++)
		flood(i);
	assert_int_equal(requests(), 100);
	assert_int_equal(counted(TCP_EXTRA_SYNCOOKIES_SENT), 900);
	assert_int_equal(socket_listen(listener, 16), 0);
	fixture_advance(&f, 70 * USEC_PER_SEC);
	fixture_clear_sent(&f);
}

/* A flood of whole handshakes: as many as the accept queue takes; a place is soon free again. */
static void accept_queue_flood(void **state __unused)
{
	struct socket *socket;
	uint32_t accepted = 0;

	for (uint32_t i = 0; i < 100; i++) {
		struct stranger attacker;
		struct crafted syn;

		stranger_init(&attacker, &f);
		syn = stranger_syn(&attacker);
		stranger_sends(&attacker, &syn);
		attacker.seq++;
		if (f.sent_count) {
			attacker.ack = stranger_sees(&attacker, 0).header.seq + 1;
			stranger_flags(&attacker, TCP_ACK);
		}
		fixture_clear_sent(&f);
	}
	assert_int_equal(tcp_socket(listener)->listen->accept_length, 17);
	assert_dropped(&f, DROP_TCP_ACCEPT_FULL, 83);
	assert_true(counted(TCP_EXTRA_LISTEN_OVERFLOWS) >= 83);
	while (socket_accept(listener, &socket, true) == 0) {
		accepted++;
		socket_close(socket);
	}
	assert_int_equal(accepted, 17);
	fixture_clear_sent(&f);
}

/* ---- Cookies ---- */

/* A cookie for the stranger's SYN: its SYN-ACK. */
static struct seen get_cookie(struct stranger *client)
{
	struct crafted syn = stranger_syn(client);
	struct seen answer;

	tcp_fixture_state(&f)->settings.tcp_syncookies = 2;
	stranger_sends(client, &syn);
	answer = stranger_sees_only(client, TCP_SYN | TCP_ACK);
	assert_int_equal(requests(), 0);
	client->seq++;
	client->ack = answer.header.seq + 1;
	client->ts_echo = answer.options.ts_value;
	return answer;
}

/* Every combination of options comes back as it was offered. */
static void cookies_keep_options(void **state __unused)
{
	static const uint16_t sizes[] = {100, 216, 535, 536, 1219, 1460, 9000};
	static const uint16_t kept[] = {216, 216, 216, 536, 1024, 1460, 8960};

	for (uint32_t i = 0; i < 16 * 2 * ARRAY_SIZE(sizes); i++) {
		struct stranger client;
		struct socket *socket;

		stranger_init(&client, &f);
		client.timestamps = true;
		client.sack = i & 1;
		client.wscale = (int8_t)((int)(i / 2 % 16) - 1);
		client.mss = sizes[i / 32];
		get_cookie(&client);
		stranger_flags(&client, TCP_ACK);
		assert_int_equal(socket_accept(listener, &socket, true), 0);
		assert_int_equal(tcp_socket(socket)->has_sack, client.sack);
		assert_int_equal(tcp_socket(socket)->has_wscale, client.wscale >= 0);
		assert_int_equal(tcp_socket(socket)->snd_wscale, MAX(client.wscale, 0));
		assert_int_equal(tcp_socket(socket)->peer_mss, kept[i / 32]);
		assert_true(tcp_socket(socket)->has_timestamps);
		stranger_flags(&client, TCP_RST);
		socket_close(socket);
		fixture_clear_sent(&f);
	}
	assert_int_equal(counted(TCP_EXTRA_SYNCOOKIES_FAILED), 0);
}

/* Guesses, neighbours of a right one, and one of another port: each is answered with a reset. */
static void forged_cookies(void **state __unused)
{
	uint32_t right, seed = 1;

	get_cookie(&stranger);
	right = stranger.ack;
	for (uint32_t i = 1; i <= 20000; i++) {
		seed = seed * 1664525 + 1013904223;
		stranger.ack = i % 4 ? seed : right + 8 + i;
		stranger_flags(&stranger, TCP_ACK);
		assert_int_equal(stranger_sees_only(&stranger, TCP_RST).header.seq, stranger.ack);
	}
	assert_dropped(&f, DROP_TCP_BAD_COOKIE, 20000);
	assert_int_equal(counted(TCP_EXTRA_SYNCOOKIES_FAILED), 20000);
	stranger.ack = right;
	stranger.port++;
	stranger_flags(&stranger, TCP_ACK);
	stranger_sees_only(&stranger, TCP_RST);
	stranger.port--;
	stranger.seq++; /* the peer's own number is part of it */
	stranger_flags(&stranger, TCP_ACK);
	stranger_sees_only(&stranger, TCP_RST);
	assert_dropped(&f, DROP_TCP_BAD_COOKIE, 2);
	assert_int_equal(tcp_socket(listener)->listen->accept_length, 0);
}

static void old_cookies(void **state __unused)
{
	struct socket *socket;

	get_cookie(&stranger);
	fixture_advance(&f, 60 * USEC_PER_SEC);
	stranger_flags(&stranger, TCP_ACK);
	assert_int_equal(socket_accept(listener, &socket, true), 0);
	stranger_flags(&stranger, TCP_RST);
	socket_close(socket);
	drops_watch(&f);
	stranger_init(&stranger, &f);
	get_cookie(&stranger);
	fixture_advance(&f, 127 * USEC_PER_SEC);
	stranger_flags(&stranger, TCP_ACK);
	stranger_sees_only(&stranger, TCP_RST);
	assert_dropped(&f, DROP_TCP_BAD_COOKIE, 1);
	fixture_advance(&f, 10 * USEC_PER_SEC); /* no cookie is out: none is looked for */
	stranger_flags(&stranger, TCP_ACK);
	stranger_sees_only(&stranger, TCP_RST);
	assert_dropped(&f, DROP_TCP_BAD_ACK, 1);
}

/* A right cookie, and no place to put the connection: the client may try again. */
static void cookie_for_a_full_accept_queue(void **state __unused)
{
	struct stranger others[17];
	struct socket *socket;

	get_cookie(&stranger);
	for (uint32_t i = 0; i < ARRAY_SIZE(others); i++) {
		stranger_init(&others[i], &f);
		get_cookie(&others[i]);
		stranger_flags(&others[i], TCP_ACK);
	}
	drops_watch(&f);
	stranger_flags(&stranger, TCP_ACK);
	stranger_sees_nothing(&stranger);
	assert_dropped(&f, DROP_TCP_ACCEPT_FULL, 1);
	for (uint32_t i = 0; i < ARRAY_SIZE(others); i++) {
		assert_int_equal(socket_accept(listener, &socket, true), 0);
		stranger_flags(&others[i], TCP_RST);
		socket_close(socket);
	}
	stranger_says(&stranger, "data", 4);
	assert_int_equal(socket_accept(listener, &socket, true), 0);
	stranger_flags(&stranger, TCP_RST);
	socket_close(socket);
	fixture_clear_sent(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(syn_with_1400_bytes),
		TEST(syn_with_other_bits),
		TEST(syn_ack_with_data_in_syn_received),
		TEST(syn_flood),
		TEST(syn_flood_without_cookies),
		TEST(syn_flood_of_a_long_backlog),
		TEST(accept_queue_flood),
		TEST(cookies_keep_options),
		TEST(forged_cookies),
		TEST(old_cookies),
		TEST(cookie_for_a_full_accept_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
