/* /proc/net/tcp, TCP's lines of /proc/net/{snmp,netstat}, and /proc/sys/net/ipv4/tcp_*. */
#include <stdio.h>
#include <string.h>

#include "kernel/errno.h"
#include "net/ipv4/ipv4.h"
#include "net/tcp/tcp_congestion.h"
#include "test/host/unit/stranger.h"

#define SYSCTL "sys/net/ipv4/"
#define NUMBERS_MAX 3
#define LINE_LENGTH 150 /* of /proc/net/tcp, with the newline */
#define TEXT_MAX 16384

static struct fixture f;
static struct socket *listener;
static struct stranger stranger;
static char text[TEXT_MAX];

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	assert_int_equal(ipv4_proc_init(&f.net), 0);
	assert_int_equal(tcp_proc_init(&f.net), 0);
	stranger_init(&stranger, &f);
	return 0;
}

static int tear_down(void **state __unused)
{
	tcp_fixture_destroy(&f, listener);
	return 0;
}

static const char *read_file(const char *path)
{
	int64_t length = host_proc_read(path, text, sizeof(text));

	assert_in_range(length, 1, sizeof(text) - 1);
	return text;
}

/* ---- Tunables ---- */

#define MEMBER(name) #name, offsetof(struct tcp_settings, name)

/* Each one's default as it is read, what is allowed, what is not. */
static const struct {
	const char *name;
	size_t offset;
	const char *first, *allowed, *refused;
} settings[] = {
	{MEMBER(tcp_rmem), "4096\t131072\t6291456", "4096 5000 6000", "0 1 2"},
	{MEMBER(tcp_wmem), "4096\t65536\t6291456", "4096 5000 6000", "0 1 2"},
	{MEMBER(tcp_mem), NULL, "10 20 30", "0 20 30"},
	{MEMBER(tcp_window_scaling), "1", "0", "2"},
	{MEMBER(tcp_timestamps), "1", "2", "3"},
	{MEMBER(tcp_sack), "1", "0", "2"},
	{MEMBER(tcp_dsack), "1", "0", "2"},
	{MEMBER(tcp_ecn), "2", "1", "3"},
	{MEMBER(tcp_syncookies), "1", "2", "3"},
	{MEMBER(tcp_max_syn_backlog), "1024", "1", "0"},
	{MEMBER(tcp_synack_retries), "5", "6", "7"},
	{MEMBER(tcp_syn_retries), "7", "127", "128"},
	{MEMBER(tcp_retries1), "3", "255", "256"},
	{MEMBER(tcp_retries2), "15", "255", "256"},
	{MEMBER(tcp_orphan_retries), "0", "255", "-1"},
	{MEMBER(tcp_max_orphans), "8192", "0", "-1"},
	{MEMBER(tcp_fin_timeout), "60", "3600", "3601"},
	{MEMBER(tcp_keepalive_time), "7200", "1", "0"},
	{MEMBER(tcp_keepalive_intvl), "75", "32767", "32768"},
	{MEMBER(tcp_keepalive_probes), "9", "127", "128"},
	{MEMBER(tcp_max_tw_buckets), "65536", "0", "-1"},
	{MEMBER(tcp_tw_reuse), "2", "1", "3"},
	{MEMBER(tcp_rfc1337), "1", "0", "2"},
	{MEMBER(tcp_fastopen), "1", "3", "-1"},
	{MEMBER(tcp_slow_start_after_idle), "1", "0", "2"},
	{MEMBER(tcp_moderate_rcvbuf), "1", "0", "2"},
	{MEMBER(tcp_adv_win_scale), "1", "1", "2"},
	{MEMBER(tcp_mtu_probing), "1", "2", "3"},
	{MEMBER(tcp_base_mss), "1024", "216", "215"},
	{MEMBER(tcp_challenge_ack_limit), "2147483647", "100", "-1"},
	{MEMBER(tcp_invalid_ratelimit), "500", "0", "3600001"},
	{MEMBER(tcp_min_tso_segs), "2", "1", "0"},
	{MEMBER(tcp_notsent_lowat), "2147483647", "1", "-1"},
	{MEMBER(tcp_frto), "2", "0", "3"},
	{MEMBER(tcp_recovery), "1", "7", "8"},
	{MEMBER(tcp_early_retrans), "3", "0", "5"},
	{MEMBER(tcp_reordering), "3", "300", "2"},
	{MEMBER(tcp_max_reordering), "300", "3", "1001"},
	{MEMBER(tcp_abort_on_overflow), "0", "1", "2"},
};

/* Reads as `line`, but that numbers may be separated by any blank. */
static void assert_file_is(const char *path, const char *line)
{
	char read[64];

	snprintf(read, sizeof(read), "%s", read_file(path));
	for (char *at = read; *at; at++) {
		if (*at == '\t')
			*at = ' ';
	}
	read[strcspn(read, "\n")] = '\0';
	for (size_t i = 0; line[i] || read[i]; i++) {
		if (line[i] != read[i] && !(line[i] == '\t' && read[i] == ' '))
			fail_msg("%s is \"%s\", not \"%s\"", path, read, line);
	}
}

static void test_settings(void **state __unused)
{
	uint32_t numbers = 0;
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const int32_t *value = (const int32_t *)((char *)&tcp_fixture_state(&f)->settings +
							 settings[i].offset);
		int first;

		snprintf(path, sizeof(path), SYSCTL "%s", settings[i].name);
		if (settings[i].first)
			assert_file_is(path, settings[i].first);
		assert_int_equal(host_proc_write(path, settings[i].refused), -EINVAL);
		if (settings[i].first)
			assert_file_is(path, settings[i].first);
		assert_int_equal(host_proc_write(path, settings[i].allowed), 0);
		assert_file_is(path, settings[i].allowed);
		sscanf(settings[i].allowed, "%d", &first);
		assert_int_equal(*value, first);
		numbers += strchr(settings[i].allowed, ' ') ? NUMBERS_MAX : 1;
	}
	/* There is no setting that has no file. */
	assert_int_equal(numbers, sizeof(struct tcp_settings) / sizeof(int32_t));
	tcp_fixture_state(&f)->settings.tcp_mem[2] = 1000;
}

static void test_congestion_control(void **state __unused)
{
	assert_string_equal(read_file(SYSCTL "tcp_congestion_control"), "cubic\n");
	assert_string_equal(read_file(SYSCTL "tcp_available_congestion_control"), "reno cubic\n");
	assert_int_equal(host_proc_write(SYSCTL "tcp_congestion_control", "bbr"), -ENOENT);
	assert_int_equal(host_proc_write(SYSCTL "tcp_congestion_control", "reno"), 0);
	assert_string_equal(read_file(SYSCTL "tcp_congestion_control"), "reno\n");

	struct socket *socket = stranger_connects(&stranger, listener);

	assert_string_equal(tcp_socket(socket)->congestion.ops->name, "cubic"); /* its listener's */
	stranger_flags(&stranger, TCP_RST);
	socket_close(socket);
	socket = make_socket(&f, SOCK_STREAM, 0);
	assert_string_equal(tcp_socket(socket)->congestion.ops->name, "reno");
	socket_close(socket);
}

/* ---- /proc/net/tcp ---- */

/* The line of `read_file` that has these words, in this order. */
static void assert_has_line(const char *start, const char *end)
{
	const char *line = strstr(text, start);

	if (!line || !strstr(line, end) || strstr(line, end) > strchr(line, '\n'))
		fail_msg("no line with \"%s\" and \"%s\" in:\n%s", start, end, text);
}

/* A listener, a request, a connection with data both ways, and TIME-WAIT; with what waits. */
static void test_connections(void **state __unused)
{
	struct stranger asking, leaving;
	struct socket *socket, *left;
	char line[64];

	stranger_init(&leaving, &f);
	left = stranger_connects(&leaving, listener);
	socket_shutdown(left, SHUT_WR);
	fixture_run(&f);
	stranger_acknowledges(&leaving);
	stranger_flags(&leaving, TCP_ACK | TCP_FIN);
	socket_close(left);

	socket = stranger_connects(&stranger, listener);
	stranger_says(&stranger, "hello", 5);
	assert_int_equal(socket_give(socket, "answer", 6, 0), 6);
	fixture_run(&f);

	stranger_init(&asking, &f);
	struct crafted syn = stranger_syn(&asking);

	stranger_sends(&asking, &syn);
	assert_int_equal(strlen(read_file("net/tcp")), 5 * LINE_LENGTH);
	assert_has_line("00000000:0050 00000000:0000 0A", "00000000:00000000 00:00000000");
	snprintf(line, sizeof(line), "0100000A:0050 0200000A:%04X 01", stranger.port);
	assert_has_line(line, "00000006:00000005 01:000000");
	snprintf(line, sizeof(line), "0100000A:0050 0200000A:%04X 03", asking.port);
	assert_has_line(line, "01:00000064"); /* a second */
	snprintf(line, sizeof(line), "0100000A:0050 0200000A:%04X 06", leaving.port);
	assert_has_line(line, "03:00001770"); /* a minute */

	/* Keepalive, and a closed window that is probed. */
	stranger.window = 0;
	stranger_acknowledges(&stranger);
	set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
	snprintf(line, sizeof(line), "0100000A:0050 0200000A:%04X 01", stranger.port);
	read_file("net/tcp");
	assert_has_line(line, " 02:000AFC80"); /* two hours */
	assert_int_equal(socket_give(socket, "more", 4, 0), 4);
	read_file("net/tcp");
	assert_has_line(line, "00000004:00000005 04:0000001");
	stranger_flags(&stranger, TCP_RST);
	socket_close(socket);
}

/* What is bound and does not listen is not shown; what nobody owns has no inode. */
static void test_bound_and_orphan(void **state __unused)
{
	struct socket *bound = make_socket(&f, SOCK_STREAM, 0);
	struct socket *socket = stranger_connects(&stranger, listener);
	char line[64];

	assert_int_equal(do_bind(bound, IP4_ANY, 5000), 0);
	assert_int_equal(socket_give(socket, "x", 1, 0), 1);
	socket_close(socket);
	fixture_run(&f);
	assert_int_equal(strlen(read_file("net/tcp")), 3 * LINE_LENGTH);
	snprintf(line, sizeof(line), "0100000A:0050 0200000A:%04X 04", stranger.port);
	assert_has_line(line, "        0 0 ");
	assert_null(strstr(text, ":1388 "));
	fixture_clear_sent(&f);
	stranger_flags(&stranger, TCP_RST);
	socket_close(bound);
}

/* ---- Counters ---- */

/* The number under `name` in the pair of lines that begin with `head`. */
static uint64_t counter(const char *path, const char *head, const char *name)
{
	const char *names = strstr(read_file(path), head), *values;
	char word[64];
	unsigned long number = 0;
	int at = 0, used;

	assert_non_null(names);
	values = strstr(names + 1, head);
	assert_non_null(values);
	for (;;) {
		assert_int_equal(sscanf(names, "%63s%n", word, &used), 1);
		names += used;
		if (at) {
			assert_int_equal(sscanf(values, "%lu%n", &number, &used), 1);
		} else {
			assert_int_equal(sscanf(values, "%*s%n", &used), 0);
		}
		values += used;
		if (at++ && !strcmp(word, name))
			return number;
	}
}

static void test_counters(void **state __unused)
{
	struct socket *socket = stranger_connects(&stranger, listener);

	assert_int_equal(counter("net/snmp", "Tcp:", "RtoMin"), 200);
	assert_int_equal(counter("net/snmp", "Tcp:", "RtoMax"), 120000);
	assert_int_equal(counter("net/snmp", "Tcp:", "PassiveOpens"), 1);
	assert_int_equal(counter("net/snmp", "Tcp:", "CurrEstab"), 1);
	assert_int_equal(counter("net/snmp", "Tcp:", "InSegs"), 2);
	assert_int_equal(counter("net/snmp", "Tcp:", "OutSegs"), 1);
	stranger.seq += 100;
	stranger_flags(&stranger, TCP_RST);
	assert_int_equal(counter("net/netstat", "TcpExt:", "TCPChallengeACK"), 1);
	stranger.seq -= 100;
	stranger_flags(&stranger, TCP_RST);
	assert_int_equal(counter("net/snmp", "Tcp:", "EstabResets"), 1);
	assert_int_equal(counter("net/snmp", "Tcp:", "CurrEstab"), 0);
	fixture_clear_sent(&f);
	socket_close(socket);
}

/* Connections, listeners, and sockets that are neither; the children that nobody has. */
static void sockets_are_counted(void **state __unused)
{
	struct socket *lone = make_socket(&f, SOCK_STREAM, 0);

	assert_non_null(
		strstr(read_file("net/sockstat"), "TCP: inuse 1 orphan 0 tw 0 alloc 2 mem 0\n"));
	struct socket *child = stranger_connects(&stranger, listener);

	assert_non_null(strstr(read_file("net/sockstat"), "TCP: inuse 2 orphan 0 tw 0 alloc 3 "));
	socket_close(lone);
	socket_close(child);
	assert_non_null(strstr(read_file("net/sockstat"), "orphan 1 tw 0 alloc 2 "));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sockets_are_counted),     TEST(test_settings),
		TEST(test_congestion_control), TEST(test_connections),
		TEST(test_bound_and_orphan),   TEST(test_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
