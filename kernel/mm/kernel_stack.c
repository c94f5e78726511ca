/*
 * Kernel stacks. Each has a slot of twice its size in a window of its own and fills the slot's
 * upper half, so that running off it hits a hole, and one bit of the stack pointer tells (entry.S).
 *
 * A few freed stacks are kept as they are for the next thread. They are chained through their
 * lowest word.
 */
#include "kernel/arch/arm64/context.h"
#include "kernel/arch/arm64/layout.h"
#include "kernel/arch/arm64/mmu.h"
#include "kernel/mm/page.h"

#define SLOT_SIZE (2 * KERNEL_STACK_SIZE)
#define SLOTS_MAX 4096
#define STACK_PAGES (KERNEL_STACK_SIZE / PAGE_SIZE)
#define KEPT_MAX 16

/* Process context. */
static void *kept;
static uint32_t kept_count;
static uint16_t free_slots[SLOTS_MAX]; /* given back */
static uint32_t free_slot_count;
static uint32_t used_slot_count; /* slots from here on were never used */

static uint64_t slot_stack(uint32_t slot)
{
	return STACK_WINDOW + (uint64_t)slot * SLOT_SIZE + KERNEL_STACK_SIZE;
}

static void unmap_stack(uint32_t slot, uint32_t pages)
{
	struct page *page[STACK_PAGES];

	for (uint32_t i = 0; i < pages; i++)
		page[i] = mmu_mapped_page(slot_stack(slot) + i * PAGE_SIZE);
	mmu_unmap_pages(slot_stack(slot), pages * PAGE_SIZE);
	for (uint32_t i = 0; i < pages; i++)
		page_put(page[i]);
	free_slots[free_slot_count++] = (uint16_t)slot;
}

static void *map_stack(uint32_t slot)
{
	for (uint32_t i = 0; i < STACK_PAGES; i++) {
		struct page *page = page_alloc();
		if (page && mmu_map(slot_stack(slot) + i * PAGE_SIZE, page_to_phys(page), PAGE_SIZE,
				    MMU_KERNEL_DATA) == 0) {
			page_set_use(page, PAGE_USE_STACK);
			continue;
		}
		if (page)
			page_put(page);
		unmap_stack(slot, i);
		return NULL;
	}
	return (void *)slot_stack(slot);
}

void *kernel_stack_alloc(void)
{
	if (kept) {
		void *stack = kept;
		kept = *(void **)stack;
		kept_count--;
		return stack;
	}
	if (free_slot_count > 0)
		return map_stack(free_slots[--free_slot_count]);
	if (used_slot_count == SLOTS_MAX)
		return NULL;
	return map_stack(used_slot_count++);
}

void kernel_stack_free(void *stack)
{
	if (kept_count < KEPT_MAX) {
		*(void **)stack = kept;
		kept = stack;
		kept_count++;
		return;
	}
	unmap_stack((uint32_t)(((uint64_t)stack - STACK_WINDOW) / SLOT_SIZE), STACK_PAGES);
}
