/*
 * Loading programs in the ELF format: 64-bit arm64, static or with an interpreter (ld.so), at fixed
 * addresses or anywhere.
 */
#ifndef KERNEL_EXEC_ELF_H
#define KERNEL_EXEC_ELF_H

#include "kernel/fs/inode.h"
#include "kernel/mm/vm.h"
#include "kernel/types.h"

/* Where things have been put: what the auxiliary vector tells the program. */
struct program {
	user_addr_t start;   /* the first instruction: the interpreter's, if there is one */
	user_addr_t entry;   /* the program's own (AT_ENTRY) */
	user_addr_t headers; /* AT_PHDR */
	uint32_t header_count, header_size; /* bytes of one */
	user_addr_t interpreter;            /* where it was loaded (AT_BASE); 0: none */
	user_addr_t end;                    /* of the highest segment: the heap comes after it */
	uint32_t euid, egid;                /* for whom it runs: execve's to say, not elf_load's */
};

/*
 * Maps the program's segments into an empty address space. 0, -ENOEXEC for what is no such program,
 * -EACCES for one that wants memory writable and executable at once, or another negative errno.
 * Process context.
 */
int elf_load(struct vm *vm, struct inode *inode, struct program *program);

#endif
