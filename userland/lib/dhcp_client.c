#include "userland/lib/dhcp_client.h"

#include <string.h>

#define SECOND 1000000ull

enum {
	/*
	 * RFC 2131 section 4.1 doubles from 4 s to 64 s; we begin at 1 s so that one lost frame
	 * does not delay the boot.
	 */
	RETRY_MAX_SECONDS = 64,
	REQUEST_TRIES = 4,
	PROBES = 2,
	DECLINE_SECONDS = 10,     /* RFC 2131 section 3.1, step 5 */
	RENEW_RETRY_SECONDS = 60, /* RFC 2131 section 4.4.5 */
};

/* RFC 5227 waits seconds; on a network of today an owner answers within this. */
static const uint64_t probe_interval = 150000;

void dhcp_client_init(struct dhcp_client *client, const uint8_t hardware[DHCP_HARDWARE_LENGTH],
		      const struct dhcp_client_ops *ops, void *context)
{
	memset(client, 0, sizeof(*client));
	memcpy(client->hardware, hardware, DHCP_HARDWARE_LENGTH);
	client->ops = ops;
	client->context = context;
	client->state = DHCP_STOPPED;
	client->deadline = DHCP_NEVER;
}

static void enter_init(struct dhcp_client *client, uint64_t at)
{
	client->state = DHCP_INIT;
	client->deadline = at;
}

void dhcp_client_start(struct dhcp_client *client, uint64_t now)
{
	client->refusals = 0;
	enter_init(client, now);
}

/* A new exchange: a new transaction number, so that late answers to the last one do not count. */
static void begin(struct dhcp_client *client, enum dhcp_state state, uint64_t now)
{
	client->state = state;
	client->transaction = client->ops->random(client->context);
	client->started = now;
	client->tries = 0;
}

/* 1, 2, 4 ... 64 s, each up to a quarter longer, so that machines started together drift apart. */
static uint64_t retry_interval(const struct dhcp_client *client, unsigned tries)
{
	uint64_t interval = tries < 7 ? SECOND << tries : RETRY_MAX_SECONDS * SECOND;

	return interval + client->ops->random(client->context) % (interval / 4);
}

/* ---- Sending ---- */

static void send_request(const struct dhcp_client *client, uint32_t destination,
			 const struct dhcp_request *request)
{
	uint8_t message[DHCP_REQUEST_MAX];
	size_t length = dhcp_emit(request, message);

	client->ops->send(client->context, destination, message, length);
}

/* What every message of the client says. */
static struct dhcp_request new_request(const struct dhcp_client *client, enum dhcp_type type,
				       uint64_t now)
{
	uint64_t seconds = (now - client->started) / SECOND;
	struct dhcp_request request = {
		.type = type,
		.transaction = client->transaction,
		.seconds = seconds < UINT16_MAX ? (uint16_t)seconds : UINT16_MAX,
		.hostname = client->hostname,
	};

	memcpy(request.hardware, client->hardware, DHCP_HARDWARE_LENGTH);
	return request;
}

static void discover(struct dhcp_client *client, uint64_t now)
{
	struct dhcp_request request = new_request(client, DHCP_DISCOVER, now);

	request.requested = client->wanted;
	send_request(client, DHCP_BROADCAST, &request);
	client->deadline = now + retry_interval(client, client->tries++);
}

/* RFC 2131 section 4.3.2, SELECTING: names the server and the address, by broadcast. */
static void request_offer(struct dhcp_client *client, uint64_t now)
{
	struct dhcp_request request = new_request(client, DHCP_REQUEST, now);

	request.requested = client->offer.address;
	request.server = client->offer.server;
	send_request(client, DHCP_BROADCAST, &request);
	client->requested = now;
	client->deadline = now + retry_interval(client, client->tries++);
}

/* RFC 2131 section 4.3.2, RENEWING and REBINDING: the address in use says it all. */
static void extend_lease(struct dhcp_client *client, uint64_t now)
{
	struct dhcp_request request = new_request(client, DHCP_REQUEST, now);
	bool renewing = client->state == DHCP_RENEWING;
	uint64_t end = renewing ? client->rebind_at : client->expires_at;
	uint64_t shortest = client->lease.lease * SECOND / 8;
	uint64_t wait = (end - now) / 2;

	request.client = client->lease.address;
	send_request(client, renewing ? client->lease.server : DHCP_BROADCAST, &request);
	client->requested = now;
	client->tries++;

	/*
	 * RFC 2131 section 4.4.5: again after half of what is left, but not within 60 s. A lease of
	 * a few minutes would have no second try then: an eighth of it is long enough.
	 */
	if (shortest > RENEW_RETRY_SECONDS * SECOND)
		shortest = RENEW_RETRY_SECONDS * SECOND;
	if (wait < shortest)
		wait = shortest;
	client->deadline = end - now < wait ? end : now + wait;
}

static void decline(struct dhcp_client *client, uint64_t now)
{
	struct dhcp_request request = new_request(client, DHCP_DECLINE, now);

	request.requested = client->offer.address;
	request.server = client->offer.server;
	send_request(client, DHCP_BROADCAST, &request);
}

/* ---- The lease ---- */

static void end_lease(struct dhcp_client *client)
{
	if (!client->configured)
		return;
	client->configured = false;
	client->ops->remove(client->context);
}

/*
 * RFC 2131 section 4.4.5: T1 and T2 are the server's, or a half and seven eighths of the lease, the
 * half a little early by chance so that clients do not ask in step. The server's must be in order
 * and within the lease, or neither counts.
 */
static void set_times(struct dhcp_client *client)
{
	uint32_t lease = client->lease.lease;
	uint64_t renew = client->lease.renew * SECOND;
	uint64_t rebind = client->lease.rebind * SECOND;

	if (lease == DHCP_LEASE_FOREVER) {
		client->renew_at = client->rebind_at = client->expires_at = DHCP_NEVER;
		return;
	}
	if (renew == 0 || renew > rebind || rebind > lease * SECOND) {
		renew = lease * SECOND / 2;
		renew -= client->ops->random(client->context) % (renew / 16);
		rebind = lease * SECOND / 8 * 7;
	}
	client->renew_at = client->requested + renew;
	client->rebind_at = client->requested + rebind;
	client->expires_at = client->requested + lease * SECOND;
}

static void bind_lease(struct dhcp_client *client)
{
	client->lease = client->offer;
	client->wanted = client->lease.address;
	client->refusals = 0;
	client->configured = true;
	client->state = DHCP_BOUND;
	set_times(client);
	client->deadline = client->renew_at;
	client->ops->apply(client->context, &client->lease);
}

static void send_probe(struct dhcp_client *client, uint64_t now)
{
	client->ops->probe(client->context, client->offer.address);
	client->tries++;
	client->deadline = now + probe_interval;
}

static void start_checking(struct dhcp_client *client, uint64_t now)
{
	client->state = DHCP_CHECKING;
	client->tries = 0;
	send_probe(client, now);
}

/* The server acknowledged client->offer. An address already in use here need not be checked. */
static void accept_lease(struct dhcp_client *client, uint64_t now)
{
	if (client->configured && client->lease.address == client->offer.address) {
		bind_lease(client);
		return;
	}
	end_lease(client);
	start_checking(client, now);
}

/* RFC 2131 section 3.1, step 4, with a growing pause: a server that only refuses is not flooded. */
static void refused(struct dhcp_client *client, uint64_t now)
{
	end_lease(client);
	client->wanted = 0;
	enter_init(client, now + retry_interval(client, client->refusals++));
}

/* ---- What comes in ---- */

static void take_offer(struct dhcp_client *client, uint64_t now, const struct dhcp_reply *reply)
{
	if (reply->type != DHCP_OFFER)
		return;
	client->offer = *reply;
	client->state = DHCP_REQUESTING;
	client->tries = 0;
	request_offer(client, now);
}

static void take_answer(struct dhcp_client *client, uint64_t now, const struct dhcp_reply *reply)
{
	if (reply->type == DHCP_NAK) {
		refused(client, now);
		return;
	}
	if (reply->type != DHCP_ACK)
		return;
	if (client->state == DHCP_REQUESTING && reply->address != client->offer.address)
		return;
	client->offer = *reply;
	accept_lease(client, now);
}

void dhcp_client_receive(struct dhcp_client *client, uint64_t now, const uint8_t *message,
			 size_t length)
{
	struct dhcp_reply reply;

	if (dhcp_parse(message, length, &reply) != DHCP_OK)
		return;
	if (reply.transaction != client->transaction)
		return;
	if (memcmp(reply.hardware, client->hardware, DHCP_HARDWARE_LENGTH) != 0)
		return;

	switch (client->state) {
	case DHCP_SELECTING:
		take_offer(client, now, &reply);
		return;
	case DHCP_REQUESTING:
		if (reply.server == client->offer.server)
			take_answer(client, now, &reply);
		return;
	case DHCP_RENEWING:
		if (reply.server == client->lease.server)
			take_answer(client, now, &reply);
		return;
	case DHCP_REBINDING:
		take_answer(client, now, &reply);
		return;
	default:
		return;
	}
}

/* RFC 2131 section 4.4.1: tell the server, wait, and begin again. */
void dhcp_client_conflict(struct dhcp_client *client, uint64_t now, uint32_t address)
{
	if (client->state != DHCP_CHECKING || address != client->offer.address)
		return;
	decline(client, now);
	client->wanted = 0;
	enter_init(client, now + DECLINE_SECONDS * SECOND);
}

/* ---- Time ---- */

static void start_discovery(struct dhcp_client *client, uint64_t now)
{
	begin(client, DHCP_SELECTING, now);
	discover(client, now);
}

void dhcp_client_tick(struct dhcp_client *client, uint64_t now)
{
	if (now < client->deadline)
		return;
	if (client->configured && now >= client->expires_at) {
		end_lease(client);
		start_discovery(client, now);
		return;
	}

	switch (client->state) {
	case DHCP_STOPPED:
		return;
	case DHCP_INIT:
		start_discovery(client, now);
		return;
	case DHCP_SELECTING:
		discover(client, now);
		return;
	case DHCP_REQUESTING:
		if (client->tries < REQUEST_TRIES)
			request_offer(client, now);
		else
			start_discovery(client, now);
		return;
	case DHCP_CHECKING:
		if (client->tries < PROBES)
			send_probe(client, now);
		else
			bind_lease(client);
		return;
	case DHCP_BOUND:
		begin(client, DHCP_RENEWING, now);
		break;
	case DHCP_RENEWING:
	case DHCP_REBINDING:
		break;
	}
	if (now >= client->rebind_at)
		client->state = DHCP_REBINDING;
	extend_lease(client, now);
}

void dhcp_client_release(struct dhcp_client *client, uint64_t now)
{
	struct dhcp_request request;

	if (client->configured) {
		begin(client, DHCP_STOPPED, now);
		request = new_request(client, DHCP_RELEASE, now);
		request.client = client->lease.address;
		request.server = client->lease.server;
		send_request(client, client->lease.server, &request);
		end_lease(client);
	}
	client->state = DHCP_STOPPED;
	client->deadline = DHCP_NEVER;
}

const char *dhcp_state_text(enum dhcp_state state)
{
	static const char *const texts[] = {
		[DHCP_STOPPED] = "stopped",     [DHCP_INIT] = "init",
		[DHCP_SELECTING] = "selecting", [DHCP_REQUESTING] = "requesting",
		[DHCP_CHECKING] = "checking",   [DHCP_BOUND] = "bound",
		[DHCP_RENEWING] = "renewing",   [DHCP_REBINDING] = "rebinding",
	};

	return texts[state];
}
