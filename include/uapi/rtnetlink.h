/* NETLINK_ROUTE: links, addresses, routes and neighbours, as rtnetlink(7) has them. */
#ifndef UAPI_RTNETLINK_H
#define UAPI_RTNETLINK_H

#include <stdint.h>

/* Messages: for each matter NEW, DEL, GET and SET, in this order. */
#define RTM_NEWLINK 16
#define RTM_DELLINK 17
#define RTM_GETLINK 18
#define RTM_SETLINK 19
#define RTM_NEWADDR 20
#define RTM_DELADDR 21
#define RTM_GETADDR 22
#define RTM_NEWROUTE 24
#define RTM_DELROUTE 25
#define RTM_GETROUTE 26
#define RTM_NEWNEIGH 28
#define RTM_DELNEIGH 29
#define RTM_GETNEIGH 30
#define RTM_NEWRULE 32
#define RTM_DELRULE 33
#define RTM_GETRULE 34
#define RTM_NEWQDISC 36
#define RTM_GETQDISC 38
#define RTM_GETTCLASS 42
#define RTM_GETTFILTER 46
#define RTM_NEWNEIGHTBL 64
#define RTM_GETNEIGHTBL 66
#define RTM_SETNEIGHTBL 67
#define RTM_NEWNETCONF 80
#define RTM_GETNETCONF 82
#define RTM_NEWSTATS 92
#define RTM_GETSTATS 94

/* Groups, for NETLINK_ADD_MEMBERSHIP. */
#define RTNLGRP_LINK 1
#define RTNLGRP_NOTIFY 2
#define RTNLGRP_NEIGH 3
#define RTNLGRP_IPV4_IFADDR 5
#define RTNLGRP_IPV4_MROUTE 6
#define RTNLGRP_IPV4_ROUTE 7
#define RTNLGRP_IPV4_RULE 8

/* The part that every request begins with. */
struct rtgenmsg {
	uint8_t rtgen_family;
};

struct ifinfomsg {
	uint8_t ifi_family;
	uint8_t ifi_pad;
	uint16_t ifi_type; /* ARPHRD_* */
	int32_t ifi_index;
	uint32_t ifi_flags;  /* IFF_* */
	uint32_t ifi_change; /* which of them are to change; 0: all */
};

#define IFLA_ADDRESS 1
#define IFLA_BROADCAST 2
#define IFLA_IFNAME 3
#define IFLA_MTU 4
#define IFLA_LINK 5
#define IFLA_QDISC 6
#define IFLA_STATS 7
#define IFLA_MASTER 10
#define IFLA_TXQLEN 13
#define IFLA_MAP 14
#define IFLA_OPERSTATE 16
#define IFLA_LINKMODE 17
#define IFLA_LINKINFO 18
#define IFLA_NET_NS_PID 19
#define IFLA_IFALIAS 20
#define IFLA_STATS64 23
#define IFLA_AF_SPEC 26
#define IFLA_GROUP 27
#define IFLA_NET_NS_FD 28
#define IFLA_EXT_MASK 29
#define IFLA_PROMISCUITY 30
#define IFLA_NUM_TX_QUEUES 31
#define IFLA_NUM_RX_QUEUES 32
#define IFLA_CARRIER 33
#define IFLA_CARRIER_CHANGES 35
#define IFLA_PROTO_DOWN 39
#define IFLA_GSO_MAX_SEGS 40
#define IFLA_GSO_MAX_SIZE 41
#define IFLA_MIN_MTU 50
#define IFLA_MAX_MTU 51
#define IFLA_PROP_LIST 52
#define IFLA_ALT_IFNAME 53
#define IFLA_PERM_ADDRESS 54

/* IFLA_OPERSTATE: RFC 2863. */
#define IF_OPER_UNKNOWN 0
#define IF_OPER_DOWN 2
#define IF_OPER_UP 6

/* IFLA_STATS64. */
struct rtnl_link_stats64 {
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes;
	uint64_t rx_errors, tx_errors, rx_dropped, tx_dropped;
	uint64_t multicast, collisions;
	uint64_t rx_length_errors, rx_over_errors, rx_crc_errors, rx_frame_errors, rx_fifo_errors;
	uint64_t rx_missed_errors;
	uint64_t tx_aborted_errors, tx_carrier_errors, tx_fifo_errors, tx_heartbeat_errors;
	uint64_t tx_window_errors;
	uint64_t rx_compressed, tx_compressed, rx_nohandler;
	uint64_t rx_otherhost_dropped;
};

/* IFLA_STATS: the same but the last, in 32 bits. */
struct rtnl_link_stats {
	uint32_t rx_packets, tx_packets, rx_bytes, tx_bytes;
	uint32_t rx_errors, tx_errors, rx_dropped, tx_dropped;
	uint32_t multicast, collisions;
	uint32_t rx_length_errors, rx_over_errors, rx_crc_errors, rx_frame_errors, rx_fifo_errors;
	uint32_t rx_missed_errors;
	uint32_t tx_aborted_errors, tx_carrier_errors, tx_fifo_errors, tx_heartbeat_errors;
	uint32_t tx_window_errors;
	uint32_t rx_compressed, tx_compressed, rx_nohandler;
};

struct ifaddrmsg {
	uint8_t ifa_family;
	uint8_t ifa_prefixlen;
	uint8_t ifa_flags; /* IFA_F_*, the first eight */
	uint8_t ifa_scope; /* RT_SCOPE_* */
	uint32_t ifa_index;
};

#define IFA_ADDRESS 1 /* the other end of a point-to-point link; else as IFA_LOCAL */
#define IFA_LOCAL 2
#define IFA_LABEL 3
#define IFA_BROADCAST 4
#define IFA_CACHEINFO 6
#define IFA_FLAGS 8 /* 32 bits */
#define IFA_RT_PRIORITY 9

#define IFA_F_SECONDARY 0x01
#define IFA_F_PERMANENT 0x80
#define IFA_F_NOPREFIXROUTE 0x200

struct ifa_cacheinfo {
	uint32_t ifa_prefered; /* seconds; UINT32_MAX: for ever */
	uint32_t ifa_valid;
	uint32_t cstamp, tstamp; /* made and changed, in hundredths of a second since the start */
};

struct rtmsg {
	uint8_t rtm_family;
	uint8_t rtm_dst_len, rtm_src_len; /* bits */
	uint8_t rtm_tos;
	uint8_t rtm_table; /* RT_TABLE_* */
	uint8_t rtm_protocol;
	uint8_t rtm_scope;
	uint8_t rtm_type; /* RTN_* */
	uint32_t rtm_flags;
};

#define RTN_UNSPEC 0
#define RTN_UNICAST 1
#define RTN_LOCAL 2
#define RTN_BROADCAST 3
#define RTN_ANYCAST 4
#define RTN_MULTICAST 5
#define RTN_BLACKHOLE 6
#define RTN_UNREACHABLE 7
#define RTN_PROHIBIT 8
#define RTN_THROW 9

/* Who made a route. */
#define RTPROT_UNSPEC 0
#define RTPROT_REDIRECT 1
#define RTPROT_KERNEL 2
#define RTPROT_BOOT 3
#define RTPROT_STATIC 4

/* How far away. */
#define RT_SCOPE_UNIVERSE 0
#define RT_SCOPE_LINK 253
#define RT_SCOPE_HOST 254
#define RT_SCOPE_NOWHERE 255

#define RT_TABLE_UNSPEC 0
#define RT_TABLE_DEFAULT 253
#define RT_TABLE_MAIN 254
#define RT_TABLE_LOCAL 255

#define RTM_F_NOTIFY 0x100
#define RTM_F_CLONED 0x200
#define RTM_F_LOOKUP_TABLE 0x1000
#define RTM_F_FIB_MATCH 0x2000

#define RTA_DST 1
#define RTA_SRC 2
#define RTA_IIF 3
#define RTA_OIF 4
#define RTA_GATEWAY 5
#define RTA_PRIORITY 6
#define RTA_PREFSRC 7
#define RTA_METRICS 8 /* RTAX_* */
#define RTA_MULTIPATH 9
#define RTA_FLOW 11
#define RTA_CACHEINFO 12
#define RTA_TABLE 15
#define RTA_MARK 16
#define RTA_VIA 18
#define RTA_PREF 20
#define RTA_ENCAP_TYPE 21
#define RTA_ENCAP 22
#define RTA_UID 25
#define RTA_TTL_PROPAGATE 26
#define RTA_IP_PROTO 27
#define RTA_SPORT 28
#define RTA_DPORT 29
#define RTA_NH_ID 30

#define RTAX_LOCK 1
#define RTAX_MTU 2
#define RTAX_FEATURES 12
#define RTAX_FEATURE_ECN 1

struct rta_cacheinfo {
	uint32_t rta_clntref;
	uint32_t rta_lastuse;
	int32_t rta_expires;
	uint32_t rta_error;
	uint32_t rta_used;
	uint32_t rta_id, rta_ts, rta_tsage;
};

struct ndmsg {
	uint8_t ndm_family;
	uint8_t ndm_pad1;
	uint16_t ndm_pad2;
	int32_t ndm_ifindex;
	uint16_t ndm_state; /* NUD_* */
	uint8_t ndm_flags;  /* NTF_* */
	uint8_t ndm_type;   /* RTN_* */
};

#define NDA_DST 1
#define NDA_LLADDR 2
#define NDA_CACHEINFO 3
#define NDA_PROBES 4
#define NDA_IFINDEX 8
#define NDA_MASTER 9

#define NUD_NONE 0x00
#define NUD_INCOMPLETE 0x01
#define NUD_REACHABLE 0x02
#define NUD_STALE 0x04
#define NUD_DELAY 0x08
#define NUD_PROBE 0x10
#define NUD_FAILED 0x20
#define NUD_NOARP 0x40
#define NUD_PERMANENT 0x80

#define NTF_USE 0x01
#define NTF_PROXY 0x08
#define NTF_ROUTER 0x80

struct nda_cacheinfo { /* ages in hundredths of a second */
	uint32_t ndm_confirmed;
	uint32_t ndm_used;
	uint32_t ndm_updated;
	uint32_t ndm_refcnt;
};

#define FRA_PRIORITY 6
#define FRA_TABLE 15
#define FRA_SUPPRESS_PREFIXLEN 14
#define FRA_PROTOCOL 21
#define FR_ACT_TO_TBL 1

struct fib_rule_hdr {
	uint8_t family;
	uint8_t dst_len, src_len;
	uint8_t tos;
	uint8_t table;
	uint8_t res1, res2;
	uint8_t action; /* FR_ACT_* */
	uint32_t flags;
};

/* Statistics of links alone. */
struct if_stats_msg {
	uint8_t family;
	uint8_t pad1;
	uint16_t pad2;
	uint32_t ifindex;
	uint32_t filter_mask; /* bit n: attribute n + 1 is wanted */
};
#define IFLA_STATS_LINK_64 1 /* struct rtnl_link_stats64 */

/* Tables of neighbours, and how they work. Times are in milliseconds, in 64 bits. */
struct ndtmsg {
	uint8_t ndtm_family;
	uint8_t ndtm_pad1;
	uint16_t ndtm_pad2;
};
#define NDTA_NAME 1
#define NDTA_THRESH3 4 /* entries at most */
#define NDTA_PARMS 6
#define NDTPA_REACHABLE_TIME 3
#define NDTPA_BASE_REACHABLE_TIME 4
#define NDTPA_RETRANS_TIME 5
#define NDTPA_QUEUE_LEN 8
#define NDTPA_UCAST_PROBES 10
#define NDTPA_MCAST_PROBES 11
#define NDTPA_QUEUE_LENBYTES 16

/* What IP does on an interface: numbers of 32 bits. */
struct netconfmsg {
	uint8_t ncm_family;
};
#define NETCONFA_IFINDEX 1
#define NETCONFA_FORWARDING 2
#define NETCONFA_RP_FILTER 3
#define NETCONFA_MC_FORWARDING 4
#define NETCONFA_PROXY_NEIGH 5
#define NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN 6
#define NETCONFA_BC_FORWARDING 8
#define NETCONFA_IFINDEX_ALL -1
#define NETCONFA_IFINDEX_DEFAULT -2

/* Queueing disciplines. */
struct tcmsg {
	uint8_t tcm_family;
	uint8_t tcm__pad1;
	uint16_t tcm__pad2;
	int32_t tcm_ifindex;
	uint32_t tcm_handle;
	uint32_t tcm_parent;
	uint32_t tcm_info;
};
#define TC_H_ROOT 0xffffffffu
#define TCA_KIND 1 /* a name */

#endif
