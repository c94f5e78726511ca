/* The simulator itself: stacks that talk over links, through switches and routers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/uapi/in.h"
#include "kernel/byteorder.h"
#include "net/core/socket.h"
#include "test/host/simulator/world.h"

#define PORT 9
#define SEED 7

static struct sockaddr_storage name_of(ip4_t address, uint16_t port)
{
	struct sockaddr_storage name = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&name;

	in->sin_family = AF_INET;
	in->sin_port = cpu_to_be16(port);
	in->sin_addr.s_addr = cpu_to_be32(address);
	return name;
}

static struct socket *udp_socket(struct node *node, uint16_t port)
{
	struct socket *socket;
	struct sockaddr_storage name = name_of(IP4_ANY, port);

	assert_int_equal(socket_create(&node->stack.net, AF_INET, SOCK_DGRAM, 0, &socket), 0);
	assert_int_equal(socket_bind(socket, &name, sizeof(struct sockaddr_in)), 0);
	return socket;
}

static int64_t send_to(struct socket *socket, ip4_t address, void *bytes, size_t n)
{
	struct message message = {.name = name_of(address, PORT),
				  .name_length = sizeof(struct sockaddr_in)};

	iov_init_kernel(&message.iov, bytes, n);
	return socket_sendmsg(socket, &message);
}

static int64_t receive(struct socket *socket, void *bytes, size_t n)
{
	struct message message = {0};

	iov_init_kernel(&message.iov, bytes, n);
	return socket_recvmsg(socket, &message);
}

struct pair {
	struct world *world;
	struct node *a, *b;
	struct socket *from, *to;
	struct link *link;
};

static struct pair make_pair(uint64_t seed, const struct fault_settings *faults)
{
	struct pair pair = {.world = world_create(seed)};

	pair.a = world_add_node(pair.world, "a");
	pair.b = world_add_node(pair.world, "b");
	pair.link = world_link(pair.world, node_add_port(pair.a), node_add_port(pair.b), faults);
	assert_int_equal(node_set_address(pair.a, 0, IP4(10, 0, 0, 1), 24), 0);
	assert_int_equal(node_set_address(pair.b, 0, IP4(10, 0, 0, 2), 24), 0);
	pair.from = udp_socket(pair.a, PORT);
	pair.to = udp_socket(pair.b, PORT);
	return pair;
}

static void end_pair(struct pair *pair)
{
	socket_close(pair->from);
	socket_close(pair->to);
	world_destroy(pair->world);
}

static void test_a_sleeping_call_moves_the_world_on(void **state)
{
	const struct fault_settings faults = {.delay_us = 20 * USEC_PER_MSEC};
	struct pair pair = make_pair(SEED, &faults);
	char text[16] = {0};

	(void)state;
	world_run_for(pair.world, USEC_PER_SEC); /* until both have announced themselves */
	uint64_t start_us = pair.world->now_us;

	assert_int_equal(send_to(pair.from, IP4(10, 0, 0, 2), "hello", 5), 5);
	assert_int_equal(receive(pair.to, text, sizeof(text)), 5);
	assert_string_equal(text, "hello");
	/* The question, its answer and the datagram: three times the link's delay. */
	assert_int_equal(pair.world->now_us - start_us, 3 * faults.delay_us);
	end_pair(&pair);
}

static void test_a_switch_learns(void **state)
{
	struct world *world = world_create(SEED);
	struct node *middle = world_add_switch(world, "switch"), *nodes[3];
	struct link *links[3];
	char text[16];

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		nodes[i] = world_add_node(world, "node");
		links[i] = world_link(world, node_add_port(nodes[i]), node_add_port(middle), NULL);
		assert_int_equal(node_set_address(nodes[i], 0, IP4(10, 0, 0, 1 + i), 24), 0);
	}
	/* What the stacks say of their own accord, announcements and reports, comes first. */
	world_run_for(world, 60 * USEC_PER_SEC);
	struct socket *from = udp_socket(nodes[0], PORT), *to = udp_socket(nodes[1], PORT);
	uint64_t before = links[2]->way[1].counts.in;

	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(send_to(from, IP4(10, 0, 0, 2), "x", 1), 1);
		assert_int_equal(receive(to, text, sizeof(text)), 1);
	}
	/* The third saw the broadcast question and none of the datagrams. */
	assert_int_equal(links[2]->way[1].counts.in - before, 1);
	socket_close(from);
	socket_close(to);
	world_destroy(world);
}

static void test_a_link_that_is_down_carries_nothing(void **state)
{
	struct pair pair = make_pair(SEED, NULL);
	char text[4];

	(void)state;
	pair.to->receive_timeout_us = 10 * USEC_PER_SEC;
	link_set_down(pair.link, true);
	(void)send_to(pair.from, IP4(10, 0, 0, 2), "x", 1);
	assert_int_equal(receive(pair.to, text, sizeof(text)), -EAGAIN);
	link_set_down(pair.link, false);
	assert_int_equal(send_to(pair.from, IP4(10, 0, 0, 2), "y", 1), 1);
	assert_int_equal(receive(pair.to, text, sizeof(text)), 1);
	end_pair(&pair);
}

/* host a, 10.0.1.1 -- router 10.0.1.2, 10.0.2.2 -- host b, 10.0.2.1, behind a narrower link */
#define NARROW_MTU 576

struct routed {
	struct world *world;
	struct node *a, *router, *b;
	struct link *near, *far;
};

static struct routed make_routed(void)
{
	struct routed r = {.world = world_create(SEED)};

	r.a = world_add_node(r.world, "a");
	r.router = world_add_router(r.world, "router");
	r.b = world_add_node(r.world, "b");
	r.near = world_link(r.world, node_add_port(r.a), node_add_port(r.router), NULL);
	r.far = world_link(r.world, node_add_port(r.router), node_add_port(r.b), NULL);
	assert_int_equal(node_set_mtu(r.router, 1, NARROW_MTU), 0);
	assert_int_equal(node_set_mtu(r.b, 0, NARROW_MTU), 0);
	assert_int_equal(node_set_address(r.a, 0, IP4(10, 0, 1, 1), 24), 0);
	assert_int_equal(node_set_address(r.router, 0, IP4(10, 0, 1, 2), 24), 0);
	assert_int_equal(node_set_address(r.router, 1, IP4(10, 0, 2, 2), 24), 0);
	assert_int_equal(node_set_address(r.b, 0, IP4(10, 0, 2, 1), 24), 0);
	assert_int_equal(node_set_gateway(r.a, IP4(10, 0, 1, 2)), 0);
	assert_int_equal(node_set_gateway(r.b, IP4(10, 0, 2, 2)), 0);
	return r;
}

static void test_a_router_between_two_links(void **state)
{
	struct routed r = make_routed();
	struct socket *from = udp_socket(r.a, PORT), *to = udp_socket(r.b, PORT);
	char text[16] = {0};

	(void)state;
	assert_int_equal(send_to(from, IP4(10, 0, 2, 1), "hello", 5), 5);
	assert_int_equal(receive(to, text, sizeof(text)), 5);
	assert_string_equal(text, "hello");
	/* And back. */
	assert_int_equal(send_to(to, IP4(10, 0, 1, 1), "there", 5), 5);
	assert_int_equal(receive(from, text, sizeof(text)), 5);
	assert_string_equal(text, "there");
	socket_close(from);
	socket_close(to);
	world_destroy(r.world);
}

/* RFC 1191: a packet that may not be fragmented comes back as ICMP, and the next ones fit. */
static void test_a_router_with_a_narrow_link(void **state)
{
	enum { LENGTH = 1000 };
	struct routed r = make_routed();
	struct socket *from = udp_socket(r.a, PORT), *to = udp_socket(r.b, PORT);
	uint8_t sent[LENGTH], received[LENGTH];
	int option = IP_PMTUDISC_DO;

	(void)state;
	memset(sent, 0x5a, sizeof(sent));
	assert_int_equal(
		socket_setsockopt(from, IPPROTO_IP, IP_MTU_DISCOVER, &option, sizeof(option)), 0);
	assert_int_equal(send_to(from, IP4(10, 0, 2, 1), sent, LENGTH), LENGTH);
	world_run_for(r.world, USEC_PER_SEC);
	/* It was lost at the router, which said so; we know now. */
	assert_int_equal(r.router->stack.net.drops[DROP_IP4_MUST_FRAGMENT], 1);
	assert_int_equal(send_to(from, IP4(10, 0, 2, 1), sent, LENGTH), -EMSGSIZE);
	option = IP_PMTUDISC_WANT;
	assert_int_equal(
		socket_setsockopt(from, IPPROTO_IP, IP_MTU_DISCOVER, &option, sizeof(option)), 0);
	uint64_t before = r.near->way[0].counts.in;

	assert_int_equal(send_to(from, IP4(10, 0, 2, 1), sent, LENGTH), LENGTH);
	assert_int_equal(receive(to, received, LENGTH), LENGTH);
	assert_memory_equal(sent, received, LENGTH);
	assert_int_equal(r.near->way[0].counts.in - before, 2); /* fragments of our making */
	socket_close(from);
	socket_close(to);
	world_destroy(r.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_sleeping_call_moves_the_world_on),
		cmocka_unit_test(test_a_switch_learns),
		cmocka_unit_test(test_a_link_that_is_down_carries_nothing),
		cmocka_unit_test(test_a_router_between_two_links),
		cmocka_unit_test(test_a_router_with_a_narrow_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
