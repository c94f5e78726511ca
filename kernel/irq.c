/*
 * Hardware interrupts: from the controller to the handler that a driver registered.
 */
#include "kernel/irq.h"
#include "kernel/arch/arm64/interrupt_controller.h"
#include "kernel/errno.h"
#include "kernel/machine.h"
#include "kernel/printk.h"
#include "kernel/random.h"
#include "kernel/softirq.h"

#define IRQ_MAX 1020 /* SGIs, PPIs and SPIs: what a GIC has without LPIs */
#define IRQ_FIRST_PERIPHERAL 16

static struct {
	irq_handler *handler;
	void *context;
} irq_table[IRQ_MAX];

static const struct interrupt_controller *controller;
static uint64_t interrupts; /* taken since the boot */

void irq_init(void)
{
	controller = gic_v3_init();
	if (!controller)
		controller = gic_v2_init();
	if (!controller)
		panic("the device tree has no interrupt controller that is known here");
}

uint64_t irq_count(void)
{
	return interrupts;
}

int irq_register(uint32_t irq, enum irq_trigger trigger, irq_handler *handler, void *context)
{
	if (irq < IRQ_FIRST_PERIPHERAL || irq >= IRQ_MAX)
		return -EINVAL;
	if (irq_table[irq].handler)
		return -EBUSY;
	irq_table[irq].handler = handler;
	irq_table[irq].context = context;
	controller->enable(irq, trigger);
	return 0;
}

/* Called by entry.S with interrupts masked, from user mode or from the kernel. */
void irq_dispatch(void)
{
	uint32_t irq;

	while ((irq = controller->acknowledge()) < IRQ_MAX) {
		interrupts++;
		if (irq_table[irq].handler)
			irq_table[irq].handler(irq_table[irq].context);
		else
			printk("irq %u: nobody's\n", irq);
		controller->end(irq);
		uint64_t arrival = arch_counter_ns();
		random_stir(&arrival, sizeof(arrival));
	}
	softirq_interrupt_end();
}
