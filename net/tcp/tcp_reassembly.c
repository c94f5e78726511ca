/* Segments out of order; see tcp_reassembly.h. RFC 9293 3.10.7.4, SHLD-31 */
#include "net/tcp/tcp_reassembly.h"

#include "net/tcp/tcp_state.h"

static struct sk_buff *skb_of(const struct tree_node *node)
{
	struct tcp_control *control = tree_entry(node, struct tcp_control, node);

	return container_of((uint64_t(*)[6])(void *)control, struct sk_buff, control);
}

/* The last run that begins at or before `seq`, or NULL. */
static struct sk_buff *run_before(const struct tcp_socket *tcp, uint32_t seq)
{
	struct sk_buff *best = NULL;

	for (struct tree_node *node = tcp->out_of_order.root; node;) {
		struct sk_buff *run = skb_of(node);

		if (seq_upto(TCP_CONTROL(run)->seq, seq)) {
			best = run;
			node = node->right;
		} else {
			node = node->left;
		}
	}
	return best;
}

static struct sk_buff *run_after(const struct tcp_socket *tcp, const struct sk_buff *before)
{
	struct tree_node *node = before ? tree_next(&TCP_CONTROL((struct sk_buff *)before)->node)
					: tree_first(&tcp->out_of_order);

	return node ? skb_of(node) : NULL;
}

bool tcp_reassembly_run(const struct tcp_socket *tcp, uint32_t seq, struct tcp_sack_block *block)
{
	struct sk_buff *run = run_before(tcp, seq);

	if (!run || !seq_before(seq, TCP_CONTROL(run)->run_end))
		return false;
	block->start = TCP_CONTROL(run)->seq;
	block->end = TCP_CONTROL(run)->run_end;
	return true;
}

/* A new run of one segment. */
static void enter_run(struct tcp_socket *tcp, struct sk_buff *skb)
{
	struct tree_node **link = &tcp->out_of_order.root, *parent = NULL;

	while (*link) {
		parent = *link;
		link = seq_before(TCP_CONTROL(skb)->seq, TCP_CONTROL(skb_of(parent))->seq)
			       ? &parent->left
			       : &parent->right;
	}
	tree_insert(&tcp->out_of_order, &TCP_CONTROL(skb)->node, parent, link);
}

static void leave_run(struct tcp_socket *tcp, struct sk_buff *run)
{
	tree_remove(&tcp->out_of_order, &TCP_CONTROL(run)->node);
}

/* Puts the ring that begins with `later` behind the ring of `run`; `later` is no run any more. */
static void join(struct tcp_socket *tcp, struct sk_buff *run, struct sk_buff *later) NEEDS_NET_LOCK
{
	struct list_head *first = &run->link, *last = first->prev;
	struct list_head *later_first = &later->link, *later_last = later_first->prev;

	leave_run(tcp, later);
	last->next = later_first;
	later_first->prev = last;
	later_last->next = first;
	first->prev = later_last;
	TCP_CONTROL(run)->run_end = TCP_CONTROL(later)->run_end;
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_OUT_OF_ORDER_MERGED);
}

/* Cuts the bytes below `seq` off. */
static void trim_front(struct sk_buff *skb, uint32_t seq)
{
	struct tcp_control *control = TCP_CONTROL(skb);
	uint32_t n = seq - control->seq;

	skb_trim_front(skb, n);
	control->seq = seq;
}

/* Cuts the bytes from `seq` on off, and with them the FIN. */
static void trim_back(struct sk_buff *skb, uint32_t seq)
{
	struct tcp_control *control = TCP_CONTROL(skb);

	skb_trim(skb, seq - control->seq);
	control->end = seq;
	control->fin = false;
}

static bool charge(struct tcp_socket *tcp, struct sk_buff *skb) NEEDS_NET_LOCK
{
	uint32_t limit = (uint32_t)tcp->inet.socket.receive_buffer;

	if (tcp->out_of_order_segments >= TCP_OUT_OF_ORDER_MAX ||
	    tcp->out_of_order_bytes + tcp->inet.socket.receive_queue.truesize + skb->truesize >
		    limit)
		return false;
	if (!tcp_memory_take(tcp_net(tcp), skb->truesize))
		return false;
	tcp->out_of_order_segments++;
	tcp->out_of_order_bytes += skb->truesize;
	return true;
}

/* Puts a segment that overlaps nothing between its neighbours. */
static void place(struct tcp_socket *tcp, struct sk_buff *skb, struct sk_buff *before,
		  struct sk_buff *after) NEEDS_NET_LOCK
{
	struct tcp_control *control = TCP_CONTROL(skb);

	list_init(&skb->link);
	control->run_end = control->end;
	enter_run(tcp, skb);
	if (after && TCP_CONTROL(after)->seq == control->end && !control->fin)
		join(tcp, skb, after);
	if (before && TCP_CONTROL(before)->run_end == control->seq)
		join(tcp, before, skb);
}

/*
 * What was kept counts, not what comes again: cuts the segment where `run` begins. Returns what
 * lies behind the run, its FIN too, or NULL.
 */
static struct sk_buff *cut_at(struct sk_buff *skb, struct sk_buff *run)
{
	const struct tcp_control *control = TCP_CONTROL(skb);
	uint32_t run_end = TCP_CONTROL(run)->run_end;
	struct sk_buff *rest = NULL;

	if (seq_after(control->end, run_end) || (control->fin && control->end == run_end))
		rest = skb_clone(skb);
	if (rest) {
		*TCP_CONTROL(rest) = *control;
		trim_front(rest, run_end);
	}
	trim_back(skb, TCP_CONTROL(run)->seq);
	return rest;
}

struct sk_buff *tcp_reassembly_cut(struct tcp_socket *tcp, struct sk_buff *skb)
{
	struct tree_node *node = tree_first(&tcp->out_of_order);

	if (!node || seq_from(TCP_CONTROL(skb_of(node))->seq, TCP_CONTROL(skb)->end))
		return NULL;
	return cut_at(skb, skb_of(node));
}

void tcp_reassembly_add(struct tcp_socket *tcp, struct sk_buff *skb)
{
	while (skb) {
		struct tcp_control *control = TCP_CONTROL(skb);
		struct sk_buff *before = run_before(tcp, control->seq), *rest = NULL;
		struct sk_buff *after = run_after(tcp, before);

		if (before && seq_after(TCP_CONTROL(before)->run_end, control->seq)) {
			if (seq_upto(control->end, TCP_CONTROL(before)->run_end)) {
				skb_drop(skb, DROP_TCP_DUPLICATE);
				return;
			}
			trim_front(skb, TCP_CONTROL(before)->run_end);
		}
		if (after && seq_before(TCP_CONTROL(after)->seq, control->end))
			rest = cut_at(skb, after); /* which goes round once more */
		if (!charge(tcp, skb)) {
			tcp_count_extra(tcp_net(tcp), TCP_EXTRA_OUT_OF_ORDER_DROPPED);
			skb_drop(skb, DROP_TCP_REASSEMBLY_FULL);
		} else {
			tcp_count_extra(tcp_net(tcp), TCP_EXTRA_OUT_OF_ORDER_QUEUED);
			place(tcp, skb, before, after);
		}
		skb = rest;
	}
}

/* Takes the first segment off its run; the second becomes the run's first. */
static struct sk_buff *take_first(struct tcp_socket *tcp, struct sk_buff *run) NEEDS_NET_LOCK
{
	uint32_t run_end = TCP_CONTROL(run)->run_end;
	struct sk_buff *second = NULL;

	leave_run(tcp, run);
	if (!list_empty(&run->link)) {
		second = list_entry(run->link.next, struct sk_buff, link);
		list_remove(&run->link);
		TCP_CONTROL(second)->run_end = run_end;
		enter_run(tcp, second);
	}
	tcp->out_of_order_segments--;
	tcp->out_of_order_bytes -= run->truesize;
	tcp_memory_give(tcp_net(tcp), run->truesize);
	return run;
}

struct sk_buff *tcp_reassembly_take(struct tcp_socket *tcp)
{
	struct tree_node *node;

	while ((node = tree_first(&tcp->out_of_order))) {
		struct sk_buff *run = skb_of(node);
		struct tcp_control *control = TCP_CONTROL(run);

		if (seq_after(control->seq, tcp->rcv_nxt))
			return NULL;
		take_first(tcp, run);
		if (seq_from(tcp->rcv_nxt, control->end) &&
		    !(control->fin && control->end == tcp->rcv_nxt)) {
			skb_drop(run, DROP_TCP_DUPLICATE);
			continue;
		}
		if (seq_before(control->seq, tcp->rcv_nxt))
			trim_front(run, tcp->rcv_nxt);
		return run;
	}
	return NULL;
}

static void drop_all(struct tcp_socket *tcp, enum drop_reason reason) NEEDS_NET_LOCK
{
	struct tree_node *node;

	while ((node = tree_first(&tcp->out_of_order)))
		skb_drop(take_first(tcp, skb_of(node)), reason);
	tcp->sack_recent_count = 0;
	tcp->dsack_due = false;
}

void tcp_reassembly_free(struct tcp_socket *tcp)
{
	drop_all(tcp, DROP_SOCKET_CLOSED);
}

/* RFC 2018 8: what was told by SACK alone may be dropped; the peer still has it. */
void tcp_reassembly_prune(struct tcp_socket *tcp)
{
	if (!tcp->out_of_order_segments)
		return;
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_OUT_OF_ORDER_PRUNED);
	drop_all(tcp, DROP_TCP_MEMORY);
}
