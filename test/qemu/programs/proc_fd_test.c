/*
 * stat(2) and open(2) through /proc/self/fd/N, whatever N is: fuser and lsof find the owner of a
 * port by it.
 */
#include "test/qemu/programs/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SOCKFS_MAGIC 0x534f434b

static const char *link_to(int fd)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

static void same_through_the_link(int fd)
{
	struct stat direct, through;

	CHECK(fd >= 0 && fstat(fd, &direct) == 0 && stat(link_to(fd), &through) == 0);
	CHECK(direct.st_dev == through.st_dev && direct.st_ino == through.st_ino);
	CHECK(direct.st_mode == through.st_mode && direct.st_nlink == through.st_nlink);
}

static void what_has_a_name(void)
{
	same_through_the_link(open("/etc/passwd", O_RDONLY));
	same_through_the_link(open("/tmp", O_RDONLY | O_DIRECTORY));
}

static void what_has_none(void)
{
	int pair[2], pipe_ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(pipe_ends) == 0);
	same_through_the_link(pair[0]);
	same_through_the_link(pipe_ends[0]);
	same_through_the_link(socket(AF_INET, SOCK_STREAM, 0));
	same_through_the_link(eventfd(0, 0));
	same_through_the_link(epoll_create1(0));
}

/* All sockets are on one device, which is no other file's. */
static void sockets_are_on_a_device_of_their_own(void)
{
	int socket_fd = socket(AF_INET, SOCK_DGRAM, 0), event = eventfd(0, 0);
	struct stat socket_stat, event_stat;
	struct statfs statfs;

	CHECK(stat(link_to(socket_fd), &socket_stat) == 0 && S_ISSOCK(socket_stat.st_mode));
	CHECK(stat(link_to(event), &event_stat) == 0);
	CHECK(socket_stat.st_dev != event_stat.st_dev);
	CHECK(fstatfs(socket_fd, &statfs) == 0 && statfs.f_type == SOCKFS_MAGIC);
}

static void what_cannot_be_opened_again(void)
{
	CHECK_ERROR(open(link_to(socket(AF_INET, SOCK_STREAM, 0)), O_RDWR), ENXIO);
	CHECK_ERROR(open(link_to(eventfd(0, 0)), O_RDWR), ENXIO);
}

RUN_TESTS({"what has a name", what_has_a_name}, {"what has none", what_has_none},
	  {"sockets are on a device of their own", sockets_are_on_a_device_of_their_own},
	  {"what cannot be opened again", what_cannot_be_opened_again})
