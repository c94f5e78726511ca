/*
 * GICv2: a distributor and a processor interface, both in memory. Arm IHI 0048.
 */
#include "kernel/arch/arm64/interrupt_controller.h"
#include "kernel/devicetree.h"
#include "kernel/printk.h"

#define GICC_CTLR 0x000
#define GICC_PMR 0x004
#define GICC_IAR 0x00c
#define GICC_EOIR 0x010

static volatile uint8_t *distributor, *interface;

static void enable(uint32_t irq, enum irq_trigger trigger)
{
	if (irq >= GIC_FIRST_SHARED)
		distributor[GICD_ITARGETSR + irq] = 1; /* the first processor */
	gic_enable(distributor, irq, trigger);
}

static uint32_t acknowledge(void)
{
	return gic_read(interface, GICC_IAR) & 0x3ff;
}

static void end(uint32_t irq)
{
	gic_write(interface, GICC_EOIR, irq);
}

static const struct interrupt_controller gic_v2 = {
	.enable = enable,
	.acknowledge = acknowledge,
	.end = end,
};

static void found(const struct dt_device *device, void *context __unused)
{
	if (device->reg_count < 2)
		return;
	distributor = device_map(device->reg_base[0], device->reg_size[0]);
	interface = device_map(device->reg_base[1], device->reg_size[1]);
}

const struct interrupt_controller *gic_v2_init(void)
{
	dt_for_each("arm,cortex-a15-gic", found, NULL);
	if (!interface)
		dt_for_each("arm,gic-400", found, NULL);
	if (!distributor || !interface)
		return NULL;

	gic_write(distributor, GICD_CTLR, 0);
	for (uint32_t irq = 0; irq < gic_line_count(distributor); irq += 32)
		gic_write(distributor, GICD_ICENABLER + irq / 32 * 4, 0xffffffff);
	gic_write(distributor, GICD_CTLR, 1);
	gic_write(interface, GICC_PMR, 0xff);
	gic_write(interface, GICC_CTLR, 1);
	return &gic_v2;
}
