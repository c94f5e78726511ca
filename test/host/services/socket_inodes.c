/*
 * Names of sockets, in the place of kernel/fs/socket_inode.c. There is no file system: a path is
 * one name in one list, which host_unlink takes out.
 */
#include <stdlib.h>
#include <string.h>

#include "include/uapi/stat.h"
#include "kernel/errno.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/socket_inode.h"
#include "kernel/lock.h"
#include "test/host/services/host.h"

struct name {
	struct name *next;
	struct inode *inode;
	char path[];
};

/* Guarded by irq_save. */
static struct name *names;

/* Where the pointer to the name is, or would be. */
static struct name **find(const char *path)
{
	struct name **at = &names;

	while (*at && strcmp((*at)->path, path) != 0)
		at = &(*at)->next;
	return at;
}

static int enter(const char *path, struct inode **result)
{
	struct name **at = find(path), *name;

	if (*at)
		return -EADDRINUSE;
	name = malloc(sizeof(*name) + strlen(path) + 1);
	*result = name ? inode_create(FILESYSTEM_MEMORY, S_IFSOCK | 0777) : NULL;
	if (!*result) {
		free(name);
		return -ENOSPC;
	}
	strcpy(name->path, path);
	name->inode = *result;
	name->next = NULL;
	*at = name;
	inode_get(*result);
	return 0;
}

int socket_inode_create(const char *path, struct inode **result)
{
	irq_flags_t flags = irq_save();
	int error = enter(path, result);

	irq_restore(flags);
	return error;
}

int socket_inode_find(const char *path, struct inode **result)
{
	irq_flags_t flags = irq_save();
	struct name *name = *find(path);

	if (name)
		*result = inode_get(name->inode);
	irq_restore(flags);
	return name ? 0 : -ENOENT;
}

int host_unlink(const char *path)
{
	irq_flags_t flags = irq_save();
	struct name **at = find(path), *name = *at;

	if (name)
		*at = name->next;
	irq_restore(flags);
	if (!name)
		return -ENOENT;
	inode_put(name->inode);
	free(name);
	return 0;
}

void host_unlink_all(void)
{
	while (names)
		(void)host_unlink(names->path);
}
