/* Builds a DNS server's messages, right or wrong, for the tests of the resolver. */
#ifndef TEST_HOST_UNIT_DNS_BYTES_H
#define TEST_HOST_UNIT_DNS_BYTES_H

#include <stdint.h>
#include <string.h>

#include "userland/lib/bytes.h"
#include "userland/lib/dns_wire.h"

#define ID 0x1234
#define QUESTION_AT 12 /* where the name asked for stands */

struct dns_bytes {
	uint8_t bytes[8192];
	size_t length;
};

static inline void add_bytes(struct dns_bytes *message, const void *bytes, size_t length)
{
	memcpy(message->bytes + message->length, bytes, length);
	message->length += length;
}

static inline void add_u16(struct dns_bytes *message, uint16_t value)
{
	put_be16(message->bytes + message->length, value);
	message->length += 2;
}

static inline void add_name(struct dns_bytes *message, const char *text)
{
	struct dns_name name;

	if (dns_name_from_text(text, &name))
		add_bytes(message, name.bytes, name.length);
}

static inline void add_pointer(struct dns_bytes *message, size_t to)
{
	add_u16(message, (uint16_t)(0xc000 | to));
}

static inline void set_answers(struct dns_bytes *message, uint16_t count)
{
	put_be16(message->bytes + 6, count);
}

/* A response to one question, without answers. */
static inline void begin_response(struct dns_bytes *message, const char *name, uint16_t type)
{
	memset(message, 0, sizeof(*message));
	put_be16(message->bytes, ID);
	put_be16(message->bytes + 2, 0x8180);
	put_be16(message->bytes + 4, 1);
	message->length = 12;
	add_name(message, name);
	add_u16(message, type);
	add_u16(message, 1);
}

/* The fields between a record's name and its data, and one more answer in the count. */
static inline void add_record(struct dns_bytes *message, uint16_t type, uint32_t ttl,
			      uint16_t length)
{
	add_u16(message, type);
	add_u16(message, 1);
	add_u16(message, (uint16_t)(ttl >> 16));
	add_u16(message, (uint16_t)ttl);
	add_u16(message, length);
	set_answers(message, (uint16_t)(get_be16(message->bytes + 6) + 1));
}

static inline void add_a(struct dns_bytes *message, const char *owner, uint32_t address)
{
	uint8_t bytes[4];

	put_be32(bytes, address);
	add_name(message, owner);
	add_record(message, DNS_A, 300, 4);
	add_bytes(message, bytes, 4);
}

static inline void add_cname(struct dns_bytes *message, const char *owner, const char *target)
{
	struct dns_name name;

	dns_name_from_text(target, &name);
	add_name(message, owner);
	add_record(message, DNS_CNAME, 300, name.length);
	add_bytes(message, name.bytes, name.length);
}

#endif
