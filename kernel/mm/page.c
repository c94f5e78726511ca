/*
 * The page allocator: buddies.
 *
 * Free memory is kept as blocks of 2^order pages, aligned to their size, in one list for each
 * order. A block that is too large is halved; a freed block is joined with its buddy (the other
 * half of the block twice its size) when that is free too. Single pages and small blocks, which is
 * nearly all that anybody wants, go through stacks of those lately freed, one for each order, whose
 * bytes are likely in the cache still.
 *
 * Allocation never waits. Softirqs are kept out: they allocate too.
 */
#include "kernel/mm/page.h"
#include "kernel/arch/arm64/layout.h"
#include "kernel/printk.h"
#include "kernel/softirq.h"

#define RECENT_ORDERS 4 /* of blocks that have a stack */
#define RECENT_BATCH 4  /* part of a stack that is moved between it and the lists at once: 1/4 */

/* Memory is scarce when one page in so many is free, and the rest is the kernel's own. */
#define SCARCE_SHARE 32
#define RESERVE_SHARE 64
#define LAST_SHARE 256

static const uint32_t recent_max[RECENT_ORDERS] = {128, 64, 64, 32}; /* blocks */

static struct {
	struct page *pages;                   /* of every page from `start` on */
	phys_addr_t start, end;               /* physical */
	struct page free[PAGE_ORDER_MAX + 1]; /* list heads: only next and prev are used */
	struct {
		struct page *first; /* by `next` */
		uint32_t count;     /* blocks */
	} recent[RECENT_ORDERS];
	uint64_t total, free_count; /* pages; those in the stacks are free */
	uint64_t used[PAGE_USES];   /* pages */
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

	page->order = (uint8_t)order;
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
	page->order = (uint8_t)order;
	return page;
}

static void recent_push(struct page *page, uint32_t order)
{
	page->next = memory.recent[order].first;
	memory.recent[order].first = page;
	memory.recent[order].count++;
}

static struct page *recent_pop(uint32_t order)
{
	struct page *page = memory.recent[order].first;

	memory.recent[order].first = page->next;
	memory.recent[order].count--;
	return page;
}

static void recent_fill(uint32_t order)
{
	struct page *page;

	while (memory.recent[order].count < recent_max[order] / RECENT_BATCH &&
	       (page = take_block(order)))
		recent_push(page, order);
}

static void recent_drain(uint32_t order, uint32_t keep)
{
	while (memory.recent[order].count > keep)
		free_block(recent_pop(order), order);
}

/* What the stacks keep may be what keeps blocks apart. */
static void recent_drain_all(void)
{
	for (uint32_t order = 0; order < RECENT_ORDERS; order++)
		recent_drain(order, 0);
}

static struct page *take_any(uint32_t order)
{
	if (order >= RECENT_ORDERS)
		return take_block(order);
	if (!memory.recent[order].first)
		recent_fill(order);
	return memory.recent[order].first ? recent_pop(order) : NULL;
}

struct page *page_alloc_order(uint32_t order)
{
	if (order > PAGE_ORDER_MAX)
		return NULL;
	softirq_disable();
	struct page *page = take_any(order);

	if (!page) {
		recent_drain_all();
		page = take_any(order);
	}
	if (page) {
		page->references = 1;
		page->flags = 0;
		page->owner = NULL;
		page->use = PAGE_USE_OTHER;
		memory.used[PAGE_USE_OTHER] += 1ul << order;
		memory.free_count -= 1ul << order;
	}
	softirq_enable();
	return page;
}

struct page *page_alloc(void)
{
	return page_alloc_order(0);
}

struct page *page_alloc_zeroed(void)
{
	struct page *page = page_alloc();

	if (page)
		page_clear(page_address(page));
	return page;
}

static void free_page(struct page *page)
{
	uint32_t order = page->order;

	softirq_disable();
	memory.used[page->use] -= 1ul << order;
	memory.free_count += 1ul << order;
	if (order >= RECENT_ORDERS) {
		free_block(page, order);
	} else {
		recent_push(page, order);
		if (memory.recent[order].count > recent_max[order])
			recent_drain(order, recent_max[order] - recent_max[order] / RECENT_BATCH);
	}
	softirq_enable();
}

void page_set_use(struct page *page, enum page_use use)
{
	softirq_disable();
	memory.used[page->use] -= 1ul << page->order;
	memory.used[use] += 1ul << page->order;
	softirq_enable();
	page->use = (uint8_t)use;
}

/* Interrupts hold references too. */
void page_get(struct page *page)
{
	__atomic_add_fetch(&page->references, 1, __ATOMIC_RELAXED);
}

void page_put(struct page *page)
{
	uint32_t left = __atomic_sub_fetch(&page->references, 1, __ATOMIC_RELAXED);

	assert_always(left != UINT32_MAX);
	if (left == 0)
		free_page(page);
}

struct page_statistics page_statistics(void)
{
	struct page_statistics statistics = {.total = memory.total, .free = memory.free_count};

	for (uint32_t use = 0; use < PAGE_USES; use++)
		statistics.used[use] = memory.used[use];
	return statistics;
}

enum page_pressure page_pressure(void)
{
	if (memory.free_count > memory.total / SCARCE_SHARE)
		return PAGES_PLENTY;
	if (memory.free_count > memory.total / RESERVE_SHARE)
		return PAGES_SCARCE;
	return memory.free_count > memory.total / LAST_SHARE ? PAGES_RESERVED : PAGES_LAST;
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
