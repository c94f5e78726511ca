/* The command line; see arguments.h. */
#include "test/host/programs/vitrine-host/arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "userland/lib/argument.h"
#include "userland/lib/ip_option.h"

static const char usage[] =
	"Usage: vitrine-host --tap IFNAME [OPTION]...\n"
	"Vitrine's TCP/IP stack as a program: the virtio-net driver on a device model whose\n"
	"wire is a TAP interface. Ends with SIGINT or SIGTERM, prints its counters, and has the\n"
	"status 0 when no packet, socket or memory was left behind.\n"
	"\n"
	"  --tap IFNAME     an interface made with 'ip tuntap add dev IFNAME mode tap'\n"
	"  --mac MAC        the stack's Ethernet address (default: a random local one)\n"
	"  --ip ADDRESS/LENGTH[,GATEWAY]\n"
	"                   a static address, and the default route\n"
	"  --ip dhcp        ask for one; this is the default\n"
	"  --service NAME[,NAME]...\n"
	"                   what to serve, or none (default: echo,discard):\n"
	"%s"
	"  --offload on|off whether the device does checksums, segmentation and the merging of\n"
	"                   receive buffers, or the stack does without them (default: on)\n"
	"  --pcap FILE      record every frame, for tcpdump or Wireshark\n"
	"  --help           this text\n"
	"\n"
	"With VITRINE_LOG=1 in the environment, the log of the stack goes to stderr.\n";

__attribute__((noreturn)) static void refuse(const char *option, const char *text, const char *why)
{
	fprintf(stderr, "vitrine-host: --%s '%s': %s\n", option, text, why);
	exit(2);
}

__attribute__((noreturn)) static void refuse_all(const char *why)
{
	fprintf(stderr, "vitrine-host: %s (see --help)\n", why);
	exit(2);
}

__attribute__((noreturn)) static void help(void)
{
	char services[512];

	services_describe(services, sizeof(services));
	printf(usage, services);
	exit(0);
}

/* Six pairs of hexadecimal digits with colons between them. */
static struct mac parse_mac(const char *text)
{
	struct mac mac;
	char rest;
	int count = sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &mac.bytes[0],
			   &mac.bytes[1], &mac.bytes[2], &mac.bytes[3], &mac.bytes[4],
			   &mac.bytes[5], &rest);

	if (count != MAC_LENGTH || strlen(text) != strlen("00:00:00:00:00:00") ||
	    strspn(text, "0123456789abcdefABCDEF:") != strlen(text))
		refuse("mac", text, "not an Ethernet address like 02:00:00:00:00:01");
	if (mac_is_multicast(mac) || mac_equal(mac, MAC_ZERO))
		refuse("mac", text, "no interface may have this address");
	return mac;
}

static struct mac random_mac(void)
{
	struct mac mac;

	if (getrandom(mac.bytes, sizeof(mac.bytes), 0) != sizeof(mac.bytes))
		refuse_all("no random numbers for an address; give --mac");
	mac.bytes[0] = (mac.bytes[0] & 0xfc) | 2; /* locally administered, not multicast */
	return mac;
}

/* ADDRESS/LENGTH[,GATEWAY] */
static void parse_address(const char *text, struct netconfig *config)
{
	char copy[64];
	unsigned long bits;
	uint32_t gateway = 0;

	if (strlen(text) >= sizeof(copy))
		refuse("ip", text, "too long");
	strcpy(copy, text);
	char *gateway_text = strchr(copy, ',');

	if (gateway_text)
		*gateway_text++ = '\0';
	char *length = strchr(copy, '/');

	if (length)
		*length++ = '\0';
	if (!length || !argument_number(length, 1, 32, &bits) ||
	    !ip_address_parse(copy, &config->address))
		refuse("ip", text, "neither ADDRESS/LENGTH[,GATEWAY] nor dhcp");
	if (!ip4_is_unicast(config->address) || ip4_is_loopback(config->address))
		refuse("ip", text, "no host may have this address");
	config->netmask = ip4_mask((uint32_t)bits);
	config->broadcast = config->address | ~config->netmask;
	config->origin = "static";
	if (!gateway_text)
		return;
	if (!ip_address_parse(gateway_text, &gateway) || !ip4_is_unicast(gateway))
		refuse("ip", text, "the gateway is not an address");
	if ((gateway & config->netmask) != (config->address & config->netmask))
		refuse("ip", text, "the gateway is not on this network");
	netconfig_add_gateway(config, gateway);
}

static void parse_services(const char *text, bool services[SERVICE_COUNT])
{
	char copy[128], *rest = copy, *name;

	memset(services, false, SERVICE_COUNT * sizeof(services[0]));
	if (strlen(text) >= sizeof(copy))
		refuse("service", text, "too long");
	strcpy(copy, text);
	if (strcmp(copy, "none") == 0)
		return;
	while ((name = strsep(&rest, ","))) {
		int index = service_find(name);

		if (index < 0)
			refuse("service", name, "there is no such service (see --help)");
		services[index] = true;
	}
}

static bool parse_switch(const char *option, const char *text)
{
	if (strcmp(text, "on") == 0)
		return true;
	if (strcmp(text, "off") != 0)
		refuse(option, text, "neither on nor off");
	return false;
}

static void parse_option(int option, const char *text, struct arguments *arguments)
{
	switch (option) {
	case 't':
		arguments->tap = text;
		break;
	case 'm':
		arguments->mac = parse_mac(text);
		break;
	case 'i':
		arguments->dhcp = strcmp(text, "dhcp") == 0;
		if (!arguments->dhcp)
			parse_address(text, &arguments->address);
		break;
	case 's':
		parse_services(text, arguments->services);
		break;
	case 'o':
		arguments->offload = parse_switch("offload", text);
		break;
	case 'p':
		arguments->pcap = text;
		break;
	case 'h':
		help();
	default:
		exit(2); /* getopt_long has said why */
	}
}

void arguments_parse(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {{"tap", required_argument, NULL, 't'},
						{"mac", required_argument, NULL, 'm'},
						{"ip", required_argument, NULL, 'i'},
						{"service", required_argument, NULL, 's'},
						{"offload", required_argument, NULL, 'o'},
						{"pcap", required_argument, NULL, 'p'},
						{"help", no_argument, NULL, 'h'},
						{0}};
	int option;

	*arguments = (struct arguments){.dhcp = true, .offload = true};
	parse_services("echo,discard", arguments->services);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		parse_option(option, optarg, arguments);
	if (optind < argc)
		refuse_all("it takes options only");
	if (!arguments->tap)
		refuse_all("--tap IFNAME is missing");
	if (mac_equal(arguments->mac, MAC_ZERO))
		arguments->mac = random_mac();
}
