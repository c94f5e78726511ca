/*
 * TCP (RFC 9293): the control block, and the functions by which its rooms reach each other.
 *
 *	tcp_wire        header and options
 *	tcp_seq.h       comparing sequence numbers
 *	tcp             the control block's life; tcp_set_state, where every state changes
 *	tcp_open        OPEN: the SYN; tcp_close: CLOSE, ABORT, orphans
 *	tcp_table       who is found by which addresses and ports; choosing a port
 *	tcp_ip4         how IPv4 packets and ICMP errors come in
 *	tcp_input       a segment arrives: RFC 9293 3.10.7.4, in its order; tcp_syn_sent: 3.10.7.3;
 *	                tcp_challenge: answers to what should not have come
 *	tcp_receive     data in order and out of it, and acknowledging; tcp_reassembly,
 *	                tcp_receive_queue; tcp_sack_report: telling of what is out of order
 *	tcp_window      the window that we offer; tcp_urgent: urgent data that arrives
 *	tcp_ecn         congestion that routers tell of
 *	tcp_ack         what an acknowledgement does; tcp_sack, tcp_rtt, tcp_rate: its facts
 *	tcp_scoreboard  what was sent and not yet acknowledged
 *	tcp_recovery    what is lost and sent again: RACK-TLP, RTO, PRR, F-RTO, undo; its header
 *	                names its files
 *	tcp_congestion  the table of algorithms; tcp_newreno; tcp_cubic, tcp_hystart
 *	tcp_output      what may be sent now; tcp_transmit makes the segment
 *	tcp_stream      the bytes to be sent
 *	tcp_timer       retransmission, persist, delayed acknowledgement, keepalive
 *	tcp_mtu         path MTU: RFC 1191, black holes (RFC 4821, RFC 8899)
 *	tcp_listen      half-open requests, the backlog; tcp_cookie: SYN cookies; tcp_fastopen
 *	tcp_timewait    the last minute of a connection in 128 bytes
 *	tcp_reply       segments that no connection sends: resets, SYN-ACKs, TIME-WAIT's
 *	tcp_secret      ISNs, timestamps, ports, cookies: what must not be guessed
 *	tcp_socket, tcp_send, tcp_recv, tcp_sockopt, tcp_info, tcp_proc   what programs see
 *
 * Needs the net lock throughout, unless a comment says otherwise. Sequence numbers and windows are
 * in bytes, in host order; times in microseconds of the stack's clock.
 *
 * References: while its state is not CLOSED, TCP itself holds one reference on the socket, and the
 * file another. tcp_set_state(tcp, TCP_CLOSE) takes it out of all tables, stops its timers, frees
 * what is to be sent, and gives TCP's reference up; so whoever calls into a connection from outside
 * (input, timers, errors, calls) holds a reference of his own meanwhile.
 */
#ifndef NET_TCP_TCP_H
#define NET_TCP_TCP_H

#include "include/uapi/tcp.h"
#include "kernel/lib/tree.h"
#include "net/ipv4/inet_socket.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_statistics.h"
#include "net/tcp/tcp_stream.h"
#include "net/tcp/tcp_wire.h"

struct tcp_congestion_ops;
struct tcp_listener;
struct tcp_port;
struct tcp_request;
struct tcp_state_of_net;

#define TCP_RTO_MIN_US (200 * USEC_PER_MSEC)
#define TCP_RTO_MAX_US (120 * USEC_PER_SEC)
#define TCP_RTO_INITIAL_US (1 * USEC_PER_SEC) /* RFC 6298 2.1 */
#define TCP_DELAYED_ACK_MAX_US (40 * USEC_PER_MSEC)
#define TCP_TIME_WAIT_US (60 * USEC_PER_SEC) /* 2 MSL */
#define TCP_MSS_DEFAULT 536                  /* RFC 9293 3.7.1, MUST-15 */
#define TCP_MSS_FLOOR 216     /* a peer that asks for less gets this: small segments cost us most */
#define TCP_INITIAL_WINDOW 10 /* segments: RFC 6928 */
#define TCP_WINDOW_MAX (1u << 30)

/* A segment that arrived, checked; the variables of RFC 9293 3.3.1 by their names. */
struct tcp_segment {
	struct tcp_header header;
	struct tcp_options options;
	struct endpoint local, remote; /* as seen from here */
	int ifindex;                   /* of arrival; 0: not known */
	uint32_t seq, ack;             /* SEG.SEQ, SEG.ACK */
	uint32_t payload;              /* bytes of data: skb->len once the header is pulled */
	uint32_t length;               /* SEG.LEN: payload, and one each for SYN and FIN */
	uint32_t window;               /* SEG.WND, scaled when a connection looks at it */
	uint8_t flags;                 /* TCP_FIN... */
	bool congestion_experienced;   /* CE in the IP header: RFC 3168 */
	uint8_t tos;
	uint64_t now_us;
	bool follows_timewait; /* a SYN that ends TIME-WAIT: its connection's ISS lies above ... */
	uint32_t iss_above;    /* ... this */
};

/* The SYN was dealt with: what stands behind it, and the urgent pointer, count from there. */
static inline void tcp_pass_syn(struct tcp_segment *segment)
{
	segment->seq++;
	segment->length--;
	segment->flags &= (uint8_t)~TCP_SYN;
	if (segment->header.urgent)
		segment->header.urgent--;
}

/* What the one retransmission timer is armed for. */
enum tcp_timer_kind {
	TCP_TIMER_NONE,
	TCP_TIMER_RTO,     /* RFC 6298 */
	TCP_TIMER_PROBE,   /* tail loss probe: RFC 8985 7 */
	TCP_TIMER_REORDER, /* RACK's reordering window ends: RFC 8985 6.2 */
	TCP_TIMER_PERSIST, /* the window is closed: RFC 9293 3.8.6.1 */
};

/* The urgent byte (the last of the urgent data, as tcp(7) and RFC 6093 have it). */
enum tcp_urgent {
	TCP_URGENT_NONE,
	TCP_URGENT_AWAITED, /* announced by the peer; the byte itself has not come */
	TCP_URGENT_READY,   /* in urgent_byte, for MSG_OOB */
	TCP_URGENT_TAKEN,   /* read; the mark stays until reading passes it */
};

/* Round-trip time: RFC 6298. tcp_rtt.c */
struct tcp_rtt {
	uint32_t srtt_us, rttvar_us; /* 0: nothing measured */
	uint32_t rto_us;             /* without back-off */
	uint32_t margin_us;          /* of the RTO beyond srtt: what the worst of a round needs */
	uint32_t round_margin_us;    /* the worst so far in this round */
	uint32_t round_end;          /* snd_nxt when the round began */
	uint32_t min_us;             /* least of the last minutes; UINT32_MAX: none */
	uint64_t min_since_us;
	uint8_t backoff; /* times the RTO was doubled */
};

/* What a connection with bytes to send, or to be acknowledged, waits for: tcp_busy.c */
enum tcp_busy {
	TCP_BUSY_NOT, /* there are none */
	TCP_BUSY_NETWORK,
	TCP_BUSY_WINDOW, /* the peer's window */
	TCP_BUSY_BUFFER, /* the send buffer is too small for the window of congestion */
	TCP_BUSY_KINDS
};

/* What was sent and not acknowledged: tcp_scoreboard.h has struct tcp_sent. */
struct tcp_scoreboard {
	struct tree by_seq;           /* struct tcp_sent.node: all records */
	struct list_head in_flight;   /* struct tcp_sent.by_time: the longest ago sent first */
	struct list_head lost;        /* likewise: thought lost, to be sent again ... */
	struct list_head lost_again;  /* ... before these, which were sent again already */
	uint32_t records;             /* in all */
	uint32_t sacked_bytes;        /* above snd_una */
	uint32_t sacked_segments;     /* that make them up */
	uint32_t lost_bytes;          /* marked lost, not sent again since */
	uint32_t retransmitted_bytes; /* in flight as retransmissions */
	uint32_t highest_sacked;      /* end of the highest SACKed byte; when there is one */
};

/* Loss detection and recovery: tcp_recovery.h. */
struct tcp_recovery {
	uint8_t state;           /* enum tcp_ca_state */
	uint32_t recovery_point; /* snd_nxt when it began: RFC 6675's RecoveryPoint */

	/* RACK: RFC 8985 6.1 */
	uint64_t rack_sent_us; /* of the most recently sent segment that was delivered */
	uint32_t rack_end;
	uint32_t rack_rtt_us;
	uint64_t reorder_due_us; /* when the window for reordering of the next one ends; 0: none */
	uint8_t reorder_multiplier;
	uint8_t reorder_persist;    /* recoveries until the multiplier is 1 again */
	uint32_t reorder_round_end; /* the multiplier grows once a round */
	bool reordering_seen;
	uint32_t forward_acked; /* highest sequence delivered: RACK.fack */

	/* Counting instead: RFC 6675 4, RFC 6582 */
	uint32_t duplicate_acks; /* without SACK: segments that left, as duplicates tell */
	uint32_t reordering;     /* segments: DupThresh as it adapted */
	uint32_t counted_to;     /* below, what counting finds lost is marked */

	/* TLP: RFC 8985 7 */
	uint32_t probe_end; /* TLP.end_seq */
	bool probe_outstanding, probe_was_retransmission;

	/* PRR: RFC 6937bis */
	uint32_t prr_delivered, prr_out, prr_start_flight;

	/* F-RTO (RFC 5682) and undo (RFC 3522, RFC 3708) */
	uint8_t frto; /* enum tcp_frto */
	bool undo_possible;
	bool undo_sent;                /* something was sent again since the reduction */
	uint32_t undo_point;           /* snd_una then */
	uint32_t undo_retransmissions; /* bytes sent again and not reported as needless */
	uint32_t undo_stamp;           /* our timestamp in the first of them: Eifel */
	uint32_t undo_cwnd, undo_ssthresh;

	uint64_t rto_base_us;      /* the RTO runs from here: RFC 6298 5.1, 5.3 */
	uint64_t timeout_us;       /* when the last RTO fired */
	uint64_t first_timeout_us; /* when the first RTO in a row fired; 0: none. User timeout */
	uint8_t timeouts;          /* RTOs in a row without progress */
};

/* Congestion control: tcp_congestion.h has the table of functions. */
struct tcp_congestion {
	const struct tcp_congestion_ops *ops;
	uint32_t cwnd, ssthresh; /* bytes; ssthresh UINT32_MAX: none yet */
	/* The use of cwnd in the current round, which ends at usage_end: RFC 7661, RFC 2861 */
	uint32_t flight_max, usage_end;
	bool cwnd_limited;
	uint32_t idle_flight_max; /* since used_us, the last time that cwnd was the limit */
	uint64_t used_us;
	uint64_t private[10]; /* the algorithm's own */
};

struct tcp_rate {           /* delivery, for struct tcp_info: tcp_rate.c */
	uint64_t delivered; /* bytes */
	uint64_t delivered_us, first_sent_us;
	uint64_t app_limited_until; /* of `delivered`; 0: the network is the limit */
	uint64_t bytes_per_second;
	uint32_t sample_bytes, sample_us; /* that the rate was measured with */
	bool app_limited;
};

struct tcp_socket {
	struct inet_socket inet; /* first; its node: in the table of connections */

	uint8_t state;       /* enum tcp_state: tcp_set_state alone changes it */
	bool counted_orphan; /* among tcp_state_of_net.orphans */
	bool orphan;         /* no file any more */
	bool fin_queued;     /* the stream ends with a FIN, at stream.end */
	bool fin_received;   /* in order */
	bool connecting;     /* connect was called and its result was not yet told */
	bool nodelay, cork;  /* TCP_NODELAY, TCP_CORK */
	bool more;           /* what is sent now was written with MSG_MORE */
	bool pushing;        /* what is sent now waits for nothing: tcp_push */
	bool no_space;       /* somebody wants to write, and there was no room */
	bool receive_hint;   /* TCP_INQ */
	uint8_t syn_retries; /* TCP_SYNCNT; 0: the stack's */
	bool fastopen_connect, fastopen_no_cookie; /* TCP_FASTOPEN_CONNECT, _NO_COOKIE */
	bool fastopen_data_acked;                  /* the SYN-ACK took the SYN's data */
	bool fastopen_try;                         /* the SYN asks for a cookie, or carries one */
	bool fastopen_passive;                     /* accepted before the handshake was over */
	uint32_t fastopen_backlog;                 /* TCP_FASTOPEN: of a listener to be */
	struct endpoint fastopen_remote; /* connect left the SYN to the first send; port 0: not */
	struct tcp_chunk *syn_data;      /* to be the stream's first bytes: tcp_open_active */

	struct tcp_port *port;       /* the local port's entry, or NULL */
	struct list_head port_link;  /* among the port's sockets */
	struct tcp_listener *listen; /* LISTEN: tcp_listen.h */

	/* Send sequence space: RFC 9293 3.3.1. */
	uint32_t iss, snd_una, snd_nxt;
	uint32_t snd_wnd, snd_wl1, snd_wl2;
	uint32_t snd_wnd_max; /* the largest window the peer ever offered: MUST-38's Max(SND.WND) */
	uint32_t snd_up;      /* end of the urgent data; meaningful while `urgent_out` */
	bool urgent_out;
	uint32_t push_end;   /* PSH on the segment that reaches this */
	uint32_t small_sent; /* end of the last segment sent that was not full: Minshall */
	uint32_t run_start;  /* where the last run of the stream began: tcp_run.c */
	struct tcp_stream stream;

	/* What the handshake agreed on. */
	uint16_t peer_mss; /* the peer's option, floored; TCP_MSS_DEFAULT without one */
	uint16_t user_mss; /* TCP_MAXSEG; 0: none */
	uint16_t mss;      /* bytes of data in a full segment now: tcp_mtu.c */
	uint16_t advertised_mss;
	bool reuses_timewait;     /* tcp_table_choose_port took a pair out of TIME_WAIT ... */
	uint32_t iss_above;       /* ... whose sequence numbers went up to here */
	uint32_t device_features; /* NETDEV_* of the way to the peer, as of the last look */
	uint8_t snd_wscale, rcv_wscale;
	bool has_wscale, has_sack, has_timestamps;
	bool has_ecn, route_ecn; /* agreed on; wanted by the route */
	uint32_t ts_offset;      /* added to the clock's milliseconds in our timestamps */
	uint32_t ts_recent;      /* TS.Recent: RFC 7323 4.3 */
	uint64_t ts_recent_us;   /* when it was taken */
	uint32_t last_ack_sent;  /* Last.ACK.sent */

	/* Receive sequence space and data: tcp_receive.c. */
	uint32_t irs, rcv_nxt;
	uint32_t rcv_edge;    /* right edge of the window as last advertised: it never moves left */
	bool told_closed;     /* the last window advertised was 0 */
	uint32_t copied_seq;  /* first byte that the process has not taken */
	uint32_t rcv_up;      /* one past the urgent byte */
	uint8_t urgent_state; /* enum tcp_urgent */
	uint8_t urgent_byte;
	struct tree out_of_order; /* struct sk_buff by sequence: tcp_reassembly.h */
	uint32_t out_of_order_bytes, out_of_order_segments;     /* truesize; packets */
	struct tcp_sack_block sack_recent[TCP_SACK_BLOCKS_MAX]; /* to be reported, newest first */
	uint8_t sack_recent_count;
	bool dsack_due;
	struct tcp_sack_block dsack;
	uint16_t rcv_mss; /* estimate of the peer's segment size */
	bool ack_pending; /* an acknowledgement is due, and may be delayed */
	bool interactive; /* the process answers what it gets: acknowledgements can ride along */
	bool ack_now;     /* the next output sends one at least */
	struct list_head output_due; /* in tcp_state_of_net.output_due, or in no list */
	uint8_t quick_acks;          /* acknowledgements left that are not delayed */
	bool quickack_off;           /* TCP_QUICKACK 0 */
	uint32_t ato_us;             /* delay of acknowledgements, adapted */
	uint32_t window_clamp;       /* TCP_WINDOW_CLAMP; 0: none */
	bool reading;                /* a process copies out of the queue ... */
	bool reader_waits;           /* ... and another one would like to */
	bool reader_has_some;        /* it waits for the rest of SO_RCVLOWAT: every byte is told */
	struct {                     /* receive buffer tuning: dynamic right-sizing */
		uint32_t copied;     /* bytes that the process took in the current round */
		uint32_t seq;        /* copied_seq when the round began */
		uint64_t round_us;   /* when it began */
		uint32_t space;      /* most bytes taken in a round */
		uint32_t rtt_us;     /* the receiver's estimate */
		uint32_t rtt_seq;
		uint64_t rtt_start_us;
	} tune;

	/* ECN: RFC 3168. */
	bool ecn_echo; /* send ECE until CWR comes */
	bool ecn_cwr;  /* send CWR with the next new data */
	bool ecn_seen;

	/* Timers; each armed one is covered by TCP's reference. */
	struct timer retransmit;
	uint8_t timer_kind; /* enum tcp_timer_kind */
	bool rearm_due;     /* new data went out: the timer is set when all of it has */
	struct timer delayed_ack;
	struct timer idle;   /* keepalive; FIN_WAIT_2; an orphan's end */
	uint8_t probes_sent; /* persist or keepalive probes that went unanswered */
	uint32_t keepalive_idle_s, keepalive_interval_s; /* 0: the stack's */
	uint8_t keepalive_probes;
	int32_t linger2_s;        /* TCP_LINGER2; 0: the stack's; negative: none */
	uint32_t user_timeout_ms; /* TCP_USER_TIMEOUT; 0: none */
	uint32_t defer_accept_s;
	int32_t notsent_low;      /* TCP_NOTSENT_LOWAT bytes; 0: the stack's */
	uint64_t last_receive_us; /* anything from the peer */
	uint64_t last_data_sent_us, last_data_received_us, last_ack_received_us;
	uint64_t challenge_us; /* no other answer to a suspicious segment before: RFC 5961 7 */
	int soft_error;        /* from ICMP: told when the connection times out; positive errno */

	struct tcp_rtt rtt;
	struct tcp_scoreboard scoreboard;
	struct tcp_recovery recovery;
	struct tcp_congestion congestion;
	struct tcp_rate rate;
	struct {                /* tcp_mtu.c, tcp_mtu_probe.c; sizes in bytes of an IP packet */
		uint16_t path;  /* what is sent: as the route says, ICMP told, or probes found */
		uint16_t route; /* what the route said, or ICMP */
		uint16_t probe_size;           /* of the probe under way; 0: there is none */
		uint16_t search_high;          /* what may still work; 0: there is no search */
		uint32_t probe_seq, probe_end; /* its data */
		uint64_t probe_next_us;        /* not before */
		bool no_dont_fragment;
	} mtu;

	struct {              /* what sending waits for: tcp_busy.c */
		uint8_t kind; /* enum tcp_busy */
		uint64_t since_us;
		uint64_t us[TCP_BUSY_KINDS]; /* in all, before that */
	} busy;

	struct {                         /* struct tcp_info */
		uint64_t established_us; /* times since something that never was count from here */
		uint64_t bytes_acked, bytes_received, bytes_sent, bytes_retransmitted;
		uint32_t segments_in, segments_out, data_segments_in, data_segments_out;
		uint32_t retransmissions, duplicates_reported, out_of_order, reorderings;
		uint32_t delivered, delivered_ce;
	} count;
};

static inline struct tcp_socket *tcp_socket(struct socket *socket)
{
	return container_of(socket, struct tcp_socket, inet.socket);
}
static inline struct net *tcp_net(const struct tcp_socket *tcp)
{
	return tcp->inet.socket.net;
}
/*
 * Does the process still wait for the handshake? Not after a Fast Open that was accepted: data may
 * go both ways before the third segment comes (RFC 7413 4.2.2).
 */
static inline bool tcp_opening(const struct tcp_socket *tcp)
{
	return tcp->state == TCP_SYN_SENT || (tcp->state == TCP_SYN_RECV && !tcp->fastopen_passive);
}

/* In CLOSED: there was a connection, which only connect to AF_UNSPEC makes forgotten. */
static inline bool tcp_was_connected(const struct tcp_socket *tcp)
{
	return tcp->irs || tcp->rcv_nxt;
}

/* /proc/sys/net/ipv4/tcp_*: Linux's names, units and defaults. */
struct tcp_settings {
	int32_t tcp_rmem[3], tcp_wmem[3]; /* bytes: least, first, most */
	int32_t tcp_mem[3];               /* pages of all connections: low, pressure, high */
	int32_t tcp_window_scaling, tcp_timestamps, tcp_sack, tcp_dsack;
	int32_t tcp_ecn; /* 0 off, 1 ask and accept, 2 accept */
	int32_t tcp_syncookies, tcp_max_syn_backlog, tcp_synack_retries, tcp_syn_retries;
	int32_t tcp_retries1, tcp_retries2, tcp_orphan_retries, tcp_max_orphans;
	int32_t tcp_fin_timeout;                                               /* seconds */
	int32_t tcp_keepalive_time, tcp_keepalive_intvl, tcp_keepalive_probes; /* seconds, number */
	int32_t tcp_max_tw_buckets, tcp_tw_reuse, tcp_rfc1337;
	int32_t tcp_fastopen; /* 1 client, 2 server, 4: data without cookie ... */
	int32_t tcp_slow_start_after_idle, tcp_moderate_rcvbuf;
	int32_t tcp_adv_win_scale; /* 1, always: half of a buffer is what packets weigh */
	int32_t tcp_mtu_probing;   /* 0 off, 1 on a black hole, 2 always */
	int32_t tcp_base_mss;
	int32_t tcp_challenge_ack_limit, tcp_invalid_ratelimit; /* per second; milliseconds */
	int32_t tcp_min_tso_segs; /* segments that may leave as one packet, however slow the path */
	int32_t tcp_notsent_lowat;
	int32_t tcp_frto, tcp_recovery, tcp_early_retrans, tcp_reordering, tcp_max_reordering;
	int32_t tcp_abort_on_overflow;
};

/*
 * tcp.c: the stack's TCP, and the control block's life.
 */

/* Registers TCP and SOCK_STREAM. After ipv4_init. 0 or -ENOMEM. */
int tcp_init(struct net *net) EXCLUDES(net_lock_held);
/* Frees all; the files are closed. What still lingers is dropped. Host only. */
void tcp_destroy(struct net *net) EXCLUDES(net_lock_held);
/* /proc/net/tcp, the sysctls, TCP's lines in snmp and netstat. 0 or -ENOMEM. */
int tcp_proc_init(struct net *net);

struct tcp_state_of_net *tcp_of(struct net *net);
void tcp_count(struct net *net, enum tcp_statistic which) NEEDS_NET_LOCK;
void tcp_count_extra(struct net *net, enum tcp_extra_statistic which) NEEDS_NET_LOCK;

/* A fresh control block's defaults: what socket_ops.open does, for children too. */
void tcp_setup(struct tcp_socket *tcp) NEEDS_NET_LOCK;

/*
 * The one place where a state changes. Does what the change implies: counters, tables, timers,
 * waking; to CLOSED: everything given up, TCP's reference too. Waiters are woken.
 */
void tcp_set_state(struct tcp_socket *tcp, enum tcp_state state) NEEDS_NET_LOCK;

/* tcp_close.c */
/* The connection ends with an error (positive errno) that the next call tells. No packet. */
void tcp_fail(struct tcp_socket *tcp, int error) NEEDS_NET_LOCK;
/* As tcp_fail, and the peer gets a reset when it may know of us: ABORT, RFC 9293 3.10.5. */
void tcp_abort(struct tcp_socket *tcp, int error) NEEDS_NET_LOCK;
/* CLOSE (3.10.4) of the sending side: a FIN behind the data; the state moves on. */
void tcp_close_sending(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Our FIN was acknowledged: FIN_WAIT_2, for an orphan not for long. */
void tcp_enter_fin_wait2(struct tcp_socket *tcp) NEEDS_NET_LOCK;

/* tcp_open.c */
/* OPEN, active (3.10.1): both ends are known and entered in the table; ISS chosen, SYN sent. */
void tcp_open_active(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* SYN_RECV of a simultaneous open, or of a Fast Open: the SYN-ACK, and its timer. */
void tcp_send_syn_ack(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* The timer of a SYN or SYN-ACK ran out. */
void tcp_syn_expired(struct tcp_socket *tcp) NEEDS_NET_LOCK;

/*
 * tcp_input.c. `skb`'s data at the payload, owned. The caller holds a reference on the socket.
 * States from SYN_SENT on; LISTEN, requests and TIME_WAIT have their own rooms.
 */
void tcp_receive_segment(struct tcp_socket *tcp, struct tcp_segment *segment,
			 struct sk_buff *skb) NEEDS_NET_LOCK;
/*
 * The data and the FIN of a segment whose header was dealt with: sixth to eighth. Owns skb. Also
 * for data that came with a SYN, which Fast Open accepted.
 */
void tcp_receive_text(struct tcp_socket *tcp, struct tcp_segment *segment,
		      struct sk_buff *skb) NEEDS_NET_LOCK;

/* tcp_syn_sent.c */
/* A segment arrives in SYN_SENT: 3.10.7.3. Owns skb. */
void tcp_receive_in_syn_sent(struct tcp_socket *tcp, struct tcp_segment *segment,
			     struct sk_buff *skb) NEEDS_NET_LOCK;
/* The handshake is over; what was closed meanwhile goes on to be. */
void tcp_become_established(struct tcp_socket *tcp) NEEDS_NET_LOCK;

/* tcp_ecn.c */
/* ECE and CWR as they belong into our SYN, or SYN-ACK in SYN_RECV; `again`: it is repeated. */
uint8_t tcp_ecn_of_syn(const struct tcp_socket *tcp, bool again) NEEDS_NET_LOCK;
/* Is ECN agreed on by this SYN or SYN-ACK, which arrives in SYN_SENT? */
bool tcp_ecn_agreed(const struct tcp_socket *tcp, const struct tcp_segment *segment) NEEDS_NET_LOCK;
/* Does a listener agree to what this SYN asks? */
bool tcp_ecn_accepted(struct tcp_socket *listener,
		      const struct tcp_segment *segment) NEEDS_NET_LOCK;
/* CE and CWR of a segment in a connection. */
void tcp_ecn_received(struct tcp_socket *tcp, const struct tcp_segment *segment) NEEDS_NET_LOCK;

/* tcp_challenge.c: answers to what should not have come, a limited number of them. RFC 5961 */
/* To a suspicious segment. */
void tcp_challenge(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* To one outside of the window, or with an old timestamp; `skipped` counts what is not given. */
void tcp_answer_unacceptable(struct tcp_socket *tcp, const struct tcp_segment *segment,
			     enum tcp_extra_statistic skipped) NEEDS_NET_LOCK;
/* Does the stack give another challenge, for what has no control block? */
bool tcp_challenge_allowed(struct net *net) NEEDS_NET_LOCK;

/*
 * tcp_ip4.c finds who a segment is for, in this order: connection, request, TIME_WAIT, listener;
 * none: a reset.
 */
int tcp_ip4_init(struct net *net);

/* tcp_receive.c */
/* The data and FIN of an acceptable segment, already trimmed to the window. Owns skb. */
void tcp_receive_data(struct tcp_socket *tcp, const struct tcp_segment *segment,
		      struct sk_buff *skb) NEEDS_NET_LOCK;
/* Drops every out-of-order segment. */
void tcp_reassembly_free(struct tcp_socket *tcp) NEEDS_NET_LOCK;

/* tcp_urgent.c: the urgent pointer, and the byte itself if it is in `skb`, which stays as it is. */
void tcp_receive_urgent(struct tcp_socket *tcp, const struct tcp_segment *segment,
			const struct sk_buff *skb) NEEDS_NET_LOCK;

/* tcp_window.c */
/* RCV.WND: what may be advertised now, silly windows avoided (MUST-39); never shrinks. */
uint32_t tcp_receive_window(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/*
 * The first window and its scale, for a SYN, or the SYN-ACK of a listener, from the buffer's size
 * and TCP_WINDOW_CLAMP.
 */
void tcp_choose_window_scale(const struct tcp_socket *tcp, bool scaling, uint32_t *window,
			     uint8_t *scale) NEEDS_NET_LOCK;
/* The process took bytes: the window may have opened enough to tell the peer. */
void tcp_data_taken(struct tcp_socket *tcp, uint32_t bytes) NEEDS_NET_LOCK;
/* First time that data of the connection is expected: sizes and the tuner. */
void tcp_receive_setup(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* In-order data arrived: what it tells the receiver of the round trip. */
void tcp_window_round_trip(struct tcp_socket *tcp, const struct tcp_segment *segment);

/* tcp_sack_report.c */
/* The SACK blocks of the next segment, the duplicate first: RFC 2018, RFC 2883. */
void tcp_sack_options(struct tcp_socket *tcp, struct tcp_options *options) NEEDS_NET_LOCK;
/* Data out of order, in a run that begins at `seq`: the newest block. */
void tcp_sack_remember(struct tcp_socket *tcp, uint32_t seq);
/* Bytes that came a second time: the next acknowledgement tells, by D-SACK. */
void tcp_note_duplicate(struct tcp_socket *tcp, uint32_t start, uint32_t end) NEEDS_NET_LOCK;

/* tcp_receive_queue.c */
/* May the next bytes be queued, with the memory of all connections as it is? Counts if not. */
bool tcp_queue_takes_more(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* The next bytes of the stream for the process; packed when that saves memory. Owns skb. */
void tcp_queue_append(struct tcp_socket *tcp, struct sk_buff *skb) NEEDS_NET_LOCK;

/* tcp_output.c */
/* Sends all that may be sent now: lost segments, then new data; an ACK if one is due. */
void tcp_output(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/*
 * tcp_output at the end of the batch: segments that arrive together are answered together. tcp.c's
 * tcp_init and tcp_destroy call the other two.
 */
void tcp_output_later(struct tcp_socket *tcp) NEEDS_NET_LOCK;
void tcp_output_init(struct tcp_state_of_net *state) NEEDS_NET_LOCK;
void tcp_output_stop(struct tcp_state_of_net *state) NEEDS_NET_LOCK;
/* One segment of new data beyond the window of congestion, for a probe. False: there is none. */
bool tcp_send_beyond(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* A segment without data at snd_nxt: an acknowledgement. */
void tcp_send_ack(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* A reset at snd_nxt. */
void tcp_send_reset(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* The old byte or the first of new ones that makes the peer tell its window: 3.8.6.1. */
void tcp_send_window_probe(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* A probe below snd_una, for keepalive. */
void tcp_send_keepalive(struct tcp_socket *tcp) NEEDS_NET_LOCK;

/* As tcp_output, and what Nagle's algorithm or TCP_CORK hold back goes too. */
void tcp_push(struct tcp_socket *tcp) NEEDS_NET_LOCK;

/* tcp_run.c: the pieces in which the stream leaves */
/* Bytes that the open run at the end of the stream still takes; 0: a new one is to begin. */
uint32_t tcp_run_open_room(const struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* A run begins at the end of the stream. How many bytes it takes. */
uint32_t tcp_run_begin(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Bytes at snd_nxt that may leave as one packet, to be segmented. At least a segment's. */
uint32_t tcp_run_most(const struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Is `seq` one past a run that takes no more? */
bool tcp_run_ends(const struct tcp_socket *tcp, uint32_t seq) NEEDS_NET_LOCK;

/* tcp_busy.c: struct tcp_info's busy_time, rwnd_limited and sndbuf_limited */
void tcp_busy_set(struct tcp_socket *tcp, enum tcp_busy kind) NEEDS_NET_LOCK;
/* Microseconds so far. */
uint64_t tcp_busy_us(const struct tcp_socket *tcp, enum tcp_busy kind) NEEDS_NET_LOCK;

/* tcp_transmit.c: makes and sends one segment of [seq, seq + length), with SYN or FIN. */
struct tcp_outgoing {
	uint32_t seq;
	uint32_t length; /* bytes of data; more than tcp->mss: sent as one to be segmented */
	uint8_t flags;   /* SYN, FIN, RST, PSH; ACK is added in synchronised states */
	bool retransmission;
	bool sack_left_out;         /* set: there were blocks to tell, and no room for them */
	bool probe;                 /* of the path's MTU: one packet, however long */
	struct tcp_options options; /* of a SYN; others are filled in */
};
/* 0 or a negative errno: the segment then counts as lost on the way, unless -ENOMEM. */
int tcp_transmit(struct tcp_socket *tcp, struct tcp_outgoing *outgoing) NEEDS_NET_LOCK;
/* The value of our timestamp option now (milliseconds and the connection's offset). */
uint32_t tcp_timestamp(const struct tcp_socket *tcp, uint64_t now_us);

/* tcp_timer.c */
void tcp_timers_init(struct tcp_socket *tcp);
void tcp_timers_stop(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Arms the one retransmission timer for `kind`, in place of what it was armed for. */
void tcp_arm(struct tcp_socket *tcp, enum tcp_timer_kind kind, uint64_t when_us) NEEDS_NET_LOCK;
void tcp_disarm(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Delays an acknowledgement that is due. */
void tcp_delay_ack(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Keepalive after its times changed, or the peer was heard. */
void tcp_keepalive_restart(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* The same, with the idle time counted from `since_us`. */
void tcp_keepalive_start(struct tcp_socket *tcp, uint64_t since_us) NEEDS_NET_LOCK;
/* FIN_WAIT_2 of an orphan, or an orphan that cannot send: ends at `when_us`. */
void tcp_arm_end(struct tcp_socket *tcp, uint64_t when_us) NEEDS_NET_LOCK;
/* Has the connection tried for too long (retries, TCP_USER_TIMEOUT)? Then it has been failed. */
bool tcp_gave_up(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* When TCP_USER_TIMEOUT ends what is being tried; TIME_NEVER: not. */
uint64_t tcp_user_timeout_due(const struct tcp_socket *tcp);

/*
 * tcp_send.c, tcp_recv.c, tcp_socket.c: what the other rooms ask of the socket calls.
 */
/* connect by the first send (Fast Open); owns `data`, which may be NULL. 0 or a negative errno. */
int tcp_connect_for_send(struct tcp_socket *tcp, const struct endpoint *remote,
			 struct tcp_chunk *data) NEEDS_NET_LOCK;
/* Sleeps until the handshake is over. 0 or a negative errno. */
int tcp_wait_connected(struct tcp_socket *tcp) EXCLUDES(net_lock_held);
/* Room for a writer: what POLLOUT says. */
bool tcp_writable(const struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Acknowledged bytes left the stream: wakes writers when there is room for them. */
void tcp_write_space(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Bytes that a process could read now: without the FIN, and without an urgent byte out of line. */
uint32_t tcp_readable(const struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* What a connection takes over from its listener: options of levels SOL_IP and SOL_TCP. */
void tcp_inherit_options(struct tcp_socket *child,
			 const struct tcp_socket *listener) NEEDS_NET_LOCK;
extern const struct socket_ops tcp_socket_ops;
/* Methods of it. */
int64_t tcp_sendmsg(struct socket *socket, struct message *message) EXCLUDES(net_lock_held);
int64_t tcp_recvmsg(struct socket *socket, struct message *message) EXCLUDES(net_lock_held);
int tcp_setsockopt(struct socket *socket, int level, int option, const void *value,
		   uint32_t length) NEEDS_NET_LOCK;
int tcp_getsockopt(struct socket *socket, int level, int option, void *value,
		   uint32_t *length) NEEDS_NET_LOCK;
/* tcp_info.c */
void tcp_fill_info(const struct tcp_socket *tcp, struct tcp_info *info) NEEDS_NET_LOCK;

/* tcp_ack.c, tcp_recovery.c and its kin: tcp_recovery.h */
/* Before a connection is opened; snd_una need not be known. */
void tcp_recovery_setup(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/*
 * RFC 9293 3.10.7.4, fifth: SEG.ACK is at most snd_nxt and plausible (RFC 5961 5.2); below snd_una
 * only its SACK blocks count. Window update, RTT, SACK, ECE, loss detection, congestion control,
 * timers; releases the acknowledged stream and wakes writers.
 */
void tcp_ack(struct tcp_socket *tcp, const struct tcp_segment *segment) NEEDS_NET_LOCK;
/* An RTT sample from the handshake. */
void tcp_rtt_sample(struct tcp_socket *tcp, uint32_t rtt_us) NEEDS_NET_LOCK;
/* The RTO now, with back-off. */
uint32_t tcp_rto(const struct tcp_socket *tcp);
/* Sends again what is marked lost, as far as the congestion window allows. */
void tcp_retransmit_lost(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Bytes in flight: RFC 6675's pipe. */
uint32_t tcp_in_flight(const struct tcp_socket *tcp);
/* A segment went out for the first time: [seq, end), FIN counted. False: no memory. */
bool tcp_note_sent(struct tcp_socket *tcp, uint32_t seq, uint32_t end) NEEDS_NET_LOCK;
/* The retransmission timer fired for RTO, PROBE or REORDER. */
void tcp_rto_expired(struct tcp_socket *tcp) NEEDS_NET_LOCK;
void tcp_probe_expired(struct tcp_socket *tcp) NEEDS_NET_LOCK;
void tcp_reorder_expired(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Arms what is due next for what is in flight: reordering window, probe or RTO; or disarms. */
void tcp_rearm(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Frees the scoreboard. */
void tcp_scoreboard_free(struct tcp_socket *tcp) NEEDS_NET_LOCK;

/* tcp_congestion.c */
/*
 * The handshake is over: snd_una, mss and maybe an RTT sample are known. `syn_timeouts`: how often
 * the SYN or SYN-ACK had to be sent again.
 */
void tcp_congestion_start(struct tcp_socket *tcp, uint32_t syn_timeouts) NEEDS_NET_LOCK;
/*
 * Bytes of new data that congestion control allows now. Whole segments only, unless nothing is in
 * flight: a sender waits rather than send less than it could.
 */
uint32_t tcp_congestion_room(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Before new data after a pause: RFC 2861, RFC 7661. */
void tcp_congestion_restart(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* All new data that may go is out; `limited`: by the window of congestion, not by the process. */
void tcp_note_output_done(struct tcp_socket *tcp, bool limited) NEEDS_NET_LOCK;

/* tcp_mtu.c */
/* mss from the route, the peer's option, TCP_MAXSEG and what ICMP told. */
void tcp_mtu_setup(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* ICMP says that the path is narrower (the MTU of an IP packet); checked by the caller. */
void tcp_mtu_reduced(struct tcp_socket *tcp, uint32_t mtu) NEEDS_NET_LOCK;
/* The RTO fired: maybe a black hole. */
void tcp_mtu_timeout(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Bytes of data in a segment, were the path's MTU `mtu`. */
uint32_t tcp_mss_for_path(const struct tcp_socket *tcp, uint32_t mtu);
/* The path takes packets of that size. */
void tcp_mtu_set_path(struct tcp_socket *tcp, uint32_t mtu) NEEDS_NET_LOCK;

/* tcp_mtu_probe.c: larger packets than `path` are tried: RFC 4821, RFC 8899 */
#define TCP_MTU_RAISE_US (600 * USEC_PER_SEC) /* RFC 8899 5.1.1, PMTU_RAISE_TIMER */
/* Look for what works, up to `high`, after `delay_us`. */
void tcp_mtu_search(struct tcp_socket *tcp, uint32_t high, uint64_t delay_us) NEEDS_NET_LOCK;
/* Sends a probe of new data if one is due and may go. */
void tcp_mtu_probe(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Was it acknowledged? Called for each acknowledgement. */
void tcp_mtu_acknowledged(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Something was found lost. True: only the probe, which says nothing of congestion. */
bool tcp_mtu_probe_lost(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* It is sent again in smaller packets: whatever comes of it tells nothing. */
void tcp_mtu_probe_resent(struct tcp_socket *tcp, uint32_t seq);
/* The MSS option of our SYN or SYN-ACK to this destination. */
uint16_t tcp_mss_to_advertise(struct net *net, const struct inet_route *route, uint16_t user_mss);

#endif
