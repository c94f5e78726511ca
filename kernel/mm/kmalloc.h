/*
 * Kernel memory of any size. Never waits: NULL when there is none, in every context but hard
 * interrupt. Memory is aligned to 16 bytes.
 */
#ifndef KERNEL_MM_KMALLOC_H
#define KERNEL_MM_KMALLOC_H

#include "kernel/types.h"

void *kmalloc(size_t size) __must_check;
void *kzalloc(size_t size) __must_check; /* zeroed */
void kfree(void *memory);                /* NULL is harmless */

/* The bytes that really stand behind an allocation of `size`: what socket buffers are charged. */
size_t kmalloc_size(size_t size);

/* Boot, once pages can be had. */
void kmalloc_init(void);

#endif
