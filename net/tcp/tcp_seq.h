/*
 * Sequence numbers: the only place where they are compared (RFC 9293 3.4: arithmetic modulo 2^32).
 * Two numbers are comparable while they lie less than 2^31 apart, which windows of at most 2^30
 * guarantee.
 */
#ifndef NET_TCP_TCP_SEQ_H
#define NET_TCP_TCP_SEQ_H

#include "kernel/types.h"

static inline bool seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}
static inline bool seq_after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}
/* a <= b and a >= b. */
static inline bool seq_upto(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}
static inline bool seq_from(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) >= 0;
}
/* first <= x < end */
static inline bool seq_within(uint32_t x, uint32_t first, uint32_t end)
{
	return x - first < end - first;
}
/*
 * RFC 9293 3.4, table 6: does anything of a segment lie in the receive window? One that begins
 * before it and ends behind it counts too. An empty one at RCV.NXT is right even when the window is
 * closed.
 */
static inline bool seq_acceptable(uint32_t seq, uint32_t length, uint32_t rcv_nxt, uint32_t window)
{
	uint32_t last = seq + length - 1;

	if (length == 0 && seq == rcv_nxt)
		return true;
	if (seq_within(seq, rcv_nxt, rcv_nxt + window))
		return true;
	return length && window && seq_before(seq, rcv_nxt) && seq_from(last, rcv_nxt);
}
static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
	return seq_after(a, b) ? a : b;
}
static inline uint32_t seq_min(uint32_t a, uint32_t b)
{
	return seq_before(a, b) ? a : b;
}

#endif
