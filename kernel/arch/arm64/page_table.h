/*
 * The page tables of a process: TTBR0's half. What the entries mean is mm/'s business; here is how
 * they look, and what the processor must be told when they change.
 *
 * An entry that is valid but not PTE_USER is a page that is kept while its area is PROT_NONE:
 * neither the process nor the kernel on its behalf (LDTR, STTR) may touch it.
 */
#ifndef KERNEL_ARCH_ARM64_PAGE_TABLE_H
#define KERNEL_ARCH_ARM64_PAGE_TABLE_H

#include "kernel/arch/arm64/mmu_bits.h"
#include "kernel/mm/page.h"
#include "kernel/types.h"

/* One lowest-level table covers 2 MiB: where the one for `address` ends. */
static inline user_addr_t page_table_span_end(user_addr_t address)
{
	return ALIGN_DOWN(address, 512 * PAGE_SIZE) + 512 * PAGE_SIZE;
}

struct page_table {
	struct page *root;
	uint64_t asid;  /* with a generation above the low 16 bits; 0: none given yet */
	uint32_t pages; /* that the tables themselves take */
};

/* 0 or -ENOMEM. */
int page_table_create(struct page_table *table);

/*
 * Nothing will run on it any more: its TLB entries need no flush, since its ASID is not used again
 * before all of them are. Not the active one.
 */
static inline void page_table_retire(struct page_table *table)
{
	table->asid = 0;
}

/* Frees the tables; the pages that they map are the caller's business. Not the active one. */
void page_table_destroy(struct page_table *table);

/*
 * The entry for `address`, NULL when its table is not there; or, with `create`, when memory is out.
 */
uint64_t *page_table_entry(struct page_table *table, user_addr_t address, bool create);

/*
 * An entry for the physical page: `protection` is PROT_*; PROT_WRITE counts only when `writable`.
 */
uint64_t page_table_make_entry(phys_addr_t page, uint32_t protection, bool writable);

static inline bool entry_present(uint64_t entry)
{
	return entry & PTE_VALID;
}

static inline bool entry_writable(uint64_t entry)
{
	return (entry & (PTE_USER | PTE_READ_ONLY)) == PTE_USER;
}

static inline bool entry_executable(uint64_t entry)
{
	return !(entry & PTE_USER_NO_EXEC);
}

static inline struct page *entry_page(uint64_t entry)
{
	return phys_to_page(entry & PTE_ADDRESS_MASK);
}

/* Makes it the processor's, giving it an ASID if needed. NULL: no user memory at all. */
void page_table_activate(struct page_table *table);

/*
 * After entries of [start, end) were changed or removed. New entries where there were none need
 * page_table_sync alone.
 */
void page_table_flush(struct page_table *table, user_addr_t start, user_addr_t end);
void page_table_sync(void);

/*
 * Makes what was written to a page fetchable as instructions, if that was not done since
 * page_modified.
 */
void page_sync_instructions(struct page *page);

#endif
