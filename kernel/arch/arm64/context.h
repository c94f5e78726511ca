/*
 * What the architecture saves: the registers of user mode at an exception, and those of a thread
 * that is not running; and the few functions with which the scheduler moves between threads.
 */
#ifndef KERNEL_ARCH_ARM64_CONTEXT_H
#define KERNEL_ARCH_ARM64_CONTEXT_H

#include "kernel/types.h"

struct thread;

/* At the top of the kernel stack while a thread is in the kernel. entry.S knows the offsets. */
struct trapframe {
	uint64_t x[31];
	uint64_t sp; /* SP_EL0 for user mode */
	uint64_t pc;
	uint64_t pstate;
	uint64_t original_x0; /* the system call's first argument, for a restart */
	int64_t syscall;      /* its number; -1 when this is no system call */
};

/* Callee-saved registers, for arch_switch. switch.S knows the offsets. */
struct arch_context {
	uint64_t x19_x28[10];
	uint64_t fp, lr, sp;
	uint64_t tpidr_el0;    /* the user's thread pointer */
	struct thread *thread; /* becomes current_thread() */
};

struct arch_fp_state {
	__uint128_t v[32];
	uint32_t fpsr, fpcr;
} __attribute__((aligned(16)));

/* The frame with which the running thread entered from user mode. */
struct trapframe *current_trapframe(void);

/*
 * Kernel stacks: KERNEL_STACK_SIZE bytes with an unmapped page below. The lowest address, or NULL
 * when memory is out. A thread frees its own stack only after leaving it.
 */
#define KERNEL_STACK_SIZE 16384
void *kernel_stack_alloc(void) __must_check;
void kernel_stack_free(void *stack);

/*
 * Makes a context that, when first switched to, calls function(argument) with interrupts masked and
 * the stack pointer at `stack_top` (16-byte aligned). The function does not return.
 */
void arch_context_prepare(struct arch_context *context, struct thread *thread, void *stack_top,
			  void (*function)(void *), void *argument);

/*
 * Saves the running thread in `from` and continues `to`. Interrupts masked; returns when switched
 * back.
 */
void arch_switch(struct arch_context *from, struct arch_context *to);

/*
 * Tells the architecture that the code now running (the boot's) is `thread`: sets current_thread(),
 * and copies the stack canary in force so that the callers' frames stay valid. Once, at boot.
 */
void arch_adopt_boot_thread(struct thread *thread);

/*
 * Goes to user mode as `frame` says, after the usual user_return_work. The frame lies at the top of
 * the running thread's kernel stack, where current_trapframe() finds it.
 */
void arch_enter_user(struct trapframe *frame) __noreturn;

/* The user's FP/SIMD registers between processor and memory. */
void arch_fp_save(struct arch_fp_state *state);
void arch_fp_restore(const struct arch_fp_state *state);

/* The running thread's user thread pointer (TPIDR_EL0): exec clears it. */
void arch_set_tls(uint64_t tls);
uint64_t arch_get_tls(void);

/*
 * PSTATE of a fresh user program: EL0, everything unmasked; and the bits a signal frame may set
 * (NZCV).
 */
#define PSTATE_USER 0ull
#define PSTATE_USER_MASK 0xf0000000ull

/*
 * What proc gives the architecture: called with interrupts masked before every return to user mode.
 */
void user_return_work(struct trapframe *frame, bool in_syscall);

#endif
