/*
 * The end of threads and processes, and what their parents hear of it.
 */
#ifndef KERNEL_PROC_EXIT_H
#define KERNEL_PROC_EXIT_H

#include "kernel/proc/process.h"

/* Ends the running thread, and its process when it is the last. */
void thread_exit(void) __noreturn;

/* True when the running thread is to end on its way to user mode. */
bool thread_must_exit(void);

/*
 * Decides that the process ends, with `status` as wait4 gives it, and makes all its threads go. Any
 * context.
 */
void process_begin_exit(struct process *process, int status);

/*
 * Makes every other thread of the running process end, and waits for it. 0, or -EINTR when the
 * whole process ends meanwhile.
 */
int process_end_other_threads(void);

/* Takes a semaphore although signals arrive. 0, or -EINTR when the thread must end. */
int wait_despite_signals(struct semaphore *sem);

/*
 * Tells the parent (SIGCHLD, or the signal that clone named) of the child's change, one of CLD_*,
 * and wakes it in wait4.
 */
void process_notify_parent(struct process *child, int code);

/* The parent in vfork may go on: the child has run execve or ends. */
void process_release_vfork_parent(struct process *process);

/*
 * The thread gives up its address space: marks the robust mutexes it holds and clears its tid word.
 */
void thread_leave_vm(struct thread *thread);

/* Counts a dead child's CPU time as its parent's children's, and frees it. */
void process_reap(struct process *zombie);

void exit_syscalls_init(void);
void wait_syscalls_init(void);

#endif
