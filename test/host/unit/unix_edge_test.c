/* AF_UNIX at its edges: ancillary data of every make, bad addresses, flags, and names. */
#include <string.h>

#include "include/uapi/poll.h"
#include "include/uapi/sockios.h"
#include "kernel/fs/fd_table.h"
#include "net/unix/unix.h"
#include "net/unix/unix_private.h"
#include "test/host/unit/unix_fixture.h"

#define CONTROL_MAX 64 /* bytes that a test sends */

/* Ancillary data, message by message. */
struct control {
	uint64_t words[CONTROL_MAX / sizeof(uint64_t)];
	uint64_t length;
};

static void put(struct control *control, int level, int type, const void *data, uint64_t length)
{
	struct cmsghdr header = {
		.cmsg_len = CMSG_LEN(length), .cmsg_level = level, .cmsg_type = type};
	uint8_t *to = (uint8_t *)control->words + control->length;

	memcpy(to, &header, sizeof(header));
	memcpy(to + sizeof(header), data, length);
	control->length += CMSG_SPACE(length);
}

static int64_t send_with(int fd, const struct control *control)
{
	struct iovec piece = {.iov_base = P("x"), .iov_len = 1};
	struct msghdr message = {.msg_iov = P(&piece),
				 .msg_iovlen = 1,
				 .msg_control = P(control->words),
				 .msg_controllen = control->length};

	return CALL(sendmsg, (uint64_t)fd, P(&message), 0);
}

static void ancillary_data_is_checked(void **state __unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(unix_kinds); i++) {
		const struct ucred mine = {.pid = 1};
		int pair[2], probe = unix_probe_fd();
		struct control control = {0};

		unix_socketpair(unix_kinds[i], pair);
		put(&control, SOL_SOCKET, 99, "", 0);
		assert_int_equal(send_with(pair[0], &control), -EINVAL);
		control.length = 0;
		put(&control, SOL_SOCKET, SCM_CREDENTIALS, &mine, sizeof(mine) - 4);
		assert_int_equal(send_with(pair[0], &control), -EINVAL);
		control.length = 0; /* files that come before what is wrong are given up */
		put(&control, SOL_SOCKET, SCM_RIGHTS, &probe, sizeof(probe));
		put(&control, SOL_SOCKET, 99, "", 0);
		assert_int_equal(send_with(pair[0], &control), -EINVAL);
		control.length = 0; /* another level's is not ours to judge */
		put(&control, SOL_TCP, 99, "", 0);
		put(&control, SOL_SOCKET, SCM_RIGHTS, &probe, sizeof(probe));
		put(&control, SOL_SOCKET, SCM_RIGHTS, &probe, sizeof(probe));
		assert_int_equal(send_with(pair[0], &control), 1);
		fd_close(probe);
		struct unix_parcel parcel = unix_receive_parcel(pair[1], 1, 1000, 0);

		assert_int_equal(parcel.fd_count, 2);
		host_close_all();
		assert_int_equal(unix_probes_live, 0);
	}
}

/* Nothing was said yet: a length that reaches beyond the data, or not even over its header. */
static void ancillary_data_that_is_cut(void **state __unused)
{
	static const uint64_t lengths[] = {0, 15, 21, 4096, UINT64_MAX, UINT64_MAX - 7};
	int pair[2], probe = unix_probe_fd();

	unix_socketpair(SOCK_DGRAM, pair);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct control control = {0};

		put(&control, SOL_SOCKET, SCM_RIGHTS, &probe, sizeof(probe));
		memcpy(control.words, &lengths[i], sizeof(lengths[i]));
		control.length = CMSG_LEN(sizeof(probe));
		assert_int_equal(send_with(pair[0], &control), -EINVAL);
	}
}

static void urgent_data_is_not_known(void **state __unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(unix_kinds); i++) {
		int pair[2];
		char byte;

		unix_socketpair(unix_kinds[i], pair);
		assert_int_equal(unix_send(pair[0], "x", 1, MSG_OOB), -EOPNOTSUPP);
		unix_send(pair[0], "x", 1, 0);
		assert_int_equal(unix_receive(pair[1], &byte, 1, MSG_OOB), -EOPNOTSUPP);
		EXPECT_TEXT(pair[1], "x");
	}
}

/* Nothing is sent of bytes that are not there, however long, and no memory is kept. */
static void bytes_that_are_nowhere(void **state __unused)
{
	static const size_t lengths[] = {1, 4000, 40000, 100000};

	for (size_t i = 0; i < ARRAY_SIZE(unix_kinds) * ARRAY_SIZE(lengths); i++) {
		size_t length = lengths[i % ARRAY_SIZE(lengths)];
		int pair[2];
		char byte;

		unix_socketpair(unix_kinds[i / ARRAY_SIZE(lengths)], pair);
		assert_int_equal(unix_send(pair[0], (void *)8, length, MSG_DONTWAIT), -EFAULT);
		assert_int_equal(unix_receive(pair[1], &byte, 1, MSG_DONTWAIT), -EAGAIN);
		assert_int_equal(unix_ioctl_number(pair[0], SIOCOUTQ), 0);
		host_close_all();
	}
}

static void who_listens_has_no_bytes(void **state __unused)
{
	int listener = unix_listener(SOCK_STREAM, "@listener", 1);

	assert_int_equal(unix_ioctl_number(listener, SIOCINQ), -EINVAL);
	assert_int_equal(unix_ioctl_number(listener, SIOCOUTQ), -EINVAL);
	assert_int_equal(unix_ioctl_number(listener, SIOCATMARK), -ENOTTY);
}

/* Reading nothing waits for nothing, but a stream must be connected. */
static void reading_nothing(void **state __unused)
{
	int pair[2];
	char byte;

	unix_socketpair(SOCK_STREAM, pair);
	assert_int_equal(unix_receive(pair[0], &byte, 0, 0), 0);
	assert_int_equal(unix_receive(unix_socket_fd(SOCK_STREAM), &byte, 0, 0), -EINVAL);
	assert_int_equal(unix_receive(unix_socket_fd(SOCK_STREAM), &byte, 1, 0), -EINVAL);
	assert_int_equal(unix_receive(unix_socket_fd(SOCK_SEQPACKET), &byte, 1, 0), -ENOTCONN);
}

/* Bytes of one sender are one stream, though the reader asks for credentials. */
static void bytes_of_one_sender_are_not_divided(void **state __unused)
{
	int pair[2];

	unix_socketpair(SOCK_STREAM, pair);
	unix_set_option(pair[1], SO_PASSCRED, 1);
	unix_send(pair[0], "ab", 2, 0);
	unix_send(pair[0], "cd", 2, 0);
	struct unix_parcel parcel = unix_receive_parcel(pair[1], 10, 100, 0);

	assert_int_equal(parcel.length, 4);
	assert_true(parcel.has_credentials);
}

static int writer, probe_to_send;

static bool peer_writes_on(struct fixture *f __unused)
{
	return unix_send_fds(writer, "cd", &probe_to_send, 1, 0) == 2;
}

/* MSG_WAITALL ends where files are, as they belong to their bytes. */
static void files_end_a_wait_for_more(void **state __unused)
{
	char control[64], bytes[10];
	struct iovec piece = {.iov_base = P(bytes), .iov_len = sizeof(bytes)};
	struct msghdr message = {.msg_iov = P(&piece),
				 .msg_iovlen = 1,
				 .msg_control = P(control),
				 .msg_controllen = sizeof(control)};
	int pair[2];

	probe_to_send = unix_probe_fd();
	unix_socketpair(SOCK_STREAM, pair);
	writer = pair[0];
	unix_send(writer, "ab", 2, 0);
	unix_world.while_asleep = peer_writes_on;
	assert_int_equal(CALL(recvmsg, (uint64_t)pair[1], P(&message), MSG_WAITALL), 4);
	assert_int_equal(message.msg_controllen, CMSG_SPACE(sizeof(int32_t)));
}

static bool peer_closes_without_reading(struct fixture *f __unused)
{
	return fd_close(writer) == 0;
}

/* What was read before an error is told first; the error waits for the next call. */
static void an_error_after_some_bytes(void **state __unused)
{
	char bytes[10];
	int pair[2];

	unix_socketpair(SOCK_STREAM, pair);
	writer = pair[0];
	unix_send(writer, "ab", 2, 0);
	unix_send(pair[1], "never read", 10, 0);
	unix_world.while_asleep = peer_closes_without_reading;
	assert_int_equal(unix_receive(pair[1], bytes, sizeof(bytes), MSG_WAITALL), 2);
	assert_int_equal(unix_receive(pair[1], bytes, sizeof(bytes), MSG_WAITALL), -ECONNRESET);
	assert_int_equal(unix_receive(pair[1], bytes, sizeof(bytes), MSG_WAITALL), 0);
}

static void number(char *name, int i)
{
	name[1] = (char)('a' + i / 16);
	name[2] = (char)('a' + i % 16);
}

/* Of many names some share a bucket: a name is found by all of its bytes. */
static void many_names(void **state __unused)
{
	enum { MANY = 150 };
	char name[] = "@aa";

	for (int i = 0; i < MANY; i++) {
		number(name, i);
		assert_true(unix_bound(SOCK_DGRAM, name) >= 0);
	}
	for (int i = 0; i < MANY; i++) {
		number(name, i);
		assert_int_equal(unix_bind_to(unix_socket_fd(SOCK_DGRAM), name), -EADDRINUSE);
	}
	assert_int_equal(unix_send_to(unix_socket_fd(SOCK_DGRAM), "@zz", "x", 1, 0), -ECONNREFUSED);
	assert_int_equal(unix_connect_to(unix_socket_fd(SOCK_STREAM), "@aa"), -ECONNREFUSED);
}

/* SO_PASSCRED wants a name first; without memory for it there is no connection either. */
static void no_memory_for_a_name(void **state __unused)
{
	unix_listener(SOCK_STREAM, "@listener", 1);
	unix_bound(SOCK_DGRAM, "@datagrams");
	for (int stream = 0; stream <= 1; stream++) {
		const char *name = stream ? "@listener" : "@datagrams";
		int fd = unix_socket_fd(stream ? SOCK_STREAM : SOCK_DGRAM);

		unix_set_option(fd, SO_PASSCRED, 1);
		host_fail_allocation(1);
		assert_int_equal(unix_connect_to(fd, name), -ENOMEM);
		host_fail_allocation(0);
		assert_int_equal(unix_connect_to(fd, name), 0);
		assert_int_equal(unix_connect_to(fd, name), stream ? -EISCONN : 0);
	}
	int fd = unix_socket_fd(SOCK_DGRAM);

	unix_set_option(fd, SO_PASSCRED, 1);
	host_fail_allocation(2); /* behind the message */
	assert_int_equal(unix_send_to(fd, "@datagrams", "x", 1, 0), -ENOMEM);
}

/* The files of the tables of /proc come all, or their maker hears of it; and paths are shown. */
static void the_list_in_proc(void **state __unused)
{
	char text[1000];

	host_fail_allocation(1);
	int error = unix_proc_init(&unix_world.net);

	host_fail_allocation(0);
	if (!error) /* nothing was allocated for it */
		host_proc_reset();
	assert_int_equal(unix_proc_init(&unix_world.net), 0);
	int fd = unix_bound(SOCK_DGRAM, "/shown");

	assert_true(host_proc_read("net/unix", text, sizeof(text)) > 0);
	assert_non_null(strstr(text, " /shown\n"));
	fd_close(fd);
	assert_int_equal(host_unlink("/shown"), 0);
	assert_int_equal(host_proc_write("sys/net/unix/max_dgram_qlen", "0"), -EINVAL);
	assert_true(host_proc_write("sys/net/unix/max_dgram_qlen", "3") >= 0);
	assert_int_equal(unix_state(&unix_world.net)->datagrams_max, 3);
	host_proc_reset();
}

/* A peer that is gone is nobody any more, for who sends and for who asks. */
static void a_peer_that_is_gone(void **state __unused)
{
	int to = unix_bound(SOCK_DGRAM, "@to"), from = unix_socket_fd(SOCK_DGRAM);

	assert_int_equal(unix_connect_to(from, "@to"), 0);
	fd_close(to);
	assert_int_equal(unix_poll(from), POLLOUT | POLLWRNORM);
	/* Whom a name leads to is looked up anew: it is free again. */
	to = unix_bound(SOCK_DGRAM, "@to");
	assert_int_equal(unix_send_to(from, "@to", "x", 1, 0), 1);
	assert_int_equal(unix_send(from, "y", 1, 0), -ECONNREFUSED);
	EXPECT_TEXT(to, "x");
	struct sockaddr_storage name = {.ss_family = AF_UNIX};

	assert_int_equal(CALL(connect, (uint64_t)from, P(&name), 1), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIX_TEST(ancillary_data_is_checked),
		UNIX_TEST(ancillary_data_that_is_cut),
		UNIX_TEST(urgent_data_is_not_known),
		UNIX_TEST(bytes_that_are_nowhere),
		UNIX_TEST(who_listens_has_no_bytes),
		UNIX_TEST(reading_nothing),
		UNIX_TEST(bytes_of_one_sender_are_not_divided),
		UNIX_TEST(files_end_a_wait_for_more),
		UNIX_TEST(an_error_after_some_bytes),
		UNIX_TEST(many_names),
		UNIX_TEST(no_memory_for_a_name),
		UNIX_TEST(the_list_in_proc),
		UNIX_TEST(a_peer_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
