/* Files without names, memory that is kept, reading and writing with flags, copying of pipes. */
#include "test/qemu/programs/check.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define PAGE 4096

static void a_file_without_a_name(void)
{
	int fd = memfd_create("scratch", MFD_CLOEXEC);
	struct stat stat;
	char *memory;

	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(ftruncate(fd, 3 * PAGE) == 0);
	memory = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(memory != MAP_FAILED);
	memory[PAGE] = 'x';
	CHECK(pread(fd, &memory[0], 1, PAGE) == 1 && memory[0] == 'x');
	CHECK(fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size == 3 * PAGE);
	CHECK(stat.st_nlink == 0);
	CHECK(munmap(memory, 3 * PAGE) == 0);
	close(fd);
	CHECK_ERROR(memfd_create("sealed", MFD_ALLOW_SEALING), EINVAL);
	CHECK_ERROR(memfd_create((char *)8, 0), EFAULT);
}

static void locked_memory_is_there(void)
{
	unsigned char resident[4];
	char *memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);

	CHECK(mincore(memory, 4 * PAGE, resident) == 0);
	CHECK(!resident[0] && !resident[1] && !resident[2] && !resident[3]);
	memory[2 * PAGE] = 1;
	CHECK(mincore(memory, 4 * PAGE, resident) == 0);
	CHECK(!resident[0] && !resident[1] && resident[2] && !resident[3]);
	CHECK(mlock(memory + 10, PAGE) == 0); /* parts of two pages */
	CHECK(mincore(memory, 4 * PAGE, resident) == 0);
	CHECK(resident[0] && resident[1] && resident[2] && !resident[3]);
	CHECK(munlock(memory, 4 * PAGE) == 0);
	CHECK(munmap(memory + PAGE, PAGE) == 0);
	CHECK_ERROR(mlock(memory, 2 * PAGE), ENOMEM);
	CHECK_ERROR(munlock(memory, 2 * PAGE), ENOMEM);
	CHECK_ERROR(mincore(memory, 2 * PAGE, resident), ENOMEM);
	CHECK_ERROR(mincore(memory + 1, PAGE, resident), EINVAL);
	CHECK_ERROR(mincore(memory, PAGE, (void *)8), EFAULT);
	CHECK_ERROR(mlockall(0), EINVAL);
	CHECK(mlockall(MCL_CURRENT) == 0 && munlockall() == 0);
}

static ssize_t read_with_flags(int fd, struct iovec *piece, off_t offset, int flags)
{
	return syscall(SYS_preadv2, fd, piece, 1, offset, 0, flags);
}

static ssize_t write_with_flags(int fd, struct iovec *piece, off_t offset, int flags)
{
	return syscall(SYS_pwritev2, fd, piece, 1, offset, 0, flags);
}

static void flags_of_transfers(void)
{
	int fd = memfd_create("flags", 0);
	char bytes[4] = "abc";
	struct iovec piece = {bytes, 3};

	CHECK(write_with_flags(fd, &piece, -1, 0) == 3);
	CHECK(write_with_flags(fd, &piece, -1, RWF_SYNC) == 3);
	CHECK(lseek(fd, 0, SEEK_CUR) == 6);
	CHECK(read_with_flags(fd, &piece, 1, RWF_HIPRI) == 3 && memcmp(bytes, "bca", 3) == 0);
	CHECK(lseek(fd, 0, SEEK_CUR) == 6);
	CHECK_ERROR(read_with_flags(fd, &piece, 0, 0x10000), EOPNOTSUPP);
	CHECK_ERROR(read_with_flags(fd, &piece, -2, 0), EINVAL);
	close(fd);
}

static void a_copy_of_a_pipe(void)
{
	static char bytes[3 * PAGE], copy[3 * PAGE];
	int from[2], to[2], through[2];

	CHECK(pipe(from) == 0 && pipe(to) == 0 && pipe2(through, O_NONBLOCK) == 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + i / 1000);
	CHECK(write(from[1], bytes, 100) == 100 && read(from[0], copy, 100) == 100);
	CHECK(write(from[1], bytes, sizeof(bytes)) == sizeof(bytes));
	CHECK(tee(from[0], to[1], sizeof(bytes), 0) == sizeof(bytes));
	CHECK(read(to[0], copy, sizeof(copy)) == sizeof(copy));
	CHECK(memcmp(bytes, copy, sizeof(copy)) == 0);
	CHECK(tee(from[0], to[1], 10, 0) == 10); /* from the beginning again */
	CHECK(read(to[0], copy, sizeof(copy)) == 10 && memcmp(bytes, copy, 10) == 0);
	CHECK(read(from[0], copy, sizeof(copy)) == sizeof(copy));
	CHECK(memcmp(bytes, copy, sizeof(copy)) == 0);
	CHECK_ERROR(tee(from[0], to[1], 10, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_ERROR(tee(through[0], to[1], 10, 0), EAGAIN);
	CHECK_ERROR(tee(from[0], from[1], 10, 0), EINVAL);
	CHECK_ERROR(tee(from[1], to[1], 10, 0), EBADF);
	CHECK_ERROR(tee(from[0], to[1], 10, 0x100), EINVAL);
	close(from[1]);
	CHECK(tee(from[0], to[1], 10, 0) == 0);
	close(from[0]);
	close(to[0]);
	close(to[1]);
	close(through[0]);
	close(through[1]);
}

/* A pipe that is opened again through /proc does not wait for somebody to open its other end. */
static void a_pipe_opened_again(void)
{
	char path[64], bytes[4];
	int ends[2], again;

	CHECK(pipe(ends) == 0 && write(ends[1], "abc", 3) == 3 && close(ends[1]) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	again = open(path, O_RDONLY);
	CHECK(again >= 0 && read(again, bytes, sizeof(bytes)) == 3);
	CHECK(read(again, bytes, sizeof(bytes)) == 0);
	close(again);
	close(ends[0]);
}

RUN_TESTS({"a file without a name", a_file_without_a_name},
	  {"locked memory is there", locked_memory_is_there},
	  {"flags of transfers", flags_of_transfers}, {"a copy of a pipe", a_copy_of_a_pipe},
	  {"a pipe opened again", a_pipe_opened_again})
