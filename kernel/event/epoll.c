/*
 * epoll(7): a set of files that are watched for good, so that waiting costs by what happens, not by
 * what is watched.
 *
 * Each item stays joined to its file's wait lists. A wake-up, from whatever context, moves the item
 * to the ready list; epoll_wait asks the files on that list what really holds. A level-triggered
 * item goes back to the end of the list as long as something holds; an edge-triggered one waits for
 * its next wake-up.
 *
 * The ready list is guarded by irq_save; everything else is process context. An item holds no
 * reference to its file: the last file_put takes the items away.
 */
#include "include/uapi/epoll.h"
#include "include/uapi/fcntl.h"
#include "include/uapi/poll.h"
#include "include/uapi/time.h"
#include "kernel/clock.h"
#include "kernel/errno.h"
#include "kernel/event/event.h"
#include "kernel/event/poll.h"
#include "kernel/fs/fd_table.h"
#include "kernel/list.h"
#include "kernel/lock.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/usage.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

#define FLAGS (EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET)
#define WITH_EXCLUSIVE                                                                            \
	(POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM | POLLERR | POLLHUP | EPOLLWAKEUP | EPOLLET | \
	 EPOLLEXCLUSIVE)
#define NESTING_MAX 5  /* epolls in a chain */
#define WATCHERS_MAX 8 /* epolls that watch the same epoll: the ways to one grow as their power */
#define EVENTS_MAX (INT32_MAX / (int32_t)sizeof(struct epoll_event))

struct epoll {
	struct file *file; /* which it belongs to; no reference */
	struct list_head items;
	struct list_head ready; /* items that may have something to tell */
	struct wait_list wait;
};

/* One wait list that an item has joined. */
struct epoll_waiter {
	struct waiter waiter;
	struct epoll_item *item;
	struct epoll_waiter *next;
};

struct epoll_item {
	struct list_head link;       /* epoll->items */
	struct list_head ready_link; /* epoll->ready, or on no list */
	struct list_head file_link;  /* file->epoll_items */
	struct epoll *epoll;
	struct file *file;
	int fd; /* with the file, what names the item */
	struct epoll_event event;
	struct poll_table table;
	struct epoll_waiter *waiters;
	bool failed; /* memory ran out while joining */
};

static const struct file_ops epoll_file_ops;

static void mark_ready(struct epoll_item *item)
{
	irq_flags_t flags = irq_save();
	if (list_empty(&item->ready_link))
		list_append(&item->epoll->ready, &item->ready_link);
	wait_list_wake(&item->epoll->wait, POLLIN);
	irq_restore(flags);
}

/* A wake-up of a kind that nobody asked for is none: it must not tell an edge again. */
static void wake_item(struct waiter *waiter, uint32_t events)
{
	struct epoll_item *item = container_of(waiter, struct epoll_waiter, waiter)->item;

	if (events & POLLIN)
		events |= POLLRDNORM;
	if (events & POLLOUT)
		events |= POLLWRNORM;
	if (events & (item->event.events | POLLERR | POLLHUP))
		mark_ready(item);
}

static void join(struct poll_table *table, struct wait_list *list)
{
	struct epoll_item *item = container_of(table, struct epoll_item, table);
	struct epoll_waiter *joined = kzalloc(sizeof(*joined));
	if (!joined) {
		item->failed = true;
		return;
	}
	joined->waiter.wake = wake_item;
	joined->item = item;
	joined->next = item->waiters;
	item->waiters = joined;
	waiter_join(&joined->waiter, list);
}

static void item_free(struct epoll_item *item)
{
	while (item->waiters) {
		struct epoll_waiter *joined = item->waiters;
		item->waiters = joined->next;
		waiter_leave(&joined->waiter);
		kfree(joined);
	}
	irq_flags_t flags = irq_save();
	list_remove(&item->ready_link);
	irq_restore(flags);
	list_remove(&item->link);
	list_remove(&item->file_link);
	kfree(item);
}

void epoll_forget_file(struct file *file)
{
	struct epoll_item *item, *next;
	list_for_each_entry_safe(item, next, &file->epoll_items, file_link)
		item_free(item);
}

/*
 * What of the item's events holds. A one-shot item that has fired wants nothing, not even errors.
 */
static uint32_t item_events(const struct epoll_item *item, struct poll_table *table)
{
	uint32_t wanted = item->event.events & ~FLAGS;
	return file_poll(item->file, table) & (wanted ? wanted | POLLERR | POLLHUP : 0);
}

static struct epoll_item *find_item(const struct epoll *epoll, const struct file *file, int fd)
{
	struct epoll_item *item;
	list_for_each_entry(item, &file->epoll_items, file_link)
		if (item->epoll == epoll && item->fd == fd)
			return item;
	return NULL;
}

/*
 * How deep the chain of epolls that `epoll` watches is, itself included; more than NESTING_MAX when
 * it comes upon `sought`. Bounded, because no chain is ever made longer than NESTING_MAX.
 */
static int depth_below(const struct epoll *epoll, const struct epoll *sought)
{
	const struct epoll_item *item;
	int deepest = 0;

	if (epoll == sought)
		return NESTING_MAX + 1;
	list_for_each_entry(item, &epoll->items, link)
		if (item->file->ops == &epoll_file_ops)
			deepest = MAX(deepest, depth_below(item->file->private, sought));
	return deepest + 1;
}

/* The same for the epolls that watch this one. */
static int depth_above(const struct file *file)
{
	const struct epoll_item *item;
	int deepest = 0;

	list_for_each_entry(item, &file->epoll_items, file_link)
		deepest = MAX(deepest, depth_above(item->epoll->file));
	return deepest + 1;
}

static uint32_t count_watchers(const struct file *file)
{
	const struct epoll_item *item;
	uint32_t count = 0;

	list_for_each_entry(item, &file->epoll_items, file_link)
		count++;
	return count;
}

/*
 * Epolls may watch epolls, but not in a circle, and no chain of them is long: whatever goes along
 * all ways from one to another, a wake-up too, takes bounded time.
 */
static int check_nesting(const struct epoll *epoll, const struct file *file)
{
	if (file->ops != &epoll_file_ops)
		return 0;
	if (count_watchers(file) >= WATCHERS_MAX)
		return -EINVAL;
	return depth_above(epoll->file) + depth_below(file->private, epoll) > NESTING_MAX ? -ELOOP
											  : 0;
}

static int add_item(struct epoll *epoll, struct file *file, int fd, const struct epoll_event *event)
{
	int error = check_nesting(epoll, file);
	if (error)
		return error;
	struct epoll_item *item = kzalloc(sizeof(*item));
	if (!item)
		return -ENOMEM;
	item->epoll = epoll;
	item->file = file;
	item->fd = fd;
	item->event = *event;
	item->table.join = join;
	list_init(&item->ready_link);
	list_append(&epoll->items, &item->link);
	list_append(&file->epoll_items, &item->file_link);
	bool ready = item_events(item, &item->table);
	if (item->failed) {
		item_free(item);
		return -ENOMEM;
	}
	if (ready)
		mark_ready(item);
	return 0;
}

static void modify_item(struct epoll_item *item, const struct epoll_event *event)
{
	item->event = *event;
	if (item_events(item, NULL))
		mark_ready(item);
}

/* epoll_ctl(2): EPOLLEXCLUSIVE is said when a file is added, to few other events, of no epoll. */
static bool exclusive_valid(int operation, const struct file *target, const struct epoll_item *item,
			    const struct epoll_event *event)
{
	if (operation == EPOLL_CTL_MOD)
		return !((event->events | (item ? item->event.events : 0)) & EPOLLEXCLUSIVE);
	if (operation != EPOLL_CTL_ADD || !(event->events & EPOLLEXCLUSIVE))
		return true;
	return target->ops != &epoll_file_ops && !(event->events & ~WITH_EXCLUSIVE);
}

static int control(struct file *file, int operation, struct file *target, int fd,
		   const struct epoll_event *event)
{
	if (file->ops != &epoll_file_ops || file == target)
		return -EINVAL;
	if (!target->ops->poll)
		return -EPERM; /* regular files are always ready */
	struct epoll *epoll = file->private;
	struct epoll_item *item = find_item(epoll, target, fd);
	if (!exclusive_valid(operation, target, item, event))
		return -EINVAL;
	switch (operation) {
	case EPOLL_CTL_ADD:
		return item ? -EEXIST : add_item(epoll, target, fd, event);
	case EPOLL_CTL_MOD:
		if (!item)
			return -ENOENT;
		modify_item(item, event);
		return 0;
	case EPOLL_CTL_DEL:
		if (!item)
			return -ENOENT;
		item_free(item);
		return 0;
	default:
		return -EINVAL;
	}
}

SYSCALL4(epoll_ctl, int, epoll_fd, int, operation, int, fd, user_addr_t, event_at)
{
	struct epoll_event event = {0};
	if (operation != EPOLL_CTL_DEL && copy_from_user(&event, event_at, sizeof(event)))
		return -EFAULT;
	struct file *file = fd_get(epoll_fd);
	struct file *target = fd_get(fd);
	int error = file && target ? control(file, operation, target, fd, &event) : -EBADF;
	file_put(target);
	file_put(file);
	return error;
}

/* The first item of the ready list, taken off it; NULL: none. */
static struct epoll_item *take_ready(struct list_head *ready)
{
	irq_flags_t flags = irq_save();
	struct epoll_item *item = NULL;
	if (!list_empty(ready)) {
		item = list_first_entry(ready, struct epoll_item, ready_link);
		list_remove(&item->ready_link);
	}
	irq_restore(flags);
	return item;
}

/* Puts what was looked at, or not reached, back. */
static void put_back(struct epoll *epoll, struct list_head *items)
{
	irq_flags_t flags = irq_save();
	list_splice(&epoll->ready, items);
	irq_restore(flags);
}

static void keep(struct list_head *kept, struct epoll_item *item)
{
	irq_flags_t flags = irq_save();
	if (list_empty(&item->ready_link)) /* a wake-up may have come in between */
		list_append(kept, &item->ready_link);
	irq_restore(flags);
}

/* Copies out up to `max` events. How many, or -EFAULT. */
static int64_t collect(struct epoll *epoll, user_addr_t to, int max)
{
	struct list_head kept = LIST_HEAD_INIT(kept);
	struct epoll_item *item;
	int64_t count = 0;
	while (count < max && (item = take_ready(&epoll->ready))) {
		struct epoll_event event = {item_events(item, NULL), item->event.data};
		if (!event.events)
			continue;
		if (copy_to_user(to + (uint64_t)count * sizeof(event), &event, sizeof(event))) {
			keep(&kept, item);
			count = count ? count : -EFAULT;
			break;
		}
		count++;
		if (item->event.events & EPOLLONESHOT)
			item->event.events &= FLAGS;
		else if (!(item->event.events & EPOLLET))
			keep(&kept, item);
	}
	put_back(epoll, &kept);
	return count;
}

static int64_t wait_for_events(struct file *file, user_addr_t to, int max, uint64_t deadline_us)
{
	if (file->ops != &epoll_file_ops)
		return -EINVAL;
	struct epoll *epoll = file->private;
	struct thread_waiter waiter;
	int64_t count;
	int error = 0;
	thread_waiter_join(&waiter, &epoll->wait);
	while (!(count = collect(epoll, to, max)) && !error)
		error = thread_waiter_sleep(&waiter, deadline_us);
	thread_waiter_leave(&waiter);
	if (count)
		return count;
	return error == -ETIMEDOUT ? 0 : -EINTR; /* epoll_wait is never restarted: signal(7) */
}

static int64_t wait_on_fd(int fd, user_addr_t to, int max, uint64_t deadline_us,
			  user_addr_t mask_at, uint64_t mask_size)
{
	uint64_t mask;
	if (max <= 0 || max > EVENTS_MAX || (mask_at && mask_size != sizeof(mask)))
		return -EINVAL;
	if (mask_at) {
		if (copy_from_user(&mask, mask_at, sizeof(mask)))
			return -EFAULT;
		signal_mask_temporarily(mask);
	}
	struct file *file = fd_get(fd);
	if (!file)
		return -EBADF;
	int64_t result = wait_for_events(file, to, max, deadline_us);
	file_put(file);
	return result;
}

SYSCALL6(epoll_pwait, int, fd, user_addr_t, to, int, max, int, timeout_ms, user_addr_t, mask,
	 uint64_t, mask_size)
{
	uint64_t deadline = TIME_NEVER;
	if (timeout_ms >= 0)
		deadline = clock_now_us() + (uint64_t)timeout_ms * USEC_PER_MSEC;
	return wait_on_fd(fd, to, max, deadline, mask, mask_size);
}

SYSCALL6(epoll_pwait2, int, fd, user_addr_t, to, int, max, user_addr_t, timeout_at, user_addr_t,
	 mask, uint64_t, mask_size)
{
	uint64_t deadline = TIME_NEVER;
	struct timespec timeout;
	if (timeout_at) {
		if (copy_from_user(&timeout, timeout_at, sizeof(timeout)))
			return -EFAULT;
		if (!timespec_valid(&timeout))
			return -EINVAL;
		deadline = clock_now_us() + timespec_to_us(&timeout);
	}
	return wait_on_fd(fd, to, max, deadline, mask, mask_size);
}

/* Something holds for an item: looked at without taking it off the list. */
static uint32_t poll_epoll(struct file *file, struct poll_table *table)
{
	struct epoll *epoll = file->private;
	struct epoll_item *item;
	poll_join(table, &epoll->wait);
	list_for_each_entry(item, &epoll->items, link)
		if (!list_empty(&item->ready_link) && item_events(item, NULL))
			return POLLIN | POLLRDNORM;
	return 0;
}

static void release_epoll(struct file *file)
{
	struct epoll *epoll = file->private;
	struct epoll_item *item, *next;
	list_for_each_entry_safe(item, next, &epoll->items, link)
		item_free(item);
	wait_list_close(&epoll->wait);
	kfree(epoll);
}

static const struct file_ops epoll_file_ops = {
	.poll = poll_epoll,
	.release = release_epoll,
};

SYSCALL1(epoll_create1, uint32_t, flags)
{
	if (flags & ~(uint32_t)EPOLL_CLOEXEC)
		return -EINVAL;
	struct epoll *epoll = kzalloc(sizeof(*epoll));
	struct file *file = epoll ? file_create(&epoll_file_ops, epoll, O_RDWR) : NULL;
	if (!file) {
		kfree(epoll);
		return -ENOMEM;
	}
	epoll->file = file;
	list_init(&epoll->items);
	list_init(&epoll->ready);
	wait_list_init(&epoll->wait);
	int fd = fd_install(file, 0, flags & EPOLL_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

void epoll_syscalls_init(void)
{
	syscall_register(SYS_epoll_create1, sys_epoll_create1);
	syscall_register(SYS_epoll_ctl, sys_epoll_ctl);
	syscall_register(SYS_epoll_pwait, sys_epoll_pwait);
	syscall_register(SYS_epoll_pwait2, sys_epoll_pwait2);
}
