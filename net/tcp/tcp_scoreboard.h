/*
 * The scoreboard: a record for what was sent at a time and not yet cumulatively acknowledged; what
 * SACK says of it (RFC 2018, RFC 6675), and when it was sent last (RFC 8985).
 *
 * Records stand in a tree by sequence, and in one of three lists by time. Neighbours that are
 * SACKed are joined into one record, so that going over a SACK block that is known already costs
 * the same however long it is.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_TCP_TCP_SCOREBOARD_H
#define NET_TCP_TCP_SCOREBOARD_H

#include "net/tcp/tcp.h"

enum tcp_sent_state {
	TCP_SENT_IN_FLIGHT, /* in scoreboard.in_flight */
	TCP_SENT_LOST,      /* in .lost, or in .lost_again when it was retransmitted before */
	TCP_SENT_SACKED,    /* in no list */
};

struct tcp_sent {
	struct tree_node node; /* scoreboard.by_seq */
	struct list_head by_time;
	uint32_t seq, end; /* [seq, end): a FIN takes one */
	uint64_t sent_us;  /* the last time */
	/* The connection's rate when it was sent, in low halves: tcp_rate.c */
	uint32_t delivered, delivered_us, first_sent_us;
	uint32_t segments;  /* that it consists of */
	uint16_t mss;       /* bytes of data in each but the last */
	uint8_t state;      /* enum tcp_sent_state */
	bool retransmitted; /* sent more than once */
	bool app_limited;
};

void tcp_scoreboard_init(struct tcp_scoreboard *board);

/* New data behind all that was sent, in segments of `mss`. NULL: no memory. */
struct tcp_sent *tcp_scoreboard_add(struct tcp_scoreboard *board, uint32_t seq, uint32_t end,
				    uint16_t mss, uint64_t now_us);
/* The record that holds `seq`, or NULL. */
struct tcp_sent *tcp_scoreboard_find(const struct tcp_scoreboard *board, uint32_t seq);
/* Cuts a record that is not SACKed in two at `seq`. The second, or NULL: no memory. */
struct tcp_sent *tcp_scoreboard_split(struct tcp_scoreboard *board, struct tcp_sent *sent,
				      uint32_t seq);

/* In order of sequence; NULL at the end. */
struct tcp_sent *tcp_scoreboard_first(const struct tcp_scoreboard *board);
struct tcp_sent *tcp_scoreboard_last(const struct tcp_scoreboard *board);
struct tcp_sent *tcp_scoreboard_next(const struct tcp_sent *sent);
struct tcp_sent *tcp_scoreboard_previous(const struct tcp_sent *sent);

/*
 * Everything before `ack` arrived: the record goes, or loses its beginning. Returns the bytes of it
 * that were not known to have been delivered.
 */
uint32_t tcp_scoreboard_acknowledge(struct tcp_scoreboard *board, struct tcp_sent *sent,
				    uint32_t ack);
/* The peer has it. It may be joined to a neighbour: the record is not to be used afterwards. */
void tcp_scoreboard_mark_sacked(struct tcp_scoreboard *board, struct tcp_sent *sent);
/* It is in flight, and thought lost. */
void tcp_scoreboard_mark_lost(struct tcp_scoreboard *board, struct tcp_sent *sent);
/* It was sent again. */
void tcp_scoreboard_mark_resent(struct tcp_scoreboard *board, struct tcp_sent *sent,
				uint64_t now_us);

/* The record to be sent again next, or NULL: none is lost. */
struct tcp_sent *tcp_scoreboard_next_lost(const struct tcp_scoreboard *board);
/* All that is not SACKed is lost, and to be sent again by sequence. */
void tcp_scoreboard_lose_all(struct tcp_scoreboard *board);
/* What SACK said is not believed any more: it counts as in flight. */
void tcp_scoreboard_forget_sacks(struct tcp_scoreboard *board);
/* What is marked lost was only late: it is in flight. */
void tcp_scoreboard_recall_lost(struct tcp_scoreboard *board);

#endif
