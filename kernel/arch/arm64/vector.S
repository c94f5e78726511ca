/*
 * kernel/vector.h: what is worth the SIMD registers, although they have to be saved and restored.
 */
#include "kernel/arch/arm64/assembly.h"

	.arch_extension simd
	.text

/* void vector_copy(void *to, const void *from, size_t n): 128 bytes a round; n is no less. */
FUNCTION(vector_copy)
	stp	q0, q1, [sp, #-128]!
	stp	q2, q3, [sp, #32]
	stp	q4, q5, [sp, #64]
	stp	q6, q7, [sp, #96]
	add	x3, x0, x2              /* the ends */
	add	x4, x1, x2
	sub	x2, x2, #128
1:	ldp	q0, q1, [x1], #128
	ldp	q2, q3, [x1, #-96]
	ldp	q4, q5, [x1, #-64]
	ldp	q6, q7, [x1, #-32]
	subs	x2, x2, #128
	stp	q0, q1, [x0], #128
	stp	q2, q3, [x0, #-96]
	stp	q4, q5, [x0, #-64]
	stp	q6, q7, [x0, #-32]
	b.hs	1b
	adds	x2, x2, #128
	b.eq	2f                      /* no rest; else the last 128 bytes, some of them again */
	ldp	q0, q1, [x4, #-128]
	ldp	q2, q3, [x4, #-96]
	ldp	q4, q5, [x4, #-64]
	ldp	q6, q7, [x4, #-32]
	stp	q0, q1, [x3, #-128]
	stp	q2, q3, [x3, #-96]
	stp	q4, q5, [x3, #-64]
	stp	q6, q7, [x3, #-32]
2:	ldp	q2, q3, [sp, #32]
	ldp	q4, q5, [sp, #64]
	ldp	q6, q7, [sp, #96]
	ldp	q0, q1, [sp], #128
	ret
END(vector_copy)

/*
 * uint64_t vector_sum(const void *from, size_t n): 64 bytes a round. UADALP adds two neighbouring
 * words to a sum of 64 bits, which cannot overflow.
 */
FUNCTION(vector_sum)
	stp	q0, q1, [sp, #-96]!
	stp	q2, q3, [sp, #32]
	stp	q4, q5, [sp, #64]
	movi	v4.2d, #0
	movi	v5.2d, #0
	cbz	x1, 2f
1:	ldp	q0, q1, [x0], #64
	ldp	q2, q3, [x0, #-32]
	uadalp	v4.2d, v0.4s
	uadalp	v5.2d, v1.4s
	uadalp	v4.2d, v2.4s
	uadalp	v5.2d, v3.4s
	subs	x1, x1, #64
	b.ne	1b
2:	add	v4.2d, v4.2d, v5.2d
	addp	d4, v4.2d
	umov	x0, v4.d[0]
	ldp	q2, q3, [sp, #32]
	ldp	q4, q5, [sp, #64]
	ldp	q0, q1, [sp], #96
	ret
END(vector_sum)
