/* What the files of AF_PACKET (packet.c, packet_options.c) share among themselves. */
#ifndef NET_CORE_PACKET_PRIVATE_H
#define NET_CORE_PACKET_PRIVATE_H

#include "include/uapi/if_packet.h"
#include "net/core/netdevice.h"
#include "net/core/socket.h"

/* A PACKET_ADD_MEMBERSHIP of a socket. By index: the device may go before the socket does. */
struct packet_membership {
	struct list_head link; /* packet_socket.memberships */
	int ifindex;
	uint16_t type;  /* PACKET_MR_* */
	struct mac mac; /* PACKET_MR_MULTICAST */
	uint32_t users;
};

struct packet_socket {
	struct socket socket;
	struct packet_tap tap; /* linked while there is a protocol to receive */
	uint16_t protocol;     /* EtherType, host order; ETH_P_ALL; 0: receives nothing */
	int ifindex;           /* 0: every device */
	bool auxdata;          /* PACKET_AUXDATA */
	bool ignore_outgoing;
	uint32_t seen, dropped; /* PACKET_STATISTICS, since it was last read */
	struct list_head memberships;
};

/* What a queued packet tells its reader, in its control area. */
struct packet_control {
	int32_t ifindex;
	uint16_t hardware_type;
	uint16_t protocol; /* host order */
	uint8_t packet_type;
	uint8_t checksum;        /* enum skb_checksum, when it was seen */
	uint16_t network_offset; /* from the first byte that is delivered; SOCK_DGRAM: 0 */
	struct mac source;
};
#define PACKET_CONTROL(skb) SKB_CONTROL(skb, struct packet_control)

static inline struct packet_socket *packet_socket_of(struct socket *socket)
{
	return container_of(socket, struct packet_socket, socket);
}

/* Needs the net lock: options of SOL_PACKET, and leaving every membership. */
int packet_setsockopt(struct socket *socket, int level, int option, const void *value,
		      uint32_t length);
int packet_getsockopt(struct socket *socket, int level, int option, void *value, uint32_t *length);
void packet_drop_memberships(struct packet_socket *packet) NEEDS_NET_LOCK;

#endif
