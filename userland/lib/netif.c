#define _GNU_SOURCE 1
#include "userland/lib/netif.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Any socket of the family will do: the ioctl is about the interface, not about the socket. */
static int request(unsigned long number, void *argument)
{
	int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result;

	if (socket_fd < 0)
		return -errno;
	result = ioctl(socket_fd, number, argument) < 0 ? -errno : 0;
	close(socket_fd);
	return result;
}

static struct ifreq named(const char *name)
{
	struct ifreq ifreq;

	memset(&ifreq, 0, sizeof(ifreq));
	strncpy(ifreq.ifr_name, name, sizeof(ifreq.ifr_name) - 1);
	return ifreq;
}

static void put_address(struct sockaddr *place, uint32_t address)
{
	struct sockaddr_in internet = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(address),
	};

	memcpy(place, &internet, sizeof(internet));
}

int netif_index(const char *name)
{
	struct ifreq ifreq = named(name);
	int error = request(SIOCGIFINDEX, &ifreq);

	return error ? error : ifreq.ifr_ifindex;
}

int netif_hardware(const char *name, uint8_t hardware[6])
{
	struct ifreq ifreq = named(name);
	int error = request(SIOCGIFHWADDR, &ifreq);

	if (!error)
		memcpy(hardware, ifreq.ifr_hwaddr.sa_data, 6);
	return error;
}

int netif_set_up(const char *name, bool up)
{
	struct ifreq ifreq = named(name);
	int error = request(SIOCGIFFLAGS, &ifreq);

	if (error)
		return error;
	if (up)
		ifreq.ifr_flags |= IFF_UP;
	else
		ifreq.ifr_flags &= ~IFF_UP;
	return request(SIOCSIFFLAGS, &ifreq);
}

static int set_one_address(const char *name, unsigned long number, uint32_t address)
{
	struct ifreq ifreq = named(name);

	put_address(&ifreq.ifr_addr, address);
	return request(number, &ifreq);
}

int netif_set_address(const char *name, uint32_t address, uint32_t netmask, uint32_t broadcast)
{
	int error = set_one_address(name, SIOCSIFADDR, address);

	if (!error)
		error = set_one_address(name, SIOCSIFNETMASK, netmask);
	if (!error && broadcast != 0)
		error = set_one_address(name, SIOCSIFBRDADDR, broadcast);
	return error;
}

int netif_clear_address(const char *name)
{
	return set_one_address(name, SIOCSIFADDR, 0);
}

int netif_set_mtu(const char *name, unsigned mtu)
{
	struct ifreq ifreq = named(name);

	ifreq.ifr_mtu = (int)mtu;
	return request(SIOCSIFMTU, &ifreq);
}

static int change_route(unsigned long number, const char *name, uint32_t destination,
			unsigned prefix_length, uint32_t gateway, unsigned metric)
{
	struct rtentry route;
	char device[IFNAMSIZ];
	uint32_t netmask = prefix_length == 0 ? 0 : 0xffffffffu << (32 - prefix_length);

	memset(&route, 0, sizeof(route));
	put_address(&route.rt_dst, destination & netmask);
	put_address(&route.rt_genmask, netmask);
	put_address(&route.rt_gateway, gateway);
	route.rt_flags = RTF_UP;
	if (gateway != 0)
		route.rt_flags |= RTF_GATEWAY;
	if (prefix_length == 32)
		route.rt_flags |= RTF_HOST;
	/* The interface of the ABI counts metrics from one. */
	route.rt_metric = (short)(metric + 1);
	strncpy(device, name, sizeof(device) - 1);
	device[sizeof(device) - 1] = '\0';
	route.rt_dev = device;
	return request(number, &route);
}

int netif_add_route(const char *name, uint32_t destination, unsigned prefix_length,
		    uint32_t gateway, unsigned metric)
{
	int error = change_route(SIOCADDRT, name, destination, prefix_length, gateway, metric);

	return error == -EEXIST ? 0 : error;
}

int netif_delete_route(const char *name, uint32_t destination, unsigned prefix_length,
		       uint32_t gateway, unsigned metric)
{
	return change_route(SIOCDELRT, name, destination, prefix_length, gateway, metric);
}
