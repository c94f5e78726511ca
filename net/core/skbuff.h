/*
 * sk_buff: one packet, from the driver's ring to the socket's queue and back.
 *
 *	head      data            tail        end
 *	 |headroom | packet bytes  | tailroom  |      then, optionally, page fragments
 *
 * The four verbs move `data` and `tail` within the linear area:
 *	skb_reserve  makes headroom in an empty buffer        data += n, tail += n
 *	skb_put      adds bytes at the end                    tail += n
 *	skb_push     adds a header in front                   data -= n
 *	skb_pull     takes a header off the front             data += n
 * Payload beyond the linear area lives in reference-counted page fragments; `len` counts both.
 * The linear area stands behind the sk_buff in one piece of memory, until it has to grow.
 *
 * Parsers: ask skb_may_pull(skb, n) before reading n bytes at skb->data. It brings fragment bytes
 * into the linear area when need be. Nothing else touches packet bytes.
 *
 * Ownership: a function that takes an sk_buff owns it, and queues it, passes it on or frees it on
 * every path. To discard one because something is wrong or missing, skb_drop with a reason, which
 * counts it in net->drops[]; to discard one that has done its duty, skb_free.
 *
 * No locks of its own: an sk_buff belongs to one owner at a time. Any context but hard interrupt.
 */
#ifndef NET_CORE_SKBUFF_H
#define NET_CORE_SKBUFF_H

#include "kernel/list.h"
#include "kernel/printk.h"
#include "kernel/types.h"
#include "net/core/drop.h"

struct net;
struct net_device;
struct page;
struct socket;

#define SKB_MAX_FRAGMENTS 17 /* 64 KiB of pages and one for misalignment */
#define SKB_HEADROOM 128     /* what a sender reserves: link, IP with options, transport */
#define SKB_ALIGN 16
#define SKB_NO_HEADER 0xffff /* the offset of a header that is not known */

/* A part of a page; the sk_buff holds a reference on it. */
struct skb_fragment {
	struct page *page; /* the first page of its block */
	uint32_t offset;   /* from page_address(page) */
	uint32_t length;
};

enum skb_checksum {
	SKB_CHECKSUM_NONE,     /* receive: verify it; send: it is in place */
	SKB_CHECKSUM_VERIFIED, /* receive: the device or loopback vouches for it */
	/*
	 * The sum from csum_start to the end is to be stored at csum_start + csum_offset; the field
	 * holds the pseudo-header's sum.
	 */
	SKB_CHECKSUM_PARTIAL,
};

/* What the segments of a large packet are (net/core/segment.h): virtio's own values. */
#define SKB_GSO_TCP4 1
#define SKB_GSO_TCP6 4
#define SKB_GSO_ECN 0x80 /* added: CWR is set, and belongs to the first segment only */

/* As a packet socket reports it: the values of PACKET_HOST and its kin. */
enum skb_packet_type {
	SKB_HOST = 0,
	SKB_BROADCAST = 1,
	SKB_MULTICAST = 2,
	SKB_OTHERHOST = 3,
	SKB_OUTGOING = 4,
};

struct sk_buff {
	struct list_head link;  /* whatever queue owns it */
	struct net *net;        /* whose live count it is in; set at allocation */
	struct net_device *dev; /* receive: where it came in; send: where it goes out */
	struct socket *owner;   /* whose send buffer it is charged to, or NULL; see skb_set_owner */

	uint8_t *head, *data, *tail, *end;
	uint32_t len;           /* linear bytes and fragments */
	uint32_t fragments_len; /* of these, in fragments */
	uint32_t truesize;      /* memory it really holds: what buffers are charged */

	uint16_t link_offset; /* of each header, from head; SKB_NO_HEADER: not known */
	uint16_t network_offset;
	uint16_t transport_offset;

	uint16_t protocol;   /* EtherType, host order */
	uint8_t packet_type; /* enum skb_packet_type */
	uint8_t checksum;    /* enum skb_checksum */
	uint16_t csum_start; /* from head; SKB_CHECKSUM_PARTIAL only */
	uint16_t csum_offset;
	uint16_t gso_size; /* payload bytes of each segment; 0: not to be segmented */
	uint8_t gso_type;  /* SKB_GSO_*, when gso_size is not 0 */
	uint8_t fragment_count;
	uint64_t time_us;    /* of arrival, by the stack's clock */
	uint64_t control[6]; /* the current owner's notes, undefined at first; see SKB_CONTROL */

	struct skb_fragment fragments[SKB_MAX_FRAGMENTS];
};

/*
 * The current owner's notes, as a structure of its own:
 *	struct ip4_control *control = SKB_CONTROL(skb, struct ip4_control);
 */
#define SKB_CONTROL(skb, type)                                                                     \
	({                                                                                         \
		_Static_assert(sizeof(type) <= sizeof(((struct sk_buff *)0)->control), "control"); \
		(type *)(void *)(skb)->control;                                                    \
	})

/* A packet with a linear area of `size` bytes, all of it tailroom. NULL when memory is out. */
struct sk_buff *skb_alloc(struct net *net, size_t size) __must_check;

/*
 * Another sk_buff with the same bytes: linear bytes are copied, fragments shared. NULL when memory
 * is out.
 */
struct sk_buff *skb_clone(const struct sk_buff *skb) __must_check;

void skb_free(struct sk_buff *skb);
void skb_drop(struct sk_buff *skb, enum drop_reason reason);
/* Counts a packet that was given up before there was an sk_buff for it. */
void skb_count_drop(struct net *net, enum drop_reason reason);

/* The rare cases of skb_may_pull, skb_trim and skb_ensure_headroom, which see below. */
bool skb_pull_fragments(struct sk_buff *skb, size_t n) __must_check;
void skb_cut(struct sk_buff *skb, size_t n);
int skb_make_headroom(struct sk_buff *skb, size_t n) __must_check;

/* Takes the first n bytes off, in fragments too; n is at most len. */
void skb_trim_front(struct sk_buff *skb, size_t n);

/* Takes over the caller's reference on `page`. 0, or -ENOSPC when all fragments are used. */
int skb_add_fragment(struct sk_buff *skb, struct page *page, uint32_t offset,
		     uint32_t length) __must_check;

/* Copies n bytes from `offset` past data; the caller has checked offset + n <= len. */
void skb_copy_bits(const struct sk_buff *skb, size_t offset, void *to, size_t n);

struct iov;
/*
 * To a process's memory, and from there into the tailroom; the cursor moves. Process context, no
 * lock held. 0 or -EFAULT.
 */
int skb_copy_to_iov(const struct sk_buff *skb, size_t offset, struct iov *iov,
		    size_t n) __must_check;
int skb_put_from_iov(struct sk_buff *skb, struct iov *iov, size_t n) __must_check;

/* The Internet checksum of n bytes from `offset` past data, added to `sum` (see checksum.h). */
uint32_t skb_checksum_add(const struct sk_buff *skb, size_t offset, size_t n, uint32_t sum);

/*
 * Leaves a transport checksum to the device (SKB_CHECKSUM_PARTIAL): that of the packet as it is
 * now, whose field stands at skb->data + `offset`. `sum` is the pseudo-header's.
 */
void skb_checksum_leave(struct sk_buff *skb, uint16_t offset, uint32_t sum);

/*
 * Fills in a SKB_CHECKSUM_PARTIAL checksum in software. 0, -ENOMEM, or -EINVAL when the field
 * that the device named is no longer in the packet.
 */
int skb_checksum_complete(struct sk_buff *skb) __must_check;

static inline size_t skb_linear_len(const struct sk_buff *skb)
{
	return (size_t)(skb->tail - skb->data);
}
static inline size_t skb_headroom(const struct sk_buff *skb)
{
	return (size_t)(skb->data - skb->head);
}
static inline size_t skb_tailroom(const struct sk_buff *skb)
{
	return (size_t)(skb->end - skb->tail);
}

/*
 * The four verbs. They panic when the area does not suffice: a bug of the caller's, never the
 * packet's.
 */
static inline void skb_reserve(struct sk_buff *skb, size_t n)
{
	assert_always(skb->len == 0 && n <= skb_tailroom(skb));
	skb->data += n;
	skb->tail += n;
}

/* Returns the new bytes. */
static inline void *skb_put(struct sk_buff *skb, size_t n)
{
	assert_always(n <= skb_tailroom(skb) && skb->fragments_len == 0);
	uint8_t *bytes = skb->tail;

	skb->tail += n;
	skb->len += (uint32_t)n;
	return bytes;
}

/* Returns the new start. */
static inline void *skb_push(struct sk_buff *skb, size_t n)
{
	assert_always(n <= skb_headroom(skb));
	skb->data -= n;
	skb->len += (uint32_t)n;
	return skb->data;
}

/* Returns the new start. */
static inline void *skb_pull(struct sk_buff *skb, size_t n)
{
	assert_always(n <= skb_linear_len(skb));
	skb->data += n;
	skb->len -= (uint32_t)n;
	return skb->data;
}

/* True, and n bytes stand at skb->data, unless the packet is shorter (or memory is out). */
static inline __must_check bool skb_may_pull(struct sk_buff *skb, size_t n)
{
	return likely(n <= skb_linear_len(skb)) || skb_pull_fragments(skb, n);
}

/* Cuts the packet to its first n bytes; harmless when it is shorter. */
static inline void skb_trim(struct sk_buff *skb, size_t n)
{
	if (n < skb->len)
		skb_cut(skb, n);
}

/* Makes at least n bytes of headroom, reallocating if need be. 0 or -ENOMEM. */
static inline __must_check int skb_ensure_headroom(struct sk_buff *skb, size_t n)
{
	return likely(n <= skb_headroom(skb)) ? 0 : skb_make_headroom(skb, n);
}

static inline void skb_mark_link_header(struct sk_buff *skb)
{
	skb->link_offset = (uint16_t)(skb->data - skb->head);
}
static inline void skb_mark_network_header(struct sk_buff *skb)
{
	skb->network_offset = (uint16_t)(skb->data - skb->head);
}
static inline void skb_mark_transport_header(struct sk_buff *skb)
{
	skb->transport_offset = (uint16_t)(skb->data - skb->head);
}
static inline uint8_t *skb_link_header(const struct sk_buff *skb)
{
	return skb->head + skb->link_offset;
}
static inline uint8_t *skb_network_header(const struct sk_buff *skb)
{
	return skb->head + skb->network_offset;
}
static inline uint8_t *skb_transport_header(const struct sk_buff *skb)
{
	return skb->head + skb->transport_offset;
}

/*
 * Charges the packet to a socket's send buffer until it is freed (then the socket's wait list hears
 * POLLOUT); the socket stays as long. Needs the net lock, and so do all who free such a packet.
 */
void skb_set_owner(struct sk_buff *skb, struct socket *socket);
/*
 * Takes it off the owner's account now: where a packet starts a new life as a received one
 * (loopback). Needs the net lock.
 */
void skb_orphan(struct sk_buff *skb);

struct skb_queue {
	struct list_head list;
	uint32_t length;   /* packets */
	uint32_t truesize; /* bytes charged */
};

void skb_queue_init(struct skb_queue *queue);
void skb_queue_append(struct skb_queue *queue, struct sk_buff *skb);
struct sk_buff *skb_queue_first(const struct skb_queue *queue); /* NULL: empty */
struct sk_buff *skb_queue_take(struct skb_queue *queue);        /* the first, unlinked, or NULL */
void skb_queue_unlink(struct skb_queue *queue, struct sk_buff *skb);
void skb_queue_drop_all(struct skb_queue *queue, enum drop_reason reason);

#endif
