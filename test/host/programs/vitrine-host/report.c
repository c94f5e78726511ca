/* The last words; see report.h. */
#include "test/host/programs/vitrine-host/report.h"

#include <stdio.h>

typedef unsigned long long number; /* for printf */

static void report_interface(const struct net_device *dev)
{
	const struct net_device_statistics *s = &dev->statistics;

	printf("%s: received %llu packets, %llu bytes, %llu errors, %llu dropped\n", dev->name,
	       (number)s->rx_packets, (number)s->rx_bytes, (number)s->rx_errors,
	       (number)s->rx_dropped);
	printf("%s: sent %llu packets, %llu bytes, %llu errors, %llu dropped\n", dev->name,
	       (number)s->tx_packets, (number)s->tx_bytes, (number)s->tx_errors,
	       (number)s->tx_dropped);
}

static void report_device(const struct tap_device *device)
{
	const struct model_queue *receive = &device->model.queues[VIRTIO_NET_QUEUE_RX];
	const struct model_queue *transmit = &device->model.queues[VIRTIO_NET_QUEUE_TX];

	printf("device: receive queue %llu notifications, %llu interrupts; "
	       "transmit queue %llu notifications, %llu interrupts\n",
	       (number)receive->notifications, (number)receive->interrupts,
	       (number)transmit->notifications, (number)transmit->interrupts);
	printf("device: %llu frames not asked for by the driver, %llu too long for its buffers, "
	       "%llu refused by the TAP\n",
	       (number)device->filtered, (number)device->too_long, (number)device->refused);
}

void report_counters(const struct stack *stack)
{
	report_interface(stack->eth0);
	report_device(&stack->device);
	for (uint32_t i = 0; i < DROP_REASON_COUNT; i++)
		if (stack->host.net.drops[i])
			printf("drops: %s %llu\n", drop_reason_name(i),
			       (number)stack->host.net.drops[i]);
}

bool report_leftovers(const struct stack *stack, const struct host_leaks *leaks)
{
	const struct virtio_model *model = &stack->device.model;

	if (host_leaks_any(leaks))
		printf("left behind: %llu packets, %llu sockets, %llu allocations\n",
		       (number)leaks->packets, (number)leaks->sockets, (number)leaks->allocations);
	if (model->violations)
		printf("the driver broke %llu rules of the device, first: %s\n",
		       (number)model->violations, model->violation);
	return !host_leaks_any(leaks) && !model->violations;
}
