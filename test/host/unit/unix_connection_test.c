/* listen, connect, accept and socketpair of AF_UNIX, for SOCK_STREAM and SOCK_SEQPACKET. */
#include <string.h>
#include <sys/time.h>

#include "include/uapi/poll.h"
#include "test/host/unit/unix_fixture.h"

#define READABLE (POLLIN | POLLRDNORM)
#define BOTH(kind) for (size_t i_ = 0, kind; i_ < 2 && (kind = (size_t)unix_connections[i_]); i_++)

static void both_ends_talk_before_accept(void **state __unused)
{
	BOTH(kind)
	{
		int listener = unix_listener((int)kind, "@l", 5),
		    client = unix_socket_fd((int)kind);

		assert_int_equal(unix_option(listener, SO_ACCEPTCONN), 1);
		assert_int_equal(unix_poll(listener), 0);
		assert_int_equal(unix_connect_to(client, "@l"), 0);
		assert_int_equal(unix_poll(listener), READABLE);
		assert_int_equal(unix_send(client, "early", 5, 0), 5);
		int server = (int)CALL(accept4, (uint64_t)listener, 0, 0, SOCK_NONBLOCK);

		EXPECT_TEXT(server, "early");
		assert_int_equal(unix_send(server, "back", 4, 0), 4);
		EXPECT_TEXT(client, "back");
		host_close_all();
	}
}

static void who_may_listen(void **state __unused)
{
	BOTH(kind)
	{
		int pair[2];
		char byte;

		unix_socketpair((int)kind, pair);
		assert_int_equal(CALL(listen, (uint64_t)unix_socket_fd((int)kind), 1), -EINVAL);
		assert_int_equal(CALL(listen, (uint64_t)pair[0], 1), -EINVAL);
		int listener = unix_listener((int)kind, "@l", 1);

		assert_int_equal(CALL(listen, (uint64_t)listener, 2), 0);
		assert_int_equal(CALL(accept, (uint64_t)pair[0]), -EINVAL);
		assert_int_equal(unix_connect_to(listener, "@l"), -EINVAL);
		assert_true(unix_send(listener, "x", 1, 0) == -ENOTCONN);
		assert_true(unix_receive(listener, &byte, 1, 0) < 0);
		unix_bound((int)kind, "@bound");
		assert_int_equal(unix_connect_to(unix_socket_fd((int)kind), "@bound"),
				 -ECONNREFUSED);
		host_close_all();
	}
}

static int listener;

static bool listener_accepts(struct fixture *f __unused)
{
	return CALL(accept, (uint64_t)listener) >= 0;
}

static bool listener_goes(struct fixture *f __unused)
{
	return fd_close(listener) == 0;
}

static void a_full_backlog(void **state __unused)
{
	const struct timeval second = {.tv_sec = 1};
	struct unix_name name = unix_named("@l");
	int64_t fd;

	listener = unix_listener(SOCK_STREAM, "@l", 1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(unix_connect_to(unix_socket_fd(SOCK_STREAM), "@l"), 0);
	fd = unix_socket_fd(SOCK_STREAM | SOCK_NONBLOCK);
	assert_int_equal(unix_connect_to((int)fd, "@l"), -EAGAIN);
	fd = unix_socket_fd(SOCK_STREAM);
	CALL(setsockopt, (uint64_t)fd, SOL_SOCKET, SO_SNDTIMEO, P(&second), sizeof(second));
	assert_int_equal(CALL(connect, (uint64_t)fd, P(&name.address), name.length), -EAGAIN);
	unix_world.while_asleep = listener_accepts;
	assert_int_equal(unix_connect_to((int)fd, "@l"), 0);
	unix_world.while_asleep = listener_goes;
	assert_int_equal(unix_connect_to(unix_socket_fd(SOCK_STREAM), "@l"), -ECONNREFUSED);
}

static bool somebody_connects(struct fixture *f __unused)
{
	return unix_connect_to(unix_socket_fd(SOCK_STREAM), "@l") == 0;
}

static void accept_waits(void **state __unused)
{
	const struct timeval second = {.tv_sec = 1};
	uint64_t fd = (uint64_t)unix_listener(SOCK_STREAM, "@l", 1);

	unix_world.while_asleep = somebody_connects;
	assert_true(CALL(accept, fd) >= 0);
	unix_world.while_asleep = NULL;
	CALL(setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, P(&second), sizeof(second));
	assert_int_equal(CALL(accept, fd), -EAGAIN);
	unix_set_nonblocking((int)fd);
	assert_int_equal(CALL(accept, fd), -EAGAIN);
	assert_int_equal(CALL(shutdown, fd, SHUT_RD), 0);
	assert_int_equal(CALL(accept, fd), -EINVAL);
	assert_int_equal(unix_connect_to(unix_socket_fd(SOCK_STREAM), "@l"), -ECONNREFUSED);
}

/* Connections that nobody accepted end with their listener. */
static void the_listener_closes(void **state __unused)
{
	BOTH(kind)
	{
		int fd = unix_listener((int)kind, "@l", 5), client = unix_socket_fd((int)kind);
		char byte;

		assert_int_equal(unix_connect_to(client, "@l"), 0);
		assert_int_equal(unix_send(client, "x", 1, 0), 1);
		assert_int_equal(fd_close(fd), 0);
		assert_int_equal(unix_receive(client, &byte, 1, 0), -ECONNRESET);
		assert_int_equal(unix_receive(client, &byte, 1, 0), 0);
		assert_int_equal(unix_send(client, "x", 1, MSG_NOSIGNAL), -EPIPE);
		host_close_all();
	}
}

static void a_client_goes_before_it_is_accepted(void **state __unused)
{
	int fd = unix_listener(SOCK_STREAM, "@l", 5), client = unix_socket_fd(SOCK_STREAM);
	char byte;

	assert_int_equal(unix_connect_to(client, "@l"), 0);
	assert_int_equal(unix_send(client, "x", 1, 0), 1);
	assert_int_equal(fd_close(client), 0);
	int server = (int)CALL(accept, (uint64_t)fd);

	EXPECT_TEXT(server, "x");
	assert_int_equal(unix_receive(server, &byte, 1, 0), 0);
}

static void pairs(void **state __unused)
{
	int32_t fds[2];

	for (size_t i = 0; i < ARRAY_SIZE(unix_kinds); i++) {
		unix_socketpair(unix_kinds[i], fds);
		for (int end = 0; end < 2; end++) {
			assert_int_equal(unix_send(fds[end], "over", 4, 0), 4);
			EXPECT_TEXT(fds[!end], "over");
			assert_int_equal(unix_option(fds[end], SO_TYPE), unix_kinds[i]);
		}
	}
	assert_int_equal(CALL(socketpair, AF_UNIX, SOCK_STREAM, 99, P(fds)), -EPROTONOSUPPORT);
	assert_int_equal(CALL(socketpair, AF_UNIX, SOCK_STREAM | 0x100000, 0, P(fds)), -EINVAL);
	assert_int_equal(CALL(socketpair, AF_PACKET, SOCK_RAW, 0, P(fds)), -EOPNOTSUPP);
	assert_int_equal(CALL(socketpair, 45, SOCK_RAW, 0, P(fds)), -EAFNOSUPPORT);
	assert_int_equal(CALL(socketpair, AF_UNIX, SOCK_STREAM, 0, 8), -EFAULT);
	for (uint64_t nth = 1; nth <= 2; nth++) {
		host_fail_allocation(nth);
		assert_int_equal(CALL(socketpair, AF_UNIX, SOCK_STREAM, 0, P(fds)), -ENOMEM);
	}
}

static void memory_runs_out(void **state __unused)
{
	int fd = unix_socket_fd(SOCK_STREAM);

	unix_listener(SOCK_STREAM, "@l", 5);
	host_fail_allocation(1);
	assert_int_equal(unix_connect_to(fd, "@l"), -ENOMEM);
	assert_int_equal(unix_connect_to(fd, "@l"), 0);
}

static void messages_over_a_connection(void **state __unused)
{
	char to[10];
	int fds[2];

	unix_connected(SOCK_SEQPACKET, fds);
	assert_int_equal(unix_send(fds[0], "first", 5, 0), 5);
	assert_int_equal(unix_send(fds[0], "second", 6, 0), 6);
	struct unix_parcel cut = unix_receive_parcel(fds[1], 2, 0, MSG_PEEK);

	assert_int_equal(cut.length, 2);
	assert_int_equal(cut.flags, MSG_TRUNC);
	EXPECT_TEXT(fds[1], "first");
	EXPECT_TEXT(fds[1], "second");
	assert_int_equal(unix_send(fds[0], to, 300000, 0), -EMSGSIZE);
	assert_int_equal(unix_receive(unix_socket_fd(SOCK_SEQPACKET), to, 1, 0), -ENOTCONN);
	assert_int_equal(unix_send(unix_socket_fd(SOCK_SEQPACKET), to, 1, 0), -ENOTCONN);
	assert_int_equal(fd_close(fds[0]), 0);
	assert_int_equal(unix_receive(fds[1], to, 1, 0), 0);
	assert_int_equal(unix_send(fds[1], to, 1, 0), -EPIPE);
	assert_int_equal(host_signals_sent(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIX_TEST(both_ends_talk_before_accept),
		UNIX_TEST(who_may_listen),
		UNIX_TEST(a_full_backlog),
		UNIX_TEST(accept_waits),
		UNIX_TEST(the_listener_closes),
		UNIX_TEST(a_client_goes_before_it_is_accepted),
		UNIX_TEST(pairs),
		UNIX_TEST(memory_runs_out),
		UNIX_TEST(messages_over_a_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
