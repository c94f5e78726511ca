/*
 * SYN-SENT: a segment arrives there (RFC 9293 3.10.7.3), what its SYN tells, and the end of the
 * handshake.
 */
#include "kernel/errno.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_reply.h"
#include "net/tcp/tcp_state.h"

static bool drop(struct sk_buff *skb, enum drop_reason reason)
{
	skb_drop(skb, reason);
	return false;
}

/* ---- What a SYN tells: RFC 9293 3.7.1, RFC 7323 2 and 3, RFC 2018 2 ---- */

static void learn_options(struct tcp_socket *tcp, const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	const struct tcp_settings *settings = &tcp_of(tcp_net(tcp))->settings;
	const struct tcp_options *options = &segment->options;

	tcp->peer_mss = MAX(options->mss ? options->mss : TCP_MSS_DEFAULT, TCP_MSS_FLOOR);
	tcp->has_wscale = options->has_window_scale && settings->tcp_window_scaling;
	tcp->snd_wscale = tcp->has_wscale ? options->window_scale : 0;
	if (!tcp->has_wscale)
		tcp->rcv_wscale = 0;
	tcp->has_sack = options->sack_permitted && settings->tcp_sack;
	tcp->has_timestamps = options->has_timestamps && settings->tcp_timestamps;
	if (tcp->has_timestamps) {
		tcp->ts_recent = options->ts_value;
		tcp->ts_recent_us = segment->now_us;
	}
}

static void learn_syn(struct tcp_socket *tcp, const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	uint32_t window = tcp->rcv_edge - tcp->rcv_nxt;

	tcp->irs = segment->seq;
	tcp->rcv_nxt = segment->seq + 1;
	tcp->copied_seq = tcp->rcv_nxt;
	tcp->last_ack_sent = tcp->rcv_nxt;
	tcp->rcv_edge = tcp->rcv_nxt + window;
	learn_options(tcp, segment);
	tcp->snd_wnd = tcp->snd_wnd_max = segment->header.window; /* never scaled in a SYN */
	tcp->snd_wl1 = segment->seq;
	tcp->snd_wl2 = segment->ack;
	tcp_mtu_setup(tcp);
	tcp->has_ecn = tcp_ecn_agreed(tcp, segment);
	tcp_receive_setup(tcp);
}

void tcp_become_established(struct tcp_socket *tcp)
{
	tcp_congestion_start(tcp, tcp->rtt.backoff);
	tcp->rtt.backoff = 0;
	tcp_tune_send_buffer(tcp);
	tcp_set_state(tcp, TCP_ESTABLISHED);
	tcp_keepalive_restart(tcp);
	if (tcp->fin_queued) { /* closed before it was open */
		tcp->fin_queued = false;
		tcp_close_sending(tcp);
	}
}

/* ---- A segment arrives ---- */

/* An echoed timestamp is one of ours: between the first SYN and now. RFC 7323 3.2 */
static bool echo_is_right(const struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	uint32_t echo = segment->options.ts_echo;

	if (!segment->options.has_timestamps || !echo)
		return true;
	return seq_from(echo, tcp_timestamp(tcp, tcp->last_receive_us)) &&
	       seq_upto(echo, tcp_timestamp(tcp, segment->now_us));
}

/* First, check the ACK bit. False: the packet is gone. */
static bool syn_sent_ack(struct tcp_socket *tcp, const struct tcp_segment *segment,
			 struct sk_buff *skb) NEEDS_NET_LOCK
{
	enum drop_reason reason = DROP_TCP_BAD_ACK;

	if (!(segment->flags & TCP_ACK))
		return true;
	if (seq_after(segment->ack, tcp->iss) && seq_upto(segment->ack, tcp->snd_nxt)) {
		if (echo_is_right(tcp, segment))
			return true;
		tcp_count_extra(skb->net, TCP_EXTRA_PAWS_ACTIVE_REJECTED);
		reason = DROP_TCP_OLD_TIMESTAMP;
	}
	tcp_reply_reset(skb->net, tcp->inet.family, segment);
	return drop(skb, reason);
}

/* Second, check the RST bit. */
static bool syn_sent_reset(struct tcp_socket *tcp, const struct tcp_segment *segment,
			   struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (!(segment->flags & TCP_RST))
		return true;
	if (!(segment->flags & TCP_ACK))
		return drop(skb, DROP_TCP_BAD_RESET);
	tcp_fail(tcp, ECONNREFUSED);
	return drop(skb, DROP_TCP_RESET);
}

/* Data of a Fast Open that the SYN-ACK did not take: it was not sent, as it were. */
static void take_back_unaccepted(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	tcp->fastopen_data_acked = tcp->snd_una != tcp->iss + 1 && tcp->snd_una == tcp->snd_nxt;
	tcp_scoreboard_free(tcp);
	tcp->snd_nxt = tcp->snd_una;
}

/* Fourth, check the SYN bit: our SYN is answered. */
static void syn_sent_answered(struct tcp_socket *tcp, struct tcp_segment *segment,
			      struct sk_buff *skb) NEEDS_NET_LOCK
{
	bool first_try = tcp->rtt.backoff == 0;

	learn_syn(tcp, segment);
	if (first_try)
		tcp_rtt_sample(tcp, (uint32_t)(segment->now_us - tcp->last_receive_us));
	tcp->recovery.first_timeout_us = 0;
	tcp_disarm(tcp);
	tcp->last_receive_us = segment->now_us;
	tcp->snd_una = segment->ack;
	tcp_memory_give(tcp_net(tcp), tcp_stream_release(&tcp->stream, tcp->snd_una));
	if (tcp->fastopen_try)
		tcp_fastopen_answered(tcp, segment);
	take_back_unaccepted(tcp);
	tcp_become_established(tcp);
	tcp->ack_now = true;
	tcp_pass_syn(segment);
	tcp_receive_text(tcp, segment, skb);
	tcp_output(tcp);
	tcp->small_sent = tcp->snd_una; /* what the SYN had room for is no small write */
}

/* A SYN without an acknowledgement: both sides open at once. Figure 7. RFC 9293 3.5, MUST-10. */
static void simultaneous_open(struct tcp_socket *tcp, const struct tcp_segment *segment,
			      struct sk_buff *skb) NEEDS_NET_LOCK
{
	learn_syn(tcp, segment);
	tcp_set_state(tcp, TCP_SYN_RECV);
	tcp_send_syn_ack(tcp);
	skb_free(skb); /* what it carries will come again */
}

void tcp_receive_in_syn_sent(struct tcp_socket *tcp, struct tcp_segment *segment,
			     struct sk_buff *skb)
{
	if (!syn_sent_ack(tcp, segment, skb) || !syn_sent_reset(tcp, segment, skb))
		return;
	/* Third, security: nothing is kept of it. Fifth: neither SYN nor RST. */
	if (!(segment->flags & TCP_SYN))
		drop(skb, DROP_TCP_BAD_FLAGS);
	else if (segment->flags & TCP_ACK)
		syn_sent_answered(tcp, segment, skb);
	else
		simultaneous_open(tcp, segment, skb);
}
