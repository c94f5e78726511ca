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

/* Those that MAP_SHARED_VALIDATE accepts; the other types pass over what they do not know. */
#define MAP_KNOWN                                                                            \
	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_LOCKED | \
	 MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_FIXED_NOREPLACE)

static int check_flags(uint32_t flags)
{
	switch (flags & MAP_TYPE) {
	case MAP_PRIVATE:
		break;
	case MAP_SHARED_VALIDATE:
		if (flags & ~(uint32_t)MAP_KNOWN)
			return -EOPNOTSUPP;
		/* fallthrough */
	case MAP_SHARED:
		if (flags & MAP_GROWSDOWN)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	/* Only private memory of zeroes can grow like a stack. */
	if (flags & MAP_GROWSDOWN && !(flags & MAP_ANONYMOUS))
		return -EINVAL;
	return flags & MAP_HUGETLB ? -ENOMEM : 0;
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

static int64_t map_file(struct vm *vm, user_addr_t hint, uint64_t length, uint32_t protection,
			uint32_t flags, struct file *file, uint64_t offset)
{
	int error = check_file(file, protection, &flags);

	return error ? error : vm_map(vm, hint, length, protection, flags, file->inode, offset);
}

/* The memory of a file that is no regular one: a packet socket's ring. */
static int64_t map_memory(struct vm *vm, user_addr_t hint, uint64_t length, uint32_t protection,
			  uint32_t flags, struct file *file, uint64_t offset)
{
	struct inode *inode;

	if ((file->flags & O_PATH) || offset != 0)
		return -EINVAL;
	int error = file->ops->memory(file, length, &inode);
	if (error)
		return error;
	int64_t result = vm_map(vm, hint, length, protection, flags, inode, 0);
	inode_put(inode);
	return result;
}

SYSCALL6(mmap, user_addr_t, hint, uint64_t, length, uint32_t, protection, uint32_t, flags, int, fd,
	 uint64_t, offset)
{
	struct vm *vm = current_process()->vm;

	int error = check_flags(flags);

	if (error)
		return error;
	if (protection & ~(uint32_t)PROT_ALL)
		return -EINVAL;
	flags &= MAP_KNOWN;
	if (flags & MAP_LOCKED && !vm_may_lock(length))
		return -EAGAIN;
	if (flags & MAP_ANONYMOUS)
		return vm_map(vm, hint, length, protection, flags, NULL, 0);

	struct file *file = fd_get(fd);
	if (!file)
		return -EBADF;
	int64_t result;
	if (file->ops->memory)
		result = map_memory(vm, hint, length, protection, flags, file, offset);
	else
		result = map_file(vm, hint, length, protection, flags, file, offset);
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

/* Files are in memory: what is written to a shared mapping is in the file at once. */
SYSCALL3(msync, user_addr_t, start, uint64_t, length, uint32_t, flags)
{
	if (flags & ~(uint32_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC) ||
	    ((flags & MS_ASYNC) && (flags & MS_SYNC)))
		return -EINVAL;
	return vm_mapped_range(current_process()->vm, start, &length);
}

void vm_syscalls_init(void)
{
	syscall_register(SYS_mmap, sys_mmap);
	syscall_register(SYS_munmap, sys_munmap);
	syscall_register(SYS_mprotect, sys_mprotect);
	syscall_register(SYS_mremap, sys_mremap);
	syscall_register(SYS_brk, sys_brk);
	syscall_register(SYS_msync, sys_msync);
	mlock_syscalls_init();
	shm_syscalls_init();
	vm_advice_syscalls_init();
}
