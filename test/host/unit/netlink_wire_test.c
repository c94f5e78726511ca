/* The format of netlink messages, read and written: what is cut, overlong or odd is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/netlink/netlink_wire.h"

#define TYPES 4 /* of the policy */

static const uint8_t least[TYPES + 1] = {[2] = 4, [3] = 1, [4] = 2};
static const struct netlink_policy policy = {.most = TYPES, .least = least};

/* In memory of exactly its size, so that a byte too far is seen. */
static uint8_t *exact(const void *bytes, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	if (length)
		memcpy(copy, bytes, length);
	return copy;
}

static enum netlink_trouble read_attributes(const void *bytes, size_t length, bool strict,
					    struct netlink_attribute *table, size_t *offset)
{
	uint8_t *copy = exact(bytes, length);
	enum netlink_trouble trouble = netlink_read_attributes(copy, length, &policy, strict, table,
							       offset);

	free(copy); /* the values are not looked at any more */
	return trouble;
}

static void what_is_written_is_read(void **state __unused)
{
	const struct nlmsghdr header = {.nlmsg_type = 20, .nlmsg_seq = 7, .nlmsg_pid = 9};
	uint8_t bytes[256];
	struct netlink_writer writer;
	struct netlink_message message;
	struct netlink_attribute table[TYPES + 1];
	char text[8];
	size_t offset;

	netlink_writer_init(&writer, bytes, sizeof(bytes));
	netlink_begin(&writer, &header);
	netlink_put_bytes(&writer, "abc", 3);
	netlink_put_string(&writer, 1, "eth0");
	netlink_put_be32(&writer, 2, 0x0a000001);
	netlink_put_u8(&writer, 3, 200);
	assert_true(netlink_end(&writer));
	netlink_begin(&writer, &header);
	assert_true(netlink_end(&writer));

	struct netlink_reader reader = {.at = bytes, .left = writer.length};

	assert_true(netlink_read_message(&reader, &message));
	assert_int_equal(message.header.nlmsg_type, 20);
	assert_int_equal(message.header.nlmsg_seq, 7);
	assert_memory_equal(message.payload, "abc", 4); /* padded with a zero */
	assert_int_equal(netlink_read_attributes(message.payload + 4, message.length - 4, &policy,
						 true, table, &offset),
			 NETLINK_FINE);
	assert_true(netlink_string(&table[1], text, sizeof(text)));
	assert_string_equal(text, "eth0");
	assert_false(netlink_string(&table[1], text, 4)); /* no room for its end */
	assert_int_equal(netlink_be32(&table[2]), 0x0a000001);
	assert_int_equal(netlink_u8(&table[3]), 200);
	assert_null(table[4].value);
	assert_true(netlink_read_message(&reader, &message));
	assert_int_equal(message.length, 0);
	assert_false(netlink_read_message(&reader, &message));
}

static void a_message_that_does_not_fit_is_taken_back(void **state __unused)
{
	const struct nlmsghdr header = {.nlmsg_type = 20};
	uint8_t bytes[44];
	struct netlink_writer writer;

	netlink_writer_init(&writer, bytes, sizeof(bytes));
	netlink_begin(&writer, &header);
	netlink_put_u32(&writer, 1, 5);
	assert_true(netlink_end(&writer));
	assert_int_equal(writer.length, 24);
	netlink_begin(&writer, &header);
	netlink_put_u32(&writer, 1, 5);
	assert_false(netlink_end(&writer));
	assert_int_equal(writer.length, 24);
	netlink_begin(&writer, &header); /* a shorter one still does */
	assert_true(netlink_end(&writer));
	assert_int_equal(writer.length, 40);
}

static void nests_hold_what_is_in_them(void **state __unused)
{
	uint8_t bytes[64];
	struct netlink_writer writer;
	struct netlink_attribute table[TYPES + 1], inner[TYPES + 1];
	size_t offset;

	netlink_writer_init(&writer, bytes, sizeof(bytes));
	size_t nest = netlink_begin_nest(&writer, 1);

	netlink_put_u32(&writer, 2, 77);
	netlink_end_nest(&writer, nest);
	netlink_put_u8(&writer, 3, 1);
	assert_int_equal(
		netlink_read_attributes(bytes, writer.length, &policy, true, table, &offset),
		NETLINK_FINE);
	assert_int_equal(table[1].length, 8);
	assert_int_equal(netlink_read_attributes(table[1].value, table[1].length, &policy, true,
						 inner, &offset),
			 NETLINK_FINE);
	assert_int_equal(netlink_u32(&inner[2]), 77);
	assert_non_null(table[3].value);
}

static void lengths_of_messages_are_checked(void **state __unused)
{
	/* The length that the header claims, of 24 bytes; whether that is a message. */
	static const struct {
		uint32_t claimed;
		bool taken;
	} cases[] = {{0, false},          {1, false},         {15, false}, {16, true},
		     {23, true},          {24, true},         {25, false}, {0x7fffffff, false},
		     {0x80000000, false}, {0xffffffff, false}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nlmsghdr header = {.nlmsg_len = cases[i].claimed};
		uint8_t bytes[24] = {0};

		memcpy(bytes, &header, sizeof(header));
		uint8_t *copy = exact(bytes, sizeof(bytes));
		struct netlink_reader reader = {.at = copy, .left = sizeof(bytes)};
		struct netlink_message message;

		assert_int_equal(netlink_read_message(&reader, &message), cases[i].taken);
		if (cases[i].taken)
			assert_int_equal(message.length, cases[i].claimed - 16);
		free(copy);
	}
	struct netlink_reader cut = {.at = (const uint8_t *)"", .left = 15};
	struct netlink_message message;

	assert_false(netlink_read_message(&cut, &message));
}

static void lengths_of_attributes_are_checked(void **state __unused)
{
	struct netlink_attribute table[TYPES + 1];
	size_t offset;

	for (uint32_t length = 0; length <= UINT16_MAX; length += length < 16 ? 1 : 13) {
		struct nlattr header = {.nla_len = (uint16_t)length, .nla_type = 1};
		uint8_t bytes[10] = {0};
		bool sound = length >= 4 && length <= sizeof(bytes);

		memcpy(bytes, &header, sizeof(header));
		enum netlink_trouble trouble = read_attributes(bytes, sizeof(bytes), true, table,
							       &offset);

		/* Behind a short one stand bytes that are no attribute. */
		if (!sound || (length < 9 && length > 0))
			assert_int_equal(trouble, NETLINK_ATTRIBUTE_CUT);
		else
			assert_int_equal(trouble, NETLINK_FINE);
	}
	for (size_t cut = 1; cut < 4; cut++) {
		assert_int_equal(read_attributes("\4\0\1", cut, false, table, &offset),
				 NETLINK_ATTRIBUTE_CUT);
		assert_int_equal(offset, 0);
	}
	assert_int_equal(read_attributes("", 0, true, table, &offset), NETLINK_FINE);
}

static void values_shorter_than_their_type_are_refused(void **state __unused)
{
	static const uint8_t bytes[] = {8, 0, 2, 0, 1, 1, 1, 1, 7, 0, 2, 0, 1, 1, 1, 0};
	struct netlink_attribute table[TYPES + 1];
	size_t offset;

	assert_int_equal(read_attributes(bytes, 8, true, table, &offset), NETLINK_FINE);
	assert_int_equal(read_attributes(bytes, sizeof(bytes), true, table, &offset),
			 NETLINK_ATTRIBUTE_SHORT);
	assert_int_equal(offset, 8);
}

static void unknown_types_are_passed_over_unless_strict(void **state __unused)
{
	static const uint8_t bytes[] = {4, 0, 5, 0, 4, 0, 0xff, 0x3f};
	struct netlink_attribute table[TYPES + 1];
	size_t offset;

	assert_int_equal(read_attributes(bytes, sizeof(bytes), false, table, &offset),
			 NETLINK_FINE);
	assert_int_equal(read_attributes(bytes, sizeof(bytes), true, table, &offset),
			 NETLINK_ATTRIBUTE_UNKNOWN);
	assert_int_equal(offset, 0);
}

static void the_marks_of_a_type_do_not_count(void **state __unused)
{
	static const uint8_t bytes[] = {4, 0, 1, 0x80, 5, 0, 3, 0x40, 9, 0, 0, 0};
	struct netlink_attribute table[TYPES + 1];
	uint8_t *copy = exact(bytes, sizeof(bytes));
	size_t offset;

	assert_int_equal(
		netlink_read_attributes(copy, sizeof(bytes), &policy, true, table, &offset),
		NETLINK_FINE);
	assert_non_null(table[1].value);
	assert_int_equal(table[1].length, 0);
	assert_int_equal(netlink_u8(&table[3]), 9);
	assert_int_equal(table[3].offset, 4);
	free(copy);
}

/* Padding is part of what must fit. */
static void padding_needs_room_too(void **state)
{
	const struct nlmsghdr header = {.nlmsg_type = 7};
	struct netlink_writer writer;
	uint8_t bytes[24];

	(void)state;
	for (size_t room = 16 + 5; room <= sizeof(bytes); room++) {
		memset(bytes, 0xee, sizeof(bytes));
		netlink_writer_init(&writer, bytes, room);
		netlink_begin(&writer, &header);
		netlink_put_bytes(&writer, "abcde", 5);
		assert_int_equal(netlink_end(&writer), room == sizeof(bytes));
		for (size_t i = room; i < sizeof(bytes); i++)
			assert_int_equal(bytes[i], 0xee);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_message_that_does_not_fit_is_taken_back),
		cmocka_unit_test(nests_hold_what_is_in_them),
		cmocka_unit_test(lengths_of_messages_are_checked),
		cmocka_unit_test(lengths_of_attributes_are_checked),
		cmocka_unit_test(values_shorter_than_their_type_are_refused),
		cmocka_unit_test(unknown_types_are_passed_over_unless_strict),
		cmocka_unit_test(the_marks_of_a_type_do_not_count),
		cmocka_unit_test(padding_needs_room_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
