/*
 * Memory for arguments: pages that can be written, followed by others that cannot, in all the ways
 * there are, and room where mappings come and go.
 */
#include "test/qemu/storm/storm.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ul
#define START 0x20000000ul

/* Pages from START on. */
#define WRITABLE 16  /* [0, 16); always there */
#define FORBIDDEN 18 /* [16, 18) */
#define READABLE 20  /* [18, 20) */
#define BEYOND 22    /* [20, 22): of a file that has half a page */
#define HOLE 24      /* [22, 24): nothing */
#define PLACES 64    /* [24, 64): for mmap, munmap, mprotect, mremap */

static uint32_t next_scratch;

static uint8_t *page(uint64_t number)
{
	return (uint8_t *)(START + number * PAGE);
}

static void map(uint64_t first, uint64_t end, int protection, int fd)
{
	int flags = MAP_FIXED | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);

	if (mmap(page(first), (end - first) * PAGE, protection, flags, fd, 0) == MAP_FAILED)
		_exit(3);
}

void arena_prepare(struct dice *dice)
{
	int fd = memfd_create("storm", 0);

	if (fd < 0 || ftruncate(fd, PAGE / 2))
		_exit(3);
	map(0, WRITABLE, PROT_READ | PROT_WRITE, -1);
	map(WRITABLE, FORBIDDEN, PROT_NONE, -1);
	map(FORBIDDEN, READABLE, PROT_READ, -1);
	map(READABLE, BEYOND, PROT_READ | PROT_WRITE, fd);
	map(HOLE, PLACES, PROT_READ | PROT_WRITE, -1);
	close(fd);
	arena_refill(dice);
}

void arena_refill(struct dice *dice)
{
	uint64_t *words = (uint64_t *)page(0);

	for (uint32_t i = 0; i < 64; i++)
		words[dice_below(dice, WRITABLE * PAGE / sizeof(*words))] =
			dice_one_in(dice, 2) ? dice_below(dice, 64) : dice_bits(dice);
}

uint64_t arena_strange(struct dice *dice)
{
	static const uint64_t addresses[] = {
		0,
		1,
		8,
		PAGE - 4,
		0x7ffffff000,
		0x7fffffeff8,
		0x8000000000,
		1ull << 48,
		0xffffff8040000000,
		~0ull,
		~0ull - 7,
		1ull << 63,
		0x4142434445,
		0x7fffffffff,
	};

	return addresses[dice_below(dice, COUNT(addresses))];
}

uint64_t arena_place(struct dice *dice)
{
	return (uint64_t)page(HOLE + dice_below(dice, PLACES - HOLE));
}

uint64_t arena_any(struct dice *dice)
{
	switch (dice_below(dice, 16)) {
	case 0:
		return arena_strange(dice);
	case 1:
		return (uint64_t)page(WRITABLE) - 1 - dice_below(dice, 64); /* runs into the end */
	case 2:
		return (uint64_t)page(WRITABLE + dice_below(dice, HOLE - WRITABLE)) - 8;
	case 3:
	case 4:
		return arena_place(dice) + dice_below(dice, PAGE);
	case 5:
		return (uint64_t)page(0) + dice_below(dice, WRITABLE * PAGE); /* misaligned */
	default:
		return (uint64_t)page(0) + (dice_below(dice, WRITABLE * PAGE) & ~15u);
	}
}

uint64_t arena_put(struct dice *dice, const void *bytes, size_t size)
{
	uint32_t turn = __atomic_fetch_add(&next_scratch, 1, __ATOMIC_RELAXED);
	uint8_t *to = page(turn % (WRITABLE - 1));

	switch (dice_below(dice, 16)) {
	case 0:
		return arena_any(dice);
	case 1: /* only its beginning can be read */
		size = dice_below(dice, (uint32_t)size);
		to = page(WRITABLE) - size;
		break;
	case 2: /* misaligned, as packed structures are */
		to += dice_below(dice, 16);
		break;
	default:
		to += dice_below(dice, 8) * 256;
	}
	memcpy(to, bytes, size);
	return (uint64_t)to;
}
