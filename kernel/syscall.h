/*
 * The system call table: each call is registered, at boot, by the file that serves it.
 *
 *	SYSCALL3(read, int, fd, user_addr_t, buffer, uint64_t, count)
 *	{
 *		...
 *	}
 *	void file_syscalls_init(void) { syscall_register(SYS_read, sys_read); }
 *
 * A call returns its result or a negative errno. Numbers not registered answer -ENOSYS.
 */
#ifndef KERNEL_SYSCALL_H
#define KERNEL_SYSCALL_H

#include "include/uapi/syscall.h"
#include "kernel/errno.h"
#include "kernel/types.h"

struct syscall_args {
	uint64_t a[6];
};

typedef int64_t syscall_function(const struct syscall_args *args);

#define SYSCALL_MAX 512

void syscall_register(uint32_t number, syscall_function *function);

/* Runs the call; -ENOSYS when there is none. Called by the architecture's exception entry. */
int64_t syscall_dispatch(uint32_t number, const struct syscall_args *args);

#define SYSCALL0(name)                                                      \
	static int64_t call_##name(void);                                   \
	static int64_t sys_##name(const struct syscall_args *args __unused) \
	{                                                                   \
		return call_##name();                                       \
	}                                                                   \
	static int64_t call_##name(void)
#define SYSCALL1(name, t0, n0)                                     \
	static int64_t call_##name(t0 n0);                         \
	static int64_t sys_##name(const struct syscall_args *args) \
	{                                                          \
		return call_##name((t0)args->a[0]);                \
	}                                                          \
	static int64_t call_##name(t0 n0)
#define SYSCALL2(name, t0, n0, t1, n1)                              \
	static int64_t call_##name(t0 n0, t1 n1);                   \
	static int64_t sys_##name(const struct syscall_args *args)  \
	{                                                           \
		return call_##name((t0)args->a[0], (t1)args->a[1]); \
	}                                                           \
	static int64_t call_##name(t0 n0, t1 n1)
#define SYSCALL3(name, t0, n0, t1, n1, t2, n2)                                      \
	static int64_t call_##name(t0 n0, t1 n1, t2 n2);                            \
	static int64_t sys_##name(const struct syscall_args *args)                  \
	{                                                                           \
		return call_##name((t0)args->a[0], (t1)args->a[1], (t2)args->a[2]); \
	}                                                                           \
	static int64_t call_##name(t0 n0, t1 n1, t2 n2)
#define SYSCALL4(name, t0, n0, t1, n1, t2, n2, t3, n3)                             \
	static int64_t call_##name(t0 n0, t1 n1, t2 n2, t3 n3);                    \
	static int64_t sys_##name(const struct syscall_args *args)                 \
	{                                                                          \
		return call_##name((t0)args->a[0], (t1)args->a[1], (t2)args->a[2], \
				   (t3)args->a[3]);                                \
	}                                                                          \
	static int64_t call_##name(t0 n0, t1 n1, t2 n2, t3 n3)
#define SYSCALL5(name, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4)                                     \
	static int64_t call_##name(t0 n0, t1 n1, t2 n2, t3 n3, t4 n4);                             \
	static int64_t sys_##name(const struct syscall_args *args)                                 \
	{                                                                                          \
		return call_##name((t0)args->a[0], (t1)args->a[1], (t2)args->a[2], (t3)args->a[3], \
				   (t4)args->a[4]);                                                \
	}                                                                                          \
	static int64_t call_##name(t0 n0, t1 n1, t2 n2, t3 n3, t4 n4)
#define SYSCALL6(name, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)                             \
	static int64_t call_##name(t0 n0, t1 n1, t2 n2, t3 n3, t4 n4, t5 n5);                      \
	static int64_t sys_##name(const struct syscall_args *args)                                 \
	{                                                                                          \
		return call_##name((t0)args->a[0], (t1)args->a[1], (t2)args->a[2], (t3)args->a[3], \
				   (t4)args->a[4], (t5)args->a[5]);                                \
	}                                                                                          \
	static int64_t call_##name(t0 n0, t1 n1, t2 n2, t3 n3, t4 n4, t5 n5)

#endif
