/*
 * Socket calls that block, in the three ways of test/host/stack/stack.h: one thread that never
 * really sleeps; threads and the machine's clock; threads and a virtual clock.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernel/clock.h"
#include "test/host/unit/ip4_fixture.h"

#define START_US (5 * USEC_PER_SEC)
#define PORT 7
#define PEER_PORT 1000
#define ROUNDS 200

static struct host_stack stack;
static struct host_device device;
static struct semaphore stirred; /* posted when the pump has something to do */
static struct socket *server;

static void stir(void *context __unused)
{
	sem_post(&stirred);
}

static void start(void)
{
	const struct host_stack_options options = {.seed = 1, .stirred = stir};
	const struct host_device_options device_options = {.bare_ip = true};
	struct sockaddr_storage name;
	const struct endpoint endpoint = {.addr = net_addr_ip4(IP4_ANY), .port = PORT};
	uint32_t length;

	sem_init(&stirred, 0);
	assert_int_equal(host_stack_create(&stack, &options), 0);
	assert_int_equal(host_device_add(&device, &stack, &device_options), 0);
	assert_int_equal(host_device_set_address(&device, OURS, 24), 0);
	assert_int_equal(socket_create(&stack.net, AF_INET, SOCK_DGRAM, 0, &server), 0);
	inet_write_name(&endpoint, &name, &length);
	assert_int_equal(socket_bind(server, &name, length), 0);
}

static void end(void)
{
	socket_close(server);
	struct host_leaks leaks = host_stack_destroy(&stack);

	assert_false(host_leaks_any(&leaks));
}

/* A datagram comes from the wire. */
static void datagram_arrives(const void *payload, size_t n)
{
	uint8_t packet[200];

	assert_int_equal(
		host_device_receive(&device, packet,
				    (uint32_t)udp_packet(packet, PEER_PORT, PORT, payload, n)),
		0);
}

/* Blocks. The length, or a negative errno. */
static int64_t receive(char *to, size_t n, struct sockaddr_storage *from, uint32_t *from_length)
{
	struct message message = {0};

	iov_init_kernel(&message.iov, to, n);
	int64_t length = socket_recvmsg(server, &message);

	*from = message.name;
	*from_length = message.name_length;
	return length;
}

/* Answers `count` datagrams with what they say; the last result that was not as it should be. */
static int64_t echo(uint32_t count)
{
	struct sockaddr_storage peer;
	uint32_t peer_length;
	char text[16];

	for (uint32_t i = 0; i < count; i++) {
		int64_t n = receive(text, sizeof(text), &peer, &peer_length);

		if (n < 0)
			return n;
		struct message answer = {.name = peer, .name_length = peer_length};

		iov_init_kernel(&answer.iov, text, (size_t)n);
		n = socket_sendmsg(server, &answer);
		if (n < 0)
			return n;
	}
	return 0;
}

struct call {
	pthread_t thread;
	uint32_t count;
	int64_t result;
	uint64_t ended_us; /* by the stack's clock */
	uint64_t busy_ns;  /* processor time of the whole call */
};

static void *run_call(void *argument)
{
	struct call *call = argument;
	struct timespec busy;

	call->result = echo(call->count);
	call->ended_us = clock_now_us();
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &busy);
	call->busy_ns = (uint64_t)busy.tv_sec * NSEC_PER_SEC + (uint64_t)busy.tv_nsec;
	return NULL;
}

static void begin_call(struct call *call, uint32_t count)
{
	call->count = count;
	assert_int_equal(pthread_create(&call->thread, NULL, run_call, call), 0);
}

/* The first payload byte of the datagram that the stack sent. */
static uint32_t take_answer(uint64_t *time_us)
{
	struct host_frame *frame = host_device_take(&device);

	assert_non_null(frame);
	uint32_t first = frame->bytes[IP4_HEADER_MIN + 8];

	*time_us = frame->time_us;
	free(frame);
	return first;
}

/* One thread, virtual clock */

static bool datagram_after_a_second(void *context, uint64_t deadline_us)
{
	bool *sent = context;

	if (*sent || clock_now_us() + USEC_PER_SEC > deadline_us)
		return false;
	host_clock_advance_to(clock_now_us() + USEC_PER_SEC);
	datagram_arrives("x", 1);
	*sent = true;
	return true;
}

static void test_one_thread_moves_the_world_on(void **state __unused)
{
	bool sent = false;
	uint64_t sent_us;

	host_clock_virtual(START_US);
	host_on_sleep(datagram_after_a_second, &sent);
	start();
	assert_int_equal(echo(1), 0);
	assert_int_equal(take_answer(&sent_us), 'x');
	assert_int_equal(sent_us, START_US + USEC_PER_SEC);
	host_on_sleep(NULL, NULL);
	end();
}

/* Threads, the machine's clock */

struct pump {
	pthread_t thread;
	bool ended; /* set atomically, then `stirred` is posted */
};

static void *run_pump(void *argument)
{
	struct pump *pump = argument;

	while (!__atomic_load_n(&pump->ended, __ATOMIC_ACQUIRE)) {
		while (host_stack_run(&stack))
			;
		(void)!sem_wait_until(&stirred, host_stack_next(&stack));
	}
	return NULL;
}

static void start_pump(struct pump *pump)
{
	pump->ended = false;
	assert_int_equal(pthread_create(&pump->thread, NULL, run_pump, pump), 0);
}

static void end_pump(struct pump *pump)
{
	__atomic_store_n(&pump->ended, true, __ATOMIC_RELEASE);
	stir(NULL);
	pthread_join(pump->thread, NULL);
}

static void test_a_thread_sleeps_until_the_frame_comes(void **state __unused)
{
	struct call call;
	uint64_t sent_us;

	host_clock_real();
	start();
	begin_call(&call, ROUNDS);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		const uint8_t number = (uint8_t)i;

		host_wait_for_sleepers(1);
		assert_null(host_device_take(&device));
		if (i == 0) { /* asleep, not waiting in a loop */
			const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};

			nanosleep(&pause, NULL);
		}
		datagram_arrives(&number, 1);
		if (i + 1 < ROUNDS)
			host_wait_for_sleepers(1);
		else
			pthread_join(call.thread, NULL);
		assert_int_equal(take_answer(&sent_us), number);
	}
	assert_int_equal(call.result, 0);
	assert_true(call.busy_ns < 80 * 1000 * 1000);
	end();
}

static void test_the_pump_lets_a_timeout_expire(void **state __unused)
{
	uint64_t start_us, timeout_us = 30 * USEC_PER_MSEC;
	struct pump pump;

	host_clock_real();
	start();
	server->receive_timeout_us = timeout_us;
	start_pump(&pump);
	start_us = clock_now_us();
	assert_int_equal(echo(1), -EAGAIN);
	assert_in_range(clock_now_us() - start_us, timeout_us, timeout_us + 10 * USEC_PER_SEC);
	end_pump(&pump);
	end();
}

/* Loopback: both directions through the pump, while two threads use the stack. */
static void test_many_threads_and_a_pump(void **state __unused)
{
	const struct endpoint endpoint = {.addr = net_addr_ip4(IP4_LOOPBACK), .port = PORT};
	struct sockaddr_storage name;
	uint32_t name_length;
	struct socket *client;
	struct call call;
	struct pump pump;

	host_clock_real();
	start();
	start_pump(&pump);
	begin_call(&call, ROUNDS);
	inet_write_name(&endpoint, &name, &name_length);
	assert_int_equal(socket_create(&stack.net, AF_INET, SOCK_DGRAM, 0, &client), 0);
	assert_int_equal(socket_connect(client, &name, name_length, false), 0);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct message question = {0}, answer = {0};
		uint32_t back = ~i;

		iov_init_kernel(&question.iov, &i, sizeof(i));
		assert_int_equal(socket_sendmsg(client, &question), sizeof(i));
		iov_init_kernel(&answer.iov, &back, sizeof(back));
		assert_int_equal(socket_recvmsg(client, &answer), sizeof(back));
		assert_int_equal(back, i);
	}
	pthread_join(call.thread, NULL);
	assert_int_equal(call.result, 0);
	end_pump(&pump);
	socket_close(client);
	end();
}

static void test_a_signal_wakes_a_sleeping_thread(void **state __unused)
{
	struct call call;

	host_clock_real();
	start();
	begin_call(&call, 1);
	host_wait_for_sleepers(1);
	host_signal(true);
	pthread_join(call.thread, NULL);
	host_signal(false);
	assert_int_equal(call.result, -ERESTARTSYS);
	end();
}

/* Threads, virtual clock */

static void test_a_thread_sleeps_in_virtual_time(void **state __unused)
{
	uint64_t now_us = START_US, sent_us;
	struct call call;

	host_clock_virtual(START_US);
	start();
	begin_call(&call, ROUNDS);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		const uint8_t number = (uint8_t)i;

		host_wait_for_sleepers(1);
		now_us += 10 * USEC_PER_SEC;
		host_clock_advance_to(now_us);
		datagram_arrives(&number, 1);
		if (i + 1 < ROUNDS)
			host_wait_for_sleepers(1);
		else
			pthread_join(call.thread, NULL);
		assert_int_equal(take_answer(&sent_us), number);
		assert_int_equal(sent_us, now_us);
	}
	assert_int_equal(call.result, 0);
	end();
}

static void test_a_timeout_in_virtual_time(void **state __unused)
{
	struct call call;

	host_clock_virtual(START_US);
	start();
	server->receive_timeout_us = 20 * USEC_PER_SEC;
	begin_call(&call, 1);
	host_wait_for_sleepers(1);
	assert_int_equal(host_stack_next(&stack), START_US + 20 * USEC_PER_SEC);
	host_clock_advance_to(host_stack_next(&stack));
	(void)host_stack_run(&stack);
	pthread_join(call.thread, NULL);
	assert_int_equal(call.result, -EAGAIN);
	assert_int_equal(call.ended_us, START_US + 20 * USEC_PER_SEC);
	end();
}

/* A thread may also sleep until a time, as nanosleep and poll do, without a stack. */
static void *sleep_for_a_minute(void *argument)
{
	struct semaphore *never = argument;

	assert_int_equal(sem_wait_until(never, START_US + 60 * USEC_PER_SEC), -ETIMEDOUT);
	return NULL;
}

static void test_whoever_moves_the_clock_wakes_sleepers(void **state __unused)
{
	struct semaphore never;
	pthread_t thread;

	host_clock_virtual(START_US);
	sem_init(&never, 0);
	assert_int_equal(host_next_deadline(), TIME_NEVER);
	pthread_create(&thread, NULL, sleep_for_a_minute, &never);
	host_wait_for_sleepers(1);
	assert_int_equal(host_next_deadline(), START_US + 60 * USEC_PER_SEC);
	host_clock_advance_to(START_US + 59 * USEC_PER_SEC);
	assert_int_equal(host_next_deadline(), START_US + 60 * USEC_PER_SEC);
	host_clock_advance_to(host_next_deadline());
	pthread_join(thread, NULL);
	assert_int_equal(host_next_deadline(), TIME_NEVER);
	sem_destroy(&never);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_thread_moves_the_world_on),
		cmocka_unit_test(test_a_thread_sleeps_until_the_frame_comes),
		cmocka_unit_test(test_the_pump_lets_a_timeout_expire),
		cmocka_unit_test(test_many_threads_and_a_pump),
		cmocka_unit_test(test_a_signal_wakes_a_sleeping_thread),
		cmocka_unit_test(test_a_thread_sleeps_in_virtual_time),
		cmocka_unit_test(test_a_timeout_in_virtual_time),
		cmocka_unit_test(test_whoever_moves_the_clock_wakes_sleepers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
