/*
 * From a process to the stream: send(2) and its kin. Bytes are copied into pages without the net
 * lock, then put into the stream under it, a piece at a time.
 */
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_state.h"

/* One call. */
struct tcp_sending {
	struct tcp_socket *tcp;
	struct message *message;
	uint64_t sent;        /* bytes in the stream */
	uint32_t unannounced; /* of these, since tcp_output was last asked: part of a run */
};

static uint32_t not_sent_limit(const struct tcp_socket *tcp)
{
	int32_t limit = tcp->notsent_low ? tcp->notsent_low
					 : tcp_of(tcp_net(tcp))->settings.tcp_notsent_lowat;

	return (uint32_t)limit;
}

static uint64_t waiting(const struct tcp_socket *tcp)
{
	return tcp->stream.end - seq_min(tcp->snd_nxt, tcp->stream.end);
}

/* May a new run of the stream begin? One that is begun is filled, however full the buffer is. */
static bool has_room(const struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	/* With all connections together at their limit, each goes on when its own bytes leave. */
	if (tcp->stream.charged && tcp_memory_full(tcp_net(tcp)))
		return false;
	return tcp_run_open_room(tcp) ||
	       (tcp->stream.charged < (uint32_t)tcp->inet.socket.send_buffer &&
		waiting(tcp) < not_sent_limit(tcp));
}

/*
 * Two thirds of the buffer may be in use, and half of what may wait to be sent, so that writers are
 * not woken for each segment.
 */
bool tcp_writable(const struct tcp_socket *tcp)
{
	uint64_t used = tcp->stream.charged;

	return used * 3 <= (uint64_t)tcp->inet.socket.send_buffer * 2 &&
	       waiting(tcp) * 2 < not_sent_limit(tcp) && !(used && tcp_memory_full(tcp_net(tcp)));
}

void tcp_write_space(struct tcp_socket *tcp)
{
	if (!tcp->no_space)
		return;
	tcp_tune_send_buffer(tcp);
	if (!tcp_writable(tcp))
		return;
	tcp->no_space = false;
	socket_wake(&tcp->inet.socket, POLLOUT | POLLWRNORM);
}

/* RFC 9293 3.10.2, SEND: may bytes be taken? 0; -EAGAIN: not yet; else the error. */
static int may_send(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	struct socket *socket = &tcp->inet.socket;
	int error = socket_take_error(socket);

	if (error)
		return error;
	if (tcp_opening(tcp))
		return -EAGAIN;
	if (socket->shutdown & SHUTDOWN_SEND ||
	    (tcp->state != TCP_ESTABLISHED && tcp->state != TCP_CLOSE_WAIT &&
	     tcp->state != TCP_SYN_RECV))
		return -EPIPE;
	if (has_room(tcp))
		return 0;
	tcp->no_space = true;
	return -EAGAIN;
}

static void flush(struct tcp_sending *sending) NEEDS_NET_LOCK
{
	if (!sending->unannounced)
		return;
	sending->unannounced = 0;
	tcp_output(sending->tcp);
	sending->tcp->more = false;
}

/* No more goes in now: nothing of it waits for the rest. */
static void push(struct tcp_sending *sending) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp = sending->tcp;

	if (!sending->sent)
		return;
	sending->unannounced = 0;
	tcp->push_end = tcp->stream.end;
	tcp_push(tcp);
}

/*
 * Sleeps until there may be room. What was put into the stream goes out first. 0 or why it cannot
 * be waited for.
 */
static int wait_for_room(struct tcp_sending *sending)
{
	struct tcp_socket *tcp = sending->tcp;
	struct socket *socket = &tcp->inet.socket;
	struct socket_wait wait;
	int result, error = 0;

	if (sending->message->flags & MSG_DONTWAIT)
		return -EAGAIN;
	socket_wait_begin(&wait, socket, socket->send_timeout_us);
	net_lock(socket->net);
	while ((result = may_send(tcp)) == -EAGAIN && !error) {
		net_unlock(socket->net);
		error = socket_wait_sleep(&wait);
		net_lock(socket->net);
	}
	net_unlock(socket->net);
	socket_wait_end(&wait);
	return result == -EAGAIN ? error : result;
}

/* A piece of what is left, of at most `room` bytes. */
static struct tcp_chunk *make_chunk(struct tcp_sending *sending, uint32_t room,
				    struct tcp_open_page open, int *error)
{
	struct message *message = sending->message;
	size_t want = MIN(message->iov.remaining, room);
	struct tcp_chunk *chunk;

	if (!message->page)
		return tcp_chunk_from_iov(&message->iov, want, open, error);
	chunk = tcp_chunk_of_page(message->page, message->page_offset, (uint32_t)want);
	if (!chunk) {
		*error = -ENOMEM;
		return NULL;
	}
	iov_skip(&message->iov, want);
	message->page_offset += (uint32_t)want;
	return chunk;
}

/* Takes the page that the last small write left open, so that this one may fill it. */
static struct tcp_open_page take_open_page(struct tcp_sending *sending) NEEDS_NET_LOCK
{
	struct tcp_open_page *kept = &tcp_of(tcp_net(sending->tcp))->open_page, open = {0};

	if (sending->message->page)
		return open;
	open = *kept;
	kept->page = NULL;
	return open;
}

/* The last byte of the call closes the record: PSH, and the urgent pointer of MSG_OOB. */
static void mark_end(struct tcp_sending *sending) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp = sending->tcp;

	if (sending->message->iov.remaining)
		return;
	if (!(sending->message->flags & MSG_MORE))
		tcp->push_end = tcp->stream.end;
	if (sending->message->flags & MSG_OOB) {
		tcp->snd_up = tcp->stream.end;
		tcp->urgent_out = true;
	}
}

/* Puts the chunk, which it owns, into the stream. 0, or why the connection takes it no more. */
static int append(struct tcp_sending *sending, struct tcp_chunk *chunk) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp = sending->tcp;
	uint32_t length = chunk->length, charged = tcp->stream.charged;
	int error = may_send(tcp);

	if (error && error != -EAGAIN) {
		tcp_chunk_free(chunk);
		return error;
	}
	if (!tcp_run_open_room(tcp))
		tcp_run_begin(tcp);
	tcp_page_keep(&tcp_of(tcp_net(tcp))->open_page, chunk);
	tcp_stream_append(&tcp->stream, chunk);
	if (tcp->busy.kind == TCP_BUSY_NOT)
		tcp_busy_set(tcp, TCP_BUSY_NETWORK);
	tcp_memory_force(tcp_net(tcp), tcp->stream.charged - charged);
	sending->sent += length;
	sending->unannounced += length;
	tcp->more = sending->message->flags & MSG_MORE;
	mark_end(sending);
	if (!tcp_run_open_room(tcp) || sending->message->iov.remaining == 0)
		flush(sending);
	return 0;
}

/* One piece from the process to the stream. -EAGAIN: no room. */
static int send_piece(struct tcp_sending *sending)
{
	struct tcp_socket *tcp = sending->tcp;
	struct net *net = tcp_net(tcp);
	struct tcp_open_page open = {0};
	uint32_t room = 0;

	net_lock(net);
	int error = may_send(tcp);

	if (error == -EAGAIN && sending->unannounced) {
		flush(sending);
		error = may_send(tcp);
	}
	if (error) {
		push(sending);
	} else {
		room = tcp_run_open_room(tcp);
		if (!room)
			room = tcp_run_begin(tcp);
		open = take_open_page(sending);
	}
	net_unlock(net);
	if (error)
		return error;

	struct tcp_chunk *chunk = make_chunk(sending, room, open, &error);

	if (!chunk)
		return error;
	net_lock(net);
	error = append(sending, chunk);
	net_unlock(net);
	return error;
}

static int64_t send_stream(struct tcp_sending *sending)
{
	int error = 0;

	do {
		error = send_piece(sending);
		if (error == -EAGAIN)
			error = wait_for_room(sending);
	} while (!error && sending->message->iov.remaining);
	if (!sending->sent)
		return error;
	/* What went in before the error is told; the error, if it lasts, by the next call. */
	net_lock(tcp_net(sending->tcp));
	flush(sending);
	net_unlock(tcp_net(sending->tcp));
	return (int64_t)sending->sent;
}

/* Where a Fast Open goes: sendto's name, or the one that connect left. RFC 7413 4.2 */
static int fastopen_destination(const struct tcp_socket *tcp, const struct message *message,
				struct endpoint *remote)
{
	if (tcp->fastopen_remote.port) {
		*remote = tcp->fastopen_remote;
		return 0;
	}
	if (message->name_length == 0)
		return -EINVAL;
	if (message->name_length >= sizeof(message->name.ss_family) &&
	    message->name.ss_family == AF_UNSPEC)
		return -EOPNOTSUPP;
	return inet_read_name(&message->name, message->name_length, remote);
}

/* What the SYN takes along, into *chunk, which stays NULL when it takes nothing. */
static int fill_syn(struct tcp_sending *sending, const struct endpoint *remote,
		    struct tcp_chunk **chunk)
{
	struct net *net = tcp_net(sending->tcp);
	int error = 0;

	*chunk = NULL;
	net_lock(net);
	uint32_t room = tcp_fastopen_room(sending->tcp, remote);

	net_unlock(net);
	if (!room || !sending->message->iov.remaining)
		return 0;
	*chunk = make_chunk(sending, room, (struct tcp_open_page){0}, &error);
	sending->sent = *chunk ? (*chunk)->length : 0;
	return error;
}

/*
 * Opens the connection with the first of the bytes. 0: the rest may be sent; -EINPROGRESS: it goes
 * on without us, and sending->sent bytes went along. RFC 7413, appendix A.
 */
static int fastopen(struct tcp_sending *sending)
{
	struct tcp_socket *tcp = sending->tcp;
	struct tcp_chunk *chunk;
	struct endpoint remote;
	int error = fastopen_destination(tcp, sending->message, &remote);

	if (!error)
		error = fill_syn(sending, &remote, &chunk);
	if (error)
		return error;
	net_lock(tcp_net(tcp));
	error = tcp_connect_for_send(tcp, &remote, chunk);
	net_unlock(tcp_net(tcp));
	if (!error)
		error = sending->message->flags & MSG_DONTWAIT ? -EINPROGRESS
							       : tcp_wait_connected(tcp);
	if (error && error != -EINPROGRESS)
		sending->sent = 0;
	/* More of the request follows at once: acknowledgements wait for it, as on Linux. */
	tcp->interactive = !error && sending->message->iov.remaining;
	return error;
}

/* MSG_FASTOPEN on a socket that is no longer closed. */
static int fastopen_again(struct tcp_socket *tcp)
{
	int error = 0;

	net_lock(tcp_net(tcp));
	if (tcp_opening(tcp))
		error = -EALREADY;
	else if (!tcp->connecting)
		error = -EISCONN;
	tcp->connecting = tcp->connecting && error;
	net_unlock(tcp_net(tcp));
	return error;
}

/* As fastopen; 0 also when there is nothing to open. */
static int open_if_asked(struct tcp_sending *sending)
{
	struct tcp_socket *tcp = sending->tcp;

	if (!(sending->message->flags & MSG_FASTOPEN) && !tcp->fastopen_remote.port)
		return 0;
	if (!tcp_fastopen_enabled(tcp_net(tcp), TCP_FASTOPEN_CLIENT))
		return -EOPNOTSUPP;
	return tcp->state == TCP_CLOSE ? fastopen(sending) : fastopen_again(tcp);
}

int64_t tcp_sendmsg(struct socket *socket, struct message *message)
{
	struct tcp_socket *tcp = tcp_socket(socket);
	struct tcp_sending sending = {.tcp = tcp, .message = message};

	int opened = open_if_asked(&sending);

	if (sending.sent && (opened == -EINPROGRESS || message->iov.remaining == 0))
		return (int64_t)sending.sent;
	if (opened)
		return opened;
	if (message->iov.remaining == 0) {
		net_lock(socket->net);
		int error = may_send(tcp);

		net_unlock(socket->net);
		return error == -EAGAIN ? 0 : error;
	}
	return send_stream(&sending);
}
