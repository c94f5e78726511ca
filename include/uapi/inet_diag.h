/* NETLINK_SOCK_DIAG: what ss asks about sockets. Ports and addresses are in network order. */
#ifndef UAPI_INET_DIAG_H
#define UAPI_INET_DIAG_H

#include <stdint.h>

#include "include/uapi/byteorder.h"

/* Messages; the first two are of old, before there was one for all families. */
#define TCPDIAG_GETSOCK 18
#define DCCPDIAG_GETSOCK 19
#define SOCK_DIAG_BY_FAMILY 20
#define SOCK_DESTROY 21

/* What every request begins with. */
struct sock_diag_req {
	uint8_t sdiag_family;
	uint8_t sdiag_protocol;
};

struct inet_diag_sockid {
	be16 idiag_sport;
	be16 idiag_dport;
	be32 idiag_src[4];
	be32 idiag_dst[4];
	uint32_t idiag_if;
	uint32_t idiag_cookie[2];
};
#define INET_DIAG_NOCOOKIE (~0U)

struct inet_diag_req_v2 {
	uint8_t sdiag_family;
	uint8_t sdiag_protocol;
	uint8_t idiag_ext; /* bit n: attribute n + 1 is wanted */
	uint8_t pad;
	uint32_t idiag_states; /* bit n: those in state n */
	struct inet_diag_sockid id;
};

/* Attributes of a request. */
#define INET_DIAG_REQ_BYTECODE 1
#define INET_DIAG_REQ_SK_BPF_STORAGES 2
#define INET_DIAG_REQ_PROTOCOL 3

/* A filter: instructions of 4 bytes, some with arguments behind. */
struct inet_diag_bc_op {
	uint8_t code;
	uint8_t yes; /* bytes to go on when it is so */
	uint16_t no; /* and when not */
};
#define INET_DIAG_BC_NOP 0
#define INET_DIAG_BC_JMP 1
#define INET_DIAG_BC_S_GE 2
#define INET_DIAG_BC_S_LE 3
#define INET_DIAG_BC_D_GE 4
#define INET_DIAG_BC_D_LE 5
#define INET_DIAG_BC_AUTO 6
#define INET_DIAG_BC_S_COND 7
#define INET_DIAG_BC_D_COND 8
#define INET_DIAG_BC_DEV_COND 9
#define INET_DIAG_BC_MARK_COND 10
#define INET_DIAG_BC_S_EQ 11
#define INET_DIAG_BC_D_EQ 12

/* The argument of S_COND and D_COND; an address of the family's length stands behind. */
struct inet_diag_hostcond {
	uint8_t family;
	uint8_t prefix_len;
	int32_t port; /* -1: any */
};
struct inet_diag_markcond {
	uint32_t mark;
	uint32_t mask;
};

struct inet_diag_msg {
	uint8_t idiag_family;
	uint8_t idiag_state;
	uint8_t idiag_timer;
	uint8_t idiag_retrans;
	struct inet_diag_sockid id;
	uint32_t idiag_expires; /* milliseconds until the timer fires */
	uint32_t idiag_rqueue;
	uint32_t idiag_wqueue;
	uint32_t idiag_uid;
	uint32_t idiag_inode;
};

/* Attributes of an answer. */
#define INET_DIAG_MEMINFO 1
#define INET_DIAG_INFO 2 /* struct tcp_info */
#define INET_DIAG_CONG 4 /* the name of the congestion control */
#define INET_DIAG_TOS 5
#define INET_DIAG_SKMEMINFO 7
#define INET_DIAG_SHUTDOWN 8
#define INET_DIAG_PROTOCOL 10 /* of raw sockets */
#define INET_DIAG_MARK 15

struct inet_diag_meminfo { /* bytes */
	uint32_t idiag_rmem;
	uint32_t idiag_wmem;
	uint32_t idiag_fmem;
	uint32_t idiag_tmem;
};

/* The places of INET_DIAG_SKMEMINFO's numbers. */
#define SK_MEMINFO_RMEM_ALLOC 0
#define SK_MEMINFO_RCVBUF 1
#define SK_MEMINFO_WMEM_ALLOC 2
#define SK_MEMINFO_SNDBUF 3
#define SK_MEMINFO_FWD_ALLOC 4
#define SK_MEMINFO_WMEM_QUEUED 5
#define SK_MEMINFO_OPTMEM 6
#define SK_MEMINFO_BACKLOG 7
#define SK_MEMINFO_DROPS 8
#define SK_MEMINFO_VARS 9

#endif
