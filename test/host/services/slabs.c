/*
 * kmalloc from slabs, as the kernel's is; the C library's malloc takes several times as long for
 * blocks of a packet's size. See host_use_slabs.
 *
 * A slab is 64 KiB at a multiple of its size, so that a block's address leads to it. It is cut into
 * blocks of one size, a number of cache lines. A freed block is the next to be handed out; nothing
 * goes back to the C library.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "kernel/printk.h"
#include "test/host/services/host.h"
#include "test/host/services/internal.h"

#define SLAB_SIZE 65536ull
#define REGION_SIZE (32ull << 20)
#define REGION_ALIGN (2ull << 20)
#define LINES_MAX 64 /* of a block; what is larger has a slab of its own */

struct slab {
	size_t lines; /* of its blocks; 0: it is one large block */
};

struct block {
	struct block *next;
};

static bool in_use;
static _Thread_local struct block *free_blocks[LINES_MAX + 1]; /* by their lines */

void host_use_slabs(void)
{
	in_use = true;
}

bool host_slabs_in_use(void)
{
	return in_use;
}

/*
 * Slabs are cut from regions that the host may map with large pages, as the kernel maps its memory;
 * otherwise much of what a packet costs among many sockets would be walks through page tables.
 */
static char *take_from_region(void)
{
	static _Thread_local char *next, *end;

	if (next == end) {
		next = aligned_alloc(REGION_ALIGN, REGION_SIZE);
		if (!next)
			panic("the host has no memory left");
		end = next + REGION_SIZE;
		(void)madvise(next, REGION_SIZE, MADV_HUGEPAGE); /* a hint */
	}
	char *slab = next;

	next += SLAB_SIZE;
	return slab;
}

static struct slab *make_slab(void)
{
	return (struct slab *)(void *)take_from_region();
}

/* A block of its own. */
static struct slab *make_large(size_t size)
{
	struct slab *slab = aligned_alloc(SLAB_SIZE, ALIGN_UP(size, SLAB_SIZE));

	if (!slab)
		panic("the host has no memory left");
	slab->lines = 0;
	return slab;
}

static char *first_block(struct slab *slab)
{
	return (char *)slab + CACHE_LINE;
}

static void fill_free_blocks(size_t lines)
{
	struct slab *slab = make_slab();
	size_t size = lines * CACHE_LINE;

	slab->lines = lines;
	for (size_t n = (SLAB_SIZE - CACHE_LINE) / size; n > 0; n--) {
		struct block *block = (struct block *)(first_block(slab) + (n - 1) * size);

		block->next = free_blocks[lines];
		free_blocks[lines] = block;
	}
}

void *host_slab_alloc(size_t size)
{
	size_t lines = (MAX(size, 1ul) + CACHE_LINE - 1) / CACHE_LINE;

	if (lines > LINES_MAX)
		return first_block(make_large(size + CACHE_LINE));
	if (!free_blocks[lines])
		fill_free_blocks(lines);
	struct block *block = free_blocks[lines];

	free_blocks[lines] = block->next;
	return block;
}

void host_slab_free(void *memory)
{
	struct slab *slab = (struct slab *)ALIGN_DOWN((uintptr_t)memory, SLAB_SIZE);
	struct block *block = memory;

	if (slab->lines == 0) {
		free(slab);
		return;
	}
	block->next = free_blocks[slab->lines];
	free_blocks[slab->lines] = block;
}
