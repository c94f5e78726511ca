/*
 * For the .S files: functions, address constants and the layout that they share with C. offsets.c
 * checks the numbers.
 */
#ifndef KERNEL_ARCH_ARM64_ASSEMBLY_H
#define KERNEL_ARCH_ARM64_ASSEMBLY_H

/* struct trapframe */
#define FRAME_SIZE 288
#define FRAME_X30 240
#define FRAME_SP 248
#define FRAME_PC 256
#define FRAME_PSTATE 264
#define FRAME_ORIGINAL_X0 272
#define FRAME_SYSCALL 280

/*
 * In the kernel's own exceptions a frame record (fp, lr) follows, so that a backtrace passes
 * through.
 */
#define KERNEL_FRAME_SIZE (FRAME_SIZE + 16)

/* struct arch_context */
#define CONTEXT_FP 80
#define CONTEXT_SP 96
#define CONTEXT_TPIDR 104
#define CONTEXT_THREAD 112

/* struct thread */
#define THREAD_SCRATCH 0
#define THREAD_CANARY 16

/* KERNEL_STACK_SIZE = 1 << 14. Stacks lie in the upper half of slots of twice that. */
#define STACK_SHIFT 14

#define KERNEL_WINDOW 0xffffffc080000000
#define LINEAR_WINDOW 0xffffff8000000000
#define DEVICE_WINDOW 0xffffffe000000000

/* A function; `bti c` lets it be the target of an indirect call. */
#define FUNCTION(name)          \
	.global name;           \
	.type name, % function; \
	.balign 16;             \
	name:                   \
	bti c

#define END(name) .size name, .- name

#endif
