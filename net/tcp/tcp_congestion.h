/*
 * Congestion control (RFC 5681): a small table of functions for each algorithm, chosen by name
 * (TCP_CONGESTION, tcp_congestion_control). Recovery decides when; the algorithm decides how much.
 *
 * Windows are in bytes. Needs the net lock throughout.
 */
#ifndef NET_TCP_TCP_CONGESTION_H
#define NET_TCP_TCP_CONGESTION_H

#include "net/tcp/tcp.h"

/* What one acknowledgement brought. */
struct tcp_ack_sample {
	uint32_t acked;     /* bytes newly acknowledged, cumulatively or by SACK */
	uint32_t in_flight; /* before it */
	uint32_t rtt_us;    /* 0: none */
	uint64_t now_us;
};

struct tcp_congestion_ops {
	char name[TCP_CA_NAME_MAX];
	void (*init)(struct tcp_socket *tcp);
	/* Not during a reduction: slow start or avoidance. cwnd may grow. */
	void (*acked)(struct tcp_socket *tcp, const struct tcp_ack_sample *sample);
	/* A loss or a mark: the new ssthresh in bytes, at least two segments. */
	uint32_t (*reduce)(struct tcp_socket *tcp);
	/* The last reduction was needless; cwnd and ssthresh are restored. May be NULL. */
	void (*undone)(struct tcp_socket *tcp);
	/* An RTO, after `reduce`. May be NULL. */
	void (*timed_out)(struct tcp_socket *tcp);
	/* Sending goes on after `idle_us` of silence. May be NULL. */
	void (*restarted)(struct tcp_socket *tcp, uint64_t idle_us);
};

extern const struct tcp_congestion_ops tcp_newreno, tcp_cubic;

/* "reno", "cubic". NULL: none of that name. */
const struct tcp_congestion_ops *tcp_congestion_find(const char *name);
/* "reno cubic" for /proc/sys/net/ipv4/tcp_available_congestion_control. */
void tcp_congestion_names(char *to, size_t size);
/* Changes the algorithm; cwnd and ssthresh stay. */
void tcp_congestion_choose(struct tcp_socket *tcp, const struct tcp_congestion_ops *ops);

/* Was the window used, so that acknowledgements may let it grow? */
bool tcp_congestion_may_grow(const struct tcp_socket *tcp);

#endif
