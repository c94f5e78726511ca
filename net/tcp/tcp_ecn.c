/*
 * ECN (RFC 3168 6.1; RFC 9293 3.8.2, SHLD-8): agreed on by SYN and SYN-ACK; a mark on the way is
 * echoed to the sender, who tells when he has slowed down. The sender's part is in tcp_recovery.c,
 * the bits of segments are set in tcp_transmit.c.
 *
 * tcp_ecn says whether to ask for it and to accept it; a route's own word (net/ipv4/route.h) counts
 * as yes to both. The nonce of RFC 3540 is historic (RFC 8311): the reserved bit is not looked at.
 */
#include "net/tcp/tcp_state.h"

#define SETTING_ASK 1 /* and accept; 2 only accepts */
#define ECN_BITS (TCP_ECE | TCP_CWR)

/* A SYN that got lost may have been lost for these bits, so they are asked for once: 6.1.1.1. */
uint8_t tcp_ecn_of_syn(const struct tcp_socket *tcp, bool again)
{
	bool ask = tcp_of(tcp_net(tcp))->settings.tcp_ecn == SETTING_ASK || tcp->route_ecn;

	if (tcp->state == TCP_SYN_RECV)
		return tcp->has_ecn ? TCP_ECE : 0;
	return ask && !again ? ECN_BITS : 0;
}

/* 6.1.1: a SYN asks with both bits, a SYN-ACK agrees with ECE alone; both would be an echo. */
bool tcp_ecn_agreed(const struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	int32_t setting = tcp_of(tcp_net(tcp))->settings.tcp_ecn;
	uint8_t bits = segment->flags & ECN_BITS;

	if (segment->flags & TCP_ACK)
		return bits == TCP_ECE && (setting == SETTING_ASK || tcp->route_ecn);
	return bits == ECN_BITS && (setting || tcp->route_ecn);
}

bool tcp_ecn_accepted(struct tcp_socket *listener, const struct tcp_segment *segment)
{
	const struct inet_socket *inet = &listener->inet;
	struct net *net = tcp_net(listener);
	struct inet_route route;

	if ((segment->flags & ECN_BITS) != ECN_BITS)
		return false;
	if (tcp_of(net)->settings.tcp_ecn)
		return true;
	return inet->family->route(net, segment->remote.addr, segment->local.addr,
				   inet->socket.bound_ifindex, &route) == 0 &&
	       route.ecn;
}

/* 6.1.3: a mark is echoed in every acknowledgement until the sender says that it heard. */
void tcp_ecn_received(struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	if (!tcp->has_ecn)
		return;
	if (segment->flags & TCP_CWR) {
		tcp->ecn_echo = false;
		/* The sender's window may be down to one segment: it waits for the answer. */
		tcp->ack_now |= segment->payload != 0;
	}
	if (!segment->congestion_experienced)
		return;
	tcp->ecn_echo = true;
	tcp->ecn_seen = true;
	tcp->ack_now = true;
}
