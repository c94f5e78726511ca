/*
 * libvitrine-packetdrill.so, loaded as the tool loads it, with a peer whose packets are made by
 * hand. The C library's headers only: that is what the tool has.
 */
#ifndef TEST_HOST_UNIT_DRILL_H
#define TEST_HOST_UNIT_DRILL_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/host/packetdrill/interface.h"

#define DRILL_OPTIONS_MAX 40
#define DRILL_PAYLOAD_MAX 2048

enum { DRILL_FIN = 1, DRILL_SYN = 2, DRILL_RST = 4, DRILL_PSH = 8, DRILL_ACK = 16 };

/* A TCP segment; numbers in host order. */
struct drill_segment {
	uint16_t source, destination;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window;
	uint8_t options[DRILL_OPTIONS_MAX];
	uint32_t options_length;
	const void *payload;
	uint32_t length;
	long long time_us; /* of one that was sent */
};

struct drill {
	void *object;
	struct packetdrill_interface calls;
	struct drill_segment last; /* what drill_take returned */
	uint8_t packet[65536];     /* where its payload is */
	uint16_t local_port, remote_port;
	uint32_t sent_base, received_base; /* ISS of ours, and of the peer */
};

/* Loads `name` of the folder beside the test's own: "host" or "check". */
void drill_start(struct drill *drill, const char *folder, const char *flags);
void drill_stop(struct drill *drill);

/* The peer sends; ports are filled in from the drill. */
void drill_send(struct drill *drill, const struct drill_segment *segment);
/* The same with numbers relative to the two ISS. */
void drill_send_at(struct drill *drill, uint8_t flags, uint32_t seq, uint32_t ack,
		   const void *payload, uint32_t length);
/*
 * What the stack sends next, whenever that is, with the headers' sums checked. False: nothing will
 * be sent.
 */
bool drill_take(struct drill *drill);
/* The next one has these flags and relative numbers, and so many bytes of data. */
void drill_expect(struct drill *drill, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length);

long long drill_now_us(struct drill *drill);
void drill_let_time_pass(struct drill *drill, unsigned us);

struct sockaddr_in drill_address(const char *text, uint16_t port);
/* A listener on port 8080, and a connection that it accepted: MSS 1000, SACK, window scale 7. */
int drill_listen(struct drill *drill);
void drill_handshake(struct drill *drill);
/* The same; the third segment comes after a round trip of so long. */
void drill_handshake_after(struct drill *drill, unsigned us);
int drill_accepted(struct drill *drill, int *listener);

/* A call on a thread of its own, as the tool makes those that block. */
struct drill_call {
	struct drill *drill;
	ssize_t (*make)(struct drill *drill, struct drill_call *call);
	int fd;
	void *buffer;
	size_t size;
	ssize_t result;
	int error;
	long long ended_us;
	pthread_t thread;
	int thread_id; /* set atomically when it has begun */
};
/* Begins it, and waits until /proc says that its thread sleeps, or it is over. */
void drill_call_begin(struct drill_call *call);
/* The letter of /proc/self/task/ID/stat; 0: the thread is gone. */
char drill_call_state(const struct drill_call *call);
void drill_call_end(struct drill_call *call);

#endif
