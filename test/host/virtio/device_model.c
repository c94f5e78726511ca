/*
 * The model's registers, status, configuration and interrupts. Section numbers are VIRTIO 1.2's.
 */
#include "test/host/virtio/device_model.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void model_init(struct virtio_model *model, const struct model_options *options,
		const struct model_events *events)
{
	memset(model, 0, sizeof(*model));
	model->options = *options;
	model->events = *events;
	memcpy(model->config.mac, options->mac, sizeof(model->config.mac));
	model->config.status = options->link_up ? VIRTIO_NET_S_LINK_UP : 0;
	model->config.max_virtqueue_pairs = 1;
	model->config.mtu = options->mtu;
}

void model_violation(struct virtio_model *model, const char *format, ...)
{
	va_list args;

	if (model->violations++ > 0)
		return;
	va_start(args, format);
	vsnprintf(model->violation, sizeof(model->violation), format, args);
	va_end(args);
}

bool model_has(const struct virtio_model *model, uint64_t feature)
{
	return (model->driver_features & feature) != 0;
}

bool model_running(const struct virtio_model *model)
{
	return (model->status & VIRTIO_STATUS_DRIVER_OK) &&
	       !(model->status & VIRTIO_STATUS_NEEDS_RESET);
}

void *model_memory(struct virtio_model *model, uint64_t address, uint64_t length)
{
	if (model->events.memory)
		return model->events.memory(model->events.context, address, length);
	return (void *)(uintptr_t)address;
}

void model_interrupt(struct virtio_model *model, uint32_t causes)
{
	model->interrupt_status |= causes;
	if (model->events.interrupt)
		model->events.interrupt(model->events.context);
}

static void config_changed(struct virtio_model *model)
{
	model->config_generation++;
	if (model_running(model))
		model_interrupt(model, VIRTIO_INTERRUPT_CONFIG);
}

void model_set_link(struct virtio_model *model, bool up)
{
	model->config.status = up ? VIRTIO_NET_S_LINK_UP : 0;
	config_changed(model);
}

void model_set_mtu(struct virtio_model *model, uint16_t mtu)
{
	model->config.mtu = mtu;
	config_changed(model);
}

void model_needs_reset(struct virtio_model *model)
{
	bool was_running = model_running(model);

	model->status |= VIRTIO_STATUS_NEEDS_RESET;
	if (was_running)
		model_interrupt(model, VIRTIO_INTERRUPT_CONFIG);
}

static void driver_changed(struct virtio_model *model, bool ready)
{
	if (model->events.driver_changed)
		model->events.driver_changed(model->events.context, ready);
}

static void reset(struct virtio_model *model)
{
	model->status = 0;
	model->interrupt_status = 0;
	model->driver_features = 0;
	model->device_features_sel = model->driver_features_sel = 0;
	model->queue_sel = 0;
	memset(model->queues, 0, sizeof(model->queues));
	model->filter_set = model->promiscuous = model->all_multicast = false;
	model->unicast_count = model->multicast_count = 0;
	model->resets++;
	driver_changed(model, false);
}

/* 5.1.3.1: a feature, and one of those without which it may not be accepted. */
static const struct {
	uint64_t feature, needs;
} requirements[] = {
	{VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_CSUM},
	{VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_GUEST_CSUM},
	{VIRTIO_NET_F_GUEST_ECN, VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6},
	{VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_CSUM},
	{VIRTIO_NET_F_HOST_TSO6, VIRTIO_NET_F_CSUM},
	{VIRTIO_NET_F_HOST_ECN, VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6},
	{VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_F_CTRL_VQ},
};

static void check_requirements(struct virtio_model *model)
{
	for (size_t i = 0; i < sizeof(requirements) / sizeof(requirements[0]); i++)
		if (model_has(model, requirements[i].feature) &&
		    !model_has(model, requirements[i].needs))
			model_violation(model, "feature %#llx accepted without any of %#llx",
					(unsigned long long)requirements[i].feature,
					(unsigned long long)requirements[i].needs);
}

/* 3.1.1: the steps in their order. */
static void write_status(struct virtio_model *model, uint8_t status)
{
	uint8_t added = status & (uint8_t)~model->status;

	if (status == 0) {
		reset(model);
		model->status = model->refuse_reset ? VIRTIO_STATUS_ACKNOWLEDGE : 0;
		return;
	}
	if (model->status & (uint8_t)~status)
		model_violation(model, "status bits cleared: %#x to %#x", model->status, status);
	if ((added & VIRTIO_STATUS_DRIVER) && !(status & VIRTIO_STATUS_ACKNOWLEDGE))
		model_violation(model, "DRIVER before ACKNOWLEDGE");
	if ((added & VIRTIO_STATUS_FEATURES_OK) && model->options.legacy)
		model_violation(model, "FEATURES_OK on a legacy device");
	if ((added & VIRTIO_STATUS_FEATURES_OK) && model->refuse_features)
		status &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
	if ((added & VIRTIO_STATUS_DRIVER_OK) && !model->options.legacy &&
	    !(status & VIRTIO_STATUS_FEATURES_OK))
		model_violation(model, "DRIVER_OK without FEATURES_OK");
	model->status = status;
	if (!(added & VIRTIO_STATUS_DRIVER_OK))
		return;
	check_requirements(model);
	driver_changed(model, true);
}

static void write_features(struct virtio_model *model, uint32_t value)
{
	uint32_t shift = model->driver_features_sel ? 32 : 0;

	if (model->driver_features_sel > 1)
		return;
	if (!(model->status & VIRTIO_STATUS_DRIVER))
		model_violation(model, "features before DRIVER");
	if (model->status & (VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK))
		model_violation(model, "features after they were settled");
	model->driver_features &= ~((uint64_t)UINT32_MAX << shift);
	model->driver_features |= (uint64_t)value << shift;
	if (model->driver_features & ~model->options.features)
		model_violation(model, "features accepted that were not offered: %#llx",
				(unsigned long long)model->driver_features);
}

static uint32_t read_features(const struct virtio_model *model)
{
	if (model->device_features_sel > 1)
		return 0;
	return (uint32_t)(model->options.features >> (model->device_features_sel ? 32 : 0));
}

static struct model_queue *selected(struct virtio_model *model)
{
	uint32_t queues = model->options.features & VIRTIO_NET_F_CTRL_VQ ? 3 : 2;

	return model->queue_sel < queues ? &model->queues[model->queue_sel] : NULL;
}

/* 2.7.2: the parts of a legacy queue follow from its page and size. */
static void place_legacy_queue(struct virtio_model *model, struct model_queue *queue)
{
	uint64_t address = (uint64_t)queue->page_number * model->page_size;
	uint64_t align = queue->alignment ? queue->alignment : 4096;

	queue->descriptors = address | model->options.legacy_address_base;
	queue->available = queue->descriptors + 16ull * queue->size;
	queue->used = (queue->available + 6 + 2ull * queue->size + align - 1) & ~(align - 1);
	queue->ready = queue->page_number != 0;
}

static void check_queue(struct virtio_model *model, const struct model_queue *queue)
{
	if (queue->size == 0 || queue->size > model->options.queue_size ||
	    (queue->size & (queue->size - 1)) != 0)
		model_violation(model, "queue of %u entries", queue->size);
	if (queue->descriptors % 16 || queue->available % 2 || queue->used % 4)
		model_violation(model, "queue that is not aligned");
	if (!(model->status & VIRTIO_STATUS_DRIVER) || model->status & VIRTIO_STATUS_DRIVER_OK)
		model_violation(model, "queue set up at status %#x", model->status);
}

static void set_half(uint64_t *address, bool high, uint32_t value)
{
	uint32_t shift = high ? 32 : 0;

	*address &= ~((uint64_t)UINT32_MAX << shift);
	*address |= (uint64_t)value << shift;
}

static void write_queue_modern(struct virtio_model *model, struct model_queue *queue,
			       uint32_t offset, uint32_t value)
{
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
		set_half(&queue->descriptors, offset == VIRTIO_MMIO_QUEUE_DESC_HIGH, value);
		break;
	case VIRTIO_MMIO_QUEUE_DRIVER_LOW:
	case VIRTIO_MMIO_QUEUE_DRIVER_HIGH:
		set_half(&queue->available, offset == VIRTIO_MMIO_QUEUE_DRIVER_HIGH, value);
		break;
	case VIRTIO_MMIO_QUEUE_DEVICE_LOW:
	case VIRTIO_MMIO_QUEUE_DEVICE_HIGH:
		set_half(&queue->used, offset == VIRTIO_MMIO_QUEUE_DEVICE_HIGH, value);
		break;
	case VIRTIO_MMIO_QUEUE_READY:
		queue->ready = value & 1;
		if (queue->ready)
			check_queue(model, queue);
		break;
	default:
		model_violation(model, "write to register %#x", offset);
	}
}

static void write_queue_legacy(struct virtio_model *model, struct model_queue *queue,
			       uint32_t offset, uint32_t value)
{
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_ALIGN:
		queue->alignment = value;
		break;
	case VIRTIO_MMIO_QUEUE_PFN:
		if (model->page_size == 0)
			model_violation(model, "queue page before the page size");
		queue->page_number = value;
		place_legacy_queue(model, queue);
		if (queue->ready)
			check_queue(model, queue);
		break;
	default:
		model_violation(model, "write to register %#x", offset);
	}
}

static void write_queue(struct virtio_model *model, uint32_t offset, uint32_t value)
{
	struct model_queue *queue = selected(model);

	if (!queue)
		model_violation(model, "write to queue %u", model->queue_sel);
	else if (offset == VIRTIO_MMIO_QUEUE_NUM)
		queue->size = value;
	else if (model->options.legacy)
		write_queue_legacy(model, queue, offset, value);
	else
		write_queue_modern(model, queue, offset, value);
}

static void notify(struct virtio_model *model, uint32_t index)
{
	if (!(model->status & VIRTIO_STATUS_DRIVER_OK)) {
		model_violation(model, "notification before DRIVER_OK");
		return;
	}
	if (index >= MODEL_QUEUES || !model->queues[index].ready) {
		model_violation(model, "notification of queue %u", index);
		return;
	}
	model->queues[index].notifications++;
	if (model->events.notified &&
	    !model->events.notified(model->events.context, (uint16_t)index))
		return;
	model_serve(model, (uint16_t)index);
}

static uint32_t read_config(struct virtio_model *model, uint32_t offset, uint32_t width)
{
	uint32_t value = 0;

	if (model->unsettled_config)
		model->config_generation++;
	if (offset % width || offset + width > sizeof(model->config))
		model_violation(model, "configuration read at %u, width %u", offset, width);
	else
		memcpy(&value, (uint8_t *)&model->config + offset, width);
	return value;
}

/* 5.1.4: read-only, but for the address of a device that has no control queue: a legacy one. */
static void write_config(struct virtio_model *model, uint32_t offset, uint32_t width,
			 uint32_t value)
{
	if (!model->options.legacy || offset % width || offset + width > sizeof(model->config.mac))
		model_violation(model, "configuration written at %u, width %u", offset, width);
	else
		memcpy((uint8_t *)&model->config + offset, &value, width);
}

uint32_t model_read(void *context, uint32_t offset, uint32_t width)
{
	struct virtio_model *model = context;
	const struct model_queue *queue = selected(model);
	bool legacy = model->options.legacy;

	if (offset >= VIRTIO_MMIO_CONFIG)
		return read_config(model, offset - VIRTIO_MMIO_CONFIG, width);
	if (width != 4)
		model_violation(model, "register %#x read with width %u", offset, width);
	switch (offset) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return VIRTIO_MMIO_MAGIC;
	case VIRTIO_MMIO_VERSION:
		return legacy ? 1 : 2;
	case VIRTIO_MMIO_DEVICE_ID:
		return model->options.device_id;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return read_features(model);
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
		return queue ? model->options.queue_size : 0;
	case VIRTIO_MMIO_QUEUE_PFN:
		return legacy && queue ? queue->page_number + model->queues_in_use : 0;
	case VIRTIO_MMIO_QUEUE_READY:
		return !legacy && queue && (queue->ready || model->queues_in_use);
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		return model->interrupt_status;
	case VIRTIO_MMIO_STATUS:
		return model->status;
	case VIRTIO_MMIO_CONFIG_GENERATION:
		return model->config_generation;
	default:
		model_violation(model, "read of register %#x", offset);
		return 0;
	}
}

void model_write(void *context, uint32_t offset, uint32_t width, uint32_t value)
{
	struct virtio_model *model = context;

	if (offset >= VIRTIO_MMIO_CONFIG) {
		write_config(model, offset - VIRTIO_MMIO_CONFIG, width, value);
		return;
	}
	if (width != 4)
		model_violation(model, "register %#x written with width %u", offset, width);
	switch (offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		model->device_features_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		model->driver_features_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		write_features(model, value);
		break;
	case VIRTIO_MMIO_GUEST_PAGE_SIZE:
		model->page_size = value;
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
		model->queue_sel = value;
		break;
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		notify(model, value);
		break;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		model->interrupt_status &= ~value;
		break;
	case VIRTIO_MMIO_STATUS:
		write_status(model, (uint8_t)value);
		break;
	default:
		write_queue(model, offset, value);
	}
}
