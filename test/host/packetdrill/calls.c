/*
 * The tool's calls as system calls. The numbers and structures of Linux are the same on all 64-bit
 * machines, but for those that poll.c and descriptors.c translate; so a pointer goes through as it
 * is, and is looked at where the kernel looks at user memory.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>

#include "include/uapi/syscall.h"
#include "test/host/packetdrill/instance.h"
#include "test/host/packetdrill/interface.h"
#include "test/host/services/host.h"

static uint64_t user(const void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

/* A call on a descriptor. The tool's number is in `fd`, the other arguments are the kernel's. */
static int64_t call(uint32_t number, int fd, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
		    uint64_t a5)
{
	call_begin();
	return call_end(
		host_syscall(number, (uint64_t)(int64_t)descriptor_find(fd), a1, a2, a3, a4, a5));
}

static int interface_socket(void *userdata __unused, int domain, int type, int protocol)
{
	call_begin();
	return (int)call_end(descriptor_open(host_syscall(
		SYS_socket, (uint64_t)domain, (uint64_t)type, (uint64_t)protocol, 0, 0, 0)));
}

static int interface_bind(void *userdata __unused, int fd, const struct sockaddr *name,
			  socklen_t length)
{
	return (int)call(SYS_bind, fd, user(name), length, 0, 0, 0);
}

static int interface_listen(void *userdata __unused, int fd, int backlog)
{
	return (int)call(SYS_listen, fd, (uint64_t)backlog, 0, 0, 0, 0);
}

static int interface_accept(void *userdata __unused, int fd, struct sockaddr *name,
			    socklen_t *length)
{
	call_begin();
	return (int)call_end(
		descriptor_open(host_syscall(SYS_accept, (uint64_t)(int64_t)descriptor_find(fd),
					     user(name), user(length), 0, 0, 0)));
}

static int interface_connect(void *userdata __unused, int fd, const struct sockaddr *name,
			     socklen_t length)
{
	return (int)call(SYS_connect, fd, user(name), length, 0, 0, 0);
}

static ssize_t interface_read(void *userdata __unused, int fd, void *to, size_t n)
{
	return call(SYS_read, fd, user(to), n, 0, 0, 0);
}

static ssize_t interface_readv(void *userdata __unused, int fd, const struct iovec *vectors,
			       int count)
{
	return call(SYS_readv, fd, user(vectors), (uint64_t)count, 0, 0, 0);
}

static ssize_t interface_recvfrom(void *userdata __unused, int fd, void *to, size_t n, int flags,
				  struct sockaddr *name, socklen_t *length)
{
	return call(SYS_recvfrom, fd, user(to), n, (uint64_t)flags, user(name), user(length));
}

static ssize_t interface_recv(void *userdata, int fd, void *to, size_t n, int flags)
{
	return interface_recvfrom(userdata, fd, to, n, flags, NULL, NULL);
}

static ssize_t interface_recvmsg(void *userdata __unused, int fd, struct msghdr *message, int flags)
{
	return call(SYS_recvmsg, fd, user(message), (uint64_t)flags, 0, 0, 0);
}

static ssize_t interface_write(void *userdata __unused, int fd, const void *from, size_t n)
{
	return call(SYS_write, fd, user(from), n, 0, 0, 0);
}

static ssize_t interface_writev(void *userdata __unused, int fd, const struct iovec *vectors,
				int count)
{
	return call(SYS_writev, fd, user(vectors), (uint64_t)count, 0, 0, 0);
}

static ssize_t interface_sendto(void *userdata __unused, int fd, const void *from, size_t n,
				int flags, const struct sockaddr *name, socklen_t length)
{
	return call(SYS_sendto, fd, user(from), n, (uint64_t)flags, user(name), length);
}

static ssize_t interface_send(void *userdata, int fd, const void *from, size_t n, int flags)
{
	return interface_sendto(userdata, fd, from, n, flags, NULL, 0);
}

static ssize_t interface_sendmsg(void *userdata __unused, int fd, const struct msghdr *message,
				 int flags)
{
	return call(SYS_sendmsg, fd, user(message), (uint64_t)flags, 0, 0, 0);
}

static int interface_fcntl(void *userdata __unused, int fd, int command, ...)
{
	va_list arguments;

	va_start(arguments, command);
	uint64_t argument = va_arg(arguments, uint64_t);

	va_end(arguments);
	call_begin();
	int64_t result = host_syscall(SYS_fcntl, (uint64_t)(int64_t)descriptor_find(fd),
				      (uint64_t)command, argument, 0, 0, 0);

	if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
		result = descriptor_open(result);
	return (int)call_end(result);
}

static int interface_ioctl(void *userdata __unused, int fd, unsigned long request, ...)
{
	va_list arguments;

	va_start(arguments, request);
	uint64_t argument = va_arg(arguments, uint64_t);

	va_end(arguments);
	return (int)call(SYS_ioctl, fd, request, argument, 0, 0, 0);
}

static int interface_close(void *userdata __unused, int fd)
{
	call_begin();
	return (int)call_end(
		host_syscall(SYS_close, (uint64_t)(int64_t)descriptor_close(fd), 0, 0, 0, 0, 0));
}

static int interface_shutdown(void *userdata __unused, int fd, int how)
{
	return (int)call(SYS_shutdown, fd, (uint64_t)how, 0, 0, 0, 0);
}

static int interface_getsockopt(void *userdata __unused, int fd, int level, int option, void *value,
				socklen_t *length)
{
	return (int)call(SYS_getsockopt, fd, (uint64_t)level, (uint64_t)option, user(value),
			 user(length), 0);
}

static int interface_setsockopt(void *userdata __unused, int fd, int level, int option,
				const void *value, socklen_t length)
{
	return (int)call(SYS_setsockopt, fd, (uint64_t)level, (uint64_t)option, user(value), length,
			 0);
}

static int interface_pipe(void *userdata __unused, int fds[2])
{
	int32_t inner[2];

	call_begin();
	int64_t result = host_syscall(SYS_pipe2, user(inner), 0, 0, 0, 0, 0);

	for (int i = 0; i < 2 && result >= 0; i++) {
		result = descriptor_open(inner[i]);
		fds[i] = (int)result;
	}
	return (int)call_end(MIN(result, 0));
}

/*
 * The tool always gives offsets. On Linux none may be given for a pipe or a socket; so one that is
 * 0 counts as none.
 */
static int interface_splice(void *userdata __unused, int from, loff_t *from_offset, int to,
			    loff_t *to_offset, size_t n, unsigned int flags)
{
	if (from_offset && !*from_offset)
		from_offset = NULL;
	if (to_offset && !*to_offset)
		to_offset = NULL;
	return (int)call(SYS_splice, from, user(from_offset),
			 (uint64_t)(int64_t)descriptor_find(to), user(to_offset), n, flags);
}

void calls_fill_interface(struct packetdrill_interface *out)
{
	out->socket = interface_socket;
	out->bind = interface_bind;
	out->listen = interface_listen;
	out->accept = interface_accept;
	out->connect = interface_connect;
	out->read = interface_read;
	out->readv = interface_readv;
	out->recv = interface_recv;
	out->recvfrom = interface_recvfrom;
	out->recvmsg = interface_recvmsg;
	out->write = interface_write;
	out->writev = interface_writev;
	out->send = interface_send;
	out->sendto = interface_sendto;
	out->sendmsg = interface_sendmsg;
	out->fcntl = interface_fcntl;
	out->ioctl = interface_ioctl;
	out->close = interface_close;
	out->shutdown = interface_shutdown;
	out->getsockopt = interface_getsockopt;
	out->setsockopt = interface_setsockopt;
	out->pipe = interface_pipe;
	out->splice = interface_splice;
}
