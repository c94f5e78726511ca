/*
 * One end of the relay: a TAP, or the datagram socket of a QEMU "-netdev dgram". Frames come in and
 * go out in batches; nothing here waits, and nothing is lost for want of room.
 */
#ifndef TEST_HOST_PROGRAMS_RELAY_END_H
#define TEST_HOST_PROGRAMS_RELAY_END_H

#include <sys/un.h>

#include "test/host/simulator/faults.h"

#define END_BATCH 32 /* frames that one system call moves, where there is such a call */

struct end {
	const char *name;         /* as on the command line */
	int fd;                   /* non-blocking */
	bool is_socket;           /* else a TAP */
	struct sockaddr_un own;   /* unix= only: bound here ... */
	struct sockaddr_un peer;  /* ... and sending there */
	bool full;                /* the last frame did not fit: wait until fd is writable */
	uint64_t retry_us;        /* or until this time, as fault_link has it; 0: not */
	bool gone;                /* the TAP was deleted */
	uint64_t refused, absent; /* frames that it would not take; for which nobody was there */
	struct fault_frame *waiting[END_BATCH]; /* due, and not yet taken */
	uint32_t waiting_count;
};

/*
 * Opens what `text` says: tap=IFNAME, unix=PATH or unix=PATH,PEER (arguments_parse has seen to it).
 * Ends the program with one line on stderr when that cannot be.
 */
void end_open(struct end *end, const char *text);
void end_close(struct end *end);

/* Takes each frame that arrived, up to a bounded number. True when there may be more. */
bool end_read(struct end *end,
	      void (*arrived)(void *context, const uint8_t *bytes, uint32_t length), void *context);

/*
 * Sends what is due on `link`, until the end is full. While it is full nothing happens, until
 * end_writable or the time of retry_us. True when more is due at once.
 */
bool end_write(struct end *end, struct fault_link *link, uint64_t now_us);

/* The descriptor may be written to again. */
void end_writable(struct end *end);

#endif
