/*
 * net_device: an interface, and the two doors between drivers and the stack: netif_receive inwards,
 * dev_xmit outwards.
 *
 * A driver embeds or allocates a struct net_device, fills name pattern, MAC, MTU and ops, and calls
 * netdev_register. Everything here needs the net lock unless it says otherwise.
 */
#ifndef NET_CORE_NETDEVICE_H
#define NET_CORE_NETDEVICE_H

#include "include/uapi/if.h"
#include "kernel/list.h"
#include "kernel/types.h"
#include "net/core/addr.h"
#include "net/core/net.h"
#include "net/core/skbuff.h"

struct net_device;

struct net_device_ops {
	int (*open)(struct net_device *dev); /* IFF_UP: start receiving. 0 or a negative errno */
	void (*stop)(struct net_device *dev);

	/*
	 * Sends one complete frame; owns it, and counts it in statistics.tx_*. Never waits: when
	 * the ring is full, the frame is dropped with DROP_TX_QUEUE_FULL. The device may hold
	 * notifications back until xmit_flush. Softirq or process context.
	 */
	void (*xmit)(struct net_device *dev, struct sk_buff *skb);
	/* Tells the device of what xmit queued. NULL when xmit does so itself. */
	void (*xmit_flush)(struct net_device *dev);

	/* IFF_PROMISC, IFF_ALLMULTI or the multicast list changed. May be NULL. */
	void (*set_rx_mode)(struct net_device *dev);

	/* 0 or a negative errno; NULL: any MTU between 68 and max_mtu will do. */
	int (*change_mtu)(struct net_device *dev, uint32_t mtu);
};

/* What the device takes off the stack's hands. */
#define NETDEV_CHECKSUM_OFFLOAD BIT(0) /* completes SKB_CHECKSUM_PARTIAL for TCP and UDP over IP */
#define NETDEV_TSO4 BIT(1)    /* takes large packets of TCP over IPv4: net/core/segment.h */
#define NETDEV_TSO6 BIT(2)    /* over IPv6 */
#define NETDEV_TSO_ECN BIT(3) /* those with SKB_GSO_ECN too */

struct net_device_statistics { /* the columns of /proc/net/dev */
	uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
	uint64_t rx_fifo, rx_frame, rx_compressed, rx_multicast;
	uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
	uint64_t tx_fifo, tx_collisions, tx_carrier, tx_compressed;
};

struct multicast_entry {
	struct list_head link; /* dev->multicast */
	struct mac mac;
	uint32_t users;
};

struct net_device {
	struct list_head link;      /* net->devices */
	struct list_head unflushed; /* net->unflushed while xmit_flush is owed */
	struct net *net;
	char name[IFNAMSIZ];
	int ifindex;
	uint32_t flags; /* IFF_UP, IFF_BROADCAST, IFF_LOOPBACK, IFF_MULTICAST, IFF_PROMISC... */
	bool carrier;   /* IFF_RUNNING, as far as the wire goes */
	uint16_t type;  /* ARPHRD_ETHER, ARPHRD_LOOPBACK */
	uint32_t mtu, min_mtu, max_mtu;      /* bytes of an IP packet */
	uint32_t features;                   /* NETDEV_* */
	uint32_t promiscuous, all_multicast; /* users */
	uint32_t tx_queue_length; /* as it is told; what really waits, the driver's ring decides */
	uint32_t asked_flags;     /* of IFF_PROMISC and IFF_ALLMULTI, what SIOCSIFFLAGS asked for */
	struct mac mac, broadcast;
	uint16_t link_header_length; /* bytes in front: 14 on Ethernet, 0 on loopback */
	const struct net_device_ops *ops;
	struct link_type *link_type; /* of `type`, when somebody registered it */
	void *driver;                /* the driver's own */
	void *ip4;                   /* struct ip4_interface, net/ipv4's own */
	struct list_head multicast;  /* struct multicast_entry: link addresses to accept */
	struct net_device_statistics statistics;
};

/* Fills in an Ethernet device's constants: type, broadcast, MTU 1500, flags. */
void netdev_init_ethernet(struct net_device *dev, struct mac mac, const struct net_device_ops *ops,
			  void *driver);

/*
 * Enters the device; a name with %d gets the lowest free number ("eth%d"). Takes the net lock. 0,
 * -EEXIST.
 */
int netdev_register(struct net *net, struct net_device *dev, const char *name)
	EXCLUDES(net_lock_held);
void netdev_unregister(struct net_device *dev) EXCLUDES(net_lock_held);

struct net_device *netdev_by_index(struct net *net, int ifindex) NEEDS_NET_LOCK;
struct net_device *netdev_by_name(struct net *net, const char *name) NEEDS_NET_LOCK;

/* IFF_UP on and off; tells the notifiers. 0, or what the driver's `open` says. */
int netdev_up(struct net_device *dev) NEEDS_NET_LOCK;
void netdev_down(struct net_device *dev) NEEDS_NET_LOCK;

/*
 * What ifconfig and ip ask for: IFF_UP, IFF_PROMISC and IFF_ALLMULTI as in `wanted`; other flags do
 * not count (device_ioctl.c). 0 or what the driver says.
 */
int netdev_change_flags(struct net_device *dev, uint32_t wanted) NEEDS_NET_LOCK;
void netdev_set_queue_length(struct net_device *dev, uint32_t packets) NEEDS_NET_LOCK;

/* One user more (1) or less (-1) who wants every frame, or every multicast frame. */
void netdev_promiscuous(struct net_device *dev, int change) NEEDS_NET_LOCK;
void netdev_all_multicast(struct net_device *dev, int change) NEEDS_NET_LOCK;

/* 0, -EINVAL, or what the driver says. */
int netdev_set_mtu(struct net_device *dev, uint32_t mtu) NEEDS_NET_LOCK;
/* 0, -EOPNOTSUPP (no Ethernet device), or -EADDRNOTAVAIL: no interface may have this address. */
int netdev_set_mac(struct net_device *dev, struct mac mac) NEEDS_NET_LOCK;

/* IFF_* as a process sees them: IFF_RUNNING and IFF_LOWER_UP follow the carrier. */
uint32_t netdev_flags(const struct net_device *dev) NEEDS_NET_LOCK;

/* The wire came or went: called by the driver. */
void netdev_set_carrier(struct net_device *dev, bool carrier) NEEDS_NET_LOCK;

/* Who is told of changes: ARP flushes, IPv4 announces. */
enum device_event {
	DEVICE_NEW,
	DEVICE_UP,
	DEVICE_DOWN_EVENT,
	DEVICE_CARRIER,
	DEVICE_MTU,
	DEVICE_MAC,
	DEVICE_DETAIL, /* other flags, the length of its queue */
	DEVICE_GONE
};
struct device_notifier {
	struct list_head link; /* net->device_notifiers */
	void (*changed)(struct device_notifier *notifier, struct net_device *dev,
			enum device_event event);
};
/* The structure is the caller's. At boot: those who registered first are told first. */
void device_notifier_register(struct net *net, struct device_notifier *notifier);
/* Tells them. For the files that change devices. */
void netdev_notify(struct net_device *dev, enum device_event event) NEEDS_NET_LOCK;

/* Accept (and stop accepting) frames to a multicast address; counted. 0 or -ENOMEM. */
int netdev_multicast_join(struct net_device *dev, struct mac mac) NEEDS_NET_LOCK;
void netdev_multicast_leave(struct net_device *dev, struct mac mac) NEEDS_NET_LOCK;
/* The device goes: everybody has left. */
void netdev_multicast_forget_all(struct net_device *dev) NEEDS_NET_LOCK;
/* Is it on the list? */
bool netdev_multicast_wanted(const struct net_device *dev, struct mac mac) NEEDS_NET_LOCK;

/*
 * The way in: a driver hands over one received frame (data at the link header, len without FCS) and
 * owns it no more. The device type's input (struct link_type) goes on with it. Counts
 * rx_packets and rx_bytes. Softirq context, the net lock held.
 */
void netif_receive(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK;

/*
 * The way out: one complete frame, link header and all (loopback: none). Cuts it into segments and
 * completes checksums where the device cannot, shows it to the taps and gives it to the driver.
 * Owns skb, and counts what it drops in tx_dropped. Softirq or process context.
 */
void dev_xmit(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK;

/* Ends a batch: each driver notifies its device once. net_unlock calls it. */
void dev_flush_all(struct net *net) NEEDS_NET_LOCK;

/*
 * Who takes which EtherType. Registered by the upper layer; `receive` owns the packet, data at its
 * header.
 */
struct link_protocol {
	struct list_head link; /* net->link_protocols */
	uint16_t ethertype;    /* host order */
	void (*receive)(struct net_device *dev, struct sk_buff *skb);
};
/* The structure is the caller's. At boot, before the first packet. */
void link_protocol_register(struct net *net, struct link_protocol *protocol);

/*
 * Gives a packet whose link header is off, skb->protocol set, to whoever registered; drops
 * otherwise.
 */
void link_deliver(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK;

/* The link layer's input for ARPHRD_ETHER devices: ethernet_init registers it. */
struct link_type {
	struct list_head link;
	uint16_t type; /* ARPHRD_* */
	/*
	 * Owns a received frame: sets skb->protocol and packet_type, calls netdev_show_taps, takes
	 * the header off and calls link_deliver.
	 */
	void (*receive)(struct net_device *dev, struct sk_buff *skb);
	/*
	 * Writes a link header for `protocol` to `destination` in front: for packet sockets of type
	 * SOCK_DGRAM. 0 or -ENOMEM. NULL: the type has no header.
	 */
	int (*push_header)(struct net_device *dev, struct sk_buff *skb, uint16_t protocol,
			   struct mac destination);
};
/* The structure is the caller's. At boot. */
void link_type_register(struct net *net, struct link_type *type);
void link_type_unregister(struct net *net, struct link_type *type) NEEDS_NET_LOCK;

/*
 * Somebody who sees every frame that comes in or goes out: packet sockets. Gets no ownership: it
 * clones.
 */
struct packet_tap {
	struct list_head link; /* net->taps */
	void (*frame)(struct packet_tap *tap, struct net_device *dev, const struct sk_buff *skb,
		      bool outgoing);
};

/* Shows a frame, data at its link header and skb->protocol set, to every tap. */
void netdev_show_taps(struct net_device *dev, const struct sk_buff *skb,
		      bool outgoing) NEEDS_NET_LOCK;

/*
 * The interface ioctls that concern the device alone (netdevice(7)): flags, MTU, hardware address,
 * index, name. `argument` is a struct ifreq in kernel memory. -ENOTTY: not one of these.
 */
int device_ioctl(struct net *net, uint32_t command, void *argument) NEEDS_NET_LOCK;

/*
 * Registers /proc/net/dev, /proc/net/drops and /proc/sys/net/core. Process context. 0 or -ENOMEM.
 */
int netdev_proc_init(struct net *net);
/* Registers /sys/class/net. Process context. 0 or -ENOMEM. */
int netdev_sysfs_init(struct net *net);

/* The driver of lo: net_init and net_destroy call these. 0 or -ENOMEM. */
int loopback_init(struct net *net);
void loopback_destroy(struct net *net);
/* Delivers up to `budget` looped-back packets; true when more are waiting. */
bool loopback_deliver(struct net *net, uint32_t budget) NEEDS_NET_LOCK;

#endif
