/* What the resolver makes of replies: forgeries, aliases, and the files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test/host/unit/dns_bytes.h"
#include "userland/lib/dns_files.h"
#include "userland/lib/dns_query.h"

static struct dns_name name_of(const char *text)
{
	struct dns_name name;

	assert_true(dns_name_from_text(text, &name));
	return name;
}

static struct dns_query query_for(const char *text, uint16_t type)
{
	return (struct dns_query){.id = ID, .type = type, .name = name_of(text)};
}

static enum dns_verdict judge(struct dns_query *query, const struct dns_bytes *bytes)
{
	struct dns_message message;

	return dns_query_judge(query, bytes->bytes, bytes->length, &message);
}

static void test_right_reply(void **state)
{
	struct dns_query query = query_for("a.B", DNS_A);
	struct dns_bytes bytes;

	(void)state;
	begin_response(&bytes, "A.b", DNS_A);
	assert_int_equal(judge(&query, &bytes), DNS_TAKE);
}

static void test_wrong_id(void **state)
{
	struct dns_query query = query_for("a.b", DNS_A);
	struct dns_bytes bytes;

	(void)state;
	begin_response(&bytes, "a.b", DNS_A);
	put_be16(bytes.bytes, ID + 1);
	assert_int_equal(judge(&query, &bytes), DNS_IGNORE);
}

static void test_wrong_question(void **state)
{
	struct dns_query query = query_for("a.b", DNS_A);
	struct dns_bytes bytes;

	(void)state;
	begin_response(&bytes, "a.c", DNS_A);
	assert_int_equal(judge(&query, &bytes), DNS_IGNORE);
	begin_response(&bytes, "a.b", DNS_AAAA);
	assert_int_equal(judge(&query, &bytes), DNS_IGNORE);
}

static void test_reply_that_does_not_parse(void **state)
{
	struct dns_query query = query_for("a.b", DNS_A);
	struct dns_bytes bytes;

	(void)state;
	begin_response(&bytes, "a.b", DNS_A);
	set_answers(&bytes, 1);
	assert_int_equal(judge(&query, &bytes), DNS_IGNORE);
	bytes.length = 0;
	assert_int_equal(judge(&query, &bytes), DNS_IGNORE);
}

/* A forger who tries ids gets sixteen tries at one port. */
static void test_10000_guesses(void **state)
{
	struct dns_query query = query_for("a.b", DNS_A);
	struct dns_bytes bytes;
	unsigned judged = 0;

	(void)state;
	begin_response(&bytes, "a.b", DNS_A);
	for (unsigned guess = 0; guess < 10000; guess++) {
		put_be16(bytes.bytes, (uint16_t)(ID + 1 + guess));
		judged++;
		if (judge(&query, &bytes) == DNS_ASK_ANEW)
			break;
	}
	assert_int_equal(judged, DNS_WRONG_MAX);
}

/* ---- Answers ---- */

static enum dns_result add(struct dns_answer *answer, const struct dns_bytes *bytes)
{
	struct dns_message message;

	assert_int_equal(dns_parse(bytes->bytes, bytes->length, &message), DNS_OK);
	return dns_answer_add(answer, &message);
}

static void begin(struct dns_answer *answer, const char *text)
{
	struct dns_name name = name_of(text);

	dns_answer_begin(answer, &name);
}

static void test_alias_and_addresses_in_any_order(void **state)
{
	struct dns_answer answer;
	struct dns_bytes bytes;

	(void)state;
	begin_response(&bytes, "www.a.b", DNS_A);
	add_a(&bytes, "y.a.b", 0x0a4d0001);
	add_cname(&bytes, "x.a.b", "Y.a.b");
	add_a(&bytes, "y.a.b", 0x0a4d0002);
	add_cname(&bytes, "www.A.b", "x.a.b");
	add_a(&bytes, "bank.example", 0x0a4d0666); /* nobody asked */
	begin(&answer, "www.a.b");
	assert_int_equal(add(&answer, &bytes), DNS_FOUND);
	assert_int_equal(answer.aliases, 2);
	assert_int_equal(answer.count, 4);
	assert_int_equal(answer.records[0].type, DNS_CNAME);
	assert_memory_equal(answer.records[answer.aliases].address, "\x0a\x4d\x00\x01", 4);
	assert_memory_equal(answer.records[3].address, "\x0a\x4d\x00\x02", 4);
}

static void test_alias_that_leads_out_of_the_reply(void **state)
{
	struct dns_answer answer;
	struct dns_bytes bytes;

	(void)state;
	begin_response(&bytes, "www.a.b", DNS_A);
	add_cname(&bytes, "www.a.b", "x.c.d");
	begin(&answer, "www.a.b");
	assert_int_equal(add(&answer, &bytes), DNS_MORE);
	begin_response(&bytes, "x.c.d", DNS_A);
	add_a(&bytes, "x.c.d", 0x0a4d0001);
	assert_int_equal(add(&answer, &bytes), DNS_FOUND);
	assert_int_equal(answer.count, 2);
}

static void test_alias_loop(void **state)
{
	struct dns_answer answer;
	struct dns_bytes bytes;

	(void)state;
	begin_response(&bytes, "a.b", DNS_A);
	add_cname(&bytes, "a.b", "c.d");
	add_cname(&bytes, "c.d", "a.b");
	begin(&answer, "a.b");
	assert_int_equal(add(&answer, &bytes), DNS_TOO_MANY_ALIASES);
	assert_true(answer.count <= DNS_ANSWER_MAX);

	begin_response(&bytes, "a.b", DNS_A);
	add_cname(&bytes, "a.b", "a.b");
	begin(&answer, "a.b");
	assert_int_equal(add(&answer, &bytes), DNS_TOO_MANY_ALIASES);
}

/* One alias in each reply, without end. */
static void test_alias_chain_over_many_replies(void **state)
{
	struct dns_answer answer;
	struct dns_bytes bytes;
	char from[8] = "a.x", to[8] = "b.x";
	enum dns_result result = DNS_MORE;
	unsigned replies = 0;

	(void)state;
	begin(&answer, from);
	while (result == DNS_MORE) {
		begin_response(&bytes, from, DNS_A);
		add_cname(&bytes, from, to);
		result = add(&answer, &bytes);
		replies++;
		from[0] = to[0]++;
	}
	assert_int_equal(result, DNS_TOO_MANY_ALIASES);
	assert_int_equal(replies, DNS_ALIASES_MAX + 1);
}

static void test_asked_for_the_alias_itself(void **state)
{
	struct dns_answer answer;
	struct dns_bytes bytes;

	(void)state;
	begin_response(&bytes, "a.b", DNS_CNAME);
	add_cname(&bytes, "a.b", "c.d");
	begin(&answer, "a.b");
	assert_int_equal(add(&answer, &bytes), DNS_FOUND);
	assert_int_equal(answer.aliases, 0);
	assert_int_equal(answer.count, 1);
}

static void test_no_name_and_no_data(void **state)
{
	struct dns_answer answer;
	struct dns_bytes bytes;

	(void)state;
	begin_response(&bytes, "a.b", DNS_A);
	begin(&answer, "a.b");
	assert_int_equal(add(&answer, &bytes), DNS_NO_DATA);
	bytes.bytes[3] |= DNS_NAME_ERROR;
	assert_int_equal(add(&answer, &bytes), DNS_NO_NAME);
	bytes.bytes[3] = 0x80 | DNS_SERVER_FAILURE;
	assert_int_equal(add(&answer, &bytes), DNS_SERVER_FAILED);
	/* Other types do not count. */
	begin_response(&bytes, "a.b", DNS_AAAA);
	add_a(&bytes, "a.b", 0x0a4d0001);
	assert_int_equal(add(&answer, &bytes), DNS_NO_DATA);
}

static void test_truncated(void **state)
{
	struct dns_answer answer;
	struct dns_bytes bytes;

	(void)state;
	begin_response(&bytes, "a.b", DNS_A);
	add_a(&bytes, "a.b", 0x0a4d0001);
	bytes.bytes[2] |= 2;
	begin(&answer, "a.b");
	assert_int_equal(add(&answer, &bytes), DNS_FOUND);
	assert_true(answer.truncated);

	/* Nothing of what was asked for did fit. */
	begin_response(&bytes, "a.b", DNS_A);
	bytes.bytes[2] |= 2;
	begin(&answer, "a.b");
	assert_int_equal(add(&answer, &bytes), DNS_TRUNCATED);

	/* More records than are kept. */
	begin_response(&bytes, "a.b", DNS_A);
	for (unsigned i = 0; i < DNS_ANSWER_MAX + 1; i++)
		add_a(&bytes, "a.b", 0x0a4d0001);
	begin(&answer, "a.b");
	assert_int_equal(add(&answer, &bytes), DNS_FOUND);
	assert_int_equal(answer.count, DNS_ANSWER_MAX);
	assert_true(answer.truncated);
}

static void test_result_texts(void **state)
{
	(void)state;
	for (int result = DNS_FOUND; result <= DNS_BAD_NAME; result++)
		assert_non_null(dns_result_text((enum dns_result)result));
}

/* ---- The files ---- */

static FILE *file_with(char *text)
{
	FILE *file = fmemopen(text, strlen(text), "r");

	assert_non_null(file);
	return file;
}

static void test_resolv_conf(void **state)
{
	char text[] = "# made by hand\n"
		      "search vitrine.test example.org # both\n"
		      "nameserver 10.77.0.1\n"
		      "nameserver not.an.address\n"
		      "  nameserver\t8.8.8.8 ; a comment\n"
		      "nameserver 1.1.1.1\nnameserver 9.9.9.9\n"
		      "nameserver\noptions ndots:1\n\n";
	FILE *file = file_with(text);
	struct dns_config config;

	(void)state;
	dns_read_resolv_conf(file, &config);
	fclose(file);
	assert_int_equal(config.server_count, DNS_SERVERS_MAX);
	assert_int_equal(config.servers[0], 0x0a4d0001);
	assert_int_equal(config.servers[1], 0x08080808);
	assert_int_equal(config.port, 53);
	assert_int_equal(config.search_count, 2);
	assert_string_equal(config.search[1], "example.org");
}

static bool in_hosts(const char *name, enum dns_type type, struct dns_answer *answer)
{
	char text[] = "127.0.0.1\tlocalhost\n"
		      "# 10.0.0.9 commented.out\n"
		      "::1 localhost ip6-localhost\n"
		      "10.77.0.1 server.test  alias # a comment\n"
		      "10.77.0.2 server.test\n"
		      "bad.address broken\n"
		      "10.0.0.3\n";
	FILE *file = file_with(text);
	struct dns_name wanted = name_of(name);
	bool found = dns_find_in_hosts(file, &wanted, type, answer);

	fclose(file);
	return found;
}

static void test_hosts(void **state)
{
	struct dns_answer answer;
	char text[DNS_MAX_TEXT];

	(void)state;
	assert_true(in_hosts("LocalHost", DNS_A, &answer));
	assert_int_equal(answer.count, 1);
	assert_memory_equal(answer.records[0].address, "\x7f\x00\x00\x01", 4);
	assert_true(in_hosts("localhost", DNS_AAAA, &answer));
	assert_true(in_hosts("alias", DNS_A, &answer));
	assert_true(in_hosts("server.test", DNS_A, &answer));
	assert_int_equal(answer.count, 2);
	assert_false(in_hosts("commented.out", DNS_A, &answer));
	assert_false(in_hosts("a", DNS_A, &answer));
	assert_false(in_hosts("broken", DNS_A, &answer));
	assert_true(in_hosts("1.0.77.10.in-addr.arpa", DNS_PTR, &answer));
	dns_name_to_text(&answer.records[0].target, text);
	assert_string_equal(text, "server.test");
	assert_false(in_hosts("3.0.0.10.in-addr.arpa", DNS_PTR, &answer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right_reply),
		cmocka_unit_test(test_wrong_id),
		cmocka_unit_test(test_wrong_question),
		cmocka_unit_test(test_reply_that_does_not_parse),
		cmocka_unit_test(test_10000_guesses),
		cmocka_unit_test(test_alias_and_addresses_in_any_order),
		cmocka_unit_test(test_alias_that_leads_out_of_the_reply),
		cmocka_unit_test(test_alias_loop),
		cmocka_unit_test(test_alias_chain_over_many_replies),
		cmocka_unit_test(test_asked_for_the_alias_itself),
		cmocka_unit_test(test_no_name_and_no_data),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_result_texts),
		cmocka_unit_test(test_resolv_conf),
		cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
