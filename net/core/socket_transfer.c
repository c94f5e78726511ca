/* The system calls of sockets that carry data: send(2), recv(2), sendmmsg(2), recvmmsg(2). */
#include "include/uapi/time.h"
#include "kernel/fs/file.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/syscall.h"
#include "kernel/user.h"
#include "net/core/socket.h"
#include "net/core/socket_call.h"

#define CONTROL_SEND_MAX 20480   /* bytes: Linux's net.core.optmem_max */
#define CONTROL_RECEIVE_MAX 1152 /* bytes of ancillary data: SCM_RIGHTS with 253 files, and more */
/* A flag that the message calls refuse: send(2)'s do not know it. */
#define MSG_CMSG_COMPAT 0x80000000u

static uint32_t call_flags(const struct socket_call *call, uint32_t flags)
{
	return file_nonblocking(call->file) ? flags | MSG_DONTWAIT : flags;
}

static int64_t send_to(const struct socket_call *call, user_addr_t buffer, uint64_t length,
		       uint32_t flags, user_addr_t name_at, uint32_t name_length)
{
	struct message message;

	message_init(&message, call_flags(call, flags));
	if (name_at) {
		int error = socket_name_from_user(&message.name, name_at, name_length);

		if (error)
			return error;
		message.name_length = name_length;
	}
	iov_init_user(&message.iov, buffer, length);
	return socket_sendmsg(call->socket, &message);
}

SYSCALL6(sendto, int, fd, user_addr_t, buffer, uint64_t, length, uint32_t, flags, user_addr_t,
	 name_at, uint32_t, name_length)
{
	struct socket_call call;
	int64_t error = socket_call_begin(&call, fd);

	if (error)
		return error;
	return socket_call_end(&call, send_to(&call, buffer, length, flags, name_at, name_length));
}

static int64_t receive_from(const struct socket_call *call, user_addr_t buffer, uint64_t length,
			    uint32_t flags, user_addr_t name_at, user_addr_t name_length_at)
{
	struct message message;

	message_init(&message, call_flags(call, flags));
	iov_init_user(&message.iov, buffer, length);
	int64_t received = socket_recvmsg(call->socket, &message);

	if (received < 0 || !name_at)
		return received;
	int error = socket_name_to_user(&message.name, message.name_length, name_at,
					name_length_at);

	return error ? error : received;
}

SYSCALL6(recvfrom, int, fd, user_addr_t, buffer, uint64_t, length, uint32_t, flags, user_addr_t,
	 name_at, user_addr_t, name_length_at)
{
	struct socket_call call;
	int64_t error = socket_call_begin(&call, fd);

	if (error)
		return error;
	return socket_call_end(&call,
			       receive_from(&call, buffer, length, flags, name_at, name_length_at));
}

static int read_header(struct msghdr *header, user_addr_t from)
{
	if (copy_from_user(header, from, sizeof(*header)))
		return -EFAULT;
	if (header->msg_iovlen > IOV_MAX_SEGMENTS)
		return -EMSGSIZE;
	if (!header->msg_name)
		header->msg_namelen = 0;
	return header->msg_namelen < 0 ? -EINVAL : 0;
}

/* Destination and ancillary data into kernel memory. message->control is the caller's to free. */
static int read_message(struct message *message, const struct msghdr *header)
{
	/*
	 * sendmsg cuts a length that is too large, unlike sendto: Linux, and programs that rely on
	 * it.
	 */
	uint32_t length = MIN((uint32_t)header->msg_namelen, (uint32_t)sizeof(message->name));

	if (length && copy_from_user(&message->name, header->msg_name, length))
		return -EFAULT;
	message->name_length = length;
	if (!header->msg_controllen)
		return 0;
	if (header->msg_controllen > CONTROL_SEND_MAX)
		return -ENOBUFS;
	void *control = kmalloc(header->msg_controllen);

	if (!control)
		return -ENOBUFS;
	message->control = control;
	message->control_length = header->msg_controllen;
	return copy_from_user(control, header->msg_control, header->msg_controllen);
}

static int64_t send_one(const struct socket_call *call, user_addr_t header_at, uint32_t flags)
{
	struct message message;
	struct msghdr header;
	int64_t result = read_header(&header, header_at);

	message_init(&message, call_flags(call, flags));
	if (result)
		return result;
	result = iov_from_user(&message.iov, header.msg_iov, header.msg_iovlen);
	if (result)
		return result;
	result = read_message(&message, &header);
	if (!result)
		result = socket_sendmsg(call->socket, &message);
	kfree((void *)message.control);
	iov_release(&message.iov);
	return result;
}

SYSCALL3(sendmsg, int, fd, user_addr_t, header_at, uint32_t, flags)
{
	struct socket_call call;

	if (flags & MSG_CMSG_COMPAT)
		return -EINVAL;
	int64_t error = socket_call_begin(&call, fd);

	return error ? error : socket_call_end(&call, send_one(&call, header_at, flags));
}

/* What the process learns besides the bytes: source, ancillary data, flags. */
static int write_message(const struct message *message, struct msghdr *header,
			 user_addr_t header_at)
{
	if (header->msg_name) {
		uint32_t length = MIN((uint32_t)header->msg_namelen, message->name_length);

		if (copy_to_user(header->msg_name, &message->name, length))
			return -EFAULT;
		header->msg_namelen = (int32_t)message->name_length;
	}
	if (message->control_used &&
	    copy_to_user(header->msg_control, message->control_to, message->control_used))
		return -EFAULT;
	header->msg_controllen = message->control_used;
	/* recvmsg(2) lists it among the flags that come back, and programs look for it. */
	header->msg_flags = message->flags_out | (message->flags & MSG_CMSG_CLOEXEC);
	return copy_to_user(header_at, header, sizeof(*header));
}

static int64_t receive_one(const struct socket_call *call, user_addr_t header_at, uint32_t flags)
{
	uint64_t control[CONTROL_RECEIVE_MAX / sizeof(uint64_t)];
	struct message message;
	struct msghdr header;
	int64_t result = read_header(&header, header_at);

	message_init(&message, call_flags(call, flags));
	message.control_to = control;
	if (result)
		return result;
	result = iov_from_user(&message.iov, header.msg_iov, header.msg_iovlen);
	if (result)
		return result;
	message.control_room = header.msg_control ? MIN(header.msg_controllen, sizeof(control)) : 0;
	result = socket_recvmsg(call->socket, &message);
	if (result >= 0) {
		int error = write_message(&message, &header, header_at);

		result = error ? error : result;
	}
	iov_release(&message.iov);
	return result;
}

SYSCALL3(recvmsg, int, fd, user_addr_t, header_at, uint32_t, flags)
{
	struct socket_call call;

	if (flags & MSG_CMSG_COMPAT)
		return -EINVAL;
	int64_t error = socket_call_begin(&call, fd);

	return error ? error : socket_call_end(&call, receive_one(&call, header_at, flags));
}

static user_addr_t element(user_addr_t array, uint32_t i)
{
	return array + i * sizeof(struct mmsghdr);
}

static int tell_length(user_addr_t array, uint32_t i, int64_t bytes)
{
	uint32_t length = (uint32_t)bytes;

	return copy_to_user(element(array, i) + offsetof(struct mmsghdr, msg_len), &length,
			    sizeof(length));
}

/* sendmmsg(2): an error is told only when nothing was sent before it. */
static int64_t send_many(const struct socket_call *call, user_addr_t array, uint32_t count,
			 uint32_t flags)
{
	int64_t result = 0;
	uint32_t done = 0;

	while (done < count) {
		result = send_one(call, element(array, done), flags);
		if (result >= 0)
			result = tell_length(array, done, result);
		if (result < 0)
			break;
		done++;
	}
	return done ? done : result;
}

SYSCALL4(sendmmsg, int, fd, user_addr_t, array, uint32_t, count, uint32_t, flags)
{
	struct socket_call call;

	if (flags & MSG_CMSG_COMPAT)
		return -EINVAL;
	int64_t error = socket_call_begin(&call, fd);

	if (error)
		return error;
	return socket_call_end(&call, send_many(&call, array, MIN(count, IOV_MAX_SEGMENTS), flags));
}

/*
 * recvmmsg(2): an error after some datagrams waits for the next call. The timeout is looked at
 * after each datagram only, as the manual page admits.
 */
static int64_t receive_many(const struct socket_call *call, user_addr_t array, uint32_t count,
			    uint32_t flags, uint64_t deadline_us)
{
	struct net *net = call->socket->net;
	uint32_t done = 0;

	while (done < count) {
		int64_t result = receive_one(call, element(array, done),
					     flags & ~(uint32_t)MSG_WAITFORONE);

		if (result >= 0)
			result = tell_length(array, done, result);
		if (result < 0 && done == 0)
			return result;
		if (result < 0) {
			if (result != -EAGAIN && result != -ERESTARTSYS && result != -EINTR) {
				net_lock(net);
				socket_set_error(call->socket, (int)-result);
				net_unlock(net);
			}
			break;
		}
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (net_now(net) >= deadline_us)
			break;
	}
	return done;
}

/* The time that is left goes back to the process. */
static int tell_time_left(user_addr_t timeout_at, uint64_t deadline_us, uint64_t now_us)
{
	uint64_t left_us = deadline_us > now_us ? deadline_us - now_us : 0;
	const struct timespec left = {
		.tv_sec = (int64_t)(left_us / USEC_PER_SEC),
		.tv_nsec = (int64_t)(left_us % USEC_PER_SEC * NSEC_PER_USEC),
	};

	return copy_to_user(timeout_at, &left, sizeof(left));
}

static int64_t receive_many_until(const struct socket_call *call, user_addr_t array, uint32_t count,
				  uint32_t flags, user_addr_t timeout_at)
{
	struct net *net = call->socket->net;
	struct timespec timeout;

	if (!timeout_at)
		return receive_many(call, array, count, flags, TIME_NEVER);
	if (copy_from_user(&timeout, timeout_at, sizeof(timeout)))
		return -EFAULT;
	if (timeout.tv_sec < 0 || timeout.tv_nsec < 0 || timeout.tv_nsec >= (int64_t)NSEC_PER_SEC)
		return -EINVAL;

	uint64_t whole_seconds = MIN((uint64_t)timeout.tv_sec, UINT32_MAX); /* 136 years */
	uint64_t deadline_us = net_now(net) + whole_seconds * USEC_PER_SEC +
			       (uint64_t)timeout.tv_nsec / NSEC_PER_USEC;
	int64_t result = receive_many(call, array, count, flags, deadline_us);

	if (result > 0 && tell_time_left(timeout_at, deadline_us, net_now(net)))
		return -EFAULT;
	return result;
}

SYSCALL5(recvmmsg, int, fd, user_addr_t, array, uint32_t, count, uint32_t, flags, user_addr_t,
	 timeout_at)
{
	struct socket_call call;

	if (flags & MSG_CMSG_COMPAT)
		return -EINVAL;
	int64_t error = socket_call_begin(&call, fd);

	if (error)
		return error;
	count = MIN(count, IOV_MAX_SEGMENTS);
	return socket_call_end(&call, receive_many_until(&call, array, count, flags, timeout_at));
}

void socket_transfer_init(void)
{
	syscall_register(SYS_sendto, sys_sendto);
	syscall_register(SYS_recvfrom, sys_recvfrom);
	syscall_register(SYS_sendmsg, sys_sendmsg);
	syscall_register(SYS_recvmsg, sys_recvmsg);
	syscall_register(SYS_sendmmsg, sys_sendmmsg);
	syscall_register(SYS_recvmmsg, sys_recvmmsg);
}
