/*
 * HyStart++ (RFC 9406): the first slow start ends before it overflows the path's queue, when the
 * round trip grows; by way of some rounds of conservative slow start, in case it was something
 * else.
 *
 * The bound L of section 4.2, on what one acknowledgement may count for, is not applied: receivers
 * that merge packets acknowledge dozens of segments at once.
 */
#ifndef NET_TCP_TCP_HYSTART_H
#define NET_TCP_TCP_HYSTART_H

#include "kernel/types.h"

struct tcp_hystart {
	uint32_t round_end;                       /* windowEnd: snd_nxt when the round began */
	uint32_t last_round_rtt_us, round_rtt_us; /* the least of each; UINT32_MAX: none */
	uint32_t baseline_rtt_us;                 /* cssBaselineMinRtt */
	uint8_t samples;                          /* in this round, as far as they count */
	uint8_t css_rounds;
	bool conservative; /* CSS */
};

/* The verdict on an acknowledgement. */
enum tcp_hystart_phase {
	TCP_HYSTART_SLOW_START,
	TCP_HYSTART_CONSERVATIVE, /* grow by TCP_HYSTART_CSS_DIVISOR less */
	TCP_HYSTART_DONE,         /* avoidance begins here */
};
#define TCP_HYSTART_CSS_DIVISOR 4

void tcp_hystart_init(struct tcp_hystart *hystart, uint32_t snd_nxt);
/* An acknowledgement in slow start; rtt_us 0: it brought no sample. */
enum tcp_hystart_phase tcp_hystart_acked(struct tcp_hystart *hystart, uint32_t snd_una,
					 uint32_t snd_nxt, uint32_t rtt_us);

#endif
