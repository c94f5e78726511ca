/*
 * The generic timer: the virtual counter is the machine's clock, the virtual timer its one alarm.
 *
 * Ticks become microseconds and back by dividing exactly, seconds and the rest apart, so that
 * nothing overflows or drifts.
 */
#include "kernel/arch/arm64/system_registers.h"
#include "kernel/devicetree.h"
#include "kernel/irq.h"
#include "kernel/machine.h"
#include "kernel/printk.h"

#define TIMER_ENABLE 1u

/* Of the node's interrupts: secure, non-secure, virtual, hypervisor. */
#define VIRTUAL_TIMER_INDEX 2

static void (*timer_expired)(void);

uint64_t arch_counter_ticks(void)
{
	return read_register(cntvct_el0);
}

static uint64_t exact_ticks(void)
{
	instruction_barrier(); /* not read ahead of what came before */
	return arch_counter_ticks();
}

static uint64_t ticks_to_units(uint64_t ticks, uint64_t units_per_second)
{
	uint64_t frequency = read_register(cntfrq_el0);

	return ticks / frequency * units_per_second +
	       ticks % frequency * units_per_second / frequency;
}

uint64_t arch_ticks_to_us(uint64_t ticks)
{
	return ticks_to_units(ticks, USEC_PER_SEC);
}

uint64_t arch_counter_us(void)
{
	return arch_ticks_to_us(exact_ticks());
}

uint64_t arch_counter_ns(void)
{
	return ticks_to_units(exact_ticks(), NSEC_PER_SEC);
}

/* Rounds up: an alarm is never early. */
static uint64_t us_to_ticks(uint64_t us)
{
	uint64_t frequency = read_register(cntfrq_el0);

	return us / USEC_PER_SEC * frequency +
	       (us % USEC_PER_SEC * frequency + USEC_PER_SEC - 1) / USEC_PER_SEC;
}

void arch_timer_set(uint64_t absolute_us)
{
	/*
	 * Further away than the counter will ever get: never. The bound keeps us_to_ticks from
	 * overflowing.
	 */
	if (absolute_us >= UINT64_MAX / 2048) {
		write_register(cntv_ctl_el0, 0);
		return;
	}
	write_register(cntv_cval_el0, us_to_ticks(absolute_us));
	write_register(cntv_ctl_el0, TIMER_ENABLE);
}

static void timer_interrupt(void *context __unused)
{
	/* The line is level-triggered: silent until the next arch_timer_set. */
	write_register(cntv_ctl_el0, 0);
	timer_expired();
}

static void timer_found(const struct dt_device *device, void *context)
{
	int *error = context;

	if (device->irq_count <= VIRTUAL_TIMER_INDEX)
		return;
	*error = irq_register(device->irq[VIRTUAL_TIMER_INDEX],
			      device->irq_trigger[VIRTUAL_TIMER_INDEX], timer_interrupt, NULL);
}

void arch_timer_init(void (*expired)(void))
{
	int error = -1;

	timer_expired = expired;
	write_register(cntv_ctl_el0, 0);
	dt_for_each("arm,armv8-timer", timer_found, &error);
	if (error)
		panic("the device tree has no usable arm,armv8-timer");
}
