/*
 * The DHCP client of RFC 2131 section 4.4 as pure logic: messages, conflicts and the passing of
 * time go in, and what is to be done comes out through a table of functions. No sockets, no clock,
 * no globals: a program gives it the real ones, a test gives it its own and lets days pass at once.
 *
 * Times are microseconds of any clock that never goes back. The caller calls dhcp_client_tick()
 * when the clock reaches client->deadline, which every call of this file may change.
 */
#ifndef USERLAND_LIB_DHCP_CLIENT_H
#define USERLAND_LIB_DHCP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "userland/lib/dhcp_wire.h"

#define DHCP_NEVER UINT64_MAX

enum dhcp_state {
	DHCP_STOPPED,
	DHCP_INIT,       /* will look for a server at the deadline */
	DHCP_SELECTING,  /* DISCOVER sent: the first sound offer is taken */
	DHCP_REQUESTING, /* REQUEST sent to the server that offered */
	DHCP_CHECKING,   /* acknowledged; does anybody have the address already? */
	DHCP_BOUND,
	DHCP_RENEWING,  /* past T1: asks the server that gave the lease */
	DHCP_REBINDING, /* past T2: asks everybody */
};

struct dhcp_client_ops {
	/* Sends a message to port 67 of `destination`, DHCP_BROADCAST or a server. */
	void (*send)(void *context, uint32_t destination, const uint8_t *message, size_t length);
	/* Sends an ARP probe for `address`; a conflict comes back as dhcp_client_conflict(). */
	void (*probe)(void *context, uint32_t address);
	/* The lease is good: configure. Called again when it is renewed, perhaps with changes. */
	void (*apply)(void *context, const struct dhcp_reply *lease);
	/* The lease applied last has ended: the address must not be used any more. */
	void (*remove)(void *context);
	/* 32 bits that nobody can guess. */
	uint32_t (*random)(void *context);
};

/* Owned by the caller; it may read everything and change nothing. */
struct dhcp_client {
	const struct dhcp_client_ops *ops;
	void *context;
	uint8_t hardware[DHCP_HARDWARE_LENGTH];
	const char *hostname; /* NULL or borrowed */
	uint32_t wanted;      /* an address to ask for, or 0 */

	enum dhcp_state state;
	uint64_t deadline;  /* of the next tick, or DHCP_NEVER */
	uint64_t started;   /* when this search or renewal began */
	uint64_t requested; /* when the lease was asked for: its times count from there */
	uint32_t transaction;
	unsigned tries;    /* messages sent, or probes, in this state */
	unsigned refusals; /* NAKs since the last lease */

	struct dhcp_reply offer; /* asked for or being checked */
	struct dhcp_reply lease; /* while `configured` */
	bool configured;         /* apply() was called, and remove() not since */
	uint64_t renew_at, rebind_at, expires_at;
};

/* The client is stopped until dhcp_client_start(). */
void dhcp_client_init(struct dhcp_client *client, const uint8_t hardware[DHCP_HARDWARE_LENGTH],
		      const struct dhcp_client_ops *ops, void *context);

void dhcp_client_start(struct dhcp_client *client, uint64_t now);

/* A UDP payload that came to port 68. What is malformed, or not for us, changes nothing. */
void dhcp_client_receive(struct dhcp_client *client, uint64_t now, const uint8_t *message,
			 size_t length);

/* Somebody else uses, or probes for, `address` (RFC 5227 section 2.1.1). */
void dhcp_client_conflict(struct dhcp_client *client, uint64_t now, uint32_t address);

void dhcp_client_tick(struct dhcp_client *client, uint64_t now);

/* Gives the lease back, if there is one, and stops. */
void dhcp_client_release(struct dhcp_client *client, uint64_t now);

const char *dhcp_state_text(enum dhcp_state state);

#endif
