/*
 * A process's table of descriptors. Descriptors are slots of an array that doubles as needed, up to
 * RLIMIT_NOFILE.
 */
#include "kernel/fs/file.h"

#include "include/uapi/fcntl.h"
#include "kernel/errno.h"
#include "kernel/fs/fd_table.h"
#include "kernel/fs/record_lock.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/process.h"
#include "kernel/string.h"

#define FIRST_SLOTS 16

struct descriptor {
	struct file *file; /* a reference; NULL: free */
	bool close_on_exec;
};

struct file_table {
	uint32_t references;
	int size;
	int first_free; /* all slots below are in use */
	struct descriptor *slots;
};

struct file_table *file_table_create(void)
{
	struct file_table *table = kzalloc(sizeof(*table));
	if (!table)
		return NULL;
	table->references = 1;
	table->size = FIRST_SLOTS;
	table->slots = kzalloc(FIRST_SLOTS * sizeof(*table->slots));
	if (!table->slots) {
		kfree(table);
		return NULL;
	}
	return table;
}

struct file_table *file_table_get(struct file_table *table)
{
	table->references++;
	return table;
}

struct file_table *file_table_copy(struct file_table *table)
{
	struct file_table *copy = kzalloc(sizeof(*copy));
	if (!copy)
		return NULL;
	copy->references = 1;
	copy->size = table->size;
	copy->first_free = table->first_free;
	copy->slots = kmalloc((size_t)table->size * sizeof(*copy->slots));
	if (!copy->slots) {
		kfree(copy);
		return NULL;
	}
	memcpy(copy->slots, table->slots, (size_t)table->size * sizeof(*copy->slots));
	for (int fd = 0; fd < copy->size; fd++)
		if (copy->slots[fd].file)
			file_get(copy->slots[fd].file);
	return copy;
}

/* Fills, or empties, a slot that is in use. What was there is closed last: that may sleep. */
static void exchange_slot(struct file_table *table, int fd, struct descriptor descriptor)
{
	struct file *file = table->slots[fd].file;
	table->slots[fd] = descriptor;
	record_locks_drop(table, file);
	if (file->ops->descriptor_closed)
		file->ops->descriptor_closed(file);
	file_put(file);
}

static void close_slot(struct file_table *table, int fd)
{
	table->first_free = MIN(table->first_free, fd);
	exchange_slot(table, fd, (struct descriptor){0});
}

void file_table_put(struct file_table *table)
{
	if (!table || --table->references > 0)
		return;
	for (int fd = 0; fd < table->size; fd++)
		if (table->slots[fd].file)
			close_slot(table, fd);
	kfree(table->slots);
	kfree(table);
}

void file_table_close_on_exec(struct file_table *table)
{
	for (int fd = 0; fd < table->size; fd++)
		if (table->slots[fd].file && table->slots[fd].close_on_exec)
			close_slot(table, fd);
}

static bool in_use(const struct file_table *table, int fd)
{
	return fd >= 0 && fd < table->size && table->slots[fd].file;
}

bool file_table_has(const struct file_table *table, const struct file *file)
{
	for (int fd = 0; fd < table->size; fd++)
		if (table->slots[fd].file == file)
			return true;
	return false;
}

struct file *file_table_file(struct file_table *table, int fd)
{
	if (!in_use(table, fd))
		return NULL;
	return file_get(table->slots[fd].file);
}

int file_table_next(struct file_table *table, int fd)
{
	for (fd = MAX(fd, 0); fd < table->size; fd++)
		if (table->slots[fd].file)
			return fd;
	return -1;
}

/* Makes room for descriptor `fd`. 0 or -ENOMEM. */
static int grow(struct file_table *table, int fd)
{
	if (fd < table->size)
		return 0;
	int size = table->size;
	while (size <= fd)
		size *= 2;
	struct descriptor *slots = kzalloc((size_t)size * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	memcpy(slots, table->slots, (size_t)table->size * sizeof(*slots));
	kfree(table->slots);
	table->slots = slots;
	table->size = size;
	return 0;
}

static int lowest_free(const struct file_table *table, int lowest)
{
	int fd = MAX(lowest, table->first_free);
	while (in_use(table, fd))
		fd++;
	return fd;
}

static int install_below(struct file_table *table, struct file *file, int lowest, int limit,
			 bool close_on_exec)
{
	int fd = lowest_free(table, lowest);
	if (fd >= limit)
		return -EMFILE;
	if (grow(table, fd))
		return -ENOMEM;
	table->slots[fd] = (struct descriptor){.file = file, .close_on_exec = close_on_exec};
	if (lowest <= table->first_free)
		table->first_free = fd + 1;
	return fd;
}

int fd_limit(void)
{
	uint64_t limit = current_process()->limits[RLIMIT_NOFILE].rlim_cur;
	return (int)MIN(limit, (uint64_t)FD_MAX);
}

bool fd_available(void)
{
	return lowest_free(current_process()->files, 0) < fd_limit();
}

int file_table_install(struct file_table *table, struct file *file, int lowest, bool close_on_exec)
{
	return install_below(table, file, lowest, FD_MAX, close_on_exec);
}

int fd_install(struct file *file, int lowest, bool close_on_exec)
{
	return install_below(current_process()->files, file, lowest, fd_limit(), close_on_exec);
}

int fd_replace(struct file *file, int fd, bool close_on_exec)
{
	struct file_table *table = current_process()->files;
	if (fd < 0 || fd >= fd_limit())
		return -EBADF;
	if (grow(table, fd))
		return -ENOMEM;
	struct descriptor descriptor = {.file = file, .close_on_exec = close_on_exec};
	if (table->slots[fd].file)
		exchange_slot(table, fd, descriptor);
	else
		table->slots[fd] = descriptor;
	return fd;
}

struct file *fd_get_path(int fd)
{
	return file_table_file(current_process()->files, fd);
}

struct file *fd_get(int fd)
{
	struct file_table *table = current_process()->files;
	if (!in_use(table, fd) || (table->slots[fd].file->flags & O_PATH))
		return NULL;
	return file_get(table->slots[fd].file);
}

int fd_close(int fd)
{
	struct file_table *table = current_process()->files;
	if (!in_use(table, fd))
		return -EBADF;
	close_slot(table, fd);
	return 0;
}

int fd_close_on_exec(int fd)
{
	struct file_table *table = current_process()->files;
	if (!in_use(table, fd))
		return -EBADF;
	return table->slots[fd].close_on_exec;
}

int fd_set_close_on_exec(int fd, bool on)
{
	struct file_table *table = current_process()->files;
	if (!in_use(table, fd))
		return -EBADF;
	table->slots[fd].close_on_exec = on;
	return 0;
}

int fd_next(int fd)
{
	return file_table_next(current_process()->files, fd);
}

int fd_unshare(void)
{
	struct process *process = current_process();
	if (process->files->references == 1)
		return 0;
	struct file_table *copy = file_table_copy(process->files);
	if (!copy)
		return -ENOMEM;
	file_table_put(process->files);
	process->files = copy;
	return 0;
}
