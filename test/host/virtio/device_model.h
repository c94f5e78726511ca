/*
 * A virtio-mmio network device in software: what stands on the other side of drivers/virtio/.
 *
 * It needs neither the stack nor the driver, only the constants of virtio_abi.h. A program gives
 * it memory (by default, a guest address is a pointer), reads and writes its registers, hands it
 * frames to be received and is handed those that the driver sent. Both register layouts, split
 * rings, indirect descriptors, event index, merged receive buffers, the control queue,
 * configuration changes, reset.
 *
 * It is a strict device: whatever a driver does against the specification is a violation, counted
 * and described, so that tests can insist on none. On request it is also a malicious one: see
 * "For liars" below.
 *
 * Not locked: one thread at a time.
 *
 *	device_model.c      registers, status, configuration, interrupts
 *	device_rings.c      split virtqueues, the device's side
 *	device_net.c        the network device: receive, transmit, control
 */
#ifndef TEST_HOST_VIRTIO_DEVICE_MODEL_H
#define TEST_HOST_VIRTIO_DEVICE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/virtio/virtio_abi.h"

#define MODEL_QUEUES 3
#define MODEL_CHAIN_MAX 64 /* segments that the model follows in one chain */
#define MODEL_FILTER_MAX 64
#define MODEL_FRAME_MAX (65535 + 14)

/* What a program is told. Each may be NULL. */
struct model_events {
	/* The interrupt line rose, or has one more cause. */
	void (*interrupt)(void *context);
	/*
	 * The driver sent a frame; both are the model's and valid during the call. False: the wire
	 * is busy. The frame and those behind it stay in the driver's ring until model_serve.
	 */
	bool (*transmitted)(void *context, const struct virtio_net_header *header,
			    const uint8_t *frame, size_t length);
	/*
	 * The driver notified a queue. True: served at once; false: the program calls
	 * model_serve.
	 */
	bool (*notified)(void *context, uint16_t queue);
	/* The driver is ready (DRIVER_OK), its features are settled; or it has reset the device. */
	void (*driver_changed)(void *context, bool ready);
	/* Guest memory, or NULL where there is none. */
	void *(*memory)(void *context, uint64_t address, uint64_t length);
	void *context;
};

struct model_options {
	bool legacy;         /* register layout version 1 */
	uint64_t features;   /* offered */
	uint32_t queue_size; /* QueueNumMax */
	uint8_t mac[6];
	uint16_t mtu;
	bool link_up;
	uint32_t device_id; /* 0: an empty slot */
	/*
	 * Legacy: the page number of a queue has 32 bits. On a host whose addresses are longer,
	 * the bits from 44 on, which all queues share.
	 */
	uint64_t legacy_address_base;
};

struct model_queue {
	uint32_t size;
	bool ready;
	uint64_t descriptors, available, used; /* guest addresses */
	uint32_t page_number, alignment;       /* legacy */
	uint16_t next_available;               /* the first chain that the device has not taken */
	uint16_t used_index;
	uint64_t notifications, interrupts, interrupts_suppressed;
};

struct model_segment {
	uint8_t *bytes;
	uint32_t length;
	bool writable;
};

/* One chain, taken from the available ring. */
struct model_chain {
	uint16_t head;
	uint32_t count;
	uint32_t readable, writable; /* bytes */
	struct model_segment segments[MODEL_CHAIN_MAX];
};

struct virtio_model {
	struct model_options options;
	struct model_events events;

	uint8_t status;
	uint32_t interrupt_status;
	uint32_t device_features_sel, driver_features_sel, queue_sel, page_size;
	uint64_t driver_features;
	uint32_t config_generation;
	struct virtio_net_config config;
	struct model_queue queues[MODEL_QUEUES];
	uint64_t resets;

	bool refuse_features;    /* FEATURES_OK does not stick */
	bool unsettled_config;   /* the generation moves at every read */
	bool refuse_reset;       /* the status does not return to 0 */
	bool queues_in_use;      /* each queue says that it was set up already */
	bool hold_notifications; /* asks the driver not to notify */

	/* What the driver asked for through the control queue. */
	bool filter_set; /* before, all frames are delivered */
	bool promiscuous, all_multicast;
	uint32_t unicast_count, multicast_count;
	uint8_t unicast[MODEL_FILTER_MAX][6], multicast[MODEL_FILTER_MAX][6];
	uint64_t control_commands;

	/* A frame with its header, gathered from the driver's segments, or to be scattered. */
	uint8_t outgoing[VIRTIO_NET_HEADER_LENGTH + MODEL_FRAME_MAX];
	uint8_t incoming[VIRTIO_NET_HEADER_LENGTH + MODEL_FRAME_MAX];

	uint64_t violations;
	char violation[160]; /* the first */
};

void model_init(struct virtio_model *model, const struct model_options *options,
		const struct model_events *events);

/* The registers: the functions of a struct virtio_mmio_io; `model` is a struct virtio_model. */
uint32_t model_read(void *model, uint32_t offset, uint32_t width);
void model_write(void *model, uint32_t offset, uint32_t width, uint32_t value);

/* Did the driver accept the feature? */
bool model_has(const struct virtio_model *model, uint64_t feature);
bool model_running(const struct virtio_model *model);

/*
 * Serves everything in a queue of what the driver made available: transmit or control. Returns
 * how many chains.
 */
uint32_t model_serve(struct virtio_model *model, uint16_t queue);

/*
 * A frame arrives from the wire. `header` NULL: all zero; num_buffers is filled in. False when
 * the driver has no buffer for it: it is lost, as on a wire, unless the program keeps it until the
 * driver notifies the receive queue.
 */
bool model_receive(struct virtio_model *model, const struct virtio_net_header *header,
		   const void *frame, size_t length);

/*
 * Does the frame pass the filter that the driver set (5.1.6.5.1 and 2)? model_receive delivers
 * what it is given: a device may deliver more than was asked for.
 */
bool model_wants(const struct virtio_model *model, const uint8_t *frame, size_t length);

/*
 * After model_receive said no: may the frame fit once the driver has added buffers? False when one
 * was there and too short for it.
 */
bool model_may_fit_later(struct virtio_model *model);

/* The wire comes or goes; the MTU changes: a configuration interrupt. */
void model_set_link(struct virtio_model *model, bool up);
void model_set_mtu(struct virtio_model *model, uint16_t mtu);

/* The device gives up until it is reset. */
void model_needs_reset(struct virtio_model *model);

/* The rings, for device_net.c and for liars. */

/* Takes the next chain. False: none is available, or the driver broke a rule. */
bool model_take(struct virtio_model *model, uint16_t queue, struct model_chain *chain);
/* Puts back the chain that was taken last, unused; model_take gives it again. */
void model_untake(struct virtio_model *model, uint16_t queue);
/* Writes a used element without moving the index. */
void model_put_used(struct virtio_model *model, uint16_t queue, uint32_t id, uint32_t length);
/* Moves the index over what was put, and interrupts unless the driver asked not to. */
void model_publish_used(struct virtio_model *model, uint16_t queue);
/* How many chains are available and not taken. */
uint32_t model_available(struct virtio_model *model, uint16_t queue);

/* For liars: sets the used index as the driver sees it to any value and interrupts. */
void model_lie_used_index(struct virtio_model *model, uint16_t queue, uint16_t index);
/* For liars: raises an interrupt with these causes (0: a spurious one). */
void model_interrupt(struct virtio_model *model, uint32_t causes);

/* Shared by the model's files. */
struct model_queue *model_ready_queue(struct virtio_model *model, uint16_t queue);
void *model_memory(struct virtio_model *model, uint64_t address, uint64_t length);
void model_violation(struct virtio_model *model, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
