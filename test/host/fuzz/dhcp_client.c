/*
 * The DHCP client's state machine (userland/lib/dhcp_client.h) with a server, a neighbour and a
 * clock that do anything. The input is a list of steps: one byte each, and their arguments:
 *
 *	0	start
 *	1	time goes on to the deadline
 *	2 n	n seconds pass (2 bytes), with every deadline on the way
 *	3 f ... a message: see build_message
 *	4 n, m	a message of n bytes as they stand
 *	5 n	a conflict about the address offered, or (bit 0 of n) another
 *	6	the lease is given back
 *	7 n	n milliseconds pass (1 byte) without a tick
 */
#include "userland/lib/dhcp_client.h"

#include "test/host/fuzz/fuzz.h"
#include "userland/lib/bytes.h"

#define STEPS 8
#define STEPS_MAX 200
#define SECOND 1000000ull
#define SERVER 0x0a000001u
#define OTHER_SERVER 0x0a000002u
#define ADDRESS 0x0a000064u

/* The flags of a message that is built. */
#define WRONG_TRANSACTION 0x01
#define WRONG_HARDWARE 0x02
#define FROM_OTHER_SERVER 0x04
#define OTHER_ADDRESS 0x08
#define WITH_TIMES 0x10 /* T1 and T2 follow, 4 bytes each */
#define WITH_LEASE 0x20 /* the lease's length follows, 4 bytes; else 600 s */
#define WITH_MORE 0x40  /* a count and as many bytes of further options follow */

static const uint8_t our_hardware[DHCP_HARDWARE_LENGTH] = {2, 0, 0, 0, 0, 1};

struct bench {
	struct dhcp_client client;
	uint64_t now;
	uint32_t next_random;
	unsigned sent, probes; /* in this step */
	bool applied;
};

static void sent(void *context, uint32_t destination, const uint8_t *message, size_t length)
{
	struct bench *bench = context;

	CHECK(length >= 300 && length <= DHCP_REQUEST_MAX);
	CHECK(destination == DHCP_BROADCAST || bench->applied);
	CHECK(message[0] == 1 && get_be32(message + 4) == bench->client.transaction);
	bench->sent++;
}

static void probed(void *context, uint32_t address)
{
	struct bench *bench = context;

	CHECK(bench->client.state == DHCP_CHECKING && address == bench->client.offer.address);
	bench->probes++;
}

static void applied(void *context, const struct dhcp_reply *lease)
{
	struct bench *bench = context;

	CHECK(lease->address && lease->netmask && lease->lease);
	bench->applied = true;
}

static void removed(void *context)
{
	struct bench *bench = context;

	CHECK(bench->applied);
	bench->applied = false;
}

static uint32_t drawn(void *context)
{
	struct bench *bench = context;

	return bench->next_random = bench->next_random * 1664525u + 1013904223u;
}

static const struct dhcp_client_ops ops = {sent, probed, applied, removed, drawn};

/* What holds between any two steps. */
static void check_client(struct bench *bench)
{
	const struct dhcp_client *client = &bench->client;
	bool holds = client->state == DHCP_BOUND || client->state == DHCP_RENEWING ||
		     client->state == DHCP_REBINDING;

	CHECK(bench->sent <= 2 && bench->probes <= 1);
	CHECK(client->configured == bench->applied);
	CHECK(client->configured == holds);
	CHECK((client->state == DHCP_STOPPED) <= (client->deadline == DHCP_NEVER));
	CHECK(dhcp_state_text(client->state)[0]);
	if (holds)
		CHECK(client->renew_at <= client->rebind_at &&
		      client->rebind_at <= client->expires_at);
	bench->sent = bench->probes = 0;
}

/* The deadline has come. Time must go on: a client that is due again at once never ends. */
static void tick(struct bench *bench)
{
	dhcp_client_tick(&bench->client, bench->now);
	CHECK(bench->client.deadline > bench->now || bench->client.state == DHCP_INIT ||
	      bench->client.configured);
	check_client(bench);
}

static void wait_for_deadline(struct bench *bench)
{
	if (bench->client.deadline == DHCP_NEVER)
		return;
	if (bench->now < bench->client.deadline)
		bench->now = bench->client.deadline;
	tick(bench);
}

static void pass_seconds(struct bench *bench, uint64_t seconds)
{
	uint64_t end = bench->now + seconds * SECOND;
	unsigned ticks = 0;

	while (bench->client.deadline <= end) {
		wait_for_deadline(bench);
		CHECK(++ticks < 20 * (seconds + 100)); /* else it floods the network */
		if (ticks > 100)
			break;
	}
	if (bench->now < end)
		bench->now = end;
}

static uint8_t *put_number(uint8_t *at, uint8_t option, uint32_t number)
{
	*at++ = option;
	*at++ = 4;
	put_be32(at, number);
	return at + 4;
}

static uint8_t *put_rest(struct fuzz_input *input, uint8_t *at)
{
	size_t n;
	const uint8_t *bytes = fuzz_bytes(input, fuzz_u8(input), &n);

	if (n)
		memcpy(at, bytes, n);
	return at + n;
}

/* Flags, the message's type, and what the flags announce. Returns the length. */
static size_t build_message(struct bench *bench, struct fuzz_input *input, uint8_t *to)
{
	uint8_t flags = fuzz_u8(input), *at = to + 240;

	memset(to, 0, 240);
	to[0] = 2;
	to[1] = 1;
	to[2] = DHCP_HARDWARE_LENGTH;
	put_be32(to + 4, bench->client.transaction ^ (flags & WRONG_TRANSACTION));
	put_be32(to + 16, flags & OTHER_ADDRESS ? ADDRESS + 1 : ADDRESS);
	memcpy(to + 28, our_hardware, sizeof(our_hardware));
	to[28] ^= flags & WRONG_HARDWARE;
	put_be32(to + 236, 0x63825363);
	*at++ = 53;
	*at++ = 1;
	*at++ = fuzz_u8(input) % 8;
	at = put_number(at, 54, flags & FROM_OTHER_SERVER ? OTHER_SERVER : SERVER);
	if (flags & WITH_TIMES) {
		at = put_number(at, 58, fuzz_u32(input));
		at = put_number(at, 59, fuzz_u32(input));
	}
	at = put_number(at, 51, flags & WITH_LEASE ? fuzz_u32(input) : 600);
	if (flags & WITH_MORE)
		at = put_rest(input, at);
	*at++ = 255;
	return (size_t)(at - to);
}

static void receive(struct bench *bench, const uint8_t *message, size_t length)
{
	dhcp_client_receive(&bench->client, bench->now, message, length);
}

static void step(struct bench *bench, struct fuzz_input *input)
{
	uint8_t message[240 + 512];
	struct dhcp_client *client = &bench->client;
	const uint8_t *bytes;
	size_t n;

	switch (fuzz_u8(input) % STEPS) {
	case 0:
		if (client->state == DHCP_STOPPED)
			dhcp_client_start(client, bench->now);
		break;
	case 1:
		wait_for_deadline(bench);
		break;
	case 2:
		pass_seconds(bench, fuzz_u16(input));
		break;
	case 3:
		n = build_message(bench, input, message);
		receive(bench, message, n);
		break;
	case 4:
		bytes = fuzz_bytes(input, fuzz_u16(input), &n);
		receive(bench, bytes, n);
		break;
	case 5:
		dhcp_client_conflict(client, bench->now,
				     client->offer.address ^ (fuzz_u8(input) & 1));
		break;
	case 6:
		dhcp_client_release(client, bench->now);
		CHECK(client->state == DHCP_STOPPED);
		break;
	default:
		bench->now += fuzz_u8(input) * 1000u;
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct bench bench = {.now = SECOND, .next_random = 1};

	dhcp_client_init(&bench.client, our_hardware, &ops, &bench);
	for (unsigned i = 0; i < STEPS_MAX && input.left > 0; i++) {
		step(&bench, &input);
		check_client(&bench);
	}
	dhcp_client_release(&bench.client, bench.now);
	CHECK(!bench.applied && bench.client.deadline == DHCP_NEVER);
	return 0;
}
