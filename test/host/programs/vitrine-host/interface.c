/* Addresses and routes of an interface; see interface.h. */
#include "test/host/programs/vitrine-host/interface.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "net/ipv4/ipv4.h"
#include "userland/lib/ip_option.h"

static struct route route_of(struct net_device *dev, const struct netconfig_route *wanted)
{
	return (struct route){
		.destination = wanted->destination,
		.prefix_length = (uint8_t)wanted->prefix_length,
		.gateway = wanted->gateway,
		.dev = dev,
	};
}

static void forget(struct net_device *dev, const struct netconfig *config) NEEDS_NET_LOCK
{
	for (unsigned i = 0; i < config->route_count; i++) {
		struct route route = route_of(dev, &config->routes[i]);

		(void)route_delete(dev->net, &route); /* it may have gone with its device */
	}
	(void)ip4_remove_address(dev, config->address);
}

static void add_routes(struct net_device *dev, const struct netconfig *config) NEEDS_NET_LOCK
{
	for (unsigned i = 0; i < config->route_count; i++) {
		struct route route = route_of(dev, &config->routes[i]);
		int error = route_add(dev->net, &route);

		if (error)
			fprintf(stderr, "net: %s: route to " IP4_FORMAT "/%u refused: %s\n",
				dev->name, IP4_ARGS(route.destination), route.prefix_length,
				strerror(-error));
	}
}

static int apply(struct net_device *dev, const struct netconfig *config,
		 const struct netconfig *old) NEEDS_NET_LOCK
{
	if (old)
		forget(dev, old);
	int error = ip4_add_address(dev, config->address,
				    (uint8_t)ip_prefix_length(config->netmask), config->broadcast);

	if (error)
		return error;
	if (config->mtu && netdev_set_mtu(dev, config->mtu))
		fprintf(stderr, "net: %s: MTU %u refused\n", dev->name, config->mtu);
	add_routes(dev, config);
	return 0;
}

static void print_line(const struct net_device *dev, const struct netconfig *config, bool again)
{
	printf("net: %s %s" IP4_FORMAT "/%u", dev->name, again ? "now " : "",
	       IP4_ARGS(config->address), ip_prefix_length(config->netmask));
	for (unsigned i = 0; i < config->route_count; i++)
		if (config->routes[i].prefix_length == 0)
			printf(" gateway " IP4_FORMAT, IP4_ARGS(config->routes[i].gateway));
	for (unsigned i = 0; i < config->dns_count; i++)
		printf("%s" IP4_FORMAT, i ? "," : " dns ", IP4_ARGS(config->dns[i]));
	printf(" (%s)\n", config->origin);
}

/* Both were zeroed before they were filled in. */
static bool same(const struct netconfig *a, const struct netconfig *b)
{
	return memcmp(a, b, offsetof(struct netconfig, origin)) == 0;
}

int interface_apply(struct net_device *dev, const struct netconfig *config,
		    const struct netconfig *old)
{
	if (old && same(config, old))
		return 0;
	net_lock(dev->net);
	int error = apply(dev, config, old);

	net_unlock(dev->net);
	if (error)
		fprintf(stderr, "net: %s: address refused: %s\n", dev->name, strerror(-error));
	else
		print_line(dev, config, old);
	return error;
}

void interface_remove(struct net_device *dev, const struct netconfig *config, const char *why)
{
	net_lock(dev->net);
	forget(dev, config);
	net_unlock(dev->net);
	printf("net: %s is not configured any more (%s)\n", dev->name, why);
}
