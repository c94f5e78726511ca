/* SOCK_DGRAM of AF_UNIX: messages to whom one likes, and none is lost. */
#include <string.h>

#include "include/uapi/filter.h"
#include "include/uapi/poll.h"
#include "include/uapi/sockios.h"
#include "test/host/unit/unix_fixture.h"

#define WRITABLE (POLLOUT | POLLWRNORM)
#define MOST_WAITING 11 /* max_dgram_qlen, and the one that crosses it */

static void messages_keep_their_bounds(void **state __unused)
{
	char to[10] = {0};
	int pair[2];

	unix_socketpair(SOCK_DGRAM, pair);
	assert_int_equal(unix_send(pair[0], "abcdef", 6, 0), 6);
	assert_int_equal(unix_send(pair[0], "", 0, 0), 0);
	assert_int_equal(unix_send(pair[0], "xyz", 3, 0), 3);
	assert_int_equal(unix_ioctl_number(pair[1], SIOCINQ), 6);
	assert_int_equal(unix_receive(pair[1], to, 9, MSG_PEEK), 6);
	assert_int_equal(unix_receive(pair[1], to, 2, MSG_PEEK | MSG_TRUNC), 6);
	struct unix_parcel cut = unix_receive_parcel(pair[1], 4, 0, 0);

	assert_int_equal(cut.length, 4);
	assert_int_equal(cut.flags, MSG_TRUNC);
	assert_memory_equal(cut.bytes, "abcd", 5);
	assert_int_equal(unix_receive(pair[1], to, 9, 0), 0);
	EXPECT_TEXT(pair[1], "xyz");
	assert_int_equal(unix_receive(pair[1], to, 9, MSG_DONTWAIT), -EAGAIN);
}

static void the_receiver_learns_who_sent(void **state __unused)
{
	int to = unix_bound(SOCK_DGRAM, "@to"), named = unix_bound(SOCK_DGRAM, "@from");
	struct sockaddr_un from = {0};
	uint32_t length = sizeof(from);
	char byte;

	assert_int_equal(unix_send_to(named, "@to", "x", 1, 0), 1);
	assert_int_equal(unix_send_to(unix_socket_fd(SOCK_DGRAM), "@to", "y", 1, 0), 1);
	assert_int_equal(CALL(recvfrom, (uint64_t)to, P(&byte), 1, 0, P(&from), P(&length)), 1);
	assert_int_equal(length, 2 + 5);
	assert_memory_equal(from.sun_path, "\0from", 5);
	length = sizeof(from);
	assert_int_equal(CALL(recvfrom, (uint64_t)to, P(&byte), 1, 0, P(&from), P(&length)), 1);
	assert_int_equal(length, 0);
	/* The name stays with what was sent when its owner is gone. */
	unix_send_to(named, "@to", "z", 1, 0);
	fd_close(named);
	length = sizeof(from);
	assert_int_equal(CALL(recvfrom, (uint64_t)to, P(&byte), 1, 0, P(&from), P(&length)), 1);
	assert_memory_equal(from.sun_path, "\0from", 5);
}

static void nobody_there(void **state __unused)
{
	int fd = unix_socket_fd(SOCK_DGRAM), to = unix_bound(SOCK_DGRAM, "@to");

	assert_int_equal(unix_send(fd, "x", 1, 0), -ENOTCONN);
	assert_int_equal(unix_send_to(fd, "@nobody", "x", 1, 0), -ECONNREFUSED);
	assert_int_equal(unix_send_to(fd, "/nobody", "x", 1, 0), -ENOENT);
	unix_listener(SOCK_STREAM, "/stream", 1);
	assert_int_equal(unix_send_to(fd, "/stream", "x", 1, 0), -EPROTOTYPE);
	assert_int_equal(host_unlink("/stream"), 0);
	assert_int_equal(unix_connect_to(fd, "@nobody"), -ECONNREFUSED);
	assert_int_equal(unix_connect_to(fd, "@to"), 0);
	assert_int_equal(fd_close(to), 0);
	/* It is told once; then there is no peer. */
	assert_int_equal(unix_send(fd, "x", 1, 0), -ECONNREFUSED);
	assert_int_equal(unix_send(fd, "x", 1, 0), -ENOTCONN);
	assert_int_equal(CALL(listen, (uint64_t)fd, 1), -EOPNOTSUPP);
	assert_int_equal(CALL(accept, (uint64_t)fd), -EOPNOTSUPP);
}

/* Who is connected hears nobody else. */
static void a_connected_socket_is_closed_to_others(void **state __unused)
{
	int a = unix_bound(SOCK_DGRAM, "@a"), b = unix_bound(SOCK_DGRAM, "@b");
	const sa_family_t unspecified = AF_UNSPEC;
	int other = unix_socket_fd(SOCK_DGRAM);

	assert_int_equal(unix_connect_to(a, "@b"), 0);
	assert_int_equal(unix_connect_to(b, "@a"), 0);
	assert_int_equal(unix_send(a, "x", 1, 0), 1);
	EXPECT_TEXT(b, "x");
	assert_int_equal(unix_send_to(other, "@a", "x", 1, 0), -EPERM);
	assert_int_equal(unix_connect_to(other, "@a"), -EPERM);
	assert_int_equal(CALL(connect, (uint64_t)a, P(&unspecified), 2), 0);
	assert_int_equal(CALL(getpeername, (uint64_t)a, 0, 0), -ENOTCONN);
	assert_int_equal(unix_send_to(other, "@a", "x", 1, 0), 1);
	EXPECT_TEXT(a, "x");
}

/* What was sent to a socket that turns to somebody else is lost, and its sender is told. */
static void breaking_off(void **state __unused)
{
	int pair[2];

	unix_bound(SOCK_DGRAM, "@other");
	unix_socketpair(SOCK_DGRAM, pair);
	unix_send(pair[0], "lost", 4, 0);
	assert_int_equal(unix_connect_to(pair[1], "@other"), 0);
	assert_int_equal(unix_ioctl_number(pair[1], SIOCINQ), 0);
	assert_int_equal(unix_option(pair[0], SO_ERROR), ECONNRESET);
}

static int receiver, sender;
static uint32_t received;

static bool receiver_reads(struct fixture *f __unused)
{
	char byte;
	bool got = unix_receive(receiver, &byte, 1, MSG_DONTWAIT) == 1;

	received += got;
	return got;
}

static bool receiver_goes(struct fixture *f __unused)
{
	return fd_close(receiver) == 0;
}

static void fill(void)
{
	receiver = unix_bound(SOCK_DGRAM, "@full");
	sender = unix_socket_fd(SOCK_DGRAM);
	received = 0;
	assert_int_equal(unix_connect_to(sender, "@full"), 0);
	for (int i = 0; i < MOST_WAITING; i++)
		assert_int_equal(unix_send(sender, "x", 1, MSG_DONTWAIT), 1);
	assert_int_equal(unix_send(sender, "x", 1, MSG_DONTWAIT), -EAGAIN);
	assert_int_equal(unix_poll(sender), 0);
}

static void senders_wait_for_a_slow_receiver(void **state __unused)
{
	int other = unix_socket_fd(SOCK_DGRAM);

	fill();
	assert_int_equal(unix_poll(other), WRITABLE);
	assert_int_equal(unix_send_to(other, "@full", "x", 1, MSG_DONTWAIT), -EAGAIN);
	unix_world.while_asleep = receiver_reads;
	assert_int_equal(unix_send(sender, "y", 1, 0), 1);
	assert_int_equal(received, 1);
	assert_int_equal(unix_send_to(other, "@full", "z", 1, 0), 1);
	assert_int_equal(received, 2);
	receiver_reads(NULL);
	assert_int_equal(unix_poll(sender), WRITABLE);
}

static void the_receiver_goes_while_a_sender_waits(void **state __unused)
{
	fill();
	unix_world.while_asleep = receiver_goes;
	assert_int_equal(unix_send(sender, "y", 1, 0), -ECONNREFUSED);
}

static void a_signal_ends_a_wait(void **state __unused)
{
	char byte;

	fill();
	host_signal(true);
	assert_int_equal(unix_send(sender, "y", 1, 0), -ERESTARTSYS);
	assert_int_equal(unix_receive(sender, &byte, 1, 0), -ERESTARTSYS);
}

/* Two that are connected to each other are bounded by the send buffer alone. */
static void a_pair_is_bounded_by_its_buffers(void **state __unused)
{
	int pair[2], sent = 0;

	unix_socketpair(SOCK_DGRAM, pair);
	while (unix_send(pair[0], "x", 1, MSG_DONTWAIT) == 1)
		sent++;
	assert_in_range(sent, 100, 1000);
	for (int i = 0; i < sent; i++)
		EXPECT_TEXT(pair[1], "x");
	assert_int_equal(unix_poll(pair[0]), WRITABLE);
}

static void the_largest_message(void **state __unused)
{
	static uint8_t bytes[300000], to[300000];
	int pair[2];
	int64_t most;

	unix_socketpair(SOCK_DGRAM, pair);
	most = unix_option(pair[0], SO_SNDBUF) - 32;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 13 >> 2);
	assert_int_equal(unix_send(pair[0], bytes, (size_t)most + 1, 0), -EMSGSIZE);
	for (int64_t n = most; n > 0; n /= 3) {
		assert_int_equal(unix_send(pair[0], bytes, (size_t)n, 0), n);
		assert_int_equal(unix_receive(pair[1], to, sizeof(to), 0), n);
		assert_memory_equal(to, bytes, n);
	}
	for (uint64_t nth = 1; nth <= 10; nth++) {
		host_fail_allocation(nth);
		assert_int_equal(unix_send(pair[0], bytes, (size_t)most, 0), -ENOBUFS);
	}
}

static void shutting_down(void **state __unused)
{
	int pair[2];
	char byte;

	unix_socketpair(SOCK_DGRAM, pair);
	unix_send(pair[0], "x", 1, 0);
	assert_int_equal(CALL(shutdown, (uint64_t)pair[1], SHUT_RD), 0);
	assert_int_equal(unix_send(pair[0], "x", 1, 0), -EPIPE);
	assert_int_equal(host_signals_sent(), 0); /* SIGPIPE is for streams */
	EXPECT_TEXT(pair[1], "x");
	assert_int_equal(unix_receive(pair[1], &byte, 1, 0), 0);
	assert_int_equal(CALL(shutdown, (uint64_t)pair[1], SHUT_WR), 0);
	assert_int_equal(unix_send(pair[1], "x", 1, 0), -EPIPE);
}

/* SO_ATTACH_FILTER: what it refuses is lost without a word, and it may cut the rest. */
static void a_filter(void **state __unused)
{
	/* Messages that begin with 'y': three bytes of them; of others nothing. */
	struct sock_filter program[] = {
		{BPF_LD | BPF_B | BPF_ABS, 0, 0, 0},
		{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 'y'},
		{BPF_RET | BPF_K, 0, 0, 3},
		{BPF_RET | BPF_K, 0, 0, 0},
	};
	const struct sock_fprog filter = {.len = 4, .filter = P(program)};

	for (size_t i = 1; i < ARRAY_SIZE(unix_kinds); i++) {
		int pair[2], probe = unix_probe_fd();
		char byte;

		unix_socketpair(unix_kinds[i], pair);
		assert_int_equal(CALL(setsockopt, (uint64_t)pair[1], SOL_SOCKET, SO_ATTACH_FILTER,
				      P(&filter), sizeof(filter)),
				 0);
		assert_int_equal(unix_send_fds(pair[0], "no", &probe, 1, 0), 2);
		assert_int_equal(unix_send(pair[0], "yes, and more", 13, 0), 13);
		fd_close(probe);
		assert_int_equal(unix_probes_live, 0);
		EXPECT_TEXT(pair[1], "yes");
		assert_int_equal(unix_receive(pair[1], &byte, 1, MSG_DONTWAIT), -EAGAIN);
		host_close_all();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIX_TEST(messages_keep_their_bounds),
		UNIX_TEST(the_receiver_learns_who_sent),
		UNIX_TEST(nobody_there),
		UNIX_TEST(a_connected_socket_is_closed_to_others),
		UNIX_TEST(breaking_off),
		UNIX_TEST(senders_wait_for_a_slow_receiver),
		UNIX_TEST(the_receiver_goes_while_a_sender_waits),
		UNIX_TEST(a_signal_ends_a_wait),
		UNIX_TEST(a_pair_is_bounded_by_its_buffers),
		UNIX_TEST(the_largest_message),
		UNIX_TEST(shutting_down),
		UNIX_TEST(a_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
