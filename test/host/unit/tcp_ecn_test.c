/* ECN (RFC 3168): who asks, who agrees, what is marked, echoed and answered; tcp_ecn and routes. */
#include <string.h>

#include "kernel/errno.h"
#include "net/ipv4/ipv4.h"
#include "test/host/unit/stranger.h"

#define ECN_FILE "sys/net/ipv4/route/ecn"
#define TO_STRANGER "10.0.0.0/24"
#define ECT_0 2
#define CE 3

static struct fixture f;
static struct socket *listener, *socket;
static struct stranger stranger;

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	assert_int_equal(ipv4_proc_init(&f.net), 0);
	stranger_init(&stranger, &f);
	socket = NULL;
	return 0;
}

static int tear_down(void **state __unused)
{
	if (socket)
		socket_close(socket);
	tcp_fixture_destroy(&f, listener);
	return 0;
}

static void set_ecn(int setting, bool by_route)
{
	tcp_fixture_state(&f)->settings.tcp_ecn = setting;
	assert_int_equal(host_proc_write(ECN_FILE, by_route ? TO_STRANGER " 1" : TO_STRANGER " 0"),
			 0);
}

/* Flags of the SYN that goes to the stranger. */
static uint8_t call(void)
{
	fixture_clear_sent(&f);
	stranger_init(&stranger, &f);
	socket = make_socket(&f, SOCK_STREAM, 0);

	const struct endpoint to = {net_addr_ip4(PEER), stranger.port};
	struct sockaddr_storage name;
	uint32_t length;
	struct seen syn;

	inet_write_name(&to, &name, &length);
	assert_int_equal(socket_connect(socket, &name, length, true), -EINPROGRESS);
	fixture_run(&f);
	syn = stranger_sees(&stranger, 0);
	stranger.ours = syn.header.source;
	stranger.irs = syn.header.seq;
	stranger.ack = syn.header.seq + 1;
	fixture_clear_sent(&f);
	return syn.header.flags;
}

static void answer_call(uint8_t flags)
{
	struct crafted answer = stranger_syn(&stranger);

	answer.flags |= TCP_ACK | flags;
	answer.ack = stranger.ack;
	stranger_sends(&stranger, &answer);
	stranger.seq++;
	fixture_clear_sent(&f);
}

static void hang_up(void)
{
	stranger_flags(&stranger, TCP_RST);
	if (socket)
		socket_close(socket);
	socket = NULL;
	fixture_clear_sent(&f);
}

/* A connection that has agreed. */
static void agree(void)
{
	set_ecn(1, false);
	assert_int_equal(call(), TCP_SYN | TCP_ECE | TCP_CWR);
	answer_call(TCP_ECE);
	assert_true(tcp_socket(socket)->has_ecn);
}

static const struct {
	int setting;
	bool route, asks, accepts;
} settings[] = {
	{0, false, false, false}, {1, false, true, true}, {2, false, false, true},
	{0, true, true, true},    {1, true, true, true},  {2, true, true, true},
};

/* RFC 3168 6.1.1, active: both bits ask, ECE alone agrees. */
static void test_asking(void **state __unused)
{
	static const uint8_t answers[] = {0, TCP_ECE, TCP_CWR, TCP_ECE | TCP_CWR};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(answers); j++) {
			uint8_t bits = settings[i].asks ? TCP_ECE | TCP_CWR : 0;

			set_ecn(settings[i].setting, settings[i].route);
			assert_int_equal(call(), TCP_SYN | bits);
			answer_call(answers[j]);
			assert_int_equal(tcp_socket(socket)->state, TCP_ESTABLISHED);
			assert_int_equal(tcp_socket(socket)->has_ecn,
					 settings[i].asks && answers[j] == TCP_ECE);
			hang_up();
		}
	}
}

/* RFC 3168 6.1.1, passive. */
static void test_accepting(void **state __unused)
{
	static const uint8_t questions[] = {0, TCP_ECE, TCP_CWR, TCP_ECE | TCP_CWR};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(questions); j++) {
			bool agreed = settings[i].accepts && questions[j] == (TCP_ECE | TCP_CWR);
			struct crafted syn;

			set_ecn(settings[i].setting, settings[i].route);
			stranger_init(&stranger, &f);
			syn = stranger_syn(&stranger);
			syn.flags |= questions[j];
			stranger_sends(&stranger, &syn);
			stranger.ack = stranger_sees_only(&stranger, TCP_SYN | TCP_ACK |
									     (agreed ? TCP_ECE : 0))
					       .header.seq +
				       1;
			stranger.seq++;
			stranger_flags(&stranger, TCP_ACK);
			assert_int_equal(socket_accept(listener, &socket, true), 0);
			assert_int_equal(tcp_socket(socket)->has_ecn, agreed);
			hang_up();
		}
	}
}

/* Both ends open at once: the other's SYN asks, our SYN-ACK agrees. */
static void test_simultaneous_open(void **state __unused)
{
	struct crafted syn;

	for (int setting = 0; setting <= 2; setting++) {
		set_ecn(setting, false);
		call();
		syn = stranger_syn(&stranger);
		syn.flags |= TCP_ECE | TCP_CWR;
		stranger_sends(&stranger, &syn);
		stranger_sees_only(&stranger, TCP_SYN | TCP_ACK | (setting ? TCP_ECE : 0));
		stranger.seq++;
		hang_up();
	}
}

/* RFC 3168 6.1.1.1: the repeated SYN does not ask. */
static void test_repeated_syn(void **state __unused)
{
	set_ecn(1, false);
	call();
	fixture_advance(&f, 2 * USEC_PER_SEC);
	assert_int_equal(stranger_sees(&stranger, 0).header.flags, TCP_SYN);
}

static uint8_t tos_of(uint32_t i)
{
	struct ip4_header ip;

	ip4_sent(&f, i, &ip);
	return ip.tos;
}

/* ECT(0) is on new data alone: not on what is sent again (6.1.5), nor on a mere ACK (6.1.4). */
static void test_capable_packets(void **state __unused)
{
	agree();
	assert_int_equal(socket_give(socket, "data", 4, 0), 4);
	fixture_run(&f);
	assert_int_equal(tos_of(0), ECT_0);
	fixture_clear_sent(&f);
	fixture_advance(&f, 3 * USEC_PER_SEC);
	assert_true(f.sent_count > 0);
	assert_int_equal(tos_of(f.sent_count - 1), 0);
	stranger.ack += 4;
	fixture_clear_sent(&f);
	stranger_says(&stranger, "answer", 6);
	stranger_sees_only(&stranger, TCP_ACK);
	stranger_says(&stranger, "answer", 6);
	assert_int_equal(tos_of(0), 0);
	fixture_clear_sent(&f);
}

static void say_marked(uint8_t flags, uint8_t tos)
{
	struct crafted segment = stranger_segment(&stranger, flags);

	segment.data = "x";
	segment.length = 1;
	segment.tos = tos;
	stranger_sends(&stranger, &segment);
	stranger.seq++;
}

/* SHLD-8. The receiver, 6.1.3: ECE until CWR. */
static void test_echo(void **state __unused)
{
	agree();
	say_marked(TCP_ACK, ECT_0);
	stranger_sees_only(&stranger, TCP_ACK);
	say_marked(TCP_ACK, CE);
	stranger_sees_only(&stranger, TCP_ACK | TCP_ECE);
	say_marked(TCP_ACK, ECT_0);
	stranger_sees_only(&stranger, TCP_ACK | TCP_ECE);
	say_marked(TCP_ACK | TCP_CWR, ECT_0);
	stranger_sees_only(&stranger, TCP_ACK);
	say_marked(TCP_ACK | TCP_CWR, CE); /* slower, and marked again */
	stranger_sees_only(&stranger, TCP_ACK | TCP_ECE);
	assert_true(tcp_socket(socket)->ecn_seen);
}

/* SHLD-8. The sender, 6.1.2: the window shrinks once a round, and the next new data says so. */
static void test_answer_to_echo(void **state __unused)
{
	static const char bytes[10000];
	struct crafted echo;
	uint32_t cwnd;
	int cwr = 0;

	agree();
	assert_int_equal(socket_give(socket, bytes, sizeof(bytes), 0), sizeof(bytes));
	fixture_run(&f);
	cwnd = tcp_socket(socket)->congestion.cwnd;
	echo = stranger_segment(&stranger, TCP_ACK | TCP_ECE);
	echo.ack += 1460;
	stranger_sends(&stranger, &echo);
	assert_true(tcp_socket(socket)->congestion.ssthresh < cwnd);
	cwnd = tcp_socket(socket)->congestion.ssthresh;
	echo.ack += 1460; /* the same round: no second time */
	stranger_sends(&stranger, &echo);
	assert_int_equal(tcp_socket(socket)->congestion.ssthresh, cwnd);
	echo.ack = tcp_socket(socket)->snd_nxt;
	echo.flags = TCP_ACK;
	stranger_sends(&stranger, &echo);
	fixture_clear_sent(&f);
	socket_give(socket, "more", 4, MSG_OOB);
	socket_give(socket, "more", 4, 0);
	fixture_run(&f);
	for (uint32_t i = 0; i < f.sent_count; i++)
		cwr += (stranger_sees(&stranger, i).header.flags & TCP_CWR) != 0;
	assert_int_equal(cwr, 1);
}

/* Without an agreement marks and bits mean nothing. */
static void test_not_agreed(void **state __unused)
{
	set_ecn(0, false);
	socket = stranger_connects(&stranger, listener);
	say_marked(TCP_ACK | TCP_CWR | TCP_ECE, CE);
	stranger_sees_only(&stranger, TCP_ACK);
	assert_int_equal(socket_give(socket, "data", 4, 0), 4);
	fixture_run(&f);
	assert_int_equal(tos_of(0), 0);
	fixture_clear_sent(&f);
}

/* "ip route ... features ecn" */
static void test_route_file(void **state __unused)
{
	static const char *const wrong[] = {"",
					    "10.0.0.0",
					    "10.0.0.0/24",
					    "10.0.0.0/24 2",
					    "10.0.0.0/33 1",
					    "10.0.0.256/24 1",
					    "10.0.0/24 1",
					    "10.0.0.0/24 1 1",
					    "x/24 1",
					    "10.0.0.0/24 ",
					    "10.0.0.0/ 1"};
	char text[64] = {0};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(host_proc_write(ECN_FILE, wrong[i]), -EINVAL);
	assert_int_equal(host_proc_write(ECN_FILE, "10.1.0.0/24 1"), -ESRCH);
	assert_int_equal(host_proc_read(ECN_FILE, text, sizeof(text)), 0);
	set_ecn(2, true);
	assert_int_equal(host_proc_write(ECN_FILE, "0.0.0.0/0 1"), 0);
	memset(text, 0, sizeof(text));
	host_proc_read(ECN_FILE, text, sizeof(text) - 1);
	assert_string_equal(text, "0.0.0.0/0 1\n10.0.0.0/24 1\n");
	set_ecn(2, false);
	memset(text, 0, sizeof(text));
	host_proc_read(ECN_FILE, text, sizeof(text) - 1);
	assert_string_equal(text, "0.0.0.0/0 1\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_asking),         TEST(test_accepting),       TEST(test_simultaneous_open),
		TEST(test_repeated_syn),   TEST(test_capable_packets), TEST(test_echo),
		TEST(test_answer_to_echo), TEST(test_not_agreed),      TEST(test_route_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
