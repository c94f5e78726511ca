/*
 * DHCP for an interface of the stack: the client of the guest (userland/lib/dhcp_client.h) over
 * sockets of the stack.
 */
#ifndef TEST_HOST_PROGRAMS_VITRINE_HOST_DHCP_H
#define TEST_HOST_PROGRAMS_VITRINE_HOST_DHCP_H

#include "net/core/netdevice.h"
#include "test/host/programs/vitrine-host/server.h"
#include "userland/lib/dhcp_client.h"
#include "userland/lib/netconfig.h"

struct dhcp {
	struct dhcp_client client;
	struct net_device *dev;
	struct server *server;
	struct served *messages; /* the UDP socket of port 68 */
	struct served *arp;      /* while an address is checked, else NULL */
	bool configured;
	const char *ending; /* why a lease ends */
	struct netconfig config;
	uint64_t complain_us; /* when a line says that no lease has come, or TIME_NEVER */
};

/* Begins to look for a lease. 0, or a negative errno after one line on stderr. */
int dhcp_start(struct dhcp *dhcp, struct net_device *dev, struct server *server);

/* When dhcp_tick is to be called at the latest, by clock_now_us. */
uint64_t dhcp_deadline(const struct dhcp *dhcp);
/* Does what is due. Cheap, and harmless at any time. */
void dhcp_tick(struct dhcp *dhcp);

/* Gives the lease back. The sockets are the server's to close. */
void dhcp_stop(struct dhcp *dhcp);

#endif
