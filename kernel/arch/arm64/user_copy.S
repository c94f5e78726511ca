/*
 * Copies between the kernel and the running process. The process's side is touched with LDTR and
 * STTR, which have EL0's rights whatever the address, so that no address a process can name reaches
 * anything it could not touch itself. user.c copies what is long otherwise, once these have been
 * on a page.
 *
 * Every such instruction has an entry in the exception table: when its fault cannot be resolved,
 * execution goes on at the label `fault`, which answers -EFAULT.
 */
#include "kernel/arch/arm64/assembly.h"

#define EFAULT 14

	.macro user operation:vararg
9:	\operation
	.pushsection .exception_table, "a"
	.long	9b - ., fault - .
	.popsection
	.endm

	.text

/* int user_copy_in(void *to, user_addr_t from, size_t n) */
FUNCTION(user_copy_in)
	cmp	x2, #32
	b.lo	2f
1:	user	ldtr x3, [x1]
	user	ldtr x4, [x1, #8]
	user	ldtr x5, [x1, #16]
	user	ldtr x6, [x1, #24]
	stp	x3, x4, [x0], #16
	stp	x5, x6, [x0], #16
	add	x1, x1, #32
	sub	x2, x2, #32
	cmp	x2, #32
	b.hs	1b
2:	tbz	x2, #4, 3f
	user	ldtr x3, [x1]
	user	ldtr x4, [x1, #8]
	stp	x3, x4, [x0], #16
	add	x1, x1, #16
3:	tbz	x2, #3, 4f
	user	ldtr x3, [x1]
	str	x3, [x0], #8
	add	x1, x1, #8
4:	tbz	x2, #2, 5f
	user	ldtr w3, [x1]
	str	w3, [x0], #4
	add	x1, x1, #4
5:	tbz	x2, #1, 6f
	user	ldtrh w3, [x1]
	strh	w3, [x0], #2
	add	x1, x1, #2
6:	tbz	x2, #0, 7f
	user	ldtrb w3, [x1]
	strb	w3, [x0]
7:	mov	x0, #0
	ret
END(user_copy_in)

/* int user_copy_out(user_addr_t to, const void *from, size_t n) */
FUNCTION(user_copy_out)
	cmp	x2, #32
	b.lo	2f
1:	ldp	x3, x4, [x1], #16
	ldp	x5, x6, [x1], #16
	user	sttr x3, [x0]
	user	sttr x4, [x0, #8]
	user	sttr x5, [x0, #16]
	user	sttr x6, [x0, #24]
	add	x0, x0, #32
	sub	x2, x2, #32
	cmp	x2, #32
	b.hs	1b
2:	tbz	x2, #4, 3f
	ldp	x3, x4, [x1], #16
	user	sttr x3, [x0]
	user	sttr x4, [x0, #8]
	add	x0, x0, #16
3:	tbz	x2, #3, 4f
	ldr	x3, [x1], #8
	user	sttr x3, [x0]
	add	x0, x0, #8
4:	tbz	x2, #2, 5f
	ldr	w3, [x1], #4
	user	sttr w3, [x0]
	add	x0, x0, #4
5:	tbz	x2, #1, 6f
	ldrh	w3, [x1], #2
	user	sttrh w3, [x0]
	add	x0, x0, #2
6:	tbz	x2, #0, 7f
	ldrb	w3, [x1]
	user	sttrb w3, [x0]
7:	mov	x0, #0
	ret
END(user_copy_out)

/* int user_clear(user_addr_t to, size_t n) */
FUNCTION(user_clear)
	cmp	x1, #8
	b.lo	2f
1:	user	sttr xzr, [x0]
	add	x0, x0, #8
	sub	x1, x1, #8
	cmp	x1, #8
	b.hs	1b
2:	cbz	x1, 3f
	user	sttrb wzr, [x0]
	add	x0, x0, #1
	sub	x1, x1, #1
	b	2b
3:	mov	x0, #0
	ret
END(user_clear)

/*
 * int64_t user_copy_string(char *to, user_addr_t from, size_t n): copies until a NUL or n bytes.
 * Returns the string's length, n when there was no NUL, or -EFAULT.
 */
FUNCTION(user_copy_string)
	mov	x3, #0
1:	cmp	x3, x2
	b.hs	2f
	user	ldtrb w4, [x1]
	strb	w4, [x0, x3]
	cbz	w4, 2f
	add	x1, x1, #1
	add	x3, x3, #1
	b	1b
2:	mov	x0, x3
	ret
END(user_copy_string)

fault:
	mov	x0, #-EFAULT
	ret
