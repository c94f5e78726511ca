/*
 * The scheduler: which thread runs.
 *
 * Round robin: a runnable thread gets 10 ms (SLICE_US; more or less by its nice value: priority.h)
 * while others wait, and as long as it likes while none does; no timer runs then. The kernel is not
 * preempted: a thread leaves the processor in schedule(), which it calls when it sleeps and on its
 * way back to user mode. With nothing to run the boot thread, which has become the idle thread,
 * waits for an interrupt.
 */
#ifndef KERNEL_PROC_SCHED_H
#define KERNEL_PROC_SCHED_H

#include "kernel/proc/process.h"
#include "kernel/types.h"

#define SLICE_US (10 * USEC_PER_MSEC)

/*
 * Turns the code now running into the idle thread of process 0. Boot, once kmalloc works, before
 * anything sleeps.
 */
void sched_init(void);

/* The idle thread's life: the end of the boot. */
void sched_idle(void) __noreturn;

/*
 * Gives the processor to the next runnable thread. The running thread's state says what becomes of
 * it: READY goes to the end of the run queue, DEAD is freed once it has been left. Interrupts
 * masked or not; no monitor entered.
 */
void schedule(void);

/* True when schedule() should be called on the way to user mode. */
bool need_resched(void);

/* Makes a sleeping or stopped thread runnable. Interrupts masked. */
void sched_wake(struct thread *thread);

/* Puts a new thread into the run queue. */
void sched_start(struct thread *thread);

/*
 * The slice is over: called in hard interrupt context by kernel/clock.c at the time given to
 * clock_slice_arm.
 */
void sched_slice_expired(void);

/* Ends a thread's wait on a semaphore, if it is in one, with -ERESTARTSYS. Any context. */
void sem_interrupt(struct thread *thread);

/* The function of every thread's wake_timer. */
void sem_wait_timed_out(struct timer *timer);

/*
 * Makes `vm` the processor's address space, NULL for none. A space is not freed while it is that.
 */
void sched_use_vm(struct vm *vm);

/* Since the boot: the CPU time of processes, in arch_counter_ticks, and changes of the thread. */
struct sched_statistics {
	uint64_t user_ticks, system_ticks, switches;
};
struct sched_statistics sched_statistics(void);

/* Counts the stretch since the last call as the running thread's user or system time. */
void sched_account(bool user);

/*
 * A thread of `process`, not yet running, that will call function(argument) on a stack of its own.
 * `user` gives it room for FP registers. NULL when memory is out.
 */
struct thread *thread_create(struct process *process, const char *name, bool user,
			     void (*function)(void *), void *argument);

/* Where a thread's registers of user mode stand while it is in the kernel. */
static inline struct trapframe *thread_trapframe(const struct thread *thread)
{
	char *stack_top = (char *)thread->kernel_stack + KERNEL_STACK_SIZE;

	return (struct trapframe *)(void *)stack_top - 1;
}

/* Takes back a thread that never ran, or (scheduler) one that has been left for good. */
void thread_free(struct thread *thread);

/* What a freshly started thread does first: finishes the switch that led to it. */
void sched_thread_begins(void);

#endif
