/*
 * What is made of replies (userland/lib/dns_query.h, dns_reply.h, dns_store.h, dns_files.h):
 * aliases, forgeries, and what the machine's resolver remembers and hands on. The input is a list
 * of steps: one byte each, and their arguments:
 *
 *	0 i t	asks for name i of type t
 *	1 a b c n ...  a reply to the question as it stands: code and truncation (a), answers (b),
 *		other records (c), n bytes of records (offset 12: the name asked for)
 *	2 n ...	a reply of n bytes (2 bytes), whatever they are
 *	3 n	n seconds pass (2 bytes)
 *	4 n ...	n lines of /etc/resolv.conf
 *	5 n ...	n bytes of /etc/hosts
 *	6 n ...	n bytes from a client
 */
#include "userland/lib/dns_files.h"

#include "test/host/fuzz/fuzz.h"
#include "userland/lib/bytes.h"
#include "userland/lib/dns_reply.h"
#include "userland/lib/dns_store.h"

#define STEPS 7
#define STEPS_MAX 100
#define SECOND 1000000ull
#define MESSAGE_MAX 1024

static const char *const names[] = {"a", "www.example.org", "b.a", "."};
static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_PTR, DNS_CNAME};

struct bench {
	uint64_t now;
	struct dns_store store;
	struct dns_question client; /* who asks the machine's resolver */
	struct dns_query query;
	struct dns_answer answer;
	struct dns_name asked; /* what the program wants to know */
	enum dns_type type;
	bool asking;
};

static void check_answer(const struct dns_answer *answer)
{
	CHECK(answer->count <= DNS_ANSWER_MAX);
	CHECK(answer->aliases <= DNS_ALIASES_MAX + 1);
	CHECK(answer->canonical.length >= 1);
	CHECK(dns_answer_ttl(answer) <= INT32_MAX);
	for (unsigned i = 0; i < answer->count; i++)
		CHECK(dns_answer_ttl(answer) <= answer->records[i].ttl);
}

static void pose(struct bench *bench, const struct dns_name *name)
{
	bench->query = (struct dns_query){.id = (uint16_t)(bench->query.id + 1),
					  .type = (uint16_t)bench->type,
					  .name = *name};
	bench->asking = true;
}

/* Whatever is kept can be handed on, to every kind of client, and is a message of the same kind. */
static void hand_on(struct bench *bench, const struct dns_store_entry *entry, uint32_t age)
{
	static uint8_t out[DNS_STORE_LONGEST + DNS_OPT_LENGTH];
	struct dns_question question = bench->client;
	struct dns_message message;
	size_t length;

	question.name = bench->asked;
	question.type = (uint16_t)bench->type;
	question.class = DNS_CLASS_IN;
	question.opcode = 0;
	length = dns_reply_emit(entry->bytes, entry->length, age, &question, out, sizeof(out));
	CHECK(dns_parse(out, length, &message) == DNS_OK && !message.truncated);
	CHECK(message.id == question.id && message.additional_count == question.has_edns);
	length = dns_reply_emit(entry->bytes, entry->length, age, &question, out, DNS_UDP_MAX);
	CHECK(length <= DNS_UDP_MAX && dns_parse(out, length, &message) == DNS_OK);
}

static void ask(struct bench *bench, struct fuzz_input *input)
{
	const struct dns_store_entry *entry;
	uint32_t age;

	CHECK(dns_name_from_text(names[fuzz_u8(input) % 4], &bench->asked));
	bench->type = types[fuzz_u8(input) % 4];
	entry = dns_store_get(&bench->store, &bench->asked, bench->type, bench->now, &age);
	if (entry)
		hand_on(bench, entry, age);
	dns_answer_begin(&bench->answer, &bench->asked);
	pose(bench, &bench->asked);
}

/* What a server said is remembered for as long as it may be, and no longer. */
static void remember(struct bench *bench, const uint8_t *bytes, const struct dns_message *message)
{
	static uint8_t copy[MESSAGE_MAX];
	const struct dns_store_entry *entry;
	struct dns_kept kept;
	enum dns_code code;
	uint32_t age;
	uint64_t end;

	if (message->truncated || !dns_name_equal(&message->name, &bench->asked) ||
	    message->length > sizeof(copy))
		return;
	code = dns_reply_judge(message, &kept);
	if (code != DNS_NO_ERROR && code != DNS_NAME_ERROR)
		return;
	CHECK(kept.length <= message->length && kept.lifetime <= DNS_POSITIVE_MAX);
	memcpy(copy, bytes, message->length);
	dns_reply_trim(copy, &kept);
	dns_store_put(&bench->store, &bench->asked, bench->type, bench->now, copy, kept.length,
		      kept.lifetime);
	end = bench->now + kept.lifetime * SECOND;
	entry = dns_store_get(&bench->store, &bench->asked, bench->type, end - 1, &age);
	CHECK((entry != NULL) == (kept.lifetime > 0));
	if (!entry)
		return;
	hand_on(bench, entry, age);
	CHECK(!dns_store_get(&bench->store, &bench->asked, bench->type, end, &age));
	dns_store_put(&bench->store, &bench->asked, bench->type, bench->now, copy, kept.length,
		      kept.lifetime);
}

static void take(struct bench *bench, const struct dns_message *message)
{
	unsigned aliases = bench->answer.aliases;
	enum dns_result result = dns_answer_add(&bench->answer, message);

	CHECK(dns_result_text(result)[0]);
	check_answer(&bench->answer);
	bench->asking = false;
	remember(bench, message->bytes, message);
	if (result == DNS_FOUND) {
		CHECK(bench->answer.count > 0);
	} else if (result == DNS_MORE) {
		CHECK(bench->answer.aliases > aliases); /* else it would ask for ever */
		pose(bench, &bench->answer.canonical);
	}
}

/* A client's message is answered by one that parses, or not at all. */
static void receive_from_client(struct bench *bench, const uint8_t *bytes, size_t length)
{
	uint8_t out[DNS_UDP_MAX];
	enum dns_code code;
	enum dns_question_verdict verdict = dns_question_parse(bytes, length, &bench->client,
							       &code);

	CHECK((verdict == DNS_ANSWER) == (code == DNS_NO_ERROR && verdict != DNS_SILENCE));
	if (verdict == DNS_SILENCE)
		return;
	CHECK(bench->client.udp_size >= DNS_UDP_MAX);
	CHECK(dns_reply_emit_code(&bench->client, code, out) <= sizeof(out));
	CHECK(verdict != DNS_ANSWER || bench->client.name.length > 0);
}

static void receive(struct bench *bench, const uint8_t *bytes, size_t length)
{
	struct dns_message message;

	if (!bench->asking)
		return;
	switch (dns_query_judge(&bench->query, bytes, length, &message)) {
	case DNS_TAKE:
		take(bench, &message);
		break;
	case DNS_IGNORE:
		CHECK(bench->query.wrong < DNS_WRONG_MAX);
		break;
	default:
		pose(bench, &bench->answer.canonical);
		break;
	}
}

static void reply(struct bench *bench, struct fuzz_input *input)
{
	static uint8_t area[MESSAGE_MAX];
	uint8_t bytes[MESSAGE_MAX], flags = fuzz_u8(input);
	size_t length = dns_emit_query(bench->query.id, &bench->query.name, bench->query.type,
				       bytes);
	size_t n;

	put_be16(bytes + 2, (uint16_t)(0x8000 | (flags & 15) | (flags & 16 ? 0x200 : 0)));
	bytes[7] = fuzz_u8(input);
	bytes[11] = fuzz_u8(input);
	const uint8_t *records = fuzz_bytes(input, fuzz_u8(input), &n);

	if (n)
		memcpy(bytes + length, records, n);
	length += n;
	receive(bench, fuzz_copy_to_end(area, sizeof(area), bytes, length), length);
}

/* NULL when there is nothing to read: fmemopen refuses an empty file. */
static FILE *open_text(struct fuzz_input *input)
{
	size_t n;
	const uint8_t *bytes = fuzz_bytes(input, fuzz_u8(input), &n);

	return n ? fmemopen((void *)(uintptr_t)bytes, n, "r") : NULL;
}

static void read_configuration(struct fuzz_input *input)
{
	struct dns_config config;
	FILE *file = open_text(input);

	if (!file)
		return;
	dns_read_resolv_conf(file, &config);
	fclose(file);
	CHECK(config.server_count <= DNS_SERVERS_MAX && config.search_count <= DNS_SEARCH_MAX);
	for (unsigned i = 0; i < config.search_count; i++)
		CHECK(memchr(config.search[i], '\0', sizeof(config.search[i])));
}

static void read_hosts(struct bench *bench, struct fuzz_input *input)
{
	struct dns_answer answer;
	FILE *file = open_text(input);

	if (!file)
		return;
	if (bench->asked.length && dns_find_in_hosts(file, &bench->asked, bench->type, &answer))
		check_answer(&answer);
	fclose(file);
}

static void step(struct bench *bench, struct fuzz_input *input)
{
	const uint8_t *bytes;
	size_t n;

	switch (fuzz_u8(input) % STEPS) {
	case 0:
		ask(bench, input);
		break;
	case 1:
		if (bench->asking)
			reply(bench, input);
		break;
	case 2:
		bytes = fuzz_bytes(input, fuzz_u16(input), &n);
		receive(bench, bytes, n);
		break;
	case 3:
		bench->now += fuzz_u16(input) * SECOND;
		break;
	case 4:
		read_configuration(input);
		break;
	case 5:
		read_hosts(bench, input);
		break;
	default:
		bytes = fuzz_bytes(input, fuzz_u8(input), &n);
		receive_from_client(bench, bytes, n);
		break;
	}
}

static void forget_everything(struct bench *bench)
{
	dns_store_clear(&bench->store);
	bench->store.evicted = 0;
	memset(&bench->client, 0, sizeof(bench->client));
	bench->now = SECOND;
	bench->query.id = 0;
	bench->asked.length = 0;
	bench->type = DNS_A;
	bench->asking = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bench bench;
	struct fuzz_input input = {data, size};

	forget_everything(&bench);
	for (unsigned i = 0; i < STEPS_MAX && input.left > 0; i++)
		step(&bench, &input);
	return 0;
}
