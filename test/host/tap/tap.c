/* Opening a TAP; see tap.h. */
#include "test/host/tap/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define VNET_HEADER_LENGTH 12
#define MAKE_ONE "make it as root with 'ip tuntap add dev NAME mode tap user YOU'"

static const char *reason(int error, const char *name)
{
	switch (error) {
	case EPERM:
		return "not permitted: " MAKE_ONE;
	case ENODEV:
		return "no such interface: " MAKE_ONE;
	case EBUSY:
		return "in use by another program";
	case EINVAL:
		return strlen(name) >= IFNAMSIZ ? "the name is too long" : "not a TAP interface";
	default:
		return strerror(error);
	}
}

int tap_open(const char *name, bool vnet_header)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int header_length = VNET_HEADER_LENGTH;
	int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (tap < 0) {
		fprintf(stderr, "/dev/net/tun: %s\n", strerror(errno));
		return -1;
	}
	if (vnet_header)
		request.ifr_flags |= IFF_VNET_HDR;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	/* TUNSETIFF would make one that is not there, and nobody would be at its other end. */
	if (strlen(name) >= IFNAMSIZ)
		errno = EINVAL;
	else if (if_nametoindex(name) == 0)
		errno = ENODEV;
	else if (ioctl(tap, TUNSETIFF, &request) == 0 &&
		 (!vnet_header || ioctl(tap, TUNSETVNETHDRSZ, &header_length) == 0))
		return tap;
	fprintf(stderr, "TAP %s: %s\n", name, reason(errno, name));
	close(tap);
	return -1;
}

int tap_set_offload(int tap, unsigned int flags)
{
	if (ioctl(tap, TUNSETOFFLOAD, (unsigned long)flags) == 0)
		return 0;
	fprintf(stderr, "TAP offloads 0x%x: %s\n", flags, strerror(errno));
	return -1;
}

int tap_mtu(const char *name)
{
	struct ifreq request = {.ifr_flags = 0};
	int any_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int mtu = -1;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (any_socket >= 0 && ioctl(any_socket, SIOCGIFMTU, &request) == 0)
		mtu = request.ifr_mtu;
	else
		fprintf(stderr, "TAP %s: %s\n", name, strerror(errno));
	if (any_socket >= 0)
		close(any_socket);
	return mtu;
}
