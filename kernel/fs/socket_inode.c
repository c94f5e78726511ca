#include "kernel/fs/socket_inode.h"

#include "include/uapi/fcntl.h"
#include "kernel/errno.h"
#include "kernel/fs/names.h"
#include "kernel/fs/path.h"
#include "kernel/fs/permission.h"
#include "kernel/proc/process.h"

#define ALL_PERMISSIONS 0777

static int create_at(struct path *path)
{
	if (path->inode)
		return -EADDRINUSE;
	if (path->trailing_slash)
		return -ENOENT;
	return name_create(path, S_IFSOCK | (ALL_PERMISSIONS & ~current_process()->umask));
}

int socket_inode_create(const char *name, struct inode **result)
{
	struct path path;
	int error = path_walk(AT_FDCWD, name, PATH_NAME_ONLY, &path);

	if (error)
		return error;
	error = create_at(&path);
	if (!error)
		*result = inode_get(path.inode);
	path_release(&path);
	return error;
}

int socket_inode_find(const char *name, struct inode **result)
{
	struct inode *inode;
	int error = path_resolve(AT_FDCWD, name, true, &inode);

	if (error)
		return error;
	error = may_access(inode, W_OK);
	if (!error && !S_ISSOCK(inode->mode))
		error = -ECONNREFUSED;
	if (error) {
		inode_put(inode);
		return error;
	}
	*result = inode;
	return 0;
}
