/*
 * How large segments may be: the peer's option, the path's MTU (RFC 1191), and what a black hole
 * lets through, where ICMP does not come back (RFC 4821, RFC 8899).
 */
#include "net/ipv4/ipv4.h"
#include "net/tcp/tcp_scoreboard.h"
#include "net/tcp/tcp_state.h"

#define HEADERS(inet) ((inet)->header_length + TCP_HEADER_MIN)
#define TIMESTAMPS_LENGTH 12  /* of the option, padded */
#define BLACK_HOLE_TIMEOUTS 2 /* in a row, before smaller segments are tried */
#define PATH_FLOOR 552        /* what a forged report cannot get below: net/ipv4/pmtu.h */

/* RFC 9293 3.7.1, MUST-16, MUST-67: options of ours shorten the data, not what we advertise. */
static void update_mss(struct tcp_socket *tcp)
{
	uint32_t overhead = HEADERS(tcp->inet.inet) + tcp->inet.options_length;
	uint32_t mss = tcp->mtu.path > overhead ? tcp->mtu.path - overhead : 0;

	mss = MIN(mss, (uint32_t)tcp->peer_mss);
	if (tcp->user_mss)
		mss = MIN(mss, (uint32_t)tcp->user_mss);
	if (tcp->has_timestamps)
		mss -= MIN(mss, TIMESTAMPS_LENGTH);
	tcp->mss = (uint16_t)MAX(mss, (uint32_t)TCP_MSS_FLOOR / 2);
}

uint16_t tcp_mss_to_advertise(struct net *net __unused, const struct inet_route *route,
			      uint16_t user_mss)
{
	uint32_t mss = route->device_mtu - HEADERS(&ip4_inet_family);

	mss = MIN(mss, (uint32_t)UINT16_MAX - HEADERS(&ip4_inet_family));
	return (uint16_t)(user_mss ? MIN(mss, (uint32_t)user_mss) : mss);
}

void tcp_mtu_setup(struct tcp_socket *tcp)
{
	const struct inet_socket *inet = &tcp->inet;
	struct inet_route route;

	if (inet->inet->route(tcp_net(tcp), inet->remote.addr, inet->local.addr,
			      inet->socket.bound_ifindex, &route)) {
		tcp->mtu.path = PATH_FLOOR; /* no way at present: sending will tell */
	} else {
		tcp->mtu.path = (uint16_t)MIN(route.mtu, (uint32_t)UINT16_MAX);
		tcp->device_features = route.features;
		tcp->advertised_mss = tcp_mss_to_advertise(tcp_net(tcp), &route, tcp->user_mss);
	}
	update_mss(tcp);
}

/* What is under way and too large now is sent again, in pieces; that is no sign of congestion. */
static void resend_too_large(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	struct tcp_scoreboard *board = &tcp->scoreboard;

	for (struct tcp_sent *sent = tcp_scoreboard_first(board); sent;
	     sent = tcp_scoreboard_next(sent))
		tcp_scoreboard_mark_lost(board, sent);
	if (tcp->state != TCP_CLOSE)
		tcp_output(tcp);
}

void tcp_mtu_reduced(struct tcp_socket *tcp, uint32_t mtu)
{
	mtu = MAX(mtu, (uint32_t)PATH_FLOOR);
	if (mtu >= tcp->mtu.path)
		return;
	tcp->mtu.path = (uint16_t)mtu;
	update_mss(tcp);
	if (tcp->state != TCP_SYN_SENT && tcp->state != TCP_SYN_RECV)
		resend_too_large(tcp);
}

void tcp_mtu_timeout(struct tcp_socket *tcp)
{
	const struct tcp_settings *settings = &tcp_of(tcp_net(tcp))->settings;
	uint32_t base = (uint32_t)settings->tcp_base_mss + HEADERS(tcp->inet.inet);

	if (!settings->tcp_mtu_probing || ++tcp->mtu.black_hole_timeouts < BLACK_HOLE_TIMEOUTS)
		return;
	tcp->mtu.black_hole_timeouts = 0;
	/* First to the base that nearly every path takes; below that by halves. */
	uint32_t path = tcp->mtu.path > base ? base : (uint32_t)tcp->mtu.path / 2;

	if (path < PATH_FLOOR) {
		tcp->mtu.no_dont_fragment = true;
		path = PATH_FLOOR;
	}
	tcp->mtu.path = (uint16_t)MIN(path, (uint32_t)tcp->mtu.path);
	update_mss(tcp);
}
