/*
 * Futexes: sleeping until another thread changes a word of memory. Process context.
 */
#ifndef KERNEL_PROC_FUTEX_H
#define KERNEL_PROC_FUTEX_H

#include "kernel/proc/process.h"
#include "kernel/types.h"

/*
 * Wakes up to `count` threads that wait on the running process's word at `address`. Returns how
 * many.
 */
int64_t futex_wake(user_addr_t address, uint32_t count);

/*
 * The thread ends: whoever waits for a robust mutex that it holds learns of it
 * (set_robust_list(2)).
 */
void futex_release_robust_list(struct thread *thread);

/* Registers futex and the robust list calls. Boot. */
void futex_syscalls_init(void);
void robust_list_syscalls_init(void);

#endif
