/*
 * From the boot loader to kernel_main: at EL1 or EL2, MMU off, wherever the image was put (2 MiB
 * aligned). Builds three page tables, good for the first C code only; mmu.c makes the real ones.
 *
 * Two ways in: as an arm64 Image, with x0 the device tree's address; or as an ELF file, with x0 = 0
 * and the device tree at the start of RAM, 2 MiB below the image.
 */
#include "kernel/arch/arm64/assembly.h"
#include "kernel/arch/arm64/mmu_bits.h"

#define HCR_RW (1 << 31)              /* EL1 is AArch64 */
#define HCR_API_APK (3 << 40)         /* pointer authentication is not trapped */
#define SCTLR_MMU_OFF 0x30d00800      /* the bits that must be one, all else off */
#define SPSR_EL1H_MASKED 0x3c5
#define DEVICE_TREE_MAGIC 0xedfe0dd0  /* 0xd00dfeed, read as little-endian */

	.section .head.text, "ax"
	.global _start
_start:
	b	entry
	.long	0
	.quad	0x200000                        /* text_offset */
	.quad	kernel_image_size               /* image_size, with what is not in the file */
	.quad	0xa                             /* little-endian, 4 KiB pages, any 2 MiB boundary */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

entry:
	msr	daifset, #0xf
	mov	x20, x0
	mrs	x0, CurrentEL
	cmp	x0, #(2 << 2)
	b.ne	at_el1

	/* EL2: open everything to EL1 and go there. */
	ldr	x0, =(HCR_RW | HCR_API_APK)
	msr	hcr_el2, x0
	isb
	mrs	x0, midr_el1
	msr	vpidr_el2, x0
	mrs	x0, mpidr_el1
	msr	vmpidr_el2, x0
	mov	x0, #3                          /* counter and timer */
	msr	cnthctl_el2, x0
	msr	cntvoff_el2, xzr
	msr	vttbr_el2, xzr
	msr	hstr_el2, xzr
	msr	mdcr_el2, xzr
	mov	x0, #0x33ff                     /* FP and SIMD are not trapped */
	msr	cptr_el2, x0
	mrs	x0, id_aa64pfr0_el1
	ubfx	x0, x0, #24, #4
	cbz	x0, 1f                          /* no GICv3 system registers */
	mrs	x0, S3_4_C12_C9_5               /* ICC_SRE_EL2: SRE and Enable */
	orr	x0, x0, #1
	orr	x0, x0, #8
	msr	S3_4_C12_C9_5, x0
	isb
	msr	S3_4_C12_C11_0, xzr             /* ICH_HCR_EL2 */
1:	ldr	x0, =SCTLR_MMU_OFF
	msr	sctlr_el1, x0
	mov	x0, #SPSR_EL1H_MASKED
	msr	spsr_el2, x0
	adr	x0, at_el1
	msr	elr_el2, x0
	eret

at_el1:
	ldr	x0, =SCTLR_MMU_OFF
	msr	sctlr_el1, x0
	mov	x0, #(3 << 20)                  /* FP for EL0 and EL1: libfdt may use it */
	msr	cpacr_el1, x0
	isb

	adrp	x19, _start                     /* where the image is */
	cbz	x20, 1f
	ldr	w0, [x20]
	ldr	w1, =DEVICE_TREE_MAGIC
	cmp	w0, w1
	b.eq	2f
1:	sub	x20, x19, #0x200000
2:
	/* Clear the three tables. */
	adrp	x21, boot_table_user
	adrp	x22, boot_table_kernel
	adrp	x23, boot_table_image
	mov	x0, x21
	mov	x1, #(3 * 4096)
	bl	invalidate_cache
	mov	x0, x21
	add	x1, x21, #(3 * 4096)
3:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	3b

	/*
	 * The image where it is, so that the next instruction after switching the MMU on is there.
	 */
	ldr	x5, =PTE_BOOT_NORMAL_EXEC
	ldr	x6, =PTE_BOOT_NORMAL
	lsr	x0, x19, #30
	lsl	x1, x0, #30
	orr	x2, x1, x5
	str	x2, [x21, x0, lsl #3]

	/* The linear window over the image's and the device tree's GiB. */
	orr	x2, x1, x6
	str	x2, [x22, x0, lsl #3]
	lsr	x0, x20, #30
	lsl	x1, x0, #30
	orr	x2, x1, x6
	str	x2, [x22, x0, lsl #3]

	/* The first GiB as devices, for the early console. */
	ldr	x2, =PTE_BOOT_DEVICE
	mov	x0, #((DEVICE_WINDOW >> 30) & 511)
	str	x2, [x22, x0, lsl #3]

	/* The image's own window, in blocks of 2 MiB. */
	orr	x2, x23, #PTE_TABLE
	mov	x0, #((KERNEL_WINDOW >> 30) & 511)
	str	x2, [x22, x0, lsl #3]
	orr	x2, x19, x5
	adrp	x3, kernel_end
	mov	x4, x23
	mov	x1, x19
4:	str	x2, [x4], #8
	add	x2, x2, #0x200000
	add	x1, x1, #0x200000
	cmp	x1, x3
	b.lo	4b

	/* What was written past the caches must not be hidden by stale lines in them. */
	dsb	sy
	mov	x0, x21
	mov	x1, #(3 * 4096)
	bl	invalidate_cache

	ldr	x0, =MAIR_VALUE
	msr	mair_el1, x0
	ldr	x0, =TCR_VALUE
	mrs	x1, id_aa64mmfr0_el1
	and	x2, x1, #0xf                    /* PARange; at most 48 bits without 52-bit tables */
	mov	x3, #5
	cmp	x2, x3
	csel	x2, x2, x3, lo
	bfi	x0, x2, #32, #3
	ubfx	x2, x1, #4, #4                  /* ASIDBits: 2 = 16 bits */
	lsr	x2, x2, #1
	bfi	x0, x2, #36, #1
	msr	tcr_el1, x0
	msr	ttbr0_el1, x21
	msr	ttbr1_el1, x22
	isb
	tlbi	vmalle1
	dsb	nsh
	ic	iallu
	dsb	nsh
	isb
	ldr	x0, =SCTLR_VALUE
	msr	sctlr_el1, x0
	isb
	ldr	x0, =in_window
	br	x0

/* Invalidates the x1 bytes from x0 in the data caches. Clobbers x0 to x3. */
invalidate_cache:
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4
	mov	x3, #4
	lsl	x2, x3, x2                      /* the line's bytes */
	add	x1, x1, x0
1:	dc	ivac, x0
	add	x0, x0, x2
	cmp	x0, x1
	b.lo	1b
	dsb	sy
	ret

	.text
in_window:
	ldr	x0, =boot_stack_top
	mov	sp, x0
	ldr	x0, =boot_thread_head
	msr	sp_el0, x0
	msr	tpidr_el1, x0
	mrs	x1, cntvct_el0
	ldr	x2, =0x9e3779b97f4a7c15         /* odd: spreads the counter's few changing bits */
	mul	x1, x1, x2
	bic	x1, x1, #0xff                   /* a zero byte stops string overruns */
	str	x1, [x0, #THREAD_CANARY]

	ldr	x0, =exception_vectors
	msr	vbar_el1, x0
	ldr	x0, =kernel_bss_start
	ldr	x1, =kernel_bss_end
1:	cmp	x0, x1
	b.hs	2f
	stp	xzr, xzr, [x0], #16
	b	1b
2:	ldr	x0, =kernel_physical_start
	str	x19, [x0]
	mov	x29, xzr
	mov	x30, xzr
	mov	x0, x20
	bl	kernel_main
	brk	#1
	.ltorg

/*
 * The middle of mmu_switch_tables, entered at its physical address and so in the identity map:
 * the image's entries change their size, which must not happen under the processor's feet.
 * x0: the new TTBR1; x3: where to go on.
 */
	.section .head.text, "ax"
	.balign 16
mmu_switch_tables_identity:
	bti	j
	adrp	x2, boot_table_empty
	msr	ttbr1_el1, x2
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	msr	ttbr1_el1, x0
	isb
	br	x3

	.text
/*
 * void mmu_switch_tables(phys_addr_t kernel_table, phys_addr_t user_table): leaves the boot's
 * tables and the identity map for good.
 */
FUNCTION(mmu_switch_tables)
	ldr	x2, =mmu_switch_tables_identity
	ldr	x3, =kernel_start
	sub	x2, x2, x3
	ldr	x3, =kernel_physical_start
	ldr	x3, [x3]
	add	x2, x2, x3                      /* its physical address */
	adr	x3, 1f
	br	x2
1:	bti	j
	msr	ttbr0_el1, x1
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	ret
END(mmu_switch_tables)

	.data
	.balign 16
boot_thread_head:                               /* stands in for a struct thread */
	.quad	0, 0, 0, 0
	.balign 8
	.global kernel_physical_start
kernel_physical_start:
	.quad	0

	.section .boot_tables, "aw", %nobits
	.balign 4096
boot_table_user:
	.skip	4096
boot_table_kernel:
	.skip	4096
boot_table_image:
	.skip	4096

	.bss
	.balign 4096
	.global boot_table_empty
boot_table_empty:                               /* TTBR0 when no process's space is active */
	.skip	4096

	/*
	 * In the upper half of a slot, as kernel_stack_alloc's are: the overflow check looks at one
	 * bit.
	 */
	.section .boot_stack, "aw", %nobits
	.balign (2 << STACK_SHIFT)
	.global boot_stack_hole
boot_stack_hole:
	.skip	(1 << STACK_SHIFT)
	.global boot_stack
boot_stack:
	.skip	(1 << STACK_SHIFT)
boot_stack_top:
