/*
 * The name servers that may be asked: those of a file like resolv.conf(5), read again when it was
 * replaced. DHCP writes it at any time.
 */
#ifndef USERLAND_LIB_RESOLVER_SERVERS_H
#define USERLAND_LIB_RESOLVER_SERVERS_H

#include <sys/stat.h>

#include "userland/lib/dns_files.h"

struct servers {
	const char *path;
	uint32_t own_address; /* of this resolver, host byte order: to ask oneself is a circle */
	struct stat seen;     /* the file as it was read; all zeros: there was none */
	uint32_t addresses[DNS_SERVERS_MAX]; /* IPv4, host byte order */
	bool plain[DNS_SERVERS_MAX];         /* it does not understand EDNS (RFC 6891 section 7) */
	unsigned count;
	unsigned first; /* the one that answered last is asked first */
};

/* Looks whether the file has changed. True when other servers are to be asked from now on. */
bool servers_refresh(struct servers *servers);

#endif
