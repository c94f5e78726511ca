/*
 * A process's page tables: walking, entries, ASIDs, and what the TLB and the caches must be told.
 */
#include "kernel/arch/arm64/page_table.h"
#include "include/uapi/mman.h"
#include "kernel/arch/arm64/layout.h"
#include "kernel/arch/arm64/system_registers.h"
#include "kernel/errno.h"

#define TABLE_ENTRIES 512
#define LEVEL_1_SHIFT 30
#define LEVEL_2_SHIFT 21

#define ASID_BITS 16       /* of struct page_table's asid; the processor may have only 8 */
#define ASID_SHIFT 48      /* in TTBR0 and in TLB operations */
#define FLUSH_PAGES_MAX 16 /* more than that: the whole ASID */

extern char boot_table_empty[];

/*
 * ASIDs are given out in turn. When there are no more the generation changes: all TLB entries go,
 * and every space gets a new one when it next runs. 0 is the empty table's.
 */
static uint64_t asid_generation = 1ull << ASID_BITS;
static uint64_t asid_next = 1;

int page_table_create(struct page_table *table)
{
	*table = (struct page_table){.root = page_alloc_zeroed(), .pages = 1};
	if (!table->root)
		return -ENOMEM;
	page_set_use(table->root, PAGE_USE_TABLE);
	return 0;
}

void page_table_destroy(struct page_table *table)
{
	uint64_t *level_1 = page_address(table->root);

	for (int i = 0; i < TABLE_ENTRIES; i++) {
		if (!entry_present(level_1[i]))
			continue;
		uint64_t *level_2 = page_address(entry_page(level_1[i]));
		for (int j = 0; j < TABLE_ENTRIES; j++)
			if (entry_present(level_2[j]))
				page_put(entry_page(level_2[j]));
		page_put(entry_page(level_1[i]));
	}
	page_put(table->root);
}

static uint64_t *table_below(struct page_table *table, uint64_t *entry, bool create)
{
	if (!entry_present(*entry)) {
		struct page *page = create ? page_alloc_zeroed() : NULL;
		if (!page)
			return NULL;
		page_set_use(page, PAGE_USE_TABLE);
		table->pages++;
		*entry = page_to_phys(page) | PTE_TABLE;
	}
	return page_address(entry_page(*entry));
}

uint64_t *page_table_entry(struct page_table *table, user_addr_t address, bool create)
{
	uint64_t *at = page_address(table->root);

	at = table_below(table, &at[(address >> LEVEL_1_SHIFT) % TABLE_ENTRIES], create);
	if (!at)
		return NULL;
	at = table_below(table, &at[(address >> LEVEL_2_SHIFT) % TABLE_ENTRIES], create);
	if (!at)
		return NULL;
	return &at[(address >> PAGE_SHIFT) % TABLE_ENTRIES];
}

uint64_t page_table_make_entry(phys_addr_t page, uint32_t protection, bool writable)
{
	uint64_t entry = page | PTE_PAGE | PTE_MEMORY | PTE_NOT_GLOBAL | PTE_KERNEL_NO_EXEC;

	if (protection != PROT_NONE)
		entry |= PTE_USER;
	if (!(protection & PROT_EXEC))
		entry |= PTE_USER_NO_EXEC;
	if (!(protection & PROT_WRITE) || !writable)
		entry |= PTE_READ_ONLY;
	return entry;
}

static void flush_everything(void)
{
	data_barrier();
	__asm__ volatile("tlbi vmalle1" ::: "memory");
	data_barrier();
	instruction_barrier();
}

static bool asid_current(const struct page_table *table)
{
	return table->asid >> ASID_BITS == asid_generation >> ASID_BITS;
}

static uint64_t asid_number(const struct page_table *table)
{
	return table->asid & ((1ull << ASID_BITS) - 1);
}

static uint64_t asid_limit(void)
{
	return id_field(read_register(id_aa64mmfr0_el1), 4) >= 2 ? 1u << 16 : 1u << 8;
}

static void asid_give(struct page_table *table)
{
	if (asid_next == asid_limit()) {
		asid_generation += 1ull << ASID_BITS;
		asid_next = 1;
		flush_everything();
	}
	table->asid = asid_generation | asid_next++;
}

void page_table_activate(struct page_table *table)
{
	uint64_t value = kernel_image_to_phys(boot_table_empty);

	if (table) {
		if (!asid_current(table))
			asid_give(table);
		value = page_to_phys(table->root) | asid_number(table) << ASID_SHIFT;
	}
	write_register(ttbr0_el1, value);
	instruction_barrier();
}

void page_table_sync(void)
{
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
}

void page_table_flush(struct page_table *table, user_addr_t start, user_addr_t end)
{
	uint64_t asid = asid_number(table) << ASID_SHIFT;

	if (!asid_current(table)) /* it has not run in this generation: no TLB entries */
		return;
	data_barrier();
	if (end - start > FLUSH_PAGES_MAX * PAGE_SIZE) {
		__asm__ volatile("tlbi aside1, %0" ::"r"(asid) : "memory");
	} else {
		for (; start < end; start += PAGE_SIZE)
			__asm__ volatile("tlbi vae1, %0" ::"r"(asid | start >> PAGE_SHIFT)
					 : "memory");
	}
	data_barrier();
	instruction_barrier();
}

void page_sync_instructions(struct page *page)
{
	uint64_t ctr = read_register(ctr_el0);
	uint64_t data_line = 4ull << (ctr >> 16 & 15), instruction_line = 4ull << (ctr & 15);
	uint64_t start = (uint64_t)page_address(page), end = start + PAGE_SIZE;

	if (page->flags & PAGE_INSTRUCTIONS_SYNCED)
		return;
	page->flags |= PAGE_INSTRUCTIONS_SYNCED;
	for (uint64_t at = start; at < end; at += data_line)
		__asm__ volatile("dc cvau, %0" ::"r"(at) : "memory");
	data_barrier();
	for (uint64_t at = start; at < end; at += instruction_line)
		__asm__ volatile("ic ivau, %0" ::"r"(at) : "memory");
	data_barrier();
	instruction_barrier();
}
