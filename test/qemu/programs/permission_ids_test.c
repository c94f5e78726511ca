/*
 * For whom files are used: real, effective and file system ids, set-user-ID programs, single rights
 * of the superuser, and whose the files of /proc and /dev are.
 */
#define _GNU_SOURCE 1
#include "test/qemu/programs/permission.h"

#include <dirent.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* S_ISUID and S_ISGID */

static mode_t mode_of(const char *path)
{
	struct stat status;

	CHECK(stat(path, &status) == 0);
	return status.st_mode & 07777;
}

static int write_to_it(void)
{
	return (int)write(open(OBJECT, O_WRONLY), "x", 1);
}

static int set_group_id(void)
{
	return chmod(OBJECT, 02755);
}

static void set_ids_do_not_outlive_changes(void)
{
	static const struct {
		const struct who *who;
		mode_t before;
		int (*call)(void);
		mode_t after;
	} rows[] = {
		{&owner, 06777, write_to_it, 0777},    {&stranger, 06777, write_to_it, 0777},
		{&fellow, 02767, write_to_it, 02767},  /* no program */
		{&stranger, 02767, write_to_it, 0767}, /* nor of his group */
		{&root, 06777, write_to_it, 06777},    {&owner, 06777, open_to_truncate, 0777},
		{&owner, 06777, shorten, 0777},        {&owner, 06777, change_group_to_own, 0777},
		{&root, 06777, change_nothing, 0777},  {&root, 02767, change_nothing, 02767},
		{&owner, 0755, set_group_id, 02755},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row row = {.who = rows[i].who, .mode = rows[i].before};

		make_place();
		make_file(&row);
		CHECK(error_of(rows[i].who, rows[i].call) == 0);
		if (mode_of(OBJECT) != rows[i].after) {
			fprintf(stderr, "row %zu: mode %04o\n", i, mode_of(OBJECT));
			_exit(1);
		}
	}
	/* Who may not change a file's mode may not have its bits taken away either. */
	CHECK(chown(OBJECT, NOBODY_ELSE, NOBODY_ELSE) == 0 && chmod(OBJECT, 06777) == 0);
	CHECK(error_of(&stranger, change_nothing) == EPERM && mode_of(OBJECT) == 06777);
	CHECK(chmod(OBJECT, 0777) == 0);
	/* The group is none of the owner's. */
	CHECK(chown(OBJECT, NOBODY_ELSE, COMMON_GROUP) == 0);
	CHECK(error_of(&owner, set_group_id) == 0 && mode_of(OBJECT) == 0755);
}

static int create_program(void)
{
	return open(NEW, O_CREAT | O_WRONLY, 02755);
}

static void groups_are_inherited(void)
{
	struct stat status;

	make_place();
	CHECK(mkdir(OBJECT, 0777) == 0 && chown(OBJECT, 0, COMMON_GROUP) == 0);
	CHECK(chmod(OBJECT, 02777) == 0);
	CHECK(error_of(&stranger, create_directory) == 0 && stat(NEW, &status) == 0);
	CHECK(status.st_uid == STRANGER && status.st_gid == COMMON_GROUP);
	CHECK(status.st_mode & S_ISGID && rmdir(NEW) == 0);
	CHECK(error_of(&stranger, create_program) == 0 && stat(NEW, &status) == 0);
	CHECK(status.st_gid == COMMON_GROUP && !(status.st_mode & S_ISGID));
}

/* access(2) asks for the real user, an open for the one that acts. */

static int act_as_owner(void)
{
	CHECK(seteuid(NOBODY_ELSE) == 0);
	CHECK(access(OBJECT, R_OK) == 0 && eaccess(OBJECT, W_OK) == 0);
	CHECK(seteuid(0) == 0 && setresuid(STRANGER, NOBODY_ELSE, 0) == 0);
	CHECK_ERROR(access(OBJECT, R_OK), EACCES);
	CHECK(eaccess(OBJECT, R_OK | W_OK) == 0 && open_for_both() >= 0);
	CHECK(seteuid(0) == 0);
	CHECK_ERROR(access(OBJECT, R_OK), EACCES); /* nor with the superuser's rights */
	CHECK(eaccess(OBJECT, R_OK) == 0);
	return 0;
}

static void real_and_effective_ids(void)
{
	make_place();
	make_file(&(struct row){.mode = 0600});
	CHECK(status_of(act_as_owner) == 0);
}

/* setfsuid(2): files alone are somebody else's business. */
static int use_files_as_owner(void)
{
	struct stat status;

	CHECK(setfsgid(NOBODY_ELSE) == 0 && setfsuid(NOBODY_ELSE) == 0);
	CHECK(setfsuid(-1) == NOBODY_ELSE && geteuid() == 0);
	CHECK(open_for_both() >= 0 && chmod(OBJECT, 0400) == 0);
	CHECK_ERROR(open_for_both(), EACCES);
	CHECK(kill(1, 0) == 0);
	CHECK_ERROR(mknod(PLACE "/new", S_IFREG | 0600, 0), EACCES);
	CHECK(mknod("/tmp/permission_test_own", S_IFREG | 0600, 0) == 0);
	CHECK(stat("/tmp/permission_test_own", &status) == 0);
	CHECK(status.st_uid == NOBODY_ELSE && status.st_gid == NOBODY_ELSE);
	CHECK(unlink("/tmp/permission_test_own") == 0);
	CHECK(setfsuid(0) == NOBODY_ELSE && open_for_both() >= 0);
	CHECK(setfsuid(STRANGER) == 0 && seteuid(0) == 0 && setfsuid(-1) == 0);
	become(&stranger);
	CHECK(setfsuid(0) == STRANGER && setfsuid(-1) == STRANGER);
	return 0;
}

static void file_system_ids(void)
{
	make_place();
	make_file(&(struct row){.mode = 0600});
	CHECK(status_of(use_files_as_owner) == 0);
}

/* Set-user-ID programs: this one, which then says whom it runs for. */

static int report(void)
{
	printf("%u %u %u %u %u %lu\n", getuid(), geteuid(), getgid(), getegid(), setfsuid(-1),
	       getauxval(AT_SECURE));
	return 0;
}

static bool without_gain; /* PR_SET_NO_NEW_PRIVS */

static int run_copy(void)
{
	CHECK(!without_gain || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(dup2(open(PLACE "/report", O_WRONLY), STDOUT_FILENO) == STDOUT_FILENO);
	return execl(OBJECT, OBJECT, "report", NULL);
}

static void expect_report(const struct who *who, mode_t mode, const char *expected)
{
	char text[64] = "";
	FILE *file;

	CHECK(chmod(OBJECT, mode) == 0 && truncate(PLACE "/report", 0) == 0);
	CHECK(error_of(who, run_copy) == 0);
	file = fopen(PLACE "/report", "r");
	CHECK(file && fgets(text, sizeof(text), file) && fclose(file) == 0);
	if (strcmp(text, expected) == 0)
		return;
	fprintf(stderr, "%s, mode %04o: %s instead of %s", who->name, mode, text, expected);
	_exit(1);
}

static void programs_of_other_users(void)
{
	make_place();
	CHECK(system("cp /proc/$PPID/exe " OBJECT) == 0);
	CHECK(chown(OBJECT, NOBODY_ELSE, COMMON_GROUP) == 0);
	CHECK(mknod(PLACE "/report", S_IFREG | 0666, 0) == 0);
	expect_report(&stranger, 0755, "2000 2000 2000 2000 2000 0\n");
	expect_report(&stranger, 04755, "2000 1000 2000 2000 1000 1\n");
	expect_report(&stranger, 02755, "2000 2000 2000 3000 2000 1\n");
	expect_report(&stranger, 02745, "2000 2000 2000 2000 2000 0\n");
	expect_report(&stranger, 06755, "2000 1000 2000 3000 1000 1\n");
	expect_report(&root, 04755, "0 1000 0 0 1000 1\n");
	CHECK(chown(OBJECT, 0, 0) == 0);
	expect_report(&stranger, 06755, "2000 0 2000 0 0 1\n");
	without_gain = true;
	expect_report(&stranger, 06755, "2000 2000 2000 2000 2000 0\n");
	without_gain = false;
}

/* What was opened while it was the caller's own is closed to him when another's program runs. */

static void await_end_of_line(int fd)
{
	char byte = 0;

	while (byte != '\n')
		CHECK(read(fd, &byte, 1) == 1);
}

static int look_after_exec(void)
{
	static const char *const names[] = {"environ", "maps", "smaps", "auxv", "fdinfo/0"};
	char path[64], bytes[64];
	int fds[5], out[2], in[2], status;

	CHECK(pipe(out) == 0 && pipe(in) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		await_end_of_line(in[0]);
		dup2(out[1], STDOUT_FILENO);
		_exit(execl(OBJECT, OBJECT, "wait", NULL));
	}
	for (int i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, names[i]);
		fds[i] = open(path, O_RDONLY);
		CHECK(read(fds[i], bytes, sizeof(bytes)) >= 0);
		CHECK(pread(fds[i], bytes, sizeof(bytes), 0) >= 0);
	}
	CHECK(pread(fds[1], bytes, sizeof(bytes), 0) > 0);
	CHECK(write(in[1], "\n", 1) == 1);
	await_end_of_line(out[0]);
	for (int i = 0; i < 5; i++)
		CHECK(pread(fds[i], bytes, sizeof(bytes), 0) == 0);
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	return 0;
}

static int wait_for_end(void)
{
	CHECK(write(STDOUT_FILENO, "\n", 1) == 1);
	return pause();
}

static void memory_of_other_users_programs(void)
{
	make_place();
	CHECK(system("cp /proc/$PPID/exe " OBJECT) == 0);
	CHECK(chown(OBJECT, 0, 0) == 0 && chmod(OBJECT, 04755) == 0);
	CHECK(error_of(&stranger, look_after_exec) == 0);
}

/* Single rights of the superuser. */

static void keep_only(int capability)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {
		{.effective = 1u << capability, .permitted = 1u << capability},
	};

	CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0);
	become(&stranger);
	CHECK(syscall(SYS_capset, &header, data) == 0);
}

static int may_override(void)
{
	keep_only(CAP_DAC_OVERRIDE);
	CHECK(open_for_both() >= 0 && access(OBJECT, R_OK) == -1);
	CHECK_ERROR(execl(OBJECT, OBJECT, NULL), EACCES);
	CHECK_ERROR(chmod(OBJECT, 0777), EPERM);
	CHECK_ERROR(open_unnoticed(), EPERM);
	return 0;
}

static int may_read_and_search(void)
{
	keep_only(CAP_DAC_READ_SEARCH);
	CHECK(open_to_read() >= 0 && opendir(PLACE));
	CHECK_ERROR(open_for_both(), EACCES);
	CHECK_ERROR(mkdir(PLACE "/new", 0777), EACCES);
	return 0;
}

static int may_act_as_owner(void)
{
	keep_only(CAP_FOWNER);
	CHECK_ERROR(open_to_read(), EACCES);
	CHECK(change_mode() == 0 && set_old_times() == 0);
	CHECK_ERROR(give_away(), EPERM);
	return 0;
}

static int lock_memory(void)
{
	static char memory[1];

	return mlock(memory, sizeof(memory));
}

static int may_lock_memory(void)
{
	keep_only(CAP_IPC_LOCK);
	return lock_memory();
}

static void single_rights(void)
{
	int (*const functions[])(void) = {may_override, may_read_and_search, may_act_as_owner,
					  may_lock_memory};
	const struct rlimit none = {0, 0};

	CHECK(setrlimit(RLIMIT_MEMLOCK, &none) == 0);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		make_place();
		make_file(&(struct row){.mode = 0000});
		CHECK(i != 1 || chmod(PLACE, 0700) == 0);
		CHECK(status_of(functions[i]) == 0);
	}
	CHECK(error_of(&root, lock_memory) == 0);
	CHECK(error_of(&stranger, lock_memory) == EPERM);
}

/* /proc/PID of process 1, which is root's, and of oneself. */

static int read_environment(void)
{
	return open("/proc/1/environ", O_RDONLY);
}

static int read_map(void)
{
	return open("/proc/1/maps", O_RDONLY);
}

static int list_descriptors(void)
{
	return open("/proc/1/fd", O_RDONLY);
}

static int find_program(void)
{
	char target[64];

	return (int)readlink("/proc/1/exe", target, sizeof(target));
}

static int enter_root(void)
{
	return chdir("/proc/1/root");
}

static int read_status(void)
{
	return open("/proc/1/status", O_RDONLY);
}

static int write_score(void)
{
	return open("/proc/1/oom_score_adj", O_WRONLY);
}

static int write_setting(void)
{
	return open("/proc/sys/net/ipv4/ip_forward", O_WRONLY);
}

static int see_own(void)
{
	char target[64];

	CHECK(open("/proc/self/environ", O_RDONLY) >= 0);
	CHECK(open("/proc/self/maps", O_RDONLY) >= 0);
	CHECK(opendir("/proc/self/fd") && opendir("/proc/self/task"));
	CHECK(readlink("/proc/self/exe", target, sizeof(target)) > 0);
	CHECK(open("/proc/self/fd/0", O_PATH) >= 0);
	CHECK(open("/proc/self/oom_score_adj", O_WRONLY) >= 0);
	return 0;
}

static void make_nothing(const struct row *row)
{
	(void)row;
}

static void processes(void)
{
	static const struct row rows[] = {
		{&stranger, 0, read_environment, EACCES},
		{&root, 0, read_environment, 0},
		{&stranger, 0, read_map, EACCES},
		{&root, 0, read_map, 0},
		{&stranger, 0, list_descriptors, EACCES},
		{&root, 0, list_descriptors, 0},
		{&stranger, 0, find_program, EACCES},
		{&root, 0, find_program, 0},
		{&stranger, 0, enter_root, EACCES},
		{&root, 0, enter_root, 0},
		{&stranger, 0, read_status, 0},
		{&stranger, 0, write_score, EACCES},
		{&stranger, 0, write_setting, EACCES},
		{&root, 0, write_setting, 0},
		{&stranger, 0, see_own, 0},
	};

	RUN_ROWS(rows, make_nothing);
}

/* Devices */

static int write_to_null(void)
{
	return open("/dev/null", O_RDWR);
}

static int open_console(void)
{
	return open("/dev/console", O_RDONLY);
}

static int write_to_log(void)
{
	return open("/dev/kmsg", O_WRONLY);
}

static int use_terminal(void)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	struct stat status;

	CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	CHECK(stat(ptsname(master), &status) == 0 && status.st_gid == 5);
	CHECK(status.st_uid == geteuid() && (status.st_mode & 07777) == 0620);
	return open(ptsname(master), O_RDWR | O_NOCTTY);
}

static void devices(void)
{
	static const struct row rows[] = {
		{&stranger, 0, write_to_null, 0},     {&stranger, 0, open_console, EACCES},
		{&stranger, 0, write_to_log, EACCES}, {&root, 0, write_to_log, 0},
		{&stranger, 0, use_terminal, 0},
	};

	RUN_ROWS(rows, make_nothing);
}

static const struct test tests[] = {
	{"set ids do not outlive changes", set_ids_do_not_outlive_changes},
	{"groups are inherited", groups_are_inherited},
	{"real and effective ids", real_and_effective_ids},
	{"file system ids", file_system_ids},
	{"programs of other users", programs_of_other_users},
	{"memory of other users' programs", memory_of_other_users_programs},
	{"single rights", single_rights},
	{"processes", processes},
	{"devices", devices},
};

int main(int argc, char **argv)
{
	umask(0);
	if (argc == 2 && strcmp(argv[1], "report") == 0)
		return report();
	if (argc == 2 && strcmp(argv[1], "wait") == 0)
		return wait_for_end();
	int result = run_tests(tests, sizeof(tests) / sizeof(tests[0]));
	remove_place();
	return result;
}
