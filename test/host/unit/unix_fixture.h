/*
 * What the tests of AF_UNIX start from: a stack without a network, system calls on it, and words
 * for names and messages.
 */
#ifndef TEST_HOST_UNIT_UNIX_FIXTURE_H
#define TEST_HOST_UNIT_UNIX_FIXTURE_H

#include "include/uapi/fcntl.h"
#include "include/uapi/uio.h"
#include "kernel/fs/file.h"
#include "test/host/unit/socket_family.h"

extern struct fixture unix_world;

int unix_set_up(void **state);
int unix_tear_down(void **state); /* asserts that nothing leaked */
#define UNIX_TEST(function) cmocka_unit_test_setup_teardown(function, unix_set_up, unix_tear_down)

/* The three kinds, for loops over them. */
static const int unix_kinds[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
static const int unix_connections[] = {SOCK_STREAM, SOCK_SEQPACKET};

/* A name and its length: a path, or "@NAME" for an abstract one. */
struct unix_name {
	struct sockaddr_un address;
	uint32_t length;
};
struct unix_name unix_named(const char *text);

/* Descriptors; they fail the test when there is an error. */
int unix_socket_fd(int type);
int unix_bound(int type, const char *name);
int unix_listener(int type, const char *name, int backlog);
void unix_socketpair(int type, int fds[2]);
/* A connection by name: fds[0] connected, fds[1] accepted. */
void unix_connected(int type, int fds[2]);

/* The call's own answer. */
int64_t unix_bind_to(int fd, const char *name);
int64_t unix_connect_to(int fd, const char *name);
int64_t unix_send(int fd, const void *bytes, size_t n, uint32_t flags);
int64_t unix_send_to(int fd, const char *name, const void *bytes, size_t n, uint32_t flags);
int64_t unix_receive(int fd, void *to, size_t n, uint32_t flags);
uint32_t unix_poll(int fd);
int64_t unix_option(int fd, int option);
void unix_set_option(int fd, int option, int32_t value);
int32_t unix_ioctl_number(int fd, uint32_t command);
void unix_set_nonblocking(int fd);

/* A message with ancillary data: what was sent, and what came. */
struct unix_parcel {
	char bytes[64];
	int64_t length; /* or a negative errno */
	int32_t fds[300];
	uint32_t fd_count;
	struct ucred credentials;
	bool has_credentials;
	uint32_t flags;
};
int64_t unix_send_fds(int fd, const char *text, const int32_t *fds, uint32_t count, uint32_t flags);
int64_t unix_send_credentials(int fd, const char *text, const struct ucred *credentials);
/* `room`: bytes of ancillary data that are asked for. */
struct unix_parcel unix_receive_parcel(int fd, size_t bytes, size_t room, uint32_t flags);

/* A descriptor of a file of the test's own; how many of those are not yet released. */
int unix_probe_fd(void);
extern int unix_probes_live;

#define EXPECT_TEXT(fd, text)                                                                     \
	do {                                                                                      \
		char expect_text[256] = {0};                                                      \
		assert_int_equal(unix_receive(fd, expect_text, 255, MSG_DONTWAIT), strlen(text)); \
		assert_string_equal(expect_text, text);                                           \
	} while (0)

#endif
