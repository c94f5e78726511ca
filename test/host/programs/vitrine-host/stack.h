/* The stack of vitrine-host, its driver, and the device that the driver finds. */
#ifndef TEST_HOST_PROGRAMS_VITRINE_HOST_STACK_H
#define TEST_HOST_PROGRAMS_VITRINE_HOST_STACK_H

#include <stdio.h>

#include "drivers/virtio/virtio_net.h"
#include "test/host/stack/stack.h"
#include "test/host/tap/tap_device.h"

struct stack {
	struct host_stack host;
	struct virtio_bus bus;
	struct virtio_net_driver driver;
	struct tap_device device;
	struct virtio_device *found; /* the device as the driver sees it */
	struct net_device *eth0;
	FILE *pcap; /* the caller's, or NULL */
};

/*
 * Makes the stack with lo and eth0 up, on an open TAP. 0, or a negative errno after one line on
 * stderr. `stack` may be large: static.
 */
int stack_start(struct stack *stack, int tap, const struct tap_device_options *options, FILE *pcap);
/* All sockets are closed. What was left behind. */
struct host_leaks stack_stop(struct stack *stack);

#endif
