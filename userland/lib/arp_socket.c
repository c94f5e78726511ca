#define _GNU_SOURCE 1
#include "userland/lib/arp_socket.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userland/lib/arp_probe.h"

/* In a flood, no more than so many packets are read before other things get their turn. */
enum { PACKETS_AT_ONCE = 64 };

static struct sockaddr_ll everybody(int interface_index)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = interface_index,
		.sll_halen = 6,
	};

	memset(address.sll_addr, 0xff, 6);
	return address;
}

int arp_socket_open(int interface_index)
{
	struct sockaddr_ll address = everybody(interface_index);
	int socket_fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			       htons(ETH_P_ARP));

	if (socket_fd < 0)
		return -1;
	if (bind(socket_fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return socket_fd;
	close(socket_fd);
	return -1;
}

void arp_socket_probe(int socket_fd, int interface_index, const uint8_t hardware[6],
		      uint32_t address)
{
	struct sockaddr_ll destination = everybody(interface_index);
	uint8_t packet[ARP_PACKET_LENGTH];

	arp_probe_emit(address, hardware, packet);
	/* A probe that cannot be sent is like one that is lost. */
	(void)sendto(socket_fd, packet, sizeof(packet), 0, (struct sockaddr *)&destination,
		     sizeof(destination));
}

bool arp_socket_conflict(int socket_fd, const uint8_t hardware[6], uint32_t address)
{
	uint8_t packet[64];

	for (unsigned i = 0; i < PACKETS_AT_ONCE; i++) {
		ssize_t length = recv(socket_fd, packet, sizeof(packet), 0);

		if (length < 0)
			return false;
		if (arp_probe_conflict(packet, (size_t)length, address, hardware))
			return true;
	}
	return false;
}
