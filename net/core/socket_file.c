/* A socket as an open file: read, write, poll, ioctl, release. */
#include "include/uapi/capability.h"
#include "include/uapi/fcntl.h"
#include "include/uapi/if.h"
#include "include/uapi/if_arp.h"
#include "include/uapi/route.h"
#include "include/uapi/signal.h"
#include "include/uapi/sockios.h"
#include "include/uapi/stat.h"
#include "include/uapi/time.h"
#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page.h"
#include "kernel/user.h"
#include "net/core/socket.h"

#define INTERFACES_MAX 256 /* that one SIOCGIFCONF tells of */

static uint32_t nonblocking_flag(const struct file *file)
{
	return file_nonblocking(file) ? MSG_DONTWAIT : 0;
}

static int64_t socket_file_read(struct file *file, struct iov *iov, uint64_t *position __unused)
{
	struct message message;

	if (iov->remaining == 0)
		return 0;
	message_init(&message, nonblocking_flag(file));
	message.iov = *iov;
	return socket_recvmsg(file->private, &message);
}

static int64_t socket_file_write(struct file *file, struct iov *iov, uint64_t *position __unused)
{
	struct message message;

	message_init(&message, nonblocking_flag(file));
	message.iov = *iov;
	return socket_sendmsg(file->private, &message);
}

static int64_t socket_file_write_page(struct file *file, struct page *page, uint32_t offset,
				      uint32_t length, bool more)
{
	struct message message;

	message_init(&message, nonblocking_flag(file) | (more ? MSG_MORE : 0));
	message.page = page;
	message.page_offset = offset;
	iov_init_kernel(&message.iov, (char *)page_address(page) + offset, length);
	return socket_sendmsg(file->private, &message);
}

static uint32_t socket_file_poll(struct file *file, struct poll_table *table)
{
	return socket_poll(file->private, table);
}

/* What is mapped is whole pages. */
static int socket_file_memory(struct file *file, uint64_t length, struct inode **result)
{
	struct socket *socket = file->private;
	struct page *const *pages;
	uint64_t count;

	if (!socket->ops->memory)
		return -ENODEV;
	net_lock(socket->net);
	int error = socket->ops->memory(socket, ALIGN_UP(length, PAGE_SIZE), &pages, &count);

	*result = error ? NULL : inode_of_pages(pages, count);
	net_unlock(socket->net);
	return error || *result ? error : -ENOMEM;
}

static void set_file(struct socket *socket, const struct file *file)
{
	net_lock(socket->net);
	socket->file = file;
	net_unlock(socket->net);
}

static void socket_file_descriptor_closed(struct file *file)
{
	struct socket *socket = file->private;

	if (socket->ops->descriptor_closed)
		socket->ops->descriptor_closed(socket);
}

static void socket_file_release(struct file *file)
{
	set_file(file->private, NULL);
	socket_close(file->private);
}

void socket_tell_urgent(struct socket *socket)
{
	socket_wake(socket, POLLPRI);
	if (socket->file)
		user_signal_owner(socket->file->owner_pid, SIGURG);
}

union ioctl_argument {
	int32_t number;
	struct timeval time;
	struct timespec fine_time;
	struct ifreq interface;
	struct arpreq neighbour;
	struct rtentry route;
};

/* Bytes of the command's argument; 0: not a command of sockets. */
static size_t argument_size(uint32_t command)
{
	switch (command) {
	case SIOCINQ:
	case SIOCOUTQ:
	case SIOCOUTQNSD:
	case SIOCATMARK:
		return sizeof(int32_t);
	case SIOCGSTAMP:
	case SIOCGSTAMPNS:
		return sizeof(struct timespec);
	case SIOCADDRT:
	case SIOCDELRT:
		return sizeof(struct rtentry);
	case SIOCSARP:
	case SIOCGARP:
	case SIOCDARP:
		return sizeof(struct arpreq);
	case SIOCETHTOOL:
	case SIOCGMIIPHY:
	case SIOCGMIIREG:
	case SIOCGIFMAP:
	case SIOCSIFMAP:
		return sizeof(struct ifreq);
	default:
		return command >= SIOCGIFNAME && command <= SIOCSIFTXQLEN ? sizeof(struct ifreq)
									  : 0;
	}
}

/* The route's device name is behind a pointer of its own. */
static int64_t route_ioctl(struct socket *socket, uint32_t command, struct rtentry *route)
{
	char name[IFNAMSIZ];

	if (route->rt_dev) {
		int64_t length = copy_string_from_user(name, route->rt_dev, sizeof(name));

		if (length < 0)
			return length == -ENAMETOOLONG ? -ENODEV : length;
		route->rt_dev = (uintptr_t)name;
	}
	return socket_ioctl(socket, command, route);
}

/* SIOCGIFCONF: an array whose length the process chooses. */
static int64_t list_interfaces(struct socket *socket, user_addr_t argument)
{
	struct ifconf list;

	if (copy_from_user(&list, argument, sizeof(list)))
		return -EFAULT;
	if (list.ifc_len < 0)
		return -EINVAL;

	user_addr_t to = list.ifc_buf;
	struct ifreq *array = NULL;

	list.ifc_len = MIN(list.ifc_len, (int32_t)(INTERFACES_MAX * sizeof(*array)));
	if (to) {
		array = kzalloc((size_t)list.ifc_len);
		if (!array)
			return -ENOMEM;
	}
	list.ifc_buf = (uintptr_t)array;
	int64_t result = socket_ioctl(socket, SIOCGIFCONF, &list);

	if (!result && to && copy_to_user(to, array, (size_t)list.ifc_len))
		result = -EFAULT;
	kfree(array);
	list.ifc_buf = to;
	if (!result && copy_to_user(argument, &list, sizeof(list)))
		result = -EFAULT;
	return result;
}

/* Who gets SIGURG: fcntl(2) F_SETOWN in its older form. */
static int64_t owner_ioctl(struct file *file, uint32_t command, user_addr_t argument)
{
	int32_t owner;

	if (command == FIOGETOWN || command == SIOCGPGRP)
		return copy_to_user(argument, &file->owner_pid, sizeof(file->owner_pid));
	if (copy_from_user(&owner, argument, sizeof(owner)))
		return -EFAULT;
	if (owner == INT32_MIN) /* no group can be its opposite */
		return -EINVAL;
	file->owner_pid = owner;
	return 0;
}

/* Whether the command changes an interface, a route or a neighbour: netdevice(7). */
static bool administers(uint32_t command)
{
	switch (command) {
	case SIOCADDRT:
	case SIOCDELRT:
	case SIOCSARP:
	case SIOCDARP:
	case SIOCSIFFLAGS:
	case SIOCSIFADDR:
	case SIOCSIFDSTADDR:
	case SIOCSIFBRDADDR:
	case SIOCSIFNETMASK:
	case SIOCSIFMETRIC:
	case SIOCSIFMTU:
	case SIOCSIFHWADDR:
	case SIOCADDMULTI:
	case SIOCDELMULTI:
	case SIOCSIFTXQLEN:
	case SIOCSIFMAP:
		return true;
	default:
		return false;
	}
}

static int64_t socket_file_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
	union ioctl_argument value;
	size_t size = argument_size(command);

	if (command == SIOCGIFCONF)
		return list_interfaces(file->private, argument);
	if (command >= FIOSETOWN && command <= SIOCGPGRP)
		return owner_ioctl(file, command, argument);
	if (size == 0)
		return -ENOTTY;
	if (administers(command) && !user_may(CAP_NET_ADMIN))
		return -EPERM;
	if (copy_from_user(&value, argument, size))
		return -EFAULT;
	if (command == SIOCADDRT || command == SIOCDELRT)
		return route_ioctl(file->private, command, &value.route);

	int64_t result = socket_ioctl(file->private, command, &value);

	if (result >= 0 && copy_to_user(argument, &value, size))
		return -EFAULT;
	return result;
}

/*
 * What nobody has read yet. Not exact, and so without the lock; what was sent waits in the peer's
 * queue, or is TCP's, whose total is bounded.
 */
static uint64_t socket_file_held(const struct file *file)
{
	const struct socket *socket = file->private;

	return socket->receive_queue.truesize + socket->error_queue.truesize;
}

static const struct file_ops socket_file_ops = {
	.read = socket_file_read,
	.write = socket_file_write,
	.write_page = socket_file_write_page,
	.poll = socket_file_poll,
	.memory = socket_file_memory,
	.ioctl = socket_file_ioctl,
	.held = socket_file_held,
	.descriptor_closed = socket_file_descriptor_closed,
	.release = socket_file_release,
	.mode = S_IFSOCK,
	.kind = "socket",
};

struct file *socket_file_create(struct socket *socket, uint32_t flags)
{
	struct file *file = file_create(&socket_file_ops, socket, O_RDWR | (flags & O_NONBLOCK));

	if (!file)
		return NULL;
	file->number = socket->inode_number; /* the one that /proc/net shows */
	set_file(socket, file);
	return file;
}

struct socket *socket_of_file(struct file *file)
{
	return file->ops == &socket_file_ops ? file->private : NULL;
}
