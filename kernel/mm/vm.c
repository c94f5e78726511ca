/*
 * Address spaces as a whole: made, shared, forked, freed.
 */
#include "kernel/mm/vm.h"
#include "kernel/mm/area.h"
#include "kernel/mm/kmalloc.h"

struct list_head vm_all = LIST_HEAD_INIT(vm_all);

static struct vm *active;

struct vm *vm_create(void)
{
	struct vm *vm = kzalloc(sizeof(*vm));

	if (!vm)
		return NULL;
	vm->references = 1;
	if (page_table_create(&vm->table)) {
		kfree(vm);
		return NULL;
	}
	list_append(&vm_all, &vm->link);
	return vm;
}

struct vm *vm_get(struct vm *vm)
{
	vm->references++;
	return vm;
}

void vm_put(struct vm *vm)
{
	if (!vm || --vm->references > 0)
		return;
	if (vm == active)
		vm_activate(NULL);
	list_remove(&vm->link);
	page_table_retire(&vm->table);
	while (vm->area_count > 0) {
		const struct area *area = &vm->areas[vm->area_count - 1];
		vm_drop_pages(vm, area->start, area->end);
		area_remove(vm, vm->area_count - 1);
	}
	page_table_destroy(&vm->table);
	kfree(vm->areas);
	kfree(vm);
}

void vm_activate(struct vm *vm)
{
	active = vm;
	page_table_activate(vm ? &vm->table : NULL);
}

/*
 * Shares the pages of one table's span; private writable ones become read-only in both, until the
 * first write.
 */
static int fork_span(struct vm *child, struct vm *parent, const struct area *area,
		     user_addr_t start, user_addr_t end)
{
	uint64_t *from = page_table_entry(&parent->table, start, false);
	uint64_t *to = from ? page_table_entry(&child->table, start, true) : NULL;

	if (!from)
		return 0;
	if (!to)
		return -1;
	for (; start < end; start += PAGE_SIZE, from++, to++) {
		if (!entry_present(*from))
			continue;
		if (!(area->flags & AREA_SHARED))
			*from |= PTE_READ_ONLY;
		page_get(entry_page(*from));
		*to = *from;
		if (!vm_page_is_zero(entry_page(*from)))
			child->resident++;
	}
	child->resident_peak = child->resident;
	return 0;
}

static int fork_area(struct vm *child, struct vm *parent, const struct area *area)
{
	if (area->flags & AREA_NOT_FOR_CHILDREN)
		return 0;
	child->areas[child->area_count++] = *area;
	if (area->inode)
		inode_get(area->inode);
	if (area->flags & AREA_WIPE_FOR_CHILDREN)
		return 0;
	for (user_addr_t at = area->start, end; at < area->end; at = end) {
		end = MIN(area->end, page_table_span_end(at));
		if (fork_span(child, parent, area, at, end))
			return -1;
	}
	return 0;
}

struct vm *vm_fork(struct vm *parent)
{
	struct vm *child = vm_create();
	int error = child ? area_reserve(child, parent->area_count) : -1;

	if (!child)
		return NULL;
	child->heap_start = parent->heap_start;
	child->heap_end = parent->heap_end;
	child->stack_room = parent->stack_room;
	for (uint32_t i = 0; i < parent->area_count && !error; i++)
		error = fork_area(child, parent, &parent->areas[i]);
	page_table_flush(&parent->table, 0, USER_ADDRESS_END);
	if (!error)
		return child;
	vm_put(child);
	return NULL;
}

bool vm_covers(struct vm *vm, user_addr_t address)
{
	return area_find(vm, address);
}
