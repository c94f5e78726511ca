/*
 * Linux's `ip=` on the kernel command line, as Documentation/admin-guide/nfs/nfsroot.rst has it:
 *
 *   ip=dhcp | on | any | off | none
 *   ip=DEVICE:dhcp | on | any | off | none
 *   ip=CLIENT:SERVER:GATEWAY:NETMASK:HOSTNAME:DEVICE:AUTOCONF:DNS0:DNS1:NTP0
 *
 * where any field may be empty and later ones left out. A pure parser; addresses are numbers in
 * host byte order, 0 where not given.
 */
#ifndef USERLAND_LIB_IP_OPTION_H
#define USERLAND_LIB_IP_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IP_OPTION_NAME_MAX 64

enum ip_method {
	IP_METHOD_DHCP,
	IP_METHOD_STATIC,
	IP_METHOD_OFF,
};

struct ip_option {
	enum ip_method method;
	char device[16]; /* empty: see ip_option_for() */
	char hostname[IP_OPTION_NAME_MAX];
	uint32_t client, gateway, netmask; /* a static address always has a netmask */
	uint32_t dns[2];                   /* those given, first ones first */
};

/*
 * Reads what stands behind `ip=`. Returns NULL and fills *option, or returns what is wrong with it
 * in a few words. The boot server's and the time server's addresses are checked and not kept.
 */
const char *ip_option_parse(const char *text, struct ip_option *option);

/*
 * The option that holds for a device, or NULL: the last one that names it, else the last that names
 * none. One address is for one device: a static option without a name is for the first device only.
 */
const struct ip_option *ip_option_for(const struct ip_option *options, size_t count,
				      const char *device, bool first_device);

/* "10.0.2.15" to a number. False for anything but four decimal numbers of 0 to 255. */
bool ip_address_parse(const char *text, uint32_t *address);

/* How many of a netmask's bits are set. */
unsigned ip_prefix_length(uint32_t netmask);

#endif
