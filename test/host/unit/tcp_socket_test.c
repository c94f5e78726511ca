/* The socket calls of TCP: what each answers in each situation, as tcp(7) and Linux have it. */
#include <stdlib.h>
#include <string.h>

#include "include/uapi/sockios.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "net/ethernet/arp.h"
#include "net/tcp/tcp_state.h"
#include "test/host/unit/tcp_pair.h"

#define NAME_LENGTH sizeof(struct sockaddr_in)

static struct pair pair;
static struct socket *client, *server;

static int set_up(void **state __unused)
{
	memset(&pair, 0, sizeof(pair));
	pair_create(&pair, NULL);
	pair_connect(&pair, &client, &server);
	return 0;
}

static int tear_down(void **state __unused)
{
	if (client)
		socket_close(client);
	if (server)
		socket_close(server);
	pair_destroy(&pair);
	return 0;
}

static void settle(void)
{
	world_run_for(pair.world, USEC_PER_SEC);
}

static int connect_to(struct socket *socket, ip4_t address, uint16_t port, bool nonblock)
{
	struct sockaddr_storage name = tcp_name(address, port);

	return socket_connect(socket, &name, NAME_LENGTH, nonblock);
}

static int number(struct socket *socket, int level, int option)
{
	int value = -1;
	uint32_t length = sizeof(value);

	assert_int_equal(socket_getsockopt(socket, level, option, &value, &length), 0);
	return value;
}

static int set_number(struct socket *socket, int level, int option, int value)
{
	return socket_setsockopt(socket, level, option, &value, sizeof(value));
}

static void test_events(void **state __unused)
{
	struct socket *fresh = tcp_open(pair.client);

	assert_int_equal(socket_poll(fresh, NULL), POLLOUT | POLLWRNORM | POLLHUP);
	socket_close(fresh);
	assert_int_equal(socket_poll(client, NULL), POLLOUT | POLLWRNORM);
	assert_int_equal(socket_poll(pair.listener, NULL), 0);
	send_bytes(client, "x", 1, 0);
	settle();
	assert_int_equal(socket_poll(server, NULL), POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM);
	assert_int_equal(socket_shutdown(client, SHUT_WR), 0);
	settle();
	assert_true(socket_poll(server, NULL) & POLLRDHUP);
	assert_false(socket_poll(server, NULL) & POLLHUP);
	assert_int_equal(socket_shutdown(server, SHUT_WR), 0);
	settle();
	assert_true(socket_poll(client, NULL) & POLLHUP);
}

/* MUST-46 */
static void test_connect_errors(void **state __unused)
{
	struct socket *other = tcp_open(pair.client);

	assert_int_equal(connect_to(client, SERVER, PORT, false), -EISCONN);
	assert_int_equal(connect_to(other, SERVER, 9999, false), -ECONNREFUSED);
	assert_int_equal(connect_to(other, IP4(239, 1, 1, 1), 1, false), -ENETUNREACH);
	assert_int_equal(connect_to(other, IP4(192, 0, 2, 1), 1, false), -ENETUNREACH);
	/* It can be used again after a refusal. */
	assert_int_equal(connect_to(other, SERVER, PORT, true), -EINPROGRESS);
	assert_int_equal(connect_to(other, SERVER, PORT, true), -EALREADY);
	settle();
	assert_int_equal(number(other, SOL_SOCKET, SO_ERROR), 0);
	assert_int_equal(connect_to(other, SERVER, PORT, true), 0);
	assert_int_equal(connect_to(other, SERVER, PORT, true), -EISCONN);
	socket_close(other);

	other = tcp_open(pair.client);
	assert_int_equal(connect_to(other, SERVER, 9999, true), -EINPROGRESS);
	settle();
	assert_true(socket_poll(other, NULL) & POLLERR);
	assert_int_equal(number(other, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	assert_int_equal(number(other, SOL_SOCKET, SO_ERROR), 0);
	socket_close(other);
}

/* Nobody answers ARP: the neighbour is unreachable, which ends the opening. */
static void test_connect_to_an_unreachable_host(void **state __unused)
{
	struct socket *other = tcp_open(pair.client);
	uint64_t began_us = pair.world->now_us;

	assert_int_equal(connect_to(other, IP4(10, 0, 0, 99), PORT, false), -EHOSTUNREACH);
	assert_in_range(pair.world->now_us - began_us, USEC_PER_SEC, 5 * USEC_PER_SEC);
	socket_close(other);
}

/* RFC 9293 3.8.3: a SYN to nobody is sent 1 + 7 times, then the connection times out. */
static void test_connect_to_silence(void **state __unused)
{
	struct socket *other = tcp_open(pair.client);
	struct net_device *dev = pair.client->ports[0].dev;
	const struct mac mac = pair.server->ports[0].dev->mac;
	uint64_t began_us = pair.world->now_us;

	net_lock(&pair.client->stack.net);
	assert_int_equal(arp_set_permanent(dev, SERVER, mac, true), 0);
	net_unlock(&pair.client->stack.net);
	link_set_down(pair.link, true);
	assert_int_equal(connect_to(other, SERVER, PORT, false), -ETIMEDOUT);
	/* 1 + 2 + 4 + ... + 120 s */
	assert_in_range(pair.world->now_us - began_us, 246 * USEC_PER_SEC, 256 * USEC_PER_SEC);
	link_set_down(pair.link, false);
	socket_close(other);
	settle();
}

static void test_calls_without_connection(void **state __unused)
{
	struct socket *fresh = tcp_open(pair.client), *child;
	struct sockaddr_storage name;
	uint32_t length = 0;
	char byte;

	host_signals_sent();
	assert_int_equal(send_bytes(fresh, "x", 1, 0), -EPIPE);
	assert_int_equal(host_signals_sent(), 1);
	assert_int_equal(send_bytes(fresh, "x", 1, MSG_NOSIGNAL), -EPIPE);
	assert_int_equal(host_signals_sent(), 0);
	assert_int_equal(receive_bytes(fresh, &byte, 1, 0), -ENOTCONN);
	assert_int_equal(socket_shutdown(fresh, SHUT_RDWR), -ENOTCONN);
	assert_int_equal(socket_accept(fresh, &child, true), -EINVAL);
	assert_int_equal(socket_name(fresh, true, &name, &length), -ENOTCONN);
	assert_int_equal(socket_listen(client, 5), -EINVAL);
	assert_int_equal(receive_bytes(pair.listener, &byte, 1, 0), -ENOTCONN);
	assert_int_equal(socket_accept(pair.listener, &child, true), -EAGAIN);
	socket_close(fresh);
}

/* MUST-43 */
static void test_binding(void **state __unused)
{
	struct socket *a = tcp_open(pair.server), *b = tcp_open(pair.server);
	struct sockaddr_storage any = tcp_name(IP4_ANY, 5000), ours = tcp_name(SERVER, 5000);
	struct sockaddr_storage foreign = tcp_name(IP4(10, 9, 9, 9), 5000);

	assert_int_equal(socket_bind(a, &foreign, NAME_LENGTH), -EADDRNOTAVAIL);
	assert_int_equal(socket_bind(a, &any, NAME_LENGTH), 0);
	assert_int_equal(socket_bind(a, &any, NAME_LENGTH), -EINVAL);
	assert_int_equal(socket_bind(b, &ours, NAME_LENGTH), -EADDRINUSE);
	assert_int_equal(set_number(b, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	assert_int_equal(socket_bind(b, &ours, NAME_LENGTH), -EADDRINUSE);
	assert_int_equal(set_number(a, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	assert_int_equal(socket_listen(a, 1), 0);
	assert_int_equal(socket_bind(b, &ours, NAME_LENGTH), -EADDRINUSE); /* it listens */
	socket_close(a);
	assert_int_equal(socket_bind(b, &ours, NAME_LENGTH), 0);
	socket_close(b);
}

static void test_receive_flags(void **state __unused)
{
	char bytes[8] = {0};

	send_bytes(client, "abcdef", 6, 0);
	settle();
	assert_int_equal(receive_bytes(server, bytes, 3, MSG_PEEK), 3);
	assert_int_equal(receive_bytes(server, bytes, 8, MSG_PEEK), 6);
	assert_memory_equal(bytes, "abcdef", 6);
	assert_int_equal(receive_bytes(server, NULL, 2, MSG_TRUNC), 2); /* thrown away */
	assert_int_equal(receive_bytes(server, bytes, 2, 0), 2);
	assert_memory_equal(bytes, "cd", 2);
	assert_int_equal(receive_bytes(server, bytes, 8, 0), 2);
	assert_int_equal(receive_bytes(server, bytes, 8, MSG_DONTWAIT), -EAGAIN);
	assert_int_equal(receive_bytes(server, bytes, 0, 0), 0);
	/* MSG_WAITALL ends at the end of the stream, too. */
	send_bytes(client, "gh", 2, 0);
	socket_shutdown(client, SHUT_WR);
	assert_int_equal(receive_bytes(server, bytes, 8, MSG_WAITALL), 2);
	assert_int_equal(receive_bytes(server, bytes, 8, 0), 0);
	assert_int_equal(receive_bytes(server, bytes, 8, 0), 0);
}

static void test_timeouts(void **state __unused)
{
	const struct timeval time = {.tv_sec = 2};
	uint64_t began_us = pair.world->now_us;
	static char bytes[100000];
	int64_t sent;
	char byte;

	socket_setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
	assert_int_equal(receive_bytes(server, &byte, 1, 0), -EAGAIN);
	assert_in_range(pair.world->now_us - began_us, 2 * USEC_PER_SEC, 2 * USEC_PER_SEC + 1000);
	socket_setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
	do
		sent = send_bytes(client, bytes, sizeof(bytes), 0);
	while (sent == sizeof(bytes));
	assert_true(sent > 0 || sent == -EAGAIN);
	assert_int_equal(send_bytes(client, bytes, 1, MSG_DONTWAIT), -EAGAIN);
	assert_false(socket_poll(client, NULL) & POLLOUT);
}

static int queued(struct socket *socket, uint32_t command)
{
	int32_t count = -1;

	assert_int_equal(socket_ioctl(socket, command, &count), 0);
	return count;
}

static void test_queue_lengths(void **state __unused)
{
	int32_t count;

	link_set_down(pair.link, true);
	send_bytes(client, "12345", 5, 0);
	assert_int_equal(queued(client, SIOCOUTQ), 5);
	assert_int_equal(queued(client, SIOCOUTQNSD), 0);
	link_set_down(pair.link, false);
	settle();
	assert_int_equal(queued(client, SIOCOUTQ), 0);
	assert_int_equal(queued(server, SIOCINQ), 5);
	assert_int_equal(socket_ioctl(pair.listener, SIOCINQ, &count), -EINVAL);
}

/*
 * RFC 9293 3.8.5, RFC 6093: one byte beside the stream; or in it, with SO_OOBINLINE. MUST-30,
 * MUST-32, MUST-33, MUST-62
 */
static void test_urgent_data(void **state __unused)
{
	char bytes[8];

	assert_int_equal(receive_bytes(server, bytes, 1, MSG_OOB), -EINVAL);
	send_bytes(client, "ab", 2, 0);
	send_bytes(client, "cX", 2, MSG_OOB);
	send_bytes(client, "de", 2, 0);
	settle();
	assert_true(socket_poll(server, NULL) & POLLPRI);
	assert_int_equal(queued(server, SIOCATMARK), 0);
	assert_int_equal(receive_bytes(server, bytes, 8, 0), 3); /* up to the mark */
	assert_int_equal(queued(server, SIOCATMARK), 1);
	assert_int_equal(receive_bytes(server, bytes, 8, MSG_OOB | MSG_PEEK), 1);
	assert_int_equal(receive_bytes(server, bytes, 8, MSG_OOB), 1);
	assert_int_equal(bytes[0], 'X');
	assert_int_equal(receive_bytes(server, bytes, 8, MSG_OOB), -EINVAL);
	assert_int_equal(receive_bytes(server, bytes, 8, 0), 2);
	assert_memory_equal(bytes, "de", 2);

	set_number(server, SOL_SOCKET, SO_OOBINLINE, 1);
	send_bytes(client, "fY", 2, MSG_OOB);
	settle();
	assert_int_equal(receive_bytes(server, bytes, 8, 0), 1);
	assert_int_equal(receive_bytes(server, bytes, 8, 0), 1);
	assert_int_equal(bytes[0], 'Y');
}

/* MUST-12, SHLD-3 */
static void test_reset_on_unread_data(void **state __unused)
{
	char byte;

	send_bytes(client, "unread", 6, 0);
	settle();
	socket_close(server);
	server = NULL;
	settle();
	assert_int_equal(receive_bytes(client, &byte, 1, 0), -ECONNRESET);
	assert_int_equal(receive_bytes(client, &byte, 1, 0), 0);
	assert_int_equal(send_bytes(client, &byte, 1, MSG_NOSIGNAL), -EPIPE);
}

static void test_linger(void **state __unused)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	uint64_t began_us;
	char byte;

	/* 0 s: a reset. */
	socket_setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	socket_close(client);
	settle();
	assert_int_equal(receive_bytes(server, &byte, 1, 0), -ECONNRESET);
	socket_close(server);
	/* 3 s, with a peer who is out of reach: so long, and no longer. */
	pair_connect(&pair, &client, &server);
	linger.l_linger = 3;
	socket_setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	link_set_down(pair.link, true);
	send_bytes(client, "x", 1, 0);
	began_us = pair.world->now_us;
	socket_close(client);
	client = NULL;
	assert_in_range(pair.world->now_us - began_us, 3 * USEC_PER_SEC, 3 * USEC_PER_SEC + 1000);
	link_set_down(pair.link, false);
}

static void test_half_close(void **state __unused)
{
	char bytes[8];

	socket_shutdown(client, SHUT_WR);
	assert_int_equal(receive_bytes(server, bytes, 8, 0), 0);
	assert_int_equal(send_bytes(server, "still", 5, 0), 5);
	assert_int_equal(receive_bytes(client, bytes, 8, 0), 5);
	assert_int_equal(send_bytes(client, "x", 1, MSG_NOSIGNAL), -EPIPE);
	socket_shutdown(server, SHUT_WR);
	assert_int_equal(receive_bytes(client, bytes, 8, 0), 0);
	settle();
	assert_int_equal(tcp_socket(server)->state, TCP_CLOSE);
	assert_int_equal(tcp_of(&pair.client->stack.net)->timewaits.count, 1);
}

/* What came before the reset is still read; until then, and after, it is no new socket. */
static void test_connect_after_a_reset(void **state __unused)
{
	struct sockaddr_storage unspecified = {.ss_family = AF_UNSPEC};
	struct linger now = {.l_onoff = 1};
	char bytes[8];

	send_bytes(server, "unread", 6, 0);
	settle();
	assert_int_equal(socket_setsockopt(server, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	socket_close(server);
	settle();
	assert_int_equal(tcp_socket(client)->state, TCP_CLOSE);
	assert_int_equal(connect_to(client, SERVER, PORT, false), -EISCONN);
	assert_int_equal(receive_bytes(client, bytes, sizeof(bytes), 0), 6);
	assert_int_equal(receive_bytes(client, bytes, sizeof(bytes), 0), -ECONNRESET);
	assert_int_equal(connect_to(client, SERVER, PORT, false), -EISCONN);
	assert_int_equal(socket_connect(client, &unspecified, NAME_LENGTH, false), 0);
	assert_int_equal(connect_to(client, SERVER, PORT, false), 0);
	assert_int_equal(socket_accept(pair.listener, &server, false), 0);
	settle();
}

static void test_disconnect(void **state __unused)
{
	struct sockaddr_storage unspecified = {.ss_family = AF_UNSPEC};
	char byte;

	assert_int_equal(socket_connect(client, &unspecified, NAME_LENGTH, false), 0);
	settle();
	assert_int_equal(receive_bytes(server, &byte, 1, 0), -ECONNRESET);
	socket_close(server);
	assert_int_equal(connect_to(client, SERVER, PORT, false), 0);
	assert_int_equal(socket_accept(pair.listener, &server, false), 0);
	assert_int_equal(send_bytes(client, "x", 1, 0), 1);
	assert_int_equal(receive_bytes(server, &byte, 1, 0), 1);
}

/* option, what is set, what setsockopt answers, what it is then. */
static const struct {
	const char *name;
	int option, value, result, then;
} options[] = {
	{"nodelay", TCP_NODELAY, 1, 0, 1},
	{"cork", TCP_CORK, 1, 0, 1},
	{"no cork", TCP_CORK, 0, 0, 0},
	{"quickack", TCP_QUICKACK, 0, 0, 0},
	{"quickack again", TCP_QUICKACK, 1, 0, 1},
	{"keepalive idle", TCP_KEEPIDLE, 100, 0, 100},
	{"keepalive idle 0", TCP_KEEPIDLE, 0, -EINVAL, 100},
	{"keepalive interval", TCP_KEEPINTVL, 5, 0, 5},
	{"keepalive interval too long", TCP_KEEPINTVL, 32768, -EINVAL, 5},
	{"keepalive probes", TCP_KEEPCNT, 3, 0, 3},
	{"keepalive probes 128", TCP_KEEPCNT, 128, -EINVAL, 3},
	{"syn retries", TCP_SYNCNT, 2, 0, 2},
	{"syn retries 0", TCP_SYNCNT, 0, -EINVAL, 2},
	{"linger2", TCP_LINGER2, 7, 0, 7},
	{"linger2 off", TCP_LINGER2, -5, 0, -1},
	{"linger2 too long", TCP_LINGER2, 500, 0, 120},
	{"user timeout", TCP_USER_TIMEOUT, 5000, 0, 5000},
	{"user timeout negative", TCP_USER_TIMEOUT, -1, -EINVAL, 5000},
	{"low water", TCP_NOTSENT_LOWAT, 16384, 0, 16384},
	{"window clamp", TCP_WINDOW_CLAMP, 20000, 0, 20000},
	{"no cookie", TCP_FASTOPEN_NO_COOKIE, 1, 0, 1},
};

static void test_options(void **state __unused)
{
	char name[TCP_CA_NAME_MAX] = {0};
	uint32_t length = sizeof(name);

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		int result = set_number(client, SOL_TCP, options[i].option, options[i].value);
		int then = number(client, SOL_TCP, options[i].option);

		if (result != options[i].result || then != options[i].then)
			fail_msg("%s: %d, then %d", options[i].name, result, then);
	}
	assert_int_equal(socket_setsockopt(client, SOL_TCP, TCP_CONGESTION, "reno", 4), 0);
	assert_int_equal(socket_getsockopt(client, SOL_TCP, TCP_CONGESTION, name, &length), 0);
	assert_string_equal(name, "reno");
	assert_int_equal(socket_setsockopt(client, SOL_TCP, TCP_CONGESTION, "none", 4), -ENOENT);
	assert_int_equal(set_number(client, SOL_TCP, 9999, 1), -ENOPROTOOPT);
	assert_int_equal(number(client, SOL_TCP, TCP_MAXSEG), 1448);
}

static void test_information(void **state __unused)
{
	struct tcp_info info;
	uint32_t length = sizeof(info);
	char bytes[1000];

	send_bytes(client, bytes, sizeof(bytes), 0);
	assert_int_equal(receive_bytes(server, bytes, sizeof(bytes), 0), sizeof(bytes));
	settle();
	assert_int_equal(socket_getsockopt(client, SOL_TCP, TCP_INFO, &info, &length), 0);
	assert_int_equal(length, sizeof(info));
	assert_int_equal(info.tcpi_state, TCP_ESTABLISHED);
	assert_int_equal(info.tcpi_options, TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
	assert_int_equal(info.tcpi_bytes_acked, sizeof(bytes));
	assert_int_equal(info.tcpi_snd_mss, 1448);
	assert_int_equal(info.tcpi_pmtu, 1500);
	assert_true(info.tcpi_snd_cwnd >= 10);
	assert_int_equal(info.tcpi_total_retrans, 0);
	assert_true(info.tcpi_rto >= 200000);
	socket_getsockopt(server, SOL_TCP, TCP_INFO, &info, &length);
	assert_int_equal(info.tcpi_bytes_received, sizeof(bytes));
	socket_getsockopt(pair.listener, SOL_TCP, TCP_INFO, &info, &length);
	assert_int_equal(info.tcpi_state, TCP_LISTEN);
	assert_int_equal(info.tcpi_sacked, 16); /* the backlog */
}

/* RFC 9293 3.8.4: silence, probes, the end. MUST-24, MUST-27, MUST-29 */
static void test_keepalive(void **state __unused)
{
	uint64_t began_us;
	char byte;

	set_number(client, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_number(client, SOL_TCP, TCP_KEEPIDLE, 10);
	set_number(client, SOL_TCP, TCP_KEEPINTVL, 2);
	set_number(client, SOL_TCP, TCP_KEEPCNT, 3);
	world_run_for(pair.world, 60 * USEC_PER_SEC); /* the peer answers */
	assert_int_equal(tcp_socket(client)->state, TCP_ESTABLISHED);
	link_set_down(pair.link, true);
	began_us = pair.world->now_us;
	assert_int_equal(receive_bytes(client, &byte, 1, 0), -ETIMEDOUT);
	assert_in_range(pair.world->now_us - began_us, 6 * USEC_PER_SEC, 17 * USEC_PER_SEC);
	link_set_down(pair.link, false);
}

/*
 * A process that does not read: the window closes, is probed, and opens again. MUST-35, MUST-36,
 * MUST-37
 */
static void test_closed_window(void **state __unused)
{
	static uint8_t bytes[1 << 20], back[1 << 20];
	size_t sent = 0, got = 0;
	int64_t n;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 31 + i / 257);
	while ((n = send_bytes(client, bytes + sent, sizeof(bytes) - sent, MSG_DONTWAIT)) > 0) {
		sent += (size_t)n;
		settle();
	}
	world_run_for(pair.world, 300 * USEC_PER_SEC);
	assert_int_equal(tcp_socket(client)->state, TCP_ESTABLISHED);
	assert_true(tcp_of(&pair.client->stack.net)->extra[TCP_EXTRA_WINDOW_PROBES] > 2);
	while (got < sent) {
		n = receive_bytes(server, back + got, sizeof(back) - got, 0);
		assert_true(n > 0);
		got += (size_t)n;
	}
	assert_memory_equal(back, bytes, sent);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_events),
		TEST(test_connect_errors),
		TEST(test_connect_to_an_unreachable_host),
		TEST(test_connect_to_silence),
		TEST(test_calls_without_connection),
		TEST(test_binding),
		TEST(test_receive_flags),
		TEST(test_timeouts),
		TEST(test_queue_lengths),
		TEST(test_urgent_data),
		TEST(test_reset_on_unread_data),
		TEST(test_linger),
		TEST(test_half_close),
		TEST(test_connect_after_a_reset),
		TEST(test_disconnect),
		TEST(test_options),
		TEST(test_information),
		TEST(test_keepalive),
		TEST(test_closed_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
