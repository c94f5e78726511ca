/*
 * The scheduler: see sched.h. The run queue is guarded by irq_save.
 */
#include "kernel/proc/sched.h"

#include "kernel/clock.h"
#include "kernel/lock.h"
#include "kernel/machine.h"
#include "kernel/mm/vm.h"
#include "kernel/printk.h"
#include "kernel/proc/load.h"
#include "kernel/proc/table.h"
#include "kernel/softirq.h"
#include "kernel/string.h"

static struct list_head run_queue = LIST_HEAD_INIT(
	run_queue); /* READY threads but the running one */
static struct thread idle_thread;
static struct thread *ended_thread; /* left for good, to be freed by the next */
static struct thread *fp_owner;     /* whose FP registers are in the processor; NULL: nobody's */
static struct vm *active_vm;
static uint32_t queued; /* threads in run_queue */
static struct sched_statistics statistics;

static bool resched;
static bool slice_armed;
static uint64_t slice_start_ticks; /* when the running thread got the processor */
static uint32_t slice_us;          /* and for how long, if others wait */

void sched_init(void)
{
	strscpy(idle_thread.name, "idle", sizeof(idle_thread.name));
	thread_init(&idle_thread, process_table_init());
	arch_adopt_boot_thread(&idle_thread);
	idle_thread.accounted_ticks = arch_counter_ticks();
}

void sched_idle(void)
{
	for (;;) {
		irq_disable();
		while (list_empty(&run_queue))
			cpu_idle();
		schedule();
	}
}

bool need_resched(void)
{
	return resched;
}

static uint64_t slice_end_us(void)
{
	return arch_ticks_to_us(slice_start_ticks) + slice_us;
}

/* Interrupts masked. */
static void arm_slice(void)
{
	slice_armed = true;
	clock_slice_arm(slice_end_us());
}

/* The threads that run, or would if there were more processors. Interrupts masked. */
static uint32_t runnable(const struct thread *running)
{
	return queued + (running != &idle_thread);
}

/* Interrupts masked. */
static void enqueue(struct thread *thread)
{
	list_append(&run_queue, &thread->run_link);
	queued++;
	load_changes(runnable(current_thread()));
	if (!slice_armed && current_thread() != &idle_thread)
		arm_slice();
}

void sched_wake(struct thread *thread)
{
	thread->state = THREAD_READY;
	/* A thread that is woken on its way into schedule() has not left the processor. */
	if (thread != current_thread())
		enqueue(thread);
}

void sched_start(struct thread *thread)
{
	irq_flags_t flags = irq_save();

	thread->state = THREAD_READY;
	enqueue(thread);
	irq_restore(flags);
}

void sched_slice_expired(void)
{
	slice_armed = false;
	if (list_empty(&run_queue) || current_thread() == &idle_thread)
		return;
	if (clock_now_us() >= slice_end_us())
		resched = true;
	else
		arm_slice();
}

void sched_account(bool user)
{
	struct thread *thread = current_thread();
	uint64_t now = arch_counter_ticks();

	uint64_t ticks = now - thread->accounted_ticks;
	bool idle = thread == &idle_thread;

	*(user ? &thread->user_ticks : &thread->system_ticks) += ticks;
	*(user ? &statistics.user_ticks : &statistics.system_ticks) += idle ? 0 : ticks;
	thread->accounted_ticks = now;
}

struct sched_statistics sched_statistics(void)
{
	return statistics;
}

void sched_use_vm(struct vm *vm)
{
	if (vm == active_vm)
		return;
	active_vm = vm;
	vm_activate(vm);
}

/*
 * FP registers stay in the processor until another user thread needs it, so that a process that
 * sleeps and is the next user thread to run pays nothing for them.
 */
static void use_fp(struct thread *thread)
{
	if (!thread->fp || thread == fp_owner)
		return;
	if (fp_owner)
		arch_fp_save(fp_owner->fp);
	arch_fp_restore(thread->fp);
	fp_owner = thread;
}

static void finish_switch(void)
{
	struct thread *ended = ended_thread;

	ended_thread = NULL;
	if (ended)
		thread_free(ended);
}

static void switch_to(struct thread *from, struct thread *to)
{
	if (from->state == THREAD_DEAD) {
		ended_thread = from;
		if (fp_owner == from)
			fp_owner = NULL;
	}
	if (to->process->vm)
		sched_use_vm(to->process->vm);
	use_fp(to);
	to->accounted_ticks = from->accounted_ticks;
	arch_switch(&from->context, &to->context);
	finish_switch();
}

void schedule(void)
{
	irq_flags_t flags = irq_save();
	struct thread *from = current_thread();
	struct thread *to = &idle_thread;

	assert_always(!in_softirq());
	assert_always(from->state != THREAD_SLEEPING || from != &idle_thread);
	sched_account(false);
	resched = false;
	if (from->state == THREAD_READY && from != &idle_thread) {
		from->involuntary_switches++;
		list_append(&run_queue, &from->run_link);
		queued++;
	} else {
		from->voluntary_switches++;
	}
	if (!list_empty(&run_queue)) {
		to = list_first_entry(&run_queue, struct thread, run_link);
		list_remove(&to->run_link);
		queued--;
	}
	load_changes(runnable(to));
	bool shorter = to->slice_us < slice_us;
	slice_start_ticks = from->accounted_ticks;
	slice_us = to->slice_us;
	if (!list_empty(&run_queue) && (!slice_armed || shorter))
		arm_slice();
	if (to != from) {
		statistics.switches++;
		switch_to(from, to);
	}
	irq_restore(flags);
}

void sched_thread_begins(void)
{
	finish_switch();
	irq_enable();
}
