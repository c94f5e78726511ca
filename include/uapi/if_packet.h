/*
 * AF_PACKET sockets (packet(7)), as the Linux arm64 ABI has them.
 */
#ifndef UAPI_IF_PACKET_H
#define UAPI_IF_PACKET_H

#include "include/uapi/socket.h"

/* The protocol argument, in network order in socket(2) and sll_protocol. */
#define ETH_P_IP 0x0800
#define ETH_P_ARP 0x0806
#define ETH_P_8021Q 0x8100
#define ETH_P_IPV6 0x86dd
#define ETH_P_802_2 0x0004
#define ETH_P_ALL 0x0003

struct sockaddr_ll {
	uint16_t sll_family;
	uint16_t sll_protocol; /* network order */
	int32_t sll_ifindex;
	uint16_t sll_hatype; /* ARPHRD_* */
	uint8_t sll_pkttype; /* PACKET_HOST... */
	uint8_t sll_halen;
	uint8_t sll_addr[8];
};

/* sll_pkttype. */
#define PACKET_HOST 0
#define PACKET_BROADCAST 1
#define PACKET_MULTICAST 2
#define PACKET_OTHERHOST 3
#define PACKET_OUTGOING 4
#define PACKET_LOOPBACK 5

/* SOL_PACKET options. */
#define PACKET_ADD_MEMBERSHIP 1
#define PACKET_DROP_MEMBERSHIP 2
#define PACKET_RECV_OUTPUT 3
#define PACKET_RX_RING 5
#define PACKET_STATISTICS 6
#define PACKET_COPY_THRESH 7
#define PACKET_AUXDATA 8
#define PACKET_ORIGDEV 9
#define PACKET_VERSION 10
#define PACKET_HDRLEN 11
#define PACKET_RESERVE 12
#define PACKET_TX_RING 13
#define PACKET_LOSS 14
#define PACKET_VNET_HDR 15
#define PACKET_TX_TIMESTAMP 16
#define PACKET_TIMESTAMP 17
#define PACKET_FANOUT 18
#define PACKET_TX_HAS_OFF 19
#define PACKET_QDISC_BYPASS 20
#define PACKET_IGNORE_OUTGOING 23

struct tpacket_stats {
	uint32_t tp_packets; /* seen, dropped ones included */
	uint32_t tp_drops;
};

/* The PACKET_AUXDATA control message. */
struct tpacket_auxdata {
	uint32_t tp_status;
	uint32_t tp_len;     /* of the packet */
	uint32_t tp_snaplen; /* of what was captured */
	uint16_t tp_mac;
	uint16_t tp_net; /* where the network header begins */
	uint16_t tp_vlan_tci;
	uint16_t tp_vlan_tpid;
};
#define TP_STATUS_USER 1
#define TP_STATUS_CSUMNOTREADY 8 /* the checksum is left to the device */
#define TP_STATUS_VLAN_VALID 16
#define TP_STATUS_CSUM_VALID 128

struct packet_mreq {
	int32_t mr_ifindex;
	uint16_t mr_type;
	uint16_t mr_alen;
	uint8_t mr_address[8];
};
#define PACKET_MR_MULTICAST 0
#define PACKET_MR_PROMISC 1
#define PACKET_MR_ALLMULTI 2
#define PACKET_MR_UNICAST 3

#endif
