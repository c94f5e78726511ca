/*
 * virtio-net over a device that lies. Whatever it says, the driver reads and frees nothing that
 * it should not, logs at most one line for each broken queue, and the machine goes on: the
 * interface comes back when it is taken down and up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/errno.h"
#include "kernel/string.h"
#include "test/host/services/host.h"
#include "test/host/unit/rig.h"

#define RX VIRTIO_NET_QUEUE_RX
#define TX VIRTIO_NET_QUEUE_TX
#define HEADER VIRTIO_NET_HEADER_LENGTH

/* The kinds of device by which an attack may differ. */
static const struct {
	bool legacy;
	uint64_t features;
} kinds[] = {
	{false, RIG_FEATURES_ALL},
	{false, 0},
	{true, RIG_FEATURES_ALL | VIRTIO_F_ANY_LAYOUT},
	{true, 0},
};

static void start_kind(struct rig *rig, size_t i)
{
	struct model_options options = rig_options(kinds[i].legacy, kinds[i].features);

	rig_start(rig, &options);
	assert_non_null(rig->dev);
}

/* Down and up again: the device is reset, and works. */
static void check_recovery(struct rig *rig)
{
	net_lock(&rig->net);
	netdev_down(rig->dev);
	assert_int_equal(netdev_up(rig->dev), 0);
	net_unlock(&rig->net);
	rig_run(rig);
	assert_true(rig->dev->carrier);
	rig_check_traffic(rig);
}

/* The queue broke with one line, frames are refused, nothing was received; then it recovers. */
static void check_broken(struct rig *rig, uint64_t lines_before)
{
	rig_run(rig);
	assert_int_equal(host_log_lines(), lines_before + 1);
	assert_non_null(strstr(host_log_last(), "broken"));
	assert_non_null(strstr(host_log_last(), "eth0"));
	assert_false(rig->dev->carrier);
	assert_int_equal(rig->received, 0);
	uint64_t down = rig->net.drops[DROP_DEVICE_DOWN];

	rig_send(rig, 60);
	model_interrupt(&rig->model, VIRTIO_INTERRUPT_QUEUE | VIRTIO_INTERRUPT_CONFIG);
	rig_run(rig);
	assert_int_equal(rig->net.drops[DROP_DEVICE_DOWN], down + 1);
	assert_int_equal(host_log_lines(), lines_before + 1);
	rig->hold_transmit = false;
	check_recovery(rig);
	assert_int_equal(host_log_lines(), lines_before + 2); /* "eth0: reset" */
}

/* Runs an attack on each kind of device; the queue must break. */
static void must_break(void (*attack)(struct rig *rig))
{
	static struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		start_kind(&rig, i);
		uint64_t lines = host_log_lines();

		attack(&rig);
		check_broken(&rig, lines);
		rig_stop(&rig);
	}
}

static void use(struct rig *rig, uint16_t queue, uint32_t id, uint32_t length)
{
	model_put_used(&rig->model, queue, id, length);
	model_publish_used(&rig->model, queue);
}

/* Leaves one frame in the transmit ring, and returns its id. */
static uint16_t frame_in_flight(struct rig *rig)
{
	struct model_chain chain;

	rig->hold_transmit = true;
	rig_send(rig, 60);
	assert_true(model_take(&rig->model, TX, &chain));
	return chain.head;
}

/* Ids */

static void receive_id_beyond_queue(struct rig *rig)
{
	use(rig, RX, 256, HEADER + 60);
}

static void receive_id_huge(struct rig *rig)
{
	use(rig, RX, UINT32_MAX, HEADER + 60);
}

static void receive_id_twice(struct rig *rig)
{
	struct model_chain chain;

	assert_true(model_take(&rig->model, RX, &chain));
	/* Too short to be a frame, so that nothing is received; then the same again. */
	model_put_used(&rig->model, RX, chain.head, 5);
	model_put_used(&rig->model, RX, chain.head, 5);
	model_publish_used(&rig->model, RX);
}

static void transmit_id_not_in_flight(struct rig *rig)
{
	uint16_t id = frame_in_flight(rig);

	use(rig, TX, (id + 100u) % 256, 0);
	rig_send(rig, 60);
	model_interrupt(&rig->model, VIRTIO_INTERRUPT_QUEUE);
}

static void transmit_id_beyond_queue(struct rig *rig)
{
	frame_in_flight(rig);
	use(rig, TX, 0x10000, 0);
	model_interrupt(&rig->model, VIRTIO_INTERRUPT_QUEUE);
}

static void transmit_id_twice(struct rig *rig)
{
	uint16_t id = frame_in_flight(rig);

	rig_send(rig, 60); /* a second, so that two may be used */
	model_put_used(&rig->model, TX, id, 0);
	model_put_used(&rig->model, TX, id, 0);
	model_publish_used(&rig->model, TX);
	model_interrupt(&rig->model, VIRTIO_INTERRUPT_QUEUE);
}

static void test_ids(void **state __unused)
{
	must_break(receive_id_beyond_queue);
	must_break(receive_id_huge);
	must_break(receive_id_twice);
	must_break(transmit_id_not_in_flight);
	must_break(transmit_id_beyond_queue);
	must_break(transmit_id_twice);
}

/* The middle of a chain is no chain. */
static void test_id_within_chain(void **state __unused)
{
	struct model_options options = rig_options(true, 0); /* two descriptors for each frame */
	struct rig rig;

	rig_start(&rig, &options);
	uint64_t lines = host_log_lines();
	struct model_chain chain;

	assert_true(model_take(&rig.model, RX, &chain));
	use(&rig, RX, chain.head + 1u, 60);
	check_broken(&rig, lines);
	rig_stop(&rig);
}

/* Lengths */

static void length_beyond_buffer(struct rig *rig)
{
	struct model_chain chain;

	assert_true(model_take(&rig->model, RX, &chain));
	use(rig, RX, chain.head, chain.writable + 1);
}

static void length_huge(struct rig *rig)
{
	struct model_chain chain;

	assert_true(model_take(&rig->model, RX, &chain));
	use(rig, RX, chain.head, UINT32_MAX);
}

static void test_lengths_beyond_buffer(void **state __unused)
{
	must_break(length_beyond_buffer);
	must_break(length_huge);
}

/* A frame shorter than the header is dropped and counted; the queue lives on. */
static void test_lengths_below_header(void **state __unused)
{
	struct model_chain chain;
	struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		start_kind(&rig, i);
		uint16_t header = rig_vnet(&rig)->header_length;

		for (uint32_t length = 0; length < header; length++) {
			assert_true(model_take(&rig.model, RX, &chain));
			use(&rig, RX, chain.head, length);
			rig_run(&rig);
		}
		assert_int_equal(rig.received, 0);
		assert_int_equal(rig.net.drops[DROP_RX_DEVICE_ERROR], header);
		assert_int_equal(rig.dev->statistics.rx_errors, header);
		rig_check_traffic(&rig);
		rig_stop(&rig);
	}
}

/* Some devices report what they read of a transmit buffer: nobody cares. */
static void test_transmit_length(void **state __unused)
{
	struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		start_kind(&rig, i);
		use(&rig, TX, frame_in_flight(&rig), 12345);
		rig.hold_transmit = false;
		rig_check_traffic(&rig);
		rig_stop(&rig);
	}
}

/* Indices */

static void index_jumps_by_queue(struct rig *rig)
{
	model_lie_used_index(&rig->model, RX, 257);
}

static void index_jumps_far(struct rig *rig)
{
	model_lie_used_index(&rig->model, RX, 30000);
}

static void index_goes_back(struct rig *rig)
{
	model_lie_used_index(&rig->model, RX, UINT16_MAX);
}

static void transmit_index_jumps(struct rig *rig)
{
	frame_in_flight(rig);
	model_lie_used_index(&rig->model, TX, 2); /* one is in flight */
}

static void test_indices(void **state __unused)
{
	must_break(index_jumps_by_queue);
	must_break(index_jumps_far);
	must_break(index_goes_back);
	must_break(transmit_index_jumps);
}

/* A queue of impossible size: no interface, no crash. */
static void test_queue_sizes(void **state __unused)
{
	static const uint32_t sizes[] = {0, 3, 65535, UINT32_MAX};
	struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(sizes); j++) {
			struct model_options options = rig_options(kinds[i].legacy,
								   kinds[i].features);

			options.queue_size = sizes[j];
			rig_start(&rig, &options);
			assert_null(rig.dev);
			assert_true(rig.model.status & VIRTIO_STATUS_FAILED);
			rig_stop(&rig);
		}
	}
}

/* The control queue lies, too. */
static void test_control_queue(void **state __unused)
{
	struct rig rig;

	start_kind(&rig, 0);
	uint64_t lines = host_log_lines();

	use(&rig, VIRTIO_NET_QUEUE_CONTROL, 7, 1);
	model_interrupt(&rig.model, VIRTIO_INTERRUPT_QUEUE);
	check_broken(&rig, lines);
	rig_stop(&rig);
}

/* Descriptors that the device overwrites: the driver does not read them back. */
static void test_overwritten_descriptors(void **state __unused)
{
	struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		start_kind(&rig, i);
		struct virtqueue *vq = rig_vnet(&rig)->receive;
		struct model_chain chain;

		for (uint32_t n = 0; n < 10; n++) {
			assert_true(model_take(&rig.model, RX, &chain));
			memset(chain.segments[0].bytes, 0, HEADER);
			if (chain.segments[0].length >= HEADER)
				chain.segments[0].bytes[10] = 1;
			memset(&vq->descriptor_ring[chain.head], 0xff, sizeof(struct vring_desc));
			use(&rig, RX, chain.head, 5);
			rig_run(&rig);
		}
		assert_int_equal(rig.net.drops[DROP_RX_DEVICE_ERROR], 10);
		rig_stop(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_id_within_chain),
		cmocka_unit_test(test_lengths_beyond_buffer),
		cmocka_unit_test(test_lengths_below_header),
		cmocka_unit_test(test_transmit_length),
		cmocka_unit_test(test_indices),
		cmocka_unit_test(test_queue_sizes),
		cmocka_unit_test(test_control_queue),
		cmocka_unit_test(test_overwritten_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
