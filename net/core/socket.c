/* Sockets: their making and end, and the calls of socket(2) on kernel memory. See socket.h. */
#include "net/core/socket.h"

#include "include/uapi/signal.h"
#include "include/uapi/sockios.h"
#include "include/uapi/time.h"
#include "kernel/fs/file.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "kernel/user.h"
#include "net/core/netdevice.h"
#include "net/core/socket_filter.h"

void socket_family_register(struct net *net, struct socket_family *family)
{
	list_append(&net->families, &family->link);
}

static struct socket_family *find_family(struct net *net, int number)
{
	struct socket_family *family;

	list_for_each_entry(family, &net->families, link) {
		if (family->family == number)
			return family;
	}
	return NULL;
}

static struct socket *allocate(struct net *net, const struct socket_ops *ops)
{
	struct socket *socket = kzalloc(ops->size);

	if (!socket)
		return NULL;
	socket->references = 1;
	socket->net = net;
	socket->ops = ops;
	list_init(&socket->link);
	skb_queue_init(&socket->receive_queue);
	skb_queue_init(&socket->error_queue);
	wait_list_init(&socket->wait);
	socket->receive_buffer = net->core.rmem_default;
	socket->send_buffer = net->core.wmem_default;
	socket->receive_low = 1;
	__atomic_add_fetch(&net->live_sockets, 1, __ATOMIC_RELAXED);
	return socket;
}

int socket_create(struct net *net, int family_number, int type, int protocol,
		  struct socket **result)
{
	struct socket_family *family = find_family(net, family_number);
	int error = 0;

	type &= SOCK_TYPE_MASK;
	if (type == 0 || type >= SOCK_MAX)
		return -EINVAL;
	if (!family)
		return -EAFNOSUPPORT;
	const struct socket_ops *ops = family->find(net, type, &protocol, &error);

	if (!ops)
		return error;
	struct socket *socket = allocate(net, ops);

	if (!socket)
		return -ENOMEM;
	socket->family = (uint16_t)family_number;
	socket->type = (uint8_t)type;
	socket->protocol = (uint16_t)protocol;
	net_lock(net);
	socket->inode_number = net->next_socket_number++;
	error = ops->open ? ops->open(socket) : 0;
	if (error)
		socket->closed = true;
	net_unlock(net);
	if (error) {
		socket_put(socket);
		return error;
	}
	*result = socket;
	return 0;
}

int socket_create_pair(struct net *net, int family, int type, int protocol, struct socket *pair[2])
{
	int error = socket_create(net, family, type, protocol, &pair[0]);

	if (error)
		return error;
	error = socket_create(net, family, type, protocol, &pair[1]);
	if (error) {
		socket_close(pair[0]);
		return error;
	}
	error = pair[0]->ops->pair ? pair[0]->ops->pair(pair[0], pair[1]) : -EOPNOTSUPP;
	if (error) {
		socket_close(pair[0]);
		socket_close(pair[1]);
	}
	return error;
}

static void inherit_options(struct socket *child, const struct socket *from)
{
	child->receive_buffer = from->receive_buffer;
	child->send_buffer = from->send_buffer;
	child->receive_buffer_chosen = from->receive_buffer_chosen;
	child->send_buffer_chosen = from->send_buffer_chosen;
	child->receive_timeout_us = from->receive_timeout_us;
	child->send_timeout_us = from->send_timeout_us;
	child->receive_low = from->receive_low;
	child->bound_ifindex = from->bound_ifindex;
	child->priority = from->priority;
	child->mark = from->mark;
	child->linger_seconds = from->linger_seconds;
	child->uid = from->uid;
	child->reuse_address = from->reuse_address;
	child->reuse_port = from->reuse_port;
	child->keepalive = from->keepalive;
	child->oob_inline = from->oob_inline;
	child->linger = from->linger;
	child->dont_route = from->dont_route;
	child->filter = socket_filter_share(from->filter);
	child->filtered = from->filtered;
	child->filter_locked = from->filter_locked;
}

struct socket *socket_create_child(const struct socket *listener)
{
	struct net *net = listener->net;
	struct socket *child = allocate(net, listener->ops);

	if (!child)
		return NULL;
	child->family = listener->family;
	child->type = listener->type;
	child->protocol = listener->protocol;
	child->inode_number = net->next_socket_number++;
	if (child->ops->open && child->ops->open(child)) {
		socket_put(child);
		return NULL;
	}
	inherit_options(child, listener);
	return child;
}

struct socket *socket_get(struct socket *socket)
{
	__atomic_add_fetch(&socket->references, 1, __ATOMIC_RELAXED);
	return socket;
}

void socket_put(struct socket *socket)
{
	if (__atomic_sub_fetch(&socket->references, 1, __ATOMIC_ACQ_REL))
		return;
	wait_list_close(&socket->wait);
	if (socket->ops->free)
		socket->ops->free(socket);
	socket_filter_put(socket->filter);
	__atomic_sub_fetch(&socket->net->live_sockets, 1, __ATOMIC_RELAXED);
	kfree(socket);
}

void socket_close(struct socket *socket)
{
	struct net *net = socket->net;

	if (socket->linger && socket->ops->linger)
		socket->ops->linger(socket);
	net_lock(net);
	if (socket->ops->close)
		socket->ops->close(socket);
	socket->closed = true;
	skb_queue_drop_all(&socket->receive_queue, DROP_SOCKET_CLOSED);
	skb_queue_drop_all(&socket->error_queue, DROP_SOCKET_CLOSED);
	if (socket->timestamp || socket->stamp_asked)
		net->timestamp_users--;
	net_unlock(net);
	if (socket->ops->closed)
		socket->ops->closed(socket);
	socket_put(socket);
}

int socket_bind(struct socket *socket, const struct sockaddr_storage *name, uint32_t length)
{
	if (socket->ops->bind_wait)
		return socket->ops->bind_wait(socket, name, length);
	if (!socket->ops->bind)
		return -EOPNOTSUPP;
	net_lock(socket->net);
	int error = socket->ops->bind(socket, name, length);

	net_unlock(socket->net);
	return error;
}

/* Connecting to AF_UNSPEC dissolves the association: connect(2). */
static bool asks_disconnect(const struct socket *socket, const struct sockaddr_storage *name,
			    uint32_t length)
{
	return socket->ops->disconnect && length >= sizeof(name->ss_family) &&
	       name->ss_family == AF_UNSPEC;
}

int socket_connect(struct socket *socket, const struct sockaddr_storage *name, uint32_t length,
		   bool nonblock)
{
	const struct socket_ops *ops = socket->ops;
	bool disconnect = asks_disconnect(socket, name, length);

	if (ops->connect_wait && !disconnect)
		return ops->connect_wait(socket, name, length, nonblock);
	if (!ops->connect && !disconnect)
		return -EOPNOTSUPP;
	net_lock(socket->net);
	int error = disconnect ? ops->disconnect(socket) : ops->connect(socket, name, length);

	net_unlock(socket->net);
	return error;
}

int socket_listen(struct socket *socket, int backlog)
{
	int most = socket->net->core.somaxconn;

	if (!socket->ops->listen)
		return -EOPNOTSUPP;
	if (backlog < 0 ||
	    backlog > most) /* a negative number is a very large one: listen(2) on Linux */
		backlog = most;
	return socket->ops->listen(socket, backlog);
}

int socket_accept(struct socket *socket, struct socket **child, bool nonblock)
{
	if (!socket->ops->accept)
		return -EOPNOTSUPP;
	return socket->ops->accept(socket, child, nonblock ? MSG_DONTWAIT : 0);
}

int socket_shutdown(struct socket *socket, int how)
{
	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	if (!socket->ops->shutdown)
		return -EOPNOTSUPP;
	net_lock(socket->net);
	int error = socket->ops->shutdown(socket, how);

	net_unlock(socket->net);
	return error;
}

int socket_name(struct socket *socket, bool peer, struct sockaddr_storage *name, uint32_t *length)
{
	if (!socket->ops->name)
		return -EOPNOTSUPP;
	memset(name, 0, sizeof(*name));
	net_lock(socket->net);
	int error = socket->ops->name(socket, peer, name, length);

	net_unlock(socket->net);
	return error;
}

int64_t socket_sendmsg(struct socket *socket, struct message *message)
{
	if (!socket->ops->sendmsg)
		return -EOPNOTSUPP;
	int64_t sent = socket->ops->sendmsg(socket, message);

	if (sent == -EPIPE && socket->type == SOCK_STREAM && !(message->flags & MSG_NOSIGNAL))
		user_signal(SIGPIPE);
	return sent;
}

int64_t socket_recvmsg(struct socket *socket, struct message *message)
{
	message->flags_out = 0;
	message->name_length = 0;
	message->control_used = 0;
	if (!socket->ops->recvmsg)
		return -EOPNOTSUPP;
	return socket->ops->recvmsg(socket, message);
}

uint32_t socket_datagram_ready(struct socket *socket)
{
	uint32_t ready = 0;

	if (socket->error || socket->error_queue.length)
		ready |= POLLERR;
	if (socket->shutdown & SHUTDOWN_RECEIVE)
		ready |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (socket->shutdown == (SHUTDOWN_RECEIVE | SHUTDOWN_SEND))
		ready |= POLLHUP;
	if (socket->receive_queue.length)
		ready |= POLLIN | POLLRDNORM;
	/* skb_orphan wakes when this comes true. */
	if (socket->send_charged < (uint32_t)socket->send_buffer / 2)
		ready |= POLLOUT | POLLWRNORM;
	return ready;
}

uint32_t socket_poll(struct socket *socket, struct poll_table *table)
{
	poll_join(table, &socket->wait);
	net_lock(socket->net);
	uint32_t ready = socket->ops->ready ? socket->ops->ready(socket)
					    : socket_datagram_ready(socket);

	net_unlock(socket->net);
	return ready;
}

/* SIOCGSTAMP: when the last packet came, by the wall clock. The first call switches stamping on. */
static uint64_t last_stamp(struct socket *socket) NEEDS_NET_LOCK
{
	if (!socket->stamp_asked) {
		if (!socket->timestamp)
			socket->net->timestamp_users++;
		socket->stamp_asked = true;
	}
	if (socket->last_stamp_us == 0)
		socket->last_stamp_us = net_realtime(socket->net);
	return socket->last_stamp_us;
}

/* What any socket answers. -ENOTTY: none of these. */
static int common_ioctl(struct socket *socket, uint32_t command, void *argument) NEEDS_NET_LOCK
{
	const struct sk_buff *first = skb_queue_first(&socket->receive_queue);
	uint64_t stamp_us;

	switch (command) {
	case SIOCINQ: /* udp(7): the size of the next datagram */
		*(int32_t *)argument = first ? (int32_t)first->len : 0;
		return 0;
	case SIOCOUTQ:
		*(int32_t *)argument = (int32_t)socket->send_charged;
		return 0;
	case SIOCGSTAMP:
		stamp_us = last_stamp(socket);
		*(struct timeval *)argument = (struct timeval){
			.tv_sec = (int64_t)(stamp_us / USEC_PER_SEC),
			.tv_usec = (int64_t)(stamp_us % USEC_PER_SEC),
		};
		return 0;
	case SIOCGSTAMPNS:
		stamp_us = last_stamp(socket);
		*(struct timespec *)argument = (struct timespec){
			.tv_sec = (int64_t)(stamp_us / USEC_PER_SEC),
			.tv_nsec = (int64_t)(stamp_us % USEC_PER_SEC * NSEC_PER_USEC),
		};
		return 0;
	default:
		return -ENOTTY;
	}
}

/*
 * The socket's kind, then what is common, then each family, then the devices: the first that knows
 * it.
 */
static int route_ioctl(struct socket *socket, uint32_t command, void *argument) NEEDS_NET_LOCK
{
	struct net *net = socket->net;
	struct socket_family *family;
	int result = socket->ops->ioctl ? socket->ops->ioctl(socket, command, argument) : -ENOTTY;

	if (result == -ENOTTY)
		result = common_ioctl(socket, command, argument);
	list_for_each_entry(family, &net->families, link) {
		if (result == -ENOTTY && family->ioctl)
			result = family->ioctl(net, command, argument);
	}
	return result == -ENOTTY ? device_ioctl(net, command, argument) : result;
}

int socket_ioctl(struct socket *socket, uint32_t command, void *argument)
{
	net_lock(socket->net);
	int result = route_ioctl(socket, command, argument);

	net_unlock(socket->net);
	return result;
}
