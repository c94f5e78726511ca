/*
 * IPv4 (RFC 791, RFC 1122 section 3): input checks, delivery by protocol, output, interface
 * addresses.
 *
 * Needs the net lock unless it says otherwise. Addresses are in host order.
 */
#ifndef NET_IPV4_IPV4_H
#define NET_IPV4_IPV4_H

#include "net/core/inet.h"
#include "net/core/netdevice.h"
#include "net/ipv4/hash_table.h"
#include "net/ipv4/ipv4_wire.h"
#include "net/ipv4/route.h"

/* What the IPv4 layer notes in each received packet's control area for those above. */
struct ip4_control {
	ip4_t source, destination;
	uint8_t protocol, ttl, tos;
	uint8_t header_length; /* with options */
	uint16_t id;
	bool dont_fragment;
	uint8_t route_type; /* enum route_type of the destination: LOCAL, BROADCAST, MULTICAST */
	ip4_t local;     /* ours that was meant: the destination, or the interface's for a group */
	int32_t ifindex; /* of arrival */
};
#define IP4_CONTROL(skb) SKB_CONTROL(skb, struct ip4_control)

/* Who takes which IP protocol. */
struct ip4_protocol {
	uint8_t protocol;
	/*
	 * Owns skb; data at the transport header, the IP header still readable at
	 * skb_network_header, IP4_CONTROL filled in.
	 */
	void (*receive)(struct net_device *dev, struct sk_buff *skb);
	/*
	 * An ICMP error about a packet of ours: `inner` is its checked header, skb's data stands at
	 * the first quoted transport byte, of which at least 8 are there. Owns nothing. True when
	 * the packet was of a conversation that is really there: only then is a path MTU believed.
	 * NULL: no errors wanted.
	 */
	bool (*error)(struct net *net, const struct sk_buff *skb, const struct ip4_header *inner,
		      const struct icmp_error *error);
};
/* 0, or -EEXIST when somebody has the protocol already. Boot. */
int ip4_protocol_register(struct net *net, const struct ip4_protocol *protocol);

/*
 * Registers IPv4, ICMP, IGMP, UDP, raw and ICMP datagram sockets and AF_INET. After ethernet_init.
 * 0 or -ENOMEM.
 */
int ipv4_init(struct net *net) EXCLUDES(net_lock_held);
/* Frees all of it; the sockets are closed. Host only. */
void ipv4_destroy(struct net *net) EXCLUDES(net_lock_held);

/*
 * Registers /proc/net/{route,snmp,netstat,udp,raw,icmp,igmp} and /proc/sys/net/ipv4. 0 or -ENOMEM.
 */
int ipv4_proc_init(struct net *net);

/* How a packet is to be sent. */
struct ip4_send {
	ip4_t source; /* 0: the route's */
	ip4_t destination;
	uint8_t protocol;
	uint8_t ttl; /* 0: the stack's default (64), 1 for multicast; unless ttl_given */
	uint8_t tos;
	uint8_t dont_fragment;  /* 0: may be fragmented; 1: DF, -EMSGSIZE when too long */
	bool ttl_given;         /* a ttl of 0 is meant: the packet does not leave the host */
	bool no_loop;           /* multicast: no copy to ourselves */
	bool ignore_path_mtu;   /* the interface's MTU counts, not what was learned */
	int ifindex;            /* 0: the route's */
	const uint8_t *options; /* checked, padded to 4; NULL for none */
	uint8_t options_length;
};

/*
 * Puts the header in front of the transport packet at skb->data, fragments if need be, and sends it
 * by the route table. Owns skb. 0 or a negative errno: route_lookup's, -EMSGSIZE, -ENOMEM, -EINVAL
 * (a loopback source on a wire).
 */
int ip4_send(struct net *net, struct sk_buff *skb, const struct ip4_send *how) NEEDS_NET_LOCK;

/*
 * The same for a packet that has its header already (IP_HDRINCL), data at it, by a route that was
 * looked up. no_loop is struct ip4_send's. Owns skb. 0, -EINVAL (no header), -EMSGSIZE, -ENOMEM.
 */
int ip4_send_prepared(struct net *net, struct sk_buff *skb, const struct route_result *route,
		      bool no_loop) NEEDS_NET_LOCK;

/* Interface addresses. */
struct ip4_address {
	struct list_head link;    /* struct ip4_interface.addresses */
	ip4_t address, broadcast; /* broadcast 0: the link has none */
	ip4_t peer; /* the other end of a point-to-point link, or the address itself */
	uint8_t prefix_length;
};

struct ip4_interface { /* dev->ip4 */
	struct net_device *dev;
	struct list_head addresses;              /* the first is the primary one */
	struct hash_table groups;                /* struct igmp_group: igmp.h */
	struct timer query_timer;                /* an answer to an IGMPv3 general query is due */
	uint64_t igmp1_until_us, igmp2_until_us; /* an older querier is about: RFC 3376 7.2.1 */
};

/* The device's, made on demand; NULL when memory is out. */
struct ip4_interface *ip4_interface(struct net_device *dev) NEEDS_NET_LOCK;

/* The primary address, or NULL when there is none. */
struct ip4_address *ip4_primary_address(const struct net_device *dev) NEEDS_NET_LOCK;

bool ip4_is_our_address(struct net *net, ip4_t address) NEEDS_NET_LOCK;

/*
 * Adds an address with its routes, and announces it. `broadcast` 0: the subnet's own. 0, -EINVAL,
 * -EEXIST, -ENOMEM. Routes exist only while the device is up; they come and go with it.
 */
int ip4_add_address(struct net_device *dev, ip4_t address, uint8_t prefix_length,
		    ip4_t broadcast) NEEDS_NET_LOCK;
/* 0 or -EADDRNOTAVAIL. With the last address of a device all of its routes go, as on Linux. */
int ip4_remove_address(struct net_device *dev, ip4_t address) NEEDS_NET_LOCK;
/*
 * Gives an address of the device another broadcast address, peer and prefix length (at most 32),
 * those of `values`. 0; -ENOMEM, and it is as it was.
 */
int ip4_change_address(struct net_device *dev, struct ip4_address *address,
		       const struct ip4_address *values) NEEDS_NET_LOCK;

/* What UDP and TCP see of IPv4. */
extern const struct inet_family ip4_inet_family;

/*
 * The counters of /proc/net/snmp and /proc/net/netstat: enums beside their names in
 * ipv4_statistics.h.
 */

#endif
