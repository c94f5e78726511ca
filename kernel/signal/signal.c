/*
 * Signals that are sent and wait to be taken: see signal.h.
 *
 * A set bit in `pending` is a pending signal. A record, when there is one, says where it came from;
 * real-time signals have one record each time they are sent, the others at most one. Sets and
 * records are guarded by irq_save, because softirqs send.
 */
#include "kernel/signal/signal.h"

#include "include/uapi/poll.h"
#include "kernel/errno.h"
#include "kernel/lock.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/sched.h"
#include "kernel/signal/signal_pending.h"
#include "kernel/string.h"
#include "kernel/time/posix_timer.h"
#include "kernel/user.h"

static bool is_ignored(const struct process *process, int signal)
{
	uint64_t handler = process->handlers->action[signal].handler;

	if (handler == SIG_IGN)
		return true;
	if (handler != SIG_DFL)
		return false;
	/* Process 1 cannot be killed or stopped: it takes what it catches. */
	return process->pid == 1 || SIGNAL_BIT(signal) & SIGNALS_IGNORED;
}

static bool is_blocked(const struct process *process, const struct thread *thread, int signal)
{
	if (!thread)
		thread = list_first_entry(&process->threads, struct thread, of_process);
	return thread->signal_mask & SIGNAL_BIT(signal);
}

/* Interrupts masked. */
static void record_free(struct signal_record *record)
{
	list_remove(&record->link);
	record->process->queued_signals--;
	kfree(record);
}

/* Frees the records of signals in `set`. Interrupts masked. */
static void drop_records(struct list_head *records, uint64_t set)
{
	struct signal_record *record, *following;

	list_for_each_entry_safe(record, following, records, link) {
		if (SIGNAL_BIT(record->info.si_signo) & set)
			record_free(record);
	}
}

void signal_discard(struct process *process, uint64_t set)
{
	irq_flags_t flags = irq_save();
	struct thread *thread;

	process->pending &= ~set;
	drop_records(&process->pending_records, set);
	list_for_each_entry(thread, &process->threads, of_process) {
		thread->pending &= ~set;
		drop_records(&thread->pending_records, set);
	}
	irq_restore(flags);
}

void signal_forget_pending(struct list_head *records)
{
	irq_flags_t flags = irq_save();

	drop_records(records, ~0ull);
	irq_restore(flags);
}

/* Lets a stopped process go on. */
static void go_on(struct process *process)
{
	irq_flags_t flags;
	struct thread *thread;

	if (!process->stopped)
		return;
	flags = irq_save();
	process->stopped = false;
	process->continued = true;
	list_for_each_entry(thread, &process->threads, of_process)
		if (thread->state == THREAD_STOPPED)
			sched_wake(thread);
	irq_restore(flags);
	process_notify_parent(process, CLD_CONTINUED);
}

/*
 * Wakes `thread` if it can take the signal. A NULL thread: any of the process that can, the running
 * one first.
 */
static void wake_taker(struct process *process, struct thread *thread, int signal)
{
	struct thread *first = thread;

	if (!first && current_process() == process)
		first = current_thread();
	if (first && !is_blocked(process, first, signal)) {
		sem_interrupt(first);
		return;
	}
	if (thread)
		return;
	list_for_each_entry(thread, &process->threads, of_process) {
		if (is_blocked(process, thread, signal))
			continue;
		sem_interrupt(thread);
		return;
	}
}

/* Makes the signal pending. Takes over the record. */
static void add_pending(struct process *process, struct thread *thread, int signal,
			struct signal_record *record)
{
	uint64_t *pending = thread ? &thread->pending : &process->pending;
	struct list_head *records = thread ? &thread->pending_records : &process->pending_records;
	irq_flags_t flags = irq_save();

	if (record && (signal >= SIGRTMIN || !(*pending & SIGNAL_BIT(signal)))) {
		list_append(records, &record->link);
		record->process = process;
		process->queued_signals++;
		record = NULL;
	}
	*pending |= SIGNAL_BIT(signal);
	irq_restore(flags);
	kfree(record);
}

/* Takes over the record. A NULL thread: to the process as a whole. */
static void send(struct process *process, struct thread *thread, int signal,
		 struct signal_record *record)
{
	if (process->pid == 0 || process->exiting || !process->handlers) {
		kfree(record);
		return;
	}
	if (SIGNAL_BIT(signal) & SIGNALS_STOPPING)
		signal_discard(process, SIGNAL_BIT(SIGCONT));
	if (signal == SIGCONT) {
		signal_discard(process, SIGNALS_STOPPING);
		go_on(process);
	}
	if (is_ignored(process, signal) && !is_blocked(process, thread, signal)) {
		kfree(record);
		return;
	}
	if (signal == SIGKILL) {
		kfree(record);
		process_begin_exit(process, SIGKILL);
		return;
	}
	add_pending(process, thread, signal, record);
	wake_taker(process, thread, signal);
	wait_list_wake(&process->signal_wait, POLLIN);
}

void signal_send_process(struct process *process, int signal)
{
	send(process, NULL, signal, NULL);
}

void user_signal(int number)
{
	signal_send_process(current_process(), number);
}

void signal_send_thread(struct thread *thread, int signal)
{
	send(thread->process, thread, signal, NULL);
}

struct queued {
	uint32_t uid;
	uint64_t signals;
};

static int count_queued(struct process *process, void *context)
{
	struct queued *queued = context;

	if (process->uid == queued->uid)
		queued->signals += process->queued_signals;
	return 0;
}

bool signal_queue_full(const struct process *process)
{
	struct queued queued = {.uid = process->uid};

	process_for_each(count_queued, &queued);
	return queued.signals >= process->limits[RLIMIT_SIGPENDING].rlim_cur;
}

void signal_send_info(struct process *process, struct thread *thread, const struct siginfo *info)
{
	bool full = info->si_signo >= SIGRTMIN && signal_queue_full(process);
	struct signal_record *record = full ? NULL : kmalloc(sizeof(*record));

	if (record)
		record->info = *info;
	send(process, thread, info->si_signo, record);
}

struct group_signal {
	int32_t pgid;
	int signal;
	bool found;
};

static int send_if_member(struct process *process, void *context)
{
	struct group_signal *group = context;

	if (process->pgid == group->pgid && !process->zombie) {
		group->found = true;
		signal_send_process(process, group->signal);
	}
	return 0;
}

int signal_send_group(int32_t pgid, int signal)
{
	struct group_signal group = {.pgid = pgid, .signal = signal};

	process_for_each(send_if_member, &group);
	return group.found ? 0 : -ESRCH;
}

void user_signal_owner(int32_t owner, int number)
{
	struct process *process = owner > 0 ? process_find(owner) : NULL;

	if (process)
		signal_send_process(process, number);
	else if (owner < 0)
		signal_send_group(-owner, number);
}

void signal_fault(int signal, int code, user_addr_t address)
{
	struct thread *thread = current_thread();
	struct process *process = thread->process;
	struct sigaction *action = &process->handlers->action[signal];
	struct siginfo info = {.si_signo = signal, .si_code = code, .si_addr = address};
	struct signal_record *record;

	/* A process that cannot be told dies of it. */
	if (signal == SIGKILL || action->handler == SIG_IGN || action->handler == SIG_DFL ||
	    thread->signal_mask & SIGNAL_BIT(signal)) {
		process_begin_exit(process, signal);
		return;
	}
	record = kmalloc(sizeof(*record));
	if (record)
		record->info = info;
	add_pending(process, thread, signal, record);
}

uint64_t signal_pending_set(void)
{
	return current_thread()->pending | current_process()->pending;
}

bool signal_pending(void)
{
	struct process *process = current_process();

	return thread_must_exit() || process->stopped ||
	       signal_pending_set() & ~current_thread()->signal_mask;
}

/* Interrupts masked. */
static int take_from(uint64_t *pending, struct list_head *records, uint64_t wanted,
		     struct siginfo *info)
{
	struct signal_record *record, *following, *found = NULL;
	bool more = false;
	int signal;

	if (!(*pending & wanted))
		return 0;
	signal = __builtin_ctzll(*pending & wanted) + 1;
	list_for_each_entry_safe(record, following, records, link) {
		if (record->info.si_signo != signal)
			continue;
		if (found)
			more = true;
		else
			found = record;
	}
	if (!more)
		*pending &= ~SIGNAL_BIT(signal);
	*info = (struct siginfo){.si_signo = signal, .si_code = SI_KERNEL};
	if (found) {
		*info = found->info;
		record_free(found);
	}
	return signal;
}

bool signal_count_overrun(struct process *process, struct thread *thread,
			  const struct siginfo *info)
{
	struct list_head *records = thread ? &thread->pending_records : &process->pending_records;
	irq_flags_t flags = irq_save();
	struct signal_record *record;
	bool found = false;

	list_for_each_entry(record, records, link) {
		struct siginfo *waiting = &record->info;

		found = waiting->si_code == SI_TIMER && waiting->si_timerid == info->si_timerid;
		if (!found)
			continue;
		if (__builtin_add_overflow(waiting->si_overrun, info->si_overrun + 1,
					   &waiting->si_overrun))
			waiting->si_overrun = INT32_MAX;
		break;
	}
	irq_restore(flags);
	return found;
}

int signal_take(uint64_t wanted, struct siginfo *info)
{
	struct thread *thread = current_thread();
	struct process *process = thread->process;
	irq_flags_t flags = irq_save();
	int signal = take_from(&thread->pending, &thread->pending_records, wanted, info);

	if (!signal)
		signal = take_from(&process->pending, &process->pending_records, wanted, info);
	irq_restore(flags);
	if (signal && info->si_code == SI_TIMER)
		posix_timer_signal_taken(info);
	return signal;
}

/* The running thread blocks `mask`; what is pending for the process may go to another. */
static void block(uint64_t mask)
{
	struct thread *thread = current_thread();
	struct process *process = thread->process;
	uint64_t newly_blocked = mask & ~thread->signal_mask & process->pending;

	thread->signal_mask = mask;
	while (newly_blocked) {
		wake_taker(process, NULL, __builtin_ctzll(newly_blocked) + 1);
		newly_blocked &= newly_blocked - 1;
	}
}

void signal_set_mask(uint64_t mask)
{
	block(mask & ~SIGNALS_UNBLOCKABLE);
}

void signal_thread_ends(void)
{
	block(~0ull);
}

void signal_mask_temporarily(uint64_t mask)
{
	struct thread *thread = current_thread();

	thread->saved_mask = thread->signal_mask;
	thread->restore_mask = true;
	signal_set_mask(mask);
}

struct signal_handlers *signal_handlers_create(void)
{
	struct signal_handlers *handlers = kzalloc(sizeof(*handlers));

	if (handlers)
		handlers->references = 1;
	return handlers;
}

struct signal_handlers *signal_handlers_copy(const struct signal_handlers *from)
{
	struct signal_handlers *handlers = kmalloc(sizeof(*handlers));

	if (!handlers)
		return NULL;
	*handlers = *from;
	handlers->references = 1;
	return handlers;
}

void signal_handlers_put(struct signal_handlers *handlers)
{
	if (handlers && --handlers->references == 0)
		kfree(handlers);
}

int signal_reset_for_exec(struct process *process)
{
	struct signal_handlers *own = process->handlers;

	if (own->references > 1) {
		own = signal_handlers_copy(process->handlers);
		if (!own)
			return -ENOMEM;
		signal_handlers_put(process->handlers);
		process->handlers = own;
	}
	for (int signal = 1; signal < NSIG; signal++) {
		struct sigaction *action = &own->action[signal];
		uint64_t handler = action->handler == SIG_IGN ? SIG_IGN : SIG_DFL;

		*action = (struct sigaction){.handler = handler};
	}
	return 0;
}
