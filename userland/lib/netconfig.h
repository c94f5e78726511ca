/*
 * Everything that makes an interface usable, set at one time: address, routes, MTU, name servers,
 * and the log line that says so. DHCP, a static address and the fallback all end here.
 *
 * /run/net/IFACE keeps what was set, for people and for making the other files anew:
 *
 *   address 10.0.2.15/24
 *   gateway 10.0.2.2
 *   origin dhcp
 *   search example.org
 *   nameserver 10.0.2.3
 *
 * The `nameserver` lines of all interfaces together are /run/name-servers, which the machine's
 * resolver reads; the `search` lines are in /etc/resolv.conf, which sends programs to the resolver.
 */
#ifndef USERLAND_LIB_NETCONFIG_H
#define USERLAND_LIB_NETCONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define NETCONFIG_SERVERS "/run/name-servers"
#define NETCONFIG_ROUTES_MAX 8
#define NETCONFIG_DNS_MAX 3

struct netconfig_route {
	uint32_t destination;
	uint32_t gateway; /* 0: on the link itself */
	unsigned prefix_length;
};

/* Addresses are numbers in host byte order; 0 where there is none. */
struct netconfig {
	uint32_t address, netmask, broadcast;
	unsigned mtu; /* bytes; 0 leaves the interface's own */
	struct netconfig_route routes[NETCONFIG_ROUTES_MAX];
	unsigned route_count;
	uint32_t dns[NETCONFIG_DNS_MAX];
	unsigned dns_count;
	char domain[256];   /* to complete names without a dot */
	const char *origin; /* "dhcp", "static" or "fallback" */
};

/* Adds the default route. */
void netconfig_add_gateway(struct netconfig *config, uint32_t gateway);

/*
 * Brings the interface up with this configuration in place of `old`, which may be NULL, and logs
 * one line: `net: eth0 ADDRESS/LEN gateway ADDRESS dns ADDRESS,... (ORIGIN)`, with `net: eth0 now
 * ...` when there was an old one. Does nothing when nothing changes. False, with a line in the log,
 * when the kernel refuses the address; a route that it refuses is one line in the log.
 */
bool netconfig_apply(const char *name, const struct netconfig *config, const struct netconfig *old);

/* Takes the configuration away again and logs why. The interface stays up, for DHCP to go on. */
void netconfig_remove(const char *name, const struct netconfig *config, const char *why);

#endif
