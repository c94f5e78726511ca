/*
 * Softirqs: see softirq.h.
 *
 * They run at the end of an interrupt or in softirq_enable, one at a time, at most ROUNDS_MAX
 * rounds. What is raised after that is left to a kernel thread, which shares the processor with the
 * processes; while it is at work nobody else runs softirqs.
 */
#include "kernel/softirq.h"

#include "kernel/lock.h"
#include "kernel/printk.h"
#include "kernel/proc/process.h"
#include "kernel/proc/sched.h"
#include "kernel/semaphore.h"

#define ROUNDS_MAX 10

static struct {
	softirq_handler *function;
	void *context;
} handlers[SOFTIRQ_COUNT];

/* Changed with interrupts masked. */
static uint32_t raised;     /* bit n: softirq n is to be run */
static uint32_t disabled;   /* depth of softirq_disable; 1 while softirqs run */
static bool left_to_thread; /* the thread is at work, or about to be */
static struct semaphore thread_work = {.waiters = LIST_HEAD_INIT(thread_work.waiters)};

void softirq_register(enum softirq which, softirq_handler *handler, void *context)
{
	handlers[which].function = handler;
	handlers[which].context = context;
}

bool in_softirq(void)
{
	return disabled > 0;
}

/*
 * Runs what is raised, once. Interrupts masked, softirqs disabled; interrupts are on while the
 * handlers run.
 */
static void run_round(void)
{
	uint32_t now = raised;

	raised = 0;
	irq_enable();
	for (uint32_t which = 0; which < SOFTIRQ_COUNT; which++)
		if (now & BIT(which) && handlers[which].function)
			handlers[which].function(handlers[which].context);
	irq_disable();
}

static void leave_to_thread(void)
{
	left_to_thread = true;
	sem_post(&thread_work);
}

/* Interrupts masked, softirqs disabled. */
static void run_raised(void)
{
	uint32_t rounds = 0;

	while (raised && !left_to_thread) {
		if (rounds++ == ROUNDS_MAX)
			leave_to_thread();
		else
			run_round();
	}
}

/* Keeps the compiler from moving memory accesses across. */
static inline void compiler_barrier(void)
{
	__asm__ volatile("" ::: "memory");
}

/*
 * On the path of every packet many times, so no interrupt mask here: an interrupt in the midst of
 * changing `disabled` leaves it as it found it.
 */
void softirq_disable(void)
{
	disabled++;
	compiler_barrier();
}

static __cold void run_left_over(void)
{
	irq_flags_t flags = irq_save();

	if (raised && !left_to_thread) {
		disabled++;
		if (irq_flags_masked(flags))
			leave_to_thread(); /* handlers need interrupts on */
		else
			run_raised();
		disabled--;
	}
	irq_restore(flags);
}

void softirq_enable(void)
{
	assert_always(disabled > 0);
	compiler_barrier();
	disabled--;
	compiler_barrier();
	/* What an interrupt raises from now on, it runs itself. */
	if (!disabled && raised)
		run_left_over();
}

void softirq_raise(enum softirq which)
{
	irq_flags_t flags = irq_save();

	raised |= BIT(which);
	irq_restore(flags);
	if (!irq_flags_masked(flags) && !disabled) {
		softirq_disable();
		softirq_enable();
	}
}

void softirq_interrupt_end(void)
{
	if (disabled || !raised)
		return;
	disabled = 1;
	run_raised();
	disabled = 0;
}

static void softirq_thread(void *argument __unused)
{
	for (;;) {
		while (sem_wait(&thread_work) != 0)
			;
		irq_disable();
		while (raised) {
			disabled++;
			run_round();
			disabled--;
			if (need_resched())
				schedule();
		}
		left_to_thread = false;
		irq_enable();
	}
}

void softirq_init(void)
{
	if (!kernel_thread("softirq", softirq_thread, NULL))
		panic("no memory for the softirq thread");
}
