/*
 * What is made of replies (userland/lib/dns_query.h, dns_reply.h, dns_store.h, dns_files.h):
 * aliases, forgeries, and what the machine's resolver remembers and hands on. The input is a list of steps: one byte each, and their
 * arguments:
 *
 *	0 i t	asks for name i of type t
 *	1 a b c n ...  a reply to the question as it stands: code and truncation (a), answers (b),
 *		other records (c), n bytes of records (offset 12: the name asked for)
 *	2 n ...	a reply of n bytes (2 bytes), whatever they are
 *	3 n	n seconds pass (2 bytes)
 *	4 n ...	n lines of /etc/resolv.conf
 *	5 n ...	n bytes of /etc/hosts
 */
#include "userland/lib/dns_cache.h"
#include "userland/lib/dns_files.h"

#include "test/host/fuzz/fuzz.h"
#include "userland/lib/bytes.h"

#define STEPS 6
#define STEPS_MAX 100
#define SECOND 1000000ull
#define MESSAGE_MAX 1024

static const char *const names[] = {"a", "www.example.org", "b.a", "."};
static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_PTR, DNS_CNAME};

struct bench {
	uint64_t now;
	struct dns_cache cache;
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

static void ask(struct bench *bench, struct fuzz_input *input)
{
	struct dns_answer cached;

	CHECK(dns_name_from_text(names[fuzz_u8(input) % 4], &bench->asked));
	bench->type = types[fuzz_u8(input) % 4];
	if (dns_cache_get(&bench->cache, &bench->asked, bench->type, bench->now, &cached))
		check_answer(&cached);
	dns_answer_begin(&bench->answer, &bench->asked);
	pose(bench, &bench->asked);
}

/* What was found is remembered for as long as it may be, and no longer. */
static void remember(struct bench *bench)
{
	struct dns_answer cached;
	uint32_t ttl = dns_answer_ttl(&bench->answer);

	dns_cache_put(&bench->cache, &bench->asked, bench->type, bench->now, &bench->answer);
	if (bench->answer.truncated || ttl == 0)
		return;
	CHECK(dns_cache_get(&bench->cache, &bench->asked, bench->type, bench->now, &cached));
	CHECK(cached.count == bench->answer.count && dns_answer_ttl(&cached) == ttl);
	CHECK(dns_cache_get(&bench->cache, &bench->asked, bench->type,
			    bench->now + ttl * SECOND - 1, &cached));
	CHECK(!dns_cache_get(&bench->cache, &bench->asked, bench->type, bench->now + ttl * SECOND,
			     &cached));
}

static void take(struct bench *bench, const struct dns_message *message)
{
	unsigned aliases = bench->answer.aliases;
	enum dns_result result = dns_answer_add(&bench->answer, message);

	CHECK(dns_result_text(result)[0]);
	check_answer(&bench->answer);
	bench->asking = false;
	if (result == DNS_FOUND) {
		CHECK(bench->answer.count > 0);
		remember(bench);
	} else if (result == DNS_MORE) {
		CHECK(bench->answer.aliases > aliases); /* else it would ask for ever */
		pose(bench, &bench->answer.canonical);
	}
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
	default:
		read_hosts(bench, input);
		break;
	}
}

/* As good as all zeros, without the pages of answers that nobody will read. */
static void forget_everything(struct bench *bench)
{
	for (unsigned i = 0; i < DNS_CACHE_SIZE; i++) {
		bench->cache.entries[i].name.length = 0;
		bench->cache.entries[i].type = 0;
		bench->cache.entries[i].expires = 0;
	}
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
