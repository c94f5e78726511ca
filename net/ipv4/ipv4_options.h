/*
 * IPv4 options (RFC 791 3.1, RFC 1122 3.2.1.8). Understood enough to refuse what is malformed and
 * what would steer the packet; everything else passes unread. Pure functions.
 */
#ifndef NET_IPV4_IPV4_OPTIONS_H
#define NET_IPV4_IPV4_OPTIONS_H

#include "kernel/types.h"
#include "net/core/drop.h"

#define IP4_OPTIONS_MAX 40

#define IP4_OPTION_END 0
#define IP4_OPTION_NOP 1
#define IP4_OPTION_RECORD_ROUTE 7
#define IP4_OPTION_TIMESTAMP 68
#define IP4_OPTION_LSRR 131         /* loose source and record route */
#define IP4_OPTION_SSRR 137         /* strict */
#define IP4_OPTION_ROUTER_ALERT 148 /* RFC 2113 */

struct ip4_options {
	bool router_alert;
	uint8_t bad_offset; /* IP4_BAD_OPTION: of the octet at fault, from the first option octet */
};

/*
 * Walks `length` option octets. DROP_NONE, DROP_IP4_BAD_OPTION, or DROP_IP4_SOURCE_ROUTE: a host
 * may refuse to be part of a source route, and this one always does.
 */
enum drop_reason ip4_options_parse(const uint8_t *bytes, size_t length,
				   struct ip4_options *options);

/*
 * The options of a fragment that is not the first: those with the copied flag (RFC 791 3.2), padded
 * to 4. Returns their length; `to` has room for IP4_OPTIONS_MAX.
 */
size_t ip4_options_for_fragment(const uint8_t *bytes, size_t length, uint8_t *to);

#endif
