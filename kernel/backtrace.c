/*
 * Backtraces and the kernel's table of its own functions.
 *
 * The table is made by tools/kernel-symbols from the image linked without it, and linked in the
 * second time: functions sorted by address, and their names one after the other.
 */
#include "kernel/backtrace.h"
#include "kernel/arch/arm64/layout.h"

#define BACKTRACE_MAX 32
#define INSTRUCTION_SIZE 4

struct kernel_symbol {
	uint64_t address;
	uint32_t name_offset; /* into kernel_symbol_names */
	uint32_t pad;
};

/* The linker script's; start == end in an image without a table. */
extern const struct kernel_symbol kernel_symbols_start[], kernel_symbols_end[];
extern const char kernel_symbol_names[];

const char *symbol_find(uint64_t address, uint64_t *offset)
{
	const struct kernel_symbol *low = kernel_symbols_start, *high = kernel_symbols_end;

	if (!in_kernel_text(address) || low == high || address < low->address)
		return NULL;
	while (high - low > 1) {
		const struct kernel_symbol *middle = low + (high - low) / 2;
		if (middle->address <= address)
			low = middle;
		else
			high = middle;
	}
	*offset = address - low->address;
	return kernel_symbol_names + low->name_offset;
}

/*
 * `back` is INSTRUCTION_SIZE for a return address: the call stands before it, maybe as the last
 * instruction of its function.
 */
static void print_frame(uint64_t pc, uint64_t back)
{
	uint64_t offset;
	const char *name = symbol_find(pc - back, &offset);

	if (name)
		printk("  %016lx %s+0x%lx\n", pc, name, offset + back);
	else
		printk("  %016lx\n", pc);
}

/*
 * A frame record (the caller's frame pointer, the return address) must lie in kernel memory that is
 * mapped.
 */
static bool frame_readable(uint64_t frame_pointer)
{
	return IS_ALIGNED(frame_pointer, 16) && kernel_address_mapped(frame_pointer) &&
	       kernel_address_mapped(frame_pointer + 15);
}

void backtrace(const struct backtrace_start *start)
{
	uint64_t frame = start ? start->frame_pointer : (uint64_t)__builtin_frame_address(0);

	if (start && start->pc)
		print_frame(start->pc, 0);
	for (int depth = 0; depth < BACKTRACE_MAX && frame_readable(frame); depth++) {
		const uint64_t *record = (const uint64_t *)frame;
		/*
		 * A signed return address has its signature in the bits that every kernel address
		 * has set.
		 */
		uint64_t return_address = record[1] | KERNEL_ADDRESS_BITS;

		if (record[1] == 0)
			break;
		print_frame(return_address, INSTRUCTION_SIZE);
		if (record[0] == frame)
			break;
		frame = record[0];
	}
}
