/* One stack on a wire that the test holds; see fixture.h. */
#include "test/host/unit/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/byteorder.h"
#include "net/ethernet/ethernet.h"

#define START_US (1000 * USEC_PER_SEC)

static uint64_t fixture_now(void *context)
{
	return ((struct fixture *)context)->now_us;
}

/* splitmix64 */
static void fixture_random(void *context, void *to, size_t n)
{
	struct fixture *f = context;
	uint8_t *bytes = to;

	for (size_t i = 0; i < n; i++) {
		uint64_t z = f->random_state += 0x9e3779b97f4a7c15;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
		bytes[i] = (uint8_t)(z ^ (z >> 31));
	}
}

static void wire_xmit(struct net_device *dev, struct sk_buff *skb)
{
	struct fixture *f = dev->driver;
	struct fixture_frame *frame = malloc(sizeof(*frame) + skb->len);

	assert_non_null(frame);
	assert_true(f->sent_count < FIXTURE_SENT_MAX);
	frame->length = skb->len;
	skb_copy_bits(skb, 0, frame->bytes, skb->len);
	f->sent[f->sent_count++] = frame;
	dev->statistics.tx_packets++;
	dev->statistics.tx_bytes += skb->len;
	skb_free(skb);
}

static void wire_flush(struct net_device *dev)
{
	((struct fixture *)dev->driver)->flushes++;
}

static void wire_set_rx_mode(struct net_device *dev)
{
	((struct fixture *)dev->driver)->rx_mode_changes++;
}

static const struct net_device_ops wire_ops = {
	.xmit = wire_xmit,
	.xmit_flush = wire_flush,
	.set_rx_mode = wire_set_rx_mode,
};

static void set_time(struct fixture *f, uint64_t now_us)
{
	f->now_us = now_us;
	host_clock_advance_to(now_us);
}

/*
 * A thread sleeps: the softirqs run, then the world does its part, then time jumps to the next
 * timer.
 */
static bool step(void *context, uint64_t deadline_us)
{
	struct fixture *f = context;

	if (net_work_pending(&f->net)) {
		fixture_run(f);
		return true;
	}
	if (f->while_asleep && f->while_asleep(f))
		return true;
	uint64_t next_us = net_next_timer(&f->net);

	if (next_us == TIME_NEVER || next_us > deadline_us)
		return false;
	set_time(f, MAX(next_us, f->now_us));
	net_run_timers(&f->net);
	fixture_run(f);
	return true;
}

void fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->allocations = host_allocations_live();
	f->now_us = START_US;
	f->random_state = 1;
	host_clock_virtual(START_US);
	host_on_sleep(step, f);

	const struct net_environment environment = {
		.now_us = fixture_now,
		.random_bytes = fixture_random,
		.context = f,
	};

	assert_int_equal(net_init(&f->net, &environment), 0);
	assert_int_equal(ethernet_init(&f->net), 0);
	assert_int_equal(packet_init(&f->net), 0);
	host_set_current_net(&f->net);
	netdev_init_ethernet(&f->dev, FIXTURE_MAC, &wire_ops, f);
	assert_int_equal(netdev_register(&f->net, &f->dev, "eth%d"), 0);
	net_lock(&f->net);
	assert_int_equal(netdev_up(f->net.loopback), 0);
	assert_int_equal(netdev_up(&f->dev), 0);
	net_unlock(&f->net);
}

void fixture_destroy(struct fixture *f)
{
	host_close_all();
	fixture_run(f);
	netdev_unregister(&f->dev);
	packet_destroy(&f->net);
	ethernet_destroy(&f->net);
	net_destroy(&f->net);
	fixture_clear_sent(f);
	host_proc_reset();
	host_set_current_net(NULL);
	host_on_sleep(NULL, NULL);
	assert_int_equal(f->net.live_skbs, 0);
	assert_int_equal(f->net.live_sockets, 0);
	assert_int_equal(f->net.timestamp_users, 0);
	assert_int_equal(host_allocations_live(), f->allocations);
}

void fixture_receive(struct fixture *f, const void *bytes, size_t n)
{
	struct sk_buff *skb = skb_alloc(&f->net, n);

	assert_non_null(skb);
	if (n)
		memcpy(skb_put(skb, n), bytes, n);
	net_lock(&f->net);
	netif_receive(&f->dev, skb);
	net_unlock(&f->net);
	fixture_run(f);
}

void fixture_receive_ethernet(struct fixture *f, struct mac destination, struct mac source,
			      uint16_t ethertype, const void *payload, size_t n)
{
	uint8_t *frame = malloc(ETHERNET_HEADER_LENGTH + n);

	assert_non_null(frame);
	memcpy(frame, destination.bytes, MAC_LENGTH);
	memcpy(frame + MAC_LENGTH, source.bytes, MAC_LENGTH);
	put_be16(frame + 2 * MAC_LENGTH, ethertype);
	if (n)
		memcpy(frame + ETHERNET_HEADER_LENGTH, payload, n);
	fixture_receive(f, frame, ETHERNET_HEADER_LENGTH + n);
	free(frame);
}

void fixture_run(struct fixture *f)
{
	while (net_run_softirq(&f->net))
		;
}

void fixture_advance(struct fixture *f, uint64_t us)
{
	uint64_t end_us = f->now_us + us;

	fixture_run(f);
	for (;;) {
		uint64_t next_us = net_next_timer(&f->net);

		if (next_us > end_us)
			break;
		set_time(f, MAX(next_us, f->now_us));
		net_run_timers(&f->net);
		fixture_run(f);
	}
	set_time(f, end_us);
}

const struct fixture_frame *fixture_sent(struct fixture *f, uint32_t i)
{
	assert_true(i < f->sent_count);
	return f->sent[i];
}

void fixture_clear_sent(struct fixture *f)
{
	while (f->sent_count)
		free(f->sent[--f->sent_count]);
}

uint64_t fixture_drops(struct fixture *f, enum drop_reason reason)
{
	return f->net.drops[reason];
}
