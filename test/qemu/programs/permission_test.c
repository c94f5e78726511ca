/*
 * Who may do what with a file: each row of a table is a file with an owner and a mode, somebody who
 * calls, and the error that he gets (0: none).
 */
#define _GNU_SOURCE 1
#include "test/qemu/programs/permission.h"

#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Files */

static int open_to_write(void)
{
	return open(OBJECT, O_WRONLY);
}

static int open_or_create(void)
{
	return open(OBJECT, O_RDONLY | O_CREAT, 0666);
}

static int open_path(void)
{
	return open(OBJECT, O_PATH);
}

static int stop_noticing(void)
{
	return fcntl(open(OBJECT, O_RDONLY), F_SETFL, O_NOATIME);
}

static int run(void)
{
	return execl(OBJECT, OBJECT, NULL);
}

static int status_only(void)
{
	struct stat status;

	return stat(OBJECT, &status);
}

static int watch(void)
{
	return inotify_add_watch(inotify_init(), OBJECT, IN_ACCESS);
}

static int ask_to_read(void)
{
	return access(OBJECT, R_OK);
}

static int ask_to_write(void)
{
	return access(OBJECT, W_OK);
}

static int ask_to_run(void)
{
	return access(OBJECT, X_OK);
}

static int ask_effectively(void)
{
	return faccessat(AT_FDCWD, OBJECT, R_OK | W_OK, AT_EACCESS);
}

static void files(void)
{
	static const struct row rows[] = {
		{&owner, 0400, open_to_read, 0},
		{&owner, 0400, open_to_write, EACCES},
		{&owner, 0400, open_for_both, EACCES},
		{&owner, 0200, open_to_read, EACCES},
		{&owner, 0200, open_to_write, 0},
		{&owner, 0600, open_for_both, 0},
		{&owner, 0077, open_to_read, EACCES}, /* though others may */
		{&fellow, 0040, open_to_read, 0},
		{&fellow, 0707, open_to_read, EACCES},
		{&member, 0060, open_for_both, 0},
		{&member, 0707, open_for_both, EACCES},
		{&stranger, 0004, open_to_read, 0},
		{&stranger, 0770, open_to_read, EACCES},
		{&root, 0000, open_for_both, 0},
		{&owner, 0400, open_to_truncate, EACCES},
		{&owner, 0600, open_to_truncate, 0},
		{&stranger, 0600, open_or_create, EACCES},
		{&stranger, 0000, open_path, 0},
		{&stranger, 0000, status_only, 0},
		{&owner, 0400, open_unnoticed, 0},
		{&stranger, 0444, open_unnoticed, EPERM},
		{&stranger, 0444, stop_noticing, EPERM},
		{&root, 0000, open_unnoticed, 0},
		{&owner, 0500, run, 0},
		{&owner, 0677, run, EACCES},
		{&fellow, 0050, run, 0},
		{&stranger, 0750, run, EACCES},
		{&stranger, 0005, run, 0},
		{&root, 0666, run, EACCES}, /* nobody's program */
		{&root, 0001, run, 0},
		{&owner, 0200, shorten, 0},
		{&owner, 0400, shorten, EACCES},
		{&root, 0000, shorten, 0},
		{&stranger, 0333, watch, EACCES},
		{&stranger, 0444, watch, 0},
		{&owner, 0400, ask_to_read, 0},
		{&owner, 0400, ask_to_write, EACCES},
		{&owner, 0600, ask_effectively, 0},
		{&stranger, 0600, ask_effectively, EACCES},
		{&stranger, 0001, ask_to_run, 0},
		{&root, 0000, ask_to_write, 0},
		{&root, 0666, ask_to_run, EACCES},
	};

	RUN_ROWS(rows, make_file);
}

/* What only the owner changes. */

static int change_group_to_other(void)
{
	return chown(OBJECT, -1, COMMON_GROUP);
}

static int touch(void)
{
	return utimensat(AT_FDCWD, OBJECT, NULL, 0);
}

static int touch_both(void)
{
	const struct timespec now = {.tv_nsec = UTIME_NOW};

	return set_times(now, now);
}

static int touch_one(void)
{
	const struct timespec now = {.tv_nsec = UTIME_NOW}, leave = {.tv_nsec = UTIME_OMIT};

	return set_times(now, leave);
}

static int leave_times(void)
{
	const struct timespec leave = {.tv_nsec = UTIME_OMIT};

	return set_times(leave, leave);
}

static void owners_rights(void)
{
	static const struct row rows[] = {
		{&owner, 0000, change_mode, 0},
		{&stranger, 0777, change_mode, EPERM},
		{&fellow, 0777, change_mode, EPERM},
		{&root, 0000, change_mode, 0},
		{&owner, 0000, change_group_to_own, 0},
		{&owner, 0777, change_group_to_other, EPERM},
		{&fellow, 0777, change_group_to_own, EPERM},
		{&stranger, 0000, change_nothing, 0},
		{&owner, 0777, give_away, EPERM},
		{&root, 0000, give_away, 0},
		{&owner, 0000, touch, 0},
		{&stranger, 0002, touch, 0},
		{&stranger, 0002, touch_both, 0},
		{&stranger, 0004, touch, EACCES},
		{&stranger, 0777, touch_one, EPERM},
		{&stranger, 0000, leave_times, 0},
		{&stranger, 0777, set_old_times, EPERM},
		{&owner, 0000, set_old_times, 0},
		{&root, 0000, set_old_times, 0},
	};

	RUN_ROWS(rows, make_file);
}

/* Directories: OBJECT is one, with a file of root's and a directory in it. */

static void make_directory(const struct row *row)
{
	CHECK(mkdir(OBJECT, 0700) == 0 && mkdir(SUBDIRECTORY, 0777) == 0);
	CHECK(chmod(SUBDIRECTORY, 0777) == 0);
	CHECK(mknod(INSIDE, S_IFREG | 0666, 0) == 0 && chmod(INSIDE, 0666) == 0);
	give_to_owner(OBJECT, row->mode);
}

static int look_up(void)
{
	struct stat status;

	return stat(INSIDE, &status);
}

static int look_up_missing(void)
{
	struct stat status;

	return stat(NEW, &status);
}

static int look_up_below(void)
{
	struct stat status;

	return stat(SUBDIRECTORY "/..", &status);
}

static int list_names(void)
{
	return open(OBJECT, O_RDONLY | O_DIRECTORY);
}

static int enter(void)
{
	return chdir(OBJECT);
}

static int enter_descriptor(void)
{
	return fchdir(open(OBJECT, O_PATH));
}

static int make_it_root(void)
{
	return chroot(OBJECT);
}

static int create(void)
{
	return open(NEW, O_CREAT | O_RDWR, 0000);
}

static int create_existing(void)
{
	return mkdir(INSIDE, 0777);
}

static int create_fifo(void)
{
	return mknod(NEW, S_IFIFO | 0666, 0);
}

static int create_unnamed(void)
{
	return open(OBJECT, O_TMPFILE | O_RDWR, 0600);
}

static int create_symbolic_link(void)
{
	return symlink("target", NEW);
}

static int create_link(void)
{
	return link(INSIDE, NEW);
}

static int create_socket(void)
{
	const struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = NEW};

	return bind(socket(AF_UNIX, SOCK_STREAM, 0), (const struct sockaddr *)&name, sizeof(name));
}

static int remove_file(void)
{
	return unlink(INSIDE);
}

static int remove_missing(void)
{
	return unlink(NEW);
}

static int remove_directory(void)
{
	return rmdir(SUBDIRECTORY);
}

static int rename_file(void)
{
	return rename(INSIDE, NEW);
}

static int rename_over(void)
{
	return rename(INSIDE, INSIDE "2");
}

static int move_in(void)
{
	return rename(SUBDIRECTORY "/file", NEW);
}

static void directories(void)
{
	static const struct row rows[] = {
		{&owner, 0100, look_up, 0},
		{&owner, 0677, look_up, EACCES},
		{&stranger, 0776, look_up, EACCES},
		{&stranger, 0776, look_up_missing, EACCES},
		{&stranger, 0001, look_up_below, 0},
		{&root, 0000, look_up, 0},
		{&stranger, 0004, list_names, 0},
		{&stranger, 0773, list_names, EACCES},
		{&stranger, 0001, enter, 0},
		{&stranger, 0776, enter, EACCES},
		{&stranger, 0776, enter_descriptor, EACCES},
		{&root, 0000, enter, 0},
		{&stranger, 0776, make_it_root, EACCES},
		{&stranger, 0777, make_it_root, EPERM},
		{&root, 0000, make_it_root, 0},
		{&stranger, 0003, create, 0},
		{&stranger, 0775, create, EACCES},
		{&stranger, 0776, create, EACCES},
		{&root, 0000, create, 0},
		{&stranger, 0775, create_directory, EACCES},
		{&stranger, 0775, create_existing, EEXIST},
		{&stranger, 0775, create_fifo, EACCES},
		{&stranger, 0775, create_unnamed, EACCES},
		{&stranger, 0003, create_unnamed, 0},
		{&stranger, 0775, create_symbolic_link, EACCES},
		{&stranger, 0775, create_link, EACCES},
		{&stranger, 0775, create_socket, EACCES},
		{&stranger, 0003, create_socket, 0},
		{&fellow, 0030, remove_file, 0},
		{&fellow, 0757, remove_file, EACCES},
		{&fellow, 0757, remove_missing, ENOENT},
		{&fellow, 0757, remove_directory, EACCES},
		{&fellow, 0030, remove_directory, 0},
		{&fellow, 0757, rename_file, EACCES},
		{&fellow, 0030, rename_file, 0},
		{&root, 0000, rename_file, 0},
	};

	RUN_ROWS(rows, make_directory);
}

/* Sticky: INSIDE is the stranger's here, and so is all that stands below. */
static void make_sticky(const struct row *row)
{
	make_directory(row);
	CHECK(chown(INSIDE, STRANGER, STRANGER) == 0);
	CHECK(mknod(INSIDE "2", S_IFREG | 0666, 0) == 0);
	CHECK(mknod(SUBDIRECTORY "/file", S_IFREG | 0666, 0) == 0);
}

static void sticky_directories(void)
{
	static const struct row rows[] = {
		{&stranger, 01777, create, 0},
		{&stranger, 01777, remove_file, 0},
		{&fellow, 01777, remove_directory, EPERM}, /* root's */
		{&stranger, 01777, rename_file, 0},
		{&stranger, 01777, rename_over, EPERM}, /* what is replaced is root's */
		{&stranger, 00777, rename_over, 0},
		{&stranger, 01777, move_in, 0},
		{&owner, 01777, remove_directory, ENOTEMPTY}, /* allowed */
		{&owner, 01777, rename_over, 0},
		{&root, 01777, rename_over, 0},
	};

	RUN_ROWS(rows, make_sticky);
}

static int move_directory(void)
{
	return rename(OBJECT, PLACE "/other/moved");
}

static void make_places(const struct row *row)
{
	CHECK(chmod(PLACE, 0777) == 0);
	CHECK(mkdir(PLACE "/other", 0777) == 0 && chmod(PLACE "/other", 0777) == 0);
	make_directory(row);
}

/* A directory that moves gets another "..", which is a change of it. */
static void moving_directories(void)
{
	static const struct row rows[] = {
		{&owner, 0500, move_directory, EACCES},
		{&stranger, 0775, move_directory, EACCES},
		{&stranger, 0002, move_directory, 0},
		{&root, 0000, move_directory, 0},
	};

	RUN_ROWS(rows, make_places);
}

/* Sockets */

static void make_socket(const struct row *row)
{
	const struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = OBJECT};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(bind(fd, (const struct sockaddr *)&name, sizeof(name)) == 0 && listen(fd, 1) == 0);
	give_to_owner(OBJECT, row->mode);
}

static int connect_to_it(void)
{
	const struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = OBJECT};

	return connect(socket(AF_UNIX, SOCK_STREAM, 0), (const struct sockaddr *)&name,
		       sizeof(name));
}

static void sockets(void)
{
	static const struct row rows[] = {
		{&owner, 0200, connect_to_it, 0},    {&owner, 0577, connect_to_it, EACCES},
		{&stranger, 0002, connect_to_it, 0}, {&stranger, 0775, connect_to_it, EACCES},
		{&root, 0000, connect_to_it, 0},
	};

	RUN_ROWS(rows, make_socket);
}

static const struct test tests[] = {
	{"files", files},
	{"the owner's rights", owners_rights},
	{"directories", directories},
	{"sticky directories", sticky_directories},
	{"moving directories", moving_directories},
	{"sockets", sockets},
};

int main(void)
{
	umask(0);
	int result = run_tests(tests, sizeof(tests) / sizeof(tests[0]));
	remove_place();
	return result;
}
