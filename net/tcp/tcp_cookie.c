#include "net/tcp/tcp_cookie.h"

#include "kernel/lib/siphash.h"
#include "net/tcp/tcp_reply.h"
#include "net/tcp/tcp_state.h"

#define PERIOD_US (64 * USEC_PER_SEC) /* of the counter that ages cookies */
#define PERIODS_VALID 2
#define COUNT_SHIFT 24 /* the counter stands in the highest eight bits */
#define LOW_BITS 0xffffffu

/* The lowest bits of the timestamp: the peer's window scale, SACK, ECN. */
#define OPTION_BITS 6
#define OPTION_MASK ((1u << OPTION_BITS) - 1)
#define NO_WINDOW_SCALE 15u
#define SACK_BIT 16u
#define ECN_BIT 32u

/* Sizes that peers mostly ask for, ascending: the largest that is not above the peer's is kept. */
static const uint16_t sizes[] = {216, 536, 1024, 1220, 1300, 1440, 1460, 8960};

static uint64_t count_now(struct net *net) NEEDS_NET_LOCK
{
	return net_batch_time(net) / PERIOD_US;
}

/* Of the ends, and for the second of a cookie's two also of the time and the peer's number. */
static uint32_t hash(struct net *net, const struct endpoint *local, const struct endpoint *remote,
		     uint64_t count, uint32_t irs) NEEDS_NET_LOCK
{
	const uint64_t words[3] = {
		(uint64_t)local->addr.v4 << 32 | remote->addr.v4,
		(uint64_t)irs << 32 | (uint32_t)local->port << 16 | remote->port,
		count,
	};

	return (uint32_t)siphash(tcp_of(net)->secrets.cookie, words, sizeof(words));
}

static uint32_t size_index(uint16_t mss)
{
	uint32_t index = 0;

	while (index + 1 < ARRAY_SIZE(sizes) && sizes[index + 1] <= mss)
		index++;
	return index;
}

static uint32_t make(const struct tcp_request *request) NEEDS_NET_LOCK
{
	struct net *net = tcp_net(request->listener);
	uint64_t count = count_now(net);
	uint32_t low = hash(net, &request->local, &request->remote, count + 1, request->irs) +
		       size_index(request->mss);

	return hash(net, &request->local, &request->remote, 0, 0) + request->irs +
	       ((uint32_t)count << COUNT_SHIFT) + (low & LOW_BITS);
}

/* The peer's MSS that a cookie carries; 0: it is none. */
static uint16_t open_cookie(struct net *net, const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	const struct endpoint *local = &segment->local, *remote = &segment->remote;
	uint32_t irs = segment->seq - 1;
	uint32_t value = segment->ack - 1 - hash(net, local, remote, 0, 0) - irs;
	uint64_t count = count_now(net);
	uint32_t age = ((uint32_t)count - (value >> COUNT_SHIFT)) & 0xff;

	if (age >= PERIODS_VALID || age > count)
		return 0;
	uint32_t index = (value - hash(net, local, remote, count - age + 1, irs)) & LOW_BITS;

	return index < ARRAY_SIZE(sizes) ? sizes[index] : 0;
}

uint32_t tcp_cookie_timestamp(struct net *net, const struct tcp_request *request, bool with_options)
{
	uint32_t now = (uint32_t)(net_batch_time(net) / USEC_PER_MSEC), stamp;
	uint32_t offset = tcp_secret_timestamp_offset(net, &request->local, &request->remote);

	if (!with_options)
		return now + offset;
	stamp = (now & ~OPTION_MASK) |
		(request->has_wscale ? request->snd_wscale : NO_WINDOW_SCALE) |
		(request->has_sack ? SACK_BIT : 0) | (request->has_ecn ? ECN_BIT : 0);
	if (stamp > now) /* never ahead of the clock */
		stamp -= OPTION_MASK + 1;
	return stamp + offset;
}

/* The options that our own timestamp brings back; without one, none were agreed on. */
static void restore_options(struct tcp_request *request,
			    const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	struct net *net = tcp_net(request->listener);
	const struct tcp_settings *settings = &tcp_of(net)->settings;
	uint32_t bits;

	request->has_timestamps = segment->options.has_timestamps && settings->tcp_timestamps;
	request->has_wscale = request->has_sack = request->has_ecn = false;
	request->snd_wscale = 0;
	if (!request->has_timestamps) {
		request->rcv_wscale = 0;
		return;
	}
	bits = (segment->options.ts_echo -
		tcp_secret_timestamp_offset(net, &request->local, &request->remote)) &
	       OPTION_MASK;
	request->has_sack = bits & SACK_BIT && settings->tcp_sack;
	request->has_ecn = bits & ECN_BIT; /* it was agreed to when the SYN came */
	request->has_wscale = (bits & NO_WINDOW_SCALE) != NO_WINDOW_SCALE &&
			      settings->tcp_window_scaling;
	if (request->has_wscale)
		request->snd_wscale = bits & NO_WINDOW_SCALE;
}

void tcp_cookie_send(struct tcp_request *request)
{
	struct net *net = tcp_net(request->listener);

	/* Without timestamps the options could not be remembered. */
	if (!request->has_timestamps) {
		request->has_wscale = request->has_sack = request->has_ecn = false;
		request->rcv_wscale = 0;
	}
	request->by_cookie = true;
	request->iss = make(request);
	request->listener->listen->cookies_until_us = net_batch_time(net) +
						      PERIODS_VALID * PERIOD_US;
	tcp_count_extra(net, TCP_EXTRA_SYNCOOKIES_SENT);
	tcp_request_answer(request, NULL);
}

struct tcp_socket *tcp_cookie_check(struct tcp_socket *listener, const struct tcp_segment *segment,
				    enum drop_reason *why)
{
	struct net *net = tcp_net(listener);
	struct tcp_request request;
	struct tcp_socket *child;
	uint16_t mss;

	*why = DROP_TCP_BAD_ACK;
	if (net_batch_time(net) >= listener->listen->cookies_until_us)
		return NULL; /* there is none under way */
	mss = open_cookie(net, segment);
	if (!mss) {
		*why = DROP_TCP_BAD_COOKIE;
		tcp_count_extra(net, TCP_EXTRA_SYNCOOKIES_FAILED);
		return NULL;
	}
	if (tcp_accept_full(listener)) { /* its data comes again: then there may be room */
		*why = DROP_TCP_ACCEPT_FULL;
		return NULL;
	}
	tcp_count_extra(net, TCP_EXTRA_SYNCOOKIES_RECEIVED);
	tcp_request_fill(&request, listener, segment);
	restore_options(&request, segment);
	if (request.has_wscale) {
		uint32_t window;
		uint8_t scale;

		tcp_choose_window_scale(listener, true, &window, &scale);
		request.rcv_wscale = scale & 15;
	}
	request.mss = mss;
	request.irs = segment->seq - 1;
	request.iss = segment->ack - 1;
	child = tcp_child_create(listener, &request, segment, TCP_ESTABLISHED);
	if (!child)
		*why = DROP_NO_MEMORY;
	return child;
}
