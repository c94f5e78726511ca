/* SOCK_STREAM of AF_UNIX: bytes over a connection. */
#include "test/host/unit/unix_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "include/uapi/poll.h"
#include "include/uapi/sockios.h"

#define READABLE (POLLIN | POLLRDNORM)
#define WRITABLE (POLLOUT | POLLWRNORM)
#define HUNG_UP (POLLHUP | POLLRDHUP)

static int pair[2];

static int set_up(void **state)
{
	unix_set_up(state);
	unix_socketpair(SOCK_STREAM, pair);
	return 0;
}

static void bytes_have_no_bounds(void **state __unused)
{
	char to[10] = {0};

	assert_int_equal(unix_send(pair[0], "abc", 3, 0), 3);
	assert_int_equal(unix_send(pair[0], "defg", 4, 0), 4);
	assert_int_equal(unix_ioctl_number(pair[1], SIOCINQ), 7);
	assert_true(unix_ioctl_number(pair[0], SIOCOUTQ) > 7);
	assert_int_equal(unix_receive(pair[1], to, 2, 0), 2);
	assert_memory_equal(to, "ab", 2);
	assert_int_equal(unix_ioctl_number(pair[1], SIOCINQ), 5);
	assert_int_equal(unix_receive(pair[1], to, 9, 0), 5);
	assert_memory_equal(to, "cdefg", 5);
	assert_int_equal(unix_receive(pair[1], to, 9, MSG_DONTWAIT), -EAGAIN);
	assert_int_equal(unix_ioctl_number(pair[0], SIOCOUTQ), 0);
	assert_int_equal(unix_send(pair[1], "back", 4, 0), 4);
	EXPECT_TEXT(pair[0], "back");
}

static void peeking(void **state __unused)
{
	char to[10] = {0};

	unix_send(pair[0], "abc", 3, 0);
	unix_send(pair[0], "def", 3, 0);
	unix_receive(pair[1], to, 1, 0);
	assert_int_equal(unix_receive(pair[1], to, 9, MSG_PEEK), 5);
	assert_memory_equal(to, "bcdef", 5);
	assert_int_equal(unix_receive(pair[1], to, 3, MSG_PEEK), 3);
	EXPECT_TEXT(pair[1], "bcdef");
}

static void errors_of_single_calls(void **state __unused)
{
	char byte;
	int alone = unix_socket_fd(SOCK_STREAM);

	assert_int_equal(unix_send(alone, "x", 1, 0), -ENOTCONN);
	assert_int_equal(unix_send_to(alone, "@x", "x", 1, 0), -EOPNOTSUPP);
	assert_int_equal(unix_send_to(pair[0], "@x", "x", 1, 0), -EISCONN);
	assert_int_equal(unix_receive(alone, &byte, 1, 0), -EINVAL);
	assert_int_equal(unix_send(pair[0], "x", 1, MSG_OOB), -EOPNOTSUPP);
	assert_int_equal(unix_receive(pair[0], &byte, 1, MSG_OOB), -EOPNOTSUPP);
	assert_int_equal(unix_send(pair[0], (void *)8, 1, 0), -EFAULT);
	/* Bytes that could not be handed over stay. */
	unix_send(pair[0], "x", 1, 0);
	assert_int_equal(unix_receive(pair[1], (void *)8, 1, 0), -EFAULT);
	EXPECT_TEXT(pair[1], "x");
	assert_int_equal(unix_poll(alone), WRITABLE | POLLHUP);
	assert_int_equal(unix_connect_to(pair[0], "@x"), -ECONNREFUSED);
	unix_listener(SOCK_STREAM, "@x", 1);
	assert_int_equal(unix_connect_to(pair[0], "@x"), -EISCONN);
}

/* As a pipe: when as much is on its way as SO_SNDBUF says, the sender waits. */
static void the_send_buffer_fills(void **state __unused)
{
	char *bytes = malloc(100000);
	int64_t sent = 0, part, read = 0;

	for (int i = 0; i < 100000; i++)
		bytes[i] = (char)(i * 7);
	unix_set_option(pair[0], SO_SNDBUF, 20000);
	assert_int_equal(unix_option(pair[0], SO_SNDBUF), 40000);
	while ((part = unix_send(pair[0], bytes + sent, (size_t)(100000 - sent), MSG_DONTWAIT)) > 0)
		sent += part;
	assert_int_equal(part, -EAGAIN);
	assert_in_range(sent, 20000, 60000);
	assert_int_equal(unix_poll(pair[0]), 0);
	while (read < sent) {
		char to[3000];

		part = unix_receive(pair[1], to, sizeof(to), 0);
		assert_true(part > 0);
		assert_memory_equal(to, bytes + read, part);
		read += part;
	}
	assert_int_equal(unix_poll(pair[0]), WRITABLE);
	assert_int_equal(unix_poll(pair[1]), WRITABLE);
	free(bytes);
}

static uint64_t drained;

/* The world, while a sender sleeps: the other end reads. */
static bool other_end_reads(struct fixture *f __unused)
{
	char to[8192];
	int64_t part = unix_receive(pair[1], to, sizeof(to), MSG_DONTWAIT);

	drained += part > 0 ? (uint64_t)part : 0;
	return part > 0;
}

static void a_sender_sleeps_until_there_is_room(void **state __unused)
{
	char *bytes = calloc(1, 1000000);

	drained = 0;
	unix_world.while_asleep = other_end_reads;
	assert_int_equal(unix_send(pair[0], bytes, 1000000, 0), 1000000);
	while (other_end_reads(NULL))
		;
	assert_int_equal(drained, 1000000);
	free(bytes);
}

static bool other_end_writes(struct fixture *f __unused)
{
	return unix_send(pair[0], "ab", 2, 0) == 2;
}

static bool other_end_goes(struct fixture *f __unused)
{
	return fd_close(pair[0]) == 0;
}

static void a_reader_sleeps_until_there_are_bytes(void **state __unused)
{
	char to[6];
	int32_t low = 4;

	unix_world.while_asleep = other_end_writes;
	assert_int_equal(unix_receive(pair[1], to, 6, 0), 2);
	assert_int_equal(unix_receive(pair[1], to, 6, MSG_WAITALL), 6);
	assert_memory_equal(to, "ababab", 6);
	unix_set_option(pair[1], SO_RCVLOWAT, low);
	assert_int_equal(unix_receive(pair[1], to, 6, 0), 4);
	unix_world.while_asleep = other_end_goes;
	assert_int_equal(unix_receive(pair[1], to, 6, MSG_WAITALL), 0);
}

static void timeouts_and_signals(void **state __unused)
{
	const struct timeval timeout = {.tv_sec = 2};
	uint64_t before_us = unix_world.now_us;
	char byte;

	for (int i = 0; i < 2; i++) {
		CALL(setsockopt, (uint64_t)pair[i], SOL_SOCKET, SO_RCVTIMEO, P(&timeout),
		     sizeof(timeout));
		CALL(setsockopt, (uint64_t)pair[i], SOL_SOCKET, SO_SNDTIMEO, P(&timeout),
		     sizeof(timeout));
	}
	assert_int_equal(unix_receive(pair[0], &byte, 1, 0), -EAGAIN);
	assert_in_range(unix_world.now_us - before_us, 2 * USEC_PER_SEC, 3 * USEC_PER_SEC);
	unix_set_option(pair[0], SO_SNDBUF, 1);
	while (unix_send(pair[0], "0123456789", 10, MSG_DONTWAIT) > 0)
		;
	assert_int_equal(unix_send(pair[0], "x", 1, 0), -EAGAIN);
	host_signal(true);
	assert_int_equal(unix_receive(pair[0], &byte, 1, 0), -EINTR);
	assert_int_equal(unix_send(pair[0], "x", 1, 0), -EINTR);
}

static void the_other_end_closes(void **state __unused)
{
	char byte;

	unix_send(pair[0], "last", 4, 0);
	assert_int_equal(fd_close(pair[0]), 0);
	assert_int_equal(unix_poll(pair[1]), READABLE | WRITABLE | HUNG_UP);
	EXPECT_TEXT(pair[1], "last");
	assert_int_equal(unix_receive(pair[1], &byte, 1, 0), 0);
	assert_int_equal(unix_send(pair[1], "x", 1, MSG_NOSIGNAL), -EPIPE);
	assert_int_equal(host_signals_sent(), 0);
	assert_int_equal(unix_send(pair[1], "x", 1, 0), -EPIPE);
	assert_int_equal(host_signals_sent(), 1);
}

/* With bytes unread: they are lost, and the sender learns of it. */
static void the_other_end_closes_without_reading(void **state __unused)
{
	char byte;

	unix_send(pair[1], "never read", 10, 0);
	assert_int_equal(fd_close(pair[0]), 0);
	assert_true(unix_poll(pair[1]) & POLLERR);
	assert_int_equal(unix_receive(pair[1], &byte, 1, 0), -ECONNRESET);
	assert_int_equal(unix_receive(pair[1], &byte, 1, 0), 0);
}

static void shutting_down(void **state __unused)
{
	char byte;

	unix_send(pair[0], "x", 1, 0);
	assert_int_equal(CALL(shutdown, (uint64_t)pair[0], SHUT_WR), 0);
	assert_int_equal(unix_send(pair[0], "x", 1, MSG_NOSIGNAL), -EPIPE);
	assert_int_equal(unix_poll(pair[1]), READABLE | WRITABLE | POLLRDHUP);
	EXPECT_TEXT(pair[1], "x");
	assert_int_equal(unix_receive(pair[1], &byte, 1, 0), 0);
	assert_int_equal(unix_send(pair[1], "back", 4, 0), 4);
	EXPECT_TEXT(pair[0], "back");
	/* Who no longer reads is told to nobody but those who write. */
	assert_int_equal(CALL(shutdown, (uint64_t)pair[0], SHUT_RD), 0);
	assert_int_equal(unix_send(pair[1], "x", 1, MSG_NOSIGNAL), -EPIPE);
	assert_int_equal(unix_receive(pair[0], &byte, 1, 0), 0);
	assert_int_equal(unix_poll(pair[0]) & HUNG_UP, HUNG_UP);
	assert_int_equal(CALL(shutdown, (uint64_t)pair[0], 3), -EINVAL);
}

static void memory_runs_out(void **state __unused)
{
	host_fail_allocations_from(1);
	assert_int_equal(unix_send(pair[0], "x", 1, 0), -ENOBUFS);
	host_fail_allocations_from(0);
	/* A large piece of memory that cannot be had is made up for by small ones. */
	char bytes[10000] = {0}, to[10000];

	host_fail_allocation(1);
	assert_int_equal(unix_send(pair[0], bytes, sizeof(bytes), 0), sizeof(bytes));
	assert_int_equal(unix_receive(pair[1], to, sizeof(to), 0), sizeof(to));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, unix_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(bytes_have_no_bounds),
		TEST(peeking),
		TEST(errors_of_single_calls),
		TEST(the_send_buffer_fills),
		TEST(a_sender_sleeps_until_there_is_room),
		TEST(a_reader_sleeps_until_there_are_bytes),
		TEST(timeouts_and_signals),
		TEST(the_other_end_closes),
		TEST(the_other_end_closes_without_reading),
		TEST(shutting_down),
		TEST(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
