/* virtio-net over the device model: frames both ways, in every layout that a device may have. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "include/uapi/if.h"
#include "kernel/string.h"
#include "net/core/socket.h"
#include "test/host/unit/rig.h"

/* One kind of device; the tests below run with each. */
struct kind {
	const char *name;
	bool legacy;
	uint64_t features;
	uint32_t queue_size, ring_size; /* offered, and what the driver makes of it */
	uint16_t header_length;
};

static const struct kind kinds[] = {
	{"modern, everything", false, RIG_FEATURES_ALL, 256, 256, 12},
	{"modern, nothing", false, 0, 256, 256, 12},
	{"modern, event index", false, VIRTIO_F_EVENT_IDX, 64, 64, 12},
	{"modern, indirect", false, VIRTIO_F_INDIRECT_DESC, 16, 16, 12},
	{"modern, more than we use", false, RIG_FEATURES_ALL, 1024, 256, 12},
	{"modern, four entries", false, RIG_FEATURES_ALL, 4, 4, 12},
	{"legacy, everything", true, RIG_FEATURES_ALL | VIRTIO_F_ANY_LAYOUT, 1024, 256, 12},
	{"legacy, any layout", true, VIRTIO_F_ANY_LAYOUT, 256, 256, 10},
	{"legacy, nothing", true, 0, 256, 256, 10},
	{"legacy, indirect", true, VIRTIO_F_INDIRECT_DESC, 256, 256, 10},
	{"legacy, merged", true, VIRTIO_NET_F_MRG_RXBUF | VIRTIO_F_EVENT_IDX, 256, 256, 12},
	{"legacy, four entries", true, 0, 4, 4, 10},
};

static void start_kind(struct rig *rig, const struct kind *kind)
{
	struct model_options options = rig_options(kind->legacy, kind->features);

	options.queue_size = kind->queue_size;
	rig_start(rig, &options);
	if (!rig->dev)
		fail_msg("%s: not found", kind->name);
}

static void for_each_kind(void (*test)(struct rig *rig, const struct kind *kind))
{
	static struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		start_kind(&rig, &kinds[i]);
		test(&rig, &kinds[i]);
		rig_stop(&rig);
	}
}

/* Negotiation */

static void check_negotiated(struct rig *rig, const struct kind *kind)
{
	uint8_t status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_DRIVER_OK;
	struct virtio_net *vnet = rig_vnet(rig);

	assert_int_equal(rig->model.status,
			 kind->legacy ? status : status | VIRTIO_STATUS_FEATURES_OK);
	assert_int_equal(vnet->receive->size, kind->ring_size);
	assert_int_equal(vnet->transmit->size, kind->ring_size);
	assert_int_equal(vnet->header_length, kind->header_length);
	assert_int_equal(rig->model.driver_features, rig->model.options.features);
	/* The receive ring is full: a descriptor a buffer, two where the header stands apart. */
	bool apart = kind->legacy &&
		     !(kind->features & (VIRTIO_F_ANY_LAYOUT | VIRTIO_F_INDIRECT_DESC));

	assert_int_equal(model_available(&rig->model, VIRTIO_NET_QUEUE_RX),
			 kind->ring_size / (apart ? 2 : 1));
}

static void test_negotiation(void **state __unused)
{
	for_each_kind(check_negotiated);
}

static void test_unknown_features_are_declined(void **state __unused)
{
	struct model_options options = rig_options(false, ~0ull);
	struct rig rig;

	rig_start(&rig, &options);
	assert_non_null(rig.dev);
	assert_int_equal(rig.model.driver_features, RIG_FEATURES_ALL | VIRTIO_NET_F_MTU |
							    VIRTIO_F_ANY_LAYOUT |
							    VIRTIO_F_VERSION_1);
	rig_stop(&rig);
}

/* Frames */

static const size_t lengths[] = {14, 60, 64, 577, 1500, 1514};

static void check_receive(struct rig *rig, const struct kind *kind __unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		assert_true(rig_deliver(rig, lengths[i]));
	assert_int_equal(rig->received, ARRAY_SIZE(lengths));
	assert_int_equal(rig->dev->statistics.rx_packets, ARRAY_SIZE(lengths));
	assert_int_equal(rig->dev->statistics.rx_errors, 0);
}

static void test_receive(void **state __unused)
{
	for_each_kind(check_receive);
}

static void check_transmit(struct rig *rig, const struct kind *kind __unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		rig_send(rig, lengths[i]);
	assert_int_equal(rig->sent, ARRAY_SIZE(lengths));
	assert_int_equal(rig->dev->statistics.tx_packets, ARRAY_SIZE(lengths));
	assert_int_equal(rig->dev->statistics.tx_bytes, rig->sent_bytes);
}

static void test_transmit(void **state __unused)
{
	for_each_kind(check_transmit);
}

/* The rings' indices have 16 bits: go round more than once. */
static void check_wrap(struct rig *rig, const struct kind *kind)
{
	uint32_t packets = kind->ring_size == 256 ? 66000 : 3000;

	for (uint32_t i = 0; i < packets; i++) {
		assert_true(rig_deliver(rig, 60 + i % 100));
		rig_send(rig, 60 + i % 90);
	}
	assert_int_equal(rig->received, packets);
	assert_int_equal(rig->sent, packets);
}

static void test_wrap(void **state __unused)
{
	for_each_kind(check_wrap);
}

static void check_no_headroom(struct rig *rig, const struct kind *kind __unused)
{
	struct sk_buff *skb = skb_alloc(&rig->net, 100);

	rig_frame(skb_put(skb, 100), 100, 7);
	rig_xmit(rig, skb);
	rig_flush(rig);
	assert_int_equal(rig->sent, 1);
	assert_int_equal(rig->sent_bytes, 100);
}

static void test_no_headroom(void **state __unused)
{
	for_each_kind(check_no_headroom);
}

/* A frame whose payload lies in page fragments. */
static struct sk_buff *fragmented_skb(struct rig *rig, size_t length, uint32_t fragments)
{
	static uint8_t frame[70000];
	struct sk_buff *skb = skb_alloc(&rig->net, SKB_HEADROOM + 64);
	size_t done = 64, part = (length - 64 + fragments - 1) / fragments;

	rig_frame(frame, length, 99);
	skb_reserve(skb, SKB_HEADROOM);
	memcpy(skb_put(skb, 64), frame, 64);
	while (done < length) {
		struct page *page = page_alloc();
		size_t n = MIN(part, length - done);

		memcpy((uint8_t *)page_address(page) + 3, frame + done, n);
		assert_int_equal(skb_add_fragment(skb, page, 3, (uint32_t)n), 0);
		done += n;
	}
	return skb;
}

static void check_fragments(struct rig *rig, const struct kind *kind)
{
	rig_xmit(rig, fragmented_skb(rig, 1500, 1));
	rig_flush(rig);
	assert_int_equal(rig->sent, 1);
	rig_xmit(rig, fragmented_skb(rig, 60000, SKB_MAX_FRAGMENTS));
	rig_flush(rig);
	/* No chain may be longer than the ring, not even an indirect one (2.7.5.3.1). */
	bool fits = kind->ring_size > SKB_MAX_FRAGMENTS + 2;

	assert_int_equal(rig->sent, fits ? 2 : 1);
	assert_int_equal(rig->net.drops[DROP_TX_QUEUE_FULL], fits ? 0 : 1);
}

static void test_fragments(void **state __unused)
{
	for_each_kind(check_fragments);
}

/* Mergeable buffers: frames longer than one. */
static void test_merged_receive(void **state __unused)
{
	static const size_t jumbo[] = {2032, 2033, 4000, 9014, 65549};
	struct model_options options = rig_options(false, RIG_FEATURES_ALL);
	struct rig rig;

	rig_start(&rig, &options);
	for (size_t i = 0; i < ARRAY_SIZE(jumbo); i++)
		assert_true(rig_deliver(&rig, jumbo[i]));
	assert_true(rig_deliver(&rig, 60));
	assert_int_equal(rig.received, ARRAY_SIZE(jumbo) + 1);
	rig_stop(&rig);
}

/* The MTU in the configuration without mergeable buffers: each must hold a whole frame. */
static void test_unmerged_mtu(void **state __unused)
{
	struct model_options options = rig_options(false, VIRTIO_NET_F_MTU);
	struct rig rig;

	options.mtu = 9000;
	rig_start(&rig, &options);
	assert_int_equal(rig.dev->mtu, 9000);
	assert_true(rig_deliver(&rig, 9014));
	assert_int_equal(rig.received, 1);
	rig_stop(&rig);
}

/* Notifications and interrupts */

static void check_batch(struct rig *rig, const struct kind *kind)
{
	uint32_t batch = kind->ring_size / 2 - 1;
	const struct model_queue *queue = &rig->model.queues[VIRTIO_NET_QUEUE_TX];

	for (uint32_t i = 0; i < batch; i++)
		rig_xmit(rig, rig_skb(rig, 60));
	/* Nothing was shown to the device before the batch's end, and then it was told once. */
	assert_int_equal(queue->notifications, 0);
	assert_int_equal(rig->sent, 0);
	rig_flush(rig);
	assert_int_equal(queue->notifications, 1);
	assert_int_equal(rig->sent, batch);
	rig_flush(rig);
	assert_int_equal(queue->notifications, 1);
}

static void test_batch(void **state __unused)
{
	for_each_kind(check_batch);
}

/* Half a ring of frames is announced before the batch ends, so that the device need not wait. */
static void check_long_batch(struct rig *rig, const struct kind *kind)
{
	uint32_t half = kind->ring_size / 2;
	const struct model_queue *queue = &rig->model.queues[VIRTIO_NET_QUEUE_TX];

	for (uint32_t i = 0; i < half; i++)
		rig_xmit(rig, rig_skb(rig, 60));
	assert_int_equal(queue->notifications, 1);
	assert_int_equal(rig->sent, half);
	for (uint32_t i = 0; i < kind->ring_size * 10; i++)
		rig_xmit(rig, rig_skb(rig, 60));
	rig_flush(rig);
	assert_int_equal(rig->sent, half + kind->ring_size * 10);
	assert_int_equal(rig->net.drops[DROP_TX_QUEUE_FULL], 0);
}

static void test_long_batch(void **state __unused)
{
	for_each_kind(check_long_batch);
}

static void check_device_suppression(struct rig *rig, const struct kind *kind __unused)
{
	const struct model_queue *queue = &rig->model.queues[VIRTIO_NET_QUEUE_TX];

	rig->model.hold_notifications = true;
	rig_send(rig, 60); /* the device learns of it, and asks for silence */
	uint64_t before = queue->notifications;

	rig_send(rig, 60);
	assert_int_equal(queue->notifications, before);
	rig->model.hold_notifications = false;
	assert_int_equal(model_serve(&rig->model, VIRTIO_NET_QUEUE_TX), 1);
	rig_send(rig, 60);
	assert_int_equal(queue->notifications, before + 1);
	assert_int_equal(rig->sent, 3);
}

static void test_device_suppression(void **state __unused)
{
	for_each_kind(check_device_suppression);
}

/*
 * While the poller works, more frames come: they raise no interrupt and are found all the same.
 */
static void deliver_another(struct rig *rig)
{
	static uint8_t frame[60];

	rig_frame(frame, sizeof(frame), 5);
	if (rig->received < 1000)
		model_receive(&rig->model, NULL, frame, sizeof(frame));
}

static void check_polling(struct rig *rig, const struct kind *kind)
{
	const struct model_queue *queue = &rig->model.queues[VIRTIO_NET_QUEUE_RX];
	uint64_t before = queue->interrupts;

	if (kind->ring_size <= NET_POLL_BUDGET)
		return; /* such a ring runs dry within a round */
	rig->on_receive = deliver_another;
	assert_true(rig_deliver(rig, 60));
	assert_int_equal(rig->received, 1000);
	assert_int_equal(queue->interrupts, before + 1);
	rig->on_receive = NULL;
	assert_true(rig_deliver(rig, 60));
	assert_int_equal(queue->interrupts, before + 2);
}

static void test_no_interrupts_while_polling(void **state __unused)
{
	for_each_kind(check_polling);
}

/*
 * A frame between the last look and the switching on raises no interrupt: switching on reports
 * it.
 */
static void check_check_again(struct rig *rig, const struct kind *kind __unused)
{
	struct virtqueue *vq = rig_vnet(rig)->receive;

	assert_true(virtqueue_interrupts_on(vq, 1));
	virtqueue_interrupts_off(vq);
	assert_true(rig_deliver(rig, 60));
	assert_int_equal(rig->received, 0);
	assert_false(virtqueue_interrupts_on(vq, 1));
	model_interrupt(&rig->model, VIRTIO_INTERRUPT_QUEUE);
	rig_run(rig);
	assert_int_equal(rig->received, 1);
}

static void test_check_again(void **state __unused)
{
	for_each_kind(check_check_again);
}

/* The full ring */

static void check_full(struct rig *rig, const struct kind *kind)
{
	bool apart = kind->legacy &&
		     !(kind->features & (VIRTIO_F_ANY_LAYOUT | VIRTIO_F_INDIRECT_DESC));
	uint32_t room = kind->ring_size / (apart ? 2 : 1) + VIRTIO_NET_TX_WAITING_MAX;

	rig->hold_transmit = true;
	for (uint32_t i = 0; i < room; i++)
		rig_send(rig, 60);
	assert_int_equal(rig->net.drops[DROP_TX_QUEUE_FULL], 0);
	rig_send(rig, 60);
	assert_int_equal(rig->net.drops[DROP_TX_QUEUE_FULL], 1);
	assert_int_equal(rig->dev->statistics.tx_dropped, 1);
	/* The waiting ones follow by completion interrupts alone: nothing more is sent. */
	rig->hold_transmit = false;
	model_serve(&rig->model, VIRTIO_NET_QUEUE_TX);
	rig_run(rig);
	assert_int_equal(rig->sent, room);
	assert_int_equal(rig_vnet(rig)->transmit_waiting.length, 0);
}

static void test_full_ring(void **state __unused)
{
	for_each_kind(check_full);
}

/* A frame that a socket pays for is freed soon, though nothing else is sent or received. */
static const struct socket_ops no_operations;

static void check_charged(struct rig *rig, const struct kind *kind)
{
	struct socket owner = {.net = &rig->net,
			       .references = 1000,
			       .ops = &no_operations,
			       .send_buffer = 1 << 20};

	wait_list_init(&owner.wait);
	rig->hold_transmit = true;
	for (uint32_t i = 0; i < kind->ring_size; i++) {
		struct sk_buff *skb = rig_skb(rig, 60);

		net_lock(&rig->net);
		skb_set_owner(skb, &owner);
		net_unlock(&rig->net);
		rig_xmit(rig, skb);
	}
	rig_flush(rig);
	assert_true(owner.send_charged > 0);
	rig->hold_transmit = false;
	model_serve(&rig->model, VIRTIO_NET_QUEUE_TX);
	rig_run(rig);
	assert_int_equal(owner.send_charged, 0);
	assert_int_equal(rig->sent, kind->ring_size);
}

static void test_charged_frames(void **state __unused)
{
	for_each_kind(check_charged);
}

/* An idle sender costs no completion interrupts. */
static void check_lazy_completion(struct rig *rig, const struct kind *kind)
{
	for (uint32_t i = 0; i < 100; i++)
		rig_send(rig, 60);
	if (kind->ring_size >= 16)
		assert_int_equal(rig->model.queues[VIRTIO_NET_QUEUE_TX].interrupts, 0);
}

static void test_lazy_completion(void **state __unused)
{
	for_each_kind(check_lazy_completion);
}

/* Checksums */

static void test_transmit_checksum(void **state __unused)
{
	struct model_options options = rig_options(false, RIG_FEATURES_ALL);
	struct rig rig;

	rig_start(&rig, &options);
	assert_true(rig.dev->features & NETDEV_CHECKSUM_OFFLOAD);
	struct sk_buff *skb = rig_skb(&rig, 100);

	skb->checksum = SKB_CHECKSUM_PARTIAL;
	skb->csum_start = (uint16_t)(skb_headroom(skb) + 34);
	skb->csum_offset = 6;
	rig_xmit(&rig, skb);
	rig_flush(&rig);
	assert_int_equal(rig.last_header.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(rig.last_header.csum_start, 34);
	assert_int_equal(rig.last_header.csum_offset, 6);
	rig_send(&rig, 100);
	assert_int_equal(rig.last_header.flags, 0);
	rig_stop(&rig);
}

static void deliver_with(struct rig *rig, const struct virtio_net_header *header)
{
	static uint8_t frame[100];

	rig_frame(frame, sizeof(frame), 3);
	assert_true(model_receive(&rig->model, header, frame, sizeof(frame)));
	rig_run(rig);
}

static void test_receive_checksum(void **state __unused)
{
	struct virtio_net_header partial = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16};
	struct virtio_net_header valid = {.flags = VIRTIO_NET_HDR_F_DATA_VALID};
	struct model_options options = rig_options(false, RIG_FEATURES_ALL);
	struct rig rig;

	rig_start(&rig, &options);
	deliver_with(&rig, &partial);
	assert_int_equal(rig.last_checksum, SKB_CHECKSUM_PARTIAL);
	assert_int_equal(rig.last_csum_start, 34);
	assert_int_equal(rig.last_csum_offset, 16);
	deliver_with(&rig, &valid);
	assert_int_equal(rig.last_checksum, SKB_CHECKSUM_VERIFIED);
	deliver_with(&rig, NULL);
	assert_int_equal(rig.last_checksum, SKB_CHECKSUM_NONE);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_negotiation),
		cmocka_unit_test(test_unknown_features_are_declined),
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_transmit),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_no_headroom),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_merged_receive),
		cmocka_unit_test(test_unmerged_mtu),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_long_batch),
		cmocka_unit_test(test_device_suppression),
		cmocka_unit_test(test_no_interrupts_while_polling),
		cmocka_unit_test(test_check_again),
		cmocka_unit_test(test_full_ring),
		cmocka_unit_test(test_charged_frames),
		cmocka_unit_test(test_lazy_completion),
		cmocka_unit_test(test_transmit_checksum),
		cmocka_unit_test(test_receive_checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
