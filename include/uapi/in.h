/*
 * IPv4 as programs see it (ip(7), udp(7), udplite(7), raw(7)): addresses, protocol numbers, and the
 * options of level SOL_IP (IPPROTO_IP), as the Linux arm64 ABI has them. Addresses and ports are in
 * network order.
 */
#ifndef UAPI_IN_H
#define UAPI_IN_H

#include "include/uapi/byteorder.h"
#include "include/uapi/socket.h"

/* Protocols of the IP header; socket(AF_INET, ..., these). */
#define IPPROTO_IP 0
#define IPPROTO_ICMP 1
#define IPPROTO_IGMP 2
#define IPPROTO_IPIP 4
#define IPPROTO_TCP 6
#define IPPROTO_EGP 8
#define IPPROTO_UDP 17
#define IPPROTO_DCCP 33
#define IPPROTO_IPV6 41
#define IPPROTO_GRE 47
#define IPPROTO_ESP 50
#define IPPROTO_AH 51
#define IPPROTO_SCTP 132
#define IPPROTO_UDPLITE 136
#define IPPROTO_RAW 255
#define IPPROTO_MAX 256

struct in_addr {
	be32 s_addr;
};

struct sockaddr_in {
	sa_family_t sin_family; /* AF_INET */
	be16 sin_port;
	struct in_addr sin_addr;
	uint8_t sin_zero[8];
};

/* Well-known addresses, in host order. */
#define INADDR_ANY 0x00000000u
#define INADDR_LOOPBACK 0x7f000001u
#define INADDR_BROADCAST 0xffffffffu
#define INADDR_NONE 0xffffffffu

/* Options of level SOL_IP. */
#define IP_TOS 1
#define IP_TTL 2
#define IP_HDRINCL 3
#define IP_OPTIONS 4
#define IP_ROUTER_ALERT 5
#define IP_RECVOPTS 6
#define IP_RETOPTS 7
#define IP_PKTINFO 8
#define IP_PKTOPTIONS 9
#define IP_MTU_DISCOVER 10
#define IP_RECVERR 11
#define IP_RECVTTL 12
#define IP_RECVTOS 13
#define IP_MTU 14
#define IP_FREEBIND 15
#define IP_IPSEC_POLICY 16
#define IP_XFRM_POLICY 17
#define IP_PASSSEC 18
#define IP_TRANSPARENT 19
#define IP_ORIGDSTADDR 20
#define IP_RECVORIGDSTADDR IP_ORIGDSTADDR
#define IP_MINTTL 21
#define IP_NODEFRAG 22
#define IP_CHECKSUM 23
#define IP_BIND_ADDRESS_NO_PORT 24
#define IP_RECVFRAGSIZE 25
#define IP_MULTICAST_IF 32
#define IP_MULTICAST_TTL 33
#define IP_MULTICAST_LOOP 34
#define IP_ADD_MEMBERSHIP 35
#define IP_DROP_MEMBERSHIP 36
#define IP_UNBLOCK_SOURCE 37
#define IP_BLOCK_SOURCE 38
#define IP_ADD_SOURCE_MEMBERSHIP 39
#define IP_DROP_SOURCE_MEMBERSHIP 40
#define IP_MSFILTER 41
#define MCAST_JOIN_GROUP 42
#define MCAST_BLOCK_SOURCE 43
#define MCAST_UNBLOCK_SOURCE 44
#define MCAST_LEAVE_GROUP 45
#define MCAST_JOIN_SOURCE_GROUP 46
#define MCAST_LEAVE_SOURCE_GROUP 47
#define MCAST_MSFILTER 48
#define IP_MULTICAST_ALL 49
#define IP_UNICAST_IF 50

/* IP_MTU_DISCOVER. */
#define IP_PMTUDISC_DONT 0      /* never set DF */
#define IP_PMTUDISC_WANT 1      /* DF on what fits; fragment the rest */
#define IP_PMTUDISC_DO 2        /* always DF: EMSGSIZE when too long */
#define IP_PMTUDISC_PROBE 3     /* DF, and the path MTU that was learned does not count */
#define IP_PMTUDISC_INTERFACE 4 /* never DF, the interface's MTU counts, EMSGSIZE when too long */
#define IP_PMTUDISC_OMIT 5      /* as INTERFACE, but fragment when too long */

#define IP_DEFAULT_MULTICAST_TTL 1
#define IP_DEFAULT_MULTICAST_LOOP 1
#define IP_MAX_MEMBERSHIPS 20

/* Type-of-service octet (RFC 791, RFC 2474, RFC 3168). */
#define IPTOS_LOWDELAY 0x10
#define IPTOS_ECN_MASK 0x03

/* IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, IP_MULTICAST_IF. */
struct ip_mreq {
	struct in_addr imr_multiaddr;
	struct in_addr imr_interface; /* an address of the interface */
};
struct ip_mreqn {
	struct in_addr imr_multiaddr;
	struct in_addr imr_address; /* an address of the interface, unless an index is given */
	int32_t imr_ifindex;
};

/* IP_ADD_SOURCE_MEMBERSHIP, IP_DROP_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE, IP_UNBLOCK_SOURCE. */
struct ip_mreq_source {
	struct in_addr imr_multiaddr;
	struct in_addr imr_interface; /* an address of the interface */
	struct in_addr imr_sourceaddr;
};

/* Ancillary data IP_PKTINFO, both ways. */
struct in_pktinfo {
	int32_t ipi_ifindex;
	struct in_addr ipi_spec_dst; /* send: the source to use; receive: ours */
	struct in_addr ipi_addr;     /* receive: the header's destination */
};

/* Level SOL_UDP. */
#define UDP_CORK 1
#define UDP_ENCAP 100
#define UDP_NO_CHECK6_TX 101
#define UDP_NO_CHECK6_RX 102
#define UDP_SEGMENT 103
#define UDP_GRO 104

/*
 * Level SOL_UDPLITE, beside UDP_CORK: how many bytes of a datagram, with its header, the checksum
 * covers (RFC 3828). 0: all of them; 1 to 7 count as 8.
 */
#define UDPLITE_SEND_CSCOV 10 /* of those that are sent */
#define UDPLITE_RECV_CSCOV 11 /* at least, of those that are received; the others are dropped */

#endif
