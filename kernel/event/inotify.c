#include "kernel/event/inotify.h"
#include "kernel/event/event.h"

#include "include/uapi/fcntl.h"
#include "include/uapi/ioctl.h"
#include "include/uapi/poll.h"
#include "kernel/errno.h"
#include "kernel/event/poll.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/path.h"
#include "kernel/fs/permission.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/timer.h"
#include "kernel/user.h"

#define QUEUE_MAX 16384   /* events that wait in one instance */
#define WATCHES_MAX 65536 /* in all */
#define NAME_ALIGNMENT sizeof(struct inotify_event)

/* What inotify_init1 makes. */
struct instance {
	struct list_head watches;
	struct list_head queue; /* struct queued */
	uint32_t queued;
	bool overflowed; /* some were lost, behind what is queued */
	int32_t last_wd;
	struct wait_list wait;
};

struct watch {
	struct list_head of_inode, of_instance;
	struct instance *instance;
	int32_t wd;
	uint32_t mask; /* events, IN_ONESHOT */
};

struct queued {
	struct list_head link;
	struct inotify_event event;
	char name[]; /* event.len bytes, NULs at the end */
};

static uint32_t watch_count;
static uint32_t last_cookie;

static bool same_event(const struct queued *a, const struct queued *b)
{
	return memcmp(&a->event, &b->event, sizeof(a->event)) == 0 &&
	       memcmp(a->name, b->name, a->event.len) == 0;
}

/* Takes over the event. One that only repeats the last is dropped, as inotify(7) says. */
static void append(struct instance *instance, struct queued *queued)
{
	const struct queued *last = container_of(instance->queue.prev, struct queued, link);
	bool repeats = !list_empty(&instance->queue) && same_event(last, queued);

	if (repeats && !instance->overflowed) {
		kfree(queued);
		return;
	}
	if (instance->overflowed || instance->queued >= QUEUE_MAX) {
		instance->overflowed = true;
		kfree(queued);
		return;
	}
	list_append(&instance->queue, &queued->link);
	instance->queued++;
}

/* `name` "": none. */
static void tell(const struct watch *watch, uint32_t mask, uint32_t cookie, const char *name)
{
	struct instance *instance = watch->instance;
	size_t length = strlen(name);
	size_t room = length ? ALIGN_UP(length + 1, NAME_ALIGNMENT) : 0;
	struct queued *queued = kzalloc(sizeof(*queued) + room);

	if (queued) {
		queued->event = (struct inotify_event){watch->wd, mask, cookie, (uint32_t)room};
		memcpy(queued->name, name, length);
		append(instance, queued);
	} else {
		instance->overflowed = true;
	}
	wait_list_wake(&instance->wait, POLLIN);
}

static void remove_watch(struct watch *watch)
{
	tell(watch, IN_IGNORED, 0, "");
	list_remove(&watch->of_inode);
	list_remove(&watch->of_instance);
	watch_count--;
	kfree(watch);
}

static void tell_watches(struct inode *watched, uint32_t mask, uint32_t cookie, const char *name)
{
	struct watch *watch, *following;

	list_for_each_entry_safe(watch, following, &watched->watches, of_inode) {
		if (!(watch->mask & mask & IN_ALL_EVENTS))
			continue;
		tell(watch, mask, cookie, name);
		if (watch->mask & IN_ONESHOT)
			remove_watch(watch);
	}
}

void inotify_name_event(struct inode *directory, const char *name, const struct inode *inode,
			uint32_t mask, uint32_t cookie)
{
	if (watch_count)
		tell_watches(directory, mask | (S_ISDIR(inode->mode) ? IN_ISDIR : 0), cookie, name);
}

void inotify_self_event(struct inode *inode, uint32_t mask)
{
	if (watch_count)
		tell_watches(inode, mask, 0, "");
}

void inotify_inode_event(struct inode *inode, uint32_t mask)
{
	if (watch_count == 0)
		return;
	if (inode->entry && inode->entry->directory)
		inotify_name_event(inode->entry->directory, inode->entry->name, inode, mask, 0);
	inotify_self_event(inode, mask | (S_ISDIR(inode->mode) ? IN_ISDIR : 0));
}

uint32_t inotify_next_cookie(void)
{
	return ++last_cookie;
}

void inotify_inode_ends(struct inode *inode)
{
	struct watch *watch, *following;

	if (list_empty(&inode->watches))
		return;
	inotify_self_event(inode, IN_DELETE_SELF);
	list_for_each_entry_safe(watch, following, &inode->watches, of_inode)
		remove_watch(watch);
}

/* Copies out whole events. Bytes, 0 when there are none, -EINVAL when not even one fits. */
static int64_t take_events(struct instance *instance, struct iov *iov)
{
	static const struct inotify_event overflow = {.wd = -1, .mask = IN_Q_OVERFLOW};
	int64_t done = 0;

	while (!list_empty(&instance->queue)) {
		struct queued *first = list_first_entry(&instance->queue, struct queued, link);
		size_t size = sizeof(first->event) + first->event.len;

		if (iov->remaining < size)
			return done ? done : -EINVAL;
		if (iov_copy_to(iov, &first->event, sizeof(first->event)) ||
		    iov_copy_to(iov, first->name, first->event.len))
			return done ? done : -EFAULT;
		done += (int64_t)size;
		list_remove(&first->link);
		instance->queued--;
		kfree(first);
	}
	if (!instance->overflowed)
		return done;
	if (iov->remaining < sizeof(overflow))
		return done ? done : -EINVAL;
	if (iov_copy_to(iov, &overflow, sizeof(overflow)))
		return done ? done : -EFAULT;
	instance->overflowed = false;
	return done + (int64_t)sizeof(overflow);
}

static int64_t read_inotify(struct file *file, struct iov *iov, uint64_t *position __unused)
{
	struct instance *instance = file->private;
	struct thread_waiter waiter;
	int64_t done;
	int error = 0;

	thread_waiter_join(&waiter, &instance->wait);
	while ((done = take_events(instance, iov)) == 0 && !error)
		error = file_nonblocking(file) ? -EAGAIN : thread_waiter_sleep(&waiter, TIME_NEVER);
	thread_waiter_leave(&waiter);
	return done ? done : error;
}

static uint32_t poll_inotify(struct file *file, struct poll_table *table)
{
	struct instance *instance = file->private;

	poll_join(table, &instance->wait);
	return instance->overflowed || !list_empty(&instance->queue) ? POLLIN | POLLRDNORM : 0;
}

static int64_t ioctl_inotify(struct file *file, uint32_t command, uint64_t argument)
{
	const struct instance *instance = file->private;
	const struct queued *queued;
	int32_t waiting = instance->overflowed ? (int32_t)sizeof(struct inotify_event) : 0;

	if (command != FIONREAD)
		return -ENOTTY;
	list_for_each_entry(queued, &instance->queue, link)
		waiting += (int32_t)(sizeof(queued->event) + queued->event.len);
	return copy_to_user(argument, &waiting, sizeof(waiting));
}

static void release_inotify(struct file *file)
{
	struct instance *instance = file->private;
	struct watch *watch, *following;
	struct queued *queued, *next;

	list_for_each_entry_safe(watch, following, &instance->watches, of_instance)
		remove_watch(watch);
	list_for_each_entry_safe(queued, next, &instance->queue, link)
		kfree(queued);
	wait_list_close(&instance->wait);
	kfree(instance);
}

static const struct file_ops inotify_file_ops = {
	.read = read_inotify,
	.poll = poll_inotify,
	.ioctl = ioctl_inotify,
	.release = release_inotify,
};

SYSCALL1(inotify_init1, uint32_t, flags)
{
	struct instance *instance;
	struct file *file;
	int fd;

	if (flags & ~(uint32_t)(IN_NONBLOCK | IN_CLOEXEC))
		return -EINVAL;
	instance = kzalloc(sizeof(*instance));
	file = instance ? file_create(&inotify_file_ops, instance, O_RDONLY | (flags & IN_NONBLOCK))
			: NULL;
	if (!file) {
		kfree(instance);
		return -ENOMEM;
	}
	list_init(&instance->watches);
	list_init(&instance->queue);
	wait_list_init(&instance->wait);
	fd = fd_install(file, 0, flags & IN_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

static struct watch *find_watch(const struct instance *instance, const struct inode *inode)
{
	struct watch *watch;

	list_for_each_entry(watch, &inode->watches, of_inode)
		if (watch->instance == instance)
			return watch;
	return NULL;
}

/* Another mask for a watch that is there. Its number or -EEXIST. */
static int64_t change_watch(struct watch *watch, uint32_t mask)
{
	if (mask & IN_MASK_CREATE)
		return -EEXIST;
	if (mask & IN_MASK_ADD)
		mask |= watch->mask;
	watch->mask = mask & (IN_ALL_EVENTS | IN_ONESHOT);
	return watch->wd;
}

static int64_t add_watch(struct instance *instance, struct inode *inode, uint32_t mask)
{
	struct watch *watch = find_watch(instance, inode);

	if (watch)
		return change_watch(watch, mask);
	if (watch_count >= WATCHES_MAX || instance->last_wd == INT32_MAX)
		return -ENOSPC;
	watch = kzalloc(sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	watch->instance = instance;
	watch->wd = ++instance->last_wd;
	watch->mask = mask & (IN_ALL_EVENTS | IN_ONESHOT);
	list_append(&inode->watches, &watch->of_inode);
	list_append(&instance->watches, &watch->of_instance);
	watch_count++;
	return watch->wd;
}

/* The instance behind `fd`, and the file with a reference. 0, -EBADF or -EINVAL. */
static int find_instance(int fd, struct file **file, struct instance **instance)
{
	*file = fd_get(fd);
	if (!*file)
		return -EBADF;
	*instance = (*file)->private;
	if ((*file)->ops == &inotify_file_ops)
		return 0;
	file_put(*file);
	return -EINVAL;
}

static int64_t watch_path(struct instance *instance, user_addr_t path, uint32_t mask)
{
	uint32_t flags = mask & IN_DONT_FOLLOW ? AT_SYMLINK_NOFOLLOW : 0;
	struct inode *inode;
	int64_t result = path_at(AT_FDCWD, path, flags, &inode);

	if (result)
		return result;
	if (mask & IN_ONLYDIR && !S_ISDIR(inode->mode))
		result = -ENOTDIR;
	else if (!(result = may_access(inode, R_OK)))
		result = add_watch(instance, inode, mask);
	inode_put(inode);
	return result;
}

SYSCALL3(inotify_add_watch, int, fd, user_addr_t, path, uint32_t, mask)
{
	struct instance *instance;
	struct file *file;
	int64_t result;

	if (!(mask & IN_ALL_EVENTS) || (mask & IN_MASK_ADD && mask & IN_MASK_CREATE))
		return -EINVAL;
	result = find_instance(fd, &file, &instance);
	if (result)
		return result;
	result = watch_path(instance, path, mask);
	file_put(file);
	return result;
}

SYSCALL2(inotify_rm_watch, int, fd, int32_t, wd)
{
	struct instance *instance;
	struct watch *watch;
	struct file *file;
	int error = find_instance(fd, &file, &instance);

	if (error)
		return error;
	error = -EINVAL;
	list_for_each_entry(watch, &instance->watches, of_instance) {
		if (watch->wd != wd)
			continue;
		remove_watch(watch);
		error = 0;
		break;
	}
	file_put(file);
	return error;
}

void inotify_syscalls_init(void)
{
	syscall_register(SYS_inotify_init1, sys_inotify_init1);
	syscall_register(SYS_inotify_add_watch, sys_inotify_add_watch);
	syscall_register(SYS_inotify_rm_watch, sys_inotify_rm_watch);
}
