/*
 * The MMU's bits, for C and assembly: page-table entries, memory types, translation control, system
 * control.
 */
#ifndef KERNEL_ARCH_ARM64_MMU_BITS_H
#define KERNEL_ARCH_ARM64_MMU_BITS_H

#ifdef __ASSEMBLER__
#define UL(x) x
#else
#define UL(x) x##ul
#endif

#define PTE_VALID (UL(1) << 0)
#define PTE_TABLE (UL(3) << 0)  /* at levels 1 and 2 */
#define PTE_PAGE (UL(3) << 0)   /* at level 3 */
#define PTE_BLOCK (UL(1) << 0)  /* at levels 1 and 2 */
#define PTE_NORMAL (UL(0) << 2) /* indices into MAIR_VALUE */
#define PTE_DEVICE (UL(1) << 2)
#define PTE_USER (UL(1) << 6) /* EL0 may */
#define PTE_READ_ONLY (UL(1) << 7)
#define PTE_SHAREABLE (UL(3) << 8)
#define PTE_ACCESSED (UL(1) << 10)
#define PTE_NOT_GLOBAL (UL(1) << 11) /* belongs to an ASID */
#define PTE_GUARDED (UL(1) << 50)    /* indirect branches must land on a BTI instruction */
#define PTE_KERNEL_NO_EXEC (UL(1) << 53)
#define PTE_USER_NO_EXEC (UL(1) << 54)
#define PTE_ADDRESS_MASK UL(0x0000fffffffff000)

#define PTE_NO_EXEC (PTE_KERNEL_NO_EXEC | PTE_USER_NO_EXEC)
#define PTE_MEMORY (PTE_ACCESSED | PTE_SHAREABLE | PTE_NORMAL)

#define PTE_BOOT_NORMAL_EXEC (PTE_BLOCK | PTE_MEMORY | PTE_USER_NO_EXEC)
#define PTE_BOOT_NORMAL (PTE_BLOCK | PTE_MEMORY | PTE_NO_EXEC)
#define PTE_BOOT_DEVICE (PTE_BLOCK | PTE_ACCESSED | PTE_DEVICE | PTE_NO_EXEC)

/* Normal write-back memory; device memory, no gathering, no reordering, early acknowledgement. */
#define MAIR_VALUE UL(0x04ff)

/*
 * 39-bit addresses in both halves (T0SZ, T1SZ = 25), 4 KiB pages, table walks through write-back
 * inner-shareable memory. boot.S adds the physical address size and the ASID size.
 */
#define TCR_VALUE (UL(25) | (UL(0x35) << 8) | (UL(25) << 16) | (UL(0x35) << 24) | (UL(2) << 30))

/*
 * MMU, caches, stack alignment; EL0 may use DC ZVA, CTR_EL0, cache maintenance, WFI and WFE. SPAN
 * (bit 23) stays set until cpu_init has found PAN.
 */
#define SCTLR_MMU (UL(1) << 0)
#define SCTLR_DATA_CACHE (UL(1) << 2)
#define SCTLR_STACK_CHECK (UL(3) << 3)
#define SCTLR_INSTRUCTION_CACHE (UL(1) << 12)
#define SCTLR_USER_ZVA (UL(1) << 14)
#define SCTLR_USER_CTR (UL(1) << 15)
#define SCTLR_USER_WAIT (UL(5) << 16)
#define SCTLR_SPAN (UL(1) << 23)
#define SCTLR_USER_CACHE (UL(1) << 26)
#define SCTLR_BTI_KERNEL (UL(1) << 36)
#define SCTLR_RESERVED_ONE UL(0x30500800)
#define SCTLR_VALUE                                                                    \
	(SCTLR_RESERVED_ONE | SCTLR_MMU | SCTLR_DATA_CACHE | SCTLR_STACK_CHECK |       \
	 SCTLR_INSTRUCTION_CACHE | SCTLR_USER_ZVA | SCTLR_USER_CTR | SCTLR_USER_WAIT | \
	 SCTLR_SPAN | SCTLR_USER_CACHE)

#endif
