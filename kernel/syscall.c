/*
 * The system call table: see syscall.h.
 */
#include "kernel/syscall.h"

#include "kernel/printk.h"
#include "kernel/proc/sched.h"

static syscall_function *table[SYSCALL_MAX];

void syscall_register(uint32_t number, syscall_function *function)
{
	if (number >= SYSCALL_MAX || table[number])
		panic("system call %u is registered twice, or has no place", number);
	table[number] = function;
}

int64_t syscall_dispatch(uint32_t number, const struct syscall_args *args)
{
	sched_account(true);
	if (number >= SYSCALL_MAX || !table[number])
		return -ENOSYS;
	return table[number](args);
}
