/* What stands in for a process: its memory, signals, system calls, and the stack it sees. */
#include <stdlib.h>
#include <string.h>

#include "include/uapi/socket.h"
#include "kernel/errno.h"
#include "kernel/fs/permission.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "kernel/syscall.h"
#include "kernel/user.h"
#include "net/core/net.h"
#include "test/host/services/host.h"

#define HOST_NULL_GUARD 4096 /* addresses below are bad, so that tests can provoke -EFAULT */

int copy_from_user(void *to, user_addr_t from, size_t n)
{
	if (from < HOST_NULL_GUARD && n)
		return -EFAULT;
	if (n)
		memcpy(to, (const void *)from, n);
	return 0;
}

int copy_to_user(user_addr_t to, const void *from, size_t n)
{
	if (to < HOST_NULL_GUARD && n)
		return -EFAULT;
	if (n)
		memcpy((void *)to, from, n);
	return 0;
}

int clear_user(user_addr_t to, size_t n)
{
	if (to < HOST_NULL_GUARD && n)
		return -EFAULT;
	if (n)
		memset((void *)to, 0, n);
	return 0;
}

int64_t copy_string_from_user(char *to, user_addr_t from, size_t size)
{
	if (from < HOST_NULL_GUARD)
		return -EFAULT;
	size_t length = strnlen((const char *)from, size);

	if (length == size)
		return -ENAMETOOLONG;
	memcpy(to, (const void *)from, length + 1);
	return (int64_t)length;
}

static struct ucred credentials_of_process = {.pid = 1};

void user_credentials(struct ucred *credentials)
{
	*credentials = credentials_of_process;
}

void user_real_credentials(struct ucred *credentials)
{
	user_credentials(credentials);
}

void host_set_credentials(const struct ucred *credentials)
{
	credentials_of_process = *credentials;
}

bool user_may(uint32_t capability __unused)
{
	return credentials_of_process.uid == 0;
}

/* The few inodes that there are belong to whoever asks. */
bool is_owner(const struct inode *inode __unused)
{
	return true;
}

int user_may_claim(const struct ucred *credentials)
{
	if (credentials_of_process.uid == 0)
		return credentials->pid > 0 ? 0 : -ESRCH;
	return memcmp(credentials, &credentials_of_process, sizeof(*credentials)) ? -EPERM : 0;
}

static uint32_t signals_sent;

void user_signal(int number __unused)
{
	__atomic_add_fetch(&signals_sent, 1, __ATOMIC_RELAXED);
}

void user_signal_owner(int32_t owner, int number)
{
	if (owner)
		user_signal(number);
}

uint32_t host_signals_sent(void)
{
	return __atomic_exchange_n(&signals_sent, 0, __ATOMIC_RELAXED);
}

static syscall_function *calls[SYSCALL_MAX];

void syscall_register(uint32_t number, syscall_function *function)
{
	assert_always(number < SYSCALL_MAX);
	calls[number] = function;
}

int64_t syscall_dispatch(uint32_t number, const struct syscall_args *args)
{
	if (number >= SYSCALL_MAX || !calls[number])
		return -ENOSYS;
	return calls[number](args);
}

int64_t host_syscall(uint32_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
		     uint64_t a4, uint64_t a5)
{
	struct syscall_args args = {{a0, a1, a2, a3, a4, a5}};

	return syscall_dispatch(number, &args);
}

static struct net *net_of_process;

void host_set_current_net(struct net *net)
{
	net_of_process = net;
}

struct net *current_net(void)
{
	return net_of_process;
}
