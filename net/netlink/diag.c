/* NETLINK_SOCK_DIAG: its requests, by family. See diag.h. */
#include "net/netlink/diag.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"

/* Who answers for a family, if the stack was made with it; the others are told -ENOENT. */
static const struct {
	uint8_t family;
	enum net_state state;
	int (*receive)(struct netlink_request *request);
} families[] = {
	{AF_INET, NET_STATE_DIAG, diag_inet},          {AF_INET6, NET_STATE_DIAG, diag_inet},
	{AF_UNIX, NET_STATE_UNIX, diag_unix},          {AF_PACKET, NET_STATE_PACKET, diag_packet},
	{AF_NETLINK, NET_STATE_NETLINK, diag_netlink},
};

static int receive(struct netlink_request *request) NEEDS_NET_LOCK
{
	const struct netlink_message *message = request->message;
	uint16_t type = message->header.nlmsg_type;

	if (type == TCPDIAG_GETSOCK || type == DCCPDIAG_GETSOCK) /* what came before */
		return -ENOENT;
	if (type != SOCK_DIAG_BY_FAMILY && type != SOCK_DESTROY)
		return -EINVAL;
	if (message->length < sizeof(struct sock_diag_req))
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		if (message->payload[0] == families[i].family &&
		    request->net->state[families[i].state])
			return families[i].receive(request);
	}
	return -ENOENT;
}

int diag_init(struct net *net)
{
	struct netlink_protocol *protocol = kzalloc(sizeof(*protocol));

	if (!protocol)
		return -ENOMEM;
	*protocol = (struct netlink_protocol){.number = NETLINK_SOCK_DIAG, .receive = receive};
	net->state[NET_STATE_DIAG] = protocol;
	netlink_protocol_register(net, protocol);
	return 0;
}

void diag_destroy(struct net *net)
{
	struct netlink_protocol *protocol = net->state[NET_STATE_DIAG];

	list_remove(&protocol->link);
	net->state[NET_STATE_DIAG] = NULL;
	kfree(protocol);
}
