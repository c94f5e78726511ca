/*
 * Semaphores: see semaphore.h. Everything a wait touches is guarded by irq_save, because interrupts
 * post.
 */
#include "kernel/semaphore.h"

#include "kernel/clock.h"
#include "kernel/errno.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "kernel/proc/process.h"
#include "kernel/proc/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/softirq.h"

void sem_init(struct semaphore *sem, int32_t count)
{
	sem->count = count;
	list_init(&sem->waiters);
	sem->host = NULL;
}

void sem_destroy(struct semaphore *sem)
{
	assert_always(list_empty(&sem->waiters));
}

/* Interrupts masked. */
static void end_wait(struct thread *thread, int reason)
{
	list_remove(&thread->run_link);
	thread->waiting_on = NULL;
	thread->wake_reason = reason;
	sched_wake(thread);
}

void sem_post(struct semaphore *sem)
{
	irq_flags_t flags = irq_save();

	if (list_empty(&sem->waiters))
		sem->count++;
	else
		end_wait(list_first_entry(&sem->waiters, struct thread, run_link), 0);
	irq_restore(flags);
}

bool sem_try(struct semaphore *sem)
{
	irq_flags_t flags = irq_save();
	bool taken = sem->count > 0;

	if (taken)
		sem->count--;
	irq_restore(flags);
	return taken;
}

void sem_interrupt(struct thread *thread)
{
	irq_flags_t flags = irq_save();

	if (thread->waiting_on)
		end_wait(thread, -ERESTARTSYS);
	irq_restore(flags);
}

void sem_wait_timed_out(struct timer *timer)
{
	struct thread *thread = container_of(timer, struct thread, wake_timer);
	irq_flags_t flags = irq_save();

	if (thread->waiting_on)
		end_wait(thread, -ETIMEDOUT);
	irq_restore(flags);
}

/*
 * Joins the waiters unless there is no need to wait. 1: joined; otherwise the result of the wait.
 */
static int start_wait(struct semaphore *sem, struct thread *thread, uint64_t deadline_us)
{
	if (sem->count > 0) {
		sem->count--;
		return 0;
	}
	if (signal_pending())
		return -ERESTARTSYS;
	if (deadline_us != TIME_NEVER && deadline_us <= clock_now_us())
		return -ETIMEDOUT;
	thread->waiting_on = sem;
	thread->state = THREAD_SLEEPING;
	list_append(&sem->waiters, &thread->run_link);
	return 1;
}

int sem_wait_until(struct semaphore *sem, uint64_t deadline_us)
{
	struct thread *thread = current_thread();
	irq_flags_t flags;
	int result;

	assert_always(!in_softirq());
	flags = irq_save();
	result = start_wait(sem, thread, deadline_us);
	irq_restore(flags);
	if (result <= 0)
		return result;

	/*
	 * The wait may end before the thread has left the processor: then it is READY and does not
	 * leave.
	 */
	if (deadline_us != TIME_NEVER)
		clock_timer_arm(&thread->wake_timer, deadline_us);
	flags = irq_save();
	if (thread->state == THREAD_SLEEPING)
		schedule();
	irq_restore(flags);
	if (deadline_us != TIME_NEVER)
		clock_timer_cancel(&thread->wake_timer);
	return thread->wake_reason;
}

int sem_wait(struct semaphore *sem)
{
	return sem_wait_until(sem, TIME_NEVER);
}
