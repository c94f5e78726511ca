/* UDP and UDP-Lite over IPv4: how packets and errors come in. */
#include "include/uapi/icmp.h"
#include "net/core/checksum.h"
#include "net/ipv4/icmp.h"
#include "net/ipv4/ipv4_state.h"
#include "net/ipv4/udp.h"
#include "net/ipv4/udp_wire.h"

/* What a device says of UDP-Lite's checksum does not count: it knows nothing of coverage. */
static enum drop_reason parse(struct sk_buff *skb, uint8_t protocol, struct udp_header *header)
{
	if (!skb_may_pull(skb, UDP_HEADER_LENGTH))
		return DROP_UDP_SHORT;
	if (likely(protocol == IPPROTO_UDP))
		return udp_parse(skb->data, skb->len, header);
	skb->checksum = SKB_CHECKSUM_NONE;
	return udp_lite_parse(skb->data, skb->len, header);
}

/*
 * RFC 1122 4.1.3.4: a checksum of 0 is none; any other must be right. RFC 3828 3.1, RFC3828-4: the
 * pseudo-header counts, however little is covered.
 */
static bool checksum_is_good(const struct sk_buff *skb, const struct udp_header *header)
{
	const struct ip4_control *control = SKB_CONTROL(skb, const struct ip4_control);

	if (!header->has_checksum || skb->checksum != SKB_CHECKSUM_NONE)
		return true;

	uint32_t sum = checksum_pseudo4(control->source, control->destination, control->protocol,
					header->length);

	return checksum_fold(skb_checksum_add(skb, 0, header->covered, sum)).raw == 0;
}

static void refuse(struct udp_state *state, struct sk_buff *skb, enum drop_reason reason)
{
	udp_count(state, UDP_STAT_IN_ERRORS);
	if (reason == DROP_UDP_BAD_CHECKSUM)
		udp_count(state, UDP_STAT_IN_CHECKSUM_ERRORS);
	skb_drop(skb, reason);
}

/* RFC 1122 4.1.3.1, RFC1122-4. Owns skb. */
static void refuse_port(struct udp_state *state, struct sk_buff *skb) NEEDS_NET_LOCK
{
	udp_count(state, UDP_STAT_NO_PORTS);
	icmp_send_error(skb->net, skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	skb_drop(skb, DROP_UDP_NO_SOCKET);
}

/*
 * RFC 1122 4.1.3.4, RFC1122-8, RFC1122-9; 4.1.3.6, RFC1122-15: IP has refused impossible sources.
 */
static void receive(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK
{
	const struct ip4_control *control = IP4_CONTROL(skb);
	struct udp_state *state = udp_state_of(dev->net, control->protocol);
	struct udp_header header;
	enum drop_reason reason = parse(skb, control->protocol, &header);

	if (reason != DROP_NONE) {
		refuse(state, skb, reason);
		return;
	}
	skb_trim(skb, header.length);

	const struct udp_arrival arrival = {
		.local = {.addr = net_addr_ip4(control->destination), .port = header.destination},
		.remote = {.addr = net_addr_ip4(control->source), .port = header.source},
		.ifindex = control->ifindex,
		.to_many = control->route_type != ROUTE_LOCAL,
	};

	/* Before the checksum, which the processor can add up until the socket is in its cache. */
	struct udp_socket *socket = arrival.to_many ? NULL : udp_find_receiver(state, &arrival);

	if (!checksum_is_good(skb, &header)) {
		refuse(state, skb, DROP_UDP_BAD_CHECKSUM);
		return;
	}
	skb_pull(skb, UDP_HEADER_LENGTH);
	if (socket)
		udp_deliver(state, socket, skb);
	else if (arrival.to_many)
		udp_deliver_to_many(state, skb, &arrival);
	else
		refuse_port(state, skb);
}

/* RFC 1122 4.1.3.3, RFC1122-7: the quoted header says which socket sent the datagram. */
static bool error(struct net *net, const struct sk_buff *skb, const struct ip4_header *inner,
		  const struct icmp_error *what) NEEDS_NET_LOCK
{
	const struct udp_arrival arrival = {
		.local = {.addr = net_addr_ip4(inner->source), .port = get_be16(skb->data)},
		.remote = {.addr = net_addr_ip4(inner->destination),
			   .port = get_be16(skb->data + 2)},
	};

	return udp_error(udp_state_of(net, inner->protocol), &arrival, what, skb);
}

static const struct ip4_protocol udp_protocol = {
	.protocol = IPPROTO_UDP,
	.receive = receive,
	.error = error,
};

static const struct ip4_protocol udp_lite_protocol = {
	.protocol = IPPROTO_UDPLITE,
	.receive = receive,
	.error = error,
};

int udp_ip4_init(struct net *net)
{
	int error = ip4_protocol_register(net, &udp_protocol);

	return error ? error : ip4_protocol_register(net, &udp_lite_protocol);
}
