/*
 * A family of sockets for tests of the socket layer alone: what is sent on one of its sockets is
 * held until test_family_deliver puts it into the socket's own receive queue. No protocol, no
 * addresses beyond one byte.
 */
#ifndef TEST_HOST_UNIT_SOCKET_FAMILY_H
#define TEST_HOST_UNIT_SOCKET_FAMILY_H

#include "include/uapi/syscall.h"
#include "test/host/unit/fixture.h"

#define AF_TEST 40
#define SOL_TEST 400
#define TEST_OPTION 1 /* any bytes, kept */

struct test_socket {
	struct socket socket;
	struct skb_queue sent;
	uint8_t name, peer; /* the one byte of its addresses; 0: none */
	uint8_t option[2000];
	uint32_t option_length;
	int backlog;
	struct socket *accepted; /* what accept gives, once */
};

struct test_family {
	struct socket_family family;
	int open_error; /* what the next socket's open answers */
	uint32_t last_ioctl;
	uint32_t lingers; /* sockets that were closed with SO_LINGER on */
	char route_device[16];
};

void test_family_init(struct test_family *family, struct net *net);
void test_family_destroy(struct test_family *family);

/* Moves everything sent on the socket to its receive queue. */
void test_family_deliver(struct test_socket *socket);

/* The same for the socket behind a descriptor. */
struct test_socket *test_socket_of(int fd);

/* A system call with numbers and pointers as its arguments: CALL(bind, fd, P(&name), 3). */
#define CALL(name, ...) call(SYS_##name, (uint64_t[6]){__VA_ARGS__})
#define P(pointer) ((uint64_t)(uintptr_t)(pointer))
int64_t call(uint32_t number, const uint64_t *arguments);

/* A datagram socket of the family; `flags`: SOCK_NONBLOCK... */
int open_socket(uint32_t flags);
int64_t send_text(int fd, const char *text);
int64_t receive_text(int fd, char *to, uint32_t flags); /* up to 100 bytes */

/* For fixture.while_asleep: what was sent on descriptor 0 comes back. */
bool deliver_everything(struct fixture *fixture);

#endif
