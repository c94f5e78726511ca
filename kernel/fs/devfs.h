/*
 * Character devices: the number in a node's st_rdev leads to the functions of its driver.
 */
#ifndef KERNEL_FS_DEVFS_H
#define KERNEL_FS_DEVFS_H

#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/types.h"

struct char_device {
	const char *name; /* of its node in /dev */
	uint32_t major, minor;
	uint32_t mode; /* permissions */
	/* Sets file->ops and file->private; 0 or a negative errno. */
	int (*open)(struct inode *inode, struct file *file);
};

/* The Linux encoding of a device number. */
static inline uint64_t device_number(uint32_t major, uint32_t minor)
{
	return (minor & 0xff) | ((uint64_t)major << 8) | ((uint64_t)(minor & ~0xffu) << 12);
}

/* Makes the node /dev/NAME. `device` is the driver's and stays. Boot. */
void char_device_register(const struct char_device *device);

/* What opening a node does: -ENXIO when no driver has the number. */
int char_device_open(struct inode *inode, struct file *file);

/* null, zero, full, random, urandom; kmsg. Boot. */
void memory_devices_init(void);
void kmsg_init(void);

#endif
