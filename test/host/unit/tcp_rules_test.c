/*
 * Rules of single connections that need more than a wire to see: limits of answers, what is agreed
 * on, what ICMP says, and what settings do.
 */
#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "net/ipv4/icmp.h"
#include "test/host/unit/stranger.h"

static struct fixture f;
static struct socket *listener, *socket;
static struct stranger stranger;

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
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

static struct tcp_settings *settings(void)
{
	return &tcp_fixture_state(&f)->settings;
}

static uint64_t counted(enum tcp_extra_statistic which)
{
	return tcp_fixture_state(&f)->extra[which];
}

static struct tcp_socket *tcp(void)
{
	return tcp_socket(socket);
}

static void give(const char *text)
{
	assert_int_equal(socket_give(socket, text, strlen(text), 0), strlen(text));
	fixture_run(&f);
}

static void hang_up(void)
{
	stranger_flags(&stranger, TCP_RST);
	socket_close(socket);
	socket = NULL;
	fixture_clear_sent(&f);
}

/* ---- Challenges: RFC 5961 7 ---- */

/* A reset in the window, at another place each time. */
static uint32_t challenges_for(uint32_t resets, uint32_t pause_us)
{
	uint64_t before = counted(TCP_EXTRA_CHALLENGE_ACKS);

	for (uint32_t i = 1; i <= resets; i++) {
		struct crafted reset = stranger_segment(&stranger, TCP_RST);

		reset.seq += i;
		stranger_sends(&stranger, &reset);
		fixture_advance(&f, pause_us);
	}
	fixture_clear_sent(&f);
	return (uint32_t)(counted(TCP_EXTRA_CHALLENGE_ACKS) - before);
}

static void test_challenges_of_a_connection(void **state __unused)
{
	socket = stranger_connects(&stranger, listener);
	assert_in_range(challenges_for(200, 5000), 2, 4); /* in a second */
	settings()->tcp_invalid_ratelimit = 0;
	fixture_advance(&f, USEC_PER_SEC);
	assert_int_equal(challenges_for(20, 5000), 20);
}

/* tcp_challenge_ack_limit: another number in each second, around the limit. */
static void test_challenges_of_all(void **state __unused)
{
	uint32_t numbers[8], others = 0;

	socket = stranger_connects(&stranger, listener);
	settings()->tcp_invalid_ratelimit = 0;
	settings()->tcp_challenge_ack_limit = 100;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		fixture_advance(&f, USEC_PER_SEC);
		numbers[i] = challenges_for(300, 1);
		assert_in_range(numbers[i], 50, 149);
		others += numbers[i] != numbers[0];
	}
	assert_true(others > 0);
	settings()->tcp_challenge_ack_limit = 0;
	fixture_advance(&f, USEC_PER_SEC);
	assert_int_equal(challenges_for(10, 0), 0);
	assert_int_equal(tcp()->state, TCP_ESTABLISHED);
}

/* ---- What a SYN-ACK agrees to ---- */

/* Only what both sides offer. RFC 7323 2.2, 3.2; RFC 2018 2 */
static void test_refused_offers(void **state __unused)
{
	for (int offered = 0; offered < 8; offered++) {
		struct crafted answer;

		settings()->tcp_timestamps = offered & 1;
		settings()->tcp_sack = offered >> 1 & 1;
		settings()->tcp_window_scaling = offered >> 2 & 1;
		stranger_init(&stranger, &f);
		stranger.timestamps = stranger.sack = true;
		stranger.wscale = 3;
		socket = stranger_is_called(&stranger);
		if (!(offered & 1))
			stranger.ts_echo = 0;
		answer = stranger_syn(&stranger);
		answer.flags |= TCP_ACK;
		answer.ack = stranger.ack;
		stranger_sends(&stranger, &answer);
		stranger.seq++;
		assert_int_equal(tcp()->state, TCP_ESTABLISHED);
		assert_int_equal(tcp()->has_timestamps, offered & 1);
		assert_int_equal(tcp()->has_sack, offered >> 1 & 1);
		assert_int_equal(tcp()->has_wscale, offered >> 2 & 1);
		assert_int_equal(tcp()->snd_wscale, offered & 4 ? 3 : 0);
		hang_up();
	}
}

/* A SYN-ACK echoes a timestamp that was sent; 0 says nothing. RFC 7323 3.2 */
static void test_foreign_timestamp(void **state __unused)
{
	static const struct {
		int32_t off; /* milliseconds from what was sent */
		bool taken;
	} echoes[] = {{-1, false}, {0, true}, {100, true}, {101, false}};

	stranger.timestamps = true;
	for (size_t i = 0; i < ARRAY_SIZE(echoes); i++) {
		struct crafted answer;

		stranger_init(&stranger, &f);
		stranger.timestamps = true;
		socket = stranger_is_called(&stranger);
		fixture_advance(&f, 100 * USEC_PER_MSEC);
		stranger.ts_echo += (uint32_t)echoes[i].off;
		answer = stranger_syn(&stranger);
		answer.flags |= TCP_ACK;
		answer.ack = stranger.ack;
		drops_watch(&f);
		stranger_sends(&stranger, &answer);
		if (echoes[i].taken) {
			assert_int_equal(tcp()->state, TCP_ESTABLISHED);
			fixture_clear_sent(&f);
		} else {
			assert_int_equal(tcp()->state, TCP_SYN_SENT);
			assert_int_equal(stranger_sees_only(&stranger, TCP_RST).header.seq,
					 stranger.ack);
			assert_dropped(&f, DROP_TCP_OLD_TIMESTAMP, 1);
		}
		stranger.seq++;
		hang_up();
	}
	assert_int_equal(counted(TCP_EXTRA_PAWS_ACTIVE_REJECTED), 2);
	/* tcp_timestamps 2: without the offset that hides how long the machine has run. */
	settings()->tcp_timestamps = 2;
	stranger_init(&stranger, &f);
	socket = stranger_is_called(&stranger);
	assert_int_equal(stranger.ts_echo, (uint32_t)(f.now_us / USEC_PER_MSEC));
}

/* Closed before it was open: the FIN follows the handshake. 3.10.4, SYN-RECEIVED */
static void test_closed_while_opening(void **state __unused)
{
	struct crafted syn;

	socket = stranger_is_called(&stranger);
	syn = stranger_syn(&stranger);
	stranger_sends(&stranger, &syn);
	stranger_sees_only(&stranger, TCP_SYN | TCP_ACK);
	stranger.seq++;
	assert_int_equal(socket_shutdown(socket, SHUT_WR), 0);
	stranger_sees_nothing(&stranger);
	stranger_flags(&stranger, TCP_ACK);
	stranger_sees_only(&stranger, TCP_FIN | TCP_ACK);
	assert_int_equal(tcp()->state, TCP_FIN_WAIT1);
}

/* SYN-RECEIVED of a simultaneous open is not for ever. MUST-20 */
static void test_opening_times_out(void **state __unused)
{
	struct crafted syn;

	settings()->tcp_synack_retries = 2;
	socket = stranger_is_called(&stranger);
	syn = stranger_syn(&stranger);
	stranger_sends(&stranger, &syn);
	fixture_clear_sent(&f);
	fixture_advance(&f, 20 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 2);
	assert_int_equal(stranger_sees(&stranger, 0).header.flags, TCP_SYN | TCP_ACK);
	fixture_clear_sent(&f);
	assert_int_equal(tcp()->state, TCP_CLOSE);
	assert_int_equal(get_option(socket, SOL_SOCKET, SO_ERROR), ETIMEDOUT);
}

/* MSG_FASTOPEN: a SYN that is lost may have been lost for its option and data. RFC 7413 4.2.2 */
static void test_repeated_fast_open(void **state __unused)
{
	struct message message = {.flags = MSG_FASTOPEN | MSG_DONTWAIT};
	const struct endpoint to = {net_addr_ip4(PEER), stranger.port};

	socket = make_socket(&f, SOCK_STREAM, 0);
	inet_write_name(&to, &message.name, &message.name_length);
	iov_init_kernel(&message.iov, (void *)(uintptr_t) "x", 1);
	assert_int_equal(socket_sendmsg(socket, &message), -EINPROGRESS);
	fixture_run(&f);
	assert_true(stranger_sees(&stranger, 0).options.has_fastopen);
	fixture_clear_sent(&f);
	fixture_advance(&f, 2 * USEC_PER_SEC);
	assert_false(stranger_sees(&stranger, 0).options.has_fastopen);
	fixture_clear_sent(&f);
}

/* RFC 6191: a pair of ends that is used again is numbered above what it was, wherever that is. */
static void test_numbers_above_time_wait(void **state __unused)
{
	const struct endpoint ours = {net_addr_ip4(OURS), 7777};
	const struct endpoint theirs = {net_addr_ip4(PEER), stranger.port};
	struct tcp_state_of_net *all = tcp_fixture_state(&f);
	struct sockaddr_storage name;
	struct tcp_timewait *timewait;
	uint32_t length, above;

	settings()->tcp_tw_reuse = 1;
	stranger.timestamps = true;
	for (int i = 0; i < 2; i++) {
		struct crafted answer;

		socket = make_socket(&f, SOCK_STREAM, 0);
		assert_int_equal(do_bind(socket, IP4_ANY, 7777), 0);
		inet_write_name(&theirs, &name, &length);
		assert_int_equal(socket_connect(socket, &name, length, true), -EINPROGRESS);
		fixture_run(&f);
		if (i == 1)
			break;
		stranger.ours = 7777;
		stranger.ack = stranger_sees(&stranger, 0).header.seq + 1;
		stranger.ts_echo = stranger_sees(&stranger, 0).options.ts_value;
		answer = stranger_syn(&stranger);
		answer.flags |= TCP_ACK;
		answer.ack = stranger.ack;
		stranger_sends(&stranger, &answer);
		stranger.seq++;
		fixture_clear_sent(&f);
		socket_close(socket);
		stranger_acknowledges(&stranger);
		stranger_flags(&stranger, TCP_ACK | TCP_FIN);
		fixture_clear_sent(&f);
		net_lock(&f.net);
		timewait = tcp_timewait_find(&all->timewaits,
					     tcp_table_hash(&all->table, &ours, &theirs), &ours,
					     &theirs);
		net_unlock(&f.net);
		assert_non_null(timewait);
		/* As after many bytes: what the clock would give next lies below. */
		timewait->snd_nxt += 0x10000000;
		above = timewait->snd_nxt;
		fixture_advance(&f, 2 * USEC_PER_SEC);
	}
	assert_true(seq_after(tcp()->iss, above));
	fixture_clear_sent(&f);
}

/* connect to AF_UNSPEC: as new, but for what it is bound to and what was chosen. connect(2) */
static void test_disconnect(void **state __unused)
{
	struct sockaddr_storage unspecified = {.ss_family = AF_UNSPEC};
	struct socket *other = make_socket(&f, SOCK_STREAM, 0);

	socket = make_socket(&f, SOCK_STREAM, 0);
	assert_int_equal(do_bind(socket, IP4_ANY, 7777), 0);
	set_option(socket, SOL_SOCKET, SO_RCVBUF, 20000);
	set_option(socket, SOL_SOCKET, SO_SNDBUF, 30000);
	assert_int_equal(socket_connect(socket, &unspecified, sizeof(struct sockaddr_in), false),
			 0);
	assert_int_equal(do_bind(other, IP4_ANY, 7777), -EADDRINUSE);
	assert_int_equal(get_option(socket, SOL_SOCKET, SO_RCVBUF), 40000);
	assert_int_equal(get_option(socket, SOL_SOCKET, SO_SNDBUF), 60000);
	assert_int_equal(socket_listen(socket, 1), 0);
	socket_close(other);
}

/* ---- ICMP: RFC 1122 4.2.3.9, RFC 5927 ---- */

/* In SYN-RECEIVED too an unreachable peer ends the opening. */
static void test_unreachable_while_opening(void **state __unused)
{
	struct crafted syn;

	socket = stranger_is_called(&stranger);
	syn = stranger_syn(&stranger);
	stranger_sends(&stranger, &syn);
	stranger_icmp(&stranger, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0, stranger.irs);
	assert_int_equal(tcp()->state, TCP_CLOSE);
	assert_int_equal(get_option(socket, SOL_SOCKET, SO_ERROR), EHOSTUNREACH);
	fixture_clear_sent(&f);
}

/* Told when the connection times out, not before; and forgotten when the peer is heard. */
static void test_soft_error_is_told_late(void **state __unused)
{
	settings()->tcp_retries2 = 3;
	socket = stranger_connects(&stranger, listener);
	give("data");
	stranger_icmp(&stranger, ICMP_DEST_UNREACH, ICMP_NET_UNREACH, 0, stranger.ack);
	assert_int_equal(tcp()->state, TCP_ESTABLISHED);
	fixture_advance(&f, 100 * USEC_PER_SEC);
	assert_int_equal(tcp()->state, TCP_CLOSE);
	assert_int_equal(get_option(socket, SOL_SOCKET, SO_ERROR), ENETUNREACH);
	fixture_clear_sent(&f);
}

/* RFC 1191: the path is narrower; what is under way is sent again, smaller. */
static void test_fragmentation_needed(void **state __unused)
{
	static const char bytes[1460];

	socket = stranger_connects(&stranger, listener);
	assert_int_equal(socket_give(socket, bytes, sizeof(bytes), 0), sizeof(bytes));
	fixture_run(&f);
	fixture_clear_sent(&f);
	stranger_icmp(&stranger, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, 1000, stranger.ack);
	assert_int_equal(tcp()->mss, 960);
	assert_true(f.sent_count > 0);
	assert_int_equal(stranger_sees(&stranger, 0).length, 960);
	fixture_clear_sent(&f);
}

/* Errors about a request: hard ones end it, others do not. */
static void test_errors_about_a_request(void **state __unused)
{
	const struct tcp_requests *requests = &tcp_fixture_state(&f)->requests;
	struct crafted syn = stranger_syn(&stranger);
	uint32_t iss;

	stranger_sends(&stranger, &syn);
	iss = stranger_sees_only(&stranger, TCP_SYN | TCP_ACK).header.seq;
	stranger_icmp(&stranger, ICMP_DEST_UNREACH, ICMP_NET_UNREACH, 0, iss);
	stranger_icmp(&stranger, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, 600, iss);
	assert_int_equal(requests->table.count, 1);
	stranger_icmp(&stranger, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0, iss + 1);
	assert_int_equal(requests->table.count, 1);
	stranger_icmp(&stranger, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0, iss);
	assert_int_equal(requests->table.count, 0);
}

/* ---- The window that we offer ---- */

static char bytes[1400];

/* The stranger sends as much as it may, a round trip long, and the process takes it. */
static void stream_to_us(uint32_t rounds)
{
	char taken[sizeof(bytes)];

	for (uint32_t i = 0; i < rounds; i++) {
		for (uint32_t j = 0; j < 20; j++) {
			stranger_says(&stranger, bytes, sizeof(bytes));
			fixture_clear_sent(&f);
		}
		fixture_advance(&f, 20 * USEC_PER_MSEC);
		while (socket_take(socket, taken, sizeof(taken), 0) > 0)
			;
		fixture_clear_sent(&f);
		stranger.ts_echo = tcp_timestamp(tcp(), f.now_us - 20 * USEC_PER_MSEC);
	}
}

/* It grows with what the process takes, unless the process has chosen, or memory is short. */
static void test_buffer_grows(void **state __unused)
{
	for (int which = 0; which < 4; which++) {
		int32_t before;

		settings()->tcp_rmem[1] = 60000;
		stranger_init(&stranger, &f);
		stranger.timestamps = true;
		socket_close(listener);
		listener = make_socket(&f, SOCK_STREAM, 0);
		assert_int_equal(do_bind(listener, IP4_ANY, TCP_FIXTURE_PORT), 0);
		if (which == 1)
			set_option(listener, SOL_SOCKET, SO_RCVBUF, 60000);
		assert_int_equal(socket_listen(listener, 1), 0);
		socket = stranger_connects(&stranger, listener);
		settings()->tcp_moderate_rcvbuf = which != 2;
		if (which == 3)
			settings()->tcp_mem[0] = settings()->tcp_mem[1] = 0;
		before = socket->receive_buffer;
		stream_to_us(5);
		if (which == 0)
			assert_true(socket->receive_buffer > before);
		else
			assert_int_equal(socket->receive_buffer, before);
		hang_up();
	}
}

/* TCP_WINDOW_CLAMP: never more than that. */
static void test_window_clamp(void **state __unused)
{
	set_option(listener, SOL_TCP, TCP_WINDOW_CLAMP, 5000);
	socket = stranger_connects(&stranger, listener);
	stranger_says(&stranger, "x", 1);
	assert_in_range(stranger_sees_only(&stranger, TCP_ACK).header.window, 1, 5000);
}

/* ---- Segments in connections ---- */

/* RFC 7323 4.3: what is echoed; 5.5: for how long an older one is refused. */
static void test_timestamp_to_echo(void **state __unused)
{
	struct crafted segment;

	stranger.timestamps = true;
	socket = stranger_connects(&stranger, listener);
	stranger.ts_value += 100;
	stranger_says(&stranger, "a", 1);
	assert_int_equal(stranger_sees_only(&stranger, TCP_ACK).options.ts_echo, stranger.ts_value);
	/* After 24 days even an old one is taken: the clock may have wrapped. */
	stranger.ts_value -= 50;
	stranger_says(&stranger, "b", 1);
	assert_int_equal(stranger_sees_only(&stranger, TCP_ACK).header.ack, stranger.seq - 1);
	stranger.seq--;
	fixture_advance(&f, 25ull * 24 * 3600 * USEC_PER_SEC);
	segment = stranger_segment(&stranger, TCP_ACK);
	segment.data = "b";
	segment.length = 1;
	stranger_sends(&stranger, &segment);
	stranger.seq++;
	assert_int_equal(stranger_sees_only(&stranger, TCP_ACK).header.ack, stranger.seq);
}

/* SHUT_RD and the peer's data: it is taken, and waits for nobody. tcp(7) */
static void test_half_closed_reader(void **state __unused)
{
	char byte;

	socket = stranger_connects(&stranger, listener);
	assert_int_equal(socket_shutdown(socket, SHUT_RD), 0);
	assert_int_equal(socket_take(socket, &byte, 1, 0), 0);
	stranger_says(&stranger, "a", 1);
	assert_int_equal(stranger_sees_only(&stranger, TCP_ACK).header.ack, stranger.seq);
	assert_int_equal(tcp()->state, TCP_ESTABLISHED);
}

/* TCP_QUICKACK 0: acknowledgements are delayed from the first on. */
static void test_no_quick_acks(void **state __unused)
{
	socket = stranger_connects(&stranger, listener);
	set_option(socket, SOL_TCP, TCP_QUICKACK, 0);
	stranger_says(&stranger, "a", 1);
	stranger_sees_nothing(&stranger);
	fixture_advance(&f, 40 * USEC_PER_MSEC);
	stranger_sees_only(&stranger, TCP_ACK);
	assert_int_equal(counted(TCP_EXTRA_DELAYED_ACKS), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_challenges_of_a_connection),
		TEST(test_challenges_of_all),
		TEST(test_refused_offers),
		TEST(test_foreign_timestamp),
		TEST(test_closed_while_opening),
		TEST(test_opening_times_out),
		TEST(test_repeated_fast_open),
		TEST(test_disconnect),
		TEST(test_numbers_above_time_wait),
		TEST(test_unreachable_while_opening),
		TEST(test_soft_error_is_told_late),
		TEST(test_fragmentation_needed),
		TEST(test_errors_about_a_request),
		TEST(test_buffer_grows),
		TEST(test_window_clamp),
		TEST(test_timestamp_to_echo),
		TEST(test_half_closed_reader),
		TEST(test_no_quick_acks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
