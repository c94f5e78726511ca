/* TCP's socket options: bounds, what is read back, and Fast Open's key and variants. */
#include <string.h>

#include "kernel/errno.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_state.h"
#include "test/host/unit/tcp_pair.h"

#define NAME_LENGTH sizeof(struct sockaddr_in)
#define KEY_FILE "sys/net/ipv4/tcp_fastopen_key"

static struct pair pair;

static int set_up(void **state __unused)
{
	memset(&pair, 0, sizeof(pair));
	pair_create(&pair, NULL);
	return 0;
}

static int tear_down(void **state __unused)
{
	host_fail_allocation(0);
	host_proc_reset();
	pair_destroy(&pair);
	return 0;
}
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

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

static int32_t get_number(struct socket *socket, int option)
{
	int32_t number = INT32_MIN;
	uint32_t length = sizeof(number);

	assert_int_equal(socket_getsockopt(socket, SOL_TCP, option, &number, &length), 0);
	return number;
}

/* What each option takes, what it makes of that, and what it refuses with EINVAL. */
static const struct {
	int option, value, read;
	int refused[3]; /* 0: no more */
} numbers[] = {
	{TCP_NODELAY, 7, 1, {0}},
	{TCP_CORK, 7, 1, {0}},
	{TCP_QUICKACK, 0, 0, {0}},
	{TCP_QUICKACK, 5, 1, {0}},
	{TCP_MAXSEG, 1000, 1000, {1, 107, 32768}},
	{TCP_MAXSEG, 0, 536, {-1}},
	{TCP_KEEPIDLE, 100, 100, {-1, 32768}},
	{TCP_KEEPINTVL, 100, 100, {-1, 32768}},
	{TCP_KEEPCNT, 127, 127, {-1, 128}},
	{TCP_SYNCNT, 127, 127, {-1, 128}},
	{TCP_LINGER2, 1000, 120, {0}},
	{TCP_LINGER2, -5, -1, {0}},
	{TCP_LINGER2, 7, 7, {0}},
	{TCP_DEFER_ACCEPT, -1, 0, {0}},
	{TCP_DEFER_ACCEPT, 9, 9, {0}},
	{TCP_DEFER_ACCEPT, 1 << 30, 3600, {0}},
	{TCP_WINDOW_CLAMP, 10, 1152, {0}},
	{TCP_WINDOW_CLAMP, 5000, 5000, {0}},
	{TCP_WINDOW_CLAMP, 0, 0, {0}},
	{TCP_USER_TIMEOUT, 3000, 3000, {-1}},
	{TCP_INQ, 1, 1, {-1, 2}},
	{TCP_NOTSENT_LOWAT, 4096, 4096, {0}},
	{TCP_FASTOPEN, 5, 5, {-1}},
	{TCP_FASTOPEN_CONNECT, 1, 1, {-1, 2}},
	{TCP_FASTOPEN_NO_COOKIE, 1, 1, {-1, 2}},
};

static void numbers_and_their_bounds(void **state __unused)
{
	struct socket *socket = tcp_open(pair.client);

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		assert_int_equal(set_number(socket, numbers[i].option, numbers[i].value), 0);
		assert_int_equal(get_number(socket, numbers[i].option), numbers[i].read);
		for (size_t j = 0; j < ARRAY_SIZE(numbers[i].refused); j++) {
			if (numbers[i].refused[j])
				assert_int_equal(set_number(socket, numbers[i].option,
							    numbers[i].refused[j]),
						 -EINVAL);
		}
		assert_int_equal(get_number(socket, numbers[i].option), numbers[i].read);
	}
	assert_int_equal(set_number(socket, 999, 1), -ENOPROTOOPT);
	assert_int_equal(socket_setsockopt(socket, SOL_TCP, TCP_NODELAY, "abc", 3), -EINVAL);
	assert_int_equal(socket_setsockopt(socket, SOL_TCP, TCP_CONGESTION, "", 0), -EINVAL);
	assert_int_equal(socket_setsockopt(socket, SOL_TCP, TCP_CONGESTION, "none", 4), -ENOENT);
	uint32_t length = 4;
	int32_t number;

	assert_int_equal(socket_getsockopt(socket, SOL_TCP, 999, &number, &length), -ENOPROTOOPT);
	socket_close(socket);
}

/* The stack's own values, where a socket has none. */
static void defaults_are_the_stacks(void **state __unused)
{
	struct socket *socket = tcp_open(pair.client);

	at(pair.client)->settings.tcp_keepalive_time = 11;
	at(pair.client)->settings.tcp_keepalive_intvl = 12;
	at(pair.client)->settings.tcp_keepalive_probes = 13;
	at(pair.client)->settings.tcp_syn_retries = 14;
	at(pair.client)->settings.tcp_fin_timeout = 15;
	assert_int_equal(get_number(socket, TCP_KEEPIDLE), 11);
	assert_int_equal(get_number(socket, TCP_KEEPINTVL), 12);
	assert_int_equal(get_number(socket, TCP_KEEPCNT), 13);
	assert_int_equal(get_number(socket, TCP_SYNCNT), 14);
	assert_int_equal(get_number(socket, TCP_LINGER2), 15);
	socket_close(socket);
}

/* What makes sense before there is a connection is refused behind that. */
static void options_of_a_connection(void **state __unused)
{
	struct socket *client, *server;

	pair_connect(&pair, &client, &server);
	assert_int_equal(set_number(client, TCP_WINDOW_CLAMP, 0), -EINVAL);
	assert_int_equal(set_number(client, TCP_FASTOPEN_CONNECT, 1), -EINVAL);
	assert_int_equal(get_number(client, TCP_MAXSEG), tcp_socket(client)->mss);
	assert_int_equal(get_number(pair.listener, TCP_MAXSEG), 536);
	/* A listener has nothing to push out. */
	assert_int_equal(set_number(pair.listener, TCP_NODELAY, 1), 0);
	assert_int_equal(set_number(pair.listener, TCP_CORK, 0), 0);
	at(pair.client)->settings.tcp_fastopen = 2; /* a server only */
	assert_int_equal(set_number(client, TCP_FASTOPEN_CONNECT, 1), -EOPNOTSUPP);
	socket_close(client);
	socket_close(server);
	settle();
}

/* Data that arrived is acknowledged at once when the process asks for that. */
static void an_acknowledgement_is_asked_for(void **state __unused)
{
	struct socket *client, *server;

	pair_connect(&pair, &client, &server);
	set_number(server, TCP_QUICKACK, 0);
	assert_int_equal(send_bytes(client, "x", 1, 0), 1);
	world_run_for(pair.world, USEC_PER_MSEC);
	assert_true(tcp_socket(client)->snd_una != tcp_socket(client)->snd_nxt);
	set_number(server, TCP_QUICKACK, 1);
	world_run_for(pair.world, USEC_PER_MSEC);
	assert_true(tcp_socket(client)->snd_una == tcp_socket(client)->snd_nxt);
	socket_close(client);
	socket_close(server);
	settle();
}

/* ---- Fast Open ---- */

static int64_t send_fast(struct socket *socket, const char *text)
{
	struct message message = {
		.flags = MSG_FASTOPEN, .name = tcp_name(SERVER, PORT), .name_length = NAME_LENGTH};

	iov_init_kernel(&message.iov, (void *)(uintptr_t)text, strlen(text));
	return socket_sendmsg(socket, &message);
}

static void enable_fastopen(int32_t client, int32_t server, int backlog)
{
	at(pair.client)->settings.tcp_fastopen = client;
	at(pair.server)->settings.tcp_fastopen = server;
	assert_int_equal(set_number(pair.listener, TCP_FASTOPEN, backlog), 0);
}

/* "hello" comes through, in the SYN or behind the handshake. */
static void say_hello(bool with_the_syn)
{
	uint64_t before = at(pair.server)->extra[TCP_EXTRA_FASTOPEN_PASSIVE];
	struct socket *client = tcp_open(pair.client), *server;
	char bytes[8];

	assert_int_equal(send_fast(client, "hello"), 5);
	assert_int_equal(socket_accept(pair.listener, &server, false), 0);
	assert_int_equal(receive_bytes(server, bytes, 8, 0), 5);
	assert_memory_equal(bytes, "hello", 5);
	assert_int_equal(at(pair.server)->extra[TCP_EXTRA_FASTOPEN_PASSIVE] - before, with_the_syn);
	socket_close(client);
	socket_close(server);
	settle();
}

static void without_cookies_if_both_say_so(void **state __unused)
{
	enable_fastopen(TCP_FASTOPEN_CLIENT | TCP_FASTOPEN_CLIENT_WITHOUT_COOKIE,
			TCP_FASTOPEN_SERVER | TCP_FASTOPEN_SERVER_WITHOUT_COOKIE, 5);
	say_hello(false); /* a SYN without the option is an ordinary one to the server */
	enable_fastopen(TCP_FASTOPEN_CLIENT, TCP_FASTOPEN_SERVER, 5);
	say_hello(false); /* brings the cookie */
	say_hello(true);
}

static void a_listener_that_takes_none(void **state __unused)
{
	enable_fastopen(TCP_FASTOPEN_CLIENT, TCP_FASTOPEN_SERVER, 5);
	say_hello(false);
	enable_fastopen(TCP_FASTOPEN_CLIENT, TCP_FASTOPEN_SERVER, 0);
	say_hello(false);
	assert_int_equal(at(pair.server)->extra[TCP_EXTRA_FASTOPEN_PASSIVE_FAILED], 0);
	enable_fastopen(TCP_FASTOPEN_CLIENT, TCP_FASTOPEN_SERVER, 5);
	say_hello(true);
}

/* Without memory for the child the SYN's data comes again, behind a handshake. */
static void without_memory_for_a_child(void **state __unused)
{
	enable_fastopen(TCP_FASTOPEN_CLIENT, TCP_FASTOPEN_SERVER, 5);
	say_hello(false);
	for (uint64_t nth = 1; nth < 12; nth++) {
		struct socket *client = tcp_open(pair.client), *server;
		char bytes[8];

		host_fail_allocation(nth);
		int64_t sent = send_fast(client, "hello");

		world_run_for(pair.world, USEC_PER_MSEC);
		host_fail_allocation(0);
		if (sent == 5) {
			assert_int_equal(socket_accept(pair.listener, &server, false), 0);
			assert_int_equal(receive_bytes(server, bytes, 8, 0), 5);
			assert_memory_equal(bytes, "hello", 5);
			socket_close(server);
		} else {
			assert_true(sent == -ENOBUFS || sent == -ENOMEM);
		}
		socket_close(client);
		settle();
	}
}

static void a_small_segment_size_is_kept(void **state __unused)
{
	struct socket *client, *server;
	char text[1000], bytes[1000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	enable_fastopen(TCP_FASTOPEN_CLIENT, TCP_FASTOPEN_SERVER, 5);
	say_hello(false);
	client = tcp_open(pair.client);
	set_number(client, TCP_MAXSEG, 216);
	assert_int_equal(send_fast(client, text), 999);
	assert_int_equal(socket_accept(pair.listener, &server, false), 0);
	assert_int_equal(receive_bytes(server, bytes, sizeof(bytes), 0), 216 - TCP_OPTIONS_MAX);
	assert_int_equal(receive_bytes(server, bytes, sizeof(bytes), MSG_WAITALL | MSG_DONTWAIT),
			 -EAGAIN);
	settle();
	assert_true(receive_bytes(server, bytes, sizeof(bytes), 0) > 0);
	socket_close(client);
	socket_close(server);
	settle();
}

/* ---- The key ---- */

static void expect_key(const char *expected)
{
	char text[64] = {0};

	assert_int_equal(host_proc_read(KEY_FILE, text, sizeof(text)), strlen(expected));
	assert_string_equal(text, expected);
}

static void the_key_is_written_and_read(void **state __unused)
{
	static const char *const wrong[] = {
		"",
		"-",
		"00000001",
		"00000001-00000002-00000003",
		"00000001-00000002-00000003-",
		"00000001-00000002-00000003-00000004-",
		"00000001-00000002-00000003-000000045",
		"00000001 00000002 00000003 00000004",
		"0000000g-00000002-00000003-00000004",
		"0000000A-00000002-00000003-00000004",
		"0000000/-00000002-00000003-00000004",
		"0000000:-00000002-00000003-00000004",
	};
	uint8_t key[17];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i * 17);
	assert_int_equal(tcp_fastopen_proc_init(&pair.server->stack.net), 0);
	assert_int_equal(socket_setsockopt(pair.listener, SOL_TCP, TCP_FASTOPEN_KEY, key, 16), 0);
	expect_key("33221100-77665544-bbaa9988-ffeeddcc\n");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(host_proc_write(KEY_FILE, wrong[i]), -EINVAL);
	for (uint32_t length = 0; length <= 17; length++) {
		if (length != 16)
			assert_int_equal(socket_setsockopt(pair.listener, SOL_TCP, TCP_FASTOPEN_KEY,
							   key, length),
					 -EINVAL);
	}
	expect_key("33221100-77665544-bbaa9988-ffeeddcc\n");
	/* Short words are numbers, too. */
	assert_int_equal(host_proc_write(KEY_FILE, "1-2-abcdef09-4\n"), 0);
	expect_key("00000001-00000002-abcdef09-00000004\n");
}

/* Who knows the key takes the cookies that were given with it, after another one was tried. */
static void cookies_are_the_keys(void **state __unused)
{
	char key[64] = {0};

	assert_int_equal(tcp_fastopen_proc_init(&pair.server->stack.net), 0);
	enable_fastopen(TCP_FASTOPEN_CLIENT, TCP_FASTOPEN_SERVER, 5);
	say_hello(false);
	assert_true(host_proc_read(KEY_FILE, key, sizeof(key)) > 0);
	assert_int_equal(host_proc_write(KEY_FILE, "1-2-3-4"), 0);
	struct tcp_fastopen_cache cookies = at(pair.client)->fastopen;

	say_hello(false);
	at(pair.client)->fastopen = cookies;
	assert_int_equal(host_proc_write(KEY_FILE, key), 0);
	say_hello(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers_and_their_bounds),       TEST(defaults_are_the_stacks),
		TEST(options_of_a_connection),        TEST(an_acknowledgement_is_asked_for),
		TEST(without_cookies_if_both_say_so), TEST(a_listener_that_takes_none),
		TEST(without_memory_for_a_child),     TEST(a_small_segment_size_is_kept),
		TEST(the_key_is_written_and_read),    TEST(cookies_are_the_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
