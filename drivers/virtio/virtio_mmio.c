/* The MMIO transport's registers. See virtio_mmio.h. */
#include "drivers/virtio/virtio_mmio.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"

/*
 * Each pass serves what came while the last was acknowledged; a device that never rests is left.
 */
#define INTERRUPT_PASSES 4

struct virtio_mmio {
	struct virtio_device device;
	const struct virtio_mmio_io *io;
	void *context;
	char name[32];
};

static struct virtio_mmio *mmio_of(struct virtio_device *device)
{
	return container_of(device, struct virtio_mmio, device);
}

static uint32_t read_register(struct virtio_mmio *mmio, uint32_t offset)
{
	return mmio->io->read(mmio->context, offset, 4);
}

static void write_register(struct virtio_mmio *mmio, uint32_t offset, uint32_t value)
{
	mmio->io->write(mmio->context, offset, 4, value);
}

static void write_address(struct virtio_mmio *mmio, uint32_t low_offset, uint64_t address)
{
	write_register(mmio, low_offset, (uint32_t)address);
	write_register(mmio, low_offset + 4, (uint32_t)(address >> 32));
}

static uint8_t mmio_status(struct virtio_device *device)
{
	return (uint8_t)read_register(mmio_of(device), VIRTIO_MMIO_STATUS);
}

static void mmio_set_status(struct virtio_device *device, uint8_t status)
{
	write_register(mmio_of(device), VIRTIO_MMIO_STATUS, status);
}

static uint64_t mmio_device_features(struct virtio_device *device)
{
	struct virtio_mmio *mmio = mmio_of(device);

	write_register(mmio, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	uint64_t features = read_register(mmio, VIRTIO_MMIO_DEVICE_FEATURES);

	if (device->legacy)
		return features;
	write_register(mmio, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	return features | (uint64_t)read_register(mmio, VIRTIO_MMIO_DEVICE_FEATURES) << 32;
}

static void mmio_set_driver_features(struct virtio_device *device, uint64_t features)
{
	struct virtio_mmio *mmio = mmio_of(device);

	write_register(mmio, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	write_register(mmio, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)features);
	if (device->legacy)
		return;
	write_register(mmio, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	write_register(mmio, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(features >> 32));
}

static uint32_t mmio_config_read(struct virtio_device *device, uint32_t offset, uint32_t width)
{
	struct virtio_mmio *mmio = mmio_of(device);

	return mmio->io->read(mmio->context, VIRTIO_MMIO_CONFIG + offset, width);
}

/* The legacy layout has no generation: 2.5.4 leaves a driver to hope. */
static uint32_t mmio_config_generation(struct virtio_device *device)
{
	if (device->legacy)
		return 0;
	return read_register(mmio_of(device), VIRTIO_MMIO_CONFIG_GENERATION);
}

static uint32_t mmio_queue_size(struct virtio_device *device, uint16_t index)
{
	struct virtio_mmio *mmio = mmio_of(device);

	write_register(mmio, VIRTIO_MMIO_QUEUE_SEL, index);
	return read_register(mmio, VIRTIO_MMIO_QUEUE_NUM_MAX);
}

/*
 * 4.2.4: the three parts lie in one block whose layout follows from the size and the alignment;
 * the device is told its page number, 32 bits, which reach 2^44 bytes: more than the kernel's
 * linear map has.
 */
static int start_queue_legacy(struct virtio_mmio *mmio, const struct virtqueue_layout *layout)
{
	if (read_register(mmio, VIRTIO_MMIO_QUEUE_PFN) != 0)
		return -EBUSY;
	write_register(mmio, VIRTIO_MMIO_GUEST_PAGE_SIZE, PAGE_SIZE);
	write_register(mmio, VIRTIO_MMIO_QUEUE_NUM, layout->size);
	write_register(mmio, VIRTIO_MMIO_QUEUE_ALIGN, PAGE_SIZE);
	write_register(mmio, VIRTIO_MMIO_QUEUE_PFN, (uint32_t)(layout->descriptors >> PAGE_SHIFT));
	return 0;
}

static int start_queue_modern(struct virtio_mmio *mmio, const struct virtqueue_layout *layout)
{
	if (read_register(mmio, VIRTIO_MMIO_QUEUE_READY) != 0)
		return -EBUSY;
	write_register(mmio, VIRTIO_MMIO_QUEUE_NUM, layout->size);
	write_address(mmio, VIRTIO_MMIO_QUEUE_DESC_LOW, layout->descriptors);
	write_address(mmio, VIRTIO_MMIO_QUEUE_DRIVER_LOW, layout->available);
	write_address(mmio, VIRTIO_MMIO_QUEUE_DEVICE_LOW, layout->used);
	write_register(mmio, VIRTIO_MMIO_QUEUE_READY, 1);
	return 0;
}

static int mmio_queue_start(struct virtio_device *device, uint16_t index,
			    const struct virtqueue_layout *layout)
{
	struct virtio_mmio *mmio = mmio_of(device);

	write_register(mmio, VIRTIO_MMIO_QUEUE_SEL, index);
	return device->legacy ? start_queue_legacy(mmio, layout) : start_queue_modern(mmio, layout);
}

static void mmio_notify(struct virtio_device *device, uint16_t index)
{
	write_register(mmio_of(device), VIRTIO_MMIO_QUEUE_NOTIFY, index);
}

static void mmio_release(struct virtio_device *device)
{
	kfree(mmio_of(device));
}

static const struct virtio_transport_ops mmio_transport = {
	.status = mmio_status,
	.set_status = mmio_set_status,
	.device_features = mmio_device_features,
	.set_driver_features = mmio_set_driver_features,
	.config_read = mmio_config_read,
	.config_generation = mmio_config_generation,
	.queue_size = mmio_queue_size,
	.queue_start = mmio_queue_start,
	.notify = mmio_notify,
	.release = mmio_release,
};

struct virtio_device *virtio_mmio_create(const struct virtio_mmio_io *io, void *context,
					 const char *name)
{
	if (io->read(context, VIRTIO_MMIO_MAGIC_VALUE, 4) != VIRTIO_MMIO_MAGIC)
		return NULL;
	uint32_t version = io->read(context, VIRTIO_MMIO_VERSION, 4);
	uint32_t device_id = io->read(context, VIRTIO_MMIO_DEVICE_ID, 4);

	if (device_id == 0 || version < 1 || version > 2)
		return NULL;
	struct virtio_mmio *mmio = kzalloc(sizeof(*mmio));

	if (!mmio)
		return NULL;
	mmio->io = io;
	mmio->context = context;
	strscpy(mmio->name, name, sizeof(mmio->name));
	mmio->device.transport = &mmio_transport;
	mmio->device.name = mmio->name;
	mmio->device.device_id = device_id;
	mmio->device.legacy = version == 1;
	return &mmio->device;
}

/*
 * The line may be edge-triggered: a cause that joins between the read and the acknowledgement
 * keeps it high without an edge, so look again until nothing is left.
 */
void virtio_mmio_interrupt(void *context)
{
	struct virtio_device *device = context;
	struct virtio_mmio *mmio = mmio_of(device);
	uint32_t causes = 0;

	for (uint32_t i = 0; i < INTERRUPT_PASSES; i++) {
		uint32_t status = read_register(mmio, VIRTIO_MMIO_INTERRUPT_STATUS);

		if (status == 0)
			break;
		write_register(mmio, VIRTIO_MMIO_INTERRUPT_ACK, status);
		causes |= status;
	}
	causes &= VIRTIO_INTERRUPT_QUEUE | VIRTIO_INTERRUPT_CONFIG;
	if (causes && device->interrupt)
		device->interrupt(device, causes);
}
