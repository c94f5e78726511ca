/* Socket calls in short; see tcp_call.h. */
#include "test/host/bench/speed/tcp_call.h"

#include "kernel/errno.h"
#include "net/ipv4/inet_socket.h"

#define BACKLOG 1024

struct socket *tcp_call_listen(struct station *station, uint16_t port)
{
	struct socket *socket = station_bound_socket(station, SOCK_STREAM, IP4_ANY, port);

	station_must(socket_listen(socket, BACKLOG));
	return socket;
}

struct socket *tcp_call_connect(struct station *station, ip4_t address, uint16_t port)
{
	const struct endpoint remote = {.addr = net_addr_ip4(address), .port = port};
	struct sockaddr_storage name;
	struct socket *socket = NULL;
	uint32_t length;

	station_must(socket_create(&station->net, AF_INET, SOCK_STREAM, 0, &socket));
	inet_write_name(&remote, &name, &length);
	station_must(socket_connect(socket, &name, length, true) + EINPROGRESS);
	return socket;
}

struct socket *tcp_call_accept(struct socket *listener)
{
	struct socket *child = NULL;

	station_must(socket_accept(listener, &child, true));
	return child;
}

/* A call's result: bytes, or 0 when it would have to wait. */
static uint32_t bytes_of(int64_t result)
{
	if (result < 0) {
		station_must(result + EAGAIN);
		return 0;
	}
	return (uint32_t)result;
}

uint32_t tcp_call_send(struct socket *socket, const void *bytes, uint32_t length)
{
	struct message message;

	message_init(&message, MSG_DONTWAIT);
	iov_init_user(&message.iov, (uintptr_t)bytes, length);
	return bytes_of(socket_sendmsg(socket, &message));
}

uint32_t tcp_call_receive(struct socket *socket, void *to, uint32_t room)
{
	struct message message;

	message_init(&message, MSG_DONTWAIT);
	iov_init_user(&message.iov, (uintptr_t)to, room);
	return bytes_of(socket_recvmsg(socket, &message));
}
