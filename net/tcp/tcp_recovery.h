/*
 * What the files of loss recovery tell each other: tcp_ack (an acknowledgement's facts), tcp_rack
 * (what is lost: RFC 8985), tcp_recovery (the states, PRR, undo), tcp_timeout (RTO, tail loss
 * probe).
 *
 * Needs the net lock throughout.
 */
#ifndef NET_TCP_TCP_RECOVERY_H
#define NET_TCP_TCP_RECOVERY_H

#include "net/tcp/tcp.h"
#include "net/tcp/tcp_scoreboard.h"

/* What one acknowledgement says, worked out once. */
struct tcp_acknowledgement {
	const struct tcp_segment *segment;
	uint32_t prior_una, prior_in_flight;
	uint32_t delivered; /* bytes that are newly known to have arrived */
	uint32_t acked;     /* of these, cumulatively */
	uint32_t rtt_us;    /* 0: none; RFC 6298 3: never of what was sent twice */
	bool original;      /* a segment that was sent once only is among them */
	bool resent;        /* one that was sent again */
	bool dsack;         /* bytes arrived twice: RFC 2883 */
	uint32_t dsack_bytes;
	bool duplicate; /* RFC 5681 2: acknowledges nothing new, changes no window */
};

/* tcp_rack.c */
/* A segment was delivered: RFC 8985 6.2, steps 1 to 3. Before its record is changed. */
void tcp_rack_delivered(struct tcp_socket *tcp, const struct tcp_sent *sent,
			struct tcp_acknowledgement *ack) NEEDS_NET_LOCK;
/*
 * Steps 4 and 5: marks what is lost. Returns when to look again (microseconds from now), or 0.
 */
uint32_t tcp_rack_detect(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* A D-SACK: the window for reordering was too small. */
void tcp_rack_note_duplicate(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* A recovery is over: the window shrinks again in time. */
void tcp_rack_recovered(struct tcp_socket *tcp);

/* tcp_recovery.c */
/* The state machine, after the scoreboard has been brought up to date. */
void tcp_recover(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack) NEEDS_NET_LOCK;
/* Something was marked lost outside of an acknowledgement. */
void tcp_enter_recovery(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Remembers what is undone when the loss proves to have been none. */
void tcp_undo_prepare(struct tcp_socket *tcp) NEEDS_NET_LOCK;
bool tcp_undo(struct tcp_socket *tcp) NEEDS_NET_LOCK;

/* tcp_timeout.c */
void tcp_probe_acknowledged(struct tcp_socket *tcp,
			    const struct tcp_acknowledgement *ack) NEEDS_NET_LOCK;

/* The peer took back what it had SACKed, or nothing of it is to be believed. */
void tcp_forget_sacks(struct tcp_socket *tcp) NEEDS_NET_LOCK;

/* Sends a lost record again, cut to a segment. False: not now. */
bool tcp_resend(struct tcp_socket *tcp, struct tcp_sent *sent) NEEDS_NET_LOCK;

#endif
