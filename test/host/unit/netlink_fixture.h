/*
 * A stack with IPv4, TCP and netlink for the tests of net/netlink: tcp_fixture_init's eth0 with
 * 10.0.0.1/24 and its listener; and requests and answers in a few words.
 */
#ifndef TEST_HOST_UNIT_NETLINK_FIXTURE_H
#define TEST_HOST_UNIT_NETLINK_FIXTURE_H

#include "include/uapi/inet_diag.h"
#include "include/uapi/rtnetlink.h"
#include "net/netlink/netlink.h"
#include "test/host/unit/stranger.h"

#define REPLY_MAX 65536

struct netlink_fixture {
	struct fixture f;
	struct socket *listener;
	struct socket *netlink; /* NETLINK_ROUTE */
	/* A request that is being written; and what was received last, message by message. */
	struct netlink_writer request;
	uint8_t request_bytes[2048];
	uint8_t reply[REPLY_MAX];
	struct netlink_reader left;
	struct netlink_message message;
};

void netlink_fixture_init(struct netlink_fixture *n);
void netlink_fixture_destroy(struct netlink_fixture *n);

/* A socket of the protocol; the caller closes it. */
struct socket *netlink_open_socket(int protocol);

/* Begins a request of `type` with `flags` and NLM_F_REQUEST; attributes follow by netlink_put. */
void request_begin(struct netlink_fixture *n, uint16_t type, uint16_t flags, const void *fixed,
		   size_t length);
/* Sends it. */
void request_send(struct netlink_fixture *n, struct socket *socket);
/* Sends it with NLM_F_ACK set; what the acknowledgement says. */
int request_result(struct netlink_fixture *n, struct socket *socket);

/* Any bytes, as one datagram. What sendmsg answers. */
int64_t send_datagram(struct socket *socket, const void *bytes, size_t length);

/* The next message, received without waiting when none is left: n->message. False: none. */
bool next_message(struct netlink_fixture *n, struct socket *socket);
/* The next one must be of this type. */
void expect_message(struct netlink_fixture *n, struct socket *socket, uint16_t type);
/* Nothing is there to be received. */
void expect_silence(struct netlink_fixture *n, struct socket *socket);
/* The messages of `type` up to NLMSG_DONE, which must come. */
uint32_t count_to_done(struct netlink_fixture *n, struct socket *socket, uint16_t type);

/* An attribute of n->message, behind a fixed part; false: it is not there. */
bool find_attribute(const struct netlink_fixture *n, size_t fixed, uint16_t type,
		    struct netlink_attribute *attribute);
uint32_t number_attribute(const struct netlink_fixture *n, size_t fixed, uint16_t type);
uint32_t address_attribute(const struct netlink_fixture *n, size_t fixed, uint16_t type);

int set_socket_option(struct socket *socket, int level, int option, int value);

#endif
