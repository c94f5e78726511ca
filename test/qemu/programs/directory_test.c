/* Large directories: every name is found, and a listing misses none that stays. */
#include "test/qemu/programs/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES 5000

static bool seen[NAMES];

static const char *name_of(int i)
{
	static char name[32];

	/* In no order, and with names that begin alike. */
	snprintf(name, sizeof(name), "name-%d-%d", (int)((unsigned int)i * 2654435761u % 1000), i);
	return name;
}

static void make_all(void)
{
	CHECK(mkdir("/tmp/large", 0755) == 0 && chdir("/tmp/large") == 0);
	for (int i = 0; i < NAMES; i++) {
		int fd = open(name_of(i), O_CREAT | O_EXCL | O_WRONLY, 0600);

		CHECK(fd >= 0 && close(fd) == 0);
	}
}

static void remove_all(void)
{
	for (int i = 0; i < NAMES; i++)
		unlink(name_of(i));
	CHECK(chdir("/") == 0 && rmdir("/tmp/large") == 0);
}

static void every_name_is_found(void)
{
	make_all();
	for (int i = 0; i < NAMES; i++) {
		CHECK(access(name_of(i), F_OK) == 0);
		CHECK_ERROR(open(name_of(i), O_CREAT | O_EXCL, 0600), EEXIST);
	}
	for (int i = 0; i < NAMES; i += 3)
		CHECK(unlink(name_of(i)) == 0);
	for (int i = 0; i < NAMES; i++)
		CHECK((access(name_of(i), F_OK) == 0) == (i % 3 != 0));
	CHECK_ERROR(rmdir("/tmp/large"), ENOTEMPTY);
	remove_all();
}

/* Names before and behind the listing's place go while it is under way. */
static void a_listing_misses_none(void)
{
	const struct dirent *entry;
	int count = 0;

	make_all();
	memset(seen, 0, sizeof(seen));
	DIR *directory = opendir(".");
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		int i = atoi(strrchr(entry->d_name, '-') + 1);
		CHECK(!seen[i]);
		seen[i] = true;
		unlink(name_of(count * 7 % NAMES));
		count++;
	}
	CHECK(closedir(directory) == 0);
	for (int i = 0; i < NAMES; i++)
		CHECK(seen[i] || access(name_of(i), F_OK) != 0);
	remove_all();
}

static void renaming_keeps_the_order(void)
{
	make_all();
	for (int i = 0; i < NAMES; i++) {
		char to[40];

		snprintf(to, sizeof(to), "%d-renamed", i);
		CHECK(rename(name_of(i), to) == 0 && access(to, F_OK) == 0);
		CHECK_ERROR(access(name_of(i), F_OK), ENOENT);
	}
	for (int i = 0; i < NAMES; i++) {
		char to[40];

		snprintf(to, sizeof(to), "%d-renamed", i);
		CHECK(unlink(to) == 0);
	}
	remove_all();
}

RUN_TESTS({"every name is found", every_name_is_found},
	  {"a listing misses none", a_listing_misses_none},
	  {"renaming keeps the order", renaming_keeps_the_order})
