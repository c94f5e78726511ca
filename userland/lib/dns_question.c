#include "userland/lib/dns_question.h"

#include <string.h>

#include "userland/lib/bytes.h"

enum {
	EXTENDED_CODE_SHIFT = 24, /* in an OPT's TTL: the code's high bits, the version, flags */
	VERSION_SHIFT = 16,
	VERSION_MASK = 0xff,
	CODE_LOW_BITS = 4,
};

/* RFC 6891 section 6.1.1: at most one OPT, whose name is the root. */
static enum dns_code read_opt(const struct dns_record *record, struct dns_question *question)
{
	if (question->has_edns || record->owner.length != 1)
		return DNS_FORMAT_ERROR;
	question->has_edns = true;
	question->udp_size = record->class > DNS_UDP_MAX ? record->class : DNS_UDP_MAX;
	if ((record->ttl >> VERSION_SHIFT & VERSION_MASK) != 0)
		return DNS_BAD_VERSION;
	return DNS_NO_ERROR;
}

/* What follows the question: of all records only OPT says anything. */
static enum dns_code read_records(const struct dns_message *message, size_t at, unsigned count,
				  struct dns_question *question)
{
	struct dns_record record;
	enum dns_code code = DNS_NO_ERROR;

	for (; count > 0 && code == DNS_NO_ERROR; count--) {
		if (dns_read_record(message, &at, &record) != DNS_OK)
			return DNS_FORMAT_ERROR;
		if (record.type == DNS_OPT)
			code = read_opt(&record, question);
	}
	return code;
}

static enum dns_code read_question(const struct dns_message *message, struct dns_question *question)
{
	const uint8_t *bytes = message->bytes;
	size_t at = DNS_HEADER_LENGTH;
	unsigned records = get_be16(bytes + 6) + get_be16(bytes + 8) + get_be16(bytes + 10);
	enum dns_code code;

	if (get_be16(bytes + 4) != 1 ||
	    dns_read_name(bytes, message->length, &at, &question->name) != DNS_OK ||
	    message->length - at < DNS_QUESTION_TAIL) {
		question->name.length = 0;
		return DNS_FORMAT_ERROR;
	}
	question->type = get_be16(bytes + at);
	question->class = get_be16(bytes + at + 2);
	code = read_records(message, at + DNS_QUESTION_TAIL, records, question);
	if (code != DNS_NO_ERROR)
		return code;
	/* A stub knows no zones to transfer, and nothing of other classes. */
	if (question->class != DNS_CLASS_IN || question->type == DNS_AXFR ||
	    question->type == DNS_IXFR)
		return DNS_REFUSED;
	return DNS_NO_ERROR;
}

enum dns_question_verdict dns_question_parse(const uint8_t *bytes, size_t length,
					     struct dns_question *question, enum dns_code *code)
{
	struct dns_message message = {.bytes = bytes, .length = length};
	uint16_t flags;

	memset(question, 0, sizeof(*question));
	*code = DNS_NO_ERROR;
	if (length < DNS_HEADER_LENGTH)
		return DNS_SILENCE;
	flags = get_be16(bytes + 2);
	/* To answer a reply would let two servers talk for ever. */
	if (flags & DNS_FLAG_RESPONSE)
		return DNS_SILENCE;
	question->id = get_be16(bytes);
	question->opcode = flags & DNS_MASK_OPCODE;
	question->recursion_desired = (flags & DNS_FLAG_RECURSION) != 0;
	question->udp_size = DNS_UDP_MAX;
	*code = question->opcode ? DNS_NOT_IMPLEMENTED : read_question(&message, question);
	return *code == DNS_NO_ERROR ? DNS_ANSWER : DNS_ANSWER_CODE;
}

size_t dns_emit_opt(uint8_t at[DNS_OPT_LENGTH], uint16_t size, enum dns_code code)
{
	memset(at, 0, DNS_OPT_LENGTH);
	put_be16(at + 1, DNS_OPT);
	put_be16(at + 3, size);
	put_be32(at + 5, (uint32_t)code >> CODE_LOW_BITS << EXTENDED_CODE_SHIFT);
	return DNS_OPT_LENGTH;
}

size_t dns_emit_question(uint16_t id, const struct dns_name *name, uint16_t type, bool edns,
			 uint8_t message[DNS_QUERY_MAX])
{
	size_t length = dns_emit_query(id, name, (enum dns_type)type, message);

	if (!edns)
		return length;
	put_be16(message + 10, 1);
	return length + dns_emit_opt(message + length, DNS_EDNS_SIZE, DNS_NO_ERROR);
}
