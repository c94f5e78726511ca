/*
 * resolver: the name server of this machine. Programs find it at 127.0.0.1 by /etc/resolv.conf; it
 * asks the servers that DHCP or `ip=` gave. The work is done by lib/resolver/.
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userland/lib/argument.h"
#include "userland/lib/ip_option.h"
#include "userland/lib/netconfig.h"
#include "userland/lib/resolver/resolver.h"
#include "userland/lib/stop.h"

#define HOSTS "/etc/hosts"

static const char usage[] =
	"usage: resolver [options]\n"
	"Answers questions for names over UDP and TCP: from " HOSTS ", from what it was told\n"
	"before, and by asking the name servers.\n"
	"  --listen ADDRESS  where to answer (127.0.0.1)\n"
	"  --port PORT       (53)\n"
	"  --servers FILE    name servers, as in resolv.conf (" NETCONFIG_SERVERS ");\n"
	"                    read again when it changes\n"
	"  --hosts FILE      names known without a server (" HOSTS ")\n"
	"  --ready-fd FD     close this file descriptor when it can be asked\n"
	"  --help            print this text\n"
	"SIGUSR1 prints statistics. SIGTERM ends it.\n";

struct options {
	uint32_t address;
	uint16_t port;
	const char *servers, *hosts;
	int ready_fd; /* -1: none */
};

static volatile sig_atomic_t statistics_wanted;

static void on_statistics(int number)
{
	(void)number;
	statistics_wanted = 1;
}

/* Let in only while the program waits, as those that end it (lib/stop.h). */
static void print_statistics_on_signal(void)
{
	struct sigaction action = {.sa_handler = on_statistics};
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	sigaction(SIGUSR1, &action, NULL);
}

static bool parse_option(int option, const char *argument, struct options *options)
{
	unsigned long number;

	switch (option) {
	case 'l':
		/* Replies must come from the address that was asked, so it is one. */
		return ip_address_parse(argument, &options->address) && options->address != 0;
	case 'p':
		if (!argument_number(argument, 1, 65535, &number))
			return false;
		options->port = (uint16_t)number;
		return true;
	case 's':
		options->servers = argument;
		return true;
	case 'o':
		options->hosts = argument;
		return true;
	case 'e':
		if (!argument_number(argument, 3, 1023, &number))
			return false;
		options->ready_fd = (int)number;
		return true;
	default:
		return false;
	}
}

static void parse_options(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{"listen", required_argument, NULL, 'l'},
		{"port", required_argument, NULL, 'p'},
		{"servers", required_argument, NULL, 's'},
		{"hosts", required_argument, NULL, 'o'},
		{"ready-fd", required_argument, NULL, 'e'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (option == '?')
			argument_wrong("resolver", NULL, NULL);
		if (!parse_option(option, optarg, options))
			argument_wrong("resolver", "bad value", optarg);
	}
	if (optind < argc)
		argument_wrong("resolver", "what is this", argv[optind]);
}

int main(int argc, char **argv)
{
	static struct resolver resolver;
	struct options options = {
		.address = INADDR_LOOPBACK,
		.port = DNS_PORT,
		.servers = NETCONFIG_SERVERS,
		.hosts = HOSTS,
		.ready_fd = -1,
	};

	parse_options(argc, argv, &options);
	resolver.hosts_path = options.hosts;
	resolver.servers.path = options.servers;
	if (!resolver_open(&resolver, options.address, options.port)) {
		fprintf(stderr, "resolver: port %u: %s\n", options.port, strerror(errno));
		return 1;
	}
	stop_on_signals();
	print_statistics_on_signal();
	if (options.ready_fd >= 0)
		close(options.ready_fd);
	while (!stop_requested()) {
		resolver_step(&resolver);
		if (statistics_wanted) {
			statistics_wanted = 0;
			resolver_print_statistics(&resolver, stderr);
		}
	}
	return 0;
}
