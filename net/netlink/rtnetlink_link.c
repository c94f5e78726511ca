/* Links: RTM_GETLINK, and RTM_NEWLINK and RTM_SETLINK of interfaces that are there. */
#include "include/uapi/if_arp.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "net/netlink/rtnetlink.h"

/* The shortest value of each attribute; those that are not named may be of any length. */
static const uint8_t least[IFLA_PERM_ADDRESS + 1] = {
	[IFLA_MTU] = 4,      [IFLA_LINK] = 4,       [IFLA_MASTER] = 4,     [IFLA_TXQLEN] = 4,
	[IFLA_LINKMODE] = 1, [IFLA_OPERSTATE] = 1,  [IFLA_GROUP] = 4,      [IFLA_EXT_MASK] = 4,
	[IFLA_CARRIER] = 1,  [IFLA_PROTO_DOWN] = 1, [IFLA_NET_NS_PID] = 4, [IFLA_NET_NS_FD] = 4};
static const struct netlink_policy policy = {.most = IFLA_PERM_ADDRESS, .least = least};

struct rtnl_link_stats64 rtnetlink_link_statistics(const struct net_device *dev)
{
	const struct net_device_statistics *s = &dev->statistics;

	return (struct rtnl_link_stats64){
		.rx_packets = s->rx_packets,
		.tx_packets = s->tx_packets,
		.rx_bytes = s->rx_bytes,
		.tx_bytes = s->tx_bytes,
		.rx_errors = s->rx_errors,
		.tx_errors = s->tx_errors,
		.rx_dropped = s->rx_dropped,
		.tx_dropped = s->tx_dropped,
		.multicast = s->rx_multicast,
		.collisions = s->tx_collisions,
		.rx_frame_errors = s->rx_frame,
		.rx_fifo_errors = s->rx_fifo,
		.tx_carrier_errors = s->tx_carrier,
		.tx_fifo_errors = s->tx_fifo,
		.rx_compressed = s->rx_compressed,
		.tx_compressed = s->tx_compressed,
	};
}

static void put_statistics(struct netlink_writer *writer,
			   const struct net_device *dev) NEEDS_NET_LOCK
{
	const struct rtnl_link_stats64 wide = rtnetlink_link_statistics(dev);
	const uint64_t *from = &wide.rx_packets;
	uint32_t narrow[sizeof(struct rtnl_link_stats) / sizeof(uint32_t)];

	for (size_t i = 0; i < ARRAY_SIZE(narrow); i++)
		narrow[i] = (uint32_t)from[i];
	netlink_put(writer, IFLA_STATS64, &wide, sizeof(wide));
	netlink_put(writer, IFLA_STATS, narrow, sizeof(narrow));
}

_Static_assert(offsetof(struct rtnl_link_stats, rx_nohandler) * 2 ==
		       offsetof(struct rtnl_link_stats64, rx_nohandler),
	       "the same numbers in half the width");

/* lo has no wire of which anything could be known. */
static uint8_t operational_state(const struct net_device *dev)
{
	if (dev->flags & IFF_LOOPBACK)
		return IF_OPER_UNKNOWN;
	return dev->carrier && dev->flags & IFF_UP ? IF_OPER_UP : IF_OPER_DOWN;
}

bool rtnetlink_put_link(struct netlink_writer *writer, const struct nlmsghdr *header,
			const struct net_device *dev)
{
	const struct ifinfomsg info = {
		.ifi_type = dev->type, .ifi_index = dev->ifindex, .ifi_flags = netdev_flags(dev)};

	netlink_begin(writer, header);
	netlink_put_bytes(writer, &info, sizeof(info));
	netlink_put_string(writer, IFLA_IFNAME, dev->name);
	netlink_put_u32(writer, IFLA_TXQLEN, dev->tx_queue_length);
	netlink_put_u8(writer, IFLA_OPERSTATE, operational_state(dev));
	netlink_put_u8(writer, IFLA_LINKMODE, 0);
	netlink_put_u32(writer, IFLA_MTU, dev->mtu);
	netlink_put_u32(writer, IFLA_MIN_MTU, dev->min_mtu);
	netlink_put_u32(writer, IFLA_MAX_MTU, dev->max_mtu);
	netlink_put_u32(writer, IFLA_GROUP, 0);
	netlink_put_u32(writer, IFLA_PROMISCUITY, dev->promiscuous);
	netlink_put_u32(writer, IFLA_NUM_TX_QUEUES, 1);
	netlink_put_u32(writer, IFLA_NUM_RX_QUEUES, 1);
	netlink_put_u8(writer, IFLA_CARRIER, dev->carrier);
	netlink_put_string(writer, IFLA_QDISC, "noqueue");
	if (dev->type == ARPHRD_ETHER || dev->type == ARPHRD_LOOPBACK) {
		netlink_put(writer, IFLA_ADDRESS, dev->mac.bytes, MAC_LENGTH);
		netlink_put(writer, IFLA_BROADCAST, dev->broadcast.bytes, MAC_LENGTH);
	}
	put_statistics(writer, dev);
	return netlink_end(writer);
}

/* ---- Asking ---- */

struct net_device *rtnetlink_next_device(struct net *net, int after)
{
	struct net_device *dev;

	list_for_each_entry(dev, &net->devices, link) {
		if (dev->ifindex > after)
			return dev;
	}
	return NULL;
}

static bool fill_links(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK
{
	struct nlmsghdr header = dump->header;
	const struct net_device *dev;

	header.nlmsg_type = RTM_NEWLINK;
	while ((dev = rtnetlink_next_device(dump->net, (int)dump->position[0]))) {
		if (!rtnetlink_put_link(writer, &header, dev))
			return false;
		dump->position[0] = (uint64_t)dev->ifindex;
	}
	return true;
}

static int dump_links(struct netlink_request *request) NEEDS_NET_LOCK
{
	struct netlink_attribute attributes[IFLA_PERM_ADDRESS + 1];
	struct ifinfomsg info;
	int error = rtnetlink_fixed_part(request, &info, sizeof(info), false);

	/* Programs of old send a struct rtgenmsg and nothing that could be read behind it. */
	if (!error && request->message->length >= sizeof(info))
		error = netlink_attributes(request, sizeof(info), &policy, attributes);
	if (error)
		return error;
	/* A bridge's ports, and what belongs to a master: there are none. */
	bool none = request->message->length >= sizeof(info) &&
		    (attributes[IFLA_MASTER].value || attributes[IFLA_LINKINFO].value);
	const struct netlink_dump dump = {
		.fill = none || (info.ifi_family != AF_UNSPEC && info.ifi_family != AF_PACKET &&
				 info.ifi_family != AF_INET)
				? rtnetlink_fill_nothing
				: fill_links,
		.generation = &rtnetlink_of(request->net)->generations.links};

	return netlink_dump_start(request, &dump);
}

/* By number, or else by name. NULL with *error. */
static struct net_device *find_link(struct netlink_request *request, const struct ifinfomsg *info,
				    const struct netlink_attribute *attributes,
				    int *error) NEEDS_NET_LOCK
{
	const struct netlink_attribute *name = &attributes[IFLA_IFNAME];
	struct net_device *dev = NULL;
	char text[IFNAMSIZ];

	if (!name->value)
		name = &attributes[IFLA_ALT_IFNAME];
	*error = -ENODEV;
	if (info->ifi_index > 0) {
		dev = netdev_by_index(request->net, info->ifi_index);
	} else if (name->value) {
		if (netlink_string(name, text, sizeof(text)))
			dev = netdev_by_name(request->net, text);
	} else {
		*error = -EINVAL;
	}
	return dev;
}

static int get_link(struct netlink_request *request) NEEDS_NET_LOCK
{
	struct netlink_attribute attributes[IFLA_PERM_ADDRESS + 1];
	const struct nlmsghdr header = netlink_answer_header(request, RTM_NEWLINK);
	struct netlink_writer writer;
	struct ifinfomsg info;
	int error = rtnetlink_fixed_part(request, &info, sizeof(info), true);

	if (!error)
		error = netlink_attributes(request, sizeof(info), &policy, attributes);
	if (error)
		return error;
	const struct net_device *dev = find_link(request, &info, attributes, &error);

	if (!dev)
		return error;
	struct sk_buff *skb = netlink_packet(request->net, RTNETLINK_MESSAGE_ROOM, &writer);

	if (!skb)
		return -ENOBUFS;
	rtnetlink_put_link(&writer, &header, dev);
	netlink_send(request->from, skb, &writer);
	return 0;
}

/* ---- Changing ---- */

/* What can be asked for and is not done here: nothing is changed then. */
static bool asks_too_much(const struct netlink_attribute *attributes)
{
	static const uint8_t others[] = {IFLA_BROADCAST,     IFLA_LINK,         IFLA_MASTER,
					 IFLA_OPERSTATE,     IFLA_LINKMODE,     IFLA_LINKINFO,
					 IFLA_IFALIAS,       IFLA_NET_NS_PID,   IFLA_NET_NS_FD,
					 IFLA_GROUP,         IFLA_CARRIER,      IFLA_AF_SPEC,
					 IFLA_PROTO_DOWN,    IFLA_PROP_LIST,    IFLA_NUM_TX_QUEUES,
					 IFLA_NUM_RX_QUEUES, IFLA_GSO_MAX_SIZE, IFLA_GSO_MAX_SEGS};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (attributes[others[i]].value)
			return true;
	}
	return false;
}

#define CHANGEABLE_FLAGS (IFF_UP | IFF_PROMISC | IFF_ALLMULTI)

/* The flags as they are to be; -EOPNOTSUPP for one that does not change. */
static int wanted_flags(const struct net_device *dev, const struct ifinfomsg *info, uint32_t *flags)
{
	const uint32_t settable = CHANGEABLE_FLAGS | IFF_DEBUG | IFF_NOARP | IFF_MULTICAST |
				  IFF_DYNAMIC;
	uint32_t change = info->ifi_change ? info->ifi_change : UINT32_MAX;
	uint32_t now = (dev->flags & ~(uint32_t)(IFF_PROMISC | IFF_ALLMULTI)) | dev->asked_flags;

	*flags = now;
	if (!info->ifi_change && !info->ifi_flags)
		return 0;
	*flags = (info->ifi_flags & change) | (now & ~change);
	return (*flags ^ now) & settable & ~(uint32_t)CHANGEABLE_FLAGS ? -EOPNOTSUPP : 0;
}

static int set_address(struct net_device *dev,
		       const struct netlink_attribute *attribute) NEEDS_NET_LOCK
{
	struct mac mac;

	if (attribute->length != MAC_LENGTH)
		return -EINVAL;
	memcpy(mac.bytes, attribute->value, MAC_LENGTH);
	return netdev_set_mac(dev, mac);
}

static int apply(struct net_device *dev, const struct netlink_attribute *attributes,
		 uint32_t flags) NEEDS_NET_LOCK
{
	int error = 0;

	if (attributes[IFLA_ADDRESS].value)
		error = set_address(dev, &attributes[IFLA_ADDRESS]);
	if (!error && attributes[IFLA_MTU].value)
		error = netdev_set_mtu(dev, netlink_u32(&attributes[IFLA_MTU]));
	if (!error && attributes[IFLA_TXQLEN].value)
		netdev_set_queue_length(dev, netlink_u32(&attributes[IFLA_TXQLEN]));
	return error ? error : netdev_change_flags(dev, flags);
}

/* IFLA_IFNAME beside a number is a new name: only the one that it has will do. */
static bool renames(const struct net_device *dev, const struct netlink_attribute *attributes)
{
	char name[IFNAMSIZ];

	return attributes[IFLA_IFNAME].value &&
	       (!netlink_string(&attributes[IFLA_IFNAME], name, sizeof(name)) ||
		strncmp(name, dev->name, sizeof(name)) != 0);
}

/* ip(8) takes ENODEV, for one without a name, as a sign that links can be changed at all. */
static int refuse_new(const struct nlmsghdr *header)
{
	return header->nlmsg_flags & NLM_F_CREATE ? -EOPNOTSUPP : -ENODEV;
}

static int change_link(struct netlink_request *request) NEEDS_NET_LOCK
{
	struct netlink_attribute attributes[IFLA_PERM_ADDRESS + 1];
	const struct nlmsghdr *header = &request->message->header;
	struct ifinfomsg info;
	uint32_t flags;
	int error = rtnetlink_fixed_part(request, &info, sizeof(info), true);

	if (!error)
		error = netlink_attributes(request, sizeof(info), &policy, attributes);
	if (error)
		return error;
	struct net_device *dev = find_link(request, &info, attributes, &error);

	if (header->nlmsg_type == RTM_DELLINK)
		return dev ? -EOPNOTSUPP : error;
	if (!dev)
		return header->nlmsg_type == RTM_NEWLINK ? refuse_new(header) : error;
	if (header->nlmsg_type == RTM_NEWLINK && header->nlmsg_flags & NLM_F_EXCL)
		return -EEXIST;
	if (asks_too_much(attributes) || renames(dev, attributes))
		return -EOPNOTSUPP;
	error = wanted_flags(dev, &info, &flags);
	return error ? error : apply(dev, attributes, flags);
}

const struct rtnetlink_matter rtnetlink_links = {
	.change = change_link, .get = get_link, .dump = dump_links};
