#include "kernel/fs/devfs.h"

#include "kernel/errno.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/fs.h"
#include "kernel/printk.h"

#define DEVICES_MAX 32

static const struct char_device *devices[DEVICES_MAX];
static uint32_t device_count;

int char_device_open(struct inode *inode, struct file *file)
{
	for (uint32_t i = 0; i < device_count; i++)
		if (device_number(devices[i]->major, devices[i]->minor) == inode->device)
			return devices[i]->open(inode, file);
	return -ENXIO;
}

void char_device_register(const struct char_device *device)
{
	assert_always(device_count < DEVICES_MAX);
	devices[device_count++] = device;

	struct inode *dev = fs_directory("dev");
	struct inode *node = dev ? inode_create(FILESYSTEM_MEMORY, S_IFCHR | device->mode) : NULL;
	if (!node || directory_add(dev, device->name, node))
		panic("no memory for /dev/%s", device->name);
	node->device = device_number(device->major, device->minor);
	inode_put(node);
}
