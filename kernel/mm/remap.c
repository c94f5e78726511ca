/*
 * mremap and brk: ranges that grow, shrink and move.
 */
#include "include/uapi/mman.h"
#include "kernel/errno.h"
#include "kernel/mm/area.h"

/* The tables into which the pages of [from, from + length) go, so that moving them cannot fail. */
static int make_tables(struct vm *vm, user_addr_t from, user_addr_t to, uint64_t length)
{
	for (user_addr_t at = from, end; at < from + length; at = end) {
		end = MIN(from + length, page_table_span_end(at));
		if (!page_table_entry(&vm->table, at, false))
			continue;
		/* A span of the source touches at most two of the target. */
		if (!page_table_entry(&vm->table, to + (at - from), true) ||
		    !page_table_entry(&vm->table, to + (end - PAGE_SIZE - from), true))
			return -ENOMEM;
	}
	return 0;
}

static void move_pages(struct vm *vm, user_addr_t from, user_addr_t to, uint64_t length)
{
	for (user_addr_t at = from; at < from + length;) {
		uint64_t *source = page_table_entry(&vm->table, at, false);
		if (!source) {
			at = page_table_span_end(at);
			continue;
		}
		if (entry_present(*source)) {
			*page_table_entry(&vm->table, to + (at - from), false) = *source;
			*source = 0;
		}
		at += PAGE_SIZE;
	}
	page_table_flush(&vm->table, from, from + length);
}

/*
 * Moves [old, old + old_length), which lies in one area, to where `flags` and `target` say, and
 * lets it have new_length bytes.
 */
static int64_t move_area(struct vm *vm, user_addr_t old, uint64_t old_length, uint64_t new_length,
			 uint32_t flags, user_addr_t target)
{
	/* Two splits here, two that MAP_FIXED may make, and the new area. */
	if (area_reserve(vm, 5))
		return -ENOMEM;
	int64_t address = vm_place(vm, target, new_length, flags & MREMAP_FIXED ? MAP_FIXED : 0);
	if (address < 0)
		return address;
	int error = make_tables(vm, old, (user_addr_t)address, old_length);
	if (error)
		return error;
	area_split(vm, old);
	area_split(vm, old + old_length);
	struct area area = *area_find(vm, old);
	if (area.inode)
		inode_get(area.inode);
	area.start = (user_addr_t)address;
	area.end = area.start + new_length;
	move_pages(vm, old, area.start, old_length);
	area_remove(vm, area_index(vm, old));
	area_insert(vm, area);
	return address;
}

/* Lengthens the area that ends at `end`, where there is room behind it. */
static bool grow_in_place(struct vm *vm, user_addr_t end, uint64_t more)
{
	struct area area = *area_find(vm, end - 1);

	if (area.end != end || !area_range_valid(end, more))
		return false;
	if (!area_range_free(vm, end, end + more) || area.flags & AREA_STACK)
		return false;
	if (area_reserve(vm, 1))
		return false;
	if (area.inode)
		inode_get(area.inode);
	area.offset += end - area.start;
	area.start = end;
	area.end = end + more;
	area_insert(vm, area);
	return true;
}

static int check_remap(struct vm *vm, user_addr_t old, uint64_t old_length, uint64_t new_length,
		       uint32_t flags, user_addr_t target)
{
	if (flags & ~(uint32_t)(MREMAP_MAYMOVE | MREMAP_FIXED))
		return -EINVAL;
	if ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if (old_length == 0 || new_length == 0 || !area_range_valid(old, old_length))
		return -EINVAL;
	if (new_length > USER_ADDRESS_END)
		return -ENOMEM;
	if ((flags & MREMAP_FIXED) && (!area_range_valid(target, new_length) ||
				       (target < old + old_length && old < target + new_length)))
		return -EINVAL;
	const struct area *area = area_find(vm, old);
	return area && old + old_length <= area->end ? 0 : -EFAULT;
}

int64_t vm_remap(struct vm *vm, user_addr_t old, uint64_t old_length, uint64_t new_length,
		 uint32_t flags, user_addr_t new_address)
{
	old_length = ALIGN_UP(old_length, PAGE_SIZE);
	new_length = ALIGN_UP(new_length, PAGE_SIZE);
	int error = check_remap(vm, old, old_length, new_length, flags, new_address);
	if (error)
		return error;
	if (new_length < old_length) {
		error = vm_remove_range(vm, old + new_length, old + old_length);
		if (error)
			return error;
		old_length = new_length;
	}
	const struct area *area = area_find(vm, old);
	if (new_length > old_length &&
	    !vm_may_grow(vm, new_length - old_length, area_is_data(area)))
		return -ENOMEM;
	if (flags & MREMAP_FIXED)
		return move_area(vm, old, old_length, new_length, flags, new_address);
	if (new_length == old_length ||
	    grow_in_place(vm, old + old_length, new_length - old_length))
		return (int64_t)old;
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	return move_area(vm, old, old_length, new_length, flags, 0);
}

void vm_set_heap(struct vm *vm, user_addr_t start)
{
	vm->heap_start = vm->heap_end = start;
}

void vm_set_stack_room(struct vm *vm, uint64_t bytes)
{
	vm->stack_room = bytes;
}

user_addr_t vm_brk(struct vm *vm, user_addr_t end)
{
	user_addr_t old_top = ALIGN_UP(vm->heap_end, PAGE_SIZE);
	user_addr_t new_top = ALIGN_UP(end, PAGE_SIZE);

	if (end < vm->heap_start || end > USER_ADDRESS_END - PAGE_SIZE)
		return vm->heap_end;
	if (new_top < old_top && vm_remove_range(vm, new_top, old_top))
		return vm->heap_end;
	if (new_top > old_top) {
		if (!area_range_valid(old_top, new_top - old_top) ||
		    !vm_may_grow(vm, new_top - old_top, true) ||
		    !area_range_free(vm, old_top, new_top) || area_reserve(vm, 1))
			return vm->heap_end;
		area_insert(vm, (struct area){.start = old_top,
					      .end = new_top,
					      .protection = PROT_READ | PROT_WRITE});
	}
	vm->heap_end = end;
	if (new_top > old_top && vm->lock_future)
		vm_populate(vm, old_top, new_top);
	return end;
}
