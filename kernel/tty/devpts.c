/*
 * /dev/pts: a directory that is made up as it is read, with a name for each pseudo-terminal whose
 * master is open.
 *
 * A number is in use until nobody has the terminal open, or as its controlling terminal, so that
 * tty_nr of /proc/PID/stat never means two; a name only as long as the terminal can be opened.
 */
#include "kernel/errno.h"
#include "kernel/fs/devfs.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/fs.h"
#include "kernel/printk.h"
#include "kernel/procfs/procfs.h"
#include "kernel/string.h"
#include "kernel/tty/pty.h"

#define PTS_MAJOR 136     /* of the device numbers */
#define TTY_GROUP 5       /* /etc/group's "tty": those who may write to each other's terminal */
#define FIRST_INODE 3     /* the inode number of /dev/pts/0 */
#define NAME_LENGTH_MAX 3 /* digits of PTY_MAX - 1 */

static struct inode *directory;
static struct pty *ptys[PTY_MAX];

/* The pseudo-terminal with this name that can be opened, or NULL. */
static struct pty *named(const char *name)
{
	uint32_t number = 0;
	size_t length = strlen(name);
	if (length == 0 || length > NAME_LENGTH_MAX || (name[0] == '0' && length > 1))
		return NULL;
	for (; *name; name++) {
		if (*name < '0' || *name > '9')
			return NULL;
		number = number * 10 + (uint32_t)(*name - '0');
	}
	return number < PTY_MAX && ptys[number] && ptys[number]->node ? ptys[number] : NULL;
}

static struct inode *lookup(struct inode *pts __unused, const char *name)
{
	struct pty *pty = named(name);
	return pty ? inode_get(pty->node) : NULL;
}

static int list(struct inode *pts __unused, struct file *file, struct directory_sink *sink)
{
	for (uint64_t i = file->position - DIRECTORY_MADE_UP; i < PTY_MAX; i++) {
		const struct inode *node = ptys[i] ? ptys[i]->node : NULL;
		char name[NAME_LENGTH_MAX + 1];
		if (!node)
			continue;
		snprintf(name, sizeof(name), "%u", (uint32_t)i);
		if (!sink->add(sink, name, node->number, node->mode, DIRECTORY_MADE_UP + i + 1))
			return 0;
		file->position = DIRECTORY_MADE_UP + i + 1;
	}
	return 0;
}

static const struct inode_ops directory_ops = {
	.lookup = lookup,
	.list = list,
};

static int open_node(struct inode *node, struct file *file)
{
	struct pty *pty = node->private;
	return pty ? pty_open_terminal(pty, file) : -EIO;
}

static const struct inode_ops node_ops = {
	.open = open_node,
};

static struct inode *make_node(struct pty *pty)
{
	struct inode *node = inode_create(FILESYSTEM_PTS, S_IFCHR | 0620);
	char name[NAME_LENGTH_MAX + 1];
	snprintf(name, sizeof(name), "%u", pty->number);
	if (!node || directory_name_made_up(directory, name, node)) {
		inode_put(node);
		return NULL;
	}
	node->ops = &node_ops;
	node->private = pty;
	node->number = FIRST_INODE + pty->number;
	node->device = device_number(PTS_MAJOR, pty->number);
	node->links = 1;
	node->gid = TTY_GROUP;
	return node;
}

int devpts_add(struct pty *pty)
{
	pty->number = 0;
	while (pty->number < PTY_MAX && ptys[pty->number])
		pty->number++;
	if (pty->number == PTY_MAX)
		return -ENOSPC;
	pty->node = make_node(pty);
	if (!pty->node)
		return -ENOMEM;
	pty->tty.device = pty->node->device;
	ptys[pty->number] = pty;
	return 0;
}

void devpts_remove_name(struct pty *pty)
{
	struct inode *node = pty->node;
	pty->node = NULL;
	node->private = NULL;
	node->links = 0;
	directory_unname_made_up(node);
	inode_put(node);
}

void devpts_remove_number(struct pty *pty)
{
	ptys[pty->number] = NULL;
}

static void show_max(struct text *text, void *context __unused)
{
	text_printf(text, "%u\n", PTY_MAX);
}

static void show_count(struct text *text, void *context __unused)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < PTY_MAX; i++)
		count += ptys[i] != NULL;
	text_printf(text, "%u\n", count);
}

void devpts_init(void)
{
	struct inode *dev = fs_directory("dev");
	directory = dev ? inode_create(FILESYSTEM_PTS, S_IFDIR | 0755) : NULL;
	if (!directory || directory_add(dev, "pts", directory))
		panic("no memory for /dev/pts");
	directory->ops = &directory_ops;
	if (proc_register("sys/kernel/pty/max", show_max, NULL) ||
	    proc_register("sys/kernel/pty/nr", show_count, NULL))
		panic("no memory for /proc/sys/kernel/pty");
}
