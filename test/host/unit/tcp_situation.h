/*
 * A connection in one of its situations (tcp_states_table.h): brought there by a peer made by hand,
 * seen from that peer, and taken away again.
 *
 *	static struct meeting meeting;
 *	meeting_init(&meeting);
 *	meeting_begin(&meeting, FIN_WAIT_2);
 *	stranger_sends(&meeting.stranger, ...);
 *	meeting_look(&meeting);                      what was answered: meeting.view
 *	meeting_clear_away(&meeting);                ready for the next
 *	meeting_destroy(&meeting);
 */
#ifndef TEST_HOST_UNIT_TCP_SITUATION_H
#define TEST_HOST_UNIT_TCP_SITUATION_H

#include "test/host/unit/stranger.h"
#include "test/host/unit/tcp_states_table.h"

#define MEETING_WINDOW 5000 /* the stranger's: MAX.SND.WND */

/* The stack's end of the connection, as its peer knows it. */
struct view {
	uint32_t rcv_nxt, window;
	uint32_t iss, snd_una, snd_nxt;
	uint8_t flags;            /* of the last segment */
	uint32_t seq, ack, count; /* likewise; how many there were */
};

struct meeting {
	struct fixture f;
	struct socket *listener; /* NULL in TIME_WAIT */
	struct socket *socket;   /* the process's end; NULL: there is none, or nobody accepted it */
	struct stranger stranger;
	struct view view;
};

void meeting_init(struct meeting *meeting);
void meeting_destroy(struct meeting *meeting); /* asserts that nothing leaked */

/* Brings one situation about, from nothing. */
void meeting_begin(struct meeting *meeting, uint32_t situation);
/* Back to nothing but a listener. */
void meeting_clear_away(struct meeting *meeting);

/* Takes in what was sent since the last look. */
void meeting_look(struct meeting *meeting);
/* The connection's control block, if it has one. */
const struct tcp_socket *meeting_connection(struct meeting *meeting);
/* The situation now; CLOSED is that there is nothing, whether somebody listens or not. */
uint32_t meeting_situation(struct meeting *meeting);
/* A situation as meeting_situation() would name it. */
uint32_t situation_simplified(uint32_t situation);

#endif
