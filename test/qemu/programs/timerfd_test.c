/* Timers that are files: timerfd_create(2). */
#include "test/qemu/programs/check.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#define MS 1000000L

static struct itimerspec after(long first_ns, long interval_ns)
{
	return (struct itimerspec){
		.it_interval = {interval_ns / 1000000000, interval_ns % 1000000000},
		.it_value = {first_ns / 1000000000, first_ns % 1000000000},
	};
}

static uint64_t read_count(int fd)
{
	uint64_t count;

	CHECK(read(fd, &count, sizeof(count)) == sizeof(count));
	return count;
}

static void once(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct itimerspec value = {.it_value.tv_sec = 1000};
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	uint64_t start;

	CHECK(fd >= 0);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(timerfd_settime(fd, 0, &value, NULL) == 0);
	CHECK(poll(&pollfd, 1, 0) == 0);
	CHECK(timerfd_gettime(fd, &value) == 0);
	CHECK(value.it_value.tv_sec > 800 && value.it_value.tv_sec <= 1000);
	value = after(20 * MS, 0);
	start = now_us();
	CHECK(timerfd_settime(fd, 0, &value, NULL) == 0);
	CHECK(poll(&pollfd, 1, -1) == 1 && pollfd.revents == POLLIN);
	CHECK(now_us() - start >= 20000);
	CHECK(read_count(fd) == 1);
	CHECK(poll(&pollfd, 1, 0) == 0);
	CHECK(timerfd_gettime(fd, &value) == 0);
	CHECK(value.it_value.tv_sec == 0 && value.it_value.tv_nsec == 0);
	close(fd);
}

static void again_and_again(void)
{
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	struct itimerspec value = after(5 * MS, 5 * MS), old;
	uint64_t start = now_us(), total = 0;

	CHECK(timerfd_settime(fd, 0, &value, NULL) == 0);
	while (total < 10)
		total += read_count(fd); /* sleeps */
	CHECK(now_us() - start >= total * 5000);
	/* What nobody reads is counted. */
	usleep(30000);
	CHECK(read_count(fd) >= 5);
	value = after(0, 0);
	CHECK(timerfd_settime(fd, 0, &value, &old) == 0);
	CHECK(old.it_interval.tv_nsec == 5 * MS && old.it_value.tv_nsec <= 5 * MS);
	close(fd);
}

static void at_a_moment(void)
{
	static const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		int fd = timerfd_create(clocks[i], 0);
		struct itimerspec value = after(0, 0);
		struct timespec now;

		CHECK(clock_gettime(clocks[i], &value.it_value) == 0);
		value.it_value.tv_sec++;
		CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &value, NULL) == 0);
		CHECK(read_count(fd) == 1);
		CHECK(clock_gettime(clocks[i], &now) == 0);
		CHECK(now.tv_sec > value.it_value.tv_sec ||
		      (now.tv_sec == value.it_value.tv_sec &&
		       now.tv_nsec >= value.it_value.tv_nsec));
		value.it_value.tv_sec = 1; /* long ago */
		CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &value, NULL) == 0);
		CHECK(read_count(fd) == 1);
		close(fd);
	}
}

static void the_date_is_followed(void)
{
	int plain = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	int cancelled = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	struct itimerspec value = after(0, 0);
	struct timespec before, later;
	struct pollfd pollfd = {.fd = cancelled, .events = POLLIN};
	uint64_t count;

	CHECK(clock_gettime(CLOCK_REALTIME, &before) == 0);
	value.it_value.tv_sec = before.tv_sec + 1000;
	CHECK(timerfd_settime(plain, TFD_TIMER_ABSTIME, &value, NULL) == 0);
	CHECK(timerfd_settime(cancelled, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &value,
			      NULL) == 0);
	CHECK_ERROR(read(plain, &count, sizeof(count)), EAGAIN);
	later = before;
	later.tv_sec += 2000;
	CHECK(clock_settime(CLOCK_REALTIME, &later) == 0);
	CHECK(poll(&pollfd, 1, -1) == 1);
	CHECK_ERROR(read(cancelled, &count, sizeof(count)), ECANCELED);
	pollfd.fd = plain;
	CHECK(poll(&pollfd, 1, -1) == 1);
	CHECK(read_count(plain) == 1);
	CHECK(clock_settime(CLOCK_REALTIME, &before) == 0);
	close(plain);
	close(cancelled);
}

static void epoll_is_told(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), epoll = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = 7};
	struct itimerspec value = after(2 * MS, 2 * MS);

	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
	CHECK(timerfd_settime(fd, 0, &value, NULL) == 0);
	for (int i = 0; i < 5; i++) {
		CHECK(epoll_wait(epoll, &event, 1, -1) == 1 && event.data.u64 == 7);
		CHECK(read_count(fd) >= 1);
	}
	close(fd);
	CHECK(epoll_wait(epoll, &event, 1, 10) == 0);
	close(epoll);
}

static void refusals(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec value = after(MS, 0);
	uint64_t count;

	CHECK_ERROR(timerfd_create(99, 0), EINVAL);
	CHECK_ERROR(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
	CHECK_ERROR(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
	CHECK_ERROR(timerfd_settime(fd, 8, &value, NULL), EINVAL);
	value.it_value.tv_nsec = 1000000000;
	CHECK_ERROR(timerfd_settime(fd, 0, &value, NULL), EINVAL);
	value.it_value.tv_nsec = 1;
	CHECK_ERROR(timerfd_settime(0, 0, &value, NULL), EINVAL);
	CHECK_ERROR(timerfd_settime(999, 0, &value, NULL), EBADF);
	CHECK_ERROR(timerfd_gettime(0, &value), EINVAL);
	CHECK_ERROR(timerfd_settime(fd, 0, (void *)8, NULL), EFAULT);
	CHECK_ERROR(read(fd, &count, 7), EINVAL);
	CHECK_ERROR(read(fd, &count, 8), EAGAIN);
	CHECK_ERROR(write(fd, &count, 8), EINVAL);
	close(fd);
}

RUN_TESTS({"once", once}, {"again and again", again_and_again}, {"at a moment", at_a_moment},
	  {"the date is followed", the_date_is_followed}, {"epoll is told", epoll_is_told},
	  {"refusals", refusals})
