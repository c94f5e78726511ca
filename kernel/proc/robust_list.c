/*
 * Robust mutexes: a thread that ends with mutexes held leaves FUTEX_OWNER_DIED in each, and wakes
 * one waiter. The list is in user memory and may be damaged: it is followed for ROBUST_LIST_LIMIT
 * entries at most, and the first fault ends it.
 */
#include "include/uapi/futex.h"
#include "kernel/proc/futex.h"
#include "kernel/proc/process.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

#define ENTRY_IS_PI 1ull

/*
 * `pending`: the thread was about to take or to release this one. If nobody has it, the thread was
 * to wake a waiter, or was woken itself to take it: another must be, or all would sleep on.
 */
static void owner_died(user_addr_t word_at, int32_t tid, bool pending)
{
	uint32_t word, after;

	if (copy_from_user(&word, word_at, sizeof(word)))
		return;
	if (pending && !(word & FUTEX_TID_MASK))
		futex_wake(word_at, 1);
	if ((word & FUTEX_TID_MASK) != (uint32_t)tid)
		return;
	after = (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
	if (copy_to_user(word_at, &after, sizeof(after)))
		return;
	if (word & FUTEX_WAITERS)
		futex_wake(word_at, 1);
}

void futex_release_robust_list(struct thread *thread)
{
	struct robust_list_head head;
	user_addr_t entry;

	if (!thread->robust_list || copy_from_user(&head, thread->robust_list, sizeof(head)))
		return;
	entry = head.list.next & ~ENTRY_IS_PI;
	for (uint32_t i = 0; i < ROBUST_LIST_LIMIT && entry != thread->robust_list; i++) {
		struct robust_list link;
		/* Read before the word is released: its new owner may change the list. */
		bool more = copy_from_user(&link, entry, sizeof(link)) == 0;

		if (entry != head.list_op_pending)
			owner_died(entry + (uint64_t)head.futex_offset, thread->tid, false);
		if (!more)
			break;
		entry = link.next & ~ENTRY_IS_PI;
	}
	if (head.list_op_pending)
		owner_died((head.list_op_pending & ~ENTRY_IS_PI) + (uint64_t)head.futex_offset,
			   thread->tid, true);
}

SYSCALL2(set_robust_list, user_addr_t, head, uint64_t, size)
{
	if (size != sizeof(struct robust_list_head))
		return -EINVAL;
	current_thread()->robust_list = head;
	return 0;
}

SYSCALL3(get_robust_list, int32_t, tid, user_addr_t, head_to, user_addr_t, size_to)
{
	struct thread *thread = tid ? thread_find(tid) : current_thread();
	uint64_t size = sizeof(struct robust_list_head);

	if (!thread)
		return -ESRCH;
	if (!process_may_inspect(thread->process))
		return -EPERM;
	if (copy_to_user(size_to, &size, sizeof(size)) ||
	    copy_to_user(head_to, &thread->robust_list, sizeof(thread->robust_list)))
		return -EFAULT;
	return 0;
}

void robust_list_syscalls_init(void)
{
	syscall_register(SYS_set_robust_list, sys_set_robust_list);
	syscall_register(SYS_get_robust_list, sys_get_robust_list);
}
