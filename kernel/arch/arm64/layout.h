/*
 * The kernel's address space: four windows of the upper half, and the image's sections.
 *
 *	0xffffff80_00000000  all of RAM, at its physical address (256 GiB)
 *	0xffffffc0_80000000  the kernel's image
 *	0xffffffe0_00000000  device registers
 *	0xffffffe8_00000000  kernel stacks, each with a hole below
 */
#ifndef KERNEL_ARCH_ARM64_LAYOUT_H
#define KERNEL_ARCH_ARM64_LAYOUT_H

#include "kernel/mm/page.h"
#include "kernel/types.h"

#define KERNEL_ADDRESS_BITS 0xffffff8000000000ull /* set in every kernel address */

#define LINEAR_WINDOW 0xffffff8000000000ull
#define LINEAR_WINDOW_SIZE 0x4000000000ull
#define KERNEL_WINDOW 0xffffffc080000000ull
#define DEVICE_WINDOW 0xffffffe000000000ull
#define DEVICE_WINDOW_SIZE 0x800000000ull
#define STACK_WINDOW 0xffffffe800000000ull

/* The linker script's. */
extern char kernel_start[], kernel_text_end[], kernel_rodata_end[];
extern char kernel_data_start[], kernel_end[];
extern char initramfs_start[], initramfs_end[];

/* Where the boot loader put kernel_start. */
extern phys_addr_t kernel_physical_start;

static inline phys_addr_t kernel_image_to_phys(const void *image_address)
{
	return kernel_physical_start + ((uint64_t)image_address - KERNEL_WINDOW);
}

static inline bool in_kernel_text(uint64_t address)
{
	return address >= (uint64_t)kernel_start && address < (uint64_t)kernel_text_end;
}

/* Asks the MMU: can the kernel read there? */
static inline bool kernel_address_mapped(uint64_t address)
{
	uint64_t result;

	__asm__ volatile("at s1e1r, %1\n\tisb\n\tmrs %0, par_el1"
			 : "=r"(result)
			 : "r"(address)
			 : "memory");
	return (result & 1) == 0;
}

#endif
