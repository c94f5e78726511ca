#include "userland/lib/dns_query.h"

#include <string.h>

enum dns_verdict dns_query_judge(struct dns_query *query, const uint8_t *bytes, size_t length,
				 struct dns_message *message)
{
	if (dns_parse(bytes, length, message) == DNS_OK && message->id == query->id &&
	    message->type == query->type && dns_name_equal(&message->name, &query->name))
		return DNS_TAKE;
	return ++query->wrong < DNS_WRONG_MAX ? DNS_IGNORE : DNS_ASK_ANEW;
}

void dns_answer_begin(struct dns_answer *answer, const struct dns_name *name)
{
	answer->count = 0;
	answer->aliases = 0;
	answer->truncated = false;
	answer->canonical = *name;
}

/* Records of a name and type are added; false when there is none. */
static bool add_records(struct dns_answer *answer, const struct dns_message *message,
			const struct dns_name *owner, uint16_t type)
{
	struct dns_cursor cursor = dns_first_answer(message);
	struct dns_record record;
	bool found = false;

	while (dns_next_answer(message, &cursor, &record)) {
		if (record.class != DNS_CLASS_IN || record.type != type ||
		    !dns_name_equal(&record.owner, owner))
			continue;
		found = true;
		if (answer->count < DNS_ANSWER_MAX)
			answer->records[answer->count++] = record;
		else
			answer->truncated = true;
		/* A name is an alias for one other at most (RFC 1034 section 3.6.2). */
		if (type == DNS_CNAME)
			break;
	}
	return found;
}

enum dns_result dns_answer_add(struct dns_answer *answer, const struct dns_message *message)
{
	unsigned followed = 0;

	if (message->truncated)
		answer->truncated = true;
	for (;;) {
		if (add_records(answer, message, &answer->canonical, message->type))
			return DNS_FOUND;
		if (!add_records(answer, message, &answer->canonical, DNS_CNAME))
			break;
		if (++answer->aliases > DNS_ALIASES_MAX)
			return DNS_TOO_MANY_ALIASES;
		answer->canonical = answer->records[answer->count - 1].target;
		followed++;
	}
	if (message->code == DNS_NAME_ERROR)
		return DNS_NO_NAME;
	if (message->code != DNS_NO_ERROR)
		return DNS_SERVER_FAILED;
	if (message->truncated)
		return DNS_TRUNCATED;
	return followed > 0 ? DNS_MORE : DNS_NO_DATA;
}

uint32_t dns_answer_ttl(const struct dns_answer *answer)
{
	uint32_t ttl = INT32_MAX;

	for (unsigned i = 0; i < answer->count; i++)
		if (answer->records[i].ttl < ttl)
			ttl = answer->records[i].ttl;
	return ttl;
}

const char *dns_result_text(enum dns_result result)
{
	static const char *const texts[] = {
		[DNS_FOUND] = "found",
		[DNS_MORE] = "found an alias only",
		[DNS_NO_NAME] = "no such name",
		[DNS_NO_DATA] = "no record of this type",
		[DNS_TRUNCATED] = "the records do not fit into a datagram",
		[DNS_TOO_MANY_ALIASES] = "too many aliases",
		[DNS_SERVER_FAILED] = "the server cannot answer",
		[DNS_NO_REPLY] = "no name server answers",
		[DNS_NO_SERVER] = "no name server is configured",
		[DNS_BAD_NAME] = "not a name",
	};

	return texts[result];
}
