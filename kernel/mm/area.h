/*
 * Inside an address space: its areas, sorted by address, none overlapping. mm/'s own.
 */
#ifndef KERNEL_MM_AREA_H
#define KERNEL_MM_AREA_H

#include "include/uapi/mman.h"
#include "kernel/arch/arm64/page_table.h"
#include "kernel/list.h"
#include "kernel/mm/vm.h"

#define USER_ADDRESS_START 0x10000ull /* nothing below is ever mapped */
#define AREAS_MAX 65536

#define AREA_SHARED 1u /* writes are seen by all who map the same pages */
#define AREA_STACK 2u
#define AREA_NEVER_WRITE 4u        /* shared, and the file was not opened for writing */
#define AREA_NOT_FOR_CHILDREN 8u   /* fork leaves it out: MADV_DONTFORK */
#define AREA_WIPE_FOR_CHILDREN 16u /* a child finds zeroes: MADV_WIPEONFORK */

struct area {
	user_addr_t start, end; /* page-aligned */
	uint32_t protection;    /* PROT_* */
	uint32_t flags;         /* AREA_* */
	struct inode *inode;    /* with a reference; NULL: private zeroes */
	uint64_t offset;        /* of `start` in the inode */
};

struct vm {
	uint32_t references;
	struct list_head link; /* of all spaces */
	struct page_table table;
	struct area *areas;
	uint32_t area_count, area_capacity;
	user_addr_t heap_start, heap_end;
	uint64_t resident, resident_peak; /* pages */
	uint64_t stack_room; /* bytes below a stack's end where nothing else is placed by itself */
	bool lock_future;    /* mlockall(MCL_FUTURE): what is mapped is brought in at once */
};

/* The index of the first area that ends above `address`; area_count when none does. */
uint32_t area_index(const struct vm *vm, user_addr_t address);

/* The area that holds `address`, or NULL. Valid until areas are next changed. */
struct area *area_find(struct vm *vm, user_addr_t address);

/* True when nothing is mapped in [start, end). */
bool area_range_free(const struct vm *vm, user_addr_t start, user_addr_t end);

/* True when all of [start, end) is mapped. */
bool area_range_mapped(const struct vm *vm, user_addr_t start, user_addr_t end);

/* Bytes kept free below a stack that grows, so that running off it faults. */
#define STACK_GUARD (256 * PAGE_SIZE)

/* The highest free range of `length` bytes; 0 when there is none. */
user_addr_t area_find_gap(const struct vm *vm, uint64_t length);

/* Makes room for `extra` more areas, so that what follows cannot fail half-way. 0 or -ENOMEM. */
int area_reserve(struct vm *vm, uint32_t extra) __must_check;

/*
 * Puts a copy of `area` into its place, joined with its neighbours if they are alike; takes over
 * the reference. Room reserved.
 */
void area_insert(struct vm *vm, struct area area);

/* Splits the area in whose inside `address` lies, if there is one. Room for one reserved. */
void area_split(struct vm *vm, user_addr_t address);

/* Joins what has become alike in and around [start, end). */
void area_join(struct vm *vm, user_addr_t start, user_addr_t end);

/* Takes out the area at `index` and drops its reference. */
void area_remove(struct vm *vm, uint32_t index);

/* Which page of its file stands at `address`. */
static inline uint64_t area_file_index(const struct area *area, user_addr_t address)
{
	return (area->offset + (address - area->start)) >> PAGE_SHIFT;
}

/*
 * For loops over a range: whether there is an area `index`, and it begins below `end`.
 */
static inline bool area_begins_below(const struct vm *vm, uint32_t index, user_addr_t end)
{
	return index < vm->area_count && vm->areas[index].start < end;
}

/* Runs `visit` over the entries of [start, end) that are present. */
typedef void entry_visitor(struct vm *vm, uint64_t *entry, const void *context);
void vm_for_each_present(struct vm *vm, user_addr_t start, user_addr_t end, entry_visitor *visit,
			 const void *context);

/* Every address space there is. */
extern struct list_head vm_all;

/*
 * Whether the calling process's RLIMIT_AS, and with `data` RLIMIT_DATA, let the space have so many
 * bytes more.
 */
bool vm_may_grow(const struct vm *vm, uint64_t bytes, bool data);

/* Private and writable, and no stack: what RLIMIT_DATA counts. */
static inline bool area_is_data(const struct area *area)
{
	return (area->protection & PROT_WRITE) && !(area->flags & (AREA_SHARED | AREA_STACK));
}

/*
 * Stretches the stack that begins above `address` down to it, as far as RLIMIT_STACK and its
 * neighbours let it. The area, or NULL.
 */
struct area *area_grow_stack(struct vm *vm, user_addr_t address);

/* The page that stands for all private memory that nobody has written to. It costs nothing. */
bool vm_page_is_zero(const struct page *page);

/* True when the page is memory of processes alone, rather than a file's. */
bool vm_page_is_anonymous(const struct area *area, user_addr_t address, const struct page *page);

/*
 * /proc/sys/vm/writable_code, 1 or 0: areas may be writable and executable, as programs ask that
 * make code while they run. Each of their pages is only one of the two at a time, and changes at
 * the fault that asks for the other.
 */
extern int32_t vm_writable_code;

/* Whether memory may be mapped so. */
static inline bool vm_protection_allowed(uint32_t protection)
{
	const uint32_t both = PROT_WRITE | PROT_EXEC;

	return vm_writable_code || (protection & both) != both;
}

/* What a page of the area gets when it is accessed so: never writable and executable. */
static inline uint32_t area_page_protection(const struct area *area, enum vm_access access)
{
	const uint32_t both = PROT_WRITE | PROT_EXEC;

	if ((area->protection & both) != both)
		return area->protection;
	return area->protection & ~(uint32_t)(access == VM_EXECUTE ? PROT_WRITE : PROT_EXEC);
}

/* Forgets the pages of [start, end) and flushes. */
void vm_drop_pages(struct vm *vm, user_addr_t start, user_addr_t end);

/* After the protection of [start, end) changed: the same for the pages that are there. */
void vm_protect_pages(struct vm *vm, user_addr_t start, user_addr_t end, const struct area *area);

/* Takes areas out of [start, end), which may split two. 0 or -ENOMEM. */
int vm_remove_range(struct vm *vm, user_addr_t start, user_addr_t end);

/*
 * Where a mapping of `length` bytes goes by mmap's rules, emptied if MAP_FIXED. The address or a
 * negative errno.
 */
int64_t vm_place(struct vm *vm, user_addr_t hint, uint64_t length, uint32_t flags);

/*
 * Rounds `length` up to pages. 0; -EINVAL when it is no range of pages; -ENOMEM when not all of it
 * is mapped.
 */
int vm_mapped_range(const struct vm *vm, user_addr_t start, uint64_t *length);

/*
 * Lets others run, if it is their turn, in the middle of bringing in a lot: areas may change.
 * False: a signal waits.
 */
bool vm_may_go_on(void);

/* Whether RLIMIT_MEMLOCK lets the caller lock so many bytes more. */
bool vm_may_lock(uint64_t bytes);

/* Page-aligned, and all of it where a process may have memory. */
bool area_range_valid(user_addr_t start, uint64_t length);

#endif
