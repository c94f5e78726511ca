/* Interfaces: names, state, notifiers, filters, ioctls, the two doors, loopback, pollers, /proc. */
#include "test/host/unit/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "include/uapi/if_arp.h"
#include "include/uapi/sockios.h"

static struct fixture f;

static int set_up(void **state __unused)
{
	fixture_init(&f);
	return 0;
}

static int tear_down(void **state __unused)
{
	host_fail_allocation(0);
	fixture_destroy(&f);
	return 0;
}

static const struct net_device_ops no_ops = {0};

static void names_and_indices(void **state __unused)
{
	struct net_device one, two, other;

	netdev_init_ethernet(&one, FIXTURE_MAC, &no_ops, NULL);
	netdev_init_ethernet(&two, FIXTURE_MAC, &no_ops, NULL);
	netdev_init_ethernet(&other, FIXTURE_MAC, &no_ops, NULL);
	assert_int_equal(netdev_register(&f.net, &one, "eth%d"), 0);
	assert_string_equal(one.name, "eth1");
	assert_int_equal(netdev_register(&f.net, &two, "eth%d"), 0);
	assert_string_equal(two.name, "eth2");
	assert_int_equal(netdev_register(&f.net, &other, "eth2"), -EEXIST);
	netdev_unregister(&one);
	assert_int_equal(netdev_register(&f.net, &other, "eth%d"), 0);
	assert_string_equal(other.name, "eth1");
	assert_true(other.ifindex > two.ifindex); /* never used again */
	net_lock(&f.net);
	assert_ptr_equal(netdev_by_name(&f.net, "eth2"), &two);
	assert_ptr_equal(netdev_by_index(&f.net, two.ifindex), &two);
	assert_null(netdev_by_name(&f.net, "eth3"));
	assert_null(netdev_by_index(&f.net, 0));
	assert_ptr_equal(netdev_by_index(&f.net, 1), f.net.loopback);
	net_unlock(&f.net);
	netdev_unregister(&two);
	netdev_unregister(&other);
}

static struct {
	enum device_event events[16];
	uint32_t count;
} seen;

static void note(struct device_notifier *notifier __unused, struct net_device *dev __unused,
		 enum device_event event)
{
	seen.events[seen.count++] = event;
}

static int open_result;

static int failing_open(struct net_device *dev __unused)
{
	return open_result;
}

static void notifiers_hear_of_changes(void **state __unused)
{
	const struct net_device_ops ops = {.open = failing_open};
	struct device_notifier notifier = {.changed = note};
	struct net_device dev;

	seen.count = 0;
	netdev_init_ethernet(&dev, FIXTURE_MAC, &ops, NULL);
	assert_int_equal(netdev_register(&f.net, &dev, "eth%d"), 0);
	net_lock(&f.net);
	device_notifier_register(&f.net, &notifier);
	open_result = -EIO;
	assert_int_equal(netdev_up(&dev), -EIO);
	assert_int_equal(seen.count, 0);
	open_result = 0;
	assert_int_equal(netdev_up(&dev), 0);
	assert_int_equal(netdev_up(&dev), 0);
	netdev_set_carrier(&dev, true); /* it is */
	netdev_set_carrier(&dev, false);
	assert_int_equal(netdev_flags(&dev) & (IFF_UP | IFF_RUNNING), IFF_UP);
	assert_int_equal(netdev_set_mtu(&dev, 1400), 0);
	assert_int_equal(netdev_set_mtu(&dev, 67), -EINVAL);
	assert_int_equal(netdev_set_mtu(&dev, 1501), -EINVAL);
	assert_int_equal(netdev_set_mac(&dev, FIXTURE_PEER), 0);
	assert_int_equal(netdev_set_mac(&dev, MAC_BROADCAST), -EADDRNOTAVAIL);
	assert_int_equal(netdev_set_mac(&dev, MAC_ZERO), -EADDRNOTAVAIL);
	assert_int_equal(netdev_set_mac(f.net.loopback, FIXTURE_PEER), -EOPNOTSUPP);
	net_unlock(&f.net);
	netdev_unregister(&dev);

	const enum device_event expected[] = {DEVICE_UP,  DEVICE_CARRIER,    DEVICE_MTU,
					      DEVICE_MAC, DEVICE_DOWN_EVENT, DEVICE_GONE};

	assert_int_equal(seen.count, ARRAY_SIZE(expected));
	assert_memory_equal(seen.events, expected, sizeof(expected));
	list_remove(&notifier.link);
}

static void filters_are_counted(void **state __unused)
{
	const struct mac group = {{1, 0, 0x5e, 0, 0, 1}};

	net_lock(&f.net);
	netdev_promiscuous(&f.dev, 1);
	netdev_promiscuous(&f.dev, 1);
	netdev_promiscuous(&f.dev, -1);
	assert_true(f.dev.flags & IFF_PROMISC);
	netdev_promiscuous(&f.dev, -1);
	assert_false(f.dev.flags & IFF_PROMISC);
	netdev_all_multicast(&f.dev, 1);
	assert_true(f.dev.flags & IFF_ALLMULTI);
	netdev_all_multicast(&f.dev, -1);
	assert_int_equal(f.rx_mode_changes, 4);

	assert_int_equal(netdev_multicast_join(&f.dev, group), 0);
	assert_int_equal(netdev_multicast_join(&f.dev, group), 0);
	netdev_multicast_leave(&f.dev, group);
	assert_true(netdev_multicast_wanted(&f.dev, group));
	netdev_multicast_leave(&f.dev, group);
	assert_false(netdev_multicast_wanted(&f.dev, group));
	netdev_multicast_leave(&f.dev, group); /* once too often: harmless */
	assert_int_equal(f.rx_mode_changes, 6);
	host_fail_allocation(1);
	assert_int_equal(netdev_multicast_join(&f.dev, group), -ENOMEM);
	host_fail_allocation(0);
	assert_int_equal(netdev_multicast_join(&f.dev, group),
			 0); /* fixture_destroy: freed with the device */
	net_unlock(&f.net);
}

static struct sk_buff *packet(size_t n, uint16_t protocol)
{
	struct sk_buff *skb = skb_alloc(&f.net, SKB_HEADROOM + n);

	skb_reserve(skb, SKB_HEADROOM);
	memset(skb_put(skb, n), 0x55, n);
	skb->protocol = protocol;
	return skb;
}

static uint32_t received;
static struct sk_buff *last_received;

static void take(struct net_device *dev __unused, struct sk_buff *skb)
{
	received++;
	if (last_received)
		skb_free(last_received);
	last_received = skb;
}

static struct link_protocol taker = {.ethertype = 0x9999, .receive = take};

static void drop_last(void)
{
	skb_free(last_received);
	last_received = NULL;
	list_remove(&taker.link);
}

static void loopback_brings_packets_back(void **state __unused)
{
	struct sk_buff *skb = packet(100, 0x9999);

	received = 0;
	link_protocol_register(&f.net, &taker);
	skb->checksum = SKB_CHECKSUM_PARTIAL;
	net_lock(&f.net);
	dev_xmit(f.net.loopback, skb);
	net_unlock(&f.net);
	assert_int_equal(received, 0); /* from the softirq, not from the sender */
	assert_true(net_work_pending(&f.net));
	fixture_run(&f);
	assert_int_equal(received, 1);
	assert_int_equal(last_received->checksum, SKB_CHECKSUM_VERIFIED);
	assert_ptr_equal(last_received->dev, f.net.loopback);
	assert_int_equal(last_received->packet_type, SKB_HOST);
	assert_int_equal(f.net.loopback->statistics.tx_packets, 1);
	assert_int_equal(f.net.loopback->statistics.rx_bytes, 100);
	drop_last();
}

static void loopback_queue_is_bounded(void **state __unused)
{
	received = 0;
	link_protocol_register(&f.net, &taker);
	net_lock(&f.net);
	for (int i = 0; i < 1500; i++)
		dev_xmit(f.net.loopback, packet(10, 0x9999));
	net_unlock(&f.net);
	assert_int_equal(fixture_drops(&f, DROP_RX_BACKLOG_FULL), 500);
	assert_true(net_run_softirq(&f.net)); /* a round's budget is smaller */
	assert_int_equal(received, NET_POLL_BUDGET);
	fixture_run(&f);
	assert_int_equal(received, 1000);

	net_lock(&f.net);
	for (int i = 0; i < 100; i++)
		dev_xmit(f.net.loopback, packet(60000, 0x9999));
	assert_true(f.net.backlog.truesize < 3 << 20);
	netdev_down(f.net.loopback);
	assert_int_equal(f.net.backlog.length, 0);
	dev_xmit(f.net.loopback, packet(10, 0x9999));
	net_unlock(&f.net);
	assert_true(fixture_drops(&f, DROP_DEVICE_DOWN) > 1);
	drop_last();
}

static void a_device_that_is_down_is_silent(void **state __unused)
{
	uint8_t frame[60] = {0};

	net_lock(&f.net);
	netdev_down(&f.dev);
	dev_xmit(&f.dev, packet(60, 0x9999));
	net_unlock(&f.net);
	fixture_receive(&f, frame, sizeof(frame));
	assert_int_equal(fixture_drops(&f, DROP_DEVICE_DOWN), 2);
	assert_int_equal(f.sent_count, 0);
	assert_int_equal(f.dev.statistics.tx_dropped, 1);
}

static void transmission_completes_checksums_and_flushes_once(void **state __unused)
{
	net_lock(&f.net);
	for (int i = 0; i < 3; i++) {
		struct sk_buff *skb = packet(60, 0x9999);

		memset(skb->data, 0, 60);
		skb->data[20] = 0x12;
		skb->checksum = SKB_CHECKSUM_PARTIAL;
		skb->csum_start = SKB_HEADROOM + 20;
		skb->csum_offset = 10;
		dev_xmit(&f.dev, skb);
	}
	assert_int_equal(f.flushes, 0);
	net_unlock(&f.net);
	assert_int_equal(f.flushes, 1);
	assert_int_equal(f.sent_count, 3);
	assert_int_equal(fixture_sent(&f, 0)->bytes[30], 0xed);
	assert_int_equal(fixture_sent(&f, 0)->bytes[31], 0xff);

	f.dev.features = NETDEV_CHECKSUM_OFFLOAD;
	struct sk_buff *skb = packet(60, 0x9999);

	skb->checksum = SKB_CHECKSUM_PARTIAL;
	net_lock(&f.net);
	dev_xmit(&f.dev, skb);
	net_unlock(&f.net);
	assert_int_equal(fixture_sent(&f, 3)->bytes[30], 0x55);
}

static void receiving_without_a_link_type(void **state __unused)
{
	uint8_t frame[60] = {0};

	f.dev.link_type = NULL;
	fixture_receive(&f, frame, sizeof(frame));
	assert_int_equal(fixture_drops(&f, DROP_ETH_UNKNOWN_TYPE), 1);
}

struct counting_poller {
	struct net_poller poller;
	uint32_t left, calls;
	bool again; /* an interrupt comes while it runs */
};

static bool counting_poll(struct net_poller *poller, uint32_t budget)
{
	struct counting_poller *counting = container_of(poller, struct counting_poller, poller);

	counting->calls++;
	counting->left -= MIN(counting->left, budget);
	if (counting->again) {
		counting->again = false;
		counting->left = 1;
		net_poller_schedule(poller);
		return false;
	}
	return counting->left > 0;
}

static void pollers_run_in_rounds(void **state __unused)
{
	struct counting_poller a = {.left = 130}, b = {.left = 1};

	net_poller_init(&a.poller, &f.net, counting_poll);
	net_poller_init(&b.poller, &f.net, counting_poll);
	assert_false(net_work_pending(&f.net));
	net_poller_schedule(&a.poller);
	net_poller_schedule(&a.poller);
	net_poller_schedule(&b.poller);
	assert_true(net_work_pending(&f.net));
	assert_true(net_run_softirq(&f.net));
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
	assert_true(net_run_softirq(&f.net));
	assert_false(net_run_softirq(&f.net));
	assert_int_equal(a.calls, 3);
	assert_int_equal(b.calls, 1);

	b.again = true; /* scheduled while running: not lost */
	net_poller_schedule(&b.poller);
	assert_true(net_run_softirq(&f.net));
	assert_false(net_run_softirq(&f.net));
	assert_int_equal(b.calls, 3);

	net_poller_schedule(&a.poller);
	net_lock(&f.net);
	net_poller_remove(&a.poller);
	net_unlock(&f.net);
	assert_false(net_run_softirq(&f.net));
	assert_int_equal(a.calls, 3);
}

/* A device ioctl on eth0. */
static int device_call(uint32_t command, struct ifreq *request)
{
	strcpy(request->ifr_name, "eth0");
	net_lock(&f.net);
	int result = device_ioctl(&f.net, command, request);

	net_unlock(&f.net);
	return result;
}

static void the_ioctls_of_a_device(void **state __unused)
{
	struct ifreq request = {0};

	assert_int_equal(device_call(SIOCGIFFLAGS, &request), 0);
	assert_int_equal((uint16_t)request.ifr_flags,
			 IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_MULTICAST);
	request.ifr_flags = IFF_UP | IFF_PROMISC | IFF_ALLMULTI;
	assert_int_equal(device_call(SIOCSIFFLAGS, &request), 0);
	assert_int_equal(device_call(SIOCSIFFLAGS, &request), 0);
	assert_int_equal(f.dev.promiscuous, 1);
	assert_int_equal(f.dev.all_multicast, 1);
	request.ifr_flags = 0;
	assert_int_equal(device_call(SIOCSIFFLAGS, &request), 0);
	assert_int_equal(f.dev.flags & (IFF_UP | IFF_PROMISC | IFF_ALLMULTI), 0);
	assert_int_equal(device_call(SIOCGIFMTU, &request), 0);
	assert_int_equal(request.ifr_mtu, 1500);
	request.ifr_mtu = 576;
	assert_int_equal(device_call(SIOCSIFMTU, &request), 0);
	assert_int_equal(f.dev.mtu, 576);
	request.ifr_mtu = -1;
	assert_int_equal(device_call(SIOCSIFMTU, &request), -EINVAL);
	assert_int_equal(device_call(SIOCGIFHWADDR, &request), 0);
	assert_int_equal(request.ifr_hwaddr.sa_family, ARPHRD_ETHER);
	assert_memory_equal(request.ifr_hwaddr.sa_data, FIXTURE_MAC.bytes, 6);
	request.ifr_hwaddr.sa_data[5] = 9;
	assert_int_equal(device_call(SIOCSIFHWADDR, &request), 0);
	assert_int_equal(f.dev.mac.bytes[5], 9);
	request.ifr_hwaddr.sa_family = AF_INET;
	assert_int_equal(device_call(SIOCSIFHWADDR, &request), -EINVAL);
	assert_int_equal(device_call(SIOCGIFINDEX, &request), 0);
	assert_int_equal(request.ifr_ifindex, f.dev.ifindex);
	memset(request.ifr_name, 0, sizeof(request.ifr_name));
	net_lock(&f.net);
	assert_int_equal(device_ioctl(&f.net, SIOCGIFNAME, &request), 0);
	assert_string_equal(request.ifr_name, "eth0");
	request.ifr_ifindex = 99;
	assert_int_equal(device_ioctl(&f.net, SIOCGIFNAME, &request), -ENODEV);
	strcpy(request.ifr_name, "eth7");
	assert_int_equal(device_ioctl(&f.net, SIOCGIFFLAGS, &request), -ENODEV);
	memset(request.ifr_name, 'x', sizeof(request.ifr_name)); /* no end */
	assert_int_equal(device_ioctl(&f.net, SIOCGIFFLAGS, &request), -ENODEV);
	net_unlock(&f.net);
	assert_int_equal(device_call(SIOCGIFTXQLEN, &request), 0);
	assert_int_equal(request.ifr_qlen, 1000);
	assert_int_equal(device_call(SIOCGIFMETRIC, &request), 0);
	assert_int_equal(request.ifr_metric, 0);
	assert_int_equal(device_call(SIOCGIFMAP, &request), 0);
	assert_int_equal(device_call(SIOCETHTOOL, &request), -EOPNOTSUPP);
	assert_int_equal(device_call(SIOCSIFMETRIC, &request), -EOPNOTSUPP);
	assert_int_equal(device_call(0x89ff, &request), -ENOTTY);
}

static bool wanted(struct mac group)
{
	net_lock(&f.net);
	bool is_wanted = netdev_multicast_wanted(&f.dev, group);

	net_unlock(&f.net);
	return is_wanted;
}

static void multicast_by_ioctl(void **state __unused)
{
	const struct mac group = {{1, 0, 0x5e, 1, 2, 3}};
	struct ifreq request = {0};

	memcpy(request.ifr_hwaddr.sa_data, group.bytes, 6);
	assert_int_equal(device_call(SIOCDELMULTI, &request), -ENOENT);
	assert_int_equal(device_call(SIOCADDMULTI, &request), 0);
	assert_true(wanted(group));
	assert_int_equal(device_call(SIOCDELMULTI, &request), 0);
	assert_false(wanted(group));
	request.ifr_hwaddr.sa_data[0] = 2;
	assert_int_equal(device_call(SIOCADDMULTI, &request), -EINVAL);
	request.ifr_hwaddr.sa_family = AF_INET;
	assert_int_equal(device_call(SIOCADDMULTI, &request), -EINVAL);
}

static void proc_files(void **state __unused)
{
	char text[8192];

	assert_int_equal(netdev_proc_init(&f.net), 0);
	f.dev.statistics.rx_bytes = 1234;
	f.dev.statistics.rx_packets = 5;
	f.dev.statistics.tx_bytes = 99;
	assert_true(host_proc_read("net/dev", text, sizeof(text)) > 0);
	assert_non_null(strstr(
		text,
		"Inter-|   Receive                                                |  Transmit\n"
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
		"packets errs drop fifo colls carrier compressed\n"));
	assert_non_null(strstr(text,
			       "  eth0:    1234       5    0    0    0     0          0         0"
			       "       99       0    0    0    0     0       0          0\n"));
	assert_non_null(strstr(text, "    lo:       0       0 "));

	f.net.drops[DROP_ETH_SHORT] = 42;
	assert_true(host_proc_read("net/drops", text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "ETH_SHORT 42\n"));
	assert_non_null(strstr(text, "UDP_SHORT 0\n"));
	assert_int_equal(host_proc_write("sys/net/core/rmem_max", "1"), -EINVAL);
	assert_int_equal(host_proc_write("sys/net/core/rmem_max", "400000"), 0);
	assert_int_equal(f.net.core.rmem_max, 400000);
	assert_int_equal(host_proc_read("sys/net/core/somaxconn", text, sizeof(text)), 5);
	assert_string_equal(text, "4096\n");
}

static void a_stack_without_memory_is_not_made(void **state __unused)
{
	struct net_environment environment = f.net.environment;
	struct net net;

	host_fail_allocation(1);
	assert_int_equal(net_init(&net, &environment), -ENOMEM);
}

static uint32_t work_raised, timer_moved;

static void note_work(void *context __unused)
{
	work_raised++;
}

static void note_timer(void *context __unused, uint64_t when_us __unused)
{
	timer_moved++;
}

static uint64_t wall_clock(void *context __unused)
{
	return 77;
}

static void no_fire(struct timer *timer __unused)
{
}

static void the_environment_is_told(void **state __unused)
{
	struct timer timer;

	assert_int_equal(net_realtime(&f.net), f.now_us);
	f.net.environment.realtime_us = wall_clock;
	assert_int_equal(net_realtime(&f.net), 77);
	f.net.environment.work_raised = note_work;
	f.net.environment.timer_moved = note_timer;
	net_lock(&f.net);
	dev_xmit(f.net.loopback, packet(1, 0x9999));
	dev_xmit(f.net.loopback, packet(1, 0x9999));
	assert_int_equal(work_raised, 1);
	timer_init(&timer, no_fire);
	net_timer_arm(&f.net, &timer, f.now_us + 5);
	assert_int_equal(timer_moved, 1);
	net_timer_cancel(&f.net, &timer);
	net_unlock(&f.net);
	assert_int_equal(net_next_timer(&f.net), TIME_NEVER);
	assert_int_not_equal(net_random_u32(&f.net), net_random_u32(&f.net));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(names_and_indices),
		TEST(notifiers_hear_of_changes),
		TEST(filters_are_counted),
		TEST(loopback_brings_packets_back),
		TEST(loopback_queue_is_bounded),
		TEST(a_device_that_is_down_is_silent),
		TEST(transmission_completes_checksums_and_flushes_once),
		TEST(receiving_without_a_link_type),
		TEST(pollers_run_in_rounds),
		TEST(the_ioctls_of_a_device),
		TEST(multicast_by_ioctl),
		TEST(proc_files),
		TEST(a_stack_without_memory_is_not_made),
		TEST(the_environment_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
