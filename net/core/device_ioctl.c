/* The interface ioctls that concern the device alone: netdevice(7). */
#include "include/uapi/if_arp.h"
#include "include/uapi/sockios.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/core/netdevice.h"

static void change_flags_users(struct net_device *dev, uint32_t wanted) NEEDS_NET_LOCK
{
	uint32_t changed = (wanted ^ dev->asked_flags) & (IFF_PROMISC | IFF_ALLMULTI);

	if (changed & IFF_PROMISC)
		netdev_promiscuous(dev, wanted & IFF_PROMISC ? 1 : -1);
	if (changed & IFF_ALLMULTI)
		netdev_all_multicast(dev, wanted & IFF_ALLMULTI ? 1 : -1);
	dev->asked_flags ^= changed;
}

int netdev_change_flags(struct net_device *dev, uint32_t wanted)
{
	change_flags_users(dev, wanted);
	if (wanted & IFF_UP)
		return netdev_up(dev);
	netdev_down(dev);
	return 0;
}

static void get_hardware_address(const struct net_device *dev, struct sockaddr *to)
{
	memset(to, 0, sizeof(*to));
	to->sa_family = dev->type;
	memcpy(to->sa_data, dev->mac.bytes, MAC_LENGTH);
}

static int set_hardware_address(struct net_device *dev, const struct sockaddr *from) NEEDS_NET_LOCK
{
	struct mac mac;

	if (from->sa_family != dev->type)
		return -EINVAL;
	memcpy(mac.bytes, from->sa_data, MAC_LENGTH);
	return netdev_set_mac(dev, mac);
}

/* SIOCADDMULTI and SIOCDELMULTI. */
static int change_multicast(struct net_device *dev, const struct sockaddr *from,
			    bool join) NEEDS_NET_LOCK
{
	struct mac mac;

	if (from->sa_family != AF_UNSPEC)
		return -EINVAL;
	memcpy(mac.bytes, from->sa_data, MAC_LENGTH);
	if (!mac_is_multicast(mac))
		return -EINVAL;
	if (join)
		return netdev_multicast_join(dev, mac);
	if (!netdev_multicast_wanted(dev, mac))
		return -ENOENT;
	netdev_multicast_leave(dev, mac);
	return 0;
}

/* By index, unlike the others: fills in the name. */
static int get_name(struct net *net, struct ifreq *request) NEEDS_NET_LOCK
{
	const struct net_device *dev = netdev_by_index(net, request->ifr_ifindex);

	if (!dev)
		return -ENODEV;
	memcpy(request->ifr_name, dev->name, IFNAMSIZ);
	return 0;
}

static bool is_device_command(uint32_t command)
{
	switch (command) {
	case SIOCGIFFLAGS:
	case SIOCSIFFLAGS:
	case SIOCGIFMETRIC:
	case SIOCSIFMETRIC:
	case SIOCGIFMTU:
	case SIOCSIFMTU:
	case SIOCGIFHWADDR:
	case SIOCSIFHWADDR:
	case SIOCADDMULTI:
	case SIOCDELMULTI:
	case SIOCGIFINDEX:
	case SIOCGIFTXQLEN:
	case SIOCSIFTXQLEN:
	case SIOCGIFMAP:
	case SIOCETHTOOL:
	case SIOCGMIIPHY:
	case SIOCGMIIREG:
		return true;
	default:
		return false;
	}
}

int device_ioctl(struct net *net, uint32_t command, void *argument)
{
	struct ifreq *request = argument;

	if (command == SIOCGIFNAME)
		return get_name(net, request);
	if (!is_device_command(command))
		return -ENOTTY;
	request->ifr_name[IFNAMSIZ - 1] = '\0';

	struct net_device *dev = netdev_by_name(net, request->ifr_name);

	if (!dev)
		return -ENODEV;
	switch (command) {
	case SIOCGIFFLAGS:
		request->ifr_flags = (int16_t)netdev_flags(dev);
		return 0;
	case SIOCSIFFLAGS:
		return netdev_change_flags(dev, (uint16_t)request->ifr_flags);
	case SIOCGIFMETRIC:
		request->ifr_metric = 0;
		return 0;
	case SIOCGIFMTU:
		request->ifr_mtu = (int32_t)dev->mtu;
		return 0;
	case SIOCSIFMTU:
		return request->ifr_mtu < 0 ? -EINVAL
					    : netdev_set_mtu(dev, (uint32_t)request->ifr_mtu);
	case SIOCGIFHWADDR:
		get_hardware_address(dev, &request->ifr_hwaddr);
		return 0;
	case SIOCSIFHWADDR:
		return set_hardware_address(dev, &request->ifr_hwaddr);
	case SIOCADDMULTI:
		return change_multicast(dev, &request->ifr_hwaddr, true);
	case SIOCDELMULTI:
		return change_multicast(dev, &request->ifr_hwaddr, false);
	case SIOCGIFINDEX:
		request->ifr_ifindex = dev->ifindex;
		return 0;
	case SIOCGIFTXQLEN:
		request->ifr_qlen = (int32_t)dev->tx_queue_length;
		return 0;
	case SIOCSIFTXQLEN:
		if (request->ifr_qlen < 0)
			return -EINVAL;
		netdev_set_queue_length(dev, (uint32_t)request->ifr_qlen);
		return 0;
	case SIOCGIFMAP:
		memset(&request->ifr_map, 0, sizeof(request->ifr_map));
		return 0;
	default: /* metrics, ethtool, MII: known, and not there */
		return -EOPNOTSUPP;
	}
}
