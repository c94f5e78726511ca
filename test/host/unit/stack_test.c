/* The stack as a library: its making, its devices, what it says about leaks. */
#include <stdlib.h>
#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "net/ethernet/ethernet.h"
#include "test/host/unit/ip4_fixture.h"

#define START_US (5 * USEC_PER_SEC)

static struct host_stack stack;
static struct host_device device;

static void start(const struct host_device_options *options)
{
	const struct host_stack_options stack_options = {.seed = 1};

	host_clock_virtual(START_US);
	assert_int_equal(host_stack_create(&stack, &stack_options), 0);
	assert_int_equal(host_device_add(&device, &stack, options), 0);
	assert_int_equal(host_device_set_address(&device, OURS, 24), 0);
}

static void end(void)
{
	struct host_leaks leaks = host_stack_destroy(&stack);

	assert_false(host_leaks_any(&leaks));
}

static void run(void)
{
	while (host_stack_run(&stack))
		;
}

static void drop_sent(void)
{
	struct host_frame *frame;

	while ((frame = host_device_take(&device)))
		free(frame);
}

static void test_a_stack_comes_and_goes(void **state __unused)
{
	const struct host_device_options options = {.mtu = 9000};

	start(&options);
	assert_string_equal(device.dev.name, "eth0");
	assert_int_equal(device.dev.mtu, 9000);
	assert_int_equal(device.dev.mac.bytes[5], device.dev.ifindex);
	end();
}

static void test_every_failed_allocation_is_survived(void **state __unused)
{
	const struct host_stack_options options = {.seed = 1};
	uint64_t before = host_allocations_live();
	uint64_t nth = 0;
	int error;

	host_clock_virtual(START_US);
	do {
		host_fail_allocation(++nth);
		error = host_stack_create(&stack, &options);
		host_fail_allocation(0);
		if (error)
			assert_int_equal(host_allocations_live(), before);
	} while (error == -ENOMEM);
	assert_int_equal(error, 0);
	assert_true(nth > 5);
	end();
}

static void test_leaks_are_told(void **state __unused)
{
	const struct host_device_options options = {.bare_ip = true};
	uint64_t before = host_allocations_live();

	start(&options);
	struct sk_buff *forgotten = skb_alloc(&stack.net, 100);
	struct host_leaks leaks = host_stack_destroy(&stack);

	assert_int_equal(leaks.packets, 1);
	assert_int_equal(leaks.sockets, 0);
	assert_true(leaks.allocations > 0);
	skb_free(forgotten);
	assert_int_equal(host_allocations_live(), before);
}

/* The frame that was sent must be the answer to an echo request. */
static void assert_echo_reply(const struct host_frame *frame, size_t link_header)
{
	struct ip4_header header;

	assert_non_null(frame);
	size_t n = frame->length - link_header;

	assert_int_equal(ip4_parse(frame->bytes + link_header, n, n, &header), 0);
	assert_int_equal(header.destination, PEER);
	assert_int_equal(frame->bytes[link_header + header.header_length], ICMP_ECHOREPLY);
}

static void test_bare_ip_packets(void **state __unused)
{
	const struct host_device_options options = {.bare_ip = true};
	uint8_t packet[200];
	size_t n = echo_packet(packet, 1, "hello", 5);

	start(&options);
	assert_string_equal(device.dev.name, "ip0");
	assert_null(host_device_take(&device)); /* nothing is announced where nobody is */
	host_clock_advance_to(START_US + 77);
	assert_int_equal(host_device_receive(&device, packet, (uint32_t)n), 0);
	run();
	struct host_frame *frame = host_device_take(&device);

	assert_echo_reply(frame, 0);
	assert_int_equal(frame->length, n);
	assert_int_equal(frame->time_us, START_US + 77);
	assert_null(host_device_take(&device));
	free(frame);

	assert_int_equal(host_device_receive(&device, packet, 0), 0);
	assert_int_equal(stack.net.drops[DROP_IP4_SHORT], 1);
	packet[0] = 0x60; /* version 6: nobody takes it yet */
	assert_int_equal(host_device_receive(&device, packet, (uint32_t)n), 0);
	assert_int_equal(stack.net.drops[DROP_ETH_UNKNOWN_TYPE], 1);
	end();
}

static void test_frames_are_queued_until_taken(void **state __unused)
{
	const struct host_device_options options = {.mac = FIXTURE_MAC};
	uint8_t frame[200];
	size_t n = echo_packet(frame + ETHERNET_HEADER_LENGTH, 1, "hello", 5);

	memcpy(frame, FIXTURE_MAC.bytes, MAC_LENGTH);
	memcpy(frame + MAC_LENGTH, FIXTURE_PEER.bytes, MAC_LENGTH);
	put_be16(frame + 2 * MAC_LENGTH, ETHERTYPE_IP4);
	start(&options);
	drop_sent();
	assert_int_equal(
		host_device_receive(&device, frame, (uint32_t)(ETHERNET_HEADER_LENGTH + n)), 0);
	/* It has to ask who 10.0.0.2 is; frames that nobody takes go with the device. */
	struct host_frame *question = host_device_take(&device);

	assert_non_null(question);
	assert_int_equal(get_be16(question->bytes + 2 * MAC_LENGTH), ETHERTYPE_ARP);
	free(question);
	host_clock_advance_to(host_stack_next(&stack));
	run();
	end();
}

struct counter {
	uint32_t frames, bytes;
};

static void count_frame(void *context, const uint8_t *bytes __unused, uint32_t length)
{
	struct counter *counter = context;

	counter->frames++;
	counter->bytes += length;
}

static void test_a_callback_takes_frames(void **state __unused)
{
	struct counter counter = {0};
	const struct host_device_options options = {
		.bare_ip = true, .transmit = count_frame, .context = &counter};
	uint8_t packet[200];
	size_t n = echo_packet(packet, 1, "hello", 5);

	start(&options);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(host_device_receive(&device, packet, (uint32_t)n), 0);
	assert_int_equal(counter.frames, 3);
	assert_int_equal(counter.bytes, 3 * n);
	assert_null(host_device_take(&device));
	end();
}

static void test_the_seed_decides_the_random_numbers(void **state __unused)
{
	uint64_t numbers[3];

	host_clock_virtual(START_US);
	for (uint32_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const struct host_stack_options options = {.seed = i / 2};

		assert_int_equal(host_stack_create(&stack, &options), 0);
		net_random_bytes(&stack.net, &numbers[i], sizeof(numbers[i]));
		end();
	}
	assert_int_equal(numbers[0], numbers[1]);
	assert_int_not_equal(numbers[0], numbers[2]);
}

static void test_it_says_when_it_has_something_to_do(void **state __unused)
{
	const struct host_device_options options = {.bare_ip = true};
	struct socket *socket;

	start(&options);
	assert_int_equal(host_stack_next(&stack), TIME_NEVER);
	assert_int_equal(socket_create(&stack.net, AF_INET, SOCK_DGRAM, 0, &socket), 0);
	assert_int_equal(do_send(socket, IP4_LOOPBACK, 9, "x", 1), 1);
	assert_int_equal(host_stack_next(&stack), START_US);
	run();
	assert_int_equal(host_stack_next(&stack), TIME_NEVER);
	socket_close(socket);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_stack_comes_and_goes),
		cmocka_unit_test(test_every_failed_allocation_is_survived),
		cmocka_unit_test(test_leaks_are_told),
		cmocka_unit_test(test_bare_ip_packets),
		cmocka_unit_test(test_frames_are_queued_until_taken),
		cmocka_unit_test(test_a_callback_takes_frames),
		cmocka_unit_test(test_the_seed_decides_the_random_numbers),
		cmocka_unit_test(test_it_says_when_it_has_something_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
