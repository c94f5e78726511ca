/*
 * madvise(2): what a program says about its memory.
 */
#include "include/uapi/mman.h"
#include "kernel/mm/area.h"
#include "kernel/proc/process.h"
#include "kernel/syscall.h"

int vm_mapped_range(const struct vm *vm, user_addr_t start, uint64_t *length)
{
	if (!IS_ALIGNED(start, PAGE_SIZE) || *length > USER_ADDRESS_END)
		return -EINVAL;
	*length = ALIGN_UP(*length, PAGE_SIZE);
	if (*length == 0)
		return 0;
	return area_range_valid(start, *length) && area_range_mapped(vm, start, start + *length)
		       ? 0
		       : -ENOMEM;
}

/* What madvise does to the part [start, end) of an area. 0 or a negative errno. */
typedef int advice_function(struct vm *vm, struct area *area, user_addr_t start, user_addr_t end);

/*
 * Private memory reads as zeroes, or as the file, when it is next touched; shared memory is filled
 * from its file again.
 */
static int give_back(struct vm *vm, struct area *area __unused, user_addr_t start, user_addr_t end)
{
	vm_drop_pages(vm, start, end);
	return 0;
}

/* Pages that may go at any time go at once: nobody can tell. */
static int free_lazily(struct vm *vm, struct area *area, user_addr_t start, user_addr_t end)
{
	if (area->inode)
		return -EINVAL;
	return give_back(vm, area, start, end);
}

/* Makes a hole in the file behind a shared mapping. */
static int remove_from_file(struct vm *vm __unused, struct area *area, user_addr_t start,
			    user_addr_t end)
{
	uint64_t first = area_file_index(area, start), last = area_file_index(area, end);

	if (!area->inode || !(area->flags & AREA_SHARED))
		return -EINVAL;
	if (area->flags & AREA_NEVER_WRITE)
		return -EACCES;
	vm_forget_file(area->inode, first, last, false);
	inode_free_pages(area->inode, first, last);
	return 0;
}

/* A child gets zeroes, or nothing. */
static int keep_from_children(struct vm *vm __unused, struct area *area, user_addr_t start __unused,
			      user_addr_t end __unused)
{
	area->flags |= AREA_NOT_FOR_CHILDREN;
	return 0;
}

static int give_to_children(struct vm *vm __unused, struct area *area, user_addr_t start __unused,
			    user_addr_t end __unused)
{
	area->flags &= ~AREA_NOT_FOR_CHILDREN;
	return 0;
}

static int wipe_for_children(struct vm *vm __unused, struct area *area, user_addr_t start __unused,
			     user_addr_t end __unused)
{
	if (area->inode)
		return -EINVAL;
	area->flags |= AREA_WIPE_FOR_CHILDREN;
	return 0;
}

static int keep_for_children(struct vm *vm __unused, struct area *area, user_addr_t start __unused,
			     user_addr_t end __unused)
{
	area->flags &= ~AREA_WIPE_FOR_CHILDREN;
	return 0;
}

/* While others run, the areas may change. */
static int bring_in_pages(struct vm *vm, user_addr_t start, user_addr_t end, enum vm_access access)
{
	for (; start < end; start += PAGE_SIZE) {
		if (!vm_may_go_on())
			return -ERESTARTSYS;
		if (vm_fault(vm, start, access))
			return -EFAULT;
	}
	return 0;
}

static int bring_in(struct vm *vm, struct area *area, user_addr_t start, user_addr_t end)
{
	if (area->protection == PROT_NONE)
		return -EINVAL;
	return bring_in_pages(vm, start, end, VM_READ);
}

static int bring_in_to_write(struct vm *vm, struct area *area, user_addr_t start, user_addr_t end)
{
	if (!(area->protection & PROT_WRITE))
		return -EINVAL;
	return bring_in_pages(vm, start, end, VM_WRITE);
}

/*
 * Only about speed, or about core files: pages are filled one by one when they are touched, and
 * nothing else is ever taken away.
 */
static int no_effect(struct vm *vm __unused, struct area *area __unused, user_addr_t start __unused,
		     user_addr_t end __unused)
{
	return 0;
}

static advice_function *function_of(int advice)
{
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_COLD:
	case MADV_PAGEOUT:
		return no_effect;
	case MADV_DONTNEED:
		return give_back;
	case MADV_FREE:
		return free_lazily;
	case MADV_REMOVE:
		return remove_from_file;
	case MADV_DONTFORK:
		return keep_from_children;
	case MADV_DOFORK:
		return give_to_children;
	case MADV_WIPEONFORK:
		return wipe_for_children;
	case MADV_KEEPONFORK:
		return keep_for_children;
	case MADV_POPULATE_READ:
		return bring_in;
	case MADV_POPULATE_WRITE:
		return bring_in_to_write;
	default:
		return NULL;
	}
}

static bool changes_areas(int advice)
{
	return advice == MADV_DONTFORK || advice == MADV_DOFORK || advice == MADV_WIPEONFORK ||
	       advice == MADV_KEEPONFORK;
}

/* Also where there are holes: the rest is done, and -ENOMEM says so at the end. */
SYSCALL3(madvise, user_addr_t, start, uint64_t, length, int, advice)
{
	struct vm *vm = current_process()->vm;
	advice_function *function = function_of(advice);
	int holes = vm_mapped_range(vm, start, &length);
	user_addr_t end = start + length;
	int error = 0;

	if (!function || (holes && (holes != -ENOMEM || !area_range_valid(start, length))))
		return function && holes ? holes : -EINVAL;
	if (changes_areas(advice)) {
		if (area_reserve(vm, 2))
			return -ENOMEM;
		area_split(vm, start);
		area_split(vm, end);
	}
	for (uint32_t i = area_index(vm, start); !error && area_begins_below(vm, i, end); i++) {
		struct area *area = &vm->areas[i];
		error = function(vm, area, MAX(start, area->start), MIN(end, area->end));
	}
	if (changes_areas(advice))
		area_join(vm, start, end);
	return error ? error : holes;
}

void vm_advice_syscalls_init(void)
{
	syscall_register(SYS_madvise, sys_madvise);
}
