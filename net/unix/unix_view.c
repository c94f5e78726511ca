/* The sockets of AF_UNIX as SOCK_DIAG tells of them. See unix_view.h. */
#include "net/unix/unix_view.h"

#include "include/uapi/tcp.h"
#include "net/unix/unix_private.h"

static uint8_t state_of(const struct unix_socket *unix)
{
	if (unix->socket.listening)
		return TCP_LISTEN;
	return unix->peer ? TCP_ESTABLISHED : TCP_CLOSE;
}

static void describe(const struct unix_socket *unix, struct unix_view *view) NEEDS_NET_LOCK
{
	const struct socket *socket = &unix->socket;
	const struct unix_socket *peer = unix->peer;

	*view = (struct unix_view){
		.socket = socket,
		.peer = peer && !peer->socket.closed ? &peer->socket : NULL,
		.inode = unix->inode,
		.state = state_of(unix),
		.receive_queue = socket->listening ? unix->pending_count
						   : (uint32_t)unix_readable(unix),
		.send_queue = socket->listening ? unix->backlog : socket->send_charged,
	};
	if (unix->address) {
		view->name = unix->address->path;
		view->name_length = unix->address->length - (uint32_t)sizeof(sa_family_t);
	}
}

/* The list is in the order in which the sockets were made, and so are their numbers. */
bool unix_view_each(struct net *net, uint64_t after,
		    bool (*visit)(const struct unix_view *view, void *context), void *context)
{
	const struct unix_socket *unix;
	struct unix_view view;

	list_for_each_entry(unix, &unix_state(net)->sockets, socket.link) {
		if (unix->socket.inode_number <= after)
			continue;
		describe(unix, &view);
		if (!visit(&view, context))
			return false;
	}
	return true;
}

static uint32_t number_of(const struct unix_socket *unix)
{
	return unix && !unix->socket.closed ? (uint32_t)unix->socket.inode_number : 0;
}

uint32_t unix_view_pending(const struct unix_view *view, uint32_t *numbers, uint32_t room)
{
	const struct unix_socket *listener = container_of(view->socket, const struct unix_socket,
							  socket);
	const struct unix_socket *child;
	uint32_t count = 0;

	list_for_each_entry(child, &listener->pending, pending_link) {
		if (count == room)
			break;
		numbers[count++] = number_of(child->peer);
	}
	return count;
}
