/*
 * The format of netlink(7): messages within a datagram, attributes within a message, in host byte
 * order and padded to 4. No state, no allocation, no socket.
 *
 * Reading checks every length; what it gives points into the caller's bytes. Writing goes into room
 * of the caller's, and remembers that it did not suffice, so that writers need no error paths.
 */
#ifndef NET_NETLINK_NETLINK_WIRE_H
#define NET_NETLINK_NETLINK_WIRE_H

#include "include/uapi/netlink.h"
#include "kernel/types.h"

#define NETLINK_ALIGN(length) (((length) + 3u) & ~(size_t)3)
#define NETLINK_HEADER sizeof(struct nlmsghdr)

/* One message, known to be all there. */
struct netlink_message {
	struct nlmsghdr header;
	const uint8_t *start; /* its header, as it stands in the datagram */
	const uint8_t *payload;
	size_t length; /* of the payload */
};

/* What is left of a datagram. */
struct netlink_reader {
	const uint8_t *at;
	size_t left;
};

/* Takes the next message. False: the end, or what is left is no message. */
bool netlink_read_message(struct netlink_reader *reader, struct netlink_message *message);

/* An attribute's value; `value` is NULL when it is not there. */
struct netlink_attribute {
	const uint8_t *value;
	uint16_t length;
	uint16_t offset; /* of its header, from the start of the attributes */
};

/* What attributes a message may have: the shortest value of each type, by type. */
struct netlink_policy {
	uint16_t most; /* the highest type that is known */
	const uint8_t *least;
};

/* What is wrong with a list of attributes. */
enum netlink_trouble {
	NETLINK_FINE,
	NETLINK_ATTRIBUTE_CUT,     /* a length below 4, or past the end */
	NETLINK_ATTRIBUTE_SHORT,   /* the value is shorter than its type says */
	NETLINK_ATTRIBUTE_UNKNOWN, /* strict only */
};

/*
 * Fills `table`, of policy->most + 1 entries, with the attributes by type; of two of one type the
 * last counts. `strict`: types beyond the table are trouble, else they are passed over. *offset: of
 * what is wrong.
 */
enum netlink_trouble netlink_read_attributes(const uint8_t *bytes, size_t length,
					     const struct netlink_policy *policy, bool strict,
					     struct netlink_attribute *table, size_t *offset);

/* Numbers of attributes whose length the policy has assured. */
uint8_t netlink_u8(const struct netlink_attribute *attribute);
uint16_t netlink_u16(const struct netlink_attribute *attribute);
uint32_t netlink_u32(const struct netlink_attribute *attribute);
/* An address: four bytes in network order, as a number in host order. */
uint32_t netlink_be32(const struct netlink_attribute *attribute);
/* Copies a string that may or may not end with a zero. False: it does not fit in `size`. */
bool netlink_string(const struct netlink_attribute *attribute, char *to, size_t size);

struct netlink_writer {
	uint8_t *bytes;
	size_t room, length;
	size_t message; /* where the current message begins */
	bool full;      /* something did not fit in it */
};

void netlink_writer_init(struct netlink_writer *writer, void *bytes, size_t room);

/* Begins a message like `header`, whose nlmsg_len does not count. */
void netlink_begin(struct netlink_writer *writer, const struct nlmsghdr *header);
/* Ends it. False: it did not fit, and is taken back; the writer can be used further. */
bool netlink_end(struct netlink_writer *writer);

/* The fixed part of a message, padded. */
void netlink_put_bytes(struct netlink_writer *writer, const void *bytes, size_t length);

void netlink_put(struct netlink_writer *writer, uint16_t type, const void *value, size_t length);
void netlink_put_u8(struct netlink_writer *writer, uint16_t type, uint8_t value);
void netlink_put_u32(struct netlink_writer *writer, uint16_t type, uint32_t value);
void netlink_put_be32(struct netlink_writer *writer, uint16_t type, uint32_t value);
void netlink_put_string(struct netlink_writer *writer, uint16_t type, const char *text);

/*
 * An attribute that holds attributes: begin gives what end wants. Without NLA_F_NESTED, which
 * programs do not expect of the attributes that are older than it.
 */
size_t netlink_begin_nest(struct netlink_writer *writer, uint16_t type);
void netlink_end_nest(struct netlink_writer *writer, size_t nest);

#endif
