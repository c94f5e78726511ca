/*
 * The DHCP client in virtual time: the test is the server, the network and the clock, so that a
 * lease of days passes in no time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/host/unit/dhcp_bytes.h"
#include "userland/lib/arp_probe.h"
#include "userland/lib/dhcp_client.h"

#define SECOND 1000000ull

/* What the client did, and the clock. */
struct world {
	struct dhcp_client client;
	uint64_t now;
	uint32_t next_random;

	unsigned sent;
	uint64_t sent_at;
	uint32_t destination;
	uint8_t message[DHCP_REQUEST_MAX];

	unsigned probes, applied, removed;
	struct dhcp_reply lease;
};

static void on_send(void *context, uint32_t destination, const uint8_t *message, size_t length)
{
	struct world *world = context;

	world->sent++;
	world->sent_at = world->now;
	world->destination = destination;
	memset(world->message, 0, sizeof(world->message));
	memcpy(world->message, message, length);
}

static void on_probe(void *context, uint32_t address)
{
	struct world *world = context;

	world->probes++;
	assert_int_equal(address, world->client.offer.address);
}

static void on_apply(void *context, const struct dhcp_reply *lease)
{
	struct world *world = context;

	world->applied++;
	world->lease = *lease;
}

static void on_remove(void *context)
{
	struct world *world = context;

	world->removed++;
}

/* Transactions count up; as jitter these numbers are next to nothing. */
static uint32_t on_random(void *context)
{
	struct world *world = context;

	return world->next_random++;
}

static const struct dhcp_client_ops ops = {
	.send = on_send,
	.probe = on_probe,
	.apply = on_apply,
	.remove = on_remove,
	.random = on_random,
};

static void start(struct world *world)
{
	memset(world, 0, sizeof(*world));
	world->now = 1000 * SECOND;
	world->next_random = 1;
	dhcp_client_init(&world->client, our_hardware, &ops, world);
	assert_int_equal(world->client.deadline, DHCP_NEVER);
	dhcp_client_start(&world->client, world->now);
}

/* The clock jumps to the client's deadline. */
static void step(struct world *world)
{
	assert_true(world->client.deadline != DHCP_NEVER);
	if (world->client.deadline > world->now)
		world->now = world->client.deadline;
	dhcp_client_tick(&world->client, world->now);
}

static void advance_to(struct world *world, uint64_t when)
{
	while (world->client.deadline <= when)
		step(world);
	world->now = when;
}

static uint8_t sent_type(const struct world *world)
{
	return world->message[242];
}

static uint32_t sent_transaction(const struct world *world)
{
	return get_be32(world->message + 4);
}

static uint32_t sent_option(const struct world *world, uint8_t code)
{
	for (size_t at = 240; world->message[at] != 255; at += 2u + world->message[at + 1])
		if (world->message[at] == code)
			return get_be32(world->message + at + 2);
	return 0;
}

static void deliver(struct world *world, struct dhcp_bytes *message)
{
	put_be32(message->bytes + 4, sent_transaction(world));
	add_end(message);
	dhcp_client_receive(&world->client, world->now, message->bytes, message->length);
}

static void answer(struct world *world, uint8_t type, uint32_t server, uint32_t address)
{
	struct dhcp_bytes message;

	begin_reply(&message, type, server, address);
	deliver(world, &message);
}

static void answer_with_times(struct world *world, uint8_t type, uint32_t lease, uint32_t renew,
			      uint32_t rebind)
{
	struct dhcp_bytes message;

	begin_bare(&message, OFFERED);
	add_option(&message, 53, 1, &type);
	add_number(&message, 54, SERVER);
	add_number(&message, 51, lease);
	add_number(&message, 58, renew);
	add_number(&message, 59, rebind);
	deliver(world, &message);
}

static void start_and_request(struct world *world)
{
	start(world);
	step(world);
	answer(world, DHCP_OFFER, SERVER, OFFERED);
	assert_int_equal(world->client.state, DHCP_REQUESTING);
}

/* The two probes pass without an answer. */
static void finish_check(struct world *world)
{
	assert_int_equal(world->client.state, DHCP_CHECKING);
	step(world);
	step(world);
	assert_int_equal(world->client.state, DHCP_BOUND);
}

static void start_and_bind(struct world *world)
{
	start_and_request(world);
	answer(world, DHCP_ACK, SERVER, OFFERED);
	finish_check(world);
}

static void start_and_bind_with_times(struct world *world, uint32_t lease, uint32_t renew,
				      uint32_t rebind)
{
	start_and_request(world);
	answer_with_times(world, DHCP_ACK, lease, renew, rebind);
	finish_check(world);
}

static void test_discover_to_ack(void **state)
{
	struct world world;
	uint32_t transaction;
	uint64_t asked;

	(void)state;
	start(&world);
	step(&world);
	assert_int_equal(sent_type(&world), DHCP_DISCOVER);
	assert_int_equal(world.destination, DHCP_BROADCAST);
	transaction = sent_transaction(&world);

	answer(&world, DHCP_OFFER, SERVER, OFFERED);
	assert_int_equal(sent_type(&world), DHCP_REQUEST);
	assert_int_equal(world.destination, DHCP_BROADCAST);
	assert_int_equal(sent_transaction(&world), transaction);
	assert_int_equal(sent_option(&world, 50), OFFERED);
	assert_int_equal(sent_option(&world, 54), SERVER);
	assert_int_equal(get_be32(world.message + 12), 0);
	asked = world.now;

	answer(&world, DHCP_ACK, SERVER, OFFERED);
	assert_int_equal(world.client.state, DHCP_CHECKING);
	assert_int_equal(world.probes, 1);
	assert_int_equal(world.applied, 0);
	step(&world);
	assert_int_equal(world.probes, 2);
	step(&world);
	assert_int_equal(world.now - asked, 300000);
	assert_int_equal(world.client.state, DHCP_BOUND);
	assert_int_equal(world.applied, 1);
	assert_int_equal(world.lease.address, OFFERED);
}

static void test_discover_backs_off(void **state)
{
	static const uint64_t seconds[] = {1, 2, 4, 8, 16, 32, 64, 64, 64};
	struct world world;

	(void)state;
	start(&world);
	step(&world);
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		uint64_t before = world.now;

		step(&world);
		assert_int_equal(world.sent, i + 2);
		assert_int_equal(sent_type(&world), DHCP_DISCOVER);
		assert_in_range(world.now - before, seconds[i] * SECOND,
				seconds[i] * SECOND * 5 / 4);
		assert_int_equal(get_be16(world.message + 8), (world.now / SECOND) - 1000);
	}
}

static void test_request_unanswered_starts_again(void **state)
{
	struct world world;

	(void)state;
	start_and_request(&world);
	for (unsigned i = 0; i < 3; i++) {
		step(&world);
		assert_int_equal(sent_type(&world), DHCP_REQUEST);
	}
	step(&world);
	assert_int_equal(sent_type(&world), DHCP_DISCOVER);
	assert_int_equal(world.client.state, DHCP_SELECTING);
}

static void test_renewal_at_t1(void **state)
{
	struct world world;
	uint64_t bound;

	(void)state;
	start_and_bind_with_times(&world, 120, 60, 105);
	bound = world.client.requested;
	step(&world);
	assert_int_equal(world.now, bound + 60 * SECOND);
	assert_int_equal(world.client.state, DHCP_RENEWING);
	assert_int_equal(sent_type(&world), DHCP_REQUEST);
	assert_int_equal(world.destination, SERVER);
	assert_int_equal(get_be32(world.message + 12), OFFERED);
	assert_int_equal(sent_option(&world, 50), 0);
	assert_int_equal(sent_option(&world, 54), 0);

	answer_with_times(&world, DHCP_ACK, 120, 60, 105);
	assert_int_equal(world.client.state, DHCP_BOUND);
	assert_int_equal(world.applied, 2);
	assert_int_equal(world.removed, 0);
	assert_int_equal(world.probes, 2);
	assert_int_equal(world.client.deadline, bound + 120 * SECOND);
}

/* The server that gave the lease is gone: T2, another server, and the lease goes on. */
static void test_rebinding_at_t2(void **state)
{
	struct world world;
	uint64_t bound;

	(void)state;
	start_and_bind_with_times(&world, 120, 60, 105);
	bound = world.client.requested;
	advance_to(&world, bound + 105 * SECOND - 1);
	assert_int_equal(world.client.state, DHCP_RENEWING);
	assert_int_equal(world.destination, SERVER);
	answer(&world, DHCP_ACK, OTHER_SERVER, OFFERED);
	assert_int_equal(world.client.state, DHCP_RENEWING);

	advance_to(&world, bound + 105 * SECOND);
	assert_int_equal(world.client.state, DHCP_REBINDING);
	assert_int_equal(world.destination, DHCP_BROADCAST);
	answer(&world, DHCP_ACK, OTHER_SERVER, OFFERED);
	assert_int_equal(world.client.state, DHCP_BOUND);
	assert_int_equal(world.lease.server, OTHER_SERVER);
}

static void test_expiry(void **state)
{
	struct world world;
	uint64_t bound;

	(void)state;
	start_and_bind_with_times(&world, 3600, 1800, 3150);
	bound = world.client.requested;
	advance_to(&world, bound + 3600 * SECOND - 1);
	assert_int_equal(world.removed, 0);
	assert_in_range(world.sent, 4, 40);
	advance_to(&world, bound + 3600 * SECOND);
	assert_int_equal(world.removed, 1);
	assert_int_equal(sent_type(&world), DHCP_DISCOVER);
	assert_int_equal(sent_option(&world, 50), OFFERED);
	assert_int_equal(world.client.state, DHCP_SELECTING);
	/* The same address again: checked again, because it was free meanwhile. */
	answer(&world, DHCP_OFFER, SERVER, OFFERED);
	answer(&world, DHCP_ACK, SERVER, OFFERED);
	finish_check(&world);
	assert_int_equal(world.applied, 2);
}

/* The machine slept through everything: the lease is over, and no message pretends otherwise. */
static void test_a_jump_beyond_expiry(void **state)
{
	struct world world;

	(void)state;
	start_and_bind(&world);
	world.now += 86400 * SECOND;
	dhcp_client_tick(&world.client, world.now);
	assert_int_equal(world.removed, 1);
	assert_int_equal(sent_type(&world), DHCP_DISCOVER);
}

static void test_renewals_are_retried_and_bounded(void **state)
{
	struct world world;
	unsigned before;

	(void)state;
	start_and_bind_with_times(&world, 86400, 43200, 75600);
	before = world.sent;
	advance_to(&world, world.client.requested + 75600 * SECOND - 1);
	/* Halves of 9 hours down to a minute: nine or ten, with the last minutes. */
	assert_in_range(world.sent - before, 8, 12);
}

static void test_lease_forever(void **state)
{
	struct world world;

	(void)state;
	start_and_request(&world);
	answer_with_times(&world, DHCP_ACK, 0xffffffff, 60, 105);
	finish_check(&world);
	assert_true(world.client.deadline == DHCP_NEVER);
}

static void test_lease_of_zero_is_no_offer(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	step(&world);
	answer_with_times(&world, DHCP_OFFER, 0, 0, 0);
	assert_int_equal(world.client.state, DHCP_SELECTING);
	assert_int_equal(world.sent, 1);
}

static void test_t1_after_t2(void **state)
{
	struct world world;

	(void)state;
	start_and_bind_with_times(&world, 800, 700, 400);
	/* Neither counts: a half (a little less) and seven eighths of the lease. */
	assert_in_range(world.client.renew_at - world.client.requested, 375 * SECOND, 400 * SECOND);
	assert_int_equal(world.client.rebind_at - world.client.requested, 700 * SECOND);
	start_and_bind_with_times(&world, 800, 100, 801);
	assert_int_equal(world.client.rebind_at - world.client.requested, 700 * SECOND);
}

static void test_nak_to_a_request(void **state)
{
	struct world world;

	(void)state;
	start_and_request(&world);
	answer(&world, DHCP_NAK, SERVER, 0);
	assert_int_equal(world.client.state, DHCP_INIT);
	assert_int_equal(world.removed, 0);
	step(&world);
	assert_int_equal(sent_type(&world), DHCP_DISCOVER);
	assert_int_equal(sent_option(&world, 50), 0);
}

static void test_nak_to_a_renewal(void **state)
{
	struct world world;

	(void)state;
	start_and_bind(&world);
	step(&world);
	answer(&world, DHCP_NAK, OTHER_SERVER, 0);
	assert_int_equal(world.client.state, DHCP_RENEWING);
	answer(&world, DHCP_NAK, SERVER, 0);
	assert_int_equal(world.client.state, DHCP_INIT);
	assert_int_equal(world.removed, 1);
}

/* A thousand NAKs in a row to one request count as one. */
static void test_flood_of_naks(void **state)
{
	struct world world;
	unsigned sent;

	(void)state;
	start_and_request(&world);
	sent = world.sent;
	for (unsigned i = 0; i < 1000; i++)
		answer(&world, DHCP_NAK, SERVER, 0);
	assert_int_equal(world.sent, sent);
	assert_int_equal(world.client.state, DHCP_INIT);
}

/* A server that offers and then refuses, for an hour: the pauses grow, a few messages a minute. */
static void test_server_that_always_refuses(void **state)
{
	struct world world;
	uint64_t end;

	(void)state;
	start(&world);
	end = world.now + 3600 * SECOND;
	while (world.now < end) {
		step(&world);
		answer(&world, DHCP_OFFER, SERVER, OFFERED);
		answer(&world, DHCP_NAK, SERVER, 0);
	}
	assert_in_range(world.sent, 20, 140);
	assert_int_equal(world.applied, 0);
}

static void test_conflict_is_declined(void **state)
{
	struct world world;
	uint64_t declined;

	(void)state;
	start_and_request(&world);
	answer(&world, DHCP_ACK, SERVER, OFFERED);
	dhcp_client_conflict(&world.client, world.now, OFFERED + 1);
	assert_int_equal(world.client.state, DHCP_CHECKING);
	dhcp_client_conflict(&world.client, world.now, OFFERED);
	declined = world.now;
	assert_int_equal(sent_type(&world), DHCP_DECLINE);
	assert_int_equal(sent_option(&world, 50), OFFERED);
	assert_int_equal(sent_option(&world, 54), SERVER);
	assert_int_equal(world.client.state, DHCP_INIT);
	step(&world);
	assert_int_equal(world.now - declined, 10 * SECOND);
	assert_int_equal(sent_type(&world), DHCP_DISCOVER);
	assert_int_equal(sent_option(&world, 50), 0);
	assert_int_equal(world.applied, 0);
	/* When bound it is the kernel's business. */
	start_and_bind(&world);
	dhcp_client_conflict(&world.client, world.now, OFFERED);
	assert_int_equal(world.client.state, DHCP_BOUND);
}

static void test_offer_from_a_second_server(void **state)
{
	struct world world;
	unsigned sent;

	(void)state;
	start_and_request(&world);
	sent = world.sent;
	answer(&world, DHCP_OFFER, OTHER_SERVER, OFFERED + 1);
	assert_int_equal(world.sent, sent);
	answer(&world, DHCP_ACK, OTHER_SERVER, OFFERED + 1);
	answer(&world, DHCP_NAK, OTHER_SERVER, 0);
	assert_int_equal(world.client.state, DHCP_REQUESTING);
	answer(&world, DHCP_ACK, SERVER, OFFERED + 1); /* not what was offered */
	assert_int_equal(world.client.state, DHCP_REQUESTING);
	answer(&world, DHCP_ACK, SERVER, OFFERED);
	assert_int_equal(world.client.state, DHCP_CHECKING);
}

static void test_wrong_transaction_and_hardware(void **state)
{
	struct dhcp_bytes message;
	struct world world;

	(void)state;
	start(&world);
	step(&world);
	begin_reply(&message, DHCP_OFFER, SERVER, OFFERED);
	add_end(&message);
	put_be32(message.bytes + 4, sent_transaction(&world) ^ 1);
	dhcp_client_receive(&world.client, world.now, message.bytes, message.length);
	assert_int_equal(world.client.state, DHCP_SELECTING);

	put_be32(message.bytes + 4, sent_transaction(&world));
	message.bytes[33] ^= 1;
	dhcp_client_receive(&world.client, world.now, message.bytes, message.length);
	assert_int_equal(world.client.state, DHCP_SELECTING);

	message.bytes[33] ^= 1;
	dhcp_client_receive(&world.client, world.now, message.bytes, message.length - 1);
	assert_int_equal(world.client.state, DHCP_SELECTING);
	dhcp_client_receive(&world.client, world.now, message.bytes, message.length);
	assert_int_equal(world.client.state, DHCP_REQUESTING);
}

static void test_multicast_or_broadcast_offered(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	step(&world);
	answer(&world, DHCP_OFFER, SERVER, 0xe0000001);
	answer(&world, DHCP_OFFER, SERVER, 0xffffffff);
	answer(&world, DHCP_OFFER, SERVER, 0x0a4d00ff);
	assert_int_equal(world.client.state, DHCP_SELECTING);
}

static void test_renewal_with_another_address(void **state)
{
	struct world world;

	(void)state;
	start_and_bind(&world);
	step(&world);
	answer(&world, DHCP_ACK, SERVER, OFFERED + 1);
	assert_int_equal(world.removed, 1);
	finish_check(&world);
	assert_int_equal(world.applied, 2);
	assert_int_equal(world.lease.address, OFFERED + 1);
}

static void test_answers_out_of_turn(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	step(&world);
	answer(&world, DHCP_ACK, SERVER, OFFERED);
	answer(&world, DHCP_NAK, SERVER, 0);
	assert_int_equal(world.client.state, DHCP_SELECTING);
	start_and_bind(&world);
	answer(&world, DHCP_NAK, SERVER, 0);
	answer(&world, DHCP_OFFER, SERVER, OFFERED);
	assert_int_equal(world.client.state, DHCP_BOUND);
	assert_int_equal(world.removed, 0);
}

static void test_release(void **state)
{
	struct world world;

	(void)state;
	start_and_bind(&world);
	dhcp_client_release(&world.client, world.now);
	assert_int_equal(sent_type(&world), DHCP_RELEASE);
	assert_int_equal(world.destination, SERVER);
	assert_int_equal(get_be32(world.message + 12), OFFERED);
	assert_int_equal(world.removed, 1);
	assert_true(world.client.deadline == DHCP_NEVER);
	/* Nothing to give back, nothing said. */
	start(&world);
	dhcp_client_release(&world.client, world.now);
	assert_int_equal(world.sent, 0);
	dhcp_client_tick(&world.client, DHCP_NEVER);
	assert_int_equal(world.sent, 0);
}

/* Whatever comes in, in any order, no call of ours is out of place. */
static void test_random_conversations(void **state)
{
	static const uint8_t types[] = {DHCP_OFFER, DHCP_ACK, DHCP_NAK};
	struct world world;
	uint32_t seed = 1;

	(void)state;
	start(&world);
	for (unsigned i = 0; i < 100000; i++) {
		seed = seed * 1664525 + 1013904223;
		if (seed >> 28 == 0)
			dhcp_client_conflict(&world.client, world.now, OFFERED);
		else if (seed >> 28 <= 5)
			step(&world);
		else
			answer(&world, types[(seed >> 8) % 3], SERVER + (seed >> 16) % 2,
			       OFFERED + (seed >> 20) % 2);
		assert_true(world.applied >= world.removed);
		assert_true(!world.client.configured || world.now < world.client.expires_at);
		assert_true(world.client.deadline != DHCP_NEVER);
	}
	assert_true(world.applied > 100);
	assert_true(world.removed > 100);
}

static void test_state_texts(void **state)
{
	(void)state;
	for (int i = DHCP_STOPPED; i <= DHCP_REBINDING; i++)
		assert_non_null(dhcp_state_text((enum dhcp_state)i));
}

static void test_arp_probe(void **state)
{
	static const uint8_t other[6] = {2, 2, 2, 2, 2, 2};
	uint8_t packet[ARP_PACKET_LENGTH];

	(void)state;
	arp_probe_emit(OFFERED, our_hardware, packet);
	assert_int_equal(get_be32(packet + 14), 0);
	assert_int_equal(get_be32(packet + 24), OFFERED);
	/* Our own probe, come back, is no conflict; somebody else's for the same address is. */
	assert_false(arp_probe_conflict(packet, sizeof(packet), OFFERED, our_hardware));
	arp_probe_emit(OFFERED, other, packet);
	assert_true(arp_probe_conflict(packet, sizeof(packet), OFFERED, our_hardware));
	assert_false(arp_probe_conflict(packet, sizeof(packet), OFFERED + 1, our_hardware));
	/* A reply, or any request, from the address itself. */
	put_be32(packet + 14, OFFERED);
	put_be32(packet + 24, SERVER);
	assert_true(arp_probe_conflict(packet, sizeof(packet), OFFERED, our_hardware));
	packet[7] = 2;
	assert_true(arp_probe_conflict(packet, sizeof(packet), OFFERED, our_hardware));
	/* Somebody asks for the address in the ordinary way: no conflict. */
	put_be32(packet + 14, SERVER);
	put_be32(packet + 24, OFFERED);
	packet[7] = 1;
	assert_false(arp_probe_conflict(packet, sizeof(packet), OFFERED, our_hardware));
}

static void test_arp_that_is_malformed(void **state)
{
	static const uint8_t other[6] = {2, 2, 2, 2, 2, 2};
	uint8_t packet[ARP_PACKET_LENGTH];

	(void)state;
	for (unsigned length = 0; length < ARP_PACKET_LENGTH; length++) {
		arp_probe_emit(OFFERED, other, packet);
		assert_false(arp_probe_conflict(packet, length, OFFERED, our_hardware));
	}
	for (unsigned at = 0; at < 8; at++) {
		arp_probe_emit(OFFERED, other, packet);
		packet[at] ^= 0x40;
		assert_false(arp_probe_conflict(packet, sizeof(packet), OFFERED, our_hardware));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_discover_to_ack),
		cmocka_unit_test(test_discover_backs_off),
		cmocka_unit_test(test_request_unanswered_starts_again),
		cmocka_unit_test(test_renewal_at_t1),
		cmocka_unit_test(test_rebinding_at_t2),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_a_jump_beyond_expiry),
		cmocka_unit_test(test_renewals_are_retried_and_bounded),
		cmocka_unit_test(test_lease_forever),
		cmocka_unit_test(test_lease_of_zero_is_no_offer),
		cmocka_unit_test(test_t1_after_t2),
		cmocka_unit_test(test_nak_to_a_request),
		cmocka_unit_test(test_nak_to_a_renewal),
		cmocka_unit_test(test_flood_of_naks),
		cmocka_unit_test(test_server_that_always_refuses),
		cmocka_unit_test(test_conflict_is_declined),
		cmocka_unit_test(test_offer_from_a_second_server),
		cmocka_unit_test(test_wrong_transaction_and_hardware),
		cmocka_unit_test(test_multicast_or_broadcast_offered),
		cmocka_unit_test(test_renewal_with_another_address),
		cmocka_unit_test(test_answers_out_of_turn),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_random_conversations),
		cmocka_unit_test(test_state_texts),
		cmocka_unit_test(test_arp_probe),
		cmocka_unit_test(test_arp_that_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
