#include "userland/lib/dns_reply.h"

#include <string.h>

#include "userland/lib/bytes.h"

enum {
	RECORD_TAIL = 10, /* type, class, TTL and data length */
	TTL_AT = 4,       /* within it */
	LENGTH_AT = 8,
	LABEL_POINTER = 0xc0,
	POINTER_LENGTH = 2,
	RECORD_MAX = POINTER_LENGTH + RECORD_TAIL + DNS_MAX_NAME, /* of those made here */
	EXTENDED_CODE_SHIFT = 24,                                 /* in an OPT's TTL */
};

/* ---- Judging ---- */

/* The high bits of the response code, which an OPT record has (RFC 6891 section 6.1.3). */
static bool has_extended_code(const struct dns_message *message, size_t at)
{
	struct dns_record record;

	for (unsigned i = 0; i < message->additional_count; i++) {
		if (dns_read_record(message, &at, &record) != DNS_OK)
			return false;
		if (record.type == DNS_OPT && record.ttl >> EXTENDED_CODE_SHIFT != 0)
			return true;
	}
	return false;
}

/* The shortest TTL of all answers. *at is moved behind them. */
static uint32_t answers_lifetime(const struct dns_message *message, size_t *at)
{
	struct dns_record record;
	uint32_t lifetime = DNS_POSITIVE_MAX;

	for (unsigned i = 0; i < message->answer_count; i++)
		if (dns_read_record(message, at, &record) == DNS_OK && record.ttl < lifetime)
			lifetime = record.ttl;
	return lifetime;
}

/*
 * RFC 2308 section 5: the lesser of the SOA's TTL and its minimum; without one, "no" is not kept.
 * *at is moved behind the section.
 */
static uint32_t negative_lifetime(const struct dns_message *message, size_t *at)
{
	struct dns_record record;
	uint32_t lifetime = 0, minimum;

	for (unsigned i = 0; i < message->authority_count; i++) {
		if (dns_read_record(message, at, &record) != DNS_OK)
			return 0;
		if (record.type != DNS_SOA || record.class != DNS_CLASS_IN ||
		    !dns_soa_minimum(message, &record, &minimum))
			continue;
		lifetime = record.ttl < minimum ? record.ttl : minimum;
	}
	return lifetime < DNS_NEGATIVE_MAX ? lifetime : DNS_NEGATIVE_MAX;
}

/* Does the reply have what was asked for? A question for any type is answered by any record. */
static enum dns_result result_of(const struct dns_message *message)
{
	struct dns_answer answer;

	dns_answer_begin(&answer, &message->name);
	if (message->type == DNS_ANY && message->answer_count > 0)
		return DNS_FOUND;
	return dns_answer_add(&answer, message);
}

enum dns_code dns_reply_judge(const struct dns_message *message, struct dns_kept *kept)
{
	size_t at = message->answers;
	uint32_t answers = answers_lifetime(message, &at), authority;
	size_t answers_end = at;
	enum dns_result result = result_of(message);

	memset(kept, 0, sizeof(*kept));
	if (result == DNS_TOO_MANY_ALIASES)
		return DNS_SERVER_FAILURE;
	if (message->code != DNS_NO_ERROR && message->code != DNS_NAME_ERROR)
		return message->code;
	authority = negative_lifetime(message, &at);
	if (has_extended_code(message, at))
		return DNS_BAD_VERSION;
	kept->negative = result != DNS_FOUND && result != DNS_MORE;
	kept->length = kept->negative ? at : answers_end;
	kept->lifetime = answers;
	if (kept->negative && authority < answers)
		kept->lifetime = authority;
	return message->code;
}

void dns_reply_trim(uint8_t *bytes, const struct dns_kept *kept)
{
	if (!kept->negative)
		put_be16(bytes + 8, 0);
	put_be16(bytes + 10, 0);
}

/* ---- Handing on ---- */

static void put_header(uint8_t *out, const struct dns_question *question, enum dns_code code)
{
	uint16_t flags = DNS_FLAG_RESPONSE | DNS_FLAG_RECURSION_AVAILABLE;

	if (question->recursion_desired)
		flags |= DNS_FLAG_RECURSION;
	memset(out, 0, DNS_HEADER_LENGTH);
	put_be16(out, question->id);
	put_be16(out + 2, (uint16_t)(flags | question->opcode | (code & DNS_MASK_CODE)));
}

/* The question as the client spelled it. Returns where it ends. */
static size_t put_question(uint8_t *out, const struct dns_question *question)
{
	uint8_t *at = out + DNS_HEADER_LENGTH;

	if (question->name.length == 0)
		return DNS_HEADER_LENGTH;
	put_be16(out + 4, 1);
	memcpy(at, question->name.bytes, question->name.length);
	at += question->name.length;
	put_be16(at, question->type);
	put_be16(at + 2, question->class);
	return (size_t)(at + DNS_QUESTION_TAIL - out);
}

/* RFC 6891 section 6.1.1: a client that sent an OPT gets one. */
static size_t end_reply(uint8_t *out, size_t length, const struct dns_question *question,
			enum dns_code code)
{
	if (!question->has_edns)
		return length;
	put_be16(out + 10, 1);
	return length + dns_emit_opt(out + length, DNS_EDNS_SIZE, code);
}

/* Behind the name at `at` of a message that was checked before. */
static size_t skip_name(const uint8_t *bytes, size_t at)
{
	while (bytes[at] != 0 && bytes[at] < LABEL_POINTER)
		at += 1u + bytes[at];
	return at + (bytes[at] == 0 ? 1 : POINTER_LENGTH);
}

/* A TTL of 2^31 and more means 0 (RFC 2181 section 8). */
static void age_records(uint8_t *bytes, size_t at, size_t length, uint32_t age)
{
	while (at < length) {
		uint8_t *tail = bytes + skip_name(bytes, at);
		uint32_t ttl = get_be32(tail + TTL_AT);

		put_be32(tail + TTL_AT, ttl > INT32_MAX || ttl < age ? 0 : ttl - age);
		at = (size_t)(tail - bytes) + RECORD_TAIL + get_be16(tail + LENGTH_AT);
	}
}

static size_t emit_truncated(const struct dns_question *question, enum dns_code code, uint8_t *out)
{
	put_header(out, question, code);
	put_be16(out + 2, get_be16(out + 2) | DNS_FLAG_TRUNCATED);
	return end_reply(out, put_question(out, question), question, code);
}

size_t dns_reply_emit(const uint8_t *kept, size_t length, uint32_t age,
		      const struct dns_question *question, uint8_t *out, size_t limit)
{
	enum dns_code code = (enum dns_code)(kept[3] & DNS_MASK_CODE);
	size_t room = question->has_edns ? DNS_OPT_LENGTH : 0;
	size_t records;

	if (length + room > limit)
		return emit_truncated(question, code, out);
	memcpy(out, kept, length);
	put_header(out, question, code);
	records = put_question(out, question);
	/* What stood behind the question stays where it was, so compressed names still hold. */
	put_be16(out + 6, get_be16(kept + 6));
	put_be16(out + 8, get_be16(kept + 8));
	age_records(out, records, length, age);
	return end_reply(out, length, question, code);
}

size_t dns_reply_emit_code(const struct dns_question *question, enum dns_code code, uint8_t *out)
{
	put_header(out, question, code);
	return end_reply(out, put_question(out, question), question, code);
}

static size_t put_record(uint8_t *out, size_t at, const struct dns_record *record)
{
	const uint8_t *data = record->address;
	size_t length = record->type == DNS_A ? 4 : 16;

	if (record->type == DNS_PTR) {
		data = record->target.bytes;
		length = record->target.length;
	}
	put_be16(out + at, LABEL_POINTER << 8 | DNS_HEADER_LENGTH);
	at += POINTER_LENGTH;
	put_be16(out + at, record->type);
	put_be16(out + at + 2, DNS_CLASS_IN);
	put_be32(out + at + TTL_AT, record->ttl);
	put_be16(out + at + LENGTH_AT, (uint16_t)length);
	memcpy(out + at + RECORD_TAIL, data, length);
	return at + RECORD_TAIL + length;
}

size_t dns_reply_emit_answer(const struct dns_question *question, const struct dns_answer *answer,
			     uint8_t *out, size_t limit)
{
	size_t at;

	put_header(out, question, DNS_NO_ERROR);
	put_be16(out + 6, (uint16_t)answer->count);
	at = put_question(out, question);
	for (unsigned i = 0; i < answer->count; i++) {
		if (at + RECORD_MAX + DNS_OPT_LENGTH > limit)
			return emit_truncated(question, DNS_NO_ERROR, out);
		at = put_record(out, at, &answer->records[i]);
	}
	return end_reply(out, at, question, DNS_NO_ERROR);
}
