/*
 * A TAP interface of the host: Ethernet frames in and out of its network stack. tap(4), and Linux's
 * Documentation/networking/tuntap.rst.
 */
#ifndef TEST_HOST_TAP_TAP_H
#define TEST_HOST_TAP_TAP_H

#include <stdbool.h>

/*
 * Opens an existing TAP non-blocking, without the packet-information prefix; with `vnet_header`
 * each frame is preceded by a 12-byte virtio_net_hdr_mrg_rxbuf. A descriptor, or -1 after one line
 * on stderr that says what is wrong.
 */
int tap_open(const char *name, bool vnet_header);

/*
 * What the reader of the TAP can take: TUN_F_CSUM, TUN_F_TSO4, ... 0 or -1 after one line on
 * stderr. Needs vnet_header.
 */
int tap_set_offload(int tap, unsigned int flags);

/* The interface's MTU in bytes, or -1 after one line on stderr. */
int tap_mtu(const char *name);

#endif
