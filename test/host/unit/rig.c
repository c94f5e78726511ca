/* The driver's test bench. See rig.h. */
#include "test/host/unit/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "include/uapi/if_arp.h"
#include "kernel/mm/page.h"
#include "test/host/services/host.h"

static uint64_t now(void *context)
{
	return ((struct rig *)context)->now_us;
}

static void count_up(void *context __unused, void *to, size_t n)
{
	static uint8_t next;

	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = next += 0x35;
}

void rig_frame(uint8_t *frame, size_t length, uint32_t seed)
{
	uint32_t state = seed * 2654435761u + (uint32_t)length;

	for (size_t i = 0; i < length; i++) {
		state = state * 1664525 + 1013904223;
		frame[i] = (uint8_t)(state >> 24);
	}
	/* Frames carry their seed, so that whoever gets one can make it again. */
	memcpy(frame, &seed, length < sizeof(seed) ? length : sizeof(seed));
}

static void check_frame(struct rig *rig, const uint8_t *frame, size_t length)
{
	static uint8_t expected[70000];
	uint32_t seed = 0;

	memcpy(&seed, frame, length < sizeof(seed) ? length : sizeof(seed));
	rig_frame(expected, length, seed);
	if (memcmp(frame, expected, length) != 0)
		rig->garbled = true;
}

static bool frame_sent(void *context, const struct virtio_net_header *header, const uint8_t *frame,
		       size_t length)
{
	struct rig *rig = context;

	rig->sent++;
	rig->sent_bytes += length;
	rig->last_header = *header;
	memcpy(rig->last_frame, frame, length);
	if (!rig->no_pattern)
		check_frame(rig, frame, length);
	return true;
}

static void frame_received(struct net_device *dev, struct sk_buff *skb)
{
	struct rig *rig = container_of(dev->net, struct rig, net);

	rig->received++;
	rig->received_bytes += skb->len;
	rig->last_checksum = skb->checksum;
	rig->last_csum_start = (uint16_t)(skb->csum_start - skb_headroom(skb));
	rig->last_csum_offset = skb->csum_offset;
	rig->last_gso_size = skb->gso_size;
	rig->last_gso_type = skb->gso_type;
	rig->last_fragments = skb->fragment_count;
	rig->last_truesize = skb->truesize;
	skb_copy_bits(skb, 0, rig->last_frame, skb->len);
	if (!rig->no_pattern)
		check_frame(rig, rig->last_frame, skb->len);
	skb_free(skb);
	if (rig->on_receive)
		rig->on_receive(rig);
}

static void interrupted(void *context)
{
	struct rig *rig = context;

	if (!rig->interrupts_masked && rig->device)
		virtio_mmio_interrupt(rig->device);
}

static bool notified(void *context, uint16_t queue)
{
	const struct rig *rig = context;

	return !(rig->hold_transmit && queue == VIRTIO_NET_QUEUE_TX);
}

struct model_options rig_options(bool legacy, uint64_t features)
{
	struct model_options options = {
		.legacy = legacy,
		.features = features | (legacy ? 0 : VIRTIO_F_VERSION_1),
		.queue_size = 256,
		.mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56},
		.mtu = 1500,
		.link_up = true,
		.device_id = VIRTIO_ID_NET,
	};

	return options;
}

/* The address bits that a legacy page number has no room for: see device_model.h. */
static uint64_t host_address_base(void)
{
	struct page *page = page_alloc_order(2);

	assert_non_null(page);
	uint64_t base = page_to_phys(page) >> 44 << 44;

	page_put(page);
	return base;
}

void rig_prepare(struct rig *rig, const struct model_options *options)
{
	struct net_environment environment = {
		.now_us = now, .random_bytes = count_up, .context = rig};
	struct model_events events = {
		.interrupt = interrupted,
		.transmitted = frame_sent,
		.notified = notified,
		.context = rig,
	};
	struct model_options placed = *options;

	memset(rig, 0, sizeof(*rig));
	rig->now_us = USEC_PER_SEC;
	rig->live_allocations = host_allocations_live();
	placed.legacy_address_base = host_address_base();
	model_init(&rig->model, &placed, &events);
	assert_int_equal(net_init(&rig->net, &environment), 0);
	rig->ethernet = (struct link_type){.type = ARPHRD_ETHER, .receive = frame_received};
	link_type_register(&rig->net, &rig->ethernet);
	virtio_bus_init(&rig->bus);
	virtio_net_register(&rig->driver, &rig->bus, &rig->net);
}

static const struct virtio_mmio_io model_io = {.read = model_read, .write = model_write};

void rig_probe(struct rig *rig)
{
	rig_probe_by(rig, &model_io);
}

void rig_probe_by(struct rig *rig, const struct virtio_mmio_io *io)
{
	rig->device = virtio_mmio_create(io, &rig->model, "model");
	if (!rig->device)
		return;
	virtio_add_device(&rig->bus, rig->device);
	net_lock(&rig->net);
	rig->dev = netdev_by_name(&rig->net, "eth0");
	if (rig->dev)
		assert_int_equal(netdev_up(rig->dev), 0);
	net_unlock(&rig->net);
	rig_run(rig);
}

void rig_start(struct rig *rig, const struct model_options *options)
{
	rig_prepare(rig, options);
	rig_probe(rig);
}

void rig_stop(struct rig *rig)
{
	if (rig->model.violations)
		fail_msg("the driver broke a rule: %s", rig->model.violation);
	assert_false(rig->garbled);
	virtio_bus_destroy(&rig->bus);
	assert_int_equal(rig->net.live_skbs, 0);
	net_destroy(&rig->net);
	assert_int_equal(host_allocations_live(), rig->live_allocations);
}

void rig_run(struct rig *rig)
{
	for (uint32_t rounds = 0; net_work_pending(&rig->net); rounds++) {
		assert_true(rounds < 10000);
		net_run_softirq(&rig->net);
	}
}

void rig_wait(struct rig *rig, uint64_t us)
{
	rig->now_us += us;
	net_run_timers(&rig->net);
	rig_run(rig);
}

bool rig_deliver(struct rig *rig, size_t length)
{
	static uint8_t frame[70000];
	static uint32_t seed;

	rig_frame(frame, length, seed++);
	bool taken = model_receive(&rig->model, NULL, frame, length);

	rig_run(rig);
	return taken;
}

struct sk_buff *rig_skb(struct rig *rig, size_t length)
{
	static uint32_t seed = 1000000;
	struct sk_buff *skb = skb_alloc(&rig->net, SKB_HEADROOM + length);

	if (!skb)
		return NULL;
	skb_reserve(skb, SKB_HEADROOM);
	rig_frame(skb_put(skb, length), length, seed++);
	return skb;
}

void rig_xmit(struct rig *rig, struct sk_buff *skb)
{
	/* The driver's own door, so that a batch ends only where a test says so. */
	net_lock(&rig->net);
	rig->dev->ops->xmit(rig->dev, skb);
	net_unlock(&rig->net);
}

void rig_flush(struct rig *rig)
{
	net_lock(&rig->net);
	rig->dev->ops->xmit_flush(rig->dev);
	net_unlock(&rig->net);
}

void rig_send(struct rig *rig, size_t length)
{
	struct sk_buff *skb = rig_skb(rig, length);

	assert_non_null(skb);
	net_lock(&rig->net);
	dev_xmit(rig->dev, skb);
	net_unlock(&rig->net);
	rig_run(rig);
}

void rig_check_traffic(struct rig *rig)
{
	uint64_t received = rig->received, sent = rig->sent;

	assert_true(rig_deliver(rig, 100));
	rig_send(rig, 100);
	assert_int_equal(rig->received, received + 1);
	assert_int_equal(rig->sent, sent + 1);
}

struct virtio_net *rig_vnet(struct rig *rig)
{
	return rig->dev->driver;
}
