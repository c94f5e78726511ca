/*
 * The parts of execve(2): collecting the strings, building the new stack, and the change from one
 * program to the next.
 */
#ifndef KERNEL_EXEC_EXEC_H
#define KERNEL_EXEC_EXEC_H

#include "kernel/exec/elf.h"
#include "kernel/mm/vm.h"
#include "kernel/proc/process.h"
#include "kernel/types.h"

#define EXEC_STRINGS_MAX (2ul << 20)  /* bytes of all strings and their pointers; then E2BIG */
#define EXEC_STRING_MAX (128ul << 10) /* bytes of one string */

#define SCRIPT_LEVELS_MAX 4 /* an interpreter of a script may be a script ... */
#define EXEC_PREFIX_MAX (2 * SCRIPT_LEVELS_MAX + 1)

/*
 * Strings of the kernel's (what a script's first line adds, or the first program's), then those of
 * a NULL-ended user array.
 */
struct string_list {
	const char *kernel[EXEC_PREFIX_MAX];
	uint32_t kernel_count;
	user_addr_t user;   /* the array of pointers; 0: none */
	uint32_t user_skip; /* of its first strings, which the kernel's replace */
};

struct exec_stack {
	user_addr_t sp;
	user_addr_t arguments_start, arguments_end;
	user_addr_t environment_start, environment_end;
	user_addr_t auxiliary_start, auxiliary_end;
};

/*
 * Maps the stack of a fresh program: before anything that mmap may place, because it lies at a
 * random address of its own choice. 0 with the address of its end, or a negative errno.
 */
int exec_stack_map(struct vm *vm, user_addr_t *top);

/*
 * Fills the stack that ends at `top` as the program's ABI wants it. 0, -E2BIG, -EFAULT or -ENOMEM.
 */
int exec_stack_build(struct vm *vm, user_addr_t top, const struct program *program,
		     const char *file_name, const struct string_list *arguments,
		     const struct string_list *environment, struct exec_stack *stack);

void exec_syscalls_init(void);

#endif
