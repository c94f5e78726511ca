/*
 * Mappings as mmap(2), madvise(2), mlock(2) and msync(2) describe them: files that shrink below
 * them, reservations that cost nothing, stacks that grow, advice that takes memory back.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "test/qemu/programs/check.h"

#define PAGE 4096
#define GIB (1ull << 30)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define READ_WRITE (PROT_READ | PROT_WRITE)

static volatile char *touched;

static int write_it(void)
{
	*touched = 1;
	return 0;
}

static int read_it(void)
{
	return *touched & 0;
}

static void ends_by(int (*function)(void), volatile char *address, int signal)
{
	touched = address;
	int status = status_of(function);

	CHECK(signal ? WIFSIGNALED(status) && WTERMSIG(status) == signal : status == 0);
}

static char *map(size_t length, int protection, int flags, int fd)
{
	char *memory = mmap(NULL, length, protection, flags, fd, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

/* A number of a "Name:  N kB" line of a file of /proc. */
static long kib_of(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	char line[200];
	long kib = -1;

	CHECK(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			kib = strtol(line + strlen(name), NULL, 10);
	fclose(file);
	CHECK(kib >= 0);
	return kib;
}

static int temporary_file(size_t pages)
{
	int fd = open("/tmp/mapping", O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && ftruncate(fd, (off_t)pages * PAGE) == 0);
	CHECK(unlink("/tmp/mapping") == 0);
	return fd;
}

static void a_file_shrinks_below_its_mappings(void)
{
	int fd = temporary_file(4);
	char *shared = map((size_t)4 * PAGE, READ_WRITE, MAP_SHARED, fd);
	char *private = map((size_t)4 * PAGE, READ_WRITE, MAP_PRIVATE, fd);

	memset(shared, 's', (size_t)4 * PAGE);
	private[0] = private[3 * PAGE] = 'p';
	CHECK(ftruncate(fd, PAGE + 10) == 0);
	CHECK(shared[0] == 's' && private[0] == 'p' && shared[PAGE + 9] == 's');
	CHECK(shared[PAGE + 10] == 0); /* the rest of the last page reads as zeroes */
	ends_by(read_it, shared + (ptrdiff_t)2 * PAGE, SIGBUS);
	ends_by(write_it, shared + (ptrdiff_t)3 * PAGE, SIGBUS);
	ends_by(read_it, private + (ptrdiff_t)3 * PAGE, SIGBUS); /* the copy went, too */
	CHECK(ftruncate(fd, (off_t)4 * PAGE) == 0);
	CHECK(shared[3 * PAGE] == 0 && private[3 * PAGE] == 0);
	CHECK(msync(shared, (size_t)4 * PAGE, MS_SYNC) == 0);
	CHECK_ERROR(msync(shared, (size_t)4 * PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	CHECK(munmap(shared, (size_t)4 * PAGE) == 0 && munmap(private, (size_t)4 * PAGE) == 0);
	close(fd);
}

static void reservations_cost_nothing(void)
{
	long before = kib_of("/proc/meminfo", "MemFree:");
	char *memory = map(64 * GIB, PROT_NONE, PRIVATE | MAP_NORESERVE, -1);

	CHECK(mprotect(memory + 32 * GIB, PAGE, READ_WRITE) == 0);
	memory[32 * GIB] = 1;
	ends_by(write_it, memory, SIGSEGV);
	CHECK(before - kib_of("/proc/meminfo", "MemFree:") < 256);
	CHECK(munmap(memory, 64 * GIB) == 0);
	CHECK(mmap(NULL, 1024 * GIB, PROT_NONE, PRIVATE, -1, 0) == MAP_FAILED && errno == ENOMEM);
}

static void populated_memory_is_there(void)
{
	unsigned char there[8];
	char *memory = map((size_t)8 * PAGE, READ_WRITE, PRIVATE | MAP_POPULATE, -1);

	CHECK(mincore(memory, (size_t)8 * PAGE, there) == 0);
	for (size_t i = 0; i < sizeof(there); i++)
		CHECK(there[i] & 1);
	CHECK(madvise(memory, (size_t)4 * PAGE, MADV_DONTNEED) == 0);
	CHECK(mincore(memory, (size_t)8 * PAGE, there) == 0 && !(there[3] & 1) && there[4] & 1);
	CHECK(mlock(memory, (size_t)8 * PAGE) == 0);
	CHECK(mincore(memory, (size_t)8 * PAGE, there) == 0 && there[0] & 1);
	CHECK(munlock(memory, (size_t)8 * PAGE) == 0);
	CHECK(munmap(memory, (size_t)8 * PAGE) == 0);
	CHECK_ERROR(mincore(memory, (size_t)8 * PAGE, there), ENOMEM);
	CHECK_ERROR(mlock(memory, PAGE), ENOMEM);
}

static void advice_gives_memory_back(void)
{
	int fd = temporary_file(2);
	char *memory = map((size_t)4 * PAGE, READ_WRITE, PRIVATE, -1);
	char *file = map((size_t)2 * PAGE, READ_WRITE, MAP_SHARED, fd);

	memset(memory, 1, (size_t)4 * PAGE);
	CHECK(madvise(memory, PAGE, MADV_FREE) == 0);
	memory[1] = 2; /* written again: this page is kept from now on */
	CHECK(memory[1] == 2);
	CHECK(munmap(memory + PAGE, PAGE) == 0);
	CHECK_ERROR(madvise(memory, (size_t)4 * PAGE, MADV_DONTNEED), ENOMEM);
	CHECK(memory[0] == 0 &&
	      memory[3 * PAGE] == 0); /* what is mapped was given back all the same */
	CHECK_ERROR(madvise(file, PAGE, MADV_FREE), EINVAL);
	CHECK_ERROR(madvise(memory + 1, PAGE, MADV_DONTNEED), EINVAL);
	CHECK_ERROR(madvise(memory, PAGE, 12345), EINVAL);
	file[0] = file[PAGE] = 'f';
	CHECK(madvise(file, PAGE, MADV_REMOVE) == 0);
	CHECK(file[0] == 0 && file[PAGE] == 'f');
	close(fd);
}

static int wiped(void)
{
	return touched[0] == 0 ? 0 : 1;
}

static void children_get_what_was_agreed(void)
{
	char *memory = map((size_t)2 * PAGE, READ_WRITE, PRIVATE, -1);

	memset(memory, 1, (size_t)2 * PAGE);
	CHECK(madvise(memory, PAGE, MADV_WIPEONFORK) == 0);
	ends_by(wiped, memory, 0);
	CHECK(memory[0] == 1);
	CHECK(madvise(memory + PAGE, PAGE, MADV_DONTFORK) == 0);
	ends_by(read_it, memory + PAGE, SIGSEGV);
	CHECK(madvise(memory + PAGE, PAGE, MADV_DOFORK) == 0);
	ends_by(read_it, memory + PAGE, 0);
}

static void flags_of_mmap(void)
{
	char *memory = map((size_t)2 * PAGE, PROT_READ, PRIVATE, -1);
	int fd = temporary_file(1);

	CHECK(mmap(memory, PAGE, PROT_READ, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED);
	CHECK(errno == EEXIST);
	CHECK(mmap(NULL, 0, PROT_READ, PRIVATE, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 1) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0) == MAP_FAILED && errno == EBADF);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0) == MAP_FAILED);
	CHECK(errno == EOPNOTSUPP);
	CHECK(mmap(NULL, PAGE, READ_WRITE, MAP_SHARED | MAP_GROWSDOWN, fd, 0) == MAP_FAILED);
	CHECK(mmap(NULL, PAGE, READ_WRITE, PRIVATE | MAP_HUGETLB, -1, 0) == MAP_FAILED);
	close(fd);
}

static void a_mapping_that_grows_down(void)
{
	char *memory = mmap((char *)(uintptr_t)(100 * GIB), PAGE, READ_WRITE,
			    PRIVATE | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE, -1, 0);

	CHECK(memory != MAP_FAILED);
	memory[-PAGE] = 1;
	memory[-100 * PAGE] = 2;
	CHECK(memory[-50 * PAGE] == 0);
	ends_by(write_it, memory - 10000000, SIGSEGV); /* RLIMIT_STACK: 8 MiB */
}

/* Touches so many bytes of the stack, from above. */
static int use_stack(size_t bytes)
{
	volatile char *room = __builtin_alloca(bytes);

	for (size_t at = bytes; at >= PAGE; at -= PAGE)
		room[at - PAGE] = 1;
	return 0;
}

static int seven_mebibytes(void)
{
	return use_stack(7 << 20);
}

static int nine_mebibytes(void)
{
	return use_stack(9 << 20);
}

static int twelve_with_a_higher_limit(void)
{
	struct rlimit limit = {16 << 20, 16 << 20};

	return setrlimit(RLIMIT_STACK, &limit) ? 1 : use_stack(12 << 20);
}

static void the_stack_grows_to_its_limit(void)
{
	CHECK(status_of(seven_mebibytes) == 0);
	int status = status_of(nine_mebibytes);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	CHECK(status_of(twelve_with_a_higher_limit) == 0);
}

static int with_little_address_space(void)
{
	struct rlimit limit = {32 << 20, 32 << 20};

	CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
	CHECK(mmap(NULL, 64 << 20, PROT_NONE, PRIVATE, -1, 0) == MAP_FAILED && errno == ENOMEM);
	char *memory = map(8 << 20, READ_WRITE, PRIVATE, -1);
	CHECK(mremap(memory, 8 << 20, 40 << 20, MREMAP_MAYMOVE) == MAP_FAILED && errno == ENOMEM);
	/* What MAP_FIXED replaces is not counted twice. */
	for (int i = 0; i < 10; i++)
		CHECK(mmap(memory, 8 << 20, READ_WRITE, PRIVATE | MAP_FIXED, -1, 0) == memory);
	return 0;
}

static int with_little_data(void)
{
	struct rlimit limit = {16 << 20, 16 << 20};

	CHECK(setrlimit(RLIMIT_DATA, &limit) == 0);
	CHECK(mmap(NULL, 32 << 20, READ_WRITE, PRIVATE, -1, 0) == MAP_FAILED && errno == ENOMEM);
	char *memory = map(32 << 20, PROT_READ, PRIVATE, -1);
	CHECK_ERROR(mprotect(memory, 32 << 20, READ_WRITE), ENOMEM);
	CHECK(mprotect(memory, 1 << 20, READ_WRITE) == 0);
	return 0;
}

static void limits_hold(void)
{
	CHECK(status_of(with_little_address_space) == 0);
	CHECK(status_of(with_little_data) == 0);
}

static void shared_memory_is_one_for_all(void)
{
	char *memory = map((size_t)2 * PAGE, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);

	ends_by(write_it, memory + PAGE, 0);
	CHECK(memory[PAGE] == 1);
	CHECK(madvise(memory, (size_t)2 * PAGE, MADV_DONTNEED) == 0);
	CHECK(memory[PAGE] == 1); /* it is the memory's own contents, not this process's */
	char *moved = mremap(memory, (size_t)2 * PAGE, (size_t)2 * PAGE,
			     MREMAP_MAYMOVE | MREMAP_FIXED, (char *)(uintptr_t)(120 * GIB));
	CHECK(moved != MAP_FAILED && moved[PAGE] == 1);
	ends_by(read_it, memory, SIGSEGV);
}

static void allow_writable_code(const char *text)
{
	int fd = open("/proc/sys/vm/writable_code", O_WRONLY);

	CHECK(fd >= 0 && write(fd, text, 1) == 1);
	close(fd);
}

/* mov w0, #value; ret */
static int run_code(uint32_t *code, uint32_t value)
{
	code[0] = 0x52800000u | value << 5;
	code[1] = 0xd65f03c0u;
	__builtin___clear_cache((char *)code, (char *)(code + 2));
	return ((int (*)(void))(uintptr_t)code)();
}

static uint32_t *jit_code;

static int rewrite_in_child(void)
{
	return run_code(jit_code, 45) == 45 ? 0 : 1;
}

static void code_that_is_rewritten(void)
{
	const int all = PROT_READ | PROT_WRITE | PROT_EXEC;

	uint32_t *code = (void *)map(PAGE, all, PRIVATE, -1);
	CHECK(run_code(code, 42) == 42 && run_code(code, 43) == 43);
	CHECK(run_code(code + 2, 44) == 44 && run_code(code, 7) == 7);
	jit_code = code;
	CHECK(status_of(rewrite_in_child) == 0 && run_code(code + 2, 8) == 8 &&
	      code[1] == 0xd65f03c0u);
	CHECK(mprotect(code, PAGE, PROT_READ | PROT_EXEC) == 0);
	ends_by(write_it, (char *)code, SIGSEGV);
}

/* str w0, [x0]; ret: into the instructions themselves. A page is not both, not even for that. */
static int write_own_page(void)
{
	uint32_t *code = (uint32_t *)(uintptr_t)touched;

	code[0] = 0xb9000000u;
	code[1] = 0xd65f03c0u;
	__builtin___clear_cache((char *)code, (char *)(code + 2));
	((void (*)(void *))(uintptr_t)code)(code + 4);
	return 0;
}

static void code_that_writes_where_it_runs(void)
{
	ends_by(write_own_page, map(PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, PRIVATE, -1),
		SIGSEGV);
}

static void writable_code_can_be_forbidden(void)
{
	const int all = PROT_READ | PROT_WRITE | PROT_EXEC;
	char *page = map(PAGE, PROT_READ | PROT_WRITE, PRIVATE, -1);

	allow_writable_code("0");
	CHECK_ERROR(mprotect(page, PAGE, all), EACCES);
	CHECK(mmap(NULL, PAGE, all, PRIVATE, -1, 0) == MAP_FAILED && errno == EACCES);
	allow_writable_code("1");
}

RUN_TESTS({"truncation", a_file_shrinks_below_its_mappings},
	  {"reservations", reservations_cost_nothing}, {"populate", populated_memory_is_there},
	  {"advice", advice_gives_memory_back}, {"children", children_get_what_was_agreed},
	  {"flags", flags_of_mmap}, {"grows down", a_mapping_that_grows_down},
	  {"stack", the_stack_grows_to_its_limit}, {"limits", limits_hold},
	  {"shared memory", shared_memory_is_one_for_all},
	  {"code that is rewritten", code_that_is_rewritten},
	  {"code that writes where it runs", code_that_writes_where_it_runs},
	  {"writable code can be forbidden", writable_code_can_be_forbidden})
