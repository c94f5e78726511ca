/*
 * How often ICMP errors may be sent (RFC 1812 4.3.2.8): a token bucket for each destination and one
 * for all.
 *
 * The buckets are a fixed table addressed by a keyed hash, so a flood of forged sources costs no
 * memory; two destinations that share a bucket share its rate. Each error is charged a random
 * amount round the nominal one, so that nobody can count the errors that others provoked (the side
 * channel of CVE-2020-25705).
 */
#ifndef NET_IPV4_ICMP_LIMIT_H
#define NET_IPV4_ICMP_LIMIT_H

#include "net/core/net.h"

#define ICMP_LIMIT_BUCKETS 256
#define ICMP_LIMIT_BURST 6              /* errors to one destination at once */
#define ICMP_LIMIT_ALL_INTERVAL_US 1000 /* one a millisecond for all destinations */
#define ICMP_LIMIT_ALL_BURST 50

struct icmp_limiter {
	uint64_t full_again_us[ICMP_LIMIT_BUCKETS]; /* when each bucket will be full */
	uint64_t all_full_again_us;
};

/* May one more error go to the destination with this hash? Takes the tokens if so. */
bool icmp_limit_allows(struct icmp_limiter *limiter, struct net *net, uint32_t hash,
		       uint64_t interval_us) NEEDS_NET_LOCK;

#endif
