/*
 * virtio-net over a device that goes mad at random: honest traffic, lies, interrupts, resets,
 * lost memory and time, in any order. Nothing is checked on the way but what the sanitizers see;
 * at the end everything is accounted for, and after a reset frames pass again. The same seeds
 * give the same runs; VITRINE_SEED runs one more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/string.h"
#include "test/host/services/host.h"
#include "test/host/unit/rig.h"

#define RUNS 60
#define STEPS 2000

struct chaos {
	struct rig rig;
	uint64_t state;
	uint64_t lied_at_reset; /* the model's count of resets when it last lied, plus one */
};

/* splitmix64 */
static uint32_t roll(struct chaos *chaos, uint32_t sides)
{
	uint64_t z = chaos->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ (z >> 31)) % sides);
}

/*
 * A device that gave buffers back out of turn has lost count, and would write where it must not:
 * until the next reset it only lies.
 */
static bool is_honest(const struct chaos *chaos)
{
	return chaos->lied_at_reset != chaos->rig.model.resets + 1;
}

static void lied(struct chaos *chaos)
{
	chaos->lied_at_reset = chaos->rig.model.resets + 1;
}

static uint16_t any_ready_queue(struct chaos *chaos)
{
	uint16_t queue = (uint16_t)roll(chaos, MODEL_QUEUES);

	return model_ready_queue(&chaos->rig.model, queue) ? queue : MODEL_QUEUES;
}

static void receive(struct chaos *chaos)
{
	static const size_t lengths[] = {14, 60, 1514, 2033, 5000, 65549};

	if (is_honest(chaos))
		rig_deliver(&chaos->rig, lengths[roll(chaos, ARRAY_SIZE(lengths))]);
}

/* A frame whose header is nonsense. */
static void receive_nonsense(struct chaos *chaos)
{
	static uint8_t frame[300];
	struct virtio_net_header header;

	for (size_t i = 0; i < sizeof(header); i++)
		((uint8_t *)&header)[i] = roll(chaos, 3) ? 0 : (uint8_t)roll(chaos, 256);
	header.num_buffers = (uint16_t)roll(chaos, 4);
	rig_frame(frame, sizeof(frame), 1);
	if (is_honest(chaos))
		model_receive(&chaos->rig.model, &header, frame, sizeof(frame));
}

static void send(struct chaos *chaos)
{
	for (uint32_t n = roll(chaos, 40); n > 0; n--) {
		struct sk_buff *skb = rig_skb(&chaos->rig, 60 + roll(chaos, 1400));

		if (!skb)
			return;
		rig_xmit(&chaos->rig, skb);
	}
	rig_flush(&chaos->rig);
}

static void hold(struct chaos *chaos)
{
	chaos->rig.hold_transmit = !chaos->rig.hold_transmit;
	if (is_honest(chaos) && !chaos->rig.hold_transmit)
		model_serve(&chaos->rig.model, VIRTIO_NET_QUEUE_TX);
}

static void lie_about_id(struct chaos *chaos)
{
	static const uint32_t wild[] = {256, 257, 0xffff, 0x10000, UINT32_MAX};
	uint16_t queue = any_ready_queue(chaos);

	if (queue == MODEL_QUEUES)
		return;
	uint32_t id = roll(chaos, 4) ? roll(chaos, 256) : wild[roll(chaos, ARRAY_SIZE(wild))];
	uint32_t length = roll(chaos, 4) ? roll(chaos, 2100) : UINT32_MAX - roll(chaos, 3);

	model_put_used(&chaos->rig.model, queue, id, length);
	model_publish_used(&chaos->rig.model, queue);
	lied(chaos);
}

static void lie_about_index(struct chaos *chaos)
{
	uint16_t queue = any_ready_queue(chaos);

	if (queue == MODEL_QUEUES)
		return;
	model_lie_used_index(&chaos->rig.model, queue, (uint16_t)roll(chaos, 65536));
	lied(chaos);
}

/* Noise all over the used ring: flags, index, elements, event. */
static void scribble(struct chaos *chaos)
{
	uint16_t index = any_ready_queue(chaos);

	if (index == MODEL_QUEUES)
		return;
	const struct model_queue *queue = &chaos->rig.model.queues[index];
	uint8_t *ring = (uint8_t *)(uintptr_t)queue->used;

	for (uint32_t n = roll(chaos, 20); n > 0; n--)
		ring[roll(chaos, 6 + 8 * queue->size)] = (uint8_t)roll(chaos, 256);
	lied(chaos);
}

static void interrupt(struct chaos *chaos)
{
	model_interrupt(&chaos->rig.model, roll(chaos, 4));
}

static void mask_interrupts(struct chaos *chaos)
{
	chaos->rig.interrupts_masked = !chaos->rig.interrupts_masked;
}

static void change_config(struct chaos *chaos)
{
	struct virtio_model *model = &chaos->rig.model;

	model->unsettled_config = roll(chaos, 4) == 0;
	model->config.mac[0] = (uint8_t)roll(chaos, 256);
	model_set_mtu(model, (uint16_t)roll(chaos, 65536));
	model_set_link(model, roll(chaos, 2));
}

/* Counts at the next reset. */
static void change_features(struct chaos *chaos)
{
	static const uint64_t features[] = {RIG_FEATURES_ALL, RIG_FEATURES_ALL | VIRTIO_NET_F_MTU,
					    0, VIRTIO_F_EVENT_IDX, VIRTIO_F_INDIRECT_DESC};
	struct model_options *options = &chaos->rig.model.options;

	if (!model_running(&chaos->rig.model) || is_honest(chaos))
		return; /* an honest device keeps its word while it runs */
	options->features = features[roll(chaos, ARRAY_SIZE(features))] |
			    (options->legacy ? VIRTIO_F_ANY_LAYOUT : VIRTIO_F_VERSION_1);
}

static void need_reset(struct chaos *chaos)
{
	model_needs_reset(&chaos->rig.model);
}

static void lose_memory(struct chaos *chaos)
{
	host_fail_allocation(1 + roll(chaos, 20));
}

static void pass_time(struct chaos *chaos)
{
	rig_wait(&chaos->rig, roll(chaos, 2 * VIRTIO_NET_RESET_US));
}

static void down_and_up(struct chaos *chaos)
{
	struct rig *rig = &chaos->rig;

	net_lock(&rig->net);
	netdev_down(rig->dev);
	if (roll(chaos, 2))
		netdev_promiscuous(rig->dev, rig->dev->promiscuous ? -1 : 1);
	(void)netdev_up(rig->dev);
	net_unlock(&rig->net);
}

/* What happens, and how often in a hundred. */
static const struct {
	uint32_t weight;
	void (*act)(struct chaos *chaos);
} acts[] = {
	{25, receive},        {10, receive_nonsense}, {23, send},           {6, hold},
	{3, lie_about_id},    {1, lie_about_index},   {2, scribble},        {8, interrupt},
	{3, mask_interrupts}, {2, change_config},     {3, change_features}, {2, need_reset},
	{2, lose_memory},     {5, pass_time},         {5, down_and_up},
};

static void step(struct chaos *chaos)
{
	uint32_t at = roll(chaos, 100);

	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		if (at < acts[i].weight) {
			acts[i].act(chaos);
			break;
		}
		at -= acts[i].weight;
	}
	if (roll(chaos, 2))
		rig_run(&chaos->rig);
}

/* Back to a sound device, by way of NEEDS_RESET or of the interface. */
static void come_to_its_senses(struct chaos *chaos)
{
	struct rig *rig = &chaos->rig;

	host_fail_allocation(0);
	rig->interrupts_masked = rig->hold_transmit = false;
	rig->model.unsettled_config = false;
	rig_wait(rig, 2 * VIRTIO_NET_RESET_US);
	model_needs_reset(&rig->model);
	/* It may have asked before, while interrupts were masked. */
	model_interrupt(&rig->model, VIRTIO_INTERRUPT_CONFIG);
	rig_wait(rig, 2 * VIRTIO_NET_RESET_US);
	net_lock(&rig->net);
	netdev_down(rig->dev);
	assert_int_equal(netdev_up(rig->dev), 0);
	net_unlock(&rig->net);
	rig_run(rig);
	rig->model.violations = 0; /* it was led astray */
	rig->garbled = false;
	rig_check_traffic(rig);
}

static void run(uint64_t seed)
{
	static struct chaos chaos;
	struct model_options options = rig_options(seed % 2,
						   RIG_FEATURES_ALL | VIRTIO_F_ANY_LAYOUT);

	chaos.state = seed;
	chaos.lied_at_reset = 0;
	rig_start(&chaos.rig, &options);
	for (uint32_t i = 0; i < STEPS; i++)
		step(&chaos);
	come_to_its_senses(&chaos);
	rig_stop(&chaos.rig);
}

static void test_chaos(void **state __unused)
{
	const char *seed = getenv("VITRINE_SEED");

	for (uint64_t i = 1; i <= RUNS; i++)
		run(i);
	if (seed)
		run(strtoull(seed, NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chaos),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
