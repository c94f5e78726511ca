/*
 * Virtio devices, their transports and their drivers.
 *
 * A transport (MMIO today) finds a device and hands it to a bus; the bus gives it to the driver
 * that registered for its kind. Drivers talk to a device only through the functions below and
 * through virtqueues (virtqueue.h), so that a further transport changes none of them.
 *
 * The bus and its lists are changed at boot, in process context, by one thread.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_H
#define DRIVERS_VIRTIO_VIRTIO_H

#include "drivers/virtio/virtio_abi.h"
#include "kernel/list.h"
#include "kernel/types.h"

struct virtio_device;
struct virtio_driver;

/* Where a queue's three parts stand in memory: physical addresses. */
struct virtqueue_layout {
	uint16_t size; /* entries, a power of two */
	uint64_t descriptors, available, used;
};

/* What a transport can do. Any context but hard interrupt. */
struct virtio_transport_ops {
	uint8_t (*status)(struct virtio_device *device);
	void (*set_status)(struct virtio_device *device, uint8_t status); /* 0: reset */
	uint64_t (*device_features)(struct virtio_device *device);
	void (*set_driver_features)(struct virtio_device *device, uint64_t features);
	/*
	 * Device-specific configuration: `width` is 1, 2 or 4 bytes, `offset` a multiple of it.
	 */
	uint32_t (*config_read)(struct virtio_device *device, uint32_t offset, uint32_t width);
	uint32_t (*config_generation)(struct virtio_device *device);
	/* The most entries that queue `index` may have; 0: there is no such queue. */
	uint32_t (*queue_size)(struct virtio_device *device, uint16_t index);
	/*
	 * Hands the queue's memory to the device. 0, or -EBUSY when the device uses it already.
	 */
	int (*queue_start)(struct virtio_device *device, uint16_t index,
			   const struct virtqueue_layout *layout);
	void (*notify)(struct virtio_device *device, uint16_t index);
	void (*release)(struct virtio_device *device); /* frees what the transport allocated */
};

struct virtio_device {
	struct list_head link; /* bus->devices */
	const struct virtio_transport_ops *transport;
	const char *name;             /* for the log: "virtio-mmio a003e00", then the interface's */
	uint32_t device_id;           /* VIRTIO_ID_* */
	bool legacy;                  /* speaks the interface from before VIRTIO 1.0 */
	uint64_t features;            /* what was negotiated */
	struct virtio_driver *driver; /* NULL: nobody wants it */
	void *driver_data;
	/*
	 * Set by the driver; called by the transport with VIRTIO_INTERRUPT_* once the interrupt
	 * has been acknowledged. Hard interrupt context. NULL: nobody listens.
	 */
	void (*interrupt)(struct virtio_device *device, uint32_t causes);
};

struct virtio_driver {
	struct list_head link; /* bus->drivers */
	uint32_t device_id;
	int (*probe)(struct virtio_driver *driver, struct virtio_device *device);
	void (*remove)(struct virtio_device *device);
};

struct virtio_bus {
	struct list_head drivers, devices;
};

void virtio_bus_init(struct virtio_bus *bus);

/* Removes and releases every device. Host only: the kernel's bus lives as long as the machine. */
void virtio_bus_destroy(struct virtio_bus *bus);

/* The driver is offered each device of its kind, in the order of their coming. */
void virtio_register_driver(struct virtio_bus *bus, struct virtio_driver *driver);

/* Takes over `device`. */
void virtio_add_device(struct virtio_bus *bus, struct virtio_device *device);
void virtio_remove_device(struct virtio_device *device);

/* For drivers, in this order (3.1.1): */

/*
 * Resets the device and greets it (ACKNOWLEDGE, DRIVER). 0, or -EIO when it does not come back.
 */
int __must_check virtio_start(struct virtio_device *device);

/*
 * Settles device->features: what is both offered and in `wanted`. VERSION_1 is added for a modern
 * device, which must accept the choice (FEATURES_OK). 0, or -EPROTO when it does not.
 */
int __must_check virtio_negotiate(struct virtio_device *device, uint64_t wanted);

/* Queues are set up; the device may use them. */
void virtio_ready(struct virtio_device *device);

/* Gives the device up. */
void virtio_fail(struct virtio_device *device);

/* Stops the device: afterwards it touches no memory of ours. */
void virtio_reset(struct virtio_device *device);

bool virtio_needs_reset(struct virtio_device *device);

static inline bool virtio_has(const struct virtio_device *device, uint64_t feature)
{
	return (device->features & feature) != 0;
}

/*
 * Reads fields of `width` bytes that belong together, again while the device changes them
 * (2.5.1).
 */
void virtio_config_read(struct virtio_device *device, uint32_t offset, uint32_t width, void *to,
			uint32_t count);

#endif
