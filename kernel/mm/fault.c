/*
 * Page faults: bringing in the page that an area promises.
 *
 * A page that is not written yet is shared: untouched private memory with the page of zeroes, a
 * private mapping of a file with the file. Whoever writes to a page that has more than one
 * reference gets a copy.
 */
#include "include/uapi/mman.h"
#include "include/uapi/signal.h"
#include "kernel/mm/area.h"
#include "kernel/printk.h"
#include "kernel/proc/oom.h"
#include "kernel/proc/process.h"
#include "kernel/proc/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/string.h"

/* Pages: of a file's neighbours, those that are in memory anyway are mapped too. */
#define FAULT_AROUND 16

int32_t vm_writable_code = 1;

static struct page *zero_page; /* its own reference is never dropped */
static uint64_t faults;

uint64_t vm_fault_count(void)
{
	return faults;
}

void vm_init(void)
{
	zero_page = page_alloc_zeroed();
	if (!zero_page)
		panic("no memory for the page of zeroes");
}

bool vm_page_is_zero(const struct page *page)
{
	return page == zero_page;
}

bool vm_page_is_anonymous(const struct area *area, user_addr_t address, const struct page *page)
{
	if (!area->inode)
		return true;
	return !(area->flags & AREA_SHARED) &&
	       page != inode_page_present(area->inode, area_file_index(area, address));
}

static bool access_allowed(const struct area *area, enum vm_access access)
{
	switch (access) {
	case VM_WRITE:
		return area->protection & PROT_WRITE;
	case VM_EXECUTE:
		return area->protection & PROT_EXEC;
	default:
		return area->protection != PROT_NONE;
	}
}

/*
 * A page of this process alone with the bytes of `original`, whose reference is dropped. NULL, and
 * nothing dropped, when memory is out.
 */
static struct page *copy_page(struct page *original)
{
	struct page *copy;

	if (original == zero_page) {
		copy = page_alloc_zeroed();
	} else {
		copy = page_alloc();
		if (copy)
			memcpy(page_address(copy), page_address(original), PAGE_SIZE);
	}
	if (copy) {
		page_set_use(copy, PAGE_USE_ANONYMOUS);
		page_put(original);
	}
	return copy;
}

/*
 * Whether the process may have another page. When memory is scarce, who has most of it is ended;
 * the last part is not for processes, unless they are in the middle of a system call. 0 or
 * -SIGKILL.
 */
static int ask_for_memory(bool in_call)
{
	enum page_pressure pressure = page_pressure();

	if (pressure == PAGES_PLENTY)
		return 0;
	oom_relieve();
	if (current_process()->exiting)
		return -SIGKILL;
	if (pressure == PAGES_SCARCE)
		return 0;
	current_thread()->used_reserve = in_call;
	return in_call && pressure == PAGES_RESERVED ? 0 : -SIGKILL;
}

/* What stands at `address` before anybody wrote there, with a reference. 0 or a negative signal. */
static int original_page(const struct area *area, user_addr_t address, struct page **page)
{
	if (!area->inode) {
		page_get(zero_page);
		*page = zero_page;
		return 0;
	}
	*page = inode_page_for_fault(area->inode, area_file_index(area, address));
	if (*page)
		return 0;
	bool beyond_end = area_file_index(area, address) << PAGE_SHIFT >= area->inode->size;
	/* A file's hole for which the file system has no room: SIGBUS too, see mmap(2). */
	return beyond_end || area->inode->links > 0 || area->inode->stays ? -SIGBUS : -SIGKILL;
}

static void set_entry(struct vm *vm, const struct area *area, user_addr_t address, uint64_t *entry,
		      struct page *page, enum vm_access access)
{
	bool writable = access == VM_WRITE || area->flags & AREA_SHARED;
	uint32_t protection = area_page_protection(area, access);
	bool replaces = entry_present(*entry);
	bool counted = replaces && entry_page(*entry) != zero_page;

	if (protection & PROT_EXEC)
		page_sync_instructions(page);
	else if (area->protection & PROT_EXEC)
		page_modified(page); /* is about to be, for what is code next time */
	if (replaces) {
		*entry = 0; /* break before make: the old page must be gone from the TLB first */
		page_table_flush(&vm->table, address, address + PAGE_SIZE);
	}
	if (!counted && page != zero_page)
		vm->resident++;
	vm->resident_peak = MAX(vm->resident_peak, vm->resident);
	*entry = page_table_make_entry(page_to_phys(page), protection, writable);
	page_table_sync();
}

static int fill(struct vm *vm, const struct area *area, user_addr_t address, uint64_t *entry,
		enum vm_access access)
{
	bool shared = area->flags & AREA_SHARED;
	struct page *page;
	int error = original_page(area, address, &page);

	if (error)
		return error;
	if (access == VM_WRITE && !shared) {
		struct page *copy = copy_page(page);
		if (!copy) {
			page_put(page);
			return -SIGKILL;
		}
		page = copy;
	}
	set_entry(vm, area, address, entry, page, access);
	return 0;
}

/* The first write to a page that was mapped read-only. */
static int make_writable(struct vm *vm, const struct area *area, user_addr_t address,
			 uint64_t *entry)
{
	struct page *page = entry_page(*entry);

	if (!(area->flags & AREA_SHARED) && page->references > 1) {
		page = copy_page(page);
		if (!page)
			return -SIGKILL;
	}
	set_entry(vm, area, address, entry, page, VM_WRITE);
	return 0;
}

/* Maps, read-only, pages of the file near `address` that are in memory: each saves a fault. */
static void map_neighbours(struct vm *vm, const struct area *area, user_addr_t address)
{
	user_addr_t start = ALIGN_DOWN(address, FAULT_AROUND * PAGE_SIZE);
	user_addr_t end = MIN(start + FAULT_AROUND * PAGE_SIZE, area->end);

	start = MAX(start, area->start);
	uint64_t *entry = page_table_entry(&vm->table, start, false);
	for (; entry && start < end; start += PAGE_SIZE, entry++) {
		if (entry_present(*entry))
			continue;
		struct page *page = inode_page_present(area->inode, area_file_index(area, start));
		if (!page || area_file_index(area, start) << PAGE_SHIFT >= area->inode->size)
			continue;
		page_get(page);
		set_entry(vm, area, start, entry, page, VM_READ);
	}
}

static int fault(struct vm *vm, user_addr_t address, enum vm_access access, bool in_call)
{
	const struct area *area = vm ? area_find(vm, address) : NULL;

	if (vm && !area)
		area = area_grow_stack(vm, address);
	if (!area || !access_allowed(area, access))
		return -SIGSEGV;
	current_process()->page_faults++;
	faults++;
	int error = ask_for_memory(in_call);
	if (error)
		return error;
	address = ALIGN_DOWN(address, PAGE_SIZE);
	uint64_t *entry = page_table_entry(&vm->table, address, true);
	if (!entry)
		return -SIGKILL;
	if (!entry_present(*entry)) {
		error = fill(vm, area, address, entry, access);
		if (!error && area->inode && access != VM_WRITE)
			map_neighbours(vm, area, address);
		return error;
	}
	if (access == VM_WRITE && !entry_writable(*entry))
		return make_writable(vm, area, address, entry);
	if (access == VM_EXECUTE && !entry_executable(*entry)) {
		set_entry(vm, area, address, entry, entry_page(*entry), VM_EXECUTE);
		return 0;
	}
	/* It is there already: the TLB remembered something older. */
	page_table_flush(&vm->table, address, address + PAGE_SIZE);
	return 0;
}

int vm_fault(struct vm *vm, user_addr_t address, enum vm_access access)
{
	return fault(vm, address, access, false);
}

int vm_fault_in_call(struct vm *vm, user_addr_t address, enum vm_access access)
{
	return fault(vm, address, access, true);
}

bool vm_may_go_on(void)
{
	if (need_resched())
		schedule();
	return !signal_pending();
}

void vm_populate(struct vm *vm, user_addr_t start, user_addr_t end)
{
	while (start < end && vm_may_go_on()) {
		const struct area *area = area_find(vm, start);
		if (!area)
			return;
		if (area->protection == PROT_NONE) {
			start = area->end;
			continue;
		}
		bool write = area->protection & PROT_WRITE && !(area->flags & AREA_SHARED);
		if (vm_fault(vm, start, write ? VM_WRITE : VM_READ))
			return;
		start += PAGE_SIZE;
	}
}

struct page *vm_get_page(struct vm *vm, user_addr_t address, enum vm_access access)
{
	const struct area *area = area_find(vm, address);
	uint64_t *entry = area ? page_table_entry(&vm->table, address, false) : NULL;

	if (!area || !access_allowed(area, access))
		return NULL;
	if (!entry || !entry_present(*entry) || (access == VM_WRITE && !entry_writable(*entry))) {
		if (vm_fault_in_call(vm, address, access))
			return NULL;
		entry = page_table_entry(&vm->table, address, false);
	}
	page_get(entry_page(*entry));
	return entry_page(*entry);
}
