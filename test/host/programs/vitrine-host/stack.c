/* The stack and its device; see stack.h. What kernel/main.c does on the machine. */
#include "test/host/programs/vitrine-host/stack.h"

#include <string.h>
#include <sys/random.h>

#include "drivers/virtio/virtio_mmio.h"
#include "kernel/clock.h"
#include "kernel/errno.h"
#include "test/host/simulator/pcap.h"

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
		pcap_write(stack->pcap, bytes, (uint32_t)length,
			   clock_realtime_ns() / NSEC_PER_USEC);
}

static int make_net(struct stack *stack)
{
	struct host_stack_options options = {.seed = 0};

	if (getrandom(&options.seed, sizeof(options.seed), 0) != sizeof(options.seed))
		return -EIO;
	return host_stack_create(&stack->host, &options);
}

static const struct virtio_mmio_io model_io = {.read = model_read, .write = model_write};

static int find_device(struct stack *stack)
{
	virtio_bus_init(&stack->bus);
	virtio_net_register(&stack->driver, &stack->bus, &stack->host.net);
	stack->found = virtio_mmio_create(&model_io, &stack->device.model, "virtio-mmio");
	if (!stack->found)
		return -ENODEV;
	virtio_add_device(&stack->bus, stack->found);
	return 0;
}

static int bring_up(struct stack *stack) NEEDS_NET_LOCK
{
	stack->eth0 = netdev_by_name(&stack->host.net, "eth0");
	return stack->eth0 ? netdev_up(stack->eth0) : -ENODEV;
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
		net_lock(&stack->host.net);
		error = bring_up(stack);
		net_unlock(&stack->host.net);
	}
	if (error)
		fprintf(stderr, "vitrine-host: the stack does not start: %s\n", strerror(-error));
	return error;
}

struct host_leaks stack_stop(struct stack *stack)
{
	virtio_bus_destroy(&stack->bus);
	return host_stack_destroy(&stack->host);
}
