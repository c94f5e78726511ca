/*
 * AF_UNIX with threads that really sleep: nothing is lost, put out of order, or waited for in vain.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "test/host/stack/stack.h"
#include "test/host/unit/unix_fixture.h"

#define BYTES 400000
#define MESSAGES 3000
#define READERS 3

static struct host_stack stack;
static struct socket *ends[2];

static void start(int type)
{
	const struct host_stack_options options = {.seed = 1, .link_only = true};

	host_clock_real();
	assert_int_equal(host_stack_create(&stack, &options), 0);
	assert_int_equal(socket_create_pair(&stack.net, AF_UNIX, type, 0, ends), 0);
	ends[0]->send_buffer = 20000; /* so that the two wait for each other often */
}

static void end(void)
{
	socket_close(ends[1]);
	struct host_leaks leaks = host_stack_destroy(&stack);

	assert_false(host_leaks_any(&leaks));
}

static int64_t transfer(struct socket *socket, void *bytes, size_t n, uint32_t flags, bool send)
{
	struct message message;

	message_init(&message, flags);
	iov_init_kernel(&message.iov, bytes, n);
	return send ? socket_sendmsg(socket, &message) : socket_recvmsg(socket, &message);
}

static uint8_t pattern(uint64_t i)
{
	return (uint8_t)(i * 31 >> 3);
}

/* In pieces of all sizes; then the end. */
static void *write_bytes(void *unused)
{
	uint8_t *bytes = malloc(BYTES);

	for (uint64_t i = 0; i < BYTES; i++)
		bytes[i] = pattern(i);
	for (uint64_t done = 0, part = 1; done < BYTES; done += part, part = part * 7 % 30011 + 1) {
		part = MIN(part, BYTES - done);
		if (transfer(ends[0], bytes + done, part, 0, true) != (int64_t)part)
			abort();
	}
	socket_close(ends[0]);
	free(bytes);
	return unused;
}

static void a_stream_between_threads(void **state __unused)
{
	uint8_t to[5000];
	uint64_t read = 0;
	pthread_t writer;
	int64_t part;

	start(SOCK_STREAM);
	pthread_create(&writer, NULL, write_bytes, NULL);
	while ((part = transfer(ends[1], to, sizeof(to), 0, false)) > 0) {
		for (int64_t i = 0; i < part; i++)
			assert_int_equal(to[i], pattern(read + (uint64_t)i));
		read += (uint64_t)part;
	}
	assert_int_equal(part, 0);
	assert_int_equal(read, BYTES);
	pthread_join(writer, NULL);
	end();
}

static void *write_messages(void *unused)
{
	for (uint32_t i = 0; i < MESSAGES; i++) {
		if (transfer(ends[0], &i, sizeof(i), 0, true) != sizeof(i))
			abort();
	}
	socket_close(ends[0]);
	return unused;
}

static uint32_t seen[MESSAGES]; /* how often; changed atomically */

static void *read_messages(void *unused)
{
	uint32_t number;

	while (transfer(ends[1], &number, sizeof(number), MSG_WAITALL, false) == sizeof(number))
		__atomic_add_fetch(&seen[number], 1, __ATOMIC_RELAXED);
	return unused;
}

/* Several read at once: each message, and in a stream each four bytes, goes to one of them. */
static void several_readers(void **state __unused)
{
	for (size_t kind = 0; kind < ARRAY_SIZE(unix_connections); kind++) {
		pthread_t threads[READERS + 1];

		start(unix_connections[kind]);
		memset(seen, 0, sizeof(seen));
		pthread_create(&threads[READERS], NULL, write_messages, NULL);
		for (int i = 0; i < READERS; i++)
			pthread_create(&threads[i], NULL, read_messages, NULL);
		for (int i = 0; i <= READERS; i++)
			pthread_join(threads[i], NULL);
		for (uint32_t i = 0; i < MESSAGES; i++)
			assert_int_equal(seen[i], 1);
		end();
	}
}

#define SHARE 400000 /* bytes: long enough for one to come while the other copies */
#define ROUNDS 200

static pthread_barrier_t round_begins, round_ends;

static void *read_shares(void *unused)
{
	uint8_t *to = malloc(SHARE);

	for (uint32_t i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&round_begins);
		if (transfer(ends[1], to, SHARE, MSG_WAITALL, false) != SHARE)
			abort();
		pthread_barrier_wait(&round_ends);
	}
	free(to);
	return unused;
}

/* Bytes for both are there, and nothing more will come: who waits for the other is woken by it. */
static void who_waits_for_another_reader(void **state __unused)
{
	uint8_t *bytes = calloc(1, SHARE);
	pthread_t threads[2];

	start(SOCK_STREAM);
	ends[0]->send_buffer = 4 * SHARE;
	pthread_barrier_init(&round_begins, NULL, 3);
	pthread_barrier_init(&round_ends, NULL, 3);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, read_shares, NULL);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		for (int share = 0; share < 2; share++)
			assert_int_equal(transfer(ends[0], bytes, SHARE, 0, true), SHARE);
		pthread_barrier_wait(&round_begins);
		pthread_barrier_wait(&round_ends);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	socket_close(ends[0]);
	end();
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_between_threads),
		cmocka_unit_test(several_readers),
		cmocka_unit_test(who_waits_for_another_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
