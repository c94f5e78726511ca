/*
 * Moving between threads.
 */
#include "kernel/arch/arm64/assembly.h"

	.text

/* void arch_switch(struct arch_context *from, struct arch_context *to) */
FUNCTION(arch_switch)
	mov	x9, sp
	mrs	x10, tpidr_el0
	stp	x19, x20, [x0, #0]
	stp	x21, x22, [x0, #16]
	stp	x23, x24, [x0, #32]
	stp	x25, x26, [x0, #48]
	stp	x27, x28, [x0, #64]
	stp	x29, x30, [x0, #CONTEXT_FP]
	stp	x9, x10, [x0, #CONTEXT_SP]
	ldp	x19, x20, [x1, #0]
	ldp	x21, x22, [x1, #16]
	ldp	x23, x24, [x1, #32]
	ldp	x25, x26, [x1, #48]
	ldp	x27, x28, [x1, #64]
	ldp	x29, x30, [x1, #CONTEXT_FP]
	ldp	x9, x10, [x1, #CONTEXT_SP]
	ldr	x11, [x1, #CONTEXT_THREAD]
	mov	sp, x9
	msr	tpidr_el0, x10
	msr	tpidr_el1, x11
	msr	sp_el0, x11
	ret
END(arch_switch)

/* Where a new thread begins: x19 is its function, x20 the argument (arch_context_prepare). */
FUNCTION(arch_thread_start)
	mov	x0, x20
	mov	x29, xzr
	mov	x30, xzr
	blr	x19
	brk	#1
END(arch_thread_start)

/* void arch_fp_save(struct arch_fp_state *state) */
	.arch_extension fp
	.arch_extension simd
FUNCTION(arch_fp_save)
	stp	q0, q1, [x0, #0]
	stp	q2, q3, [x0, #32]
	stp	q4, q5, [x0, #64]
	stp	q6, q7, [x0, #96]
	stp	q8, q9, [x0, #128]
	stp	q10, q11, [x0, #160]
	stp	q12, q13, [x0, #192]
	stp	q14, q15, [x0, #224]
	stp	q16, q17, [x0, #256]
	stp	q18, q19, [x0, #288]
	stp	q20, q21, [x0, #320]
	stp	q22, q23, [x0, #352]
	stp	q24, q25, [x0, #384]
	stp	q26, q27, [x0, #416]
	stp	q28, q29, [x0, #448]
	stp	q30, q31, [x0, #480]
	mrs	x1, fpsr
	mrs	x2, fpcr
	str	w1, [x0, #512]
	str	w2, [x0, #516]
	ret
END(arch_fp_save)

/* void arch_fp_restore(const struct arch_fp_state *state) */
FUNCTION(arch_fp_restore)
	ldp	q0, q1, [x0, #0]
	ldp	q2, q3, [x0, #32]
	ldp	q4, q5, [x0, #64]
	ldp	q6, q7, [x0, #96]
	ldp	q8, q9, [x0, #128]
	ldp	q10, q11, [x0, #160]
	ldp	q12, q13, [x0, #192]
	ldp	q14, q15, [x0, #224]
	ldp	q16, q17, [x0, #256]
	ldp	q18, q19, [x0, #288]
	ldp	q20, q21, [x0, #320]
	ldp	q22, q23, [x0, #352]
	ldp	q24, q25, [x0, #384]
	ldp	q26, q27, [x0, #416]
	ldp	q28, q29, [x0, #448]
	ldp	q30, q31, [x0, #480]
	ldr	w1, [x0, #512]
	ldr	w2, [x0, #516]
	msr	fpsr, x1
	msr	fpcr, x2
	ret
END(arch_fp_restore)
