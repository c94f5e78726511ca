/*
 * A connection from SYN to TIME-WAIT, step by step: the one that docs/tcp-connection.md follows.
 * With VITRINE_PCAP=DIRECTORY it leaves its packets there.
 */
#include "net/tcp/tcp_state.h"
#include "test/host/unit/tcp_pair.h"

#define ONE_WAY_US 10000
#define ANSWER_LENGTH 4000 /* three segments */

static const char request[] = "GET / HTTP/1.0\r\n\r\n";

/* Until what is under way has arrived at the other side. */
static void cross(struct pair *pair)
{
	world_run_for(pair->world, ONE_WAY_US + 1000);
}

static uint8_t state_of(const struct socket *socket)
{
	return tcp_socket((struct socket *)(uintptr_t)socket)->state;
}

/* MUST-13, MUST-14, MUST-44, MUST-61 */
static void test_from_syn_to_time_wait(void **state __unused)
{
	const struct fault_settings faults = {.delay_us = ONE_WAY_US};
	struct sockaddr_storage name = tcp_name(SERVER, PORT);
	static char bytes[ANSWER_LENGTH];
	struct socket *client, *server;
	struct tcp_state_of_net *here;
	struct pair pair;

	pair_create(&pair, &faults);
	here = tcp_of(&pair.client->stack.net);
	client = tcp_open(pair.client);

	/* The handshake. ARP's question and answer come first. */
	assert_int_equal(socket_connect(client, &name, sizeof(struct sockaddr_in), true),
			 -EINPROGRESS);
	assert_int_equal(state_of(client), TCP_SYN_SENT);
	world_run_for(pair.world, 3 * ONE_WAY_US + 1000);
	assert_int_equal(tcp_socket(pair.listener)->listen->requests, 1);
	cross(&pair);
	assert_int_equal(state_of(client), TCP_ESTABLISHED);
	assert_int_equal(socket_accept(pair.listener, &server, false), 0);
	assert_int_equal(state_of(server), TCP_ESTABLISHED);

	/* A request and its answer. */
	assert_int_equal(send_bytes(client, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	cross(&pair);
	assert_int_equal(receive_bytes(server, bytes, sizeof(bytes), 0), sizeof(request) - 1);
	assert_int_equal(send_bytes(server, bytes, sizeof(bytes), 0), sizeof(bytes));
	cross(&pair);
	assert_int_equal(receive_bytes(client, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
	cross(&pair);

	/* Who closes first waits at the end. */
	assert_int_equal(socket_shutdown(client, SHUT_WR), 0);
	assert_int_equal(state_of(client), TCP_FIN_WAIT1);
	cross(&pair);
	assert_int_equal(state_of(server), TCP_CLOSE_WAIT);
	assert_int_equal(receive_bytes(server, bytes, 1, 0), 0);
	world_run_for(pair.world, 5 * ONE_WAY_US); /* the ACK may be delayed */
	assert_int_equal(state_of(client), TCP_FIN_WAIT2);
	socket_close(server);
	cross(&pair);
	assert_int_equal(here->timewaits.count, 1);
	socket_close(client);

	/* Twice the longest life of a segment, and the pair of ends is free. */
	world_run_for(pair.world, 59 * USEC_PER_SEC);
	assert_int_equal(here->timewaits.count, 1);
	world_run_for(pair.world, 2 * USEC_PER_SEC);
	assert_int_equal(here->timewaits.count, 0);
	pair_destroy(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_syn_to_time_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
