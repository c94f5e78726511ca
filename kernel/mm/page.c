/*
 * The page allocator: buddies.
 *
 * Free memory is kept as blocks of 2^order pages, aligned to their size, in one list for each
 * order. A block that is too large is halved; a freed block is joined with its buddy (the other
 * half of the block twice its size) when that is free too. Single pages, which is nearly all that
 * anybody wants, go through a stack of pages lately freed, whose bytes are likely in the cache
 * still.
 *
 * Allocation never waits. Softirqs are kept out: they allocate too.
 */
#include "kernel/mm/page.h"
#include "kernel/arch/arm64/layout.h"
#include "kernel/printk.h"
#include "kernel/softirq.h"

#define RECENT_MAX 128  /* pages kept in the stack */
#define RECENT_BATCH 32 /* pages moved between the stack and the lists at once */

static struct {
	struct page *pages;                   /* of every page from `start` on */
	phys_addr_t start, end;               /* physical */
	struct page free[PAGE_ORDER_MAX + 1]; /* list heads: only next and prev are used */
	struct page *recent;                  /* by `next` */
	uint32_t recent_count;
	uint64_t total, free_count; /* pages; those in the stack are free */
} memory;

phys_addr_t page_to_phys(const struct page *page)
{
	return memory.start + ((uint64_t)(page - memory.pages) << PAGE_SHIFT);
}

struct page *phys_to_page(phys_addr_t phys)
{
	return &memory.pages[(phys - memory.start) >> PAGE_SHIFT];
}

void *phys_to_virt(phys_addr_t phys)
{
	return (void *)(LINEAR_WINDOW + phys);
}

phys_addr_t virt_to_phys(const void *linear_address)
{
	return (uint64_t)linear_address - LINEAR_WINDOW;
}

void *page_address(const struct page *page)
{
	return phys_to_virt(page_to_phys(page));
}

struct page *page_of(const void *linear_address)
{
	return phys_to_page(virt_to_phys(linear_address));
}

static void list_insert(struct page *page, uint32_t order)
{
	struct page *head = &memory.free[order];

	page->order = (uint16_t)order;
	page->flags = PAGE_FREE;
	page->prev = head;
	page->next = head->next;
	head->next->prev = page;
	head->next = page;
}

/* The free lists are circular, which the analyser cannot know. */
static void list_take(struct page *page)
{
	page->prev->next = page->next;
	page->next->prev = page->prev; /* NOLINT(clang-analyzer-core.NullDereference) */
	page->flags = 0;
}

/* The other half of the block that `page` and it would make, when that is wholly free; or NULL. */
static struct page *free_buddy(struct page *page, uint32_t order)
{
	phys_addr_t phys = page_to_phys(page) ^ (PAGE_SIZE << order);

	if (phys < memory.start || phys + (PAGE_SIZE << order) > memory.end)
		return NULL;
	struct page *buddy = phys_to_page(phys);
	return (buddy->flags & PAGE_FREE) && buddy->order == order ? buddy : NULL;
}

static void free_block(struct page *page, uint32_t order)
{
	struct page *buddy;

	while (order < PAGE_ORDER_MAX && (buddy = free_buddy(page, order))) {
		list_take(buddy);
		page = MIN(page, buddy);
		order++;
	}
	list_insert(page, order);
}

static struct page *take_block(uint32_t order)
{
	uint32_t from = order;

	while (from <= PAGE_ORDER_MAX && memory.free[from].next == &memory.free[from])
		from++;
	if (from > PAGE_ORDER_MAX)
		return NULL;
	struct page *page = memory.free[from].next;
	list_take(page);
	while (from > order) {
		from--;
		list_insert(page + (1ul << from), from);
	}
	page->order = (uint16_t)order;
	return page;
}

static void recent_push(struct page *page)
{
	page->next = memory.recent;
	memory.recent = page;
	memory.recent_count++;
}

static struct page *recent_pop(void)
{
	struct page *page = memory.recent;

	memory.recent = page->next;
	memory.recent_count--;
	return page;
}

static void recent_fill(void)
{
	struct page *page;

	while (memory.recent_count < RECENT_BATCH && (page = take_block(0)))
		recent_push(page);
}

static void recent_drain(uint32_t keep)
{
	while (memory.recent_count > keep)
		free_block(recent_pop(), 0);
}

struct page *page_alloc(void)
{
	struct page *page = NULL;

	softirq_disable();
	if (!memory.recent)
		recent_fill();
	if (memory.recent) {
		page = recent_pop();
		page->references = 1;
		page->flags = 0;
		page->owner = NULL;
		memory.free_count--;
	}
	softirq_enable();
	return page;
}

struct page *page_alloc_zeroed(void)
{
	struct page *page = page_alloc();

	if (page)
		page_clear(page_address(page));
	return page;
}

struct page *page_alloc_order(uint32_t order)
{
	if (order == 0)
		return page_alloc();
	if (order > PAGE_ORDER_MAX)
		return NULL;
	softirq_disable();
	struct page *page = take_block(order);
	if (!page) {
		recent_drain(0); /* these may be what keeps blocks apart */
		page = take_block(order);
	}
	if (page) {
		page->references = 1;
		page->owner = NULL;
		memory.free_count -= 1ul << order;
	}
	softirq_enable();
	return page;
}

void page_get(struct page *page)
{
	softirq_disable();
	page->references++;
	softirq_enable();
}

void page_put(struct page *page)
{
	softirq_disable();
	assert_always(page->references > 0);
	if (--page->references == 0) {
		memory.free_count += 1ul << page->order;
		if (page->order > 0) {
			free_block(page, page->order);
		} else {
			recent_push(page);
			if (memory.recent_count > RECENT_MAX)
				recent_drain(RECENT_MAX - RECENT_BATCH);
		}
	}
	softirq_enable();
}

struct page_statistics page_statistics(void)
{
	return (struct page_statistics){.total = memory.total, .free = memory.free_count};
}

void page_init(struct page *pages, phys_addr_t start, phys_addr_t end)
{
	memory.pages = pages;
	memory.start = start;
	memory.end = end;
	for (uint32_t order = 0; order <= PAGE_ORDER_MAX; order++)
		memory.free[order].next = memory.free[order].prev = &memory.free[order];
}

/* The largest block that begins at `start`, is aligned to its size and ends by `end`. */
static uint32_t largest_order(phys_addr_t start, phys_addr_t end)
{
	uint32_t order = PAGE_ORDER_MAX;

	while (order > 0 &&
	       (!IS_ALIGNED(start, PAGE_SIZE << order) || start + (PAGE_SIZE << order) > end))
		order--;
	return order;
}

void page_free_range(phys_addr_t start, phys_addr_t end)
{
	start = ALIGN_UP(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	softirq_disable();
	while (start < end) {
		uint32_t order = largest_order(start, end);
		free_block(phys_to_page(start), order);
		memory.total += 1ul << order;
		memory.free_count += 1ul << order;
		start += PAGE_SIZE << order;
	}
	softirq_enable();
}
