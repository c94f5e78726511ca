/*
 * Who is told when interface addresses and routes come, change and go. The upper room registers;
 * where nobody has, telling costs a look at an empty list.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_IPV4_IPV4_OBSERVER_H
#define NET_IPV4_IPV4_OBSERVER_H

#include "kernel/list.h"
#include "net/core/net.h"

struct ip4_address;
struct net_device;
struct route;

/* Called when the change is done; on its way out (`gone`) the thing is off every list. */
struct ip4_observer {
	struct list_head link; /* ip4_stack.observers */
	void (*address)(struct ip4_observer *observer, struct net_device *dev,
			const struct ip4_address *address, bool gone);
	void (*route)(struct ip4_observer *observer, const struct route *route, bool gone);
};
void ip4_observer_register(struct net *net, struct ip4_observer *observer) NEEDS_NET_LOCK;
void ip4_observer_unregister(struct ip4_observer *observer) NEEDS_NET_LOCK;

void ip4_tell_address(struct net_device *dev, const struct ip4_address *address,
		      bool gone) NEEDS_NET_LOCK;
void ip4_tell_route(struct net *net, const struct route *route, bool gone) NEEDS_NET_LOCK;

#endif
