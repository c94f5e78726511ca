/*
 * The MMIO transport (VIRTIO 1.2 section 4.2), in both register layouts: modern (version 2) and
 * legacy (version 1, what QEMU's `virt` machine shows by default).
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_MMIO_H
#define DRIVERS_VIRTIO_VIRTIO_MMIO_H

#include "drivers/virtio/virtio.h"

/* How the registers are reached: real ones on the machine, a device model's in host tests. */
struct virtio_mmio_io {
	/* `width` is 1, 2 or 4 bytes; `offset` a multiple of it. Any context. */
	uint32_t (*read)(void *context, uint32_t offset, uint32_t width);
	void (*write)(void *context, uint32_t offset, uint32_t width, uint32_t value);
};

/*
 * A device behind these registers, for virtio_add_device, or NULL: nothing there (DeviceID 0),
 * not virtio, or no memory. `context` must outlive it. virtio_remove_device frees it.
 */
struct virtio_device *virtio_mmio_create(const struct virtio_mmio_io *io, void *context,
					 const char *name);

/* The device's interrupt: an irq_handler whose context is the struct virtio_device. */
void virtio_mmio_interrupt(void *device);

/*
 * Finds the machine's devices and adds them to the bus. Boot. Returns how many there are.
 *
 * Names follow the order of QEMU's -device options: the first goes to the slot with the highest
 * address (tried with QEMU 7.2: slot 31 at 0xa003e00, then 30, ...), so slots are visited
 * downwards.
 */
uint32_t virtio_mmio_discover(struct virtio_bus *bus);

#endif
