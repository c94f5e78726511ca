/*
 * Large packets: one sk_buff that stands for several TCP segments (gso_size, gso_type), so that a
 * stream costs one walk through the stack for up to 64 KiB.
 *
 * A device with NETDEV_TSO4 takes such a packet whole; a device that receives them hands over one
 * made of several. Loopback carries them as they are. For a device that does neither, dev_xmit
 * cuts them here. The addresses and lengths of TCP over IPv4 are read from the bytes, so that what
 * claims to be such a packet and is not is refused.
 *
 * Any context but hard interrupt; no lock.
 */
#ifndef NET_CORE_SEGMENT_H
#define NET_CORE_SEGMENT_H

#include "net/core/skbuff.h"

/*
 * The least payload of a segment: below, a packet would fall into thousands. With 40 bytes of
 * options, this is what remains of the smallest MSS that senders use, 48.
 */
#define GSO_SIZE_MIN 8

/*
 * Is this the packet that gso_size and gso_type say it is: TCP over IPv4, unfragmented, neither SYN
 * nor RST, with payload, its IP header `network` bytes past data? Brings the headers into the
 * linear area. 0, -EINVAL or -ENOMEM.
 */
int skb_check_segmentable(struct sk_buff *skb, size_t network) __must_check;

/*
 * Cuts a packet whose IP header is at skb_network_header into packets of gso_size bytes of payload
 * and one of the rest, in order, into `segments`, which is made empty first. RFC 9293 3.7: each has
 * its own sequence number; FIN and PSH are the last one's, CWR the first one's (RFC 3168 6.1.2).
 * Each has SKB_CHECKSUM_PARTIAL, and shares the payload's pages.
 *
 * 0: skb is gone. -EINVAL (see above), -ENOMEM: skb is still the caller's, `segments` is empty.
 */
int skb_segment(struct sk_buff *skb, struct skb_queue *segments) __must_check;

/*
 * The length of the longest IP packet that this one stands for, to be compared with an MTU: data at
 * the IP header, and skb_check_segmentable was content or we made it ourselves.
 */
uint32_t skb_segment_length(const struct sk_buff *skb);

#endif
