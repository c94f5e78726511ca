/*
 * Link types (ARPHRD_*) and the ARP ioctls' argument (arp(7)), as the Linux arm64 ABI has them.
 */
#ifndef UAPI_IF_ARP_H
#define UAPI_IF_ARP_H

#include "include/uapi/socket.h"

#define ARPHRD_NETROM 0
#define ARPHRD_ETHER 1
#define ARPHRD_LOOPBACK 772
#define ARPHRD_NONE 0xfffe
#define ARPHRD_VOID 0xffff

/* arp_flags, and the Flags column of /proc/net/arp. */
#define ATF_COM 0x02  /* complete: the MAC is known */
#define ATF_PERM 0x04 /* permanent */
#define ATF_PUBL 0x08 /* published (proxy) */
#define ATF_USETRAILERS 0x10
#define ATF_NETMASK 0x20
#define ATF_DONTPUB 0x40

struct arpreq {
	struct sockaddr arp_pa;      /* protocol address: a sockaddr_in */
	struct sockaddr arp_ha;      /* hardware address: sa_family is ARPHRD_* */
	int32_t arp_flags;           /* ATF_* */
	struct sockaddr arp_netmask; /* proxy entries only */
	char arp_dev[16];
};

#endif
