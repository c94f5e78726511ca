/* Configures an interface of the stack: what userland/lib/netconfig.c does in the guest. */
#ifndef TEST_HOST_PROGRAMS_VITRINE_HOST_INTERFACE_H
#define TEST_HOST_PROGRAMS_VITRINE_HOST_INTERFACE_H

#include "net/core/netdevice.h"
#include "userland/lib/netconfig.h"

/*
 * Address, MTU and routes in place of `old` (NULL: there were none), and the line that says so on
 * stdout: `net: eth0 ADDRESS/LENGTH gateway ADDRESS dns ADDRESS,... (ORIGIN)`. Does nothing when
 * nothing changes. 0, or a negative errno after one line on stderr.
 */
int interface_apply(struct net_device *dev, const struct netconfig *config,
		    const struct netconfig *old);

/* Takes the address and its routes away, and says why. */
void interface_remove(struct net_device *dev, const struct netconfig *config, const char *why);

#endif
