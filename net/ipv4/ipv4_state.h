/*
 * What one stack's IPv4 keeps: net->state[NET_STATE_IPV4]. For the files of net/ipv4 alone.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_IPV4_IPV4_STATE_H
#define NET_IPV4_IPV4_STATE_H

#include "net/core/socket.h"
#include "net/ipv4/ipv4.h"
#include "net/ipv4/ipv4_statistics.h"
#include "net/ipv4/pmtu.h"
#include "net/ipv4/reassembly.h"
#include "net/ipv4/route_table.h"

#define IP4_ID_COUNTERS 256 /* a power of two */

/* /proc/sys/net/ipv4: numbers with Linux's names and units. */
struct ip4_settings {
	int32_t ip_forward;
	int32_t ip_default_ttl;
	int32_t ip_local_port_range[2];
	int32_t icmp_echo_ignore_all;
	int32_t icmp_echo_ignore_broadcasts;
	int32_t icmp_ratelimit; /* milliseconds between errors to one destination; 0: no limit */
	int32_t ping_group_range[2];  /* group ids that may open ICMP datagram sockets */
	int32_t ipfrag_high_thresh;   /* bytes */
	int32_t ipfrag_time;          /* seconds */
	int32_t igmp_max_memberships; /* groups of one socket */
};

/* Raw sockets see what passes; registered by raw.c. */
struct ip4_raw_operations {
	/*
	 * Copies for whoever wants it; skb's data at the network header. True when somebody did.
	 * Owns nothing.
	 */
	bool (*deliver)(struct net_device *dev, const struct sk_buff *skb);
	/* As struct ip4_protocol's. */
	bool (*error)(struct net *net, const struct sk_buff *skb, const struct ip4_header *inner,
		      const struct icmp_error *error);
};

struct ip4_stack {
	struct net *net;
	struct ip4_settings settings;
	const struct ip4_protocol *protocols[256];
	const struct ip4_raw_operations *raw;

	struct route_table routes;
	struct pmtu_cache pmtu;
	struct reassembly reassembly;

	uint32_t hash_secret;
	/* Next identification, by flow: RFC 6864, RFC 7739. */
	uint16_t id_counters[IP4_ID_COUNTERS];

	uint64_t statistics[IP4_STAT_COUNT];
	uint64_t extra[IP4_EXTRA_COUNT];
	const struct ip4_statistics_above *statistics_above; /* TCP's, or NULL */

	struct link_protocol link_protocol;
	struct device_notifier notifier;
	struct socket_family family;
	struct list_head kinds;         /* struct inet_kind: inet_socket.h */
	struct list_head observers;     /* struct ip4_observer */
	uint64_t conflict_log_after_us; /* one line a second about address conflicts */
};

static inline struct ip4_stack *ip4_stack(struct net *net)
{
	return net->state[NET_STATE_IPV4];
}

static inline void ip4_count(struct net *net, enum ip4_statistic which)
{
	ip4_stack(net)->statistics[which]++;
}

static inline void ip4_count_extra(struct net *net, enum ip4_extra_statistic which)
{
	ip4_stack(net)->extra[which]++;
}

/* ipv4_input.c: one packet from the link layer. Owns skb, data at the IP header. */
void ip4_receive(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK;

/*
 * A copy of a multicast or broadcast packet of our own comes back as if it had arrived on `dev`;
 * its source is ours, so the checks of strangers' packets are left out. Owns skb, data at the IP
 * header.
 */
void ip4_receive_looped(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK;

/*
 * Hands a whole packet that is for us to its protocol. Owns skb, data at the IP header, control
 * filled in.
 */
void ip4_deliver_local(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK;

/* ipv4_forward.c: somebody else's packet, header checked. Owns skb, data at the IP header. */
void ip4_forward(struct net_device *dev, struct sk_buff *skb,
		 const struct ip4_header *header) NEEDS_NET_LOCK;

/* ipv4_output.c: the identification of the next packet of a flow that may be fragmented. */
uint16_t ip4_next_id(struct ip4_stack *stack, ip4_t source, ip4_t destination,
		     uint8_t protocol) NEEDS_NET_LOCK;

/* One packet of at most the path's MTU goes to its next hop. Owns skb, data at the IP header. */
void ip4_transmit(struct sk_buff *skb, const struct route_result *route) NEEDS_NET_LOCK;

/*
 * ipv4_fragment.c: cuts a packet to `route->mtu` and transmits the pieces. Owns skb. 0 or a
 * negative errno.
 */
int ip4_fragment(struct net *net, struct sk_buff *skb,
		 const struct route_result *route) NEEDS_NET_LOCK;

/* ipv4_address.c */
void ip4_device_changed(struct device_notifier *notifier, struct net_device *dev,
			enum device_event event) NEEDS_NET_LOCK;
void ip4_interface_free(struct net_device *dev) NEEDS_NET_LOCK;
extern const struct arp_address_operations ip4_arp_operations;

/* inet6_files.c: the files of /proc/net that are empty here. 0 or -ENOMEM. */
int inet6_files_init(void);

/* ipv4_ioctl.c */
int ip4_ioctl(struct net *net, uint32_t command, void *argument) NEEDS_NET_LOCK;

#endif
