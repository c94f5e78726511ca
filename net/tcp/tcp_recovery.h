/*
 * What the files of loss recovery tell each other.
 *
 *	tcp_ack        an acknowledgement's facts, in order; then the conclusions below
 *	tcp_sack       SACK and D-SACK: RFC 2018, RFC 2883
 *	tcp_rtt        the round trip and the RTO: RFC 6298
 *	tcp_rate       how fast data is delivered
 *	tcp_rack       what is lost, by time: RFC 8985
 *	tcp_dupack     what is lost, by counting: RFC 6675, RFC 6582
 *	tcp_recovery   the states, and what is sent again
 *	tcp_prr        how much may be sent during a reduction: RFC 6937bis
 *	tcp_undo       a reduction that proves needless is taken back: RFC 3522, RFC 5682
 *	tcp_timeout    the RTO, and which timer runs
 *	tcp_probe      the tail loss probe: RFC 8985 7
 *
 * Needs the net lock throughout.
 */
#ifndef NET_TCP_TCP_RECOVERY_H
#define NET_TCP_TCP_RECOVERY_H

#include "net/tcp/tcp.h"
#include "net/tcp/tcp_scoreboard.h"

#define TCP_DUPLICATE_THRESHOLD 3 /* segments: DupThresh of RFC 5681, to begin with */

/* What one acknowledgement says, worked out once. */
struct tcp_acknowledgement {
	const struct tcp_segment *segment;
	uint32_t prior_una, prior_in_flight;
	uint32_t acked;     /* bytes, cumulatively */
	uint32_t delivered; /* bytes that are newly known to have arrived: these and SACKed ones */
	bool duplicate;     /* RFC 5681 2: acknowledges nothing new, changes no window */
	bool congestion_experienced; /* ECE: RFC 3168 */

	/* Of segments that were sent once: RFC 6298 3. UINT32_MAX: none */
	uint32_t acked_rtt_us;  /* the longest of those acknowledged */
	uint32_t sacked_rtt_us; /* of those SACKed */
	uint32_t least_rtt_us;
	bool original;      /* one that was sent once arrived, sent before the recovery point */
	bool resent_acked;  /* one that was sent again was acknowledged cumulatively */
	uint32_t reordered; /* bytes by which the latest of them was overtaken; 0: in order */

	/* The latest sent of what was delivered: RFC 8985 6.2, step 2. rack_us 0: none */
	uint64_t rack_us;
	uint32_t rack_end, rack_rtt_us;

	bool dsack; /* bytes arrived twice: RFC 2883 ... */
	uint32_t dsack_start, dsack_end;
	bool dsack_of_probe; /* ... and were a tail loss probe's */

	struct { /* of the latest sent: tcp_rate.c */
		bool known, app_limited;
		uint32_t delivered, delivered_us, send_us;
	} rate;
};

/* F-RTO: RFC 5682 3.1 */
enum tcp_frto {
	TCP_FRTO_NONE,
	TCP_FRTO_RESENT,   /* step 2: the first unacknowledged segment was sent again */
	TCP_FRTO_NEW_DATA, /* step 3: new data was sent instead of more that may be lost */
};

/* tcp_ack.c */
/* A record is delivered, SACKed or, with `cumulatively`, acknowledged. Before it changes. */
void tcp_note_delivered(struct tcp_socket *tcp, const struct tcp_sent *sent, bool cumulatively,
			struct tcp_acknowledgement *ack) NEEDS_NET_LOCK;

/* tcp_sack.c */
void tcp_process_sack(struct tcp_socket *tcp, struct tcp_acknowledgement *ack) NEEDS_NET_LOCK;

/* tcp_rtt.c */
void tcp_measure_round_trip(struct tcp_socket *tcp,
			    const struct tcp_acknowledgement *ack) NEEDS_NET_LOCK;
/* What was sent then may have waited for a timeout's retransmission: no round trip. */
bool tcp_waited_for_timeout(const struct tcp_socket *tcp, uint64_t sent_us);

/* tcp_rate.c */
void tcp_rate_sent(struct tcp_socket *tcp, struct tcp_sent *sent, uint64_t now_us);
void tcp_rate_delivered(struct tcp_socket *tcp, const struct tcp_sent *sent,
			struct tcp_acknowledgement *ack);
void tcp_rate_measure(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack);
/* All that the process had is sent, and the window has room. */
void tcp_rate_app_limited(struct tcp_socket *tcp);

/* tcp_rack.c: the steps of RFC 8985 6.2 */
/* Steps 2 and 3, for each record that is delivered. */
void tcp_rack_delivered(struct tcp_socket *tcp, const struct tcp_sent *sent,
			struct tcp_acknowledgement *ack) NEEDS_NET_LOCK;
/* When all of them are known. */
void tcp_rack_update(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack) NEEDS_NET_LOCK;
/* Step 5: marks what is lost; recovery.reorder_due_us says when to look again. True: some is. */
bool tcp_rack_detect(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* A segment came late: others had overtaken it by `distance` bytes. */
void tcp_note_reordering(struct tcp_socket *tcp, uint32_t distance) NEEDS_NET_LOCK;
/* It was sent again in vain: the window for reordering grows, once a round trip. */
void tcp_rack_widen(struct tcp_socket *tcp);
/* A recovery is over: the window for reordering shrinks again in time. */
void tcp_rack_recovered(struct tcp_socket *tcp);

/* tcp_dupack.c: each marks what is lost. True: some is. */
/* RFC 6675 4, IsLost: enough was SACKed behind it. */
bool tcp_sack_count_detect(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* RFC 6582: without SACK. */
bool tcp_dupack_detect(struct tcp_socket *tcp,
		       const struct tcp_acknowledgement *ack) NEEDS_NET_LOCK;

/* tcp_recovery.c */
/* The state machine, after the scoreboard has been brought up to date. */
void tcp_recover(struct tcp_socket *tcp, struct tcp_acknowledgement *ack) NEEDS_NET_LOCK;
/* Loss was found. `delivered`: bytes, by the acknowledgement that told, if one did. */
void tcp_enter_recovery(struct tcp_socket *tcp, uint32_t delivered) NEEDS_NET_LOCK;
/* Between a reduction's beginning and its end PRR decides: RECOVERY and CWR. */
bool tcp_in_reduction(const struct tcp_socket *tcp);
/* Sends a record again, cut to a segment. False: not now. */
bool tcp_resend(struct tcp_socket *tcp, struct tcp_sent *sent) NEEDS_NET_LOCK;
/* Has the peer taken back what it SACKed (RFC 2018 8)? */
bool tcp_peer_reneged(const struct tcp_socket *tcp);

/* tcp_prr.c */
void tcp_prr_begin(struct tcp_socket *tcp, uint32_t delivered);
/* `safe`: progress, and no further loss. */
void tcp_prr_delivered(struct tcp_socket *tcp, uint32_t delivered, bool safe);
/* Loss was found by a timer: one segment may be sent again. */
void tcp_prr_allow_one(struct tcp_socket *tcp);
void tcp_prr_sent(struct tcp_socket *tcp, uint32_t bytes);

/* tcp_undo.c */
/* The window is about to be reduced: what it was is remembered. */
void tcp_undo_prepare(struct tcp_socket *tcp) NEEDS_NET_LOCK;
void tcp_undo_sent(struct tcp_socket *tcp, uint32_t bytes, uint64_t now_us);
/* True: the reduction was needless, and has been taken back. */
bool tcp_undo_if_needless(struct tcp_socket *tcp,
			  const struct tcp_acknowledgement *ack) NEEDS_NET_LOCK;
void tcp_frto_begin(struct tcp_socket *tcp);
/* In LOSS. True: the timeout was spurious, and all is as before it. */
bool tcp_frto_acknowledged(struct tcp_socket *tcp,
			   const struct tcp_acknowledgement *ack) NEEDS_NET_LOCK;

/* tcp_probe.c */
/* When the probe goes out; 0: none is of use now. */
uint64_t tcp_probe_due(const struct tcp_socket *tcp, uint64_t now_us) NEEDS_NET_LOCK;
void tcp_probe_acknowledged(struct tcp_socket *tcp,
			    const struct tcp_acknowledgement *ack) NEEDS_NET_LOCK;

#endif
