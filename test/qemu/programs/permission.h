/*
 * What the tests of permissions share: a place to try, those who call, and calls.
 */
#ifndef TEST_QEMU_PROGRAMS_PERMISSION_H
#define TEST_QEMU_PROGRAMS_PERMISSION_H

#include "test/qemu/programs/check.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>

#define PLACE "/tmp/permission_test"
#define OBJECT PLACE "/object"
#define INSIDE OBJECT "/inside"
#define SUBDIRECTORY OBJECT "/subdirectory"
#define NEW OBJECT "/new"
#define NOBODY_ELSE 1000 /* the user and group that most rows are about */
#define STRANGER 2000
#define COMMON_GROUP 3000

/* One who calls. */
struct who {
	const char *name;
	uid_t uid;
	gid_t gid, further_group;
};

static const struct who root = {"root", 0, 0, 0};
static const struct who owner = {"the owner", NOBODY_ELSE, NOBODY_ELSE, NOBODY_ELSE};
static const struct who fellow = {"one of the group", STRANGER, NOBODY_ELSE, STRANGER};
static const struct who member = {"one with the group", STRANGER, STRANGER, NOBODY_ELSE};
static const struct who stranger = {"a stranger", STRANGER, STRANGER, STRANGER};

struct row {
	const struct who *who;
	mode_t mode; /* of OBJECT, which is NOBODY_ELSE's */
	int (*call)(void);
	int error;
};

static inline void become(const struct who *who)
{
	CHECK(setgroups(1, &who->further_group) == 0);
	CHECK(setresgid(who->gid, who->gid, who->gid) == 0);
	CHECK(setresuid(who->uid, who->uid, who->uid) == 0);
}

/* The error with which a child that is `who` comes back from the call. */
static inline int error_of(const struct who *who, int (*call)(void))
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		become(who);
		_exit(call() < 0 ? errno : 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static inline void remove_place(void)
{
	CHECK(system("rm -rf " PLACE) == 0);
}

static inline void make_place(void)
{
	remove_place();
	CHECK(mkdir(PLACE, 0755) == 0);
}

static inline void run_rows(const struct row *rows, size_t count,
			    void (*make)(const struct row *row))
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		int error;

		make_place();
		make(row);
		error = error_of(row->who, row->call);
		if (error == row->error)
			continue;
		fprintf(stderr, "row %zu, %s, mode %04o: %s instead of %s\n", i, row->who->name,
			row->mode, strerror(error), strerror(row->error));
		_exit(1);
	}
}

#define RUN_ROWS(rows, make) run_rows(rows, sizeof(rows) / sizeof(rows[0]), make)

static inline void give_to_owner(const char *path, mode_t mode)
{
	CHECK(chown(path, NOBODY_ELSE, NOBODY_ELSE) == 0 && chmod(path, mode) == 0);
}

/* Makers and calls, each on OBJECT. */

static inline void make_file(const struct row *row)
{
	int fd = open(OBJECT, O_CREAT | O_EXCL | O_WRONLY, 0600);

	CHECK(fd >= 0 && write(fd, "#!/bin/true\n", 12) == 12 && close(fd) == 0);
	give_to_owner(OBJECT, row->mode);
}

static inline int open_to_read(void)
{
	return open(OBJECT, O_RDONLY);
}

static inline int open_for_both(void)
{
	return open(OBJECT, O_RDWR);
}

static inline int open_to_truncate(void)
{
	return open(OBJECT, O_RDONLY | O_TRUNC);
}

static inline int open_unnoticed(void)
{
	return open(OBJECT, O_RDONLY | O_NOATIME);
}

static inline int shorten(void)
{
	return truncate(OBJECT, 1);
}

static inline int change_mode(void)
{
	return chmod(OBJECT, 0640);
}

static inline int change_group_to_own(void)
{
	return chown(OBJECT, -1, NOBODY_ELSE);
}

static inline int change_nothing(void)
{
	return chown(OBJECT, -1, -1);
}

static inline int give_away(void)
{
	return chown(OBJECT, STRANGER, -1);
}

static inline int set_times(struct timespec first, struct timespec second)
{
	const struct timespec times[2] = {first, second};

	return utimensat(AT_FDCWD, OBJECT, times, 0);
}

static inline int set_old_times(void)
{
	const struct timespec old = {.tv_sec = 1};

	return set_times(old, old);
}

static inline int create_directory(void)
{
	return mkdir(NEW, 0777);
}

#endif
