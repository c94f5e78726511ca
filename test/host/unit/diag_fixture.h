/*
 * What the tests of NETLINK_SOCK_DIAG start from: the stack of netlink_fixture.h, a socket that
 * asks, and requests of any family in a word.
 */
#ifndef TEST_HOST_UNIT_DIAG_FIXTURE_H
#define TEST_HOST_UNIT_DIAG_FIXTURE_H

#include "test/host/unit/netlink_fixture.h"

extern struct netlink_fixture diag_world;
extern struct socket *diag_socket;

int diag_set_up(void **state);
int diag_tear_down(void **state); /* asserts that nothing leaked */
#define DIAG_TEST(function) cmocka_unit_test_setup_teardown(function, diag_set_up, diag_tear_down)

/* Begins SOCK_DIAG_BY_FAMILY with a family's own structure. */
void diag_ask(const void *request, size_t length, uint16_t flags);
/* How many sockets a dump lists, to its end. */
uint32_t diag_count(const void *request, size_t length);

#endif
