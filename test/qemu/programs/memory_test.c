/*
 * Memory: ranges that are split and moved, mappings of files, and system calls that reach into it.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "test/qemu/programs/check.h"

#define PAGE 4096
#define PAGES 16

static char *map_anonymous(size_t pages)
{
	char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

/* Each page begins with its number. */
static void number_pages(char *memory, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		memory[i * PAGE] = (char)i;
}

static char *touched; /* what the children below reach for */

static int read_it(void)
{
	return *(volatile char *)touched & 0;
}

static int write_it(void)
{
	*(volatile char *)touched = 1;
	return 0;
}

static void ends_by(int (*function)(void), char *address, int signal)
{
	touched = address;
	int status = status_of(function);

	CHECK(signal ? WIFSIGNALED(status) && WTERMSIG(status) == signal : status == 0);
}

static void a_hole_is_a_hole_and_the_rest_stays(void)
{
	char *memory = map_anonymous(PAGES);

	number_pages(memory, PAGES);
	CHECK(munmap(memory + 5 * PAGE, 2 * PAGE) == 0);
	ends_by(read_it, memory + 5 * PAGE, SIGSEGV);
	CHECK(memory[4 * PAGE] == 4);
	CHECK(memory[7 * PAGE] == 7);
	/* What is mapped there anew is zero again. */
	CHECK(mmap(memory + 5 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		   0) == memory + 5 * PAGE);
	CHECK(memory[5 * PAGE] == 0);
	CHECK(mmap(memory, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		   0) == MAP_FAILED);
	CHECK(errno == EEXIST);
	CHECK(munmap(memory, PAGES * PAGE) == 0);
}

static void protection_holds_page_by_page(void)
{
	char *memory = map_anonymous(3);

	number_pages(memory, 3);
	CHECK(mprotect(memory + PAGE, PAGE, PROT_READ) == 0);
	ends_by(read_it, memory + PAGE, 0);
	ends_by(write_it, memory + PAGE, SIGSEGV);
	ends_by(write_it, memory, 0);
	ends_by(write_it, memory + (ptrdiff_t)2 * PAGE, 0);
	CHECK(mprotect(memory + PAGE, PAGE, PROT_NONE) == 0);
	ends_by(read_it, memory + PAGE, SIGSEGV);
	CHECK(mprotect(memory + PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
	CHECK(memory[PAGE] == 1);
	CHECK(munmap(memory, (size_t)3 * PAGE) == 0);
}

static void a_mapping_moves_with_its_pages(void)
{
	char *memory = map_anonymous(2), *obstacle;

	number_pages(memory, 2);
	obstacle = mmap(memory + (ptrdiff_t)2 * PAGE, PAGE, PROT_READ,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(obstacle != MAP_FAILED);
	CHECK(mremap(memory, (size_t)2 * PAGE, (size_t)4 * PAGE, 0) == MAP_FAILED);
	CHECK(errno == ENOMEM);
	char *moved = mremap(memory, (size_t)2 * PAGE, (size_t)4 * PAGE, MREMAP_MAYMOVE);

	CHECK(moved != MAP_FAILED && moved != memory);
	CHECK(moved[PAGE] == 1 && moved[3 * PAGE] == 0);
	ends_by(read_it, memory, SIGSEGV);
}

/* brk(2) itself: musl's sbrk refuses to move the heap. */
static char *heap_end(char *wanted)
{
	return (char *)(uintptr_t)syscall(SYS_brk, wanted);
}

static void the_heap_grows_and_shrinks(void)
{
	char *start = heap_end(NULL), *end = start + (ptrdiff_t)PAGES * PAGE;

	CHECK(heap_end(end) == end);
	number_pages(start, PAGES);
	CHECK(heap_end(start) == start);
	ends_by(read_it, end - PAGE, SIGSEGV);
	CHECK(heap_end(end) == end);
	CHECK(end[-PAGE] == 0); /* what was given back does not come again */
}

static int open_file(const char *path, const char *text)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

static char *map_file(int fd, int flags)
{
	char *memory = mmap(NULL, (size_t)2 * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

static void a_private_mapping_keeps_its_changes(void)
{
	int fd = open_file("/tmp/private", "file");
	char *memory = map_file(fd, MAP_PRIVATE), text[5] = "";

	CHECK(strcmp(memory, "file") == 0);
	memory[0] = 'F';
	CHECK(pread(fd, text, 4, 0) == 4 && strcmp(text, "file") == 0);
	close(fd);
	CHECK(strcmp(memory, "File") == 0); /* the descriptor is not needed any more */
}

static void a_shared_mapping_is_the_file(void)
{
	int fd = open_file("/tmp/shared", "file");
	char *memory = map_file(fd, MAP_SHARED), text[5] = "";

	memory[0] = 'F';
	CHECK(pread(fd, text, 4, 0) == 4 && strcmp(text, "File") == 0);
	CHECK(pwrite(fd, "P", 1, 0) == 1 && memory[0] == 'P');
	ends_by(write_it, memory, 0);
	CHECK(memory[0] == 1); /* the child's write is everybody's */
	ends_by(read_it, memory + PAGE, SIGBUS);
	close(fd);
}

static void shared_memory_without_a_name(void)
{
	char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	ends_by(write_it, memory, 0);
	CHECK(memory[0] == 1);
}

/* A child that the kernel writes for gets its own page, and the parent's stays. */
static int read_into_it(void)
{
	int fd = open("/dev/zero", O_RDONLY);

	return read(fd, touched, PAGE) == PAGE && touched[0] == 0 ? 0 : 1;
}

static void system_calls_copy_on_write_too(void)
{
	char *memory = map_anonymous(1);

	memory[0] = 7;
	ends_by(read_into_it, memory, 0);
	CHECK(memory[0] == 7);
}

static void bad_addresses_are_refused(void)
{
	int fd = open("/dev/zero", O_RDONLY);
	char *memory = map_anonymous(2);
	char *kernel = (char *)UINT64_C(0xffffff8000000000);

	CHECK(mprotect(memory + PAGE, PAGE, PROT_NONE) == 0);
	CHECK_ERROR(read(fd, NULL, 1), EFAULT);
	CHECK_ERROR(read(fd, kernel, 1), EFAULT);
	CHECK_ERROR(write(STDOUT_FILENO, kernel, 1), EFAULT);
	CHECK_ERROR(read(fd, memory + PAGE, 1), EFAULT);
	CHECK_ERROR(open(kernel, O_RDONLY), EFAULT);
	CHECK_ERROR(munmap(memory + 1, PAGE), EINVAL);
	CHECK_ERROR(munmap(memory, 0), EINVAL);
	close(fd);
}

static void many_areas(void)
{
	char *memory = map_anonymous(2000);

	/* Every other page read-only: two thousand areas. */
	for (size_t i = 0; i < 2000; i += 2)
		CHECK(mprotect(memory + i * PAGE, PAGE, PROT_READ) == 0);
	for (size_t i = 1; i < 2000; i += 2)
		memory[i * PAGE] = 1;
	CHECK(munmap(memory, (size_t)2000 * PAGE) == 0);
}

static int take_everything(void)
{
	for (;;)
		memset(map_anonymous(256), 1, (size_t)256 * PAGE);
}

static void who_takes_all_memory_ends(void)
{
	int status = status_of(take_everything);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK(map_anonymous(256)[0] == 0);
}

RUN_TESTS({"holes", a_hole_is_a_hole_and_the_rest_stays},
	  {"protection", protection_holds_page_by_page}, {"mremap", a_mapping_moves_with_its_pages},
	  {"brk", the_heap_grows_and_shrinks},
	  {"private file", a_private_mapping_keeps_its_changes},
	  {"shared file", a_shared_mapping_is_the_file},
	  {"shared memory", shared_memory_without_a_name},
	  {"copy on write by the kernel", system_calls_copy_on_write_too},
	  {"bad addresses", bad_addresses_are_refused}, {"many areas", many_areas},
	  {"out of memory", who_takes_all_memory_ends})
