/*
 * Looking names up: in /etc/hosts, and by asking the name servers of /etc/resolv.conf over UDP (RFC
 * 1035, with the care of RFC 5452: each question has a fresh socket, so a random port, and a random
 * id). What was found is not kept: the machine's resolver (userland/resolver.c) does that for all.
 */
#ifndef USERLAND_LIB_DNS_H
#define USERLAND_LIB_DNS_H

#include "userland/lib/dns_files.h"

/* Owned by the caller. */
struct dns {
	struct dns_config config;
	unsigned first_server; /* the one that answered last is asked first */
	uint32_t answered_by;  /* address of the server that answered; 0: it was the file */
};

/* Reads /etc/resolv.conf; without it there is no server. */
void dns_init(struct dns *dns);

/*
 * Finds the records of a name: as it is, or, if it has no dot, first with the search domains. Asks
 * each server in turn, three times round with 1, 2 and 4 seconds of patience, so that it may block
 * for long. *answer is filled for DNS_FOUND, and as far as it goes otherwise.
 */
enum dns_result dns_lookup(struct dns *dns, const char *name, enum dns_type type,
			   struct dns_answer *answer);

/* The same for a name that is complete, such as an address in its reverse form. */
enum dns_result dns_lookup_name(struct dns *dns, const struct dns_name *name, enum dns_type type,
				struct dns_answer *answer);

/* A host's first IPv4 address, in host byte order, from "10.0.2.2" or a name. */
enum dns_result dns_find_address(const char *host, uint32_t *address);

#endif
