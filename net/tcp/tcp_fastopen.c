#include "net/tcp/tcp_fastopen.h"

#include "kernel/errno.h"
#include "kernel/lib/siphash.h"
#include "kernel/string.h"
#include "net/tcp/tcp_state.h"

#define COOKIE_LENGTH 8 /* bytes of a cookie of ours: one SipHash */
#define KEY_LENGTH 16

static bool enabled(struct net *net, int32_t which)
{
	return tcp_of(net)->settings.tcp_fastopen & which;
}

/* ---- The client: RFC 7413 4.1.3, 4.2.1 ---- */

static struct tcp_fastopen_cookie *find_cookie(struct net *net, const struct net_addr *server)
{
	struct tcp_fastopen_cache *cache = &tcp_of(net)->fastopen;

	for (uint32_t i = 0; i < TCP_FASTOPEN_CACHE; i++) {
		if (cache->entries[i].length && net_addr_equal(&cache->entries[i].server, server))
			return &cache->entries[i];
	}
	return NULL;
}

static struct tcp_fastopen_cookie *new_entry(struct net *net)
{
	struct tcp_fastopen_cache *cache = &tcp_of(net)->fastopen;

	return &cache->entries[cache->next++ % TCP_FASTOPEN_CACHE];
}

static bool without_cookie(const struct tcp_socket *tcp)
{
	return tcp->fastopen_no_cookie || enabled(tcp_net(tcp), TCP_FASTOPEN_CLIENT_WITHOUT_COOKIE);
}

bool tcp_fastopen_client(struct net *net)
{
	return enabled(net, TCP_FASTOPEN_CLIENT);
}

bool tcp_fastopen_takes_data(const struct tcp_socket *tcp, const struct endpoint *remote)
{
	return without_cookie(tcp) || find_cookie(tcp_net(tcp), &remote->addr);
}

bool tcp_fastopen_defers(struct tcp_socket *tcp, const struct endpoint *remote)
{
	if (!tcp->fastopen_connect || !enabled(tcp_net(tcp), TCP_FASTOPEN_CLIENT))
		return false;
	if (tcp->fastopen_remote.port)
		return false;
	if (!tcp_fastopen_takes_data(tcp, remote)) {
		tcp->fastopen_try = true; /* an ordinary connect that asks for a cookie */
		return false;
	}
	tcp->fastopen_remote = *remote;
	return true;
}

uint32_t tcp_fastopen_syn(struct tcp_socket *tcp, struct tcp_options *options)
{
	struct net *net = tcp_net(tcp);
	const struct tcp_fastopen_cookie *cookie = find_cookie(net, &tcp->inet.remote.addr);
	/* A SYN has more options than other segments, and is not to be fragmented. */
	uint32_t room = tcp->mss > TCP_OPTIONS_MAX ? tcp->mss - (uint32_t)TCP_OPTIONS_MAX : 0;

	if (!enabled(net, TCP_FASTOPEN_CLIENT))
		return 0;
	if (without_cookie(tcp)) {
		tcp_count_extra(net, TCP_EXTRA_FASTOPEN_ACTIVE);
		return room;
	}
	options->has_fastopen = true;
	options->fastopen_length = cookie ? cookie->length : 0;
	if (!cookie)
		return 0;
	memcpy(options->fastopen, cookie->bytes, cookie->length);
	tcp_count_extra(net, TCP_EXTRA_FASTOPEN_ACTIVE);
	return room;
}

void tcp_fastopen_answered(struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	struct net *net = tcp_net(tcp);
	struct tcp_fastopen_cookie *cookie = find_cookie(net, &tcp->inet.remote.addr);

	tcp->fastopen_remote = (struct endpoint){0};
	if (!segment->options.has_fastopen || !segment->options.fastopen_length)
		return;
	if (!cookie)
		cookie = new_entry(net);
	cookie->server = tcp->inet.remote.addr;
	cookie->length = segment->options.fastopen_length;
	memcpy(cookie->bytes, segment->options.fastopen, cookie->length);
}

/* ---- The server: RFC 7413 4.1.2, 4.2.2 ---- */

static void make_cookie(struct net *net, const struct net_addr *client, struct tcp_options *options)
{
	uint64_t cookie = siphash(tcp_of(net)->secrets.fastopen, &client->v4, sizeof(client->v4));

	options->fastopen_length = COOKIE_LENGTH;
	memcpy(options->fastopen, &cookie, COOKIE_LENGTH);
}

static bool cookie_is_good(struct net *net, const struct tcp_segment *segment)
{
	struct tcp_options right;

	if (enabled(net, TCP_FASTOPEN_SERVER_WITHOUT_COOKIE))
		return true;
	make_cookie(net, &segment->remote.addr, &right);
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
	struct tcp_options cookie = {.has_fastopen = true};

	make_cookie(net, &segment->remote.addr, &cookie);
	tcp_count_extra(net, TCP_EXTRA_FASTOPEN_COOKIES_REQUESTED);
	tcp_request_open(listener, segment, &cookie);
}

bool tcp_fastopen_accept(struct tcp_socket *listener, struct tcp_segment *segment,
			 struct sk_buff *skb)
{
	const struct tcp_listener *listen = listener->listen;

	if (!enabled(skb->net, TCP_FASTOPEN_SERVER) || !listen->fastopen_backlog)
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

int tcp_fastopen_set_key(struct tcp_socket *tcp, const void *value, uint32_t length)
{
	if (length != KEY_LENGTH)
		return -EINVAL;
	memcpy(tcp_of(tcp_net(tcp))->secrets.fastopen, value, KEY_LENGTH);
	return 0;
}
