/* What stands in for a process: its memory, descriptors, system calls, and the stack it sees. */
#include <stdlib.h>
#include <string.h>

#include "kernel/errno.h"
#include "kernel/fs/file.h"
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

static uint32_t signals_sent;

void user_signal(int number __unused)
{
	__atomic_add_fetch(&signals_sent, 1, __ATOMIC_RELAXED);
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

/* Open files. The table is guarded by irq_save, references are counted atomically. */
#define HOST_FILES 16384
static struct file *files[HOST_FILES];

struct file *file_create(const struct file_ops *ops, void *private, uint32_t flags)
{
	struct file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->references = 1;
	file->ops = ops;
	file->private = private;
	file->flags = flags;
	return file;
}

struct file *file_get(struct file *file)
{
	__atomic_add_fetch(&file->references, 1, __ATOMIC_RELAXED);
	return file;
}

void file_put(struct file *file)
{
	if (!file || __atomic_sub_fetch(&file->references, 1, __ATOMIC_ACQ_REL))
		return;
	if (file->ops->release)
		file->ops->release(file);
	free(file);
}

struct file *fd_get(int fd)
{
	struct file *file = NULL;
	irq_flags_t flags = irq_save();

	if (fd >= 0 && fd < HOST_FILES && files[fd])
		file = file_get(files[fd]);
	irq_restore(flags);
	return file;
}

/* The lowest free descriptor from `lowest` on, or -EMFILE. */
static int free_descriptor(int lowest)
{
	for (int fd = lowest; fd < HOST_FILES; fd++) {
		if (!files[fd])
			return fd;
	}
	return -EMFILE;
}

int fd_install(struct file *file, int lowest, bool close_on_exec __unused)
{
	irq_flags_t flags = irq_save();
	int fd = free_descriptor(lowest);

	if (fd >= 0)
		files[fd] = file;
	irq_restore(flags);
	return fd;
}

int fd_close(int fd)
{
	if (fd < 0 || fd >= HOST_FILES)
		return -EBADF;
	irq_flags_t flags = irq_save();
	struct file *file = files[fd];
	files[fd] = NULL;
	irq_restore(flags);
	if (!file)
		return -EBADF;
	file_put(file);
	return 0;
}

void host_close_all(void)
{
	for (int fd = 0; fd < HOST_FILES; fd++)
		(void)fd_close(fd);
}

bool file_nonblocking(const struct file *file)
{
	return file->flags & 04000; /* O_NONBLOCK */
}

/* Tests ask for the present state with a NULL table; there is no poll call on the host. */
void poll_join(struct poll_table *table, struct wait_list *list __unused)
{
	assert_always(!table);
}
