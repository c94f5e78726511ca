/*
 * dhcpc: keeps an interface configured by DHCP.
 *
 * This file is the outside of the client: sockets, the clock and the interface. What to say and
 * when is in lib/dhcp_client.c, what it looks like on the wire in lib/dhcp_wire.c.
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userland/lib/argument.h"
#include "userland/lib/arp_socket.h"
#include "userland/lib/clock.h"
#include "userland/lib/dhcp_client.h"
#include "userland/lib/ip_option.h"
#include "userland/lib/log.h"
#include "userland/lib/netconfig.h"
#include "userland/lib/netif.h"
#include "userland/lib/stop.h"

/* In a flood, no more than so many messages are read before the timers get their turn. */
enum { MESSAGES_AT_ONCE = 64 };

struct options {
	const char *interface;
	const char *hostname;
	uint32_t wanted;
	bool foreground, quit, release;
	unsigned patience; /* seconds; 0: wait for ever */
	bool has_fallback;
	struct netconfig fallback;
	int ready_fd; /* closed when the interface is configured; -1: none */
};

struct program {
	struct options options;
	struct dhcp_client client;
	int dhcp_socket;
	int arp_socket; /* -1 unless an address is being checked */
	int interface_index;
	uint8_t hardware[6];
	bool configured;         /* by a lease or by the fallback */
	struct netconfig config; /* while configured */
	uint64_t give_up;        /* when patience ends, or CLOCK_NEVER */
	int exit_status;         /* -1: go on */
};

static const char usage[] =
	"usage: dhcpc -i INTERFACE [options]\n"
	"Configures an interface by DHCP and keeps it configured.\n"
	"  -f            stay in the foreground (else: until the interface is configured)\n"
	"  -q            quit when there is a lease, and leave it as it is\n"
	"  -r ADDRESS    ask for this address\n"
	"  -H NAME       tell the server this host name\n"
	"  -t SECONDS    without a lease by then, use the fallback and go on trying;\n"
	"                without a fallback, give up\n"
	"  --fallback ADDRESS/LEN[,GATEWAY[,DNS]]\n"
	"  -R            when ended by SIGTERM or Ctrl-C, give the lease back\n"
	"  --ready-fd FD close this file descriptor when the interface is configured\n"
	"  --help        print this text\n";

__attribute__((noreturn)) static void fail(const char *interface, const char *what)
{
	fprintf(stderr, "dhcpc: %s: %s: %s\n", interface, what, strerror(errno));
	exit(1);
}

/* ---- What the state machine asks for ---- */

static void send_message(void *context, uint32_t destination, const uint8_t *message, size_t length)
{
	struct program *program = context;
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(DHCP_SERVER_PORT),
		.sin_addr.s_addr = htonl(destination),
	};

	/* A message that cannot be sent is like one that is lost: it will be sent again. */
	(void)sendto(program->dhcp_socket, message, length, 0, (struct sockaddr *)&address,
		     sizeof(address));
}

static void send_probe(void *context, uint32_t address)
{
	struct program *program = context;

	if (program->arp_socket < 0)
		program->arp_socket = arp_socket_open(program->interface_index);
	arp_socket_probe(program->arp_socket, program->interface_index, program->hardware, address);
}

/* The interface is configured, or nothing helps: whoever waits for that may go on. */
static void tell_ready(struct program *program)
{
	if (program->options.ready_fd >= 0)
		close(program->options.ready_fd);
	program->options.ready_fd = -1;
	program->give_up = CLOCK_NEVER;
	if (!program->options.foreground && !program->options.quit && daemon(0, 0) == 0)
		program->options.foreground = true;
}

static void use_config(struct program *program, const struct netconfig *config)
{
	const struct netconfig *old = program->configured ? &program->config : NULL;

	if (!netconfig_apply(program->options.interface, config, old))
		return;
	program->config = *config;
	program->configured = true;
	tell_ready(program);
}

static void apply_lease(void *context, const struct dhcp_reply *lease)
{
	struct program *program = context;
	struct netconfig config;

	memset(&config, 0, sizeof(config));
	config.address = lease->address;
	config.netmask = lease->netmask;
	config.broadcast = lease->broadcast;
	config.mtu = lease->mtu;
	for (unsigned i = 0; i < lease->route_count && i < NETCONFIG_ROUTES_MAX; i++) {
		config.routes[i].destination = lease->routes[i].destination;
		config.routes[i].prefix_length = lease->routes[i].prefix_length;
		config.routes[i].gateway = lease->routes[i].gateway;
		config.route_count++;
	}
	for (unsigned i = 0; i < lease->dns_count && i < NETCONFIG_DNS_MAX; i++)
		config.dns[config.dns_count++] = lease->dns[i];
	strncpy(config.domain, lease->domain, sizeof(config.domain) - 1);
	config.origin = "dhcp";
	use_config(program, &config);
	if (program->options.quit)
		program->exit_status = 0;
}

static void remove_lease(void *context)
{
	struct program *program = context;

	if (!program->configured)
		return;
	program->configured = false;
	netconfig_remove(program->options.interface, &program->config,
			 stop_requested() ? "released" : "the lease has ended");
}

static uint32_t random_number(void *context)
{
	uint32_t number = 0;

	(void)context;
	(void)!getrandom(&number, sizeof(number), 0);
	return number;
}

static const struct dhcp_client_ops client_ops = {
	.send = send_message,
	.probe = send_probe,
	.apply = apply_lease,
	.remove = remove_lease,
	.random = random_number,
};

/* ---- The loop ---- */

/*
 * Before there is an address, the server's answers are broadcast to port 68; bound to the
 * interface, an ordinary UDP socket sends from 0.0.0.0 and hears them.
 */
static int open_dhcp_socket(const char *interface)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(DHCP_CLIENT_PORT),
	};
	int yes = 1;
	int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (socket_fd < 0)
		fail(interface, "socket");
	if (setsockopt(socket_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
	    setsockopt(socket_fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes)) < 0 ||
	    setsockopt(socket_fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
		       (socklen_t)strlen(interface) + 1) < 0)
		fail(interface, "setsockopt");
	if (bind(socket_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail(interface, "bind to port 68");
	return socket_fd;
}

static void receive_messages(struct program *program)
{
	uint8_t message[DHCP_REPLY_MAX];

	for (unsigned i = 0; i < MESSAGES_AT_ONCE; i++) {
		ssize_t length = recv(program->dhcp_socket, message, sizeof(message), 0);

		if (length < 0)
			return;
		dhcp_client_receive(&program->client, clock_now(), message, (size_t)length);
	}
}

static void receive_arp(struct program *program)
{
	uint32_t address = program->client.offer.address;

	if (!arp_socket_conflict(program->arp_socket, program->hardware, address))
		return;
	log_line("net: %s: %u.%u.%u.%u belongs to another machine, declined",
		 program->options.interface, address >> 24, address >> 16 & 255, address >> 8 & 255,
		 address & 255);
	dhcp_client_conflict(&program->client, clock_now(), address);
	/* There is a server, so patience begins anew when it may be asked again. */
	if (program->give_up != CLOCK_NEVER)
		program->give_up = program->client.deadline +
				   program->options.patience * CLOCK_SECOND;
}

static void out_of_patience(struct program *program)
{
	program->give_up = CLOCK_NEVER;
	if (program->options.has_fallback) {
		use_config(program, &program->options.fallback);
		tell_ready(program);
		return;
	}
	fprintf(stderr, "dhcpc: %s: no lease within %u s\n", program->options.interface,
		program->options.patience);
	program->exit_status = 1;
}

static void step(struct program *program)
{
	struct pollfd wait[2] = {
		{.fd = program->dhcp_socket, .events = POLLIN},
		{.fd = program->arp_socket, .events = POLLIN},
	};
	uint64_t deadline = program->client.deadline;

	if (program->give_up < deadline)
		deadline = program->give_up;
	if (stop_poll(wait, 2, deadline) > 0) {
		if (wait[1].revents)
			receive_arp(program);
		if (wait[0].revents)
			receive_messages(program);
	}
	dhcp_client_tick(&program->client, clock_now());
	if (clock_now() >= program->give_up)
		out_of_patience(program);

	/* Every ARP packet of the network would wake us: listen only while it matters. */
	if (program->arp_socket >= 0 && program->client.state != DHCP_CHECKING) {
		close(program->arp_socket);
		program->arp_socket = -1;
	}
}

static int run(struct program *program)
{
	struct options *options = &program->options;

	stop_on_signals();
	dhcp_client_init(&program->client, program->hardware, &client_ops, program);
	program->client.hostname = options->hostname;
	program->client.wanted = options->wanted;
	dhcp_client_start(&program->client, clock_now());
	if (options->patience != 0)
		program->give_up = clock_now() + options->patience * CLOCK_SECOND;
	while (program->exit_status < 0 && !stop_requested())
		step(program);
	if (stop_requested() && options->release)
		dhcp_client_release(&program->client, clock_now());
	return program->exit_status < 0 ? 0 : program->exit_status;
}

/* ---- Options ---- */

/* ADDRESS/LEN[,GATEWAY[,DNS]] */
static bool parse_fallback(const char *argument, struct options *options)
{
	struct netconfig *fallback = &options->fallback;
	char text[64];
	char *gateway, *dns, *length;
	uint32_t gateway_address = 0;
	unsigned long bits;

	if (strlen(argument) >= sizeof(text))
		return false;
	strcpy(text, argument);
	dns = text;
	length = strsep(&dns, ",");
	gateway = strsep(&dns, ",");
	strsep(&length, "/");
	if (!length || !argument_number(length, 1, 32, &bits) ||
	    !ip_address_parse(text, &fallback->address))
		return false;
	if (gateway && !ip_address_parse(gateway, &gateway_address))
		return false;
	if (dns && !ip_address_parse(dns, &fallback->dns[fallback->dns_count++]))
		return false;
	fallback->netmask = 0xffffffffu << (32 - bits);
	fallback->broadcast = fallback->address | ~fallback->netmask;
	fallback->origin = "fallback";
	netconfig_add_gateway(fallback, gateway_address);
	options->has_fallback = true;
	return true;
}

static bool parse_option(int option, const char *argument, struct options *options)
{
	unsigned long number;

	switch (option) {
	case 'i':
		options->interface = argument;
		return strlen(argument) < IFNAMSIZ;
	case 'H':
		options->hostname = argument;
		return true;
	case 'r':
		return ip_address_parse(argument, &options->wanted);
	case 't':
		if (!argument_number(argument, 1, 86400, &number))
			return false;
		options->patience = (unsigned)number;
		return true;
	case 'F':
		return parse_fallback(argument, options);
	case 'e':
		if (!argument_number(argument, 3, 1023, &number))
			return false;
		options->ready_fd = (int)number;
		return true;
	case 'f':
		options->foreground = true;
		return true;
	case 'q':
		options->quit = true;
		return true;
	case 'R':
		options->release = true;
		return true;
	default:
		return false;
	}
}

static void parse_options(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{"fallback", required_argument, NULL, 'F'},
		{"ready-fd", required_argument, NULL, 'e'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	options->ready_fd = -1;
	while ((option = getopt_long(argc, argv, "i:fqr:H:t:Rh", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (option == '?')
			argument_wrong("dhcpc", NULL, NULL);
		if (!parse_option(option, optarg, options))
			argument_wrong("dhcpc", "bad value", optarg);
	}
	if (optind < argc)
		argument_wrong("dhcpc", "one too many", argv[optind]);
	if (!options->interface)
		argument_wrong("dhcpc", "no -i INTERFACE", NULL);
}

int main(int argc, char **argv)
{
	static struct program program = {
		.arp_socket = -1,
		.give_up = CLOCK_NEVER,
		.exit_status = -1,
	};
	const char *interface;
	int error;

	parse_options(argc, argv, &program.options);
	interface = program.options.interface;
	program.interface_index = netif_index(interface);
	error = program.interface_index < 0 ? program.interface_index
					    : netif_hardware(interface, program.hardware);
	if (!error)
		error = netif_set_up(interface, true);
	if (error) {
		errno = -error;
		fail(interface, "interface");
	}
	program.dhcp_socket = open_dhcp_socket(interface);
	return run(&program);
}
