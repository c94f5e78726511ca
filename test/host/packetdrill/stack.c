/* The stack under test and its wire: all that needs the stack's own headers. */
#include "test/host/stack/stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/errno.h"
#include "kernel/event/event.h"
#include "kernel/event/poll.h"
#include "kernel/fs/fd_table.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/syscalls.h"
#include "net/core/socket.h"
#include "net/ipv4/ipv4.h"
#include "net/tcp/tcp.h"
#include "test/host/packetdrill/instance.h"
#include "test/host/services/host.h"

static struct host_stack stack;
static struct host_device wire;

bool stack_run(void)
{
	return host_stack_run(&stack);
}

uint64_t stack_next(void)
{
	return host_stack_next(&stack);
}

int stack_receive(const void *packet, size_t n)
{
	return n <= UINT16_MAX ? host_device_receive(&wire, packet, (uint32_t)n) : -EMSGSIZE;
}

int64_t stack_take(void *to, size_t room, uint64_t *time_us)
{
	struct host_frame *frame = host_device_take(&wire);
	int64_t result = -ENOBUFS;

	if (!frame)
		return 0;
	*time_us = frame->time_us;
	if (frame->length <= room) {
		memcpy(to, frame->bytes, frame->length);
		result = frame->length;
	}
	free(frame);
	return result;
}

static void check(int error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "libvitrine-packetdrill: %s: %s\n", what, strerror(-error));
	exit(EXIT_FAILURE);
}

static void register_calls(void)
{
	socket_syscalls_init();
	fd_syscalls_init();
	read_write_syscalls_init();
	poll_syscalls_init();
	epoll_syscalls_init();
	pipe_syscalls_init();
	splice_syscalls_init();
}

static void register_tunables(void)
{
	host_proc_reset();
	check(netdev_proc_init(&stack.net), "/proc/net/dev");
	check(ipv4_proc_init(&stack.net), "/proc/sys/net/ipv4");
	check(tcp_proc_init(&stack.net), "/proc/sys/net/ipv4/tcp_*");
}

void stack_start(const struct instance_flags *flags)
{
	const struct host_stack_options options = {.seed = flags->seed};
	const struct host_device_options device = {.bare_ip = true, .mtu = flags->mtu};

	register_calls();
	check(host_stack_create(&stack, &options), "the stack");
	check(host_device_add(&wire, &stack, &device), "mtu");
	check(host_device_set_address(&wire, flags->local, flags->prefix_length), "local");
	check(host_stack_set_gateway(&stack, flags->gateway), "gateway");
	host_set_current_net(&stack.net);
	register_tunables();
}

void stack_stop(void)
{
	struct host_leaks leaks = host_stack_destroy(&stack);

	host_set_current_net(NULL);
	if (host_leaks_any(&leaks))
		fprintf(stderr,
			"libvitrine-packetdrill: left: %llu packets, %llu sockets, %llu pieces\n",
			(unsigned long long)leaks.packets, (unsigned long long)leaks.sockets,
			(unsigned long long)leaks.allocations);
}
