/*
 * Netlink messages and attributes (net/netlink/netlink_wire.h). The input is one datagram, whose
 * messages have attributes behind a fixed part of four bytes, nested to any depth.
 */
#include "net/netlink/netlink_wire.h"

#include "test/host/fuzz/fuzz.h"

#define FIXED_PART 4
#define TYPES 7
#define DEPTH_MAX 4

static const uint8_t least[TYPES + 1] = {[2] = 4, [3] = 1, [4] = 2, [5] = 8};
static const struct netlink_policy policy = {.most = TYPES, .least = least};

static bool within(const uint8_t *bytes, size_t length, const uint8_t *part, size_t part_length)
{
	return part >= bytes && part_length <= length &&
	       (size_t)(part - bytes) <= length - part_length;
}

static void check_attributes(const uint8_t *bytes, size_t length, bool strict, int depth)
{
	struct netlink_attribute table[TYPES + 1];
	char text[16];
	size_t offset;
	enum netlink_trouble trouble = netlink_read_attributes(bytes, length, &policy, strict,
							       table, &offset);

	CHECK(strict || trouble != NETLINK_ATTRIBUTE_UNKNOWN);
	if (trouble != NETLINK_FINE) {
		CHECK(offset < length);
		return;
	}
	for (size_t i = 0; i <= TYPES; i++) {
		if (!table[i].value)
			continue;
		CHECK(table[i].length >= least[i]);
		CHECK(within(bytes, length, table[i].value, table[i].length));
		if (netlink_string(&table[i], text, sizeof(text)))
			CHECK(memchr(text, 0, sizeof(text)));
		if (depth < DEPTH_MAX)
			check_attributes(table[i].value, table[i].length, strict, depth + 1);
	}
}

/* What was read, written again into room that may not suffice. */
static void check_writing(const struct netlink_message *message, size_t room)
{
	uint8_t bytes[512];
	struct netlink_writer writer;
	struct netlink_message again;

	netlink_writer_init(&writer, bytes, MIN(room, sizeof(bytes)));
	netlink_begin(&writer, &message->header);
	netlink_put_bytes(&writer, message->payload, message->length);
	size_t nest = netlink_begin_nest(&writer, 1);

	netlink_put_u32(&writer, 2, 1);
	netlink_end_nest(&writer, nest);
	if (!netlink_end(&writer)) {
		CHECK(writer.length == 0);
		return;
	}
	struct netlink_reader reader = {.at = bytes, .left = writer.length};

	CHECK(netlink_read_message(&reader, &again) && reader.left == 0);
	CHECK(again.header.nlmsg_type == message->header.nlmsg_type);
	CHECK(memcmp(again.payload, message->payload, message->length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netlink_reader reader = {.at = data, .left = size};
	struct netlink_message message;

	while (netlink_read_message(&reader, &message)) {
		CHECK(within(data, size, message.payload, message.length));
		check_writing(&message, message.header.nlmsg_seq % 512);
		if (message.length < FIXED_PART)
			continue;
		check_attributes(message.payload + FIXED_PART, message.length - FIXED_PART, false,
				 0);
		check_attributes(message.payload + FIXED_PART, message.length - FIXED_PART, true,
				 0);
	}
	return 0;
}
