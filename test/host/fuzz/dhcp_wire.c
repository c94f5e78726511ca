/*
 * DHCP messages (userland/lib/dhcp_wire.h). The input: one byte, then
 *
 *	bit 0 clear	a whole message;
 *	bit 0 set	the address offered (4 bytes) and the options; the fixed part is right, and
 *			with bits 1 and 2 the sname and file fields come first (64 and 128 bytes).
 *
 * The same bytes are also read as what a client wants to say.
 */
#include "userland/lib/dhcp_wire.h"

#include <ctype.h>

#include "test/host/fuzz/fuzz.h"
#include "userland/lib/bytes.h"

#define BUILD 1
#define GIVE_SERVER_NAME 2
#define GIVE_FILE 4
#define AT_ADDRESS 16
#define AT_HARDWARE 28
#define AT_SERVER_NAME 44
#define AT_FILE 108
#define AT_COOKIE 236
#define AT_OPTIONS 240

static bool is_host(uint32_t address)
{
	uint8_t first = (uint8_t)(address >> 24);

	return first != 0 && first != 127 && first < 224;
}

static void check_names(const struct dhcp_reply *reply)
{
	size_t length = strnlen(reply->domain, sizeof(reply->domain));

	CHECK(length <= DHCP_DOMAIN_MAX);
	for (size_t i = 0; i < length; i++)
		CHECK(isalnum((unsigned char)reply->domain[i]) || strchr("-._", reply->domain[i]));
	CHECK(reply->dns_count <= DHCP_DNS_MAX);
	for (unsigned i = 0; i < reply->dns_count; i++)
		CHECK(is_host(reply->dns[i]));
}

static void check_routes(const struct dhcp_reply *reply)
{
	CHECK(reply->route_count <= DHCP_ROUTES_MAX);
	for (unsigned i = 0; i < reply->route_count; i++) {
		const struct dhcp_route *route = &reply->routes[i];

		CHECK(route->prefix_length <= 32);
		if (route->prefix_length < 32)
			CHECK((route->destination & (0xffffffffu >> route->prefix_length)) == 0);
	}
}

/* What is accepted can be configured as it is. */
static void check_reply(const struct dhcp_reply *reply)
{
	uint32_t hosts = ~reply->netmask;

	CHECK(is_host(reply->server));
	if (reply->type == DHCP_NAK)
		return;
	CHECK(reply->type == DHCP_OFFER || reply->type == DHCP_ACK);
	CHECK(is_host(reply->address) && reply->lease > 0);
	CHECK(reply->netmask != 0 && (hosts & (hosts + 1)) == 0);
	CHECK(hosts <= 1 || ((reply->address & hosts) != 0 && (reply->address & hosts) != hosts));
	CHECK(reply->broadcast == DHCP_BROADCAST || reply->broadcast == (reply->address | hosts));
	CHECK(reply->mtu == 0 || reply->mtu >= 68);
	check_routes(reply);
	check_names(reply);
}

static void check_parse(const uint8_t *bytes, size_t length)
{
	struct dhcp_reply reply;
	enum dhcp_error error = dhcp_parse(bytes, length, &reply);

	CHECK(dhcp_error_text(error)[0]);
	if (error != DHCP_OK)
		return;
	CHECK(length > AT_OPTIONS);
	check_reply(&reply);
}

/* The option list that we write: in order, each once, ended. */
static void check_list(const uint8_t *at, const uint8_t *end)
{
	bool seen[256] = {false};

	while (*at != 255) {
		CHECK(end - at > 2 && end - at > 2 + at[1]);
		CHECK(!seen[*at]);
		seen[*at] = true;
		at += 2 + at[1];
	}
}

/* A request of ours with the server's words in place of ours is a NAK that says the same. */
static void check_echo(const struct dhcp_request *request, uint8_t *message, size_t length)
{
	struct dhcp_reply reply;

	message[0] = 2;
	CHECK(message[AT_OPTIONS] == 53 && message[AT_OPTIONS + 2] == request->type);
	message[AT_OPTIONS + 2] = DHCP_NAK;

	enum dhcp_error error = dhcp_parse(message, length, &reply);

	if (!is_host(request->server)) {
		CHECK(error == (request->server ? DHCP_BAD_ADDRESS : DHCP_INCOMPLETE));
		return;
	}
	CHECK(error == DHCP_OK && reply.type == DHCP_NAK);
	CHECK(reply.transaction == request->transaction && reply.server == request->server);
	CHECK(memcmp(reply.hardware, request->hardware, DHCP_HARDWARE_LENGTH) == 0);
}

static void check_emit(struct fuzz_input input)
{
	static const enum dhcp_type types[] = {DHCP_DISCOVER, DHCP_REQUEST, DHCP_DECLINE,
					       DHCP_RELEASE};
	uint8_t message[DHCP_REQUEST_MAX];
	char hostname[80] = {0};
	struct dhcp_request request = {
		.type = types[fuzz_u8(&input) & 3],
		.seconds = fuzz_u16(&input),
		.transaction = fuzz_u32(&input),
		.client = fuzz_u32(&input),
		.requested = fuzz_u32(&input),
		.server = fuzz_u32(&input),
	};
	size_t length;

	for (size_t i = 0; i < DHCP_HARDWARE_LENGTH; i++)
		request.hardware[i] = fuzz_u8(&input);
	if (fuzz_u8(&input) & 1) {
		const uint8_t *name = fuzz_bytes(&input, sizeof(hostname) - 1, &length);

		if (length)
			memcpy(hostname, name, length);
		request.hostname = hostname;
	}
	length = dhcp_emit(&request, message);
	CHECK(length >= 300 && length <= sizeof(message));
	CHECK(get_be32(message + 12) == request.client);
	check_list(message + AT_OPTIONS, message + length);
	check_echo(&request, message, length);
}

/* A message whose fixed part is right; returns its length. */
static size_t build(uint8_t flags, struct fuzz_input *input, uint8_t *to)
{
	size_t length;
	const uint8_t *from;

	memset(to, 0, AT_OPTIONS);
	to[0] = 2;
	to[1] = 1;
	to[2] = DHCP_HARDWARE_LENGTH;
	put_be32(to + AT_ADDRESS, fuzz_u32(input));
	put_be32(to + AT_COOKIE, 0x63825363);
	if (flags & GIVE_SERVER_NAME && (from = fuzz_bytes(input, 64, &length), length))
		memcpy(to + AT_SERVER_NAME, from, length);
	if (flags & GIVE_FILE && (from = fuzz_bytes(input, 128, &length), length))
		memcpy(to + AT_FILE, from, length);
	from = fuzz_bytes(input, DHCP_REPLY_MAX - AT_OPTIONS, &length);
	if (length)
		memcpy(to + AT_OPTIONS, from, length);
	return AT_OPTIONS + length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t area[DHCP_REPLY_MAX];
	uint8_t message[DHCP_REPLY_MAX];
	struct fuzz_input input = {data, size};
	uint8_t flags = fuzz_u8(&input);

	check_emit(input);
	if (flags & BUILD) {
		size_t length = build(flags, &input, message);

		check_parse(fuzz_copy_to_end(area, sizeof(area), message, length), length);
	} else {
		check_parse(input.at, input.left);
	}
	return 0;
}
