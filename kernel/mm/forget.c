/*
 * When a file is cut off or gets a hole, what is mapped of that part goes from every address space;
 * whoever touches it again gets SIGBUS beyond the end, or the new page.
 */
#include "kernel/mm/area.h"

static void forget_in_area(struct vm *vm, const struct area *area, uint64_t first, uint64_t end)
{
	uint64_t area_first = area_file_index(area, area->start);
	uint64_t area_end = area_file_index(area, area->end);

	first = MAX(first, area_first);
	end = MIN(end, area_end);
	if (first < end)
		vm_drop_pages(vm, area->start + ((first - area_first) << PAGE_SHIFT),
			      area->start + ((end - area_first) << PAGE_SHIFT));
}

void vm_forget_file(const struct inode *inode, uint64_t first, uint64_t end, bool private_copies)
{
	struct vm *vm;

	if (!inode->pages.count)
		return;
	list_for_each_entry(vm, &vm_all, link)
		for (uint32_t i = 0; i < vm->area_count; i++)
			if (vm->areas[i].inode == inode &&
			    (private_copies || vm->areas[i].flags & AREA_SHARED))
				forget_in_area(vm, &vm->areas[i], first, end);
}
