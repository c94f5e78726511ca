/* One packet: its memory, the four verbs, and what moves its bytes. See skbuff.h. */
#include "net/core/skbuff.h"

#include "kernel/errno.h"
#include "kernel/iov.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page.h"
#include "kernel/printk.h"
#include "kernel/string.h"
#include "net/core/checksum.h"
#include "net/core/net.h"
#include "net/core/netdevice.h"

#define TRACE_LINES_PER_SECOND 20

static uint8_t *fragment_bytes(const struct skb_fragment *fragment)
{
	return (uint8_t *)page_address(fragment->page) + fragment->offset;
}

static void set_linear_area(struct sk_buff *skb, uint8_t *area, size_t size)
{
	skb->head = skb->data = skb->tail = area;
	skb->end = area + size;
}

/* Where the linear area is at first: behind the sk_buff, in the same piece of memory. */
static uint8_t *first_area(struct sk_buff *skb)
{
	return (uint8_t *)(skb + 1);
}

_Static_assert(sizeof(struct sk_buff) % SKB_ALIGN == 0, "the area behind it is aligned");

static struct sk_buff *allocate(struct net *net, size_t size)
{
	struct sk_buff *skb = kmalloc(sizeof(*skb) + size);

	if (skb)
		__atomic_add_fetch(&net->live_skbs, 1, __ATOMIC_RELAXED);
	return skb;
}

static void free_area(struct sk_buff *skb)
{
	if (skb->head != first_area(skb))
		kfree(skb->head);
}

struct sk_buff *skb_alloc(struct net *net, size_t size)
{
	struct sk_buff *skb = allocate(net, size);

	if (!skb)
		return NULL;
	/* Not the owner's notes, nor the fragments, of which there are none. */
	memset(skb, 0, offsetof(struct sk_buff, control));
	list_init(&skb->link);
	skb->net = net;
	set_linear_area(skb, first_area(skb), size);
	skb->truesize = (uint32_t)kmalloc_size(sizeof(*skb) + size);
	skb->link_offset = skb->network_offset = skb->transport_offset = SKB_NO_HEADER;
	return skb;
}

static void put_fragments(struct sk_buff *skb)
{
	for (uint32_t i = 0; i < skb->fragment_count; i++)
		page_put(skb->fragments[i].page);
}

void skb_free(struct sk_buff *skb)
{
	if (skb->owner)
		skb_orphan(skb);
	put_fragments(skb);
	__atomic_sub_fetch(&skb->net->live_skbs, 1, __ATOMIC_RELAXED);
	free_area(skb);
	kfree(skb);
}

/* One line for each drop while /proc/sys/net/core/packet_trace is 1, but no flood of them. */
static void trace_drop(const struct sk_buff *skb, enum drop_reason reason)
{
	struct net *net = skb->net;
	uint64_t now_us = net_now(net);

	if (now_us - net->trace_second_us >= USEC_PER_SEC) {
		net->trace_second_us = now_us;
		net->trace_lines = 0;
	}
	if (net->trace_lines++ < TRACE_LINES_PER_SECOND)
		printk("drop: %s %s %u\n", drop_reason_name(reason),
		       skb->dev ? skb->dev->name : "-", skb->len);
}

void skb_count_drop(struct net *net, enum drop_reason reason)
{
	__atomic_add_fetch(&net->drops[reason], 1, __ATOMIC_RELAXED);
}

void skb_drop(struct sk_buff *skb, enum drop_reason reason)
{
	skb_count_drop(skb->net, reason);
	if (unlikely(skb->net->core.packet_trace))
		trace_drop(skb, reason);
	skb_free(skb);
}

struct sk_buff *skb_clone(const struct sk_buff *skb)
{
	size_t size = (size_t)(skb->end - skb->head);
	struct sk_buff *clone = allocate(skb->net, size);

	if (!clone)
		return NULL;
	memcpy(clone, skb,
	       offsetof(struct sk_buff, fragments) +
		       skb->fragment_count * sizeof(skb->fragments[0]));
	list_init(&clone->link);
	clone->owner = NULL;
	set_linear_area(clone, first_area(clone), size);
	clone->data += skb_headroom(skb);
	clone->tail = clone->data + skb_linear_len(skb);
	memcpy(clone->head, skb->head, (size_t)(skb->tail - skb->head));
	for (uint32_t i = 0; i < clone->fragment_count; i++)
		page_get(clone->fragments[i].page);
	return clone;
}

/*
 * Moves the linear bytes to a new area with the given room in front and `tailroom` behind. Offsets
 * follow.
 */
static int move_linear_area(struct sk_buff *skb, size_t headroom, size_t tailroom)
{
	size_t linear = skb_linear_len(skb), old_headroom = skb_headroom(skb);
	size_t kept = MIN(headroom, old_headroom); /* headers that were pulled are still read */
	size_t size = headroom + linear + tailroom;
	uint8_t *area = kmalloc(size);

	if (!area)
		return -ENOMEM;
	memcpy(area + headroom - kept, skb->data - kept, kept + linear);

	uint16_t shift = (uint16_t)(headroom - old_headroom);

	skb->link_offset += skb->link_offset != SKB_NO_HEADER ? shift : 0;
	skb->network_offset += skb->network_offset != SKB_NO_HEADER ? shift : 0;
	skb->transport_offset += skb->transport_offset != SKB_NO_HEADER ? shift : 0;
	skb->csum_start += skb->checksum == SKB_CHECKSUM_PARTIAL ? shift : 0;
	free_area(skb);
	set_linear_area(skb, area, size);
	skb->data += headroom;
	skb->tail = skb->data + linear;
	return 0;
}

/* Takes the first n bytes out of the fragments; they have been copied or are not wanted. */
static void skip_fragment_bytes(struct sk_buff *skb, size_t n)
{
	uint32_t whole = 0; /* fragments used up */

	skb->fragments_len -= (uint32_t)n;
	while (n) {
		struct skb_fragment *fragment = &skb->fragments[whole];
		uint32_t part = (uint32_t)MIN(n, fragment->length);

		fragment->offset += part;
		fragment->length -= part;
		n -= part;
		if (fragment->length == 0) {
			page_put(fragment->page);
			whole++;
		}
	}
	skb->fragment_count -= (uint8_t)whole;
	memmove(skb->fragments, skb->fragments + whole,
		skb->fragment_count * sizeof(skb->fragments[0]));
}

bool skb_pull_fragments(struct sk_buff *skb, size_t n)
{
	size_t linear = skb_linear_len(skb);

	if (n > skb->len)
		return false;
	size_t missing = n - linear;

	if (missing > skb_tailroom(skb) && move_linear_area(skb, skb_headroom(skb), missing))
		return false;
	skb_copy_bits(skb, linear, skb->tail, missing);
	skb->tail += missing;
	skip_fragment_bytes(skb, missing);
	return true;
}

void skb_cut(struct sk_buff *skb, size_t n)
{
	size_t linear = MIN(n, skb_linear_len(skb)), left = n - linear;

	skb->tail = skb->data + linear;
	skb->len = (uint32_t)n;
	skb->fragments_len = (uint32_t)left;
	uint32_t keep = 0;

	while (left) {
		struct skb_fragment *fragment = &skb->fragments[keep++];

		fragment->length = (uint32_t)MIN(left, fragment->length);
		left -= fragment->length;
	}
	while (skb->fragment_count > keep)
		page_put(skb->fragments[--skb->fragment_count].page);
}

void skb_trim_front(struct sk_buff *skb, size_t n)
{
	size_t linear = MIN(n, skb_linear_len(skb));

	skb->data += linear;
	skb->len -= (uint32_t)n;
	skip_fragment_bytes(skb, n - linear);
}

int skb_make_headroom(struct sk_buff *skb, size_t n)
{
	size_t headroom = skb_headroom(skb);

	/* By a multiple of the alignment, so that what was aligned stays so. */
	return move_linear_area(skb, headroom + ALIGN_UP(n - headroom, (size_t)SKB_ALIGN),
				skb_tailroom(skb));
}

int skb_add_fragment(struct sk_buff *skb, struct page *page, uint32_t offset, uint32_t length)
{
	if (skb->fragment_count == SKB_MAX_FRAGMENTS)
		return -ENOSPC;
	skb->fragments[skb->fragment_count++] = (struct skb_fragment){
		.page = page, .offset = offset, .length = length};
	skb->fragments_len += length;
	skb->len += length;
	skb->truesize += (uint32_t)(PAGE_SIZE << page->order);
	return 0;
}

/*
 * Runs over the pieces that hold n bytes from `offset` past data, linear ones and fragments: the
 * next one through *piece and its length, 0 when n is used up. `cursor` starts as {0}.
 */
struct piece_cursor {
	uint32_t next; /* 0: the linear area, i + 1: fragment i */
};

static size_t next_piece(const struct sk_buff *skb, struct piece_cursor *cursor, size_t *offset,
			 size_t *n, uint8_t **piece)
{
	while (*n) {
		uint32_t i = cursor->next++;

		assert_always(i <= skb->fragment_count);
		uint8_t *bytes = i ? fragment_bytes(&skb->fragments[i - 1]) : skb->data;
		size_t length = i ? skb->fragments[i - 1].length : skb_linear_len(skb);

		if (*offset >= length) {
			*offset -= length;
			continue;
		}
		length = MIN(length - *offset, *n);
		*piece = bytes + *offset;
		*offset = 0;
		*n -= length;
		return length;
	}
	return 0;
}

void skb_copy_bits(const struct sk_buff *skb, size_t offset, void *to, size_t n)
{
	struct piece_cursor cursor = {0};
	uint8_t *piece, *out = to;
	size_t length;

	for (; (length = next_piece(skb, &cursor, &offset, &n, &piece)); out += length)
		memcpy(out, piece, length);
}

int skb_copy_to_iov(const struct sk_buff *skb, size_t offset, struct iov *iov, size_t n)
{
	if (likely(offset + n <= skb_linear_len(skb)))
		return iov_copy_to(iov, skb->data + offset, n);

	struct piece_cursor cursor = {0};
	uint8_t *piece;
	size_t length;

	while ((length = next_piece(skb, &cursor, &offset, &n, &piece))) {
		int error = iov_copy_to(iov, piece, length);

		if (error)
			return error;
	}
	return 0;
}

int skb_put_from_iov(struct sk_buff *skb, struct iov *iov, size_t n)
{
	return iov_copy_from(iov, skb_put(skb, n), n);
}

uint32_t skb_checksum_add(const struct sk_buff *skb, size_t offset, size_t n, uint32_t sum)
{
	if (likely(offset + n <= skb_linear_len(skb)))
		return checksum_add(skb->data + offset, n, sum);

	struct piece_cursor cursor = {0};
	uint8_t *piece;
	size_t length, done = 0;

	for (; (length = next_piece(skb, &cursor, &offset, &n, &piece)); done += length)
		sum = checksum_join(sum, checksum_add(piece, length, 0), done);
	return sum;
}

void skb_checksum_leave(struct sk_buff *skb, uint16_t offset, uint32_t sum)
{
	be16 partial = {(uint16_t)~checksum_fold(sum).raw};

	skb->checksum = SKB_CHECKSUM_PARTIAL;
	skb->csum_start = (uint16_t)skb_headroom(skb);
	skb->csum_offset = offset;
	memcpy(skb->data + offset, &partial, sizeof(partial));
}

int skb_checksum_complete(struct sk_buff *skb)
{
	size_t start = skb->csum_start - skb_headroom(skb);
	size_t field_end = start + skb->csum_offset + sizeof(be16);

	assert_always(skb->checksum == SKB_CHECKSUM_PARTIAL);
	/*
	 * A received packet may have been cut or unwrapped since the device said where the sum
	 * is.
	 */
	if (skb->csum_start < skb_headroom(skb) || field_end > skb->len)
		return -EINVAL;
	if (!skb_may_pull(skb, field_end))
		return -ENOMEM;
	be16 sum = checksum_fold(skb_checksum_add(skb, start, skb->len - start, 0));

	/* 0 and 0xffff are the same number, and to UDP 0 would mean "no checksum" (RFC 768). */
	if (sum.raw == 0)
		sum.raw = 0xffff;
	memcpy(skb->data + start + skb->csum_offset, &sum, sizeof(sum));
	skb->checksum = SKB_CHECKSUM_NONE;
	return 0;
}
