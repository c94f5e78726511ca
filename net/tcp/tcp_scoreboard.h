/*
 * The scoreboard: one record for each segment that was sent and not yet cumulatively acknowledged;
 * what SACK says of it (RFC 2018, RFC 6675), and when it was sent (RFC 8985).
 *
 * Neighbours that are SACKed are joined into one record, so that going over a SACK block that is
 * known already costs the same however long it is.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_TCP_TCP_SCOREBOARD_H
#define NET_TCP_TCP_SCOREBOARD_H

#include "net/tcp/tcp.h"

struct tcp_sent {
	struct tree_node node;    /* scoreboard.by_seq */
	struct list_head by_time; /* scoreboard.by_time or .lost; unlinked while SACKed */
	uint32_t seq, end;        /* [seq, end): with SYN and FIN, which take one each */
	uint64_t sent_us;         /* the last time */
	uint64_t first_sent_us;
	uint64_t delivered, delivered_us; /* the connection's when it was sent: delivery rate */
	uint8_t transmissions;            /* saturates */
	bool sacked, lost, retransmitted; /* retransmitted: the last transmission was one */
	bool app_limited;
};

/* A new segment at the end. NULL: no memory. */
struct tcp_sent *tcp_scoreboard_add(struct tcp_scoreboard *board, uint32_t seq, uint32_t end,
				    uint64_t now_us);
/* The record that holds `seq`, or NULL. */
struct tcp_sent *tcp_scoreboard_find(const struct tcp_scoreboard *board, uint32_t seq);
/* Cuts a record in two at `seq`. The second, or NULL: no memory. */
struct tcp_sent *tcp_scoreboard_split(struct tcp_scoreboard *board, struct tcp_sent *sent,
				      uint32_t seq);

/* In order of sequence; NULL at the end. */
struct tcp_sent *tcp_scoreboard_first(const struct tcp_scoreboard *board);
struct tcp_sent *tcp_scoreboard_last(const struct tcp_scoreboard *board);
struct tcp_sent *tcp_scoreboard_next(const struct tcp_sent *sent);

/*
 * Everything before `ack` arrived: the record goes, or is cut. Returns the bytes of it that were
 * not known to have been delivered.
 */
uint32_t tcp_scoreboard_acknowledge(struct tcp_scoreboard *board, struct tcp_sent *sent,
				    uint32_t ack);
/* The peer has it. It may be joined to a neighbour: the record is not to be used afterwards. */
void tcp_scoreboard_mark_sacked(struct tcp_scoreboard *board, struct tcp_sent *sent);
/* It is thought lost, and waits in board->lost to be sent again. Harmless when it does already. */
void tcp_scoreboard_mark_lost(struct tcp_scoreboard *board, struct tcp_sent *sent);
/* It was not lost after all. */
void tcp_scoreboard_mark_in_flight(struct tcp_scoreboard *board, struct tcp_sent *sent);
/* It was sent again. */
void tcp_scoreboard_mark_resent(struct tcp_scoreboard *board, struct tcp_sent *sent,
				uint64_t now_us);

#endif
