/*
 * The console before its driver: bytes to the PL011 where QEMU's virt machine has it, the one
 * address in the kernel that does not come from the device tree.
 */
#ifndef KERNEL_ARCH_ARM64_EARLY_CONSOLE_H
#define KERNEL_ARCH_ARM64_EARLY_CONSOLE_H

#include "kernel/types.h"

/*
 * One log line, with its newline; in a frame when the command line says console=framed. Any
 * context.
 */
void early_console_write(const char *bytes, size_t n);

/* Once the command line can be read. */
void early_console_set_framed(bool framed);

/* Once the boot's page tables are left behind. */
void early_console_remap(void);

#endif
