/*
 * clone(2): new processes and new threads, with arm64's order of arguments. clone3 answers ENOSYS,
 * after which C libraries use this.
 */
#include "include/uapi/sched.h"

#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/mm/vm.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/priority.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/table.h"
#include "kernel/signal/signal_pending.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/time/cpu_timer.h"
#include "kernel/user.h"

#define CLONE_SUPPORTED                                                              \
	(CSIGNAL | CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_VFORK | \
	 CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |         \
	 CLONE_CHILD_CLEARTID | CLONE_DETACHED | CLONE_CHILD_SETTID)

/* What the threads of one process share, all of it. */
#define CLONE_THREAD_NEEDS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND)

struct clone_request {
	uint64_t flags;
	user_addr_t stack; /* 0: the caller's */
	user_addr_t parent_tid, child_tid;
	uint64_t tls;
};

static int count_threads(struct process *process, void *context)
{
	if (process->uid == current_process()->uid)
		*(uint32_t *)context += process->thread_count;
	return 0;
}

/* What RLIMIT_NPROC counts: the threads of all processes with the caller's real uid. */
static uint32_t threads_of_user(void)
{
	uint32_t count = 0;

	process_for_each(count_threads, &count);
	return count;
}

/* setrlimit(2): RLIMIT_NPROC does not hold for the privileged; process 0's is for all threads. */
static bool has_room(void)
{
	if (thread_count() >= process_find(0)->limits[RLIMIT_NPROC].rlim_cur)
		return false;
	return user_may(CAP_SYS_RESOURCE) ||
	       threads_of_user() < current_process()->limits[RLIMIT_NPROC].rlim_cur;
}

static int check(const struct clone_request *request)
{
	uint64_t flags = request->flags;

	if (flags & ~(uint64_t)CLONE_SUPPORTED)
		return -EINVAL;
	if (flags & CLONE_THREAD && (flags & CLONE_THREAD_NEEDS) != CLONE_THREAD_NEEDS)
		return -EINVAL;
	if (flags & CLONE_SIGHAND && !(flags & CLONE_VM))
		return -EINVAL;
	/* Two processes never share their directories here. */
	if (flags & CLONE_FS && !(flags & CLONE_THREAD))
		return -EINVAL;
	if ((flags & CSIGNAL) >= NSIG)
		return -EINVAL;
	return has_room() ? 0 : -EAGAIN;
}

/* The thread exists already, so a word that cannot be written is the program's own problem. */
static void write_tid(user_addr_t word, int32_t tid)
{
	int error __unused = copy_to_user(word, &tid, sizeof(tid));
}

/*
 * A new thread's first step, on its own stack: `argument` is where its number is wanted, or NULL.
 */
static void begin_in_user_mode(void *argument)
{
	sched_thread_begins();
	if (argument)
		write_tid((user_addr_t)argument, current_thread()->tid);
	arch_enter_user(current_trapframe());
}

/* A thread of `process` that goes on where the caller is, with 0 as the call's result. */
static struct thread *copy_thread(struct process *process, const struct clone_request *request)
{
	const struct thread *caller = current_thread();
	user_addr_t child_tid = request->flags & CLONE_CHILD_SETTID ? request->child_tid : 0;
	struct thread *thread = thread_create(process, caller->name, true, begin_in_user_mode,
					      (void *)child_tid);
	struct trapframe *frame;

	if (!thread)
		return NULL;
	frame = thread_trapframe(thread);
	*frame = *current_trapframe();
	frame->x[0] = 0;
	frame->syscall = -1;
	if (request->stack)
		frame->sp = request->stack;
	arch_fp_save(thread->fp);
	thread->context.tpidr_el0 = request->flags & CLONE_SETTLS ? request->tls : arch_get_tls();
	thread->signal_mask = caller->signal_mask;
	priority_inherit(thread, caller);
	if (request->flags & CLONE_CHILD_CLEARTID)
		thread->clear_child_tid = request->child_tid;
	if (!(request->flags & CLONE_VM) || request->flags & CLONE_VFORK) {
		thread->alt_stack = caller->alt_stack;
		thread->alt_stack_size = caller->alt_stack_size;
	}
	return thread;
}

static void copy_attributes(struct process *child, const struct process *parent)
{
	child->pgid = parent->pgid;
	child->sid = parent->sid;
	child->tty = parent->tty;
	child->umask = parent->umask;
	child->uid = parent->uid;
	child->euid = parent->euid;
	child->suid = parent->suid;
	child->gid = parent->gid;
	child->egid = parent->egid;
	child->sgid = parent->sgid;
	child->fsuid = parent->fsuid;
	child->fsgid = parent->fsgid;
	child->capabilities = parent->capabilities;
	child->no_new_privileges = parent->no_new_privileges;
	child->no_huge_pages = parent->no_huge_pages;
	child->group_count = parent->group_count;
	memcpy(child->groups, parent->groups, sizeof(child->groups));
	memcpy(child->limits, parent->limits, sizeof(child->limits));
	child->arguments_start = parent->arguments_start;
	child->arguments_end = parent->arguments_end;
	child->environment_start = parent->environment_start;
	child->environment_end = parent->environment_end;
	child->auxiliary_start = parent->auxiliary_start;
	child->auxiliary_end = parent->auxiliary_end;
	child->trampoline = parent->trampoline;
	child->oom_adjust = parent->oom_adjust;
	strscpy(child->name, current_thread()->name, sizeof(child->name));
}

/*
 * Shares or copies what the child is to have. False when memory is out; discard_process takes back
 * what was done.
 */
static bool copy_resources(struct process *child, struct process *parent, uint64_t flags)
{
	child->cwd = inode_get(parent->cwd);
	child->root = inode_get(parent->root);
	child->executable = inode_get(parent->executable);
	child->files = flags & CLONE_FILES ? file_table_get(parent->files)
					   : file_table_copy(parent->files);
	child->vm = flags & CLONE_VM ? vm_get(parent->vm) : vm_fork(parent->vm);
	return child->files && child->vm;
}

static void discard_process(struct process *child)
{
	inode_put(child->cwd);
	inode_put(child->root);
	inode_put(child->executable);
	if (child->files)
		file_table_put(child->files);
	if (child->vm)
		vm_put(child->vm);
	signal_handlers_put(child->handlers);
	process_free(child);
}

static struct signal_handlers *share_or_copy_handlers(struct process *parent, uint64_t flags)
{
	if (!(flags & CLONE_SIGHAND))
		return signal_handlers_copy(parent->handlers);
	parent->handlers->references++;
	return parent->handlers;
}

static struct thread *copy_process(const struct clone_request *request)
{
	struct process *parent = current_process();
	struct process *child = process_create(parent);
	struct thread *thread = NULL;

	if (!child)
		return NULL;
	copy_attributes(child, parent);
	child->exit_signal = (int)(request->flags & CSIGNAL);
	if (copy_resources(child, parent, request->flags))
		thread = copy_thread(child, request);
	/* Last, because signals are taken from here on. */
	if (thread)
		child->handlers = share_or_copy_handlers(parent, request->flags);
	if (child->handlers) {
		if (child->limits[RLIMIT_CPU].rlim_cur != RLIM_INFINITY)
			cpu_timer_watch(child);
		return thread;
	}
	if (thread) {
		thread_detach(thread);
		thread_free(thread);
	}
	discard_process(child);
	return NULL;
}

/* The child runs in the caller's memory: the caller goes on when it has left it. */
static void start_and_wait(struct thread *thread)
{
	int32_t pid = thread->process->pid;
	struct semaphore done;
	struct process *child;

	sem_init(&done, 0);
	thread->process->vfork_done = &done;
	sched_start(thread);
	if (wait_despite_signals(&done) == 0)
		return;
	child = process_find(pid);
	if (child && child->vfork_done == &done)
		child->vfork_done = NULL;
}

static int64_t do_clone(const struct clone_request *request)
{
	struct thread *thread;
	int32_t tid;
	int error = check(request);

	if (error)
		return error;
	if (request->flags & CLONE_THREAD)
		thread = copy_thread(current_process(), request);
	else
		thread = copy_process(request);
	if (!thread)
		return -EAGAIN;
	tid = thread->tid;
	if (request->flags & CLONE_PARENT_SETTID)
		write_tid(request->parent_tid, tid);
	if (request->flags & CLONE_VFORK)
		start_and_wait(thread);
	else
		sched_start(thread);
	return tid;
}

SYSCALL5(clone, uint64_t, flags, user_addr_t, stack, user_addr_t, parent_tid, uint64_t, tls,
	 user_addr_t, child_tid)
{
	struct clone_request request = {
		.flags = (uint32_t)flags,
		.stack = stack,
		.parent_tid = parent_tid,
		.child_tid = child_tid,
		.tls = tls,
	};

	return do_clone(&request);
}

void clone_syscalls_init(void)
{
	syscall_register(SYS_clone, sys_clone);
}
