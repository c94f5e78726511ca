#include "net/tcp/tcp_timewait.h"

#include "kernel/mm/kmalloc.h"
#include "net/ipv4/ipv4.h"
#include "net/tcp/tcp_reply.h"
#include "net/tcp/tcp_state.h"

#define REUSE_AFTER_US USEC_PER_SEC /* tcp_tw_reuse: the timestamps must have moved on */

_Static_assert(sizeof(struct tcp_timewait) <= 128, "TIME-WAIT is to be cheap");

static void end_timewait(struct tcp_timewaits *timewaits, struct tcp_timewait *timewait)
{
	hash_table_remove(&timewaits->table, &timewait->node);
	list_remove(&timewait->due);
	timewaits->count--;
	kfree(timewait);
}

static struct tcp_timewait *oldest(const struct tcp_timewaits *timewaits)
{
	return list_empty(&timewaits->waiting)
		       ? NULL
		       : list_first_entry(&timewaits->waiting, struct tcp_timewait, due);
}

static void arm_for_oldest(struct tcp_timewaits *timewaits) NEEDS_NET_LOCK
{
	const struct tcp_timewait *first = oldest(timewaits);

	if (first && !timer_armed(&timewaits->timer))
		net_timer_arm(timewaits->net, &timewaits->timer, first->due_us);
}

static void expired(struct timer *timer) NEEDS_NET_LOCK
{
	struct tcp_timewaits *timewaits = container_of(timer, struct tcp_timewaits, timer);
	uint64_t now_us = net_batch_time(timewaits->net);
	struct tcp_timewait *timewait;

	while ((timewait = oldest(timewaits)) && timewait->due_us <= now_us) {
		tcp_count_extra(timewaits->net, TCP_EXTRA_TIME_WAITS);
		end_timewait(timewaits, timewait);
	}
	arm_for_oldest(timewaits);
}

void tcp_timewaits_init(struct net *net, struct tcp_timewaits *timewaits)
{
	timewaits->net = net;
	list_init(&timewaits->waiting);
	timer_init(&timewaits->timer, expired);
}

void tcp_timewaits_free(struct tcp_timewaits *timewaits)
{
	struct tcp_timewait *timewait;

	while ((timewait = oldest(timewaits)))
		end_timewait(timewaits, timewait);
	net_timer_cancel(timewaits->net, &timewaits->timer);
	hash_table_free(&timewaits->table);
}

/* The full time begins again: RFC 9293 3.10.7.4, eighth, in TIME-WAIT. RFC 9293 3.6.1, MUST-13. */
static void restart(struct tcp_timewaits *timewaits, struct tcp_timewait *timewait) NEEDS_NET_LOCK
{
	list_remove(&timewait->due);
	list_append(&timewaits->waiting, &timewait->due);
	timewait->due_us = net_batch_time(timewaits->net) + TCP_TIME_WAIT_US;
	arm_for_oldest(timewaits);
}

void tcp_timewait_enter(struct tcp_socket *tcp)
{
	struct tcp_state_of_net *state = tcp_of(tcp_net(tcp));
	struct tcp_timewaits *timewaits = &state->timewaits;
	struct tcp_timewait *timewait;

	if (timewaits->count >= (uint32_t)state->settings.tcp_max_tw_buckets)
		return;
	timewait = kzalloc(sizeof(*timewait));
	if (!timewait)
		return;
	timewait->local = tcp->inet.local;
	timewait->remote = tcp->inet.remote;
	timewait->snd_nxt = tcp->snd_nxt;
	timewait->rcv_nxt = tcp->rcv_nxt;
	timewait->has_timestamps = tcp->has_timestamps;
	timewait->ts_recent = tcp->ts_recent;
	timewait->ts_offset = tcp->ts_offset;
	timewait->window = (uint16_t)MIN((tcp->rcv_edge - tcp->rcv_nxt) >> tcp->rcv_wscale,
					 UINT16_MAX);
	timewait->rcv_wscale = tcp->rcv_wscale;
	timewait->tos = tcp->inet.tos;
	list_init(&timewait->due);
	if (hash_table_insert(&timewaits->table, &timewait->node,
			      tcp_table_hash(&state->table, &timewait->local, &timewait->remote))) {
		kfree(timewait);
		return;
	}
	timewaits->count++;
	restart(timewaits, timewait);
}

struct tcp_timewait *tcp_timewait_find(const struct tcp_timewaits *timewaits, uint32_t hash,
				       const struct endpoint *local, const struct endpoint *remote)
{
	struct tcp_timewait *timewait;

	hash_table_for_each(timewait, &timewaits->table, hash, node) {
		if (timewait->local.port == local->port && timewait->remote.port == remote->port &&
		    net_addr_equal(&timewait->remote.addr, &remote->addr) &&
		    net_addr_equal(&timewait->local.addr, &local->addr))
			return timewait;
	}
	return NULL;
}

static uint32_t timestamp_now(const struct tcp_timewait *timewait, uint64_t now_us)
{
	return (uint32_t)(now_us / USEC_PER_MSEC) + timewait->ts_offset;
}

static void acknowledge(struct net *net, const struct tcp_timewait *timewait,
			uint64_t now_us) NEEDS_NET_LOCK
{
	tcp_send_reply(net, &ip4_inet_family,
		       &(struct tcp_reply){
			       .local = timewait->local,
			       .remote = timewait->remote,
			       .seq = timewait->snd_nxt,
			       .ack = timewait->rcv_nxt,
			       .flags = TCP_ACK,
			       .window = timewait->window,
			       .tos = timewait->tos,
			       .options = {.has_timestamps = timewait->has_timestamps,
					   .ts_value = timestamp_now(timewait, now_us),
					   .ts_echo = timewait->ts_recent},
		       });
}

/*
 * RFC 6191: a SYN that is surely newer than all of the old connection: by its timestamp, or by its
 * sequence number (RFC 1122 4.2.2.13).
 * RFC 9293 3.6.1, SHLD-4.
 */
static bool may_begin_anew(const struct tcp_timewait *timewait, const struct tcp_segment *segment)
{
	if ((segment->flags & (TCP_SYN | TCP_RST | TCP_ACK | TCP_FIN)) != TCP_SYN)
		return false;
	if (timewait->has_timestamps && segment->options.has_timestamps &&
	    segment->options.ts_value != timewait->ts_recent)
		return seq_after(segment->options.ts_value, timewait->ts_recent);
	return seq_after(segment->seq, timewait->rcv_nxt);
}

static bool is_old(const struct tcp_timewait *timewait, const struct tcp_segment *segment)
{
	return timewait->has_timestamps && segment->options.has_timestamps &&
	       seq_before(segment->options.ts_value, timewait->ts_recent);
}

/* Now and then: two ends in TIME-WAIT could go on answering each other for ever. */
static bool may_answer(struct net *net, struct tcp_timewait *timewait,
		       const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	uint32_t now_ms = (uint32_t)(segment->now_us / USEC_PER_MSEC);
	uint32_t pause_ms = (uint32_t)tcp_of(net)->settings.tcp_invalid_ratelimit;

	/* What brings text or a FIN is no answer to an answer. */
	if (segment->length && !(segment->flags & TCP_SYN))
		return true;
	if (timewait->answered_ms && now_ms - timewait->answered_ms < pause_ms) {
		tcp_count_extra(net, TCP_EXTRA_ACK_SKIPPED_TIME_WAIT);
		return false;
	}
	timewait->answered_ms = now_ms ? now_ms : 1;
	return true;
}

static void answer(struct net *net, struct tcp_timewait *timewait,
		   const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	if (may_answer(net, timewait, segment))
		acknowledge(net, timewait, segment->now_us);
}

/*
 * RFC 1337, fix 1: a reset does not shorten TIME-WAIT. Without it (tcp_rfc1337) a right one does.
 */
static enum drop_reason receive_reset(struct net *net, struct tcp_timewait *timewait,
				      const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	const struct tcp_state_of_net *state = tcp_of(net);

	if (state->settings.tcp_rfc1337 || segment->seq != timewait->rcv_nxt)
		return DROP_TCP_BAD_RESET;
	end_timewait(&tcp_of(net)->timewaits, timewait);
	return DROP_TCP_RESET;
}

/* RFC 9293 3.10.7.4, first. DROP_NONE: the segment lies in the window. */
static enum drop_reason check_sequence(const struct tcp_timewait *timewait,
				       const struct tcp_segment *segment)
{
	uint32_t window = (uint32_t)timewait->window << timewait->rcv_wscale;
	uint32_t end = segment->seq + segment->length;

	if (seq_acceptable(segment->seq, segment->length, timewait->rcv_nxt, window))
		return DROP_NONE;
	return seq_upto(end, timewait->rcv_nxt) ? DROP_TCP_DUPLICATE : DROP_TCP_OUTSIDE_WINDOW;
}

/* What the segment is, and whether it has an answer: all but what lacks ACK, or is nothing else. */
static enum drop_reason judge(const struct tcp_timewait *timewait,
			      const struct tcp_segment *segment, bool *answered)
{
	enum drop_reason reason = check_sequence(timewait, segment);

	*answered = true;
	if (segment->flags & TCP_SYN)
		return DROP_TCP_BAD_SYN;
	if (reason != DROP_NONE)
		return reason;
	*answered = segment->flags & TCP_ACK && segment->length;
	if (!(segment->flags & TCP_ACK))
		return DROP_TCP_BAD_FLAGS;
	return segment->length ? DROP_TCP_AFTER_CLOSE : DROP_TCP_DUPLICATE;
}

/* RFC 9293 3.10.7.4 in TIME-WAIT. Answers it, and says why it is dropped. */
static enum drop_reason examine(struct net *net, struct tcp_timewait *timewait,
				const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	enum drop_reason reason;
	bool answered;

	if (segment->flags & TCP_RST)
		return receive_reset(net, timewait, segment);
	if (is_old(timewait, segment)) {
		tcp_count_extra(net, TCP_EXTRA_PAWS_REJECTED);
		answer(net, timewait, segment);
		return DROP_TCP_OLD_TIMESTAMP;
	}
	if (segment->flags & TCP_FIN && segment->seq + segment->length == timewait->rcv_nxt)
		restart(&tcp_of(net)->timewaits, timewait);
	reason = judge(timewait, segment, &answered);
	if (answered)
		answer(net, timewait, segment);
	return reason;
}

void tcp_timewait_receive(struct tcp_timewait *timewait, struct tcp_segment *segment,
			  struct sk_buff *skb, struct tcp_socket *listener)
{
	struct net *net = skb->net;
	struct tcp_timewaits *timewaits = &tcp_of(net)->timewaits;

	if (listener && may_begin_anew(timewait, segment)) {
		uint32_t iss_above = timewait->snd_nxt;

		tcp_count_extra(net, TCP_EXTRA_TIME_WAITS_RECYCLED);
		end_timewait(timewaits, timewait);
		segment->iss_above = iss_above;
		segment->follows_timewait = true;
		tcp_listen_receive(listener, segment, skb);
		return;
	}
	skb_drop(skb, examine(net, timewait, segment));
}

static bool reusable(struct net *net, const struct tcp_timewait *timewait) NEEDS_NET_LOCK
{
	int32_t allowed = tcp_of(net)->settings.tcp_tw_reuse; /* 2: on this host alone */
	uint64_t began_us = timewait->due_us - TCP_TIME_WAIT_US;

	if (!allowed || !timewait->has_timestamps)
		return false;
	if (allowed == 2 && !ip4_is_loopback(timewait->remote.addr.v4))
		return false;
	return net_batch_time(net) - began_us > REUSE_AFTER_US;
}

bool tcp_timewait_reuse(struct net *net, uint32_t hash, const struct endpoint *local,
			const struct endpoint *remote, uint32_t *iss_above)
{
	struct tcp_timewaits *timewaits = &tcp_of(net)->timewaits;
	struct tcp_timewait *timewait = tcp_timewait_find(timewaits, hash, local, remote);

	if (!timewait || !reusable(net, timewait))
		return false;
	*iss_above = timewait->snd_nxt;
	end_timewait(timewaits, timewait);
	return true;
}
