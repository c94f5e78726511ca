/*
 * The kernel services on a host: what tests and programs use to steer them.
 *
 * The files of this folder stand in for kernel/: memory, locks, semaphores, clock, random
 * numbers, log, user memory, descriptors, system call table, /proc registration. net/ and
 * drivers/virtio/ are built over them unchanged.
 *
 * Time: by default the machine's monotonic clock. host_clock_virtual switches to a clock that
 * moves only when it is told to.
 *
 * Sleeping: a thread that waits really sleeps, until another one posts (delivers a frame, runs a
 * timer). With a virtual clock this holds for all threads but the one that moves the clock: if
 * that one would sleep, it calls the function given to host_on_sleep instead, which moves the
 * world on (delivers frames, jumps to the next timer) until the wait is over. So a program of one
 * thread and a virtual clock never sleeps at all.
 *
 * Any thread may call anything here, but what is set up once (host_on_sleep, /proc, the stack that
 * system calls act on) is set up before there are threads.
 *
 * State here is file-level on purpose: it is the one machine that the process runs on.
 */
#ifndef TEST_HOST_SERVICES_HOST_H
#define TEST_HOST_SERVICES_HOST_H

#include "kernel/types.h"

struct net;

/* Memory. Every kmalloc and page counts as one allocation. */
uint64_t host_allocations_live(void);          /* not yet freed */
uint64_t host_bytes_live(void);                /* of them, without what an allocator adds */
uint64_t host_allocations_made(void);          /* since host_fail_allocation was last called */
void host_fail_allocation(uint64_t nth);       /* the nth from now on fails once; 0: none */
void host_fail_allocations_from(uint64_t nth); /* the nth and all after it fail; 0: none */
/*
 * For speed: kmalloc from slabs, which is neither counted nor made to fail, and unknown to a
 * sanitizer. Before the first allocation.
 */
void host_use_slabs(void);

/*
 * Time. The thread that calls host_clock_virtual is the one that moves the clock: it alone may call
 * host_clock_advance_to, never backwards. Sleepers whose deadline has come then wake.
 */
void host_clock_virtual(uint64_t start_us);
void host_clock_real(void);
void host_clock_advance_to(uint64_t now_us);

/*
 * With a virtual clock: called when the thread that moves it would sleep until `deadline_us`.
 * Moves the world on and returns true, or false when nothing is left to happen (the wait then
 * times out at its deadline, or panics when it has none).
 */
void host_on_sleep(bool (*advance)(void *context, uint64_t deadline_us), void *context);

/*
 * The other threads. A thread counts as asleep until the moment in which it is woken, not until it
 * runs; so whoever has woken one can wait here until it has done its part and sleeps again.
 */
void host_wait_for_sleepers(uint32_t count); /* really sleeps until so many are asleep */
uint64_t host_next_deadline(void);           /* the earliest of theirs, or TIME_NEVER */

/*
 * One thread at a time, as the kernel has it, which gives the processor up only where it sleeps: a
 * thread that has entered is alone among those that enter until it leaves or sleeps. Those whose
 * sleep is over go on before anybody enters; so entering also waits until they have done their
 * part. Without the net lock, and not twice.
 */
void host_enter(void);
void host_leave(void);

/* Ends every sleep with -ERESTARTSYS, as a pending signal does, and those to come. */
void host_signal(bool pending);
/*
 * How often a process would have got SIGPIPE and the like: signals sent to the caller since the
 * last call.
 */
uint32_t host_signals_sent(void);

struct ucred;
/* Who the calling process is from now on; at first process 1 of user 0. */
void host_set_credentials(const struct ucred *credentials);

/* Random numbers: the same seed, the same numbers. */
void host_random_seed(uint64_t seed);

/* The log. Lines go to stderr when the environment has VITRINE_LOG; the last one is kept. */
const char *host_log_last(void);
uint64_t host_log_lines(void);

/* Called before a panic ends the process: says what is good to know. One function. */
void host_at_panic(void (*function)(void));

/* The stack that system calls act on. */
void host_set_current_net(struct net *net);

/*
 * Calls a registered system call as a process would; user addresses are plain pointers (below
 * 4096: -EFAULT).
 */
int64_t host_syscall(uint32_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
		     uint64_t a4, uint64_t a5);

/* The text of a registered /proc file into `to`, NUL-terminated; its length, or -ENOENT. */
int64_t host_proc_read(const char *path, char *to, size_t size);
/*
 * /sys: the name of the object at `index` of the class that was registered last (its kind's room
 * for a name), and the text of an attribute of one. As above.
 */
bool host_sys_object(uint32_t index, char *name);
int64_t host_sys_read(const char *object, const char *attribute, char *to, size_t size);
/* Writes one; 0 or what the file's store function answers, -ENOENT. */
int host_proc_write(const char *path, const char *text);
/* Forgets every registered file, and their contexts: between two stacks. */
void host_proc_reset(void);

/* Raises interrupt `irq` as the controller would. False when nobody registered. */
bool host_irq(uint32_t irq);

/* Runs raised softirqs; returns whether there were any. */
bool host_run_softirqs(void);

/* Takes a name of a socket (bind to a path) out of the list that stands for a file system. */
int host_unlink(const char *path);
void host_unlink_all(void);

/* Closes every descriptor left open. */
void host_close_all(void);

#endif
