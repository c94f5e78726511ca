/*
 * The system calls of sockets but for those that carry data (socket_transfer.c). Process memory is
 * read and written here, and only here and there: what lies below works on kernel memory.
 */
#include "include/uapi/fcntl.h"
#include "include/uapi/if_packet.h"
#include "kernel/fs/file.h"
#include "kernel/syscall.h"
#include "kernel/user.h"
#include "net/core/socket_call.h"
#include "net/core/socket_filter.h"

#define OPTION_BYTES_MAX 1024 /* of one option's value */

int64_t socket_call_begin(struct socket_call *call, int fd)
{
	call->file = fd_get(fd);
	if (!call->file)
		return -EBADF;
	call->socket = socket_of_file(call->file);
	if (call->socket)
		return 0;
	file_put(call->file);
	return -ENOTSOCK;
}

int64_t socket_call_end(struct socket_call *call, int64_t result)
{
	file_put(call->file);
	return result;
}

int socket_name_from_user(struct sockaddr_storage *name, user_addr_t from, uint32_t length)
{
	if (length > sizeof(*name)) /* a negative number too */
		return -EINVAL;
	return copy_from_user(name, from, length);
}

int socket_name_to_user(const struct sockaddr_storage *name, uint32_t length, user_addr_t to,
			user_addr_t length_at)
{
	int32_t room;

	if (copy_from_user(&room, length_at, sizeof(room)))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (copy_to_user(to, name, MIN((uint32_t)room, length)))
		return -EFAULT;
	return copy_to_user(length_at, &length,
			    sizeof(length)); /* the whole length, even when it was cut */
}

/* A new descriptor for the socket; takes over the caller's reference in any case. */
static int64_t install(struct socket *socket, uint32_t flags)
{
	struct file *file = socket_file_create(socket, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);

	if (!file) {
		socket_close(socket);
		return -ENOMEM;
	}
	int fd = fd_install(file, 0, flags & SOCK_CLOEXEC);

	if (fd < 0)
		file_put(file);
	return fd;
}

SYSCALL3(socket, int, family, uint32_t, type, int, protocol)
{
	uint32_t flags = type & ~(uint32_t)SOCK_TYPE_MASK;
	struct socket *socket;

	if (flags & ~(uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	int error = socket_create(current_net(), family, (int)(type & SOCK_TYPE_MASK), protocol,
				  &socket);

	return error ? error : install(socket, flags);
}

/* Two descriptors, or none. Takes over both references. */
static int64_t install_pair(struct socket *pair[2], uint32_t flags, user_addr_t to)
{
	int32_t fds[2];
	int64_t fd = install(pair[0], flags);

	if (fd < 0) {
		socket_close(pair[1]);
		return fd;
	}
	fds[0] = (int32_t)fd;
	fd = install(pair[1], flags);
	if (fd < 0) {
		fd_close(fds[0]);
		return fd;
	}
	fds[1] = (int32_t)fd;
	if (!copy_to_user(to, fds, sizeof(fds)))
		return 0;
	fd_close(fds[0]);
	fd_close(fds[1]);
	return -EFAULT;
}

SYSCALL4(socketpair, int, family, uint32_t, type, int, protocol, user_addr_t, to)
{
	uint32_t flags = type & ~(uint32_t)SOCK_TYPE_MASK;
	struct socket *pair[2];

	if (flags & ~(uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	int error = socket_create_pair(current_net(), family, (int)(type & SOCK_TYPE_MASK),
				       protocol, pair);

	return error ? error : install_pair(pair, flags, to);
}

SYSCALL3(bind, int, fd, user_addr_t, name_at, uint32_t, length)
{
	struct sockaddr_storage name;
	struct socket_call call;
	int64_t error = socket_call_begin(&call, fd);

	if (error)
		return error;
	error = socket_name_from_user(&name, name_at, length);
	if (!error)
		error = socket_bind(call.socket, &name, length);
	return socket_call_end(&call, error);
}

SYSCALL3(connect, int, fd, user_addr_t, name_at, uint32_t, length)
{
	struct sockaddr_storage name;
	struct socket_call call;
	int64_t error = socket_call_begin(&call, fd);

	if (error)
		return error;
	error = socket_name_from_user(&name, name_at, length);
	if (!error)
		error = socket_connect(call.socket, &name, length, file_nonblocking(call.file));
	return socket_call_end(&call, error);
}

SYSCALL2(listen, int, fd, int, backlog)
{
	struct socket_call call;
	int64_t error = socket_call_begin(&call, fd);

	return error ? error : socket_call_end(&call, socket_listen(call.socket, backlog));
}

/* The new connection's peer, when the caller wants to know. */
static int64_t tell_peer(struct socket *child, user_addr_t name_at, user_addr_t length_at)
{
	struct sockaddr_storage name;
	uint32_t length = 0;

	if (!name_at)
		return 0;
	if (socket_name(child, true, &name, &length))
		return -ECONNABORTED;
	return socket_name_to_user(&name, length, name_at, length_at);
}

static int64_t accept_connection(int fd, user_addr_t name_at, user_addr_t length_at, uint32_t flags)
{
	struct socket_call call;
	struct socket *child;

	if (flags & ~(uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	int64_t error = socket_call_begin(&call, fd);

	if (error)
		return error;
	if (!fd_available()) /* the connection waits until there is one */
		return socket_call_end(&call, -EMFILE);
	error = socket_accept(call.socket, &child, file_nonblocking(call.file));
	if (error)
		return socket_call_end(&call, error);
	error = tell_peer(child, name_at, length_at);
	if (error) {
		socket_close(child);
		return socket_call_end(&call, error);
	}
	return socket_call_end(&call, install(child, flags));
}

SYSCALL3(accept, int, fd, user_addr_t, name_at, user_addr_t, length_at)
{
	return accept_connection(fd, name_at, length_at, 0);
}

SYSCALL4(accept4, int, fd, user_addr_t, name_at, user_addr_t, length_at, uint32_t, flags)
{
	return accept_connection(fd, name_at, length_at, flags);
}

SYSCALL2(shutdown, int, fd, int, how)
{
	struct socket_call call;
	int64_t error = socket_call_begin(&call, fd);

	return error ? error : socket_call_end(&call, socket_shutdown(call.socket, how));
}

static int64_t get_name(int fd, bool peer, user_addr_t name_at, user_addr_t length_at)
{
	struct sockaddr_storage name;
	uint32_t length = 0;
	struct socket_call call;
	int64_t error = socket_call_begin(&call, fd);

	if (error)
		return error;
	error = socket_name(call.socket, peer, &name, &length);
	if (!error)
		error = socket_name_to_user(&name, length, name_at, length_at);
	return socket_call_end(&call, error);
}

SYSCALL3(getsockname, int, fd, user_addr_t, name_at, user_addr_t, length_at)
{
	return get_name(fd, false, name_at, length_at);
}

SYSCALL3(getpeername, int, fd, user_addr_t, name_at, user_addr_t, length_at)
{
	return get_name(fd, true, name_at, length_at);
}

static int64_t set_option(struct socket *socket, int level, int option, user_addr_t value_at,
			  int32_t length)
{
	uint64_t value[OPTION_BYTES_MAX / sizeof(uint64_t)]; /* aligned for any structure */

	if (length < 0)
		return -EINVAL;
	if (level == SOL_SOCKET && option == SO_ATTACH_FILTER)
		return socket_filter_from_user(socket, value_at, (uint32_t)length);
	length = MIN(length, OPTION_BYTES_MAX);
	if (copy_from_user(value, value_at, (size_t)length))
		return -EFAULT;
	return socket_setsockopt(socket, level, option, value, (uint32_t)length);
}

SYSCALL5(setsockopt, int, fd, int, level, int, option, user_addr_t, value_at, int32_t, length)
{
	struct socket_call call;
	int64_t error = socket_call_begin(&call, fd);

	return error ? error
		     : socket_call_end(&call,
				       set_option(call.socket, level, option, value_at, length));
}

static int64_t get_option(struct socket *socket, int level, int option, user_addr_t value_at,
			  user_addr_t length_at)
{
	uint64_t value[OPTION_BYTES_MAX / sizeof(uint64_t)] = {0};
	int32_t room;

	if (level == SOL_SOCKET && option == SO_GET_FILTER)
		return socket_filter_to_user(socket, value_at, length_at);
	if (copy_from_user(&room, length_at, sizeof(room)))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;

	uint32_t length = (uint32_t)MIN(room, OPTION_BYTES_MAX);

	/* The one option whose value asks as well. */
	if (level == SOL_PACKET && option == PACKET_HDRLEN &&
	    copy_from_user(value, value_at, length))
		return -EFAULT;
	uint32_t given = length;
	int error = socket_getsockopt(socket, level, option, value, &length);

	if (error)
		return error;
	if (copy_to_user(value_at, value, MIN(given, length)))
		return -EFAULT;
	return copy_to_user(length_at, &length, sizeof(length));
}

SYSCALL5(getsockopt, int, fd, int, level, int, option, user_addr_t, value_at, user_addr_t,
	 length_at)
{
	struct socket_call call;
	int64_t error = socket_call_begin(&call, fd);

	return error ? error
		     : socket_call_end(&call,
				       get_option(call.socket, level, option, value_at, length_at));
}

void socket_syscalls_init(void)
{
	syscall_register(SYS_socket, sys_socket);
	syscall_register(SYS_socketpair, sys_socketpair);
	syscall_register(SYS_bind, sys_bind);
	syscall_register(SYS_connect, sys_connect);
	syscall_register(SYS_listen, sys_listen);
	syscall_register(SYS_accept, sys_accept);
	syscall_register(SYS_accept4, sys_accept4);
	syscall_register(SYS_shutdown, sys_shutdown);
	syscall_register(SYS_getsockname, sys_getsockname);
	syscall_register(SYS_getpeername, sys_getpeername);
	syscall_register(SYS_setsockopt, sys_setsockopt);
	syscall_register(SYS_getsockopt, sys_getsockopt);
	socket_transfer_init();
}
