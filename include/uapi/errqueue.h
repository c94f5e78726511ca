/*
 * What recvmsg(MSG_ERRQUEUE) tells of an error: ancillary data IP_RECVERR (ip(7)), as the Linux
 * arm64 ABI has it. The offender's address (struct sockaddr_in) follows directly.
 */
#ifndef UAPI_ERRQUEUE_H
#define UAPI_ERRQUEUE_H

#include <stdint.h>

#define SO_EE_ORIGIN_NONE 0
#define SO_EE_ORIGIN_LOCAL 1 /* found on this machine */
#define SO_EE_ORIGIN_ICMP 2
#define SO_EE_ORIGIN_ICMP6 3

struct sock_extended_err {
	uint32_t ee_errno;
	uint8_t ee_origin; /* SO_EE_ORIGIN_* */
	uint8_t ee_type;   /* ICMP type and code, or 0 */
	uint8_t ee_code;
	uint8_t ee_pad;
	uint32_t ee_info; /* the MTU, for EMSGSIZE */
	uint32_t ee_data;
};

#endif
