/* virtio-net over the device model: coming, going, running out of memory, being reset. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "include/uapi/if.h"
#include "kernel/string.h"
#include "test/host/services/host.h"
#include "test/host/unit/rig.h"

static const bool layouts[] = {false, true}; /* legacy? */

static void start_full(struct rig *rig, bool legacy)
{
	struct model_options options = rig_options(
		legacy, RIG_FEATURES_ALL | (legacy ? VIRTIO_F_ANY_LAYOUT : 0));

	rig_start(rig, &options);
	assert_non_null(rig->dev);
}

/* Two interfaces, named in the order of their coming. */
static void test_two_devices(void **state __unused)
{
	static const struct virtio_mmio_io io = {.read = model_read, .write = model_write};
	struct model_options options = rig_options(false, RIG_FEATURES_ALL);
	struct model_events events = {.context = NULL};
	struct virtio_model second;
	struct rig rig;

	rig_start(&rig, &options);
	options.mac[5] = 0x57;
	model_init(&second, &options, &events);
	virtio_add_device(&rig.bus, virtio_mmio_create(&io, &second, "second"));
	net_lock(&rig.net);
	const struct net_device *dev = netdev_by_name(&rig.net, "eth1");

	assert_non_null(dev);
	assert_int_equal(dev->mac.bytes[5], 0x57);
	assert_int_equal(rig.dev->mac.bytes[5], 0x56);
	net_unlock(&rig.net);
	rig_check_traffic(&rig);
	rig_run(&rig);
	rig_stop(&rig);
	assert_int_equal(second.violations, 0);
}

/* Configuration */

static void test_log_line(void **state __unused)
{
	struct rig rig;

	start_full(&rig, false);
	assert_string_equal(
		host_log_last(),
		"eth0: virtio-net 52:54:00:12:34:56 queue 256/256 features csum guest_csum "
		"mac guest_tso4 guest_ecn host_tso4 host_ecn mrg_rxbuf status ctrl_vq ctrl_rx "
		"indirect_desc event_idx version_1\n");
	rig_stop(&rig);
}

static void check_own_mac(struct rig *rig)
{
	assert_non_null(rig->dev);
	assert_false(mac_is_multicast(rig->dev->mac));
	assert_true(rig->dev->mac.bytes[0] & 2); /* locally administered */
	rig_stop(rig);
}

static void test_no_mac(void **state __unused)
{
	struct model_options options = rig_options(false, RIG_FEATURES_ALL & ~VIRTIO_NET_F_MAC);
	struct rig rig;

	rig_start(&rig, &options);
	check_own_mac(&rig);
}

static void test_multicast_mac(void **state __unused)
{
	struct model_options options = rig_options(false, RIG_FEATURES_ALL);
	struct rig rig;

	options.mac[0] = 0x53;
	rig_start(&rig, &options);
	check_own_mac(&rig);
	memset(options.mac, 0, sizeof(options.mac));
	rig_start(&rig, &options);
	check_own_mac(&rig);
}

static void test_mtu(void **state __unused)
{
	static const struct {
		bool merged;
		uint16_t offered;
		uint32_t mtu; /* what the interface has */
		bool accepted;
	} cases[] = {
		{true, 0, 1500, false},    {true, 67, 1500, false},     {true, 68, 68, true},
		{true, 1400, 1400, true},  {true, 65535, 65535, true},  {false, 1400, 1400, true},
		{false, 9216, 9216, true}, {false, 65535, 1500, false},
	};
	struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t merged = cases[i].merged ? VIRTIO_NET_F_MRG_RXBUF : 0;
		struct model_options options = rig_options(false, VIRTIO_NET_F_MTU | merged);

		options.mtu = cases[i].offered;
		rig_start(&rig, &options);
		assert_int_equal(rig.dev->mtu, cases[i].mtu);
		assert_int_equal(model_has(&rig.model, VIRTIO_NET_F_MTU), cases[i].accepted);
		rig_check_traffic(&rig);
		rig_stop(&rig);
	}
}

static void test_link(void **state __unused)
{
	struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		start_full(&rig, layouts[i]);
		assert_true(rig.dev->carrier);
		model_set_link(&rig.model, false);
		rig_run(&rig);
		assert_false(rig.dev->carrier);
		model_set_link(&rig.model, true);
		rig_run(&rig);
		assert_true(rig.dev->carrier);
		rig_check_traffic(&rig);
		rig_stop(&rig);
	}
}

static void test_link_down_at_start(void **state __unused)
{
	struct model_options options = rig_options(false, RIG_FEATURES_ALL);
	struct rig rig;

	options.link_up = false;
	rig_start(&rig, &options);
	assert_false(rig.dev->carrier);
	rig_stop(&rig);
}

static void test_config_never_settles(void **state __unused)
{
	struct model_options options = rig_options(false, RIG_FEATURES_ALL);
	struct rig rig;

	rig_prepare(&rig, &options);
	rig.model.unsettled_config = true;
	rig_probe(&rig);
	assert_non_null(rig.dev);
	rig_check_traffic(&rig);
	rig_stop(&rig);
}

/* The filter */

static void join(struct rig *rig, uint8_t last)
{
	struct mac mac = {{1, 0, 0x5e, 0, 0, last}};

	net_lock(&rig->net);
	assert_int_equal(netdev_multicast_join(rig->dev, mac), 0);
	net_unlock(&rig->net);
}

static void test_filter(void **state __unused)
{
	struct rig rig;

	start_full(&rig, false);
	assert_int_equal(rig.model.control_commands, 3);
	assert_int_equal(rig.model.unicast_count, 1);
	assert_memory_equal(rig.model.unicast[0], rig.dev->mac.bytes, 6);
	assert_false(rig.model.promiscuous);
	net_lock(&rig.net);
	netdev_promiscuous(rig.dev, 1);
	net_unlock(&rig.net);
	rig_run(&rig);
	assert_true(rig.model.promiscuous);
	join(&rig, 1);
	join(&rig, 2); /* while the first is on its way */
	rig_run(&rig);
	assert_int_equal(rig.model.multicast_count, 2);
	assert_false(rig.model.all_multicast);
	for (uint8_t i = 3; i < 40; i++)
		join(&rig, i);
	rig_run(&rig);
	assert_true(rig.model.all_multicast); /* too many for the table */
	rig_stop(&rig);
}

/* Memory runs out */

static void test_probe_without_memory(void **state __unused)
{
	struct model_options options = rig_options(false, RIG_FEATURES_ALL);
	struct rig rig;
	bool found = false;

	for (uint64_t nth = 1; !found; nth++) {
		assert_true(nth < 1000);
		rig_prepare(&rig, &options);
		host_fail_allocation(nth);
		rig_probe(&rig);
		found = rig.dev && host_allocations_made() < nth;
		host_fail_allocation(0);
		if (rig.dev) {
			rig_wait(&rig, VIRTIO_NET_RETRY_US);
			rig_check_traffic(&rig);
		}
		rig_stop(&rig);
	}
}

/* Merged buffers: what cannot become a packet is dropped, and its buffer serves the next frame. */
static void test_merged_receive_without_memory(void **state __unused)
{
	struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		start_full(&rig, layouts[i]);
		host_fail_allocations_from(1);
		for (uint32_t n = 0; n < 1000; n++)
			assert_true(rig_deliver(&rig, 1500));
		assert_int_equal(rig.received, 0);
		assert_int_equal(rig.net.drops[DROP_NO_MEMORY], 1000);
		assert_int_equal(model_available(&rig.model, VIRTIO_NET_QUEUE_RX), 256);
		host_fail_allocation(0);
		rig_check_traffic(&rig);
		rig_stop(&rig);
	}
}

static void test_refill_without_memory(void **state __unused)
{
	struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		struct model_options options = rig_options(layouts[i], VIRTIO_F_ANY_LAYOUT);

		rig_start(&rig, &options);
		host_fail_allocations_from(1);
		for (uint32_t n = 0; n < 256; n++)
			assert_true(rig_deliver(&rig, 60));
		/* Every buffer is used, none could be replaced. */
		assert_false(rig_deliver(&rig, 60));
		assert_int_equal(rig.received, 256);
		rig_wait(&rig, VIRTIO_NET_RETRY_US);
		assert_false(rig_deliver(&rig, 60));
		host_fail_allocation(0);
		rig_wait(&rig, VIRTIO_NET_RETRY_US);
		assert_int_equal(model_available(&rig.model, VIRTIO_NET_QUEUE_RX), 256);
		rig_check_traffic(&rig);
		rig_stop(&rig);
	}
}

/* No memory for an indirect table: the chain is laid out in the ring. */
static void test_indirect_without_memory(void **state __unused)
{
	struct rig rig;
	struct page *page;

	start_full(&rig, false);
	struct sk_buff *skb = rig_skb(&rig, 64);

	page = page_alloc();
	memset(page_address(page), 0, 100);
	assert_int_equal(skb_add_fragment(skb, page, 0, 100), 0);
	host_fail_allocations_from(1);
	rig_xmit(&rig, skb);
	rig_flush(&rig);
	host_fail_allocation(0);
	assert_int_equal(rig.sent, 1);
	assert_int_equal(rig.sent_bytes, 164);
	rig.garbled = false; /* it carried no pattern */
	rig_stop(&rig);
}

static void test_no_headroom_no_memory(void **state __unused)
{
	struct rig rig;

	start_full(&rig, false);
	struct sk_buff *skb = skb_alloc(&rig.net, 100);

	skb_put(skb, 100);
	host_fail_allocations_from(1);
	rig_xmit(&rig, skb);
	host_fail_allocation(0);
	assert_int_equal(rig.net.drops[DROP_NO_MEMORY], 1);
	rig_stop(&rig);
}

/* Interrupts that nobody expects */

static void test_spurious_interrupts(void **state __unused)
{
	struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		start_full(&rig, layouts[i]);
		for (uint32_t n = 0; n < 100; n++) {
			model_interrupt(&rig.model, n % 4);
			rig_run(&rig);
		}
		model_interrupt(&rig.model, ~0u);
		rig_run(&rig);
		assert_int_equal(rig.received, 0);
		rig_check_traffic(&rig);
		rig_stop(&rig);
	}
}

static void test_interrupt_before_driver_ok(void **state __unused)
{
	struct model_options options = rig_options(false, RIG_FEATURES_ALL);
	struct rig rig;

	rig_prepare(&rig, &options);
	static const struct virtio_mmio_io io = {.read = model_read, .write = model_write};

	/* The line rises before there is a driver, and is acknowledged. */
	rig.device = virtio_mmio_create(&io, &rig.model, "early");
	model_interrupt(&rig.model, VIRTIO_INTERRUPT_QUEUE | VIRTIO_INTERRUPT_CONFIG);
	assert_int_equal(rig.model.interrupt_status, 0);
	rig.device->transport->release(rig.device);
	rig_probe(&rig);
	rig_check_traffic(&rig);
	rig_stop(&rig);
}

/* Between any two of the driver's steps towards DRIVER_OK the line rises, with both causes. */
static void noisy_write(void *context, uint32_t offset, uint32_t width, uint32_t value)
{
	struct virtio_model *model = context;

	model_write(model, offset, width, value);
	if (offset != VIRTIO_MMIO_INTERRUPT_ACK && !(model->status & VIRTIO_STATUS_DRIVER_OK))
		model_interrupt(model, VIRTIO_INTERRUPT_QUEUE | VIRTIO_INTERRUPT_CONFIG);
}

static void test_interrupts_all_the_way_to_driver_ok(void **state __unused)
{
	static const struct virtio_mmio_io io = {.read = model_read, .write = noisy_write};
	struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		struct model_options options = rig_options(layouts[i], RIG_FEATURES_ALL);

		rig_prepare(&rig, &options);
		rig_probe_by(&rig, &io);
		assert_non_null(rig.dev);
		rig_check_traffic(&rig);
		model_needs_reset(&rig.model); /* and once more, with the queues of before */
		rig_run(&rig);
		rig_check_traffic(&rig);
		assert_int_equal(rig.net.drops[DROP_RX_DEVICE_ERROR], 0);
		rig_stop(&rig);
	}
}

/* Reset */

static void check_reset(struct rig *rig)
{
	uint64_t live = host_allocations_live(), resets = rig->model.resets;

	model_needs_reset(&rig->model);
	rig_run(rig);
	assert_true(rig->model.resets > resets);
	assert_int_equal(rig->model.status & VIRTIO_STATUS_NEEDS_RESET, 0);
	rig_check_traffic(rig);
	/* Buffers as before or fewer; the frame that was sent just now waits to be freed. */
	assert_true(host_allocations_live() <= live + 2);
}

static void test_needs_reset(void **state __unused)
{
	struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		start_full(&rig, layouts[i]);
		rig_check_traffic(&rig);
		check_reset(&rig);
		rig_wait(&rig, VIRTIO_NET_RESET_US);
		/* Frames on their way out are lost, not leaked. */
		rig.hold_transmit = true;
		for (uint32_t n = 0; n < 300; n++)
			rig_send(&rig, 60);
		rig.hold_transmit = false;
		check_reset(&rig);
		rig_stop(&rig);
	}
}

/* A device that asks without end is reset once a second. */
static void test_reset_storm(void **state __unused)
{
	struct rig rig;

	start_full(&rig, false);
	check_reset(&rig);
	uint64_t resets = rig.model.resets;

	for (uint32_t n = 0; n < 10; n++) {
		model_needs_reset(&rig.model);
		model_interrupt(&rig.model, VIRTIO_INTERRUPT_CONFIG);
		rig_run(&rig);
	}
	assert_int_equal(rig.model.resets, resets);
	rig_send(&rig, 60);
	assert_int_equal(rig.net.drops[DROP_DEVICE_DOWN], 1);
	rig_wait(&rig, VIRTIO_NET_RESET_US);
	assert_true(rig.model.resets > resets);
	rig_check_traffic(&rig);
	rig_stop(&rig);
}

static void test_reset_without_memory(void **state __unused)
{
	struct rig rig;

	start_full(&rig, false);
	host_fail_allocations_from(1);
	model_needs_reset(&rig.model);
	rig_run(&rig);
	host_fail_allocation(0);
	rig_wait(&rig, VIRTIO_NET_RESET_US);
	rig_check_traffic(&rig);
	rig_stop(&rig);
}

/* After the reset the device offers something else. */
static void test_features_change(void **state __unused)
{
	struct rig rig;

	start_full(&rig, false);
	rig.model.options.features = VIRTIO_F_VERSION_1;
	rig.model.options.queue_size = 64;
	check_reset(&rig);
	assert_int_equal(rig.dev->features & NETDEV_CHECKSUM_OFFLOAD, 0);
	assert_int_equal(rig_vnet(&rig)->receive->size, 64);
	rig_wait(&rig, VIRTIO_NET_RESET_US);
	rig.model.options.features = 0; /* not even VERSION_1 */
	model_needs_reset(&rig.model);
	rig_run(&rig);
	rig_send(&rig, 60);
	assert_int_equal(rig.net.drops[DROP_DEVICE_DOWN], 1);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_devices),
		cmocka_unit_test(test_log_line),
		cmocka_unit_test(test_no_mac),
		cmocka_unit_test(test_multicast_mac),
		cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_link_down_at_start),
		cmocka_unit_test(test_config_never_settles),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_probe_without_memory),
		cmocka_unit_test(test_merged_receive_without_memory),
		cmocka_unit_test(test_refill_without_memory),
		cmocka_unit_test(test_indirect_without_memory),
		cmocka_unit_test(test_no_headroom_no_memory),
		cmocka_unit_test(test_spurious_interrupts),
		cmocka_unit_test(test_interrupt_before_driver_ok),
		cmocka_unit_test(test_interrupts_all_the_way_to_driver_ok),
		cmocka_unit_test(test_needs_reset),
		cmocka_unit_test(test_reset_storm),
		cmocka_unit_test(test_reset_without_memory),
		cmocka_unit_test(test_features_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
