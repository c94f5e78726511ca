/*
 * Addresses, as the layers above IP know them: one small type for every family.
 *
 * Everything here is in host order; sockaddr structures and packets hold be32/be16.
 */
#ifndef NET_CORE_ADDR_H
#define NET_CORE_ADDR_H

#include "include/uapi/socket.h"
#include "kernel/types.h"

typedef uint32_t ip4_t; /* an IPv4 address in host order: 10.0.2.15 is 0x0a00020f */

#define IP4(a, b, c, d) ((ip4_t)(a) << 24 | (ip4_t)(b) << 16 | (ip4_t)(c) << 8 | (ip4_t)(d))
#define IP4_ANY ((ip4_t)0)
#define IP4_BROADCAST ((ip4_t)0xffffffff)
#define IP4_LOOPBACK IP4(127, 0, 0, 1)

/* For printk and text_printf: printk(IP4_FORMAT "\n", IP4_ARGS(address)). */
#define IP4_FORMAT "%u.%u.%u.%u"
#define IP4_ARGS(a) ((a) >> 24), ((a) >> 16 & 255), ((a) >> 8 & 255), ((a)&255)

static inline bool ip4_is_multicast(ip4_t a)
{
	return a >> 28 == 0xe;
}
static inline bool ip4_is_loopback(ip4_t a)
{
	return a >> 24 == 127;
}
/* 0/8, 127/8, 224/4 and above, which no host may have. */
static inline bool ip4_is_unicast(ip4_t a)
{
	return a >> 24 != 0 && a < IP4(224, 0, 0, 0);
}
static inline ip4_t ip4_mask(uint32_t prefix_length)
{
	return prefix_length ? ~(ip4_t)0 << (32 - prefix_length) : 0;
}

struct net_addr {
	uint16_t family; /* AF_UNSPEC: any address */
	union {
		ip4_t v4;
		uint8_t v6[16];
	};
};

static inline struct net_addr net_addr_ip4(ip4_t a)
{
	return (struct net_addr){.family = AF_INET, .v4 = a};
}

/* One end of a conversation. */
struct endpoint {
	struct net_addr addr;
	uint16_t port; /* host order; 0: none */
};

#define MAC_LENGTH 6
struct mac {
	uint8_t bytes[MAC_LENGTH];
};
#define MAC_FORMAT "%02x:%02x:%02x:%02x:%02x:%02x"
#define MAC_ARGS(m) \
	(m).bytes[0], (m).bytes[1], (m).bytes[2], (m).bytes[3], (m).bytes[4], (m).bytes[5]

static inline bool mac_equal(struct mac a, struct mac b)
{
	return __builtin_memcmp(a.bytes, b.bytes, MAC_LENGTH) == 0;
}
/* Broadcast too. */
static inline bool mac_is_multicast(struct mac m)
{
	return m.bytes[0] & 1;
}

static const struct mac MAC_BROADCAST = {{255, 255, 255, 255, 255, 255}};
static const struct mac MAC_ZERO = {{0}};

#endif
