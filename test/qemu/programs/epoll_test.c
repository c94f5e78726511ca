/* epoll(7): level, edge, one shot, nesting; eventfd(2). */
#include "test/qemu/programs/check.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static void add(int epoll, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

/* The events of the one descriptor that is ready; 0: none is. */
static uint32_t ready(int epoll)
{
	struct epoll_event event;
	int count = epoll_wait(epoll, &event, 1, 0);

	CHECK(count >= 0);
	return count ? event.events : 0;
}

static void put(int fd)
{
	CHECK(eventfd_write(fd, 1) == 0);
}

static void take(int fd)
{
	eventfd_t value;

	CHECK(eventfd_read(fd, &value) == 0);
}

static void level(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd = eventfd(0, 0);

	add(epoll, fd, EPOLLIN);
	CHECK(ready(epoll) == 0);
	put(fd);
	CHECK(ready(epoll) == EPOLLIN && ready(epoll) == EPOLLIN);
	take(fd);
	CHECK(ready(epoll) == 0);
	close(fd);
	close(epoll);
}

/* Once for each change of the kind that is watched for. */
static void edge(void)
{
	int epoll = epoll_create1(0), pair[2];
	char byte = 'x';

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	add(epoll, pair[0], EPOLLIN | EPOLLET);
	CHECK(write(pair[1], &byte, 1) == 1);
	CHECK(ready(epoll) == EPOLLIN && ready(epoll) == 0);
	CHECK(write(pair[1], &byte, 1) == 1);
	CHECK(ready(epoll) == EPOLLIN && ready(epoll) == 0);
	close(pair[1]);
	CHECK(ready(epoll) & EPOLLHUP);
	close(pair[0]);
	close(epoll);
}

/* That there is room again is no news for who waits for bytes. */
static void edge_of_another_kind(void)
{
	int epoll = epoll_create1(0), ends[2];
	char bytes[2] = "x";

	CHECK(pipe(ends) == 0);
	add(epoll, ends[0], EPOLLIN | EPOLLET);
	CHECK(write(ends[1], bytes, 2) == 2);
	CHECK(ready(epoll) == EPOLLIN && ready(epoll) == 0);
	CHECK(read(ends[0], bytes, 1) == 1);
	CHECK(ready(epoll) == 0);
	close(ends[0]);
	close(ends[1]);
	close(epoll);
}

static void one_shot(void)
{
	int epoll = epoll_create1(0), fd = eventfd(0, 0);
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT};

	add(epoll, fd, EPOLLIN | EPOLLONESHOT);
	put(fd);
	CHECK(ready(epoll) == EPOLLIN && ready(epoll) == 0);
	put(fd);
	CHECK(ready(epoll) == 0);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) == 0);
	CHECK(ready(epoll) == EPOLLIN && ready(epoll) == 0);
	close(fd);
	close(epoll);
}

static void half_closed(void)
{
	int epoll = epoll_create1(0), pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	add(epoll, pair[0], EPOLLIN | EPOLLRDHUP);
	CHECK(ready(epoll) == 0);
	CHECK(shutdown(pair[1], SHUT_WR) == 0);
	CHECK(ready(epoll) == (EPOLLIN | EPOLLRDHUP));
	close(pair[0]);
	CHECK(ready(epoll) == 0);
	close(pair[1]);
	close(epoll);
}

static void exclusive(void)
{
	int epoll = epoll_create1(0), other = epoll_create1(0), fd = eventfd(0, 0);
	struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};

	CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_ADD, other, &event), EINVAL);
	add(epoll, fd, EPOLLIN | EPOLLEXCLUSIVE);
	add(other, fd, EPOLLIN | EPOLLEXCLUSIVE);
	CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event), EINVAL);
	event.events = EPOLLIN;
	CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event), EINVAL);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL) == 0);
	event.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT;
	CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), EINVAL);
	put(fd);
	CHECK(ready(other) == EPOLLIN);
	close(fd);
	close(other);
	close(epoll);
}

static void chains(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epolls[6], fd = eventfd(0, 0);

	for (int i = 0; i < 6; i++)
		epolls[i] = epoll_create1(0);
	add(epolls[0], fd, EPOLLIN);
	for (int i = 1; i < 5; i++)
		add(epolls[i], epolls[i - 1], EPOLLIN);
	CHECK_ERROR(epoll_ctl(epolls[5], EPOLL_CTL_ADD, epolls[4], &event), ELOOP); /* too long */
	CHECK_ERROR(epoll_ctl(epolls[0], EPOLL_CTL_ADD, epolls[0], &event), EINVAL);
	CHECK_ERROR(epoll_ctl(epolls[0], EPOLL_CTL_ADD, epolls[1], &event), ELOOP);
	CHECK_ERROR(epoll_ctl(epolls[0], EPOLL_CTL_ADD, epolls[3], &event), ELOOP);
	CHECK(ready(epolls[4]) == 0);
	put(fd);
	for (int i = 0; i < 5; i++)
		CHECK(ready(epolls[i]) == EPOLLIN);
	take(fd);
	CHECK(ready(epolls[4]) == 0);
	for (int i = 0; i < 6; i++)
		close(epolls[i]);
	close(fd);
}

static void *put_soon(void *argument)
{
	usleep(20000);
	put(*(int *)argument);
	return NULL;
}

static void sleepers_are_woken(void)
{
	int inner = epoll_create1(0), outer = epoll_create1(0), fd = eventfd(0, 0);
	struct epoll_event event;
	pthread_t thread;

	add(inner, fd, EPOLLIN);
	add(outer, inner, EPOLLIN);
	CHECK(pthread_create(&thread, NULL, put_soon, &fd) == 0);
	CHECK(epoll_wait(outer, &event, 1, -1) == 1 && event.data.fd == inner);
	CHECK(pthread_join(thread, NULL) == 0);
	close(fd);
	CHECK(epoll_wait(outer, &event, 1, 0) == 0); /* what is closed is gone */
	close(inner);
	close(outer);
}

static void counters(void)
{
	int fd = eventfd(3, EFD_NONBLOCK | EFD_SEMAPHORE), plain = eventfd(3, EFD_NONBLOCK);
	eventfd_t value;

	for (int i = 0; i < 3; i++)
		CHECK(eventfd_read(fd, &value) == 0 && value == 1);
	CHECK_ERROR(eventfd_read(fd, &value), EAGAIN);
	CHECK(eventfd_read(plain, &value) == 0 && value == 3);
	CHECK(eventfd_write(plain, UINT64_MAX - 1) == 0);
	CHECK_ERROR(eventfd_write(plain, 1), EAGAIN);
	value = UINT64_MAX;
	CHECK_ERROR(write(plain, &value, sizeof(value)), EINVAL);
	CHECK_ERROR(write(plain, &value, 4), EINVAL);
	CHECK_ERROR(read(plain, &value, 4), EINVAL);
	CHECK(eventfd_read(plain, &value) == 0 && value == UINT64_MAX - 1);
	CHECK_ERROR(eventfd(0, 2), EINVAL);
	close(fd);
	close(plain);
}

static void refusals(void)
{
	int epoll = epoll_create1(0), fd = eventfd(0, 0), file = open("/init", O_RDONLY);
	struct epoll_event event = {.events = EPOLLIN};

	CHECK_ERROR(epoll_create1(1), EINVAL);
	CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event), EPERM);
	CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_ADD, 999, &event), EBADF);
	CHECK_ERROR(epoll_ctl(fd, EPOLL_CTL_ADD, fd, &event), EINVAL);
	CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event), ENOENT);
	CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event), ENOENT);
	CHECK_ERROR(epoll_ctl(epoll, 9, fd, &event), EINVAL);
	add(epoll, fd, EPOLLIN);
	CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), EEXIST);
	CHECK_ERROR(epoll_wait(epoll, &event, 0, 0), EINVAL);
	put(fd);
	CHECK_ERROR(epoll_wait(epoll, (struct epoll_event *)8, 1, 0), EFAULT);
	CHECK(ready(epoll) == EPOLLIN); /* it was not lost */
	close(file);
	close(fd);
	close(epoll);
}

RUN_TESTS({"level", level}, {"edge", edge}, {"edge of another kind", edge_of_another_kind},
	  {"one shot", one_shot}, {"half closed", half_closed}, {"exclusive", exclusive},
	  {"chains", chains}, {"sleepers are woken", sleepers_are_woken}, {"counters", counters},
	  {"refusals", refusals})
