/*
 * memcpy, memmove and memset with the C library's meanings. They never touch a byte outside the
 * range, and use the largest accesses there are without SIMD, at any alignment.
 */
#include "kernel/arch/arm64/assembly.h"

	.text

/*
 * void *memcpy(void *to, const void *from, size_t n): 64 bytes a round, then what is left by
 * halves.
 */
FUNCTION(memcpy)
	mov	x3, x0
copy_forward:
	subs	x2, x2, #64
	b.lo	2f
1:	ldp	x4, x5, [x1, #0]
	ldp	x6, x7, [x1, #16]
	ldp	x8, x9, [x1, #32]
	ldp	x10, x11, [x1, #48]
	add	x1, x1, #64
	stp	x4, x5, [x3, #0]
	stp	x6, x7, [x3, #16]
	stp	x8, x9, [x3, #32]
	stp	x10, x11, [x3, #48]
	add	x3, x3, #64
	subs	x2, x2, #64
	b.hs	1b
2:	tbz	x2, #5, 3f              /* the low six bits of x2 are those of the rest */
	ldp	x4, x5, [x1], #16
	ldp	x6, x7, [x1], #16
	stp	x4, x5, [x3], #16
	stp	x6, x7, [x3], #16
3:	tbz	x2, #4, 4f
	ldp	x4, x5, [x1], #16
	stp	x4, x5, [x3], #16
4:	tbz	x2, #3, 5f
	ldr	x4, [x1], #8
	str	x4, [x3], #8
5:	tbz	x2, #2, 6f
	ldr	w4, [x1], #4
	str	w4, [x3], #4
6:	tbz	x2, #1, 7f
	ldrh	w4, [x1], #2
	strh	w4, [x3], #2
7:	tbz	x2, #0, 8f
	ldrb	w4, [x1]
	strb	w4, [x3]
8:	ret
END(memcpy)

/* void *memmove(void *to, const void *from, size_t n) */
FUNCTION(memmove)
	mov	x3, x0
	sub	x4, x0, x1
	cmp	x4, x2
	b.hs	copy_forward            /* `to` is not inside [from, from + n) */
	add	x3, x0, x2
	add	x1, x1, x2
	subs	x2, x2, #16
	b.lo	2f
1:	ldp	x4, x5, [x1, #-16]!
	stp	x4, x5, [x3, #-16]!
	subs	x2, x2, #16
	b.hs	1b
2:	add	x2, x2, #16
3:	cbz	x2, 4f
	ldrb	w4, [x1, #-1]!
	strb	w4, [x3, #-1]!
	sub	x2, x2, #1
	b	3b
4:	ret
END(memmove)

/* void *memset(void *to, int byte, size_t n) */
FUNCTION(memset)
	and	x1, x1, #0xff
	mov	x4, #0x0101010101010101
	mul	x1, x1, x4
	mov	x3, x0
	subs	x2, x2, #64
	b.lo	2f
1:	stp	x1, x1, [x3, #0]
	stp	x1, x1, [x3, #16]
	stp	x1, x1, [x3, #32]
	stp	x1, x1, [x3, #48]
	add	x3, x3, #64
	subs	x2, x2, #64
	b.hs	1b
2:	tbz	x2, #5, 3f
	stp	x1, x1, [x3], #16
	stp	x1, x1, [x3], #16
3:	tbz	x2, #4, 4f
	stp	x1, x1, [x3], #16
4:	tbz	x2, #3, 5f
	str	x1, [x3], #8
5:	tbz	x2, #2, 6f
	str	w1, [x3], #4
6:	tbz	x2, #1, 7f
	strh	w1, [x3], #2
7:	tbz	x2, #0, 8f
	strb	w1, [x3]
8:	ret
END(memset)

/*
 * void page_clear(void *page): zeroes the PAGE_SIZE bytes of a page with DC ZVA, in blocks of the
 * size that the processor has (4 << DCZID_EL0.BS bytes, at most 2 KiB), unless it may not be used.
 */
FUNCTION(page_clear)
	mrs	x1, dczid_el0
	tbnz	x1, #4, 2f
	and	x1, x1, #15
	mov	x2, #4
	lsl	x2, x2, x1
	add	x3, x0, #4096
1:	dc	zva, x0
	add	x0, x0, x2
	cmp	x0, x3
	b.lo	1b
	ret
2:	mov	x1, #0
	mov	x2, #4096
	b	memset
END(page_clear)
