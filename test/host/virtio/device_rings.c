/* Split virtqueues from the device's side (VIRTIO 1.2 section 2.7). */
#include "test/host/virtio/device_model.h"

static uint16_t load(const uint16_t *from)
{
	return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

static void store(uint16_t *to, uint16_t value)
{
	__atomic_store_n(to, value, __ATOMIC_SEQ_CST);
}

static struct vring_avail *available_ring(struct virtio_model *model,
					  const struct model_queue *queue)
{
	return model_memory(model, queue->available, 6 + 2ull * queue->size);
}

static struct vring_used *used_ring(struct virtio_model *model, const struct model_queue *queue)
{
	return model_memory(model, queue->used, 6 + 8ull * queue->size);
}

/* After each ring, the word by which the other side asks for a signal: 2.7.7, 2.7.10. */
static uint16_t *used_event(struct vring_avail *ring, const struct model_queue *queue)
{
	return &ring->ring[queue->size];
}

static uint16_t *avail_event(struct vring_used *ring, const struct model_queue *queue)
{
	return (uint16_t *)&ring->ring[queue->size];
}

struct model_queue *model_ready_queue(struct virtio_model *model, uint16_t index)
{
	struct model_queue *queue = &model->queues[index];

	if (!model_running(model) || !queue->ready)
		return NULL;
	if (!available_ring(model, queue) || !used_ring(model, queue))
		return NULL;
	return queue;
}

uint32_t model_available(struct virtio_model *model, uint16_t index)
{
	struct model_queue *queue = model_ready_queue(model, index);

	if (!queue)
		return 0;
	struct vring_avail *ring = available_ring(model, queue);
	uint16_t count = (uint16_t)(load(&ring->index) - queue->next_available);

	if (count <= queue->size)
		return count;
	model_violation(model, "available index of queue %u jumped by %u", index, count);
	model_needs_reset(model);
	return 0;
}

/* Appends one descriptor's bytes. False when they break a rule. */
static bool add_segment(struct virtio_model *model, struct model_chain *chain,
			const struct vring_desc *descriptor)
{
	bool writable = descriptor->flags & VRING_DESC_F_WRITE;

	if (chain->count == MODEL_CHAIN_MAX || descriptor->length == 0) {
		model_violation(model, "chain with %u segments, one of length %u", chain->count,
				descriptor->length);
		return false;
	}
	if (!writable && chain->writable > 0) {
		model_violation(model, "readable segment after a writable one");
		return false;
	}
	uint8_t *bytes = model_memory(model, descriptor->address, descriptor->length);

	if (!bytes) {
		model_violation(model, "segment outside of memory");
		return false;
	}
	chain->segments[chain->count++] = (struct model_segment){bytes, descriptor->length,
								 writable};
	if (writable)
		chain->writable += descriptor->length;
	else
		chain->readable += descriptor->length;
	return true;
}

/* Follows a chain through a table of `size` descriptors. */
static bool follow(struct virtio_model *model, struct model_chain *chain,
		   const struct vring_desc *table, uint32_t size, uint32_t at)
{
	for (uint32_t steps = 0; steps < size; steps++) {
		if (at >= size) {
			model_violation(model, "descriptor %u of %u", at, size);
			return false;
		}
		if (!add_segment(model, chain, &table[at]))
			return false;
		if (!(table[at].flags & VRING_DESC_F_NEXT))
			return true;
		at = table[at].next;
	}
	model_violation(model, "chain without an end");
	return false;
}

/* 2.7.5.3 */
static bool follow_indirect(struct virtio_model *model, struct model_chain *chain,
			    const struct vring_desc *descriptor)
{
	uint32_t count = descriptor->length / (uint32_t)sizeof(*descriptor);

	if (!model_has(model, VIRTIO_F_INDIRECT_DESC) || (descriptor->flags & VRING_DESC_F_NEXT) ||
	    descriptor->length % sizeof(*descriptor) || count == 0) {
		model_violation(model, "indirect descriptor: flags %#x length %u",
				descriptor->flags, descriptor->length);
		return false;
	}
	const struct vring_desc *table = model_memory(model, descriptor->address,
						      descriptor->length);

	return table && follow(model, chain, table, count, 0);
}

static bool read_chain(struct virtio_model *model, const struct model_queue *queue,
		       struct model_chain *chain)
{
	const struct vring_desc *table = model_memory(model, queue->descriptors,
						      16ull * queue->size);

	if (!table)
		return false;
	if (chain->head >= queue->size) {
		model_violation(model, "chain at descriptor %u", chain->head);
		return false;
	}
	if (table[chain->head].flags & VRING_DESC_F_INDIRECT)
		return follow_indirect(model, chain, &table[chain->head]);
	return follow(model, chain, table, queue->size, chain->head);
}

/* Asks to be notified of the next chain, or not to be. */
static void ask_for_notification(struct virtio_model *model, struct model_queue *queue)
{
	struct vring_used *used = used_ring(model, queue);

	if (!model_has(model, VIRTIO_F_EVENT_IDX))
		store(&used->flags, model->hold_notifications ? VRING_USED_F_NO_NOTIFY : 0);
	else
		store(avail_event(used, queue),
		      (uint16_t)(queue->next_available + (model->hold_notifications ? 0x8000 : 0)));
}

bool model_take(struct virtio_model *model, uint16_t index, struct model_chain *chain)
{
	struct model_queue *queue = model_ready_queue(model, index);

	if (!queue)
		return false;
	/* 2.7.10: ask first and look afterwards, or the chain in between goes unnoticed. */
	ask_for_notification(model, queue);
	if (model_available(model, index) == 0)
		return false;
	struct vring_avail *ring = available_ring(model, queue);

	*chain = (struct model_chain){.head = ring->ring[queue->next_available % queue->size]};
	if (!read_chain(model, queue, chain)) {
		model_needs_reset(model);
		return false;
	}
	queue->next_available++;
	ask_for_notification(model, queue);
	return true;
}

void model_untake(struct virtio_model *model, uint16_t index)
{
	model->queues[index].next_available--;
}

void model_put_used(struct virtio_model *model, uint16_t index, uint32_t id, uint32_t length)
{
	struct model_queue *queue = &model->queues[index];
	struct vring_used *ring = used_ring(model, queue);

	ring->ring[queue->used_index % queue->size] = (struct vring_used_element){id, length};
	queue->used_index++;
}

static bool driver_wants_interrupt(struct virtio_model *model, const struct model_queue *queue,
				   uint16_t before)
{
	struct vring_avail *ring = available_ring(model, queue);
	uint16_t flags = load(&ring->flags);

	if (!model_has(model, VIRTIO_F_EVENT_IDX))
		return !(flags & VRING_AVAIL_F_NO_INTERRUPT);
	if (flags)
		model_violation(model, "available flags %#x together with EVENT_IDX", flags);
	return vring_event_passed(load(used_event(ring, queue)), queue->used_index, before);
}

void model_publish_used(struct virtio_model *model, uint16_t index)
{
	struct model_queue *queue = model_ready_queue(model, index);

	if (!queue)
		return;
	struct vring_used *ring = used_ring(model, queue);
	uint16_t before = ring->index;

	if (before == queue->used_index)
		return;
	store(&ring->index, queue->used_index);
	if (!driver_wants_interrupt(model, queue, before)) {
		queue->interrupts_suppressed++;
		return;
	}
	queue->interrupts++;
	model_interrupt(model, VIRTIO_INTERRUPT_QUEUE);
}

void model_lie_used_index(struct virtio_model *model, uint16_t index, uint16_t value)
{
	struct model_queue *queue = &model->queues[index];

	queue->used_index = value;
	store(&used_ring(model, queue)->index, value);
	model_interrupt(model, VIRTIO_INTERRUPT_QUEUE);
}
