/* One packet socket on a stack of its own, and the ring of it that a process would map. */
#ifndef TEST_HOST_UNIT_PACKET_RING_FIXTURE_H
#define TEST_HOST_UNIT_PACKET_RING_FIXTURE_H

#include "include/uapi/if_packet.h"
#include "net/core/packet_ring.h"
#include "test/host/unit/fixture.h"

#define TEST_TYPE 0x9999 /* an EtherType that nobody serves */

extern struct fixture f;
extern struct socket *made; /* the socket of a test */

int packet_ring_set_up(void **state);
int packet_ring_tear_down(void **state);
#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, packet_ring_set_up, packet_ring_tear_down)

/* Opens `made`: SOCK_RAW or SOCK_DGRAM, every protocol. */
void open_packet_socket(int type);

/* socket_setsockopt of a number at SOL_PACKET. */
int set_number(int option, int32_t number);

/* PACKET_RX_RING, of as much of the request as the version has. */
int set_ring(const struct tpacket_req3 *request, int version);

/* What the process sees at `at`; no structure here crosses a page. */
void *seen(uint64_t at);

/* A frame of TEST_TYPE comes in. */
void frame_comes(const void *payload, size_t n);

#endif
