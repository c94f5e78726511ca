/*
 * The pages of a file: see page_index.h.
 *
 * Two levels: leaves of LEAF_PAGES pages (2 MiB), and an array of leaves, which doubles as the file
 * grows. For the largest file that there may be, 1 TiB, it takes 4 MiB.
 */
#include "kernel/fs/page_index.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"

#define LEAF_PAGES (PAGE_SIZE / sizeof(struct page *))
#define SLOTS_MIN 4

/* The leaf with this number and how many slots it has; NULL: none. */
static struct page **leaf_at(const struct page_index *index, uint64_t leaf, uint64_t *slots)
{
	*slots = leaf == 0 ? index->first_slots : LEAF_PAGES;
	if (leaf == 0)
		return index->first;
	return leaf < index->leaf_slots ? index->leaves[leaf] : NULL;
}

struct page *page_index_get(const struct page_index *index, uint64_t number)
{
	uint64_t slots;
	struct page **leaf = leaf_at(index, number / LEAF_PAGES, &slots);

	return leaf && number % LEAF_PAGES < slots ? leaf[number % LEAF_PAGES] : NULL;
}

/* The array with room for slot `wanted`, doubled as often as it takes; NULL: no memory. */
static void *grow(void *array, uint64_t *slots, uint64_t wanted)
{
	uint64_t more = MAX(*slots, (uint64_t)SLOTS_MIN);
	void *grown;

	if (wanted < *slots)
		return array;
	while (more <= wanted)
		more *= 2;
	grown = kzalloc(more * sizeof(void *));
	if (!grown)
		return NULL;
	if (array)
		memcpy(grown, array, *slots * sizeof(void *));
	kfree(array);
	*slots = more;
	return grown;
}

static struct page **grow_first(struct page_index *index, uint64_t number)
{
	uint64_t slots = index->first_slots;
	struct page **first = grow(index->first, &slots, number);

	if (!first)
		return NULL;
	index->first = first;
	index->first_slots = (uint32_t)slots;
	return &first[number];
}

static struct page **make_slot(struct page_index *index, uint64_t number)
{
	uint64_t leaf = number / LEAF_PAGES;
	struct page ***leaves;

	if (leaf == 0)
		return grow_first(index, number);
	leaves = grow(index->leaves, &index->leaf_slots, leaf);
	if (!leaves)
		return NULL;
	index->leaves = leaves;
	if (!leaves[leaf])
		leaves[leaf] = kzalloc(LEAF_PAGES * sizeof(struct page *));
	return leaves[leaf] ? &leaves[leaf][number % LEAF_PAGES] : NULL;
}

int page_index_put(struct page_index *index, uint64_t number, struct page *page)
{
	struct page **slot = make_slot(index, number);

	if (!slot)
		return -ENOMEM;
	*slot = page;
	index->count++;
	return 0;
}

static uint64_t leaf_count(const struct page_index *index)
{
	return MAX(index->leaf_slots, 1ull);
}

uint64_t page_index_next(const struct page_index *index, uint64_t number)
{
	uint64_t at = number % LEAF_PAGES;

	for (uint64_t leaf = number / LEAF_PAGES; leaf < leaf_count(index); leaf++, at = 0) {
		uint64_t slots;
		struct page **pages = leaf_at(index, leaf, &slots);

		for (; pages && at < slots; at++)
			if (pages[at])
				return leaf * LEAF_PAGES + at;
	}
	return PAGE_INDEX_NONE;
}

static void remove_from_leaf(struct page_index *index, struct page **pages, uint64_t first,
			     uint64_t end)
{
	for (uint64_t at = first; at < end; at++) {
		if (!pages[at])
			continue;
		page_put(pages[at]);
		pages[at] = NULL;
		index->count--;
	}
}

void page_index_remove(struct page_index *index, uint64_t first, uint64_t end)
{
	end = MIN(end, leaf_count(index) * LEAF_PAGES);
	for (uint64_t next; first < end; first = next) {
		uint64_t leaf = first / LEAF_PAGES, slots, from = first % LEAF_PAGES;
		struct page **pages = leaf_at(index, leaf, &slots);

		next = MIN((leaf + 1) * LEAF_PAGES, end);
		if (!pages)
			continue;
		remove_from_leaf(index, pages, from, MIN(from + next - first, slots));
		if (leaf > 0 && next - first == LEAF_PAGES) {
			kfree(pages);
			index->leaves[leaf] = NULL;
		}
	}
}

void page_index_free(struct page_index *index)
{
	page_index_remove(index, 0, UINT64_MAX);
	kfree(index->first);
	for (uint64_t leaf = 1; leaf < index->leaf_slots; leaf++)
		kfree(index->leaves[leaf]);
	kfree(index->leaves);
	*index = (struct page_index){0};
}
