/*
 * What the tests of NETLINK_SOCK_DIAG start from: the stack of netlink_fixture.h, a socket that
 * asks, and requests of any family in a word.
 */
#ifndef TEST_HOST_UNIT_DIAG_FIXTURE_H
#define TEST_HOST_UNIT_DIAG_FIXTURE_H

#include "test/host/unit/netlink_fixture.h"

extern struct socket *diag_socket;

int diag_set_up(void **state);
int diag_tear_down(void **state); /* asserts that nothing leaked */
#define DIAG_TEST(function) cmocka_unit_test_setup_teardown(function, diag_set_up, diag_tear_down)

/* Begins SOCK_DIAG_BY_FAMILY with a family's own structure. */
void diag_ask(const void *request, size_t length, uint16_t flags);
/* Sends it as the request for a list. */
void diag_list(const void *request, size_t length);
/* How many sockets a list has, to its end. */
uint32_t diag_count(const void *request, size_t length);
/* The next message must be of a socket; its fixed part. */
void diag_next(void *body, size_t length);
/* The list must be at its end. */
void diag_end(void);
/* Begins and sends a request that must be answered by `error`. */
void diag_refused(uint16_t type, uint16_t flags, const void *request, size_t length, int error);

/* A socket of another family; the caller closes it. */
struct socket *diag_open(int family, int type, int protocol);

#endif
