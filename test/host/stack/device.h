/* What stack.c and device.c share: see stack.h. */
#ifndef TEST_HOST_STACK_DEVICE_H
#define TEST_HOST_STACK_DEVICE_H

#include "test/host/stack/stack.h"

/* The input of devices without a link layer. Owns skb. */
void host_receive_bare_ip(struct net_device *dev, struct sk_buff *skb);

/* All that host_device_add made and that are still there. */
void host_remove_devices(struct host_stack *stack);

#endif
