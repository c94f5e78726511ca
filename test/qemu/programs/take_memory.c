/*
 * Takes memory of one kind until there is no more or MIB are taken, then waits for its end:
 *
 *	take_memory KIND [MIB]
 *
 * private: its own; shared: MAP_SHARED; tables: page tables with little in them; memfd: a file
 * without a name; pipes, sockets: bytes that nobody reads; descriptors: of idle sockets; children:
 * processes that fork; users-children: those of an ordinary user.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "test/qemu/programs/check.h"

#define MIB (1ul << 20)
#define PAGE 4096
#define TABLE_SPAN (2 * MIB)

/* Each takes one MiB, or as much as is easy. False: refused, with errno. */

static int take_mapping(int flags)
{
	char *memory = mmap(NULL, MIB, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return 0;
	memset(memory, 1, MIB);
	return 1;
}

static int take_private(void)
{
	return take_mapping(MAP_PRIVATE);
}

static int take_shared(void)
{
	return take_mapping(MAP_SHARED);
}

/* One page in each table: half of it is the table. */
static int take_tables(void)
{
	for (unsigned i = 0; i < MIB / PAGE / 2; i++) {
		char *memory = mmap(NULL, TABLE_SPAN, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (memory == MAP_FAILED)
			return 0;
		memory[0] = 1;
	}
	return 1;
}

static int take_memfd(void)
{
	static char page[PAGE];
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("taken", 0);
	for (unsigned i = 0; i < MIB / PAGE; i++)
		if (write(fd, page, sizeof(page)) != sizeof(page))
			return 0;
	return 1;
}

/* As much as the descriptor takes. */
static size_t fill(int fd)
{
	static char bytes[PAGE];
	size_t sum = 0;
	ssize_t n;

	while ((n = write(fd, bytes, sizeof(bytes))) > 0)
		sum += (size_t)n;
	return sum;
}

static int take_pipes(void)
{
	for (size_t taken = 0; taken < MIB;) {
		int ends[2];
		if (pipe2(ends, O_NONBLOCK))
			return 0;
		size_t n = fill(ends[1]);
		if (n == 0)
			return 0;
		taken += n;
	}
	return 1;
}

static int take_sockets(void)
{
	for (size_t taken = 0; taken < MIB;) {
		int ends[2];
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends))
			return 0;
		size_t n = fill(ends[1]);
		if (n == 0)
			return 0;
		taken += n;
	}
	return 1;
}

static int take_users_children(void)
{
	return (getuid() || setresuid(4321, 4321, 4321) == 0) && fork() >= 0;
}

static int take_descriptors(void)
{
	for (unsigned i = 0; i < MIB / 512; i++)
		if (socket(AF_INET, SOCK_STREAM, 0) < 0)
			return 0;
	return 1;
}

static int take_children(void)
{
	return fork() >= 0;
}

static const struct {
	const char *name;
	int (*take)(void);
} kinds[] = {
	{"private", take_private},
	{"shared", take_shared},
	{"tables", take_tables},
	{"memfd", take_memfd},
	{"pipes", take_pipes},
	{"sockets", take_sockets},
	{"children", take_children},
	{"descriptors", take_descriptors},
	{"users-children", take_users_children},
};

int main(int argc, char **argv)
{
	unsigned long limit = argc > 2 ? strtoul(argv[2], NULL, 10) : ~0ul;
	const struct rlimit files = {1 << 20, 1 << 20};

	setrlimit(RLIMIT_NOFILE, &files);
	for (size_t i = 0; argc > 1 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, argv[1]) != 0)
			continue;
		unsigned long taken = 0;
		while (taken < limit && kinds[i].take())
			taken++;
		printf("took %lu: %s\n", taken, taken < limit ? strerror(errno) : "enough");
		fflush(stdout);
		pause();
		return 0;
	}
	fprintf(stderr, "usage: take_memory KIND [MIB]\n");
	return 2;
}
