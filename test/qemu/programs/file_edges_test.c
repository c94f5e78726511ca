/*
 * Edges of opening and positioning: no descriptor left, and files of nothing but a hole.
 */
#define _GNU_SOURCE 1
#include "test/qemu/programs/check.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define KEPT "/tmp/file_edges_kept"
#define FULL "/tmp/file_edges_full"
#define NEVER "/tmp/file_edges_never"

static int open_without_descriptors(void)
{
	const struct rlimit none = {0, 64};

	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	CHECK_ERROR(open(KEPT, O_WRONLY | O_TRUNC), EMFILE);
	CHECK_ERROR(open(NEVER, O_WRONLY | O_CREAT, 0600), EMFILE);
	CHECK_ERROR(open("/nowhere", O_RDONLY), EMFILE);
	return 0;
}

/* What cannot be opened for want of a descriptor is left as it is. */
static void no_descriptor_left(void)
{
	struct stat status;
	int fd = open(KEPT, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(write(fd, "kept", 4) == 4 && close(fd) == 0);
	CHECK(status_of(open_without_descriptors) == 0);
	CHECK(stat(KEPT, &status) == 0 && status.st_size == 4);
	CHECK_ERROR(stat(NEVER, &status), ENOENT);
	CHECK(unlink(KEPT) == 0);
}

static int accept_without_descriptors(void)
{
	struct rlimit limit = {0, 64};
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0file_edges"};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	char byte;

	CHECK(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHECK(listen(listener, 1) == 0);
	CHECK(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHECK(write(client, "x", 1) == 1);
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK_ERROR(accept(listener, NULL, NULL), EMFILE);
	CHECK_ERROR(accept(listener, NULL, NULL), EMFILE);
	limit.rlim_cur = 64;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(read(accept(listener, NULL, NULL), &byte, 1) == 1 && byte == 'x');
	return 0;
}

/* accept(2): a server may close another file, and take the connection then. */
static void a_connection_waits_for_a_descriptor(void)
{
	CHECK(status_of(accept_without_descriptors) == 0);
}

/* What a mapping had behind the end of the file never becomes part of it: mmap(2). */
static void behind_the_end(void)
{
	int fd = open(KEPT, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char bytes[8];

	for (int round = 0; round < 4; round++) {
		CHECK(ftruncate(fd, 0) == 0 && ftruncate(fd, 100) == 0);
		char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		CHECK(map != MAP_FAILED);
		map[99] = map[200] = map[4095] = 'x';
		CHECK(round != 0 || ftruncate(fd, 4096) == 0);
		CHECK(round != 1 || ftruncate(fd, 1 << 20) == 0);
		CHECK(round != 2 || pwrite(fd, "y", 1, 300) == 1);
		CHECK(round != 3 || posix_fallocate(fd, 0, 4096) == 0);
		CHECK(pread(fd, bytes, 1, 99) == 1 && bytes[0] == 'x');
		CHECK(pread(fd, bytes, 1, 200) == 1 && bytes[0] == 0 && map[200] == 0);
		CHECK(munmap(map, 4096) == 0);
	}
	CHECK(close(fd) == 0 && unlink(KEPT) == 0);
}

/* A process group is named by a negative number, which must have its opposite. */
static void owners(void)
{
	int lowest = INT_MIN, fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(fcntl(fd, F_SETOWN, -getpgrp()) == 0);
	CHECK_ERROR(fcntl(fd, F_SETOWN, INT_MIN), EINVAL);
	CHECK_ERROR(ioctl(fd, SIOCSPGRP, &lowest), EINVAL);
	CHECK(fcntl(fd, F_GETOWN) == -getpgrp() && close(fd) == 0);
}

/* Looking for data in a hole of a tebibyte takes no time that goes with its size. */
static void a_large_hole(void)
{
	const off_t size = (off_t)1 << 40;
	int fd = open(KEPT, O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(ftruncate(fd, size) == 0);
	for (int i = 0; i < 100; i++) {
		CHECK_ERROR(lseek(fd, i, SEEK_DATA), ENXIO);
		CHECK(lseek(fd, i, SEEK_HOLE) == i);
	}
	CHECK(pwrite(fd, "x", 1, 0) == 1);
	CHECK(lseek(fd, 0, SEEK_DATA) == 0 && lseek(fd, 0, SEEK_HOLE) == 4096);
	CHECK_ERROR(lseek(fd, 4096, SEEK_DATA), ENXIO);
	CHECK(lseek(fd, size - 1, SEEK_HOLE) == size - 1);
	CHECK_ERROR(lseek(fd, size, SEEK_HOLE), ENXIO);
	CHECK(close(fd) == 0 && unlink(KEPT) == 0);
}

/* Makes one of each kind after the other until it does not fit any more. */
static int make_link_with_target(const char *name)
{
	char target[4096];

	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	return symlink(target, name);
}

static int make_directory(const char *name)
{
	return mkdir(name, 0700);
}

static int make_second_name(const char *name)
{
	return link("0-0", name);
}

static int make_file(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY, 0600);

	return fd < 0 ? fd : close(fd);
}

static int fill_file_system(void)
{
	int (*const make[])(const char *) = {make_link_with_target, make_directory,
					     make_second_name, make_file};
	char name[32];

	CHECK(setuid(1000) == 0 && chdir(FULL) == 0);
	for (int kind = 0; kind < 4; kind++) {
		int made = 0;

		do
			snprintf(name, sizeof(name), "%d-%d", kind, made++);
		while (make[kind](name) == 0);
		CHECK(errno == ENOSPC && (kind > 0 || made > 1000));
	}
	CHECK(rename("0-0", "renamed") == 0 && unlink("renamed") == 0);
	return 0;
}

/* Directories and names take memory as bytes do, and leave as much to others. */
static void a_full_file_system(void)
{
	CHECK(mkdir(FULL, 0777) == 0 && chmod(FULL, 0777) == 0);
	CHECK(status_of(fill_file_system) == 0);
	CHECK(system("rm -rf " FULL) == 0);
}

RUN_TESTS({"no descriptor left", no_descriptor_left},
	  {"a connection waits for a descriptor", a_connection_waits_for_a_descriptor},
	  {"owners", owners}, {"behind the end", behind_the_end}, {"a large hole", a_large_hole},
	  {"a full file system", a_full_file_system})
