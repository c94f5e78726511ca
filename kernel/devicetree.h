/*
 * The device tree: the only source of addresses and interrupt numbers. Boot only; libfdt does the
 * parsing.
 */
#ifndef KERNEL_DEVICETREE_H
#define KERNEL_DEVICETREE_H

#include "kernel/irq.h"
#include "kernel/types.h"

struct dt_device {
	const char *path;     /* valid during the call */
	int node;             /* libfdt's offset, for dt_property */
	uint64_t reg_base[4]; /* physical */
	uint64_t reg_size[4];
	uint32_t reg_count;
	uint32_t irq[8]; /* numbers for irq_register */
	enum irq_trigger irq_trigger[8];
	uint32_t irq_count;
};

typedef void dt_visitor(const struct dt_device *device, void *context);

/*
 * Visits every enabled node whose `compatible` list holds the string, by ascending address. Returns
 * how many.
 */
uint32_t dt_for_each(const char *compatible, dt_visitor *visit, void *context);

/* A node's raw property and its length, or NULL. */
const void *dt_property(int node, const char *name, int *length);

/* /chosen bootargs, never NULL. The same text as /proc/cmdline. */
const char *kernel_command_line(void);

/*
 * Copies the value of the last `name=value` on the kernel command line (quotes may enclose a
 * value); a bare `name` gives an empty value. False when it is not there.
 */
bool command_line_option(const char *name, char *value, size_t size);

/* Maps device registers, uncached; the mapping stays. NULL when address space or memory is out. */
volatile void *device_map(uint64_t physical, uint64_t size);

/* Physical addresses, end exclusive. */
struct dt_range {
	uint64_t start, end;
};

/* Boot: `physical` is the address at which the boot loader left the tree. */
void devicetree_init(uint64_t physical);

/*
 * RAM; what of it must be left alone; /chosen's initrd (0, 0: none); the tree itself. The first two
 * return how many.
 */
uint32_t dt_memory(struct dt_range *ranges, uint32_t max);
uint32_t dt_reserved(struct dt_range *ranges, uint32_t max);
struct dt_range dt_initrd(void);
struct dt_range dt_blob(void);

/* A raw property of /chosen and its length, or NULL. */
const void *dt_chosen(const char *name, int *length);

#endif
