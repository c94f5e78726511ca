/*
 * A world with two hosts and a link, and a TCP connection over which one sends and the other
 * receives: what the table of transfers, the plots and some unit tests are made of.
 *
 *	struct transfer_settings settings = {.seed = 1, .bytes = 10 << 20, .there = ...};
 *	struct transfer *transfer = transfer_open(&settings);
 *	while (transfer_step(transfer))
 *		... look at transfer->sender ...
 *	transfer_close(transfer);
 *
 * Each byte is compared with what was sent at its place; one that differs, or comes twice, or a
 * connection that breaks, sets `trouble`. One world at a time, one thread.
 */
#ifndef TEST_HOST_SIMULATOR_TRANSFER_H
#define TEST_HOST_SIMULATOR_TRANSFER_H

#include "net/tcp/tcp.h"
#include "test/host/simulator/world.h"

struct transfer;

struct transfer_settings {
	uint64_t seed;
	size_t bytes;
	struct fault_settings there, back; /* from the sender to the receiver, and back */
	int32_t buffer; /* SO_SNDBUF and SO_RCVBUF, bytes; 0: as the stacks let them grow */
	const struct tcp_congestion_ops *congestion; /* NULL: the stack's default */
	int32_t retries; /* timeouts in a row before the sender gives up; 0: the stack's default */
	/* Called before the connection is made, to change the stacks' settings; may be NULL. */
	void (*prepare)(struct transfer *transfer);
};

struct transfer {
	struct transfer_settings settings;
	struct world *world;
	struct node *from, *to;
	struct link *link; /* way[0] leads from `from` to `to` */
	struct socket *listener, *source, *sink;
	struct tcp_socket *sender; /* source's */
	const uint8_t *pattern;    /* what is sent: transfer.c */
	size_t sent, received;     /* handed to the one stack, taken from the other */
	uint64_t began_us;         /* when the connection stood on both sides */
	uint64_t ended_us;         /* when the last byte and the end of the stream were read */
	uint64_t stop_us;          /* transfer_step does not go beyond; TIME_NEVER at first */
	const char *trouble;       /* what went wrong, or NULL */
};

/* Makes the world and the connection; panics when that does not succeed. */
struct transfer *transfer_open(const struct transfer_settings *settings);
/* Sends and receives what can be at this moment, then one event. False: it is over. */
bool transfer_step(struct transfer *transfer);
/* One of `sender`'s stack's counters. */
uint64_t transfer_count(const struct transfer *transfer, enum tcp_extra_statistic which);
/* Closes all, lets TIME_WAIT pass and takes the world apart; panics when something leaked. */
void transfer_close(struct transfer *transfer);

#endif
