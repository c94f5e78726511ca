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
struct tpacket_stats_v3 {
	uint32_t tp_packets;
	uint32_t tp_drops;
	uint32_t tp_freeze_q_cnt; /* how often every block was the process's */
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
#define TP_STATUS_KERNEL 0
#define TP_STATUS_USER 1
#define TP_STATUS_LOSING 4       /* packets were lost since the statistics were read */
#define TP_STATUS_CSUMNOTREADY 8 /* the checksum is left to the device */
#define TP_STATUS_VLAN_VALID 16
#define TP_STATUS_BLK_TMO 32 /* the block was closed by its time */
#define TP_STATUS_VLAN_TPID_VALID 64
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

/*
 * PACKET_RX_RING: received packets in memory that the process maps. Blocks of whole pages, one
 * behind the other; version 2 has frames of equal size in them, version 3 packets of any length.
 */
#define TPACKET_V1 0
#define TPACKET_V2 1
#define TPACKET_V3 2

struct tpacket_req {
	uint32_t tp_block_size, tp_block_nr;
	uint32_t tp_frame_size, tp_frame_nr;
};
struct tpacket_req3 {
	uint32_t tp_block_size, tp_block_nr;
	uint32_t tp_frame_size, tp_frame_nr;
	uint32_t tp_retire_blk_tov; /* milliseconds until a block is handed over as it is */
	uint32_t tp_sizeof_priv;    /* bytes of the process's own in each block */
	uint32_t tp_feature_req_word;
};

#define TPACKET_ALIGNMENT 16
#define TPACKET_ALIGN(x) (((x) + TPACKET_ALIGNMENT - 1) & ~(TPACKET_ALIGNMENT - 1))

/* A frame of version 2; a sockaddr_ll follows, then the packet at tp_mac. */
struct tpacket2_hdr {
	uint32_t tp_status; /* TP_STATUS_*; KERNEL: not the process's */
	uint32_t tp_len, tp_snaplen;
	uint16_t tp_mac, tp_net; /* offsets from here */
	uint32_t tp_sec, tp_nsec;
	uint16_t tp_vlan_tci, tp_vlan_tpid;
	uint8_t tp_padding[4];
};

/* A packet of version 3, the same way. */
struct tpacket_hdr_variant1 {
	uint32_t tp_rxhash;
	uint32_t tp_vlan_tci;
	uint16_t tp_vlan_tpid;
	uint16_t tp_padding;
};
struct tpacket3_hdr {
	uint32_t tp_next_offset; /* to the next header; 0: the last */
	uint32_t tp_sec, tp_nsec;
	uint32_t tp_snaplen, tp_len;
	uint32_t tp_status;
	uint16_t tp_mac, tp_net;
	struct tpacket_hdr_variant1 hv1;
	uint8_t tp_padding[8];
};

/* What a block of version 3 begins with. */
struct tpacket_bd_ts {
	uint32_t ts_sec, ts_nsec;
};
struct tpacket_hdr_v1 {
	uint32_t block_status; /* TP_STATUS_* */
	uint32_t num_pkts;
	uint32_t offset_to_first_pkt;
	uint32_t blk_len; /* bytes in use */
	uint64_t seq_num; /* 1, 2, 3... */
	struct tpacket_bd_ts ts_first_pkt, ts_last_pkt;
};
struct tpacket_block_desc {
	uint32_t version; /* TPACKET_V3 */
	uint32_t offset_to_priv;
	struct tpacket_hdr_v1 hdr;
};

#endif
