/*
 * Out of memory: one program ends, and the machine goes on.
 *
 * When memory is scarce (page_pressure), the process that holds most is killed and a line of the
 * log says which and how much. Until it is gone, others that need a page wait in oom_wait: at the
 * instruction that needs it, or, because a system call's copies must not sleep and live on the
 * kernel's reserve, at the call's end.
 */
#ifndef KERNEL_PROC_OOM_H
#define KERNEL_PROC_OOM_H

#include "kernel/proc/process.h"

#define OOM_ADJUST_MAX 1000 /* of process->oom_adjust; with its negative the process is exempt */

/*
 * Kills the process that holds most, unless one that was killed for this is still on its way out.
 * Never sleeps. Process context.
 */
void oom_relieve(void);

/*
 * The running thread, on its way to user mode, needs a page and there is none: sleeps a moment, for
 * the one that was killed to go. When there is nobody to kill, ends the process itself.
 */
void oom_wait(void);

/* /proc/PID/oom_score: 0 to 1000 (all memory), with what process->oom_adjust adds, to 2000. */
uint32_t oom_score(struct process *process);

#endif
