/* Socket calls in short; see stack_socket.h. */
#include "test/host/programs/vitrine-host/stack_socket.h"

#include "net/ipv4/inet_socket.h"

int stack_socket_bind(struct socket *socket, ip4_t address, uint16_t port)
{
	const struct endpoint local = {.addr = net_addr_ip4(address), .port = port};
	struct sockaddr_storage name;
	uint32_t length;

	inet_write_name(&local, &name, &length);
	return socket_bind(socket, &name, length);
}

int stack_socket_open(struct net *net, int type, uint16_t port, struct socket **result)
{
	int error = socket_create(net, AF_INET, type, 0, result);

	if (error)
		return error;
	error = stack_socket_bind(*result, IP4_ANY, port);
	if (error)
		socket_close(*result);
	return error;
}

int stack_socket_set(struct socket *socket, int option, int value)
{
	return socket_setsockopt(socket, SOL_SOCKET, option, &value, sizeof(value));
}

int64_t stack_socket_receive(struct socket *socket, struct message *message, void *bytes,
			     size_t room)
{
	*message = (struct message){.flags = MSG_DONTWAIT};
	iov_init_kernel(&message->iov, bytes, room);
	return socket_recvmsg(socket, message);
}

int64_t stack_socket_send(struct socket *socket, const struct sockaddr_storage *to,
			  uint32_t to_length, const void *bytes, size_t length)
{
	struct message message = {.name = *to, .name_length = to_length, .flags = MSG_DONTWAIT};

	iov_init_kernel(&message.iov, (void *)(uintptr_t)bytes, length);
	return socket_sendmsg(socket, &message);
}
