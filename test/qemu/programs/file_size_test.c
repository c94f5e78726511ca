/* How much files and pipes hold: limits, holes, room that is asked for. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "test/qemu/programs/check.h"

#define PAGE 4096L
#define GIB (1L << 30)

#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#endif

static int open_file(void)
{
	char name[] = "/tmp/size-XXXXXX";
	int fd = mkstemp(name);

	CHECK(fd >= 0 && unlink(name) == 0);
	return fd;
}

static struct stat stat_of(int fd)
{
	struct stat stat;

	CHECK(fstat(fd, &stat) == 0);
	return stat;
}

static int exceed_limit(void)
{
	struct rlimit limit = {10 * PAGE, 10 * PAGE};
	int fd = open_file();

	CHECK(ftruncate(fd, 20 * PAGE) == 0);
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(fallocate(fd, 0, 0, 20 * PAGE) == 0); /* it is so large already */
	signal(SIGXFSZ, SIG_IGN);
	CHECK_ERROR(fallocate(fd, 0, 0, 20 * PAGE + 1), EFBIG);
	CHECK_ERROR(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 30 * PAGE), EFBIG);
	CHECK(stat_of(fd).st_size == 20 * PAGE && stat_of(fd).st_blocks == 20 * PAGE / 512);
	signal(SIGXFSZ, SIG_DFL);
	fallocate(fd, 0, 0, 21 * PAGE);
	return 0;
}

static void the_limit_holds_for_fallocate(void)
{
	int status = status_of(exceed_limit);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
}

/* What cannot be had is not taken in part. */
static void too_much_is_refused_as_a_whole(void)
{
	struct statvfs before, after;
	int fd = open_file();

	CHECK(statvfs("/tmp", &before) == 0);
	CHECK(write(fd, "x", 1) == 1);
	CHECK_ERROR(fallocate(fd, 0, 0, (off_t)(before.f_bfree * before.f_frsize)), ENOSPC);
	CHECK_ERROR(fallocate(fd, 0, 0, 100 * GIB), ENOSPC);
	CHECK(statvfs("/tmp", &after) == 0);
	CHECK(stat_of(fd).st_size == 1 && stat_of(fd).st_blocks == PAGE / 512);
	CHECK(after.f_bfree + 64 > before.f_bfree);
	close(fd);
}

static void holes_are_punched(void)
{
	int fd = open_file();
	char bytes[5 * PAGE];

	memset(bytes, 'x', sizeof(bytes));
	CHECK(write(fd, bytes, sizeof(bytes)) == sizeof(bytes));
	char *mapped = mmap(NULL, sizeof(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(mapped != MAP_FAILED && mapped[2 * PAGE] == 'x');
	CHECK_ERROR(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE), EOPNOTSUPP);
	CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE - 1, 2 * PAGE + 2) ==
	      0);
	CHECK(stat_of(fd).st_size == sizeof(bytes) && stat_of(fd).st_blocks == 3 * PAGE / 512);
	CHECK(pread(fd, bytes, sizeof(bytes), 0) == sizeof(bytes));
	CHECK(bytes[PAGE - 2] == 'x' && bytes[PAGE - 1] == 0 && bytes[3 * PAGE] == 0);
	CHECK(bytes[3 * PAGE + 1] == 'x' && bytes[2 * PAGE] == 0 && mapped[2 * PAGE] == 0);
	CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4 * PAGE + 10, 5) == 0);
	CHECK(mapped[4 * PAGE + 9] == 'x' && mapped[4 * PAGE + 10] == 0);
	CHECK(mapped[4 * PAGE + 14] == 0 && mapped[4 * PAGE + 15] == 'x');
	CHECK(munmap(mapped, sizeof(bytes)) == 0);
	close(fd);
}

/* Far apart in a file of many GiB: the rest is no memory. */
static void files_may_be_large_and_sparse(void)
{
	static const off_t places[] = {1, 3 * GIB, 600 * GIB, 1024 * GIB - 1};
	int fd = open_file();
	char byte;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		CHECK(pwrite(fd, "x", 1, places[i]) == 1);
		CHECK(pread(fd, &byte, 1, places[i]) == 1 && byte == 'x');
		CHECK(pread(fd, &byte, 1, places[i] - 1) == 1 && byte == 0);
	}
	CHECK(stat_of(fd).st_blocks <= 8 * PAGE / 512);
	CHECK_ERROR(pwrite(fd, "x", 1, 1024 * GIB), EFBIG);
	CHECK(ftruncate(fd, 600 * GIB) == 0 && ftruncate(fd, 1024 * GIB) == 0);
	CHECK(pread(fd, &byte, 1, 600 * GIB) == 1 && byte == 0);
	CHECK(pread(fd, &byte, 1, 3 * GIB) == 1 && byte == 'x');
	close(fd);
}

static void pipes_change_their_size(void)
{
	char bytes[PAGE];
	int ends[2];
	int whole;

	CHECK(pipe(ends) == 0);
	whole = fcntl(ends[0], F_GETPIPE_SZ);
	CHECK(whole == 65536);
	CHECK(fcntl(ends[1], F_SETPIPE_SZ, 5000) == 8192 && fcntl(ends[0], F_GETPIPE_SZ) == 8192);
	CHECK(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
	memset(bytes, 'x', sizeof(bytes));
	CHECK(write(ends[1], bytes, PAGE) == PAGE && write(ends[1], bytes, PAGE) == PAGE);
	CHECK_ERROR(write(ends[1], bytes, 1), EAGAIN);
	CHECK_ERROR(fcntl(ends[1], F_SETPIPE_SZ, PAGE), EBUSY);
	CHECK(fcntl(ends[1], F_SETPIPE_SZ, whole) == whole && write(ends[1], bytes, PAGE) == PAGE);
	CHECK_ERROR(fcntl(ends[1], F_SETPIPE_SZ, 16 * whole), EPERM);
	for (int i = 0; i < 3; i++)
		CHECK(read(ends[0], bytes, PAGE) == PAGE && bytes[PAGE - 1] == 'x');
	CHECK_ERROR(read(ends[0], bytes, 1), EAGAIN);
	CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

RUN_TESTS({"the limit holds for fallocate", the_limit_holds_for_fallocate},
	  {"too much is refused as a whole", too_much_is_refused_as_a_whole},
	  {"holes are punched", holes_are_punched},
	  {"files may be large and sparse", files_may_be_large_and_sparse},
	  {"pipes change their size", pipes_change_their_size})
