/* Cutting a packet into fragments (RFC 791 2.3, 3.2). */
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/core/segment.h"
#include "net/ipv4/ipv4_options.h"
#include "net/ipv4/ipv4_state.h"

/*
 * One piece: `offset` and `length` are of the payload of `skb`, whose data stands behind its
 * header.
 */
static struct sk_buff *make_fragment(const struct sk_buff *skb, struct ip4_header header,
				     uint32_t offset, uint32_t length, bool last)
{
	struct sk_buff *fragment = skb_alloc(skb->net, SKB_HEADROOM + IP4_HEADER_MAX + length);
	uint8_t options[IP4_OPTIONS_MAX];

	if (!fragment)
		return NULL;
	/* A fragment that is forwarded may begin anywhere and have more behind it. */
	if (header.fragment_offset + offset > 0 && header.options) {
		header.header_length = (uint8_t)(IP4_HEADER_MIN +
						 ip4_options_for_fragment(header.options,
									  header.header_length -
										  IP4_HEADER_MIN,
									  options));
		header.options = options;
	}
	header.fragment_offset = (uint16_t)(header.fragment_offset + offset);
	header.more_fragments |= !last;
	header.total_length = (uint16_t)(header.header_length + length);

	skb_reserve(fragment, SKB_HEADROOM);
	ip4_emit(&header, skb_put(fragment, header.header_length));
	skb_copy_bits(skb, offset, skb_put(fragment, length), length);
	fragment->protocol = skb->protocol;
	fragment->packet_type = skb->packet_type;
	skb_mark_network_header(fragment);
	if (skb->owner)
		skb_set_owner(fragment, skb->owner);
	return fragment;
}

/* A large packet whose segments are too long: the segments are fragmented. Owns skb. */
static int fragment_segments(struct net *net, struct sk_buff *skb,
			     const struct route_result *route) NEEDS_NET_LOCK
{
	struct skb_queue segments;
	struct sk_buff *segment;
	int error = skb_segment(skb, &segments);

	if (error) {
		ip4_count(net, IP4_STAT_FRAGMENT_FAILS);
		skb_drop(skb, error == -EINVAL ? DROP_RX_DEVICE_ERROR : DROP_NO_MEMORY);
	}
	while ((segment = skb_queue_take(&segments))) {
		if (segment->len <= route->mtu)
			ip4_transmit(segment, route);
		else
			error = ip4_fragment(net, segment, route);
	}
	return error;
}

int ip4_fragment(struct net *net, struct sk_buff *skb, const struct route_result *route)
{
	struct ip4_header header;
	uint32_t offset = 0, room;

	if (skb->gso_size)
		return fragment_segments(net, skb, route);
	/* The transport's checksum covers the whole, so it is settled before the cut. */
	if ((skb->checksum == SKB_CHECKSUM_PARTIAL && skb_checksum_complete(skb)) ||
	    !skb_may_pull(skb, IP4_HEADER_MIN) ||
	    ip4_parse_quoted(skb->data, skb_linear_len(skb), &header) != DROP_NONE) {
		ip4_count(net, IP4_STAT_FRAGMENT_FAILS);
		skb_drop(skb, DROP_NO_MEMORY);
		return -ENOMEM;
	}
	skb_pull(skb, header.header_length);
	room = (route->mtu - header.header_length) & ~7u;
	while (offset < skb->len) {
		uint32_t length = MIN(room, skb->len - offset);
		struct sk_buff *fragment = make_fragment(skb, header, offset, length,
							 offset + length == skb->len);

		if (!fragment) {
			ip4_count(net, IP4_STAT_FRAGMENT_FAILS);
			skb_drop(skb, DROP_NO_MEMORY);
			return -ENOMEM;
		}
		ip4_count(net, IP4_STAT_FRAGMENTS_CREATED);
		ip4_transmit(fragment, route);
		offset += length;
	}
	ip4_count(net, IP4_STAT_FRAGMENT_OKS);
	skb_free(skb);
	return 0;
}
