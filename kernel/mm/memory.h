/*
 * Bringing up memory: from the device tree's ranges to pages and kmalloc.
 */
#ifndef KERNEL_MM_MEMORY_H
#define KERNEL_MM_MEMORY_H

#include "kernel/devicetree.h"

/*
 * Boot, after devicetree_init: page tables, page allocator, kmalloc. The initramfs images stay
 * untouched.
 */
void memory_init(void);

/* Registers /proc/meminfo and /proc/sys/vm. Boot, after /proc. */
void meminfo_init(void);

/*
 * The initramfs images: the one linked into the kernel, and the boot loader's (start == end: none).
 * Physical.
 */
struct dt_range memory_embedded_initramfs(void);
struct dt_range memory_initrd(void);

#endif
