#include "net/tcp/tcp_reply.h"

#include "net/core/checksum.h"
#include "net/tcp/tcp_state.h"

void tcp_send_reply(struct net *net, const struct inet_family *family,
		    const struct tcp_reply *reply)
{
	struct sk_buff *skb = skb_alloc(net, SKB_HEADROOM + TCP_HEADER_MAX);
	const struct tcp_header header = {
		.source = reply->local.port,
		.destination = reply->remote.port,
		.seq = reply->seq,
		.ack = reply->ack,
		.flags = reply->flags,
		.window = reply->window,
	};
	const struct inet_send how = {
		.source = reply->local.addr,
		.destination = reply->remote.addr,
		.protocol = IPPROTO_TCP,
		.tos = reply->tos,
		.dont_fragment = true,
		.ifindex = reply->ifindex,
	};

	if (!skb)
		return;
	skb_reserve(skb, SKB_HEADROOM);
	skb_put(skb, TCP_HEADER_MIN + tcp_options_length(&reply->options));
	tcp_emit(&header, &reply->options, skb->data);

	uint32_t sum = family->pseudo_sum(how.source, how.destination, IPPROTO_TCP, skb->len);
	be16 checksum = checksum_fold(skb_checksum_add(skb, 0, skb->len, sum));

	__builtin_memcpy(skb->data + TCP_CHECKSUM_AT, &checksum, sizeof(checksum));
	tcp_count(net, TCP_STAT_OUT_SEGMENTS);
	if (reply->flags & TCP_RST)
		tcp_count(net, TCP_STAT_OUT_RESETS);
	family->send(net, skb, &how);
}

/* RFC 9293 3.5.2, groups 1 and 2; 3.10.7.1 */
void tcp_reply_reset(struct net *net, const struct inet_family *family,
		     const struct tcp_segment *segment)
{
	struct tcp_reply reply = {
		.local = segment->local,
		.remote = segment->remote,
		.flags = TCP_RST,
	};

	if (segment->flags & TCP_RST)
		return;
	if (segment->flags & TCP_ACK) {
		reply.seq = segment->ack;
	} else {
		reply.flags |= TCP_ACK;
		reply.ack = segment->seq + segment->length;
	}
	tcp_send_reply(net, family, &reply);
}
