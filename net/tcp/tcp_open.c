/*
 * OPEN, active (RFC 9293 3.10.1): the SYN, or where both ends open at once the SYN-ACK, until it is
 * answered.
 */
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_state.h"

/* RFC 9293 3.7.1, MUST-14, SHLD-5, SHLD-6 */
static void offer_options(struct tcp_socket *tcp, struct tcp_options *options) NEEDS_NET_LOCK
{
	const struct tcp_settings *settings = &tcp_of(tcp_net(tcp))->settings;
	bool answer = tcp->state == TCP_SYN_RECV; /* then only what the peer offered too */

	options->mss = tcp->advertised_mss;
	options->has_window_scale = answer ? tcp->has_wscale : settings->tcp_window_scaling != 0;
	options->window_scale = tcp->rcv_wscale;
	options->sack_permitted = answer ? tcp->has_sack : settings->tcp_sack != 0;
	options->has_timestamps = answer ? tcp->has_timestamps : settings->tcp_timestamps != 0;
	options->ts_value = tcp_timestamp(tcp, net_batch_time(tcp_net(tcp)));
	options->ts_echo = answer ? tcp->ts_recent : 0;
}

/* The SYN, or in SYN_RECV the SYN-ACK. Data of a Fast Open goes with the first. */
static void send_syn(struct tcp_socket *tcp, bool again) NEEDS_NET_LOCK
{
	struct tcp_outgoing outgoing = {
		.seq = tcp->iss,
		.flags = (uint8_t)(TCP_SYN | tcp_ecn_of_syn(tcp, again)),
		.retransmission = again,
	};

	offer_options(tcp, &outgoing.options);
	if (tcp->fastopen_try && !again && tcp->state == TCP_SYN_SENT) {
		tcp_fastopen_syn(tcp, &outgoing.options);
		outgoing.length = tcp->stream.end - tcp->stream.start;
		outgoing.probe = true; /* in one packet: tcp_fastopen_room knows the mss better */
	}
	if (again)
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_SYN_RETRANSMITS);
	tcp_transmit(tcp, &outgoing);
	if (outgoing.length && tcp_note_sent(tcp, tcp->iss + 1, tcp->iss + 1 + outgoing.length))
		tcp->snd_nxt = tcp->iss + 1 + outgoing.length;
}

/* RFC 6528; above the last number of a connection in TIME_WAIT between the same ends: RFC 6191. */
static void choose_iss(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	const struct endpoint *local = &tcp->inet.local, *remote = &tcp->inet.remote;

	tcp->iss = tcp_secret_iss(tcp_net(tcp), local, remote);
	if (tcp->reuses_timewait && !seq_after(tcp->iss, tcp->iss_above))
		tcp->iss = tcp->iss_above + UINT16_MAX + 2;
	tcp->reuses_timewait = false;
	tcp->ts_offset = tcp_secret_timestamp_offset(tcp_net(tcp), local, remote);
}

/* Everything that a SYN says and a SYN-ACK answers. */
static void prepare_opening(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	uint32_t window;

	tcp_mtu_setup(tcp);
	tcp_choose_window_scale(tcp, tcp_of(tcp_net(tcp))->settings.tcp_window_scaling, &window,
				&tcp->rcv_wscale);
	tcp->rcv_nxt = 0;
	tcp->rcv_edge = window;
	tcp->snd_una = tcp->iss;
	tcp->snd_nxt = tcp->iss + 1;
	tcp->snd_wl1 = tcp->snd_wl2 = 0;
	tcp->small_sent = tcp->snd_up = tcp->push_end = tcp->iss;
	tcp->run_start = tcp->iss + 1;
	tcp_stream_init(&tcp->stream, tcp->iss + 1);
	tcp_recovery_setup(tcp);
}

void tcp_open_active(struct tcp_socket *tcp)
{
	choose_iss(tcp);
	prepare_opening(tcp);
	if (tcp->syn_data) {
		tcp_stream_append(&tcp->stream, tcp->syn_data);
		tcp->push_end = tcp->stream.end;
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_FASTOPEN_ACTIVE);
		tcp_memory_force(tcp_net(tcp), tcp->stream.charged);
		tcp->syn_data = NULL;
	}
	tcp->last_receive_us = net_batch_time(tcp_net(tcp));
	tcp_set_state(tcp, TCP_SYN_SENT);
	send_syn(tcp, false);
	tcp_arm(tcp, TCP_TIMER_RTO, net_batch_time(tcp_net(tcp)) + tcp_rto(tcp));
}

void tcp_send_syn_ack(struct tcp_socket *tcp)
{
	send_syn(tcp, false);
	tcp_arm(tcp, TCP_TIMER_RTO, net_batch_time(tcp_net(tcp)) + tcp_rto(tcp));
}

/*
 * RFC 6298 5.5, RFC 9293 3.8.1: the SYN again, after twice the time. RFC 9293 3.8.3, MUST-22,
 * MUST-23.
 */
void tcp_syn_expired(struct tcp_socket *tcp)
{
	uint64_t now_us = net_batch_time(tcp_net(tcp));

	if (!tcp->recovery.first_timeout_us)
		tcp->recovery.first_timeout_us = now_us - tcp_rto(tcp);
	if (tcp_gave_up(tcp))
		return;
	tcp->rtt.backoff++;
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_TIMEOUTS);
	send_syn(tcp, true);
	tcp_arm(tcp, TCP_TIMER_RTO, now_us + tcp_rto(tcp));
}
