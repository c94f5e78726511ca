/*
 * How large segments may be: the peer's option, the path's MTU (RFC 1191), and where no ICMP comes
 * back from a black hole, what goes through it (RFC 4821, RFC 8899: tcp_mtu_probe.c).
 */
#include "net/ipv4/ipv4.h"
#include "net/tcp/tcp_scoreboard.h"
#include "net/tcp/tcp_state.h"

#define HEADERS(inet) ((inet)->header_length + TCP_HEADER_MIN)
#define TIMESTAMPS_LENGTH 12     /* of the option, padded */
#define PATH_FLOOR 552           /* what a forged report cannot get below: net/ipv4/pmtu.h */
#define MSS_LEAST 88             /* what may be left beside the longest options */
#define FRAGMENTATION_TIMEOUTS 3 /* more, before routers may fragment */

/* RFC 9293 3.7.1, MUST-16, MUST-67: options of ours shorten the data, not what we advertise. */
uint32_t tcp_mss_for_path(const struct tcp_socket *tcp, uint32_t mtu)
{
	uint32_t overhead = HEADERS(tcp->inet.family) + tcp->inet.options_length;
	uint32_t mss = mtu > overhead ? mtu - overhead : 0;

	mss = MIN(mss, (uint32_t)tcp->peer_mss);
	if (tcp->user_mss)
		mss = MIN(mss, (uint32_t)tcp->user_mss);
	if (tcp->has_timestamps)
		mss -= MIN(mss, TIMESTAMPS_LENGTH);
	return MAX(mss, (uint32_t)MSS_LEAST);
}

uint16_t tcp_mss_to_advertise(struct net *net __unused, const struct inet_route *route,
			      uint16_t user_mss)
{
	uint32_t mss = route->device_mtu - HEADERS(&ip4_inet_family);

	mss = MIN(mss, (uint32_t)UINT16_MAX - HEADERS(&ip4_inet_family));
	return (uint16_t)(user_mss ? MIN(mss, (uint32_t)user_mss) : mss);
}

/* The size that nearly every path takes. */
static uint32_t base_size(const struct tcp_socket *tcp)
{
	return (uint32_t)tcp_of(tcp_net(tcp))->settings.tcp_base_mss + HEADERS(tcp->inet.family);
}

void tcp_mtu_set_path(struct tcp_socket *tcp, uint32_t mtu)
{
	tcp->mtu.path = (uint16_t)MIN(mtu, (uint32_t)UINT16_MAX);
	tcp->mss = (uint16_t)tcp_mss_for_path(tcp, tcp->mtu.path);
}

void tcp_mtu_setup(struct tcp_socket *tcp)
{
	const struct inet_socket *inet = &tcp->inet;
	struct inet_route route;

	if (inet->family->route(tcp_net(tcp), inet->remote.addr, inet->local.addr,
				inet->socket.bound_ifindex, &route)) {
		tcp->mtu.route = PATH_FLOOR; /* no way at present: sending will tell */
	} else {
		tcp->mtu.route = (uint16_t)MIN(route.mtu, (uint32_t)UINT16_MAX);
		tcp->device_features = route.features;
		tcp->route_ecn = route.ecn;
		tcp->advertised_mss = tcp_mss_to_advertise(tcp_net(tcp), &route, tcp->user_mss);
	}
	tcp->mtu.probe_size = tcp->mtu.search_high = 0;
	tcp_mtu_set_path(tcp, tcp->mtu.route);
	if (tcp_of(tcp_net(tcp))->settings.tcp_mtu_probing == 2 && base_size(tcp) < tcp->mtu.path) {
		tcp_mtu_set_path(tcp, base_size(tcp));
		tcp_mtu_search(tcp, tcp->mtu.route, 0);
	}
}

/*
 * RFC 1191 6.5: what is under way and too large now is sent again, in smaller pieces; that is no
 * sign of congestion.
 */
static void resend_too_large(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	struct tcp_scoreboard *board = &tcp->scoreboard;

	for (struct tcp_sent *sent = tcp_scoreboard_first(board); sent;
	     sent = tcp_scoreboard_next(sent)) {
		if (sent->state == TCP_SENT_IN_FLIGHT && sent->end - sent->seq > tcp->mss)
			tcp_scoreboard_mark_lost(board, sent);
	}
	tcp_output(tcp);
}

/* RFC 1191 6.4, RFC 9293 3.9.2.2. Later larger packets may go again: RFC 1191 6.3. */
void tcp_mtu_reduced(struct tcp_socket *tcp, uint32_t mtu)
{
	mtu = MAX(mtu, (uint32_t)PATH_FLOOR);
	if (mtu >= tcp->mtu.path)
		return;
	tcp->mtu.probe_size = 0;
	tcp_mtu_set_path(tcp, mtu);
	if (tcp_of(tcp_net(tcp))->settings.tcp_mtu_probing)
		tcp_mtu_search(tcp, tcp->mtu.route, TCP_MTU_RAISE_US);
	if (tcp->state != TCP_SYN_SENT && tcp->state != TCP_SYN_RECV)
		resend_too_large(tcp);
}

/*
 * RFC 8899 4.3: segments get lost again and again, and no ICMP says why. Smaller ones may do
 * better, and then maybe larger ones again; if not even those come through, routers may cut them.
 */
void tcp_mtu_timeout(struct tcp_socket *tcp)
{
	const struct tcp_settings *settings = &tcp_of(tcp_net(tcp))->settings;
	uint32_t patience = MAX((uint32_t)settings->tcp_retries1, 1u), base = base_size(tcp);

	tcp->mtu.probe_size = 0;
	if (!settings->tcp_mtu_probing || tcp->recovery.timeouts < patience)
		return;
	if (tcp->mtu.path > base) {
		uint32_t before = tcp->mtu.path;

		tcp_mtu_set_path(tcp, base);
		tcp_mtu_search(tcp, before, 0);
	} else if (tcp->recovery.timeouts >= patience + FRAGMENTATION_TIMEOUTS) {
		tcp->mtu.no_dont_fragment = true;
	}
}
