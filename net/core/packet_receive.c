/*
 * How frames come to AF_PACKET sockets: packet(7). The filter is asked before a copy is made.
 *
 * A VLAN tag (IEEE 802.1Q) is taken out of a received frame and told beside it, in PACKET_AUXDATA
 * and to filters, as programs expect of Linux; libpcap puts it back.
 */
#include "include/uapi/if_arp.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/core/packet_private.h"
#include "net/core/packet_ring.h"
#include "net/core/socket_filter.h"

#define MAC_ADDRESSES 12   /* the bytes of a frame ahead of its type */
#define VLAN_TAG_LENGTH 4  /* behind the addresses */
#define ETHERTYPE_MIN 1536 /* below: an 802.3 length, and 802.2 behind it */

static uint16_t protocol_of(const struct sk_buff *skb)
{
	return skb->protocol < ETHERTYPE_MIN ? ETH_P_802_2 : skb->protocol;
}

static bool tap_wants(const struct packet_socket *packet, const struct net_device *dev,
		      const struct sk_buff *skb, bool outgoing)
{
	if (packet->ifindex && packet->ifindex != dev->ifindex)
		return false;
	if (packet->protocol == ETH_P_ALL)
		return !(outgoing && packet->ignore_outgoing);
	return packet->protocol == protocol_of(skb) && !outgoing;
}

static bool has_tag(const struct sk_buff *skb, bool outgoing)
{
	return !outgoing && skb->protocol == ETH_P_8021Q &&
	       skb_linear_len(skb) >= PACKET_ETHERNET_HEADER + VLAN_TAG_LENGTH;
}

static void describe(const struct net_device *dev, const struct sk_buff *skb, bool outgoing,
		     struct packet_control *control)
{
	const uint8_t *tag = skb->data + MAC_ADDRESSES;

	*control = (struct packet_control){
		.ifindex = dev->ifindex,
		.hardware_type = dev->type,
		.protocol = protocol_of(skb),
		.packet_type = outgoing ? SKB_OUTGOING : skb->packet_type,
		.checksum = skb->checksum,
	};
	if (dev->type != ARPHRD_ETHER || skb_linear_len(skb) < PACKET_ETHERNET_HEADER)
		return;
	memcpy(control->source.bytes, skb->data + MAC_LENGTH, MAC_LENGTH);
	if (has_tag(skb, outgoing)) {
		control->has_vlan = true;
		control->vlan_tag = get_be16(tag + 2);
		control->protocol = get_be16(tag + VLAN_TAG_LENGTH);
	}
}

/*
 * On lo, whose frames have no link header, there seems to be an Ethernet header of zeroes with the
 * EtherType, as on Linux.
 */
static void view_frame(const struct packet_socket *packet, const struct net_device *dev,
		       const struct sk_buff *skb, bool outgoing, struct packet_view *view)
{
	struct packet_control *control = &view->control;
	struct bpf_packet *bytes = &view->bytes;

	describe(dev, skb, outgoing, control);
	*bytes = (struct bpf_packet){
		.skb = skb,
		.network = (uint32_t)MIN((size_t)dev->link_header_length, skb_linear_len(skb)),
		.ifindex = dev->ifindex,
		.hardware_type = dev->type,
		.protocol = control->protocol,
		.packet_type = control->packet_type,
		.has_vlan = control->has_vlan,
		.vlan_tag = control->vlan_tag,
	};
	if (dev->type == ARPHRD_LOOPBACK) {
		memset(view->link_header, 0, sizeof(view->link_header));
		put_be16(view->link_header + MAC_ADDRESSES, control->protocol);
		bytes->front = view->link_header;
		bytes->front_length = bytes->network = PACKET_ETHERNET_HEADER;
	} else if (control->has_vlan) {
		bytes->front = skb->data;
		bytes->front_length = MAC_ADDRESSES;
		bytes->skip = MAC_ADDRESSES + VLAN_TAG_LENGTH;
	}
	bytes->total = bytes->front_length + skb->len - (uint32_t)bytes->skip;
	bytes->start = packet->socket.type == SOCK_RAW ? 0 : bytes->network;
	control->original_length = bytes->total - bytes->start;
	control->network_offset = (uint16_t)(bytes->network - bytes->start);
}

/* A copy of the frame that begins where the socket's type says. NULL: no memory. */
static struct sk_buff *copy_frame(const struct packet_view *view, uint32_t keep)
{
	const struct bpf_packet *bytes = &view->bytes;
	struct sk_buff *copy = skb_clone(bytes->skb);

	if (!copy)
		return NULL;
	if (bytes->start) {
		skb_pull(copy, bytes->start - bytes->front_length + (uint32_t)bytes->skip);
	} else if (bytes->front_length) {
		skb_pull(copy, (uint32_t)bytes->skip);
		if (skb_ensure_headroom(copy, bytes->front_length)) {
			skb_free(copy);
			return NULL;
		}
		memcpy(skb_push(copy, bytes->front_length), bytes->front, bytes->front_length);
	}
	skb_trim(copy, keep);
	copy->time_us = view->time_us;
	*PACKET_CONTROL(copy) = view->control;
	return copy;
}

/* False: lost. */
static bool queue_frame(struct packet_socket *packet, const struct packet_view *view,
			uint32_t keep) NEEDS_NET_LOCK
{
	struct socket *socket = &packet->socket;

	/* Before a copy is made in vain. */
	if (socket->receive_queue.truesize >= (uint32_t)socket->receive_buffer) {
		socket->drops++;
		skb_count_drop(socket->net, DROP_SOCKET_BUFFER_FULL);
		return false;
	}
	struct sk_buff *copy = copy_frame(view, keep);

	if (!copy) {
		skb_count_drop(socket->net, DROP_NO_MEMORY);
		return false;
	}
	return socket_queue_receive(socket, copy);
}

void packet_frame(struct packet_tap *tap, struct net_device *dev, const struct sk_buff *skb,
		  bool outgoing)
{
	struct packet_socket *packet = container_of(tap, struct packet_socket, tap);
	struct packet_view view;

	if (!tap_wants(packet, dev, skb, outgoing))
		return;
	view_frame(packet, dev, skb, outgoing, &view);
	uint32_t keep = view.control.original_length;

	if (packet->socket.filtered) {
		keep = MIN(keep, bpf_run(packet->socket.filter->program, &view.bytes));
		if (keep == 0)
			return;
	}
	if (dev->net->timestamp_users)
		view.time_us = outgoing ? net_now(dev->net) : skb->time_us;
	else
		view.time_us = 0;
	packet->seen++;
	bool taken = packet->ring ? packet_ring_receive(packet, &view, keep)
				  : queue_frame(packet, &view, keep);

	if (!taken)
		packet->dropped++;
}

struct sockaddr_ll packet_source(const struct packet_control *control)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = cpu_to_be16(control->protocol).raw,
		.sll_ifindex = control->ifindex,
		.sll_hatype = control->hardware_type,
		.sll_pkttype = control->packet_type,
		.sll_halen = MAC_LENGTH,
	};

	memcpy(address.sll_addr, control->source.bytes, MAC_LENGTH);
	return address;
}

uint32_t packet_status(const struct packet_control *control)
{
	uint32_t status = TP_STATUS_USER;

	if (control->checksum == SKB_CHECKSUM_PARTIAL)
		status |= TP_STATUS_CSUMNOTREADY;
	else if (control->checksum == SKB_CHECKSUM_VERIFIED)
		status |= TP_STATUS_CSUM_VALID;
	if (control->has_vlan)
		status |= TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID;
	return status;
}

static void tell_source(const struct packet_control *control, struct message *message)
{
	const struct sockaddr_ll address = packet_source(control);

	memcpy(&message->name, &address, sizeof(address));
	message->name_length = sizeof(address);
}

static void put_auxdata(const struct packet_control *control, uint32_t length,
			struct message *message)
{
	const struct tpacket_auxdata data = {
		.tp_status = packet_status(control),
		.tp_len = control->original_length,
		.tp_snaplen = length,
		.tp_net = control->network_offset,
		.tp_vlan_tci = control->vlan_tag,
		.tp_vlan_tpid = control->has_vlan ? ETH_P_8021Q : 0,
	};

	message_put_control(message, SOL_PACKET, PACKET_AUXDATA, &data, sizeof(data));
}

static void tell_about(struct socket *socket, struct sk_buff *skb, struct message *message)
{
	const struct packet_control *control = PACKET_CONTROL(skb);

	tell_source(control, message);
	socket_put_timestamp(socket, skb, message);
	if (packet_socket_of(socket)->auxdata)
		put_auxdata(control, skb->len, message);
}

int64_t packet_recvmsg(struct socket *socket, struct message *message)
{
	const uint32_t known = MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC |
			       MSG_ERRQUEUE;
	struct sk_buff *skb;

	if (message->flags & ~known)
		return -EINVAL;
	if (message->flags & MSG_ERRQUEUE)
		return -EAGAIN; /* nothing ever goes there */
	int error = socket_wait_receive(socket, message->flags, &skb);

	if (error || !skb)
		return error;
	size_t whole = skb->len, copied = MIN(whole, message->iov.remaining);

	error = skb_copy_to_iov(skb, 0, &message->iov, copied);
	if (!error) {
		if (copied < whole)
			message->flags_out |= MSG_TRUNC;
		tell_about(socket, skb, message);
	}
	skb_free(skb);
	if (error)
		return error;
	return (int64_t)(message->flags & MSG_TRUNC ? whole : copied);
}
