/*
 * resolve: asks the name servers, as /etc/resolv.conf has them, about names and addresses.
 * The work is done by lib/dns.c.
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "userland/lib/argument.h"
#include "userland/lib/dns.h"
#include "userland/lib/ip_option.h"

static const char usage[] =
	"usage: resolve [options] NAME|ADDRESS...\n"
	"Prints one line for each record: its owner, type and value.\n"
	"  -t TYPE     A, AAAA, CNAME or PTR (A, or PTR for an address)\n"
	"  -s SERVER   ask this server, not those of /etc/resolv.conf\n"
	"  -p PORT     the server's port (53)\n"
	"  -v          tell who answered, and how long each record is good\n"
	"  --help      print this text\n"
	"Status: 0 if all were found, 1 if not, 2 for a mistake in the options.\n";

struct options {
	enum dns_type type; /* 0: by what the argument looks like */
	uint32_t server;    /* 0: resolv.conf's */
	uint16_t port;
	bool verbose;
};

static const struct {
	const char *name;
	enum dns_type type;
} types[] = {
	{"A", DNS_A},
	{"AAAA", DNS_AAAA},
	{"CNAME", DNS_CNAME},
	{"PTR", DNS_PTR},
};

enum { TYPE_COUNT = sizeof(types) / sizeof(types[0]) };

static bool parse_type(const char *text, enum dns_type *type)
{
	for (unsigned i = 0; i < TYPE_COUNT; i++) {
		if (strcasecmp(text, types[i].name) != 0)
			continue;
		*type = types[i].type;
		return true;
	}
	return false;
}

static const char *type_name(unsigned type)
{
	for (unsigned i = 0; i < TYPE_COUNT; i++)
		if (types[i].type == type)
			return types[i].name;
	return "?";
}

static void print_record(const struct dns_record *record, bool verbose)
{
	char owner[DNS_MAX_TEXT], value[DNS_MAX_TEXT];

	dns_name_to_text(&record->owner, owner);
	if (record->type == DNS_A)
		inet_ntop(AF_INET, record->address, value, sizeof(value));
	else if (record->type == DNS_AAAA)
		inet_ntop(AF_INET6, record->address, value, sizeof(value));
	else
		dns_name_to_text(&record->target, value);
	printf("%s %s %s", owner, type_name(record->type), value);
	if (verbose)
		printf(" ttl %u", record->ttl);
	putchar('\n');
}

static void print_source(const struct dns *dns)
{
	struct in_addr server = {.s_addr = htonl(dns->answered_by)};

	if (dns->answered_by == 0)
		printf("; from /etc/hosts\n");
	else
		printf("; from server %s\n", inet_ntoa(server));
}

/* An address is looked up under its reverse name unless a type was asked for. */
static enum dns_result look_up(struct dns *dns, const char *argument, enum dns_type type,
			       struct dns_answer *answer)
{
	uint8_t address[16];
	struct dns_name reverse;
	size_t length = 0;

	dns_answer_begin(answer, &(struct dns_name){.length = 1});
	if (inet_pton(AF_INET, argument, address) == 1)
		length = 4;
	else if (inet_pton(AF_INET6, argument, address) == 1)
		length = 16;
	if (length == 0 || (type != 0 && type != DNS_PTR))
		return dns_lookup(dns, argument, type ? type : DNS_A, answer);
	dns_reverse_name(address, length, &reverse);
	return dns_lookup_name(dns, &reverse, DNS_PTR, answer);
}

static bool resolve(struct dns *dns, const char *argument, const struct options *options)
{
	struct dns_answer answer;
	enum dns_result result = look_up(dns, argument, options->type, &answer);

	for (unsigned i = 0; i < answer.count; i++)
		print_record(&answer.records[i], options->verbose);
	if (answer.truncated)
		printf("; truncated: there are more records than fit\n");
	if (options->verbose &&
	    (result == DNS_FOUND || result == DNS_NO_NAME || result == DNS_NO_DATA))
		print_source(dns);
	fflush(stdout);
	if (result == DNS_FOUND)
		return true;
	fprintf(stderr, "resolve: %s: %s\n", argument, dns_result_text(result));
	return false;
}

static bool parse_option(int option, const char *argument, struct options *options)
{
	unsigned long port;

	switch (option) {
	case 't':
		return parse_type(argument, &options->type);
	case 's':
		return ip_address_parse(argument, &options->server);
	case 'p':
		if (!argument_number(argument, 1, 65535, &port))
			return false;
		options->port = (uint16_t)port;
		return true;
	case 'v':
		options->verbose = true;
		return true;
	default:
		return false;
	}
}

static void parse_options(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {{"help", no_argument, NULL, 'h'}, {0}};
	int option;

	while ((option = getopt_long(argc, argv, "t:s:p:vh", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (option == '?')
			argument_wrong("resolve", NULL, NULL);
		if (!parse_option(option, optarg, options))
			argument_wrong("resolve", "bad value", optarg);
	}
	if (optind == argc)
		argument_wrong("resolve", "no NAME", NULL);
}

int main(int argc, char **argv)
{
	static struct dns dns;
	struct options options = {.port = DNS_PORT};
	int status = 0;

	parse_options(argc, argv, &options);
	dns_init(&dns);
	if (options.server != 0) {
		dns.config.servers[0] = options.server;
		dns.config.server_count = 1;
	}
	dns.config.port = options.port;
	for (int i = optind; i < argc; i++)
		if (!resolve(&dns, argv[i], &options))
			status = 1;
	return status;
}
