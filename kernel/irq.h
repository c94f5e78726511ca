/*
 * Hardware interrupts, by the number that the interrupt controller's device-tree cells give.
 */
#ifndef KERNEL_IRQ_H
#define KERNEL_IRQ_H

#include "kernel/types.h"

/* Runs with interrupts masked: acknowledge the device, raise a softirq or post, nothing else. */
typedef void irq_handler(void *context);

enum irq_trigger { IRQ_LEVEL, IRQ_EDGE };

/* `irq` is the controller's own number (SPI n is 32 + n). 0, -EBUSY, -EINVAL. */
int irq_register(uint32_t irq, enum irq_trigger trigger, irq_handler *handler, void *context);

/* Finds and sets up the interrupt controller. Boot. */
void irq_init(void);

/* Serves what is pending, then softirqs. Called by the exception entry with interrupts masked. */
void irq_dispatch(void);

/* Interrupts taken since the boot: /proc/stat. */
uint64_t irq_count(void);

#endif
