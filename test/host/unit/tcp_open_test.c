/* How connections begin: backlog, SYN cookies, deferred accept, Fast Open, and after TIME_WAIT. */
#include <stdlib.h>
#include <string.h>

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "net/tcp/tcp_state.h"
#include "test/host/unit/tcp_pair.h"

#define NAME_LENGTH sizeof(struct sockaddr_in)

static struct pair pair;

static int set_up(void **state __unused)
{
	memset(&pair, 0, sizeof(pair));
	pair_create(&pair, NULL);
	return 0;
}

static int tear_down(void **state __unused)
{
	pair_destroy(&pair);
	return 0;
}

static struct tcp_state_of_net *at(struct node *node)
{
	return tcp_of(&node->stack.net);
}

static void settle(void)
{
	world_run_for(pair.world, USEC_PER_SEC / 2);
}

static int set_number(struct socket *socket, int option, int value)
{
	return socket_setsockopt(socket, SOL_TCP, option, &value, sizeof(value));
}

static int begin_connect(struct socket *socket)
{
	struct sockaddr_storage name = tcp_name(SERVER, PORT);

	return socket_connect(socket, &name, NAME_LENGTH, true);
}

static void exchange(struct socket *client, struct socket *server)
{
	char bytes[8];

	assert_int_equal(send_bytes(client, "ping", 4, 0), 4);
	assert_int_equal(receive_bytes(server, bytes, 8, 0), 4);
	assert_int_equal(send_bytes(server, "pong", 4, 0), 4);
	assert_int_equal(receive_bytes(client, bytes, 8, 0), 4);
}

static void close_both(struct socket *client, struct socket *server)
{
	socket_close(client);
	socket_close(server);
	settle();
}

/* A connection that the server made of nothing but its own cookie, with all its options. */
static void test_cookies(void **state __unused)
{
	struct socket *client, *server;

	for (int timestamps = 0; timestamps <= 1; timestamps++) {
		at(pair.client)->settings.tcp_timestamps = timestamps;
		at(pair.server)->settings.tcp_syncookies = 2;
		pair_connect(&pair, &client, &server);
		assert_int_equal(at(pair.server)->requests.table.count, 0);
		assert_int_equal(tcp_socket(server)->has_timestamps, timestamps);
		assert_int_equal(tcp_socket(server)->has_sack, timestamps);
		assert_int_equal(tcp_socket(server)->has_wscale, timestamps);
		assert_int_equal(tcp_socket(server)->peer_mss, 1460);
		if (timestamps)
			assert_int_equal(tcp_socket(server)->snd_wscale,
					 tcp_socket(client)->rcv_wscale);
		exchange(client, server);
		close_both(client, server);
	}
	assert_int_equal(at(pair.server)->extra[TCP_EXTRA_SYNCOOKIES_RECEIVED], 2);
	assert_int_equal(at(pair.server)->extra[TCP_EXTRA_SYNCOOKIES_FAILED], 0);
}

/* listen(fd, 1): two wait for accept; the third's handshake is not completed until one is taken. */
static void test_full_accept_queue(void **state __unused)
{
	struct socket *clients[3], *servers[3];

	assert_int_equal(socket_listen(pair.listener, 1), 0);
	for (int i = 0; i < 3; i++) {
		clients[i] = tcp_open(pair.client);
		assert_int_equal(begin_connect(clients[i]), -EINPROGRESS);
		settle();
	}
	assert_int_equal(tcp_socket(pair.listener)->listen->accept_length, 2);
	assert_int_equal(tcp_socket(clients[2])->state, TCP_SYN_SENT);
	assert_true(at(pair.server)->extra[TCP_EXTRA_LISTEN_OVERFLOWS] > 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(socket_accept(pair.listener, &servers[i], false), 0);
		exchange(clients[i], servers[i]);
	}
	for (int i = 0; i < 3; i++)
		close_both(clients[i], servers[i]);
}

/* What nobody accepted is reset when the listener closes. */
static void test_listener_closes(void **state __unused)
{
	struct socket *client = tcp_open(pair.client);
	struct sockaddr_storage name = tcp_name(IP4_ANY, PORT);
	char byte;

	assert_int_equal(begin_connect(client), -EINPROGRESS);
	settle();
	socket_close(pair.listener);
	settle();
	assert_int_equal(receive_bytes(client, &byte, 1, 0), -ECONNRESET);
	socket_close(client);
	pair.listener = tcp_open(pair.server);
	assert_int_equal(socket_bind(pair.listener, &name, NAME_LENGTH), 0);
	assert_int_equal(socket_listen(pair.listener, 16), 0);
}

static void test_deferred_accept(void **state __unused)
{
	struct socket *client = tcp_open(pair.client), *server;

	set_number(pair.listener, TCP_DEFER_ACCEPT, 10);
	assert_int_equal(begin_connect(client), -EINPROGRESS);
	settle();
	assert_int_equal(tcp_socket(client)->state, TCP_ESTABLISHED);
	assert_int_equal(socket_accept(pair.listener, &server, true), -EAGAIN);
	assert_int_equal(send_bytes(client, "data", 4, 0), 4);
	settle();
	assert_int_equal(socket_accept(pair.listener, &server, true), 0);
	exchange(server, client);
	close_both(client, server);
}

static int64_t send_fast(struct socket *socket, const char *text)
{
	struct message message = {
		.flags = MSG_FASTOPEN, .name = tcp_name(SERVER, PORT), .name_length = NAME_LENGTH};

	iov_init_kernel(&message.iov, (void *)(uintptr_t)text, strlen(text));
	return socket_sendmsg(socket, &message);
}

/* RFC 7413: the first connection brings a cookie, the second sends data with its SYN. */
static void test_fast_open(void **state __unused)
{
	struct socket *client, *server;
	char bytes[8];

	at(pair.client)->settings.tcp_fastopen = 1;
	at(pair.server)->settings.tcp_fastopen = 2;
	assert_int_equal(set_number(pair.listener, TCP_FASTOPEN, 5), 0);
	for (int i = 0; i < 3; i++) {
		uint64_t accepted = at(pair.server)->extra[TCP_EXTRA_FASTOPEN_PASSIVE];

		client = tcp_open(pair.client);
		assert_int_equal(send_fast(client, "hello"), 5);
		assert_int_equal(socket_accept(pair.listener, &server, false), 0);
		assert_int_equal(receive_bytes(server, bytes, 8, 0), 5);
		assert_memory_equal(bytes, "hello", 5);
		settle();
		assert_int_equal(tcp_socket(server)->state, TCP_ESTABLISHED);
		assert_int_equal(at(pair.server)->extra[TCP_EXTRA_FASTOPEN_PASSIVE] - accepted,
				 i > 0);
		assert_int_equal(tcp_socket(client)->fastopen_data_acked, i > 0);
		exchange(client, server);
		close_both(client, server);
	}
}

/* connect answers at once, and the first send opens: TCP_FASTOPEN_CONNECT. */
static void test_fast_open_by_connect(void **state __unused)
{
	struct socket *client, *server;
	char bytes[8];

	at(pair.client)->settings.tcp_fastopen = 1;
	at(pair.server)->settings.tcp_fastopen = 2;
	set_number(pair.listener, TCP_FASTOPEN, 5);
	for (int i = 0; i < 2; i++) {
		client = tcp_open(pair.client);
		assert_int_equal(set_number(client, TCP_FASTOPEN_CONNECT, 1), 0);
		assert_int_equal(begin_connect(client), i == 0 ? -EINPROGRESS : 0);
		settle();
		assert_int_equal(tcp_socket(client)->state, i == 0 ? TCP_ESTABLISHED : TCP_CLOSE);
		assert_int_equal(send_bytes(client, "hi", 2, 0), 2);
		assert_int_equal(socket_accept(pair.listener, &server, false), 0);
		assert_int_equal(receive_bytes(server, bytes, 8, 0), 2);
		close_both(client, server);
	}
}

/* A cookie that is not the server's: an ordinary handshake, and the data comes after it. */
static void test_fast_open_with_a_wrong_cookie(void **state __unused)
{
	struct socket *client, *server;
	uint8_t key[16] = {1};
	char bytes[8];

	at(pair.client)->settings.tcp_fastopen = 1;
	at(pair.server)->settings.tcp_fastopen = 2;
	set_number(pair.listener, TCP_FASTOPEN, 5);
	for (int i = 0; i < 2; i++) {
		client = tcp_open(pair.client);
		assert_int_equal(send_fast(client, "hello"), 5);
		assert_int_equal(socket_accept(pair.listener, &server, false), 0);
		assert_int_equal(receive_bytes(server, bytes, 8, 0), 5);
		close_both(client, server);
		assert_int_equal(socket_setsockopt(pair.listener, SOL_TCP, TCP_FASTOPEN_KEY, key,
						   sizeof(key)),
				 0);
	}
	assert_int_equal(at(pair.server)->extra[TCP_EXTRA_FASTOPEN_PASSIVE], 0);
	assert_int_equal(at(pair.server)->extra[TCP_EXTRA_FASTOPEN_PASSIVE_FAILED], 1);
}

/* A pair of ends is used again before its TIME_WAIT is over, numbered above. SHLD-4 */
static void test_time_wait(void **state __unused)
{
	struct sockaddr_storage here = tcp_name(CLIENT, 7777);
	struct socket *client, *server;
	uint32_t last;

	client = tcp_open(pair.client);
	assert_int_equal(socket_bind(client, &here, NAME_LENGTH), 0);
	assert_int_equal(begin_connect(client), -EINPROGRESS);
	assert_int_equal(socket_accept(pair.listener, &server, false), 0);
	last = tcp_socket(client)->snd_nxt;
	socket_close(client);
	settle();
	socket_close(server);
	settle();
	assert_int_equal(at(pair.client)->timewaits.count, 1);
	assert_int_equal(at(pair.server)->timewaits.count, 0);

	client = tcp_open(pair.client);
	assert_int_equal(socket_bind(client, &here, NAME_LENGTH), 0);
	assert_int_equal(begin_connect(client), -EADDRNOTAVAIL); /* tcp_tw_reuse 2: lo alone */
	at(pair.client)->settings.tcp_tw_reuse = 1;
	world_run_for(pair.world, 2 * USEC_PER_SEC);
	assert_int_equal(begin_connect(client), -EINPROGRESS);
	assert_true(seq_after(tcp_socket(client)->iss, last));
	assert_int_equal(socket_accept(pair.listener, &server, false), 0);
	exchange(client, server);
	socket_close(server); /* now the server waits */
	settle();
	socket_close(client);
	settle();
	assert_int_equal(at(pair.client)->timewaits.count, 0);
	assert_int_equal(at(pair.server)->timewaits.count, 1);

	/* A SYN to a pair that the server keeps in TIME_WAIT begins anew: RFC 6191. */
	client = tcp_open(pair.client);
	assert_int_equal(socket_bind(client, &here, NAME_LENGTH), 0);
	assert_int_equal(begin_connect(client), -EINPROGRESS);
	assert_int_equal(socket_accept(pair.listener, &server, false), 0);
	assert_int_equal(at(pair.server)->extra[TCP_EXTRA_TIME_WAITS_RECYCLED], 1);
	exchange(client, server);
	close_both(client, server);
}

/*
 * Each connects to the other at once: one connection comes of it. RFC 9293 3.5, figure 7. MUST-10
 */
static void test_simultaneous_open(void **state __unused)
{
	struct sockaddr_storage left = tcp_name(CLIENT, 1111), right = tcp_name(SERVER, 2222);
	struct socket *a = tcp_open(pair.client), *b = tcp_open(pair.server);
	const struct fault_settings slow = {.delay_us = 50000};

	link_set_faults(pair.link, &slow);
	assert_int_equal(socket_bind(a, &left, NAME_LENGTH), 0);
	assert_int_equal(socket_bind(b, &right, NAME_LENGTH), 0);
	assert_int_equal(socket_connect(a, &right, NAME_LENGTH, true), -EINPROGRESS);
	assert_int_equal(socket_connect(b, &left, NAME_LENGTH, true), -EINPROGRESS);
	world_run_for(pair.world, 3 * USEC_PER_SEC);
	assert_int_equal(tcp_socket(a)->state, TCP_ESTABLISHED);
	assert_int_equal(tcp_socket(b)->state, TCP_ESTABLISHED);
	exchange(a, b);
	/* And closed at once: RFC 9293 3.6, figure 13. */
	socket_shutdown(a, SHUT_WR);
	socket_shutdown(b, SHUT_WR);
	world_run_for(pair.world, USEC_PER_SEC);
	assert_int_equal(at(pair.client)->timewaits.count, 1);
	assert_int_equal(at(pair.server)->timewaits.count, 1);
	close_both(a, b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cookies),
		TEST(test_full_accept_queue),
		TEST(test_listener_closes),
		TEST(test_deferred_accept),
		TEST(test_fast_open),
		TEST(test_fast_open_by_connect),
		TEST(test_fast_open_with_a_wrong_cookie),
		TEST(test_time_wait),
		TEST(test_simultaneous_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
