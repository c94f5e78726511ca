/*
 * The kernel's own half of the address space. The processes' half is page_table.h's.
 */
#ifndef KERNEL_ARCH_ARM64_MMU_H
#define KERNEL_ARCH_ARM64_MMU_H

#include "kernel/arch/arm64/mmu_bits.h"
#include "kernel/devicetree.h"
#include "kernel/mm/page.h"

/*
 * Boot: builds the kernel's page tables (RAM, the image with W^X) from pages that `alloc` gives,
 * zeroed and reachable through the boot's tables, and leaves the boot's tables behind.
 */
void mmu_init(const struct dt_range *memory, uint32_t count, phys_addr_t (*alloc)(void));

/*
 * Maps [physical, physical + size) at `virtual` with the attribute bits `attributes`, in the
 * largest blocks that fit. Everything is page-aligned and nothing was mapped there. -ENOMEM when a
 * table cannot be had.
 */
int mmu_map(uint64_t virtual, phys_addr_t physical, uint64_t size, uint64_t attributes);

/* Unmaps single pages that mmu_map mapped as such. */
void mmu_unmap_pages(uint64_t virtual, uint64_t size);

/* The page that mmu_map put at `virtual` as a single page. */
struct page *mmu_mapped_page(uint64_t virtual);

#define MMU_KERNEL_DATA (PTE_MEMORY | PTE_NO_EXEC)
#define MMU_KERNEL_RODATA (PTE_MEMORY | PTE_NO_EXEC | PTE_READ_ONLY)
#define MMU_KERNEL_TEXT (PTE_MEMORY | PTE_USER_NO_EXEC | PTE_READ_ONLY)
#define MMU_KERNEL_DEVICE (PTE_ACCESSED | PTE_DEVICE | PTE_NO_EXEC)

#endif
