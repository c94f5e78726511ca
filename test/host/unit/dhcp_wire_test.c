/* DHCP messages: what is read from a sound one, and that each kind of broken one is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/host/unit/dhcp_bytes.h"
#include "userland/lib/dhcp_wire.h"

/*
 * Parses a copy of exactly the message's length, so that the sanitizer sees any byte read beyond
 * it.
 */
static enum dhcp_error parse(const struct dhcp_bytes *message, struct dhcp_reply *reply)
{
	uint8_t *exact = malloc(message->length ? message->length : 1);
	enum dhcp_error error;

	memcpy(exact, message->bytes, message->length);
	error = dhcp_parse(exact, message->length, reply);
	free(exact);
	return error;
}

static enum dhcp_error parse_with_option(uint8_t code, uint8_t length)
{
	static const uint8_t value[255] = {10, 77, 0, 7, 10, 77, 0, 8};
	struct dhcp_bytes message;
	struct dhcp_reply reply;
	const uint8_t type = DHCP_ACK;

	begin_bare(&message, OFFERED);
	add_option(&message, 53, 1, &type);
	if (code != 54)
		add_number(&message, 54, SERVER);
	if (code != 51)
		add_number(&message, 51, 120);
	add_option(&message, code, length, value);
	add_end(&message);
	return parse(&message, &reply);
}

static void test_full_reply(void **state)
{
	static const uint8_t dns[] = {10, 77, 0, 1, 8, 8, 8, 8};
	static const uint8_t mtu[] = {0x05, 0x78};
	struct dhcp_bytes message;
	struct dhcp_reply reply;

	(void)state;
	begin_reply(&message, DHCP_ACK, SERVER, OFFERED);
	add_number(&message, 3, SERVER);
	add_option(&message, 6, 8, dns);
	add_option(&message, 15, 12, "vitrine.test");
	add_option(&message, 26, 2, mtu);
	add_number(&message, 28, 0x0a4d00ff);
	add_number(&message, 58, 60);
	add_number(&message, 59, 105);
	add_end(&message);

	assert_int_equal(parse(&message, &reply), DHCP_OK);
	assert_int_equal(reply.type, DHCP_ACK);
	assert_int_equal(reply.transaction, TRANSACTION);
	assert_memory_equal(reply.hardware, our_hardware, 6);
	assert_int_equal(reply.server, SERVER);
	assert_int_equal(reply.address, OFFERED);
	assert_int_equal(reply.netmask, 0xffffff00);
	assert_int_equal(reply.broadcast, 0x0a4d00ff);
	assert_int_equal(reply.lease, 120);
	assert_int_equal(reply.renew, 60);
	assert_int_equal(reply.rebind, 105);
	assert_int_equal(reply.mtu, 1400);
	assert_int_equal(reply.dns_count, 2);
	assert_int_equal(reply.dns[1], 0x08080808);
	assert_string_equal(reply.domain, "vitrine.test");
	assert_int_equal(reply.route_count, 1);
	assert_int_equal(reply.routes[0].prefix_length, 0);
	assert_int_equal(reply.routes[0].gateway, SERVER);
}

static void test_every_cut_is_refused(void **state)
{
	struct dhcp_bytes message;
	struct dhcp_reply reply;
	size_t whole;

	(void)state;
	begin_reply(&message, DHCP_ACK, SERVER, OFFERED);
	add_end(&message);
	whole = message.length;
	for (message.length = 0; message.length < whole; message.length++)
		assert_int_not_equal(parse(&message, &reply), DHCP_OK);
	message.length = whole;
	assert_int_equal(parse(&message, &reply), DHCP_OK);
}

static void test_option_without_length(void **state)
{
	struct dhcp_bytes message;
	struct dhcp_reply reply;

	(void)state;
	begin_reply(&message, DHCP_ACK, SERVER, OFFERED);
	message.bytes[message.length++] = 6;
	assert_int_equal(parse(&message, &reply), DHCP_BAD_LIST);
}

static void test_option_length_past_the_end(void **state)
{
	struct dhcp_bytes message;
	struct dhcp_reply reply;

	(void)state;
	begin_reply(&message, DHCP_ACK, SERVER, OFFERED);
	add_number(&message, 6, SERVER);
	message.bytes[message.length - 5] = 5;
	assert_int_equal(parse(&message, &reply), DHCP_BAD_LIST);
	message.bytes[message.length - 5] = 255;
	assert_int_equal(parse(&message, &reply), DHCP_BAD_LIST);
}

static void test_no_end_mark(void **state)
{
	struct dhcp_bytes message;
	struct dhcp_reply reply;

	(void)state;
	begin_reply(&message, DHCP_ACK, SERVER, OFFERED);
	assert_int_equal(parse(&message, &reply), DHCP_BAD_LIST);
	message.length += 20; /* padding only */
	assert_int_equal(parse(&message, &reply), DHCP_BAD_LIST);
}

static void test_overload_file_and_name(void **state)
{
	struct dhcp_bytes message;
	struct dhcp_reply reply;
	const uint8_t both = 3;

	(void)state;
	begin_reply(&message, DHCP_ACK, SERVER, OFFERED);
	add_option(&message, 52, 1, &both);
	add_end(&message);
	memcpy(message.bytes + 108, (uint8_t[]){6, 4, 1, 1, 1, 1, 255}, 7);
	memcpy(message.bytes + 44, (uint8_t[]){0, 3, 4, 10, 77, 0, 9, 255}, 8);
	assert_int_equal(parse(&message, &reply), DHCP_OK);
	assert_int_equal(reply.dns_count, 1);
	assert_int_equal(reply.dns[0], 0x01010101);
	assert_int_equal(reply.routes[0].gateway, 0x0a4d0009);
}

static void test_overload_that_is_broken(void **state)
{
	struct dhcp_bytes message;
	struct dhcp_reply reply;

	(void)state;
	for (unsigned overload = 0; overload < 256; overload++) {
		const uint8_t value = (uint8_t)overload;

		begin_reply(&message, DHCP_ACK, SERVER, OFFERED);
		add_option(&message, 52, 1, &value);
		add_end(&message);
		/* The fields that become lists are all padding, without an end. */
		assert_int_equal(parse(&message, &reply),
				 overload >= 1 && overload <= 3 ? DHCP_BAD_LIST : DHCP_BAD_OPTION);
	}
	/* An option in the file field that runs into the options. */
	begin_reply(&message, DHCP_ACK, SERVER, OFFERED);
	add_option(&message, 52, 1, (uint8_t[]){1});
	add_end(&message);
	memset(message.bytes + 108, 0, 128);
	memcpy(message.bytes + 108 + 120, (uint8_t[]){6, 8}, 2);
	assert_int_equal(parse(&message, &reply), DHCP_BAD_LIST);
}

static void test_impossible_lengths(void **state)
{
	static const uint8_t codes[] = {1, 3, 6, 51, 54};
	static const uint8_t lengths[] = {0, 1, 3, 5, 255};

	(void)state;
	for (size_t i = 0; i < sizeof(codes); i++) {
		for (size_t j = 0; j < sizeof(lengths); j++)
			assert_int_equal(parse_with_option(codes[i], lengths[j]), DHCP_BAD_OPTION);
		assert_int_equal(parse_with_option(codes[i], 4), DHCP_OK);
	}
	assert_int_equal(parse_with_option(53, 1), DHCP_BAD_OPTION); /* twice: two bytes in all */
	assert_int_equal(parse_with_option(26, 1), DHCP_BAD_OPTION);
	assert_int_equal(parse_with_option(26, 4), DHCP_BAD_OPTION);
	assert_int_equal(parse_with_option(15, 0), DHCP_BAD_OPTION);
	assert_int_equal(parse_with_option(121, 0), DHCP_BAD_OPTION);
	assert_int_equal(parse_with_option(121, 3), DHCP_BAD_OPTION);
}

static void test_wrong_cookie(void **state)
{
	struct dhcp_bytes message;
	struct dhcp_reply reply;

	(void)state;
	begin_reply(&message, DHCP_ACK, SERVER, OFFERED);
	add_end(&message);
	message.bytes[239] ^= 1;
	assert_int_equal(parse(&message, &reply), DHCP_BAD_COOKIE);
}

static void test_not_for_us(void **state)
{
	struct dhcp_bytes message;
	struct dhcp_reply reply;

	(void)state;
	begin_reply(&message, DHCP_ACK, SERVER, OFFERED);
	add_end(&message);
	message.bytes[0] = 1;
	assert_int_equal(parse(&message, &reply), DHCP_NOT_A_REPLY);
	message.bytes[0] = 2;
	message.bytes[1] = 6;
	assert_int_equal(parse(&message, &reply), DHCP_NOT_ETHERNET);
	message.bytes[1] = 1;
	message.bytes[2] = 16;
	assert_int_equal(parse(&message, &reply), DHCP_NOT_ETHERNET);

	for (unsigned type = 0; type < 256; type++) {
		bool known = type == DHCP_OFFER || type == DHCP_ACK || type == DHCP_NAK;

		begin_reply(&message, (uint8_t)type, SERVER, OFFERED);
		add_end(&message);
		assert_int_equal(parse(&message, &reply), known ? DHCP_OK : DHCP_NOT_A_REPLY);
	}
}

static void test_lease_of_zero_and_forever(void **state)
{
	struct dhcp_bytes message;
	struct dhcp_reply reply;
	const uint8_t ack = DHCP_ACK;

	(void)state;
	for (unsigned forever = 0; forever < 2; forever++) {
		begin_bare(&message, OFFERED);
		add_option(&message, 53, 1, &ack);
		add_number(&message, 54, SERVER);
		add_number(&message, 51, forever ? 0xffffffff : 0);
		add_end(&message);
		assert_int_equal(parse(&message, &reply), forever ? DHCP_OK : DHCP_INCOMPLETE);
	}
	assert_int_equal(reply.lease, DHCP_LEASE_FOREVER);
}

static void test_incomplete(void **state)
{
	struct dhcp_bytes message;
	struct dhcp_reply reply;
	const uint8_t ack = DHCP_ACK;

	(void)state;
	begin_bare(&message, OFFERED);
	add_end(&message);
	assert_int_equal(parse(&message, &reply), DHCP_INCOMPLETE);
	begin_bare(&message, OFFERED);
	add_option(&message, 53, 1, &ack);
	add_number(&message, 51, 120);
	add_end(&message);
	assert_int_equal(parse(&message, &reply), DHCP_INCOMPLETE);
	begin_bare(&message, OFFERED);
	add_option(&message, 53, 1, &ack);
	add_number(&message, 54, SERVER);
	add_end(&message);
	assert_int_equal(parse(&message, &reply), DHCP_INCOMPLETE);
}

static void test_impossible_addresses(void **state)
{
	static const uint32_t impossible[] = {
		0,
		0x00000001,
		0x7f000001,
		0xe0000001,
		0xefffffff,
		0xf0000001,
		0xffffffff,
		0x0a4d0000 /* the network */,
		0x0a4d00ff /* its broadcast */,
	};
	struct dhcp_bytes message;
	struct dhcp_reply reply;

	(void)state;
	for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
		begin_reply(&message, DHCP_OFFER, SERVER, impossible[i]);
		add_end(&message);
		assert_int_equal(parse(&message, &reply), DHCP_BAD_ADDRESS);
	}
	begin_reply(&message, DHCP_OFFER, 0xe0000001, OFFERED);
	add_end(&message);
	assert_int_equal(parse(&message, &reply), DHCP_BAD_ADDRESS);
}

static void test_useless_values_are_left_out(void **state)
{
	static const uint8_t routers[] = {0, 0, 0, 0, 224, 0, 0, 1};
	static const uint8_t small_mtu[] = {0, 67};
	struct dhcp_bytes message;
	struct dhcp_reply reply;
	const uint8_t ack = DHCP_ACK;

	(void)state;
	begin_bare(&message, OFFERED);
	add_option(&message, 53, 1, &ack);
	add_number(&message, 54, SERVER);
	add_number(&message, 51, 120);
	add_number(&message, 1, 0xff00ff00); /* a netmask with a hole */
	add_option(&message, 3, 8, routers);
	add_option(&message, 6, 8, routers);
	add_option(&message, 26, 2, small_mtu);
	add_option(&message, 15, 17, "evil\nnameserver 6");
	add_number(&message, 28, 0x01020304);
	add_end(&message);
	assert_int_equal(parse(&message, &reply), DHCP_OK);
	assert_int_equal(reply.netmask, 0xff000000);
	assert_int_equal(reply.broadcast, 0x0affffff);
	assert_int_equal(reply.route_count, 0);
	assert_int_equal(reply.dns_count, 0);
	assert_int_equal(reply.mtu, 0);
	assert_string_equal(reply.domain, "");
}

static void test_class_netmask(void **state)
{
	(void)state;
	assert_int_equal(dhcp_class_netmask(0x0a000001), 0xff000000);
	assert_int_equal(dhcp_class_netmask(0xac100001), 0xffff0000);
	assert_int_equal(dhcp_class_netmask(0xc0a80001), 0xffffff00);
}

static void test_classless_routes_win_over_routers(void **state)
{
	static const uint8_t routes[] = {
		24, 192, 168, 5, 10, 77, 0, 3,  0,   10, 77, 0,  4, 32, 1,
		2,  3,   4,   0, 0,  0,  0, 12, 172, 31, 10, 77, 0, 5,
	};
	struct dhcp_bytes message;
	struct dhcp_reply reply;

	(void)state;
	begin_reply(&message, DHCP_ACK, SERVER, OFFERED);
	add_number(&message, 3, SERVER);
	add_option(&message, 121, 10, routes);
	add_option(&message, 121, sizeof(routes) - 10, routes + 10); /* RFC 3396: in two pieces */
	add_end(&message);
	assert_int_equal(parse(&message, &reply), DHCP_OK);
	assert_int_equal(reply.route_count, 4);
	assert_int_equal(reply.routes[0].destination, 0xc0a80500);
	assert_int_equal(reply.routes[0].gateway, 0x0a4d0003);
	assert_int_equal(reply.routes[1].prefix_length, 0);
	assert_int_equal(reply.routes[1].gateway, 0x0a4d0004);
	assert_int_equal(reply.routes[2].prefix_length, 32);
	assert_int_equal(reply.routes[2].gateway, 0);
	assert_int_equal(reply.routes[3].destination,
			 0xac100000); /* bits beyond the prefix cleared */

	begin_reply(&message, DHCP_ACK, SERVER, OFFERED);
	add_option(&message, 121, 9, (uint8_t[]){33, 1, 2, 3, 4, 10, 77, 0, 4});
	add_end(&message);
	assert_int_equal(parse(&message, &reply), DHCP_BAD_OPTION);
}

static void test_more_values_than_kept(void **state)
{
	uint8_t many[240];
	struct dhcp_bytes message;
	struct dhcp_reply reply;

	(void)state;
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = (uint8_t)(i % 5 == 0 ? 0 : 10);
	begin_reply(&message, DHCP_ACK, SERVER, OFFERED);
	add_option(&message, 121, 240, many);
	memset(many, 10, sizeof(many));
	add_option(&message, 6, 240, many);
	add_option(&message, 3, 240, many);
	add_end(&message);
	assert_int_equal(parse(&message, &reply), DHCP_OK);
	assert_int_equal(reply.route_count, DHCP_ROUTES_MAX);
	assert_int_equal(reply.dns_count, DHCP_DNS_MAX);
	/* More pieces than any option may have bytes. */
	message.length--;
	add_option(&message, 6, 240, many);
	add_option(&message, 6, 240, many);
	add_end(&message);
	assert_int_equal(parse(&message, &reply), DHCP_BAD_OPTION);
}

/* A NAK needs no lease, and what else it says does not matter. */
static void test_nak(void **state)
{
	struct dhcp_bytes message;
	struct dhcp_reply reply;

	(void)state;
	begin_reply(&message, DHCP_NAK, SERVER, 0);
	add_end(&message);
	assert_int_equal(parse(&message, &reply), DHCP_OK);
	assert_int_equal(reply.type, DHCP_NAK);
}

static const uint8_t *find_option(const uint8_t *message, size_t length, uint8_t code)
{
	for (size_t at = 240; at < length && message[at] != 255; at += 2u + message[at + 1])
		if (message[at] == code)
			return message + at;
	return NULL;
}

static void test_emit_discover(void **state)
{
	struct dhcp_request request = {
		.type = DHCP_DISCOVER,
		.transaction = TRANSACTION,
		.seconds = 3,
		.requested = OFFERED,
		.hostname = "vitrine",
	};
	uint8_t message[DHCP_REQUEST_MAX];
	size_t length;

	(void)state;
	memcpy(request.hardware, our_hardware, 6);
	length = dhcp_emit(&request, message);
	assert_in_range(length, 300, DHCP_REQUEST_MAX);
	assert_int_equal(message[0], 1);
	assert_int_equal(get_be32(message + 4), TRANSACTION);
	assert_int_equal(get_be16(message + 8), 3);
	assert_int_equal(get_be16(message + 10), 0x8000);
	assert_memory_equal(message + 28, our_hardware, 6);
	assert_int_equal(find_option(message, length, 53)[2], DHCP_DISCOVER);
	assert_int_equal(get_be32(find_option(message, length, 50) + 2), OFFERED);
	assert_memory_equal(find_option(message, length, 12) + 2, "vitrine", 7);
	assert_memory_equal(find_option(message, length, 61), "\x3d\x07\x01", 3);
	assert_null(find_option(message, length, 54));
	assert_non_null(find_option(message, length, 55));
	assert_non_null(memchr(message + 240, 255, length - 240));
}

static void test_emit_release_and_decline(void **state)
{
	struct dhcp_request request = {.type = DHCP_RELEASE, .client = OFFERED, .server = SERVER};
	uint8_t message[DHCP_REQUEST_MAX];
	size_t length;

	(void)state;
	length = dhcp_emit(&request, message);
	assert_int_equal(get_be16(message + 10), 0);
	assert_int_equal(get_be32(message + 12), OFFERED);
	assert_int_equal(get_be32(find_option(message, length, 54) + 2), SERVER);
	assert_null(find_option(message, length, 55));
	assert_null(find_option(message, length, 57));
	request = (struct dhcp_request){
		.type = DHCP_DECLINE, .requested = OFFERED, .server = SERVER};
	length = dhcp_emit(&request, message);
	assert_int_equal(get_be32(message + 12), 0);
	assert_int_equal(get_be32(find_option(message, length, 50) + 2), OFFERED);
}

/* The longest of everything fits. */
static void test_emit_longest(void **state)
{
	char hostname[200];
	struct dhcp_request request = {
		.type = DHCP_REQUEST, .requested = OFFERED, .server = SERVER, .hostname = hostname};
	uint8_t message[DHCP_REQUEST_MAX];

	(void)state;
	memset(hostname, 'a', sizeof(hostname));
	hostname[sizeof(hostname) - 1] = '\0';
	assert_true(dhcp_emit(&request, message) <= DHCP_REQUEST_MAX);
	assert_int_equal(find_option(message, DHCP_REQUEST_MAX, 12)[1], 63);
}

static void test_error_texts(void **state)
{
	(void)state;
	for (int error = DHCP_OK; error <= DHCP_INCOMPLETE; error++)
		assert_non_null(dhcp_error_text((enum dhcp_error)error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_reply),
		cmocka_unit_test(test_every_cut_is_refused),
		cmocka_unit_test(test_option_without_length),
		cmocka_unit_test(test_option_length_past_the_end),
		cmocka_unit_test(test_no_end_mark),
		cmocka_unit_test(test_overload_file_and_name),
		cmocka_unit_test(test_overload_that_is_broken),
		cmocka_unit_test(test_impossible_lengths),
		cmocka_unit_test(test_wrong_cookie),
		cmocka_unit_test(test_not_for_us),
		cmocka_unit_test(test_lease_of_zero_and_forever),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_impossible_addresses),
		cmocka_unit_test(test_useless_values_are_left_out),
		cmocka_unit_test(test_class_netmask),
		cmocka_unit_test(test_classless_routes_win_over_routers),
		cmocka_unit_test(test_more_values_than_kept),
		cmocka_unit_test(test_nak),
		cmocka_unit_test(test_emit_discover),
		cmocka_unit_test(test_emit_release_and_decline),
		cmocka_unit_test(test_emit_longest),
		cmocka_unit_test(test_error_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
