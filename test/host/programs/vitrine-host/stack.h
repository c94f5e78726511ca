/* The stack of vitrine-host, its driver, and the device that the driver finds. */
#ifndef TEST_HOST_PROGRAMS_VITRINE_HOST_STACK_H
#define TEST_HOST_PROGRAMS_VITRINE_HOST_STACK_H

#include <stdio.h>

#include "drivers/virtio/virtio_net.h"
#include "test/host/tap/tap_device.h"

struct stack {
	struct net net;
	struct virtio_bus bus;
	struct virtio_net_driver driver;
	struct tap_device device;
	struct virtio_device *found; /* the device as the driver sees it */
	struct net_device *eth0;
	bool work;  /* net_run_softirq is asked for */
	FILE *pcap; /* the caller's, or NULL */
};

/*
 * Makes the stack with lo and eth0 up, on an open TAP. 0, or a negative errno after one line on
 * stderr. `stack` may be large: static.
 */
int stack_start(struct stack *stack, int tap, const struct tap_device_options *options, FILE *pcap);
/* All sockets are closed. */
void stack_stop(struct stack *stack);

/* Timers that are due, and one round of the softirq. True when there is more to do at once. */
bool stack_run(struct stack *stack);

#endif
