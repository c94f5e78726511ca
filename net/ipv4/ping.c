/* ICMP datagram sockets: identifiers, echo requests out, replies and errors in. */
#include "net/ipv4/ping.h"

#include "include/uapi/icmp.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "net/core/checksum.h"
#include "net/core/socket_filter.h"
#include "net/ipv4/icmp.h"
#include "net/ipv4/ipv4_state.h"

static struct ping_socket *ping_socket(struct socket *socket)
{
	return container_of(socket, struct ping_socket, inet.socket);
}

/* No peer chooses identifiers, so the hash needs no secret. */
static uint32_t id_hash(uint16_t id)
{
	return hash_words(id, 0, 0, 0);
}

static struct ping_socket *find(struct net *net, uint16_t id, ip4_t local, ip4_t remote)
{
	struct ping_socket *ping;

	hash_table_for_each(ping, &ping_state(net)->by_id, id_hash(id), inet.node) {
		const struct inet_socket *inet = &ping->inet;

		if (inet->local.port != id)
			continue;
		if (local && inet->local.addr.family && inet->local.addr.v4 != local)
			continue;
		if (remote && inet->remote.addr.family && inet->remote.addr.v4 != remote)
			continue;
		return ping;
	}
	return NULL;
}

/* There is one user: root's group 0 decides, as on Linux. */
static int ping_open(struct socket *socket) NEEDS_NET_LOCK
{
	const int32_t *range = ip4_stack(socket->net)->settings.ping_group_range;

	if (range[0] > 0 || range[1] < 0)
		return -EACCES;
	inet_socket_open(inet_socket(socket));
	return 0;
}

static void ping_close(struct socket *socket) NEEDS_NET_LOCK
{
	hash_table_remove(&ping_state(socket->net)->by_id, &inet_socket(socket)->node);
	inet_socket_close(inet_socket(socket));
}

/* An identifier of one's own: the one asked for, or a random free one. */
static int take_id(struct ping_socket *ping, uint16_t wanted) NEEDS_NET_LOCK
{
	struct net *net = ping->inet.socket.net;
	uint16_t id = wanted ? wanted : (uint16_t)net_random_u32(net);
	uint32_t tries = wanted ? 1 : UINT16_MAX;

	while (tries && (id == 0 || find(net, id, 0, 0))) {
		id++;
		tries--;
	}
	if (!tries)
		return -EADDRINUSE;

	int error = hash_table_insert(&ping_state(net)->by_id, &ping->inet.node, id_hash(id));

	if (!error)
		ping->inet.local.port = id;
	return error;
}

static int ping_bind(struct socket *socket, const struct sockaddr_storage *name,
		     uint32_t length) NEEDS_NET_LOCK
{
	struct ping_socket *ping = ping_socket(socket);
	struct endpoint local;
	int error = inet_read_name(name, length, &local);

	if (!error)
		error = inet_check_bind(&ping->inet, &local);
	if (!error && ping->inet.local.port)
		error = -EINVAL;
	if (!error)
		error = take_id(ping, local.port);
	if (error)
		return error;
	ping->inet.local.addr = local.addr;
	ping->inet.address_bound = local.addr.family != AF_UNSPEC;
	return 0;
}

static int ping_connect(struct socket *socket, const struct sockaddr_storage *name,
			uint32_t length) NEEDS_NET_LOCK
{
	struct ping_socket *ping = ping_socket(socket);
	struct endpoint remote;
	int error = inet_read_name(name, length, &remote);

	if (!error && !ping->inet.local.port)
		error = take_id(ping, 0);
	return error ? error : inet_connect(&ping->inet, &remote);
}

static int ping_disconnect(struct socket *socket) NEEDS_NET_LOCK
{
	inet_disconnect(inet_socket(socket));
	return 0;
}

/* Identifier and checksum are ours, the rest is the process's. */
static void complete_request(struct ping_socket *ping, struct sk_buff *skb)
{
	put_be16(skb->data + 2, 0);
	put_be16(skb->data + 4, ping->inet.local.port);

	be16 checksum = checksum_fold(skb_checksum_add(skb, 0, skb->len, 0));

	memcpy(skb->data + 2, &checksum, sizeof(checksum));
}

/* Owns skb: an ICMP message. */
static int send_request(struct socket *socket, const struct message *message,
			struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct ping_socket *ping = ping_socket(socket);
	struct inet_outgoing out;
	int error = inet_prepare(&ping->inet, message, &out);

	if (!error && (skb->data[0] != ICMP_ECHO || skb->data[1] != 0))
		error = -EINVAL;
	if (!error && !ping->inet.local.port)
		error = take_id(ping, 0);
	if (!error)
		error = inet_decide_fragmenting(&ping->inet, &out,
						IP4_HEADER_MIN + out.how.options_length + skb->len);
	if (error) {
		skb_free(skb);
		return error;
	}
	complete_request(ping, skb);
	icmp_count_sent(socket->net, ICMP_ECHO);
	out.how.protocol = IPPROTO_ICMP;
	return ping->inet.family->send(socket->net, skb, &out.how);
}

static int64_t ping_sendmsg(struct socket *socket, struct message *message)
{
	uint64_t length = message->iov.remaining;

	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (length > IP4_PACKET_MAX - IP4_HEADER_MIN)
		return -EMSGSIZE;
	if (length < ICMP_HEADER_LENGTH)
		return -EINVAL;
	return socket_send_datagram(socket, message, send_request);
}

static int64_t ping_recvmsg(struct socket *socket, struct message *message)
{
	return inet_receive(inet_socket(socket), message, inet_source_without_port);
}

static const struct socket_ops ping_socket_ops = {
	.size = sizeof(struct ping_socket),
	.open = ping_open,
	.close = ping_close,
	.bind = ping_bind,
	.connect = ping_connect,
	.disconnect = ping_disconnect,
	.shutdown = inet_shutdown,
	.name = inet_name,
	.sendmsg = ping_sendmsg,
	.recvmsg = ping_recvmsg,
	.setsockopt = ip4_setsockopt,
	.getsockopt = ip4_getsockopt,
};

static void echo_reply(struct net_device *dev, struct sk_buff *skb,
		       const struct icmp_header *header) NEEDS_NET_LOCK
{
	const struct ip4_control *control = IP4_CONTROL(skb);
	struct ping_socket *ping = find(dev->net, header->id, control->destination,
					control->source);

	if (!ping)
		skb_free(skb);
	else if (socket_filter_passes(&ping->inet.socket, skb, 0))
		socket_queue_receive(&ping->inet.socket, skb);
	else
		skb_drop(skb, DROP_SOCKET_FILTER);
}

static bool echo_error(struct net *net, const struct sk_buff *skb, const struct ip4_header *inner,
		       const struct icmp_error *error) NEEDS_NET_LOCK
{
	const struct endpoint to = {.addr = net_addr_ip4(inner->destination)};
	struct icmp_header header;
	struct ping_socket *ping;

	icmp_parse(skb->data, &header);
	ping = header.type == ICMP_ECHO ? find(net, header.id, inner->source, inner->destination)
					: NULL;
	if (!ping)
		return false;
	inet_report_error(&ping->inet, error, skb, 0, &to);
	return true;
}

int ping_init(struct net *net)
{
	struct ping_state *state = kzalloc(sizeof(*state));

	if (!state)
		return -ENOMEM;
	net->state[NET_STATE_PING] = state;
	state->kind = (struct inet_kind){
		.type = SOCK_DGRAM, .protocol = IPPROTO_ICMP, .ops = &ping_socket_ops};
	inet_kind_register(net, &state->kind);
	icmp_state(net)->echo_reply = echo_reply;
	icmp_state(net)->echo_error = echo_error;
	return 0;
}

void ping_destroy(struct net *net)
{
	struct ping_state *state = ping_state(net);

	if (!state)
		return;
	hash_table_free(&state->by_id);
	kfree(state);
	net->state[NET_STATE_PING] = NULL;
}

void ping_show(struct text *text, void *context)
{
	struct net *net = context;
	struct ping_socket *ping;
	uint32_t slot = 0;

	inet_show_heading(text);
	net_lock(net);
	hash_table_for_each_safe(ping, &ping_state(net)->by_id, inet.node)
		inet_show(text, slot++, &ping->inet, ping->inet.local.port);
	net_unlock(net);
}
