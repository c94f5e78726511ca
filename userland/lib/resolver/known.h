/* Names that are answered without a server: those of /etc/hosts, and those of RFC 6761. */
#ifndef USERLAND_LIB_RESOLVER_KNOWN_H
#define USERLAND_LIB_RESOLVER_KNOWN_H

#include "userland/lib/dns_query.h"

enum known {
	KNOWN_NOT,     /* ask a server */
	KNOWN_RECORDS, /* *answer has all there is, which may be no record of this type */
	KNOWN_NO_NAME, /* there is no such name and never will be */
};

enum known known_find(const char *hosts_path, const struct dns_name *name, uint16_t type,
		      struct dns_answer *answer);

#endif
