/*
 * ppoll(2) and pselect6(2). Both become a list of items; one function looks at them all, sleeps,
 * and looks again.
 *
 * The first look joins each file's wait lists, and joining comes before looking, so no change is
 * missed. An item keeps a reference to its file, so that the lists outlive the wait.
 */
#include "kernel/event/poll.h"
#include "kernel/event/event.h"

#include "include/uapi/poll.h"
#include "include/uapi/time.h"
#include "kernel/clock.h"
#include "kernel/errno.h"
#include "kernel/fs/fd_table.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/usage.h"
#include "kernel/semaphore.h"
#include "kernel/signal/signal.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

struct poll_item {
	int fd;
	uint32_t events;   /* wanted; POLLERR and POLLHUP always are */
	uint32_t revents;  /* found */
	struct file *file; /* a reference */
};

/* One wait list joined. */
struct poll_waiter {
	struct waiter waiter;
	struct semaphore *sem;
	struct poll_waiter *next;
};

/* A poll in progress. */
struct poller {
	struct poll_table table;
	struct semaphore sem; /* posted when anything may have changed */
	struct poll_waiter *waiters;
	bool failed; /* memory ran out while joining */
};

static void wake_poller(struct waiter *waiter, uint32_t events __unused)
{
	sem_post(container_of(waiter, struct poll_waiter, waiter)->sem);
}

static void join(struct poll_table *table, struct wait_list *list)
{
	struct poller *poller = container_of(table, struct poller, table);
	struct poll_waiter *joined = kzalloc(sizeof(*joined));
	if (!joined) {
		poller->failed = true;
		return;
	}
	joined->waiter.wake = wake_poller;
	joined->sem = &poller->sem;
	joined->next = poller->waiters;
	poller->waiters = joined;
	waiter_join(&joined->waiter, list);
}

static void leave_all(struct poller *poller)
{
	while (poller->waiters) {
		struct poll_waiter *joined = poller->waiters;
		poller->waiters = joined->next;
		waiter_leave(&joined->waiter);
		kfree(joined);
	}
	sem_destroy(&poller->sem);
}

/* Looks at every item; joins when `table` is given. Returns how many have something to tell. */
static int look(struct poll_item *items, uint32_t count, struct poll_table *table)
{
	int ready = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct poll_item *item = &items[i];
		if (item->file) {
			uint32_t wanted = item->events | POLLERR | POLLHUP;
			item->revents = file_poll(item->file, table) & wanted;
		}
		if (item->revents)
			ready++;
	}
	return ready;
}

/* How many items are ready by `deadline_us`; -ERESTARTNOHAND on a signal, -ENOMEM. */
static int poll_items(struct poll_item *items, uint32_t count, uint64_t deadline_us)
{
	struct poller poller = {.table.join = join};
	sem_init(&poller.sem, 0);
	int error = 0;
	int ready = look(items, count, &poller.table);
	while (!ready && !error && !poller.failed) {
		error = sem_wait_until(&poller.sem, deadline_us);
		while (sem_try(&poller.sem))
			; /* one look serves all the posts so far */
		ready = look(items, count, NULL);
	}
	leave_all(&poller);
	if (ready)
		return ready;
	if (poller.failed)
		return -ENOMEM;
	return error == -ETIMEDOUT ? 0 : -ERESTARTNOHAND;
}

/* The deadline that a struct timespec in the process means; address 0: never. */
static int read_timeout(user_addr_t at, uint64_t *deadline_us)
{
	struct timespec timeout;
	*deadline_us = TIME_NEVER;
	if (!at)
		return 0;
	if (copy_from_user(&timeout, at, sizeof(timeout)))
		return -EFAULT;
	if (!timespec_valid(&timeout))
		return -EINVAL;
	*deadline_us = clock_now_us() + timespec_to_us(&timeout);
	return 0;
}

/*
 * Tells the process how much of its time is left, so that a restarted call does not wait longer in
 * all.
 */
static void write_timeout(user_addr_t at, uint64_t deadline_us)
{
	if (!at || deadline_us == TIME_NEVER)
		return;
	uint64_t now = clock_now_us();
	uint64_t left = deadline_us > now ? deadline_us - now : 0;
	struct timespec timeout = timespec_from_ns(left * NSEC_PER_USEC);
	if (copy_to_user(at, &timeout, sizeof(timeout)))
		return; /* read-only memory: Linux too leaves it at that */
}

/* Puts the signal mask in the process at `at`, if there is one, in force until the call returns. */
static int read_mask(user_addr_t at, uint64_t size)
{
	uint64_t mask;
	if (!at)
		return 0;
	if (size != sizeof(mask))
		return -EINVAL;
	if (copy_from_user(&mask, at, sizeof(mask)))
		return -EFAULT;
	signal_mask_temporarily(mask);
	return 0;
}

static void items_free(struct poll_item *items, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		file_put(items[i].file);
	kfree(items);
}

/* poll's items from the process. 0, -EFAULT or -ENOMEM. */
static int read_pollfds(user_addr_t at, uint32_t count, struct poll_item **result)
{
	struct poll_item *items = kzalloc(MAX(count, 1u) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		struct pollfd pollfd;
		if (copy_from_user(&pollfd, at + i * sizeof(pollfd), sizeof(pollfd))) {
			items_free(items, i);
			return -EFAULT;
		}
		items[i].fd = pollfd.fd;
		items[i].events = (uint16_t)pollfd.events;
		items[i].file = pollfd.fd >= 0 ? fd_get(pollfd.fd) : NULL;
		if (pollfd.fd >= 0 && !items[i].file)
			items[i].revents = POLLNVAL;
	}
	*result = items;
	return 0;
}

static int write_pollfds(user_addr_t at, const struct poll_item *items, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		int16_t revents = (int16_t)items[i].revents;
		user_addr_t to = at + i * sizeof(struct pollfd) + offsetof(struct pollfd, revents);
		if (copy_to_user(to, &revents, sizeof(revents)))
			return -EFAULT;
	}
	return 0;
}

SYSCALL5(ppoll, user_addr_t, fds, uint32_t, count, user_addr_t, timeout, user_addr_t, mask,
	 uint64_t, mask_size)
{
	uint64_t deadline;
	struct poll_item *items;
	if (count > (uint32_t)fd_limit())
		return -EINVAL;
	int error = read_timeout(timeout, &deadline);
	if (!error)
		error = read_mask(mask, mask_size);
	if (!error)
		error = read_pollfds(fds, count, &items);
	if (error)
		return error;
	int result = poll_items(items, count, deadline);
	if (result >= 0 && write_pollfds(fds, items, count))
		result = -EFAULT;
	items_free(items, count);
	write_timeout(timeout, deadline);
	return result;
}

/* What each of select's three sets asks for, and takes for an answer. */
enum select_set { SELECT_READ, SELECT_WRITE, SELECT_EXCEPT, SELECT_SETS };
static const uint32_t select_events[SELECT_SETS] = {
	[SELECT_READ] = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
	[SELECT_WRITE] = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR,
	[SELECT_EXCEPT] = POLLPRI,
};

/* select's sets: bitmaps of 64-bit words. */
struct select_sets {
	user_addr_t at[SELECT_SETS]; /* 0: not given */
	uint32_t fds, words;
	uint64_t *bits[SELECT_SETS]; /* in one allocation, which begins at bits[0] */
};

static bool bit_test(const uint64_t *bits, uint32_t bit)
{
	return bits[bit / 64] & BIT(bit % 64);
}

static int read_sets(struct select_sets *sets)
{
	sets->words = (sets->fds + 63) / 64;
	size_t size = sets->words * sizeof(uint64_t);
	uint64_t *bits = kzalloc(MAX(SELECT_SETS * size, 1ul));
	if (!bits)
		return -ENOMEM;
	for (uint32_t set = 0; set < SELECT_SETS; set++) {
		sets->bits[set] = bits + set * sets->words;
		if (sets->at[set] && copy_from_user(sets->bits[set], sets->at[set], size)) {
			kfree(bits);
			return -EFAULT;
		}
	}
	return 0;
}

static uint32_t wanted_events(const struct select_sets *sets, uint32_t fd)
{
	uint32_t events = 0;
	for (uint32_t set = 0; set < SELECT_SETS; set++)
		if (bit_test(sets->bits[set], fd))
			events |= select_events[set];
	return events;
}

/* An item for each descriptor in any of the sets. -EBADF when one is not open. */
static int items_from_sets(const struct select_sets *sets, struct poll_item **result,
			   uint32_t *count)
{
	uint32_t n = 0;
	for (uint32_t fd = 0; fd < sets->fds; fd++)
		n += wanted_events(sets, fd) != 0;
	struct poll_item *items = kzalloc(MAX(n, 1u) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	n = 0;
	for (uint32_t fd = 0; fd < sets->fds; fd++) {
		uint32_t events = wanted_events(sets, fd);
		if (!events)
			continue;
		items[n].fd = (int)fd;
		items[n].events = events;
		items[n].file = fd_get((int)fd);
		if (!items[n++].file) {
			items_free(items, n);
			return -EBADF;
		}
	}
	*result = items;
	*count = n;
	return 0;
}

/* Turns the items' answers into the sets. Returns the number of bits set. */
static int sets_from_items(struct select_sets *sets, const struct poll_item *items, uint32_t count)
{
	int set_bits = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t fd = (uint32_t)items[i].fd;
		for (uint32_t set = 0; set < SELECT_SETS; set++) {
			if (!bit_test(sets->bits[set], fd))
				continue;
			if (items[i].revents & select_events[set])
				set_bits++;
			else
				sets->bits[set][fd / 64] &= ~BIT(fd % 64);
		}
	}
	return set_bits;
}

static int write_sets(const struct select_sets *sets)
{
	size_t size = sets->words * sizeof(uint64_t);
	for (uint32_t set = 0; set < SELECT_SETS; set++)
		if (sets->at[set] && copy_to_user(sets->at[set], sets->bits[set], size))
			return -EFAULT;
	return 0;
}

static int64_t select_sets_until(struct select_sets *sets, uint64_t deadline)
{
	struct poll_item *items;
	uint32_t count;
	int error = items_from_sets(sets, &items, &count);
	if (error)
		return error;
	int64_t result = poll_items(items, count, deadline);
	if (result >= 0) {
		result = sets_from_items(sets, items, count);
		if (write_sets(sets))
			result = -EFAULT;
	}
	items_free(items, count);
	return result;
}

/* pselect6's last argument leads to the mask's address and size. */
static int read_mask_argument(user_addr_t at)
{
	struct {
		uint64_t mask, size;
	} argument;
	if (!at)
		return 0;
	if (copy_from_user(&argument, at, sizeof(argument)))
		return -EFAULT;
	return read_mask(argument.mask, argument.size);
}

SYSCALL6(pselect6, int, count, user_addr_t, readable, user_addr_t, writable, user_addr_t,
	 exceptional, user_addr_t, timeout, user_addr_t, mask)
{
	uint64_t deadline;
	if (count < 0)
		return -EINVAL;
	struct select_sets sets = {
		.at = {readable, writable, exceptional},
		.fds = (uint32_t)MIN(count, fd_limit()),
	};
	int error = read_timeout(timeout, &deadline);
	if (!error)
		error = read_mask_argument(mask);
	if (!error)
		error = read_sets(&sets);
	if (error)
		return error;
	int64_t result = select_sets_until(&sets, deadline);
	kfree(sets.bits[0]);
	write_timeout(timeout, deadline);
	return result;
}

void poll_syscalls_init(void)
{
	syscall_register(SYS_ppoll, sys_ppoll);
	syscall_register(SYS_pselect6, sys_pselect6);
}
