/*
 * Forwarding, when /proc/sys/net/ipv4/ip_forward is 1 (RFC 1812 5.2): TTL, a route, ICMP errors to
 * the source, fragmentation on the way out. Source routes were refused on input; record-route and
 * timestamp options pass unfilled.
 */
#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/core/checksum.h"
#include "net/core/segment.h"
#include "net/ipv4/icmp.h"
#include "net/ipv4/ipv4_state.h"

/* One hop less; the checksum follows (RFC 1624). */
static void decrement_ttl(uint8_t *bytes)
{
	be16 checksum, before, after;

	memcpy(&before, bytes + 8, sizeof(before));
	bytes[8]--;
	memcpy(&after, bytes + 8, sizeof(after));
	memcpy(&checksum, bytes + 10, sizeof(checksum));
	checksum = checksum_update(checksum, before, after);
	memcpy(bytes + 10, &checksum, sizeof(checksum));
}

static void refuse(struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info,
		   enum drop_reason reason) NEEDS_NET_LOCK
{
	icmp_send_error(skb->net, skb, type, code, info);
	skb_drop(skb, reason);
}

void ip4_forward(struct net_device *dev, struct sk_buff *skb, const struct ip4_header *header)
{
	struct net *net = dev->net;
	struct route_result route;

	/*
	 * 127/8 and multicast never leave their link this way; neither does what came from 0.0.0.0.
	 */
	if (header->source == IP4_ANY || skb->packet_type != SKB_HOST) {
		ip4_count(net, IP4_STAT_IN_ADDRESS_ERRORS);
		skb_drop(skb, DROP_IP4_NOT_FOR_US);
		return;
	}
	if (header->ttl <= 1) {
		ip4_count(net, IP4_STAT_IN_HEADER_ERRORS);
		refuse(skb, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0, DROP_IP4_TTL_EXPIRED);
		return;
	}

	int error = route_lookup(net, header->destination, 0, 0, &route);

	if (error || route.type != ROUTE_UNICAST) {
		ip4_count_extra(net, IP4_EXTRA_IN_NO_ROUTES);
		refuse(skb, ICMP_DEST_UNREACH,
		       error == -EHOSTUNREACH ? ICMP_HOST_UNREACH : ICMP_NET_UNREACH, 0,
		       DROP_IP4_NO_ROUTE);
		return;
	}
	if (header->dont_fragment && skb_segment_length(skb) > route.dev->mtu) {
		ip4_count(net, IP4_STAT_FRAGMENT_FAILS);
		refuse(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, route.dev->mtu,
		       DROP_IP4_MUST_FRAGMENT);
		return;
	}
	/*
	 * A path MTU that we learned as a host does not bind what we forward: RFC 1191 section 3.
	 */
	route.mtu = route.dev->mtu;
	decrement_ttl(skb->data);
	ip4_count(net, IP4_STAT_FORWARDED);
	if (skb_segment_length(skb) > route.mtu)
		ip4_fragment(net, skb, &route);
	else
		ip4_transmit(skb, &route);
}
