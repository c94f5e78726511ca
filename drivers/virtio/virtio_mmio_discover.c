/* Finds the machine's virtio-mmio slots in the device tree. */
#include "drivers/virtio/virtio_mmio.h"

#include "kernel/devicetree.h"
#include "kernel/irq.h"
#include "kernel/printk.h"
#include "kernel/string.h"

#define SLOTS_MAX 64 /* QEMU's virt machine has 32 */

struct slot {
	uint64_t base, size;
	uint32_t irq;
	enum irq_trigger trigger;
};

struct slots {
	struct slot slot[SLOTS_MAX];
	uint32_t count;
};

static uint32_t register_read(void *registers, uint32_t offset, uint32_t width)
{
	volatile uint8_t *at = (volatile uint8_t *)registers + offset;

	if (width == 1)
		return *at;
	if (width == 2)
		return *(volatile uint16_t *)at;
	return *(volatile uint32_t *)at;
}

/* Memory that the device is to see is written before the register that tells it so. */
static void register_write(void *registers, uint32_t offset, uint32_t width, uint32_t value)
{
	volatile uint8_t *at = (volatile uint8_t *)registers + offset;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (width == 1)
		*at = (uint8_t)value;
	else if (width == 2)
		*(volatile uint16_t *)at = (uint16_t)value;
	else
		*(volatile uint32_t *)at = value;
}

static const struct virtio_mmio_io register_io = {
	.read = register_read,
	.write = register_write,
};

static void note_slot(const struct dt_device *device, void *context)
{
	struct slots *slots = context;

	if (device->reg_count == 0 || device->irq_count == 0 || slots->count == SLOTS_MAX)
		return;
	slots->slot[slots->count++] = (struct slot){
		.base = device->reg_base[0],
		.size = device->reg_size[0],
		.irq = device->irq[0],
		.trigger = device->irq_trigger[0],
	};
}

static bool add_slot(struct virtio_bus *bus, const struct slot *slot)
{
	char name[32];
	void *registers = (void *)(uintptr_t)device_map(slot->base, slot->size);

	if (!registers)
		return false;
	snprintf(name, sizeof(name), "virtio-mmio %llx", (unsigned long long)slot->base);
	struct virtio_device *device = virtio_mmio_create(&register_io, registers, name);

	if (!device)
		return false;
	if (irq_register(slot->irq, slot->trigger, virtio_mmio_interrupt, device) != 0) {
		printk("virtio: %s: interrupt %u cannot be had\n", name, slot->irq);
		device->transport->release(device);
		return false;
	}
	virtio_add_device(bus, device);
	return true;
}

uint32_t virtio_mmio_discover(struct virtio_bus *bus)
{
	struct slots slots = {.count = 0};
	uint32_t added = 0;

	/* Ascending addresses come in, descending ones go out: see virtio_mmio.h. */
	dt_for_each("virtio,mmio", note_slot, &slots);
	for (uint32_t i = slots.count; i > 0; i--)
		added += add_slot(bus, &slots.slot[i - 1]);
	return added;
}
