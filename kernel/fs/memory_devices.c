/*
 * The devices of mem(4), null(4), random(4): no hardware stands behind them.
 */
#include "include/uapi/fcntl.h"
#include "include/uapi/poll.h"
#include "kernel/errno.h"
#include "kernel/fs/devfs.h"
#include "kernel/random.h"
#include "kernel/signal/signal.h"

#define MEMORY_MAJOR 1

static int64_t read_nothing(struct file *file __unused, struct iov *iov __unused,
			    uint64_t *position __unused)
{
	return 0;
}

static int64_t swallow(struct file *file __unused, struct iov *iov, uint64_t *position __unused)
{
	int64_t count = (int64_t)iov->remaining;
	iov_skip(iov, iov->remaining);
	return count;
}

static int64_t read_zeroes(struct file *file __unused, struct iov *iov, uint64_t *position __unused)
{
	int64_t count = (int64_t)iov->remaining;
	return iov_clear(iov, iov->remaining) ? -EFAULT : count;
}

static int64_t refuse_full(struct file *file __unused, struct iov *iov, uint64_t *position __unused)
{
	return iov->remaining > 0 ? -ENOSPC : 0;
}

/* In pieces, so that a signal can end a long read. */
static int64_t read_random(struct file *file __unused, struct iov *iov, uint64_t *position __unused)
{
	int64_t done = 0;
	while (iov->remaining > 0) {
		uint8_t bytes[256];
		size_t part = MIN(iov->remaining, sizeof(bytes));
		random_bytes(bytes, part);
		if (iov_copy_to(iov, bytes, part))
			return done ? done : -EFAULT;
		done += (int64_t)part;
		if (signal_pending())
			break;
	}
	return done;
}

static int64_t stir_random(struct file *file __unused, struct iov *iov, uint64_t *position __unused)
{
	int64_t done = 0;
	while (iov->remaining > 0) {
		uint8_t bytes[256];
		size_t part = MIN(iov->remaining, sizeof(bytes));
		if (iov_copy_from(iov, bytes, part))
			return done ? done : -EFAULT;
		random_stir(bytes, part);
		done += (int64_t)part;
		if (signal_pending())
			break;
	}
	return done;
}

static int64_t seek_nowhere(struct file *file __unused, int64_t offset __unused,
			    int whence __unused)
{
	return 0;
}

#define MEMORY_DEVICE(variable, device_name, device_minor, read_method, write_method) \
	static const struct file_ops variable##_file_ops = {                          \
		.read = read_method,                                                  \
		.write = write_method,                                                \
		.seek = seek_nowhere,                                                 \
	};                                                                            \
	static int open_##variable(struct inode *inode __unused, struct file *file)   \
	{                                                                             \
		file->ops = &variable##_file_ops;                                     \
		return 0;                                                             \
	}                                                                             \
	static const struct char_device variable##_device = {                         \
		.name = device_name,                                                  \
		.major = MEMORY_MAJOR,                                                \
		.minor = device_minor,                                                \
		.mode = 0666,                                                         \
		.open = open_##variable,                                              \
	}

MEMORY_DEVICE(null, "null", 3, read_nothing, swallow);
MEMORY_DEVICE(zero, "zero", 5, read_zeroes, swallow);
MEMORY_DEVICE(full, "full", 7, read_zeroes, refuse_full);
MEMORY_DEVICE(random, "random", 8, read_random, stir_random);
MEMORY_DEVICE(urandom, "urandom", 9, read_random, stir_random);

void memory_devices_init(void)
{
	char_device_register(&null_device);
	char_device_register(&zero_device);
	char_device_register(&full_device);
	char_device_register(&random_device);
	char_device_register(&urandom_device);
}
