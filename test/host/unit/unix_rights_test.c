/* SCM_RIGHTS and SCM_CREDENTIALS: files and identities that travel with messages. */
#include <string.h>

#include "include/uapi/poll.h"
#include "kernel/fs/fd_table.h"
#include "test/host/unit/unix_fixture.h"

#define ROOM 2000 /* bytes of ancillary data: enough for anything */

static void files_travel(void **state __unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(unix_kinds); i++) {
		int probes[2] = {unix_probe_fd(), unix_probe_fd()}, pair[2];

		unix_socketpair(unix_kinds[i], pair);
		assert_int_equal(unix_send_fds(pair[0], "two", probes, 2, 0), 3);
		fd_close(probes[0]);
		fd_close(probes[1]);
		assert_int_equal(unix_probes_live, 2); /* the message holds them */
		struct unix_parcel parcel = unix_receive_parcel(pair[1], 10, ROOM, 0);

		assert_int_equal(parcel.length, 3);
		assert_int_equal(parcel.fd_count, 2);
		assert_int_equal(parcel.flags, 0);
		fd_close(parcel.fds[0]);
		assert_int_equal(unix_probes_live, 1);
		fd_close(parcel.fds[1]);
		assert_int_equal(unix_probes_live, 0);
		host_close_all();
	}
}

/* The sender's name for a file is the receiver's in nothing but the file. */
static void a_socket_travels(void **state __unused)
{
	int pair[2], inner[2];

	unix_socketpair(SOCK_STREAM, pair);
	unix_socketpair(SOCK_STREAM, inner);
	unix_send_fds(pair[0], "x", &inner[1], 1, 0);
	fd_close(inner[1]);
	assert_int_equal(unix_send(inner[0], "waits", 5, 0), 5);
	struct unix_parcel parcel = unix_receive_parcel(pair[1], 10, ROOM, MSG_CMSG_CLOEXEC);

	assert_int_equal(parcel.fd_count, 1);
	EXPECT_TEXT(parcel.fds[0], "waits");
}

static void files_that_nobody_receives(void **state __unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(unix_kinds); i++) {
		int probe = unix_probe_fd(), pair[2];
		char to[10];

		unix_socketpair(unix_kinds[i], pair);
		/* A plain read, and one without room, give them up. */
		unix_send_fds(pair[0], "abc", &probe, 1, 0);
		fd_close(probe);
		assert_int_equal(unix_receive(pair[1], to, 10, 0), 3);
		assert_int_equal(unix_probes_live, 0);
		probe = unix_probe_fd();
		unix_send_fds(pair[0], "abc", &probe, 1, 0);
		fd_close(probe);
		struct unix_parcel parcel = unix_receive_parcel(pair[1], 10, CMSG_LEN(3), 0);

		assert_int_equal(parcel.fd_count, 0);
		assert_int_equal(parcel.flags, MSG_CTRUNC);
		assert_int_equal(unix_probes_live, 0);
		/* So does the end of the socket. */
		probe = unix_probe_fd();
		unix_send_fds(pair[0], "abc", &probe, 1, 0);
		fd_close(probe);
		fd_close(pair[1]);
		assert_int_equal(unix_probes_live, 0);
		host_close_all();
	}
}

static void less_room_than_files(void **state __unused)
{
	int probes[3] = {unix_probe_fd(), unix_probe_fd(), unix_probe_fd()}, pair[2];

	unix_socketpair(SOCK_STREAM, pair);
	unix_send_fds(pair[0], "x", probes, 3, 0);
	for (int i = 0; i < 3; i++)
		fd_close(probes[i]);
	struct unix_parcel parcel = unix_receive_parcel(pair[1], 10, CMSG_LEN(2 * 4), 0);

	assert_int_equal(parcel.fd_count, 2);
	assert_int_equal(parcel.flags, MSG_CTRUNC);
	assert_int_equal(unix_probes_live, 2);
}

static void peeking_gives_files_too(void **state __unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(unix_kinds); i++) {
		int probe = unix_probe_fd(), pair[2];

		unix_socketpair(unix_kinds[i], pair);
		unix_send_fds(pair[0], "x", &probe, 1, 0);
		fd_close(probe);
		struct unix_parcel peeked = unix_receive_parcel(pair[1], 10, ROOM, MSG_PEEK);
		struct unix_parcel parcel = unix_receive_parcel(pair[1], 10, ROOM, 0);

		assert_int_equal(peeked.fd_count, 1);
		assert_int_equal(parcel.fd_count, 1);
		fd_close(peeked.fds[0]);
		assert_int_equal(unix_probes_live, 1);
		fd_close(parcel.fds[0]);
		assert_int_equal(unix_probes_live, 0);
		host_close_all();
	}
}

/* A receiver whose bytes go nowhere gets no descriptors that it never hears of. */
static void files_of_a_message_that_is_lost(void **state __unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(unix_kinds); i++) {
		int probe = unix_probe_fd(), pair[2], next;
		uint64_t control[8];
		struct iovec nowhere = {.iov_base = 8, .iov_len = 4};
		struct msghdr header = {.msg_iov = P(&nowhere),
					.msg_iovlen = 1,
					.msg_control = P(control),
					.msg_controllen = sizeof(control)};

		unix_socketpair(unix_kinds[i], pair);
		unix_send_fds(pair[0], "x", &probe, 1, 0);
		fd_close(probe);
		next = unix_socket_fd(SOCK_STREAM);
		fd_close(next);
		assert_int_equal(CALL(recvmsg, (uint64_t)pair[1], P(&header), 0), -EFAULT);
		assert_int_equal(unix_socket_fd(SOCK_STREAM), next); /* nothing was installed */
		/* A stream keeps what it could not hand over; a message is gone. */
		assert_int_equal(unix_probes_live, unix_kinds[i] == SOCK_STREAM);
		host_close_all();
		assert_int_equal(unix_probes_live, 0);
	}
}

/* SO_LINGER is for the process that closes its socket, not for who clears up behind it. */
static void nobody_lingers_for_another(void **state __unused)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 5};
	struct test_family family;

	test_family_init(&family, &unix_world.net);
	for (int sent = 0; sent <= 1; sent++) {
		int fd = open_socket(0), pair[2];

		assert_int_equal(CALL(setsockopt, (uint64_t)fd, SOL_SOCKET, SO_LINGER, P(&linger),
				      sizeof(linger)),
				 0);
		unix_socketpair(SOCK_STREAM, pair);
		if (sent)
			unix_send_fds(pair[0], "x", &fd, 1, 0);
		fd_close(fd);
		host_close_all();
		assert_int_equal(family.lingers, 1); /* for the one that was not sent */
	}
	test_family_destroy(&family);
}

/* Files stay with the bytes that they were sent with: reading stops behind them. */
static void files_divide_a_stream(void **state __unused)
{
	int probe = unix_probe_fd(), pair[2];

	unix_socketpair(SOCK_STREAM, pair);
	unix_send(pair[0], "a", 1, 0);
	unix_send_fds(pair[0], "bc", &probe, 1, 0);
	unix_send(pair[0], "d", 1, 0);
	struct unix_parcel parcel = unix_receive_parcel(pair[1], 10, ROOM, 0);

	assert_int_equal(parcel.length, 3);
	assert_memory_equal(parcel.bytes, "abc", 3);
	assert_int_equal(parcel.fd_count, 1);
	EXPECT_TEXT(pair[1], "d");
	/* With the first byte, and once. */
	unix_send_fds(pair[0], "ef", &probe, 1, 0);
	parcel = unix_receive_parcel(pair[1], 1, ROOM, 0);
	assert_int_equal(parcel.fd_count, 1);
	parcel = unix_receive_parcel(pair[1], 10, ROOM, 0);
	assert_int_equal(parcel.length, 1);
	assert_int_equal(parcel.fd_count, 0);
}

static void bounds(void **state __unused)
{
	int32_t fds[260], pair[2], bad = 9999;
	int64_t sent = 0;

	unix_socketpair(SOCK_DGRAM, pair);
	for (int i = 0; i < 260; i++)
		fds[i] = pair[0];
	assert_int_equal(unix_send_fds(pair[0], "x", fds, 254, 0), -EINVAL);
	assert_int_equal(unix_send_fds(pair[0], "x", &bad, 1, 0), -EBADF);
	assert_int_equal(unix_send_fds(pair[0], "x", fds, 0, 0), 1);
	EXPECT_TEXT(pair[1], "x");
	assert_int_equal(unix_send_fds(pair[0], "x", fds, 253, 0), 1);
	struct unix_parcel parcel = unix_receive_parcel(pair[1], 1, ROOM, 0);

	assert_int_equal(parcel.fd_count, 253);
	for (int i = 0; i < 253; i++)
		fd_close(parcel.fds[i]);
	/* All messages of a user together: as many as the process might have open. */
	while (unix_send_fds(pair[0], "x", fds, 253, MSG_DONTWAIT) == 1)
		sent += 253;
	assert_int_equal(unix_send_fds(pair[0], "x", fds, 253, MSG_DONTWAIT), -ETOOMANYREFS);
	assert_true(sent <= fd_limit() && sent + 253 > fd_limit());
	uint32_t rest = (uint32_t)(fd_limit() - sent);

	assert_int_equal(unix_send_fds(pair[0], "x", fds, rest, MSG_DONTWAIT), 1);
	assert_int_equal(unix_send_fds(pair[0], "x", fds, 1, MSG_DONTWAIT), -ETOOMANYREFS);
	host_set_credentials(&(struct ucred){.pid = 2, .uid = 1000, .gid = 1000});
	assert_int_equal(unix_send_fds(pair[0], "x", fds, 253, 0), 1);
	host_set_credentials(&(struct ucred){.pid = 1});
	assert_int_equal(unix_send_fds(pair[0], "x", fds, 253, MSG_DONTWAIT), -ETOOMANYREFS);
	assert_int_equal(unix_send(pair[0], "x", 1, 0), 1);
}

static void memory_runs_out(void **state __unused)
{
	int probe = unix_probe_fd(), pair[2];

	unix_socketpair(SOCK_DGRAM, pair);
	for (uint64_t nth = 1; nth <= 4; nth++) {
		host_fail_allocation(nth);
		int64_t error = unix_send_fds(pair[0], "x", &probe, 1, 0);

		assert_true(error == -ENOBUFS || error == -ENOMEM);
	}
	unix_send_fds(pair[0], "x", &probe, 1, 0);
	for (uint64_t nth = 1; nth <= 2; nth++) {
		host_fail_allocation(nth);
		assert_true(unix_receive_parcel(pair[1], 1, ROOM, MSG_PEEK).length < 0);
	}
	host_fail_allocation(0);
	assert_int_equal(unix_receive_parcel(pair[1], 1, ROOM, MSG_PEEK).fd_count, 1);
}

static const struct ucred alice = {.pid = 10, .uid = 1000, .gid = 100};
static const struct ucred bob = {.pid = 11, .uid = 1001, .gid = 101};

static void expect_credentials(const struct ucred *a, const struct ucred *b)
{
	assert_int_equal(a->pid, b->pid);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->gid, b->gid);
}

static struct ucred peer_of(int fd)
{
	struct ucred peer = {0};
	uint32_t length = sizeof(peer);

	assert_int_equal(
		CALL(getsockopt, (uint64_t)fd, SOL_SOCKET, SO_PEERCRED, P(&peer), P(&length)), 0);
	assert_int_equal(length, sizeof(peer));
	return peer;
}

static void who_is_the_peer(void **state __unused)
{
	const struct ucred nobody = {.pid = 0, .uid = UINT32_MAX, .gid = UINT32_MAX};
	struct ucred peer = peer_of(unix_socket_fd(SOCK_STREAM));

	expect_credentials(&peer, &nobody);
	host_set_credentials(&alice);
	int listener = unix_listener(SOCK_STREAM, "@l", 1), client = unix_socket_fd(SOCK_STREAM);

	host_set_credentials(&bob);
	assert_int_equal(unix_connect_to(client, "@l"), 0);
	int server = (int)CALL(accept, (uint64_t)listener);

	peer = peer_of(client);
	expect_credentials(&peer, &alice);
	peer = peer_of(server);
	expect_credentials(&peer, &bob);
	int pair[2];

	unix_socketpair(SOCK_DGRAM, pair);
	peer = peer_of(pair[0]);
	expect_credentials(&peer, &bob);
}

static void messages_tell_who_sent_them(void **state __unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(unix_kinds); i++) {
		int pair[2];

		unix_socketpair(unix_kinds[i], pair);
		host_set_credentials(&alice);
		unix_send(pair[0], "a", 1, 0);
		assert_false(unix_receive_parcel(pair[1], 1, ROOM, 0).has_credentials);
		unix_set_option(pair[1], SO_PASSCRED, 1);
		unix_send(pair[0], "a", 1, 0);
		host_set_credentials(&bob);
		unix_send(pair[0], "b", 1, 0);
		/* In a stream, too, bytes of two senders are told apart. */
		struct unix_parcel parcel = unix_receive_parcel(pair[1], 2, ROOM, 0);

		assert_int_equal(parcel.length, 1);
		assert_true(parcel.has_credentials);
		expect_credentials(&parcel.credentials, &alice);
		parcel = unix_receive_parcel(pair[1], 2, ROOM, 0);
		expect_credentials(&parcel.credentials, &bob);
	}
}

static void what_may_be_claimed(void **state __unused)
{
	const struct ucred root = {.pid = 1}, nobody = {.pid = -1};
	struct ucred claim = alice;
	int pair[2];

	unix_socketpair(SOCK_DGRAM, pair);
	unix_set_option(pair[1], SO_PASSCRED, 1);
	host_set_credentials(&alice);
	assert_int_equal(unix_send_credentials(pair[0], "x", &alice), 1);
	claim.uid = 0;
	assert_int_equal(unix_send_credentials(pair[0], "x", &claim), -EPERM);
	host_set_credentials(&root);
	assert_int_equal(unix_send_credentials(pair[0], "x", &bob), 1);
	assert_int_equal(unix_send_credentials(pair[0], "x", &nobody), -ESRCH);
	(void)unix_receive_parcel(pair[1], 1, ROOM, 0);
	struct unix_parcel parcel = unix_receive_parcel(pair[1], 1, ROOM, 0);

	expect_credentials(&parcel.credentials, &bob);
}

/* Who wants to know the sender gets a name that the sender can answer to. */
static void credentials_bring_a_name(void **state __unused)
{
	int listener = unix_listener(SOCK_STREAM, "@l", 1), client = unix_socket_fd(SOCK_STREAM);
	struct sockaddr_un name;
	uint32_t length = sizeof(name);

	unix_set_option(client, SO_PASSCRED, 1);
	unix_set_option(listener, SO_PASSCRED, 1);
	assert_int_equal(unix_connect_to(client, "@l"), 0);
	assert_int_equal(CALL(getsockname, (uint64_t)client, P(&name), P(&length)), 0);
	assert_int_equal(length, 2 + 6);
	assert_int_equal(unix_option((int)CALL(accept, (uint64_t)listener), SO_PASSCRED), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIX_TEST(files_travel),
		UNIX_TEST(a_socket_travels),
		UNIX_TEST(files_that_nobody_receives),
		UNIX_TEST(less_room_than_files),
		UNIX_TEST(peeking_gives_files_too),
		UNIX_TEST(files_of_a_message_that_is_lost),
		UNIX_TEST(nobody_lingers_for_another),
		UNIX_TEST(files_divide_a_stream),
		UNIX_TEST(bounds),
		UNIX_TEST(memory_runs_out),
		UNIX_TEST(who_is_the_peer),
		UNIX_TEST(messages_tell_who_sent_them),
		UNIX_TEST(what_may_be_claimed),
		UNIX_TEST(credentials_bring_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
