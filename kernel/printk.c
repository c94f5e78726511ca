/*
 * The kernel log. Text is gathered into lines; a whole line goes into the ring, and to the console.
 *
 * The ring is bytes: records of a header and the line, 8-byte aligned, addressed by positions that
 * only grow and are taken modulo its size. A new record pushes out the oldest ones. Readers keep
 * positions, so that one which was overtaken simply goes on with the oldest that is left.
 */
#include "kernel/printk.h"
#include "kernel/arch/arm64/early_console.h"
#include "kernel/backtrace.h"
#include "kernel/devicetree.h"
#include "kernel/errno.h"
#include "kernel/lock.h"
#include "kernel/machine.h"
#include "kernel/string.h"
#include "kernel/wait.h"

#define LOG_RING_SIZE 65536
#define POLLIN 1u

struct log_record {
	uint64_t time_us;
	uint64_t length; /* of the line that follows, without newline */
};

/* All of it with interrupts masked. */
static char ring[LOG_RING_SIZE];
static struct {
	uint64_t first, next;        /* positions of the oldest record and of the next one */
	char line[LOG_LINE_MAX + 1]; /* being gathered, room for its newline */
	size_t line_length;
	struct wait_list readers;
	void (*console)(const char *bytes, size_t n);
	bool panicking;
} kernel_log = {
	.readers = {.waiters = LIST_HEAD_INIT(kernel_log.readers.waiters)},
	.console = early_console_write,
};

static void ring_write(uint64_t position, const void *from, size_t n)
{
	const char *bytes = from;

	for (size_t i = 0; i < n; i++)
		ring[(position + i) % LOG_RING_SIZE] = bytes[i];
}

static void ring_read(uint64_t position, void *to, size_t n)
{
	char *bytes = to;

	for (size_t i = 0; i < n; i++)
		bytes[i] = ring[(position + i) % LOG_RING_SIZE];
}

static uint64_t record_size(uint64_t length)
{
	return sizeof(struct log_record) + ALIGN_UP(length, 8);
}

static void ring_append(const char *line, size_t length)
{
	struct log_record record = {.time_us = arch_counter_us(), .length = length};
	struct log_record oldest;

	while (kernel_log.next + record_size(length) - kernel_log.first > LOG_RING_SIZE) {
		ring_read(kernel_log.first, &oldest, sizeof(oldest));
		kernel_log.first += record_size(oldest.length);
	}
	ring_write(kernel_log.next, &record, sizeof(record));
	ring_write(kernel_log.next + sizeof(record), line, length);
	kernel_log.next += record_size(length);
}

static void finish_line(void)
{
	size_t length = kernel_log.line_length;

	ring_append(kernel_log.line, length);
	kernel_log.line[length] = '\n';
	kernel_log.line_length = 0;
	kernel_log.console(kernel_log.line, length + 1);
	if (!kernel_log.panicking)
		wait_list_wake(&kernel_log.readers, POLLIN);
}

/* Gathers lines; what does not fit into one is cut. */
static void log_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			finish_line();
		else if (kernel_log.line_length < LOG_LINE_MAX)
			kernel_log.line[kernel_log.line_length++] = *text;
	}
}

static void log_format(const char *format, va_list args) __printf(1, 0);
static void log_format(const char *format, va_list args)
{
	char text[LOG_LINE_MAX];

	if (vsnprintf(text, sizeof(text), format, args) >= (int)sizeof(text))
		text[sizeof(text) - 2] = '\n'; /* cut off, but a line all the same */
	irq_flags_t flags = irq_save();
	log_text(text);
	irq_restore(flags);
}

void printk(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_format(format, args);
	va_end(args);
}

void console_register(void (*write)(const char *bytes, size_t n))
{
	irq_flags_t flags = irq_save();

	kernel_log.console = write;
	irq_restore(flags);
}

int64_t log_read(uint64_t *sequence, char *line, size_t size, uint64_t *time_us)
{
	struct log_record record;
	irq_flags_t flags = irq_save();

	if (*sequence < kernel_log.first)
		*sequence = kernel_log.first;
	if (*sequence >= kernel_log.next) {
		irq_restore(flags);
		return -EAGAIN;
	}
	ring_read(*sequence, &record, sizeof(record));
	size_t length = MIN(record.length, size - 1);
	ring_read(*sequence + sizeof(record), line, length);
	*sequence += record_size(record.length);
	irq_restore(flags);
	line[length] = '\0';
	*time_us = record.time_us;
	return (int64_t)length;
}

uint64_t log_first(void)
{
	irq_flags_t flags = irq_save();
	uint64_t first = kernel_log.first;

	irq_restore(flags);
	return first;
}

uint64_t log_next(void)
{
	irq_flags_t flags = irq_save();
	uint64_t next = kernel_log.next;

	irq_restore(flags);
	return next;
}

struct wait_list *log_wait_list(void)
{
	return &kernel_log.readers;
}

bool log_limit_allows(struct log_limit *limit)
{
	uint64_t now = arch_counter_us();

	if (now < limit->next_us) {
		limit->suppressed++;
		return false;
	}
	if (limit->suppressed > 0)
		printk("(%u more like the following)\n", limit->suppressed);
	limit->suppressed = 0;
	limit->next_us = now + USEC_PER_SEC;
	return true;
}

/* What a test or a tool waits for is the end; a person at the console wants to read. */
static void __noreturn stop_machine(void)
{
	char value[16];

	if (command_line_option("console", value, sizeof(value)) && strcmp(value, "framed") == 0)
		machine_power_off();
	machine_halt();
}

static void panic_with(const struct backtrace_start *start, const char *format, va_list args)
	__printf(2, 0) __noreturn;
static void panic_with(const struct backtrace_start *start, const char *format, va_list args)
{
	irq_save();
	if (kernel_log.panicking)
		machine_halt();
	kernel_log.panicking = true;
	if (kernel_log.line_length > 0)
		printk("\n");
	printk("panic: ");
	log_format(format, args);
	printk("\n");
	backtrace(start);
	stop_machine();
}

void panic_at(const struct backtrace_start *start, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	panic_with(start, format, args);
}

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	panic_with(NULL, format, args);
}
