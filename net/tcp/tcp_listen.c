/* Listeners, and the children that wait for accept; see tcp_listen.h. */
#include "net/tcp/tcp_listen.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_cookie.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_reply.h"
#include "net/tcp/tcp_state.h"

int tcp_listen_start(struct tcp_socket *tcp, int backlog)
{
	int error;

	if (tcp->state == TCP_LISTEN) {
		tcp->listen->backlog = (uint32_t)backlog;
		return 0;
	}
	tcp->listen = kzalloc(sizeof(*tcp->listen));
	if (!tcp->listen)
		return -ENOMEM;
	tcp->listen->tcp = tcp;
	tcp->listen->backlog = (uint32_t)backlog;
	tcp->listen->fastopen_backlog = tcp->fastopen_backlog;
	if (!tcp->fastopen_backlog &&
	    tcp_fastopen_enabled(tcp_net(tcp), TCP_FASTOPEN_SERVER_WITHOUT_OPTION))
		tcp->listen->fastopen_backlog = (uint32_t)MAX(backlog, 0);
	list_init(&tcp->listen->accept);
	error = tcp_table_enter_listener(tcp);
	if (error) {
		kfree(tcp->listen);
		tcp->listen = NULL;
		return error;
	}
	tcp->inet.socket.listening = true;
	tcp_set_state(tcp, TCP_LISTEN);
	return 0;
}

/* Nobody will accept it: the peer learns by a reset. As socket_close, which has no part in it. */
static void reset_child(struct tcp_socket *child) NEEDS_NET_LOCK
{
	struct socket *socket = &child->inet.socket;

	child->orphan = true;
	tcp_abort(child, ECONNRESET);
	tcp_table_unbind(child);
	tcp_memory_give(socket->net, socket->receive_queue.truesize);
	skb_queue_drop_all(&socket->receive_queue, DROP_SOCKET_CLOSED);
	socket->closed = true;
	socket_put(socket);
}

void tcp_listen_stop(struct tcp_socket *tcp)
{
	struct tcp_socket *child;

	tcp_requests_forget(&tcp_of(tcp_net(tcp))->requests, tcp);
	while ((child = tcp_accept_take(tcp)))
		reset_child(child);
	tcp_table_remove_listener(tcp);
	kfree(tcp->listen);
	tcp->listen = NULL;
}

struct tcp_socket *tcp_accept_take(struct tcp_socket *listener)
{
	struct tcp_listener *listen = listener->listen;

	if (list_empty(&listen->accept))
		return NULL;

	struct socket *socket = list_first_entry(&listen->accept, struct socket, link);

	list_remove(&socket->link);
	listen->accept_length--;
	listen->fastopen_pending -= tcp_socket(socket)->fastopen_passive;
	return tcp_socket(socket);
}

bool tcp_accept_full(struct tcp_socket *listener)
{
	/* One more than the backlog, as Linux counts: listen(fd, 0) still takes one. */
	if (listener->listen->accept_length <= listener->listen->backlog)
		return false;
	tcp_count_extra(tcp_net(listener), TCP_EXTRA_LISTEN_OVERFLOWS);
	return true;
}

/* ---- Children ---- */

static void set_sending(struct tcp_socket *child, const struct tcp_request *request)
{
	child->iss = request->iss;
	child->snd_una = child->snd_nxt = request->iss + 1;
	child->snd_up = child->push_end = child->small_sent = child->snd_una;
	child->snd_wl1 = request->irs;
	child->snd_wl2 = child->snd_una;
	child->snd_wnd = child->snd_wnd_max = request->window;
	child->snd_wscale = request->snd_wscale;
	child->peer_mss = request->mss;
	child->run_start = child->snd_una;
	tcp_stream_init(&child->stream, child->snd_una);
}

static void set_receiving(struct tcp_socket *child, const struct tcp_request *request,
			  const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	uint32_t window;
	uint8_t scale;

	child->irs = request->irs;
	child->rcv_nxt = child->copied_seq = child->last_ack_sent = request->irs + 1;
	tcp_choose_window_scale(child, request->has_wscale, &window, &scale);
	child->rcv_edge = child->rcv_nxt + window;
	child->rcv_wscale = request->rcv_wscale;
	child->has_wscale = request->has_wscale;
	child->has_sack = request->has_sack;
	child->has_timestamps = request->has_timestamps;
	child->has_ecn = request->has_ecn;
	child->ts_recent = request->ts_recent;
	child->ts_recent_us = segment->now_us;
	child->ts_offset = tcp_secret_timestamp_offset(tcp_net(child), &request->local,
						       &request->remote);
	child->last_receive_us = segment->now_us;
}

static void set_ends(struct tcp_socket *child, const struct tcp_request *request)
{
	child->inet.local = request->local;
	child->inet.remote = request->remote;
	child->inet.address_bound = true;
}

struct tcp_socket *tcp_child_create(struct tcp_socket *listener, const struct tcp_request *request,
				    const struct tcp_segment *segment, enum tcp_state state)
{
	struct socket *socket = socket_create_child(&listener->inet.socket);

	if (!socket)
		return NULL;

	struct tcp_socket *child = tcp_socket(socket);

	tcp_inherit_options(child, listener);
	set_ends(child, request);
	set_sending(child, request);
	set_receiving(child, request, segment);
	tcp_mtu_setup(child);
	tcp_receive_setup(child);
	tcp_recovery_setup(child);
	tcp_congestion_start(child, request->retries);
	if (tcp_table_enter(child)) {
		socket->closed = true;
		socket_put(socket);
		return NULL;
	}
	tcp_tune_send_buffer(child);
	tcp_set_state(child, state);
	tcp_keepalive_restart(child);
	tcp_count(socket->net, TCP_STAT_PASSIVE_OPENS);
	list_append(&listener->listen->accept, &socket->link);
	listener->listen->accept_length++;
	socket_wake(&listener->inet.socket, POLLIN | POLLRDNORM);
	return child;
}

/* ---- A segment for a listener: RFC 9293 3.10.7.2 ---- */

/* Second, check for an ACK: only a cookie of ours makes sense here. Owns skb. */
static void receive_ack(struct tcp_socket *listener, struct tcp_segment *segment,
			struct sk_buff *skb) NEEDS_NET_LOCK
{
	enum drop_reason why = DROP_TCP_BAD_ACK;
	struct tcp_socket *child = NULL;

	if (!(segment->flags & TCP_SYN))
		child = tcp_cookie_check(listener, segment, &why);
	if (!child) {
		if (why == DROP_TCP_BAD_ACK || why == DROP_TCP_BAD_COOKIE)
			tcp_reply_reset(skb->net, listener->inet.family, segment);
		skb_drop(skb, why);
		return;
	}
	struct socket *held = socket_get(&child->inet.socket);

	tcp_receive_segment(child, segment, skb);
	socket_put(held);
}

/* Third, check for a SYN. Owns skb. */
static void receive_syn(struct tcp_socket *listener, struct tcp_segment *segment,
			struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (tcp_accept_full(listener)) {
		tcp_count_extra(skb->net, TCP_EXTRA_LISTEN_DROPS);
		skb_drop(skb, DROP_TCP_ACCEPT_FULL);
		return;
	}
	if (segment->options.has_fastopen && tcp_fastopen_accept(listener, segment, skb))
		return;
	tcp_request_open(listener, segment, NULL);
	skb_free(skb); /* data behind a SYN will come again */
}

void tcp_listen_receive(struct tcp_socket *listener, struct tcp_segment *segment,
			struct sk_buff *skb)
{
	if (segment->flags & TCP_RST) /* first */
		skb_drop(skb, DROP_TCP_BAD_RESET);
	else if (segment->flags & TCP_ACK)
		receive_ack(listener, segment, skb);
	else if (segment->flags & TCP_SYN && !(segment->flags & TCP_FIN))
		receive_syn(listener, segment, skb);
	else /* fourth */
		skb_drop(skb, DROP_TCP_BAD_FLAGS);
}
