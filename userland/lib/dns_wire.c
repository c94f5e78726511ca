#include "userland/lib/dns_wire.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "userland/lib/bytes.h"

enum {
	RECORD_TAIL = 10, /* type, class, TTL and data length */
	SOA_NUMBERS = 20, /* five of four bytes behind its two names */
	LABEL_TYPE = 0xc0,
	LABEL_POINTER = 0xc0,
};

/* ---- Names ---- */

/* Room for the label and for the root's zero behind it. */
static enum dns_error add_label(struct dns_name *name, const uint8_t *label)
{
	size_t length = 1u + label[0];

	if (name->length + length + 1 > DNS_MAX_NAME)
		return DNS_NAME_TOO_LONG;
	memcpy(name->bytes + name->length, label, length);
	name->length = (uint8_t)(name->length + length);
	return DNS_OK;
}

static void end_name(struct dns_name *name)
{
	name->bytes[name->length++] = 0;
}

/*
 * RFC 1035 section 4.1.4: a pointer names "a
 * prior occurrence"; each must lead before the run of labels that it ends, so that none can loop.
 */
enum dns_error dns_read_name(const uint8_t *bytes, size_t length, size_t *offset,
			     struct dns_name *name)
{
	size_t at = *offset;
	size_t run = at; /* where the labels being read began */
	size_t target;
	unsigned pointers = 0;
	enum dns_error error;

	name->length = 0;
	for (;;) {
		if (at >= length)
			return DNS_TOO_SHORT;
		if (bytes[at] == 0)
			break;
		if ((bytes[at] & LABEL_TYPE) == 0) {
			if (length - at < 1u + bytes[at])
				return DNS_TOO_SHORT;
			error = add_label(name, bytes + at);
			if (error != DNS_OK)
				return error;
			at += 1u + bytes[at];
			continue;
		}
		if ((bytes[at] & LABEL_TYPE) != LABEL_POINTER)
			return DNS_BAD_LABEL;
		if (length - at < 2)
			return DNS_TOO_SHORT;
		target = get_be16(bytes + at) & 0x3fffu;
		if (target < DNS_HEADER_LENGTH || target >= run || pointers == DNS_MAX_POINTERS)
			return DNS_BAD_POINTER;
		if (pointers++ == 0)
			*offset = at + 2;
		at = run = target;
	}
	if (pointers == 0)
		*offset = at + 1;
	end_name(name);
	return DNS_OK;
}

/* One byte of a label as people write it, \. or \DDD where it is not plain. -1 when it is wrong. */
static int read_character(const char **text)
{
	const char *at = *text;

	if (*at != '\\') {
		*text = at + 1;
		return (uint8_t)*at;
	}
	at++;
	if (*at == '\0')
		return -1;
	if (!isdigit((unsigned char)*at)) {
		*text = at + 1;
		return (uint8_t)*at;
	}
	if (!isdigit((unsigned char)at[1]) || !isdigit((unsigned char)at[2]))
		return -1;
	*text = at + 3;
	int value = (at[0] - '0') * 100 + (at[1] - '0') * 10 + (at[2] - '0');
	return value <= UINT8_MAX ? value : -1;
}

bool dns_name_from_text(const char *text, struct dns_name *name)
{
	uint8_t label[1 + DNS_MAX_LABEL];

	name->length = 0;
	if (*text == '\0')
		return false;
	if (strcmp(text, ".") == 0)
		text++;
	while (*text) {
		label[0] = 0;
		while (*text && *text != '.') {
			int character = read_character(&text);

			if (character < 0 || label[0] == DNS_MAX_LABEL)
				return false;
			label[++label[0]] = (uint8_t)character;
		}
		if (label[0] == 0 || add_label(name, label) != DNS_OK)
			return false;
		if (*text == '.')
			text++;
	}
	end_name(name);
	return true;
}

void dns_name_to_text(const struct dns_name *name, char text[DNS_MAX_TEXT])
{
	const uint8_t *label = name->bytes;

	if (*label == 0)
		*text++ = '.';
	while (*label) {
		for (unsigned i = 1; i <= *label; i++) {
			if (label[i] == '.' || label[i] == '\\') {
				*text++ = '\\';
				*text++ = (char)label[i];
			} else if (label[i] > ' ' && label[i] < 0x7f) {
				*text++ = (char)label[i];
			} else {
				text += sprintf(text, "\\%03u", label[i]);
			}
		}
		label += 1 + *label;
		if (*label)
			*text++ = '.';
	}
	*text = '\0';
}

/* A length byte is at most 63, below any letter, so the whole can be compared as letters. */
bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
	if (a->length != b->length)
		return false;
	for (unsigned i = 0; i < a->length; i++)
		if (tolower(a->bytes[i]) != tolower(b->bytes[i]))
			return false;
	return true;
}

void dns_reverse_name(const uint8_t *address, size_t length, struct dns_name *name)
{
	char text[DNS_MAX_TEXT];
	char *at = text;

	for (size_t i = length; i-- > 0;) {
		if (length == 4)
			at += sprintf(at, "%u.", address[i]);
		else
			at += sprintf(at, "%x.%x.", address[i] & 15u, address[i] >> 4u);
	}
	strcpy(at, length == 4 ? "in-addr.arpa" : "ip6.arpa");
	dns_name_from_text(text, name);
}

/* ---- Messages ---- */

size_t dns_emit_query(uint16_t id, const struct dns_name *name, enum dns_type type,
		      uint8_t message[DNS_QUERY_MAX])
{
	uint8_t *at = message + DNS_HEADER_LENGTH;

	memset(message, 0, DNS_HEADER_LENGTH);
	put_be16(message, id);
	put_be16(message + 2, DNS_FLAG_RECURSION);
	put_be16(message + 4, 1);
	memcpy(at, name->bytes, name->length);
	at += name->length;
	put_be16(at, (uint16_t)type);
	put_be16(at + 2, DNS_CLASS_IN);
	return (size_t)(at + DNS_QUESTION_TAIL - message);
}

/* A name as a record's data: it ends where the data ends. */
static enum dns_error read_target(const struct dns_message *message, size_t at, size_t end,
				  struct dns_record *record)
{
	enum dns_error error = dns_read_name(message->bytes, message->length, &at, &record->target);

	if (error != DNS_OK)
		return error;
	return at == end ? DNS_OK : DNS_BAD_DATA;
}

static enum dns_error read_data(const struct dns_message *message, size_t at, size_t length,
				struct dns_record *record)
{
	size_t wanted = record->type == DNS_A ? 4 : 16;

	record->target.length = 0;
	if (record->class != DNS_CLASS_IN)
		return DNS_OK;
	switch (record->type) {
	case DNS_A:
	case DNS_AAAA:
		if (length != wanted)
			return DNS_BAD_DATA;
		memcpy(record->address, message->bytes + at, wanted);
		return DNS_OK;
	case DNS_CNAME:
	case DNS_PTR:
		return read_target(message, at, at + length, record);
	default:
		return DNS_OK;
	}
}

enum dns_error dns_read_record(const struct dns_message *message, size_t *offset,
			       struct dns_record *record)
{
	enum dns_error error = dns_read_name(message->bytes, message->length, offset,
					     &record->owner);
	const uint8_t *tail = message->bytes + *offset;
	size_t length;

	if (error != DNS_OK)
		return error;
	if (message->length - *offset < RECORD_TAIL)
		return DNS_TOO_SHORT;
	record->type = get_be16(tail);
	record->class = get_be16(tail + 2);
	record->ttl = get_be32(tail + 4);
	if (record->ttl > INT32_MAX)
		record->ttl = 0;
	length = get_be16(tail + 8);
	*offset += RECORD_TAIL;
	if (message->length - *offset < length)
		return DNS_TOO_SHORT;
	record->data = *offset;
	record->data_length = (uint16_t)length;
	error = read_data(message, *offset, length, record);
	*offset += length;
	return error;
}

bool dns_soa_minimum(const struct dns_message *message, const struct dns_record *soa,
		     uint32_t *minimum)
{
	size_t at = soa->data, end = soa->data + soa->data_length;
	struct dns_name name;

	for (unsigned names = 0; names < 2; names++)
		if (dns_read_name(message->bytes, end, &at, &name) != DNS_OK)
			return false;
	if (end - at != SOA_NUMBERS)
		return false;
	*minimum = get_be32(message->bytes + end - sizeof(*minimum));
	return true;
}

static enum dns_error read_header(struct dns_message *message)
{
	const uint8_t *bytes = message->bytes;
	uint16_t flags;

	if (message->length < DNS_HEADER_LENGTH)
		return DNS_TOO_SHORT;
	flags = get_be16(bytes + 2);
	if (!(flags & DNS_FLAG_RESPONSE) || (flags & DNS_MASK_OPCODE) != 0)
		return DNS_NOT_A_RESPONSE;
	if (get_be16(bytes + 4) != 1)
		return DNS_BAD_QUESTION;
	message->id = get_be16(bytes);
	message->code = flags & DNS_MASK_CODE;
	message->truncated = (flags & DNS_FLAG_TRUNCATED) != 0;
	message->answer_count = get_be16(bytes + 6);
	message->authority_count = get_be16(bytes + 8);
	message->additional_count = get_be16(bytes + 10);
	return DNS_OK;
}

static enum dns_error read_question(struct dns_message *message, size_t *offset)
{
	enum dns_error error = dns_read_name(message->bytes, message->length, offset,
					     &message->name);

	if (error != DNS_OK)
		return error;
	if (message->length - *offset < DNS_QUESTION_TAIL)
		return DNS_TOO_SHORT;
	message->type = get_be16(message->bytes + *offset);
	if (get_be16(message->bytes + *offset + 2) != DNS_CLASS_IN)
		return DNS_BAD_QUESTION;
	*offset += DNS_QUESTION_TAIL;
	return DNS_OK;
}

enum dns_error dns_parse(const uint8_t *bytes, size_t length, struct dns_message *message)
{
	struct dns_record record;
	size_t offset = DNS_HEADER_LENGTH;
	unsigned records;
	enum dns_error error;

	memset(message, 0, sizeof(*message));
	message->bytes = bytes;
	message->length = length;
	error = read_header(message);
	if (error != DNS_OK)
		return error;
	error = read_question(message, &offset);
	if (error != DNS_OK)
		return error;
	message->answers = offset;
	records = message->answer_count + message->authority_count + message->additional_count;
	for (; records > 0; records--) {
		error = dns_read_record(message, &offset, &record);
		if (error != DNS_OK)
			return error;
	}
	return DNS_OK;
}

struct dns_cursor dns_first_answer(const struct dns_message *message)
{
	return (struct dns_cursor){.left = message->answer_count, .offset = message->answers};
}

bool dns_next_answer(const struct dns_message *message, struct dns_cursor *cursor,
		     struct dns_record *record)
{
	if (cursor->left == 0)
		return false;
	cursor->left--;
	return dns_read_record(message, &cursor->offset, record) == DNS_OK;
}

const char *dns_error_text(enum dns_error error)
{
	static const char *const texts[] = {
		[DNS_OK] = "no error",
		[DNS_TOO_SHORT] = "message too short",
		[DNS_NOT_A_RESPONSE] = "not a response",
		[DNS_BAD_QUESTION] = "not exactly one question of class IN",
		[DNS_BAD_LABEL] = "unknown label type",
		[DNS_BAD_POINTER] = "bad compression pointer",
		[DNS_NAME_TOO_LONG] = "name too long",
		[DNS_BAD_DATA] = "data does not fit the record's type",
	};

	return texts[error];
}
