/* UDP-Lite (RFC 3828): how much of a datagram its checksum covers. */
#include "net/core/checksum.h"
#include "net/ipv4/udp.h"

/*
 * A socket that was not told how much it wants takes what comes, as on Linux; one that was told 0
 * wants all of it covered. What is covered whole is never too little. RFC 3828 3.3, RFC3828-7,
 * RFC3828-9.
 */
bool udp_lite_accepts(const struct udp_socket *udp, const struct sk_buff *skb)
{
	struct udp_header header;

	if (!udp->wants_coverage)
		return true;
	if (udp_lite_parse(skb->data - UDP_HEADER_LENGTH, UDP_HEADER_LENGTH + skb->len, &header) !=
	    DROP_NONE)
		return false;
	if (header.covered == header.length)
		return true;
	return udp->least_coverage && header.covered >= udp->least_coverage;
}

/*
 * Never left out, since without it nobody knows whose datagram it is; and never the device's work,
 * which would sum up all of the packet. RFC 3828 3.1, RFC3828-4, RFC3828-5; 3.3, RFC3828-8.
 */
void udp_lite_put_header(const struct udp_socket *udp, struct sk_buff *skb,
			 const struct udp_header *whole, uint32_t sum)
{
	struct udp_header header = *whole;

	header.covered = header.length;
	if (udp->send_coverage)
		header.covered = MIN(udp->send_coverage, header.length);
	udp_lite_emit(&header, skb->data);
	udp_put_checksum(skb->data, checksum_fold(skb_checksum_add(skb, 0, header.covered, sum)));
}
