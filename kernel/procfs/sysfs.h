/*
 * /sys: text files, made up as those of /proc are (procfs.h), about what the machine has. Each is
 * registered by the code that serves it.
 */
#ifndef KERNEL_PROCFS_SYSFS_H
#define KERNEL_PROCFS_SYSFS_H

#include "kernel/procfs/procfs.h"

/* `path` is below /sys: "devices/system/cpu/online". Process context; 0 or -ENOMEM. */
int sys_register(const char *path, proc_show *show, void *context);

#define SYS_NAME_MAX 32 /* of an object, with the zero behind */

/* A file of every object of a class. */
struct sys_attribute {
	const char *name;
	/* The directory in which it stands, below the object's; NULL: there itself. */
	const char *group;
	/* Nothing when the object has gone. */
	void (*show)(struct text *text, void *context, const char *object,
		     const struct sys_attribute *attribute);
	size_t detail; /* for `show`, when it serves several */
};

/*
 * A directory with a directory for each object of a kind, which come and go: class/net. The
 * functions are called in process context.
 */
struct sys_class {
	const char *path; /* below /sys */
	const struct sys_attribute *attributes;
	uint32_t count;
	/* The name of the object at `index`, counted from 0. False: there are not so many. */
	bool (*name)(void *context, uint32_t index, char name[SYS_NAME_MAX]);
	void *context;
};
/* Copies the structure; what it points to stays. 0 or -ENOMEM. */
int sys_register_class(const struct sys_class *class);

#endif
