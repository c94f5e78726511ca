/*
 * syslog(2): the kernel log for klogctl and dmesg. The same lines come from /dev/kmsg.
 */
#include "include/uapi/capability.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/printk.h"
#include "kernel/proc/proc.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

#define SYSLOG_CLOSE 0
#define SYSLOG_OPEN 1
#define SYSLOG_READ_ALL 3
#define SYSLOG_READ_CLEAR 4
#define SYSLOG_CLEAR 5
#define SYSLOG_SIZE_BUFFER 10

#define LINE_WITH_TIME_MAX (LOG_LINE_MAX + 32)
#define BUFFER_BYTES (64 * 1024) /* what a reader should bring */

static uint64_t cleared_up_to; /* the number of the first line that SYSLOG_READ_ALL gives */

/* Formats the line at *sequence, or the next that is there. Its length, 0 at the end. */
static size_t format_line(uint64_t *sequence, char *text)
{
	char line[LOG_LINE_MAX];
	uint64_t time_us;

	if (log_read(sequence, line, sizeof(line), &time_us) < 0)
		return 0;
	return (size_t)snprintf(text, LINE_WITH_TIME_MAX, "<6>[%5llu.%06llu] %s\n",
				(unsigned long long)(time_us / USEC_PER_SEC),
				(unsigned long long)(time_us % USEC_PER_SEC), line);
}

/* Where to begin so that the lines from there on fit into `size`: the newest are wanted. */
static uint64_t first_that_fits(char *text, uint64_t size)
{
	uint64_t sequence = MAX(cleared_up_to, log_first());
	uint64_t start = sequence;
	uint64_t total = 0, n;

	while ((n = format_line(&sequence, text)) > 0)
		total += n;
	sequence = start;
	while (total > size && (n = format_line(&sequence, text)) > 0)
		total -= n;
	return sequence;
}

static int64_t read_all(user_addr_t to, uint64_t size, char *text)
{
	uint64_t sequence = first_that_fits(text, size);
	uint64_t done = 0, n;

	while ((n = format_line(&sequence, text)) > 0 && done + n <= size) {
		if (copy_to_user(to + done, text, n))
			return -EFAULT;
		done += n;
	}
	return (int64_t)done;
}

SYSCALL3(syslog, int, action, user_addr_t, to, int, size)
{
	int64_t result;
	char *text;

	if ((action == SYSLOG_CLEAR || action == SYSLOG_READ_CLEAR) && !user_may(CAP_SYSLOG))
		return -EPERM;
	switch (action) {
	case SYSLOG_CLOSE:
	case SYSLOG_OPEN:
		return 0;
	case SYSLOG_SIZE_BUFFER:
		return BUFFER_BYTES;
	case SYSLOG_CLEAR:
		cleared_up_to = log_next();
		return 0;
	case SYSLOG_READ_ALL:
	case SYSLOG_READ_CLEAR:
		break;
	default:
		return -EINVAL;
	}
	if (!to || size < 0)
		return -EINVAL;
	text = kmalloc(LINE_WITH_TIME_MAX);
	if (!text)
		return -ENOMEM;
	result = read_all(to, (uint64_t)size, text);
	kfree(text);
	if (action == SYSLOG_READ_CLEAR)
		cleared_up_to = log_next();
	return result;
}

void syslog_syscalls_init(void)
{
	syscall_register(SYS_syslog, sys_syslog);
}
