/*
 * Where the pages of a file are, by their number in it: nothing is kept for holes, so that a file
 * may be large and all but empty.
 */
#ifndef KERNEL_FS_PAGE_INDEX_H
#define KERNEL_FS_PAGE_INDEX_H

#include "kernel/mm/page.h"
#include "kernel/types.h"

#define PAGE_INDEX_NONE UINT64_MAX /* no page */

/* All zeroes is empty. It holds a reference on each page. */
struct page_index {
	struct page **first; /* the first leaf: most files are small, so it grows */
	uint32_t first_slots;
	struct page ***leaves; /* the others by their number; NULL, and beyond the last: holes */
	uint64_t leaf_slots;
	uint64_t count; /* pages present */
};

/* The page at `number` without a reference, or NULL for a hole. */
struct page *page_index_get(const struct page_index *index, uint64_t number);

/*
 * Takes over the caller's reference; nothing may be there yet. 0, or -ENOMEM and it is not taken.
 */
int page_index_put(struct page_index *index, uint64_t number, struct page *page);

/* The number of the first page at `number` or behind it, or PAGE_INDEX_NONE. */
uint64_t page_index_next(const struct page_index *index, uint64_t number);

/* Gives back the pages with numbers in [first, end). */
void page_index_remove(struct page_index *index, uint64_t first, uint64_t end);

/* Gives back everything. */
void page_index_free(struct page_index *index);

#endif
