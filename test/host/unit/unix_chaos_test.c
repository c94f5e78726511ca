/*
 * Sockets of AF_UNIX at random: made, connected, sent over one another, read, shut down and closed,
 * now and then without memory. Whatever was done, in the end nothing may be left.
 */
#include <stdlib.h>
#include <string.h>

#include "net/unix/unix_private.h"
#include "test/host/unit/unix_fixture.h"

#define SEEDS 60
#define STEPS 4000
#define FDS 24     /* held at a time */
#define NO_FD (-1) /* a free place among them */
#define ROOM 200   /* bytes of ancillary data */
#define LARGEST 50000
#define NAMES 4

static int held[FDS];
static uint64_t random_state;

/* xorshift64. */
static uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % n;
}

/* A descriptor that is held, or now and then one that never was. */
static int any_fd(void)
{
	for (int tries = 0; tries < 4; tries++) {
		int fd = held[random_below(FDS)];

		if (fd != NO_FD)
			return fd;
	}
	return 9999;
}

static void hold(int64_t fd)
{
	int *place = &held[random_below(FDS)];

	if (fd < 0)
		return;
	if (*place != NO_FD)
		fd_close(*place);
	*place = (int)fd;
}

static void drop(void)
{
	int *place = &held[random_below(FDS)];

	if (*place != NO_FD)
		fd_close(*place);
	*place = NO_FD;
}

static const char *any_name(void)
{
	static const char *const names[NAMES] = {"@a", "@b", "/c", "/d"};

	return names[random_below(NAMES)];
}

static int any_kind(void)
{
	return unix_kinds[random_below(ARRAY_SIZE(unix_kinds))];
}

static void make_pair(void)
{
	int pair[2];

	if (CALL(socketpair, AF_UNIX, (uint64_t)any_kind(), 0, P(pair)) == 0) {
		hold(pair[0]);
		hold(pair[1]);
	}
}

static void send_files(void)
{
	int32_t fds[3] = {any_fd(), any_fd(), any_fd()};

	unix_send_fds(any_fd(), "files", fds, 1 + random_below(3), MSG_DONTWAIT);
}

static void receive_files(void)
{
	uint32_t peek = random_below(5) ? 0 : MSG_PEEK;
	struct unix_parcel parcel = unix_receive_parcel(any_fd(), 1 + random_below(60),
							random_below(ROOM), MSG_DONTWAIT | peek);

	for (uint32_t i = 0; i < parcel.fd_count; i++)
		hold(parcel.fds[i]);
}

static void transfer(void)
{
	static uint8_t bytes[LARGEST];

	if (random_below(2))
		unix_send(any_fd(), bytes, random_below(LARGEST), MSG_DONTWAIT);
	else
		unix_receive(any_fd(), bytes, random_below(LARGEST), MSG_DONTWAIT);
}

static void step(void)
{
	uint64_t fd = (uint64_t)any_fd();

	switch (random_below(12)) {
	case 0:
		make_pair();
		break;
	case 1:
		hold(CALL(socket, AF_UNIX, (uint64_t)any_kind() | SOCK_NONBLOCK));
		break;
	case 2:
		(void)unix_bind_to((int)fd, any_name());
		(void)CALL(listen, fd, random_below(3));
		break;
	case 3:
		unix_connect_to((int)fd, any_name());
		break;
	case 4:
		hold(CALL(accept4, fd, 0, 0, SOCK_NONBLOCK));
		break;
	case 5:
	case 6:
		send_files();
		break;
	case 7:
		receive_files();
		break;
	case 8:
		transfer();
		break;
	case 9:
		(void)CALL(shutdown, fd, random_below(3));
		break;
	case 10:
		(void)host_unlink(any_name());
		break;
	default:
		drop();
	}
}

static void walk(uint64_t seed)
{
	random_state = seed * 0x9e3779b97f4a7c15 + 1;
	for (int i = 0; i < FDS; i++)
		held[i] = NO_FD;
	for (int i = 0; i < STEPS; i++) {
		if (random_below(20) == 0)
			host_fail_allocation(1 + random_below(3));
		step();
		host_fail_allocation(0);
	}
	host_close_all();
	while (host_unlink("/c") == 0 || host_unlink("/d") == 0)
		;
}

static void nothing_is_left(void **state __unused)
{
	const struct unix_state *unix = unix_state(&unix_world.net);

	/* Nobody else is there: a call that would sleep gets a signal. */
	host_signal(true);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		walk(seed);
		if (unix_world.net.live_sockets || unix_world.net.live_skbs ||
		    !list_empty(&unix->users) || unix->sockets_in_flight)
			fail_msg("seed %llu leaves something", (unsigned long long)seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {UNIX_TEST(nothing_is_left)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
