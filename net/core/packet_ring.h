/*
 * PACKET_RX_RING: received packets go to memory that a process has mapped, so that it takes them
 * without a system call each. TPACKET_V2, in frames of one size, and TPACKET_V3, in blocks that
 * packets of any length fill. Linux's Documentation/networking/packet_mmap.rst describes both.
 *
 *	packet_ring         its memory, its making and end
 *	packet_ring_fill    how packets are written
 *
 * The process may write to the memory too: nothing that stands there is believed, but for the
 * words that say whose a frame or block is. Needs the net lock throughout.
 */
#ifndef NET_CORE_PACKET_RING_H
#define NET_CORE_PACKET_RING_H

#include "net/core/packet_private.h"

struct packet_ring {
	struct packet_socket *packet; /* whose it is */
	uint8_t version;              /* TPACKET_V2 or V3 */
	uint32_t block_size, block_count;
	uint32_t frame_size, frame_count, frames_per_block; /* V2 */
	uint32_t next;                                      /* frame or block to be filled next */

	/* V3: the block that is being filled. */
	uint32_t used;        /* bytes; 0: none is */
	uint32_t in_block;    /* packets */
	uint32_t last_packet; /* where the last one's header begins in the block */
	uint32_t private_size;
	bool frozen; /* every block is the process's */
	uint64_t sequence;
	uint64_t patience_us; /* how long a block waits for more packets */
	struct tpacket_bd_ts first_time, last_time;
	struct timer timer; /* armed while there is such a block */

	uint32_t page_count;
	struct page *pages[]; /* single ones, with a reference each */
};

/* PACKET_RX_RING: makes the ring, or ends it (no blocks). 0 or a negative errno. */
int packet_ring_set(struct packet_socket *packet, const void *value,
		    uint32_t length) NEEDS_NET_LOCK;
void packet_ring_free(struct packet_socket *packet) NEEDS_NET_LOCK;

/* The bytes in front of a packet's, in a ring of this version: PACKET_HDRLEN. */
uint32_t packet_ring_header(uint8_t version);

/* The same with the sockaddr_ll. */
uint32_t packet_ring_overhead(uint8_t version);

/* Writes `keep` bytes of a packet. False: there is no room, and it is lost. */
bool packet_ring_receive(struct packet_socket *packet, const struct packet_view *view,
			 uint32_t keep) NEEDS_NET_LOCK;

/* Is there something that the process has not given back? POLLIN */
bool packet_ring_readable(const struct packet_ring *ring) NEEDS_NET_LOCK;

/* V3: the block has waited long enough. */
void packet_ring_expired(struct timer *timer) NEEDS_NET_LOCK;

/* mmap: the socket's ring, whose pages are `length` bytes. 0, -EINVAL. socket_ops.memory */
int packet_ring_memory(struct socket *socket, uint64_t length, struct page *const **pages,
		       uint64_t *count) NEEDS_NET_LOCK;

#endif
