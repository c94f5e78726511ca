/*
 * How fast data is delivered, for struct tcp_info: between the sending of a segment and its
 * acknowledgement other data was delivered; that, over the time it took, or the time in which it
 * was sent if that was longer. The draft is draft-ietf-ccwg-bbr's delivery rate.
 *
 * Times and bytes in records are the low halves of the connection's, which differ by less.
 */
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_state.h"

void tcp_rate_sent(struct tcp_socket *tcp, struct tcp_sent *sent, uint64_t now_us)
{
	struct tcp_rate *rate = &tcp->rate;

	if (tcp->scoreboard.records == 1) /* a flight begins */
		rate->first_sent_us = rate->delivered_us = now_us;
	sent->delivered = (uint32_t)rate->delivered;
	sent->delivered_us = (uint32_t)rate->delivered_us;
	sent->first_sent_us = (uint32_t)rate->first_sent_us;
	sent->app_limited = rate->app_limited_until != 0;
}

void tcp_rate_delivered(struct tcp_socket *tcp, const struct tcp_sent *sent,
			struct tcp_acknowledgement *ack)
{
	if (ack->rate.known && seq_before(sent->delivered, ack->rate.delivered))
		return;
	ack->rate.known = true;
	ack->rate.app_limited = sent->app_limited;
	ack->rate.delivered = sent->delivered;
	ack->rate.delivered_us = sent->delivered_us;
	ack->rate.send_us = (uint32_t)sent->sent_us - sent->first_sent_us;
	tcp->rate.first_sent_us = sent->sent_us;
}

void tcp_rate_measure(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	struct tcp_rate *rate = &tcp->rate;
	uint32_t elapsed_us, bytes;

	if (!ack->delivered)
		return;
	rate->delivered += ack->delivered;
	rate->delivered_us = ack->segment->now_us;
	if (rate->delivered > rate->app_limited_until)
		rate->app_limited_until = 0;
	if (!ack->rate.known)
		return;
	elapsed_us = (uint32_t)rate->delivered_us - ack->rate.delivered_us;
	elapsed_us = MAX(MAX(elapsed_us, ack->rate.send_us), 1u);
	if (elapsed_us < tcp->rtt.min_us && tcp->rtt.min_us != UINT32_MAX)
		return; /* acknowledgements that came in one heap */
	bytes = (uint32_t)rate->delivered - ack->rate.delivered;
	/* What the process did not fill tells less than what it did, unless it was faster. */
	if (ack->rate.app_limited &&
	    (uint64_t)bytes * rate->sample_us < (uint64_t)rate->sample_bytes * elapsed_us)
		return;
	rate->sample_bytes = bytes;
	rate->sample_us = elapsed_us;
	rate->app_limited = ack->rate.app_limited;
	rate->bytes_per_second = bytes * USEC_PER_SEC / elapsed_us;
}

void tcp_rate_app_limited(struct tcp_socket *tcp)
{
	tcp->rate.app_limited_until = MAX(tcp->rate.delivered + tcp_in_flight(tcp), 1ull);
}
