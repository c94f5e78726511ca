/* Fast Open on the side of the server, and its socket options: tcp_fastopen.h. */
#include "net/tcp/tcp_fastopen.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/lib/siphash.h"
#include "kernel/string.h"
#include "net/tcp/tcp_state.h"

#define COOKIE_LENGTH 8 /* bytes of a cookie of ours: one SipHash */

/* ---- The server: RFC 7413 4.1.2, 4.2.2 ---- */

/* SipHash of both addresses as a packet of the client's has them: the same that Linux gives. */
static void make_cookie(struct net *net, const struct tcp_segment *segment,
			struct tcp_options *options)
{
	const be32 addresses[] = {cpu_to_be32(segment->remote.addr.v4),
				  cpu_to_be32(segment->local.addr.v4)};
	uint64_t cookie = siphash(tcp_of(net)->secrets.fastopen, addresses, sizeof(addresses));

	options->fastopen_length = COOKIE_LENGTH;
	memcpy(options->fastopen, &cookie, COOKIE_LENGTH);
}

static bool cookie_is_good(struct net *net, const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	struct tcp_options right;

	if (tcp_fastopen_enabled(net, TCP_FASTOPEN_SERVER_WITHOUT_COOKIE))
		return true;
	make_cookie(net, segment, &right);
	return segment->options.fastopen_length == COOKIE_LENGTH &&
	       memcmp(segment->options.fastopen, right.fastopen, COOKIE_LENGTH) == 0;
}

/* The child has the SYN's data before the handshake is over. Owns skb. */
static bool accept_data(struct tcp_socket *listener, struct tcp_segment *segment,
			struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct tcp_request request;
	struct tcp_socket *child;

	tcp_request_fill(&request, listener, segment);
	request.iss = tcp_secret_iss(skb->net, &segment->local, &segment->remote);
	child = tcp_child_create(listener, &request, segment, TCP_SYN_RECV);
	if (!child)
		return false;

	struct socket *held = socket_get(&child->inet.socket);

	/* The SYN itself is not acknowledged yet; Nagle's algorithm does not wait for that. */
	child->snd_una = child->small_sent = request.iss;
	child->fastopen_passive = true;
	child->fastopen_data_acked = segment->payload > 0;
	listener->listen->fastopen_pending++;
	tcp_count_extra(skb->net, TCP_EXTRA_FASTOPEN_PASSIVE);
	tcp_pass_syn(segment);
	tcp_receive_text(child, segment, skb);
	if (child->state != TCP_CLOSE)
		tcp_send_syn_ack(child);
	socket_put(held);
	return true;
}

/* A cookie for the next time goes with the SYN-ACK of an ordinary handshake. */
static void give_cookie(struct tcp_socket *listener,
			const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	struct net *net = tcp_net(listener);
	struct tcp_options cookie = {
		.has_fastopen = true,
		.fastopen_experimental = segment->options.fastopen_experimental,
	};

	make_cookie(net, segment, &cookie);
	tcp_count_extra(net, TCP_EXTRA_FASTOPEN_COOKIES_REQUESTED);
	tcp_request_open(listener, segment, &cookie);
}

bool tcp_fastopen_accept(struct tcp_socket *listener, struct tcp_segment *segment,
			 struct sk_buff *skb)
{
	const struct tcp_listener *listen = listener->listen;

	if (!tcp_fastopen_enabled(skb->net, TCP_FASTOPEN_SERVER) || !listen->fastopen_backlog)
		return false;
	if (segment->options.fastopen_length == 0 || !cookie_is_good(skb->net, segment)) {
		if (segment->options.fastopen_length)
			tcp_count_extra(skb->net, TCP_EXTRA_FASTOPEN_PASSIVE_FAILED);
		give_cookie(listener, segment);
		skb_free(skb);
		return true;
	}
	if (listen->fastopen_pending >= listen->fastopen_backlog)
		return false;
	return accept_data(listener, segment, skb);
}

/* ---- Options ---- */

int tcp_fastopen_setsockopt(struct tcp_socket *tcp, int option, int number)
{
	switch (option) {
	case TCP_FASTOPEN:
		if (number < 0)
			return -EINVAL;
		tcp->fastopen_backlog = (uint32_t)number;
		if (tcp->state == TCP_LISTEN)
			tcp->listen->fastopen_backlog = (uint32_t)number;
		return 0;
	case TCP_FASTOPEN_CONNECT:
		if (!tcp_fastopen_enabled(tcp_net(tcp), TCP_FASTOPEN_CLIENT))
			return -EOPNOTSUPP;
		if (number < 0 || number > 1 || tcp->state != TCP_CLOSE)
			return -EINVAL;
		tcp->fastopen_connect = number;
		return 0;
	case TCP_FASTOPEN_NO_COOKIE:
		if (number < 0 || number > 1)
			return -EINVAL;
		tcp->fastopen_no_cookie = number;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int tcp_fastopen_getsockopt(const struct tcp_socket *tcp, int option, int32_t *number)
{
	switch (option) {
	case TCP_FASTOPEN:
		*number = (int32_t)tcp->fastopen_backlog;
		return 0;
	case TCP_FASTOPEN_CONNECT:
		*number = tcp->fastopen_connect;
		return 0;
	case TCP_FASTOPEN_NO_COOKIE:
		*number = tcp->fastopen_no_cookie;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}
