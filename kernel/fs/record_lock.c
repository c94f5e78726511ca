#include "kernel/fs/record_lock.h"

#include "include/uapi/fcntl.h"
#include "include/uapi/poll.h"
#include "kernel/fs/inode.h"
#include "kernel/list.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/process.h"
#include "kernel/syscall.h"
#include "kernel/timer.h"
#include "kernel/user.h"

/* flock(2) and fcntl(2) locks don't see each other. */
enum lock_kind { LOCK_RECORD, LOCK_WHOLE };

struct lock {
	struct list_head link;
	struct inode *inode; /* no reference: a lock ends before its file does */
	const void *owner;   /* struct file_table or struct file */
	enum lock_kind kind;
	bool exclusive;
	uint64_t first, last; /* bytes, both included */
	int32_t pid;          /* for F_GETLK; -1: belongs to an open file */
};

static struct list_head locks = LIST_HEAD_INIT(locks);
static struct wait_list lock_wait; /* woken when any lock is given up */

static bool overlap(const struct lock *a, const struct lock *b)
{
	return a->inode == b->inode && a->kind == b->kind && a->first <= b->last &&
	       b->first <= a->last;
}

/* The lock of somebody else that `wanted` cannot be held beside, or NULL. */
static struct lock *find_conflict(const struct lock *wanted)
{
	struct lock *held;
	list_for_each_entry(held, &locks, link)
		if (overlap(held, wanted) && held->owner != wanted->owner &&
		    (held->exclusive || wanted->exclusive))
			return held;
	return NULL;
}

static void lock_free(struct lock *lock)
{
	list_remove(&lock->link);
	kfree(lock);
}

/*
 * Takes [range->first, range->last] out of what its owner holds. A lock that reaches beyond on both
 * sides is cut in two, for which `spare` is used up. Returns whether anything was given up.
 */
static bool release_range(const struct lock *range, struct lock **spare)
{
	struct lock *held, *next;
	bool released = false;
	list_for_each_entry_safe(held, next, &locks, link) {
		if (!overlap(held, range) || held->owner != range->owner)
			continue;
		released = true;
		bool keep_front = held->first < range->first;
		bool keep_back = held->last > range->last;
		if (keep_front && keep_back) {
			struct lock *back = *spare;
			*spare = NULL;
			*back = *held;
			back->first = range->last + 1;
			list_push(&held->link, &back->link);
			held->last = range->first - 1;
		} else if (keep_front) {
			held->last = range->first - 1;
		} else if (keep_back) {
			held->first = range->last + 1;
		} else {
			lock_free(held);
		}
	}
	return released;
}

/* Sleeps until nobody's lock stands against `wanted`. 0, -EAGAIN or -ERESTARTSYS. */
static int wait_for_conflict(const struct lock *wanted, bool may_wait)
{
	if (!find_conflict(wanted))
		return 0;
	if (!may_wait)
		return -EAGAIN;
	struct thread_waiter waiter;
	int error = 0;
	thread_waiter_join(&waiter, &lock_wait);
	while (!error && find_conflict(wanted))
		error = thread_waiter_sleep(&waiter, TIME_NEVER);
	thread_waiter_leave(&waiter);
	return error;
}

/* Sets, changes or (unlock) gives up a lock. */
static int lock_apply(const struct lock *wanted, bool unlock, bool may_wait)
{
	if (!unlock) {
		int error = wait_for_conflict(wanted, may_wait);
		if (error)
			return error;
	}
	struct lock *fresh = kmalloc(sizeof(*fresh));
	struct lock *spare = kmalloc(sizeof(*spare));
	if (!fresh || !spare) {
		kfree(fresh);
		kfree(spare);
		return -ENOLCK;
	}
	bool released = release_range(wanted, &spare);
	if (unlock) {
		kfree(fresh);
	} else {
		*fresh = *wanted;
		list_append(&locks, &fresh->link);
	}
	kfree(spare);
	if (released)
		wait_list_wake(&lock_wait, POLLIN);
	return 0;
}

/* The bytes that a struct flock means. 0, -EINVAL or -EOVERFLOW. */
static int flock_range(const struct flock *request, const struct file *file, struct lock *lock)
{
	int64_t start;
	switch (request->l_whence) {
	case SEEK_SET:
		start = 0;
		break;
	case SEEK_CUR:
		start = (int64_t)file->position;
		break;
	case SEEK_END:
		start = (int64_t)file->inode->size;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(start, request->l_start, &start))
		return -EOVERFLOW;
	int64_t end = INT64_MAX;
	if (request->l_len > 0 && __builtin_add_overflow(start, request->l_len - 1, &end))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	if (request->l_len < 0) {
		end = start - 1;
		if (__builtin_add_overflow(start, request->l_len, &start) || start < 0)
			return -EINVAL;
	}
	lock->first = (uint64_t)start;
	lock->last = (uint64_t)end;
	return 0;
}

static int64_t lock_query(struct lock *wanted, struct flock *request, user_addr_t argument)
{
	struct lock *conflict = find_conflict(wanted);
	if (!conflict) {
		request->l_type = F_UNLCK;
	} else {
		request->l_type = conflict->exclusive ? F_WRLCK : F_RDLCK;
		request->l_whence = SEEK_SET;
		request->l_start = (int64_t)conflict->first;
		request->l_len = conflict->last == INT64_MAX
					 ? 0
					 : (int64_t)(conflict->last - conflict->first + 1);
		request->l_pid = conflict->pid;
	}
	return copy_to_user(argument, request, sizeof(*request));
}

static void drop_owned(const void *owner, const struct inode *inode)
{
	struct lock *lock, *next;
	bool released = false;
	list_for_each_entry_safe(lock, next, &locks, link) {
		if (lock->owner != owner || lock->inode != inode)
			continue;
		lock_free(lock);
		released = true;
	}
	if (released)
		wait_list_wake(&lock_wait, POLLIN);
}

void record_locks_drop(const struct file_table *table, const struct file *file)
{
	if (file->inode)
		drop_owned(table, file->inode);
}

int64_t record_lock_fcntl(struct file *file, int command, user_addr_t argument)
{
	struct flock request;
	if (copy_from_user(&request, argument, sizeof(request)))
		return -EFAULT;
	bool of_file = command >= F_OFD_GETLK;
	if (!file->inode || (of_file && request.l_pid != 0))
		return -EINVAL;
	if (request.l_type != F_RDLCK && request.l_type != F_WRLCK && request.l_type != F_UNLCK)
		return -EINVAL;

	struct process *process = current_process();
	struct lock wanted = {
		.inode = file->inode,
		.owner = of_file ? (const void *)file : process->files,
		.kind = LOCK_RECORD,
		.exclusive = request.l_type == F_WRLCK,
		.pid = of_file ? -1 : process->pid,
	};
	int error = flock_range(&request, file, &wanted);
	if (error)
		return error;
	if (command == F_GETLK || command == F_OFD_GETLK)
		return request.l_type == F_UNLCK ? -EINVAL
						 : lock_query(&wanted, &request, argument);

	uint32_t access = file->flags & O_ACCMODE;
	if ((request.l_type == F_RDLCK && access == O_WRONLY) ||
	    (request.l_type == F_WRLCK && access == O_RDONLY))
		return -EBADF;
	bool may_wait = command == F_SETLKW || command == F_OFD_SETLKW;
	error = lock_apply(&wanted, request.l_type == F_UNLCK, may_wait);
	if (error || of_file || file_table_has(process->files, file))
		return error;
	/* Another thread has closed it meanwhile: this lock would never end. */
	record_locks_drop(process->files, file);
	return -EBADF;
}

void file_locks_drop(const struct file *file)
{
	if (file->inode)
		drop_owned(file, file->inode);
}

static int64_t flock_file(struct file *file, int operation)
{
	int kind = operation & ~LOCK_NB;
	if (kind != LOCK_SH && kind != LOCK_EX && kind != LOCK_UN)
		return -EINVAL;
	struct lock wanted = {
		.inode = file->inode,
		.owner = file,
		.kind = LOCK_WHOLE,
		.exclusive = kind == LOCK_EX,
		.last = INT64_MAX,
		.pid = -1,
	};
	return lock_apply(&wanted, kind == LOCK_UN, !(operation & LOCK_NB));
}

SYSCALL2(flock, int, fd, int, operation)
{
	struct file *file = fd_get(fd);
	if (!file)
		return -EBADF;
	int64_t result = file->inode ? flock_file(file, operation) : -EBADF;
	file_put(file);
	return result;
}

void lock_syscalls_init(void)
{
	wait_list_init(&lock_wait);
	syscall_register(SYS_flock, sys_flock);
}
