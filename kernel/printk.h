/*
 * The kernel log. Lines go to a ring (read by dmesg through /dev/kmsg and syslog(2)) and to the
 * console. Any context. A line without a trailing newline is completed by the next call.
 */
#ifndef KERNEL_PRINTK_H
#define KERNEL_PRINTK_H

#include "kernel/types.h"

void printk(const char *format, ...) __printf(1, 2);

/* Stops the machine with a message and a symbolised backtrace. On the host: abort(). */
void panic(const char *format, ...) __printf(1, 2) __noreturn;

/* A condition that only a bug in the kernel can break. Always compiled in. */
#define assert_always(condition)                                                          \
	do {                                                                              \
		if (unlikely(!(condition)))                                               \
			panic("%s:%d: %s does not hold", __FILE__, __LINE__, #condition); \
	} while (0)

/*
 * Every complete line, with its newline, goes to `write` from now on, with interrupts masked,
 * whatever the context: it must put the bytes out by itself, without waiting for an interrupt,
 * since a panic's lines come this way too. Until then lines go out on the early console.
 */
void console_register(void (*write)(const char *bytes, size_t n));

/*
 * Reads the ring: copies the oldest line whose number is at least *sequence (without newline,
 * NUL-terminated), moves *sequence past it, and returns its length, and its time since boot.
 * -EAGAIN: there is none yet. A reader keeps *sequence, starting with 0, log_first() or log_next().
 * Any context.
 */
int64_t log_read(uint64_t *sequence, char *line, size_t size, uint64_t *time_us);

/*
 * The number of the oldest line kept, and of the next that will be written. Numbers grow, but not
 * by one.
 */
uint64_t log_first(void);
uint64_t log_next(void);

/* Woken (POLLIN) at each new line. */
struct wait_list *log_wait_list(void);

#define LOG_LINE_MAX 480 /* bytes of one line; longer ones are cut */

/* Log at most one line a second from one place; for what a remote peer can provoke. */
struct log_limit {
	uint64_t next_us;
	uint32_t suppressed;
};
bool log_limit_allows(struct log_limit *limit);

#endif
