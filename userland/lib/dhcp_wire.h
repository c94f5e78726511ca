/*
 * DHCP messages as bytes: RFC 2131 section 2, the options of RFC 2132, long options of RFC 3396 and
 * classless routes of RFC 3442. Pure functions: no state, no allocation, no socket.
 *
 * Addresses are numbers in host byte order, times are seconds. 0 means "not given".
 */
#ifndef USERLAND_LIB_DHCP_WIRE_H
#define USERLAND_LIB_DHCP_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68
#define DHCP_BROADCAST 0xffffffffu

/*
 * Every receiver takes a message of this many bytes (RFC 2131 section 2); none of ours is longer.
 */
#define DHCP_REQUEST_MAX 548
/*
 * The longest message that fits an Ethernet frame with IPv4 and UDP headers: what we ask for at
 * most.
 */
#define DHCP_REPLY_MAX 1472

#define DHCP_HARDWARE_LENGTH 6
#define DHCP_DNS_MAX 3
#define DHCP_ROUTES_MAX 8
#define DHCP_DOMAIN_MAX 253
#define DHCP_LEASE_FOREVER 0xffffffffu

enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER = 2,
	DHCP_REQUEST = 3,
	DHCP_DECLINE = 4,
	DHCP_ACK = 5,
	DHCP_NAK = 6,
	DHCP_RELEASE = 7,
};

/* Why a message was refused. */
enum dhcp_error {
	DHCP_OK,
	DHCP_TOO_SHORT,    /* ends before the options */
	DHCP_NOT_A_REPLY,  /* a request, or a type that servers do not send */
	DHCP_NOT_ETHERNET, /* another kind of hardware address */
	DHCP_BAD_COOKIE,   /* BOOTP, or not DHCP at all */
	DHCP_BAD_LIST,     /* an option cut short, or no end mark */
	DHCP_BAD_OPTION,   /* an option of impossible length */
	DHCP_BAD_ADDRESS,  /* an address that no host may have */
	DHCP_INCOMPLETE,   /* no type, server or (unless it is a NAK) lease time */
};

struct dhcp_route {
	uint32_t destination;
	uint32_t gateway; /* 0: on the link itself */
	uint8_t prefix_length;
};

/*
 * A server's OFFER, ACK or NAK after every check that needs no state. A NAK has the first four
 * only.
 */
struct dhcp_reply {
	enum dhcp_type type;
	uint32_t transaction;
	uint8_t hardware[DHCP_HARDWARE_LENGTH];
	uint32_t server;

	uint32_t address; /* offered to us: a unicast address */
	uint32_t netmask; /* always given: the address's class decides where the server is silent */
	uint32_t broadcast;
	uint32_t lease;         /* never 0; DHCP_LEASE_FOREVER */
	uint32_t renew, rebind; /* T1 and T2 as the server wishes */
	uint16_t mtu;           /* at least 68 */

	/* From option 121, or one default route by the first router of option 3. */
	struct dhcp_route routes[DHCP_ROUTES_MAX];
	unsigned route_count;
	uint32_t dns[DHCP_DNS_MAX];
	unsigned dns_count;
	char domain[DHCP_DOMAIN_MAX + 1]; /* letters, digits, '.', '-' and '_' only, or empty */
};

/* What a client says. */
struct dhcp_request {
	enum dhcp_type type;
	uint32_t transaction;
	uint16_t seconds; /* since the client began */
	uint8_t hardware[DHCP_HARDWARE_LENGTH];
	uint32_t client;    /* the address it has and uses, else 0: then the answer is broadcast */
	uint32_t requested; /* option 50 */
	uint32_t server;    /* option 54 */
	const char *hostname; /* option 12, NULL or at most 63 bytes */
};

/*
 * Checks `length` bytes of a UDP payload and fills *reply, which is undefined unless DHCP_OK is
 * returned. An option whose length is impossible refuses the message; an optional option whose
 * value is of no use (a netmask with holes, an MTU below 68) is left out.
 */
enum dhcp_error dhcp_parse(const uint8_t *bytes, size_t length, struct dhcp_reply *reply);

/* Writes the message and returns its length. */
size_t dhcp_emit(const struct dhcp_request *request, uint8_t message[DHCP_REQUEST_MAX]);

/* The netmask of an address's class (RFC 791 section 3.2). */
uint32_t dhcp_class_netmask(uint32_t address);

const char *dhcp_error_text(enum dhcp_error error);

#endif
