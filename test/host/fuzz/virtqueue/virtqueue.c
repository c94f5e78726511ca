/*
 * The virtio-net driver over a device that lies: about ids, lengths and indices, in its registers,
 * and in any word of the rings at the moment when the driver reads it. Whatever it says, the driver
 * must not crash, hang or leak, and after a reset frames must pass again.
 *
 * The input begins with the device: bit 0 legacy, bits 1-3 which of the feature sets, bits 4-7 the
 * queue size (one byte), then which MTU (one byte). Then come operations, one byte each (the lower
 * five bits; the upper three are its own) and their arguments:
 *
 *	0	a frame arrives: which length
 *	1	a frame with a header of nonsense: its 12 bytes
 *	2	frames are sent: how many, which length
 *	3	sent frames are left in the ring, or not any more
 *	4	queue `upper`: an id (2 bytes) and a length (2) are used
 *	5	queue `upper`: the used index becomes (2 bytes)
 *	6	queue `upper`: a byte of the used ring (offset 2 bytes) becomes
 *	7	an interrupt for `upper`
 *	8	interrupts are masked, or not any more
 *	9	configuration: link and settledness (`upper`), MTU (2 bytes), first byte of the MAC
 *	10	other features, from the next reset on
 *	11	the device asks for a reset
 *	12	an allocation fails: which
 *	13	time passes: how long (units of 10 ms)
 *	14	the interface goes down and up; bit 0 promiscuous, bit 1 a group
 *	15	softirqs
 *	16	the n-th read of ring memory from now (a byte) gives (4 bytes); bit 0: once
 *	17	the n-th read of a register from now (a byte) gives (4 bytes)
 *	18	the device's refusals, by bits
 *	19	the device is unplugged and plugged in again
 *	20	a receive buffer gets a header (12 bytes), and is used with a length (2)
 */
#include "kernel/string.h"
#include "kernel/types.h"
#include "test/host/fuzz/virtqueue/device.h"
#include "test/host/services/host.h"

#define STEPS_MAX 128
#define OPERATIONS 32
#define SANE_QUEUE 16

#define EVERYTHING                                                                               \
	(VIRTIO_F_ANY_LAYOUT | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_NET_F_CSUM | \
	 VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_MAC | VIRTIO_NET_F_MRG_RXBUF |                   \
	 VIRTIO_NET_F_STATUS | VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_MTU)
#define SEGMENTATION                                                               \
	(VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 | VIRTIO_NET_F_HOST_ECN | \
	 VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_GUEST_ECN)

static const uint64_t feature_sets[8] = {
	EVERYTHING,
	0,
	EVERYTHING | SEGMENTATION,
	VIRTIO_F_EVENT_IDX | VIRTIO_NET_F_MRG_RXBUF,
	VIRTIO_F_INDIRECT_DESC,
	VIRTIO_F_ANY_LAYOUT | VIRTIO_NET_F_GUEST_CSUM,
	EVERYTHING & ~VIRTIO_NET_F_MRG_RXBUF,
	(EVERYTHING | SEGMENTATION) & ~VIRTIO_F_EVENT_IDX,
};
static const uint32_t queue_sizes[16] = {8, 16, 4,  2, 1, 8, 32,    256,
					 8, 4,  16, 2, 0, 3, 65535, 32768};
static const uint16_t mtus[] = {1500, 0, 67, 68, 1499, 9000, 9217, 65535};
static const size_t lengths[] = {60, 14, 1514, 2033, 5000, 65549, 100, 0};

static uint64_t features(bool legacy, uint8_t set)
{
	return feature_sets[set % 8] | (legacy ? 0 : VIRTIO_F_VERSION_1);
}

static struct model_options read_device(struct fuzz_input *input)
{
	uint8_t kind = fuzz_u8(input);
	bool legacy = kind & 1;

	return (struct model_options){
		.legacy = legacy,
		.features = features(legacy, kind >> 1 & 7),
		.queue_size = queue_sizes[kind >> 4],
		.mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56},
		.mtu = mtus[fuzz_u8(input) % ARRAY_SIZE(mtus)],
		.link_up = true,
		.device_id = VIRTIO_ID_NET,
	};
}

static struct model_queue *ready_queue(struct bench *bench, uint32_t bits)
{
	return model_ready_queue(&bench->model, (uint16_t)(bits % MODEL_QUEUES));
}

static struct virtio_net_header read_header(struct fuzz_input *input)
{
	struct virtio_net_header header;
	uint8_t *bytes = (uint8_t *)&header;

	for (size_t i = 0; i < sizeof(header); i++)
		bytes[i] = fuzz_u8(input);
	return header;
}

static void receive(struct bench *bench, struct fuzz_input *input)
{
	size_t length = lengths[fuzz_u8(input) % ARRAY_SIZE(lengths)];

	if (bench_is_honest(bench))
		bench_receive(bench, NULL, length);
}

static void receive_nonsense(struct bench *bench, struct fuzz_input *input)
{
	struct virtio_net_header header = read_header(input);

	bench->lied = true;
	if (bench_is_honest(bench))
		bench_receive(bench, &header, 300);
}

static void send(struct bench *bench, struct fuzz_input *input)
{
	uint32_t count = fuzz_u8(input) % 24;
	size_t length = MAX(lengths[fuzz_u8(input) % 3], 14u);

	while (bench->dev && count-- > 0)
		bench_send(bench, length);
}

static void hold(struct bench *bench)
{
	bench->hold_transmit = !bench->hold_transmit;
	if (bench_is_honest(bench) && !bench->hold_transmit)
		model_serve(&bench->model, VIRTIO_NET_QUEUE_TX);
}

static void use_any(struct bench *bench, struct fuzz_input *input, uint32_t bits)
{
	uint16_t queue = (uint16_t)(bits % MODEL_QUEUES), id = fuzz_u16(input);
	uint16_t length = fuzz_u16(input);

	if (!ready_queue(bench, bits))
		return;
	/* 0xff00 and above stand for numbers that need all of their 32 bits. */
	model_put_used(&bench->model, queue, id >= 0xff00 ? 0xffff0000u | id : id,
		       length >= 0xff00 ? 0xffff0000u | length : length);
	bench_lied(bench);
	model_publish_used(&bench->model, queue);
}

static void move_index(struct bench *bench, struct fuzz_input *input, uint32_t bits)
{
	uint16_t index = fuzz_u16(input);

	if (!ready_queue(bench, bits))
		return;
	bench_lied(bench);
	model_lie_used_index(&bench->model, (uint16_t)(bits % MODEL_QUEUES), index);
}

static void scribble(struct bench *bench, struct fuzz_input *input, uint32_t bits)
{
	const struct model_queue *queue = ready_queue(bench, bits);
	uint16_t offset = fuzz_u16(input);
	uint8_t value = fuzz_u8(input);

	if (!queue)
		return;
	((uint8_t *)(uintptr_t)queue->used)[offset % (6 + 8 * queue->size)] = value;
	bench_lied(bench);
}

static void configure(struct bench *bench, struct fuzz_input *input, uint32_t bits)
{
	bench->model.unsettled_config = bits & 2;
	model_set_mtu(&bench->model, fuzz_u16(input));
	bench->model.config.mac[0] = fuzz_u8(input);
	model_set_link(&bench->model, bits & 1);
}

/* An honest device keeps its word while it runs. */
static void change_features(struct bench *bench, uint32_t bits)
{
	struct model_options *options = &bench->model.options;

	if (model_running(&bench->model) && !bench_is_honest(bench))
		options->features = features(options->legacy, (uint8_t)bits);
}

static void lose_memory(struct fuzz_input *input)
{
	host_fail_allocation(fuzz_u8(input) % 64);
}

static void down_and_up(struct bench *bench, uint32_t bits)
{
	static const struct mac group = {{1, 0, 0x5e, 1, 2, 3}};
	struct net_device *dev = bench->dev;

	if (!dev)
		return;
	net_lock(&bench->net);
	netdev_down(dev);
	if (bits & 1)
		netdev_promiscuous(dev, dev->promiscuous ? -1 : 1);
	if (bits & 2 && netdev_multicast_wanted(dev, group))
		netdev_multicast_leave(dev, group);
	else if (bits & 2)
		(void)netdev_multicast_join(dev, group);
	(void)netdev_up(dev);
	net_unlock(&bench->net);
}

static void plan(struct lie *lies, struct fuzz_input *input, uint32_t bits)
{
	uint32_t reads = 1u + fuzz_u8(input), value = fuzz_u32(input);

	for (uint32_t i = 0; i < LIES_MAX; i++) {
		if (lies[i].reads_left > 0)
			continue;
		lies[i] = (struct lie){reads, value, bits & 1};
		return;
	}
}

static void refuse(struct bench *bench, uint32_t bits)
{
	bench->model.refuse_features = bits & 1;
	bench->model.refuse_reset = bits & 2;
	bench->model.queues_in_use = bits & 4;
	bench->model.hold_notifications = !bench->model.hold_notifications;
}

static void plug(struct bench *bench)
{
	bench_remove(bench);
	bench_run(bench);
	bench_probe(bench);
}

/* A sound chain, unsound contents. */
static void fill_buffer(struct bench *bench, struct fuzz_input *input)
{
	struct virtio_net_header header = read_header(input);
	uint16_t length = fuzz_u16(input);
	struct model_chain chain;

	if (!bench_is_honest(bench) || !model_take(&bench->model, VIRTIO_NET_QUEUE_RX, &chain))
		return;
	memcpy(chain.segments[0].bytes, &header,
	       MIN(sizeof(header), (size_t)chain.segments[0].length));
	bench->lied = true;
	model_put_used(&bench->model, VIRTIO_NET_QUEUE_RX, chain.head, length);
	model_publish_used(&bench->model, VIRTIO_NET_QUEUE_RX);
}

static void step(struct bench *bench, struct fuzz_input *input)
{
	uint8_t byte = fuzz_u8(input);
	uint32_t bits = byte / OPERATIONS;

	switch (byte % OPERATIONS) {
	case 0:
		receive(bench, input);
		break;
	case 1:
		receive_nonsense(bench, input);
		break;
	case 2:
		send(bench, input);
		break;
	case 3:
		hold(bench);
		break;
	case 4:
		use_any(bench, input, bits);
		break;
	case 5:
		move_index(bench, input, bits);
		break;
	case 6:
		scribble(bench, input, bits);
		break;
	case 7:
		model_interrupt(&bench->model, bits);
		break;
	case 8:
		bench->interrupts_masked = !bench->interrupts_masked;
		break;
	case 9:
		configure(bench, input, bits);
		break;
	case 10:
		change_features(bench, bits);
		break;
	case 11:
		model_needs_reset(&bench->model);
		break;
	case 12:
		lose_memory(input);
		break;
	case 13:
		bench_wait(bench, fuzz_u8(input) * 10 * USEC_PER_MSEC);
		break;
	case 14:
		down_and_up(bench, bits);
		break;
	case 15:
		bench_run(bench);
		break;
	case 16:
		bench->ring_lies_wait = true;
		plan(bench->ring_lies, input, bits);
		break;
	case 17:
		plan(bench->register_lies, input, bits);
		break;
	case 18:
		refuse(bench, bits);
		break;
	case 19:
		plug(bench);
		break;
	case 20:
		fill_buffer(bench, input);
		break;
	default:
		break;
	}
}

static void make_sane(struct bench *bench)
{
	struct virtio_model *model = &bench->model;

	host_fail_allocation(0);
	bench_forget_lies(bench);
	bench->interrupts_masked = bench->hold_transmit = false;
	model->unsettled_config = model->refuse_features = model->refuse_reset = false;
	model->queues_in_use = model->hold_notifications = false;
	model->options.queue_size = SANE_QUEUE;
	model->config.mtu = 1500;
	model->config.mac[0] = 0x52;
	model->config.status = VIRTIO_NET_S_LINK_UP;
}

/* The device has come to its senses: by way of a reset, or plugged in anew, frames pass again. */
static void check_recovery(struct bench *bench)
{
	make_sane(bench);
	if (bench->dev) {
		bench_wait(bench, 2 * VIRTIO_NET_RESET_US);
		model_needs_reset(&bench->model);
		/* It may have asked before, while interrupts were masked. */
		model_interrupt(&bench->model, VIRTIO_INTERRUPT_CONFIG);
		bench_wait(bench, 2 * VIRTIO_NET_RESET_US);
		down_and_up(bench, 0);
	} else {
		plug(bench);
	}
	bench_run(bench);
	CHECK(bench->dev && bench_is_honest(bench));
	CHECK(bench->dev->carrier);
	bench->received = bench->sent = 0;
	CHECK(bench_receive(bench, NULL, 60));
	bench_send(bench, 60);
	bench_run(bench);
	CHECK(bench->received == 1 && bench->sent == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bench bench;
	struct fuzz_input input = {data, size};
	struct model_options options = read_device(&input);

	bench_create(&bench, &options);
	bench_probe(&bench);
	for (uint32_t i = 0; i < STEPS_MAX && input.left > 0; i++)
		step(&bench, &input);
	check_recovery(&bench);
	bench_destroy(&bench);
	return 0;
}
