#include "userland/lib/ip_option.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum field {
	FIELD_CLIENT,
	FIELD_SERVER,
	FIELD_GATEWAY,
	FIELD_NETMASK,
	FIELD_HOSTNAME,
	FIELD_DEVICE,
	FIELD_METHOD,
	FIELD_DNS0,
	FIELD_DNS1,
	FIELD_NTP0,
	FIELD_COUNT,
};

enum { TEXT_MAX = 256 };

struct fields {
	char text[TEXT_MAX];
	const char *field[FIELD_COUNT]; /* "" where left out */
	unsigned count;
};

bool ip_address_parse(const char *text, uint32_t *address)
{
	struct in_addr parsed;

	if (inet_pton(AF_INET, text, &parsed) != 1)
		return false;
	*address = ntohl(parsed.s_addr);
	return true;
}

unsigned ip_prefix_length(uint32_t netmask)
{
	return (unsigned)__builtin_popcount(netmask);
}

/* Splits at the colons. */
static const char *split(const char *text, struct fields *fields)
{
	char *at = fields->text;

	if (strlen(text) >= TEXT_MAX)
		return "too long";
	strcpy(fields->text, text);
	for (unsigned i = 0; i < FIELD_COUNT; i++)
		fields->field[i] = "";
	for (fields->count = 0; at; fields->count++) {
		char *colon = strchr(at, ':');

		if (fields->count == FIELD_COUNT)
			return "too many fields";
		fields->field[fields->count] = at;
		if (colon)
			*colon++ = '\0';
		at = colon;
	}
	return NULL;
}

static bool is_off(const char *method)
{
	return strcmp(method, "off") == 0 || strcmp(method, "none") == 0;
}

static bool is_dhcp(const char *method)
{
	return strcmp(method, "dhcp") == 0 || strcmp(method, "on") == 0 ||
	       strcmp(method, "any") == 0;
}

static bool is_name(const char *text)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("-._", *text))
			return false;
	return true;
}

/* Dotted, or a prefix length as some systems write it; empty: by the address's class. */
static const char *read_netmask(const char *text, uint32_t client, uint32_t *netmask)
{
	uint32_t mask, hosts;
	char *end;

	if (*text == '\0') {
		*netmask = client < 0x80000000u   ? 0xff000000u
			   : client < 0xc0000000u ? 0xffff0000u
						  : 0xffffff00u;
		return NULL;
	}
	if (isdigit((unsigned char)*text) && strlen(text) <= 2) {
		unsigned long bits = strtoul(text, &end, 10);

		if (*end != '\0' || bits < 1 || bits > 32)
			return "bad prefix length";
		*netmask = 0xffffffffu << (32 - bits);
		return NULL;
	}
	if (!ip_address_parse(text, &mask))
		return "bad netmask";
	hosts = ~mask;
	if (mask == 0 || (hosts & (hosts + 1)) != 0)
		return "bad netmask";
	*netmask = mask;
	return NULL;
}

/* An address that a host may have. */
static bool is_host_address(uint32_t address)
{
	return address >> 24 != 0 && address >> 24 != 127 && address >> 24 < 224;
}

static const char *read_addresses(const struct fields *fields, struct ip_option *option)
{
	const char *const *field = fields->field;
	uint32_t unused;
	unsigned dns_count = 0;

	if (*field[FIELD_CLIENT] && (!ip_address_parse(field[FIELD_CLIENT], &option->client) ||
				     !is_host_address(option->client)))
		return "bad client address";
	if (*field[FIELD_GATEWAY] && (!ip_address_parse(field[FIELD_GATEWAY], &option->gateway) ||
				      !is_host_address(option->gateway)))
		return "bad gateway address";
	if (*field[FIELD_SERVER] && !ip_address_parse(field[FIELD_SERVER], &unused))
		return "bad server address";
	if (*field[FIELD_NTP0] && !ip_address_parse(field[FIELD_NTP0], &unused))
		return "bad time server address";
	for (unsigned i = FIELD_DNS0; i <= FIELD_DNS1; i++) {
		if (*field[i] == '\0')
			continue;
		if (!ip_address_parse(field[i], &option->dns[dns_count++]))
			return "bad name server address";
	}
	return read_netmask(field[FIELD_NETMASK], option->client, &option->netmask);
}

/* Linux configures an address that is given unless it is told to ask for one. */
static const char *read_method(const char *method, struct ip_option *option)
{
	if (is_dhcp(method))
		option->method = IP_METHOD_DHCP;
	else if (is_off(method))
		option->method = option->client ? IP_METHOD_STATIC : IP_METHOD_OFF;
	else if (*method == '\0')
		option->method = option->client ? IP_METHOD_STATIC : IP_METHOD_DHCP;
	else
		return "unknown method (dhcp, on, any, off and none are known)";
	return NULL;
}

const char *ip_option_parse(const char *text, struct ip_option *option)
{
	struct fields fields;
	const char *wrong = split(text, &fields);
	bool method_alone;
	const char *device, *method;

	memset(option, 0, sizeof(*option));
	if (wrong)
		return wrong;

	method_alone = fields.count == 1 && !strchr(text, '.');
	device = fields.field[FIELD_DEVICE];
	method = fields.field[FIELD_METHOD];
	if (method_alone) {
		method = fields.field[0];
	} else if (fields.count == 2 && (is_dhcp(fields.field[1]) || is_off(fields.field[1]))) {
		device = fields.field[0];
		method = fields.field[1];
	} else {
		wrong = read_addresses(&fields, option);
		if (wrong)
			return wrong;
	}

	if (strlen(device) >= sizeof(option->device) || !is_name(device))
		return "bad device name";
	strcpy(option->device, device);
	if (strlen(fields.field[FIELD_HOSTNAME]) >= sizeof(option->hostname) ||
	    !is_name(fields.field[FIELD_HOSTNAME]))
		return "bad host name";
	strcpy(option->hostname, fields.field[FIELD_HOSTNAME]);
	return read_method(method, option);
}

const struct ip_option *ip_option_for(const struct ip_option *options, size_t count,
				      const char *device, bool first_device)
{
	const struct ip_option *general = NULL;

	for (size_t i = count; i-- > 0;) {
		const struct ip_option *option = &options[i];

		if (strcmp(option->device, device) == 0)
			return option;
		if (option->device[0] != '\0' || general)
			continue;
		if (option->method != IP_METHOD_STATIC || first_device)
			general = option;
	}
	return general;
}
