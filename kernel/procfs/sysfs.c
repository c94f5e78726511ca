/* /sys: see sysfs.h. The directories of a class are made up as they are looked at. */
#include "kernel/procfs/sysfs.h"

#include "kernel/errno.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/printk.h"
#include "kernel/procfs/proc_files.h"
#include "kernel/string.h"

/* Numbers of made-up inodes: above those of /proc. */
#define FIRST_NUMBER (1ull << 56)

static struct inode *root;

/* What a made-up inode stands for: an object, a group of its attributes, or one attribute. */
struct sys_node {
	const struct sys_class *class;
	const char *group;                     /* NULL: the object's own directory */
	const struct sys_attribute *attribute; /* NULL: a directory */
	char object[SYS_NAME_MAX];
};

static struct sys_node *node_of(const struct inode *inode)
{
	return inode->private;
}

static void release_node(struct inode *inode)
{
	kfree(inode->private);
}

/* The same for the same thing, and another for each other. */
static uint64_t number_of(const struct sys_node *node, const char *name)
{
	const char *const parts[] = {node->class->path, node->object, node->group, name};
	uint64_t hash = 0xcbf29ce484222325ull; /* FNV-1a */

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		for (const char *c = parts[i] ? parts[i] : "/"; *c; c++)
			hash = (hash ^ (uint8_t)*c) * 0x100000001b3ull;
	}
	return FIRST_NUMBER | hash >> 8;
}

static struct inode *make_inode(struct inode *directory, const char *name, uint32_t mode,
				uint64_t number, const struct inode_ops *ops,
				const struct sys_node *node)
{
	struct inode *inode = proc_made_up_inode(directory, name, mode, ops, node, sizeof(*node));

	if (inode)
		inode->number = number;
	return inode;
}

/* The files */

static void show_attribute(struct text *text, void *context)
{
	const struct sys_node *node = context;

	node->attribute->show(text, node->class->context, node->object, node->attribute);
}

static int open_attribute(struct inode *inode, struct file *file)
{
	return proc_open_text(file, show_attribute, NULL, node_of(inode));
}

static const struct inode_ops attribute_ops = {.open = open_attribute, .release = release_node};

/* An object's directory, and the groups in it */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Does the entry begin a group that no earlier one did? */
static bool begins_group(const struct sys_class *class, uint32_t i)
{
	const char *group = class->attributes[i].group;

	for (uint32_t j = 0; group && j < i; j++) {
		if (same_text(class->attributes[j].group, group))
			return false;
	}
	return group;
}

/* The name under which entry i stands in the directory, or NULL: it stands elsewhere. */
static const char *name_in(const struct sys_node *directory, uint32_t i, uint32_t *mode)
{
	const struct sys_attribute *attribute = &directory->class->attributes[i];

	*mode = S_IFREG | 0444;
	if (same_text(attribute->group, directory->group))
		return attribute->name;
	*mode = S_IFDIR | 0555;
	return !directory->group && begins_group(directory->class, i) ? attribute->group : NULL;
}

static const struct inode_ops object_ops;

static struct inode *lookup_entry(struct inode *directory, const char *name)
{
	struct sys_node node = *node_of(directory);

	for (uint32_t i = 0; i < node.class->count; i++) {
		uint32_t mode;
		const char *entry = name_in(&node, i, &mode);
		uint64_t number = number_of(&node, name);

		if (!entry || strcmp(entry, name) != 0)
			continue;
		if (S_ISDIR(mode))
			node.group = entry;
		else
			node.attribute = &node.class->attributes[i];
		return make_inode(directory, name, mode, number,
				  S_ISDIR(mode) ? &object_ops : &attribute_ops, &node);
	}
	return NULL;
}

static int list_entries(struct inode *directory, struct file *file, struct directory_sink *sink)
{
	const struct sys_node *node = node_of(directory);

	for (uint64_t i = file->position - DIRECTORY_MADE_UP; i < node->class->count; i++) {
		uint32_t mode;
		const char *name = name_in(node, (uint32_t)i, &mode);

		if (name &&
		    !sink->add(sink, name, number_of(node, name), mode, DIRECTORY_MADE_UP + i + 1))
			break;
		file->position = DIRECTORY_MADE_UP + i + 1;
	}
	return 0;
}

static const struct inode_ops object_ops = {
	.lookup = lookup_entry, .list = list_entries, .release = release_node};

/* The directory of a class: its inode stays for ever. */

static struct inode *lookup_object(struct inode *directory, const char *name)
{
	struct sys_node node = {.class = directory->private};

	for (uint32_t i = 0; node.class->name(node.class->context, i, node.object); i++) {
		if (strcmp(node.object, name) == 0)
			return make_inode(directory, name, S_IFDIR | 0555, number_of(&node, name),
					  &object_ops, &node);
	}
	return NULL;
}

static int list_objects(struct inode *directory, struct file *file, struct directory_sink *sink)
{
	struct sys_node node = {.class = directory->private};
	uint64_t i = file->position - DIRECTORY_MADE_UP;

	for (; node.class->name(node.class->context, (uint32_t)i, node.object); i++) {
		if (!sink->add(sink, node.object, number_of(&node, node.object), S_IFDIR | 0555,
			       DIRECTORY_MADE_UP + i + 1))
			break;
		file->position = DIRECTORY_MADE_UP + i + 1;
	}
	return 0;
}

static const struct inode_ops class_ops = {.lookup = lookup_object, .list = list_objects};

int sys_register(const char *path, proc_show *show, void *context)
{
	return proc_register_below(root, path, show, NULL, context);
}

int sys_register_class(const struct sys_class *class)
{
	struct sys_class *copy = kmalloc(sizeof(*copy));
	struct inode *directory = copy ? proc_directory_below(root, class->path) : NULL;

	if (!directory) {
		kfree(copy);
		return -ENOMEM;
	}
	*copy = *class;
	directory->ops = &class_ops;
	directory->private = copy;
	return 0;
}

/* The machine has one processor, number 0 of core 0 of package 0, and it is always there. */
static void show_zero(struct text *text, void *context __unused)
{
	text_printf(text, "0\n");
}

static const char *const processor_files[] = {
	"devices/system/cpu/online",
	"devices/system/cpu/possible",
	"devices/system/cpu/present",
	"devices/system/cpu/kernel_max",
	"devices/system/cpu/cpu0/topology/core_id",
	"devices/system/cpu/cpu0/topology/core_cpus_list",
	"devices/system/cpu/cpu0/topology/core_siblings_list",
	"devices/system/cpu/cpu0/topology/physical_package_id",
	"devices/system/cpu/cpu0/topology/thread_siblings_list",
};

void sysfs_init(void)
{
	root = fs_directory("sys");
	if (!root)
		panic("no memory for /sys");
	root->filesystem = FILESYSTEM_SYS;
	root->mode = S_IFDIR | 0555;
	for (size_t i = 0; i < ARRAY_SIZE(processor_files); i++)
		if (sys_register(processor_files[i], show_zero, NULL))
			panic("no memory for /sys");
}
