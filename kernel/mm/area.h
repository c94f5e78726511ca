/*
 * Inside an address space: its areas, sorted by address, none overlapping. mm/'s own.
 */
#ifndef KERNEL_MM_AREA_H
#define KERNEL_MM_AREA_H

#include "kernel/arch/arm64/page_table.h"
#include "kernel/mm/vm.h"

#define USER_ADDRESS_START 0x10000ull /* nothing below is ever mapped */
#define AREAS_MAX 65536

#define AREA_SHARED 1u /* writes are seen by all who map the same pages */
#define AREA_STACK 2u
#define AREA_NEVER_WRITE 4u /* shared, and the file was not opened for writing */

struct area {
	user_addr_t start, end; /* page-aligned */
	uint32_t protection;    /* PROT_* */
	uint32_t flags;         /* AREA_* */
	struct inode *inode;    /* with a reference; NULL: private zeroes */
	uint64_t offset;        /* of `start` in the inode */
};

struct vm {
	uint32_t references;
	struct page_table table;
	struct area *areas;
	uint32_t area_count, area_capacity;
	user_addr_t heap_start, heap_end;
	uint64_t resident; /* pages */
};

/* The index of the first area that ends above `address`; area_count when none does. */
uint32_t area_index(const struct vm *vm, user_addr_t address);

/* The area that holds `address`, or NULL. Valid until areas are next changed. */
struct area *area_find(struct vm *vm, user_addr_t address);

/* True when nothing is mapped in [start, end). */
bool area_range_free(const struct vm *vm, user_addr_t start, user_addr_t end);

/* True when all of [start, end) is mapped. */
bool area_range_mapped(const struct vm *vm, user_addr_t start, user_addr_t end);

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

/* Page-aligned, and all of it where a process may have memory. */
bool area_range_valid(user_addr_t start, uint64_t length);

#endif
