/* ICMP errors that we send. */
#include "include/uapi/icmp.h"
#include "include/uapi/in.h"
#include "kernel/string.h"
#include "net/core/checksum.h"
#include "net/ipv4/icmp.h"
#include "net/ipv4/ipv4_state.h"

#define ERROR_PACKET_MAX 576 /* RFC 1812 4.3.2.3: quote as much as fits */
#define QUOTE_MAX (ERROR_PACKET_MAX - IP4_HEADER_MIN - ICMP_HEADER_LENGTH)
#define TOS_INTERNETWORK_CONTROL 0xc0 /* RFC 1812 4.3.2.5 */

/* What stands from the IP header on: linear bytes that may lie before skb->data, then the rest. */
static size_t bytes_from_header(const struct sk_buff *skb)
{
	return (size_t)(skb->data - skb_network_header(skb)) + skb->len;
}

static void copy_from_header(const struct sk_buff *skb, size_t n, uint8_t *to)
{
	size_t before = MIN(n, (size_t)(skb->data - skb_network_header(skb)));

	memcpy(to, skb_network_header(skb), before);
	skb_copy_bits(skb, 0, to + before, n - before);
}

static bool is_icmp_error(const struct ip4_header *header, const uint8_t *quote, size_t length)
{
	if (header->protocol != IPPROTO_ICMP)
		return false;
	/* What is too short to say its type might be one. */
	return length <= header->header_length || icmp_type_is_error(quote[header->header_length]);
}

/* A source to which an error can go: one host, which is there. RFC 1122 3.2.2. */
static bool source_is_host(struct net *net, const struct sk_buff *about,
			   ip4_t source) NEEDS_NET_LOCK
{
	if (!ip4_is_unicast(source))
		return false;
	if (ip4_is_loopback(source))
		return about->dev && about->dev->flags & IFF_LOOPBACK;
	return route_type_of(net, source) != ROUTE_BROADCAST;
}

static bool may_answer(struct net *net, const struct sk_buff *about,
		       const struct ip4_header *header, const uint8_t *quote,
		       size_t length) NEEDS_NET_LOCK
{
	enum route_type type = route_type_of(net, header->destination);

	if (about->packet_type == SKB_BROADCAST || about->packet_type == SKB_MULTICAST)
		return false;
	if (type == ROUTE_BROADCAST || type == ROUTE_MULTICAST || header->fragment_offset)
		return false;
	return source_is_host(net, about, header->source) && !is_icmp_error(header, quote, length);
}

static bool within_rate(struct net *net, ip4_t destination) NEEDS_NET_LOCK
{
	struct ip4_stack *stack = ip4_stack(net);

	if (ip4_is_our_address(net, destination))
		return true;
	return icmp_limit_allows(&icmp_state(net)->limiter, net,
				 hash_words(destination, 0, 0, stack->hash_secret),
				 (uint64_t)stack->settings.icmp_ratelimit * USEC_PER_MSEC);
}

static struct sk_buff *build(struct net *net, const uint8_t *quote, size_t length, uint8_t type,
			     uint8_t code, uint32_t info)
{
	struct sk_buff *skb = skb_alloc(net, SKB_HEADROOM + ICMP_HEADER_LENGTH + length);

	if (!skb)
		return NULL;
	skb_reserve(skb, SKB_HEADROOM);

	uint8_t *bytes = skb_put(skb, ICMP_HEADER_LENGTH + length);

	icmp_emit(type, code, info, bytes);
	memcpy(bytes + ICMP_HEADER_LENGTH, quote, length);

	be16 checksum = checksum_fold(checksum_add(bytes, ICMP_HEADER_LENGTH + length, 0));

	memcpy(bytes + 2, &checksum, sizeof(checksum));
	return skb;
}

void icmp_send_error(struct net *net, const struct sk_buff *about, uint8_t type, uint8_t code,
		     uint32_t info)
{
	uint8_t quote[QUOTE_MAX];
	size_t length = MIN(bytes_from_header(about), (size_t)QUOTE_MAX);
	struct ip4_header header;

	copy_from_header(about, length, quote);
	if (ip4_parse_quoted(quote, length, &header) != DROP_NONE ||
	    !may_answer(net, about, &header, quote, length))
		return;
	if (!within_rate(net, header.source)) {
		net->drops[DROP_ICMP_RATE_LIMITED]++;
		return;
	}

	struct sk_buff *skb = build(net, quote, length, type, code, info);

	if (!skb) {
		icmp_state(net)->statistics[ICMP_STAT_OUT_ERRORS]++;
		return;
	}

	/* RFC 1122 3.2.2: from the address that was spoken to, where that is ours. */
	bool to_us = ip4_is_our_address(net, header.destination);
	const struct ip4_send how = {
		.source = to_us ? header.destination : 0,
		.destination = header.source,
		.protocol = IPPROTO_ICMP,
		.tos = TOS_INTERNETWORK_CONTROL,
	};

	icmp_count_sent(net, type);
	(void)ip4_send(net, skb, &how); /* lost like any datagram; ip4_send counts why */
}

void icmp_count_sent(struct net *net, uint8_t type)
{
	struct icmp_state *state = icmp_state(net);

	state->statistics[ICMP_STAT_OUT_MESSAGES]++;
	state->sent[type]++;
}
