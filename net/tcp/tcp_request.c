/*
 * Half-open connections: SYN-RECEIVED in 128 bytes (RFC 9293 3.10.7.4 in that state; RFC 4987). The
 * SYN-ACK is sent again after 1, 2, 4 ... seconds: requests that wait equally long stand in one
 * list in order of time.
 */
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "net/ipv4/ipv4.h"
#include "net/tcp/tcp_cookie.h"
#include "net/tcp/tcp_reply.h"
#include "net/tcp/tcp_state.h"

_Static_assert(sizeof(struct tcp_request) <= 128, "a half-open connection is to be cheap");

/* ---- Waiting ---- */

static void arm(struct tcp_requests *requests) NEEDS_NET_LOCK
{
	uint64_t first_us = TIME_NEVER;

	for (uint32_t i = 0; i <= TCP_REQUEST_RETRIES; i++) {
		if (list_empty(&requests->waiting[i]))
			continue;
		first_us = MIN(first_us, (uint64_t)list_first_entry(&requests->waiting[i],
								    struct tcp_request, due)
						 ->due_us);
	}
	if (first_us != TIME_NEVER)
		net_timer_arm(requests->net, &requests->timer, first_us);
}

static void wait_again(struct tcp_requests *requests, struct tcp_request *request) NEEDS_NET_LOCK
{
	uint64_t pause_us = TCP_RTO_INITIAL_US << request->retries;

	list_remove(&request->due);
	request->due_us = net_batch_time(requests->net) + pause_us;
	list_append(&requests->waiting[request->retries], &request->due);
	if (!timer_armed(&requests->timer) || requests->timer.when_us > request->due_us)
		net_timer_arm(requests->net, &requests->timer, request->due_us);
}

void tcp_request_drop(struct tcp_request *request)
{
	struct tcp_socket *listener = request->listener;

	hash_table_remove(&tcp_of(tcp_net(listener))->requests.table, &request->node);
	list_remove(&request->due);
	listener->listen->requests--;
	kfree(request);
}

/* TCP_DEFER_ACCEPT: the process wants to hear of connections that have data, for so long. */
static bool may_defer(const struct tcp_request *request)
{
	uint32_t waited_s = (1u << request->retries) - 1;

	return waited_s < request->listener->defer_accept_s;
}

static void time_out(struct tcp_requests *requests, struct tcp_request *request) NEEDS_NET_LOCK
{
	if (request->retries >= tcp_of(requests->net)->settings.tcp_synack_retries) {
		tcp_count(requests->net, TCP_STAT_ATTEMPT_FAILS);
		tcp_request_drop(request);
		return;
	}
	if (!request->acked || !may_defer(request)) {
		tcp_count(requests->net, TCP_STAT_RETRANSMITTED);
		tcp_count_extra(requests->net, TCP_EXTRA_SYN_RETRANSMITS);
		tcp_request_answer(request, NULL);
	}
	request->retries++;
	wait_again(requests, request);
}

static void expired(struct timer *timer) NEEDS_NET_LOCK
{
	struct tcp_requests *requests = container_of(timer, struct tcp_requests, timer);
	uint64_t now_us = net_batch_time(requests->net);

	/* From the last list on, so that what moves up is not seen twice. */
	for (int i = TCP_REQUEST_RETRIES; i >= 0; i--) {
		while (!list_empty(&requests->waiting[i])) {
			struct tcp_request *first = list_first_entry(&requests->waiting[i],
								     struct tcp_request, due);

			if (first->due_us > now_us)
				break;
			time_out(requests, first);
		}
	}
	arm(requests);
}

void tcp_requests_init(struct net *net, struct tcp_requests *requests)
{
	requests->net = net;
	timer_init(&requests->timer, expired);
	for (uint32_t i = 0; i <= TCP_REQUEST_RETRIES; i++)
		list_init(&requests->waiting[i]);
}

/* All listeners are closed. */
void tcp_requests_free(struct tcp_requests *requests)
{
	net_timer_cancel(requests->net, &requests->timer);
	hash_table_free(&requests->table);
}

void tcp_requests_forget(struct tcp_requests *requests, const struct tcp_socket *listener)
{
	struct tcp_request *request;

	if (listener->listen->requests == 0)
		return;
	hash_table_for_each_safe(request, &requests->table, node) {
		if (request->listener == listener)
			tcp_request_drop(request);
	}
}

struct tcp_request *tcp_request_find(const struct tcp_requests *requests, uint32_t hash,
				     const struct endpoint *local, const struct endpoint *remote)
{
	struct tcp_request *request;

	hash_table_for_each(request, &requests->table, hash, node) {
		if (request->local.port == local->port && request->remote.port == remote->port &&
		    net_addr_equal(&request->remote.addr, &remote->addr) &&
		    net_addr_equal(&request->local.addr, &local->addr))
			return request;
	}
	return NULL;
}

/* ---- A SYN ---- */

void tcp_request_fill(struct tcp_request *request, struct tcp_socket *listener,
		      const struct tcp_segment *segment)
{
	const struct tcp_settings *settings = &tcp_of(tcp_net(listener))->settings;
	const struct tcp_options *options = &segment->options;
	uint32_t window;
	uint8_t scale;

	*request = (struct tcp_request){
		.local = segment->local,
		.remote = segment->remote,
		.listener = listener,
		.irs = segment->seq,
		.mss = (uint16_t)MAX(options->mss ? options->mss : TCP_MSS_DEFAULT, TCP_MSS_FLOOR),
		.window = segment->header.window,
		.has_wscale = options->has_window_scale && settings->tcp_window_scaling,
		.has_sack = options->sack_permitted && settings->tcp_sack,
		.has_timestamps = options->has_timestamps && settings->tcp_timestamps,
		.has_ecn = tcp_ecn_accepted(listener, segment),
		.ts_recent = options->ts_value,
	};
	list_init(&request->due);
	tcp_choose_window_scale(listener, request->has_wscale, &window, &scale);
	request->rcv_wscale = scale & 15;
	request->snd_wscale = request->has_wscale ? options->window_scale & 15 : 0;
}

/* The MSS that we take: by the way to the peer. */
static uint16_t mss_option(const struct tcp_request *request) NEEDS_NET_LOCK
{
	const struct tcp_socket *listener = request->listener;
	const struct inet_socket *inet = &listener->inet;
	struct inet_route route;

	if (inet->family->route(tcp_net(listener), request->remote.addr, request->local.addr,
				inet->socket.bound_ifindex, &route))
		return TCP_MSS_DEFAULT;
	return tcp_mss_to_advertise(tcp_net(listener), &route, listener->user_mss);
}

/* RCV.WND, before it is scaled. */
static uint32_t offered_window(const struct tcp_request *request) NEEDS_NET_LOCK
{
	const struct tcp_socket *listener = request->listener;
	uint32_t window;
	uint8_t scale;

	tcp_choose_window_scale(listener, request->has_wscale, &window, &scale);
	return window;
}

void tcp_request_answer(const struct tcp_request *request, const struct tcp_options *fastopen)
{
	struct tcp_socket *listener = request->listener;
	struct net *net = tcp_net(listener);
	struct tcp_reply reply = {
		.local = request->local,
		.remote = request->remote,
		.seq = request->iss,
		.ack = request->irs + 1,
		.flags = (uint8_t)(TCP_SYN | TCP_ACK | (request->has_ecn ? TCP_ECE : 0)),
		.window = (uint16_t)offered_window(request),
		.tos = listener->inet.tos,
		.ifindex = listener->inet.socket.bound_ifindex,
	};

	reply.options = (struct tcp_options){
		.mss = mss_option(request),
		.has_window_scale = request->has_wscale,
		.window_scale = request->rcv_wscale,
		.sack_permitted = request->has_sack,
		.has_timestamps = request->has_timestamps,
		.ts_echo = request->ts_recent,
	};
	if (request->has_timestamps)
		reply.options.ts_value = tcp_cookie_timestamp(net, request, request->by_cookie);
	if (fastopen) {
		reply.options.has_fastopen = true;
		reply.options.fastopen_experimental = fastopen->fastopen_experimental;
		reply.options.fastopen_length = fastopen->fastopen_length;
		__builtin_memcpy(reply.options.fastopen, fastopen->fastopen,
				 sizeof(fastopen->fastopen));
	}
	tcp_send_reply(net, listener->inet.family, &reply);
}

static uint32_t choose_iss(const struct tcp_socket *listener,
			   const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	uint32_t iss = tcp_secret_iss(tcp_net(listener), &segment->local, &segment->remote);

	/* RFC 6191: above everything that the connection before sent. */
	if (segment->follows_timewait && !seq_after(iss, segment->iss_above))
		iss = segment->iss_above + UINT16_MAX + 2;
	return iss;
}

/* Too many half-open ones, of this listener or of all: then only cookies. */
static bool is_flooded(const struct tcp_socket *listener) NEEDS_NET_LOCK
{
	const struct tcp_state_of_net *state = tcp_of(tcp_net(listener));
	uint32_t most = (uint32_t)state->settings.tcp_max_syn_backlog;

	if (state->settings.tcp_syncookies == 2) /* always, for tests */
		return true;
	return listener->listen->requests > listener->listen->backlog ||
	       state->requests.table.count >= most;
}

/* In the tables, and answered. False: no memory. */
static bool enter(struct tcp_requests *requests, const struct tcp_request *filled,
		  const struct tcp_options *fastopen) NEEDS_NET_LOCK
{
	struct tcp_request *request = kmalloc(sizeof(*request));
	uint32_t hash = tcp_table_hash(&tcp_of(requests->net)->table, &filled->local,
				       &filled->remote);

	if (!request)
		return false;
	*request = *filled;
	list_init(&request->due);
	if (hash_table_insert(&requests->table, &request->node, hash)) {
		kfree(request);
		return false;
	}
	request->listener->listen->requests++;
	tcp_request_answer(request, fastopen);
	wait_again(requests, request);
	return true;
}

/* RFC 9293 3.9.2.3, MUST-63: IP has refused impossible sources. */
void tcp_request_open(struct tcp_socket *listener, const struct tcp_segment *segment,
		      const struct tcp_options *fastopen)
{
	struct net *net = tcp_net(listener);
	struct tcp_request request;

	tcp_request_fill(&request, listener, segment);
	request.iss = choose_iss(listener, segment);
	if (!is_flooded(listener) && enter(&tcp_of(net)->requests, &request, fastopen))
		return;
	if (tcp_of(net)->settings.tcp_syncookies) {
		tcp_cookie_send(&request);
		return;
	}
	tcp_count_extra(net, TCP_EXTRA_LISTEN_DROPS);
	net->drops[DROP_TCP_BACKLOG_FULL]++;
}

/* ---- A segment for a request ---- */

/* RFC 5961 7: what should not have come is answered now and then. */
static bool may_answer(struct tcp_request *request) NEEDS_NET_LOCK
{
	struct net *net = tcp_net(request->listener);
	uint32_t now_ms = (uint32_t)(net_batch_time(net) / USEC_PER_MSEC);
	uint32_t pause_ms = (uint32_t)tcp_of(net)->settings.tcp_invalid_ratelimit;

	if (request->answered_ms && now_ms - request->answered_ms < pause_ms) {
		tcp_count_extra(net, TCP_EXTRA_ACK_SKIPPED_SYN_RECEIVED);
		return false;
	}
	request->answered_ms = now_ms ? now_ms : 1;
	return true;
}

static void send_ack(const struct tcp_request *request) NEEDS_NET_LOCK
{
	struct net *net = tcp_net(request->listener);
	struct tcp_reply reply = {
		.local = request->local,
		.remote = request->remote,
		.seq = request->iss + 1,
		.ack = request->irs + 1,
		.flags = TCP_ACK,
		.window = (uint16_t)(offered_window(request) >> request->rcv_wscale),
		.options = {.has_timestamps = request->has_timestamps,
			    .ts_echo = request->ts_recent},
	};

	if (request->has_timestamps)
		reply.options.ts_value = tcp_cookie_timestamp(net, request, false);
	tcp_send_reply(net, request->listener->inet.family, &reply);
}

static void answer_with_ack(struct tcp_request *request) NEEDS_NET_LOCK
{
	if (may_answer(request))
		send_ack(request);
}

/* Of the window that the SYN-ACK offered. */
static bool in_window(const struct tcp_request *request, const struct tcp_segment *segment,
		      uint32_t length) NEEDS_NET_LOCK
{
	const struct tcp_socket *listener = request->listener;
	uint32_t window;
	uint8_t scale;

	tcp_choose_window_scale(listener, request->has_wscale, &window, &scale);
	return seq_acceptable(segment->seq, length, request->irs + 1, window);
}

/* Back to LISTEN, with a peer that has given it up. */
static void return_to_listen(struct tcp_request *request) NEEDS_NET_LOCK
{
	tcp_count(tcp_net(request->listener), TCP_STAT_ATTEMPT_FAILS);
	tcp_request_drop(request);
}

/* RFC 9293 3.10.7.4, second; RFC 5961 3.2: only the exact number is believed. MUST-11 */
static enum drop_reason receive_reset(struct tcp_request *request,
				      const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	struct net *net = tcp_net(request->listener);

	if (segment->seq == request->irs + 1) {
		return_to_listen(request);
		return DROP_TCP_RESET;
	}
	if (in_window(request, segment, 0) && may_answer(request) && tcp_challenge_allowed(net)) {
		tcp_count_extra(net, TCP_EXTRA_CHALLENGE_ACKS);
		send_ack(request);
	}
	return DROP_TCP_BAD_RESET;
}

/*
 * RFC 9293 3.10.7.4, fourth. The same SYN again: so the SYN-ACK was lost. Another one in the
 * window: the peer begins anew.
 */
static enum drop_reason receive_syn(struct tcp_request *request,
				    const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	if (segment->seq == request->irs && !(segment->flags & TCP_ACK)) {
		if (may_answer(request))
			tcp_request_answer(request, NULL);
		return DROP_TCP_DUPLICATE;
	}
	if (in_window(request, segment, 0))
		return_to_listen(request);
	else
		answer_with_ack(request);
	return DROP_TCP_BAD_SYN;
}

static bool is_old(const struct tcp_request *request, const struct tcp_segment *segment)
{
	return request->has_timestamps && segment->options.has_timestamps &&
	       seq_before(segment->options.ts_value, request->ts_recent);
}

/* RFC 9293 3.10.7.4, first; with old timestamps RFC 7323 5.3. DROP_NONE: it is right. */
static enum drop_reason check_sequence(struct tcp_request *request,
				       const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	if (is_old(request, segment))
		return DROP_TCP_OLD_TIMESTAMP;
	if (in_window(request, segment, segment->length))
		return DROP_NONE;
	return seq_upto(segment->seq + segment->length, request->irs + 1) ? DROP_TCP_DUPLICATE
									  : DROP_TCP_OUTSIDE_WINDOW;
}

/* Why the segment makes no connection of the request, or DROP_NONE: it does. */
static enum drop_reason examine(struct tcp_request *request,
				const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	enum drop_reason reason;

	if (segment->flags & TCP_RST)
		return receive_reset(request, segment);
	if (segment->flags & TCP_SYN)
		return receive_syn(request, segment);
	reason = check_sequence(request, segment);
	if (reason != DROP_NONE) {
		answer_with_ack(request);
		return reason;
	}
	if (!(segment->flags & TCP_ACK))
		return DROP_TCP_BAD_FLAGS;
	if (segment->ack != request->iss + 1) {
		tcp_reply_reset(tcp_net(request->listener), request->listener->inet.family,
				segment);
		return DROP_TCP_BAD_ACK;
	}
	return DROP_NONE;
}

/* RFC 6298 2.2: the handshake is the first measurement, unless the SYN-ACK was repeated. */
static void measure(struct tcp_socket *child, const struct tcp_request *request,
		    uint64_t now_us) NEEDS_NET_LOCK
{
	if (request->retries == 0)
		tcp_rtt_sample(child, (uint32_t)(now_us - (request->due_us - TCP_RTO_INITIAL_US)));
}

/* The third segment of the handshake. Owns skb. */
static void complete(struct tcp_request *request, struct tcp_segment *segment,
		     struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct tcp_socket *listener = request->listener, *child;

	if (tcp_accept_full(listener)) {
		if (tcp_of(skb->net)->settings.tcp_abort_on_overflow) {
			tcp_reply_reset(skb->net, listener->inet.family, segment);
			tcp_request_drop(request);
		} else {
			request->acked = true; /* the SYN-ACK goes on asking */
		}
		skb_drop(skb, DROP_TCP_ACCEPT_FULL);
		return;
	}
	child = tcp_child_create(listener, request, segment, TCP_ESTABLISHED);
	if (!child) {
		tcp_count_extra(skb->net, TCP_EXTRA_LISTEN_DROPS);
		skb_drop(skb, DROP_NO_MEMORY);
		return;
	}
	struct socket *held = socket_get(&child->inet.socket);

	measure(child, request, segment->now_us);
	tcp_request_drop(request);
	tcp_receive_segment(child, segment, skb);
	socket_put(held);
}

void tcp_request_receive(struct tcp_request *request, struct tcp_segment *segment,
			 struct sk_buff *skb)
{
	enum drop_reason reason = examine(request, segment);

	if (reason != DROP_NONE) { /* then the request may be gone */
		skb_drop(skb, reason);
		return;
	}
	if (segment->length == 0 && may_defer(request)) {
		request->acked = true;
		skb_free(skb);
		return;
	}
	complete(request, segment, skb);
}
