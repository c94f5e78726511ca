/*
 * What the unit tests of net/ start from: one stack with a virtual clock, seeded random numbers,
 * lo, and eth0, whose wire is in the test's hands.
 *
 *	struct fixture f;
 *	fixture_init(&f);
 *	fixture_receive(&f, frame, sizeof(frame));   a frame arrives
 *	fixture_advance(&f, 60 * USEC_PER_SEC);      time passes, timers fire in their order
 *	assert_int_equal(f.sent_count, 1);           what the stack sent
 *	fixture_destroy(&f);                         asserts that nothing leaked
 *
 * Rooms above Ethernet (ipv4_init) are made by the test after fixture_init and destroyed before
 * fixture_destroy. Socket calls that sleep let the virtual time go on. One fixture at a time.
 */
#ifndef TEST_HOST_UNIT_FIXTURE_H
#define TEST_HOST_UNIT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/types.h"
#include "net/core/net.h"
#include "net/core/netdevice.h"
#include "net/core/poller.h"
#include "net/core/socket.h"
#include "test/host/services/host.h"
#include "test/host/stack/stack.h"

#define FIXTURE_SENT_MAX 16384

static const struct mac FIXTURE_MAC = {{0x02, 0, 0, 0, 0, 1}};  /* eth0's */
static const struct mac FIXTURE_PEER = {{0x02, 0, 0, 0, 0, 2}}; /* somebody on its wire */

struct fixture_frame {
	uint32_t length;
	uint8_t bytes[];
};

struct fixture {
	/* The stack and eth0, which is up. Their first members have a second, shorter name. */
	union {
		struct host_stack stack;
		struct net net;
	};
	union {
		struct host_device eth0;
		struct net_device dev;
	};
	uint64_t now_us; /* the virtual time: for reading; fixture_advance moves it */
	struct fixture_frame *sent[FIXTURE_SENT_MAX];
	uint32_t sent_count;
	uint32_t flushes; /* calls of xmit_flush */
	uint32_t rx_mode_changes;
	/*
	 * Called before a sleeping call lets time pass: what the world does meanwhile. False:
	 * nothing. May be NULL.
	 */
	bool (*while_asleep)(struct fixture *f);
};

/*
 * A stack with Ethernet, ARP and AF_PACKET; lo and eth0 are up and have no addresses. It is
 * current_net().
 */
void fixture_init(struct fixture *f);
void fixture_destroy(struct fixture *f);

/* A frame arrives on eth0, in memory of exactly its size; then the softirqs run. */
void fixture_receive(struct fixture *f, const void *bytes, size_t n);

/* The same for a frame made of a header and a payload. */
void fixture_receive_ethernet(struct fixture *f, struct mac destination, struct mac source,
			      uint16_t ethertype, const void *payload, size_t n);

/* Runs softirqs until none is left. */
void fixture_run(struct fixture *f);

/* Lets time pass: each timer fires at its time. */
void fixture_advance(struct fixture *f, uint64_t us);

/* The i-th frame sent since the last fixture_clear_sent; fails the test when there is none. */
const struct fixture_frame *fixture_sent(struct fixture *f, uint32_t i);
void fixture_clear_sent(struct fixture *f);

uint64_t fixture_drops(struct fixture *f, enum drop_reason reason);

#endif
