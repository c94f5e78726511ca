/*
 * Routes by ioctl: the argument of SIOCADDRT and SIOCDELRT, and the flags that /proc/net/route
 * shows, as the Linux arm64 ABI has them.
 */
#ifndef UAPI_ROUTE_H
#define UAPI_ROUTE_H

#include "include/uapi/socket.h"

#define RTF_UP 0x0001
#define RTF_GATEWAY 0x0002
#define RTF_HOST 0x0004
#define RTF_REINSTATE 0x0008
#define RTF_DYNAMIC 0x0010
#define RTF_MODIFIED 0x0020
#define RTF_MTU 0x0040
#define RTF_WINDOW 0x0080
#define RTF_IRTT 0x0100
#define RTF_REJECT 0x0200

struct rtentry {
	uint64_t rt_pad1;
	struct sockaddr rt_dst; /* sockaddr_in, as the next two */
	struct sockaddr rt_gateway;
	struct sockaddr rt_genmask;
	uint16_t rt_flags; /* RTF_* */
	int16_t rt_pad2;
	uint64_t rt_pad3;
	uint8_t rt_tos;
	uint8_t rt_class;
	int16_t rt_pad4[3];
	int16_t rt_metric; /* one more than the metric */
	uint64_t rt_dev;   /* user address of the interface's name, or 0 */
	uint64_t rt_mtu;   /* with RTF_MTU */
	uint64_t rt_window;
	uint16_t rt_irtt;
};

#endif
