/*
 * Network interfaces by the ioctls of netdevice(7): one function for each thing that can be done.
 * Addresses are numbers in host byte order. Each returns 0 or a negative errno.
 */
#ifndef USERLAND_LIB_NETIF_H
#define USERLAND_LIB_NETIF_H

#include <stdbool.h>
#include <stdint.h>

/* An interface's number, for sockets that want one, or a negative errno: -ENODEV. */
int netif_index(const char *name);

/* The Ethernet address. */
int netif_hardware(const char *name, uint8_t hardware[6]);

int netif_set_up(const char *name, bool up);

/*
 * Address, netmask and broadcast address; the route to the address's own network comes with them.
 */
int netif_set_address(const char *name, uint32_t address, uint32_t netmask, uint32_t broadcast);

/* Takes the address away, and with it the routes that need it. The interface stays up. */
int netif_clear_address(const char *name);

int netif_set_mtu(const char *name, unsigned mtu);

/*
 * A route by `name` to destination/prefix_length; gateway 0 means that the destination is on the
 * link. Of two routes to the same destination the smaller metric wins. One that is there already is
 * no error.
 */
int netif_add_route(const char *name, uint32_t destination, unsigned prefix_length,
		    uint32_t gateway, unsigned metric);
int netif_delete_route(const char *name, uint32_t destination, unsigned prefix_length,
		       uint32_t gateway, unsigned metric);

#endif
