/*
 * The device model by itself, without the stack and without its driver: a driver of a few lines
 * works its registers and rings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/types.h"
#include "test/host/virtio/device_model.h"

#define ENTRIES 8
#define RX VIRTIO_NET_QUEUE_RX
#define TX VIRTIO_NET_QUEUE_TX
#define CONTROL VIRTIO_NET_QUEUE_CONTROL
#define HEADER VIRTIO_NET_HEADER_LENGTH

/* One queue as the driver has it. */
struct ring {
	_Alignas(16) struct vring_desc descriptors[ENTRIES]; /* 2.7 */
	struct {
		uint16_t flags, index, ring[ENTRIES], used_event;
	} available;
	struct {
		uint16_t flags, index;
		struct vring_used_element ring[ENTRIES];
		uint16_t avail_event;
	} used;
	uint16_t free; /* descriptors are used once */
};

struct bench {
	struct virtio_model model;
	struct ring rings[MODEL_QUEUES];
	uint32_t interrupts;
	uint32_t transmitted;
	struct virtio_net_header header; /* of the last frame transmitted */
	uint8_t frame[200];
	size_t length;
	bool wire_busy;
	uint32_t ready, reset; /* calls of driver_changed */
};

static void interrupted(void *context)
{
	((struct bench *)context)->interrupts++;
}

static bool transmitted(void *context, const struct virtio_net_header *header, const uint8_t *frame,
			size_t length)
{
	struct bench *bench = context;

	if (bench->wire_busy)
		return false;
	bench->transmitted++;
	bench->header = *header;
	bench->length = length;
	memcpy(bench->frame, frame, MIN(length, sizeof(bench->frame)));
	return true;
}

static void driver_changed(void *context, bool ready)
{
	struct bench *bench = context;

	if (ready)
		bench->ready++;
	else
		bench->reset++;
}

static uint32_t get(struct bench *bench, uint32_t offset)
{
	return model_read(&bench->model, offset, 4);
}

static void set(struct bench *bench, uint32_t offset, uint32_t value)
{
	model_write(&bench->model, offset, 4, value);
}

static uint32_t get_config(struct bench *bench, uint32_t offset, uint32_t width)
{
	return model_read(&bench->model, VIRTIO_MMIO_CONFIG + offset, width);
}

static void add_status(struct bench *bench, uint32_t bit)
{
	set(bench, VIRTIO_MMIO_STATUS, get(bench, VIRTIO_MMIO_STATUS) | bit);
}

static void init(struct bench *bench, bool legacy, uint64_t features)
{
	const struct model_options options = {
		.legacy = legacy,
		.features = features | (legacy ? 0 : VIRTIO_F_VERSION_1),
		.queue_size = ENTRIES,
		.mac = {2, 0, 0, 0, 0, 7},
		.mtu = 1400,
		.link_up = true,
		.device_id = VIRTIO_ID_NET,
	};
	const struct model_events events = {
		.interrupt = interrupted,
		.transmitted = transmitted,
		.driver_changed = driver_changed,
		.context = bench,
	};

	memset(bench, 0, sizeof(*bench));
	model_init(&bench->model, &options, &events);
}

static void set_address(struct bench *bench, uint32_t low, const void *address)
{
	set(bench, low, (uint32_t)(uintptr_t)address);
	set(bench, low + 4, (uint32_t)((uint64_t)(uintptr_t)address >> 32));
}

static void set_up_queue(struct bench *bench, uint16_t queue)
{
	struct ring *ring = &bench->rings[queue];

	set(bench, VIRTIO_MMIO_QUEUE_SEL, queue);
	set(bench, VIRTIO_MMIO_QUEUE_NUM, ENTRIES);
	set_address(bench, VIRTIO_MMIO_QUEUE_DESC_LOW, ring->descriptors);
	set_address(bench, VIRTIO_MMIO_QUEUE_DRIVER_LOW, &ring->available);
	set_address(bench, VIRTIO_MMIO_QUEUE_DEVICE_LOW, &ring->used);
	set(bench, VIRTIO_MMIO_QUEUE_READY, 1);
}

static void choose_features(struct bench *bench, uint64_t features)
{
	set(bench, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	set(bench, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)features);
	set(bench, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	set(bench, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(features >> 32));
}

/* 3.1.1 with all queues, for a modern device. */
static void start_with(struct bench *bench, uint64_t features)
{
	set(bench, VIRTIO_MMIO_STATUS, 0);
	add_status(bench, VIRTIO_STATUS_ACKNOWLEDGE);
	add_status(bench, VIRTIO_STATUS_DRIVER);
	choose_features(bench, features | VIRTIO_F_VERSION_1);
	add_status(bench, VIRTIO_STATUS_FEATURES_OK);
	for (uint32_t i = 0; i < (features & VIRTIO_NET_F_CTRL_VQ ? 3 : 2); i++)
		set_up_queue(bench, (uint16_t)i);
	add_status(bench, VIRTIO_STATUS_DRIVER_OK);
}

static void start(struct bench *bench, uint64_t features)
{
	init(bench, false, features);
	start_with(bench, features);
	assert_int_equal(bench->model.violations, 0);
}

/* Fills the next descriptor. */
static uint16_t describe(struct ring *ring, const void *bytes, size_t length, uint16_t flags)
{
	uint16_t at = ring->free++;

	assert_true(at < ENTRIES);
	ring->descriptors[at] = (struct vring_desc){(uintptr_t)bytes, (uint32_t)length, flags,
						    flags & VRING_DESC_F_NEXT ? (uint16_t)(at + 1)
									      : 0};
	return at;
}

static void publish(struct ring *ring, uint16_t head)
{
	ring->available.ring[ring->available.index % ENTRIES] = head;
	ring->available.index++;
}

/* A frame of `length` bytes of 0xab with this header goes out, in two segments. */
static void transmit(struct bench *bench, const struct virtio_net_header *header, size_t length)
{
	static uint8_t frame[200];
	struct ring *ring = &bench->rings[TX];
	uint16_t head = describe(ring, header, HEADER, VRING_DESC_F_NEXT);

	memset(frame, 0xab, sizeof(frame));
	describe(ring, frame, length, 0);
	publish(ring, head);
	set(bench, VIRTIO_MMIO_QUEUE_NOTIFY, TX);
}

static void post_buffer(struct bench *bench, void *bytes, size_t length)
{
	struct ring *ring = &bench->rings[RX];

	publish(ring, describe(ring, bytes, length, VRING_DESC_F_WRITE));
}

/* Registers */

static void test_identity(void **state __unused)
{
	struct bench bench;

	init(&bench, false, 0);
	assert_int_equal(get(&bench, VIRTIO_MMIO_MAGIC_VALUE), VIRTIO_MMIO_MAGIC);
	assert_int_equal(get(&bench, VIRTIO_MMIO_VERSION), 2);
	assert_int_equal(get(&bench, VIRTIO_MMIO_DEVICE_ID), VIRTIO_ID_NET);
	assert_int_equal(get(&bench, VIRTIO_MMIO_STATUS), 0);
	init(&bench, true, 0);
	assert_int_equal(get(&bench, VIRTIO_MMIO_VERSION), 1);
	assert_int_equal(bench.model.violations, 0);
}

static void test_bad_register_accesses(void **state __unused)
{
	struct bench bench;

	init(&bench, false, 0);
	model_read(&bench.model, VIRTIO_MMIO_STATUS, 1);
	get(&bench, VIRTIO_MMIO_QUEUE_NUM); /* write-only */
	get(&bench, 0x0f0);
	assert_int_equal(bench.model.violations, 3);
	set(&bench, VIRTIO_MMIO_MAGIC_VALUE, 0);
	model_write(&bench.model, VIRTIO_MMIO_STATUS, 2, 1);
	assert_int_equal(bench.model.violations, 5);
}

static void test_features_in_halves(void **state __unused)
{
	struct bench bench;

	init(&bench, false, VIRTIO_NET_F_MAC | VIRTIO_NET_F_HOST_TSO4);
	assert_int_equal(get(&bench, VIRTIO_MMIO_DEVICE_FEATURES),
			 VIRTIO_NET_F_MAC | VIRTIO_NET_F_HOST_TSO4);
	set(&bench, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	assert_int_equal(get(&bench, VIRTIO_MMIO_DEVICE_FEATURES), VIRTIO_F_VERSION_1 >> 32);
	set(&bench, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 2);
	assert_int_equal(get(&bench, VIRTIO_MMIO_DEVICE_FEATURES), 0);
}

static void test_configuration(void **state __unused)
{
	struct bench bench;

	init(&bench, false, VIRTIO_NET_F_MAC);
	assert_int_equal(get_config(&bench, 0, 1), 2);
	assert_int_equal(get_config(&bench, 5, 1), 7);
	assert_int_equal(get_config(&bench, offsetof(struct virtio_net_config, status), 2),
			 VIRTIO_NET_S_LINK_UP);
	assert_int_equal(get_config(&bench, offsetof(struct virtio_net_config, mtu), 2), 1400);
	assert_int_equal(bench.model.violations, 0);
	get_config(&bench, 1, 2);
	get_config(&bench, sizeof(struct virtio_net_config), 1);
	model_write(&bench.model, VIRTIO_MMIO_CONFIG, 1, 4); /* read-only */
	assert_int_equal(bench.model.violations, 3);
	assert_int_equal(get_config(&bench, 0, 1), 2);
}

/* 5.1.4.3: a legacy driver writes the address. */
static void test_legacy_address_is_written(void **state __unused)
{
	struct bench bench;

	init(&bench, true, VIRTIO_NET_F_MAC);
	for (uint32_t i = 0; i < 6; i++)
		model_write(&bench.model, VIRTIO_MMIO_CONFIG + i, 1, 0x10 + i);
	assert_int_equal(get_config(&bench, 0, 1), 0x10);
	assert_int_equal(get_config(&bench, 5, 1), 0x15);
	assert_int_equal(bench.model.violations, 0);
	model_write(&bench.model, VIRTIO_MMIO_CONFIG + 6, 2, 1);
	assert_int_equal(bench.model.violations, 1);
}

static void test_configuration_changes(void **state __unused)
{
	struct bench bench;

	init(&bench, false, VIRTIO_NET_F_STATUS);
	uint32_t generation = get(&bench, VIRTIO_MMIO_CONFIG_GENERATION);

	model_set_link(&bench.model, false);
	assert_int_not_equal(get(&bench, VIRTIO_MMIO_CONFIG_GENERATION), generation);
	assert_int_equal(bench.interrupts, 0); /* nobody to be told yet */
	start_with(&bench, VIRTIO_NET_F_STATUS);
	model_set_link(&bench.model, true);
	model_set_mtu(&bench.model, 1300);
	assert_int_equal(bench.interrupts, 2);
	assert_int_equal(get(&bench, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_INTERRUPT_CONFIG);
	set(&bench, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_INTERRUPT_CONFIG);
	assert_int_equal(get(&bench, VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	assert_int_equal(get_config(&bench, offsetof(struct virtio_net_config, mtu), 2), 1300);
	assert_int_equal(bench.model.violations, 0);
}

/* Negotiation */

static void test_start_and_reset(void **state __unused)
{
	struct bench bench;

	start(&bench, VIRTIO_NET_F_CSUM);
	assert_true(model_running(&bench.model));
	assert_true(model_has(&bench.model, VIRTIO_NET_F_CSUM));
	assert_int_equal(bench.ready, 1);
	assert_int_equal(bench.reset, 1); /* with which it began */
	set(&bench, VIRTIO_MMIO_STATUS, 0);
	assert_false(model_running(&bench.model));
	assert_false(model_has(&bench.model, VIRTIO_NET_F_CSUM));
	assert_int_equal(get(&bench, VIRTIO_MMIO_STATUS), 0);
	assert_int_equal(get(&bench, VIRTIO_MMIO_QUEUE_READY), 0);
	assert_int_equal(bench.reset, 2);
}

static void test_steps_out_of_order(void **state __unused)
{
	struct bench bench;

	init(&bench, false, 0);
	add_status(&bench, VIRTIO_STATUS_DRIVER);
	assert_string_equal(bench.model.violation, "DRIVER before ACKNOWLEDGE");
	init(&bench, false, 0);
	choose_features(&bench, VIRTIO_F_VERSION_1);
	assert_string_equal(bench.model.violation, "features before DRIVER");
	init(&bench, false, 0);
	add_status(&bench, VIRTIO_STATUS_ACKNOWLEDGE);
	add_status(&bench, VIRTIO_STATUS_DRIVER);
	add_status(&bench, VIRTIO_STATUS_DRIVER_OK);
	assert_string_equal(bench.model.violation, "DRIVER_OK without FEATURES_OK");
	init(&bench, false, 0);
	set(&bench, VIRTIO_MMIO_QUEUE_NOTIFY, TX);
	assert_string_equal(bench.model.violation, "notification before DRIVER_OK");
}

static void test_features_that_may_not_be_accepted(void **state __unused)
{
	static const uint64_t choices[] = {
		VIRTIO_NET_F_HOST_TSO4,
		VIRTIO_NET_F_HOST_TSO6,
		VIRTIO_NET_F_HOST_ECN | VIRTIO_NET_F_CSUM,
		VIRTIO_NET_F_GUEST_TSO4,
		VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_CSUM,
		VIRTIO_NET_F_GUEST_ECN | VIRTIO_NET_F_GUEST_CSUM,
		VIRTIO_NET_F_CTRL_RX,
	};
	struct bench bench;

	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		init(&bench, false, UINT64_MAX);
		start_with(&bench, choices[i]);
		assert_int_equal(bench.model.violations, 1);
	}
	init(&bench, false, VIRTIO_NET_F_MAC);
	start_with(&bench, VIRTIO_NET_F_MTU);
	assert_non_null(strstr(bench.model.violation, "not offered"));
}

static void test_queue_setup(void **state __unused)
{
	static const uint32_t bad_sizes[] = {0, 3, ENTRIES * 2};
	struct bench bench;

	init(&bench, false, 0);
	assert_int_equal(get(&bench, VIRTIO_MMIO_QUEUE_NUM_MAX), ENTRIES);
	set(&bench, VIRTIO_MMIO_QUEUE_SEL, CONTROL); /* not without CTRL_VQ */
	assert_int_equal(get(&bench, VIRTIO_MMIO_QUEUE_NUM_MAX), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad_sizes); i++) {
		init(&bench, false, 0);
		add_status(&bench, VIRTIO_STATUS_ACKNOWLEDGE);
		add_status(&bench, VIRTIO_STATUS_DRIVER);
		set(&bench, VIRTIO_MMIO_QUEUE_NUM, bad_sizes[i]);
		set(&bench, VIRTIO_MMIO_QUEUE_READY, 1);
		assert_int_equal(bench.model.violations, 1);
	}
}

/* Transmit */

static void test_transmit(void **state __unused)
{
	const struct virtio_net_header header = {.num_buffers = 0};
	struct bench bench;

	start(&bench, 0);
	transmit(&bench, &header, 100);
	assert_int_equal(bench.transmitted, 1);
	assert_int_equal(bench.length, 100);
	assert_int_equal(bench.frame[99], 0xab);
	assert_int_equal(bench.rings[TX].used.index, 1);
	assert_int_equal(bench.rings[TX].used.ring[0].id, 0);
	assert_int_equal(bench.rings[TX].used.ring[0].length, 0);
	assert_int_equal(bench.interrupts, 1);
	assert_int_equal(get(&bench, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_INTERRUPT_QUEUE);
	assert_int_equal(bench.model.violations, 0);
}

static void test_transmit_indirect(void **state __unused)
{
	static struct virtio_net_header header;
	static uint8_t frame[60];
	struct vring_desc table[2] = {
		{(uintptr_t)&header, sizeof(header), VRING_DESC_F_NEXT, 1},
		{(uintptr_t)frame, sizeof(frame), 0, 0},
	};
	struct bench bench;

	for (int negotiated = 1; negotiated >= 0; negotiated--) {
		start(&bench, negotiated ? VIRTIO_F_INDIRECT_DESC : 0);
		publish(&bench.rings[TX],
			describe(&bench.rings[TX], table, sizeof(table), VRING_DESC_F_INDIRECT));
		set(&bench, VIRTIO_MMIO_QUEUE_NOTIFY, TX);
		assert_int_equal(bench.transmitted, negotiated);
		assert_int_equal(bench.model.violations, !negotiated);
		assert_int_equal(model_running(&bench.model), negotiated);
	}
}

/* The wire blocks: the frames stay in the ring, in order. */
static void test_busy_wire(void **state __unused)
{
	const struct virtio_net_header header = {.num_buffers = 0};
	struct bench bench;

	start(&bench, 0);
	bench.wire_busy = true;
	transmit(&bench, &header, 60);
	transmit(&bench, &header, 70);
	assert_int_equal(bench.transmitted, 0);
	assert_int_equal(bench.rings[TX].used.index, 0);
	assert_int_equal(bench.interrupts, 0);
	bench.wire_busy = false;
	assert_int_equal(model_serve(&bench.model, TX), 2);
	assert_int_equal(bench.transmitted, 2);
	assert_int_equal(bench.length, 70);
	assert_int_equal(bench.rings[TX].used.index, 2);
	assert_int_equal(bench.interrupts, 1);
}

#define HOST_OFFLOADS                                                          \
	(VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 | \
	 VIRTIO_NET_F_HOST_ECN)

static void test_segmentation_requests(void **state __unused)
{
	static const struct {
		uint64_t features;
		struct virtio_net_header header;
		bool sound;
	} rows[] = {
		{HOST_OFFLOADS, {1, VIRTIO_NET_HDR_GSO_TCPV4, 54, 100, 34, 16, 0}, true},
		{HOST_OFFLOADS, {1, VIRTIO_NET_HDR_GSO_TCPV6, 74, 100, 54, 16, 0}, true},
		{HOST_OFFLOADS, {1, 0x81, 54, 100, 34, 16, 0}, true},
		{HOST_OFFLOADS, {1, VIRTIO_NET_HDR_GSO_TCPV4, 54, 0, 34, 16, 0}, false},
		{HOST_OFFLOADS, {0, VIRTIO_NET_HDR_GSO_TCPV4, 54, 100, 0, 0, 0}, false},
		{HOST_OFFLOADS, {1, VIRTIO_NET_HDR_GSO_TCPV4, 999, 100, 34, 16, 0}, false},
		{HOST_OFFLOADS, {1, VIRTIO_NET_HDR_GSO_ECN, 54, 100, 34, 16, 0}, false},
		{HOST_OFFLOADS, {1, 3, 54, 100, 34, 16, 0}, false},
		{HOST_OFFLOADS, {1, VIRTIO_NET_HDR_GSO_NONE, 0, 0, 190, 16, 0}, false},
		{VIRTIO_NET_F_CSUM, {1, VIRTIO_NET_HDR_GSO_TCPV4, 54, 100, 34, 16, 0}, false},
		{VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_TSO4, {1, 0x81, 54, 100, 34, 16, 0}, false},
		{0, {1, VIRTIO_NET_HDR_GSO_NONE, 0, 0, 34, 16, 0}, false},
	};
	struct bench bench;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(&bench, rows[i].features);
		transmit(&bench, &rows[i].header, 200);
		assert_int_equal(bench.model.violations, rows[i].sound ? 0 : 1);
		assert_memory_equal(&bench.header, &rows[i].header, HEADER);
	}
}

static void test_broken_chains(void **state __unused)
{
	static uint8_t bytes[100];
	struct bench bench;

	start(&bench, 0); /* without an end */
	describe(&bench.rings[TX], bytes, 100, VRING_DESC_F_NEXT);
	bench.rings[TX].descriptors[0].next = 0;
	publish(&bench.rings[TX], 0);
	set(&bench, VIRTIO_MMIO_QUEUE_NOTIFY, TX);
	assert_int_equal(bench.model.violations, 1);
	assert_true(get(&bench, VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_NEEDS_RESET);
	assert_int_equal(get(&bench, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_INTERRUPT_CONFIG);

	start(&bench, 0); /* an index that jumps */
	bench.rings[TX].available.index = ENTRIES + 1;
	set(&bench, VIRTIO_MMIO_QUEUE_NOTIFY, TX);
	assert_int_equal(bench.model.violations, 1);
	assert_false(model_running(&bench.model));
	assert_int_equal(bench.transmitted, 0);
}

/* Receive */

static void test_receive(void **state __unused)
{
	uint8_t buffer[200], frame[100];
	struct bench bench;

	memset(frame, 0xcd, sizeof(frame));
	start(&bench, 0);
	assert_false(model_receive(&bench.model, NULL, frame, sizeof(frame)));
	assert_true(model_may_fit_later(&bench.model));
	post_buffer(&bench, buffer, sizeof(buffer));
	assert_true(model_receive(&bench.model, NULL, frame, sizeof(frame)));
	assert_int_equal(bench.rings[RX].used.ring[0].length, HEADER + sizeof(frame));
	assert_int_equal(bench.interrupts, 1);
	assert_memory_equal(buffer + HEADER, frame, sizeof(frame));
	assert_int_equal(((struct virtio_net_header *)(void *)buffer)->num_buffers, 1);
	assert_int_equal(bench.model.violations, 0);
}

/* A buffer that is too short is not used up. */
static void test_frame_too_long_for_its_buffer(void **state __unused)
{
	uint8_t buffer[100], frame[100] = {0};
	struct bench bench;

	start(&bench, 0);
	post_buffer(&bench, buffer, sizeof(buffer));
	assert_false(model_receive(&bench.model, NULL, frame, 89));
	assert_false(model_may_fit_later(&bench.model));
	assert_int_equal(bench.rings[RX].used.index, 0);
	assert_true(model_receive(&bench.model, NULL, frame, 88));
	assert_int_equal(bench.model.violations, 0);
}

static void test_merged_buffers(void **state __unused)
{
	uint8_t buffers[3][64], frame[150];
	struct bench bench;

	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)i;
	start(&bench, VIRTIO_NET_F_MRG_RXBUF);
	post_buffer(&bench, buffers[0], sizeof(buffers[0]));
	post_buffer(&bench, buffers[1], sizeof(buffers[1]));
	assert_false(model_receive(&bench.model, NULL, frame, sizeof(frame)));
	assert_true(model_may_fit_later(&bench.model));
	assert_int_equal(bench.rings[RX].used.index, 0);
	post_buffer(&bench, buffers[2], sizeof(buffers[2]));
	assert_true(model_receive(&bench.model, NULL, frame, sizeof(frame)));
	assert_int_equal(bench.rings[RX].used.index, 3);
	assert_int_equal(bench.interrupts, 1);
	assert_int_equal(((struct virtio_net_header *)(void *)buffers[0])->num_buffers, 3);
	assert_memory_equal(buffers[0] + HEADER, frame, 52);
	assert_memory_equal(buffers[1], frame + 52, 64);
	assert_memory_equal(buffers[2], frame + 116, 34);
	assert_int_equal(bench.rings[RX].used.ring[2].length, 34);
	assert_int_equal(bench.model.violations, 0);
}

/* Signals between the two sides: 2.7.7, 2.7.10 */

static void test_interrupts_by_flag(void **state __unused)
{
	uint8_t buffers[2][100], frame[60] = {0};
	struct bench bench;

	start(&bench, 0);
	post_buffer(&bench, buffers[0], 100);
	post_buffer(&bench, buffers[1], 100);
	bench.rings[RX].available.flags = VRING_AVAIL_F_NO_INTERRUPT;
	assert_true(model_receive(&bench.model, NULL, frame, sizeof(frame)));
	assert_int_equal(bench.interrupts, 0);
	bench.rings[RX].available.flags = 0;
	assert_true(model_receive(&bench.model, NULL, frame, sizeof(frame)));
	assert_int_equal(bench.interrupts, 1);
	bench.model.hold_notifications = true;
	model_serve(&bench.model, TX);
	assert_int_equal(bench.rings[TX].used.flags, VRING_USED_F_NO_NOTIFY);
}

static void test_interrupts_by_index(void **state __unused)
{
	uint8_t buffers[3][100], frame[60] = {0};
	struct bench bench;

	start(&bench, VIRTIO_F_EVENT_IDX);
	for (int i = 0; i < 3; i++)
		post_buffer(&bench, buffers[i], 100);
	bench.rings[RX].available.used_event = 1; /* the second from now */
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(model_receive(&bench.model, NULL, frame, sizeof(frame)));
		assert_int_equal(bench.interrupts, i >= 1);
	}
	/* It wants to hear of the fourth buffer. */
	assert_false(model_receive(&bench.model, NULL, frame, sizeof(frame)));
	assert_int_equal(bench.rings[RX].used.avail_event, 3);
	assert_int_equal(bench.model.violations, 0);
}

/* The control queue and the filter */

#define FILTER_FEATURES (VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX)

/* Sends a command; returns the device's answer. */
static uint8_t command(struct bench *bench, uint8_t class, uint8_t number, const void *data,
		       size_t length)
{
	static struct virtio_net_control control;
	static uint8_t answer;
	struct ring *ring = &bench->rings[CONTROL];
	uint16_t head;

	ring->free = 0; /* the last command is done with */
	control = (struct virtio_net_control){class, number};
	answer = 0xee;
	head = describe(ring, &control, sizeof(control), VRING_DESC_F_NEXT);
	describe(ring, data, length, VRING_DESC_F_NEXT);
	describe(ring, &answer, 1, VRING_DESC_F_WRITE);
	publish(ring, head);
	set(bench, VIRTIO_MMIO_QUEUE_NOTIFY, CONTROL);
	return answer;
}

static void set_switch(struct bench *bench, uint8_t which, uint8_t on)
{
	assert_int_equal(command(bench, VIRTIO_NET_CTRL_RX, which, &on, 1), VIRTIO_NET_OK);
}

static void test_filter(void **state __unused)
{
	static const uint8_t table[] = {1, 0, 0, 0, 2, 0, 0,  0, 0, 8,
					1, 0, 0, 0, 1, 0, 94, 0, 0, 5};
	static const uint8_t broadcast[14] = {255, 255, 255, 255, 255, 255};
	static const uint8_t first[14] = {2, 0, 0, 0, 0, 7}, second[14] = {2, 0, 0, 0, 0, 8};
	static const uint8_t stranger[14] = {2, 0, 0, 0, 0, 9};
	static const uint8_t member[14] = {1, 0, 94, 0, 0, 5}, group[14] = {1, 0, 94, 0, 0, 6};
	struct bench bench;

	start(&bench, FILTER_FEATURES);
	assert_true(model_wants(&bench.model, stranger, 14)); /* nothing was said */
	assert_int_equal(command(&bench, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, table,
				 sizeof(table)),
			 VIRTIO_NET_OK);
	assert_true(model_wants(&bench.model, broadcast, 14));
	assert_true(model_wants(&bench.model, first, 14));
	assert_true(model_wants(&bench.model, second, 14));
	assert_true(model_wants(&bench.model, member, 14));
	assert_false(model_wants(&bench.model, stranger, 14));
	assert_false(model_wants(&bench.model, group, 14));
	set_switch(&bench, VIRTIO_NET_CTRL_RX_ALLMULTI, 1);
	assert_true(model_wants(&bench.model, group, 14));
	assert_false(model_wants(&bench.model, stranger, 14));
	set_switch(&bench, VIRTIO_NET_CTRL_RX_PROMISC, 1);
	assert_true(model_wants(&bench.model, stranger, 14));
	assert_int_equal(bench.model.control_commands, 3);
	assert_int_equal(bench.model.violations, 0);
}

static void test_bad_commands(void **state __unused)
{
	static const uint8_t cut_table[] = {2, 0, 0, 0, 2, 0, 0, 0, 0, 8};
	static const uint8_t zeroes[4];
	struct bench bench;

	start(&bench, FILTER_FEATURES);
	assert_int_not_equal(command(&bench, 77, 0, zeroes, 1), VIRTIO_NET_OK);
	assert_int_not_equal(command(&bench, VIRTIO_NET_CTRL_RX, 99, zeroes, 1), VIRTIO_NET_OK);
	assert_int_not_equal(command(&bench, VIRTIO_NET_CTRL_RX, 0, zeroes, 2), VIRTIO_NET_OK);
	assert_int_not_equal(command(&bench, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET,
				     cut_table, sizeof(cut_table)),
			     VIRTIO_NET_OK);
	assert_int_equal(bench.model.violations, 4);
}

/* Nothing moves while the device waits for its reset; afterwards everything does. */
static void test_needs_reset(void **state __unused)
{
	const struct virtio_net_header header = {.num_buffers = 0};
	uint8_t buffer[100], frame[60] = {0};
	struct bench bench;

	start(&bench, 0);
	post_buffer(&bench, buffer, sizeof(buffer));
	model_needs_reset(&bench.model);
	assert_false(model_receive(&bench.model, NULL, frame, sizeof(frame)));
	transmit(&bench, &header, 60);
	assert_int_equal(bench.transmitted, 0);
	memset(bench.rings, 0, sizeof(bench.rings));
	start_with(&bench, 0);
	transmit(&bench, &header, 60);
	post_buffer(&bench, buffer, sizeof(buffer));
	assert_true(model_receive(&bench.model, NULL, frame, sizeof(frame)));
	assert_int_equal(bench.transmitted, 1);
	assert_int_equal(bench.model.violations, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_bad_register_accesses),
		cmocka_unit_test(test_features_in_halves),
		cmocka_unit_test(test_configuration),
		cmocka_unit_test(test_legacy_address_is_written),
		cmocka_unit_test(test_configuration_changes),
		cmocka_unit_test(test_start_and_reset),
		cmocka_unit_test(test_steps_out_of_order),
		cmocka_unit_test(test_features_that_may_not_be_accepted),
		cmocka_unit_test(test_queue_setup),
		cmocka_unit_test(test_transmit),
		cmocka_unit_test(test_transmit_indirect),
		cmocka_unit_test(test_busy_wire),
		cmocka_unit_test(test_segmentation_requests),
		cmocka_unit_test(test_broken_chains),
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_frame_too_long_for_its_buffer),
		cmocka_unit_test(test_merged_buffers),
		cmocka_unit_test(test_interrupts_by_flag),
		cmocka_unit_test(test_interrupts_by_index),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_bad_commands),
		cmocka_unit_test(test_needs_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
