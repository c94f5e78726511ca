/* AF_UNIX: who waits for room or for bytes is woken by everything that may end the wait. */
#include <string.h>

#include "include/uapi/poll.h"
#include "include/uapi/time.h"
#include "kernel/fs/fd_table.h"
#include "kernel/wait.h"
#include "net/unix/unix_private.h"
#include "test/host/unit/unix_fixture.h"

#define WRITABLE (POLLOUT | POLLWRNORM)

static int receiver, sender, other;

static struct socket *socket_behind(int fd)
{
	struct file *file = fd_get(fd);
	struct socket *socket = socket_of_file(file);

	file_put(file); /* the descriptor has one */
	return socket;
}

/* ---- Somebody who polls ---- */

struct poller_of_one {
	struct waiter waiter;
	uint32_t events;
};

static void note(struct waiter *waiter, uint32_t events)
{
	container_of(waiter, struct poller_of_one, waiter)->events |= events;
}

static void watch(struct poller_of_one *poller, int fd)
{
	*poller = (struct poller_of_one){.waiter.wake = note};
	waiter_join(&poller->waiter, &socket_behind(fd)->wait);
}

/* It was told of these events since it looked last, and they hold. */
static void expect_told(struct poller_of_one *poller, int fd, uint32_t events)
{
	assert_int_equal(poller->events & events, events);
	assert_int_equal(unix_poll(fd) & events, events);
	waiter_leave(&poller->waiter);
}

/* ---- Datagrams for a socket that is full ---- */

static void fill(void)
{
	const struct timeval patience = {.tv_sec = 5}; /* should a wake-up be lost */

	receiver = unix_bound(SOCK_DGRAM, "@full");
	sender = unix_bound(SOCK_DGRAM, "@sender");
	assert_int_equal(unix_connect_to(sender, "@full"), 0);
	assert_int_equal(CALL(setsockopt, (uint64_t)sender, SOL_SOCKET, SO_SNDTIMEO, P(&patience),
			      sizeof(patience)),
			 0);
	while (unix_send(sender, "x", 1, MSG_DONTWAIT) == 1)
		;
	assert_int_equal(unix_poll(sender), 0);
}

static bool bound_is_raised_and_one_is_read(struct fixture *f)
{
	char byte;

	unix_state(&f->net)->datagrams_max = 100;
	return unix_receive(receiver, &byte, 1, MSG_DONTWAIT) == 1;
}

/* /proc/sys/net/unix/max_dgram_qlen may change while somebody waits for the old bound. */
static void the_bound_is_raised_meanwhile(void **state __unused)
{
	fill();
	unix_world.while_asleep = bound_is_raised_and_one_is_read;
	uint64_t before_us = unix_world.now_us;

	assert_int_equal(unix_send(sender, "y", 1, 0), 1);
	assert_int_equal(unix_world.now_us, before_us); /* it was woken, and not by the clock */
}

static void reading_tells_who_polls(void **state __unused)
{
	struct poller_of_one poller;
	char byte;

	fill();
	watch(&poller, sender);
	assert_int_equal(unix_receive(receiver, &byte, 1, 0), 1);
	expect_told(&poller, sender, WRITABLE);
}

/* The receiver turns to somebody else: its queue is emptied. */
static void breaking_off_tells_who_polls(void **state __unused)
{
	struct poller_of_one poller;

	unix_bound(SOCK_DGRAM, "@first");
	unix_bound(SOCK_DGRAM, "@second");
	fill();
	assert_int_equal(unix_connect_to(receiver, "@first"), 0);
	assert_int_equal(unix_poll(sender), 0);
	watch(&poller, sender);
	assert_int_equal(unix_connect_to(receiver, "@second"), 0);
	expect_told(&poller, sender, WRITABLE);
}

/* Between two that are connected to each other the bound does not count. */
static void answering_tells_who_polls(void **state __unused)
{
	struct poller_of_one poller;

	fill();
	watch(&poller, sender);
	assert_int_equal(unix_connect_to(receiver, "@sender"), 0);
	expect_told(&poller, sender, WRITABLE);
}

static void the_receivers_end_tells_who_polls(void **state __unused)
{
	struct poller_of_one poller;

	fill();
	watch(&poller, sender);
	assert_int_equal(fd_close(receiver), 0);
	expect_told(&poller, sender, WRITABLE);
	assert_int_equal(unix_send(sender, "y", 1, 0), -ECONNREFUSED);
}

static bool receiver_stops(struct fixture *f __unused)
{
	return CALL(shutdown, (uint64_t)receiver, SHUT_RD) == 0;
}

static void the_receiver_stops_reading(void **state __unused)
{
	fill();
	unix_world.while_asleep = receiver_stops;
	assert_int_equal(unix_send(sender, "y", 1, 0), -EPIPE);
}

/* ---- Connections ---- */

static bool other_end_closes(struct fixture *f __unused)
{
	return fd_close(other) == 0;
}

static bool other_end_stops(struct fixture *f __unused)
{
	return CALL(shutdown, (uint64_t)other, SHUT_RDWR) == 0;
}

/* A sender whose buffer is full, and a reader of nothing. */
static void connect_and_fill(int type)
{
	int pair[2];

	unix_socketpair(type, pair);
	sender = pair[0];
	other = pair[1];
	while (unix_send(sender, "0123456789", 10, MSG_DONTWAIT) == 10)
		;
}

static void a_sender_hears_of_the_end(void **state __unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(unix_connections); i++) {
		int64_t error;

		connect_and_fill(unix_connections[i]);
		unix_world.while_asleep = other_end_stops;
		assert_int_equal(unix_send(sender, "y", 1, MSG_NOSIGNAL), -EPIPE);
		host_close_all();
		connect_and_fill(unix_connections[i]);
		unix_world.while_asleep = other_end_closes;
		error = unix_send(sender, "y", 1, MSG_NOSIGNAL);
		assert_true(error == -EPIPE || error == -ECONNRESET);
		host_close_all();
	}
}

static void a_reader_hears_of_the_end(void **state __unused)
{
	bool (*const ends[])(struct fixture * f) = {other_end_closes, other_end_stops};

	for (size_t i = 0; i < ARRAY_SIZE(unix_connections) * ARRAY_SIZE(ends); i++) {
		int pair[2];
		char byte;

		unix_socketpair(unix_connections[i / ARRAY_SIZE(ends)], pair);
		other = pair[1];
		unix_world.while_asleep = ends[i % ARRAY_SIZE(ends)];
		assert_int_equal(unix_receive(pair[0], &byte, 1, 0), 0);
		host_close_all();
	}
}

static bool listener_stops(struct fixture *f __unused)
{
	return CALL(shutdown, (uint64_t)receiver, SHUT_RD) == 0;
}

static bool listener_accepts(struct fixture *f __unused)
{
	return CALL(accept, (uint64_t)receiver, 0, 0) >= 0;
}

static bool listener_grows(struct fixture *f __unused)
{
	return CALL(listen, (uint64_t)receiver, 5) == 0;
}

/* A full backlog: accept, a larger backlog, and the listener's end all let the next one try. */
static void who_connects_hears_of_the_listener(void **state __unused)
{
	bool (*const events[])(struct fixture * f) = {listener_accepts, listener_grows,
						      listener_stops};

	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		receiver = unix_listener(SOCK_STREAM, "@listener", 0);
		assert_int_equal(unix_connect_to(unix_socket_fd(SOCK_STREAM), "@listener"), 0);
		unix_world.while_asleep = events[i];
		assert_int_equal(unix_connect_to(unix_socket_fd(SOCK_STREAM), "@listener"),
				 events[i] == listener_stops ? -ECONNREFUSED : 0);
		host_close_all();
	}
}

static void accept_hears_of_the_end(void **state __unused)
{
	receiver = unix_listener(SOCK_STREAM, "@listener", 0);
	unix_world.while_asleep = listener_stops;
	assert_int_equal(CALL(accept, (uint64_t)receiver, 0, 0), -EINVAL);
}

static void every_event_is_told_to_who_polls(void **state __unused)
{
	struct poller_of_one poller;
	int fds[2], listener = unix_listener(SOCK_STREAM, "@events", 1);
	char bytes[10];

	watch(&poller, listener);
	fds[0] = unix_socket_fd(SOCK_STREAM);
	assert_int_equal(unix_connect_to(fds[0], "@events"), 0);
	expect_told(&poller, listener, POLLIN | POLLRDNORM);
	fds[1] = (int)CALL(accept, (uint64_t)listener, 0, 0);
	watch(&poller, fds[1]);
	unix_send(fds[0], "x", 1, 0);
	expect_told(&poller, fds[1], POLLIN | POLLRDNORM);
	while (unix_send(fds[0], "0123456789", 10, MSG_DONTWAIT) == 10)
		;
	assert_int_equal(unix_poll(fds[0]) & WRITABLE, 0);
	watch(&poller, fds[0]);
	while (unix_receive(fds[1], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	expect_told(&poller, fds[0], WRITABLE);
	watch(&poller, fds[0]);
	assert_int_equal(CALL(shutdown, (uint64_t)fds[1], SHUT_WR), 0);
	expect_told(&poller, fds[0], POLLIN | POLLRDHUP);
	watch(&poller, fds[0]);
	assert_int_equal(fd_close(fds[1]), 0);
	expect_told(&poller, fds[0], POLLIN | POLLOUT | POLLHUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIX_TEST(the_bound_is_raised_meanwhile),
		UNIX_TEST(reading_tells_who_polls),
		UNIX_TEST(breaking_off_tells_who_polls),
		UNIX_TEST(answering_tells_who_polls),
		UNIX_TEST(the_receivers_end_tells_who_polls),
		UNIX_TEST(the_receiver_stops_reading),
		UNIX_TEST(a_sender_hears_of_the_end),
		UNIX_TEST(a_reader_hears_of_the_end),
		UNIX_TEST(who_connects_hears_of_the_listener),
		UNIX_TEST(accept_hears_of_the_end),
		UNIX_TEST(every_event_is_told_to_who_polls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
