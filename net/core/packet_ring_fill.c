/* How packets are written to a packet socket's ring. See packet_ring.h. */
#include "kernel/mm/page.h"
#include "kernel/string.h"
#include "net/core/packet_ring.h"

#define HEADER_ROOM 16    /* what a short link header is given, so that the network's is aligned */
#define BLOCK_ALIGNMENT 8 /* of what stands in a block of version 3 */

/* ---- The ring's bytes, page by page ---- */

static uint8_t *byte_at(const struct packet_ring *ring, uint64_t at)
{
	return (uint8_t *)page_address(ring->pages[at / PAGE_SIZE]) + at % PAGE_SIZE;
}

static uint32_t until_page_end(uint64_t at, uint32_t n)
{
	return (uint32_t)MIN((uint64_t)n, PAGE_SIZE - at % PAGE_SIZE);
}

static void put(const struct packet_ring *ring, uint64_t at, const void *bytes, uint32_t n)
{
	const uint8_t *from = bytes;

	while (n) {
		uint32_t part = until_page_end(at, n);

		memcpy(byte_at(ring, at), from, part);
		from += part;
		at += part;
		n -= part;
	}
}

/* Bytes of the packet as its socket sees it, from its first one on. */
static void put_packet(const struct packet_ring *ring, uint64_t at, const struct bpf_packet *packet,
		       uint32_t n)
{
	uint32_t from = packet->start;

	if (from < packet->front_length) {
		uint32_t part = MIN(n, packet->front_length - from);

		put(ring, at, packet->front + from, part);
		at += part;
		from += part;
		n -= part;
	}
	while (n) {
		uint32_t part = until_page_end(at, n);

		skb_copy_bits(packet->skb, from - packet->front_length + (uint32_t)packet->skip,
			      byte_at(ring, at), part);
		at += part;
		from += part;
		n -= part;
	}
}

/* The words by which kernel and process hand memory to each other; they never cross a page. */
static uint32_t status_at(const struct packet_ring *ring, uint64_t at)
{
	return __atomic_load_n((const uint32_t *)(const void *)byte_at(ring, at), __ATOMIC_ACQUIRE);
}

static void hand_over(const struct packet_ring *ring, uint64_t at, uint32_t status) NEEDS_NET_LOCK
{
	__atomic_store_n((uint32_t *)(void *)byte_at(ring, at), status, __ATOMIC_RELEASE);
	socket_wake(&ring->packet->socket, POLLIN | POLLRDNORM);
}

/* ---- What both versions say of a packet ---- */

/* Where its parts go, from its header on. */
struct placement {
	uint32_t packet, network; /* offsets of its first byte and of the network header */
	uint32_t keep;            /* bytes that are written */
};

static struct placement place(const struct packet_socket *packet, const struct packet_view *view,
			      uint32_t keep, uint32_t room)
{
	uint32_t overhead = packet_ring_overhead(packet->ring->version);
	uint32_t link = view->control.network_offset; /* 0 for SOCK_DGRAM */
	struct placement placement;

	if (packet->socket.type == SOCK_RAW)
		placement.network = TPACKET_ALIGN(overhead + MAX(link, (uint32_t)HEADER_ROOM)) +
				    packet->reserve;
	else
		placement.network = TPACKET_ALIGN(overhead) + HEADER_ROOM + packet->reserve;
	placement.packet = placement.network - link;
	placement.keep = placement.packet < room ? MIN(keep, room - placement.packet) : 0;
	return placement;
}

static uint32_t status_of(const struct packet_socket *packet, const struct packet_view *view)
{
	return packet_status(&view->control) | (packet->dropped ? TP_STATUS_LOSING : 0);
}

static struct tpacket_bd_ts time_of(struct net *net, uint64_t time_us)
{
	uint64_t stamp_us = net_realtime(net);

	if (time_us)
		stamp_us -= net_now(net) - time_us;
	return (struct tpacket_bd_ts){
		.ts_sec = (uint32_t)(stamp_us / USEC_PER_SEC),
		.ts_nsec = (uint32_t)(stamp_us % USEC_PER_SEC * NSEC_PER_USEC),
	};
}

/* The source and the bytes, behind a header at `at`. */
static void put_content(const struct packet_ring *ring, uint64_t at, const struct packet_view *view,
			const struct placement *placement)
{
	const struct sockaddr_ll source = packet_source(&view->control);

	put(ring, at + TPACKET_ALIGN(packet_ring_header(ring->version)), &source, sizeof(source));
	put_packet(ring, at + placement->packet, &view->bytes, placement->keep);
}

/* ---- Version 2: frames of one size ---- */

static uint64_t frame_at(const struct packet_ring *ring, uint32_t frame)
{
	return (uint64_t)(frame / ring->frames_per_block) * ring->block_size +
	       (uint64_t)(frame % ring->frames_per_block) * ring->frame_size;
}

static bool fill_frame(struct packet_socket *packet, const struct packet_view *view,
		       uint32_t keep) NEEDS_NET_LOCK
{
	struct packet_ring *ring = packet->ring;
	uint64_t at = frame_at(ring, ring->next);
	struct placement placement = place(packet, view, keep, ring->frame_size);
	struct tpacket_bd_ts time = time_of(packet->socket.net, view->time_us);

	if (status_at(ring, at) != TP_STATUS_KERNEL)
		return false;
	const struct tpacket2_hdr header = {
		.tp_len = view->control.original_length,
		.tp_snaplen = placement.keep,
		.tp_mac = (uint16_t)placement.packet,
		.tp_net = (uint16_t)placement.network,
		.tp_sec = time.ts_sec,
		.tp_nsec = time.ts_nsec,
		.tp_vlan_tci = view->control.vlan_tag,
		.tp_vlan_tpid = view->control.has_vlan ? ETH_P_8021Q : 0,
	};

	put(ring, at, &header, sizeof(header));
	put_content(ring, at, view, &placement);
	ring->next = (ring->next + 1) % ring->frame_count;
	hand_over(ring, at, status_of(packet, view));
	return true;
}

/* ---- Version 3: blocks ---- */

static uint64_t block_at(const struct packet_ring *ring, uint32_t block)
{
	return (uint64_t)block * ring->block_size;
}

static uint64_t block_status_at(const struct packet_ring *ring, uint32_t block)
{
	return block_at(ring, block) + offsetof(struct tpacket_block_desc, hdr.block_status);
}

static uint32_t first_packet(const struct packet_ring *ring)
{
	return (uint32_t)(sizeof(struct tpacket_block_desc) +
			  ALIGN_UP(ring->private_size, BLOCK_ALIGNMENT));
}

/* Gives the block to the process. `why`: more bits for its status. */
static void close_block(struct packet_ring *ring, uint32_t why) NEEDS_NET_LOCK
{
	const uint32_t no_next = 0;
	uint32_t block = ring->next;
	const struct tpacket_block_desc description = {
		.version = TPACKET_V3,
		.offset_to_priv = sizeof(struct tpacket_block_desc),
		.hdr =
			{
				.num_pkts = ring->in_block,
				.offset_to_first_pkt = first_packet(ring),
				.blk_len = ring->used,
				.seq_num = ++ring->sequence,
				.ts_first_pkt = ring->first_time,
				.ts_last_pkt = ring->last_time,
			},
	};

	net_timer_cancel(ring->packet->socket.net, &ring->timer);
	put(ring, block_at(ring, block) + ring->last_packet, &no_next, sizeof(no_next));
	put(ring, block_at(ring, block), &description, sizeof(description));
	ring->used = 0;
	ring->in_block = 0;
	ring->next = (block + 1) % ring->block_count;
	hand_over(ring, block_status_at(ring, block),
		  TP_STATUS_USER | why | (ring->packet->dropped ? TP_STATUS_LOSING : 0));
}

void packet_ring_expired(struct timer *timer)
{
	close_block(container_of(timer, struct packet_ring, timer), TP_STATUS_BLK_TMO);
}

/* False: the process has not given the next block back. */
static bool open_block(struct packet_ring *ring) NEEDS_NET_LOCK
{
	struct net *net = ring->packet->socket.net;

	if (status_at(ring, block_status_at(ring, ring->next)) != TP_STATUS_KERNEL) {
		if (!ring->frozen)
			ring->packet->frozen++;
		ring->frozen = true;
		return false;
	}
	ring->frozen = false;
	ring->used = first_packet(ring);
	net_timer_arm(net, &ring->timer, net_now(net) + ring->patience_us);
	return true;
}

static bool fill_block(struct packet_socket *packet, const struct packet_view *view,
		       uint32_t keep) NEEDS_NET_LOCK
{
	struct packet_ring *ring = packet->ring;
	struct placement placement = place(packet, view, keep,
					   ring->block_size - first_packet(ring));
	uint32_t needed = ALIGN_UP(placement.packet + placement.keep, BLOCK_ALIGNMENT);
	struct tpacket_bd_ts time = time_of(packet->socket.net, view->time_us);

	if (ring->used && ring->used + needed > ring->block_size)
		close_block(ring, 0);
	if (!ring->used && !open_block(ring))
		return false;
	if (ring->in_block == 0)
		ring->first_time = time;
	const struct tpacket3_hdr header = {
		.tp_next_offset = needed,
		.tp_sec = time.ts_sec,
		.tp_nsec = time.ts_nsec,
		.tp_snaplen = placement.keep,
		.tp_len = view->control.original_length,
		.tp_status = status_of(packet, view),
		.tp_mac = (uint16_t)placement.packet,
		.tp_net = (uint16_t)placement.network,
		.hv1 = {.tp_vlan_tci = view->control.vlan_tag,
			.tp_vlan_tpid = view->control.has_vlan ? ETH_P_8021Q : 0},
	};
	uint64_t at = block_at(ring, ring->next) + ring->used;

	put(ring, at, &header, sizeof(header));
	put_content(ring, at, view, &placement);
	ring->last_packet = ring->used;
	ring->last_time = time;
	ring->used += needed;
	ring->in_block++;
	return true;
}

bool packet_ring_receive(struct packet_socket *packet, const struct packet_view *view,
			 uint32_t keep)
{
	return packet->ring->version == TPACKET_V3 ? fill_block(packet, view, keep)
						   : fill_frame(packet, view, keep);
}

/* The newest that was handed over: when that is back, all before it are. */
bool packet_ring_readable(const struct packet_ring *ring)
{
	uint32_t count = ring->version == TPACKET_V3 ? ring->block_count : ring->frame_count;
	uint32_t newest = (ring->next + count - 1) % count;
	uint64_t at = ring->version == TPACKET_V3 ? block_status_at(ring, newest)
						  : frame_at(ring, newest);

	return status_at(ring, at) != TP_STATUS_KERNEL;
}
