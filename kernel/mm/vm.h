/*
 * A process's address space: areas (what a range of addresses means) and page tables (what has been
 * touched so far). Filled lazily; private pages are shared and copied on the first write.
 *
 * All of it is process context. No page is ever writable and executable at once (W^X): one that a
 * process may both write and run is the one or the other, and changes by faults.
 */
#ifndef KERNEL_MM_VM_H
#define KERNEL_MM_VM_H

#include "kernel/fs/inode.h"
#include "kernel/lib/text.h"
#include "kernel/types.h"

struct vm;

#define USER_ADDRESS_END 0x7ffffff000ull /* 39-bit addresses; the first that no process has */

/* An empty space with one reference; NULL when memory is out. */
struct vm *vm_create(void);
struct vm *vm_get(struct vm *vm);
void vm_put(struct vm *vm);

/* fork: the same areas; private pages copy-on-write in both. NULL when memory is out. */
struct vm *vm_fork(struct vm *vm);

/* Makes it the processor's (TTBR0). NULL: none (kernel threads). */
void vm_activate(struct vm *vm);

/*
 * mmap: `protection` PROT_*, `flags` MAP_* of the ABI. `inode` NULL: anonymous; otherwise a
 * reference of its own is taken. Returns the address or a negative errno.
 */
#define VM_MAP_NEVER_WRITE 0x80000000u /* with MAP_SHARED: the file was not opened for writing */
int64_t vm_map(struct vm *vm, user_addr_t hint, uint64_t length, uint32_t protection,
	       uint32_t flags, struct inode *inode, uint64_t offset);
int vm_unmap(struct vm *vm, user_addr_t start, uint64_t length);
int vm_protect(struct vm *vm, user_addr_t start, uint64_t length, uint32_t protection);
int64_t vm_remap(struct vm *vm, user_addr_t old, uint64_t old_length, uint64_t new_length,
		 uint32_t flags, user_addr_t new_address);

/*
 * The heap: exec says where it begins; brk(2) moves its end and returns the new or unchanged end.
 */
void vm_set_heap(struct vm *vm, user_addr_t start);
user_addr_t vm_brk(struct vm *vm, user_addr_t end);

enum vm_access { VM_READ, VM_WRITE, VM_EXECUTE };

/*
 * Brings in the page at `address`. 0, or the signal that the access deserves as a negative number:
 * -SIGSEGV, -SIGBUS (beyond a file's end), or -SIGKILL when memory is out.
 */
int vm_fault(struct vm *vm, user_addr_t address, enum vm_access access);

/*
 * The same for a system call that touches the address: it may have some of the kernel's reserve,
 * and its thread then waits on its way back to user mode (oom.h). So -SIGKILL is rare, but for
 * processes that end. Never sleeps, as what calls kernel/user.h relies on.
 */
int vm_fault_in_call(struct vm *vm, user_addr_t address, enum vm_access access);

/* Faults served since the boot: /proc/vmstat. */
uint64_t vm_fault_count(void);

/* True when the address lies in an area, whatever may be done there. */
bool vm_covers(struct vm *vm, user_addr_t address);

/*
 * The physical page behind a user address, brought in for `access`, with a reference; NULL when the
 * process may not. For futex keys and for exec's argument copying into another space.
 */
struct page *vm_get_page(struct vm *vm, user_addr_t address, enum vm_access access);

/*
 * Pages [first, end) of a file are about to go: no address space has them any more. Copies that
 * private mappings made stay, unless `private_copies` says that those go too (truncation).
 */
void vm_forget_file(const struct inode *inode, uint64_t first, uint64_t end, bool private_copies);

/*
 * Brings in what of [start, end) may be touched, as far as memory goes and until a signal comes:
 * MAP_POPULATE, mlockall. Others run meanwhile, so areas may change.
 */
void vm_populate(struct vm *vm, user_addr_t start, user_addr_t end);

/*
 * Bytes mapped, and bytes present by kind: /proc/PID/stat, status, statm. `data` is what is
 * private and writable.
 */
struct vm_statistics {
	uint64_t mapped, stack, text, data;
	uint64_t resident, resident_peak, anonymous, file,
		shared;  /* resident is the sum of three */
	uint64_t tables; /* the page tables' own */
};
struct vm_statistics vm_statistics(struct vm *vm);

/* Bytes that would be free if the space went, for kernel/proc/oom.c: quickly had. */
uint64_t vm_size(const struct vm *vm);

/* Bytes that were present at most. */
uint64_t vm_peak(const struct vm *vm);

/* The texts of /proc/PID/maps, smaps and smaps_rollup. */
void vm_show_maps(struct vm *vm, struct text *text);
void vm_show_smaps(struct vm *vm, struct text *text);
void vm_show_smaps_rollup(struct vm *vm, struct text *text);

/* Boot, once pages can be had. */
void vm_init(void);

/*
 * Exec: how many bytes below the stack's end stay free of other mappings, so that it can grow.
 */
void vm_set_stack_room(struct vm *vm, uint64_t bytes);

/* Registers the system calls on address spaces. Boot. */
void vm_syscalls_init(void);
void mlock_syscalls_init(void);
void shm_syscalls_init(void);
void vm_advice_syscalls_init(void);

#endif
