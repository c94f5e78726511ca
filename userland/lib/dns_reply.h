/*
 * Replies of name servers as a stub resolver keeps them and hands them on: bytes, because a client
 * may ask for types of records that nothing here knows. Pure functions.
 *
 * What is kept are the header, the question, the answers, and of a negative reply the authority
 * section, whose SOA record says how long "no" holds (RFC 2308). The rest is advice that no stub's
 * client asked for.
 */
#ifndef USERLAND_LIB_DNS_REPLY_H
#define USERLAND_LIB_DNS_REPLY_H

#include "userland/lib/dns_query.h"
#include "userland/lib/dns_question.h"

#define DNS_POSITIVE_MAX 86400 /* seconds that anything is kept at most (RFC 8767 section 4) */
#define DNS_NEGATIVE_MAX 10800 /* RFC 2308 section 5: one to three hours */

struct dns_kept {
	size_t length;     /* of the message's bytes that are kept */
	uint32_t lifetime; /* seconds; 0: not to be kept */
	bool negative;     /* no such name, or no such record */
};

/*
 * Judges a whole reply that was checked (dns_parse) and is to its question (dns_query_judge).
 * DNS_NO_ERROR or DNS_NAME_ERROR: *kept is filled. Anything else: the server could not tell, or
 * what it tells cannot be (an alias that leads to itself); to ask another one is worth a try.
 */
enum dns_code dns_reply_judge(const struct dns_message *message, struct dns_kept *kept);

/* Makes a judged reply's first kept->length bytes a message of its own. */
void dns_reply_trim(uint8_t *bytes, const struct dns_kept *kept);

/*
 * Writes a kept reply for a client: its id and spelling of the question, TTLs less `age` seconds.
 * Where `limit` bytes are too few, the client gets the question alone, with TC set. Returns the
 * length. `limit` is at least DNS_UDP_MAX.
 */
size_t dns_reply_emit(const uint8_t *kept, size_t length, uint32_t age,
		      const struct dns_question *question, uint8_t *out, size_t limit);

/* A reply that is nothing but a code. At most DNS_UDP_MAX bytes. */
size_t dns_reply_emit_code(const struct dns_question *question, enum dns_code code, uint8_t *out);

/*
 * A reply made here, from a file or a rule: records A, AAAA and PTR of the name asked for, of which
 * there may be none. Truncated as above.
 */
size_t dns_reply_emit_answer(const struct dns_question *question, const struct dns_answer *answer,
			     uint8_t *out, size_t limit);

#endif
