/* DNS messages: what is read from a sound one, and that each kind of broken one is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/host/unit/dns_bytes.h"
#include "userland/lib/dns_wire.h"

/*
 * Parses a copy of exactly the message's length, so that the sanitizer sees any byte read beyond
 * it.
 */
static enum dns_error parse(const struct dns_bytes *message)
{
	uint8_t *exact = malloc(message->length ? message->length : 1);
	struct dns_message parsed;
	enum dns_error error;

	memcpy(exact, message->bytes, message->length);
	error = dns_parse(exact, message->length, &parsed);
	free(exact);
	return error;
}

/* A response whose one answer has this as its name. */
static enum dns_error parse_with_name(const void *name, size_t length)
{
	struct dns_bytes message;

	begin_response(&message, "a.b", DNS_A);
	add_bytes(&message, name, length);
	add_record(&message, DNS_A, 60, 4);
	add_bytes(&message, "\x0a\x4d\x00\x01", 4);
	return parse(&message);
}

/* Where the name of that answer stands. */
enum { ANSWER_AT = 12 + 5 + 4 };

static enum dns_error parse_with_pointer(unsigned to)
{
	const uint8_t pointer[2] = {(uint8_t)(0xc0 | to >> 8), (uint8_t)to};

	return parse_with_name(pointer, 2);
}

static void test_names_as_text(void **state)
{
	static const struct {
		const char *in, *out;
	} names[] = {
		{"www.example.org", "www.example.org"},
		{"www.example.org.", "www.example.org"},
		{".", "."},
		{"a\\.b.c", "a\\.b.c"},
		{"sp\\032ace", "sp\\032ace"},
		{"\\097b", "ab"},
		{"b\\\\s", "b\\\\s"},
		{"\\255\\000", "\\255\\000"},
	};
	struct dns_name name;
	char text[DNS_MAX_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_true(dns_name_from_text(names[i].in, &name));
		dns_name_to_text(&name, text);
		assert_string_equal(text, names[i].out);
	}
}

static void test_text_that_is_no_name(void **state)
{
	static const char *const texts[] = {"",    "..",    ".a",   "a..b",
					    "a\\", "\\256", "\\25", "\\2x4"};
	struct dns_name name;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(dns_name_from_text(texts[i], &name));
}

static void test_longest_label_and_name(void **state)
{
	struct dns_name name;
	char text[300], back[DNS_MAX_TEXT];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[63] = '\0';
	assert_true(dns_name_from_text(text, &name));
	text[63] = 'a';
	text[64] = '\0';
	assert_false(dns_name_from_text(text, &name));

	/* 63 + 63 + 63 + 61 and four length bytes and the root make 255. */
	memset(text, 'a', sizeof(text));
	text[63] = text[127] = text[191] = '.';
	text[253] = '\0';
	assert_true(dns_name_from_text(text, &name));
	assert_int_equal(name.length, 255);
	dns_name_to_text(&name, back);
	assert_string_equal(back, text);
	text[253] = 'a';
	text[254] = '\0';
	assert_false(dns_name_from_text(text, &name));
}

static void test_worst_name_as_text(void **state)
{
	struct dns_name name = {.length = 255};
	char text[DNS_MAX_TEXT];

	(void)state;
	memset(name.bytes, 1, 254);
	for (unsigned at = 0; at < 254; at += 64)
		name.bytes[at] = at == 192 ? 61 : 63;
	name.bytes[254] = 0;
	dns_name_to_text(&name, text);
	assert_int_equal(strlen(text), 250 * 4 + 3);
}

static void test_names_equal_in_either_case(void **state)
{
	struct dns_name a, b;

	(void)state;
	dns_name_from_text("WWW.Example.org", &a);
	dns_name_from_text("www.eXAMPLE.ORG", &b);
	assert_true(dns_name_equal(&a, &b));
	dns_name_from_text("www.example.orh", &b);
	assert_false(dns_name_equal(&a, &b));
	dns_name_from_text("www.example.or", &b);
	assert_false(dns_name_equal(&a, &b));
}

static void test_reverse_names(void **state)
{
	static const uint8_t ipv4[4] = {10, 77, 0, 1};
	static const uint8_t ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	struct dns_name name;
	char text[DNS_MAX_TEXT];

	(void)state;
	dns_reverse_name(ipv4, 4, &name);
	dns_name_to_text(&name, text);
	assert_string_equal(text, "1.0.77.10.in-addr.arpa");
	dns_reverse_name(ipv6, 16, &name);
	dns_name_to_text(&name, text);
	assert_string_equal(text, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
				  "8.b.d.0.1.0.0.2.ip6.arpa");
}

static void test_query(void **state)
{
	static const uint8_t expected[] = {0x12, 0x34, 1,   0, 0,   1, 0, 0,  0, 0, 0,
					   0,    1,    'a', 1, 'b', 0, 0, 28, 0, 1};
	uint8_t message[DNS_QUERY_MAX];
	struct dns_name name;

	(void)state;
	dns_name_from_text("a.b", &name);
	assert_int_equal(dns_emit_query(ID, &name, DNS_AAAA, message), sizeof(expected));
	assert_memory_equal(message, expected, sizeof(expected));
}

static void test_sound_response(void **state)
{
	struct dns_bytes bytes;
	struct dns_message message;
	struct dns_cursor cursor;
	struct dns_record record;
	char text[DNS_MAX_TEXT];

	(void)state;
	begin_response(&bytes, "www.a.b", DNS_A);
	add_pointer(&bytes, QUESTION_AT);
	add_record(&bytes, DNS_CNAME, 60, 4);
	add_bytes(&bytes, "\001x", 2);
	add_pointer(&bytes, QUESTION_AT + 4);
	add_a(&bytes, "x.a.b", 0x0a4d0001);
	add_name(&bytes, "x.a.b");
	add_record(&bytes, 16, 60, 3); /* TXT: passed over */
	add_bytes(&bytes, "\002hi", 3);

	assert_int_equal(dns_parse(bytes.bytes, bytes.length, &message), DNS_OK);
	assert_int_equal(message.id, ID);
	assert_int_equal(message.code, DNS_NO_ERROR);
	assert_false(message.truncated);
	assert_int_equal(message.answer_count, 3);

	cursor = dns_first_answer(&message);
	assert_true(dns_next_answer(&message, &cursor, &record));
	assert_int_equal(record.type, DNS_CNAME);
	dns_name_to_text(&record.target, text);
	assert_string_equal(text, "x.a.b");
	assert_true(dns_next_answer(&message, &cursor, &record));
	assert_int_equal(record.type, DNS_A);
	assert_int_equal(record.ttl, 300);
	assert_memory_equal(record.address, "\x0a\x4d\x00\x01", 4);
	assert_true(dns_next_answer(&message, &cursor, &record));
	assert_int_equal(record.type, 16);
	assert_false(dns_next_answer(&message, &cursor, &record));
}

static void test_every_cut_is_refused(void **state)
{
	struct dns_bytes message;
	size_t whole;

	(void)state;
	begin_response(&message, "www.a.b", DNS_A);
	add_cname(&message, "www.a.b", "x.a.b");
	add_a(&message, "x.a.b", 0x0a4d0001);
	whole = message.length;
	for (message.length = 0; message.length < whole; message.length++)
		assert_int_not_equal(parse(&message), DNS_OK);
	message.length = whole;
	assert_int_equal(parse(&message), DNS_OK);
}

static void test_pointer_to_itself(void **state)
{
	(void)state;
	assert_int_equal(parse_with_pointer(ANSWER_AT), DNS_BAD_POINTER);
	/* By way of a label before it. */
	assert_int_equal(parse_with_name("\001x\xc0\x15", 4), DNS_BAD_POINTER);
}

static void test_pointer_forward(void **state)
{
	(void)state;
	assert_int_equal(parse_with_pointer(ANSWER_AT + 2), DNS_BAD_POINTER);
	assert_int_equal(parse_with_pointer(ANSWER_AT + 12), DNS_BAD_POINTER);
}

static void test_pointer_past_the_end(void **state)
{
	(void)state;
	assert_int_equal(parse_with_pointer(0x3fff), DNS_BAD_POINTER);
}

static void test_pointer_into_the_header(void **state)
{
	(void)state;
	for (unsigned to = 0; to < 12; to++)
		assert_int_equal(parse_with_pointer(to), DNS_BAD_POINTER);
	assert_int_equal(parse_with_pointer(12), DNS_OK);
}

/* The second name leads to the first, which leads back to the second. */
static void test_pointers_that_play_ping_pong(void **state)
{
	struct dns_bytes message;
	size_t first;

	(void)state;
	begin_response(&message, "a.b", DNS_A);
	first = message.length;
	add_pointer(&message, first + 16);
	add_record(&message, DNS_A, 60, 4);
	add_bytes(&message, "\x0a\x4d\x00\x01", 4);
	add_pointer(&message, first);
	add_record(&message, DNS_A, 60, 4);
	add_bytes(&message, "\x0a\x4d\x00\x01", 4);
	assert_int_equal(parse(&message), DNS_BAD_POINTER);
}

/* Each pointer leads to the one before: no loop, yet more work than a name is worth. */
static void test_chain_of_100_pointers(void **state)
{
	struct dns_bytes message;
	size_t previous = QUESTION_AT;

	(void)state;
	begin_response(&message, "a.b", DNS_A);
	add_name(&message, ".");
	add_record(&message, 16, 60, 200);
	for (unsigned i = 0; i < 100; i++) {
		size_t here = message.length;

		add_pointer(&message, previous);
		previous = here;
	}
	assert_int_equal(parse(&message), DNS_OK);
	add_pointer(&message, previous);
	add_record(&message, DNS_A, 60, 4);
	add_bytes(&message, "\x0a\x4d\x00\x01", 4);
	assert_int_equal(parse(&message), DNS_BAD_POINTER);
}

static void test_label_types(void **state)
{
	(void)state;
	assert_int_equal(parse_with_name("\x40x", 2), DNS_BAD_LABEL);
	assert_int_equal(parse_with_name("\x80x", 2), DNS_BAD_LABEL);
	assert_int_equal(parse_with_name("\xbfx", 2), DNS_BAD_LABEL);
}

static void test_label_of_64_and_name_of_256(void **state)
{
	uint8_t name[300];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[0] = 64;
	name[65] = 0;
	assert_int_equal(parse_with_name(name, 66), DNS_BAD_LABEL);

	memset(name, 'a', sizeof(name));
	name[0] = name[64] = name[128] = 63;
	name[192] = 61;
	name[254] = 0;
	assert_int_equal(parse_with_name(name, 255), DNS_OK);
	name[192] = 62;
	name[254] = 'a';
	name[255] = 0;
	assert_int_equal(parse_with_name(name, 256), DNS_NAME_TOO_LONG);
}

/* Short on the wire, long once its pointers are followed. */
static void test_name_too_long_by_pointers(void **state)
{
	struct dns_bytes message;
	char question[255];
	uint8_t label[64] = {63};

	(void)state;
	memset(question, 'q', sizeof(question));
	question[63] = question[127] = question[191] = '.';
	question[253] = '\0';
	begin_response(&message, question, DNS_A);
	memset(label + 1, 'x', 63);
	add_bytes(&message, label, 64);
	add_pointer(&message, QUESTION_AT);
	add_record(&message, DNS_A, 60, 4);
	add_bytes(&message, "\x0a\x4d\x00\x01", 4);
	assert_int_equal(parse(&message), DNS_NAME_TOO_LONG);
}

static void test_name_without_terminator(void **state)
{
	struct dns_bytes message;

	(void)state;
	begin_response(&message, "a.b", DNS_A);
	set_answers(&message, 1);
	add_bytes(&message, "\003www\003foo", 8);
	assert_int_equal(parse(&message), DNS_TOO_SHORT);
	add_bytes(&message, "\xc0", 1);
	assert_int_equal(parse(&message), DNS_TOO_SHORT);
	message.length -= 5; /* a label that runs past the end */
	message.bytes[message.length - 1] = 63;
	assert_int_equal(parse(&message), DNS_TOO_SHORT);
}

static void test_65535_answers_promised(void **state)
{
	struct dns_bytes message;

	(void)state;
	begin_response(&message, "a.b", DNS_A);
	add_a(&message, "a.b", 0x0a4d0001);
	set_answers(&message, 65535);
	assert_int_equal(parse(&message), DNS_TOO_SHORT);
	set_answers(&message, 1);
	put_be16(message.bytes + 8, 65535);
	assert_int_equal(parse(&message), DNS_TOO_SHORT);
	put_be16(message.bytes + 8, 0);
	put_be16(message.bytes + 10, 65535);
	assert_int_equal(parse(&message), DNS_TOO_SHORT);
}

static enum dns_error parse_with_data(uint16_t type, uint16_t promised, const void *data,
				      size_t length)
{
	struct dns_bytes message;

	begin_response(&message, "a.b", DNS_A);
	add_pointer(&message, QUESTION_AT);
	add_record(&message, type, 60, promised);
	add_bytes(&message, data, length);
	return parse(&message);
}

static void test_data_length(void **state)
{
	static const uint8_t data[16] = {0};

	(void)state;
	assert_int_equal(parse_with_data(DNS_A, 0, data, 0), DNS_BAD_DATA);
	assert_int_equal(parse_with_data(DNS_A, 3, data, 3), DNS_BAD_DATA);
	assert_int_equal(parse_with_data(DNS_A, 5, data, 5), DNS_BAD_DATA);
	assert_int_equal(parse_with_data(DNS_A, 65535, data, 4), DNS_TOO_SHORT);
	assert_int_equal(parse_with_data(DNS_AAAA, 4, data, 4), DNS_BAD_DATA);
	assert_int_equal(parse_with_data(DNS_AAAA, 16, data, 16), DNS_OK);
	/* A name that ends before or after its data does. */
	assert_int_equal(parse_with_data(DNS_CNAME, 4, "\001a\000\000", 4), DNS_BAD_DATA);
	assert_int_equal(parse_with_data(DNS_PTR, 2, "\001a\000", 3), DNS_BAD_DATA);
	assert_int_equal(parse_with_data(DNS_CNAME, 0, "", 0), DNS_TOO_SHORT);
	assert_int_equal(parse_with_data(DNS_CNAME, 2, "\xc0\x0c", 2), DNS_OK);
}

static void test_headers_that_do_not_fit(void **state)
{
	struct dns_bytes message;

	(void)state;
	begin_response(&message, "a.b", DNS_A);
	message.bytes[2] &= 0x7f;
	assert_int_equal(parse(&message), DNS_NOT_A_RESPONSE);
	message.bytes[2] = 0xa1;
	assert_int_equal(parse(&message), DNS_NOT_A_RESPONSE);
	begin_response(&message, "a.b", DNS_A);
	put_be16(message.bytes + 4, 0);
	assert_int_equal(parse(&message), DNS_BAD_QUESTION);
	put_be16(message.bytes + 4, 2);
	assert_int_equal(parse(&message), DNS_BAD_QUESTION);
	begin_response(&message, "a.b", DNS_A);
	message.bytes[message.length - 1] = 3;
	assert_int_equal(parse(&message), DNS_BAD_QUESTION);
}

static void test_truncated_flag_and_large_ttl(void **state)
{
	struct dns_bytes bytes;
	struct dns_message message;
	struct dns_cursor cursor;
	struct dns_record record;

	(void)state;
	begin_response(&bytes, "a.b", DNS_A);
	add_pointer(&bytes, QUESTION_AT);
	add_record(&bytes, DNS_A, 0x80000000, 4);
	add_bytes(&bytes, "\x0a\x4d\x00\x01", 4);
	bytes.bytes[2] |= 2;
	assert_int_equal(dns_parse(bytes.bytes, bytes.length, &message), DNS_OK);
	assert_true(message.truncated);
	cursor = dns_first_answer(&message);
	assert_true(dns_next_answer(&message, &cursor, &record));
	assert_int_equal(record.ttl, 0);
}

/* A full message of records whose names are as dear as possible is still read at once. */
static void test_work_is_bounded(void **state)
{
	struct dns_bytes message;
	char question[255];

	(void)state;
	memset(question, 'q', sizeof(question));
	for (unsigned i = 1; i < 253; i += 2)
		question[i] = '.';
	question[253] = '\0';
	begin_response(&message, question, DNS_A);
	while (message.length < DNS_REPLY_MAX - 12) {
		add_pointer(&message, QUESTION_AT);
		add_record(&message, 16, 60, 0);
	}
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(parse(&message), DNS_OK);
}

static void test_any_byte_changed(void **state)
{
	struct dns_bytes message;

	(void)state;
	begin_response(&message, "www.a.b", DNS_A);
	add_pointer(&message, QUESTION_AT);
	add_record(&message, DNS_CNAME, 60, 4);
	add_bytes(&message, "\001x", 2);
	add_pointer(&message, QUESTION_AT + 4);
	add_a(&message, "x.a.b", 0x0a4d0001);
	for (size_t at = 0; at < message.length; at++) {
		uint8_t before = message.bytes[at];

		for (unsigned value = 0; value < 256; value++) {
			message.bytes[at] = (uint8_t)value;
			parse(&message);
		}
		message.bytes[at] = before;
	}
}

static void test_error_texts(void **state)
{
	(void)state;
	for (int error = DNS_OK; error <= DNS_BAD_DATA; error++)
		assert_non_null(dns_error_text((enum dns_error)error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_as_text),
		cmocka_unit_test(test_text_that_is_no_name),
		cmocka_unit_test(test_longest_label_and_name),
		cmocka_unit_test(test_worst_name_as_text),
		cmocka_unit_test(test_names_equal_in_either_case),
		cmocka_unit_test(test_reverse_names),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_sound_response),
		cmocka_unit_test(test_every_cut_is_refused),
		cmocka_unit_test(test_pointer_to_itself),
		cmocka_unit_test(test_pointer_forward),
		cmocka_unit_test(test_pointer_past_the_end),
		cmocka_unit_test(test_pointer_into_the_header),
		cmocka_unit_test(test_pointers_that_play_ping_pong),
		cmocka_unit_test(test_chain_of_100_pointers),
		cmocka_unit_test(test_label_types),
		cmocka_unit_test(test_label_of_64_and_name_of_256),
		cmocka_unit_test(test_name_too_long_by_pointers),
		cmocka_unit_test(test_name_without_terminator),
		cmocka_unit_test(test_65535_answers_promised),
		cmocka_unit_test(test_data_length),
		cmocka_unit_test(test_headers_that_do_not_fit),
		cmocka_unit_test(test_truncated_flag_and_large_ttl),
		cmocka_unit_test(test_work_is_bounded),
		cmocka_unit_test(test_any_byte_changed),
		cmocka_unit_test(test_error_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
