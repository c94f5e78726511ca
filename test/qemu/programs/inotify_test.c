/* Hearing of what happens to files: inotify(7). */
#include "test/qemu/programs/check.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define ROOM 8192

static char directory[] = "/tmp/inotify.XXXXXX";

static int instance(void)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

/* Reads one event and checks it; a NULL name: none. Its cookie. */
static uint32_t expect(int fd, int wd, uint32_t mask, const char *name)
{
	static char buffer[ROOM] __attribute__((aligned(8)));
	static ssize_t have, at;
	const struct inotify_event *event;

	if (at == have) {
		at = 0;
		have = read(fd, buffer, sizeof(buffer));
		CHECK(have > 0);
	}
	event = (const struct inotify_event *)(buffer + at);
	at += (ssize_t)(sizeof(*event) + event->len);
	if (event->mask != mask || event->wd != wd)
		fprintf(stderr, "watch %d mask 0x%x, not %d 0x%x\n", event->wd, event->mask, wd,
			mask);
	CHECK(event->wd == wd && event->mask == mask);
	CHECK(event->len % sizeof(*event) == 0);
	CHECK(name ? strcmp(event->name, name) == 0 : event->len == 0);
	return event->cookie;
}

static void expect_nothing(int fd)
{
	char buffer[ROOM];

	CHECK_ERROR(read(fd, buffer, sizeof(buffer)), EAGAIN);
}

static void write_file(const char *path, int flags)
{
	int fd = open(path, O_WRONLY | flags, 0644);

	CHECK(fd >= 0 && write(fd, "abc", 3) == 3 && close(fd) == 0);
}

static void a_directory(void)
{
	int fd = instance(), wd = inotify_add_watch(fd, directory, IN_ALL_EVENTS);
	char byte;
	int file;

	CHECK(wd > 0 && chdir(directory) == 0);
	write_file("one", O_CREAT);
	expect(fd, wd, IN_CREATE, "one");
	expect(fd, wd, IN_OPEN, "one");
	expect(fd, wd, IN_MODIFY, "one");
	expect(fd, wd, IN_CLOSE_WRITE, "one");
	file = open("one", O_RDONLY);
	CHECK(read(file, &byte, 1) == 1 && close(file) == 0);
	expect(fd, wd, IN_OPEN, "one");
	expect(fd, wd, IN_ACCESS, "one");
	expect(fd, wd, IN_CLOSE_NOWRITE, "one");
	CHECK(chmod("one", 0600) == 0 && truncate("one", 1) == 0);
	expect(fd, wd, IN_ATTRIB, "one");
	expect(fd, wd, IN_MODIFY, "one");
	CHECK(mkdir("sub", 0755) == 0 && rmdir("sub") == 0 && unlink("one") == 0);
	expect(fd, wd, IN_CREATE | IN_ISDIR, "sub");
	expect(fd, wd, IN_DELETE | IN_ISDIR, "sub");
	expect(fd, wd, IN_DELETE, "one");
	expect_nothing(fd);
	CHECK(inotify_rm_watch(fd, wd) == 0);
	expect(fd, wd, IN_IGNORED, NULL);
	write_file("one", O_CREAT);
	expect_nothing(fd);
	CHECK(unlink("one") == 0);
	close(fd);
}

static void moves(void)
{
	int fd = instance(), from, to, self;
	uint32_t cookie;

	CHECK(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0);
	write_file("a/x", O_CREAT);
	from = inotify_add_watch(fd, "a", IN_MOVE);
	to = inotify_add_watch(fd, "b", IN_MOVE);
	self = inotify_add_watch(fd, "a/x", IN_MOVE_SELF | IN_DELETE_SELF);
	CHECK(rename("a/x", "b/y") == 0);
	cookie = expect(fd, from, IN_MOVED_FROM, "x");
	CHECK(cookie != 0);
	CHECK(expect(fd, to, IN_MOVED_TO, "y") == cookie);
	expect(fd, self, IN_MOVE_SELF, NULL);
	CHECK(rename("b/y", "b/z") == 0);
	CHECK(expect(fd, to, IN_MOVED_FROM, "y") != cookie);
	expect(fd, to, IN_MOVED_TO, "z");
	expect(fd, self, IN_MOVE_SELF, NULL);
	CHECK(unlink("b/z") == 0 && rmdir("a") == 0 && rmdir("b") == 0);
	expect(fd, self, IN_DELETE_SELF, NULL);
	expect(fd, self, IN_IGNORED, NULL);
	expect(fd, from, IN_IGNORED, NULL);
	expect(fd, to, IN_IGNORED, NULL);
	expect_nothing(fd);
	close(fd);
}

static void flags_of_a_watch(void)
{
	int fd = instance(), wd;

	write_file("f", O_CREAT);
	CHECK(symlink("f", "link") == 0);
	wd = inotify_add_watch(fd, "f", IN_OPEN);
	CHECK(inotify_add_watch(fd, "link", IN_MODIFY | IN_MASK_ADD) == wd);
	CHECK_ERROR(inotify_add_watch(fd, "f", IN_MODIFY | IN_MASK_CREATE), EEXIST);
	CHECK(inotify_add_watch(fd, "link", IN_OPEN | IN_DONT_FOLLOW) != wd);
	write_file("f", 0);
	expect(fd, wd, IN_OPEN, NULL);
	expect(fd, wd, IN_MODIFY, NULL);
	CHECK(inotify_add_watch(fd, "f", IN_MODIFY | IN_ONESHOT) == wd);
	write_file("f", 0);
	expect(fd, wd, IN_MODIFY, NULL);
	expect(fd, wd, IN_IGNORED, NULL);
	expect_nothing(fd);
	CHECK_ERROR(inotify_add_watch(fd, "f", IN_OPEN | IN_ONLYDIR), ENOTDIR);
	CHECK(unlink("f") == 0 && unlink("link") == 0);
	close(fd);
}

static void the_queue_is_bounded(void)
{
	int fd = instance(), wd, waiting;
	static char buffer[1 << 20] __attribute__((aligned(8)));
	const struct inotify_event *last = NULL;
	ssize_t n;

	write_file("f", O_CREAT);
	wd = inotify_add_watch(fd, "f", IN_OPEN | IN_CLOSE_NOWRITE);
	for (int i = 0; i < 10000; i++)
		close(open("f", O_RDONLY));
	CHECK(ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		waiting -= (int)n;
		last = (const struct inotify_event *)(buffer + n - sizeof(*last));
	}
	CHECK(errno == EAGAIN && waiting == 0);
	CHECK(last && last->mask == IN_Q_OVERFLOW && last->wd == -1);
	close(open("f", O_RDONLY)); /* and it goes on */
	expect(fd, wd, IN_OPEN, NULL);
	expect(fd, wd, IN_CLOSE_NOWRITE, NULL);
	CHECK(unlink("f") == 0);
	close(fd);
}

static void *touch_soon(void *argument)
{
	usleep(20000);
	write_file("f", 0);
	return argument;
}

static void readers_are_woken(void)
{
	int fd = inotify_init1(0), wd;
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	pthread_t thread;

	write_file("f", O_CREAT);
	wd = inotify_add_watch(fd, "f", IN_MODIFY);
	CHECK(poll(&pollfd, 1, 0) == 0);
	CHECK(pthread_create(&thread, NULL, touch_soon, NULL) == 0);
	expect(fd, wd, IN_MODIFY, NULL); /* sleeps */
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(pthread_create(&thread, NULL, touch_soon, NULL) == 0);
	CHECK(poll(&pollfd, 1, -1) == 1);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(unlink("f") == 0);
	close(fd);
}

static void refusals(void)
{
	int fd = instance();
	char small[8];

	CHECK_ERROR(inotify_init1(1), EINVAL);
	CHECK_ERROR(inotify_add_watch(fd, directory, 0), EINVAL);
	CHECK_ERROR(inotify_add_watch(0, directory, IN_OPEN), EINVAL);
	CHECK_ERROR(inotify_add_watch(999, directory, IN_OPEN), EBADF);
	CHECK_ERROR(inotify_add_watch(fd, "/nowhere", IN_OPEN), ENOENT);
	CHECK_ERROR(inotify_add_watch(fd, (char *)8, IN_OPEN), EFAULT);
	CHECK_ERROR(inotify_rm_watch(fd, 77), EINVAL);
	CHECK(inotify_add_watch(fd, directory, IN_CREATE) > 0);
	write_file("f", O_CREAT);
	CHECK_ERROR(read(fd, small, sizeof(small)), EINVAL);
	CHECK(unlink("f") == 0 && chdir("/") == 0 && rmdir(directory) == 0);
	close(fd);
}

static void make_directory(void)
{
	CHECK(mkdtemp(directory));
}

RUN_TESTS({"a place to work", make_directory}, {"a directory", a_directory}, {"moves", moves},
	  {"flags of a watch", flags_of_a_watch}, {"the queue is bounded", the_queue_is_bounded},
	  {"readers are woken", readers_are_woken}, {"refusals", refusals})
