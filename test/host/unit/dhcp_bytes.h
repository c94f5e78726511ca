/* Builds a DHCP server's messages, right or wrong, for the tests of the client. */
#ifndef TEST_HOST_UNIT_DHCP_BYTES_H
#define TEST_HOST_UNIT_DHCP_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "userland/lib/bytes.h"
#include "userland/lib/dhcp_wire.h"

#define OFFERED 0x0a4d0064u /* 10.77.0.100 */
#define SERVER 0x0a4d0001u  /* 10.77.0.1 */
#define OTHER_SERVER 0x0a4d0002u
#define TRANSACTION 0x12345678u

static const uint8_t our_hardware[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

struct dhcp_bytes {
	uint8_t bytes[1500];
	size_t length;
};

static inline void add_option(struct dhcp_bytes *message, uint8_t code, uint8_t length,
			      const void *value)
{
	message->bytes[message->length++] = code;
	message->bytes[message->length++] = length;
	memcpy(message->bytes + message->length, value, length);
	message->length += length;
}

static inline void add_number(struct dhcp_bytes *message, uint8_t code, uint32_t number)
{
	uint8_t value[4];

	put_be32(value, number);
	add_option(message, code, 4, value);
}

static inline void add_end(struct dhcp_bytes *message)
{
	message->bytes[message->length++] = 255;
}

/* The fixed part and no option at all. */
static inline void begin_bare(struct dhcp_bytes *message, uint32_t address)
{
	memset(message, 0, sizeof(*message));
	message->bytes[0] = 2;
	message->bytes[1] = 1;
	message->bytes[2] = 6;
	put_be32(message->bytes + 4, TRANSACTION);
	put_be32(message->bytes + 16, address);
	memcpy(message->bytes + 28, our_hardware, 6);
	put_be32(message->bytes + 236, 0x63825363);
	message->length = 240;
}

/*
 * Type, server and, unless it is a NAK, a lease of two minutes and a netmask; the end is to be
 * added.
 */
static inline void begin_reply(struct dhcp_bytes *message, uint8_t type, uint32_t server,
			       uint32_t address)
{
	begin_bare(message, address);
	add_option(message, 53, 1, &type);
	add_number(message, 54, server);
	if (type == DHCP_NAK)
		return;
	add_number(message, 51, 120);
	add_number(message, 1, 0xffffff00);
}

#endif
