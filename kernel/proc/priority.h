/*
 * Nice values and the policies without real time: how long a thread's slices are.
 *
 * The scheduler is a round robin, so threads that want the processor all the time share it in
 * proportion to their slices: 10 ms at nice 0, a fifth less for each step up, a quarter more for
 * each step down, 100 ms at most. SCHED_BATCH is SCHED_OTHER by another name; a thread of
 * SCHED_IDLE has the shortest slices of all, whatever its nice value.
 */
#ifndef KERNEL_PROC_PRIORITY_H
#define KERNEL_PROC_PRIORITY_H

#include "kernel/proc/process.h"

#define NICE_MIN (-20)
#define NICE_MAX 19
#define NICE_ZERO 20 /* the numbers of getpriority(2) and RLIMIT_NICE: this minus the nice value */

/* What a thread begins with; what it has from the one that makes it. */
void priority_init(struct thread *thread);
void priority_inherit(struct thread *thread, const struct thread *parent);

/*
 * May the caller change who has these? The user of the process, or whoever has CAP_SYS_NICE: 0,
 * else -EPERM.
 */
int priority_may_change(const struct process *process);

/* Whether the caller may give a thread this nice value by RLIMIT_NICE or CAP_SYS_NICE. */
bool priority_may_be(int nice);

/* SCHED_OTHER, SCHED_BATCH or SCHED_IDLE. */
void priority_set_policy(struct thread *thread, uint8_t policy);

void priority_syscalls_init(void);

#endif
