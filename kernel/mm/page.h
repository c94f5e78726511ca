/*
 * Physical pages: reference-counted, found from their address and the other way round.
 *
 * Every page of RAM has a `struct page`. A page is freed when its last reference goes. The file
 * system's pages, a process's pages and an sk_buff's fragments are all these.
 */
#ifndef KERNEL_MM_PAGE_H
#define KERNEL_MM_PAGE_H

#include "kernel/types.h"

typedef uint64_t phys_addr_t;

struct page {
	uint32_t references; /* 0: free */
	uint8_t order;       /* of the block that starts here: 2^order pages */
	uint8_t use;         /* enum page_use */
	uint16_t flags;      /* PAGE_*, below */
	struct page *next;   /* the allocator's free lists and kmalloc's slabs */
	struct page *prev;
	void *owner; /* kmalloc's slab, or NULL */
};

/*
 * One page with one reference, contents undefined; NULL when memory is out. Any context but hard
 * interrupt.
 */
struct page *page_alloc(void) __must_check;
struct page *page_alloc_zeroed(void) __must_check;

/* 2^order contiguous pages, freed as one by the last page_put of the first. */
struct page *page_alloc_order(uint32_t order) __must_check;

#define PAGE_ORDER_MAX 10 /* 4 MiB */

/* page->flags */
#define PAGE_FREE 1u                /* heads a free block of the allocator's */
#define PAGE_INSTRUCTIONS_SYNCED 2u /* what it holds can be fetched as instructions */

/* Whoever writes to a page of a file says so, in case it is mapped as code. */
static inline void page_modified(struct page *page)
{
	page->flags &= (uint16_t)~PAGE_INSTRUCTIONS_SYNCED;
}

/* What allocated pages hold, for /proc/meminfo: counted from page_set_use until they are freed. */
enum page_use {
	PAGE_USE_OTHER,     /* the network's packets and rings, large kmallocs */
	PAGE_USE_ANONYMOUS, /* private memory of processes */
	PAGE_USE_FILE,      /* the file system's, shared anonymous memory among them */
	PAGE_USE_TABLE,     /* page tables of processes */
	PAGE_USE_STACK,     /* kernel stacks */
	PAGE_USE_SLAB,      /* kmalloc's classes */
	PAGE_USES,
};
void page_set_use(struct page *page, enum page_use use);

void page_get(struct page *page);
void page_put(struct page *page);

/* Where the kernel sees the page's bytes: the linear map. */
void *page_address(const struct page *page);
struct page *page_of(const void *linear_address);

/* Addresses as devices see them. */
phys_addr_t page_to_phys(const struct page *page);
struct page *phys_to_page(phys_addr_t phys);
phys_addr_t virt_to_phys(const void *linear_address);
void *phys_to_virt(phys_addr_t phys);

/* Zeroes one page. */
void page_clear(void *page_address);

struct page_statistics {
	uint64_t total, free; /* pages */
	uint64_t used[PAGE_USES];
};
struct page_statistics page_statistics(void);

/*
 * How near the end of memory is. The file system stops growing first (inode.c); then processes get
 * no more pages without one of them being ended (kernel/proc/oom.h); the last part is the kernel's
 * own, so that system calls of the others and the network go on meanwhile. PAGES_LAST: of that,
 * too, most is gone.
 */
enum page_pressure { PAGES_PLENTY, PAGES_SCARCE, PAGES_RESERVED, PAGES_LAST };
enum page_pressure page_pressure(void);

/*
 * Boot: the allocator gets an array with a zeroed `struct page` for each page of [start, end), then
 * the ranges that are free. Also what gives back memory that the boot alone needed: the initramfs.
 * Only whole pages inside the range count.
 */
void page_init(struct page *pages, phys_addr_t start, phys_addr_t end);
void page_free_range(phys_addr_t start, phys_addr_t end);

#endif
