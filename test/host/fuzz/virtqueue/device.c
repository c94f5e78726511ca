/* See device.h. */
#include "test/host/fuzz/virtqueue/device.h"

#include "include/uapi/if_arp.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "net/core/poller.h"
#include "test/host/services/host.h"

#define ROUNDS_MAX 1000 /* of softirq work without the device doing anything */

static uint64_t now(void *context)
{
	return ((struct bench *)context)->now_us;
}

static void count_up(void *context, void *to, size_t n)
{
	struct bench *bench = context;

	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = (uint8_t)(bench->random_state += 0x35);
}

/* What the stack would do with a frame: every byte is read, and a checksum completed. */
static void frame_received(struct net_device *dev, struct sk_buff *skb)
{
	struct bench *bench = container_of(dev->net, struct bench, net);
	int error = 0;

	bench->received++;
	CHECK(skb->dev == dev && skb->len <= 65535 + 14);
	(void)skb_checksum_add(skb, 0, skb->len, 0);
	if (skb->checksum == SKB_CHECKSUM_PARTIAL)
		error = skb_checksum_complete(skb);
	CHECK(error == 0 || error == -ENOMEM);
	skb_free(skb);
}

static bool frame_sent(void *context, const struct virtio_net_header *header, const uint8_t *frame,
		       size_t length)
{
	struct bench *bench = context;

	(void)header;
	(void)frame;
	(void)length;
	bench->sent++;
	return true;
}

static void interrupted(void *context)
{
	struct bench *bench = context;

	if (!bench->interrupts_masked && bench->device)
		virtio_mmio_interrupt(bench->device);
}

static bool notified(void *context, uint16_t queue)
{
	const struct bench *bench = context;

	return bench_is_honest(bench) && !(bench->hold_transmit && queue == VIRTIO_NET_QUEUE_TX);
}

static struct lie *due(struct lie *lies)
{
	struct lie *found = NULL;

	for (uint32_t i = 0; i < LIES_MAX; i++) {
		if (lies[i].reads_left > 0 && --lies[i].reads_left == 0)
			found = &lies[i];
	}
	return found;
}

static uint32_t read_register(void *context, uint32_t offset, uint32_t width)
{
	struct bench *bench = context;
	uint32_t truth = model_read(&bench->model, offset, width);
	const struct lie *lie = due(bench->register_lies);

	if (!lie)
		return truth;
	bench_lied(bench);
	return width == 4 ? lie->value : lie->value & ((1u << 8 * width) - 1);
}

static void write_register(void *context, uint32_t offset, uint32_t width, uint32_t value)
{
	model_write(&((struct bench *)context)->model, offset, width, value);
}

static const struct virtio_mmio_io lying_io = {.read = read_register, .write = write_register};

/* ---- Lies in the rings: see virtqueue.c for how the driver's reads get here. ---- */

static struct bench *the_bench; /* the one that is alive */

static bool within(uint64_t address, uint64_t start, uint64_t length)
{
	return address >= start && address - start < length;
}

static bool is_ring_memory(const struct virtio_model *model, uint64_t address)
{
	for (uint32_t i = 0; i < MODEL_QUEUES; i++) {
		const struct model_queue *queue = &model->queues[i];

		if (queue->ready && (within(address, queue->descriptors, 16ull * queue->size) ||
				     within(address, queue->available, 6 + 2ull * queue->size) ||
				     within(address, queue->used, 6 + 8ull * queue->size)))
			return true;
	}
	return false;
}

static void take_back(struct bench *bench)
{
	if (bench->told.at && is_ring_memory(&bench->model, (uintptr_t)bench->told.at))
		memcpy(bench->told.at, &bench->told.truth, bench->told.size);
	bench->told.at = NULL;
}

/* Not a part of what is tested: its branches are not counted. */
#define UNCOUNTED __attribute__((no_sanitize("coverage")))

static UNCOUNTED void ring_read(void *at, uint8_t size)
{
	struct bench *bench = the_bench;

	if (!bench || !bench->ring_lies_wait || !is_ring_memory(&bench->model, (uintptr_t)at))
		return;
	take_back(bench);

	const struct lie *lie = due(bench->ring_lies);

	if (!lie)
		return;
	if (lie->once) {
		bench->told.at = at;
		bench->told.size = size;
		memcpy(&bench->told.truth, at, size);
	}
	memcpy(at, &lie->value, size);
	bench_lied(bench);
}

/* clang calls these before each load in drivers/virtio/ (-fsanitize-coverage=trace-loads). */
void __sanitizer_cov_load1(uint8_t *at);
void __sanitizer_cov_load2(uint16_t *at);
void __sanitizer_cov_load4(uint32_t *at);
void __sanitizer_cov_load8(uint64_t *at);
void __sanitizer_cov_load16(void *at);

UNCOUNTED void __sanitizer_cov_load1(uint8_t *at)
{
	ring_read(at, sizeof(*at));
}

UNCOUNTED void __sanitizer_cov_load2(uint16_t *at)
{
	ring_read(at, sizeof(*at));
}

UNCOUNTED void __sanitizer_cov_load4(uint32_t *at)
{
	ring_read(at, sizeof(*at));
}

UNCOUNTED void __sanitizer_cov_load8(uint64_t *at __unused)
{
}

UNCOUNTED void __sanitizer_cov_load16(void *at __unused)
{
}

void bench_forget_lies(struct bench *bench)
{
	memset(bench->ring_lies, 0, sizeof(bench->ring_lies));
	memset(bench->register_lies, 0, sizeof(bench->register_lies));
	bench->told.at = NULL;
	bench->ring_lies_wait = false;
}

bool bench_is_honest(const struct bench *bench)
{
	return bench->lied_at_reset != bench->model.resets + 1;
}

void bench_lied(struct bench *bench)
{
	bench->lied = true;
	bench->lied_at_reset = bench->model.resets + 1;
}

/* ---- Life ---- */

/* The address bits that a legacy page number has no room for: see device_model.h. */
static uint64_t host_address_base(void)
{
	struct page *page = page_alloc_order(2);
	uint64_t base = page_to_phys(page) >> 44 << 44;

	page_put(page);
	return base;
}

void bench_create(struct bench *bench, const struct model_options *options)
{
	const struct net_environment environment = {
		.now_us = now, .random_bytes = count_up, .context = bench};
	const struct model_events events = {.interrupt = interrupted,
					    .transmitted = frame_sent,
					    .notified = notified,
					    .context = bench};
	struct model_options placed = *options;

	bench->now_us = USEC_PER_SEC;
	bench->random_state = 1;
	bench->device = NULL;
	bench->dev = NULL;
	bench->interrupts_masked = bench->hold_transmit = bench->lied = false;
	bench->lied_at_reset = bench->received = bench->sent = 0;
	bench_forget_lies(bench);
	bench->allocations = host_allocations_live();
	placed.legacy_address_base = host_address_base();
	model_init(&bench->model, &placed, &events);
	CHECK(net_init(&bench->net, &environment) == 0);
	bench->ethernet = (struct link_type){.type = ARPHRD_ETHER, .receive = frame_received};
	link_type_register(&bench->net, &bench->ethernet);
	virtio_bus_init(&bench->bus);
	virtio_net_register(&bench->driver, &bench->bus, &bench->net);
	the_bench = bench;
}

void bench_probe(struct bench *bench)
{
	bench->device = virtio_mmio_create(&lying_io, bench, "model");
	if (!bench->device)
		return;
	virtio_add_device(&bench->bus, bench->device);
	net_lock(&bench->net);
	bench->dev = netdev_by_name(&bench->net, "eth0");
	if (bench->dev)
		(void)netdev_up(bench->dev);
	net_unlock(&bench->net);
}

void bench_remove(struct bench *bench)
{
	if (bench->device)
		virtio_remove_device(bench->device);
	bench->device = NULL;
	bench->dev = NULL;
}

void bench_destroy(struct bench *bench)
{
	bench_remove(bench);
	the_bench = NULL;
	virtio_bus_destroy(&bench->bus);
	CHECK(bench->net.live_skbs == 0);
	net_destroy(&bench->net);
	CHECK(host_allocations_live() == bench->allocations);
	if (bench->model.violations && !bench->lied)
		panic("the driver broke a rule: %s", bench->model.violation);
}

void bench_run(struct bench *bench)
{
	for (uint32_t rounds = 0; net_work_pending(&bench->net); rounds++) {
		CHECK(rounds < ROUNDS_MAX);
		net_run_softirq(&bench->net);
	}
}

void bench_wait(struct bench *bench, uint64_t us)
{
	bench->now_us += us;
	net_run_timers(&bench->net);
	bench_run(bench);
}

void bench_send(struct bench *bench, size_t length)
{
	struct sk_buff *skb = skb_alloc(&bench->net, SKB_HEADROOM + length);

	if (!skb)
		return;
	skb_reserve(skb, SKB_HEADROOM);
	memset(skb_put(skb, length), 0x5a, length);
	skb->dev = bench->dev;
	net_lock(&bench->net);
	dev_xmit(bench->dev, skb);
	net_unlock(&bench->net);
}

bool bench_receive(struct bench *bench, const struct virtio_net_header *header, size_t length)
{
	static uint8_t frame[MODEL_FRAME_MAX];

	return model_receive(&bench->model, header, frame, length);
}
