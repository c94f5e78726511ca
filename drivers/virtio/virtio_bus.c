/*
 * The bus: drivers meet devices. And the steps of VIRTIO 1.2 section 3.1 that every driver takes.
 */
#include "drivers/virtio/virtio.h"

#include "kernel/errno.h"
#include "kernel/printk.h"
#include "kernel/string.h"

/* Bounds on a device that never settles. */
#define RESET_POLLS 1000
#define CONFIG_TRIES 8

void virtio_bus_init(struct virtio_bus *bus)
{
	list_init(&bus->drivers);
	list_init(&bus->devices);
}

void virtio_bus_destroy(struct virtio_bus *bus)
{
	struct virtio_device *device, *following;

	list_for_each_entry_safe(device, following, &bus->devices, link)
		virtio_remove_device(device);
}

static void offer(struct virtio_driver *driver, struct virtio_device *device)
{
	if (device->driver || driver->device_id != device->device_id)
		return;
	device->driver = driver;
	int error = driver->probe(driver, device);

	if (!error)
		return;
	printk("virtio: %s does not start: error %d\n", device->name, -error);
	device->interrupt = NULL;
	device->driver = NULL;
	virtio_fail(device);
}

void virtio_register_driver(struct virtio_bus *bus, struct virtio_driver *driver)
{
	struct virtio_device *device;

	list_append(&bus->drivers, &driver->link);
	list_for_each_entry(device, &bus->devices, link)
		offer(driver, device);
}

void virtio_add_device(struct virtio_bus *bus, struct virtio_device *device)
{
	struct virtio_driver *driver;

	list_append(&bus->devices, &device->link);
	list_for_each_entry(driver, &bus->drivers, link)
		offer(driver, device);
}

void virtio_remove_device(struct virtio_device *device)
{
	list_remove(&device->link);
	if (device->driver)
		device->driver->remove(device);
	virtio_reset(device);
	device->transport->release(device);
}

static void add_status(struct virtio_device *device, uint8_t bit)
{
	device->transport->set_status(device, device->transport->status(device) | bit);
}

int virtio_start(struct virtio_device *device)
{
	virtio_reset(device);
	if (device->transport->status(device) != 0)
		return -EIO;
	add_status(device, VIRTIO_STATUS_ACKNOWLEDGE);
	add_status(device, VIRTIO_STATUS_DRIVER);
	return 0;
}

int virtio_negotiate(struct virtio_device *device, uint64_t wanted)
{
	uint64_t offered = device->transport->device_features(device);

	if (device->legacy) {
		/* 2.2.3: no FEATURES_OK, and 32 bits only. */
		device->features = offered & wanted & UINT32_MAX;
		device->transport->set_driver_features(device, device->features);
		return 0;
	}
	if (!(offered & VIRTIO_F_VERSION_1))
		return -EPROTO;
	device->features = offered & (wanted | VIRTIO_F_VERSION_1);
	device->transport->set_driver_features(device, device->features);
	add_status(device, VIRTIO_STATUS_FEATURES_OK);
	if (!(device->transport->status(device) & VIRTIO_STATUS_FEATURES_OK))
		return -EPROTO;
	return 0;
}

void virtio_ready(struct virtio_device *device)
{
	add_status(device, VIRTIO_STATUS_DRIVER_OK);
}

void virtio_fail(struct virtio_device *device)
{
	add_status(device, VIRTIO_STATUS_FAILED);
}

void virtio_reset(struct virtio_device *device)
{
	device->transport->set_status(device, 0);
	for (uint32_t i = 0; i < RESET_POLLS && device->transport->status(device) != 0; i++)
		;
}

bool virtio_needs_reset(struct virtio_device *device)
{
	return device->transport->status(device) & VIRTIO_STATUS_NEEDS_RESET;
}

static void config_read_once(struct virtio_device *device, uint32_t offset, uint32_t width,
			     void *to, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t value = device->transport->config_read(device, offset + i * width, width);

		memcpy((uint8_t *)to + i * width, &value, width);
	}
}

void virtio_config_read(struct virtio_device *device, uint32_t offset, uint32_t width, void *to,
			uint32_t count)
{
	for (uint32_t i = 0; i < CONFIG_TRIES; i++) {
		uint32_t before = device->transport->config_generation(device);

		config_read_once(device, offset, width, to, count);
		if (device->transport->config_generation(device) == before)
			return;
	}
}
