/*
 * From the receive queue to a process: recv(2) and its kin. One reader at a time (tcp->reading) has
 * the head of the queue, so that bytes are copied without the net lock; input only appends.
 */
#include "kernel/errno.h"
#include "net/tcp/tcp_reassembly.h"
#include "net/tcp/tcp_state.h"

#define BATCH_PACKETS 16 /* looked up under one hold of the lock */

/* One call. */
struct tcp_reading {
	struct tcp_socket *tcp;
	struct message *message;
	uint32_t seq;    /* the next byte wanted: copied_seq, or beyond it when peeking */
	uint64_t wanted; /* bytes that the process has room for */
	uint64_t target; /* enough to return: SO_RCVLOWAT, MSG_WAITALL */
	uint64_t done;
	bool passed_mark; /* stopped before, or skipped, the urgent byte */
};

/* Bytes of the queue that are about to be copied. */
struct tcp_batch {
	struct {
		struct sk_buff *skb;
		uint32_t offset, length;
	} parts[BATCH_PACKETS];
	uint32_t count;
	uint32_t bytes;
};

static bool urgent_out_of_line(const struct tcp_socket *tcp)
{
	return tcp->urgent_state != TCP_URGENT_NONE && !tcp->inet.socket.oob_inline;
}

uint32_t tcp_readable(const struct tcp_socket *tcp)
{
	uint32_t bytes = tcp->rcv_nxt - tcp->copied_seq - tcp->fin_received;

	if (tcp->state == TCP_LISTEN || tcp->state == TCP_SYN_SENT)
		return 0;
	if (bytes && urgent_out_of_line(tcp) &&
	    seq_within(tcp->rcv_up - 1, tcp->copied_seq, tcp->copied_seq + bytes))
		bytes--;
	return bytes;
}

/* The part of the queue from reading->seq on, up to the urgent mark. */
static uint32_t contiguous(const struct tcp_reading *reading)
{
	const struct tcp_socket *tcp = reading->tcp;
	uint32_t end = tcp->rcv_nxt - tcp->fin_received;
	uint32_t mark = tcp->rcv_up - 1;

	if (tcp->urgent_state != TCP_URGENT_NONE && seq_within(mark, reading->seq + 1, end))
		end = mark; /* tcp(7): a read stops at the mark */
	return end - reading->seq;
}

/*
 * Reading has come to the urgent byte: it is skipped, or read as any other (SO_OOBINLINE). RFC
 * 9293 3.8.5, MUST-33.
 */
static void pass_mark(struct tcp_reading *reading) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp = reading->tcp;

	if (!urgent_out_of_line(tcp) || reading->seq != tcp->rcv_up - 1 ||
	    !seq_before(reading->seq, tcp->rcv_nxt))
		return;
	reading->seq++;
	reading->passed_mark = true;
}

/* Which packet holds `seq`: the first, but for peeking. */
static struct sk_buff *packet_of(const struct tcp_socket *tcp, uint32_t seq)
{
	const struct socket *socket = &tcp->inet.socket;
	struct sk_buff *skb;

	list_for_each_entry(skb, &socket->receive_queue.list, link) {
		if (seq_before(seq, TCP_CONTROL(skb)->end))
			return skb;
	}
	return NULL;
}

static void collect(struct tcp_reading *reading, struct tcp_batch *batch) NEEDS_NET_LOCK
{
	const struct skb_queue *queue = &reading->tcp->inet.socket.receive_queue;
	struct sk_buff *skb;

	pass_mark(reading);
	uint64_t left = MIN(reading->wanted - reading->done, contiguous(reading));
	uint32_t seq = reading->seq;

	batch->count = batch->bytes = 0;
	for (skb = packet_of(reading->tcp, seq); skb && left && batch->count < BATCH_PACKETS;) {
		uint32_t part = (uint32_t)MIN(left, TCP_CONTROL(skb)->end - seq);

		batch->parts[batch->count].skb = skb;
		batch->parts[batch->count].offset = seq - TCP_CONTROL(skb)->seq;
		batch->parts[batch->count++].length = part;
		batch->bytes += part;
		seq += part;
		left -= part;
		if (skb->link.next == &queue->list)
			break;
		skb = list_entry(skb->link.next, struct sk_buff, link);
	}
}

static int copy_batch(struct tcp_reading *reading, const struct tcp_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		int error = skb_copy_to_iov(batch->parts[i].skb, batch->parts[i].offset,
					    &reading->message->iov, batch->parts[i].length);

		if (error)
			return error;
	}
	return 0;
}

/* Bytes before reading->seq were taken: their packets go, and the window may open. */
static void consume(struct tcp_reading *reading) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp = reading->tcp;
	struct skb_queue *queue = &tcp->inet.socket.receive_queue;
	uint32_t taken = reading->seq - tcp->copied_seq;
	struct sk_buff *skb;

	if (reading->message->flags & MSG_PEEK || taken == 0)
		return;
	tcp->copied_seq = reading->seq;
	if (tcp->urgent_state != TCP_URGENT_NONE && seq_from(tcp->copied_seq, tcp->rcv_up))
		tcp->urgent_state = TCP_URGENT_NONE;
	while ((skb = skb_queue_first(queue)) && seq_upto(TCP_CONTROL(skb)->end, tcp->copied_seq)) {
		skb_queue_unlink(queue, skb);
		tcp_memory_give(tcp_net(tcp), skb->truesize);
		skb_free(skb);
	}
	tcp_data_taken(tcp, taken);
}

/* Copies what is there. 0 or -EFAULT. The caller is the reader. */
static int take_available(struct tcp_reading *reading) NEEDS_NET_LOCK
{
	struct net *net = tcp_net(reading->tcp);
	bool discard = reading->message->flags & MSG_TRUNC;
	struct tcp_batch batch;
	int error = 0;

	while (!error && reading->done < reading->wanted) {
		collect(reading, &batch);
		if (batch.bytes == 0)
			break;
		if (!discard) {
			net_unlock(net);
			error = copy_batch(reading, &batch);
			net_lock(net);
		}
		if (!error) {
			reading->seq += batch.bytes;
			reading->done += batch.bytes;
		}
		consume(reading);
		/* Data before the mark is told apart from data after it. */
		if (reading->tcp->urgent_state != TCP_URGENT_NONE && !contiguous(reading))
			break;
		if (reading->tcp->urgent_state != TCP_URGENT_NONE &&
		    reading->seq == reading->tcp->rcv_up - 1)
			break;
	}
	return error;
}

/* RFC 9293 3.10.3, RECEIVE, without data. 0: end of file; -EAGAIN: wait. */
static int nothing_there(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	struct socket *socket = &tcp->inet.socket;
	int error = socket_take_error(socket);

	if (error)
		return error;
	if (tcp->state == TCP_LISTEN)
		return -ENOTCONN;
	if (tcp->fin_received || socket->shutdown & SHUTDOWN_RECEIVE)
		return 0;
	if (tcp->state != TCP_CLOSE || tcp->fastopen_remote.port)
		return -EAGAIN;
	return tcp_was_connected(tcp) ? 0 : -ENOTCONN;
}

/*
 * One round under the lock. 1: enough; 0: end of file; -EAGAIN: wait for more; else an error.
 */
static int read_round(struct tcp_reading *reading) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp = reading->tcp;
	int error;

	if (tcp->reading) {
		tcp->reader_waits = true;
		return -EAGAIN;
	}
	if (!(reading->message->flags & MSG_PEEK))
		reading->seq = tcp->copied_seq;
	tcp->reading = true;
	error = take_available(reading);
	tcp->reading = false;
	if (tcp->reader_waits) {
		tcp->reader_waits = false;
		socket_wake(&tcp->inet.socket, POLLIN | POLLRDNORM);
	}
	if (error)
		return error;
	if (reading->done >= reading->target || (reading->done && reading->passed_mark))
		return 1;
	/* An error waits for the next call when this one has bytes. */
	if (reading->done && tcp->inet.socket.error)
		return 1;
	return nothing_there(tcp);
}

static int wait_and_read(struct tcp_reading *reading)
{
	struct socket *socket = &reading->tcp->inet.socket;
	struct socket_wait wait;
	int result, error = 0;

	socket_wait_begin(&wait, socket, socket->receive_timeout_us);
	net_lock(socket->net);
	while ((result = read_round(reading)) == -EAGAIN && !error) {
		reading->tcp->reader_has_some |= reading->done != 0;
		net_unlock(socket->net);
		error = socket_wait_sleep(&wait);
		net_lock(socket->net);
	}
	reading->tcp->reader_has_some = false;
	net_unlock(socket->net);
	socket_wait_end(&wait);
	return result == -EAGAIN ? error : result;
}

/* MSG_OOB: the urgent byte, which is kept beside the stream. tcp(7), RFC 6093 */
static int64_t read_urgent(struct tcp_socket *tcp, struct message *message)
{
	bool peek = message->flags & MSG_PEEK;
	uint8_t byte;
	int64_t result;

	net_lock(tcp_net(tcp));
	byte = tcp->urgent_byte;
	if (tcp->inet.socket.oob_inline || tcp->urgent_state == TCP_URGENT_NONE ||
	    tcp->urgent_state == TCP_URGENT_TAKEN)
		result = -EINVAL;
	else if (tcp->urgent_state == TCP_URGENT_READY)
		result = 1;
	else
		result = tcp->fin_received ? 0 : -EAGAIN;
	if (result == 1 && !peek)
		tcp->urgent_state = TCP_URGENT_TAKEN;
	net_unlock(tcp_net(tcp));
	if (result != 1)
		return result;
	message->flags_out |= MSG_OOB;
	if (message->iov.remaining == 0) {
		message->flags_out |= MSG_TRUNC;
		return 0;
	}
	int error = iov_copy_to(&message->iov, &byte, 1);

	return error ? error : 1;
}

static uint64_t enough(const struct tcp_socket *tcp, const struct message *message)
{
	uint64_t wanted = message->iov.remaining;

	if (message->flags & MSG_WAITALL)
		return wanted;
	return MAX(MIN((uint64_t)tcp->inet.socket.receive_low, wanted), 1);
}

/*
 * TCP_INQ: how much more there is to read. A FIN counts as one byte, so that the process goes on
 * reading to the end of file.
 */
static void tell_rest(struct tcp_socket *tcp, struct message *message)
{
	int32_t rest;

	net_lock(tcp_net(tcp));
	rest = (int32_t)(tcp->rcv_nxt - tcp->copied_seq);
	net_unlock(tcp_net(tcp));
	message_put_control(message, SOL_TCP, TCP_CM_INQ, &rest, sizeof(rest));
}

int64_t tcp_recvmsg(struct socket *socket, struct message *message)
{
	struct tcp_socket *tcp = tcp_socket(socket);
	struct tcp_reading reading = {
		.tcp = tcp,
		.message = message,
		.wanted = message->iov.remaining,
		.target = enough(tcp, message),
	};

	if (message->flags & MSG_ERRQUEUE)
		return inet_receive_error(&tcp->inet, message);
	if (message->flags & MSG_OOB)
		return read_urgent(tcp, message);
	if (reading.wanted == 0)
		return 0;
	net_lock(socket->net);
	reading.seq = tcp->copied_seq;
	int result = read_round(&reading);

	net_unlock(socket->net);
	if (result == -EAGAIN && !(message->flags & MSG_DONTWAIT))
		result = wait_and_read(&reading);
	if (tcp->receive_hint && (reading.done || result >= 0))
		tell_rest(tcp, message);
	return reading.done ? (int64_t)reading.done : result < 0 ? result : 0;
}
