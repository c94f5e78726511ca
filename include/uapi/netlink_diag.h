/* NETLINK_SOCK_DIAG about sockets of AF_NETLINK: what `ss -f netlink` asks. */
#ifndef UAPI_NETLINK_DIAG_H
#define UAPI_NETLINK_DIAG_H

#include <stdint.h>

struct netlink_diag_req {
	uint8_t sdiag_family;
	uint8_t sdiag_protocol; /* NETLINK_*, or all */
	uint16_t pad;
	uint32_t ndiag_ino;
	uint32_t ndiag_show; /* NDIAG_SHOW_* */
	uint32_t ndiag_cookie[2];
};
#define NDIAG_PROTO_ALL 0xff
#define NDIAG_SHOW_MEMINFO 0x01
#define NDIAG_SHOW_GROUPS 0x02
#define NDIAG_SHOW_FLAGS 0x08

struct netlink_diag_msg {
	uint8_t ndiag_family;
	uint8_t ndiag_type;
	uint8_t ndiag_protocol;
	uint8_t ndiag_state; /* 0: not connected */
	uint32_t ndiag_portid;
	uint32_t ndiag_dst_portid;
	uint32_t ndiag_dst_group;
	uint32_t ndiag_ino;
	uint32_t ndiag_cookie[2];
};

/* Attributes of an answer. */
#define NETLINK_DIAG_MEMINFO 0 /* as INET_DIAG_SKMEMINFO */
#define NETLINK_DIAG_GROUPS 1  /* bits, in words of 8 bytes */
#define NETLINK_DIAG_FLAGS 4
#define NDIAG_FLAG_CB_RUNNING 0x01 /* a dump is on its way */
#define NDIAG_FLAG_PKTINFO 0x02
#define NDIAG_FLAG_BROADCAST_ERROR 0x04
#define NDIAG_FLAG_NO_ENOBUFS 0x08
#define NDIAG_FLAG_LISTEN_ALL_NSID 0x10
#define NDIAG_FLAG_CAP_ACK 0x20

#endif
