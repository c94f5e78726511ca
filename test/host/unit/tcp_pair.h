/*
 * What tests of TCP between two stacks start from: two hosts in virtual time, a wire between them
 * with faults or without, a listener on the server.
 */
#ifndef TEST_HOST_UNIT_TCP_PAIR_H
#define TEST_HOST_UNIT_TCP_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "include/uapi/in.h"
#include "include/uapi/tcp.h"
#include "net/core/socket.h"
#include "test/host/services/host.h"
#include "test/host/simulator/world.h"

#define CLIENT IP4(10, 0, 0, 1)
#define SERVER IP4(10, 0, 0, 2)
#define PORT 4000

struct pair {
	struct world *world;
	struct node *client, *server;
	struct link *link;
	struct socket *listener; /* on PORT of the server */
};

void pair_create(struct pair *pair, const struct fault_settings *faults);
/* After TIME_WAIT; asserts that nothing is left. The test has closed its sockets. */
void pair_destroy(struct pair *pair);
/* A connection, both of its ends. */
void pair_connect(struct pair *pair, struct socket **client, struct socket **server);

struct sockaddr_storage tcp_name(ip4_t address, uint16_t port);
struct socket *tcp_open(struct node *node);
int64_t send_bytes(struct socket *socket, const void *bytes, size_t length, uint32_t flags);
int64_t receive_bytes(struct socket *socket, void *to, size_t length, uint32_t flags);

#endif
