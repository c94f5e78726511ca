/*
 * Files that children leave. They lie in the working directory, or where a descriptor of a folder
 * led them; their names may be anything, since memory that holds a name may be cut or overwritten.
 */
#include "test/qemu/storm/storm.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN_MAX 1024
#define DEPTH 16 /* descriptors that a walk may take */

static const char *const folders[] = {"/", "/dev", "/dev/shm", "/etc", "/bin", "/tmp", "/root"};

static char *known[KNOWN_MAX];
static size_t known_count;

static bool is_known(const char *path)
{
	for (size_t i = 0; i < known_count; i++)
		if (strcmp(known[i], path) == 0)
			return true;
	return false;
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *where)
{
	(void)stat;
	(void)kind;
	(void)where;
	remove(path);
	return 0;
}

/* Either notes what is in the folder, or removes what was not noted. */
static void each_entry(const char *folder, bool note)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	char path[300];

	while (directory && (entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (note && known_count < KNOWN_MAX)
			known[known_count++] = strdup(path);
		else if (!note && !is_known(path))
			nftw(path, remove_one, DEPTH, FTW_DEPTH | FTW_PHYS);
	}
	if (directory)
		closedir(directory);
}

void folders_note(void)
{
	nftw(WORK_DIRECTORY, remove_one, DEPTH, FTW_DEPTH | FTW_PHYS); /* of a storm before */
	for (size_t i = 0; i < COUNT(folders); i++)
		each_entry(folders[i], true);
}

void folders_clean(void)
{
	for (size_t i = 0; i < COUNT(folders); i++)
		each_entry(folders[i], false);
}
