/* A resolver's other half: clients' questions, replies that are handed on, the cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test/host/unit/dns_bytes.h"
#include "userland/lib/dns_reply.h"
#include "userland/lib/dns_store.h"
#include "userland/lib/resolver/known.h"

#define SECOND 1000000ull
#define ANSWER_TTL 300 /* of dns_bytes.h */

static struct dns_name name_of(const char *text)
{
	struct dns_name name;

	assert_true(dns_name_from_text(text, &name));
	return name;
}

/* ---- Questions ---- */

static void begin_question(struct dns_bytes *message, const char *name, uint16_t type)
{
	begin_response(message, name, type);
	put_be16(message->bytes + 2, DNS_FLAG_RECURSION);
}

static void add_opt(struct dns_bytes *message, uint16_t size, uint32_t ttl)
{
	uint8_t *at = message->bytes + message->length;

	message->length += dns_emit_opt(at, size, DNS_NO_ERROR);
	put_be32(at + 5, ttl);
	put_be16(message->bytes + 10, (uint16_t)(get_be16(message->bytes + 10) + 1));
}

static enum dns_question_verdict parse(const struct dns_bytes *message,
				       struct dns_question *question, enum dns_code *code)
{
	return dns_question_parse(message->bytes, message->length, question, code);
}

static enum dns_code code_for(const struct dns_bytes *message)
{
	struct dns_question question;
	enum dns_code code;

	assert_int_equal(parse(message, &question, &code), DNS_ANSWER_CODE);
	return code;
}

static void test_question(void **state)
{
	struct dns_question question;
	struct dns_name wanted = name_of("www.A.b");
	struct dns_bytes bytes;
	enum dns_code code;

	(void)state;
	begin_question(&bytes, "www.A.b", 99);
	assert_int_equal(parse(&bytes, &question, &code), DNS_ANSWER);
	assert_int_equal(question.id, ID);
	assert_int_equal(question.type, 99);
	assert_true(question.recursion_desired);
	assert_false(question.has_edns);
	assert_int_equal(question.udp_size, 512);
	assert_memory_equal(question.name.bytes, wanted.bytes, wanted.length);
}

static void test_question_with_edns(void **state)
{
	static const struct {
		uint16_t size, taken;
	} sizes[] = {{4096, 4096}, {1232, 1232}, {0, 512}, {100, 512}};
	struct dns_question question;
	struct dns_bytes bytes;
	enum dns_code code;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		begin_question(&bytes, "a.b", DNS_A);
		add_opt(&bytes, sizes[i].size, 0);
		assert_int_equal(parse(&bytes, &question, &code), DNS_ANSWER);
		assert_true(question.has_edns);
		assert_int_equal(question.udp_size, sizes[i].taken);
	}
	begin_question(&bytes, "a.b", DNS_A);
	add_opt(&bytes, 1232, 1u << 16);
	assert_int_equal(code_for(&bytes), DNS_BAD_VERSION);
	begin_question(&bytes, "a.b", DNS_A);
	add_opt(&bytes, 1232, 0);
	add_opt(&bytes, 1232, 0);
	assert_int_equal(code_for(&bytes), DNS_FORMAT_ERROR);
}

static void test_questions_without_an_answer(void **state)
{
	struct dns_question question;
	struct dns_bytes bytes;
	enum dns_code code;

	(void)state;
	begin_question(&bytes, "a.b", DNS_AXFR);
	assert_int_equal(code_for(&bytes), DNS_REFUSED);
	begin_question(&bytes, "a.b", DNS_A);
	put_be16(bytes.bytes + bytes.length - 2, 3);
	assert_int_equal(code_for(&bytes), DNS_REFUSED);
	begin_question(&bytes, "a.b", DNS_A);
	put_be16(bytes.bytes + 2, 0x2800);
	assert_int_equal(code_for(&bytes), DNS_NOT_IMPLEMENTED);
	begin_question(&bytes, "a.b", DNS_A);
	put_be16(bytes.bytes + 4, 2);
	assert_int_equal(code_for(&bytes), DNS_FORMAT_ERROR);
	begin_question(&bytes, "a.b", DNS_A);
	for (bytes.length--; bytes.length >= DNS_HEADER_LENGTH; bytes.length--)
		assert_int_equal(code_for(&bytes), DNS_FORMAT_ERROR);
	assert_int_equal(parse(&bytes, &question, &code), DNS_SILENCE);
	begin_response(&bytes, "a.b", DNS_A);
	assert_int_equal(parse(&bytes, &question, &code), DNS_SILENCE);
}

static void test_question_for_a_server(void **state)
{
	uint8_t bytes[DNS_QUERY_MAX];
	struct dns_name name = name_of("a.b");
	struct dns_question question;
	enum dns_code code;
	size_t plain = dns_emit_question(7, &name, DNS_A, false, bytes);
	size_t length = dns_emit_question(7, &name, DNS_A, true, bytes);

	(void)state;
	assert_int_equal(length, plain + DNS_OPT_LENGTH);
	assert_int_equal(dns_question_parse(bytes, length, &question, &code), DNS_ANSWER);
	assert_int_equal(question.udp_size, DNS_EDNS_SIZE);
}

/* ---- Replies ---- */

static struct dns_kept judge(const struct dns_bytes *bytes)
{
	struct dns_message message;
	struct dns_kept kept;

	assert_int_equal(dns_parse(bytes->bytes, bytes->length, &message), DNS_OK);
	assert_int_equal(dns_reply_judge(&message, &kept), message.code);
	return kept;
}

static enum dns_code code_of(const struct dns_bytes *bytes)
{
	struct dns_message message;
	struct dns_kept kept;

	assert_int_equal(dns_parse(bytes->bytes, bytes->length, &message), DNS_OK);
	return dns_reply_judge(&message, &kept);
}

static void set_code(struct dns_bytes *bytes, enum dns_code code)
{
	bytes->bytes[3] = (uint8_t)(0x80 | code);
}

/* The record just added was an authority's, not an answer. */
static void move_to_authority(struct dns_bytes *bytes)
{
	set_answers(bytes, (uint16_t)(get_be16(bytes->bytes + 6) - 1));
	put_be16(bytes->bytes + 8, (uint16_t)(get_be16(bytes->bytes + 8) + 1));
}

static void add_soa(struct dns_bytes *bytes, uint32_t ttl, uint32_t minimum)
{
	uint8_t numbers[20] = {0};

	put_be32(numbers + 16, minimum);
	add_name(bytes, "b");
	add_record(bytes, DNS_SOA, ttl, 2 + sizeof(numbers));
	add_bytes(bytes, "\0\0", 2);
	add_bytes(bytes, numbers, sizeof(numbers));
	move_to_authority(bytes);
}

static void test_lifetime_of_answers(void **state)
{
	struct dns_bytes bytes;
	struct dns_kept kept;
	size_t answers;

	(void)state;
	begin_response(&bytes, "a.b", DNS_A);
	add_cname(&bytes, "a.b", "c.b");
	add_name(&bytes, "c.b");
	add_record(&bytes, DNS_A, 70, 4);
	add_bytes(&bytes, "\1\2\3\4", 4);
	answers = bytes.length;
	add_soa(&bytes, 5, 5); /* of no interest to who got an answer */
	kept = judge(&bytes);
	assert_false(kept.negative);
	assert_int_equal(kept.lifetime, 70);
	assert_int_equal(kept.length, answers);

	begin_response(&bytes, "a.b", DNS_A);
	add_name(&bytes, "a.b");
	add_record(&bytes, DNS_A, 10000000, 4);
	add_bytes(&bytes, "\1\2\3\4", 4);
	assert_int_equal(judge(&bytes).lifetime, DNS_POSITIVE_MAX);
}

static void test_lifetime_of_no(void **state)
{
	static const struct {
		uint32_t ttl, minimum, lifetime;
	} cases[] = {
		{100, 50, 50}, {50, 100, 50}, {100, 0, 0}, {1000000, 1000000, DNS_NEGATIVE_MAX}};
	struct dns_bytes bytes;
	struct dns_kept kept;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		for (unsigned code = DNS_NO_ERROR; code <= DNS_NAME_ERROR; code += DNS_NAME_ERROR) {
			begin_response(&bytes, "a.b", DNS_A);
			set_code(&bytes, (enum dns_code)code);
			add_soa(&bytes, cases[i].ttl, cases[i].minimum);
			kept = judge(&bytes);
			assert_true(kept.negative);
			assert_int_equal(kept.lifetime, cases[i].lifetime);
			assert_int_equal(kept.length, bytes.length);
		}
	}
	/* The alias that leads to nothing may hold for a shorter time than the nothing. */
	begin_response(&bytes, "a.b", DNS_A);
	set_code(&bytes, DNS_NAME_ERROR);
	add_cname(&bytes, "a.b", "c.b");
	add_soa(&bytes, 1000, 1000);
	assert_int_equal(judge(&bytes).lifetime, ANSWER_TTL);
	begin_response(&bytes, "a.b", DNS_A);
	set_code(&bytes, DNS_NAME_ERROR);
	assert_int_equal(judge(&bytes).lifetime, 0);
}

static void test_soa_that_is_malformed(void **state)
{
	struct dns_bytes bytes;

	(void)state;
	begin_response(&bytes, "a.b", DNS_A);
	add_name(&bytes, "b");
	add_record(&bytes, DNS_SOA, 60, 21);
	add_bytes(&bytes, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 21);
	move_to_authority(&bytes);
	assert_int_equal(judge(&bytes).lifetime, 0);
	put_be16(bytes.bytes + bytes.length - 21, 0xffff); /* now its name is none */
	assert_int_equal(judge(&bytes).lifetime, 0);
}

static void test_replies_that_tell_nothing(void **state)
{
	struct dns_bytes bytes;

	(void)state;
	begin_response(&bytes, "a.b", DNS_A);
	set_code(&bytes, DNS_REFUSED);
	assert_int_equal(code_of(&bytes), DNS_REFUSED);
	begin_response(&bytes, "a.b", DNS_A);
	add_cname(&bytes, "a.b", "c.b");
	add_cname(&bytes, "c.b", "a.b");
	assert_int_equal(code_of(&bytes), DNS_SERVER_FAILURE);
	begin_response(&bytes, "a.b", DNS_A);
	add_opt(&bytes, 1232, 1u << 24);
	assert_int_equal(code_of(&bytes), DNS_BAD_VERSION);
	/* Any record answers a question for any. */
	begin_response(&bytes, "a.b", DNS_ANY);
	add_a(&bytes, "a.b", 1);
	assert_false(judge(&bytes).negative);
}

static struct dns_question asks(const char *name, uint16_t type)
{
	return (struct dns_question){.id = 7,
				     .type = type,
				     .class = DNS_CLASS_IN,
				     .recursion_desired = true,
				     .udp_size = 512,
				     .name = name_of(name)};
}

static void test_handing_on(void **state)
{
	struct dns_question question = asks("WWW.a.b", DNS_A);
	struct dns_bytes bytes;
	struct dns_message message;
	struct dns_record record;
	struct dns_kept kept;
	uint8_t out[1024];
	size_t length;

	(void)state;
	begin_response(&bytes, "www.a.b", DNS_A);
	add_pointer(&bytes, QUESTION_AT);
	add_record(&bytes, DNS_A, 300, 4);
	add_bytes(&bytes, "\1\2\3\4", 4);
	add_soa(&bytes, 5, 5);
	kept = judge(&bytes);
	dns_reply_trim(bytes.bytes, &kept);
	length = dns_reply_emit(bytes.bytes, kept.length, 100, &question, out, sizeof(out));
	assert_int_equal(dns_parse(out, length, &message), DNS_OK);
	assert_int_equal(message.id, 7);
	assert_int_equal(message.authority_count, 0);
	assert_memory_equal(message.name.bytes, question.name.bytes, question.name.length);
	struct dns_cursor cursor = dns_first_answer(&message);
	assert_true(dns_next_answer(&message, &cursor, &record));
	assert_int_equal(record.ttl, 200);
	assert_memory_equal(record.owner.bytes, question.name.bytes, question.name.length);

	/* With EDNS there is one more record; without room there is none but that. */
	question.has_edns = true;
	length = dns_reply_emit(bytes.bytes, kept.length, 0, &question, out, sizeof(out));
	assert_int_equal(length, kept.length + DNS_OPT_LENGTH);
	length = dns_reply_emit(bytes.bytes, kept.length, 0, &question, out, kept.length);
	assert_int_equal(dns_parse(out, length, &message), DNS_OK);
	assert_true(message.truncated);
	assert_int_equal(message.answer_count, 0);
	assert_int_equal(message.additional_count, 1);
}

static void test_answers_made_here(void **state)
{
	struct dns_question question = asks("many", DNS_A);
	struct dns_answer answer;
	struct dns_message message;
	uint8_t out[DNS_REPLY_MAX];
	size_t length;

	(void)state;
	dns_answer_begin(&answer, &question.name);
	length = dns_reply_emit_answer(&question, &answer, out, 512);
	assert_int_equal(dns_parse(out, length, &message), DNS_OK);
	assert_int_equal(message.answer_count, 0);
	memset(answer.records, 0, sizeof(answer.records));
	for (answer.count = 0; answer.count < DNS_ANSWER_MAX; answer.count++)
		answer.records[answer.count].type = DNS_A;
	length = dns_reply_emit_answer(&question, &answer, out, sizeof(out));
	assert_int_equal(dns_parse(out, length, &message), DNS_OK);
	assert_int_equal(message.answer_count, DNS_ANSWER_MAX);
	assert_false(message.truncated);

	question.type = DNS_PTR;
	for (unsigned i = 0; i < DNS_ANSWER_MAX; i++) {
		answer.records[i].type = DNS_PTR;
		answer.records[i].target = name_of("a.long.name.of.a.host.of.this.house");
	}
	length = dns_reply_emit_answer(&question, &answer, out, 512);
	assert_int_equal(dns_parse(out, length, &message), DNS_OK);
	assert_true(message.truncated);
}

/* ---- The store ---- */

static struct dns_store store;

static void put(const char *text, size_t length, uint32_t lifetime, uint64_t now)
{
	static struct dns_bytes bytes;
	struct dns_name name = name_of(text);

	begin_response(&bytes, text, DNS_A);
	assert_true(length == 0 || length >= bytes.length);
	dns_store_put(&store, &name, DNS_A, now, bytes.bytes, length ? length : bytes.length,
		      lifetime);
}

static bool has(const char *text, uint64_t now)
{
	struct dns_name name = name_of(text);
	uint32_t age;

	return dns_store_get(&store, &name, DNS_A, now, &age);
}

static int set_up_store(void **state)
{
	(void)state;
	memset(&store, 0, sizeof(store));
	return 0;
}

static int clear_store(void **state)
{
	(void)state;
	dns_store_clear(&store);
	return store.count == 0 && store.bytes == 0 ? 0 : -1;
}

static void test_store_keeps_to_the_lifetime(void **state)
{
	struct dns_name name = name_of("a.b");
	uint64_t now = 1000 * SECOND;
	uint32_t age;

	(void)state;
	assert_false(has("a.b", now));
	put("a.b", 0, 60, now);
	assert_non_null(dns_store_get(&store, &name, DNS_A, now + 59 * SECOND, &age));
	assert_int_equal(age, 59);
	assert_true(has("A.B", now));
	assert_null(dns_store_get(&store, &name, DNS_AAAA, now, &age));
	assert_false(has("a.b", now + 60 * SECOND));
	assert_int_equal(store.count, 0);
	/* A newer reply takes the old one's place; one that is not to be kept leaves none. */
	put("a.b", 0, 60, now);
	put("a.b", 0, 600, now);
	assert_int_equal(store.count, 1);
	assert_true(has("a.b", now + 500 * SECOND));
	put("a.b", 0, 0, now);
	assert_false(has("a.b", now));
}

static void test_store_is_bounded_by_number(void **state)
{
	char name[16];

	(void)state;
	for (unsigned i = 0; i < DNS_STORE_REPLIES; i++) {
		snprintf(name, sizeof(name), "n%u.x", i);
		put(name, 0, 600, SECOND + i);
	}
	assert_true(has("n0.x", 2 * SECOND)); /* asked for again, so n1 goes first */
	put("new.x", 0, 600, 3 * SECOND);
	assert_int_equal(store.count, DNS_STORE_REPLIES);
	assert_int_equal(store.evicted, 1);
	assert_false(has("n1.x", 3 * SECOND));
	assert_true(has("n0.x", 3 * SECOND));
	assert_true(has("n2.x", 3 * SECOND));
}

static void test_store_is_bounded_by_bytes(void **state)
{
	char name[16];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%u.x", i);
		put(name, 8000, 600, SECOND + i);
		assert_true(store.bytes <= DNS_STORE_BYTES);
	}
	assert_int_equal(store.count, DNS_STORE_BYTES / 8000);
	assert_true(has("n99.x", 2 * SECOND));
	assert_false(has("n0.x", 2 * SECOND));
}

static void test_expired_replies_make_room_first(void **state)
{
	char name[16];

	(void)state;
	put("old.x", 0, 600, SECOND);
	for (unsigned i = 1; i < DNS_STORE_REPLIES; i++) {
		snprintf(name, sizeof(name), "n%u.x", i);
		put(name, 0, 10, 2 * SECOND);
	}
	put("new.x", 0, 600, 100 * SECOND);
	assert_int_equal(store.count, 2);
	assert_int_equal(store.evicted, 0);
	assert_true(has("old.x", 100 * SECOND));
}

static void test_store_refuses_what_is_too_long(void **state)
{
	static uint8_t bytes[DNS_STORE_LONGEST + 1];
	struct dns_name name = name_of("a.b");

	(void)state;
	dns_store_put(&store, &name, DNS_A, SECOND, bytes, sizeof(bytes), 60);
	assert_int_equal(store.count, 0);
}

/* ---- Names that need no server ---- */

static enum known find(const char *text, uint16_t type, struct dns_answer *answer)
{
	struct dns_name name = name_of(text);

	return known_find("/nowhere", &name, type, answer);
}

static void test_special_names(void **state)
{
	struct dns_answer answer;

	(void)state;
	assert_int_equal(find("localhost", DNS_A, &answer), KNOWN_RECORDS);
	assert_int_equal(answer.count, 1);
	assert_memory_equal(answer.records[0].address, "\x7f\x00\x00\x01", 4);
	assert_int_equal(find("a.LocalHost.", DNS_A, &answer), KNOWN_RECORDS);
	assert_int_equal(answer.count, 1);
	assert_int_equal(find("localhost", DNS_AAAA, &answer), KNOWN_RECORDS);
	assert_int_equal(answer.count, 0);
	assert_int_equal(find("1.0.0.127.in-addr.arpa", DNS_PTR, &answer), KNOWN_RECORDS);
	assert_int_equal(answer.count, 1);
	assert_int_equal(find("a.invalid", DNS_A, &answer), KNOWN_NO_NAME);
	assert_int_equal(find("notlocalhost", DNS_A, &answer), KNOWN_NOT);
	assert_int_equal(find("localhost.test", DNS_A, &answer), KNOWN_NOT);
	assert_int_equal(find(".", DNS_A, &answer), KNOWN_NOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question),
		cmocka_unit_test(test_question_with_edns),
		cmocka_unit_test(test_questions_without_an_answer),
		cmocka_unit_test(test_question_for_a_server),
		cmocka_unit_test(test_lifetime_of_answers),
		cmocka_unit_test(test_lifetime_of_no),
		cmocka_unit_test(test_soa_that_is_malformed),
		cmocka_unit_test(test_replies_that_tell_nothing),
		cmocka_unit_test(test_handing_on),
		cmocka_unit_test(test_answers_made_here),
		cmocka_unit_test_setup_teardown(test_store_keeps_to_the_lifetime, set_up_store,
						clear_store),
		cmocka_unit_test_setup_teardown(test_store_is_bounded_by_number, set_up_store,
						clear_store),
		cmocka_unit_test_setup_teardown(test_store_is_bounded_by_bytes, set_up_store,
						clear_store),
		cmocka_unit_test_setup_teardown(test_expired_replies_make_room_first, set_up_store,
						clear_store),
		cmocka_unit_test_setup_teardown(test_store_refuses_what_is_too_long, set_up_store,
						clear_store),
		cmocka_unit_test(test_special_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
