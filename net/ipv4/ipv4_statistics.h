/*
 * The counters of /proc/net/snmp and /proc/net/netstat (RFC 2011, RFC 2013): each an enumerator and
 * its name in one list, in Linux's order, because programs read the columns by position.
 */
#ifndef NET_IPV4_IPV4_STATISTICS_H
#define NET_IPV4_IPV4_STATISTICS_H

#include "kernel/types.h"

/* "Ip:", after Forwarding and DefaultTTL, which are settings. */
#define IP4_STATISTICS(X)                          \
	X(IN_RECEIVES, "InReceives")               \
	X(IN_HEADER_ERRORS, "InHdrErrors")         \
	X(IN_ADDRESS_ERRORS, "InAddrErrors")       \
	X(FORWARDED, "ForwDatagrams")              \
	X(IN_UNKNOWN_PROTOCOLS, "InUnknownProtos") \
	X(IN_DISCARDS, "InDiscards")               \
	X(IN_DELIVERS, "InDelivers")               \
	X(OUT_REQUESTS, "OutRequests")             \
	X(OUT_DISCARDS, "OutDiscards")             \
	X(OUT_NO_ROUTES, "OutNoRoutes")            \
	X(REASSEMBLY_TIMEOUTS, "ReasmTimeout")     \
	X(REASSEMBLY_REQUIRED, "ReasmReqds")       \
	X(REASSEMBLY_OKS, "ReasmOKs")              \
	X(REASSEMBLY_FAILS, "ReasmFails")          \
	X(FRAGMENT_OKS, "FragOKs")                 \
	X(FRAGMENT_FAILS, "FragFails")             \
	X(FRAGMENTS_CREATED, "FragCreates")

/* "IpExt:" of /proc/net/netstat. */
#define IP4_EXTRA_STATISTICS(X)                   \
	X(IN_NO_ROUTES, "InNoRoutes")             \
	X(IN_TRUNCATED, "InTruncatedPkts")        \
	X(IN_MULTICAST, "InMcastPkts")            \
	X(OUT_MULTICAST, "OutMcastPkts")          \
	X(IN_BROADCAST, "InBcastPkts")            \
	X(OUT_BROADCAST, "OutBcastPkts")          \
	X(IN_OCTETS, "InOctets")                  \
	X(OUT_OCTETS, "OutOctets")                \
	X(IN_MULTICAST_OCTETS, "InMcastOctets")   \
	X(OUT_MULTICAST_OCTETS, "OutMcastOctets") \
	X(IN_BROADCAST_OCTETS, "InBcastOctets")   \
	X(OUT_BROADCAST_OCTETS, "OutBcastOctets") \
	X(IN_CHECKSUM_ERRORS, "InCsumErrors")     \
	X(IN_NOT_ECN, "InNoECTPkts")              \
	X(IN_ECT1, "InECT1Pkts")                  \
	X(IN_ECT0, "InECT0Pkts")                  \
	X(IN_CE, "InCEPkts")                      \
	X(REASSEMBLY_OVERLAPS, "ReasmOverlaps")

/* "Icmp:", of which the columns by type come from icmp's own counts of each type. */
#define ICMP_STATISTICS(X)                    \
	X(IN_MESSAGES, "InMsgs")              \
	X(IN_ERRORS, "InErrors")              \
	X(IN_CHECKSUM_ERRORS, "InCsumErrors") \
	X(OUT_MESSAGES, "OutMsgs")            \
	X(OUT_ERRORS, "OutErrors")

#define UDP_STATISTICS(X)                        \
	X(IN_DATAGRAMS, "InDatagrams")           \
	X(NO_PORTS, "NoPorts")                   \
	X(IN_ERRORS, "InErrors")                 \
	X(OUT_DATAGRAMS, "OutDatagrams")         \
	X(RECEIVE_BUFFER_ERRORS, "RcvbufErrors") \
	X(SEND_BUFFER_ERRORS, "SndbufErrors")    \
	X(IN_CHECKSUM_ERRORS, "InCsumErrors")    \
	X(IGNORED_MULTICAST, "IgnoredMulti")     \
	X(MEMORY_ERRORS, "MemErrors")

enum ip4_statistic {
#define STATISTIC_ENUM(name, text) IP4_STAT_##name,
	IP4_STATISTICS(STATISTIC_ENUM)
#undef STATISTIC_ENUM
		IP4_STAT_COUNT
};

enum ip4_extra_statistic {
#define STATISTIC_ENUM(name, text) IP4_EXTRA_##name,
	IP4_EXTRA_STATISTICS(STATISTIC_ENUM)
#undef STATISTIC_ENUM
		IP4_EXTRA_COUNT
};

enum icmp_statistic {
#define STATISTIC_ENUM(name, text) ICMP_STAT_##name,
	ICMP_STATISTICS(STATISTIC_ENUM)
#undef STATISTIC_ENUM
		ICMP_STAT_COUNT
};

enum udp_statistic {
#define STATISTIC_ENUM(name, text) UDP_STAT_##name,
	UDP_STATISTICS(STATISTIC_ENUM)
#undef STATISTIC_ENUM
		UDP_STAT_COUNT
};

struct net;
struct text;

/* Lines of a protocol above IPv4: what its room registers as ip4_stack.statistics_above. */
struct ip4_statistics_above {
	void (*snmp)(struct text *text, struct net *net);
	void (*netstat)(struct text *text, struct net *net);
	void (*sockstat)(struct text *text, struct net *net);
};
/* Two lines: "Tcp: name name ..." and "Tcp: 0 0 ...". */
void statistics_show(struct text *text, const char *protocol, const char *const *names,
		     const uint64_t *values, size_t count);

/* /proc/net/snmp, /proc/net/netstat and sockstat in Linux's format. Take the net lock. */
void ip4_show_snmp(struct text *text, void *net);
void ip4_show_netstat(struct text *text, void *net);
void ip4_show_sockstat(struct text *text, void *net); /* sockstat.c */

#endif
