/*
 * What RFC 9293 3.10.7 says of a segment that arrives, as data: one line for each rule, in the
 * RFC's order, so that the first line that fits a segment is the one that counts. Where RFC 5961,
 * RFC 1337 or RFC 1122 say more, or the RFC leaves a choice, a comment names it.
 *
 * tcp_states_test.c tries every state, every combination of six flags, and every position of the
 * sequence and acknowledgement numbers against it.
 */
#ifndef TEST_HOST_UNIT_TCP_STATES_TABLE_H
#define TEST_HOST_UNIT_TCP_STATES_TABLE_H

#include "kernel/types.h"
#include "net/core/drop.h"

/* The RFC's states, some of them in more than one situation; a bit each. */
enum situation {
	CLOSED = 1 << 0,
	LISTEN = 1 << 1,
	SYN_SENT = 1 << 2,
	REQUEST = 1 << 3,  /* SYN-RECEIVED that came from LISTEN */
	SYN_RECV = 1 << 4, /* SYN-RECEIVED that came from SYN-SENT */
	ESTABLISHED = 1 << 5,
	WINDOW_0 = 1 << 6, /* ESTABLISHED, and RCV.WND is 0 */
	FIN_WAIT_1 = 1 << 7,
	FIN_WAIT_2 = 1 << 8,
	ORPHAN_1 = 1 << 9,  /* FIN-WAIT-1, and the process has closed both ways */
	ORPHAN_2 = 1 << 10, /* FIN-WAIT-2, likewise */
	CLOSE_WAIT = 1 << 11,
	CLOSING = 1 << 12,
	LAST_ACK = 1 << 13,
	TIME_WAIT = 1 << 14,
	REOPENABLE = 1 << 15, /* TIME-WAIT, and somebody listens at the port */
	SAME = 0,             /* as the next state */
};
#define SITUATIONS 16

/* SEG.SEQ; a bit each. */
enum seq_place {
	EXACT = 1 << 0,  /* RCV.NXT */
	INSIDE = 1 << 1, /* in the window, not at its ends */
	LAST = 1 << 2,   /* the last number of the window */
	BEYOND = 1 << 3, /* the first one after it */
	BEFORE = 1 << 4, /* RCV.NXT-1: text that begins there reaches into the window */
	OLD = 1 << 5,    /* so far back that nothing of the segment is new */
};
#define SEQ_PLACES 6

/* SEG.ACK; a bit each. */
enum ack_place {
	ALL = 1 << 0,   /* SND.NXT: everything is acknowledged, our SYN or FIN too */
	PART = 1 << 1,  /* SND.NXT-1: all but that */
	UNA = 1 << 2,   /* SND.UNA: nothing new */
	PAST = 1 << 3,  /* SND.UNA-1 */
	STALE = 1 << 4, /* SND.UNA-MAX.SND.WND-1 */
	NEVER = 1 << 5, /* SND.NXT+1: what was not sent */
};
#define ACK_PLACES 6

enum content { BARE = 1 << 0, DATA = 1 << 1 };

enum answer {
	NOTHING,
	ACK,       /* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
	CHALLENGE, /* the same, and counted as a challenge: RFC 5961 */
	SYN_ACK,   /* <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> */
	RESET,     /* <SEQ=SEG.ACK><CTL=RST> */
	RESET_ACK, /* <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> */
};

/* What of the segment becomes part of the stream: RCV.NXT moves over it. */
enum taken { NONE, TEXT, FIN /* and text before it */ };

struct state_rule {
	int line;           /* in the table's file */
	uint32_t situation; /* enum situation, as a set */
	const char *flags;  /* "RST -ACK": RST is set, ACK is not, others do not matter */
	uint32_t seq, ack;  /* enum seq_place, enum ack_place, as sets */
	uint32_t text;      /* enum content, as a set */
	enum answer answer;
	uint32_t next; /* enum situation */
	enum taken taken;
	enum drop_reason drop; /* as it is counted; DROP_NONE: the segment was of use */
};

extern const struct state_rule tcp_state_rules[];
extern const uint32_t tcp_state_rule_count;

#endif
