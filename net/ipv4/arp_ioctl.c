/* SIOCSARP, SIOCGARP and SIOCDARP: what arp(8) speaks. */
#include "include/uapi/sockios.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/ethernet/arp.h"
#include "net/ipv4/ipv4_ioctl.h"
#include "net/ipv4/ipv4_state.h"

/* The interface named, or the one whose link has the neighbour. */
static int choose_device(struct net *net, struct arpreq *request, ip4_t address,
			 struct net_device **dev) NEEDS_NET_LOCK
{
	struct route_result route;

	request->arp_dev[sizeof(request->arp_dev) - 1] = '\0';
	if (request->arp_dev[0]) {
		*dev = netdev_by_name(net, request->arp_dev);
		return *dev ? 0 : -ENODEV;
	}
	if (route_lookup(net, address, 0, 0, &route))
		return -ENETUNREACH;
	*dev = route.dev;
	return 0;
}

static int set(struct net_device *dev, const struct arpreq *request, ip4_t address) NEEDS_NET_LOCK
{
	struct mac mac;

	if (request->arp_flags & ATF_PUBL) /* proxy ARP */
		return -EOPNOTSUPP;
	if (request->arp_ha.sa_family != dev->type || !ip4_is_unicast(address))
		return -EINVAL;
	memcpy(mac.bytes, request->arp_ha.sa_data, MAC_LENGTH);
	return arp_set_permanent(dev, address, mac, request->arp_flags & ATF_PERM);
}

static int get(struct net_device *dev, struct arpreq *request, ip4_t address) NEEDS_NET_LOCK
{
	struct mac mac;
	uint32_t flags;
	int error = arp_lookup(dev, address, &mac, &flags);

	if (error)
		return error;
	request->arp_ha.sa_family = dev->type;
	memset(request->arp_ha.sa_data, 0, sizeof(request->arp_ha.sa_data));
	memcpy(request->arp_ha.sa_data, mac.bytes, MAC_LENGTH);
	request->arp_flags = (int32_t)flags;
	memset(request->arp_dev, 0, sizeof(request->arp_dev));
	strscpy(request->arp_dev, dev->name, sizeof(request->arp_dev));
	return 0;
}

int ip4_arp_ioctl(struct net *net, uint32_t command, struct arpreq *request)
{
	ip4_t address = ip4_of_sockaddr(&request->arp_pa);
	struct net_device *dev;

	if (request->arp_pa.sa_family != AF_INET)
		return -EPFNOSUPPORT;

	int error = choose_device(net, request, address, &dev);

	if (error)
		return error;
	if (dev->type != ARPHRD_ETHER)
		return -EINVAL;
	switch (command) {
	case SIOCSARP:
		return set(dev, request, address);
	case SIOCGARP:
		return get(dev, request, address);
	default:
		return request->arp_flags & ATF_PUBL ? -EOPNOTSUPP : arp_delete(dev, address);
	}
}
