/* The format of netlink messages: see netlink_wire.h. */
#include "net/netlink/netlink_wire.h"

#include "kernel/byteorder.h"
#include "kernel/string.h"

#define ATTRIBUTE_HEADER sizeof(struct nlattr)
#define TYPE_MASK ((uint16_t) ~(NLA_F_NESTED | NLA_F_NET_BYTEORDER))

bool netlink_read_message(struct netlink_reader *reader, struct netlink_message *message)
{
	if (reader->left < NETLINK_HEADER)
		return false;
	memcpy(&message->header, reader->at, NETLINK_HEADER);
	size_t length = message->header.nlmsg_len;

	if (length < NETLINK_HEADER || length > reader->left)
		return false;
	message->start = reader->at;
	message->payload = reader->at + NETLINK_HEADER;
	message->length = length - NETLINK_HEADER;
	/* The padding of the last one may be missing. */
	size_t step = MIN(NETLINK_ALIGN(length), reader->left);

	reader->at += step;
	reader->left -= step;
	return true;
}

/* One attribute; `*step`: to the next. False: it is cut. */
static bool read_attribute(const uint8_t *bytes, size_t left, struct nlattr *header, size_t *step)
{
	if (left < ATTRIBUTE_HEADER)
		return false;
	memcpy(header, bytes, ATTRIBUTE_HEADER);
	if (header->nla_len < ATTRIBUTE_HEADER || header->nla_len > left)
		return false;
	*step = MIN(NETLINK_ALIGN(header->nla_len), left);
	return true;
}

enum netlink_trouble netlink_read_attributes(const uint8_t *bytes, size_t length,
					     const struct netlink_policy *policy, bool strict,
					     struct netlink_attribute *table, size_t *offset)
{
	struct nlattr header;
	size_t step;

	memset(table, 0, ((size_t)policy->most + 1) * sizeof(*table));
	for (*offset = 0; *offset < length; *offset += step) {
		if (!read_attribute(bytes + *offset, length - *offset, &header, &step))
			return NETLINK_ATTRIBUTE_CUT;
		uint16_t type = header.nla_type & TYPE_MASK;
		uint16_t value_length = (uint16_t)(header.nla_len - ATTRIBUTE_HEADER);

		if (type > policy->most) {
			if (strict)
				return NETLINK_ATTRIBUTE_UNKNOWN;
			continue;
		}
		if (value_length < policy->least[type])
			return NETLINK_ATTRIBUTE_SHORT;
		table[type] = (struct netlink_attribute){
			.value = bytes + *offset + ATTRIBUTE_HEADER,
			.length = value_length,
			.offset = (uint16_t)MIN(*offset, UINT16_MAX),
		};
	}
	return NETLINK_FINE;
}

uint8_t netlink_u8(const struct netlink_attribute *attribute)
{
	return attribute->value[0];
}

uint16_t netlink_u16(const struct netlink_attribute *attribute)
{
	uint16_t number;

	memcpy(&number, attribute->value, sizeof(number));
	return number;
}

uint32_t netlink_u32(const struct netlink_attribute *attribute)
{
	uint32_t number;

	memcpy(&number, attribute->value, sizeof(number));
	return number;
}

uint32_t netlink_be32(const struct netlink_attribute *attribute)
{
	return get_be32(attribute->value);
}

bool netlink_string(const struct netlink_attribute *attribute, char *to, size_t size)
{
	size_t length = 0;

	while (length < attribute->length && attribute->value[length])
		length++;
	if (length >= size)
		return false;
	memcpy(to, attribute->value, length);
	to[length] = '\0';
	return true;
}

void netlink_writer_init(struct netlink_writer *writer, void *bytes, size_t room)
{
	*writer = (struct netlink_writer){.bytes = bytes, .room = room};
}

/* `length` bytes and their padding, zeroed; NULL when there is no room. */
static uint8_t *extend(struct netlink_writer *writer, size_t length)
{
	size_t padded = NETLINK_ALIGN(length);

	if (writer->full || padded > writer->room - writer->length) {
		writer->full = true;
		return NULL;
	}
	uint8_t *bytes = writer->bytes + writer->length;

	memset(bytes, 0, padded);
	writer->length += padded;
	return bytes;
}

void netlink_begin(struct netlink_writer *writer, const struct nlmsghdr *header)
{
	writer->message = writer->length;
	netlink_put_bytes(writer, header, sizeof(*header));
}

bool netlink_end(struct netlink_writer *writer)
{
	if (writer->full) {
		writer->length = writer->message;
		writer->full = false;
		return false;
	}
	uint32_t length = (uint32_t)(writer->length - writer->message);

	memcpy(writer->bytes + writer->message + offsetof(struct nlmsghdr, nlmsg_len), &length,
	       sizeof(length));
	return true;
}

void netlink_put_bytes(struct netlink_writer *writer, const void *bytes, size_t length)
{
	uint8_t *to = extend(writer, length);

	if (to && length)
		memcpy(to, bytes, length);
}

void netlink_put(struct netlink_writer *writer, uint16_t type, const void *value, size_t length)
{
	const struct nlattr header = {.nla_len = (uint16_t)(ATTRIBUTE_HEADER + length),
				      .nla_type = type};
	uint8_t *to = extend(writer, ATTRIBUTE_HEADER + length);

	if (!to)
		return;
	memcpy(to, &header, sizeof(header));
	if (length)
		memcpy(to + sizeof(header), value, length);
}

void netlink_put_u8(struct netlink_writer *writer, uint16_t type, uint8_t value)
{
	netlink_put(writer, type, &value, sizeof(value));
}

void netlink_put_u32(struct netlink_writer *writer, uint16_t type, uint32_t value)
{
	netlink_put(writer, type, &value, sizeof(value));
}

void netlink_put_be32(struct netlink_writer *writer, uint16_t type, uint32_t value)
{
	uint8_t bytes[sizeof(value)];

	put_be32(bytes, value);
	netlink_put(writer, type, bytes, sizeof(bytes));
}

void netlink_put_string(struct netlink_writer *writer, uint16_t type, const char *text)
{
	netlink_put(writer, type, text, strlen(text) + 1);
}

size_t netlink_begin_nest(struct netlink_writer *writer, uint16_t type)
{
	size_t nest = writer->length;

	netlink_put(writer, type, NULL, 0);
	return nest;
}

void netlink_end_nest(struct netlink_writer *writer, size_t nest)
{
	uint16_t length = (uint16_t)(writer->length - nest);

	if (!writer->full)
		memcpy(writer->bytes + nest + offsetof(struct nlattr, nla_len), &length,
		       sizeof(length));
}
