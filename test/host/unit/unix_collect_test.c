/* Sockets that only messages hold: none may be left, and none be taken that is still in use. */
#include <pthread.h>
#include <string.h>

#include "net/unix/unix_private.h"
#include "test/host/unit/unix_fixture.h"

#define ROOM 2000
#define CHAIN 3000              /* sockets, each in the queue of the one before it */
#define SMALL_STACK (256 << 10) /* bytes */

static void send_fd(int over, int fd)
{
	assert_int_equal(unix_send_fds(over, "x", &fd, 1, 0), 1);
}

static void close_both(const int pair[2])
{
	fd_close(pair[0]);
	fd_close(pair[1]);
}

/* Open ones: a closed one may still be known to its peer, or to the packets that it sent. */
static void expect_sockets(uint32_t count)
{
	const struct list_head *sockets = &unix_state(&unix_world.net)->sockets;
	uint32_t found = 0;

	for (const struct list_head *link = sockets->next; link != sockets; link = link->next)
		found++;
	assert_int_equal(found, count);
}

static void a_socket_in_its_own_queue(void **state __unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(unix_kinds); i++) {
		int pair[2];

		unix_socketpair(unix_kinds[i], pair);
		send_fd(pair[0], pair[1]);
		send_fd(pair[0], unix_probe_fd());
		close_both(pair);
		expect_sockets(0);
		host_close_all();
		assert_int_equal(unix_probes_live, 0);
	}
}

static void two_in_each_others_queue(void **state __unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(unix_kinds); i++) {
		int pair[2];

		unix_socketpair(unix_kinds[i], pair);
		send_fd(pair[0], pair[0]);
		send_fd(pair[1], pair[1]);
		fd_close(pair[0]);
		expect_sockets(2);
		fd_close(pair[1]);
		expect_sockets(0);
	}
}

/* It leads to itself, and last another queue did to it: when that one goes, so does it. */
static void one_in_its_own_queue_and_another(void **state __unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(unix_kinds); i++) {
		int own[2], other[2];

		unix_socketpair(unix_kinds[i], own);
		unix_socketpair(unix_kinds[i], other);
		send_fd(own[0], own[1]);
		send_fd(other[0], own[1]);
		close_both(own);
		expect_sockets(3);
		close_both(other);
		expect_sockets(0);
	}
}

static void a_ring(void **state __unused)
{
	int pairs[5][2];

	for (int i = 0; i < 5; i++)
		unix_socketpair(SOCK_SEQPACKET, pairs[i]);
	for (int i = 0; i < 5; i++)
		send_fd(pairs[i][0], pairs[(i + 1) % 5][1]);
	for (int i = 0; i < 5; i++)
		close_both(pairs[i]);
	expect_sockets(0);
}

/* As long as one is held, all that its queue leads to is kept, and usable. */
static void what_can_be_reached_stays(void **state __unused)
{
	int held[2], first[2], second[2];

	unix_socketpair(SOCK_STREAM, held);
	unix_socketpair(SOCK_STREAM, first);
	unix_socketpair(SOCK_STREAM, second);
	send_fd(held[0], first[1]);
	send_fd(first[0], second[1]);
	send_fd(second[0], first[0]); /* a ring within what is held */
	send_fd(second[0], second[0]);
	close_both(first);
	close_both(second);
	fd_close(held[0]);
	expect_sockets(5);
	struct unix_parcel parcel = unix_receive_parcel(held[1], 1, ROOM, 0);

	assert_int_equal(parcel.fd_count, 1);
	parcel = unix_receive_parcel(parcel.fds[0], 1, ROOM, 0);
	assert_int_equal(parcel.fd_count, 1);
	parcel = unix_receive_parcel(parcel.fds[0], 1, ROOM, 0);
	assert_int_equal(parcel.fd_count, 1);
	host_close_all();
	expect_sockets(0);
}

/* In the queue of a connection that waits for accept. */
static void through_a_listener(void **state __unused)
{
	int client = unix_socket_fd(SOCK_STREAM), other[2];
	int listener = unix_listener(SOCK_STREAM, "@l", 5);

	assert_int_equal(unix_connect_to(client, "@l"), 0);
	unix_socketpair(SOCK_STREAM, other);
	send_fd(client, other[1]);
	fd_close(other[1]);
	fd_close(other[0]);
	expect_sockets(4);
	int accepted = (int)CALL(accept, (uint64_t)listener);

	assert_int_equal(unix_receive_parcel(accepted, 1, ROOM, 0).fd_count, 1);
	fd_close(accepted);

	/* A listener that waits in the queue of its own connection. */
	int self = unix_socket_fd(SOCK_STREAM);

	assert_int_equal(unix_connect_to(self, "@l"), 0);
	send_fd(self, listener);
	host_close_all();
	expect_sockets(0);
}

static void *close_fd(void *fd)
{
	fd_close(*(int *)fd);
	return NULL;
}

/* With a stack that has no room for one call within the other, and again, and again. */
static void close_with_small_stack(int fd)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	assert_int_equal(pthread_attr_setstacksize(&attributes, SMALL_STACK), 0);
	assert_int_equal(pthread_create(&thread, &attributes, close_fd, &fd), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
}

/* Closing the first closes all, one after the other: not one within the other. */
static void a_long_chain(void **state __unused)
{
	int before = -1, first[2], next[2];

	unix_socketpair(SOCK_STREAM, first);
	before = first[0];
	for (int i = 0; i < CHAIN; i++) {
		unix_socketpair(SOCK_STREAM, next);
		send_fd(before, next[1]);
		fd_close(next[1]);
		fd_close(before);
		before = next[0];
	}
	fd_close(before);
	expect_sockets(CHAIN + 1);
	close_with_small_stack(first[1]);
	expect_sockets(0);
}

/* A system call that is at work on a socket keeps it. */
static void in_use_by_a_call(void **state __unused)
{
	int pair[2];

	unix_socketpair(SOCK_STREAM, pair);
	struct file *file = fd_get(pair[1]);

	send_fd(pair[0], pair[1]);
	close_both(pair);
	expect_sockets(1);
	assert_int_equal(unix_world.net.live_skbs, 1);
	file_put(file);
	/* Found at the next occasion. */
	fd_close(unix_socket_fd(SOCK_STREAM));
	expect_sockets(0);
}

/* A socket that has travelled and arrived is like any other: what waits in it is not discarded. */
static void one_that_has_arrived_keeps_its_queue(void **state __unused)
{
	int over[2], traveller[2], ring[2];

	unix_socketpair(SOCK_DGRAM, over);
	unix_socketpair(SOCK_STREAM, traveller);
	unix_socketpair(SOCK_DGRAM, ring);
	send_fd(over[0], traveller[1]);
	fd_close(unix_receive_parcel(over[1], 1, ROOM, 0).fds[0]);
	unix_send(traveller[0], "still here", 10, 0);
	send_fd(ring[0], ring[1]); /* something to collect */
	close_both(ring);
	expect_sockets(4);
	EXPECT_TEXT(traveller[1], "still here");
}

static void other_files_are_not_touched(void **state __unused)
{
	int held[2], ring[2], probe = unix_probe_fd();

	unix_socketpair(SOCK_DGRAM, held);
	unix_socketpair(SOCK_DGRAM, ring);
	send_fd(held[0], probe);
	send_fd(ring[0], ring[1]);
	send_fd(ring[0], probe);
	fd_close(probe);
	close_both(ring);
	expect_sockets(2);
	assert_int_equal(unix_probes_live, 1);
	assert_int_equal(unix_receive_parcel(held[1], 1, ROOM, 0).fd_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIX_TEST(a_socket_in_its_own_queue),
		UNIX_TEST(two_in_each_others_queue),
		UNIX_TEST(one_in_its_own_queue_and_another),
		UNIX_TEST(a_ring),
		UNIX_TEST(what_can_be_reached_stays),
		UNIX_TEST(through_a_listener),
		UNIX_TEST(a_long_chain),
		UNIX_TEST(in_use_by_a_call),
		UNIX_TEST(one_that_has_arrived_keeps_its_queue),
		UNIX_TEST(other_files_are_not_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
