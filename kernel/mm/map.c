/*
 * Mapping, unmapping and protecting ranges of an address space.
 */
#include "include/uapi/mman.h"
#include "kernel/errno.h"
#include "kernel/mm/area.h"
#include "kernel/proc/process.h"

bool area_range_valid(user_addr_t start, uint64_t length)
{
	return IS_ALIGNED(start, PAGE_SIZE) && start >= USER_ADDRESS_START &&
	       start < USER_ADDRESS_END && length <= USER_ADDRESS_END - start;
}

/* Skips what has no table. */
void vm_for_each_present(struct vm *vm, user_addr_t start, user_addr_t end, entry_visitor *visit,
			 const void *context)
{
	while (start < end) {
		user_addr_t span_end = MIN(end, page_table_span_end(start));
		uint64_t *entry = page_table_entry(&vm->table, start, false);
		for (; entry && start < span_end; start += PAGE_SIZE, entry++)
			if (entry_present(*entry))
				visit(vm, entry, context);
		start = span_end;
	}
}

static void drop_entry(struct vm *vm, uint64_t *entry, const void *context __unused)
{
	struct page *page = entry_page(*entry);

	if (!vm_page_is_zero(page))
		vm->resident--;
	*entry = 0;
	page_put(page);
}

/*
 * Pages are dropped before the TLB forgets them. That is safe: no code of this process runs before
 * the flush.
 */
void vm_drop_pages(struct vm *vm, user_addr_t start, user_addr_t end)
{
	vm_for_each_present(vm, start, end, drop_entry, NULL);
	page_table_flush(&vm->table, start, end);
}

static void protect_entry(struct vm *vm __unused, uint64_t *entry, const void *context)
{
	const struct area *area = context;
	struct page *page = entry_page(*entry);
	/*
	 * A private page becomes writable at its first write, when it is known whether it must be
	 * copied.
	 */
	bool writable = area->flags & AREA_SHARED || entry_writable(*entry);
	uint32_t protection = area_page_protection(area, VM_WRITE);

	if (protection & PROT_EXEC)
		page_sync_instructions(page);
	*entry = page_table_make_entry(page_to_phys(page), protection, writable);
}

void vm_protect_pages(struct vm *vm, user_addr_t start, user_addr_t end, const struct area *area)
{
	vm_for_each_present(vm, start, end, protect_entry, area);
	page_table_flush(&vm->table, start, end);
}

int vm_remove_range(struct vm *vm, user_addr_t start, user_addr_t end)
{
	if (area_range_free(vm, start, end))
		return 0;
	if (area_reserve(vm, 2))
		return -ENOMEM;
	area_split(vm, start);
	area_split(vm, end);
	vm_drop_pages(vm, start, end);
	uint32_t index = area_index(vm, start);
	while (area_begins_below(vm, index, end))
		area_remove(vm, index);
	return 0;
}

int vm_unmap(struct vm *vm, user_addr_t start, uint64_t length)
{
	length = ALIGN_UP(length, PAGE_SIZE);
	if (length == 0 || !area_range_valid(start, length))
		return -EINVAL;
	return vm_remove_range(vm, start, start + length);
}

int64_t vm_place(struct vm *vm, user_addr_t hint, uint64_t length, uint32_t flags)
{
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (!IS_ALIGNED(hint, PAGE_SIZE))
			return -EINVAL;
		if (!area_range_valid(hint, length))
			return hint < USER_ADDRESS_START ? -EPERM : -ENOMEM;
		if (!area_range_free(vm, hint, hint + length)) {
			if (flags & MAP_FIXED_NOREPLACE)
				return -EEXIST;
			int error = vm_remove_range(vm, hint, hint + length);
			if (error)
				return error;
		}
		return (int64_t)hint;
	}
	hint = ALIGN_DOWN(hint, PAGE_SIZE);
	if (area_range_valid(hint, length) && area_range_free(vm, hint, hint + length))
		return (int64_t)hint;
	user_addr_t gap = area_find_gap(vm, length);
	return gap ? (int64_t)gap : -ENOMEM;
}

/* Whether `bytes` more, of what RLIMIT_DATA counts or of everything, are within the limit. */
static bool within(const struct vm *vm, uint64_t bytes, uint32_t resource)
{
	uint64_t limit = current_process()->limits[resource].rlim_cur, sum = 0;

	if (limit == RLIM_INFINITY)
		return true;
	for (uint32_t i = 0; i < vm->area_count; i++)
		if (resource == RLIMIT_AS || area_is_data(&vm->areas[i]))
			sum += vm->areas[i].end - vm->areas[i].start;
	return sum <= limit && bytes <= limit - sum;
}

bool vm_may_grow(const struct vm *vm, uint64_t bytes, bool data)
{
	return within(vm, bytes, RLIMIT_AS) && (!data || within(vm, bytes, RLIMIT_DATA));
}

/* Bytes of [start, end) that are mapped: what MAP_FIXED replaces is not counted twice. */
static uint64_t bytes_mapped(const struct vm *vm, user_addr_t start, user_addr_t end)
{
	uint64_t bytes = 0;

	for (uint32_t i = area_index(vm, start); area_begins_below(vm, i, end); i++)
		bytes += MIN(end, vm->areas[i].end) - MAX(start, vm->areas[i].start);
	return bytes;
}

/*
 * What a mapping is of: a file with a reference of its own, or for shared memory a file without a
 * name.
 */
static int backing(struct inode *inode, uint64_t length, uint32_t flags, struct inode **result)
{
	*result = NULL;
	if (inode) {
		*result = inode_get(inode);
	} else if ((flags & MAP_TYPE) != MAP_PRIVATE) {
		*result = inode_create(FILESYSTEM_MEMORY, S_IFREG | 0600);
		if (!*result)
			return -ENOMEM;
		(*result)->size = length;
	}
	return 0;
}

int64_t vm_map(struct vm *vm, user_addr_t hint, uint64_t length, uint32_t protection,
	       uint32_t flags, struct inode *inode, uint64_t offset)
{
	struct area area = {.protection = protection, .offset = inode ? offset : 0};

	if (length == 0 || !IS_ALIGNED(offset, PAGE_SIZE))
		return -EINVAL;
	if (length > USER_ADDRESS_END || offset + length < offset)
		return -ENOMEM;
	if (!vm_protection_allowed(protection))
		return -EACCES;
	length = ALIGN_UP(length, PAGE_SIZE);
	if ((flags & MAP_TYPE) != MAP_PRIVATE)
		area.flags |= AREA_SHARED;
	if (flags & MAP_GROWSDOWN)
		area.flags |= AREA_STACK;
	if (flags & VM_MAP_NEVER_WRITE)
		area.flags |= AREA_NEVER_WRITE;
	uint64_t replaced = flags & MAP_FIXED ? bytes_mapped(vm, hint, hint + length) : 0;
	if (!vm_may_grow(vm, length - replaced, area_is_data(&area)))
		return -ENOMEM;
	if (area_reserve(vm, 3)) /* two that MAP_FIXED may split off, and this one */
		return -ENOMEM;
	int error = backing(inode, length, flags, &area.inode);
	if (error)
		return error;
	int64_t address = vm_place(vm, hint, length, flags);
	if (address < 0) {
		inode_put(area.inode);
		return address;
	}
	area.start = (user_addr_t)address;
	area.end = area.start + length;
	area_insert(vm, area);
	if (vm->lock_future || flags & (MAP_POPULATE | MAP_LOCKED))
		vm_populate(vm, area.start, area.end);
	return address;
}

/* Whether every area of [start, end) may get the protection. */
static int check_protect(const struct vm *vm, user_addr_t start, user_addr_t end,
			 uint32_t protection)
{
	if (!vm_protection_allowed(protection))
		return -EACCES;
	if (!area_range_mapped(vm, start, end))
		return -ENOMEM;
	if (!(protection & PROT_WRITE))
		return 0;
	uint64_t new_data = 0;
	for (uint32_t i = area_index(vm, start); area_begins_below(vm, i, end); i++) {
		struct area area = vm->areas[i];
		if (area.flags & AREA_NEVER_WRITE)
			return -EACCES;
		bool was_data = area_is_data(&area);
		area.protection = protection;
		if (!was_data && area_is_data(&area))
			new_data += MIN(end, area.end) - MAX(start, area.start);
	}
	return new_data == 0 || within(vm, new_data, RLIMIT_DATA) ? 0 : -ENOMEM;
}

int vm_protect(struct vm *vm, user_addr_t start, uint64_t length, uint32_t protection)
{
	if (!IS_ALIGNED(start, PAGE_SIZE))
		return -EINVAL;
	if (length == 0)
		return 0;
	if (length > USER_ADDRESS_END)
		return -ENOMEM;
	length = ALIGN_UP(length, PAGE_SIZE);
	if (!area_range_valid(start, length))
		return -ENOMEM;
	user_addr_t end = start + length;
	int error = check_protect(vm, start, end, protection);
	if (error)
		return error;
	if (area_reserve(vm, 2))
		return -ENOMEM;
	area_split(vm, start);
	area_split(vm, end);
	for (uint32_t i = area_index(vm, start); area_begins_below(vm, i, end); i++) {
		struct area *area = &vm->areas[i];
		area->protection = protection;
		vm_protect_pages(vm, area->start, area->end, area);
	}
	area_join(vm, start, end);
	return 0;
}
