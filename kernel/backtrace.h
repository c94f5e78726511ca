/*
 * Who called whom, with names, for a panic.
 */
#ifndef KERNEL_BACKTRACE_H
#define KERNEL_BACKTRACE_H

#include "kernel/printk.h"
#include "kernel/types.h"

/* Where a backtrace begins: an exception's registers, or the caller's own. */
struct backtrace_start {
	uint64_t pc; /* 0: begin with the frame's return address */
	uint64_t frame_pointer;
};

/* Logs one line for each frame. Any context. NULL: from here. */
void backtrace(const struct backtrace_start *start);

/* panic with the backtrace of an exception; NULL: from here. */
void panic_at(const struct backtrace_start *start, const char *format, ...)
	__printf(2, 3) __noreturn;

/*
 * The function at `address` and how far into it; NULL when the image has no symbol table, or no
 * such function.
 */
const char *symbol_find(uint64_t address, uint64_t *offset);

#endif
