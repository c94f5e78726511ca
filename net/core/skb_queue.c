/* Queues of packets. The queue's owner guards it, as a rule by the net lock. */
#include "net/core/skbuff.h"

void skb_queue_init(struct skb_queue *queue)
{
	list_init(&queue->list);
	queue->length = 0;
	queue->truesize = 0;
}

void skb_queue_append(struct skb_queue *queue, struct sk_buff *skb)
{
	list_append(&queue->list, &skb->link);
	queue->length++;
	queue->truesize += skb->truesize;
}

struct sk_buff *skb_queue_first(const struct skb_queue *queue)
{
	if (list_empty(&queue->list))
		return NULL;
	return list_first_entry(&queue->list, struct sk_buff, link);
}

struct sk_buff *skb_queue_take(struct skb_queue *queue)
{
	struct sk_buff *skb = skb_queue_first(queue);

	if (skb)
		skb_queue_unlink(queue, skb);
	return skb;
}

void skb_queue_unlink(struct skb_queue *queue, struct sk_buff *skb)
{
	list_remove(&skb->link);
	queue->length--;
	queue->truesize -= skb->truesize;
}

void skb_queue_drop_all(struct skb_queue *queue, enum drop_reason reason)
{
	struct sk_buff *skb;

	while ((skb = skb_queue_take(queue)))
		skb_drop(skb, reason);
}
