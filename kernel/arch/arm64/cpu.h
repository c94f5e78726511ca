/*
 * What the architecture's own files ask about the processor.
 */
#ifndef KERNEL_ARCH_ARM64_CPU_H
#define KERNEL_ARCH_ARM64_CPU_H

#include "kernel/types.h"

/* The processor's random number instruction (FEAT_RNG). cpu_random may fail for a moment. */
bool cpu_has_random(void);
bool cpu_random(uint64_t *value);

/*
 * Branch target identification: indirect branches into guarded pages must land on a marked
 * instruction.
 */
bool cpu_has_bti(void);

/*
 * Lets the kernel's own loads and stores reach the process's memory, and not any more, where the
 * processor tells the two apart (PAN). Between them nothing may fault.
 */
void cpu_allow_user_access(void);
void cpu_forbid_user_access(void);

/* The stack on which the kernel booted, as kernel_stack_alloc's, and the hole below it. */
extern char boot_stack[], boot_stack_hole[];

#endif
