/*
 * PSCI: asking the firmware to switch the machine off or to restart it. Arm DEN 0022.
 */
#include "kernel/arch/arm64/system_registers.h"
#include "kernel/devicetree.h"
#include "kernel/machine.h"
#include "kernel/printk.h"
#include "kernel/string.h"

#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u

static enum { CONDUIT_NONE, CONDUIT_HVC, CONDUIT_SMC } conduit;

static void psci_found(const struct dt_device *device, void *context __unused)
{
	int length;
	const char *method = dt_property(device->node, "method", &length);

	if (method && length == 4 && memcmp(method, "hvc", 4) == 0)
		conduit = CONDUIT_HVC;
	if (method && length == 4 && memcmp(method, "smc", 4) == 0)
		conduit = CONDUIT_SMC;
}

void machine_init(void)
{
	if (dt_for_each("arm,psci-1.0", psci_found, NULL) == 0 &&
	    dt_for_each("arm,psci-0.2", psci_found, NULL) == 0)
		printk("no PSCI in the device tree: power off will halt\n");
}

static void psci_call(uint32_t function)
{
	register uint64_t x0 __asm__("x0") = function;

	if (conduit == CONDUIT_HVC)
		__asm__ volatile("hvc #0" : "+r"(x0)::"x1", "x2", "x3", "memory");
	if (conduit == CONDUIT_SMC)
		__asm__ volatile("smc #0" : "+r"(x0)::"x1", "x2", "x3", "memory");
}

void machine_power_off(void)
{
	psci_call(PSCI_SYSTEM_OFF);
	machine_halt();
}

void machine_restart(void)
{
	psci_call(PSCI_SYSTEM_RESET);
	machine_halt();
}
