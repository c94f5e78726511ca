/*
 * Exception entry and return.
 *
 * In the kernel SP_EL0 holds the running thread (the compiler finds the stack canary through it)
 * and TPIDR_EL1 keeps a copy for the way in from user mode, whose own SP_EL0 is saved in the
 * trapframe. From user mode the kernel stack is empty, so that the frame lies at its top:
 * current_trapframe().
 */
#include "kernel/arch/arm64/assembly.h"

	.macro save_general
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	.endm

	.macro restore_general
	ldp	x0, x1, [sp, #0]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	.endm

	.macro save_user
	sub	sp, sp, #FRAME_SIZE
	save_general
	mrs	x21, sp_el0
	mrs	x22, elr_el1
	mrs	x23, spsr_el1
	mrs	x24, tpidr_el1
	mov	x25, #-1
	stp	x30, x21, [sp, #FRAME_X30]
	stp	x22, x23, [sp, #FRAME_PC]
	stp	x0, x25, [sp, #FRAME_ORIGINAL_X0]
	msr	sp_el0, x24
	mov	x29, xzr
	mov	x30, xzr
	.endm

	.macro save_kernel
	sub	sp, sp, #KERNEL_FRAME_SIZE
	save_general
	add	x21, sp, #KERNEL_FRAME_SIZE
	mrs	x22, elr_el1
	mrs	x23, spsr_el1
	mov	x25, #-1
	stp	x30, x21, [sp, #FRAME_X30]
	stp	x22, x23, [sp, #FRAME_PC]
	stp	x0, x25, [sp, #FRAME_ORIGINAL_X0]
	stp	x29, x22, [sp, #FRAME_SIZE]
	add	x29, sp, #FRAME_SIZE
	.endm

	/*
	 * Where to return to, and in which state. Mostly the registers hold it still, and under an
	 * emulator a write to one costs as much as fifty plain instructions.
	 */
	.macro restore_return_state
	ldp	x21, x22, [sp, #FRAME_PC]
	mrs	x23, elr_el1
	mrs	x24, spsr_el1
	cmp	x21, x23
	b.eq	8f
	msr	elr_el1, x21
8:	cmp	x22, x24
	b.eq	9f
	msr	spsr_el1, x22
9:
	.endm

	.macro vector label
	.balign 128
	b	\label
	.endm

	/* An exception that has no business here: its kind goes to C with the registers. */
	.macro unexpected kind
	save_kernel
	mov	x0, sp
	mov	x1, #\kind
	b	exception_unexpected
	.endm

	.text
	.balign 2048
	.global exception_vectors
exception_vectors:
	vector	unexpected_sp0          /* current level with SP_EL0: never used */
	vector	unexpected_sp0
	vector	unexpected_sp0
	vector	unexpected_sp0
	vector	kernel_synchronous
	vector	kernel_interrupt
	vector	unexpected_fiq
	vector	unexpected_error
	vector	user_synchronous
	vector	user_interrupt
	vector	user_fiq
	vector	user_error
	vector	unexpected_32bit
	vector	unexpected_32bit
	vector	unexpected_32bit
	vector	unexpected_32bit

unexpected_sp0:
	unexpected 0
unexpected_fiq:
	unexpected 1
unexpected_error:
	unexpected 2
unexpected_32bit:
	unexpected 3
user_fiq:
	save_user
	mov	x0, sp
	mov	x1, #1
	bl	exception_unexpected
user_error:
	save_user
	mov	x0, sp
	mov	x1, #2
	bl	exception_unexpected

/*
 * Before anything is pushed: is there stack left? Stacks lie in the upper half of their slot, so
 * bit STACK_SHIFT of a good stack pointer is set. Computed with no register but x0 and sp, both put
 * back.
 */
kernel_synchronous:
	sub	sp, sp, #KERNEL_FRAME_SIZE
	add	sp, sp, x0              /* sp' = sp + x0 */
	sub	x0, sp, x0              /* x0' = sp */
	tbz	x0, #STACK_SHIFT, stack_overflow
	sub	x0, sp, x0              /* x0 */
	sub	sp, sp, x0              /* sp */
	add	sp, sp, #KERNEL_FRAME_SIZE
	save_kernel
	mov	x0, sp
	mrs	x1, esr_el1
	mrs	x2, far_el1
	bl	exception_from_kernel
	b	return_to_kernel

stack_overflow:
	sub	x0, sp, x0
	msr	tpidrro_el0, x0         /* x0 in safety; the user's copy no longer matters */
	sub	x0, sp, x0
	add	x0, x0, #KERNEL_FRAME_SIZE
	msr	sp_el0, x0              /* the overflown stack pointer: shown by the panic */
	ldr	x0, =emergency_stack_top
	mov	sp, x0
	mrs	x0, tpidrro_el0
	save_kernel
	mrs	x0, sp_el0
	str	x0, [sp, #FRAME_SP]
	mrs	x0, tpidr_el1
	msr	sp_el0, x0
	mov	x0, sp
	b	exception_stack_overflow

kernel_interrupt:
	save_kernel
	bl	irq_dispatch

return_to_kernel:
	msr	daifset, #2
	restore_return_state
	ldr	x30, [sp, #FRAME_X30]
	restore_general
	add	sp, sp, #KERNEL_FRAME_SIZE
	eret

user_synchronous:
	save_user
	mrs	x1, esr_el1
	lsr	x2, x1, #26
	cmp	x2, #0x15               /* SVC from AArch64 */
	b.ne	1f
	mov	w8, w8
	str	x8, [sp, #FRAME_SYSCALL]
	msr	daifclr, #2
	mov	w0, w8
	mov	x1, sp                  /* x0 to x5 in the frame are a struct syscall_args */
	bl	syscall_dispatch
	str	x0, [sp]
	b	return_to_user
1:	mov	x0, sp
	mrs	x2, far_el1
	bl	exception_from_user
	b	return_to_user

user_interrupt:
	save_user
	bl	irq_dispatch

return_to_user:
	msr	daifset, #2
	mov	x0, sp
	ldr	x1, [sp, #FRAME_SYSCALL]
	cmn	x1, #1
	cset	w1, ne
	bl	user_return_work
	restore_return_state
	ldp	x30, x23, [sp, #FRAME_X30]
	msr	sp_el0, x23
	restore_general
	add	sp, sp, #FRAME_SIZE
	eret

/* void arch_enter_user(struct trapframe *frame) */
FUNCTION(arch_enter_user)
	msr	daifset, #2
	mov	sp, x0
	mov	x29, xzr
	mov	x30, xzr
	b	return_to_user
END(arch_enter_user)
	.ltorg

	.bss
	.balign 16
	.skip	8192
emergency_stack_top:
