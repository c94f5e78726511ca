/*
 * /proc/cpuinfo, in the form of Linux on arm64.
 */
#include "include/uapi/auxv.h"
#include "kernel/arch/arm64/context.h"
#include "kernel/arch/arm64/cpu.h"
#include "kernel/arch/arm64/system_registers.h"
#include "kernel/lib/text.h"
#include "kernel/machine.h"
#include "kernel/printk.h"
#include "kernel/procfs/procfs.h"

/* Names of AT_HWCAP's bits, by number. */
static const char *const feature_names[] = {
	"fp",      "asimd", "evtstrm", "aes",   "pmull",    "sha1",   "sha2", "crc32",
	"atomics", "fphp",  "asimdhp", "cpuid", "asimdrdm", "jscvt",  "fcma", "lrcpc",
	"dcpop",   "sha3",  "sm3",     "sm4",   "asimddp",  "sha512", "sve",  "asimdfhm",
	"dit",     "uscat", "ilrcpc",  "flagm", "ssbs",     "sb",
};

static void show_cpuinfo(struct text *text, void *context __unused)
{
	uint64_t hwcap = arch_hwcap(), id = read_register(midr_el1);

	text_printf(text, "processor\t: 0\nFeatures\t:");
	for (uint32_t i = 0; i < ARRAY_SIZE(feature_names); i++)
		if (hwcap & BIT(i))
			text_printf(text, " %s", feature_names[i]);
	text_printf(text, "\nCPU implementer\t: 0x%02x\nCPU architecture: 8\n",
		    (unsigned int)(id >> 24 & 0xff));
	text_printf(text, "CPU variant\t: 0x%x\nCPU part\t: 0x%03x\nCPU revision\t: %u\n\n",
		    (unsigned int)(id >> 20 & 0xf), (unsigned int)(id >> 4 & 0xfff),
		    (unsigned int)(id & 0xf));
}

void cpuinfo_init(void)
{
	if (proc_register("cpuinfo", show_cpuinfo, NULL))
		panic("no memory for /proc/cpuinfo");
}
