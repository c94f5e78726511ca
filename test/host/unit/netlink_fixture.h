/*
 * What the tests of net/netlink start from: a stack with IPv4, TCP and netlink (tcp_fixture_init's
 * eth0 with 10.0.0.1/24 and its listener), a socket that asks, requests and answers in a few words.
 *
 *	request_begin(RTM_GETLINK, 0, &info, sizeof(info));
 *	netlink_put_string(&netlink_request, IFLA_IFNAME, "eth0");
 *	request_send(route_socket);
 *	expect_message(route_socket, RTM_NEWLINK);               now netlink_answer
 *	assert_int_equal(number_attribute(sizeof(info), IFLA_MTU), 1500);
 */
#ifndef TEST_HOST_UNIT_NETLINK_FIXTURE_H
#define TEST_HOST_UNIT_NETLINK_FIXTURE_H

#include "include/uapi/inet_diag.h"
#include "include/uapi/rtnetlink.h"
#include "net/netlink/netlink.h"
#include "test/host/unit/stranger.h"

#define LO 1 /* lo's number */
#define REPLY_MAX 65536
#define SMALL_ROOM 4096 /* bytes: the least that a reader of lists has */

extern struct fixture netlink_stack;
extern struct socket *netlink_listener;
extern struct socket *route_socket; /* NETLINK_ROUTE */
/* The request that is being written; the message that was received last. */
extern struct netlink_writer netlink_request;
extern struct netlink_message netlink_answer;
/* The datagram that was received last. */
extern uint8_t netlink_reply[REPLY_MAX];
/* Bytes that each receiving call offers, REPLY_MAX at first; how many datagrams came. */
extern size_t netlink_room;
extern uint32_t netlink_pieces;

int netlink_set_up(void **state);
int netlink_tear_down(void **state); /* asserts that nothing leaked */
#define NETLINK_TEST(function) \
	cmocka_unit_test_setup_teardown(function, netlink_set_up, netlink_tear_down)

/* A socket of the protocol; the caller closes it. */
struct socket *netlink_open_socket(int protocol);
int netlink_bind(struct socket *socket, uint32_t port, uint32_t groups);
/* The port of one end. */
uint32_t netlink_port(struct socket *socket, bool peer);
void netlink_join(struct socket *socket, int group);
/* Sets NETLINK_GET_STRICT_CHK. */
void netlink_be_strict(struct socket *socket);

/* Begins a request of `type` with `flags` and NLM_F_REQUEST; attributes follow by netlink_put. */
void request_begin(uint16_t type, uint16_t flags, const void *fixed, size_t length);
/* Begins the question by which way packets go to `destination`. */
void request_way(ip4_t destination);
/* Sends it, more than once if need be; what sendmsg answers. */
int64_t request_try(struct socket *socket);
/* Sends it. */
void request_send(struct socket *socket);
/* Sends it with NLM_F_ACK set; what the acknowledgement says. */
int request_result(struct socket *socket);
/* Sends it; how many messages of `type` the list has, which must end by NLMSG_DONE. */
uint32_t request_count(struct socket *socket, uint16_t type);
/*
 * Sends it by route_socket while the nth allocation fails, and throws the answers away. How many
 * allocations were made.
 */
uint64_t request_without_memory(uint64_t nth);

/* Any bytes, as one datagram. What sendmsg answers. */
int64_t send_datagram(struct socket *socket, const void *bytes, size_t length);

/* The next datagram, to netlink_reply; its length or a negative errno. */
int64_t netlink_take(struct socket *socket);
/* Everything that waits, and the errors that tell of what does not, are thrown away. */
void netlink_drain(struct socket *socket);

/* The next message, received without waiting when none is left. False: none. */
bool next_message(struct socket *socket);
/* The next one must be of this type. */
void expect_message(struct socket *socket, uint16_t type);
/* Nothing is there to be received. */
void expect_silence(struct socket *socket);
/* The messages of `type` up to NLMSG_DONE, which must come. */
uint32_t count_to_done(struct socket *socket, uint16_t type);

/* The fixed part of netlink_answer, which must have as much. */
void read_fixed(void *to, size_t length);
/* An attribute of netlink_answer, behind a fixed part; false: it is not there. */
bool find_attribute(size_t fixed, uint16_t type, struct netlink_attribute *attribute);
bool has_attribute(size_t fixed, uint16_t type);
/* It must be there and have that size. */
void read_attribute(size_t fixed, uint16_t type, void *to, size_t length);
uint32_t number_attribute(size_t fixed, uint16_t type);
uint32_t address_attribute(size_t fixed, uint16_t type);

/* What netlink tells of: eth0 has another MTU; there are `count` more routes, from 20.0.0.0 on. */
void netlink_set_mtu(uint32_t mtu);
void netlink_add_routes(uint32_t count);

#endif
