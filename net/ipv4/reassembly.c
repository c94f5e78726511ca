/* Fragment reassembly: ordered fragments, no overlap, fixed caps, 30 seconds. */
#include "net/ipv4/reassembly.h"

#include "include/uapi/icmp.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "net/ipv4/icmp.h"
#include "net/ipv4/ipv4_state.h"

struct datagram {
	struct hash_node node;
	struct list_head age; /* reassembly->oldest_first */
	struct reassembly *reassembly;
	struct timer timer;
	ip4_t source, destination;
	uint16_t id;
	uint8_t protocol;
	bool end_known; /* the last fragment was seen */
	const struct net_device *dev;
	struct list_head fragments; /* sk_buff.link, by offset; data behind the IP header */
	uint32_t fragment_count;
	uint32_t received; /* payload bytes */
	uint32_t end;      /* payload length, or the farthest byte so far */
	uint32_t truesize;
};

struct fragment_place {      /* of each waiting fragment, in its control area */
	uint32_t start, end; /* bytes of the datagram's payload */
};
#define PLACE(skb) SKB_CONTROL(skb, struct fragment_place)

static uint32_t datagram_hash(const struct reassembly *reassembly, const struct ip4_header *header)
{
	return hash_words(header->source, header->destination,
			  (uint32_t)header->id << 16 | header->protocol,
			  ip4_stack(reassembly->net)->hash_secret);
}

static void discard(struct datagram *datagram, enum drop_reason reason) NEEDS_NET_LOCK
{
	struct reassembly *reassembly = datagram->reassembly;
	struct sk_buff *skb, *next;

	list_for_each_entry_safe(skb, next, &datagram->fragments, link) {
		list_remove(&skb->link);
		if (reason == DROP_NONE)
			skb_free(skb);
		else
			skb_drop(skb, reason);
	}
	if (reason != DROP_NONE)
		ip4_count(reassembly->net, IP4_STAT_REASSEMBLY_FAILS);
	reassembly->bytes -= datagram->truesize;
	net_timer_cancel(reassembly->net, &datagram->timer);
	hash_table_remove(&reassembly->table, &datagram->node);
	list_remove(&datagram->age);
	kfree(datagram);
}

/* The one that has the header, or NULL. A datagram has a fragment at least. */
static struct sk_buff *first_fragment(const struct datagram *datagram)
{
	struct sk_buff *skb = list_first_entry(&datagram->fragments, struct sk_buff, link);

	return PLACE(skb)->start == 0 ? skb : NULL;
}

/*
 * RFC 1122 3.3.2: at the time's end an ICMP time exceeded goes to the source, if the first fragment
 * is there.
 */
static void expire(struct timer *timer) NEEDS_NET_LOCK
{
	struct datagram *datagram = container_of(timer, struct datagram, timer);
	struct net *net = datagram->reassembly->net;
	struct sk_buff *first = first_fragment(datagram);

	ip4_count(net, IP4_STAT_REASSEMBLY_TIMEOUTS);
	if (first)
		icmp_send_error(net, first, ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, 0);
	discard(datagram, DROP_FRAGMENT_TIMEOUT);
}

static struct datagram *find(const struct reassembly *reassembly, const struct net_device *dev,
			     const struct ip4_header *header)
{
	struct datagram *datagram;

	hash_table_for_each(datagram, &reassembly->table, datagram_hash(reassembly, header), node) {
		if (datagram->source == header->source && datagram->id == header->id &&
		    datagram->destination == header->destination &&
		    datagram->protocol == header->protocol && datagram->dev == dev)
			return datagram;
	}
	return NULL;
}

static struct datagram *create(struct reassembly *reassembly, const struct net_device *dev,
			       const struct ip4_header *header) NEEDS_NET_LOCK
{
	struct datagram *datagram = kzalloc(sizeof(*datagram));
	struct net *net = reassembly->net;

	if (!datagram)
		return NULL;
	datagram->reassembly = reassembly;
	datagram->source = header->source;
	datagram->destination = header->destination;
	datagram->id = header->id;
	datagram->protocol = header->protocol;
	datagram->dev = dev;
	list_init(&datagram->fragments);
	timer_init(&datagram->timer, expire);
	if (hash_table_insert(&reassembly->table, &datagram->node,
			      datagram_hash(reassembly, header))) {
		kfree(datagram);
		return NULL;
	}
	list_append(&reassembly->oldest_first, &datagram->age);
	net_timer_arm(net, &datagram->timer,
		      net_now(net) + (uint64_t)ip4_stack(net)->settings.ipfrag_time * USEC_PER_SEC);
	return datagram;
}

/*
 * Makes room for `truesize` more bytes; `keep` is the datagram they belong to, or NULL for a new
 * one.
 */
static bool make_room(struct reassembly *reassembly, uint32_t truesize,
		      const struct datagram *keep) NEEDS_NET_LOCK
{
	uint32_t limit = (uint32_t)ip4_stack(reassembly->net)->settings.ipfrag_high_thresh;

	while (reassembly->bytes + truesize > limit ||
	       (!keep && reassembly->table.count >= REASSEMBLY_DATAGRAMS_MAX)) {
		if (list_empty(&reassembly->oldest_first))
			return false;

		struct datagram *oldest = list_first_entry(&reassembly->oldest_first,
							   struct datagram, age);

		if (oldest == keep)
			return false;
		discard(oldest, DROP_FRAGMENT_LIMIT);
	}
	return true;
}

static bool is_malformed(const struct ip4_header *header)
{
	uint32_t length = (uint32_t)header->total_length - header->header_length;

	if (length == 0 || (header->more_fragments && length % 8 != 0))
		return true;
	return header->fragment_offset + length + header->header_length > IP4_PACKET_MAX;
}

/* There is one end, and nothing lies beyond it. */
static bool end_agrees(struct datagram *datagram, const struct fragment_place *place, bool more)
{
	if (datagram->end_known &&
	    (more ? place->end >= datagram->end : place->end != datagram->end))
		return false;
	if (!more && place->end < datagram->end)
		return false;
	if (!more)
		datagram->end_known = true;
	datagram->end = MAX(datagram->end, place->end);
	return true;
}

enum insertion { INSERTED, REPEATED, OVERLAPS };

/* Fragments mostly come in order, so the place is sought from the end. */
static enum insertion insert(struct datagram *datagram, struct sk_buff *skb)
{
	const struct fragment_place *place = PLACE(skb);
	struct list_head *at = datagram->fragments.prev;

	for (; at != &datagram->fragments; at = at->prev) {
		const struct fragment_place *other = PLACE(list_entry(at, struct sk_buff, link));

		if (other->start == place->start && other->end == place->end)
			return REPEATED;
		if (other->end <= place->start)
			break;
		if (other->start < place->end)
			return OVERLAPS;
	}
	list_push(at, &skb->link);
	datagram->fragment_count++;
	datagram->received += place->end - place->start;
	datagram->truesize += skb->truesize;
	datagram->reassembly->bytes += skb->truesize;
	return INSERTED;
}

/* The whole datagram as one linear packet, or NULL when memory is out. */
static struct sk_buff *assemble(struct datagram *datagram)
{
	struct sk_buff *first = first_fragment(datagram), *fragment;
	uint8_t *old_header = skb_network_header(first);
	uint32_t header_length = (old_header[0] & 15u) * 4;
	struct ip4_header header;
	struct sk_buff *whole = skb_alloc(first->net, SKB_HEADROOM + header_length + datagram->end);

	if (!whole)
		return NULL;
	skb_reserve(whole, SKB_HEADROOM);
	whole->dev = first->dev;
	whole->protocol = first->protocol;
	whole->packet_type = first->packet_type;
	whole->time_us = first->time_us;

	ip4_parse_quoted(old_header, header_length, &header);
	header.total_length = (uint16_t)(header_length + datagram->end);
	header.more_fragments = false;
	ip4_emit(&header, skb_put(whole, header_length));
	list_for_each_entry(fragment, &datagram->fragments, link)
		skb_copy_bits(fragment, 0, skb_put(whole, fragment->len), fragment->len);
	return whole;
}

static struct sk_buff *complete(struct datagram *datagram) NEEDS_NET_LOCK
{
	struct net *net = datagram->reassembly->net;
	struct sk_buff *first = first_fragment(datagram), *whole;
	uint32_t header_length = (skb_network_header(first)[0] & 15u) * 4;

	if (header_length + datagram->end > IP4_PACKET_MAX) {
		discard(datagram, DROP_FRAGMENT_MALFORMED);
		return NULL;
	}
	whole = assemble(datagram);
	if (!whole) {
		discard(datagram, DROP_NO_MEMORY);
		return NULL;
	}
	ip4_count(net, IP4_STAT_REASSEMBLY_OKS);
	discard(datagram, DROP_NONE);
	return whole;
}

static struct sk_buff *refuse(struct reassembly *reassembly, struct sk_buff *skb,
			      struct datagram *datagram, enum drop_reason reason) NEEDS_NET_LOCK
{
	skb_drop(skb, reason);
	if (datagram)
		discard(datagram, reason);
	else
		ip4_count(reassembly->net, IP4_STAT_REASSEMBLY_FAILS);
	return NULL;
}

struct sk_buff *reassembly_add(struct reassembly *reassembly, struct sk_buff *skb,
			       const struct ip4_header *header)
{
	ip4_count(reassembly->net, IP4_STAT_REASSEMBLY_REQUIRED);
	if (is_malformed(header))
		return refuse(reassembly, skb, NULL, DROP_FRAGMENT_MALFORMED);

	struct datagram *datagram = find(reassembly, skb->dev, header);

	if (!make_room(reassembly, skb->truesize, datagram) ||
	    (datagram && datagram->fragment_count >= REASSEMBLY_FRAGMENTS_MAX))
		return refuse(reassembly, skb, datagram, DROP_FRAGMENT_LIMIT);
	if (!datagram)
		datagram = create(reassembly, skb->dev, header);
	if (!datagram)
		return refuse(reassembly, skb, NULL, DROP_NO_MEMORY);

	bool more = header->more_fragments;

	skb_mark_network_header(skb);
	skb_pull(skb, header->header_length);
	*PLACE(skb) = (struct fragment_place){.start = header->fragment_offset,
					      .end = header->fragment_offset + skb->len};
	if (!end_agrees(datagram, PLACE(skb), more))
		return refuse(reassembly, skb, datagram, DROP_FRAGMENT_MALFORMED);

	switch (insert(datagram, skb)) {
	case REPEATED:
		skb_free(skb);
		return NULL;
	case OVERLAPS:
		ip4_count_extra(reassembly->net, IP4_EXTRA_REASSEMBLY_OVERLAPS);
		return refuse(reassembly, skb, datagram, DROP_FRAGMENT_OVERLAP);
	case INSERTED:
		break;
	}
	if (!datagram->end_known || datagram->received != datagram->end)
		return NULL;
	return complete(datagram);
}

void reassembly_init(struct reassembly *reassembly, struct net *net)
{
	reassembly->net = net;
	list_init(&reassembly->oldest_first);
}

void reassembly_flush_device(struct reassembly *reassembly, const struct net_device *dev)
{
	struct datagram *datagram, *next;

	list_for_each_entry_safe(datagram, next, &reassembly->oldest_first, age) {
		if (datagram->dev == dev)
			discard(datagram, DROP_DEVICE_DOWN);
	}
}

void reassembly_free(struct reassembly *reassembly)
{
	hash_table_free(&reassembly->table);
}
