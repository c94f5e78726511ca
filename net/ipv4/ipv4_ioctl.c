/* The ioctls of interface addresses (netdevice(7)): what ifconfig and udhcpc speak. */
#include "net/ipv4/ipv4_ioctl.h"
#include "include/uapi/if.h"
#include "include/uapi/in.h"
#include "include/uapi/sockios.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/ipv4/ipv4_state.h"

ip4_t ip4_of_sockaddr(const struct sockaddr *from)
{
	struct sockaddr_in in;

	memcpy(&in, from, sizeof(in));
	return be32_to_cpu(in.sin_addr.s_addr);
}

static void put_address(ip4_t address, struct sockaddr *to)
{
	const struct sockaddr_in in = {.sin_family = AF_INET,
				       .sin_addr.s_addr = cpu_to_be32(address)};

	memcpy(to, &in, sizeof(in));
}

int ip4_length_of_mask(ip4_t mask)
{
	uint32_t length = mask ? 32 - (uint32_t)__builtin_ctz(mask) : 0;

	return ip4_mask(length) == mask ? (int)length : -EINVAL;
}

/* The prefix that Linux gives an address set without a mask: its class's (RFC 791 3.2). */
static uint8_t classful_length(ip4_t address)
{
	if (address >> 31 == 0)
		return 8;
	return address >> 30 == 2 ? 16 : 24;
}

/* SIOCSIFADDR replaces the primary address; 0.0.0.0 only takes it away. */
static int set_address(struct net_device *dev, ip4_t wanted) NEEDS_NET_LOCK
{
	struct ip4_address *primary = ip4_primary_address(dev);
	uint8_t length = dev->flags & IFF_LOOPBACK && !ip4_is_loopback(wanted)
				 ? 32
				 : classful_length(wanted);

	if (wanted != IP4_ANY && !ip4_is_unicast(wanted))
		return -EINVAL;
	if (primary && primary->address == wanted)
		return 0;
	if (primary)
		ip4_remove_address(dev, primary->address);
	return wanted == IP4_ANY ? 0 : ip4_add_address(dev, wanted, length, 0);
}

/* The broadcast address follows the mask as long as it is the subnet's own. */
static int set_mask(struct net_device *dev, struct ip4_address *primary, ip4_t mask) NEEDS_NET_LOCK
{
	struct ip4_address values = *primary;
	int length = ip4_length_of_mask(mask);

	if (length < 0)
		return -EINVAL;
	if (length == primary->prefix_length)
		return 0;
	values.prefix_length = (uint8_t)length;
	if (!(dev->flags & IFF_BROADCAST) || length >= 31)
		values.broadcast = 0;
	else if (!primary->broadcast ||
		 primary->broadcast == (primary->address | ~ip4_mask(primary->prefix_length)))
		values.broadcast = primary->address | ~mask;
	return ip4_change_address(dev, primary, &values);
}

static int set_broadcast(struct net_device *dev, struct ip4_address *primary,
			 ip4_t broadcast) NEEDS_NET_LOCK
{
	struct ip4_address values = *primary;

	if (primary->broadcast == broadcast)
		return 0;
	values.broadcast = broadcast;
	return ip4_change_address(dev, primary, &values);
}

static int set_peer(struct net_device *dev, struct ip4_address *primary, ip4_t peer) NEEDS_NET_LOCK
{
	struct ip4_address values = *primary;

	if (!ip4_is_unicast(peer))
		return -EINVAL;
	if (primary->peer == peer)
		return 0;
	values.peer = peer;
	values.prefix_length = 32;
	return ip4_change_address(dev, primary, &values);
}

/* SIOCGIFCONF: every address of every interface. */
static int list_addresses(struct net *net, struct ifconf *list) NEEDS_NET_LOCK
{
	struct ifreq *to = (struct ifreq *)(uintptr_t)list->ifc_buf;
	size_t room = to ? (size_t)list->ifc_len / sizeof(*to) : SIZE_MAX, used = 0;
	struct net_device *dev;

	list_for_each_entry(dev, &net->devices, link) {
		struct ip4_interface *interface = dev->ip4;
		struct ip4_address *address;

		if (!interface)
			continue;
		list_for_each_entry(address, &interface->addresses, link) {
			if (used == room)
				break;
			if (to) {
				memset(&to[used], 0, sizeof(*to));
				strscpy(to[used].ifr_name, dev->name, IFNAMSIZ);
				put_address(address->address, &to[used].ifr_addr);
			}
			used++;
		}
	}
	list->ifc_len = (int32_t)(used * sizeof(*to));
	return 0;
}

static bool is_address_command(uint32_t command)
{
	return command >= SIOCGIFADDR && command <= SIOCSIFNETMASK;
}

static int get(const struct ip4_address *primary, uint32_t command, struct sockaddr *to)
{
	switch (command) {
	case SIOCGIFADDR:
		put_address(primary->address, to);
		return 0;
	case SIOCGIFBRDADDR:
		put_address(primary->broadcast, to);
		return 0;
	case SIOCGIFDSTADDR:
		put_address(primary->peer, to);
		return 0;
	default:
		put_address(ip4_mask(primary->prefix_length), to);
		return 0;
	}
}

static int address_ioctl(struct net_device *dev, uint32_t command,
			 struct ifreq *request) NEEDS_NET_LOCK
{
	struct ip4_address *primary = ip4_primary_address(dev);
	ip4_t address = ip4_of_sockaddr(&request->ifr_addr);
	bool sets = command == SIOCSIFADDR || command == SIOCSIFBRDADDR ||
		    command == SIOCSIFDSTADDR || command == SIOCSIFNETMASK;

	if (sets && request->ifr_addr.sa_family != AF_INET)
		return -EINVAL;
	if (command == SIOCSIFADDR)
		return set_address(dev, address);
	if (!primary)
		return -EADDRNOTAVAIL;
	switch (command) {
	case SIOCSIFNETMASK:
		return set_mask(dev, primary, address);
	case SIOCSIFBRDADDR:
		return set_broadcast(dev, primary, address);
	case SIOCSIFDSTADDR:
		return set_peer(dev, primary, address);
	default:
		return get(primary, command, &request->ifr_addr);
	}
}

int ip4_ioctl(struct net *net, uint32_t command, void *argument)
{
	struct ifreq *request = argument;
	struct net_device *dev;

	switch (command) {
	case SIOCGIFCONF:
		return list_addresses(net, argument);
	case SIOCADDRT:
	case SIOCDELRT:
		return ip4_route_ioctl(net, command, argument);
	case SIOCSARP:
	case SIOCGARP:
	case SIOCDARP:
		return ip4_arp_ioctl(net, command, argument);
	default:
		break;
	}
	if (!is_address_command(command))
		return -ENOTTY;
	request->ifr_name[IFNAMSIZ - 1] = '\0';
	dev = netdev_by_name(net, request->ifr_name);
	return dev ? address_ioctl(dev, command, request) : -ENODEV;
}
