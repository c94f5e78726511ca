/*
 * GICv3: a distributor for the shared interrupts and a redistributor for the processor's own, in
 * memory; the processor interface is system registers. Arm IHI 0069.
 */
#include "kernel/arch/arm64/interrupt_controller.h"
#include "kernel/arch/arm64/system_registers.h"
#include "kernel/devicetree.h"
#include "kernel/printk.h"

#define GICD_CTLR_AFFINITY_ROUTING (1u << 4)
#define GICD_CTLR_GROUP1 (1u << 1)
#define GICD_CTLR_WRITE_PENDING (1u << 31)
#define GICD_IROUTER 0x6000

#define GICR_WAKER 0x14
#define GICR_WAKER_PROCESSOR_SLEEP (1u << 1)
#define GICR_WAKER_CHILDREN_ASLEEP (1u << 2)
#define GICR_TYPER_LAST (1u << 4)
#define GICR_FRAME_SIZE 0x20000 /* of one processor: two pages of 64 KiB */
#define GICR_SGI_PAGE 0x10000   /* the second: laid out as a distributor's first registers */

#define ICC_PMR_EL1 S3_0_C4_C6_0
#define ICC_IAR1_EL1 S3_0_C12_C12_0
#define ICC_EOIR1_EL1 S3_0_C12_C12_1
#define ICC_CTLR_EL1 S3_0_C12_C12_4
#define ICC_SRE_EL1 S3_0_C12_C12_5
#define ICC_IGRPEN1_EL1 S3_0_C12_C12_7

/* So that the names above are expanded before they become assembly. */
#define read_icc(name) read_register(name)
#define write_icc(name, value) write_register(name, value)

static volatile uint8_t *distributor, *redistributor;

static uint64_t processor_affinity(void)
{
	uint64_t mpidr = read_register(mpidr_el1);

	return (mpidr & 0xffffff) | (mpidr & 0xff00000000);
}

static void enable(uint32_t irq, enum irq_trigger trigger)
{
	if (irq < GIC_FIRST_SHARED) {
		gic_enable(redistributor + GICR_SGI_PAGE, irq, trigger);
		return;
	}
	*(volatile uint64_t *)(distributor + GICD_IROUTER + irq * 8) = processor_affinity();
	gic_enable(distributor, irq, trigger);
}

static uint32_t acknowledge(void)
{
	uint32_t irq = (uint32_t)read_icc(ICC_IAR1_EL1);

	data_barrier();
	return irq & 0xffffff;
}

static void end(uint32_t irq)
{
	write_icc(ICC_EOIR1_EL1, irq);
	instruction_barrier();
}

static const struct interrupt_controller gic_v3 = {
	.enable = enable,
	.acknowledge = acknowledge,
	.end = end,
};

static void wait_for_distributor(void)
{
	while (gic_read(distributor, GICD_CTLR) & GICD_CTLR_WRITE_PENDING)
		;
}

/*
 * The redistributor whose affinity is this processor's: GICR_TYPER's upper half has the affinity
 * packed.
 */
static volatile uint8_t *find_redistributor(volatile uint8_t *region, uint64_t size)
{
	uint64_t affinity = processor_affinity();
	uint32_t packed = (uint32_t)(affinity & 0xffffff) | (uint32_t)(affinity >> 32 << 24);

	for (uint64_t at = 0; at + GICR_FRAME_SIZE <= size; at += GICR_FRAME_SIZE) {
		if (gic_read(region + at, 0xc) == packed)
			return region + at;
		if (gic_read(region + at, 0x8) & GICR_TYPER_LAST)
			break;
	}
	return NULL;
}

static void found(const struct dt_device *device, void *context __unused)
{
	if (device->reg_count < 2)
		return;
	distributor = device_map(device->reg_base[0], device->reg_size[0]);
	volatile uint8_t *region = device_map(device->reg_base[1], device->reg_size[1]);
	if (region)
		redistributor = find_redistributor(region, device->reg_size[1]);
}

static void init_distributor(void)
{
	gic_write(distributor, GICD_CTLR, 0);
	wait_for_distributor();
	for (uint32_t irq = GIC_FIRST_SHARED; irq < gic_line_count(distributor); irq += 32) {
		gic_write(distributor, GICD_ICENABLER + irq / 32 * 4, 0xffffffff);
		gic_write(distributor, GICD_IGROUPR + irq / 32 * 4, 0xffffffff);
	}
	gic_write(distributor, GICD_CTLR, GICD_CTLR_AFFINITY_ROUTING | GICD_CTLR_GROUP1);
	wait_for_distributor();
}

static void init_redistributor(void)
{
	uint32_t waker = gic_read(redistributor, GICR_WAKER);

	gic_write(redistributor, GICR_WAKER, waker & ~GICR_WAKER_PROCESSOR_SLEEP);
	while (gic_read(redistributor, GICR_WAKER) & GICR_WAKER_CHILDREN_ASLEEP)
		;
	gic_write(redistributor + GICR_SGI_PAGE, GICD_ICENABLER, 0xffffffff);
	gic_write(redistributor + GICR_SGI_PAGE, GICD_IGROUPR, 0xffffffff);
}

const struct interrupt_controller *gic_v3_init(void)
{
	dt_for_each("arm,gic-v3", found, NULL);
	if (!distributor || !redistributor)
		return NULL;

	init_distributor();
	init_redistributor();
	write_icc(ICC_SRE_EL1, 1);
	instruction_barrier();
	write_icc(ICC_CTLR_EL1, 0); /* end of interrupt also deactivates */
	write_icc(ICC_PMR_EL1, 0xff);
	write_icc(ICC_IGRPEN1_EL1, 1);
	instruction_barrier();
	return &gic_v3;
}
