/* Neighbours: RTM_GETNEIGH, RTM_NEWNEIGH, RTM_DELNEIGH, of ARP's table. */
#include "include/uapi/if_arp.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "net/ethernet/arp_table.h"
#include "net/netlink/rtnetlink.h"

static const uint8_t least[NDA_MASTER + 1] = {[NDA_DST] = 4, [NDA_IFINDEX] = 4, [NDA_MASTER] = 4};
static const struct netlink_policy policy = {.most = NDA_MASTER, .least = least};

static uint16_t state_of(const struct arp_entry *entry, bool gone)
{
	switch (entry->state) {
	case ARP_INCOMPLETE:
		return gone ? NUD_FAILED : NUD_INCOMPLETE;
	case ARP_REACHABLE:
		return NUD_REACHABLE;
	case ARP_STALE: /* and being asked again, unless nobody needs it */
		return entry->tries ? NUD_PROBE : NUD_STALE;
	default:
		return NUD_PERMANENT;
	}
}

bool rtnetlink_put_neighbour(struct netlink_writer *writer, const struct nlmsghdr *header,
			     const struct arp_entry *entry, bool gone)
{
	const struct ndmsg info = {
		.ndm_family = AF_INET,
		.ndm_ifindex = entry->dev->ifindex,
		.ndm_state = state_of(entry, gone),
		.ndm_type = RTN_UNICAST,
	};

	netlink_begin(writer, header);
	netlink_put_bytes(writer, &info, sizeof(info));
	netlink_put_be32(writer, NDA_DST, entry->address);
	if (entry->state != ARP_INCOMPLETE)
		netlink_put(writer, NDA_LLADDR, entry->mac.bytes, MAC_LENGTH);
	netlink_put_u32(writer, NDA_PROBES, entry->tries);
	return netlink_end(writer);
}

/* ---- Asking ---- */

struct neighbour_filter {
	int ifindex; /* 0: all */
	bool none;   /* another family's, or a master's, or proxies: there are none */
};

static bool fill_neighbours(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK
{
	const struct neighbour_filter *filter = dump->filter;
	struct nlmsghdr header = dump->header;
	struct arp_cursor cursor = {.use = (uint32_t)dump->position[0],
				    .skip = (uint32_t)dump->position[1]};
	const struct arp_entry *entry;

	if (filter->none)
		return true;
	header.nlmsg_type = RTM_NEWNEIGH;
	while ((entry = arp_next(dump->net, &cursor))) {
		if ((!filter->ifindex || entry->dev->ifindex == filter->ifindex) &&
		    !rtnetlink_put_neighbour(writer, &header, entry, false))
			return false;
		dump->position[0] = cursor.use;
		dump->position[1] = cursor.skip;
	}
	dump->position[0] = cursor.use;
	dump->position[1] = cursor.skip;
	return true;
}

static int dump_neighbours(struct netlink_request *request) NEEDS_NET_LOCK
{
	struct netlink_attribute attributes[NDA_MASTER + 1] = {0};
	struct ndmsg info;
	int error = rtnetlink_fixed_part(request, &info, sizeof(info), false);

	if (!error && request->message->length >= sizeof(info))
		error = netlink_attributes(request, sizeof(info), &policy, attributes);
	if (error)
		return error;
	struct neighbour_filter *filter = kmalloc(sizeof(*filter));

	if (!filter)
		return -ENOMEM;
	*filter = (struct neighbour_filter){
		.none = (info.ndm_family != AF_UNSPEC && info.ndm_family != AF_INET) ||
			info.ndm_flags & NTF_PROXY || attributes[NDA_MASTER].value};
	if (attributes[NDA_IFINDEX].value)
		filter->ifindex = (int)netlink_u32(&attributes[NDA_IFINDEX]);
	const struct netlink_dump dump = {
		.fill = fill_neighbours,
		.filter = filter,
		.generation = &rtnetlink_of(request->net)->generations.neighbours};

	return netlink_dump_start(request, &dump);
}

/* What a request for one is about: an interface with ARP, and an address. */
static int read_one(struct netlink_request *request, struct ndmsg *info,
		    struct netlink_attribute *attributes, struct net_device **dev) NEEDS_NET_LOCK
{
	int error = rtnetlink_fixed_part(request, info, sizeof(*info), true);

	if (!error && info->ndm_family != AF_INET)
		error = -EOPNOTSUPP;
	if (!error)
		error = netlink_attributes(request, sizeof(*info), &policy, attributes);
	if (error)
		return error;
	if (!attributes[NDA_DST].value)
		return netlink_refuse(request, -EINVAL, "Network address not specified");
	if (!info->ndm_ifindex)
		return netlink_refuse(request, -EINVAL, "No device specified");
	*dev = netdev_by_index(request->net, info->ndm_ifindex);
	if (!*dev)
		return netlink_refuse(request, -ENODEV, "Unknown device ifindex");
	if (info->ndm_flags & NTF_PROXY || (*dev)->type != ARPHRD_ETHER)
		return -EOPNOTSUPP;
	return 0;
}

static int get_neighbour(struct netlink_request *request) NEEDS_NET_LOCK
{
	struct netlink_attribute attributes[NDA_MASTER + 1];
	const struct nlmsghdr header = netlink_answer_header(request, RTM_NEWNEIGH);
	struct netlink_writer writer;
	struct net_device *dev = NULL;
	struct ndmsg info;
	int error = read_one(request, &info, attributes, &dev);

	if (error)
		return error;
	const struct arp_entry *entry = arp_neighbour(dev, netlink_be32(&attributes[NDA_DST]));

	if (!entry)
		return netlink_refuse(request, -ENOENT, "Neighbour entry not found");
	struct sk_buff *skb = netlink_packet(request->net, RTNETLINK_MESSAGE_ROOM, &writer);

	if (!skb)
		return -ENOBUFS;
	rtnetlink_put_neighbour(&writer, &header, entry, false);
	netlink_send(request->from, skb, &writer);
	return 0;
}

/* ---- Changing ---- */

static int set_neighbour(struct netlink_request *request, struct net_device *dev,
			 const struct ndmsg *info,
			 const struct netlink_attribute *attributes) NEEDS_NET_LOCK
{
	const uint16_t known = NUD_PERMANENT | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE;
	const struct netlink_attribute *link = &attributes[NDA_LLADDR];
	ip4_t address = netlink_be32(&attributes[NDA_DST]);
	uint16_t flags = request->message->header.nlmsg_flags;
	const struct arp_entry *entry = arp_neighbour(dev, address);
	struct mac mac;

	if (!ip4_is_unicast(address))
		return -EINVAL;
	if (!entry && !(flags & NLM_F_CREATE))
		return -ENOENT;
	if (entry && flags & NLM_F_EXCL)
		return -EEXIST;
	if (!(info->ndm_state & known) || info->ndm_flags & NTF_USE)
		return -EOPNOTSUPP;
	if (link->value && link->length != MAC_LENGTH)
		return netlink_refuse(request, -EINVAL, "Invalid link address");
	if (!link->value && (!entry || entry->state == ARP_INCOMPLETE))
		return netlink_refuse(request, -EINVAL, "No link address");
	if (link->value)
		memcpy(mac.bytes, link->value, MAC_LENGTH);
	else
		mac = entry->mac;
	return arp_set_permanent(dev, address, mac, info->ndm_state & NUD_PERMANENT);
}

static int change_neighbour(struct netlink_request *request) NEEDS_NET_LOCK
{
	struct netlink_attribute attributes[NDA_MASTER + 1];
	struct net_device *dev = NULL;
	struct ndmsg info;
	int error = read_one(request, &info, attributes, &dev);

	if (error)
		return error;
	if (request->message->header.nlmsg_type == RTM_NEWNEIGH)
		return set_neighbour(request, dev, &info, attributes);
	error = arp_delete(dev, netlink_be32(&attributes[NDA_DST]));
	return error == -ENXIO ? -ENOENT : error;
}

const struct rtnetlink_matter rtnetlink_neighbours = {
	.change = change_neighbour, .get = get_neighbour, .dump = dump_neighbours};
