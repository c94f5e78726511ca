/*
 * From the members of an archive to the root file system.
 */
#include "include/uapi/fcntl.h"
#include "kernel/errno.h"
#include "kernel/fs/cpio.h"
#include "kernel/fs/devfs.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/names.h"
#include "kernel/fs/path.h"
#include "kernel/list.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/printk.h"
#include "kernel/string.h"

/*
 * A file of which the archive holds several names; further members with its number are links to it.
 */
struct linked_file {
	struct list_head link;
	uint64_t inode_number;
	struct inode *inode; /* a reference */
};

static int write_data(struct inode *inode, const uint8_t *data, uint64_t size)
{
	inode_truncate(inode, 0);
	for (uint64_t done = 0; done < size; done += PAGE_SIZE) {
		struct page *page = inode_page_for_write(inode, done >> PAGE_SHIFT);
		if (!page)
			return -ENOSPC;
		memcpy(page_address(page), data + done, MIN(size - done, PAGE_SIZE));
	}
	inode->size = size;
	return 0;
}

static int set_link_target(struct inode *inode, const struct cpio_member *member)
{
	if (member->size == 0 || member->size >= PATH_MAX)
		return -EINVAL;
	inode->link_target = kmalloc(member->size + 1);
	if (!inode->link_target)
		return -ENOSPC;
	memcpy(inode->link_target, member->data, member->size);
	inode->link_target[member->size] = '\0';
	inode->size = member->size;
	return 0;
}

static void set_attributes(struct inode *inode, const struct cpio_member *member)
{
	inode->mode = (inode->mode & S_IFMT) | (member->mode & 07777);
	inode->uid = member->uid;
	inode->gid = member->gid;
	inode->device = device_number(member->device_major, member->device_minor);
	inode->mtime_ns = member->mtime * NSEC_PER_SEC;
}

static int fill(struct inode *inode, const struct cpio_member *member)
{
	int error = 0;
	if (S_ISREG(inode->mode) && member->size > 0)
		error = write_data(inode, member->data, member->size);
	else if (S_ISLNK(inode->mode))
		error = set_link_target(inode, member);
	set_attributes(inode, member);
	return error;
}

static bool kind_is_known(uint32_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISCHR(mode) || S_ISBLK(mode) ||
	       S_ISFIFO(mode) || S_ISSOCK(mode);
}

static struct linked_file *find_linked(struct list_head *linked, const struct cpio_member *member)
{
	struct linked_file *file;
	list_for_each_entry(file, linked, link)
		if (file->inode_number == member->inode_number)
			return file;
	return NULL;
}

static int remember_linked(struct list_head *linked, const struct cpio_member *member,
			   struct inode *inode)
{
	struct linked_file *file = kmalloc(sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->inode_number = member->inode_number;
	file->inode = inode_get(inode);
	list_append(linked, &file->link);
	return 0;
}

/* Makes the member's file where the walk ended, or a further name of one that was there before. */
static int make(struct path *path, const struct cpio_member *member, struct list_head *linked)
{
	bool several = S_ISREG(member->mode) && member->links > 1;
	struct linked_file *known = several ? find_linked(linked, member) : NULL;
	if (known) {
		path->inode = inode_get(known->inode);
		int error = directory_add(path->parent, path->name, path->inode);
		/* The data may come with any of the names. */
		return error || member->size == 0 ? error : fill(path->inode, member);
	}
	int error = name_create(path, member->mode & (S_IFMT | 07777));
	if (!error)
		error = fill(path->inode, member);
	if (!error && several)
		error = remember_linked(linked, member, path->inode);
	return error;
}

static int unpack_at(struct path *path, const struct cpio_member *member, struct list_head *linked)
{
	if (path->inode && S_ISDIR(path->inode->mode)) {
		if (!S_ISDIR(member->mode))
			return -EISDIR;
		if (path->inode->filesystem == FILESYSTEM_MEMORY)
			set_attributes(path->inode, member);
		return 0;
	}
	int error = names_may_change(path->parent);
	if (error)
		return error;
	if (path->inode) {
		directory_remove(directory_find(path->parent, path->name));
		inode_put(path->inode);
		path->inode = NULL;
	}
	return make(path, member, linked);
}

static int unpack_member(const struct cpio_member *member, struct list_head *linked)
{
	if (!kind_is_known(member->mode))
		return -EINVAL;
	struct path path;
	int error = path_walk(AT_FDCWD, member->name, PATH_NAME_ONLY, &path);
	if (error)
		return error;
	error = unpack_at(&path, member, linked);
	path_release(&path);
	return error;
}

static void forget_linked(struct list_head *linked)
{
	struct linked_file *file, *next;
	list_for_each_entry_safe(file, next, linked, link) {
		inode_put(file->inode);
		kfree(file);
	}
}

int cpio_unpack(const void *archive, uint64_t size)
{
	struct list_head linked = LIST_HEAD_INIT(linked);
	struct cpio_member member;
	enum cpio_result result;
	uint64_t offset = 0;
	const char *reason;
	int first_error = 0;

	while ((result = cpio_next(archive, size, &offset, &member, &reason)) == CPIO_MEMBER) {
		int error = unpack_member(&member, &linked);
		if (error)
			printk("initramfs: %s: error %d\n", member.name, -error);
		if (!first_error)
			first_error = error;
	}
	forget_linked(&linked);
	if (result == CPIO_INVALID) {
		printk("initramfs: %s at byte %llu of %llu\n", reason, (unsigned long long)offset,
		       (unsigned long long)size);
		return -EINVAL;
	}
	return first_error;
}
