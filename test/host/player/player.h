/*
 * Plays a script: one stack with a virtual clock, and the script as its process and its peer.
 * docs/scripts.md is the manual of the notation.
 *
 *	lexer, parser, parse_segment   a file becomes statements (script.h)
 *	segment                        a segment in the script's terms: printed, compared
 *	wire                           ... and as bytes
 *	flow                           the connections that a script speaks of
 *	packets                        what goes over the wire
 *	calls, options                 socket calls
 *	checks                         states, struct tcp_info, counters
 *	report                         what a script that fails says
 *	player                         time, and one statement after the other
 *
 * Everything runs in one thread. A call that sleeps lets the script go on, from within
 * (host_on_sleep), until something wakes it; so of two calls that sleep, the later one has to
 * return first.
 */
#ifndef TEST_HOST_PLAYER_PLAYER_H
#define TEST_HOST_PLAYER_PLAYER_H

#include "kernel/types.h"

/* Where both sides' sequence numbers begin. */
enum player_numbers {
	PLAYER_NUMBERS_ANY,  /* as the stack chooses them */
	PLAYER_NUMBERS_WRAP, /* at 0xFFFFFF00, and the peer's timestamps too: they wrap early */
};

/*
 * True when everything was as the script says. Else `report` tells with lines what was not. With
 * VITRINE_TRACE in the environment each event is told on stderr, in the script's notation.
 *
 * A script that fails leaves its stack behind, as it was.
 */
bool player_play(const char *path, enum player_numbers numbers, char *report, size_t size);

#endif
