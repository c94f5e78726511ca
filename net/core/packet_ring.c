/* A packet socket's ring: its memory, its making and end. See packet_ring.h. */
#include "net/core/packet_ring.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page.h"
#include "kernel/string.h"

#define RING_PAGES_MAX 16384u    /* 64 MiB: what one socket may have */
#define PATIENCE_DEFAULT_MS 8    /* when the process asks for no time of its own */
#define BLOCK_ALIGNMENT 8        /* of what stands in a block of version 3 */
#define PLACE_ROOM 64            /* what aligning a packet behind its header can take, and more */
#define PATIENCE_MAX_MS 60000000 /* beyond, a block as good as never times out */

uint32_t packet_ring_header(uint8_t version)
{
	return version == TPACKET_V3 ? sizeof(struct tpacket3_hdr) : sizeof(struct tpacket2_hdr);
}

uint32_t packet_ring_overhead(uint8_t version)
{
	return TPACKET_ALIGN(packet_ring_header(version)) + (uint32_t)sizeof(struct sockaddr_ll);
}

/* The frames must fill their blocks, and each must hold more than its header. */
static int check_frames(const struct packet_socket *packet, const struct tpacket_req3 *request)
{
	uint32_t least = packet_ring_overhead(packet->version) + packet->reserve;

	if (request->tp_frame_size < least || request->tp_frame_size % TPACKET_ALIGNMENT)
		return -EINVAL;
	uint32_t per_block = request->tp_block_size / request->tp_frame_size;

	if (per_block == 0)
		return -EINVAL;
	return (uint64_t)per_block * request->tp_block_nr == request->tp_frame_nr ? 0 : -EINVAL;
}

static int check_blocks(const struct packet_socket *packet, const struct tpacket_req3 *request)
{
	uint32_t size = request->tp_block_size;

	if (size == 0 || size > INT32_MAX || !IS_ALIGNED(size, PAGE_SIZE))
		return -EINVAL;
	if ((uint64_t)size / PAGE_SIZE * request->tp_block_nr > RING_PAGES_MAX)
		return -ENOMEM;
	if (packet->version != TPACKET_V3)
		return 0;
	uint64_t least = sizeof(struct tpacket_block_desc) +
			 ALIGN_UP((uint64_t)request->tp_sizeof_priv, BLOCK_ALIGNMENT) +
			 packet_ring_overhead(TPACKET_V3) + packet->reserve + PLACE_ROOM;

	if (request->tp_feature_req_word) /* a hash of packets is not there */
		return -EOPNOTSUPP;
	return size > least ? 0 : -EINVAL;
}

static void free_ring(struct packet_ring *ring)
{
	for (uint32_t i = 0; i < ring->page_count; i++)
		page_put(ring->pages[i]);
	kfree(ring);
}

/* NULL: no memory. */
static struct packet_ring *allocate(uint32_t page_count)
{
	struct packet_ring *ring = kzalloc(sizeof(*ring) + page_count * sizeof(struct page *));

	if (!ring)
		return NULL;
	while (ring->page_count < page_count) {
		struct page *page = page_alloc_zeroed();

		if (!page) {
			free_ring(ring);
			return NULL;
		}
		ring->pages[ring->page_count++] = page;
	}
	return ring;
}

static int make(struct packet_socket *packet, const struct tpacket_req3 *request) NEEDS_NET_LOCK
{
	uint32_t patience_ms = request->tp_retire_blk_tov;

	if (packet->ring)
		return -EBUSY;
	if (packet->version == TPACKET_V1) /* which no library asks for any more */
		return -EINVAL;
	int error = check_blocks(packet, request);

	if (!error)
		error = check_frames(packet, request);
	if (error)
		return error;
	struct packet_ring *ring = allocate((uint32_t)(request->tp_block_size / PAGE_SIZE) *
					    request->tp_block_nr);

	if (!ring)
		return -ENOMEM;
	ring->packet = packet;
	ring->version = packet->version;
	ring->block_size = request->tp_block_size;
	ring->block_count = request->tp_block_nr;
	ring->frame_size = request->tp_frame_size;
	ring->frame_count = request->tp_frame_nr;
	ring->frames_per_block = request->tp_block_size / request->tp_frame_size;
	ring->private_size = request->tp_sizeof_priv;
	if (patience_ms == 0)
		patience_ms = PATIENCE_DEFAULT_MS;
	ring->patience_us = MIN(patience_ms, PATIENCE_MAX_MS) * (uint64_t)USEC_PER_MSEC;
	timer_init(&ring->timer, packet_ring_expired);
	packet->ring = ring;
	packet->socket.net->timestamp_users++;
	return 0;
}

void packet_ring_free(struct packet_socket *packet)
{
	struct packet_ring *ring = packet->ring;

	if (!ring)
		return;
	packet->ring = NULL;
	net_timer_cancel(packet->socket.net, &ring->timer);
	packet->socket.net->timestamp_users--;
	free_ring(ring);
}

int packet_ring_set(struct packet_socket *packet, const void *value, uint32_t length)
{
	uint32_t needed = packet->version == TPACKET_V3 ? sizeof(struct tpacket_req3)
							: sizeof(struct tpacket_req);
	struct tpacket_req3 request = {0};

	if (length < needed)
		return -EINVAL;
	memcpy(&request, value, needed);
	if (request.tp_block_nr)
		return make(packet, &request);
	if (request.tp_frame_nr)
		return -EINVAL;
	packet_ring_free(packet);
	return 0;
}

int packet_ring_memory(struct socket *socket, uint64_t length, struct page *const **pages,
		       uint64_t *count)
{
	const struct packet_ring *ring = packet_socket_of(socket)->ring;

	if (!ring || length != (uint64_t)ring->page_count * PAGE_SIZE)
		return -EINVAL;
	*pages = ring->pages;
	*count = ring->page_count;
	return 0;
}
