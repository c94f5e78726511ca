/* Opening a TAP; see tap.h. */
#include "test/host/tap/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define VNET_HEADER_LENGTH 12

static const char *reason(int error, const char *name)
{
	switch (error) {
	case EPERM:
		return "not permitted: make it as root with 'ip tuntap add NAME mode tap user YOU'";
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
	if (strlen(name) >= IFNAMSIZ)
		errno = EINVAL;
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
