/* Two hosts with TCP, a wire between them, and socket calls in short; see tcp_pair.h. */
#include "test/host/unit/tcp_pair.h"

#include <string.h>

#include "kernel/byteorder.h"
#include "net/tcp/tcp_state.h"

struct sockaddr_storage tcp_name(ip4_t address, uint16_t port)
{
	struct sockaddr_storage storage = {0};
	const struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = cpu_to_be16(port),
		.sin_addr.s_addr = cpu_to_be32(address),
	};

	memcpy(&storage, &in, sizeof(in));
	return storage;
}

struct socket *tcp_open(struct node *node)
{
	struct socket *socket;

	assert_int_equal(socket_create(&node->stack.net, AF_INET, SOCK_STREAM, 0, &socket), 0);
	return socket;
}

void pair_create(struct pair *pair, const struct fault_settings *faults)
{
	struct sockaddr_storage name = tcp_name(IP4_ANY, PORT);

	pair->world = world_create(1);
	pair->client = world_add_node(pair->world, "client");
	pair->server = world_add_node(pair->world, "server");
	pair->link = world_link(pair->world, node_add_port(pair->client),
				node_add_port(pair->server), faults);
	assert_int_equal(node_set_address(pair->client, 0, CLIENT, 24), 0);
	assert_int_equal(node_set_address(pair->server, 0, SERVER, 24), 0);
	pair->listener = tcp_open(pair->server);
	assert_int_equal(socket_bind(pair->listener, &name, sizeof(struct sockaddr_in)), 0);
	assert_int_equal(socket_listen(pair->listener, 16), 0);
}

void pair_destroy(struct pair *pair)
{
	socket_close(pair->listener);
	world_run_for(pair->world, 200 * USEC_PER_SEC);
	assert_int_equal(tcp_of(&pair->client->stack.net)->memory_used, 0);
	assert_int_equal(tcp_of(&pair->server->stack.net)->memory_used, 0);
	world_destroy(pair->world);
}

void pair_connect(struct pair *pair, struct socket **client, struct socket **server)
{
	struct sockaddr_storage name = tcp_name(SERVER, PORT);

	*client = tcp_open(pair->client);
	assert_int_equal(socket_connect(*client, &name, sizeof(struct sockaddr_in), false), 0);
	assert_int_equal(socket_accept(pair->listener, server, false), 0);
}

int64_t send_bytes(struct socket *socket, const void *bytes, size_t length, uint32_t flags)
{
	struct message message = {.flags = flags};

	iov_init_kernel(&message.iov, (void *)(uintptr_t)bytes, length);
	return socket_sendmsg(socket, &message);
}

int64_t receive_bytes(struct socket *socket, void *to, size_t length, uint32_t flags)
{
	struct message message = {.flags = flags};

	iov_init_kernel(&message.iov, to, length);
	return socket_recvmsg(socket, &message);
}
