/* SO_ATTACH_FILTER on TCP: what a filter refuses or cuts was not received, and comes again. */
#include "include/uapi/filter.h"
#include "net/core/socket_filter.h"
#include "net/tcp/tcp_state.h"
#include "test/host/unit/tcp_pair.h"

#include <string.h>

#define HEADER 32 /* with timestamps */
#define RETURN(n)                        \
	{                                \
		BPF_RET | BPF_K, 0, 0, n \
	}

static const struct fault_settings short_wire = {.delay_us = 1000};
static const struct sock_filter none[] = {RETURN(0)};
static const struct sock_filter hundred_bytes[] = {RETURN(HEADER + 100)};
static const struct sock_filter at_most_100_bytes[] = {
	{BPF_LD | BPF_W | BPF_LEN, 0, 0, 0},
	{BPF_JMP | BPF_JGT, 1, 0, HEADER + 100},
	RETURN(UINT32_MAX),
	RETURN(0),
};
#define ATTACH(socket, program) \
	assert_int_equal(socket_filter_attach(socket, program, ARRAY_SIZE(program)), 0)

static uint64_t refused(const struct node *node)
{
	return node->stack.net.drops[DROP_SOCKET_FILTER];
}

static void detach(struct socket *socket)
{
	assert_int_equal(socket_setsockopt(socket, SOL_SOCKET, SO_DETACH_FILTER, NULL, 0), 0);
}

/* No SYN gets through; the one that is sent again after the filter is gone does. */
static void listener_refuses(void **state __unused)
{
	struct sockaddr_storage name = tcp_name(SERVER, PORT);
	struct socket *client, *server;
	struct pair pair;

	pair_create(&pair, &short_wire);
	ATTACH(pair.listener, none);
	client = tcp_open(pair.client);
	assert_int_equal(socket_connect(client, &name, sizeof(struct sockaddr_in), true),
			 -EINPROGRESS);
	world_run_for(pair.world, 100000);
	assert_int_equal(tcp_socket(client)->state, TCP_SYN_SENT);
	assert_int_equal(refused(pair.server), 1);
	detach(pair.listener);
	world_run_for(pair.world, 2 * USEC_PER_SEC);
	assert_int_equal(tcp_socket(client)->state, TCP_ESTABLISHED);
	assert_int_equal(socket_accept(pair.listener, &server, false), 0);
	socket_close(client);
	socket_close(server);
	pair_destroy(&pair);
}

/* Each segment brings a hundred bytes; the rest is sent again, as if it had been lost. */
static void payload_is_cut(void **state __unused)
{
	static uint8_t sent[1000], received[1000];
	struct socket *client, *server;
	struct pair pair;

	pair_create(&pair, &short_wire);
	pair_connect(&pair, &client, &server);
	ATTACH(server, hundred_bytes);
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 3);
	assert_int_equal(send_bytes(client, sent, sizeof(sent), 0), sizeof(sent));
	world_run_for(pair.world, 10000);
	assert_int_equal(receive_bytes(server, received, sizeof(received), MSG_DONTWAIT), 100);
	assert_int_equal(receive_bytes(server, received + 100, 900, MSG_WAITALL), 900);
	assert_memory_equal(received, sent, sizeof(sent));
	socket_close(client);
	socket_close(server);
	pair_destroy(&pair);
}

/* A connection has its listener's filter, until it takes one of its own. */
static void connection_inherits(void **state __unused)
{
	static uint8_t bytes[500];
	struct socket *client, *server;
	struct pair pair;

	pair_create(&pair, &short_wire);
	ATTACH(pair.listener, at_most_100_bytes);
	pair_connect(&pair, &client, &server);
	assert_ptr_equal(server->filter, pair.listener->filter);
	assert_int_equal(send_bytes(client, bytes, 10, 0), 10);
	assert_int_equal(receive_bytes(server, bytes, sizeof(bytes), 0), 10);
	assert_int_equal(send_bytes(client, bytes, sizeof(bytes), 0), sizeof(bytes));
	world_run_for(pair.world, USEC_PER_SEC);
	assert_true(refused(pair.server) > 0);
	assert_int_equal(receive_bytes(server, bytes, sizeof(bytes), MSG_DONTWAIT), -EAGAIN);
	detach(server);
	assert_non_null(pair.listener->filter);
	assert_int_equal(receive_bytes(server, bytes, sizeof(bytes), 0), sizeof(bytes));
	socket_close(client);
	socket_close(server);
	pair_destroy(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listener_refuses),
		cmocka_unit_test(payload_is_cut),
		cmocka_unit_test(connection_inherits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
