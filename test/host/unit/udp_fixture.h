/*
 * What the tests of UDP and UDP-Lite start from: the stack of ip4_fixture.h, datagrams that arrive
 * in a word, and what sockets have received.
 */
#ifndef TEST_HOST_UNIT_UDP_FIXTURE_H
#define TEST_HOST_UNIT_UDP_FIXTURE_H

#include "test/host/unit/ip4_fixture.h"

#define UDP_ROOM 70000 /* bytes: more than any packet */

extern struct fixture udp_stack;
/* Room for a packet that is being made, and for payloads, sent or received. */
extern uint8_t udp_wire[UDP_ROOM];
extern uint8_t udp_bytes[UDP_ROOM];

int udp_set_up(void **state);
int udp_tear_down(void **state); /* asserts that nothing leaked */
#define UDP_TEST(function) cmocka_unit_test_setup_teardown(function, udp_set_up, udp_tear_down)

/* A datagram from PEER's port to one of ours; one byte from and to any address. */
void udp_arrives(uint16_t from, uint16_t to, const char *text);
void udp_arrives_for(ip4_t source, ip4_t destination, uint16_t from, uint16_t to);
/* An ICMP error about what we sent to PEER: about a datagram of 8 bytes, or any payload of IP. */
void udp_error_arrives(uint8_t code, uint16_t source_port, uint16_t destination_port);
void udp_error_about(uint8_t protocol, uint8_t code, const void *datagram, size_t n);

/* How many datagrams wait; they are thrown away. */
uint32_t udp_take_all(struct socket *socket);
uint16_t udp_local_port(struct socket *socket);
/* IP_ADD_MEMBERSHIP of GROUP on eth0. */
void udp_join_group(struct socket *socket);

/* The first `n` bytes of udp_wire as a frame in the driver's own memory; it arrives. */
struct sk_buff *udp_frame(size_t n);
void udp_frame_arrives(struct sk_buff *skb);

/*
 * Every allocation fails once, in turn, in the life of a socket of the protocol: `use` binds it and
 * sends, then the packet that `make` leaves in udp_wire (it returns the length) arrives, and the
 * socket is emptied and closed. No crash, no leak, and the stack goes on.
 */
void udp_survives_failures(int protocol, size_t (*make)(void), void (*use)(struct socket *socket));

#endif
