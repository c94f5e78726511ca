/* The ICMP error limiter. */
#include "net/ipv4/icmp_limit.h"

/* Between half and one and a half of the interval, one interval on average. */
static uint64_t jittered(struct net *net, uint64_t interval_us)
{
	return interval_us / 2 + net_random_u32(net) % (interval_us + 1);
}

static bool has_token(uint64_t full_again_us, uint64_t now_us, uint64_t interval_us, uint32_t burst)
{
	return full_again_us <= now_us + interval_us * (burst - 1);
}

bool icmp_limit_allows(struct icmp_limiter *limiter, struct net *net, uint32_t hash,
		       uint64_t interval_us)
{
	uint64_t now_us = net_now(net);
	uint64_t *own = &limiter->full_again_us[hash % ICMP_LIMIT_BUCKETS];
	uint64_t *all = &limiter->all_full_again_us;

	if (interval_us == 0)
		return true;
	if (!has_token(*own, now_us, interval_us, ICMP_LIMIT_BURST) ||
	    !has_token(*all, now_us, ICMP_LIMIT_ALL_INTERVAL_US, ICMP_LIMIT_ALL_BURST))
		return false;
	*own = MAX(*own, now_us) + jittered(net, interval_us);
	*all = MAX(*all, now_us) + jittered(net, ICMP_LIMIT_ALL_INTERVAL_US);
	return true;
}
