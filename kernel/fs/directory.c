#include "kernel/fs/directory.h"

#include "include/uapi/dirent.h"
#include "include/uapi/fcntl.h"
#include "kernel/errno.h"
#include "kernel/event/inotify.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

static struct directory_entry *entry_create(struct inode *directory, const char *name)
{
	size_t length = strlen(name);
	struct directory_entry *entry = kzalloc(sizeof(*entry) + length + 1);
	if (!entry)
		return NULL;
	list_init(&entry->link);
	entry->directory = directory;
	memcpy(entry->name, name, length + 1);
	return entry;
}

struct directory_entry *directory_find(struct inode *directory, const char *name)
{
	struct tree_node *node = directory->names.root;
	while (node) {
		struct directory_entry *entry = tree_entry(node, struct directory_entry, by_name);
		int order = strcmp(name, entry->name);
		if (order == 0)
			return entry;
		node = order < 0 ? node->left : node->right;
	}
	return NULL;
}

static void insert_name(struct inode *directory, struct directory_entry *entry)
{
	struct tree_node **link = &directory->names.root, *parent = NULL;
	while (*link) {
		parent = *link;
		const struct directory_entry *other = tree_entry(parent, struct directory_entry,
								 by_name);
		link = strcmp(entry->name, other->name) < 0 ? &parent->left : &parent->right;
	}
	tree_insert(&directory->names, &entry->by_name, parent, link);
}

struct inode *directory_lookup(struct inode *directory, const char *name)
{
	struct directory_entry *entry = directory_find(directory, name);
	if (entry)
		return inode_get(entry->inode);
	if (directory->ops && directory->ops->lookup)
		return directory->ops->lookup(directory, name);
	return NULL;
}

/* The entry comes to stand for `inode`: link counts, the inode's name, and a directory's "..". */
static void attach(struct directory_entry *entry, struct inode *inode)
{
	struct inode *directory = entry->directory;
	entry->inode = inode_get(inode);
	inode->entry = entry;
	inode->links++;
	if (S_ISDIR(inode->mode)) {
		inode->links++; /* its own "." */
		directory->links++;
		struct inode *old_parent = inode->parent;
		inode->parent = inode_get(directory);
		inode_put(old_parent);
	}
	inode_modified(directory);
	inode_changed(inode);
}

/* The opposite. The inode may go. */
static void detach(struct directory_entry *entry)
{
	struct inode *directory = entry->directory;
	struct inode *inode = entry->inode;
	if (inode->entry == entry)
		inode->entry = NULL;
	inode->links--;
	if (S_ISDIR(inode->mode)) {
		inode->links--;
		directory->links--;
	}
	inode_modified(directory);
	inode_changed(inode);
	inode_put(inode);
}

int directory_add(struct inode *directory, const char *name, struct inode *inode)
{
	struct directory_entry *entry = entry_create(directory, name);
	if (!entry)
		return -ENOSPC;
	entry->position = directory->next_position++;
	list_append(&directory->entries, &entry->link);
	insert_name(directory, entry);
	attach(entry, inode);
	return 0;
}

void directory_remove(struct directory_entry *entry)
{
	list_remove(&entry->link);
	tree_remove(&entry->directory->names, &entry->by_name);
	detach(entry);
	kfree(entry);
}

void directory_replace(struct directory_entry *entry, struct inode *inode)
{
	detach(entry);
	attach(entry, inode);
}

void directory_exchange(struct directory_entry *a, struct directory_entry *b)
{
	struct inode *from_a = inode_get(a->inode);
	struct inode *from_b = inode_get(b->inode);
	detach(a);
	detach(b);
	attach(a, from_b);
	attach(b, from_a);
	inode_put(from_a);
	inode_put(from_b);
}

bool directory_empty(const struct inode *directory)
{
	return list_empty(&directory->entries);
}

bool directory_is_within(struct inode *directory, struct inode *above)
{
	while (directory != above && directory->parent && directory->parent != directory)
		directory = directory->parent;
	return directory == above;
}

int directory_name_made_up(struct inode *directory, const char *name, struct inode *inode)
{
	inode->entry = entry_create(directory, name);
	if (!inode->entry)
		return -ENOMEM;
	inode->parent = inode_get(directory);
	return 0;
}

void directory_unname_made_up(struct inode *inode)
{
	kfree(inode->entry);
	inode->entry = NULL;
}

/* Feeds ".", "..", the entries, and what the directory makes up. Stops where the sink is full. */
static int list_directory(struct file *file, struct directory_sink *sink)
{
	struct inode *directory = file->inode;
	struct inode *parent = directory->parent ? directory->parent : directory;
	if (file->position == 0) {
		if (!sink->add(sink, ".", directory->number, directory->mode, 1))
			return 0;
		file->position = 1;
	}
	if (file->position == 1) {
		if (!sink->add(sink, "..", parent->number, parent->mode, DIRECTORY_FIRST_ENTRY))
			return 0;
		file->position = DIRECTORY_FIRST_ENTRY;
	}
	struct directory_entry *entry;
	list_for_each_entry(entry, &directory->entries, link) {
		if (entry->position < file->position)
			continue;
		struct inode *inode = entry->inode;
		uint64_t next = entry->position + 1;
		if (!sink->add(sink, entry->name, inode->number, inode->mode, next))
			return 0;
		file->position = next;
	}
	if (!directory->ops || !directory->ops->list)
		return 0;
	file->position = MAX(file->position, DIRECTORY_MADE_UP);
	return directory->ops->list(directory, file, sink);
}

static int64_t read_directory(struct file *file __unused, struct iov *iov __unused,
			      uint64_t *position __unused)
{
	return -EISDIR;
}

const struct file_ops directory_file_ops = {
	.read = read_directory,
	.seek = file_seek_plainly,
	.list = list_directory,
};

/* getdents64's sink: records in the process's buffer, as many as fit. */
struct dirent_sink {
	struct directory_sink sink;
	user_addr_t to;
	uint64_t room, used;
	int error;
};

static bool add_dirent(struct directory_sink *sink, const char *name, uint64_t inode_number,
		       uint32_t mode, uint64_t next)
{
	struct dirent_sink *out = container_of(sink, struct dirent_sink, sink);
	union {
		struct linux_dirent64 entry;
		char bytes[ALIGN_UP(sizeof(struct linux_dirent64) + NAME_MAX + 1, 8ul)];
	} record;
	size_t length = strlen(name) + 1;
	size_t size = ALIGN_UP(offsetof(struct linux_dirent64, d_name) + length, 8ul);
	if (size > out->room - out->used) {
		out->error = -EINVAL; /* counts only if not even one entry fits */
		return false;
	}
	memset(&record, 0, size);
	record.entry.d_ino = inode_number;
	record.entry.d_off = (int64_t)next;
	record.entry.d_reclen = (uint16_t)size;
	record.entry.d_type = (uint8_t)((mode & S_IFMT) >> 12); /* DT_* are the kind's bits */
	memcpy(record.bytes + offsetof(struct linux_dirent64, d_name), name, length);
	if (copy_to_user(out->to + out->used, &record, size)) {
		out->error = -EFAULT;
		return false;
	}
	out->used += size;
	return true;
}

static int64_t list_to_user(struct file *file, user_addr_t to, uint64_t room)
{
	if (!file->ops->list)
		return -ENOTDIR;
	struct dirent_sink out = {.sink.add = add_dirent, .to = to, .room = room};
	int error = file->ops->list(file, &out.sink);
	if (out.used > 0)
		return (int64_t)out.used;
	return error ? error : out.error;
}

SYSCALL3(getdents64, int, fd, user_addr_t, to, uint32_t, room)
{
	struct file *file = fd_get(fd);
	if (!file)
		return -EBADF;
	int64_t result = list_to_user(file, to, room);
	if (result > 0 && file->inode)
		inotify_inode_event(file->inode, IN_ACCESS);
	file_put(file);
	return result;
}

void directory_syscalls_init(void)
{
	syscall_register(SYS_getdents64, sys_getdents64);
}
