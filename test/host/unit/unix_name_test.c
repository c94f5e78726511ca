/* Names of AF_UNIX sockets: paths, abstract ones, and those that the kernel chooses. */
#include "net/unix/unix.h"
#include "test/host/unit/unix_fixture.h"

#include <string.h>

static void expect_name(int fd, bool peer, const char *text, uint32_t length)
{
	struct sockaddr_un name;
	uint32_t room = sizeof(name);
	struct unix_name expected = unix_named(text);

	memset(&name, 0xff, sizeof(name));
	if (peer)
		assert_int_equal(CALL(getpeername, (uint64_t)fd, P(&name), P(&room)), 0);
	else
		assert_int_equal(CALL(getsockname, (uint64_t)fd, P(&name), P(&room)), 0);
	assert_int_equal(room, length);
	assert_memory_equal(&name, &expected.address, length);
}

static void a_fresh_socket_has_no_name(void **state __unused)
{
	int fd = unix_socket_fd(SOCK_STREAM);

	expect_name(fd, false, "", 2);
	assert_int_equal(CALL(getpeername, (uint64_t)fd, 0, 0), -ENOTCONN);
}

static void abstract_names(void **state __unused)
{
	struct unix_name name = unix_named("@a");
	int fd = unix_bound(SOCK_STREAM, "@service");

	expect_name(fd, false, "@service", 2 + 8);
	assert_int_equal(unix_bind_to(fd, "@other"), -EINVAL);
	assert_int_equal(unix_bind_to(unix_socket_fd(SOCK_STREAM), "@service"), -EADDRINUSE);
	/* Each type has its own, and every byte counts. */
	unix_bound(SOCK_DGRAM, "@service");
	unix_bound(SOCK_SEQPACKET, "@service");
	unix_bound(SOCK_STREAM, "@servic");
	assert_int_equal(CALL(bind, (uint64_t)unix_socket_fd(SOCK_STREAM), P(&name.address), 10),
			 0);
	assert_int_equal(CALL(bind, (uint64_t)unix_socket_fd(SOCK_STREAM), P(&name.address), 11),
			 0);
	/* It is free when its socket is closed. */
	assert_int_equal(fd_close(fd), 0);
	assert_int_equal(unix_connect_to(unix_socket_fd(SOCK_STREAM), "@service"), -ECONNREFUSED);
	unix_bound(SOCK_STREAM, "@service");
}

static void names_that_are_none(void **state __unused)
{
	uint64_t fd = (uint64_t)unix_socket_fd(SOCK_STREAM);
	struct sockaddr_storage name = {.ss_family = AF_UNIX, .ss_bytes = "xyz"};

	assert_int_equal(CALL(bind, fd, P(&name), 0), -EINVAL);
	assert_int_equal(CALL(bind, fd, P(&name), 1), -EINVAL);
	assert_int_equal(CALL(bind, fd, P(&name), sizeof(struct sockaddr_un) + 1), -EINVAL);
	assert_int_equal(CALL(connect, fd, P(&name), 2), -EINVAL);
	name.ss_family = AF_INET;
	assert_int_equal(CALL(bind, fd, P(&name), 10), -EINVAL);
	assert_int_equal(CALL(bind, fd, P(&name), 2), -EINVAL);
	assert_int_equal(CALL(connect, fd, P(&name), 10), -EINVAL);
}

static void the_kernel_chooses_a_name(void **state __unused)
{
	const sa_family_t family = AF_UNIX;
	struct sockaddr_un names[2] = {0};
	uint32_t length = sizeof(names[0]);

	for (int i = 0; i < 2; i++) {
		uint64_t fd = (uint64_t)unix_socket_fd(SOCK_DGRAM);

		assert_int_equal(CALL(bind, fd, P(&family), sizeof(family)), 0);
		assert_int_equal(CALL(getsockname, fd, P(&names[i]), P(&length)), 0);
		assert_int_equal(length, sizeof(family) + 6);
		assert_int_equal(names[i].sun_path[0], 0);
		assert_int_equal(strspn(names[i].sun_path + 1, "0123456789abcdef"), 5);
	}
	assert_memory_not_equal(&names[0], &names[1], length);
}

static void paths(void **state __unused)
{
	int fd = unix_listener(SOCK_STREAM, "/run/socket", 1), client = unix_socket_fd(SOCK_STREAM);

	expect_name(fd, false, "/run/socket", 2 + 11 + 1);
	assert_int_equal(unix_bind_to(unix_socket_fd(SOCK_STREAM), "/run/socket"), -EADDRINUSE);
	assert_int_equal(unix_connect_to(client, "/run/other"), -ENOENT);
	assert_int_equal(unix_connect_to(unix_socket_fd(SOCK_DGRAM), "/run/socket"), -EPROTOTYPE);
	assert_int_equal(unix_connect_to(client, "/run/socket"), 0);
	expect_name(client, true, "/run/socket", 2 + 11 + 1);
	int accepted = (int)CALL(accept, (uint64_t)fd);

	expect_name(accepted, false, "/run/socket", 2 + 11 + 1);
	expect_name(accepted, true, "", 2);
	/* The name outlives the socket, but leads to nobody. */
	assert_int_equal(fd_close(fd), 0);
	assert_int_equal(unix_connect_to(unix_socket_fd(SOCK_STREAM), "/run/socket"),
			 -ECONNREFUSED);
	assert_int_equal(unix_bind_to(unix_socket_fd(SOCK_STREAM), "/run/socket"), -EADDRINUSE);
	assert_int_equal(host_unlink("/run/socket"), 0);
	unix_bound(SOCK_STREAM, "/run/socket");
	/* A socket whose name was removed is still there for those who are connected. */
	assert_int_equal(host_unlink("/run/socket"), 0);
	assert_int_equal(unix_send(client, "x", 1, 0), 1);
}

/* 108 bytes without a NUL are a path, too: unix(7), "Bugs". */
static void the_longest_path(void **state __unused)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	char told[sizeof(struct sockaddr_storage)] = {0};
	uint64_t fd = (uint64_t)unix_socket_fd(SOCK_STREAM);
	uint32_t length = sizeof(told);
	char path[UNIX_PATH_MAX + 1] = {0};

	memset(name.sun_path, 'p', sizeof(name.sun_path));
	memset(path, 'p', UNIX_PATH_MAX);
	assert_int_equal(CALL(bind, fd, P(&name), sizeof(name)), 0);
	assert_int_equal(CALL(getsockname, fd, P(told), P(&length)), 0);
	assert_int_equal(length, sizeof(name) + 1);
	assert_string_equal(told + 2, path);
	assert_int_equal(host_unlink(path), 0);
}

static void types_and_protocols(void **state __unused)
{
	assert_int_equal(unix_option(unix_socket_fd(SOCK_RAW), SO_TYPE), SOCK_DGRAM);
	for (size_t i = 0; i < ARRAY_SIZE(unix_kinds); i++) {
		int64_t fd = CALL(socket, AF_UNIX, (uint64_t)unix_kinds[i], AF_UNIX);

		assert_true(fd >= 0);
		assert_int_equal(unix_option((int)fd, SO_TYPE), unix_kinds[i]);
		assert_int_equal(unix_option((int)fd, SO_DOMAIN), AF_UNIX);
		assert_int_equal(unix_option((int)fd, SO_PROTOCOL), 0);
		assert_int_equal(unix_option((int)fd, SO_ACCEPTCONN), 0);
		assert_int_equal(unix_option((int)fd, SO_ERROR), 0);
	}
	assert_int_equal(CALL(socket, AF_UNIX, SOCK_STREAM, 6), -EPROTONOSUPPORT);
	assert_int_equal(CALL(socket, AF_UNIX, SOCK_RDM, 0), -ESOCKTNOSUPPORT);
}

static void memory_runs_out(void **state __unused)
{
	const sa_family_t family = AF_UNIX;
	uint64_t fd = (uint64_t)unix_socket_fd(SOCK_DGRAM);

	host_fail_allocation(1);
	assert_int_equal(unix_bind_to((int)fd, "@x"), -ENOMEM);
	host_fail_allocation(1);
	assert_int_equal(unix_bind_to((int)fd, "/x"), -ENOMEM);
	host_fail_allocation(1);
	assert_int_equal(CALL(bind, fd, P(&family), sizeof(family)), -ENOMEM);
	assert_int_equal(unix_bind_to((int)fd, "@x"), 0);
}

static void listed(void **state __unused)
{
	char text[1000];

	assert_int_equal(unix_proc_init(&unix_world.net), 0);
	int fds[2];

	unix_listener(SOCK_STREAM, "@name", 1);
	unix_socketpair(SOCK_DGRAM, fds);
	assert_true(host_proc_read("net/unix", text, sizeof(text)) > 0);
	assert_string_equal(text,
			    "Num       RefCount Protocol Flags    Type St Inode Path\n"
			    "0000000000000000: 00000001 00000000 00010000 0001 01  1000 @name\n"
			    "0000000000000000: 00000002 00000000 00000000 0002 03  1001\n"
			    "0000000000000000: 00000002 00000000 00000000 0002 03  1002\n");
	host_proc_reset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIX_TEST(a_fresh_socket_has_no_name),
		UNIX_TEST(abstract_names),
		UNIX_TEST(names_that_are_none),
		UNIX_TEST(the_kernel_chooses_a_name),
		UNIX_TEST(paths),
		UNIX_TEST(the_longest_path),
		UNIX_TEST(types_and_protocols),
		UNIX_TEST(memory_runs_out),
		UNIX_TEST(listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
