/* AF_NETLINK: messages, attributes and options of netlink(7), in host byte order. */
#ifndef UAPI_NETLINK_H
#define UAPI_NETLINK_H

#include <stdint.h>

/* Protocols. */
#define NETLINK_ROUTE 0
#define NETLINK_SOCK_DIAG 4
#define NETLINK_KOBJECT_UEVENT 15
#define NETLINK_GENERIC 16

struct sockaddr_nl {
	uint16_t nl_family;
	uint16_t nl_pad;
	uint32_t nl_pid;    /* the socket's port; 0: the kernel */
	uint32_t nl_groups; /* bit n: group n + 1 */
};

struct nlmsghdr {
	uint32_t nlmsg_len; /* with this header, without the padding to 4 behind */
	uint16_t nlmsg_type;
	uint16_t nlmsg_flags; /* NLM_F_* */
	uint32_t nlmsg_seq;   /* the sender's; a reply has the request's */
	uint32_t nlmsg_pid;   /* the port of the socket that asked */
};

#define NLMSG_NOOP 1
#define NLMSG_ERROR 2
#define NLMSG_DONE 3
#define NLMSG_MIN_TYPE 0x10 /* below: for control */

#define NLM_F_REQUEST 0x01
#define NLM_F_MULTI 0x02 /* one of several, up to NLMSG_DONE */
#define NLM_F_ACK 0x04
#define NLM_F_ECHO 0x08
#define NLM_F_DUMP_INTR 0x10 /* what is listed changed meanwhile */
#define NLM_F_DUMP_FILTERED 0x20
/* of requests that get something */
#define NLM_F_ROOT 0x100
#define NLM_F_MATCH 0x200
#define NLM_F_ATOMIC 0x400
#define NLM_F_DUMP (NLM_F_ROOT | NLM_F_MATCH)
/* of requests that make something */
#define NLM_F_REPLACE 0x100
#define NLM_F_EXCL 0x200
#define NLM_F_CREATE 0x400
#define NLM_F_APPEND 0x800
/* of NLMSG_ERROR */
#define NLM_F_CAPPED 0x100   /* without the request's payload */
#define NLM_F_ACK_TLVS 0x200 /* with attributes behind */

struct nlmsgerr {
	int32_t error; /* a negative errno; 0: done */
	struct nlmsghdr msg;
};

/* Attributes of the extended acknowledgement. */
#define NLMSGERR_ATTR_MSG 1  /* a string */
#define NLMSGERR_ATTR_OFFS 2 /* of what is wrong, in the request */

/* Options of SOL_NETLINK. */
#define NETLINK_ADD_MEMBERSHIP 1
#define NETLINK_DROP_MEMBERSHIP 2
#define NETLINK_PKTINFO 3
#define NETLINK_BROADCAST_ERROR 4
#define NETLINK_NO_ENOBUFS 5
#define NETLINK_LISTEN_ALL_NSID 8
#define NETLINK_LIST_MEMBERSHIPS 9
#define NETLINK_CAP_ACK 10
#define NETLINK_EXT_ACK 11
#define NETLINK_GET_STRICT_CHK 12

/* The cmsg of NETLINK_PKTINFO. */
struct nl_pktinfo {
	uint32_t group;
};

/* An attribute: this, its value, and padding to 4. */
struct nlattr {
	uint16_t nla_len; /* with this header, without the padding */
	uint16_t nla_type;
};
#define NLA_F_NESTED 0x8000 /* the value is attributes */
#define NLA_F_NET_BYTEORDER 0x4000

#endif
