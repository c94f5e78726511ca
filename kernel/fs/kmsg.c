/*
 * /dev/kmsg: the kernel log as records, "<priority>,<number>,<microseconds>,-;<text>\n", one for
 * each read; a write adds a line.
 */
#include "include/uapi/fcntl.h"
#include "include/uapi/poll.h"
#include "kernel/errno.h"
#include "kernel/fs/devfs.h"
#include "kernel/printk.h"
#include "kernel/string.h"
#include "kernel/timer.h"

#define KMSG_PRIORITY 6 /* facility kernel, level info: lines carry none of their own */

/* file->position is the number of the next line to read: see log_read. */

/* Sleeps until there is a line, then copies it to `line`. Its length, or a negative errno. */
static int64_t next_line(struct file *file, char *line, size_t size, uint64_t *time_us)
{
	struct thread_waiter waiter;
	thread_waiter_join(&waiter, log_wait_list());
	int64_t length;
	while ((length = log_read(&file->position, line, size, time_us)) == -EAGAIN) {
		int error = file_nonblocking(file) ? -EAGAIN
						   : thread_waiter_sleep(&waiter, TIME_NEVER);
		if (error) {
			length = error;
			break;
		}
	}
	thread_waiter_leave(&waiter);
	return length;
}

static int64_t read_kmsg(struct file *file, struct iov *iov, uint64_t *position __unused)
{
	char line[LOG_LINE_MAX + 1], record[LOG_LINE_MAX + 64];
	uint64_t time_us;
	int64_t length = next_line(file, line, sizeof(line), &time_us);
	if (length < 0)
		return length;
	length = snprintf(record, sizeof(record), "%d,%llu,%llu,-;%s\n", KMSG_PRIORITY,
			  (unsigned long long)file->position, (unsigned long long)time_us, line);
	if ((uint64_t)length > iov->remaining)
		return -EINVAL; /* a record is not torn */
	return iov_copy_to(iov, record, (size_t)length) ? -EFAULT : length;
}

/* Skips the "<N>" that says a line's priority, in front of the text. */
static const char *skip_priority(const char *line)
{
	const char *at = line;
	if (*at != '<')
		return line;
	do
		at++;
	while (*at >= '0' && *at <= '9');
	return *at == '>' ? at + 1 : line;
}

static int64_t write_kmsg(struct file *file __unused, struct iov *iov, uint64_t *position __unused)
{
	char line[LOG_LINE_MAX + 1];
	size_t count = iov->remaining;
	size_t length = MIN(count, sizeof(line) - 1);
	if (iov_copy_from(iov, line, length))
		return -EFAULT;
	line[length] = '\0';
	if (length > 0 && line[length - 1] == '\n')
		line[length - 1] = '\0';
	printk("%s\n", skip_priority(line));
	return (int64_t)count; /* what was too long is cut, as the log cuts it */
}

static uint32_t poll_kmsg(struct file *file, struct poll_table *table)
{
	poll_join(table, log_wait_list());
	uint32_t readable = file->position < log_next() ? POLLIN | POLLRDNORM : 0;
	return readable | POLLOUT | POLLWRNORM;
}

/* SEEK_SET: the oldest line; SEEK_END: only what comes from now on. */
static int64_t seek_kmsg(struct file *file, int64_t offset, int whence)
{
	if (offset != 0)
		return -ESPIPE;
	if (whence == SEEK_SET)
		file->position = log_first();
	else if (whence == SEEK_END)
		file->position = log_next();
	else
		return -EINVAL;
	return 0;
}

static const struct file_ops kmsg_file_ops = {
	.read = read_kmsg,
	.write = write_kmsg,
	.poll = poll_kmsg,
	.seek = seek_kmsg,
};

static int open_kmsg(struct inode *inode __unused, struct file *file)
{
	file->ops = &kmsg_file_ops;
	file->position = log_first();
	return 0;
}

static const struct char_device kmsg_device = {
	.name = "kmsg",
	.major = 1,
	.minor = 11,
	.mode = 0644,
	.open = open_kmsg,
};

void kmsg_init(void)
{
	char_device_register(&kmsg_device);
}
