/*
 * The two files that say how names are found: resolv.conf(5) and hosts(5). A line that is not
 * understood is passed over.
 */
#ifndef USERLAND_LIB_DNS_FILES_H
#define USERLAND_LIB_DNS_FILES_H

#include <stdio.h>

#include "userland/lib/dns_query.h"

#define DNS_SERVERS_MAX 3
#define DNS_SEARCH_MAX 3

struct dns_config {
	uint32_t servers[DNS_SERVERS_MAX]; /* IPv4, host byte order */
	unsigned server_count;
	uint16_t port;                    /* host byte order */
	char search[DNS_SEARCH_MAX][254]; /* domains that complete a name without a dot */
	unsigned search_count;
};

/*
 * Reads `nameserver`, `search` and `domain` lines. Port 53; no server when there is no such line.
 */
void dns_read_resolv_conf(FILE *file, struct dns_config *config);

/* Looks for a name's addresses, or for the name of an address in its reverse form (PTR). */
bool dns_find_in_hosts(FILE *file, const struct dns_name *name, enum dns_type type,
		       struct dns_answer *answer);

#endif
