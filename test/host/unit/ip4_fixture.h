/*
 * A stack with IPv4 for the unit tests of net/ipv4: eth0 is 10.0.0.1/24, its neighbours 10.0.0.2
 * and the gateway 10.0.0.254 are known to ARP, the default route leads to the gateway. And makers
 * of packets, right by default and wrong where a test wants them wrong.
 */
#ifndef TEST_HOST_UNIT_IP4_FIXTURE_H
#define TEST_HOST_UNIT_IP4_FIXTURE_H

#include "include/uapi/in.h"
#include "net/ipv4/inet_socket.h"
#include "net/ipv4/ipv4_state.h"
#include "test/host/unit/fixture.h"

#define OURS IP4(10, 0, 0, 1)
#define PEER IP4(10, 0, 0, 2)
#define GATEWAY IP4(10, 0, 0, 254)
#define SUBNET_BROADCAST IP4(10, 0, 0, 255)
#define FAR IP4(192, 0, 2, 1) /* behind the gateway */
#define GROUP IP4(239, 1, 2, 3)

static const struct mac GATEWAY_MAC = {{0x02, 0, 0, 0, 0, 0xfe}};

void ip4_fixture_init(struct fixture *f);
void ip4_fixture_destroy(struct fixture *f); /* asserts that nothing leaked */

/* A packet to be made. 0 stands for: from PEER to OURS, TTL 64, UDP. */
struct ip4_spec {
	ip4_t source, destination;
	uint8_t protocol, ttl, tos;
	uint16_t id;
	uint16_t fragment; /* flags and offset as on the wire */
	const uint8_t *options;
	size_t options_length; /* a multiple of 4 */
};
#define FRAGMENT_MORE 0x2000

/* Writes the packet, returns its length. */
size_t ip4_make(uint8_t *to, const struct ip4_spec *spec, const void *payload, size_t n);
/* Puts the header's checksum right after a change. */
void ip4_fix_checksum(uint8_t *packet);

/* A UDP datagram with its checksum, an ICMP message with its; they return their lengths. */
size_t udp_make(uint8_t *to, ip4_t source, ip4_t destination, uint16_t source_port,
		uint16_t destination_port, const void *payload, size_t n);
size_t icmp_make(uint8_t *to, uint8_t type, uint8_t code, uint32_t info, const void *payload,
		 size_t n);

/* A whole UDP packet from PEER's port to one of ours. */
size_t udp_packet(uint8_t *to, uint16_t source_port, uint16_t destination_port, const void *payload,
		  size_t n);
/* A whole echo request from PEER. */
size_t echo_packet(uint8_t *to, uint16_t id, const void *payload, size_t n);

/* The packet arrives in a frame to our address; in one to everybody. */
void ip4_arrives(struct fixture *f, const uint8_t *packet, size_t n);
void ip4_arrives_broadcast(struct fixture *f, const uint8_t *packet, size_t n);

/* The IPv4 packet in the i-th frame that was sent. */
const uint8_t *ip4_sent(struct fixture *f, uint32_t i, struct ip4_header *header);

/*
 * What every hostile input must leave behind: a stack that answers an echo. Clears what was sent.
 */
void assert_still_answers(struct fixture *f);

/* The packet is refused for `reason` alone, nothing is sent, and the stack still answers. */
void assert_refused(struct fixture *f, const uint8_t *packet, size_t n, enum drop_reason reason);

/* Sockets. */
struct socket *make_socket(struct fixture *f, int type, int protocol);
struct socket *make_bound(struct fixture *f, ip4_t address, uint16_t port);
int do_bind(struct socket *socket, ip4_t address, uint16_t port);
int do_connect(struct socket *socket, ip4_t address, uint16_t port);
int64_t do_send(struct socket *socket, ip4_t address, uint16_t port, const void *bytes, size_t n);
/* Without waiting. `from` may be NULL. */
int64_t do_receive(struct socket *socket, void *to, size_t n, struct endpoint *from);
int set_option(struct socket *socket, int level, int option, int value);
int get_option(struct socket *socket, int level, int option);

#endif
