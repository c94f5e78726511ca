/*
 * The numbers of assembly.h are those of the C structures.
 */
#include "kernel/arch/arm64/assembly.h"
#include "kernel/arch/arm64/context.h"
#include "kernel/proc/process.h"

_Static_assert(sizeof(struct trapframe) == FRAME_SIZE, "trapframe");
_Static_assert(FRAME_SIZE % 16 == 0, "the stack pointer stays aligned");
_Static_assert(offsetof(struct trapframe, x[30]) == FRAME_X30, "x30");
_Static_assert(offsetof(struct trapframe, sp) == FRAME_SP, "sp");
_Static_assert(offsetof(struct trapframe, pc) == FRAME_PC, "pc");
_Static_assert(offsetof(struct trapframe, pstate) == FRAME_PSTATE, "pstate");
_Static_assert(offsetof(struct trapframe, original_x0) == FRAME_ORIGINAL_X0, "original_x0");
_Static_assert(offsetof(struct trapframe, syscall) == FRAME_SYSCALL, "syscall");

_Static_assert(offsetof(struct arch_context, fp) == CONTEXT_FP, "fp");
_Static_assert(offsetof(struct arch_context, sp) == CONTEXT_SP, "context sp");
_Static_assert(offsetof(struct arch_context, tpidr_el0) == CONTEXT_TPIDR, "tpidr_el0");
_Static_assert(offsetof(struct arch_context, thread) == CONTEXT_THREAD, "thread");
_Static_assert(offsetof(struct arch_fp_state, fpsr) == 512, "fpsr");

_Static_assert(offsetof(struct thread, stack_canary) == THREAD_CANARY, "stack_canary");
_Static_assert(KERNEL_STACK_SIZE == 1 << STACK_SHIFT, "STACK_SHIFT");
