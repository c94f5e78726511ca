/*
 * What VIRTIO 1.2 lays down, as constants and structures. Section numbers are the
 * specification's.
 *
 * Everything is little-endian in memory (2.7.1), which is this machine's own order; a legacy
 * device uses the guest's order (2.4.3), which is the same here.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_ABI_H
#define DRIVERS_VIRTIO_VIRTIO_ABI_H

#include "kernel/types.h"

/* Device status, 2.1 */
#define VIRTIO_STATUS_ACKNOWLEDGE 1
#define VIRTIO_STATUS_DRIVER 2
#define VIRTIO_STATUS_DRIVER_OK 4
#define VIRTIO_STATUS_FEATURES_OK 8
#define VIRTIO_STATUS_NEEDS_RESET 64
#define VIRTIO_STATUS_FAILED 128

/* Device types, 5 */
#define VIRTIO_ID_NET 1

/* Feature bits that every device type has, 6 and 6.3 (legacy) */
#define VIRTIO_F_ANY_LAYOUT BIT(27) /* legacy: a header and what follows may share a descriptor */
#define VIRTIO_F_INDIRECT_DESC BIT(28)
#define VIRTIO_F_EVENT_IDX BIT(29)
#define VIRTIO_F_VERSION_1 BIT(32)

/* Why a device interrupts, 4.2.2 InterruptStatus */
#define VIRTIO_INTERRUPT_QUEUE 1
#define VIRTIO_INTERRUPT_CONFIG 2

/* The split virtqueue, 2.7 */
#define VRING_DESC_F_NEXT 1
#define VRING_DESC_F_WRITE 2 /* the device writes this buffer */
#define VRING_DESC_F_INDIRECT 4
#define VRING_AVAIL_F_NO_INTERRUPT 1
#define VRING_USED_F_NO_NOTIFY 1

struct vring_desc { /* 2.7.5 */
	uint64_t address;
	uint32_t length;
	uint16_t flags;
	uint16_t next;
};

struct vring_avail { /* 2.7.6; after ring[size] stands used_event, 2.7.7 */
	uint16_t flags;
	uint16_t index;
	uint16_t ring[];
};

struct vring_used_element {
	uint32_t id;
	uint32_t length;
};

struct vring_used { /* 2.7.8; after ring[size] stands avail_event, 2.7.10 */
	uint16_t flags;
	uint16_t index;
	struct vring_used_element ring[];
};

/* 2.7.7: has the index, moving from `before` to `now`, passed `event`? Modulo 65536. */
static inline bool vring_event_passed(uint16_t event, uint16_t now, uint16_t before)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

/* MMIO registers, 4.2.2; those of the legacy layout (version 1), 4.2.4 */
#define VIRTIO_MMIO_MAGIC 0x74726976 /* "virt" */
#define VIRTIO_MMIO_MAGIC_VALUE 0x000
#define VIRTIO_MMIO_VERSION 0x004
#define VIRTIO_MMIO_DEVICE_ID 0x008
#define VIRTIO_MMIO_VENDOR_ID 0x00c
#define VIRTIO_MMIO_DEVICE_FEATURES 0x010
#define VIRTIO_MMIO_DEVICE_FEATURES_SEL 0x014
#define VIRTIO_MMIO_DRIVER_FEATURES 0x020
#define VIRTIO_MMIO_DRIVER_FEATURES_SEL 0x024
#define VIRTIO_MMIO_GUEST_PAGE_SIZE 0x028 /* legacy */
#define VIRTIO_MMIO_QUEUE_SEL 0x030
#define VIRTIO_MMIO_QUEUE_NUM_MAX 0x034
#define VIRTIO_MMIO_QUEUE_NUM 0x038
#define VIRTIO_MMIO_QUEUE_ALIGN 0x03c /* legacy */
#define VIRTIO_MMIO_QUEUE_PFN 0x040   /* legacy */
#define VIRTIO_MMIO_QUEUE_READY 0x044
#define VIRTIO_MMIO_QUEUE_NOTIFY 0x050
#define VIRTIO_MMIO_INTERRUPT_STATUS 0x060
#define VIRTIO_MMIO_INTERRUPT_ACK 0x064
#define VIRTIO_MMIO_STATUS 0x070
#define VIRTIO_MMIO_QUEUE_DESC_LOW 0x080
#define VIRTIO_MMIO_QUEUE_DESC_HIGH 0x084
#define VIRTIO_MMIO_QUEUE_DRIVER_LOW 0x090
#define VIRTIO_MMIO_QUEUE_DRIVER_HIGH 0x094
#define VIRTIO_MMIO_QUEUE_DEVICE_LOW 0x0a0
#define VIRTIO_MMIO_QUEUE_DEVICE_HIGH 0x0a4
#define VIRTIO_MMIO_CONFIG_GENERATION 0x0fc
#define VIRTIO_MMIO_CONFIG 0x100

/* Network device: queues 5.1.2 (of a device without multiqueue), features 5.1.3 */
#define VIRTIO_NET_QUEUE_RX 0
#define VIRTIO_NET_QUEUE_TX 1
#define VIRTIO_NET_QUEUE_CONTROL 2

#define VIRTIO_NET_F_CSUM BIT(0)       /* the device completes partial checksums of what we send */
#define VIRTIO_NET_F_GUEST_CSUM BIT(1) /* the driver takes frames with partial checksums */
#define VIRTIO_NET_F_MTU BIT(3)
#define VIRTIO_NET_F_MAC BIT(5)
#define VIRTIO_NET_F_GUEST_TSO4 BIT(7)
#define VIRTIO_NET_F_GUEST_TSO6 BIT(8)
#define VIRTIO_NET_F_GUEST_ECN BIT(9)
#define VIRTIO_NET_F_HOST_TSO4 BIT(11)
#define VIRTIO_NET_F_HOST_TSO6 BIT(12)
#define VIRTIO_NET_F_HOST_ECN BIT(13)
#define VIRTIO_NET_F_MRG_RXBUF BIT(15)
#define VIRTIO_NET_F_STATUS BIT(16)
#define VIRTIO_NET_F_CTRL_VQ BIT(17)
#define VIRTIO_NET_F_CTRL_RX BIT(18)

struct virtio_net_config { /* 5.1.4; the fields that we know */
	uint8_t mac[6];
	uint16_t status;
	uint16_t max_virtqueue_pairs;
	uint16_t mtu;
};

#define VIRTIO_NET_S_LINK_UP 1

struct virtio_net_header { /* 5.1.6: in front of every frame, both ways */
	uint8_t flags;
	uint8_t gso_type;
	uint16_t header_length; /* a hint: bytes of headers of a frame to be segmented */
	uint16_t gso_size;
	uint16_t csum_start;  /* from the frame's first byte */
	uint16_t csum_offset; /* from csum_start */
	uint16_t num_buffers; /* legacy without MRG_RXBUF: this field is not there */
};

#define VIRTIO_NET_HEADER_LENGTH 12
#define VIRTIO_NET_HEADER_LENGTH_LEGACY 10

#define VIRTIO_NET_HDR_F_NEEDS_CSUM 1
#define VIRTIO_NET_HDR_F_DATA_VALID 2
#define VIRTIO_NET_HDR_GSO_NONE 0
#define VIRTIO_NET_HDR_GSO_TCPV4 1
#define VIRTIO_NET_HDR_GSO_TCPV6 4
#define VIRTIO_NET_HDR_GSO_ECN 0x80

/* The control virtqueue, 5.1.6.5: struct virtio_net_control, the data, one acknowledging byte */
struct virtio_net_control {
	uint8_t class;
	uint8_t command;
};

#define VIRTIO_NET_CTRL_RX 0 /* data: one byte, on or off */
#define VIRTIO_NET_CTRL_RX_PROMISC 0
#define VIRTIO_NET_CTRL_RX_ALLMULTI 1
#define VIRTIO_NET_CTRL_MAC 1
#define VIRTIO_NET_CTRL_MAC_TABLE_SET 0 /* data: a unicast, then a multicast table */
#define VIRTIO_NET_OK 0

#endif
