/*
 * The areas of an address space: a sorted array, searched by halving. Programs have some tens of
 * them.
 */
#include "kernel/mm/area.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/process.h"
#include "kernel/string.h"

#define AREAS_FIRST 16

uint32_t area_index(const struct vm *vm, user_addr_t address)
{
	uint32_t low = 0, high = vm->area_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (vm->areas[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct area *area_find(struct vm *vm, user_addr_t address)
{
	uint32_t index = area_index(vm, address);

	if (index == vm->area_count || vm->areas[index].start > address)
		return NULL;
	return &vm->areas[index];
}

bool area_range_free(const struct vm *vm, user_addr_t start, user_addr_t end)
{
	uint32_t index = area_index(vm, start);

	return index == vm->area_count || vm->areas[index].start >= end;
}

bool area_range_mapped(const struct vm *vm, user_addr_t start, user_addr_t end)
{
	for (uint32_t i = area_index(vm, start); start < end; i++) {
		if (i == vm->area_count || vm->areas[i].start > start)
			return false;
		start = vm->areas[i].end;
	}
	return true;
}

/* Where other mappings may end: below the room that the stack has to grow. */
static user_addr_t below_stack(const struct vm *vm, const struct area *stack)
{
	user_addr_t guard = stack->start - MIN(stack->start, STACK_GUARD);
	user_addr_t room = stack->end - MIN(stack->end, vm->stack_room);

	return MIN(guard, room);
}

user_addr_t area_find_gap(const struct vm *vm, uint64_t length)
{
	user_addr_t gap_end = USER_ADDRESS_END - PAGE_SIZE;

	for (uint32_t i = vm->area_count; i > 0; i--) {
		const struct area *below = &vm->areas[i - 1];
		if (below->end <= gap_end && gap_end - below->end >= length)
			return gap_end - length;
		gap_end = below->start;
		if (below->flags & AREA_STACK)
			gap_end = below_stack(vm, below);
	}
	if (gap_end < USER_ADDRESS_START || gap_end - USER_ADDRESS_START < length)
		return 0;
	return gap_end - length;
}

int area_reserve(struct vm *vm, uint32_t extra)
{
	uint32_t capacity = MAX(vm->area_capacity, AREAS_FIRST);

	if (vm->area_count + extra > AREAS_MAX)
		return -ENOMEM;
	while (capacity < vm->area_count + extra)
		capacity *= 2;
	if (capacity == vm->area_capacity)
		return 0;
	struct area *areas = kmalloc(capacity * sizeof(*areas));
	if (!areas)
		return -ENOMEM;
	if (vm->area_count > 0)
		memcpy(areas, vm->areas, vm->area_count * sizeof(*areas));
	kfree(vm->areas);
	vm->areas = areas;
	vm->area_capacity = capacity;
	return 0;
}

struct area *area_grow_stack(struct vm *vm, user_addr_t address)
{
	uint32_t index = area_index(vm, address);
	user_addr_t start = ALIGN_DOWN(address, PAGE_SIZE);

	if (index == vm->area_count || !(vm->areas[index].flags & AREA_STACK))
		return NULL;
	struct area *stack = &vm->areas[index];
	user_addr_t floor = index > 0 ? vm->areas[index - 1].end + STACK_GUARD : USER_ADDRESS_START;
	if (start < floor ||
	    stack->end - start > current_process()->limits[RLIMIT_STACK].rlim_cur ||
	    !vm_may_grow(vm, stack->start - start, false))
		return NULL;
	stack->start = start;
	return stack;
}

static void insert_at(struct vm *vm, uint32_t index, struct area area)
{
	memmove(&vm->areas[index + 1], &vm->areas[index], (vm->area_count - index) * sizeof(area));
	vm->areas[index] = area;
	vm->area_count++;
}

static void take_out(struct vm *vm, uint32_t index)
{
	vm->area_count--;
	memmove(&vm->areas[index], &vm->areas[index + 1],
		(vm->area_count - index) * sizeof(*vm->areas));
}

void area_remove(struct vm *vm, uint32_t index)
{
	inode_put(vm->areas[index].inode);
	take_out(vm, index);
}

/* Whether `upper` goes on where `lower` ends, in every respect. */
static bool continues(const struct area *lower, const struct area *upper)
{
	return lower->end == upper->start && lower->protection == upper->protection &&
	       lower->flags == upper->flags && lower->inode == upper->inode &&
	       (!lower->inode || lower->offset + (lower->end - lower->start) == upper->offset);
}

static bool join_with_next(struct vm *vm, uint32_t index)
{
	if (index + 1 >= vm->area_count || !continues(&vm->areas[index], &vm->areas[index + 1]))
		return false;
	vm->areas[index].end = vm->areas[index + 1].end;
	area_remove(vm, index + 1);
	return true;
}

void area_join(struct vm *vm, user_addr_t start, user_addr_t end)
{
	uint32_t index = area_index(vm, start);

	if (index > 0)
		index--;
	while (index < vm->area_count && vm->areas[index].start <= end)
		if (!join_with_next(vm, index))
			index++;
}

void area_insert(struct vm *vm, struct area area)
{
	uint32_t index = area_index(vm, area.start);

	insert_at(vm, index, area);
	area_join(vm, area.start, area.end);
}

void area_split(struct vm *vm, user_addr_t address)
{
	struct area *lower = area_find(vm, address);

	if (!lower || lower->start == address)
		return;
	struct area upper = *lower;
	upper.start = address;
	lower->end = address;
	if (upper.inode) {
		upper.offset += address - lower->start;
		inode_get(upper.inode);
	}
	insert_at(vm, area_index(vm, address), upper);
}
