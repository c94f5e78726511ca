/*
 * The device model on its wire (test/host/tap/tap_device.h), with a pair of sockets in place of a
 * TAP and the real driver behind the registers: nothing is lost when one side is slower.
 *
 * Sockets have no offloads to be set; the line on stderr that says so is of no interest here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "drivers/virtio/virtio_mmio.h"
#include "drivers/virtio/virtio_net.h"
#include "test/host/tap/tap_device.h"
#include "test/host/unit/wire_pair.h"

#define HEADER VIRTIO_NET_HEADER_LENGTH
#define RING 256

static const struct mac OUR_MAC = {{2, 0, 0, 0, 0, 7}}, STRANGER = {{2, 0, 0, 0, 0, 8}};

struct bench {
	struct net net;
	struct link_type ethernet;
	struct virtio_bus bus;
	struct virtio_net_driver driver;
	struct virtio_device *found;
	struct net_device *dev;
	struct tap_device device;
	int wire; /* the other end */
	uint32_t received, shown;
	bool out_of_order;
};

static struct bench *bench;

static uint64_t now(void *context __unused)
{
	return USEC_PER_SEC;
}

static void zeroes(void *context __unused, void *to, size_t n)
{
	memset(to, 0, n);
}

static void interrupted(void *context __unused)
{
	if (bench->found)
		virtio_mmio_interrupt(bench->found);
}

static void frame_shown(void *context __unused, const void *bytes __unused, size_t length __unused)
{
	bench->shown++;
}

/* Frames carry their number behind the addresses. */
static void frame_received(struct net_device *dev __unused, struct sk_buff *skb)
{
	uint32_t number;

	skb_copy_bits(skb, 14, &number, sizeof(number));
	bench->out_of_order |= number != bench->received;
	bench->received++;
	skb_free(skb);
}

static void run_stack(void)
{
	while (net_run_softirq(&bench->net))
		;
}

static const struct virtio_mmio_io model_io = {.read = model_read, .write = model_write};

static void start(bool offload)
{
	const struct net_environment environment = {.now_us = now, .random_bytes = zeroes};
	struct tap_device_options options = {.mtu = 1500, .offload = offload};
	const struct tap_device_events events = {.interrupt = interrupted, .frame = frame_shown};
	int ends[2];

	bench = calloc(1, sizeof(*bench));
	assert_non_null(bench);
	assert_int_equal(wire_pair_make(ends), 0);
	bench->wire = ends[1];
	memcpy(options.mac, OUR_MAC.bytes, MAC_LENGTH);
	tap_device_init(&bench->device, ends[0], &options, &events);
	assert_int_equal(tap_device_interests(&bench->device), 0); /* nobody would take a frame */

	assert_int_equal(net_init(&bench->net, &environment), 0);
	bench->ethernet.type = 1; /* ARPHRD_ETHER */
	bench->ethernet.receive = frame_received;
	link_type_register(&bench->net, &bench->ethernet);
	virtio_bus_init(&bench->bus);
	virtio_net_register(&bench->driver, &bench->bus, &bench->net);
	bench->found = virtio_mmio_create(&model_io, &bench->device.model, "model");
	assert_non_null(bench->found);
	virtio_add_device(&bench->bus, bench->found);
	net_lock(&bench->net);
	bench->dev = netdev_by_name(&bench->net, "eth0");
	assert_non_null(bench->dev);
	assert_int_equal(netdev_up(bench->dev), 0);
	net_unlock(&bench->net);
	run_stack();
	assert_int_equal(tap_device_interests(&bench->device), EPOLLIN);
}

static void stop(void)
{
	assert_false(bench->out_of_order);
	if (bench->device.model.violations)
		fail_msg("the driver broke a rule: %s", bench->device.model.violation);
	virtio_bus_destroy(&bench->bus);
	net_destroy(&bench->net);
	assert_int_equal(bench->net.live_skbs, 0);
	close(bench->device.tap);
	close(bench->wire);
	free(bench);
}

/* A frame on the wire towards the device. */
static void put_frame(struct mac to, uint32_t number, size_t length)
{
	static uint8_t bytes[HEADER + 70000];

	memset(bytes, 0, HEADER + length);
	memcpy(bytes + HEADER, to.bytes, MAC_LENGTH);
	memcpy(bytes + HEADER + 14, &number, sizeof(number));
	assert_int_equal(write(bench->wire, bytes, HEADER + length), HEADER + length);
}

/* The driver sends a frame. */
static void send_frame(uint32_t number, size_t length)
{
	struct sk_buff *skb = skb_alloc(&bench->net, SKB_HEADROOM + length);

	assert_non_null(skb);
	skb_reserve(skb, SKB_HEADROOM);
	memset(skb_put(skb, length), 0, length);
	memcpy(skb->data + 14, &number, sizeof(number));
	net_lock(&bench->net);
	dev_xmit(bench->dev, skb);
	net_unlock(&bench->net);
}

/* Takes what is on the wire; the number of frames, which must count on from `first`. */
static uint32_t drain(uint32_t first)
{
	uint8_t bytes[HEADER + 2000];
	uint32_t count = 0, number;

	while (read(bench->wire, bytes, sizeof(bytes)) > 0) {
		memcpy(&number, bytes + HEADER + 14, sizeof(number));
		assert_int_equal(number, first + count);
		count++;
	}
	return count;
}

static void test_both_ways(void **state __unused)
{
	start(true);
	for (uint32_t i = 0; i < 10; i++)
		put_frame(OUR_MAC, i, 60 + i);
	tap_device_ready(&bench->device, EPOLLIN);
	run_stack();
	assert_int_equal(bench->received, 10);
	for (uint32_t i = 0; i < 10; i++)
		send_frame(i, 60 + i);
	assert_int_equal(drain(0), 10);
	assert_int_equal(bench->shown, 20);
	stop();
}

/* The wire blocks: frames wait in the driver's ring, and come out in order when it takes them. */
static void test_busy_wire(void **state __unused)
{
	uint32_t sent = 0, drained = 0;

	start(true);
	while (!bench->device.wire_busy)
		send_frame(sent++, 1000);
	for (uint32_t i = 0; i < 100; i++)
		send_frame(sent++, 1000);
	assert_int_equal(tap_device_interests(&bench->device), EPOLLIN | EPOLLOUT);
	while (bench->device.wire_busy) {
		uint32_t n = drain(drained);

		assert_true(n > 0);
		drained += n;
		tap_device_ready(&bench->device, EPOLLOUT);
	}
	drained += drain(drained);
	assert_int_equal(drained, sent);
	assert_int_equal(bench->net.drops[DROP_TX_QUEUE_FULL], 0);
	assert_int_equal(tap_device_interests(&bench->device), EPOLLIN);
	stop();
}

/*
 * The driver does not run: when its buffers are used up, the wire is not read, until it has put new
 * ones there.
 */
static void test_no_buffers(void **state __unused)
{
	uint32_t put = 0;

	start(true);
	while (tap_device_interests(&bench->device) & EPOLLIN) {
		put_frame(OUR_MAC, put++, 60);
		tap_device_ready(&bench->device, EPOLLIN);
		assert_true(put <= RING + 1);
	}
	assert_int_equal(put, RING + 1);
	assert_true(bench->device.frame_kept);
	tap_device_ready(&bench->device, EPOLLIN); /* and if it is ready for all that */
	run_stack();
	assert_int_equal(bench->received, put);
	assert_int_equal(tap_device_interests(&bench->device), EPOLLIN);
	stop();
}

static void test_frame_for_somebody_else(void **state __unused)
{
	start(true);
	put_frame(STRANGER, 77, 60);
	put_frame(OUR_MAC, 0, 60);
	tap_device_ready(&bench->device, EPOLLIN);
	run_stack();
	assert_int_equal(bench->received, 1);
	assert_int_equal(bench->device.filtered, 1);
	stop();
}

/* Without merged buffers, what is longer than a buffer does not hold up what comes behind it. */
static void test_frame_too_long(void **state __unused)
{
	start(false);
	put_frame(OUR_MAC, 77, 9000);
	put_frame(OUR_MAC, 0, 60);
	tap_device_ready(&bench->device, EPOLLIN);
	run_stack();
	assert_int_equal(bench->received, 1);
	assert_int_equal(bench->device.too_long, 1);
	stop();
}

/* A frame that was kept for a driver which then resets the device is lost with the others. */
static void test_reset_forgets_the_kept_frame(void **state __unused)
{
	uint32_t put = 0;

	start(true);
	while (!bench->device.frame_kept) {
		put_frame(OUR_MAC, put++, 60);
		tap_device_ready(&bench->device, EPOLLIN);
	}
	model_needs_reset(&bench->device.model);
	run_stack();
	assert_false(bench->device.frame_kept);
	assert_true(bench->received <= RING);
	bench->received = 0;
	put_frame(OUR_MAC, 0, 60);
	tap_device_ready(&bench->device, EPOLLIN);
	run_stack();
	assert_int_equal(bench->received, 1);
	stop();
}

/* The other end has gone. */
static void test_wire_that_refuses(void **state __unused)
{
	start(true);
	close(bench->wire);
	send_frame(0, 60);
	assert_int_equal(bench->device.refused, 1);
	assert_int_equal(tap_device_interests(&bench->device), EPOLLIN);
	bench->wire = -1;
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_busy_wire),
		cmocka_unit_test(test_no_buffers),
		cmocka_unit_test(test_frame_for_somebody_else),
		cmocka_unit_test(test_frame_too_long),
		cmocka_unit_test(test_reset_forgets_the_kept_frame),
		cmocka_unit_test(test_wire_that_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
