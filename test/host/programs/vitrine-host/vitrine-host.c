/*
 * vitrine-host: the stack as a program of this machine, on a TAP.
 *
 *	arguments       the command line
 *	stack           the stack, the virtio-net driver, and the device model on the TAP
 *	loop            the one place where the program sleeps
 *	server          turns for those sockets of the stack that something happened to
 *	services        what is served: datagrams; streams has the connections
 *	dhcp            asks for an address
 *	interface       addresses and routes
 *	report          the last words
 *
 * One thread does everything, so a debugger sees a packet's whole way from the TAP to the service
 * and back on one stack of calls: `break ip4_receive`.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test/host/programs/vitrine-host/arguments.h"
#include "test/host/programs/vitrine-host/dhcp.h"
#include "test/host/programs/vitrine-host/interface.h"
#include "test/host/programs/vitrine-host/loop.h"
#include "test/host/programs/vitrine-host/report.h"
#include "test/host/programs/vitrine-host/server.h"
#include "test/host/programs/vitrine-host/stack.h"
#include "test/host/simulator/pcap.h"
#include "test/host/tap/tap.h"

struct program {
	struct arguments arguments;
	struct stack stack;
	struct server server;
	struct dhcp dhcp; /* with arguments.dhcp */
	struct loop loop;
	int tap;
	FILE *pcap;
};

/* Everything that could be refused is asked for before the stack is made. 0 or 1. */
static int open_files(struct program *program, struct tap_device_options *options)
{
	const struct arguments *arguments = &program->arguments;
	int mtu;

	program->tap = tap_open(arguments->tap, true);
	if (program->tap < 0)
		return 1;
	mtu = tap_mtu(arguments->tap);
	if (mtu < 0)
		return 1;
	options->offload = arguments->offload;
	options->mtu = (uint16_t)MIN(mtu, UINT16_MAX);
	memcpy(options->mac, arguments->mac.bytes, MAC_LENGTH);
	if (!arguments->pcap)
		return 0;
	program->pcap = pcap_open(arguments->pcap);
	if (program->pcap)
		return 0;
	fprintf(stderr, "vitrine-host: --pcap '%s': %s\n", arguments->pcap, strerror(errno));
	return 1;
}

static int configure(struct program *program)
{
	struct net_device *eth0 = program->stack.eth0;

	if (program->arguments.dhcp)
		return dhcp_start(&program->dhcp, eth0, &program->server);
	return interface_apply(eth0, &program->arguments.address, NULL);
}

/* What is to be done now. True when there is more at once. */
static bool work(struct program *program)
{
	bool more = host_stack_run(&program->stack.host);

	more |= server_run(&program->server);
	if (program->arguments.dhcp)
		dhcp_tick(&program->dhcp);
	return more;
}

static uint64_t next_deadline(struct program *program)
{
	uint64_t deadline_us = host_stack_next(&program->stack.host);

	return program->arguments.dhcp ? MIN(deadline_us, dhcp_deadline(&program->dhcp))
				       : deadline_us;
}

/* Until a signal comes (0) or the TAP is taken away (1). */
static int run(struct program *program)
{
	struct tap_device *device = &program->stack.device;

	while (!loop_stopped()) {
		bool more = work(program);
		uint64_t deadline_us = more ? 0 : next_deadline(program);
		uint32_t events = loop_wait(&program->loop, tap_device_interests(device),
					    deadline_us);

		if (events)
			tap_device_ready(device, events);
		if (device->gone) {
			fprintf(stderr, "TAP %s: it was deleted\n", program->arguments.tap);
			return 1;
		}
	}
	return 0;
}

static int start_and_run(struct program *program)
{
	if (services_start(&program->server, program->arguments.services))
		return 1;
	if (configure(program))
		return 1;
	int status = run(program);

	if (program->arguments.dhcp)
		dhcp_stop(&program->dhcp);
	return status;
}

int main(int argc, char **argv)
{
	static struct program program;
	struct tap_device_options options;

	setvbuf(stdout, NULL, _IOLBF, 0); /* whoever reads a pipe wants whole lines, now */
	arguments_parse(argc, argv, &program.arguments);
	if (open_files(&program, &options))
		return 1;
	loop_init(&program.loop, program.tap);
	if (stack_start(&program.stack, program.tap, &options, program.pcap))
		return 1;
	server_init(&program.server, &program.stack.host.net);
	int status = start_and_run(&program);

	server_remove_all(&program.server);
	report_counters(&program.stack);

	struct host_leaks leaks = stack_stop(&program.stack);

	if (!report_leftovers(&program.stack, &leaks))
		status = 1;
	if (program.pcap)
		fclose(program.pcap);
	close(program.tap);
	return status;
}
