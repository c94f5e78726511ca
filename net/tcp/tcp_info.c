/* struct tcp_info: what a connection tells of itself (getsockopt TCP_INFO). */
#include "kernel/string.h"
#include "net/tcp/tcp_state.h"

/* Since something, or since the connection began when it never was. */
static uint32_t ms_since(const struct tcp_socket *tcp, uint64_t now_us, uint64_t then_us)
{
	uint64_t since_us = MAX(then_us, tcp->count.established_us);

	return since_us ? (uint32_t)((now_us - since_us) / USEC_PER_MSEC) : 0;
}

/* Bytes as segments, rounded up. */
static uint32_t segments(const struct tcp_socket *tcp, uint32_t bytes)
{
	return tcp->mss ? (bytes + tcp->mss - 1) / tcp->mss : 0;
}

static uint8_t agreed_options(const struct tcp_socket *tcp)
{
	return (uint8_t)((tcp->has_timestamps ? TCPI_OPT_TIMESTAMPS : 0) |
			 (tcp->has_sack ? TCPI_OPT_SACK : 0) |
			 (tcp->has_wscale ? TCPI_OPT_WSCALE : 0) |
			 (tcp->has_ecn ? TCPI_OPT_ECN : 0) |
			 (tcp->ecn_seen ? TCPI_OPT_ECN_SEEN : 0) |
			 (tcp->fastopen_data_acked ? TCPI_OPT_SYN_DATA : 0));
}

static void fill_sending(const struct tcp_socket *tcp, struct tcp_info *info) NEEDS_NET_LOCK
{
	const struct tcp_scoreboard *board = &tcp->scoreboard;
	uint32_t ssthresh = tcp->congestion.ssthresh;

	info->tcpi_unacked = segments(tcp, tcp->snd_nxt - tcp->snd_una);
	info->tcpi_sacked = board->sacked_segments;
	/* Linux counts what was lost until it arrives, sent again or not. */
	info->tcpi_lost = segments(tcp, board->lost_bytes + board->retransmitted_bytes);
	info->tcpi_retrans = segments(tcp, board->retransmitted_bytes);
	info->tcpi_snd_mss = tcp->mss;
	info->tcpi_snd_cwnd = tcp->congestion.cwnd / tcp->mss;
	/* Linux's word for "none yet". */
	info->tcpi_snd_ssthresh = ssthresh == UINT32_MAX ? INT32_MAX : ssthresh / tcp->mss;
	info->tcpi_snd_wnd = tcp->snd_wnd;
	info->tcpi_pmtu = tcp->mtu.path;
	info->tcpi_reordering = tcp->recovery.reordering;
	info->tcpi_notsent_bytes = tcp->stream.end - seq_min(tcp->snd_nxt, tcp->stream.end);
	info->tcpi_delivery_rate = tcp->rate.bytes_per_second;
	info->tcpi_delivery_rate_app_limited = tcp->rate.app_limited;
	info->tcpi_pacing_rate = UINT64_MAX; /* nothing is paced */
	info->tcpi_max_pacing_rate = UINT64_MAX;
}

static void fill_times(const struct tcp_socket *tcp, struct tcp_info *info) NEEDS_NET_LOCK
{
	uint64_t now_us = net_batch_time(tcp_net(tcp));

	info->tcpi_rto = tcp_rto(tcp);
	info->tcpi_backoff = tcp->rtt.backoff;
	info->tcpi_ato = tcp->ato_us;
	info->tcpi_rtt = tcp->rtt.srtt_us;
	info->tcpi_rttvar = tcp->rtt.rttvar_us;
	info->tcpi_min_rtt = tcp->rtt.min_us;
	info->tcpi_rcv_rtt = tcp->tune.rtt_us;
	info->tcpi_last_data_sent = ms_since(tcp, now_us, tcp->last_data_sent_us);
	info->tcpi_last_data_recv = ms_since(tcp, now_us, tcp->last_data_received_us);
	info->tcpi_last_ack_recv = ms_since(tcp, now_us, tcp->last_ack_received_us);
	info->tcpi_rwnd_limited = tcp_busy_us(tcp, TCP_BUSY_WINDOW);
	info->tcpi_sndbuf_limited = tcp_busy_us(tcp, TCP_BUSY_BUFFER);
	info->tcpi_busy_time = tcp_busy_us(tcp, TCP_BUSY_NETWORK) + info->tcpi_rwnd_limited +
			       info->tcpi_sndbuf_limited;
}

/* RFC 9293 3.8.3, SHLD-9: tcpi_retransmits is beyond R1 (tcp_retries1), or not. */
static void fill_counts(const struct tcp_socket *tcp, struct tcp_info *info)
{
	info->tcpi_retransmits = tcp->recovery.timeouts;
	info->tcpi_probes = tcp->probes_sent;
	info->tcpi_total_retrans = tcp->count.retransmissions;
	info->tcpi_bytes_acked = tcp->count.bytes_acked;
	info->tcpi_bytes_received = tcp->count.bytes_received;
	info->tcpi_bytes_sent = tcp->count.bytes_sent;
	info->tcpi_bytes_retrans = tcp->count.bytes_retransmitted;
	info->tcpi_segs_out = tcp->count.segments_out;
	info->tcpi_segs_in = tcp->count.segments_in;
	info->tcpi_data_segs_out = tcp->count.data_segments_out;
	info->tcpi_data_segs_in = tcp->count.data_segments_in;
	info->tcpi_delivered = tcp->count.delivered;
	info->tcpi_delivered_ce = tcp->count.delivered_ce;
	info->tcpi_dsack_dups = tcp->count.duplicates_reported;
	info->tcpi_reord_seen = tcp->count.reorderings;
	info->tcpi_rcv_ooopack = tcp->count.out_of_order;
}

void tcp_fill_info(const struct tcp_socket *tcp, struct tcp_info *info)
{
	memset(info, 0, sizeof(*info));
	info->tcpi_state = tcp->state;
	if (tcp->state == TCP_LISTEN) {
		info->tcpi_unacked = tcp->listen->accept_length;
		info->tcpi_sacked = tcp->listen->backlog;
		return;
	}
	info->tcpi_ca_state = tcp->recovery.state;
	info->tcpi_options = agreed_options(tcp);
	info->tcpi_snd_wscale = tcp->snd_wscale & 15;
	info->tcpi_rcv_wscale = tcp->rcv_wscale & 15;
	info->tcpi_rcv_mss = tcp->rcv_mss;
	info->tcpi_advmss = tcp->advertised_mss;
	info->tcpi_rcv_space = tcp->tune.space;
	info->tcpi_rcv_ssthresh = tcp->rcv_edge - tcp->rcv_nxt;
	fill_sending(tcp, info);
	fill_times(tcp, info);
	fill_counts(tcp, info);
}
