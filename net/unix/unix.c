/* AF_UNIX: the family, and what its three kinds have in common. See unix.h. */
#include "net/unix/unix.h"

#include "include/uapi/sockios.h"
#include "kernel/fs/file.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "net/unix/unix_private.h"

#define DATAGRAMS_MAX 10 /* waiting in a socket: Linux's net.unix.max_dgram_qlen */

int unix_open(struct socket *socket)
{
	struct unix_socket *unix = unix_socket(socket);

	if (socket->type == SOCK_RAW) /* once a synonym */
		socket->type = SOCK_DGRAM;
	list_init(&unix->senders);
	list_init(&unix->sender_link);
	list_init(&unix->pending);
	list_init(&unix->pending_link);
	list_init(&unix->reached_link);
	unix->peer_credentials = (struct ucred){.uid = UINT32_MAX, .gid = UINT32_MAX};
	list_append(&unix_state(socket->net)->sockets, &socket->link);
	return 0;
}

void unix_close(struct socket *socket)
{
	struct unix_socket *unix = unix_socket(socket);

	unix_forget_name(unix);
	if (unix_connects(unix))
		unix_connection_close(unix);
	else
		unix_datagram_close(unix);
	unix_discard_queue(unix);
	list_remove(&socket->link);
	unix_collect(socket->net, NULL);
}

void unix_closed(struct socket *socket)
{
	unix_bury(socket->net);
}

void unix_descriptor_closed(struct socket *socket)
{
	struct unix_socket *unix = unix_socket(socket);

	net_lock(socket->net);
	if (unix->in_flight)
		unix_collect(socket->net, unix);
	net_unlock(socket->net);
	unix_bury(socket->net);
}

void unix_free(struct socket *socket)
{
	unix_address_put(unix_socket(socket)->address);
}

int unix_shutdown(struct socket *socket, int how)
{
	struct unix_socket *unix = unix_socket(socket);
	uint8_t ends = (uint8_t)(how + 1); /* SHUT_RD, SHUT_WR, SHUT_RDWR are 0, 1, 2 */

	socket->shutdown |= ends;
	socket_wake(socket, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
	if (!unix_connects(unix) || !unix->peer)
		return 0;
	/* What one end does not send, the other does not receive. */
	struct socket *peer = &unix->peer->socket;

	if (ends & SHUTDOWN_RECEIVE)
		peer->shutdown |= SHUTDOWN_SEND;
	if (ends & SHUTDOWN_SEND)
		peer->shutdown |= SHUTDOWN_RECEIVE;
	socket_wake(peer, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
	return 0;
}

int unix_name(struct socket *socket, bool peer, struct sockaddr_storage *name, uint32_t *length)
{
	const struct unix_socket *unix = unix_socket(socket);

	if (peer && !unix->peer)
		return -ENOTCONN;
	unix_address_tell(peer ? unix->peer->address : unix->address, name, length);
	return 0;
}

int32_t unix_readable(const struct unix_socket *unix)
{
	const struct skb_queue *queue = &unix->socket.receive_queue;
	const struct sk_buff *skb;
	uint64_t bytes = 0;

	list_for_each_entry(skb, &queue->list, link) {
		bytes += unix_unread(skb);
		if (!unix_connects(unix))
			break;
	}
	return (int32_t)MIN(bytes, (uint64_t)INT32_MAX);
}

int unix_ioctl(struct socket *socket, uint32_t command, void *argument)
{
	if (command != SIOCINQ && command != SIOCOUTQ)
		return -ENOTTY;
	if (socket->listening)
		return -EINVAL;
	*(int32_t *)argument = command == SIOCINQ ? unix_readable(unix_socket(socket))
						  : (int32_t)socket->send_charged;
	return 0;
}

void unix_peer_credentials(const struct socket *socket, struct ucred *credentials)
{
	*credentials = container_of(socket, const struct unix_socket, socket)->peer_credentials;
}

static const struct socket_ops *find_kind(struct net *net __unused, int type, int *protocol,
					  int *error)
{
	if (*protocol != 0 && *protocol != AF_UNIX) {
		*error = -EPROTONOSUPPORT;
		return NULL;
	}
	*protocol = 0;
	switch (type) {
	case SOCK_STREAM:
		return &unix_stream_ops;
	case SOCK_DGRAM:
	case SOCK_RAW:
		return &unix_datagram_ops;
	case SOCK_SEQPACKET:
		return &unix_seqpacket_ops;
	default:
		*error = -ESOCKTNOSUPPORT;
		return NULL;
	}
}

int unix_init(struct net *net)
{
	struct unix_state *state = kzalloc(sizeof(*state));

	if (!state)
		return -ENOMEM;
	list_init(&state->sockets);
	list_init(&state->dead);
	list_init(&state->users);
	state->datagrams_max = DATAGRAMS_MAX;
	state->family.family = AF_UNIX;
	state->family.find = find_kind;
	net->state[NET_STATE_UNIX] = state;
	socket_family_register(net, &state->family);
	return 0;
}

void unix_destroy(struct net *net)
{
	struct unix_state *state = unix_state(net);

	list_remove(&state->family.link);
	net->state[NET_STATE_UNIX] = NULL;
	kfree(state);
}
