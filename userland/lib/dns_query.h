/*
 * One question to one server, and what its answer says. Pure logic over dns_wire: whoever sends the
 * bytes and waits for the reply is elsewhere (dns.h).
 */
#ifndef USERLAND_LIB_DNS_QUERY_H
#define USERLAND_LIB_DNS_QUERY_H

#include "userland/lib/dns_wire.h"

#define DNS_ANSWER_MAX 16 /* records kept of one answer */
#define DNS_ALIASES_MAX 8 /* CNAMEs followed for one name, over all its questions */
#define DNS_WRONG_MAX 16  /* replies that are not ours before a question is asked anew */

enum dns_result {
	DNS_FOUND,
	DNS_MORE,      /* the answer ends at an alias: ask again for answer->canonical */
	DNS_NO_NAME,   /* there is no such name */
	DNS_NO_DATA,   /* the name has no record of this type */
	DNS_TRUNCATED, /* what was asked for did not fit into the reply */
	DNS_TOO_MANY_ALIASES,
	DNS_SERVER_FAILED, /* every server that answered said that it cannot tell */
	DNS_NO_REPLY,
	DNS_NO_SERVER, /* none is configured */
	DNS_BAD_NAME,  /* not a name at all */
};

/* The records in the order of the chain: aliases first, then those of the type asked for. */
struct dns_answer {
	struct dns_record records[DNS_ANSWER_MAX];
	unsigned count;
	unsigned aliases;          /* followed; so many of the first records are CNAMEs */
	bool truncated;            /* there are more records than the server could send */
	struct dns_name canonical; /* the name at the end of the chain so far */
};

struct dns_query {
	uint16_t id; /* random: half of what a forger has to guess */
	uint16_t type;
	struct dns_name name;
	unsigned wrong; /* replies that were not to this question */
};

enum dns_verdict {
	DNS_TAKE,
	DNS_IGNORE,
	DNS_ASK_ANEW, /* somebody is guessing: use another id and port */
};

/*
 * Is this the reply to the query? It must parse, and have the query's id and question. That it
 * comes from the server's address and port is the connected socket's business. *message is filled
 * for DNS_TAKE and borrows the bytes.
 */
enum dns_verdict dns_query_judge(struct dns_query *query, const uint8_t *bytes, size_t length,
				 struct dns_message *message);

/* Begins an answer for a name. */
void dns_answer_begin(struct dns_answer *answer, const struct dns_name *name);

/*
 * Adds what a reply says about answer->canonical: follows aliases within it, and only those, so
 * that records that nobody asked for are left out.
 */
enum dns_result dns_answer_add(struct dns_answer *answer, const struct dns_message *message);

/* The shortest time, in seconds, that the answer may be kept. */
uint32_t dns_answer_ttl(const struct dns_answer *answer);

const char *dns_result_text(enum dns_result result);

#endif
