/* Both ends of a pseudo-terminal, for the programs that test them. */
#ifndef TEST_QEMU_PROGRAMS_PTY_H
#define TEST_QEMU_PROGRAMS_PTY_H

#include <fcntl.h>
#include <termios.h>

#include "test/qemu/programs/check.h"

struct pair {
	int master, terminal;
	char name[32];
};

/* Both ends, open; nobody's controlling terminal. */
static inline struct pair open_pair(void)
{
	struct pair pair;

	pair.master = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(pair.master >= 0 && grantpt(pair.master) == 0 && unlockpt(pair.master) == 0);
	CHECK(ptsname_r(pair.master, pair.name, sizeof(pair.name)) == 0);
	pair.terminal = open(pair.name, O_RDWR | O_NOCTTY);
	CHECK(pair.terminal >= 0);
	return pair;
}

static inline void close_pair(struct pair *pair)
{
	CHECK(close(pair->terminal) == 0 && close(pair->master) == 0);
}

/* Reads as many bytes as the text has: they must be it. */
static inline void expect(int fd, const char *text)
{
	char bytes[256];
	size_t have = 0;

	while (have < strlen(text)) {
		ssize_t n = read(fd, bytes + have, strlen(text) - have);

		CHECK(n > 0);
		have += (size_t)n;
	}
	bytes[have] = '\0';
	if (strcmp(bytes, text) != 0)
		fprintf(stderr, "got \"%s\" instead of \"%s\"\n", bytes, text);
	CHECK(strcmp(bytes, text) == 0);
}

static inline void send_text(int fd, const char *text)
{
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

#endif
