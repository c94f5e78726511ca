/*
 * /proc: an ordinary directory tree whose files make their text when they are opened.
 */
#include "kernel/procfs/procfs.h"

#include "include/uapi/fcntl.h"
#include "kernel/errno.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/printk.h"
#include "kernel/proc/process.h"
#include "kernel/procfs/proc_files.h"
#include "kernel/string.h"

#define WRITE_MAX 4096 /* bytes of one write */

static struct inode *root;

struct inode *proc_root(void)
{
	return root;
}

/* Open files: one moment's text. */

struct snapshot {
	proc_show *show;
	proc_store *store;
	void *context;
	struct text text;
	bool read; /* a reader that comes back to the beginning gets a new text */
};

static int take_snapshot(struct snapshot *snapshot)
{
	text_free(&snapshot->text);
	text_init(&snapshot->text);
	if (snapshot->show)
		snapshot->show(&snapshot->text, snapshot->context);
	return snapshot->text.failed ? -ENOMEM : 0;
}

static int64_t read_snapshot(struct file *file, struct iov *iov, uint64_t *position)
{
	struct snapshot *snapshot = file->private;
	if (*position == 0 && snapshot->read && take_snapshot(snapshot))
		return -ENOMEM;
	snapshot->read = true;
	if (*position >= snapshot->text.length)
		return 0;
	size_t n = MIN(iov->remaining, snapshot->text.length - *position);
	if (iov_copy_to(iov, snapshot->text.bytes + *position, n))
		return -EFAULT;
	*position += n;
	return (int64_t)n;
}

static int64_t write_store(struct file *file, struct iov *iov, uint64_t *position __unused)
{
	struct snapshot *snapshot = file->private;
	size_t length = iov->remaining;
	if (!snapshot->store || length >= WRITE_MAX)
		return -EINVAL;
	char *text = kmalloc(length + 1);
	if (!text)
		return -ENOMEM;
	int error = iov_copy_from(iov, text, length);
	if (!error) {
		text[length] = '\0';
		if (length > 0 && text[length - 1] == '\n')
			text[length - 1] = '\0';
		error = snapshot->store(text, snapshot->context);
	}
	kfree(text);
	return error ? error : (int64_t)length;
}

static void release_snapshot(struct file *file)
{
	struct snapshot *snapshot = file->private;
	text_free(&snapshot->text);
	kfree(snapshot);
}

static const struct file_ops snapshot_file_ops = {
	.read = read_snapshot,
	.write = write_store,
	.seek = file_seek_plainly,
	.release = release_snapshot,
};

int proc_open_text(struct file *file, proc_show *show, proc_store *store, void *context)
{
	bool writes = (file->flags & O_ACCMODE) != O_RDONLY;
	if (writes && !store)
		return -EACCES;
	struct snapshot *snapshot = kzalloc(sizeof(*snapshot));
	if (!snapshot)
		return -ENOMEM;
	*snapshot = (struct snapshot){.show = show, .store = store, .context = context};
	bool reads = (file->flags & O_ACCMODE) != O_WRONLY;
	if (reads && take_snapshot(snapshot)) {
		text_free(&snapshot->text);
		kfree(snapshot);
		return -ENOMEM;
	}
	file->ops = &snapshot_file_ops;
	file->private = snapshot;
	return 0;
}

/* Registered files: their inodes stay for ever. */

struct proc_file {
	proc_show *show;
	proc_store *store;
	void *context;
};

static int open_registered(struct inode *inode, struct file *file)
{
	const struct proc_file *registered = inode->private;
	bool writes = (file->flags & O_ACCMODE) != O_RDONLY;
	/* As its permissions say; it is user 0's. */
	if (writes && current_process()->euid != 0)
		return -EACCES;
	return proc_open_text(file, registered->show, registered->store, registered->context);
}

static const struct inode_ops registered_ops = {
	.open = open_registered,
};

/* Makes an entry; the directory holds it. NULL when memory is out. */
static struct inode *add(struct inode *directory, const char *name, uint32_t mode)
{
	struct inode *inode = inode_create(directory->filesystem, mode);
	if (!inode)
		return NULL;
	int error = directory_add(directory, name, inode);
	inode_put(inode);
	return error ? NULL : inode;
}

/*
 * The directory below `directory` in which `path` ends, with those on the way made; *name: the last
 * part. NULL when memory is out.
 */
static struct inode *directory_of(struct inode *directory, const char *path, const char **name)
{
	const char *slash;
	while ((slash = strchr(path, '/'))) {
		char part[NAME_MAX + 1];
		strscpy(part, path, MIN(sizeof(part), (size_t)(slash - path) + 1));
		struct directory_entry *entry = directory_find(directory, part);
		directory = entry ? entry->inode : add(directory, part, S_IFDIR | 0555);
		if (!directory)
			return NULL;
		path = slash + 1;
	}
	*name = path;
	return directory;
}

int proc_register_below(struct inode *top, const char *path, proc_show *show, proc_store *store,
			void *context)
{
	struct proc_file *registered = kmalloc(sizeof(*registered));
	if (!registered)
		return -ENOMEM;
	*registered = (struct proc_file){.show = show, .store = store, .context = context};
	const char *name;
	struct inode *directory = directory_of(top, path, &name);
	struct inode *inode = directory ? add(directory, name, S_IFREG | (store ? 0644 : 0444))
					: NULL;
	if (!inode) {
		kfree(registered);
		return -ENOMEM;
	}
	inode->ops = &registered_ops;
	inode->private = registered;
	return 0;
}

int proc_register_writable(const char *path, proc_show *show, proc_store *store, void *context)
{
	return proc_register_below(root, path, show, store, context);
}

int proc_register(const char *path, proc_show *show, void *context)
{
	return proc_register_writable(path, show, NULL, context);
}

struct inode *proc_directory_below(struct inode *top, const char *path)
{
	const char *name;
	struct inode *directory = directory_of(top, path, &name);
	return directory ? add(directory, name, S_IFDIR | 0555) : NULL;
}

int proc_register_link(const char *path, const struct inode_ops *ops)
{
	const char *name;
	struct inode *directory = directory_of(root, path, &name);
	struct inode *link = directory ? add(directory, name, S_IFLNK | 0777) : NULL;
	if (!link)
		return -ENOMEM;
	link->ops = ops;
	return 0;
}

/* Numbers that may be changed: /proc/sys. */

#define NUMBERS_MAX 8

struct proc_numbers {
	int32_t *values;
	uint32_t count;
	int32_t min, max;
};

static void show_numbers(struct text *text, void *context)
{
	const struct proc_numbers *numbers = context;
	for (uint32_t i = 0; i < numbers->count; i++)
		text_printf(text, "%s%d", i ? "\t" : "", numbers->values[i]);
	text_printf(text, "\n");
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* Reads a decimal number at *at and moves it behind. False: there is none in range. */
static bool parse_number(const char **at, int64_t min, int64_t max, int32_t *number)
{
	bool negative = **at == '-';
	if (negative)
		(*at)++;
	int64_t value = 0;
	const char *first = *at;
	for (; **at >= '0' && **at <= '9'; (*at)++) {
		value = value * 10 + (**at - '0');
		if (value > (int64_t)INT32_MAX + 1)
			return false;
	}
	if (*at == first || (**at != '\0' && !is_space(**at)))
		return false;
	if (negative)
		value = -value;
	*number = (int32_t)value;
	return value >= min && value <= max;
}

bool proc_parse_number(const char *text, int64_t min, int64_t max, int32_t *number)
{
	return parse_number(&text, min, max, number) && *text == '\0';
}

/* All of the numbers or the first few; none is changed unless all are good. */
static int store_numbers(const char *text, void *context)
{
	const struct proc_numbers *numbers = context;
	int32_t values[NUMBERS_MAX];
	uint32_t count = 0;
	for (;;) {
		while (is_space(*text))
			text++;
		if (*text == '\0')
			break;
		if (count == numbers->count ||
		    !parse_number(&text, numbers->min, numbers->max, &values[count++]))
			return -EINVAL;
	}
	if (count == 0)
		return -EINVAL;
	memcpy(numbers->values, values, count * sizeof(values[0]));
	return 0;
}

int proc_register_numbers(const char *path, int32_t *values, uint32_t count, int32_t min,
			  int32_t max)
{
	assert_always(count <= NUMBERS_MAX);
	struct proc_numbers *numbers = kmalloc(sizeof(*numbers));
	if (!numbers)
		return -ENOMEM;
	*numbers = (struct proc_numbers){.values = values, .count = count, .min = min, .max = max};
	int error = proc_register_writable(path, show_numbers, store_numbers, numbers);
	if (error)
		kfree(numbers);
	return error;
}

int proc_register_number(const char *path, int32_t *value, int32_t min, int32_t max)
{
	return proc_register_numbers(path, value, 1, min, max);
}

struct inode *proc_made_up_inode(struct inode *directory, const char *name, uint32_t mode,
				 const struct inode_ops *ops, const void *node, size_t size)
{
	struct inode *inode = inode_create(directory->filesystem, mode);
	void *copy = inode ? kmalloc(size) : NULL;
	if (!copy || directory_name_made_up(directory, name, inode)) {
		kfree(copy);
		inode_put(inode);
		return NULL;
	}
	memcpy(copy, node, size);
	inode->ops = ops;
	inode->private = copy;
	inode->links = S_ISDIR(mode) ? 2 : 1;
	inode->uid = inode->gid = 0;
	return inode;
}

void procfs_init(void)
{
	root = fs_directory("proc");
	if (!root)
		panic("no memory for /proc");
	root->filesystem = FILESYSTEM_PROC;
	root->mode = S_IFDIR | 0555;
}
