/*
 * ICMP echoes as ping(8) counts them: builds requests, knows the replies to them again, and adds up
 * losses, duplicates and round-trip times (RFC 792). Pure: packets and the time go in as arguments.
 * Times are microseconds.
 */
#ifndef USERLAND_LIB_ECHO_H
#define USERLAND_LIB_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ECHO_HEADER_LENGTH 8
#define ECHO_DATA_MAX 65507 /* so that it fits an IPv4 packet */
#define ECHO_WINDOW 4096    /* requests remembered: a reply to an older one is unknown */

/* All zeros, with the size and identifier set, is a log to begin with. */
struct echo_log {
	size_t size;         /* bytes of data in each request */
	uint16_t identifier; /* in each request */
	bool any_identifier; /* of replies: the socket has sorted them already */

	unsigned long sent, received, duplicates, errors;
	uint64_t shortest, longest;
	double sum, sum_of_squares;
	struct {
		uint64_t sent_at; /* 0: free */
		uint16_t sequence;
		bool answered;
	} window[ECHO_WINDOW];
};

struct echo_reply {
	uint16_t sequence;
	uint64_t time;
	bool duplicate;
	bool intact; /* has all the data that was sent, and no other */
};

/* Builds the next request, which is to be sent now, and returns its length. */
size_t echo_emit(struct echo_log *log, uint64_t now,
		 uint8_t packet[ECHO_HEADER_LENGTH + ECHO_DATA_MAX]);

/* Is this ICMP packet a reply to one of ours? Then it is counted and described. */
bool echo_take(struct echo_log *log, uint64_t now, const uint8_t *packet, size_t length,
	       struct echo_reply *reply);

/* The sequence number of a request of ours, or of the part of it that an ICMP error brings back. */
uint16_t echo_sequence(const uint8_t *packet, size_t length);

/* Of the round-trip times so far, in microseconds and their square; 0 before the first reply. */
double echo_mean(const struct echo_log *log);
double echo_variance(const struct echo_log *log);

#endif
