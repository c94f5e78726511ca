/* NETLINK_SOCK_DIAG about sockets of AF_PACKET: what `ss -0` asks. */
#ifndef UAPI_PACKET_DIAG_H
#define UAPI_PACKET_DIAG_H

#include <stdint.h>

struct packet_diag_req {
	uint8_t sdiag_family;
	uint8_t sdiag_protocol; /* 0 */
	uint16_t pad;
	uint32_t pdiag_ino;
	uint32_t pdiag_show; /* PACKET_SHOW_* */
	uint32_t pdiag_cookie[2];
};
#define PACKET_SHOW_INFO 0x01
#define PACKET_SHOW_MCLIST 0x02
#define PACKET_SHOW_RING_CFG 0x04
#define PACKET_SHOW_FANOUT 0x08
#define PACKET_SHOW_MEMINFO 0x10
#define PACKET_SHOW_FILTER 0x20

struct packet_diag_msg {
	uint8_t pdiag_family;
	uint8_t pdiag_type;
	uint16_t pdiag_num; /* EtherType, host order */
	uint32_t pdiag_ino;
	uint32_t pdiag_cookie[2];
};

/* Attributes of an answer. */
#define PACKET_DIAG_INFO 0
#define PACKET_DIAG_MCLIST 1
#define PACKET_DIAG_RX_RING 2
#define PACKET_DIAG_TX_RING 3
#define PACKET_DIAG_FANOUT 4
#define PACKET_DIAG_UID 5
#define PACKET_DIAG_MEMINFO 6 /* as INET_DIAG_SKMEMINFO */
#define PACKET_DIAG_FILTER 7  /* struct sock_filter[] */

struct packet_diag_info {
	uint32_t pdi_index;   /* of the device; 0: all */
	uint32_t pdi_version; /* TPACKET_V* */
	uint32_t pdi_reserve; /* bytes */
	uint32_t pdi_copy_thresh;
	uint32_t pdi_tstamp;
	uint32_t pdi_flags;
};
#define PDI_RUNNING 0x01
#define PDI_AUXDATA 0x02
#define PDI_ORIGDEV 0x04
#define PDI_VNETHDR 0x08
#define PDI_LOSS 0x10

/* One membership. */
struct packet_diag_mclist {
	uint32_t pdmc_index;
	uint32_t pdmc_count;
	uint16_t pdmc_type; /* PACKET_MR_* */
	uint16_t pdmc_alen;
	uint8_t pdmc_addr[32];
};

struct packet_diag_ring {
	uint32_t pdr_block_size; /* bytes */
	uint32_t pdr_block_nr;
	uint32_t pdr_frame_size; /* bytes */
	uint32_t pdr_frame_nr;
	uint32_t pdr_retire_tmo; /* milliseconds */
	uint32_t pdr_sizeof_priv;
	uint32_t pdr_features;
};

#endif
