/* What the machine holds, from /proc; and who lives there. */
#include "test/qemu/storm/storm.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KNOWN_MAX 256
#define PATIENCE_MS 10000
#define PACKETS_SLACK 24  /* sent, but not yet taken back by the driver, which waits for 16 */
#define MEMORY_SLACK 3072 /* KiB: slabs that are not empty, stacks that are kept for the next */

static int known[KNOWN_MAX];
static size_t known_count;

/* The number behind `name` in the file, or, without a name, its first. */
static uint64_t number_in(const char *path, const char *name)
{
	char text[8192];
	int fd = open(path, O_RDONLY);
	ssize_t length = read(fd, text, sizeof(text) - 1);

	close(fd);
	if (length < 0) {
		fprintf(stderr, "storm: cannot read %s\n", path);
		exit(2);
	}
	text[length] = '\0';
	const char *at = strstr(text, name);
	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static size_t each_process(void (*visit)(int pid))
{
	DIR *directory = opendir("/proc");
	struct dirent *entry;
	size_t count = 0;

	while (directory && (entry = readdir(directory))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		count++;
		if (visit)
			visit(atoi(entry->d_name));
	}
	if (directory)
		closedir(directory);
	return count;
}

static void know(int pid)
{
	if (known_count < KNOWN_MAX)
		known[known_count++] = pid;
}

void ledger_note_processes(void)
{
	each_process(know);
}

static size_t others;
static int last_other;

static void end_if_unknown(int pid)
{
	for (size_t i = 0; i < known_count; i++)
		if (known[i] == pid)
			return;
	others++;
	last_other = pid;
	kill(pid, SIGKILL);
}

static void sleep_ms(long ms)
{
	const struct timespec time = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

/* What /proc says of one that cannot be ended. */
static void describe(int pid)
{
	char path[32], text[2048];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	int fd = open(path, O_RDONLY);
	ssize_t length = read(fd, text, sizeof(text));
	if (length > 0)
		fwrite(text, 1, (size_t)length, stderr);
	close(fd);
}

bool ledger_end_others(void)
{
	for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
		others = 0;
		each_process(end_if_unknown);
		while (waitpid(-1, NULL, WNOHANG | __WALL) > 0) /* by CLONE_PARENT */
			;
		if (others == 0)
			return true;
		sleep_ms(10);
	}
	describe(last_other);
	return false;
}

struct ledger ledger_read(void)
{
	return (struct ledger){
		.processes = each_process(NULL),
		.files = number_in("/proc/sys/fs/file-nr", ""),
		.inodes = number_in("/proc/sys/fs/inode-nr", ""),
		.sockets = number_in("/proc/net/sockstat", "sockets: used "),
		.packets = number_in("/proc/net/sk_buffs", "live "),
		.taken_kib = number_in("/proc/meminfo", "MemTotal:") -
			     number_in("/proc/meminfo", "MemFree:"),
	};
}

static bool rose(const char *what, uint64_t before, uint64_t after, uint64_t slack, bool say)
{
	if (after <= before + slack)
		return false;
	if (say)
		fprintf(stderr, "storm: left over: %s %llu -> %llu\n", what,
			(unsigned long long)before, (unsigned long long)after);
	return true;
}

bool ledger_is_worse(const struct ledger *before, const struct ledger *after, bool say)
{
	bool worse = rose("processes", before->processes, after->processes, 0, say);

	worse |= rose("files", before->files, after->files, 0, say);
	worse |= rose("inodes", before->inodes, after->inodes, 0, say);
	worse |= rose("sockets", before->sockets, after->sockets, 0, say);
	worse |= rose("packets", before->packets, after->packets, PACKETS_SLACK, say);
	worse |= rose("KiB", before->taken_kib, after->taken_kib, MEMORY_SLACK, say);
	return worse;
}
