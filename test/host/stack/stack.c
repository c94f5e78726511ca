/* A stack on the host: its making and end, its clock and random numbers. See stack.h. */
#include "test/host/stack/stack.h"

#include "include/uapi/if_arp.h"
#include "kernel/clock.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/core/poller.h"
#include "net/core/socket.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/ipv4.h"
#include "net/ipv4/ipv4_state.h"
#include "net/netlink/netlink.h"
#include "net/tcp/tcp.h"
#include "net/unix/unix.h"
#include "test/host/services/host.h"
#include "test/host/stack/device.h"

/* In the order of the house. */
static const struct room {
	int (*init)(struct net *net);
	void (*destroy)(struct net *net);
	bool link; /* also with link_only */
} rooms[] = {
	{packet_init, packet_destroy, true},     {unix_init, unix_destroy, true},
	{ethernet_init, ethernet_destroy, true}, {ipv4_init, ipv4_destroy, false},
	{tcp_init, tcp_destroy, false},          {netlink_init, netlink_destroy, false},
};

/* Of the process: how many stacks there are, and what was allocated before the first. */
static uint32_t stack_count;
static uint64_t allocations_before;

static uint64_t stack_now(void *context __unused)
{
	return clock_now_us();
}

static uint64_t stack_realtime(void *context __unused)
{
	return clock_realtime_ns() / NSEC_PER_USEC;
}

/* splitmix64: eight bytes a step. */
static void stack_random(void *context, void *to, size_t n)
{
	struct host_stack *stack = context;
	uint8_t *bytes = to;

	while (n > 0) {
		uint64_t z = __atomic_add_fetch(&stack->random_state, 0x9e3779b97f4a7c15,
						__ATOMIC_RELAXED);
		size_t part = MIN(n, sizeof(z));

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
		z ^= z >> 31;
		memcpy(bytes, &z, part);
		bytes += part;
		n -= part;
	}
}

static void stir(const struct host_stack *stack)
{
	if (stack->options.stirred)
		stack->options.stirred(stack->options.context);
}

static void work_raised(void *context)
{
	struct host_stack *stack = context;

	__atomic_store_n(&stack->work, true, __ATOMIC_RELEASE);
	stir(stack);
}

static void timer_moved(void *context, uint64_t when_us __unused)
{
	stir(context);
}

static void destroy_rooms(struct host_stack *stack)
{
	while (stack->rooms)
		rooms[--stack->rooms].destroy(&stack->net);
	net_lock(&stack->net);
	link_type_unregister(&stack->net, &stack->bare_ip);
	net_unlock(&stack->net);
	net_destroy(&stack->net);
}

static int create_rooms(struct host_stack *stack)
{
	while (stack->rooms < ARRAY_SIZE(rooms)) {
		const struct room *room = &rooms[stack->rooms];

		if (stack->options.link_only && !room->link)
			return 0;
		int error = room->init(&stack->net);

		if (error)
			return error;
		stack->rooms++;
	}
	return 0;
}

static int bring_up_loopback(struct host_stack *stack) NEEDS_NET_LOCK
{
	struct net_device *lo = stack->net.loopback;

	if (!stack->options.link_only) {
		int error = ip4_add_address(lo, IP4_LOOPBACK, 8, 0);

		if (error)
			return error;
	}
	return netdev_up(lo);
}

int host_stack_create(struct host_stack *stack, const struct host_stack_options *options)
{
	const struct net_environment environment = {
		.now_us = stack_now,
		.realtime_us = stack_realtime,
		.random_bytes = stack_random,
		.timer_moved = timer_moved,
		.work_raised = work_raised,
		.context = stack,
	};
	uint64_t allocations = host_allocations_live();

	memset(stack, 0, sizeof(*stack));
	stack->options = *options;
	stack->random_state = options->seed;
	stack->bare_ip = (struct link_type){.type = ARPHRD_NONE, .receive = host_receive_bare_ip};
	int error = net_init(&stack->net, &environment);

	if (error)
		return error;
	link_type_register(&stack->net, &stack->bare_ip);
	error = create_rooms(stack);
	if (!error) {
		net_lock(&stack->net);
		error = bring_up_loopback(stack);
		net_unlock(&stack->net);
	}
	if (error) {
		destroy_rooms(stack);
		return error;
	}
	if (__atomic_fetch_add(&stack_count, 1, __ATOMIC_SEQ_CST) == 0)
		allocations_before = allocations;
	return 0;
}

struct host_leaks host_stack_destroy(struct host_stack *stack)
{
	host_remove_devices(stack);
	destroy_rooms(stack);
	struct host_leaks leaks = {.packets = stack->net.live_skbs,
				   .sockets = stack->net.live_sockets};

	if (__atomic_sub_fetch(&stack_count, 1, __ATOMIC_SEQ_CST) == 0)
		leaks.allocations = host_allocations_live() - allocations_before;
	return leaks;
}

bool host_stack_run(struct host_stack *stack)
{
	if (net_next_timer(&stack->net) <= clock_now_us())
		net_run_timers(&stack->net);
	if (__atomic_exchange_n(&stack->work, false, __ATOMIC_ACQ_REL) &&
	    net_run_softirq(&stack->net))
		__atomic_store_n(&stack->work, true, __ATOMIC_RELEASE);
	return __atomic_load_n(&stack->work, __ATOMIC_ACQUIRE);
}

uint64_t host_stack_next(struct host_stack *stack)
{
	if (__atomic_load_n(&stack->work, __ATOMIC_ACQUIRE))
		return clock_now_us();
	return net_next_timer(&stack->net);
}

static int add_default_route(struct net *net, ip4_t gateway) NEEDS_NET_LOCK
{
	const struct route route = {.gateway = gateway};

	return route_add(net, &route);
}

int host_stack_set_gateway(struct host_stack *stack, ip4_t gateway)
{
	net_lock(&stack->net);
	int error = add_default_route(&stack->net, gateway);

	net_unlock(&stack->net);
	return error;
}

void host_stack_set_forwarding(struct host_stack *stack, bool on)
{
	net_lock(&stack->net);
	ip4_stack(&stack->net)->settings.ip_forward = on;
	net_unlock(&stack->net);
}
