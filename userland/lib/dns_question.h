/*
 * What a client asks a name server, as bytes: RFC 1035 section 4.1, EDNS of RFC 6891. The server's
 * side of dns_wire.h; pure functions as there.
 */
#ifndef USERLAND_LIB_DNS_QUESTION_H
#define USERLAND_LIB_DNS_QUESTION_H

#include "userland/lib/dns_wire.h"

#define DNS_UDP_MAX 512    /* bytes of a reply without EDNS (RFC 1035 section 4.2.1) */
#define DNS_EDNS_SIZE 1232 /* with it: no reply of this size is fragmented anywhere */
#define DNS_OPT_LENGTH 11  /* an OPT record without options */

struct dns_question {
	uint16_t id;
	uint16_t opcode; /* as it stands in the header's flags; a reply repeats it */
	uint16_t type;
	uint16_t class; /* DNS_CLASS_IN where there is an answer */
	bool recursion_desired;
	bool has_edns;
	uint16_t udp_size;    /* the longest reply that the client takes in one datagram, bytes */
	struct dns_name name; /* length 0: the question could not be read */
};

enum dns_question_verdict {
	DNS_ANSWER,      /* a question that a server may answer */
	DNS_ANSWER_CODE, /* one to which *code is all the answer */
	DNS_SILENCE,     /* no question at all: a reply, or too short to reply to */
};

/* Reads a client's message. *question is filled as far as the message could be read. */
enum dns_question_verdict dns_question_parse(const uint8_t *bytes, size_t length,
					     struct dns_question *question, enum dns_code *code);

/*
 * Appends an OPT record: `size` is the longest datagram that the sender takes, `code` the response
 * code whose high bits it carries. Returns its length; the caller counts it in the header.
 */
size_t dns_emit_opt(uint8_t at[DNS_OPT_LENGTH], uint16_t size, enum dns_code code);

/* The same question asked of a server: its length. With `edns`, a reply may have DNS_EDNS_SIZE. */
size_t dns_emit_question(uint16_t id, const struct dns_name *name, uint16_t type, bool edns,
			 uint8_t message[DNS_QUERY_MAX]);

#endif
