/* The outside of the DHCP client: sockets, clock and interface. See dhcp.h. */
#include "test/host/programs/vitrine-host/dhcp.h"

#include <stdio.h>
#include <string.h>

#include "include/uapi/if_packet.h"
#include "kernel/byteorder.h"
#include "kernel/clock.h"
#include "net/ipv4/inet_socket.h"
#include "test/host/programs/vitrine-host/interface.h"
#include "test/host/programs/vitrine-host/stack_socket.h"
#include "userland/lib/arp_probe.h"

#define PATIENCE_US (10 * USEC_PER_SEC)

static struct sockaddr_ll everybody(const struct net_device *dev)
{
	struct sockaddr_ll name = {
		.sll_family = AF_PACKET,
		.sll_protocol = cpu_to_be16(ETH_P_ARP).raw,
		.sll_ifindex = dev->ifindex,
		.sll_halen = MAC_LENGTH,
	};

	memcpy(name.sll_addr, MAC_BROADCAST.bytes, MAC_LENGTH);
	return name;
}

/* What the state machine asks for */

static void send_message(void *context, uint32_t destination, const uint8_t *message, size_t length)
{
	struct dhcp *dhcp = context;
	const struct endpoint to = {.addr = net_addr_ip4(destination), .port = DHCP_SERVER_PORT};
	struct sockaddr_storage name;
	uint32_t name_length;

	inet_write_name(&to, &name, &name_length);
	/* A message that cannot be sent is like one that is lost: it will be sent again. */
	(void)stack_socket_send(dhcp->messages->socket, &name, name_length, message, length);
}

/* Somebody's ARP packets, while an address is being checked. */
static enum served_state arp_turn(struct served *served)
{
	struct dhcp *dhcp = served->context;
	uint8_t packet[64];

	for (int i = 0; i < SERVER_AT_ONCE; i++) {
		struct message message;
		uint32_t address = dhcp->client.offer.address;
		int64_t n = stack_socket_receive(served->socket, &message, packet, sizeof(packet));

		if (n < 0)
			return SERVED_IDLE;
		if (!arp_probe_conflict(packet, (size_t)n, address, dhcp->dev->mac.bytes))
			continue;
		printf("net: %s: " IP4_FORMAT " belongs to another machine, declined\n",
		       dhcp->dev->name, IP4_ARGS(address));
		dhcp_client_conflict(&dhcp->client, clock_now_us(), address);
	}
	return SERVED_MORE;
}

static struct served *open_arp(struct dhcp *dhcp)
{
	const struct sockaddr_ll name = everybody(dhcp->dev);
	struct sockaddr_storage storage = {0};
	struct socket *socket;

	if (socket_create(dhcp->dev->net, AF_PACKET, SOCK_DGRAM, name.sll_protocol, &socket))
		return NULL;
	memcpy(&storage, &name, sizeof(name));
	if (socket_bind(socket, &storage, sizeof(name)) == 0)
		return server_add(dhcp->server, socket, arp_turn, dhcp);
	socket_close(socket);
	return NULL;
}

static void send_probe(void *context, uint32_t address)
{
	struct dhcp *dhcp = context;
	const struct sockaddr_ll name = everybody(dhcp->dev);
	struct sockaddr_storage to = {0};
	uint8_t packet[ARP_PACKET_LENGTH];

	if (!dhcp->arp)
		dhcp->arp = open_arp(dhcp);
	if (!dhcp->arp)
		return; /* as if it were lost */
	arp_probe_emit(address, dhcp->dev->mac.bytes, packet);
	memcpy(&to, &name, sizeof(name));
	(void)stack_socket_send(dhcp->arp->socket, &to, sizeof(name), packet, sizeof(packet));
}

static void apply_lease(void *context, const struct dhcp_reply *lease)
{
	struct dhcp *dhcp = context;
	struct netconfig config;

	memset(&config, 0, sizeof(config));
	config.address = lease->address;
	config.netmask = lease->netmask;
	config.broadcast = lease->broadcast;
	config.mtu = lease->mtu;
	config.origin = "dhcp";
	for (unsigned i = 0; i < lease->route_count && i < NETCONFIG_ROUTES_MAX; i++)
		config.routes[config.route_count++] = (struct netconfig_route){
			.destination = lease->routes[i].destination,
			.gateway = lease->routes[i].gateway,
			.prefix_length = lease->routes[i].prefix_length,
		};
	for (unsigned i = 0; i < lease->dns_count && i < NETCONFIG_DNS_MAX; i++)
		config.dns[config.dns_count++] = lease->dns[i];
	if (interface_apply(dhcp->dev, &config, dhcp->configured ? &dhcp->config : NULL))
		return;
	dhcp->config = config;
	dhcp->configured = true;
	dhcp->complain_us = TIME_NEVER;
}

static void remove_lease(void *context)
{
	struct dhcp *dhcp = context;

	if (!dhcp->configured)
		return;
	dhcp->configured = false;
	interface_remove(dhcp->dev, &dhcp->config, dhcp->ending);
}

static uint32_t random_number(void *context)
{
	struct dhcp *dhcp = context;

	return net_random_u32(dhcp->dev->net);
}

static const struct dhcp_client_ops client_ops = {
	.send = send_message,
	.probe = send_probe,
	.apply = apply_lease,
	.remove = remove_lease,
	.random = random_number,
};

/* Its life */

static enum served_state message_turn(struct served *served)
{
	struct dhcp *dhcp = served->context;
	uint8_t bytes[DHCP_REPLY_MAX];

	for (int i = 0; i < SERVER_AT_ONCE; i++) {
		struct message message;
		int64_t n = stack_socket_receive(served->socket, &message, bytes, sizeof(bytes));

		if (n == -EAGAIN)
			return SERVED_IDLE;
		if (n >= 0)
			dhcp_client_receive(&dhcp->client, clock_now_us(), bytes, (size_t)n);
	}
	return SERVED_MORE;
}

/*
 * Before there is an address, the server's answers are broadcast to port 68; bound to the
 * interface, an ordinary UDP socket sends from 0.0.0.0 and hears them.
 */
static int open_messages(struct dhcp *dhcp)
{
	const char *name = dhcp->dev->name;
	struct socket *socket;
	int error = stack_socket_open(dhcp->dev->net, SOCK_DGRAM, DHCP_CLIENT_PORT, &socket);

	if (error)
		return error;
	error = stack_socket_set(socket, SO_BROADCAST, 1);
	if (!error)
		error = socket_setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, name,
					  (uint32_t)strlen(name) + 1);
	if (error) {
		socket_close(socket);
		return error;
	}
	dhcp->messages = server_add(dhcp->server, socket, message_turn, dhcp);
	return dhcp->messages ? 0 : -ENOMEM;
}

int dhcp_start(struct dhcp *dhcp, struct net_device *dev, struct server *server)
{
	memset(dhcp, 0, sizeof(*dhcp));
	dhcp->dev = dev;
	dhcp->server = server;
	dhcp->ending = "the lease has ended";
	int error = open_messages(dhcp);

	if (error) {
		fprintf(stderr, "vitrine-host: DHCP: %s\n", strerror(-error));
		return error;
	}
	dhcp_client_init(&dhcp->client, dev->mac.bytes, &client_ops, dhcp);
	dhcp_client_start(&dhcp->client, clock_now_us());
	dhcp->complain_us = clock_now_us() + PATIENCE_US;
	return 0;
}

uint64_t dhcp_deadline(const struct dhcp *dhcp)
{
	return MIN(dhcp->client.deadline, dhcp->complain_us);
}

void dhcp_tick(struct dhcp *dhcp)
{
	uint64_t now_us = clock_now_us();

	dhcp_client_tick(&dhcp->client, now_us);
	/* Every ARP packet of the network would wake us: listen only while it matters. */
	if (dhcp->arp && dhcp->client.state != DHCP_CHECKING) {
		server_remove(dhcp->arp);
		dhcp->arp = NULL;
	}
	if (now_us < dhcp->complain_us)
		return;
	dhcp->complain_us = TIME_NEVER;
	printf("net: %s: no DHCP lease so far; still asking\n", dhcp->dev->name);
}

void dhcp_stop(struct dhcp *dhcp)
{
	dhcp->ending = "released";
	dhcp_client_release(&dhcp->client, clock_now_us());
}
