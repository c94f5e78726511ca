/* A connection brought into one of its situations by a peer made by hand; see tcp_situation.h. */
#include "test/host/unit/tcp_situation.h"

#include <string.h>

#define NOBODY_PORT 81
#define PEER_PORT 30000
#define AFTER_TIME_WAIT_US (61 * USEC_PER_SEC)
#define SMALL_BUFFER 4096 /* SO_RCVBUF: a window that a few segments fill */
#define TO_SEND "0123456789"

/* ---- The stack, seen from its peer ---- */

void meeting_look(struct meeting *meeting)
{
	meeting->view.count = meeting->f.sent_count;
	for (uint32_t i = 0; i < meeting->f.sent_count; i++) {
		const struct seen seen = stranger_sees(&meeting->stranger, i);
		uint32_t end = seen.header.seq + (uint32_t)seen.length;

		end += (seen.header.flags & TCP_SYN ? 1 : 0) +
		       (seen.header.flags & TCP_FIN ? 1 : 0);
		meeting->view.flags = seen.header.flags;
		meeting->view.seq = seen.header.seq;
		meeting->view.ack = seen.header.ack;
		if (meeting->view.flags & TCP_RST)
			continue;
		meeting->view.window = seen.header.window;
		if (meeting->view.flags & TCP_SYN)
			meeting->view.iss = meeting->view.snd_una = seen.header.seq;
		if (meeting->view.flags & TCP_SYN || seq_after(end, meeting->view.snd_nxt))
			meeting->view.snd_nxt = end;
	}
	fixture_clear_sent(&meeting->f);
}

static void send_flags(struct meeting *meeting, uint8_t flags)
{
	meeting->stranger.ack = flags & TCP_ACK ? meeting->stranger.ack : 0;
	stranger_flags(&meeting->stranger, flags);
	meeting->stranger.seq += (flags & TCP_SYN ? 1 : 0) + (flags & TCP_FIN ? 1 : 0);
	meeting->view.rcv_nxt = meeting->stranger.seq;
	meeting_look(meeting);
}

static void acknowledge_all(struct meeting *meeting)
{
	meeting->stranger.ack = meeting->view.snd_una = meeting->view.snd_nxt;
	send_flags(meeting, TCP_ACK);
}

static struct socket *make_listener(struct meeting *meeting)
{
	struct socket *made = make_socket(&meeting->f, SOCK_STREAM, 0);

	assert_int_equal(do_bind(made, IP4_ANY, TCP_FIXTURE_PORT), 0);
	assert_int_equal(set_option(made, SOL_SOCKET, SO_OOBINLINE, 1), 0);
	assert_int_equal(socket_listen(made, 16), 0);
	return made;
}

/* ---- Into a situation ---- */

static void call_stranger(struct meeting *meeting)
{
	meeting->socket = stranger_is_called(&meeting->stranger);
	assert_int_equal(set_option(meeting->socket, SOL_SOCKET, SO_OOBINLINE, 1), 0);
	meeting->view.iss = meeting->view.snd_una = meeting->stranger.irs;
	meeting->view.snd_nxt = meeting->view.iss + 1;
	meeting->view.rcv_nxt = meeting->stranger.seq; /* of which the stack knows nothing yet */
}

static void send_syn(struct meeting *meeting)
{
	const struct crafted syn = stranger_syn(&meeting->stranger);

	stranger_sends(&meeting->stranger, &syn);
	meeting->view.rcv_nxt = ++meeting->stranger.seq;
	meeting_look(meeting);
	meeting->stranger.irs = meeting->view.iss;
	meeting->stranger.ack = meeting->view.iss + 1;
}

static void establish(struct meeting *meeting)
{
	send_syn(meeting);
	acknowledge_all(meeting);
	assert_int_equal(socket_accept(meeting->listener, &meeting->socket, true), 0);
}

/* Data is under way. */
static void establish_sending(struct meeting *meeting)
{
	establish(meeting);
	assert_int_equal(socket_give(meeting->socket, TO_SEND, strlen(TO_SEND), 0),
			 strlen(TO_SEND));
	fixture_run(&meeting->f);
	meeting_look(meeting);
}

static void shut_down(struct meeting *meeting)
{
	assert_int_equal(socket_shutdown(meeting->socket, SHUT_WR), 0);
	fixture_run(&meeting->f);
	meeting_look(meeting);
}

static void close_socket(struct meeting *meeting)
{
	socket_close(meeting->socket);
	meeting->socket = NULL;
	fixture_run(&meeting->f);
	meeting_look(meeting);
}

/* The peer's FIN, which acknowledges nothing new. */
static void send_fin(struct meeting *meeting)
{
	meeting->stranger.ack = meeting->view.snd_una;
	send_flags(meeting, TCP_FIN | TCP_ACK);
}

static void fill_window(struct meeting *meeting)
{
	static const uint8_t bytes[SMALL_BUFFER];

	assert_int_equal(set_option(meeting->listener, SOL_SOCKET, SO_RCVBUF, SMALL_BUFFER), 0);
	establish(meeting);
	while (meeting->view.window) {
		stranger_says(&meeting->stranger, bytes,
			      MIN(meeting->view.window, (uint32_t)SEGMENT_MAX));
		meeting_look(meeting);
	}
	meeting->view.rcv_nxt = meeting->stranger.seq;
}

static void close_first(struct meeting *meeting)
{
	establish_sending(meeting);
	shut_down(meeting);
	acknowledge_all(meeting);
}

static void bring_about(struct meeting *meeting, uint32_t situation)
{
	switch (situation) {
	case CLOSED:
		meeting->stranger.ours = NOBODY_PORT;
		break;
	case SYN_SENT:
		call_stranger(meeting);
		break;
	case REQUEST:
		send_syn(meeting);
		break;
	case SYN_RECV:
		call_stranger(meeting);
		send_syn(meeting);
		break;
	case ESTABLISHED:
		establish_sending(meeting);
		break;
	case WINDOW_0:
		fill_window(meeting);
		break;
	case FIN_WAIT_1:
		establish_sending(meeting);
		shut_down(meeting);
		break;
	case FIN_WAIT_2:
		close_first(meeting);
		break;
	case ORPHAN_1:
		establish_sending(meeting);
		close_socket(meeting);
		break;
	case ORPHAN_2:
		establish_sending(meeting);
		close_socket(meeting);
		acknowledge_all(meeting);
		break;
	case CLOSE_WAIT:
		establish_sending(meeting);
		send_fin(meeting);
		break;
	case CLOSING:
		establish_sending(meeting);
		shut_down(meeting);
		send_fin(meeting);
		break;
	case LAST_ACK:
		establish_sending(meeting);
		send_fin(meeting);
		shut_down(meeting);
		break;
	case TIME_WAIT:
	case REOPENABLE:
		close_first(meeting);
		send_fin(meeting);
		break;
	default:
		break;
	}
	if (situation == TIME_WAIT) {
		socket_close(meeting->listener);
		meeting->listener = NULL;
	}
}

/* ---- What follows ---- */

const struct tcp_socket *meeting_connection(struct meeting *meeting)
{
	struct tcp_state_of_net *state = tcp_fixture_state(&meeting->f);
	const struct endpoint local = {net_addr_ip4(OURS), meeting->stranger.ours};
	const struct endpoint remote = {net_addr_ip4(meeting->stranger.address),
					meeting->stranger.port};
	const struct tcp_socket *tcp;

	net_lock(&meeting->f.net);
	tcp = tcp_table_find(&state->table, tcp_table_hash(&state->table, &local, &remote), &local,
			     &remote);
	net_unlock(&meeting->f.net);
	return tcp;
}

static uint32_t situation_of(const struct tcp_socket *tcp)
{
	static const uint32_t situations[] = {
		[TCP_ESTABLISHED] = ESTABLISHED, [TCP_SYN_SENT] = SYN_SENT,
		[TCP_SYN_RECV] = SYN_RECV,       [TCP_FIN_WAIT1] = FIN_WAIT_1,
		[TCP_FIN_WAIT2] = FIN_WAIT_2,    [TCP_CLOSE_WAIT] = CLOSE_WAIT,
		[TCP_LAST_ACK] = LAST_ACK,       [TCP_CLOSING] = CLOSING,
	};

	assert_true(tcp->state < ARRAY_SIZE(situations) && situations[tcp->state]);
	return situations[tcp->state];
}

uint32_t meeting_situation(struct meeting *meeting)
{
	const struct tcp_state_of_net *state = tcp_fixture_state(&meeting->f);
	const struct tcp_socket *tcp = meeting_connection(meeting);

	if (tcp)
		return situation_of(tcp);
	if (state->requests.table.count)
		return REQUEST;
	return state->timewaits.count ? TIME_WAIT : CLOSED;
}

/* As meeting_situation(meeting) would name it. */
uint32_t situation_simplified(uint32_t situation)
{
	switch (situation) {
	case LISTEN:
		return CLOSED;
	case WINDOW_0:
		return ESTABLISHED;
	case ORPHAN_1:
		return FIN_WAIT_1;
	case ORPHAN_2:
		return FIN_WAIT_2;
	case REOPENABLE:
		return TIME_WAIT;
	default:
		return situation;
	}
}

/* ---- Beginning and end ---- */

void meeting_init(struct meeting *meeting)
{
	memset(meeting, 0, sizeof(*meeting));
	socket_close(tcp_fixture_init(&meeting->f));
	meeting->listener = make_listener(meeting);
}

void meeting_destroy(struct meeting *meeting)
{
	tcp_fixture_destroy(&meeting->f, meeting->listener);
}

void meeting_begin(struct meeting *meeting, uint32_t situation)
{
	stranger_init(&meeting->stranger, &meeting->f);
	meeting->stranger.port = PEER_PORT;
	meeting->stranger.window = MEETING_WINDOW;
	meeting->view = (struct view){.window = UINT16_MAX, .snd_una = 1000, .snd_nxt = 1001};
	meeting->view.rcv_nxt = meeting->stranger.seq;
	bring_about(meeting, situation);
}

void meeting_clear_away(struct meeting *meeting)
{
	const struct linger now = {.l_onoff = 1};

	if (meeting->socket) {
		socket_setsockopt(meeting->socket, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		socket_close(meeting->socket);
	}
	if (meeting->listener)
		socket_close(meeting->listener);
	meeting->socket = NULL;
	if (meeting_connection(meeting)) { /* an orphan */
		meeting->stranger.seq = meeting_connection(meeting)->rcv_nxt;
		stranger_flags(&meeting->stranger, TCP_RST);
	}
	fixture_clear_sent(&meeting->f);
	fixture_advance(&meeting->f, AFTER_TIME_WAIT_US);
	fixture_clear_sent(&meeting->f);
	assert_int_equal(meeting_situation(meeting), CLOSED);
	meeting->listener = make_listener(meeting);
}
