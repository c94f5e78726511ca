/* ICMP messages that we receive. */
#include "net/ipv4/icmp.h"

#include "include/uapi/icmp.h"
#include "include/uapi/in.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "net/core/checksum.h"
#include "net/ipv4/ipv4_state.h"

static void refuse(struct sk_buff *skb, enum drop_reason reason)
{
	struct icmp_state *state = icmp_state(skb->net);

	if (reason == DROP_ICMP_BAD_CHECKSUM)
		state->statistics[ICMP_STAT_IN_CHECKSUM_ERRORS]++;
	if (reason != DROP_ICMP_IGNORED)
		state->statistics[ICMP_STAT_IN_ERRORS]++;
	skb_drop(skb, reason);
}

/* The request turned round: RFC 1122 3.2.2.6. Its checksum differs by the type alone (RFC 1624). */
static void turn_into_reply(struct sk_buff *skb)
{
	be16 checksum, before, after;

	memcpy(&before, skb->data, sizeof(before));
	skb->data[0] = ICMP_ECHOREPLY;
	memcpy(&after, skb->data, sizeof(after));
	memcpy(&checksum, skb->data + 2, sizeof(checksum));
	checksum = checksum_update(checksum, before, after);
	/* 0 has two forms; where nothing but zeroes is summed, this one is right: RFC 1624 3. */
	if (checksum.raw == 0)
		checksum.raw = 0xffff;
	memcpy(skb->data + 2, &checksum, sizeof(checksum));
	skb->checksum = SKB_CHECKSUM_NONE;
	skb->packet_type = SKB_OUTGOING;
	skb->gso_size = 0;
}

static void receive_echo(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK
{
	const struct ip4_settings *settings = &ip4_stack(dev->net)->settings;
	const struct ip4_control *control = IP4_CONTROL(skb);
	bool to_us_alone = control->route_type == ROUTE_LOCAL;

	if (settings->icmp_echo_ignore_all ||
	    (!to_us_alone && settings->icmp_echo_ignore_broadcasts)) {
		refuse(skb, DROP_ICMP_IGNORED);
		return;
	}

	const struct ip4_send how = {
		.source = to_us_alone ? control->destination : 0,
		.destination = control->source,
		.protocol = IPPROTO_ICMP,
		.tos = control->tos,
	};

	if (how.destination == IP4_ANY) {
		refuse(skb, DROP_ICMP_IGNORED);
		return;
	}
	turn_into_reply(skb);
	icmp_count_sent(dev->net, ICMP_ECHOREPLY);
	(void)ip4_send(dev->net, skb, &how); /* lost like any datagram; ip4_send counts why */
}

/* The quoted header: of a packet that we sent, with enough behind it to know whose it was. */
static bool read_quoted(struct sk_buff *skb, struct ip4_header *inner) NEEDS_NET_LOCK
{
	skb_pull(skb, ICMP_HEADER_LENGTH);
	if (!skb_may_pull(skb, IP4_HEADER_MIN))
		return false;

	size_t wanted = (skb->data[0] & 15u) * 4 + ICMP_QUOTED_MIN;

	if (!skb_may_pull(skb, wanted) ||
	    ip4_parse_quoted(skb->data, skb_linear_len(skb), inner) != DROP_NONE)
		return false;
	if (inner->fragment_offset || !ip4_is_our_address(skb->net, inner->source))
		return false;
	skb_pull(skb, inner->header_length);
	return true;
}

/* Destination unreachable, time exceeded, parameter problem: to whoever sent the packet. */
static void receive_error(struct net_device *dev, struct sk_buff *skb,
			  const struct icmp_header *header) NEEDS_NET_LOCK
{
	struct net *net = dev->net;
	struct ip4_stack *stack = ip4_stack(net);
	struct ip4_header inner;

	if (IP4_CONTROL(skb)->route_type != ROUTE_LOCAL) {
		refuse(skb, DROP_ICMP_IGNORED);
		return;
	}
	if (!read_quoted(skb, &inner)) {
		refuse(skb, DROP_ICMP_BAD_INNER);
		return;
	}

	struct icmp_error error = icmp_meaning(header, &inner);
	const struct ip4_protocol *protocol = stack->protocols[inner.protocol];
	bool known = false;

	error.offender = net_addr_ip4(IP4_CONTROL(skb)->source);
	if (stack->raw)
		known |= stack->raw->error(net, skb, &inner, &error);
	if (protocol && protocol->error)
		known |= protocol->error(net, skb, &inner, &error);
	/*
	 * Only somebody who saw a packet of a conversation of ours may narrow its path: RFC 5927.
	 */
	if (known && error.mtu)
		route_learn_mtu(net, inner.destination, error.mtu);
	skb_free(skb);
}

static void receive_checked(struct net_device *dev, struct sk_buff *skb,
			    const struct icmp_header *header) NEEDS_NET_LOCK
{
	struct icmp_state *state = icmp_state(dev->net);

	switch (header->type) {
	case ICMP_ECHO:
		receive_echo(dev, skb);
		return;
	case ICMP_ECHOREPLY:
		if (state->echo_reply)
			state->echo_reply(dev, skb, header);
		else
			skb_free(skb);
		return;
	case ICMP_DEST_UNREACH:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		receive_error(dev, skb, header);
		return;
	case ICMP_SOURCE_QUENCH: /* RFC 6633 */
	case ICMP_REDIRECT:
	case ICMP_TIMESTAMP:
	case ICMP_TIMESTAMPREPLY:
	case ICMP_INFO_REQUEST: /* RFC 6918, with the following */
	case ICMP_INFO_REPLY:
	case ICMP_ADDRESS:
	case ICMP_ADDRESSREPLY:
		refuse(skb, DROP_ICMP_IGNORED);
		return;
	default: /* RFC 1122 3.2.2: silently discarded */
		refuse(skb, DROP_ICMP_UNKNOWN_TYPE);
	}
}

static void icmp_receive(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct icmp_state *state = icmp_state(dev->net);
	struct icmp_header header;

	state->statistics[ICMP_STAT_IN_MESSAGES]++;
	if (!skb_may_pull(skb, ICMP_HEADER_LENGTH)) {
		refuse(skb, DROP_ICMP_SHORT);
		return;
	}
	if (skb->checksum == SKB_CHECKSUM_NONE &&
	    checksum_fold(skb_checksum_add(skb, 0, skb->len, 0)).raw != 0) {
		refuse(skb, DROP_ICMP_BAD_CHECKSUM);
		return;
	}
	icmp_parse(skb->data, &header);
	state->received[header.type]++;
	receive_checked(dev, skb, &header);
}

/*
 * An error about an ICMP message of ours: only echo has somebody who cares, and ping.c registers
 * for it.
 */
static bool icmp_error(struct net *net, const struct sk_buff *skb, const struct ip4_header *inner,
		       const struct icmp_error *error) NEEDS_NET_LOCK
{
	struct icmp_state *state = icmp_state(net);

	return state->echo_error && state->echo_error(net, skb, inner, error);
}

static const struct ip4_protocol icmp_protocol = {
	.protocol = IPPROTO_ICMP,
	.receive = icmp_receive,
	.error = icmp_error,
};

int icmp_init(struct net *net)
{
	net->state[NET_STATE_ICMP] = kzalloc(sizeof(struct icmp_state));
	if (!net->state[NET_STATE_ICMP])
		return -ENOMEM;
	return ip4_protocol_register(net, &icmp_protocol);
}

void icmp_destroy(struct net *net)
{
	kfree(net->state[NET_STATE_ICMP]);
	net->state[NET_STATE_ICMP] = NULL;
}
