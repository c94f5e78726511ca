#define _GNU_SOURCE 1
#include "userland/lib/dhcp_wire.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "userland/lib/bytes.h"

/* Positions of the fixed fields (RFC 2131 figure 1). */
enum {
	AT_OPERATION = 0,
	AT_HARDWARE_TYPE = 1,
	AT_HARDWARE_LENGTH = 2,
	AT_TRANSACTION = 4,
	AT_SECONDS = 8,
	AT_FLAGS = 10,
	AT_CLIENT = 12,
	AT_YOURS = 16,
	AT_HARDWARE = 28,
	AT_SERVER_NAME = 44,
	AT_FILE = 108,
	AT_COOKIE = 236,
	AT_OPTIONS = 240,
};

enum {
	SERVER_NAME_LENGTH = 64,
	FILE_LENGTH = 128,
	MESSAGE_MIN = 300, /* BOOTP's fixed size, which old relays insist on (RFC 1542 2.1) */
	OPERATION_REQUEST = 1,
	OPERATION_REPLY = 2,
	HARDWARE_ETHERNET = 1,
	FLAG_BROADCAST = 0x8000,
	MTU_MIN = 68, /* RFC 2132 section 5.1 */
};

static const uint32_t magic_cookie = 0x63825363;

enum option {
	OPTION_PAD = 0,
	OPTION_NETMASK = 1,
	OPTION_ROUTER = 3,
	OPTION_DNS = 6,
	OPTION_HOSTNAME = 12,
	OPTION_DOMAIN = 15,
	OPTION_MTU = 26,
	OPTION_BROADCAST = 28,
	OPTION_REQUESTED = 50,
	OPTION_LEASE = 51,
	OPTION_OVERLOAD = 52,
	OPTION_TYPE = 53,
	OPTION_SERVER = 54,
	OPTION_PARAMETERS = 55,
	OPTION_MAX_SIZE = 57,
	OPTION_RENEW = 58,
	OPTION_REBIND = 59,
	OPTION_CLIENT_ID = 61,
	OPTION_ROUTES = 121,
	OPTION_END = 255,
};

/* What we ask servers for; the classless routes must stand before the router (RFC 3442). */
static const uint8_t wanted_options[] = {
	OPTION_NETMASK,   OPTION_ROUTES, OPTION_ROUTER, OPTION_DNS,   OPTION_DOMAIN, OPTION_MTU,
	OPTION_BROADCAST, OPTION_LEASE,  OPTION_SERVER, OPTION_RENEW, OPTION_REBIND,
};

/* ---- The option areas: the options field, then file and sname where option 52 says so. ---- */

struct area {
	const uint8_t *bytes;
	size_t length;
};

struct areas {
	struct area list[3];
	unsigned count;
};

/* One option after another up to the end mark, which must be there: without it the list was cut. */
static bool area_is_sound(const struct area *area)
{
	size_t at = 0;

	while (at < area->length) {
		uint8_t code = area->bytes[at++];

		if (code == OPTION_PAD)
			continue;
		if (code == OPTION_END)
			return true;
		if (at == area->length || area->bytes[at] > area->length - at - 1)
			return false;
		at += 1u + area->bytes[at];
	}
	return false;
}

/* An option's value; one that comes in several pieces is put together (RFC 3396). */
struct value {
	bool present;
	size_t length;
	uint8_t bytes[512];
};

/* Needs sound areas. False when the pieces are longer together than any option we know may be. */
static bool collect(const struct areas *areas, enum option wanted, struct value *value)
{
	value->present = false;
	value->length = 0;
	for (unsigned i = 0; i < areas->count; i++) {
		const uint8_t *at = areas->list[i].bytes;

		for (; *at != OPTION_END; at += *at == OPTION_PAD ? 1 : 2 + at[1]) {
			if (*at == OPTION_PAD || *at != wanted)
				continue;
			if (at[1] > sizeof(value->bytes) - value->length)
				return false;
			memcpy(value->bytes + value->length, at + 2, at[1]);
			value->length += at[1];
			value->present = true;
		}
	}
	return true;
}

/* RFC 2131 section 4.1: option 52 makes the file and sname fields into further lists of options. */
static enum dhcp_error find_areas(const uint8_t *bytes, size_t length, struct areas *areas)
{
	struct value overload;

	areas->list[0] = (struct area){bytes + AT_OPTIONS, length - AT_OPTIONS};
	areas->count = 1;
	if (!area_is_sound(&areas->list[0]))
		return DHCP_BAD_LIST;
	if (!collect(areas, OPTION_OVERLOAD, &overload))
		return DHCP_BAD_OPTION;
	if (!overload.present)
		return DHCP_OK;
	if (overload.length != 1 || overload.bytes[0] < 1 || overload.bytes[0] > 3)
		return DHCP_BAD_OPTION;
	if (overload.bytes[0] & 1)
		areas->list[areas->count++] = (struct area){bytes + AT_FILE, FILE_LENGTH};
	if (overload.bytes[0] & 2)
		areas->list[areas->count++] = (struct area){bytes + AT_SERVER_NAME,
							    SERVER_NAME_LENGTH};
	for (unsigned i = 1; i < areas->count; i++)
		if (!area_is_sound(&areas->list[i]))
			return DHCP_BAD_LIST;
	return DHCP_OK;
}

/* ---- Single options ---- */

/* Leaves *number alone when the option is absent. */
static bool read_number(const struct areas *areas, enum option option, uint32_t *number)
{
	struct value value;

	if (!collect(areas, option, &value))
		return false;
	if (!value.present)
		return true;
	if (value.length != 4)
		return false;
	*number = get_be32(value.bytes);
	return true;
}

/* An address that a host can have: not 0/8, 127/8, multicast, class E or broadcast. */
static bool is_host_address(uint32_t address)
{
	uint8_t first = (uint8_t)(address >> 24);

	return first != 0 && first != 127 && first < 224;
}

/* Addresses that no host can have are left out. */
static bool read_addresses(const struct areas *areas, enum option option, uint32_t *addresses,
			   unsigned max, unsigned *count)
{
	struct value value;

	*count = 0;
	if (!collect(areas, option, &value))
		return false;
	if (!value.present)
		return true;
	if (value.length == 0 || value.length % 4 != 0)
		return false;
	for (size_t at = 0; at < value.length && *count < max; at += 4) {
		uint32_t address = get_be32(value.bytes + at);

		if (is_host_address(address))
			addresses[(*count)++] = address;
	}
	return true;
}

static uint32_t prefix_netmask(unsigned prefix_length)
{
	return prefix_length == 0 ? 0 : 0xffffffffu << (32 - prefix_length);
}

/* RFC 3442: a prefix length, as many octets of the destination as that needs, and a gateway. */
static bool read_classless_routes(const struct value *value, struct dhcp_reply *reply)
{
	size_t at = 0;

	while (at < value->length) {
		unsigned prefix_length = value->bytes[at++];
		size_t octets = (prefix_length + 7) / 8;
		uint8_t destination[4] = {0};
		struct dhcp_route *route = &reply->routes[reply->route_count];

		if (prefix_length > 32 || value->length - at < octets + 4)
			return false;
		memcpy(destination, value->bytes + at, octets);
		at += octets;
		if (reply->route_count < DHCP_ROUTES_MAX) {
			route->prefix_length = (uint8_t)prefix_length;
			route->destination = get_be32(destination) & prefix_netmask(prefix_length);
			route->gateway = get_be32(value->bytes + at);
			reply->route_count++;
		}
		at += 4;
	}
	return value->length > 0;
}

/* RFC 3442: where there are classless routes, the router option does not count. */
static bool read_routes(const struct areas *areas, struct dhcp_reply *reply)
{
	struct value classless;
	uint32_t router;
	unsigned count;

	if (!collect(areas, OPTION_ROUTES, &classless))
		return false;
	if (!read_addresses(areas, OPTION_ROUTER, &router, 1, &count))
		return false;
	if (classless.present)
		return read_classless_routes(&classless, reply);
	if (count == 1) {
		reply->routes[0].gateway = router;
		reply->route_count = 1;
	}
	return true;
}

static bool read_mtu(const struct areas *areas, struct dhcp_reply *reply)
{
	struct value value;

	if (!collect(areas, OPTION_MTU, &value))
		return false;
	if (!value.present)
		return true;
	if (value.length != 2)
		return false;
	if (get_be16(value.bytes) >= MTU_MIN)
		reply->mtu = get_be16(value.bytes);
	return true;
}

/* The name is written to a configuration file, so a character that could mean more refuses it. */
static bool read_domain(const struct areas *areas, struct dhcp_reply *reply)
{
	struct value value;

	if (!collect(areas, OPTION_DOMAIN, &value))
		return false;
	if (value.present && value.length == 0)
		return false;
	while (value.length > 0 && value.bytes[value.length - 1] == '\0')
		value.length--;
	if (value.length > DHCP_DOMAIN_MAX)
		return true;
	for (size_t i = 0; i < value.length; i++)
		if (!isalnum(value.bytes[i]) && !memchr("-._", value.bytes[i], 3))
			return true;
	memcpy(reply->domain, value.bytes, value.length);
	return true;
}

static bool is_netmask(uint32_t mask)
{
	uint32_t hosts = ~mask;

	return mask != 0 && (hosts & (hosts + 1)) == 0;
}

uint32_t dhcp_class_netmask(uint32_t address)
{
	if (address < 0x80000000u)
		return 0xff000000u;
	return address < 0xc0000000u ? 0xffff0000u : 0xffffff00u;
}

/* The options of an OFFER or ACK. */
static enum dhcp_error read_lease(const struct areas *areas, struct dhcp_reply *reply)
{
	uint32_t hosts;

	if (!read_number(areas, OPTION_LEASE, &reply->lease) ||
	    !read_number(areas, OPTION_RENEW, &reply->renew) ||
	    !read_number(areas, OPTION_REBIND, &reply->rebind) ||
	    !read_number(areas, OPTION_NETMASK, &reply->netmask) ||
	    !read_number(areas, OPTION_BROADCAST, &reply->broadcast) ||
	    !read_addresses(areas, OPTION_DNS, reply->dns, DHCP_DNS_MAX, &reply->dns_count) ||
	    !read_routes(areas, reply) || !read_mtu(areas, reply) || !read_domain(areas, reply))
		return DHCP_BAD_OPTION;
	if (reply->lease == 0)
		return DHCP_INCOMPLETE;
	if (!is_netmask(reply->netmask))
		reply->netmask = dhcp_class_netmask(reply->address);

	hosts = ~reply->netmask;
	if (!is_host_address(reply->address))
		return DHCP_BAD_ADDRESS;
	/*
	 * The network's own number and its broadcast, where it has them (RFC 3021: not in a /31).
	 */
	if (hosts > 1 && ((reply->address & hosts) == 0 || (reply->address & hosts) == hosts))
		return DHCP_BAD_ADDRESS;
	if (reply->broadcast != (reply->address | hosts) && reply->broadcast != DHCP_BROADCAST)
		reply->broadcast = reply->address | hosts;
	return DHCP_OK;
}

enum dhcp_error dhcp_parse(const uint8_t *bytes, size_t length, struct dhcp_reply *reply)
{
	struct areas areas;
	struct value type;
	enum dhcp_error error;

	memset(reply, 0, sizeof(*reply));
	if (length < AT_OPTIONS)
		return DHCP_TOO_SHORT;
	if (bytes[AT_OPERATION] != OPERATION_REPLY)
		return DHCP_NOT_A_REPLY;
	if (bytes[AT_HARDWARE_TYPE] != HARDWARE_ETHERNET ||
	    bytes[AT_HARDWARE_LENGTH] != DHCP_HARDWARE_LENGTH)
		return DHCP_NOT_ETHERNET;
	if (get_be32(bytes + AT_COOKIE) != magic_cookie)
		return DHCP_BAD_COOKIE;
	error = find_areas(bytes, length, &areas);
	if (error != DHCP_OK)
		return error;

	reply->transaction = get_be32(bytes + AT_TRANSACTION);
	reply->address = get_be32(bytes + AT_YOURS);
	memcpy(reply->hardware, bytes + AT_HARDWARE, DHCP_HARDWARE_LENGTH);
	if (!collect(&areas, OPTION_TYPE, &type) || (type.present && type.length != 1))
		return DHCP_BAD_OPTION;
	if (!read_number(&areas, OPTION_SERVER, &reply->server))
		return DHCP_BAD_OPTION;
	if (!type.present || reply->server == 0)
		return DHCP_INCOMPLETE;
	if (!is_host_address(reply->server))
		return DHCP_BAD_ADDRESS;

	reply->type = type.bytes[0];
	if (reply->type == DHCP_NAK)
		return DHCP_OK;
	if (reply->type != DHCP_OFFER && reply->type != DHCP_ACK)
		return DHCP_NOT_A_REPLY;
	return read_lease(&areas, reply);
}

/* ---- Emitting ---- */

static uint8_t *put_option(uint8_t *at, enum option option, const void *value, size_t length)
{
	*at++ = (uint8_t)option;
	*at++ = (uint8_t)length;
	memcpy(at, value, length);
	return at + length;
}

static uint8_t *put_number(uint8_t *at, enum option option, uint32_t number)
{
	uint8_t value[4];

	put_be32(value, number);
	return put_option(at, option, value, sizeof(value));
}

size_t dhcp_emit(const struct dhcp_request *request, uint8_t message[DHCP_REQUEST_MAX])
{
	uint8_t *at = message + AT_OPTIONS;
	uint8_t type = (uint8_t)request->type;
	uint8_t max_size[2];
	uint8_t client_id[1 + DHCP_HARDWARE_LENGTH] = {HARDWARE_ETHERNET};

	memset(message, 0, DHCP_REQUEST_MAX);
	message[AT_OPERATION] = OPERATION_REQUEST;
	message[AT_HARDWARE_TYPE] = HARDWARE_ETHERNET;
	message[AT_HARDWARE_LENGTH] = DHCP_HARDWARE_LENGTH;
	put_be32(message + AT_TRANSACTION, request->transaction);
	put_be16(message + AT_SECONDS, request->seconds);
	put_be16(message + AT_FLAGS, request->client == 0 ? FLAG_BROADCAST : 0);
	put_be32(message + AT_CLIENT, request->client);
	memcpy(message + AT_HARDWARE, request->hardware, DHCP_HARDWARE_LENGTH);
	put_be32(message + AT_COOKIE, magic_cookie);

	at = put_option(at, OPTION_TYPE, &type, sizeof(type));
	memcpy(client_id + 1, request->hardware, DHCP_HARDWARE_LENGTH);
	at = put_option(at, OPTION_CLIENT_ID, client_id, sizeof(client_id));
	if (request->requested != 0)
		at = put_number(at, OPTION_REQUESTED, request->requested);
	if (request->server != 0)
		at = put_number(at, OPTION_SERVER, request->server);
	/* RFC 2131 table 5: DECLINE and RELEASE ask for nothing. */
	if (request->type == DHCP_DISCOVER || request->type == DHCP_REQUEST) {
		put_be16(max_size, DHCP_REPLY_MAX);
		at = put_option(at, OPTION_MAX_SIZE, max_size, sizeof(max_size));
		if (request->hostname && request->hostname[0])
			at = put_option(at, OPTION_HOSTNAME, request->hostname,
					strnlen(request->hostname, 63));
		at = put_option(at, OPTION_PARAMETERS, wanted_options, sizeof(wanted_options));
	}
	*at++ = OPTION_END;
	return at - message < MESSAGE_MIN ? MESSAGE_MIN : (size_t)(at - message);
}

const char *dhcp_error_text(enum dhcp_error error)
{
	static const char *const texts[] = {
		[DHCP_OK] = "no error",
		[DHCP_TOO_SHORT] = "message too short",
		[DHCP_NOT_A_REPLY] = "not a server's message",
		[DHCP_NOT_ETHERNET] = "not for Ethernet",
		[DHCP_BAD_COOKIE] = "wrong magic cookie",
		[DHCP_BAD_LIST] = "malformed option list",
		[DHCP_BAD_OPTION] = "option of impossible length",
		[DHCP_BAD_ADDRESS] = "impossible address",
		[DHCP_INCOMPLETE] = "type, server or lease time missing",
	};

	return texts[error];
}
