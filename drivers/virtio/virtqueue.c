/* Split virtqueues. See virtqueue.h; section numbers are VIRTIO 1.2's. */
#include "drivers/virtio/virtqueue.h"

#include "kernel/errno.h"
#include "kernel/machine.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/printk.h"
#include "kernel/string.h"

#define NO_DESCRIPTOR 0xffff

/*
 * Memory that the device reads or writes at the same time. Each access is made once; the order
 * between them is that of another processor's (2.7.13), on arm64 ldar, stlr and device_barrier().
 */
static uint16_t shared_read(const uint16_t *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

static uint16_t shared_read_acquire(const uint16_t *from)
{
	return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

static void shared_write(uint16_t *to, uint16_t value)
{
	__atomic_store_n(to, value, __ATOMIC_RELAXED);
}

static void shared_write_release(uint16_t *to, uint16_t value)
{
	__atomic_store_n(to, value, __ATOMIC_RELEASE);
}

/* 2.7.7: where we say at which used index we want an interrupt. */
static uint16_t *used_event(struct virtqueue *vq)
{
	return &vq->available_ring->ring[vq->size];
}

/* 2.7.10: where the device says at which available index it wants a notification. */
static const uint16_t *avail_event(const struct virtqueue *vq)
{
	return (const uint16_t *)&vq->used_ring->ring[vq->size];
}

/*
 * 2.7.2, and for the legacy interface the only layout there is: descriptors and available ring,
 * then, at the next page, the used ring; both rings with their event word.
 */
static size_t used_offset(uint16_t size)
{
	size_t available = sizeof(struct vring_avail) + sizeof(uint16_t) * ((size_t)size + 1);

	return ALIGN_UP(sizeof(struct vring_desc) * size + available, PAGE_SIZE);
}

static size_t ring_bytes(uint16_t size)
{
	return used_offset(size) + sizeof(struct vring_used) +
	       sizeof(struct vring_used_element) * size + sizeof(uint16_t);
}

static struct page *alloc_rings(uint16_t size)
{
	uint32_t order = 0;

	while ((PAGE_SIZE << order) < ring_bytes(size))
		order++;
	struct page *page = page_alloc_order(order);

	if (page)
		memset(page_address(page), 0, PAGE_SIZE << order);
	return page;
}

static void init_slots(struct virtqueue *vq)
{
	for (uint16_t i = 0; i < vq->size; i++)
		vq->slots[i].next = i + 1 < vq->size ? (uint16_t)(i + 1) : NO_DESCRIPTOR;
	vq->free = vq->size;
	vq->free_head = 0;
}

static struct virtqueue *alloc_queue(struct virtio_device *device, uint16_t index, uint16_t size)
{
	struct virtqueue *vq = kzalloc(sizeof(*vq) + sizeof(vq->slots[0]) * size);

	if (!vq)
		return NULL;
	vq->page = alloc_rings(size);
	if (!vq->page) {
		kfree(vq);
		return NULL;
	}
	void *base = page_address(vq->page);

	vq->descriptor_ring = base;
	vq->available_ring = (void *)(vq->descriptor_ring + size);
	vq->used_ring = (void *)((uint8_t *)base + used_offset(size));
	vq->device = device;
	vq->index = index;
	vq->size = size;
	vq->event_idx = virtio_has(device, VIRTIO_F_EVENT_IDX);
	vq->indirect = virtio_has(device, VIRTIO_F_INDIRECT_DESC);
	init_slots(vq);
	return vq;
}

int virtqueue_create(struct virtio_device *device, uint16_t index, struct virtqueue **result)
{
	uint32_t offered = device->transport->queue_size(device, index);

	if (offered == 0)
		return -ENOENT;
	if ((offered & (offered - 1)) != 0) {
		printk("virtio: %s: queue %u has %u entries, no power of two\n", device->name,
		       index, offered);
		return -EINVAL;
	}
	struct virtqueue *vq = alloc_queue(device, index, MIN(offered, VIRTQUEUE_SIZE_MAX));

	if (!vq)
		return -ENOMEM;
	struct virtqueue_layout layout = {
		.size = vq->size,
		.descriptors = virt_to_phys(vq->descriptor_ring),
		.available = virt_to_phys(vq->available_ring),
		.used = virt_to_phys(vq->used_ring),
	};
	int error = device->transport->queue_start(device, index, &layout);

	if (error) {
		virtqueue_destroy(vq);
		return error;
	}
	*result = vq;
	return 0;
}

void virtqueue_destroy(struct virtqueue *vq)
{
	if (!vq)
		return;
	assert_always(vq->in_flight == 0);
	for (uint16_t i = 0; i < vq->size; i++)
		kfree(vq->slots[i].table);
	page_put(vq->page);
	kfree(vq);
}

void virtqueue_break(struct virtqueue *vq, const char *why, uint32_t value)
{
	if (vq->broken)
		return;
	vq->broken = true;
	printk("virtio: %s: queue %u broken: %s %u\n", vq->device->name, vq->index, why, value);
}

static uint16_t take_descriptor(struct virtqueue *vq)
{
	uint16_t i = vq->free_head;

	vq->free_head = vq->slots[i].next;
	vq->free--;
	return i;
}

/* Gives the whole chain that begins at `head` back to the free list. */
static void free_chain(struct virtqueue *vq, uint16_t head)
{
	struct virtqueue_slot *first = &vq->slots[head];
	uint16_t last = head;

	for (uint16_t n = 1; n < first->descriptors; n++)
		last = vq->slots[last].next;
	vq->slots[last].next = vq->free_head;
	vq->free_head = head;
	vq->free += first->descriptors;
	vq->in_flight--;
	first->token = NULL;
}

static struct vring_desc describe(const struct virtqueue_segment *segment, bool writable)
{
	return (struct vring_desc){
		.address = segment->address,
		.length = segment->length,
		.flags = writable ? VRING_DESC_F_WRITE : 0,
	};
}

/* One descriptor for each segment. Returns the first. */
static uint16_t add_direct(struct virtqueue *vq, const struct virtqueue_segment *segments,
			   uint32_t readable, uint32_t count)
{
	uint16_t head = vq->free_head;

	for (uint32_t i = 0; i < count; i++) {
		struct vring_desc descriptor = describe(&segments[i], i >= readable);
		uint16_t at = take_descriptor(vq);

		if (i + 1 < count) {
			descriptor.flags |= VRING_DESC_F_NEXT;
			descriptor.next = vq->slots[at].next;
		}
		vq->descriptor_ring[at] = descriptor;
	}
	vq->slots[head].descriptors = (uint16_t)count;
	return head;
}

/* 2.7.5.3: one descriptor that points to a table of them. */
static uint16_t add_indirect(struct virtqueue *vq, const struct virtqueue_segment *segments,
			     uint32_t readable, uint32_t count)
{
	uint16_t head = take_descriptor(vq);
	struct vring_desc *table = vq->slots[head].table;

	for (uint32_t i = 0; i < count; i++) {
		table[i] = describe(&segments[i], i >= readable);
		if (i + 1 < count) {
			table[i].flags |= VRING_DESC_F_NEXT;
			table[i].next = (uint16_t)(i + 1);
		}
	}
	vq->descriptor_ring[head] = (struct vring_desc){
		.address = virt_to_phys(table),
		.length = count * (uint32_t)sizeof(table[0]),
		.flags = VRING_DESC_F_INDIRECT,
	};
	vq->slots[head].descriptors = 1;
	return head;
}

/*
 * True when a chain that is to begin at the free list's head may be indirect: there is a table
 * for it.
 */
static bool have_table(struct virtqueue *vq)
{
	if (!vq->indirect || vq->free == 0)
		return false;
	struct virtqueue_slot *slot = &vq->slots[vq->free_head];

	if (!slot->table)
		slot->table = kmalloc(sizeof(slot->table[0]) * VIRTQUEUE_SEGMENTS_MAX);
	return slot->table;
}

int virtqueue_add(struct virtqueue *vq, const struct virtqueue_segment *segments, uint32_t readable,
		  uint32_t writable, void *token)
{
	uint32_t count = readable + writable;
	bool indirect = count > 1 && have_table(vq);

	assert_always(token && count > 0 && count <= VIRTQUEUE_SEGMENTS_MAX);
	if (vq->broken)
		return -EIO;
	if (vq->free < (indirect ? 1 : count))
		return -ENOSPC;
	uint16_t head = indirect ? add_indirect(vq, segments, readable, count)
				 : add_direct(vq, segments, readable, count);
	struct virtqueue_slot *slot = &vq->slots[head];

	slot->token = token;
	slot->writable = 0;
	for (uint32_t i = readable; i < count; i++)
		slot->writable += segments[i].length;
	shared_write(&vq->available_ring->ring[vq->available & (vq->size - 1)], head);
	vq->available++;
	vq->in_flight++;
	return 0;
}

bool virtqueue_can_hold(const struct virtqueue *vq, uint32_t segments)
{
	return segments <= VIRTQUEUE_SEGMENTS_MAX && segments <= vq->size;
}

void virtqueue_publish(struct virtqueue *vq)
{
	if (vq->broken || vq->published == vq->available)
		return;
	vq->published = vq->available;
	/* 2.7.13.3: the chains and the ring's entries before the index. */
	shared_write_release(&vq->available_ring->index, vq->published);
}

/* Does the device want to hear that the index went from `before` to what it is now? */
static bool wants_notification(const struct virtqueue *vq, uint16_t before)
{
	if (vq->event_idx)
		return vring_event_passed(shared_read(avail_event(vq)), vq->published, before);
	return !(shared_read(&vq->used_ring->flags) & VRING_USED_F_NO_NOTIFY);
}

void virtqueue_kick(struct virtqueue *vq)
{
	uint16_t before = vq->announced;

	virtqueue_publish(vq);
	if (vq->broken || before == vq->published)
		return;
	vq->announced = vq->published;
	/* 2.7.13.4: the index is written before we read whether the device waits for it. */
	device_barrier();
	if (!wants_notification(vq, before))
		return;
	vq->notifications++;
	vq->device->transport->notify(vq->device, vq->index);
}

uint32_t virtqueue_used(struct virtqueue *vq)
{
	if (vq->broken)
		return 0;
	/*
	 * Acquire: the elements, and the buffers, are read after the index that vouches for them.
	 */
	uint16_t used = (uint16_t)(shared_read_acquire(&vq->used_ring->index) - vq->taken);

	if (used <= vq->in_flight)
		return used;
	virtqueue_break(vq, "used index jumped by", used);
	return 0;
}

void *virtqueue_take(struct virtqueue *vq, uint32_t *length)
{
	if (virtqueue_used(vq) == 0)
		return NULL;
	struct vring_used_element *element = &vq->used_ring->ring[vq->taken & (vq->size - 1)];
	uint32_t id = __atomic_load_n(&element->id, __ATOMIC_RELAXED);
	uint32_t written = __atomic_load_n(&element->length, __ATOMIC_RELAXED);

	if (id >= vq->size || !vq->slots[id].token) {
		virtqueue_break(vq, id >= vq->size ? "no such id:" : "id not in flight:", id);
		return NULL;
	}
	struct virtqueue_slot *slot = &vq->slots[id];

	/*
	 * Where nothing was writable, some devices report what they read (2.7.8.1): nobody uses
	 * it.
	 */
	if (slot->writable == 0)
		written = 0;
	if (written > slot->writable) {
		virtqueue_break(vq, "length beyond the buffer:", written);
		return NULL;
	}
	void *token = slot->token;

	free_chain(vq, (uint16_t)id);
	vq->taken++;
	*length = written;
	return token;
}

void *virtqueue_detach(struct virtqueue *vq)
{
	for (uint16_t i = 0; vq->in_flight > 0 && i < vq->size; i++) {
		void *token = vq->slots[i].token;

		if (!token)
			continue;
		free_chain(vq, i);
		return token;
	}
	return NULL;
}

void virtqueue_interrupts_off(struct virtqueue *vq)
{
	/* With EVENT_IDX there is only "at that index": one that is as far away as can be. */
	if (vq->event_idx)
		shared_write(used_event(vq), (uint16_t)(vq->taken + 0x8000));
	else
		shared_write(&vq->available_ring->flags, VRING_AVAIL_F_NO_INTERRUPT);
}

bool virtqueue_interrupts_on(struct virtqueue *vq, uint16_t chains)
{
	if (vq->event_idx)
		shared_write(used_event(vq), (uint16_t)(vq->taken + chains - 1));
	else
		shared_write(&vq->available_ring->flags, 0);
	/*
	 * 2.7.14: what was used before the device saw our wish raises no interrupt: look again.
	 */
	device_barrier();
	return virtqueue_used(vq) < chains;
}
