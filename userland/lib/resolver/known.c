#include "userland/lib/resolver/known.h"

#include <string.h>

#include "userland/lib/dns_files.h"

static const uint8_t loopback[4] = {127, 0, 0, 1};

/* Is it `text`, or below it? */
static bool is_within(const struct dns_name *name, const char *text)
{
	struct dns_name zone, end;

	if (!dns_name_from_text(text, &zone))
		return false;
	for (unsigned at = 0; at + zone.length <= name->length; at += 1u + name->bytes[at]) {
		end.length = (uint8_t)(name->length - at);
		memcpy(end.bytes, name->bytes + at, end.length);
		if (dns_name_equal(&end, &zone))
			return true;
	}
	return false;
}

static void add_record(struct dns_answer *answer, const struct dns_name *name, uint16_t type)
{
	struct dns_record *record = &answer->records[answer->count++];

	memset(record, 0, sizeof(*record));
	record->owner = *name;
	record->type = type;
	record->class = DNS_CLASS_IN;
}

/* RFC 6761 sections 6.3 and 6.4. There is no IPv6 here, so localhost has no such address. */
static enum known find_special(const struct dns_name *name, uint16_t type,
			       struct dns_answer *answer)
{
	struct dns_name reverse;

	dns_answer_begin(answer, name);
	if (is_within(name, "invalid"))
		return KNOWN_NO_NAME;
	if (is_within(name, "localhost")) {
		if (type == DNS_A) {
			add_record(answer, name, DNS_A);
			memcpy(answer->records[0].address, loopback, sizeof(loopback));
		}
		return KNOWN_RECORDS;
	}
	dns_reverse_name(loopback, sizeof(loopback), &reverse);
	if (!dns_name_equal(name, &reverse))
		return KNOWN_NOT;
	if (type == DNS_PTR) {
		add_record(answer, name, DNS_PTR);
		dns_name_from_text("localhost", &answer->records[0].target);
	}
	return KNOWN_RECORDS;
}

static bool find_in_hosts(const char *path, const struct dns_name *name, enum dns_type type,
			  struct dns_answer *answer)
{
	FILE *file = fopen(path, "re");
	bool found;

	if (!file)
		return false;
	found = dns_find_in_hosts(file, name, type, answer);
	fclose(file);
	return found;
}

enum known known_find(const char *hosts_path, const struct dns_name *name, uint16_t type,
		      struct dns_answer *answer)
{
	enum known special = find_special(name, type, answer);
	struct dns_answer other;

	if (special != KNOWN_NOT)
		return special;
	if (type != DNS_A && type != DNS_AAAA && type != DNS_PTR)
		return KNOWN_NOT;
	if (find_in_hosts(hosts_path, name, (enum dns_type)type, answer))
		return KNOWN_RECORDS;
	if (type == DNS_PTR)
		return KNOWN_NOT;
	/* A host that is listed with addresses of one kind has none of the other. */
	if (find_in_hosts(hosts_path, name, type == DNS_A ? DNS_AAAA : DNS_A, &other))
		return KNOWN_RECORDS;
	return KNOWN_NOT;
}
