/* Interface addresses: RTM_GETADDR, RTM_NEWADDR, RTM_DELADDR. */
#include "include/uapi/if.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "net/ipv4/ipv4.h"
#include "net/netlink/rtnetlink.h"

static const uint8_t least[IFA_RT_PRIORITY + 1] = {
	[IFA_ADDRESS] = 4,   [IFA_LOCAL] = 4,
	[IFA_BROADCAST] = 4, [IFA_CACHEINFO] = sizeof(struct ifa_cacheinfo),
	[IFA_FLAGS] = 4,     [IFA_RT_PRIORITY] = 4,
};
static const struct netlink_policy policy = {.most = IFA_RT_PRIORITY, .least = least};

static uint8_t scope_of(ip4_t address)
{
	return ip4_is_loopback(address) ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
}

/* Not the first of its subnet. */
static bool is_secondary(const struct net_device *dev, const struct ip4_address *address)
{
	const struct ip4_interface *interface = dev->ip4;
	const struct ip4_address *other;
	ip4_t mask = ip4_mask(address->prefix_length);

	if (!interface)
		return false;
	list_for_each_entry(other, &interface->addresses, link) {
		if (other == address)
			return false;
		if (other->prefix_length == address->prefix_length &&
		    ((other->address ^ address->address) & mask) == 0)
			return true;
	}
	return false;
}

bool rtnetlink_put_address(struct netlink_writer *writer, const struct nlmsghdr *header,
			   const struct net_device *dev, const struct ip4_address *address)
{
	const struct ifa_cacheinfo forever = {.ifa_prefered = UINT32_MAX, .ifa_valid = UINT32_MAX};
	const struct ifaddrmsg info = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = address->prefix_length,
		.ifa_flags = (uint8_t)(IFA_F_PERMANENT |
				       (is_secondary(dev, address) ? IFA_F_SECONDARY : 0)),
		.ifa_scope = scope_of(address->address),
		.ifa_index = (uint32_t)dev->ifindex,
	};

	netlink_begin(writer, header);
	netlink_put_bytes(writer, &info, sizeof(info));
	netlink_put_be32(writer, IFA_ADDRESS, address->peer);
	netlink_put_be32(writer, IFA_LOCAL, address->address);
	if (address->broadcast)
		netlink_put_be32(writer, IFA_BROADCAST, address->broadcast);
	netlink_put_string(writer, IFA_LABEL, dev->name);
	netlink_put_u32(writer, IFA_FLAGS, info.ifa_flags);
	netlink_put(writer, IFA_CACHEINFO, &forever, sizeof(forever));
	return netlink_end(writer);
}

/* ---- Asking ---- */

struct address_filter {
	uint32_t ifindex; /* 0: all */
	bool none;        /* a family that has no addresses here */
};

/* position: the device's number, and how many of its addresses are told. */
static bool fill_device(struct netlink_dump *dump, struct netlink_writer *writer,
			const struct net_device *dev) NEEDS_NET_LOCK
{
	const struct ip4_interface *interface = dev->ip4;
	struct nlmsghdr header = dump->header;
	const struct ip4_address *address;
	uint64_t at = 0;

	if (!interface)
		return true;
	header.nlmsg_type = RTM_NEWADDR;
	list_for_each_entry(address, &interface->addresses, link) {
		if (at++ < dump->position[1])
			continue;
		if (!rtnetlink_put_address(writer, &header, dev, address))
			return false;
		dump->position[1]++;
	}
	return true;
}

static bool fill_addresses(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK
{
	const struct address_filter *filter = dump->filter;
	const struct net_device *dev;

	list_for_each_entry(dev, &dump->net->devices, link) {
		uint64_t index = (uint64_t)dev->ifindex;

		if (filter->none || index < dump->position[0] ||
		    (filter->ifindex && index != filter->ifindex))
			continue;
		if (index > dump->position[0]) {
			dump->position[0] = index;
			dump->position[1] = 0;
		}
		if (!fill_device(dump, writer, dev))
			return false;
	}
	return true;
}

static int dump_addresses(struct netlink_request *request) NEEDS_NET_LOCK
{
	struct ifaddrmsg info;
	int error = rtnetlink_fixed_part(request, &info, sizeof(info), false);

	if (error)
		return error;
	if (request->from->strict && info.ifa_index &&
	    !netdev_by_index(request->net, (int)info.ifa_index))
		return -ENODEV;
	struct address_filter *filter = kmalloc(sizeof(*filter));

	if (!filter)
		return -ENOMEM;
	/* Without strict checking the rest of the header was never looked at. */
	*filter = (struct address_filter){.ifindex = request->from->strict ? info.ifa_index : 0,
					  .none = info.ifa_family != AF_UNSPEC &&
						  info.ifa_family != AF_INET};
	const struct netlink_dump dump = {
		.fill = fill_addresses,
		.filter = filter,
		.generation = &rtnetlink_of(request->net)->generations.addresses};

	return netlink_dump_start(request, &dump);
}

/* ---- Changing ---- */

/* What a request is about. */
struct address_change {
	struct net_device *dev;
	ip4_t local, peer;
	ip4_t broadcast; /* 0: the subnet's own */
	uint8_t prefix_length;
	bool has_local;
};

static struct ip4_address *find_address(const struct address_change *change) NEEDS_NET_LOCK
{
	const struct ip4_interface *interface = change->dev->ip4;
	struct ip4_address *address;

	if (!interface)
		return NULL;
	list_for_each_entry(address, &interface->addresses, link) {
		if (address->address == change->local)
			return address;
	}
	return NULL;
}

/* Lives that end, names of their own, scopes other than ours: not done here. */
static bool asks_too_much(const struct ifaddrmsg *info, const struct netlink_attribute *attributes,
			  const struct address_change *change)
{
	struct ifa_cacheinfo lives;
	char label[IFNAMSIZ];
	uint32_t flags = info->ifa_flags;

	if (attributes[IFA_FLAGS].value)
		flags = netlink_u32(&attributes[IFA_FLAGS]);
	if (flags & ~(uint32_t)(IFA_F_PERMANENT | IFA_F_SECONDARY))
		return true;
	if (attributes[IFA_CACHEINFO].value) {
		memcpy(&lives, attributes[IFA_CACHEINFO].value, sizeof(lives));
		if (lives.ifa_valid != UINT32_MAX || lives.ifa_prefered != UINT32_MAX)
			return true;
	}
	if (attributes[IFA_LABEL].value &&
	    (!netlink_string(&attributes[IFA_LABEL], label, sizeof(label)) ||
	     strncmp(label, change->dev->name, sizeof(label)) != 0))
		return true;
	return info->ifa_scope != scope_of(change->local) || attributes[IFA_RT_PRIORITY].value;
}

static int read_change(struct netlink_request *request, const struct ifaddrmsg *info,
		       const struct netlink_attribute *attributes,
		       struct address_change *change) NEEDS_NET_LOCK
{
	const struct netlink_attribute *local = &attributes[IFA_LOCAL];
	const struct netlink_attribute *address = &attributes[IFA_ADDRESS];

	*change = (struct address_change){.prefix_length = info->ifa_prefixlen};
	if (info->ifa_prefixlen > 32)
		return netlink_refuse(request, -EINVAL, "Invalid prefix length");
	change->dev = netdev_by_index(request->net, (int)info->ifa_index);
	if (!change->dev)
		return netlink_refuse(request, -ENODEV, "Device not found");
	change->has_local = local->value != NULL;
	if (local->value)
		change->local = change->peer = netlink_be32(local);
	if (address->value)
		change->peer = netlink_be32(address);
	if (!local->value)
		change->local = change->peer;
	if (attributes[IFA_BROADCAST].value)
		change->broadcast = netlink_be32(&attributes[IFA_BROADCAST]);
	return 0;
}

/* The whole of it: broadcast address, peer and prefix length are those of `change`. */
static int set_values(struct ip4_address *address,
		      const struct address_change *change) NEEDS_NET_LOCK
{
	struct ip4_address values = {.peer = change->peer,
				     .prefix_length = change->prefix_length,
				     .broadcast = change->broadcast ? change->broadcast
								    : address->broadcast};

	return ip4_change_address(change->dev, address, &values);
}

static int add_address(struct netlink_request *request,
		       const struct address_change *change) NEEDS_NET_LOCK
{
	uint16_t flags = request->message->header.nlmsg_flags;
	struct ip4_address *address = find_address(change);
	bool pointed = change->peer != change->local;

	if (address) {
		if (flags & NLM_F_EXCL || !(flags & NLM_F_REPLACE))
			return netlink_refuse(request, -EEXIST, "Address already assigned");
		return set_values(address, change);
	}
	int error = ip4_add_address(change->dev, change->local,
				    pointed ? 32 : change->prefix_length, change->broadcast);

	if (error || !pointed)
		return error;
	error = set_values(find_address(change), change);
	if (error) /* not half of it */
		ip4_remove_address(change->dev, change->local);
	return error;
}

static int remove_address(struct netlink_request *request, const struct address_change *change,
			  bool has_peer) NEEDS_NET_LOCK
{
	const struct ip4_address *address = find_address(change);
	ip4_t mask = ip4_mask(change->prefix_length);

	if (address && change->has_local && has_peer &&
	    (address->prefix_length != change->prefix_length ||
	     (address->peer ^ change->peer) & mask))
		address = NULL;
	if (!address)
		return netlink_refuse(request, -EADDRNOTAVAIL, "Address not found");
	return ip4_remove_address(change->dev, change->local);
}

static int change_address(struct netlink_request *request) NEEDS_NET_LOCK
{
	struct netlink_attribute attributes[IFA_RT_PRIORITY + 1];
	struct address_change change;
	struct ifaddrmsg info;
	int error = rtnetlink_fixed_part(request, &info, sizeof(info), true);

	if (error)
		return error;
	if (info.ifa_family != AF_INET)
		return -EOPNOTSUPP;
	error = netlink_attributes(request, sizeof(info), &policy, attributes);
	if (!error)
		error = read_change(request, &info, attributes, &change);
	if (error)
		return error;
	if (request->message->header.nlmsg_type == RTM_DELADDR)
		return remove_address(request, &change, attributes[IFA_ADDRESS].value != NULL);
	if (!change.has_local)
		return netlink_refuse(request, -EINVAL, "Local address is not supplied");
	if (asks_too_much(&info, attributes, &change))
		return -EOPNOTSUPP;
	return add_address(request, &change);
}

const struct rtnetlink_matter rtnetlink_addresses = {.change = change_address,
						     .dump = dump_addresses};
