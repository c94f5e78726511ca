/*
 * The device tree, read where the boot loader left it: through the linear map, at the same address
 * before and after the kernel's own page tables are in force.
 */
#include "kernel/devicetree.h"
#include "kernel/arch/arm64/early_console.h"
#include "kernel/arch/arm64/layout.h"
#include "kernel/byteorder.h"
#include "kernel/libfdt.h"
#include "kernel/printk.h"
#include "kernel/string.h"

#define DEVICES_OF_A_KIND_MAX 64
#define COMMAND_LINE_MAX 2048
#define DEVICE_PATH_MAX 128

/* Interrupt specifiers of a GIC: kind, number, flags. */
#define GIC_CELLS 3
#define GIC_PER_PROCESSOR 1
#define GIC_FIRST_PPI 16
#define GIC_FIRST_SPI 32
#define GIC_EDGE_RISING 1
#define GIC_EDGE_FALLING 2

/* Offsets in the tree's header, Devicetree Specification 5.2. */
#define HEADER_STRUCTURE 8
#define HEADER_STRINGS 12
#define HEADER_STRINGS_SIZE 32
#define HEADER_STRUCTURE_SIZE 36

static const void *tree;
static char command_line[COMMAND_LINE_MAX];

/* A number of `cells` 32-bit cells. */
static uint64_t read_cells(const uint8_t *at, int cells)
{
	uint64_t value = 0;

	for (int i = 0; i < cells; i++)
		value = value << 32 | get_be32(at + 4 * i);
	return value;
}

/* A property that is one number of one or two cells. */
static bool read_number(int node, const char *name, uint64_t *value)
{
	int length;
	const void *property = dt_property(node, name, &length);

	if (!property || (length != 4 && length != 8))
		return false;
	*value = read_cells(property, length / 4);
	return true;
}

const void *dt_property(int node, const char *name, int *length)
{
	return fdt_getprop(tree, node, name, length);
}

static bool node_enabled(int node)
{
	int length;
	const char *status = dt_property(node, "status", &length);

	return !status || strncmp(status, "ok", 2) == 0;
}

/* Reads up to `max` (base, size) pairs of `reg`. Bus addresses are taken for physical ones. */
static uint32_t read_reg(int node, uint64_t *base, uint64_t *size, uint32_t max)
{
	int parent = fdt_parent_offset(tree, node);
	int length = 0;
	const uint8_t *reg = dt_property(node, "reg", &length);
	uint32_t count = 0;

	if (!reg || parent < 0)
		return 0;
	int address_cells = fdt_address_cells(tree, parent);
	int size_cells = fdt_size_cells(tree, parent);
	if (address_cells < 1 || address_cells > 2 || size_cells < 0 || size_cells > 2)
		return 0;
	int step = 4 * (address_cells + size_cells);
	for (; count < max && length >= step; length -= step, reg += step, count++) {
		base[count] = read_cells(reg, address_cells);
		size[count] = read_cells(reg + 4 * address_cells, size_cells);
	}
	return count;
}

/* Whether the node's interrupts are a GIC's, by its own or an ancestor's interrupt-parent. */
static bool interrupts_are_gic(int node)
{
	uint64_t phandle, cells;

	for (; node >= 0; node = fdt_parent_offset(tree, node)) {
		if (!read_number(node, "interrupt-parent", &phandle))
			continue;
		int controller = fdt_node_offset_by_phandle(tree, (uint32_t)phandle);
		return controller >= 0 && read_number(controller, "#interrupt-cells", &cells) &&
		       cells == GIC_CELLS;
	}
	return false;
}

static void read_interrupts(int node, struct dt_device *device)
{
	int length = 0;
	const uint8_t *at = dt_property(node, "interrupts", &length);

	if (!at || !interrupts_are_gic(node))
		return;
	for (; length >= 4 * GIC_CELLS && device->irq_count < ARRAY_SIZE(device->irq);
	     length -= 4 * GIC_CELLS, at += 4 * GIC_CELLS) {
		bool per_processor = get_be32(at) == GIC_PER_PROCESSOR;
		uint32_t number = get_be32(at + 4);
		uint32_t flags = get_be32(at + 8);
		uint32_t n = device->irq_count++;
		device->irq[n] = number + (per_processor ? GIC_FIRST_PPI : GIC_FIRST_SPI);
		device->irq_trigger[n] = flags & (GIC_EDGE_RISING | GIC_EDGE_FALLING) ? IRQ_EDGE
										      : IRQ_LEVEL;
	}
}

static void visit_node(int node, dt_visitor *visit, void *context)
{
	char path[DEVICE_PATH_MAX];
	struct dt_device device = {.node = node, .path = path};

	if (fdt_get_path(tree, node, path, sizeof(path)) < 0)
		path[0] = '\0';
	device.reg_count = read_reg(node, device.reg_base, device.reg_size,
				    ARRAY_SIZE(device.reg_base));
	read_interrupts(node, &device);
	visit(&device, context);
}

uint32_t dt_for_each(const char *compatible, dt_visitor *visit, void *context)
{
	struct {
		uint64_t base;
		int node;
	} found[DEVICES_OF_A_KIND_MAX];
	uint32_t count = 0;
	int node = -1;

	while (count < ARRAY_SIZE(found) &&
	       (node = fdt_node_offset_by_compatible(tree, node, compatible)) >= 0) {
		uint64_t base = 0, size;
		if (!node_enabled(node))
			continue;
		read_reg(node, &base, &size, 1);
		uint32_t at = count++;
		for (; at > 0 && found[at - 1].base > base; at--)
			found[at] = found[at - 1];
		found[at].base = base;
		found[at].node = node;
	}
	for (uint32_t i = 0; i < count; i++)
		visit_node(found[i].node, visit, context);
	return count;
}

uint32_t dt_memory(struct dt_range *ranges, uint32_t max)
{
	uint64_t base[4], size[4];
	uint32_t count = 0;
	int node = -1;

	while ((node = fdt_node_offset_by_prop_value(tree, node, "device_type", "memory",
						     sizeof("memory"))) >= 0) {
		uint32_t n = node_enabled(node) ? read_reg(node, base, size, ARRAY_SIZE(base)) : 0;
		for (uint32_t i = 0; i < n && count < max; i++)
			if (size[i] > 0)
				ranges[count++] = (struct dt_range){base[i], base[i] + size[i]};
	}
	return count;
}

uint32_t dt_reserved(struct dt_range *ranges, uint32_t max)
{
	uint64_t base[4], size[4];
	uint32_t count = 0;
	int reserved = fdt_path_offset(tree, "/reserved-memory");

	for (int i = 0; i < fdt_num_mem_rsv(tree) && count < max; i++)
		if (fdt_get_mem_rsv(tree, i, &base[0], &size[0]) == 0)
			ranges[count++] = (struct dt_range){base[0], base[0] + size[0]};
	for (int node = reserved < 0 ? reserved : fdt_first_subnode(tree, reserved); node >= 0;
	     node = fdt_next_subnode(tree, node)) {
		uint32_t n = read_reg(node, base, size, ARRAY_SIZE(base));
		for (uint32_t i = 0; i < n && count < max; i++)
			ranges[count++] = (struct dt_range){base[i], base[i] + size[i]};
	}
	return count;
}

struct dt_range dt_initrd(void)
{
	int chosen = fdt_path_offset(tree, "/chosen");
	struct dt_range range = {0, 0};

	if (chosen < 0 || !read_number(chosen, "linux,initrd-start", &range.start) ||
	    !read_number(chosen, "linux,initrd-end", &range.end) || range.end < range.start)
		return (struct dt_range){0, 0};
	return range;
}

/* The header's total size may count a lot of room that nothing fills: QEMU's says 1 MiB. */
struct dt_range dt_blob(void)
{
	const uint8_t *header = tree;
	phys_addr_t start = (uint64_t)tree - LINEAR_WINDOW;
	uint32_t structure_end = get_be32(header + HEADER_STRUCTURE) +
				 get_be32(header + HEADER_STRUCTURE_SIZE);
	uint32_t strings_end = get_be32(header + HEADER_STRINGS) +
			       get_be32(header + HEADER_STRINGS_SIZE);

	return (struct dt_range){start, start + MAX(structure_end, strings_end)};
}

const void *dt_chosen(const char *name, int *length)
{
	int chosen = fdt_path_offset(tree, "/chosen");

	return chosen < 0 ? NULL : dt_property(chosen, name, length);
}

const char *kernel_command_line(void)
{
	return command_line;
}

/* Copies one word of the command line without its quotes; returns where the next begins. */
static const char *next_word(const char *at, char *word, size_t size)
{
	bool quoted = false;
	size_t n = 0;

	while (*at == ' ')
		at++;
	for (; *at && (quoted || *at != ' '); at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (n + 1 < size)
			word[n++] = *at;
	}
	word[n] = '\0';
	return at;
}

bool command_line_option(const char *name, char *value, size_t size)
{
	static char word[COMMAND_LINE_MAX]; /* boot and panic: nobody shares it */
	size_t name_length = strlen(name);
	bool found = false;

	for (const char *at = command_line; *at;) {
		at = next_word(at, word, sizeof(word));
		if (strncmp(word, name, name_length) != 0)
			continue;
		if (word[name_length] != '=' && word[name_length] != '\0')
			continue;
		const char *text = word + name_length;
		strscpy(value, *text == '=' ? text + 1 : text, size);
		found = true;
	}
	return found;
}

void devicetree_init(uint64_t physical)
{
	char console[16];
	int length;

	tree = (const void *)(LINEAR_WINDOW + physical);
	if (fdt_check_header(tree) < 0)
		panic("there is no device tree at 0x%lx", physical);
	const char *arguments = dt_chosen("bootargs", &length);
	if (arguments)
		strscpy(command_line, arguments, sizeof(command_line));
	early_console_set_framed(command_line_option("console", console, sizeof(console)) &&
				 strcmp(console, "framed") == 0);
}
