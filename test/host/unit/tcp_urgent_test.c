/* Urgent data, in and out: RFC 9293 3.8.5, RFC 6093, tcp(7). */
#include <string.h>

#include "include/uapi/sockios.h"
#include "kernel/errno.h"
#include "kernel/fs/file.h"
#include "test/host/unit/stranger.h"

static struct fixture f;
static struct socket *listener, *socket;
static struct stranger stranger;

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	stranger_init(&stranger, &f);
	socket = stranger_connects(&stranger, listener);
	host_signals_sent();
	drops_watch(&f);
	return 0;
}

static int tear_down(void **state __unused)
{
	if (socket)
		socket_close(socket);
	tcp_fixture_destroy(&f, listener);
	return 0;
}

/* `text` in order, with the urgent byte `ahead` - 1 from its start. The sequence moves on. */
static void say_urgently(const char *text, uint16_t ahead)
{
	struct crafted segment = stranger_segment(&stranger, TCP_ACK | TCP_URG);

	segment.data = text;
	segment.length = strlen(text);
	segment.urgent = ahead;
	stranger_sends(&stranger, &segment);
	stranger.seq += (uint32_t)segment.length;
}

static void say(const char *text)
{
	stranger_says(&stranger, text, strlen(text));
}

/* What MSG_OOB gives: the byte, or a negative errno. */
static int urgent_byte(void)
{
	char byte;
	int64_t result = socket_take(socket, &byte, 1, MSG_OOB);

	return result == 1 ? byte : (int)result;
}

static void assert_reads(const char *text)
{
	char bytes[32];

	assert_int_equal(socket_take(socket, bytes, sizeof(bytes), 0), strlen(text));
	assert_memory_equal(bytes, text, strlen(text));
}

static bool at_mark(void)
{
	int32_t mark = -1;

	assert_int_equal(socket_ioctl(socket, SIOCATMARK, &mark), 0);
	return mark;
}

/* Announced by a segment without text, long before it comes. MUST-32: the process hears at once. */
static void test_announced_early(void **state __unused)
{
	say_urgently("", 6);
	assert_true(socket_poll(socket, NULL) & POLLPRI);
	assert_int_equal(urgent_byte(), -EAGAIN);
	say("abc");
	assert_int_equal(urgent_byte(), -EAGAIN);
	assert_reads("abc");
	say("deXfg");
	assert_int_equal(urgent_byte(), 'X');
	assert_int_equal(urgent_byte(), -EINVAL);
	assert_false(socket_poll(socket, NULL) & POLLPRI);
	assert_reads("de"); /* up to the mark: MUST-33 */
	assert_true(at_mark());
	assert_reads("fg");
	assert_false(at_mark());
}

/* MUST-31: urgent data of any length; MUST-62: the pointer is one past its end. */
static void test_long_urgent_data(void **state __unused)
{
	say_urgently("abcd", 8);
	say_urgently("efgX", 4);
	say("hi");
	assert_reads("abcdefg");
	assert_int_equal(urgent_byte(), 'X');
	assert_reads("hi");
}

/* The pointer moves on: only its last place counts, and the byte of the one before is text. */
static void test_pointer_advances(void **state __unused)
{
	say_urgently("aX", 2);
	say_urgently("bY", 2);
	assert_int_equal(urgent_byte(), 'Y');
	assert_reads("aXb");
	say("c");
	assert_reads("c");
	/* It never goes back. */
	say_urgently("dZ", 2);
	stranger.seq -= 2;
	say_urgently("dZ", 1);
	assert_int_equal(urgent_byte(), 'Z');
	assert_reads("d");
}

/* What was read is not urgent any more. */
static void test_pointer_into_the_past(void **state __unused)
{
	struct crafted segment;

	say("abc");
	assert_reads("abc");
	segment = stranger_segment(&stranger, TCP_ACK | TCP_URG);
	segment.seq -= 2;
	segment.urgent = 1; /* 'b' */
	segment.data = "bcd";
	segment.length = 3;
	stranger_sends(&stranger, &segment);
	assert_int_equal(urgent_byte(), -EINVAL);
	assert_reads("d");
}

/* A segment that begins before the window: its pointer counts from its own start. */
static void test_trimmed_segment(void **state __unused)
{
	struct crafted segment;

	say("abc");
	segment = stranger_segment(&stranger, TCP_ACK | TCP_URG);
	segment.seq -= 2;
	segment.urgent = 4;
	segment.data = "bcdXe";
	segment.length = 5;
	stranger_sends(&stranger, &segment);
	assert_int_equal(urgent_byte(), 'X');
	assert_reads("abcd");
	assert_reads("e");
}

/* Out of order: the byte is there before what precedes it. */
static void test_out_of_order(void **state __unused)
{
	stranger.seq += 3;
	say_urgently("X", 1);
	assert_int_equal(urgent_byte(), 'X');
	stranger.seq -= 4;
	say("abc");
	assert_reads("abc");
	stranger.seq += 1;
	say("d");
	assert_reads("d");
}

/* MUST-66: heard even while the window is closed. */
static void test_closed_window(void **state __unused)
{
	static char bytes[SEGMENT_MAX];
	uint32_t room = tcp_socket(socket)->rcv_edge - tcp_socket(socket)->rcv_nxt;

	while (room) {
		uint32_t part = MIN(room, (uint32_t)SEGMENT_MAX);

		stranger_says(&stranger, bytes, part);
		room = tcp_socket(socket)->rcv_edge - tcp_socket(socket)->rcv_nxt;
	}
	fixture_clear_sent(&f);
	drops_watch(&f);
	say_urgently("abX", 3);
	assert_int_equal(stranger_sees_only(&stranger, TCP_ACK).header.window, 0);
	assert_dropped(&f, DROP_TCP_WINDOW_CLOSED, 1);
	assert_true(socket_poll(socket, NULL) & POLLPRI);
}

/* After the peer's FIN the bit means nothing: 3.10.7.4, sixth. */
static void test_after_fin(void **state __unused)
{
	stranger_flags(&stranger, TCP_ACK | TCP_FIN);
	stranger.seq++;
	fixture_clear_sent(&f);
	say_urgently("", 1);
	assert_false(socket_poll(socket, NULL) & POLLPRI);
	assert_int_equal(urgent_byte(), -EINVAL);
}

/* SIGURG for the file's owner: once for each announcement. */
static void test_signal(void **state __unused)
{
	struct file *file = socket_file_create(socket, 0);

	assert_non_null(file);
	say_urgently("X", 1);
	assert_int_equal(host_signals_sent(), 0); /* nobody owns it */
	file->owner_pid = 1;
	say_urgently("Y", 1);
	assert_int_equal(host_signals_sent(), 1);
	say("a");
	say_urgently("", 0);
	assert_int_equal(host_signals_sent(), 0);
	say_urgently("", 3);
	say_urgently("b", 3); /* the same byte */
	assert_int_equal(host_signals_sent(), 1);
	say_urgently("", 3); /* another */
	assert_int_equal(host_signals_sent(), 1);
	file_put(file);
	socket = NULL;
	fixture_clear_sent(&f);
}

/* ---- Sending ---- */

static void give(const char *text, uint32_t flags)
{
	assert_int_equal(socket_give(socket, text, strlen(text), flags), strlen(text));
	fixture_run(&f);
}

/* The i-th segment sent: its urgent pointer, or -1 without URG. */
static int pointer_of(uint32_t i)
{
	const struct seen seen = stranger_sees(&stranger, i);

	return seen.header.flags & TCP_URG ? seen.header.urgent : -1;
}

/* MUST-62: one past the urgent byte, from the segment's own start. */
static void test_pointer_sent(void **state __unused)
{
	give("abcX", MSG_OOB);
	assert_int_equal(pointer_of(0), 4);
	give("de", 0); /* Nagle does not hold back what is urgent; this he does */
	assert_int_equal(f.sent_count, 1);
	stranger_acknowledges(&stranger);
	assert_int_equal(f.sent_count, 1);
	assert_int_equal(pointer_of(0), -1);
	stranger_acknowledges(&stranger);
	fixture_clear_sent(&f);
}

/* It is told again with what is sent again, until it is acknowledged. */
static void test_sent_again(void **state __unused)
{
	give("abX", MSG_OOB);
	fixture_clear_sent(&f);
	fixture_advance(&f, 2 * USEC_PER_SEC);
	assert_true(f.sent_count > 0);
	for (uint32_t i = 0; i < f.sent_count; i++)
		assert_int_equal(pointer_of(i), 3);
	stranger.ack += 3;
	stranger_flags(&stranger, TCP_ACK);
	fixture_clear_sent(&f);
	say("x"); /* an acknowledgement does not tell it any more */
	assert_int_equal(pointer_of(0), -1);
	fixture_clear_sent(&f);
}

/* Beyond a closed window: the peer hears that something urgent waits (3.8.6.1, 3.8.5). */
static void test_told_to_a_closed_window(void **state __unused)
{
	stranger.window = 0;
	stranger_flags(&stranger, TCP_ACK);
	give("abX", MSG_OOB);
	fixture_clear_sent(&f);
	say("x");
	assert_int_equal(pointer_of(0), 3);
	fixture_clear_sent(&f);
}

/* Farther than 16 bits can tell: not before it is near enough. */
static void test_far_ahead(void **state __unused)
{
	static char bytes[70000];

	assert_int_equal(set_option(socket, SOL_SOCKET, SO_SNDBUF, 200000), 0);
	stranger.window = 1000;
	stranger_flags(&stranger, TCP_ACK);
	assert_int_equal(socket_give(socket, bytes, sizeof(bytes), MSG_OOB), sizeof(bytes));
	fixture_run(&f);
	assert_true(f.sent_count > 0);
	assert_int_equal(pointer_of(0), -1);
	for (int i = 0; i < 8; i++)
		stranger_acknowledges(&stranger);
	assert_true(f.sent_count > 0);
	assert_int_equal(stranger_sees(&stranger, 0).header.seq + (uint32_t)pointer_of(0),
			 tcp_socket(socket)->snd_up);
	fixture_clear_sent(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_announced_early),  TEST(test_long_urgent_data),
		TEST(test_pointer_advances), TEST(test_pointer_into_the_past),
		TEST(test_trimmed_segment),  TEST(test_out_of_order),
		TEST(test_closed_window),    TEST(test_after_fin),
		TEST(test_signal),           TEST(test_pointer_sent),
		TEST(test_sent_again),       TEST(test_told_to_a_closed_window),
		TEST(test_far_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
