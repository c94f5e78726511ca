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

static uint32_t segments_in(uint32_t bytes, uint16_t mss)
{
	return bytes > mss ? (bytes + mss - 1) / mss : 1;
}

void tcp_scoreboard_init(struct tcp_scoreboard *board)
{
	*board = (struct tcp_scoreboard){0};
	list_init(&board->in_flight);
	list_init(&board->lost);
	list_init(&board->lost_again);
}

/* ---- Finding ---- */

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

struct tcp_sent *tcp_scoreboard_previous(const struct tcp_sent *sent)
{
	return sent_of(tree_previous(&sent->node));
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

/* ---- Coming and going ---- */

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
				    uint16_t mss, uint64_t now_us)
{
	struct tcp_sent *sent = kzalloc(sizeof(*sent));

	if (!sent)
		return NULL;
	sent->seq = seq;
	sent->end = end;
	sent->mss = mss;
	sent->segments = segments_in(end - seq, mss);
	sent->sent_us = now_us;
	insert(board, sent);
	list_append(&board->in_flight, &sent->by_time);
	return sent;
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
	sent->segments = MIN(segments_in(length_of(sent), sent->mss), second->segments);
	second->segments = MAX(second->segments - sent->segments, 1u);
	insert(board, second);
	list_push(&sent->by_time, &second->by_time); /* right behind the first */
	return second;
}

/* ---- What counts where ---- */

static void uncount(struct tcp_scoreboard *board, const struct tcp_sent *sent, uint32_t bytes)
{
	if (sent->state == TCP_SENT_SACKED)
		board->sacked_bytes -= bytes;
	else if (sent->state == TCP_SENT_LOST)
		board->lost_bytes -= bytes;
	else if (sent->retransmitted)
		board->retransmitted_bytes -= bytes;
}

uint32_t tcp_scoreboard_acknowledge(struct tcp_scoreboard *board, struct tcp_sent *sent,
				    uint32_t ack)
{
	uint32_t bytes = seq_upto(sent->end, ack) ? length_of(sent) : ack - sent->seq;
	uint32_t delivered = sent->state == TCP_SENT_SACKED ? 0 : bytes;

	uncount(board, sent, bytes);
	if (bytes == length_of(sent)) {
		if (sent->state == TCP_SENT_SACKED)
			board->sacked_segments -= sent->segments;
		discard(board, sent);
		return delivered;
	}
	sent->seq = ack;
	if (sent->state != TCP_SENT_SACKED) /* of a joined record nothing better is known */
		sent->segments = MIN(segments_in(length_of(sent), sent->mss), sent->segments);
	return delivered;
}

/* Two neighbours that are SACKed become one. */
static void join_next(struct tcp_scoreboard *board, struct tcp_sent *sent)
{
	struct tcp_sent *next = tcp_scoreboard_next(sent);

	if (!next || next->state != TCP_SENT_SACKED)
		return;
	sent->end = next->end;
	sent->segments += next->segments;
	sent->retransmitted |= next->retransmitted;
	discard(board, next);
}

void tcp_scoreboard_mark_sacked(struct tcp_scoreboard *board, struct tcp_sent *sent)
{
	struct tcp_sent *before = tcp_scoreboard_previous(sent);

	uncount(board, sent, length_of(sent));
	sent->state = TCP_SENT_SACKED;
	if (!board->sacked_bytes || seq_after(sent->end, board->highest_sacked))
		board->highest_sacked = sent->end;
	board->sacked_bytes += length_of(sent);
	board->sacked_segments += sent->segments;
	list_remove(&sent->by_time);
	join_next(board, sent);
	if (before && before->state == TCP_SENT_SACKED)
		join_next(board, before);
}

void tcp_scoreboard_mark_lost(struct tcp_scoreboard *board, struct tcp_sent *sent)
{
	uncount(board, sent, length_of(sent));
	sent->state = TCP_SENT_LOST;
	board->lost_bytes += length_of(sent);
	list_remove(&sent->by_time);
	list_append(sent->retransmitted ? &board->lost_again : &board->lost, &sent->by_time);
}

void tcp_scoreboard_mark_resent(struct tcp_scoreboard *board, struct tcp_sent *sent,
				uint64_t now_us)
{
	uncount(board, sent, length_of(sent));
	sent->state = TCP_SENT_IN_FLIGHT;
	sent->retransmitted = true;
	sent->sent_us = now_us;
	board->retransmitted_bytes += length_of(sent);
	list_remove(&sent->by_time);
	list_append(&board->in_flight, &sent->by_time);
}

/* ---- All of them ---- */

struct tcp_sent *tcp_scoreboard_next_lost(const struct tcp_scoreboard *board)
{
	const struct list_head *from = list_empty(&board->lost_again) ? &board->lost
								      : &board->lost_again;

	return list_empty(from) ? NULL : list_first_entry(from, struct tcp_sent, by_time);
}

void tcp_scoreboard_lose_all(struct tcp_scoreboard *board)
{
	for (struct tcp_sent *sent = tcp_scoreboard_first(board); sent;
	     sent = tcp_scoreboard_next(sent)) {
		if (sent->state == TCP_SENT_SACKED)
			continue;
		uncount(board, sent, length_of(sent));
		sent->state = TCP_SENT_LOST;
		board->lost_bytes += length_of(sent);
		list_remove(&sent->by_time);
		list_append(&board->lost, &sent->by_time);
	}
}

static bool sent_before(const struct list_head *a, const struct list_head *b)
{
	const struct tcp_sent *first = list_entry(a, struct tcp_sent, by_time);
	const struct tcp_sent *second = list_entry(b, struct tcp_sent, by_time);

	if (first->sent_us != second->sent_us)
		return first->sent_us < second->sent_us;
	return seq_before(first->seq, second->seq);
}

/* Takes as many links off the front of `from` as are in order already. */
static void take_run(struct list_head *from, struct list_head *run)
{
	list_init(run);
	do {
		struct list_head *link = from->next;

		list_remove(link);
		list_append(run, link);
	} while (!list_empty(from) && !sent_before(from->next, run->prev));
}

/* Both are in order; `a` gets all. */
static void merge(struct list_head *a, struct list_head *b)
{
	struct list_head merged = LIST_HEAD_INIT(merged);

	while (!list_empty(a) && !list_empty(b)) {
		struct list_head *link = sent_before(b->next, a->next) ? b->next : a->next;

		list_remove(link);
		list_append(&merged, link);
	}
	list_splice(&merged, a);
	list_splice(&merged, b);
	list_splice(a, &merged);
}

/*
 * Merge sort of natural runs, of which there are mostly two or three: runs[i] holds 2^i of them, or
 * none.
 */
static void sort_by_time(struct list_head *list)
{
	struct list_head runs[32], run;
	uint32_t used = 0;

	while (!list_empty(list)) {
		uint32_t i = 0;

		take_run(list, &run);
		for (; i < used && !list_empty(&runs[i]); i++)
			merge(&run, &runs[i]);
		if (i == used)
			list_init(&runs[used++]);
		list_splice(&runs[i], &run);
	}
	for (uint32_t i = 0; i < used; i++)
		merge(list, &runs[i]);
}

void tcp_scoreboard_forget_sacks(struct tcp_scoreboard *board)
{
	for (struct tcp_sent *sent = tcp_scoreboard_first(board); sent;
	     sent = tcp_scoreboard_next(sent)) {
		if (sent->state != TCP_SENT_SACKED)
			continue;
		sent->state = TCP_SENT_IN_FLIGHT;
		if (sent->retransmitted)
			board->retransmitted_bytes += length_of(sent);
		list_append(&board->in_flight, &sent->by_time);
	}
	board->sacked_bytes = board->sacked_segments = 0;
	sort_by_time(&board->in_flight);
}

static void recall(struct tcp_scoreboard *board, struct list_head *list)
{
	struct tcp_sent *sent;

	list_for_each_entry(sent, list, by_time) {
		sent->state = TCP_SENT_IN_FLIGHT;
		if (sent->retransmitted)
			board->retransmitted_bytes += length_of(sent);
	}
	list_splice(&board->in_flight, list);
}

void tcp_scoreboard_recall_lost(struct tcp_scoreboard *board)
{
	recall(board, &board->lost);
	recall(board, &board->lost_again);
	board->lost_bytes = 0;
	sort_by_time(&board->in_flight);
}

void tcp_scoreboard_free(struct tcp_socket *tcp)
{
	struct tcp_scoreboard *board = &tcp->scoreboard;
	struct tcp_sent *sent;

	while ((sent = tcp_scoreboard_first(board)))
		discard(board, sent);
	board->sacked_bytes = board->sacked_segments = 0;
	board->lost_bytes = board->retransmitted_bytes = 0;
}
