/*
 * A run of the simulator can be repeated to the byte; and when it is not the same, the first
 * packet that differs is shown, with the seed.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "include/uapi/in.h"
#include "kernel/byteorder.h"
#include "kernel/printk.h"
#include "net/core/socket.h"
#include "test/host/simulator/world.h"

#define SEED 7
#define PORT 9
#define DATAGRAMS 100

static const struct fault_settings bad_line = {.loss = 0.2,
					       .duplicate = 0.1,
					       .corrupt = 0.1,
					       .reorder = 0.2,
					       .reorder_depth = 5,
					       .delay_us = 1000,
					       .jitter_us = 300};

/* How one run is to differ from another; all 0: not at all. */
struct change {
	uint32_t datagram;  /* of this number ... */
	uint8_t byte;       /* ... has this added to its first byte */
	uint64_t late_us;   /* ... is sent so much later */
	uint32_t datagrams; /* so many in all; 0: DATAGRAMS */
	bool every_run;     /* else only the second of two runs */
	const char *pcap;   /* capture the link here */
};

static uint32_t runs;

static struct socket *udp_socket(struct node *node)
{
	struct socket *socket;

	assert_int_equal(socket_create(&node->stack.net, AF_INET, SOCK_DGRAM, 0, &socket), 0);
	return socket;
}

static void send_number(struct socket *socket, uint32_t number)
{
	struct message message = {.name_length = sizeof(struct sockaddr_in)};
	struct sockaddr_in *to = (struct sockaddr_in *)(void *)&message.name;

	to->sin_family = AF_INET;
	to->sin_port = cpu_to_be16(PORT);
	to->sin_addr.s_addr = cpu_to_be32(IP4(10, 0, 0, 2));
	iov_init_kernel(&message.iov, &number, sizeof(number));
	(void)socket_sendmsg(socket, &message);
}

/* A hundred datagrams over a bad line. */
static void scenario(struct world *world, void *context)
{
	const struct change *change = context;
	bool changed = change->every_run || ++runs % 2 == 0;
	struct node *a = world_add_node(world, "a"), *b = world_add_node(world, "b");
	struct link *link = world_link(world, node_add_port(a), node_add_port(b), &bad_line);
	uint32_t datagrams = changed && change->datagrams ? change->datagrams : DATAGRAMS;

	if (change->pcap)
		assert_int_equal(link_capture(link, change->pcap), 0);
	assert_int_equal(node_set_address(a, 0, IP4(10, 0, 0, 1), 24), 0);
	assert_int_equal(node_set_address(b, 0, IP4(10, 0, 0, 2), 24), 0);
	struct socket *socket = udp_socket(a);

	for (uint32_t i = 0; i < 10; i++) { /* until the neighbour is known */
		send_number(socket, i);
		world_run_for(world, USEC_PER_SEC);
	}
	for (uint32_t i = 0; i < datagrams; i++) {
		bool now = changed && i == change->datagram;

		world_run_for(world, 100 + (now ? change->late_us : 0));
		send_number(socket, i + (now ? change->byte : 0));
	}
	world_run_for(world, USEC_PER_SEC);
	socket_close(socket);
}

static uint64_t digest_of(uint64_t seed, struct change change)
{
	struct world *world = world_create(seed);

	change.every_run = true;
	scenario(world, &change);
	uint64_t digest = world_digest(world);

	assert_true(world->frames >= DATAGRAMS);
	world_destroy(world);
	return digest;
}

static void test_the_same_seed_gives_the_same_digest(void **state __attribute__((unused)))
{
	const struct change none = {0}, late = {.datagram = 50, .late_us = 1};
	const struct change other_byte = {.datagram = 50, .byte = 1};
	uint64_t digest = digest_of(SEED, none);

	assert_int_equal(digest_of(SEED, none), digest);
	assert_int_not_equal(digest_of(SEED + 1, none), digest);
	assert_int_not_equal(digest_of(SEED, late), digest);
	assert_int_not_equal(digest_of(SEED, other_byte), digest);
}

static void test_a_scenario_repeats(void **state __attribute__((unused)))
{
	struct change none = {0};

	for (uint64_t seed = 0; seed < 10; seed++)
		assert_true(world_repeats(seed, scenario, &none));
}

/* TCP over the same line: as many timers, random numbers and decisions as there are. */

#define STREAM_BYTES 200000

static struct sockaddr_in stream_name(void)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = cpu_to_be16(PORT),
				    .sin_addr.s_addr = cpu_to_be32(IP4(10, 0, 0, 2))};
}

/* Whatever can be moved at this moment without waiting. */
static bool move_bytes(struct socket *from, struct socket *to, size_t *sent, size_t *received)
{
	static uint8_t bytes[4096];
	struct message out = {.flags = MSG_DONTWAIT}, in = {.flags = MSG_DONTWAIT};
	int64_t went = 0, came;

	iov_init_kernel(&out.iov, bytes, MIN(sizeof(bytes), STREAM_BYTES - *sent));
	if (*sent < STREAM_BYTES)
		went = socket_sendmsg(from, &out);
	if (went > 0)
		*sent += (size_t)went;
	iov_init_kernel(&in.iov, bytes, sizeof(bytes));
	came = socket_recvmsg(to, &in);
	if (came > 0)
		*received += (size_t)came;
	return went > 0 || came > 0;
}

static void stream_scenario(struct world *world, void *context __attribute__((unused)))
{
	struct node *a = world_add_node(world, "a"), *b = world_add_node(world, "b");
	struct socket *from, *listener, *to;
	struct sockaddr_storage name = {0};
	const struct sockaddr_in in = stream_name();
	size_t sent = 0, received = 0;

	(void)world_link(world, node_add_port(a), node_add_port(b), &bad_line);
	assert_int_equal(node_set_address(a, 0, IP4(10, 0, 0, 1), 24), 0);
	assert_int_equal(node_set_address(b, 0, IP4(10, 0, 0, 2), 24), 0);
	memcpy(&name, &in, sizeof(in));
	assert_int_equal(socket_create(&b->stack.net, AF_INET, SOCK_STREAM, 0, &listener), 0);
	assert_int_equal(socket_bind(listener, &name, sizeof(in)), 0);
	assert_int_equal(socket_listen(listener, 1), 0);
	assert_int_equal(socket_create(&a->stack.net, AF_INET, SOCK_STREAM, 0, &from), 0);
	assert_int_equal(socket_connect(from, &name, sizeof(in), false), 0);
	assert_int_equal(socket_accept(listener, &to, false), 0);
	while (received < STREAM_BYTES) {
		if (!move_bytes(from, to, &sent, &received))
			assert_true(world_step(world, TIME_NEVER - 1));
	}
	assert_true(world->frames > STREAM_BYTES / 1460);
	socket_close(from);
	socket_close(to);
	socket_close(listener);
	world_run_for(world, 300 * USEC_PER_SEC); /* until nobody remembers the connection */
}

static void test_a_tcp_connection_repeats(void **state __attribute__((unused)))
{
	for (uint64_t seed = 0; seed < 5; seed++)
		assert_true(world_repeats(seed, stream_scenario, NULL));
}

static char *contents(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	char *bytes = calloc(1, 1 << 20);

	assert_non_null(file);
	assert_non_null(bytes);
	*length = fread(bytes, 1, (1 << 20) - 1, file);
	fclose(file);
	return bytes;
}

/* Runs `action` in a child process; what it wrote to stderr, for the caller to free. */
static char *errors_of(void (*action)(void *context), void *context)
{
	char path[] = "/tmp/vitrine-world-XXXXXX";
	int fd = mkstemp(path), status;
	size_t length;

	assert_true(fd >= 0);
	fflush(NULL);
	pid_t child = fork();

	if (child == 0) {
		dup2(fd, STDERR_FILENO);
		action(context);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	char *text = contents(path, &length);

	close(fd);
	remove(path);
	return text;
}

static void run_twice(void *context)
{
	if (world_repeats(SEED, scenario, context))
		fprintf(stderr, "no difference\n");
}

/* The parts stand in the text in this order. Frees it. */
static void assert_contains(char *text, const char *const *parts, size_t count)
{
	const char *from = text;
	size_t found = 0;

	while (found < count && (from = strstr(from, parts[found])))
		found++;
	if (found < count)
		print_error("no '%s' in:\n%s", parts[found], text);
	free(text);
	assert_int_equal(found, count);
}

static void test_the_first_differing_packet_is_shown(void **state __attribute__((unused)))
{
	struct change change = {.datagram = 50, .byte = 0x40};
	/* 50 became 114: the first byte behind 14 + 20 + 8 of headers, and the UDP checksum. */
	static const char *const parts[] = {
		"seed 7: link 0 (a to b), packet ",
		"byte 40 differs",
		"before: ",
		" 46 bytes",
		"[",
		"[32]",
		"now:    ",
		"[",
		"[72]",
	};

	assert_contains(errors_of(run_twice, &change), parts, ARRAY_SIZE(parts));
}

static void test_a_packet_at_another_time_is_shown(void **state __attribute__((unused)))
{
	struct change change = {.datagram = 50, .late_us = 3};
	static const char *const parts[] = {"seed 7: link 0", "the time differs",
					    "before: ", "now:    "};

	assert_contains(errors_of(run_twice, &change), parts, ARRAY_SIZE(parts));
}

static void test_missing_and_surplus_packets_are_shown(void **state __attribute__((unused)))
{
	struct change fewer = {.datagrams = DATAGRAMS - 1}, more = {.datagrams = DATAGRAMS + 1};
	static const char *const missing[] = {"seed 7: link 0", "it is missing", "before: "};
	static const char *const surplus[] = {"seed 7: link 0", "had no such packet", "now: "};

	assert_contains(errors_of(run_twice, &fewer), missing, ARRAY_SIZE(missing));
	assert_contains(errors_of(run_twice, &more), surplus, ARRAY_SIZE(surplus));
}

static bool same_as_capture(const char *path, struct change change)
{
	struct recording *recording = recording_create();
	struct world *world = world_create(SEED);

	change.every_run = true;
	assert_int_equal(recording_load(recording, 0, path), 0);
	world_expect(world, recording);
	scenario(world, &change);
	bool same = world_is_as_expected(world);

	world_destroy(world);
	recording_destroy(recording);
	return same;
}

static void compare_with_capture(void *context)
{
	const struct change other = {.datagram = 3, .byte = 1};

	if (same_as_capture(context, other))
		fprintf(stderr, "no difference\n");
}

static void test_a_capture_serves_for_comparison(void **state __attribute__((unused)))
{
	char path[] = "/tmp/vitrine-world-XXXXXX";
	const struct change none = {0};
	struct change captured = {.pcap = path};
	int fd = mkstemp(path);
	static const char *const parts[] = {"seed 7: link 0", "byte 40 differs"};

	assert_true(fd >= 0);
	close(fd);
	(void)digest_of(SEED, captured);
	assert_true(same_as_capture(path, none));
	assert_contains(errors_of(compare_with_capture, path), parts, ARRAY_SIZE(parts));
	remove(path);
}

static void test_what_is_no_capture_is_refused(void **state __attribute__((unused)))
{
	struct recording *recording = recording_create();

	assert_int_equal(recording_load(recording, 0, "/nonexistent"), -ENOENT);
	assert_int_equal(recording_load(recording, 0, "/bin/sh"), -EINVAL);
	recording_destroy(recording);
}

/* The ways in which a run fails. */

static void start_a_run(void)
{
	struct world *world = world_create(4711);

	(void)world_add_node(world, "a");
	world_run_for(world, 2 * USEC_PER_SEC);
}

static void leave(void *context __attribute__((unused)))
{
	start_a_run();
	exit(1);
}

static void give_up(void *context __attribute__((unused)))
{
	start_a_run();
	panic("the end");
}

static void run_another(void *context __attribute__((unused)))
{
	start_a_run();
	struct world *next = world_create(1);

	fprintf(stderr, "next\n");
	world_destroy(next);
	_exit(0);
}

static void test_a_failed_run_tells_its_seed(void **state __attribute__((unused)))
{
	static const char *const parts[] = {"not finished: seed 4711, ", "until 3.000000 s"};
	static const char *const earlier[] = {"not finished: seed 4711, ", "next"};

	assert_contains(errors_of(leave, NULL), parts, ARRAY_SIZE(parts));
	assert_contains(errors_of(give_up, NULL), parts, ARRAY_SIZE(parts));
	assert_contains(errors_of(run_another, NULL), earlier, ARRAY_SIZE(earlier));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_seed_gives_the_same_digest),
		cmocka_unit_test(test_a_scenario_repeats),
		cmocka_unit_test(test_a_tcp_connection_repeats),
		cmocka_unit_test(test_the_first_differing_packet_is_shown),
		cmocka_unit_test(test_a_packet_at_another_time_is_shown),
		cmocka_unit_test(test_missing_and_surplus_packets_are_shown),
		cmocka_unit_test(test_a_capture_serves_for_comparison),
		cmocka_unit_test(test_what_is_no_capture_is_refused),
		cmocka_unit_test(test_a_failed_run_tells_its_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
