/*
 * The other end of TCP connections, played by the test: a stack with TCP on eth0, and segments made
 * by hand, right by default and wrong where a test wants them wrong.
 *
 *	static struct fixture f;
 *	static struct stranger stranger;
 *	struct socket *listener = tcp_fixture_init(&f);          on TCP_FIXTURE_PORT
 *	struct socket *socket = stranger_connects(&stranger, &f, listener);
 *	struct crafted segment = stranger_segment(&stranger, TCP_ACK | TCP_PSH);
 *	segment.urgent = 65535; ...
 *	stranger_sends(&stranger, &segment);
 *	const struct seen reply = stranger_sees(&stranger, 0);   what the stack sent, checked
 *	tcp_fixture_destroy(&f);                                 asserts that nothing leaked
 */
#ifndef TEST_HOST_UNIT_STRANGER_H
#define TEST_HOST_UNIT_STRANGER_H

#include "include/uapi/tcp.h"
#include "net/tcp/tcp_state.h"
#include "test/host/unit/ip4_fixture.h"

#define TCP_FIXTURE_PORT 80
#define SEGMENT_MAX 1460 /* bytes of data that one is made of */

/* One end of a connection, outside of the stack. */
struct stranger {
	struct fixture *f;
	ip4_t address;       /* PEER, or one behind the gateway */
	uint16_t port, ours; /* its own, the stack's */
	uint32_t irs;        /* the stack's ISS */
	uint32_t seq;        /* the next it sends */
	uint32_t ack;        /* what it has received */
	uint16_t window;     /* as on the wire */
	/* What its SYN offers. */
	uint16_t mss;  /* 0: no option */
	int8_t wscale; /* negative: no option */
	bool sack;
	bool timestamps;
	uint32_t ts_value, ts_echo; /* of all its segments, when `timestamps` */
};

/* A segment to be made. */
struct crafted {
	uint8_t flags;
	uint32_t seq, ack;
	uint16_t window, urgent;
	uint8_t options[TCP_OPTIONS_MAX];
	size_t options_length; /* padded with END to words */
	const void *data;
	size_t length;
	uint8_t words;  /* of the header, as it says; 0: what is right */
	size_t cut;     /* the segment ends after so many bytes; 0: whole */
	uint16_t wrong; /* added to the right checksum */
	uint8_t tos;
	const uint8_t *ip_options; /* a multiple of 4 bytes */
	size_t ip_options_length;
};

/* A segment of the stack's. */
struct seen {
	struct tcp_header header;
	struct tcp_options options;
	const uint8_t *data;
	size_t length;
	ip4_t destination;
};

/* The stack with TCP: a listener on TCP_FIXTURE_PORT, backlog 16. */
struct socket *tcp_fixture_init(struct fixture *f);
/* After all timers; closes the listener and asserts that no memory is charged or leaked. */
void tcp_fixture_destroy(struct fixture *f, struct socket *listener);
struct tcp_state_of_net *tcp_fixture_state(struct fixture *f);

/* PEER, a fresh port, a window of 65535, MSS 1460, no other options. */
void stranger_init(struct stranger *stranger, struct fixture *f);
/* In order, with the ends' numbers and the stranger's timestamps. */
struct crafted stranger_segment(const struct stranger *stranger, uint8_t flags);
/* Arrives as it is; then softirqs run. The stranger's numbers stay. */
void stranger_sends(struct stranger *stranger, const struct crafted *segment);
/* `length` bytes of data in order, in one segment; its `seq` moves on. */
void stranger_says(struct stranger *stranger, const void *data, size_t length);
/* A bare segment in order. */
void stranger_flags(struct stranger *stranger, uint8_t flags);

/* An ICMP error from the gateway about a segment to the stranger with sequence number `seq`. */
void stranger_icmp(struct stranger *stranger, uint8_t type, uint8_t code, uint32_t info,
		   uint32_t seq);

/* The i-th frame sent since fixture_clear_sent: a segment with a good checksum. */
struct seen stranger_sees(const struct stranger *stranger, uint32_t i);
/* Exactly one was sent, with these flags; it is forgotten. */
struct seen stranger_sees_only(struct stranger *stranger, uint8_t flags);
/* Nothing was sent. */
void stranger_sees_nothing(const struct stranger *stranger);

/* The SYN of `stranger`, as its offers say. */
struct crafted stranger_syn(const struct stranger *stranger);
/* A handshake with the listener: the accepted socket. Frames sent are forgotten. */
struct socket *stranger_connects(struct stranger *stranger, struct socket *listener);
/* A socket of the stack that has sent its SYN to the stranger, which has seen it. */
struct socket *stranger_is_called(struct stranger *stranger);
/* ... and has answered: ESTABLISHED. */
struct socket *stranger_is_connected(struct stranger *stranger);
/* Acknowledges all that was sent so far, taking the data of frames in order; forgets them. */
void stranger_acknowledges(struct stranger *stranger);

/* Bytes without waiting: the count, or a negative errno. */
int64_t socket_take(struct socket *socket, void *to, size_t n, uint32_t flags);
int64_t socket_give(struct socket *socket, const void *bytes, size_t n, uint32_t flags);

/*
 * The stack still answers an echo, and a new connection that sends and receives. Clears what was
 * sent. What every hostile input must leave behind.
 */
void assert_still_serves(struct fixture *f, struct socket *listener);

/*
 * What the counters did between two calls: of all drop reasons, only `reason` rose, by `by`
 * (DROP_NONE: none did).
 */
void drops_watch(struct fixture *f);
void assert_dropped(struct fixture *f, enum drop_reason reason, uint64_t by);

#endif
