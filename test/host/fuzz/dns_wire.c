/*
 * DNS messages and names (userland/lib/dns_wire.h). The input: one byte, then
 *
 *	0	a whole response;
 *	1	the records of a response whose header and question are right: the three counts of
 *		records (a byte each), flags (2 bytes), then the records; offset 12: the name asked;
 *	2	a name as text;
 *	3	an address, to be looked up in reverse.
 */
#include "userland/lib/dns_wire.h"

#include "test/host/fuzz/fuzz.h"
#include "userland/lib/bytes.h"

#define MESSAGE_MAX 1024

/* Labels up to the root, and nothing behind. */
static void check_name(const struct dns_name *name)
{
	size_t at = 0;

	CHECK(name->length >= 1);
	while (name->bytes[at]) {
		CHECK(name->bytes[at] <= DNS_MAX_LABEL);
		at += 1u + name->bytes[at];
		CHECK(at < name->length);
	}
	CHECK(at + 1 == name->length);
}

/* As text and back it is the same to the byte. */
static void check_text(const struct dns_name *name)
{
	char text[DNS_MAX_TEXT];
	struct dns_name again;

	memset(text, 'x', sizeof(text));
	dns_name_to_text(name, text);
	CHECK(memchr(text, '\0', sizeof(text)));
	CHECK(dns_name_from_text(text, &again));
	CHECK(again.length == name->length);
	CHECK(memcmp(again.bytes, name->bytes, name->length) == 0);
	CHECK(dns_name_equal(&again, name));
}

/* A message that was accepted has all the answers that it announced, and each can be used. */
static void check_answers(const struct dns_message *message)
{
	struct dns_cursor cursor = dns_first_answer(message);
	struct dns_record record;
	unsigned count = 0;

	while (dns_next_answer(message, &cursor, &record)) {
		count++;
		check_name(&record.owner);
		CHECK(record.ttl <= INT32_MAX);
		CHECK(cursor.offset <= message->length);
		if (record.class != DNS_CLASS_IN)
			continue;
		if (record.type == DNS_CNAME || record.type == DNS_PTR)
			check_name(&record.target);
	}
	CHECK(count == message->answer_count && cursor.left == 0);
}

/* A query for the same thing, sent back as a response without answers. */
static void check_query(uint16_t id, const struct dns_name *name, uint16_t type)
{
	uint8_t bytes[DNS_QUERY_MAX];
	struct dns_message message;
	size_t length = dns_emit_query(id, name, (enum dns_type)type, bytes);

	CHECK(length <= sizeof(bytes));
	CHECK(dns_parse(bytes, length, &message) == DNS_NOT_A_RESPONSE);
	bytes[2] |= 0x80;
	CHECK(dns_parse(bytes, length, &message) == DNS_OK);
	CHECK(message.id == id && message.type == type && message.answer_count == 0);
	CHECK(message.name.length == name->length);
	CHECK(memcmp(message.name.bytes, name->bytes, name->length) == 0);
	CHECK(dns_parse(bytes, length - 1, &message) == DNS_TOO_SHORT);
}

static void check_message(const uint8_t *bytes, size_t length)
{
	struct dns_message message;
	enum dns_error error = dns_parse(bytes, length, &message);

	CHECK(dns_error_text(error)[0]);
	if (error != DNS_OK)
		return;
	CHECK(message.bytes == bytes && message.length == length);
	CHECK(message.answers <= length);
	check_name(&message.name);
	check_text(&message.name);
	check_answers(&message);
	check_query(message.id, &message.name, message.type);
}

/* Header and question are right; the rest is the input's. */
static void check_records(struct fuzz_input input)
{
	static uint8_t area[MESSAGE_MAX];
	static const struct dns_name asked = {5, {3, 'w', 'w', 'w', 0}};
	uint8_t bytes[MESSAGE_MAX];
	size_t length = dns_emit_query(1, &asked, DNS_A, bytes), n;

	bytes[7] = fuzz_u8(&input);
	bytes[9] = fuzz_u8(&input);
	bytes[11] = fuzz_u8(&input);
	put_be16(bytes + 2, (uint16_t)(0x8000 | (fuzz_u16(&input) & 0x07ff)));
	const uint8_t *from = fuzz_bytes(&input, sizeof(bytes) - length, &n);

	if (n)
		memcpy(bytes + length, from, n);
	length += n;
	check_message(fuzz_copy_to_end(area, sizeof(area), bytes, length), length);
}

static void check_given_text(struct fuzz_input input)
{
	char text[400];
	struct dns_name name;
	size_t n;
	const uint8_t *from = fuzz_bytes(&input, sizeof(text) - 1, &n);

	if (n)
		memcpy(text, from, n);
	text[n] = '\0';
	if (!dns_name_from_text(text, &name))
		return;
	check_name(&name);
	check_text(&name);
	check_query((uint16_t)n, &name, DNS_AAAA);
}

static void check_reverse(struct fuzz_input input)
{
	uint8_t address[16];
	struct dns_name name;
	size_t length = fuzz_u8(&input) & 1 ? 4 : 16;

	for (size_t i = 0; i < length; i++)
		address[i] = fuzz_u8(&input);
	dns_reverse_name(address, length, &name);
	check_name(&name);
	check_text(&name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};

	switch (fuzz_u8(&input) & 3) {
	case 0:
		check_message(input.at, input.left);
		break;
	case 1:
		check_records(input);
		break;
	case 2:
		check_given_text(input);
		break;
	default:
		check_reverse(input);
		break;
	}
	return 0;
}
