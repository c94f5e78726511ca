/*
 * The kernel's page tables: three levels of 512 entries, for 1 GiB, 2 MiB and 4 KiB each.
 */
#include "kernel/arch/arm64/mmu.h"
#include "kernel/arch/arm64/cpu.h"
#include "kernel/arch/arm64/layout.h"
#include "kernel/arch/arm64/system_registers.h"
#include "kernel/errno.h"
#include "kernel/printk.h"

#define TABLE_ENTRIES 512
#define LEVEL_1_SHIFT 30
#define LEVEL_2_SHIFT 21

void mmu_switch_tables(phys_addr_t kernel_table, phys_addr_t user_table);
extern char boot_table_empty[];

static uint64_t *root;
static phys_addr_t (*alloc_table)(void);
static uint64_t device_next = DEVICE_WINDOW;

/* 0 when memory is out. */
static phys_addr_t alloc_from_pages(void)
{
	struct page *page = page_alloc_zeroed();

	return page ? page_to_phys(page) : 0;
}

/* The table below `entry`, made if there is none; NULL when memory is out. */
static uint64_t *next_table(uint64_t *entry)
{
	if (!(*entry & PTE_VALID)) {
		phys_addr_t table = alloc_table();
		if (!table)
			return NULL;
		*entry = table | PTE_TABLE;
	}
	return phys_to_virt(*entry & PTE_ADDRESS_MASK);
}

/*
 * Maps what one entry of the lowest fitting level covers; returns its size, or 0 when memory is
 * out.
 */
static uint64_t map_one(uint64_t virtual, phys_addr_t physical, uint64_t size, uint64_t attributes)
{
	uint64_t *entry = &root[(virtual >> LEVEL_1_SHIFT) % TABLE_ENTRIES];
	uint64_t *table = next_table(entry);

	if (!table)
		return 0;
	entry = &table[(virtual >> LEVEL_2_SHIFT) % TABLE_ENTRIES];
	if (IS_ALIGNED(virtual | physical, BIT(LEVEL_2_SHIFT)) && size >= BIT(LEVEL_2_SHIFT)) {
		*entry = physical | attributes | PTE_BLOCK;
		return BIT(LEVEL_2_SHIFT);
	}
	table = next_table(entry);
	if (!table)
		return 0;
	table[(virtual >> PAGE_SHIFT) % TABLE_ENTRIES] = physical | attributes | PTE_PAGE;
	return PAGE_SIZE;
}

int mmu_map(uint64_t virtual, phys_addr_t physical, uint64_t size, uint64_t attributes)
{
	while (size > 0) {
		uint64_t done = map_one(virtual, physical, size, attributes);
		if (done == 0)
			return -ENOMEM;
		virtual += done;
		physical += done;
		size -= done;
	}
	data_barrier();
	instruction_barrier();
	return 0;
}

/* The entry of an address that is mapped as a single page. */
static uint64_t *page_entry(uint64_t virtual)
{
	uint64_t *table = next_table(&root[(virtual >> LEVEL_1_SHIFT) % TABLE_ENTRIES]);

	table = next_table(&table[(virtual >> LEVEL_2_SHIFT) % TABLE_ENTRIES]);
	return &table[(virtual >> PAGE_SHIFT) % TABLE_ENTRIES];
}

struct page *mmu_mapped_page(uint64_t virtual)
{
	return phys_to_page(*page_entry(virtual) & PTE_ADDRESS_MASK);
}

void mmu_unmap_pages(uint64_t virtual, uint64_t size)
{
	for (uint64_t end = virtual + size; virtual < end; virtual += PAGE_SIZE) {
		*page_entry(virtual) = 0;
		data_barrier();
		__asm__ volatile("tlbi vaae1, %0" ::"r"(virtual >> PAGE_SHIFT) : "memory");
	}
	data_barrier();
	instruction_barrier();
}

volatile void *device_map(uint64_t physical, uint64_t size)
{
	uint64_t first = ALIGN_DOWN(physical, PAGE_SIZE);
	uint64_t length = ALIGN_UP(physical + size, PAGE_SIZE) - first;
	uint64_t virtual = device_next;

	if (length > DEVICE_WINDOW + DEVICE_WINDOW_SIZE - virtual)
		return NULL;
	/* One page is left out between two mappings: running off one faults. */
	device_next += length + PAGE_SIZE;
	if (mmu_map(virtual, first, length, MMU_KERNEL_DEVICE))
		return NULL;
	return (volatile void *)(virtual + (physical - first));
}

static void must_map(uint64_t virtual, phys_addr_t physical, uint64_t size, uint64_t attributes)
{
	if (size > 0 && mmu_map(virtual, physical, size, attributes))
		panic("no memory for the kernel's page tables");
}

/* A piece of RAM in the linear window: its part in [start, end) gets `attributes`. */
static void map_linear(struct dt_range range, phys_addr_t start, phys_addr_t end,
		       uint64_t attributes)
{
	start = MAX(start, range.start);
	end = MIN(end, range.end);
	if (start < end)
		must_map(LINEAR_WINDOW + start, start, end - start, attributes);
}

static void map_image(const char *start, const char *end, uint64_t attributes)
{
	must_map((uint64_t)start, kernel_image_to_phys(start), (uint64_t)(end - start), attributes);
}

void mmu_init(const struct dt_range *memory, uint32_t count, phys_addr_t (*alloc)(void))
{
	phys_addr_t fixed_start = kernel_image_to_phys(kernel_start);
	phys_addr_t fixed_end = kernel_image_to_phys(kernel_rodata_end);
	uint64_t guarded = cpu_has_bti() ? PTE_GUARDED : 0;

	alloc_table = alloc;
	phys_addr_t table = alloc();
	root = phys_to_virt(table);

	/* The image's text and constants must not be writable by their other address either. */
	for (uint32_t i = 0; i < count; i++) {
		map_linear(memory[i], 0, fixed_start, MMU_KERNEL_DATA);
		map_linear(memory[i], fixed_start, fixed_end, MMU_KERNEL_RODATA);
		map_linear(memory[i], fixed_end, LINEAR_WINDOW_SIZE, MMU_KERNEL_DATA);
	}
	map_image(kernel_start, kernel_text_end, MMU_KERNEL_TEXT | guarded);
	map_image(kernel_text_end, kernel_data_start, MMU_KERNEL_RODATA);
	/* A hole below the boot stack, as below all others. */
	map_image(kernel_data_start, boot_stack_hole, MMU_KERNEL_DATA);
	map_image(boot_stack, kernel_end, MMU_KERNEL_DATA);

	mmu_switch_tables(table, kernel_image_to_phys(boot_table_empty));
	alloc_table = alloc_from_pages;
}
