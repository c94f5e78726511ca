/*
 * The smallest program on libvitrine.a: two stacks, a wire between them, one datagram, and a clock
 * that moves by itself. docs/host.md walks through it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernel/clock.h"
#include "net/core/socket.h"
#include "net/ipv4/inet_socket.h"
#include "test/host/services/host.h"
#include "test/host/stack/stack.h"

#define ADDRESS_A IP4(10, 0, 0, 1)
#define ADDRESS_B IP4(10, 0, 0, 2)
#define PORT 7
#define WIRE_DELAY_US 250

struct host {
	struct host_stack stack;
	struct host_device eth0;
	struct socket *socket;
};

static struct host a, b;

static void check(int64_t result)
{
	if (result >= 0)
		return;
	fprintf(stderr, "example: error %d\n", (int)-result);
	exit(1);
}

static struct sockaddr_storage name_of(ip4_t address, uint32_t *length)
{
	const struct endpoint endpoint = {.addr = net_addr_ip4(address), .port = PORT};
	struct sockaddr_storage name;

	inet_write_name(&endpoint, &name, length);
	return name;
}

/* A host with an address, and a UDP socket bound to PORT. */
static void start(struct host *host, ip4_t address, uint64_t seed)
{
	const struct host_stack_options stack_options = {.seed = seed};
	const struct host_device_options device_options = {
		.mac = {{2, 0, 0, 0, 0, (uint8_t)seed}}}; /* frames wait to be taken */
	uint32_t length;
	const struct sockaddr_storage name = name_of(address, &length);

	check(host_stack_create(&host->stack, &stack_options));
	check(host_device_add(&host->eth0, &host->stack, &device_options));
	check(host_device_set_address(&host->eth0, address, 24));
	check(socket_create(&host->stack.net, AF_INET, SOCK_DGRAM, 0, &host->socket));
	check(socket_bind(host->socket, &name, length));
}

static void stop(struct host *host)
{
	socket_close(host->socket);
	const struct host_leaks leaks = host_stack_destroy(&host->stack);

	if (host_leaks_any(&leaks))
		fprintf(stderr, "example: something was left behind\n");
}

static bool run_if_due(struct host *host)
{
	if (host_stack_next(&host->stack) > clock_now_us())
		return false;
	(void)host_stack_run(&host->stack);
	return true;
}

/* Carries one frame over the wire. */
static bool carry(struct host *from, struct host *to)
{
	struct host_frame *frame = host_device_take(&from->eth0);

	if (!frame)
		return false;
	host_clock_advance_to(clock_now_us() + WIRE_DELAY_US);
	printf("%llu us: a frame of %u bytes\n", (unsigned long long)clock_now_us(), frame->length);
	check(host_device_receive(&to->eth0, frame->bytes, frame->length));
	free(frame);
	return true;
}

/*
 * Instead of sleeping, a socket call lets the world go on by one event: work that waits, a frame
 * on the wire, or the next timer. False: nothing is left to happen before `deadline_us`.
 */
static bool go_on(void *context __unused, uint64_t deadline_us)
{
	if (run_if_due(&a) || run_if_due(&b) || carry(&a, &b) || carry(&b, &a))
		return true;
	uint64_t next_us = MIN(host_stack_next(&a.stack), host_stack_next(&b.stack));

	if (next_us == TIME_NEVER || next_us > deadline_us)
		return false;
	host_clock_advance_to(next_us);
	return true;
}

int main(void)
{
	struct message question = {0}, arrived = {0};
	char text[32] = "";

	host_clock_virtual(0);
	host_on_sleep(go_on, NULL);
	start(&a, ADDRESS_A, 1);
	start(&b, ADDRESS_B, 2);

	question.name = name_of(ADDRESS_B, &question.name_length);
	iov_init_kernel(&question.iov, "hello", 5);
	check(socket_sendmsg(a.socket, &question));
	iov_init_kernel(&arrived.iov, text, sizeof(text) - 1);
	check(socket_recvmsg(b.socket, &arrived)); /* would sleep: the world goes on */
	printf("%llu us: b received '%s'\n", (unsigned long long)clock_now_us(), text);

	stop(&a);
	stop(&b);
	return 0;
}
