/* Hostile headers: data offset, options, urgent pointer. Named in docs/hostile-inputs.md. */
#include <string.h>

#include "kernel/byteorder.h"
#include "test/host/unit/stranger.h"

static struct fixture f;
static struct socket *listener, *socket;
static struct stranger stranger;

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	stranger_init(&stranger, &f);
	stranger.timestamps = stranger.sack = true;
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

/* ---- The data offset ---- */

static void refused_offset(uint8_t words, size_t cut)
{
	struct crafted segment = stranger_segment(&stranger, TCP_ACK);

	segment.options_length = 0;
	segment.data = "0123456789";
	segment.length = 10;
	segment.words = words;
	segment.cut = cut;
	stranger_sends(&stranger, &segment);
	stranger_sees_nothing(&stranger);
}

static void data_offset_0_to_4(void **state __unused)
{
	/* 0 in `words` stands for the right one: the offset 0 is made by 16, cut to four bits. */
	static const uint8_t words[] = {16, 1, 2, 3, 4};

	for (uint32_t i = 0; i < ARRAY_SIZE(words); i++) {
		refused_offset(words[i], 0);
		assert_dropped(&f, DROP_TCP_BAD_OFFSET, 1);
	}
	assert_int_equal(tcp_fixture_state(&f)->statistics[TCP_STAT_IN_ERRORS], 5);
}

static void data_offset_past_the_segment(void **state __unused)
{
	refused_offset(15, 0);  /* 60, of 30 bytes */
	refused_offset(8, 0);   /* 32 */
	refused_offset(6, 20);  /* 24, of a bare header */
	refused_offset(15, 59); /* one byte short */
	assert_dropped(&f, DROP_TCP_BAD_OFFSET, 4);
}

static void segments_shorter_than_a_header(void **state __unused)
{
	for (size_t length = 1; length < TCP_HEADER_MIN; length++)
		refused_offset(5, length);
	assert_dropped(&f, DROP_TCP_SHORT, TCP_HEADER_MIN - 1);
}

/* MUST-3 */
static void wrong_checksum(void **state __unused)
{
	struct crafted segment = stranger_segment(&stranger, TCP_ACK | TCP_RST);

	segment.wrong = 1;
	stranger_sends(&stranger, &segment);
	stranger_sees_nothing(&stranger);
	assert_dropped(&f, DROP_TCP_BAD_CHECKSUM, 1);
	assert_int_equal(tcp_fixture_state(&f)->statistics[TCP_STAT_IN_CHECKSUM_ERRORS], 1);
	assert_int_equal(tcp_socket(socket)->state, TCP_ESTABLISHED);
}

/* ---- Option lengths: RFC 9293 3.2, MUST-7 ---- */

/* The kinds we know, and two that we do not. */
static const uint8_t kinds[] = {2, 3, 4, 5, 8, 34, 99, 254};

/* In a connection: the data counts, whatever stands in the options. */
static void odd_option_in_a_connection(uint8_t kind, uint8_t length)
{
	struct crafted segment = stranger_segment(&stranger, TCP_ACK | TCP_PSH);
	char byte;

	memset(segment.options, 1, 8);
	segment.options[0] = kind;
	segment.options[1] = length;
	segment.options_length = 8;
	segment.data = "x";
	segment.length = 1;
	stranger_sends(&stranger, &segment);
	stranger.seq++;
	assert_int_equal(socket_take(socket, &byte, 1, 0), 1);
	fixture_clear_sent(&f);
}

static void option_length(uint8_t length)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(kinds); i++)
		odd_option_in_a_connection(kinds[i], length);
	assert_dropped(&f, DROP_NONE, 0);
}

static void option_lengths_0_1_2_255(void **state __unused)
{
	option_length(0);
	option_length(1);
	option_length(2);
	option_length(255);
}

/* In a SYN: what stood before the malformed option counts, nothing behind it does. */
static void odd_option_in_a_syn(uint8_t kind, uint8_t length)
{
	static const uint8_t mss_1000[] = {2, 4, 1000 >> 8, 1000 & 255};
	static const uint8_t scale_and_sack[] = {3, 3, 5, 4, 2};
	bool goes_on = length == 2; /* well formed, though too short for some */
	struct stranger other;
	struct crafted syn;
	struct seen answer;

	stranger_init(&other, &f);
	other.mss = 0;
	syn = stranger_syn(&other);
	memcpy(syn.options, mss_1000, sizeof(mss_1000));
	syn.options[4] = kind;
	syn.options[5] = length;
	memcpy(syn.options + 6, scale_and_sack, sizeof(scale_and_sack));
	syn.options_length = 6 + sizeof(scale_and_sack);
	stranger_sends(&other, &syn);
	answer = stranger_sees_only(&other, TCP_SYN | TCP_ACK);
	assert_int_equal(answer.options.has_window_scale, goes_on);
	assert_int_equal(answer.options.sack_permitted, goes_on);
	/* The request's MSS: of the connection it makes. */
	other.seq++;
	other.ack = answer.header.seq + 1;
	stranger_flags(&other, TCP_ACK);

	struct socket *made;

	assert_int_equal(socket_accept(listener, &made, true), 0);
	assert_int_equal(tcp_socket(made)->peer_mss, 1000);
	stranger_flags(&other, TCP_RST);
	socket_close(made);
	fixture_clear_sent(&f);
}

static void option_lengths_in_a_syn(void **state __unused)
{
	static const uint8_t lengths[] = {0, 1, 2, 255};

	for (uint32_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		odd_option_in_a_syn(8, lengths[i]);
		odd_option_in_a_syn(34, lengths[i]);
		odd_option_in_a_syn(77, lengths[i]);
	}
	assert_dropped(&f, DROP_TCP_RESET, 3 * ARRAY_SIZE(lengths));
}

/* An option whose kind is the last byte; 40 bytes of NOP; 40 of END. */
static void options_at_the_edge(void **state __unused)
{
	static const uint8_t fills[] = {1, 0, 8, 255};
	char byte;

	for (uint32_t i = 0; i < ARRAY_SIZE(fills); i++) {
		struct crafted segment = stranger_segment(&stranger, TCP_ACK | TCP_PSH);

		memset(segment.options, 1, TCP_OPTIONS_MAX);
		memset(segment.options, fills[i], i < 2 ? TCP_OPTIONS_MAX : 0);
		if (i >= 2)
			segment.options[TCP_OPTIONS_MAX - 1] = fills[i];
		segment.options_length = TCP_OPTIONS_MAX;
		segment.data = "x";
		segment.length = 1;
		stranger_sends(&stranger, &segment);
		stranger.seq++;
		assert_int_equal(socket_take(socket, &byte, 1, 0), 1);
		fixture_clear_sent(&f);
	}
	assert_dropped(&f, DROP_NONE, 0);
}

/* ---- The urgent pointer: RFC 9293 3.8.5, MUST-31, MUST-62 ---- */

static void urgent(uint8_t flags, uint16_t pointer, const char *data)
{
	struct crafted segment = stranger_segment(&stranger, TCP_ACK | TCP_URG | flags);

	segment.urgent = pointer;
	segment.data = data;
	segment.length = strlen(data);
	stranger_sends(&stranger, &segment);
	stranger.seq += (uint32_t)segment.length + (flags & TCP_FIN ? 1 : 0);
	fixture_clear_sent(&f);
}

static void assert_reads(const char *text)
{
	char bytes[64];
	int64_t length = socket_take(socket, bytes, sizeof(bytes), 0);

	assert_int_equal(length, strlen(text));
	assert_memory_equal(bytes, text, strlen(text));
}

/* Nothing of the segment is urgent: the pointer is the number behind the last urgent byte. */
static void urgent_pointer_0(void **state __unused)
{
	char byte;

	urgent(0, 0, "abc");
	assert_int_equal(socket_take(socket, &byte, 1, MSG_OOB), -EINVAL);
	assert_reads("abc");
	assert_dropped(&f, DROP_NONE, 0);
}

static void urgent_pointer_1(void **state __unused)
{
	char byte;

	urgent(0, 1, "abc");
	assert_int_equal(socket_take(socket, &byte, 1, MSG_OOB), 1);
	assert_int_equal(byte, 'a');
	assert_reads("bc");
	assert_dropped(&f, DROP_NONE, 0);
}

/* The urgent byte never comes: reading goes on, MSG_OOB says try again, the mark passes. */
static void urgent_pointer_65535(void **state __unused)
{
	char byte;

	urgent(0, UINT16_MAX, "abc");
	assert_true(socket_poll(socket, NULL) & POLLPRI);
	assert_int_equal(socket_take(socket, &byte, 1, MSG_OOB), -EAGAIN);
	assert_reads("abc");
	stranger_says(&stranger, "def", 3);
	assert_reads("def");
	assert_dropped(&f, DROP_NONE, 0);
}

static void urgent_pointer_beyond_the_data(void **state __unused)
{
	char byte;

	urgent(0, 5, "abc");
	assert_int_equal(socket_take(socket, &byte, 1, MSG_OOB), -EAGAIN);
	assert_reads("abc");
	stranger_says(&stranger, "dEf", 3);
	assert_int_equal(socket_take(socket, &byte, 1, MSG_OOB), 1);
	assert_int_equal(byte, 'E');
	assert_int_equal(socket_take(socket, &byte, 1, MSG_OOB), -EINVAL);
	assert_reads("d");
	assert_reads("f");
	/* A pointer that goes back says nothing new. */
	urgent(0, 1, "ghi");
	urgent(0, 0, "jkl");
	assert_dropped(&f, DROP_NONE, 0);
}

static void urgent_pointer_with_fin(void **state __unused)
{
	char byte;

	urgent(TCP_FIN, UINT16_MAX, "abc");
	assert_int_equal(tcp_socket(socket)->state, TCP_CLOSE_WAIT);
	assert_reads("abc");
	assert_int_equal(socket_take(socket, &byte, 1, 0), 0);
	assert_int_equal(socket_take(socket, &byte, 1, MSG_OOB), 0);
	assert_int_equal(socket_give(socket, "x", 1, 0), 1);
	assert_dropped(&f, DROP_NONE, 0);
}

/* The pointer stands on the FIN itself, which is no byte. */
static void urgent_pointer_on_the_fin(void **state __unused)
{
	char byte;

	urgent(TCP_FIN, 4, "abc");
	assert_reads("abc");
	assert_int_equal(socket_take(socket, &byte, 1, 0), 0);
	assert_int_equal(socket_take(socket, &byte, 1, MSG_OOB), 0);
	assert_dropped(&f, DROP_NONE, 0);
}

static void urgent_pointer_with_syn(void **state __unused)
{
	static const uint16_t pointers[] = {0, 1, UINT16_MAX};

	for (uint32_t i = 0; i < ARRAY_SIZE(pointers); i++) {
		struct stranger other;
		struct crafted syn;

		stranger_init(&other, &f);
		syn = stranger_syn(&other);
		syn.flags |= TCP_URG;
		syn.urgent = pointers[i];
		stranger_sends(&other, &syn);
		stranger_sees_only(&other, TCP_SYN | TCP_ACK);
		other.seq++;
		stranger_flags(&other, TCP_RST);
	}
	assert_dropped(&f, DROP_TCP_RESET, ARRAY_SIZE(pointers));
}

/* In a SYN-ACK with data: the SYN takes a number, so pointer 2 stands behind the first byte. */
static void urgent_pointer_with_syn_ack(void **state __unused)
{
	struct stranger other;
	struct socket *client;
	struct crafted answer;
	char bytes[8];

	stranger_init(&other, &f);
	client = stranger_is_called(&other);
	answer = stranger_syn(&other);
	answer.flags |= TCP_ACK | TCP_URG;
	answer.ack = other.ack;
	answer.urgent = 2;
	answer.data = "abc";
	answer.length = 3;
	stranger_sends(&other, &answer);
	other.seq += 4;
	assert_int_equal(socket_take(client, bytes, 1, MSG_OOB), 1);
	assert_int_equal(bytes[0], 'a');
	assert_int_equal(socket_take(client, bytes, 8, 0), 2);
	assert_memory_equal(bytes, "bc", 2);
	stranger_flags(&other, TCP_RST);
	socket_close(client);
	assert_dropped(&f, DROP_TCP_RESET, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(data_offset_0_to_4),
		TEST(data_offset_past_the_segment),
		TEST(segments_shorter_than_a_header),
		TEST(wrong_checksum),
		TEST(option_lengths_0_1_2_255),
		TEST(option_lengths_in_a_syn),
		TEST(options_at_the_edge),
		TEST(urgent_pointer_0),
		TEST(urgent_pointer_1),
		TEST(urgent_pointer_65535),
		TEST(urgent_pointer_beyond_the_data),
		TEST(urgent_pointer_with_fin),
		TEST(urgent_pointer_on_the_fin),
		TEST(urgent_pointer_with_syn),
		TEST(urgent_pointer_with_syn_ack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
