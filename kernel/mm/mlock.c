/*
 * mlock(2), munlock(2), mlockall(2), munlockall(2), mincore(2). There is nothing to swap to, so
 * what is in memory stays there: locking is bringing it in, unlocking nothing.
 */
#include "include/uapi/mman.h"
#include "kernel/errno.h"
#include "kernel/mm/area.h"
#include "kernel/proc/process.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

#define MINCORE_PART 256 /* pages answered at once */

/*
 * Pages from `start`, rounded down, to the end rounded up. 0, -EINVAL or (not all mapped) -ENOMEM.
 */
static int page_range(struct vm *vm, user_addr_t *start, uint64_t *length)
{
	uint64_t in_page = *start % PAGE_SIZE;

	if (*length > USER_ADDRESS_END)
		return -ENOMEM;
	*start -= in_page;
	*length = ALIGN_UP(*length + in_page, PAGE_SIZE);
	if (*length == 0)
		return 0;
	return area_range_valid(*start, *length) && area_range_mapped(vm, *start, *start + *length)
		       ? 0
		       : -ENOMEM;
}

/* RLIMIT_MEMLOCK: of one call, since nothing is counted; with CAP_IPC_LOCK there is none. */
static int check_limit(uint64_t length)
{
	const struct process *process = current_process();
	uint64_t limit = process->limits[RLIMIT_MEMLOCK].rlim_cur;

	if (user_may(CAP_IPC_LOCK) || length <= limit)
		return 0;
	return limit == 0 ? -EPERM : -ENOMEM;
}

/* Brings in what the process may touch. 0, -ENOMEM or -ERESTARTSYS. */
static int bring_in(struct vm *vm, user_addr_t start, user_addr_t end)
{
	for (user_addr_t at = start; at < end; at += PAGE_SIZE) {
		if (!vm_may_go_on())
			return -ERESTARTSYS;
		const struct area *area = area_find(vm, at);
		bool write = area && area->protection & PROT_WRITE && !(area->flags & AREA_SHARED);

		if (!area || area->protection == PROT_NONE)
			return -ENOMEM;
		if (vm_fault(vm, at, write ? VM_WRITE : VM_READ))
			return -ENOMEM;
	}
	return 0;
}

static int64_t lock_range(user_addr_t start, uint64_t length, bool now)
{
	struct vm *vm = current_process()->vm;
	int error = page_range(vm, &start, &length);

	if (!error)
		error = check_limit(length);
	if (error || !now)
		return error;
	return bring_in(vm, start, start + length);
}

SYSCALL2(mlock, user_addr_t, start, uint64_t, length)
{
	return lock_range(start, length, true);
}

SYSCALL3(mlock2, user_addr_t, start, uint64_t, length, uint32_t, flags)
{
	if (flags & ~(uint32_t)MLOCK_ONFAULT)
		return -EINVAL;
	return lock_range(start, length, !(flags & MLOCK_ONFAULT));
}

SYSCALL2(munlock, user_addr_t, start, uint64_t, length)
{
	return page_range(current_process()->vm, &start, &length);
}

bool vm_may_lock(uint64_t length)
{
	return check_limit(length) == 0;
}

/* What may not be touched is passed over. */
SYSCALL1(mlockall, uint32_t, flags)
{
	struct vm *vm = current_process()->vm;

	if (flags == 0 || flags == MCL_ONFAULT ||
	    flags & ~(uint32_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		return -EINVAL;
	int error = check_limit(vm_statistics(vm).mapped);
	if (error)
		return error;
	vm->lock_future = flags & MCL_FUTURE && !(flags & MCL_ONFAULT);
	bool now = flags & MCL_CURRENT && !(flags & MCL_ONFAULT);
	for (uint32_t i = 0; now && i < vm->area_count; i++)
		vm_populate(vm, vm->areas[i].start, vm->areas[i].end);
	return 0;
}

SYSCALL0(munlockall)
{
	current_process()->vm->lock_future = false;
	return 0;
}

/* Is the page there, for this process or, if it maps a file, for any? */
static bool page_resident(struct vm *vm, user_addr_t address)
{
	const struct area *area = area_find(vm, address);
	const uint64_t *entry = page_table_entry(&vm->table, address, false);

	if (entry && entry_present(*entry))
		return true;
	return area && area->inode &&
	       inode_page_present(area->inode, area_file_index(area, address));
}

SYSCALL3(mincore, user_addr_t, start, uint64_t, length, user_addr_t, to)
{
	struct vm *vm = current_process()->vm;
	uint8_t resident[MINCORE_PART];
	int error;

	if (!IS_ALIGNED(start, PAGE_SIZE))
		return -EINVAL;
	error = page_range(vm, &start, &length);
	if (error)
		return error;
	for (uint64_t pages = length / PAGE_SIZE, done = 0; done < pages;) {
		uint64_t part = MIN(pages - done, (uint64_t)MINCORE_PART);

		for (uint64_t i = 0; i < part; i++)
			resident[i] = page_resident(vm, start + (done + i) * PAGE_SIZE);
		if (copy_to_user(to + done, resident, part))
			return -EFAULT;
		done += part;
	}
	return 0;
}

void mlock_syscalls_init(void)
{
	syscall_register(SYS_mlock, sys_mlock);
	syscall_register(SYS_mlock2, sys_mlock2);
	syscall_register(SYS_munlock, sys_munlock);
	syscall_register(SYS_mlockall, sys_mlockall);
	syscall_register(SYS_munlockall, sys_munlockall);
	syscall_register(SYS_mincore, sys_mincore);
}
