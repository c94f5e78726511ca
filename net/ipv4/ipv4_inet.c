/* IPv4 as UDP and TCP see it: struct inet_family. */
#include "include/uapi/if_arp.h"
#include "net/core/checksum.h"
#include "net/ethernet/arp.h"
#include "net/ipv4/ipv4_state.h"

static ip4_t v4_or_any(struct net_addr address)
{
	return address.family == AF_INET ? address.v4 : IP4_ANY;
}

static int find_route(struct net *net, struct net_addr destination, struct net_addr source,
		      int ifindex, struct inet_route *route) NEEDS_NET_LOCK
{
	struct route_result result;
	int error = route_lookup(net, destination.v4, v4_or_any(source), ifindex, &result);

	if (error)
		return error;
	*route = (struct inet_route){
		.source = result.source ? net_addr_ip4(result.source) : (struct net_addr){0},
		.mtu = result.mtu,
		.device_mtu = result.dev->mtu,
		.ifindex = result.dev->ifindex,
		.broadcast = result.type == ROUTE_BROADCAST,
		.multicast = result.type == ROUTE_MULTICAST,
		.local = result.type == ROUTE_LOCAL,
		.ecn = result.ecn,
		.features = result.dev->features,
	};
	return 0;
}

static bool is_local(struct net *net, struct net_addr address) NEEDS_NET_LOCK
{
	return route_type_of(net, address.v4) != ROUTE_UNICAST;
}

static uint32_t pseudo_sum(struct net_addr source, struct net_addr destination, uint8_t protocol,
			   uint32_t length)
{
	return checksum_pseudo4(v4_or_any(source), destination.v4, protocol, (uint16_t)length);
}

/* RFC 1122 3.3.1.4: advice from the transport layer about the first hop. */
static void doubt(struct net *net, struct net_addr destination) NEEDS_NET_LOCK
{
	struct route_result route;

	if (route_lookup(net, destination.v4, IP4_ANY, 0, &route) == 0 &&
	    route.type == ROUTE_UNICAST && route.dev->type == ARPHRD_ETHER)
		arp_doubt(route.dev, route.next_hop);
}

static int send(struct net *net, struct sk_buff *skb, const struct inet_send *how) NEEDS_NET_LOCK
{
	const struct ip4_send ip4_how = {
		.source = v4_or_any(how->source),
		.destination = how->destination.v4,
		.protocol = how->protocol,
		.ttl = how->ttl,
		.tos = how->tos,
		.dont_fragment = how->dont_fragment,
		.ttl_given = how->ttl_given,
		.no_loop = how->no_loop,
		.ignore_path_mtu = how->ignore_path_mtu,
		.ifindex = how->ifindex,
		.options = how->options,
		.options_length = how->options_length,
	};

	return ip4_send(net, skb, &ip4_how);
}

const struct inet_family ip4_inet_family = {
	.family = AF_INET,
	.header_length = IP4_HEADER_MIN,
	.route = find_route,
	.is_local = is_local,
	.pseudo_sum = pseudo_sum,
	.doubt = doubt,
	.send = send,
};
