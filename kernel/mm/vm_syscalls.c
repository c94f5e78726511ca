/*
 * The system calls on address spaces.
 */
#include "include/uapi/fcntl.h"
#include "include/uapi/mman.h"
#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/mm/area.h"
#include "kernel/proc/process.h"
#include "kernel/syscall.h"

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)

static bool flags_valid(uint32_t flags)
{
	uint32_t type = flags & MAP_TYPE;

	return (type == MAP_PRIVATE || type == MAP_SHARED || type == MAP_SHARED_VALIDATE) &&
	       !(flags & MAP_HUGETLB);
}

/*
 * Whether the file may be mapped so: mmap(2), EACCES and ENODEV. Shared and not open for writing
 * adds a flag.
 */
static int check_file(const struct file *file, uint32_t protection, uint32_t *flags)
{
	uint32_t mode = file->flags & O_ACCMODE;
	bool shared = (*flags & MAP_TYPE) != MAP_PRIVATE;

	if (!file->inode || !S_ISREG(file->inode->mode) ||
	    file->inode->filesystem != FILESYSTEM_MEMORY)
		return -ENODEV;
	if (mode == O_WRONLY || (file->flags & O_PATH))
		return -EACCES;
	if (shared && mode != O_RDWR) {
		if (protection & PROT_WRITE)
			return -EACCES;
		*flags |= VM_MAP_NEVER_WRITE;
	}
	return 0;
}

SYSCALL6(mmap, user_addr_t, hint, uint64_t, length, uint32_t, protection, uint32_t, flags, int, fd,
	 uint64_t, offset)
{
	struct vm *vm = current_process()->vm;

	flags &= ~VM_MAP_NEVER_WRITE;
	if (!flags_valid(flags) || (protection & ~(uint32_t)PROT_ALL))
		return -EINVAL;
	if (flags & MAP_ANONYMOUS)
		return vm_map(vm, hint, length, protection, flags, NULL, 0);

	struct file *file = fd_get(fd);
	if (!file)
		return -EBADF;
	int64_t result = check_file(file, protection, &flags);
	if (result == 0)
		result = vm_map(vm, hint, length, protection, flags, file->inode, offset);
	file_put(file);
	return result;
}

SYSCALL2(munmap, user_addr_t, start, uint64_t, length)
{
	return vm_unmap(current_process()->vm, start, length);
}

SYSCALL3(mprotect, user_addr_t, start, uint64_t, length, uint32_t, protection)
{
	if (protection & ~(uint32_t)PROT_ALL)
		return -EINVAL;
	return vm_protect(current_process()->vm, start, length, protection);
}

SYSCALL5(mremap, user_addr_t, old, uint64_t, old_length, uint64_t, new_length, uint32_t, flags,
	 user_addr_t, new_address)
{
	return vm_remap(current_process()->vm, old, old_length, new_length, flags, new_address);
}

SYSCALL1(brk, user_addr_t, end)
{
	return (int64_t)vm_brk(current_process()->vm, end);
}

/* Rounds a range to pages. 0, -EINVAL or (not all mapped) -ENOMEM. */
static int mapped_range(struct vm *vm, user_addr_t start, uint64_t *length)
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

/*
 * Advice that is only about speed is taken without effect: pages are always filled one by one, when
 * they are touched.
 */
SYSCALL3(madvise, user_addr_t, start, uint64_t, length, int, advice)
{
	struct vm *vm = current_process()->vm;
	int error = mapped_range(vm, start, &length);

	if (error)
		return error;
	switch (advice) {
	case MADV_DONTNEED:
		vm_drop_pages(vm, start, start + length);
		return 0;
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_FREE:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
		return 0;
	default:
		return -EINVAL;
	}
}

/* Files are in memory: what is written to a shared mapping is in the file at once. */
SYSCALL3(msync, user_addr_t, start, uint64_t, length, uint32_t, flags)
{
	if (flags & ~(uint32_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC) ||
	    ((flags & MS_ASYNC) && (flags & MS_SYNC)))
		return -EINVAL;
	return mapped_range(current_process()->vm, start, &length);
}

void vm_syscalls_init(void)
{
	syscall_register(SYS_mmap, sys_mmap);
	syscall_register(SYS_munmap, sys_munmap);
	syscall_register(SYS_mprotect, sys_mprotect);
	syscall_register(SYS_mremap, sys_mremap);
	syscall_register(SYS_brk, sys_brk);
	syscall_register(SYS_madvise, sys_madvise);
	syscall_register(SYS_msync, sys_msync);
}
