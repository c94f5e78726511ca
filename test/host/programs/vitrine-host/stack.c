/* The stack and its device; see stack.h. What kernel/main.c does on the machine. */
#include "test/host/programs/vitrine-host/stack.h"

#include <string.h>
#include <sys/random.h>

#include "drivers/virtio/virtio_mmio.h"
#include "kernel/clock.h"
#include "kernel/errno.h"
#include "kernel/printk.h"
#include "net/core/socket.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/ipv4.h"
#include "test/host/simulator/pcap.h"

static uint64_t now_us(void *context __unused)
{
	return clock_now_us();
}

static uint64_t realtime_us(void *context __unused)
{
	return clock_realtime_ns() / NSEC_PER_USEC;
}

static void random_bytes_of_machine(void *context __unused, void *to, size_t n)
{
	uint8_t *bytes = to;

	while (n > 0) {
		ssize_t got = getrandom(bytes, n, 0);

		if (got < 0)
			continue; /* a signal */
		bytes += got;
		n -= (size_t)got;
	}
}

static void work_raised(void *context)
{
	struct stack *stack = context;

	stack->work = true;
}

static void interrupted(void *context)
{
	struct stack *stack = context;

	if (stack->found)
		virtio_mmio_interrupt(stack->found);
}

static void frame_seen(void *context, const void *bytes, size_t length)
{
	struct stack *stack = context;

	if (stack->pcap)
		pcap_write(stack->pcap, bytes, (uint32_t)length, realtime_us(NULL));
}

static int make_net(struct stack *stack)
{
	const struct net_environment environment = {
		.now_us = now_us,
		.realtime_us = realtime_us,
		.random_bytes = random_bytes_of_machine,
		.work_raised = work_raised,
		.context = stack,
	};
	int error = net_init(&stack->net, &environment);

	if (!error)
		error = packet_init(&stack->net);
	if (!error)
		error = ethernet_init(&stack->net);
	if (!error)
		error = ipv4_init(&stack->net);
	return error;
}

static const struct virtio_mmio_io model_io = {.read = model_read, .write = model_write};

static int find_device(struct stack *stack)
{
	virtio_bus_init(&stack->bus);
	virtio_net_register(&stack->driver, &stack->bus, &stack->net);
	stack->found = virtio_mmio_create(&model_io, &stack->device.model, "virtio-mmio");
	if (!stack->found)
		return -ENODEV;
	virtio_add_device(&stack->bus, stack->found);
	return 0;
}

static int bring_up(struct stack *stack) NEEDS_NET_LOCK
{
	stack->eth0 = netdev_by_name(&stack->net, "eth0");
	if (!stack->eth0)
		return -ENODEV;
	int error = ip4_add_address(stack->net.loopback, IP4_LOOPBACK, 8, 0);

	if (!error)
		error = netdev_up(stack->net.loopback);
	return error ? error : netdev_up(stack->eth0);
}

int stack_start(struct stack *stack, int tap, const struct tap_device_options *options, FILE *pcap)
{
	const struct tap_device_events events = {
		.interrupt = interrupted, .frame = frame_seen, .context = stack};

	stack->pcap = pcap;
	tap_device_init(&stack->device, tap, options, &events);
	int error = make_net(stack);

	if (!error)
		error = find_device(stack);
	if (!error) {
		net_lock(&stack->net);
		error = bring_up(stack);
		net_unlock(&stack->net);
	}
	if (error)
		fprintf(stderr, "vitrine-host: the stack does not start: %s\n", strerror(-error));
	return error;
}

void stack_stop(struct stack *stack)
{
	virtio_bus_destroy(&stack->bus);
	ipv4_destroy(&stack->net);
	ethernet_destroy(&stack->net);
	packet_destroy(&stack->net);
	net_destroy(&stack->net);
}

bool stack_run(struct stack *stack)
{
	if (net_next_timer(&stack->net) <= clock_now_us())
		net_run_timers(&stack->net);
	if (stack->work) {
		stack->work = false;
		stack->work |= net_run_softirq(&stack->net);
	}
	return stack->work;
}
