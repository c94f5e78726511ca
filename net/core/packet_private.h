/* What the files of AF_PACKET (net/core/packet*.c) share, and what SOCK_DIAG tells of it. */
#ifndef NET_CORE_PACKET_PRIVATE_H
#define NET_CORE_PACKET_PRIVATE_H

#include "include/uapi/if_packet.h"
#include "net/core/bpf.h"
#include "net/core/netdevice.h"
#include "net/core/socket.h"

#define PACKET_ETHERNET_HEADER 14

/* A PACKET_ADD_MEMBERSHIP of a socket. By index: the device may go before the socket does. */
struct packet_membership {
	struct list_head link; /* packet_socket.memberships */
	int ifindex;
	uint16_t type;  /* PACKET_MR_* */
	struct mac mac; /* PACKET_MR_MULTICAST */
	uint32_t users;
};

struct packet_ring;

struct packet_socket {
	struct socket socket;
	struct packet_tap tap; /* linked while there is a protocol to receive */
	uint16_t protocol;     /* EtherType, host order; ETH_P_ALL; 0: receives nothing */
	int ifindex;           /* 0: every device */
	bool auxdata;          /* PACKET_AUXDATA */
	bool ignore_outgoing;
	bool origin_device;             /* PACKET_ORIGDEV: no device stands on another one here */
	bool bypass_queue;              /* PACKET_QDISC_BYPASS: there is no queue to pass by */
	uint8_t version;                /* TPACKET_V*: what the next ring looks like */
	uint32_t reserve;               /* PACKET_RESERVE: bytes ahead of each packet in a ring */
	struct packet_ring *ring;       /* PACKET_RX_RING, or NULL: packets go to the queue */
	uint32_t seen, dropped, frozen; /* PACKET_STATISTICS, since it was last read */
	struct list_head memberships;
};

/* What a queued packet tells its reader, in its control area. */
struct packet_control {
	int32_t ifindex;
	uint16_t hardware_type;
	uint16_t protocol; /* host order */
	uint8_t packet_type;
	uint8_t checksum;         /* enum skb_checksum, when it was seen */
	uint16_t network_offset;  /* from the first byte that is delivered; SOCK_DGRAM: 0 */
	uint32_t original_length; /* before a filter cut it */
	uint16_t vlan_tag;        /* that was taken out */
	bool has_vlan;
	struct mac source;
};
#define PACKET_CONTROL(skb) SKB_CONTROL(skb, struct packet_control)

/* A frame as one socket sees it, before there is a copy. Its bytes are those of `bytes`. */
struct packet_view {
	struct bpf_packet bytes;
	struct packet_control control;
	uint64_t time_us; /* by the stack's clock; 0: nobody wanted to know */
	uint8_t link_header[PACKET_ETHERNET_HEADER]; /* made up, for lo */
};

static inline struct packet_socket *packet_socket_of(struct socket *socket)
{
	return container_of(socket, struct packet_socket, socket);
}

/* packet.c: all sockets, struct packet_socket.socket.link, in the order of their inode numbers. */
const struct list_head *packet_sockets(struct net *net) NEEDS_NET_LOCK;

/*
 * packet_receive.c: the tap's function, recvmsg, and the source of a packet as a process gets it.
 */
void packet_frame(struct packet_tap *tap, struct net_device *dev, const struct sk_buff *skb,
		  bool outgoing) NEEDS_NET_LOCK;
int64_t packet_recvmsg(struct socket *socket, struct message *message);
struct sockaddr_ll packet_source(const struct packet_control *control);
/* TP_STATUS_* of a packet that is the process's. */
uint32_t packet_status(const struct packet_control *control);

/* packet_send.c */
int64_t packet_sendmsg(struct socket *socket, struct message *message);

/* packet_options.c: options of SOL_PACKET, and leaving every membership. */
int packet_setsockopt(struct socket *socket, int level, int option, const void *value,
		      uint32_t length) NEEDS_NET_LOCK;
int packet_getsockopt(struct socket *socket, int level, int option, void *value,
		      uint32_t *length) NEEDS_NET_LOCK;
void packet_drop_memberships(struct packet_socket *packet) NEEDS_NET_LOCK;

#endif
