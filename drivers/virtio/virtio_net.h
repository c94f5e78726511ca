/*
 * The virtio network device (VIRTIO 1.2 section 5.1).
 *
 *	virtio_net.c          probe, start and stop, interrupt and poll
 *	virtio_net_features.c what is negotiated, and what follows from it
 *	virtio_net_receive.c  the receive queue: frames from it
 *	virtio_net_merged.c   its buffers with MRG_RXBUF: pages
 *	virtio_net_whole.c    its buffers without: one for each frame
 *	virtio_net_transmit.c the transmit queue: frames to it, and completion
 *	virtio_net_control.c  the control queue: what the device is to filter
 *
 * The hard interrupt only notes what it was about and schedules the poller. Everything else runs
 * with the net lock held, in the poller (softirq) or in whoever transmits.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_NET_H
#define DRIVERS_VIRTIO_VIRTIO_NET_H

#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtqueue.h"
#include "net/core/netdevice.h"
#include "net/core/poller.h"

/* The driver for every network device of a bus; its devices become interfaces of `net`. */
struct virtio_net_driver {
	struct virtio_driver driver;
	struct net *net;
};

/* Registers with the bus. Both structures are the caller's and live as long as the bus. Boot. */
void virtio_net_register(struct virtio_net_driver *driver, struct virtio_bus *bus, struct net *net);

/* From here on: what the files of this driver share. */

#define VIRTIO_NET_RETRY_US (100 * USEC_PER_MSEC) /* until memory is asked for again */
#define VIRTIO_NET_RESET_US (1 * USEC_PER_SEC)    /* between two resets, at least */
#define VIRTIO_NET_TX_WAITING_MAX 512             /* frames that wait for room in the ring */
#define VIRTIO_NET_FILTER_MAX 32                  /* multicast addresses in the device's filter */

/* The commands that make up a change of the filter, in order. */
enum virtio_net_control_step {
	CONTROL_PROMISCUOUS,
	CONTROL_ALL_MULTICAST,
	CONTROL_MAC_TABLE,
	CONTROL_DONE,
};

/* One command at a time, in memory that the device reads while the driver goes on. */
struct virtio_net_filter {
	enum virtio_net_control_step step; /* in flight, or CONTROL_DONE */
	bool stale;                        /* the wish changed meanwhile: begin again */
	struct virtio_net_control command;
	uint8_t on;
	struct {
		uint32_t unicast_count; /* 1: it need not be the address in the configuration */
		struct mac unicast;
		uint32_t multicast_count;
		struct mac multicast[VIRTIO_NET_FILTER_MAX];
	} __packed table;
	uint8_t answer; /* written by the device: VIRTIO_NET_OK */
};

struct virtio_net {
	struct net_device dev;
	struct net *net;
	struct virtio_device *device;
	const char *transport_name; /* device->name, before it became the interface's */
	struct net_poller poller;
	struct timer retry;  /* armed: waiting for memory, or for the time of a reset */
	bool running;        /* DRIVER_OK, and no queue was found broken */
	bool config_changed; /* set in hard interrupts, taken by the poller: atomic */
	bool reset_wanted;   /* and the timer runs because the last was too short ago */
	uint64_t last_reset_us;

	uint16_t header_length; /* bytes of virtio_net_header as this device has it */
	bool header_apart;      /* legacy without ANY_LAYOUT: a descriptor of its own */
	bool merged;            /* MRG_RXBUF */
	uint32_t buffer_length; /* of a whole buffer, or its linear area: header and frame */
	uint32_t buffer_order;  /* merged only: of the blocks of pages that are its buffers */

	/* Blocks of short frames, for the next filling; merged only. */
	struct page *spare_pages[NET_POLL_BUDGET];
	uint32_t spare_count;

	struct virtqueue *receive, *transmit, *control; /* control: NULL when there is none */
	/* Frames, header in front, for which the ring had no room. */
	struct skb_queue transmit_waiting;
	uint32_t transmit_charged; /* frames in the ring that are charged to a socket */
	struct virtio_net_filter filter;
};

/* All of these need the net lock. */

/* Settles the features. 0, or virtio_negotiate's refusal. */
int virtio_net_negotiate(struct virtio_net *vnet) NEEDS_NET_LOCK;
/* MTU, layout of buffers, offloads: once there are queues. */
void virtio_net_configure(struct virtio_net *vnet) NEEDS_NET_LOCK;
/* The device's address, or one of our own making. */
struct mac virtio_net_mac(struct virtio_net *vnet) NEEDS_NET_LOCK;
bool virtio_net_link_is_up(struct virtio_net *vnet) NEEDS_NET_LOCK;
/* " csum mac ..." for the log. No lock. */
void virtio_net_feature_names(const struct virtio_net *vnet, char *text, size_t size);

/* Adds buffers until the queue is full, for the next kick. False when memory ran out before. */
bool virtio_net_fill(struct virtio_net *vnet) NEEDS_NET_LOCK;
/* After a reset: gives back what was in the queue. */
void virtio_net_free_buffers(struct virtio_net *vnet) NEEDS_NET_LOCK;
/* Hands up to `budget` frames to the stack. Returns how many. */
uint32_t virtio_net_receive(struct virtio_net *vnet, uint32_t budget) NEEDS_NET_LOCK;

/*
 * The two kinds of buffers. Filling is as virtio_net_fill. A used buffer of which the device says
 * it wrote `length` bytes becomes a packet, data at the frame, and its header; NULL when it was
 * refused and counted.
 */
#define VIRTIO_NET_WHOLE_SEGMENTS 18 /* of a buffer without MRG_RXBUF, at most */

bool virtio_net_fill_merged(struct virtio_net *vnet) NEEDS_NET_LOCK;
void virtio_net_free_spare_pages(struct virtio_net *vnet) NEEDS_NET_LOCK;
struct sk_buff *virtio_net_merged_frame(struct virtio_net *vnet, void *buffer, uint32_t length,
					struct virtio_net_header *header) NEEDS_NET_LOCK;
bool virtio_net_fill_whole(struct virtio_net *vnet) NEEDS_NET_LOCK;
struct sk_buff *virtio_net_whole_frame(struct virtio_net *vnet, void *buffer, uint32_t length,
				       struct virtio_net_header *header) NEEDS_NET_LOCK;

/* A buffer of `length` bytes, in the segments that the device wants. Their count. */
uint32_t virtio_net_describe_buffer(const struct virtio_net *vnet, phys_addr_t address,
				    uint32_t length, struct virtqueue_segment segments[2]);
/* The buffer_order to begin with, by how much memory there is. */
uint32_t virtio_net_choose_buffer_order(void);
/* Unused bytes in front of header and frame, so that the IP header lies on a multiple of four. */
size_t virtio_net_padding(const struct virtio_net *vnet);
/* Counts a frame that never became a packet. */
void virtio_net_refuse_buffer(struct virtio_net *vnet, enum drop_reason reason) NEEDS_NET_LOCK;

void virtio_net_xmit(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK;
void virtio_net_xmit_flush(struct net_device *dev) NEEDS_NET_LOCK;
/* Frees what was sent and moves waiting frames into the ring. */
void virtio_net_complete(struct virtio_net *vnet) NEEDS_NET_LOCK;
/*
 * After the last look at the ring: false when more was sent meanwhile and somebody waits for it.
 */
bool virtio_net_await_completion(struct virtio_net *vnet) NEEDS_NET_LOCK;

void virtio_net_set_rx_mode(struct net_device *dev) NEEDS_NET_LOCK;
/* Goes on with the next command once the device has answered the last. */
void virtio_net_control(struct virtio_net *vnet) NEEDS_NET_LOCK;

#endif
