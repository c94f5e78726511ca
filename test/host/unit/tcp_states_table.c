/* RFC 9293 3.10.7, line by line; see tcp_states_table.h. */
#include "test/host/unit/tcp_states_table.h"

#define ANY 0xffff
#define DROP_TCP_OF_USE DROP_NONE

#define HALF_OPEN (REQUEST | SYN_RECV)
#define OPENING (HALF_OPEN | ESTABLISHED | WINDOW_0)
#define FIN_SENT (FIN_WAIT_1 | ORPHAN_1)
#define FIN_ACKED (FIN_WAIT_2 | ORPHAN_2)
#define ORPHANED (ORPHAN_1 | ORPHAN_2)
#define AFTER_FIN (CLOSE_WAIT | CLOSING | LAST_ACK)
#define CONNECTED (ESTABLISHED | WINDOW_0 | FIN_SENT | FIN_ACKED | AFTER_FIN)
#define WAITING (TIME_WAIT | REOPENABLE)

#define NEXT (EXACT | BEFORE)
#define AHEAD (INSIDE | LAST)
#define LATER (AHEAD | BEYOND)
#define EDGE (BEFORE | LAST)
#define AWAY (BEFORE | BEYOND | OLD)

#define BAD (STALE | NEVER)

/* clang-format off */
#define R(situation, flags, seq, ack, text, answer, next, taken, drop) \
	{__LINE__, situation, flags, seq, ack, text, answer, next, taken, DROP_TCP_##drop}

const struct state_rule tcp_state_rules[] = {
/* situation   flags          seq     ack   text  answer     next         taken dropped as */

/* 3.10.7.1, CLOSED: a reset is never answered, all else is. */
R(CLOSED,      "RST",         ANY,    ANY,  ANY,  NOTHING,   SAME,        NONE, NO_SOCKET),
R(CLOSED,      "ACK",         ANY,    ANY,  ANY,  RESET,     SAME,        NONE, NO_SOCKET),
R(CLOSED,      "",            ANY,    ANY,  ANY,  RESET_ACK, SAME,        NONE, NO_SOCKET),

/*
 * 3.10.7.2, LISTEN: first RST, second ACK, third SYN. No host sends SYN and FIN together; like
 * others we drop it. Text behind a SYN is not kept: it comes again.
 */
R(LISTEN,      "RST",         ANY,    ANY,  ANY,  NOTHING,   SAME,        NONE, BAD_RESET),
R(LISTEN,      "ACK",         ANY,    ANY,  ANY,  RESET,     SAME,        NONE, BAD_ACK),
R(LISTEN,      "SYN FIN",     ANY,    ANY,  ANY,  NOTHING,   SAME,        NONE, BAD_FLAGS),
R(LISTEN,      "SYN",         ANY,    ANY,  ANY,  SYN_ACK,   REQUEST,     NONE, OF_USE),
R(LISTEN,      "",            ANY,    ANY,  ANY,  NOTHING,   SAME,        NONE, BAD_FLAGS),

/* 3.10.7.3, SYN-SENT: first ACK, second RST, fourth SYN, fifth neither. No RCV.NXT is known. */
R(SYN_SENT,    "ACK RST",     ANY,    ~ALL, ANY,  NOTHING,   SAME,        NONE, BAD_ACK),
R(SYN_SENT,    "ACK",         ANY,    ~ALL, ANY,  RESET,     SAME,        NONE, BAD_ACK),
R(SYN_SENT,    "ACK RST",     ANY,    ANY,  ANY,  NOTHING,   CLOSED,      NONE, RESET),
R(SYN_SENT,    "RST",         ANY,    ANY,  ANY,  NOTHING,   SAME,        NONE, BAD_RESET),
R(SYN_SENT,    "SYN ACK FIN", ANY,    ANY,  ANY,  ACK,       CLOSE_WAIT,  FIN,  OF_USE),
R(SYN_SENT,    "SYN ACK",     ANY,    ANY,  ANY,  ACK,       ESTABLISHED, TEXT, OF_USE),
R(SYN_SENT,    "SYN",         ANY,    ANY,  ANY,  SYN_ACK,   SYN_RECV,    NONE, OF_USE),
R(SYN_SENT,    "",            ANY,    ANY,  ANY,  NOTHING,   SAME,        NONE, BAD_FLAGS),

/*
 * 3.10.7.4, all others. First and second for RST: outside of the window it is dropped, at RCV.NXT
 * it is obeyed, elsewhere questioned (RFC 5961 3.2). In TIME-WAIT it is dropped: RFC 1337.
 */
R(WAITING,     "RST",         ANY,    ANY,  ANY,  NOTHING,   SAME,        NONE, BAD_RESET),
R(ANY,         "RST",         AWAY,   ANY,  ANY,  NOTHING,   SAME,        NONE, BAD_RESET),
R(ANY,         "RST",         AHEAD,  ANY,  ANY,  CHALLENGE, SAME,        NONE, BAD_RESET),
R(REQUEST,     "RST",         EXACT,  ANY,  ANY,  NOTHING,   LISTEN,      NONE, RESET),
R(ANY,         "RST",         EXACT,  ANY,  ANY,  NOTHING,   CLOSED,      NONE, RESET),

/*
 * Fourth, SYN. The SYN of a request again gets the same answer; another one in the window takes the
 * request back to LISTEN (MUST-11).
 */
R(REQUEST,     "SYN ACK",     AWAY,   ANY,  ANY,  ACK,       SAME,        NONE, BAD_SYN),
R(REQUEST,     "SYN",         BEFORE, ANY,  ANY,  SYN_ACK,   SAME,        NONE, DUPLICATE),
R(REQUEST,     "SYN",         AWAY,   ANY,  ANY,  ACK,       SAME,        NONE, BAD_SYN),
R(REQUEST,     "SYN",         ANY,    ANY,  ANY,  NOTHING,   LISTEN,      NONE, BAD_SYN),
/*
 * The other half of a simultaneous open, figure 7: its SYN lies before the window, and what follows
 * counts as if it had come alone.
 */
R(SYN_RECV,    "SYN ACK FIN", BEFORE, ALL,  ANY,  ACK,       CLOSE_WAIT,  FIN,  OF_USE),
R(SYN_RECV,    "SYN ACK",     BEFORE, ALL,  DATA, ACK,       ESTABLISHED, TEXT, OF_USE),
R(SYN_RECV,    "SYN ACK",     BEFORE, ALL,  BARE, NOTHING,   ESTABLISHED, NONE, OF_USE),
/*
 * Otherwise a SYN is questioned wherever it lies: RFC 5961 4.2. But where somebody listens, a later
 * one may end TIME-WAIT: 3.6.1, MAY-2.
 */
R(WAITING,     "SYN ACK",     ANY,    ANY,  ANY,  ACK,       SAME,        NONE, BAD_SYN),
R(WAITING,     "SYN FIN",     ANY,    ANY,  ANY,  ACK,       SAME,        NONE, BAD_SYN),
R(REOPENABLE,  "SYN",         LATER,  ANY,  ANY,  SYN_ACK,   REQUEST,     NONE, OF_USE),
R(WAITING,     "SYN",         ANY,    ANY,  ANY,  ACK,       SAME,        NONE, BAD_SYN),
R(ANY,         "SYN",         ANY,    ANY,  ANY,  CHALLENGE, SAME,        NONE, BAD_SYN),

/* First, the sequence number: table 6 of 3.4. */
R(WINDOW_0,    "",            BEFORE, ANY,  DATA, ACK,       SAME,        NONE, OUTSIDE_WINDOW),
R(ANY,         "",            BEYOND, ANY,  ANY,  ACK,       SAME,        NONE, OUTSIDE_WINDOW),
R(ANY,         "",            OLD,    ANY,  ANY,  ACK,       SAME,        NONE, DUPLICATE),
R(ANY,         "",            BEFORE, ANY,  BARE, ACK,       SAME,        NONE, DUPLICATE),

/* Fifth, ACK: without it nothing counts. What was never sent, or long ago: RFC 5961 5.2. */
R(ANY,         "-ACK",        ANY,    ANY,  ANY,  NOTHING,   SAME,        NONE, BAD_FLAGS),
R(HALF_OPEN,   "",            ANY,    ~ALL, ANY,  RESET,     SAME,        NONE, BAD_ACK),
R(CONNECTED,   "",            ANY,    BAD,  ANY,  CHALLENGE, SAME,        NONE, BAD_ACK),
/* Our FIN is acknowledged, and the peer's has come: its text and another FIN are ignored. */
R(CLOSING,     "-FIN",        ANY,    ALL,  BARE, NOTHING,   TIME_WAIT,   NONE, OF_USE),
R(CLOSING,     "",            ANY,    ALL,  ANY,  NOTHING,   TIME_WAIT,   NONE, AFTER_CLOSE),
R(LAST_ACK,    "-FIN",        ANY,    ALL,  BARE, NOTHING,   CLOSED,      NONE, OF_USE),
R(LAST_ACK,    "",            ANY,    ALL,  ANY,  NOTHING,   CLOSED,      NONE, AFTER_CLOSE),

/*
 * Sixth, URG, answers nothing. Seventh, the text, and eighth, FIN: ignored after the peer's FIN.
 * But the sender of text that reaches over an edge of the window is told where that is.
 */
R(AFTER_FIN,   "-FIN",        ANY,    ANY,  BARE, NOTHING,   SAME,        NONE, OF_USE),
R(AFTER_FIN,   "",            EDGE,   ANY,  DATA, ACK,       SAME,        NONE, AFTER_CLOSE),
R(AFTER_FIN,   "",            ANY,    ANY,  ANY,  NOTHING,   SAME,        NONE, AFTER_CLOSE),
R(WAITING,     "-FIN",        ANY,    ANY,  BARE, NOTHING,   SAME,        NONE, DUPLICATE),
R(WAITING,     "",            ANY,    ANY,  ANY,  ACK,       SAME,        NONE, AFTER_CLOSE),
/* Without a window, text is not taken; what else the segment says, is: MUST-66. */
R(WINDOW_0,    "",            EXACT,  ANY,  DATA, ACK,       SAME,        NONE, WINDOW_CLOSED),
/* Text for a process that closed: RFC 1122 4.2.2.13. */
R(ORPHANED,    "",            ANY,    ANY,  DATA, RESET,     CLOSED,      NONE, AFTER_CLOSE),
/* FIN in order; it takes no room. Elsewhere in the window it waits with its text. */
R(OPENING,     "FIN",         NEXT,   ANY,  ANY,  ACK,       CLOSE_WAIT,  FIN,  OF_USE),
R(FIN_SENT,    "FIN",         NEXT,   ALL,  ANY,  ACK,       TIME_WAIT,   FIN,  OF_USE),
R(FIN_SENT,    "FIN",         NEXT,   ANY,  ANY,  ACK,       CLOSING,     FIN,  OF_USE),
R(FIN_ACKED,   "FIN",         NEXT,   ANY,  ANY,  ACK,       TIME_WAIT,   FIN,  OF_USE),
/* The acknowledgement of our SYN, or of our FIN. */
R(HALF_OPEN,   "-FIN",        ANY,    ANY,  BARE, NOTHING,   ESTABLISHED, NONE, OF_USE),
R(HALF_OPEN,   "",            NEXT,   ANY,  ANY,  ACK,       ESTABLISHED, TEXT, OF_USE),
R(HALF_OPEN,   "",            ANY,    ANY,  ANY,  ACK,       ESTABLISHED, NONE, OF_USE),
R(FIN_SENT,    "-FIN",        ANY,    ALL,  BARE, NOTHING,   FIN_WAIT_2,  NONE, OF_USE),
R(FIN_SENT,    "",            NEXT,   ALL,  ANY,  ACK,       FIN_WAIT_2,  TEXT, OF_USE),
R(FIN_SENT,    "",            ANY,    ALL,  ANY,  ACK,       FIN_WAIT_2,  NONE, OF_USE),
/* An acknowledgement alone; text in order, or not. */
R(CONNECTED,   "-FIN",        ANY,    ANY,  BARE, NOTHING,   SAME,        NONE, OF_USE),
R(CONNECTED,   "",            NEXT,   ANY,  ANY,  ACK,       SAME,        TEXT, OF_USE),
R(CONNECTED,   "",            ANY,    ANY,  ANY,  ACK,       SAME,        NONE, OF_USE),
};
/* clang-format on */

const uint32_t tcp_state_rule_count = ARRAY_SIZE(tcp_state_rules);
