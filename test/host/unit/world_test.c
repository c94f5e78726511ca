/* The simulator itself: stacks that talk over links with faults, the same way every time. */
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

	assert_int_equal(socket_create(&node->net, AF_INET, SOCK_DGRAM, 0, &socket), 0);
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

static char *contents(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	char *bytes = malloc(1 << 20);

	assert_non_null(file);
	assert_non_null(bytes);
	*length = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	return bytes;
}

/* A hundred datagrams over a bad link; the capture's contents. */
static char *captured_run(uint64_t seed, size_t *length)
{
	const struct fault_settings faults = {.loss = 0.2,
					      .duplicate = 0.1,
					      .corrupt = 0.1,
					      .reorder = 0.2,
					      .reorder_depth = 5,
					      .delay_us = 1000,
					      .jitter_us = 300};
	struct pair pair = make_pair(seed, &faults);
	char path[] = "/tmp/vitrine-world-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(link_capture(pair.link, path), 0);
	for (uint32_t i = 0; i < 100; i++) {
		(void)send_to(pair.from, IP4(10, 0, 0, 2), &i, sizeof(i));
		world_run_for(pair.world, 100);
	}
	world_run_for(pair.world, USEC_PER_SEC);
	end_pair(&pair);
	char *bytes = contents(path, length);

	remove(path);
	return bytes;
}

static void test_the_same_seed_gives_the_same_packets(void **state)
{
	size_t n[3];
	char *first = captured_run(SEED, &n[0]), *second = captured_run(SEED, &n[1]);
	char *other = captured_run(SEED + 1, &n[2]);

	(void)state;
	assert_int_equal(n[0], n[1]);
	assert_memory_equal(first, second, n[0]);
	assert_true(n[2] != n[0] || memcmp(first, other, n[0]) != 0);
	free(first);
	free(second);
	free(other);
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

/* Sends `count` numbered frames a millisecond apart and notes in which order they come out. */
static uint32_t pass_frames(const struct fault_settings *settings, uint32_t count, uint32_t *order)
{
	struct fault_link link;
	uint32_t out = 0;

	fault_link_init(&link, settings, SEED);
	for (uint32_t i = 0; i < 2 * count; i++) {
		uint64_t now_us = i * USEC_PER_MSEC;
		struct fault_frame *frame;

		if (i < count)
			assert_true(fault_link_send(&link, &i, sizeof(i), now_us));
		while ((frame = fault_link_receive(&link, now_us))) {
			assert_true(out < 2 * count);
			memcpy(&order[out++], frame->bytes, sizeof(i));
			free(frame);
		}
	}
	assert_int_equal(fault_link_next(&link), UINT64_MAX);
	fault_link_clear(&link);
	return out;
}

static void test_faults_come_in_the_measure_asked_for(void **state)
{
	enum { COUNT = 10000, DEPTH = 4 };
	static uint32_t order[2 * COUNT];
	const struct fault_settings lossy = {.loss = 0.1},
				    bursts = {.burst_start = 0.01, .burst_length = 10};
	const struct fault_settings mixed = {.reorder = 0.1, .reorder_depth = DEPTH};
	uint32_t displaced = 0;

	(void)state;
	assert_in_range(pass_frames(&lossy, COUNT, order), COUNT * 88 / 100, COUNT * 92 / 100);
	assert_in_range(pass_frames(&bursts, COUNT, order), COUNT * 86 / 100, COUNT * 95 / 100);
	assert_int_equal(pass_frames(&mixed, COUNT, order), COUNT);
	for (uint32_t i = 0; i < COUNT; i++) {
		assert_true(order[i] + DEPTH + 1 >= i && order[i] <= i + DEPTH + 1);
		displaced += order[i] != i;
	}
	assert_true(displaced > COUNT / 20);
}

static void test_rate_and_queue(void **state)
{
	const struct fault_settings slow = {.rate_bps = 8000000, .queue_bytes = 3000};
	uint8_t frame[1000] = {0};
	struct fault_link link;

	(void)state;
	fault_link_init(&link, &slow, SEED);
	for (uint32_t i = 0; i < 5; i++)
		assert_true(fault_link_send(&link, frame, sizeof(frame), 0));
	/* A megabyte a second: a frame a millisecond, and what does not fit the queue is lost. */
	assert_int_equal(fault_link_next(&link), 1000);
	assert_int_equal(link.counts.queue_lost, 2);
	fault_link_clear(&link);
}

static void test_settings_are_read_or_refused(void **state)
{
	struct fault_settings settings;

	(void)state;
	assert_null(fault_settings_parse(&settings, "loss=1%,delay=20ms,rate=10mbit,depth=20"));
	assert_true(settings.loss > 0.0099 && settings.loss < 0.0101);
	assert_int_equal(settings.delay_us, 20000);
	assert_int_equal(settings.rate_bps, 10000000);
	assert_int_equal(settings.reorder_depth, 20);
	assert_string_equal(fault_settings_parse(&settings, "loss=1%,dely=2ms"), "dely=2ms");
	assert_string_equal(fault_settings_parse(&settings, "delay=2miles"), "delay=2miles");
	assert_string_equal(fault_settings_parse(&settings, "loss"), "loss");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_sleeping_call_moves_the_world_on),
		cmocka_unit_test(test_a_switch_learns),
		cmocka_unit_test(test_the_same_seed_gives_the_same_packets),
		cmocka_unit_test(test_a_link_that_is_down_carries_nothing),
		cmocka_unit_test(test_faults_come_in_the_measure_asked_for),
		cmocka_unit_test(test_rate_and_queue),
		cmocka_unit_test(test_settings_are_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
