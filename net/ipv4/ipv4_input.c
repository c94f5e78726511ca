/*
 * IPv4 input: the checks of RFC 1122 3.2.1 in its order, then delivery to a protocol here or on to
 * forwarding.
 */
#include "include/uapi/icmp.h"
#include "include/uapi/in.h"
#include "net/ipv4/icmp.h"
#include "net/ipv4/igmp.h"
#include "net/ipv4/ipv4_options.h"
#include "net/ipv4/ipv4_state.h"

static void count_arrival(struct ip4_stack *stack, const struct ip4_header *header)
{
	static const uint8_t ecn[] = {IP4_EXTRA_IN_NOT_ECN, IP4_EXTRA_IN_ECT1, IP4_EXTRA_IN_ECT0,
				      IP4_EXTRA_IN_CE};

	stack->extra[ecn[header->tos & IPTOS_ECN_MASK]]++;
}

static enum ip4_statistic statistic_of(enum drop_reason reason)
{
	switch (reason) {
	case DROP_IP4_BAD_SOURCE:
	case DROP_IP4_BAD_DESTINATION:
	case DROP_IP4_NOT_FOR_US:
	case DROP_IP4_UNICAST_IN_BROADCAST:
	case DROP_IP4_NO_GROUP:
		return IP4_STAT_IN_ADDRESS_ERRORS;
	case DROP_NO_MEMORY:
		return IP4_STAT_IN_DISCARDS;
	default:
		return IP4_STAT_IN_HEADER_ERRORS;
	}
}

static void refuse(struct sk_buff *skb, enum drop_reason reason)
{
	ip4_count(skb->net, statistic_of(reason));
	if (reason == DROP_IP4_BAD_CHECKSUM)
		ip4_count_extra(skb->net, IP4_EXTRA_IN_CHECKSUM_ERRORS);
	else if (reason == DROP_IP4_BAD_TOTAL_LENGTH)
		ip4_count_extra(skb->net, IP4_EXTRA_IN_TRUNCATED);
	skb_drop(skb, reason);
}

/* Version, header length, checksum, total length: RFC 1122 3.2.1.1, 3.2.1.2. */
static enum drop_reason read_header(struct sk_buff *skb, struct ip4_header *header)
{
	if (!skb_may_pull(skb, IP4_HEADER_MIN))
		return DROP_IP4_SHORT;

	size_t header_length = (skb->data[0] & 15u) * 4;

	if (header_length > IP4_HEADER_MIN && !skb_may_pull(skb, header_length))
		return DROP_IP4_BAD_HEADER_LENGTH;
	return ip4_parse(skb->data, skb_linear_len(skb), skb->len, header);
}

/*
 * RFC 1122 3.2.1.3: addresses that must not stand in the source field, and our own coming from
 * outside. 0.0.0.0 is for a host that is still asking for its address: to a broadcast address, or
 * in IGMP.
 */
static bool source_is_martian(struct net_device *dev, const struct ip4_header *header,
			      enum route_type destination_type) NEEDS_NET_LOCK
{
	ip4_t source = header->source;

	if (source == IP4_ANY)
		return destination_type != ROUTE_BROADCAST && header->protocol != IPPROTO_IGMP;
	if (!ip4_is_unicast(source))
		return true;

	enum route_type type = route_type_of(dev->net, source);

	if (dev->flags & IFF_LOOPBACK)
		return type == ROUTE_BROADCAST;
	return type != ROUTE_UNICAST;
}

/* 0/8, 240/4 but 255.255.255.255, and 127/8 outside of loopback: RFC 1122 3.2.1.3. */
static bool destination_is_martian(const struct net_device *dev, ip4_t destination)
{
	if (ip4_is_unicast(destination) && !ip4_is_loopback(destination))
		return false;
	if (ip4_is_loopback(destination))
		return !(dev->flags & IFF_LOOPBACK);
	return destination != IP4_BROADCAST && !ip4_is_multicast(destination);
}

static enum drop_reason check_addresses(struct net_device *dev, const struct sk_buff *skb,
					const struct ip4_header *header,
					enum route_type type) NEEDS_NET_LOCK
{
	if (destination_is_martian(dev, header->destination))
		return DROP_IP4_BAD_DESTINATION;
	if (source_is_martian(dev, header, type))
		return DROP_IP4_BAD_SOURCE;
	/* RFC 1122 3.3.6: a unicast packet in a broadcast frame is somebody's mistake or attack. */
	if ((type == ROUTE_LOCAL || type == ROUTE_UNICAST) &&
	    (skb->packet_type == SKB_BROADCAST || skb->packet_type == SKB_MULTICAST))
		return DROP_IP4_UNICAST_IN_BROADCAST;
	return DROP_NONE;
}

static void note_control(struct net_device *dev, struct sk_buff *skb,
			 const struct ip4_header *header, enum route_type type) NEEDS_NET_LOCK
{
	ip4_t local = header->destination;

	if (type != ROUTE_LOCAL) {
		const struct ip4_address *primary = ip4_primary_address(dev);

		local = primary ? primary->address : 0;
	}
	*IP4_CONTROL(skb) = (struct ip4_control){
		.source = header->source,
		.destination = header->destination,
		.protocol = header->protocol,
		.ttl = header->ttl,
		.tos = header->tos,
		.header_length = header->header_length,
		.id = header->id,
		.dont_fragment = header->dont_fragment,
		.route_type = (uint8_t)type,
		.local = local,
		.ifindex = dev->ifindex,
	};
}

void ip4_deliver_local(struct net_device *dev, struct sk_buff *skb)
{
	struct ip4_stack *stack = ip4_stack(dev->net);
	const struct ip4_control *control = IP4_CONTROL(skb);
	const struct ip4_protocol *protocol = stack->protocols[control->protocol];
	bool seen = stack->raw && stack->raw->deliver(dev, skb);

	skb_pull(skb, control->header_length);
	skb_mark_transport_header(skb);
	if (protocol) {
		stack->statistics[IP4_STAT_IN_DELIVERS]++;
		protocol->receive(dev, skb);
		return;
	}
	if (seen) {
		stack->statistics[IP4_STAT_IN_DELIVERS]++;
		skb_free(skb);
		return;
	}
	stack->statistics[IP4_STAT_IN_UNKNOWN_PROTOCOLS]++;
	icmp_send_error(dev->net, skb, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0);
	skb_drop(skb, DROP_IP4_UNKNOWN_PROTOCOL);
}

/* A packet (or fragment) that is for us. */
static void accept(struct net_device *dev, struct sk_buff *skb, struct ip4_header *header,
		   enum route_type type) NEEDS_NET_LOCK
{
	if (header->more_fragments || header->fragment_offset) {
		skb = reassembly_add(&ip4_stack(dev->net)->reassembly, skb, header);
		if (!skb)
			return;
		ip4_parse_quoted(skb->data, skb_linear_len(skb), header);
	}
	skb_mark_network_header(skb);
	note_control(dev, skb, header, type);
	ip4_deliver_local(dev, skb);
}

static void accept_multicast(struct net_device *dev, struct sk_buff *skb,
			     struct ip4_header *header) NEEDS_NET_LOCK
{
	struct ip4_stack *stack = ip4_stack(dev->net);

	if (!igmp_is_member(dev, header->destination)) {
		refuse(skb, DROP_IP4_NO_GROUP);
		return;
	}
	stack->extra[IP4_EXTRA_IN_MULTICAST]++;
	stack->extra[IP4_EXTRA_IN_MULTICAST_OCTETS] += skb->len;
	accept(dev, skb, header, ROUTE_MULTICAST);
}

static void sort_by_destination(struct net_device *dev, struct sk_buff *skb,
				struct ip4_header *header, enum route_type type) NEEDS_NET_LOCK
{
	struct ip4_stack *stack = ip4_stack(dev->net);

	switch (type) {
	case ROUTE_BROADCAST:
		stack->extra[IP4_EXTRA_IN_BROADCAST]++;
		stack->extra[IP4_EXTRA_IN_BROADCAST_OCTETS] += skb->len;
		accept(dev, skb, header, type);
		return;
	case ROUTE_MULTICAST:
		accept_multicast(dev, skb, header);
		return;
	case ROUTE_LOCAL:
		accept(dev, skb, header, type);
		return;
	default:
		if (stack->settings.ip_forward)
			ip4_forward(dev, skb, header);
		else
			refuse(skb, DROP_IP4_NOT_FOR_US);
	}
}

/*
 * True when the options let the packet pass; otherwise it is gone, with a parameter problem where
 * that is due.
 */
static bool options_allow(struct net_device *dev, struct sk_buff *skb,
			  const struct ip4_header *header) NEEDS_NET_LOCK
{
	struct ip4_options options;
	enum drop_reason reason;

	if (!header->options)
		return true;
	reason = ip4_options_parse(header->options, header->header_length - IP4_HEADER_MIN,
				   &options);
	if (reason == DROP_NONE)
		return true;
	/* RFC 1122 3.2.2.5: the pointer names the octet at fault. */
	if (reason == DROP_IP4_BAD_OPTION)
		icmp_send_error(dev->net, skb, ICMP_PARAMETERPROB, 0,
				(uint32_t)(IP4_HEADER_MIN + options.bad_offset) << 24);
	refuse(skb, reason);
	return false;
}

void ip4_receive(struct net_device *dev, struct sk_buff *skb)
{
	struct ip4_stack *stack = ip4_stack(dev->net);
	struct ip4_header header;
	enum drop_reason reason;

	if (skb->packet_type == SKB_OTHERHOST) {
		skb_drop(skb, DROP_ETH_OTHER_HOST);
		return;
	}
	stack->statistics[IP4_STAT_IN_RECEIVES]++;
	stack->extra[IP4_EXTRA_IN_OCTETS] += skb->len;
	reason = read_header(skb, &header);
	if (reason != DROP_NONE) {
		refuse(skb, reason);
		return;
	}
	count_arrival(stack, &header);
	skb_trim(skb, header.total_length); /* Ethernet's padding */
	skb_mark_network_header(skb);

	enum route_type type = route_type_of(dev->net, header.destination);

	reason = check_addresses(dev, skb, &header, type);
	if (reason != DROP_NONE) {
		refuse(skb, reason);
		return;
	}
	if (options_allow(dev, skb, &header))
		sort_by_destination(dev, skb, &header, type);
}

void ip4_receive_looped(struct net_device *dev, struct sk_buff *skb)
{
	struct ip4_header header;

	if (read_header(skb, &header) != DROP_NONE) {
		skb_drop(skb, DROP_IP4_SHORT);
		return;
	}
	skb_mark_network_header(skb);
	sort_by_destination(dev, skb, &header, route_type_of(dev->net, header.destination));
}
