/* A stack's making, its time, and its end. See stack.h. */
#include "kernel/printk.h"
#include "kernel/string.h"
#include "net/core/poller.h"
#include "net/core/socket.h"
#include "net/ethernet/arp.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/icmp_wire.h"
#include "net/ipv4/ipv4_state.h"
#include "net/netlink/netlink.h"
#include "net/tcp/tcp.h"
#include "net/unix/unix.h"
#include "test/host/fuzz/stack/packet.h"
#include "test/host/fuzz/stack/stack.h"
#include "test/host/services/host.h"

#include "include/uapi/icmp.h"
#include "include/uapi/in.h"
#include "kernel/fs/file.h"

#define START_US (1000 * USEC_PER_SEC)
#define SLEEPS_MAX 32   /* events that a sleeping call waits for before a signal ends it */
#define WORK_MAX 200000 /* timers and rounds in one operation: more would never end */
/* Whom the last check speaks for: no input can name it, so nothing it did is in the way. */
#define WITNESS IP4(198, 18, 0, 2)
#define OURS_FOR_WITNESS IP4(198, 18, 0, 1)

static uint64_t bench_now(void *context)
{
	return ((struct bench *)context)->now_us;
}

/* splitmix64 */
static uint64_t next_random(struct bench *bench)
{
	uint64_t z = bench->random_state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static void bench_random(void *context, void *to, size_t n)
{
	uint8_t *bytes = to;

	while (n > 0) {
		uint64_t number = next_random(context);
		size_t part = MIN(n, sizeof(number));

		memcpy(bytes, &number, part);
		bytes += part;
		n -= part;
	}
}

void bench_count_work(struct bench *bench)
{
	CHECK(++bench->work < WORK_MAX);
}

void bench_run(struct bench *bench)
{
	while (net_run_softirq(&bench->net))
		bench_count_work(bench);
}

static void set_time(struct bench *bench, uint64_t now_us)
{
	bench->now_us = MAX(now_us, bench->now_us);
	host_clock_advance_to(bench->now_us);
}

void bench_advance(struct bench *bench, uint64_t us)
{
	uint64_t end_us = bench->now_us + us;

	bench_run(bench);
	for (;;) {
		uint64_t next_us = net_next_timer(&bench->net);

		if (next_us > end_us)
			break;
		set_time(bench, next_us);
		net_run_timers(&bench->net);
		bench_run(bench);
		bench_count_work(bench);
	}
	set_time(bench, end_us);
}

/* A call sleeps: the stack goes on working for a while, then a signal ends the call. */
static bool while_asleep(void *context, uint64_t deadline_us)
{
	struct bench *bench = context;

	if (++bench->sleeps > SLEEPS_MAX) {
		host_signal(true);
		return true;
	}
	if (net_work_pending(&bench->net)) {
		bench_run(bench);
		return true;
	}
	uint64_t next_us = net_next_timer(&bench->net);

	if (next_us == TIME_NEVER || next_us > deadline_us) {
		if (deadline_us == TIME_NEVER)
			host_signal(true);
		return deadline_us == TIME_NEVER;
	}
	set_time(bench, next_us);
	net_run_timers(&bench->net);
	return true;
}

static void register_calls(void)
{
	static bool done;

	if (!done)
		socket_syscalls_init();
	done = true;
}

static void configure(struct bench *bench)
{
	const struct route route = {.gateway = GATEWAY, .dev = &bench->wires[0]};
	struct net_device *lo = bench->net.loopback;

	net_lock(&bench->net);
	CHECK(ip4_add_address(lo, IP4_LOOPBACK, 8, 0) == 0 && netdev_up(lo) == 0);
	for (uint32_t i = 0; i < WIRES; i++)
		CHECK(netdev_up(&bench->wires[i]) == 0);
	CHECK(ip4_add_address(&bench->wires[0], OURS, 24, 0) == 0);
	CHECK(ip4_add_address(&bench->wires[1], OURS_BEHIND, 24, 0) == 0);
	CHECK(route_add(&bench->net, &route) == 0);
	CHECK(arp_set_permanent(&bench->wires[0], PEER, PEER_MAC[0], true) == 0);
	net_unlock(&bench->net);
}

void bench_create(struct bench *bench)
{
	const struct net_environment environment = {
		.now_us = bench_now, .random_bytes = bench_random, .context = bench};

	register_calls();
	bench->allocations = host_allocations_live();
	bench->now_us = START_US;
	bench->random_state = 1;
	bench->work = bench->sent_count = 0;
	bench->foreign_headers = bench->foreign_payload = bench->answering = false;
	host_random_seed(1);
	host_clock_virtual(START_US);
	host_on_sleep(while_asleep, bench);
	CHECK(net_init(&bench->net, &environment) == 0);
	CHECK(ethernet_init(&bench->net) == 0);
	CHECK(packet_init(&bench->net) == 0);
	CHECK(unix_init(&bench->net) == 0);
	host_set_current_net(&bench->net);
	CHECK(ipv4_init(&bench->net) == 0);
	CHECK(tcp_init(&bench->net) == 0);
	CHECK(netlink_init(&bench->net) == 0);
	for (uint32_t i = 0; i < WIRES; i++)
		wire_create(bench, i);
	configure(bench);
}

static void close_all(void)
{
	host_signal(true); /* nobody waits for what linger means */
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		(void)fd_close(fd);
	host_signal(false);
	host_unlink_all();
}

void spare_the_witness(uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++) {
		if (bytes[i] == WITNESS >> 24 && bytes[i + 1] == (WITNESS >> 16 & 0xff))
			bytes[i] = 0;
	}
}

/* The devices are as they were; addresses and routes may be as the input left them. */
static void restore(struct bench *bench)
{
	struct net_device *dev = &bench->wires[0];

	host_fail_allocation(0);
	bench->work = 0;
	close_all();
	bench_run(bench);
	ip4_stack(&bench->net)->settings.icmp_echo_ignore_all = 0;
	net_lock(&bench->net);
	netdev_set_carrier(dev, true);
	CHECK(netdev_set_mac(dev, OUR_MAC[0]) == 0);
	CHECK(netdev_set_mtu(dev, 1500) == 0);
	CHECK(netdev_up(dev) == 0);
	CHECK(ip4_add_address(dev, OURS_FOR_WITNESS, 24, 0) == 0);
	net_unlock(&bench->net);
	bench_run(bench);
}

/* An ARP request and an echo request get their replies, whatever happened before. */
static void check_still_answers(struct bench *bench)
{
	uint8_t frame[128];
	struct mac ours = bench->wires[0].mac;
	size_t length;

	bench->arp_replies = bench->echo_replies = 0;
	bench->answering = true;
	length = make_arp(frame, ARP_REQUEST, MAC_BROADCAST, PEER_MAC[0], WITNESS,
			  OURS_FOR_WITNESS);
	wire_deliver(bench, 0, frame, length, 0);
	length = make_echo(frame, ours, PEER_MAC[0], WITNESS, OURS_FOR_WITNESS);
	wire_deliver(bench, 0, frame, length, 0);
	bench_run(bench);
	CHECK(bench->arp_replies == 1);
	CHECK(bench->echo_replies == 1);
}

void bench_finish(struct bench *bench)
{
	restore(bench);
	check_still_answers(bench);
	netdev_unregister(&bench->wires[1]);
	netlink_destroy(&bench->net);
	tcp_destroy(&bench->net);
	ipv4_destroy(&bench->net);
	netdev_unregister(&bench->wires[0]);
	check_no_file_in_flight(bench);
	unix_destroy(&bench->net);
	packet_destroy(&bench->net);
	ethernet_destroy(&bench->net);
	net_destroy(&bench->net);
	host_proc_reset();
	host_set_current_net(NULL);
	host_on_sleep(NULL, NULL);
	CHECK(bench->net.live_skbs == 0);
	CHECK(bench->net.live_sockets == 0);
	CHECK(bench->net.timestamp_users == 0);
	CHECK(host_allocations_live() == bench->allocations);
}
