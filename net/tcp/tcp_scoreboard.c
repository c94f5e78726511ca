#include "net/tcp/tcp_scoreboard.h"

#include "kernel/mm/kmalloc.h"

static struct tcp_sent *sent_of(struct tree_node *node)
{
	return node ? tree_entry(node, struct tcp_sent, node) : NULL;
}

static uint32_t length_of(const struct tcp_sent *sent)
{
	return sent->end - sent->seq;
}

struct tcp_sent *tcp_scoreboard_first(const struct tcp_scoreboard *board)
{
	return sent_of(tree_first(&board->by_seq));
}

struct tcp_sent *tcp_scoreboard_last(const struct tcp_scoreboard *board)
{
	return sent_of(tree_last(&board->by_seq));
}

struct tcp_sent *tcp_scoreboard_next(const struct tcp_sent *sent)
{
	return sent_of(tree_next(&sent->node));
}

static void insert(struct tcp_scoreboard *board, struct tcp_sent *sent)
{
	struct tree_node **link = &board->by_seq.root, *parent = NULL;

	while (*link) {
		parent = *link;
		link = seq_before(sent->seq, sent_of(parent)->seq) ? &parent->left : &parent->right;
	}
	tree_insert(&board->by_seq, &sent->node, parent, link);
	board->records++;
}

static void discard(struct tcp_scoreboard *board, struct tcp_sent *sent)
{
	tree_remove(&board->by_seq, &sent->node);
	list_remove(&sent->by_time);
	board->records--;
	kfree(sent);
}

struct tcp_sent *tcp_scoreboard_add(struct tcp_scoreboard *board, uint32_t seq, uint32_t end,
				    uint64_t now_us)
{
	struct tcp_sent *sent = kzalloc(sizeof(*sent));

	if (!sent)
		return NULL;
	sent->seq = seq;
	sent->end = end;
	sent->sent_us = sent->first_sent_us = now_us;
	sent->transmissions = 1;
	insert(board, sent);
	list_append(&board->by_time, &sent->by_time);
	return sent;
}

struct tcp_sent *tcp_scoreboard_find(const struct tcp_scoreboard *board, uint32_t seq)
{
	struct tree_node *node = board->by_seq.root;

	while (node) {
		struct tcp_sent *sent = sent_of(node);

		if (seq_before(seq, sent->seq))
			node = node->left;
		else if (seq_from(seq, sent->end))
			node = node->right;
		else
			return sent;
	}
	return NULL;
}

struct tcp_sent *tcp_scoreboard_split(struct tcp_scoreboard *board, struct tcp_sent *sent,
				      uint32_t seq)
{
	struct tcp_sent *second = kmalloc(sizeof(*second));

	if (!second)
		return NULL;
	*second = *sent;
	second->seq = seq;
	sent->end = seq;
	insert(board, second);
	if (sent->sacked)
		list_init(&second->by_time);
	else
		list_push(&sent->by_time, &second->by_time); /* right behind the first */
	return second;
}

/* ---- What counts where ---- */

static void uncount(struct tcp_scoreboard *board, const struct tcp_sent *sent, uint32_t bytes)
{
	if (sent->sacked)
		board->sacked_bytes -= bytes;
	else if (sent->lost)
		board->lost_bytes -= bytes;
	else if (sent->retransmitted)
		board->retransmitted_bytes -= bytes;
}

uint32_t tcp_scoreboard_acknowledge(struct tcp_scoreboard *board, struct tcp_sent *sent,
				    uint32_t ack)
{
	uint32_t bytes = seq_upto(sent->end, ack) ? length_of(sent) : ack - sent->seq;
	uint32_t delivered = sent->sacked ? 0 : bytes;

	uncount(board, sent, bytes);
	if (bytes == length_of(sent))
		discard(board, sent);
	else
		sent->seq = ack;
	return delivered;
}

/* Two neighbours that are SACKed become one. */
static void join_next(struct tcp_scoreboard *board, struct tcp_sent *sent)
{
	struct tcp_sent *next = tcp_scoreboard_next(sent);

	if (!next || !next->sacked || next->seq != sent->end)
		return;
	sent->end = next->end;
	discard(board, next);
}

void tcp_scoreboard_mark_sacked(struct tcp_scoreboard *board, struct tcp_sent *sent)
{
	struct tcp_sent *before = sent_of(tree_previous(&sent->node));

	uncount(board, sent, length_of(sent));
	sent->sacked = true;
	sent->lost = false;
	board->sacked_bytes += length_of(sent);
	if (seq_after(sent->end, board->highest_sacked) || board->sacked_bytes == length_of(sent))
		board->highest_sacked = sent->end;
	list_remove(&sent->by_time);
	join_next(board, sent);
	if (before && before->sacked)
		join_next(board, before);
}

void tcp_scoreboard_mark_lost(struct tcp_scoreboard *board, struct tcp_sent *sent)
{
	struct list_head *at = &board->lost;

	if (sent->sacked || sent->lost)
		return;
	uncount(board, sent, length_of(sent));
	sent->lost = true;
	board->lost_bytes += length_of(sent);
	list_remove(&sent->by_time);
	/* In order of sequence; they are mostly found lost in it. */
	while (at->prev != &board->lost &&
	       seq_after(list_entry(at->prev, struct tcp_sent, by_time)->seq, sent->seq))
		at = at->prev;
	list_append(at, &sent->by_time);
}

void tcp_scoreboard_mark_in_flight(struct tcp_scoreboard *board, struct tcp_sent *sent)
{
	uncount(board, sent, length_of(sent));
	sent->lost = false;
	if (sent->retransmitted)
		board->retransmitted_bytes += length_of(sent);
	list_remove(&sent->by_time);
	list_append(&board->by_time, &sent->by_time);
}

void tcp_scoreboard_mark_resent(struct tcp_scoreboard *board, struct tcp_sent *sent,
				uint64_t now_us)
{
	uncount(board, sent, length_of(sent));
	sent->lost = false;
	sent->retransmitted = true;
	sent->sent_us = now_us;
	if (sent->transmissions < UINT8_MAX)
		sent->transmissions++;
	board->retransmitted_bytes += length_of(sent);
	list_remove(&sent->by_time);
	list_append(&board->by_time, &sent->by_time);
}

void tcp_scoreboard_free(struct tcp_socket *tcp)
{
	struct tcp_scoreboard *board = &tcp->scoreboard;
	struct tcp_sent *sent;

	while ((sent = tcp_scoreboard_first(board)))
		discard(board, sent);
	board->sacked_bytes = board->lost_bytes = board->retransmitted_bytes = 0;
}
