/*
 * IPv4 output: header, route, fragmentation, and the copies of our own broadcast and multicast that
 * come back to us.
 */
#include "include/uapi/if_arp.h"
#include "include/uapi/in.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/core/checksum.h"
#include "net/core/segment.h"
#include "net/ethernet/arp.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/igmp.h"
#include "net/ipv4/ipv4_options.h"
#include "net/ipv4/ipv4_state.h"

/*
 * RFC 6864: only what may be fragmented needs an identification, unique for a while by source,
 * destination and protocol. RFC 7739: counters by a keyed hash of these, so that no one sees the
 * others' rate.
 */
uint16_t ip4_next_id(struct ip4_stack *stack, ip4_t source, ip4_t destination, uint8_t protocol)
{
	uint32_t hash = hash_words(source, destination, protocol, stack->hash_secret);

	return (uint16_t)(stack->id_counters[hash % IP4_ID_COUNTERS]++ + (hash >> 16));
}

void ip4_transmit(struct sk_buff *skb, const struct route_result *route)
{
	struct net_device *dev = route->dev;
	struct ip4_stack *stack = ip4_stack(dev->net);

	skb->dev = dev;
	skb->protocol = ETHERTYPE_IP4;
	stack->extra[IP4_EXTRA_OUT_OCTETS] += skb->len;
	if (dev->type != ARPHRD_ETHER) {
		dev_xmit(dev, skb);
		return;
	}
	switch (route->type) {
	case ROUTE_BROADCAST:
		stack->extra[IP4_EXTRA_OUT_BROADCAST]++;
		stack->extra[IP4_EXTRA_OUT_BROADCAST_OCTETS] += skb->len;
		ethernet_send(dev, skb, MAC_BROADCAST, ETHERTYPE_IP4);
		return;
	case ROUTE_MULTICAST:
		stack->extra[IP4_EXTRA_OUT_MULTICAST]++;
		stack->extra[IP4_EXTRA_OUT_MULTICAST_OCTETS] += skb->len;
		ethernet_send(dev, skb, igmp_group_mac(route->next_hop), ETHERTYPE_IP4);
		return;
	default:
		arp_send(dev, skb, route->next_hop);
	}
}

/* RFC 1112 6.1, and what Linux does with broadcast: those on this host hear it too. */
static void loop_copy(struct sk_buff *skb, const struct route_result *route) NEEDS_NET_LOCK
{
	struct sk_buff *copy;

	if (route->dev->flags & IFF_LOOPBACK)
		return;
	if (route->type == ROUTE_MULTICAST && !igmp_is_member(route->dev, route->next_hop))
		return;
	copy = skb_clone(skb);
	if (!copy) {
		ip4_count(route->dev->net, IP4_STAT_IN_DISCARDS);
		return;
	}
	skb_orphan(copy);
	copy->dev = route->dev;
	copy->protocol = ETHERTYPE_IP4;
	copy->packet_type = route->type == ROUTE_MULTICAST ? SKB_MULTICAST : SKB_BROADCAST;
	copy->checksum = SKB_CHECKSUM_VERIFIED;
	copy->time_us = net_now(route->dev->net);
	ip4_receive_looped(route->dev, copy);
}

/* A packet with its header goes out by `route`, whole or in fragments. Owns skb. */
static int dispatch(struct net *net, struct sk_buff *skb, const struct route_result *route,
		    const struct ip4_header *header, bool loop) NEEDS_NET_LOCK
{
	if (loop && (route->type == ROUTE_BROADCAST || route->type == ROUTE_MULTICAST))
		loop_copy(skb, route);
	if (route->type == ROUTE_MULTICAST && header->ttl == 0) {
		skb_free(skb); /* RFC 1112 6.1: restricted to this host */
		return 0;
	}
	if (skb_segment_length(skb) <= route->mtu) {
		ip4_transmit(skb, route);
		return 0;
	}
	if (header->dont_fragment) {
		ip4_count(net, IP4_STAT_FRAGMENT_FAILS);
		skb_drop(skb, DROP_IP4_MUST_FRAGMENT);
		return -EMSGSIZE;
	}
	return ip4_fragment(net, skb, route);
}

static uint8_t choose_ttl(struct net *net, const struct ip4_send *how, enum route_type type)
{
	if (how->ttl_given || how->ttl)
		return how->ttl;
	return type == ROUTE_MULTICAST ? 1 : (uint8_t)ip4_stack(net)->settings.ip_default_ttl;
}

/* Puts the header in front of skb->data. */
static void push_header(struct net *net, struct sk_buff *skb, const struct ip4_send *how,
			const struct route_result *route, struct ip4_header *header) NEEDS_NET_LOCK
{
	uint8_t header_length = (uint8_t)(IP4_HEADER_MIN + how->options_length);
	uint32_t total_length = header_length + skb->len;
	bool dont_fragment = how->dont_fragment && !route->no_df;

	*header = (struct ip4_header){
		.source = how->source ? how->source : route->source,
		.destination = how->destination,
		.total_length = (uint16_t)total_length,
		.header_length = header_length,
		.tos = how->tos,
		.ttl = choose_ttl(net, how, route->type),
		.protocol = how->protocol,
		.dont_fragment = dont_fragment,
		.options = how->options,
	};
	if (!dont_fragment)
		header->id = ip4_next_id(ip4_stack(net), header->source, header->destination,
					 header->protocol);
	ip4_emit(header, skb_push(skb, header_length));
	skb_mark_network_header(skb);
}

int ip4_send(struct net *net, struct sk_buff *skb, const struct ip4_send *how)
{
	struct route_result route;
	struct ip4_header header;
	int error = route_lookup(net, how->destination, how->source, how->ifindex, &route);

	ip4_count(net, IP4_STAT_OUT_REQUESTS);
	if (error) {
		ip4_count(net, IP4_STAT_OUT_NO_ROUTES);
		skb_drop(skb, DROP_IP4_NO_ROUTE);
		return error;
	}
	/* RFC 1122 3.2.1.3 (g): 127/8 is never seen outside of a host. */
	if (ip4_is_loopback(how->source) && !(route.dev->flags & IFF_LOOPBACK)) {
		skb_drop(skb, DROP_IP4_BAD_SOURCE);
		return -EINVAL;
	}
	if (skb->len + IP4_HEADER_MIN + how->options_length > IP4_PACKET_MAX) {
		skb_drop(skb, DROP_FRAME_TOO_LONG);
		return -EMSGSIZE;
	}
	if (skb_ensure_headroom(skb, route.dev->link_header_length + IP4_HEADER_MIN +
					     how->options_length)) {
		ip4_count(net, IP4_STAT_OUT_DISCARDS);
		skb_drop(skb, DROP_NO_MEMORY);
		return -ENOMEM;
	}
	if (how->ignore_path_mtu)
		route.mtu = route.dev->mtu;
	skb_mark_transport_header(skb);
	push_header(net, skb, how, &route, &header);
	return dispatch(net, skb, &route, &header, !how->no_loop);
}

int ip4_send_prepared(struct net *net, struct sk_buff *skb, const struct route_result *route,
		      bool no_loop)
{
	struct ip4_header header;

	ip4_count(net, IP4_STAT_OUT_REQUESTS);
	if (!skb_may_pull(skb, IP4_HEADER_MIN) ||
	    ip4_parse_quoted(skb->data, skb_linear_len(skb), &header) != DROP_NONE) {
		skb_drop(skb, DROP_IP4_SHORT);
		return -EINVAL;
	}
	if (skb_ensure_headroom(skb, route->dev->link_header_length)) {
		ip4_count(net, IP4_STAT_OUT_DISCARDS);
		skb_drop(skb, DROP_NO_MEMORY);
		return -ENOMEM;
	}
	skb_mark_network_header(skb);
	return dispatch(net, skb, route, &header, !no_loop);
}
