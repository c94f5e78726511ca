/*
 * DNS messages as bytes: RFC 1035 section 4, AAAA of RFC 3596. Pure functions: no state, no
 * allocation, no socket.
 *
 * A message is checked as a whole before anything of it is used, with work bounded by its length:
 * compression pointers lead only backwards, and a name follows at most DNS_MAX_POINTERS of them.
 */
#ifndef USERLAND_LIB_DNS_WIRE_H
#define USERLAND_LIB_DNS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_PORT 53
#define DNS_HEADER_LENGTH 12
#define DNS_QUESTION_TAIL 4 /* type and class, behind a question's name */
#define DNS_MAX_NAME 255    /* bytes on the wire, with the root's zero (RFC 1035 section 2.3.4) */
#define DNS_MAX_LABEL 63
#define DNS_CLASS_IN 1
#define DNS_MAX_TEXT 1024 /* a name as text: each byte as \DDD at worst, and the NUL */
#define DNS_MAX_POINTERS 16
#define DNS_QUERY_MAX 512
#define DNS_REPLY_MAX 4096

enum dns_type {
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_AAAA = 28,
	DNS_OPT = 41,   /* not a record at all: EDNS (RFC 6891) */
	DNS_IXFR = 251, /* from here on: only in questions */
	DNS_AXFR = 252,
	DNS_ANY = 255,
};

/* The header's second word (RFC 1035 section 4.1.1). The response code is in its low 4 bits. */
enum dns_flag {
	DNS_FLAG_RESPONSE = 0x8000,
	DNS_MASK_OPCODE = 0x7800,
	DNS_FLAG_TRUNCATED = 0x0200,
	DNS_FLAG_RECURSION = 0x0100, /* desired */
	DNS_FLAG_RECURSION_AVAILABLE = 0x0080,
	DNS_MASK_CODE = 0x000f,
};

/* Response codes (RFC 1035 section 4.1.1). */
enum dns_code {
	DNS_NO_ERROR = 0,
	DNS_FORMAT_ERROR = 1,
	DNS_SERVER_FAILURE = 2,
	DNS_NAME_ERROR = 3,
	DNS_NOT_IMPLEMENTED = 4,
	DNS_REFUSED = 5,
	DNS_BAD_VERSION = 16, /* of EDNS; its high bits are in the OPT record */
};

/* Why a message was refused. */
enum dns_error {
	DNS_OK,
	DNS_TOO_SHORT, /* a header, name or record runs past the end */
	DNS_NOT_A_RESPONSE,
	DNS_BAD_QUESTION, /* not exactly one, or not of class IN */
	DNS_BAD_LABEL,    /* label type 0x40 or 0x80 (RFC 6891 section 5, RFC 1035 section 4.1.4) */
	DNS_BAD_POINTER,  /* forward, to itself, into the header, or a chain too long */
	DNS_NAME_TOO_LONG,
	DNS_BAD_DATA, /* a record's data does not fit its type */
};

/* A name in wire form without compression: labels with their lengths, up to the root's zero. */
struct dns_name {
	uint8_t length; /* 1 to 255 bytes */
	uint8_t bytes[DNS_MAX_NAME];
};

struct dns_record {
	struct dns_name owner;
	uint16_t type;
	uint16_t class;
	uint32_t ttl;           /* seconds, at most 2^31 - 1 (RFC 2181 section 8) */
	uint8_t address[16];    /* A: the first four bytes; AAAA; network order */
	struct dns_name target; /* CNAME, PTR */
	size_t data;            /* where the data stands in the message, and its bytes */
	uint16_t data_length;
};

/* A response that was checked. It borrows the bytes it was made from. */
struct dns_message {
	const uint8_t *bytes;
	size_t length;
	uint16_t id;
	enum dns_code code;
	bool truncated;       /* the server had more to say */
	struct dns_name name; /* the question */
	uint16_t type;
	unsigned answer_count, authority_count, additional_count;
	size_t answers; /* where the first one starts */
};

/*
 * Reads "www.example.org", with or without a final dot; \. and \DDD as in zone files. False when a
 * label is empty or too long, or the name is.
 */
bool dns_name_from_text(const char *text, struct dns_name *name);

/* Without the final dot (the root is "."); bytes that are not printable become \DDD. */
void dns_name_to_text(const struct dns_name *name, char text[DNS_MAX_TEXT]);

/* Letters are equal in either case (RFC 4343). */
bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);

/* The name under in-addr.arpa or ip6.arpa for 4 or 16 bytes of address. */
void dns_reverse_name(const uint8_t *address, size_t length, struct dns_name *name);

/* A query for one name, recursion desired. Returns its length. */
size_t dns_emit_query(uint16_t id, const struct dns_name *name, enum dns_type type,
		      uint8_t message[DNS_QUERY_MAX]);

/*
 * Reads the name at *offset of a message and moves *offset behind it. Behind the end and within
 * compression nothing is believed.
 */
enum dns_error dns_read_name(const uint8_t *bytes, size_t length, size_t *offset,
			     struct dns_name *name);

/*
 * Reads the record at *offset and moves *offset behind it: of answers, authority and additional
 * records alike. Of the message, only bytes and length are looked at.
 */
enum dns_error dns_read_record(const struct dns_message *message, size_t *offset,
			       struct dns_record *record);

/* The last field of an SOA record: how long, in seconds, "no such name" holds (RFC 2308). */
bool dns_soa_minimum(const struct dns_message *message, const struct dns_record *soa,
		     uint32_t *minimum);

/* Checks a whole response and fills *message, which is undefined unless DNS_OK is returned. */
enum dns_error dns_parse(const uint8_t *bytes, size_t length, struct dns_message *message);

/* A place among the answers of a checked message. */
struct dns_cursor {
	unsigned left; /* answers not yet read */
	size_t offset;
};

struct dns_cursor dns_first_answer(const struct dns_message *message);

/*
 * Reads the answer at the cursor and moves on. False after the last one. A record of a type unknown
 * here has neither address nor target.
 */
bool dns_next_answer(const struct dns_message *message, struct dns_cursor *cursor,
		     struct dns_record *record);

const char *dns_error_text(enum dns_error error);

#endif
