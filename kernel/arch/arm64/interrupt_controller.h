/*
 * The two generations of Arm's interrupt controller, behind one table.
 */
#ifndef KERNEL_ARCH_ARM64_INTERRUPT_CONTROLLER_H
#define KERNEL_ARCH_ARM64_INTERRUPT_CONTROLLER_H

#include "kernel/irq.h"
#include "kernel/types.h"

struct interrupt_controller {
	void (*enable)(uint32_t irq, enum irq_trigger trigger);
	/* The interrupt to serve now; 1020 or more: none. Interrupts masked. */
	uint32_t (*acknowledge)(void);
	void (*end)(uint32_t irq);
};

/* Find and set up the controller; NULL when the device tree has none of this generation. */
const struct interrupt_controller *gic_v2_init(void);
const struct interrupt_controller *gic_v3_init(void);

/*
 * The distributor's registers, the same in both: set-enable and clear-enable bits, a priority byte
 * and two trigger bits for each interrupt.
 */
#define GICD_CTLR 0x000
#define GICD_TYPER 0x004
#define GICD_IGROUPR 0x080
#define GICD_ISENABLER 0x100
#define GICD_ICENABLER 0x180
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR 0x800
#define GICD_ICFGR 0xc00

#define GIC_PRIORITY 0xa0   /* the same for all: nothing preempts anything */
#define GIC_FIRST_SHARED 32 /* below: the processor's own */

static inline uint32_t gic_read(volatile uint8_t *base, uint32_t offset)
{
	return *(volatile uint32_t *)(base + offset);
}

static inline void gic_write(volatile uint8_t *base, uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(base + offset) = value;
}

/*
 * Sets the trigger and the priority of `irq` and enables it, in the distributor or a redistributor.
 */
static inline void gic_enable(volatile uint8_t *base, uint32_t irq, enum irq_trigger trigger)
{
	uint32_t config = gic_read(base, GICD_ICFGR + irq / 16 * 4);
	uint32_t edge = 2u << (irq % 16 * 2);

	config = trigger == IRQ_EDGE ? config | edge : config & ~edge;
	gic_write(base, GICD_ICFGR + irq / 16 * 4, config);
	base[GICD_IPRIORITYR + irq] = GIC_PRIORITY;
	gic_write(base, GICD_ISENABLER + irq / 32 * 4, 1u << (irq % 32));
}

/* How many interrupts the distributor has. */
static inline uint32_t gic_line_count(volatile uint8_t *distributor)
{
	return ((gic_read(distributor, GICD_TYPER) & 31) + 1) * 32;
}

#endif
