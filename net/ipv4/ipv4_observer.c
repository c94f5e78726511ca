/* Telling of addresses and routes: see ipv4_observer.h. */
#include "net/ipv4/ipv4_observer.h"

#include "net/ipv4/ipv4_state.h"

void ip4_observer_register(struct net *net, struct ip4_observer *observer)
{
	list_append(&ip4_stack(net)->observers, &observer->link);
}

void ip4_observer_unregister(struct ip4_observer *observer)
{
	list_remove(&observer->link);
}

void ip4_tell_address(struct net_device *dev, const struct ip4_address *address, bool gone)
{
	struct ip4_observer *observer;

	list_for_each_entry(observer, &ip4_stack(dev->net)->observers, link)
		observer->address(observer, dev, address, gone);
}

void ip4_tell_route(struct net *net, const struct route *route, bool gone)
{
	struct ip4_observer *observer;

	list_for_each_entry(observer, &ip4_stack(net)->observers, link)
		observer->route(observer, route, gone);
}
