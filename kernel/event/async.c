/* Signal-driven input and output: see async.h. */
#include "kernel/event/async.h"

#include "include/uapi/fcntl.h"
#include "include/uapi/poll.h"
#include "include/uapi/signal.h"
#include "kernel/errno.h"
#include "kernel/event/poll.h"
#include "kernel/fs/file.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/process.h"
#include "kernel/signal/signal.h"

/* One wait list of the file. */
struct async_waiter {
	struct waiter waiter;
	struct async *async;
	struct async_waiter *next;
};

struct async {
	const struct file *file;
	uint32_t uid, euid; /* of who asked for it: only whom it may signal is told */
	struct poll_table table;
	struct async_waiter *waiters;
	bool failed; /* memory ran out while joining */
};

static void tell(const struct async *async, struct process *process)
{
	bool may = async->euid == 0 || async->euid == process->uid ||
		   async->euid == process->suid || async->uid == process->uid ||
		   async->uid == process->suid;

	if (may && !process->zombie)
		signal_send_process(process, SIGIO);
}

static int tell_if_member(struct process *process, void *context)
{
	const struct async *async = context;

	if (process->pgid == -async->file->owner_pid)
		tell(async, process);
	return 0;
}

/* What is news for this end. */
static uint32_t news_for(const struct file *file)
{
	uint32_t access = file->flags & O_ACCMODE, news = POLLPRI | POLLERR | POLLHUP;

	if (access != O_WRONLY)
		news |= POLLIN;
	return access != O_RDONLY ? news | POLLOUT : news;
}

static void tell_owner(struct waiter *waiter, uint32_t events)
{
	struct async *async = container_of(waiter, struct async_waiter, waiter)->async;
	int32_t owner = async->file->owner_pid;
	struct process *process = owner > 0 ? process_find(owner) : NULL;

	if (!(events & news_for(async->file)))
		return;
	if (process)
		tell(async, process);
	else if (owner < 0)
		process_for_each(tell_if_member, async);
}

static void join(struct poll_table *table, struct wait_list *list)
{
	struct async *async = container_of(table, struct async, table);
	struct async_waiter *joined = kzalloc(sizeof(*joined));

	if (!joined) {
		async->failed = true;
		return;
	}
	joined->waiter.wake = tell_owner;
	joined->async = async;
	joined->next = async->waiters;
	async->waiters = joined;
	waiter_join(&joined->waiter, list);
}

static void end_watch(struct file *file)
{
	struct async *async = file->async;

	file->async = NULL;
	while (async && async->waiters) {
		struct async_waiter *joined = async->waiters;

		async->waiters = joined->next;
		waiter_leave(&joined->waiter);
		kfree(joined);
	}
	kfree(async);
}

int async_watch(struct file *file, bool on)
{
	struct async *async;

	if (on == (file->async != NULL) || (on && !file->ops->poll))
		return 0;
	if (!on) {
		end_watch(file);
		return 0;
	}
	async = kzalloc(sizeof(*async));
	if (!async)
		return -ENOMEM;
	async->file = file;
	async->uid = current_process()->uid;
	async->euid = current_process()->euid;
	async->table.join = join;
	file->async = async;
	file->ops->poll(file, &async->table);
	if (!async->failed)
		return 0;
	end_watch(file);
	return -ENOMEM;
}
