/* kmalloc and pages from the C library, counted, with failures on demand. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/lock.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page.h"
#include "kernel/printk.h"
#include "test/host/services/host.h"
#include "test/host/services/internal.h"

#define UNALIGNED_MAX 96 /* bytes; what is larger begins with a cache line */

/* Changed atomically: any thread allocates. */
static uint64_t live, made, live_bytes;
static uint64_t fail_first, fail_last; /* these of `made` fail; first 0: none */

static bool allocation_fails(void)
{
	uint64_t n = __atomic_add_fetch(&made, 1, __ATOMIC_RELAXED);
	uint64_t first = __atomic_load_n(&fail_first, __ATOMIC_RELAXED);

	if (first && n >= first && n <= __atomic_load_n(&fail_last, __ATOMIC_RELAXED))
		return true;
	__atomic_add_fetch(&live, 1, __ATOMIC_RELAXED);
	return false;
}

static void allocation_freed(uint64_t bytes)
{
	__atomic_sub_fetch(&live, 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&live_bytes, bytes, __ATOMIC_RELAXED);
}

static void count_bytes(uint64_t bytes)
{
	__atomic_add_fetch(&live_bytes, bytes, __ATOMIC_RELAXED);
}

uint64_t host_allocations_live(void)
{
	return __atomic_load_n(&live, __ATOMIC_RELAXED);
}

uint64_t host_bytes_live(void)
{
	return __atomic_load_n(&live_bytes, __ATOMIC_RELAXED);
}

uint64_t host_allocations_made(void)
{
	return __atomic_load_n(&made, __ATOMIC_RELAXED);
}

static void fail_allocations(uint64_t first, uint64_t last)
{
	__atomic_store_n(&made, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&fail_last, last, __ATOMIC_RELAXED);
	__atomic_store_n(&fail_first, first, __ATOMIC_RELAXED);
}

void host_fail_allocation(uint64_t nth)
{
	fail_allocations(nth, nth);
}

void host_fail_allocations_from(uint64_t nth)
{
	fail_allocations(nth, UINT64_MAX);
}

/* With the alignment that kmalloc.h promises. */
static void *allocate(size_t size)
{
	void *memory = NULL;

	if (size <= UNALIGNED_MAX)
		memory = malloc(size ? size : 1);
	else if (posix_memalign(&memory, CACHE_LINE, size))
		memory = NULL;
	if (!memory)
		panic("the host has no memory left");
	count_bytes(malloc_usable_size(memory));
	return memory;
}

void *kmalloc(size_t size)
{
	if (host_slabs_in_use())
		return host_slab_alloc(size);
	return allocation_fails() ? NULL : allocate(size);
}

void *kzalloc(size_t size)
{
	void *memory = kmalloc(size);

	if (memory)
		memset(memory, 0, size);
	return memory;
}

void kfree(void *memory)
{
	if (!memory)
		return;
	if (host_slabs_in_use()) {
		host_slab_free(memory);
		return;
	}
	allocation_freed(malloc_usable_size(memory));
	free(memory);
}

/* Powers of two, which is roughly what the kernel's classes are. */
size_t kmalloc_size(size_t size)
{
	return size <= 16 ? 16 : 1ull << (64 - __builtin_clzll(size - 1));
}

/*
 * A block of pages: its struct page stands in front of it, on a page of its own, so that both
 * are found by arithmetic.
 */
static struct page *new_block(uint32_t order)
{
	char *block = aligned_alloc(PAGE_SIZE << order, 2 * (PAGE_SIZE << order));

	if (!block)
		panic("the host has no memory left");
	struct page *page = (struct page *)(block + (PAGE_SIZE << order) - sizeof(*page));

	memset(page, 0, sizeof(*page));
	page->order = (uint8_t)order;
	page->owner = block;
	return page;
}

/* With host_use_slabs: freed blocks of each order, by `next`, instead of the C library's memory. */
static _Thread_local struct page *free_pages[PAGE_ORDER_MAX + 1];

static struct page *take_block(uint32_t order)
{
	struct page *page = free_pages[order];

	if (!page)
		return new_block(order);
	free_pages[order] = page->next;
	return page;
}

static void free_block(struct page *page)
{
	if (!host_slabs_in_use()) {
		free(page->owner);
		return;
	}
	page->next = free_pages[page->order];
	free_pages[page->order] = page;
}

struct page *page_alloc_order(uint32_t order)
{
	if (order > PAGE_ORDER_MAX || allocation_fails())
		return NULL;
	struct page *page = take_block(order);

	page->references = 1;
	count_bytes(PAGE_SIZE << order);
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
		memset(page_address(page), 0, PAGE_SIZE);
	return page;
}

void page_get(struct page *page)
{
	__atomic_add_fetch(&page->references, 1, __ATOMIC_RELAXED);
}

void page_put(struct page *page)
{
	uint32_t left = __atomic_sub_fetch(&page->references, 1, __ATOMIC_ACQ_REL);

	assert_always(left != UINT32_MAX);
	if (left)
		return;
	allocation_freed(PAGE_SIZE << page->order);
	free_block(page);
}

void *page_address(const struct page *page)
{
	return (char *)(uintptr_t)page + sizeof(*page);
}

struct page *page_of(const void *linear_address)
{
	return (struct page *)ALIGN_DOWN((uintptr_t)linear_address, PAGE_SIZE) - 1;
}

phys_addr_t virt_to_phys(const void *linear_address)
{
	return (uintptr_t)linear_address;
}

void *phys_to_virt(phys_addr_t phys)
{
	return (void *)(uintptr_t)phys;
}

phys_addr_t page_to_phys(const struct page *page)
{
	return virt_to_phys(page_address(page));
}

struct page *phys_to_page(phys_addr_t phys)
{
	return page_of(phys_to_virt(phys));
}

struct page_statistics page_statistics(void)
{
	return (struct page_statistics){.total = 1 << 20, .free = 1 << 19};
}
