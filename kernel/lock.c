/*
 * Locks on a machine with one processor: masking interrupts, and keeping softirqs out.
 */
#include "kernel/lock.h"

#include "kernel/printk.h"
#include "kernel/softirq.h"

#define DAIF_IRQ (1ull << 7)

irq_flags_t irq_save(void)
{
	irq_flags_t flags;

	__asm__ volatile("mrs %0, daif\n\tmsr daifset, #2" : "=r"(flags)::"memory");
	return flags;
}

void irq_restore(irq_flags_t flags)
{
	__asm__ volatile("msr daif, %0" ::"r"(flags) : "memory");
}

void irq_enable(void)
{
	__asm__ volatile("msr daifclr, #2" ::: "memory");
}

void irq_disable(void)
{
	__asm__ volatile("msr daifset, #2" ::: "memory");
}

bool irq_flags_masked(irq_flags_t flags)
{
	return flags & DAIF_IRQ;
}

void monitor_init(struct monitor *monitor)
{
	*monitor = (struct monitor){0};
}

void monitor_destroy(struct monitor *monitor)
{
	assert_always(!monitor->entered);
}

/*
 * With softirqs disabled nobody else can run before monitor_leave: sem_wait panics, and the kernel
 * is not preempted.
 */
void monitor_enter(struct monitor *monitor)
{
	softirq_disable();
	assert_always(!monitor->entered);
	monitor->entered = 1;
}

void monitor_leave(struct monitor *monitor)
{
	assert_always(monitor->entered);
	monitor->entered = 0;
	softirq_enable();
}
