#include "kernel/fs/fs.h"

#include "include/uapi/fcntl.h"
#include "kernel/errno.h"
#include "kernel/fs/devfs.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/fd_table.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/record_lock.h"
#include "kernel/fs/syscalls.h"
#include "kernel/printk.h"

static struct inode *root;

struct inode *fs_root(void)
{
	return root;
}

struct inode *fs_directory(const char *name)
{
	struct directory_entry *entry = directory_find(root, name);
	if (entry)
		return entry->inode;
	struct inode *directory = inode_create(FILESYSTEM_MEMORY, S_IFDIR | 0755);
	if (!directory || directory_add(root, name, directory))
		return NULL;
	inode_put(directory); /* the entry holds it */
	return directory;
}

void fs_init(void)
{
	root = inode_create(FILESYSTEM_MEMORY, S_IFDIR | 0755);
	if (!root)
		panic("no memory for the root directory");
	root->links = 2;
	root->parent = root;
	memory_devices_init();
	kmsg_init();
}

void fs_syscalls_init(void)
{
	open_syscalls_init();
	read_write_syscalls_init();
	transfer_syscalls_init();
	stat_syscalls_init();
	names_syscalls_init();
	rename_syscalls_init();
	attribute_syscalls_init();
	resize_syscalls_init();
	xattr_syscalls_init();
	working_directory_syscalls_init();
	sync_syscalls_init();
	memfd_syscalls_init();
	directory_syscalls_init();
	fd_syscalls_init();
	lock_syscalls_init();
	pipe_syscalls_init();
	splice_syscalls_init();
	tee_syscalls_init();
}

int console_open_std(struct file_table *table)
{
	struct file *console;
	int error = file_open("/dev/console", O_RDWR | O_NOCTTY, &console);
	if (error)
		return error;
	for (int fd = 0; fd < 3 && error >= 0; fd++)
		error = file_table_install(table, file_get(console), fd, false);
	file_put(console);
	return error < 0 ? error : 0;
}
