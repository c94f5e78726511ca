/*
 * The boot's view of memory: RAM as the device tree lists it, minus what is taken. Page tables and
 * the array of `struct page` are cut from the largest free piece before there is an allocator; the
 * rest is then given to it.
 */
#include "kernel/mm/memory.h"
#include "kernel/arch/arm64/early_console.h"
#include "kernel/arch/arm64/layout.h"
#include "kernel/arch/arm64/mmu.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vm.h"
#include "kernel/printk.h"
#include "kernel/string.h"

#define RANGES_MAX 32
#define GIB (1ull << 30)

static struct dt_range ram[RANGES_MAX], available[RANGES_MAX];
static uint32_t ram_count, available_count;

/*
 * What is left of the piece from which the boot allocates; its addresses are mapped by the boot's
 * tables.
 */
static struct dt_range boot_piece;

static struct dt_range page_aligned(struct dt_range range)
{
	range.start = ALIGN_DOWN(range.start, PAGE_SIZE);
	range.end = ALIGN_UP(range.end, PAGE_SIZE);
	return range;
}

/* Takes `taken` out of the available ranges; one in whose middle it lies becomes two. */
static void take_out(struct dt_range taken)
{
	uint32_t count = available_count;

	taken = page_aligned(taken);
	if (taken.start >= taken.end)
		return;
	for (uint32_t i = 0; i < count; i++) {
		struct dt_range *range = &available[i];
		struct dt_range after = {MAX(range->start, taken.end), range->end};

		if (range->end <= taken.start || range->start >= taken.end)
			continue;
		range->end = MAX(range->start, taken.start);
		if (after.start >= after.end)
			continue;
		if (available_count == RANGES_MAX)
			panic("memory is in too many pieces");
		available[available_count++] = after;
	}
}

static void find_memory(void)
{
	struct dt_range reserved[RANGES_MAX];

	ram_count = dt_memory(ram, RANGES_MAX);
	for (uint32_t i = 0; i < ram_count; i++) {
		ram[i].start = ALIGN_UP(ram[i].start, PAGE_SIZE);
		ram[i].end = ALIGN_DOWN(MIN(ram[i].end, LINEAR_WINDOW_SIZE), PAGE_SIZE);
		available[i] = ram[i];
	}
	available_count = ram_count;

	uint32_t count = dt_reserved(reserved, RANGES_MAX);
	for (uint32_t i = 0; i < count; i++)
		take_out(reserved[i]);
	take_out((struct dt_range){kernel_physical_start, kernel_image_to_phys(kernel_end)});
	take_out(dt_blob());
	take_out(dt_initrd());
}

/* The largest available piece within the image's GiB, all of which the boot's tables map. */
static void choose_boot_piece(void)
{
	phys_addr_t start = ALIGN_DOWN(kernel_physical_start, GIB);

	for (uint32_t i = 0; i < available_count; i++) {
		struct dt_range piece = {MAX(available[i].start, start),
					 MIN(available[i].end, start + GIB)};
		if (piece.start < piece.end &&
		    piece.end - piece.start > boot_piece.end - boot_piece.start)
			boot_piece = piece;
	}
}

static phys_addr_t boot_alloc(uint64_t size)
{
	phys_addr_t start = boot_piece.start;

	if (size > boot_piece.end - start)
		panic("not enough memory to boot");
	boot_piece.start += size;
	return start;
}

static phys_addr_t boot_alloc_table(void)
{
	phys_addr_t table = boot_alloc(PAGE_SIZE);

	page_clear(phys_to_virt(table));
	return table;
}

static void make_page_array(void)
{
	phys_addr_t start = ram[0].start, end = ram[0].end;

	for (uint32_t i = 1; i < ram_count; i++) {
		start = MIN(start, ram[i].start);
		end = MAX(end, ram[i].end);
	}
	uint64_t size = ALIGN_UP(((end - start) >> PAGE_SHIFT) * sizeof(struct page), PAGE_SIZE);
	char *pages = phys_to_virt(boot_alloc(size));
	for (uint64_t at = 0; at < size; at += PAGE_SIZE)
		page_clear(pages + at);
	page_init((struct page *)pages, start, end);
}

struct dt_range memory_embedded_initramfs(void)
{
	return (struct dt_range){kernel_image_to_phys(initramfs_start),
				 kernel_image_to_phys(initramfs_end)};
}

struct dt_range memory_initrd(void)
{
	return dt_initrd();
}

void memory_init(void)
{
	find_memory();
	choose_boot_piece();
	phys_addr_t boot_start = boot_piece.start;
	mmu_init(ram, ram_count, boot_alloc_table);
	make_page_array();
	take_out((struct dt_range){boot_start, boot_piece.start});
	for (uint32_t i = 0; i < available_count; i++)
		page_free_range(available[i].start, available[i].end);
	kmalloc_init();
	vm_init();
	early_console_remap();
	printk("memory: %lu KiB free\n", page_statistics().free * (PAGE_SIZE / 1024));
}
