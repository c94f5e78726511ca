/*
 * Making and unmaking processes and threads: what clone, exit and wait4 share. Process context.
 */
#ifndef KERNEL_PROC_TABLE_H
#define KERNEL_PROC_TABLE_H

#include "kernel/proc/process.h"

/* Process 0, with no threads yet. Boot. */
struct process *process_table_init(void);

/*
 * A process with a new pid and nothing in it yet, in the table, a child of `parent` (which may be
 * NULL). NULL when memory or pids are out.
 */
struct process *process_create(struct process *parent);

/* Takes it out of the table and frees it. It has no threads, children or resources any more. */
void process_free(struct process *process);

/* All that is left of it is what wait4 tells its parent. */
void process_becomes_zombie(struct process *process);

/* A number that is no pid, tid, pgid or sid; 0 when all are taken. */
int32_t pid_allocate(void);

/* Fills in a zeroed thread's fields and makes it one of the process's. */
void thread_init(struct thread *thread, struct process *process);

/* It is no longer one of its process's. */
void thread_detach(struct thread *thread);

#endif
