/*
 * Network interfaces: flags, and the argument of the interface ioctls (netdevice(7)), as the Linux
 * arm64 ABI has them.
 */
#ifndef UAPI_IF_H
#define UAPI_IF_H

#include "include/uapi/socket.h"

#define IFNAMSIZ 16
#define IFHWADDRLEN 6

#define IFF_UP 0x1
#define IFF_BROADCAST 0x2
#define IFF_DEBUG 0x4
#define IFF_LOOPBACK 0x8
#define IFF_POINTOPOINT 0x10
#define IFF_NOTRAILERS 0x20
#define IFF_RUNNING 0x40
#define IFF_NOARP 0x80
#define IFF_PROMISC 0x100
#define IFF_ALLMULTI 0x200
#define IFF_MASTER 0x400
#define IFF_SLAVE 0x800
#define IFF_MULTICAST 0x1000
#define IFF_PORTSEL 0x2000
#define IFF_AUTOMEDIA 0x4000
#define IFF_DYNAMIC 0x8000
#define IFF_LOWER_UP 0x10000
#define IFF_DORMANT 0x20000
#define IFF_ECHO 0x40000

struct ifmap {
	uint64_t mem_start;
	uint64_t mem_end;
	uint16_t base_addr;
	uint8_t irq;
	uint8_t dma;
	uint8_t port;
};

struct ifreq {
	char ifr_name[IFNAMSIZ];
	union {
		struct sockaddr ifr_addr;
		struct sockaddr ifr_dstaddr;
		struct sockaddr ifr_broadaddr;
		struct sockaddr ifr_netmask;
		struct sockaddr ifr_hwaddr;
		int16_t ifr_flags;
		int32_t ifr_ifindex;
		int32_t ifr_metric;
		int32_t ifr_mtu;
		int32_t ifr_qlen;
		struct ifmap ifr_map;
		char ifr_newname[IFNAMSIZ];
		uint64_t ifr_data; /* a user address */
	};
};

/* SIOCGIFCONF. */
struct ifconf {
	int32_t ifc_len; /* bytes of the buffer; on return, bytes used */
	uint32_t ifc_padding;
	uint64_t ifc_buf; /* user address of struct ifreq[]; 0 asks how much is needed */
};

#endif
