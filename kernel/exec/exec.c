/*
 * execve(2), execveat(2), and the first program.
 *
 * The new address space is made whole beside the old one. Only when nothing can fail any more does
 * the process change over, so a failing execve returns to the caller as if nothing had happened.
 */
#include "kernel/exec/exec.h"

#include "include/uapi/fcntl.h"
#include "include/uapi/stat.h"
#include "kernel/fs/fd_table.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/path.h"
#include "kernel/fs/permission.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/printk.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/table.h"
#include "kernel/signal/signal_pending.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/time/posix_timer.h"
#include "kernel/user.h"

#define SCRIPT_LINE_MAX 256 /* bytes of a script's first line that count */

/* An execve under way. */
struct exec {
	const char *path;    /* as given: AT_EXECFN, and the name of the process */
	struct inode *inode; /* what is loaded: the program, or the interpreter of the script */
	struct string_list arguments, environment;
	char *lines[SCRIPT_LEVELS_MAX]; /* first lines of scripts, which `arguments` points into */
	uint32_t levels;
	struct vm *vm;
	struct program program;
	struct exec_stack stack;
	user_addr_t trampoline;
};

/* For whom the program will run: its file's owner and group, if that says so. */
static void choose_ids(struct exec *exec)
{
	const struct process *process = current_process();
	const struct inode *inode = exec->inode;
	const uint32_t as_group = S_ISGID | S_IXGRP; /* S_ISGID alone is no such wish */

	exec->program.euid = process->euid;
	exec->program.egid = process->egid;
	if (process->no_new_privileges)
		return;
	if (inode->mode & S_ISUID)
		exec->program.euid = inode->uid;
	if ((inode->mode & as_group) == as_group)
		exec->program.egid = inode->gid;
}

static char *skip_blanks(char *text)
{
	while (*text == ' ' || *text == '\t')
		text++;
	return text;
}

/* Cuts "#! interpreter argument" into its parts. False when there is no interpreter. */
static bool parse_script_line(char *line, char **interpreter, char **argument)
{
	char *end = strchr(line, '\n');
	char *blank;

	if (!end)
		end = line + strlen(line);
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	*interpreter = skip_blanks(line + 2);
	*argument = NULL;
	blank = *interpreter;
	while (*blank && *blank != ' ' && *blank != '\t')
		blank++;
	if (*blank) {
		*blank = '\0';
		*argument = skip_blanks(blank + 1);
	}
	return **interpreter != '\0';
}

/*
 * argv becomes: interpreter, its argument if there is one, the script's path, and the old argv
 * without its first.
 */
static void prepend_interpreter(struct exec *exec, const char *interpreter, const char *argument)
{
	struct string_list *list = &exec->arguments;
	const char *added[3] = {interpreter};
	uint32_t count = 1;

	if (argument)
		added[count++] = argument;
	if (exec->levels == 0) {
		added[count++] = exec->path;
		if (list->kernel_count)
			list->kernel_count = 0; /* the first program's argv[0] */
		else
			list->user_skip = 1;
	}
	memmove(list->kernel + count, list->kernel, list->kernel_count * sizeof(list->kernel[0]));
	memcpy(list->kernel, added, count * sizeof(added[0]));
	list->kernel_count += count;
}

/*
 * `line` is the file's beginning, kept until the end of the exec. The interpreter takes the
 * script's place.
 */
static int enter_script(struct exec *exec, char *line)
{
	char *interpreter, *argument;
	struct inode *inode;
	int error;

	if (!parse_script_line(line, &interpreter, &argument))
		return -ENOEXEC;
	error = path_resolve(AT_FDCWD, interpreter, true, &inode);
	if (error)
		return error;
	prepend_interpreter(exec, interpreter, argument);
	inode_put(exec->inode);
	exec->inode = inode;
	exec->levels++;
	return may_run(inode);
}

/* Follows scripts to the program that runs them. */
static int resolve_scripts(struct exec *exec)
{
	for (;;) {
		char *line = kzalloc(SCRIPT_LINE_MAX + 1);
		int64_t n;
		int error;

		if (!line)
			return -ENOMEM;
		n = inode_read(exec->inode, line, SCRIPT_LINE_MAX, 0);
		if (n < 2 || line[0] != '#' || line[1] != '!') {
			kfree(line);
			return n < 0 ? (int)n : 0;
		}
		if (exec->levels == SCRIPT_LEVELS_MAX) {
			kfree(line);
			return -ELOOP;
		}
		exec->lines[exec->levels] = line;
		error = enter_script(exec, line);
		if (error)
			return error;
	}
}

/* Makes the new address space. */
static int prepare(struct exec *exec)
{
	int error = may_run(exec->inode);
	user_addr_t stack_top;

	if (error || (error = resolve_scripts(exec)))
		return error;
	exec->vm = vm_create();
	if (!exec->vm)
		return -ENOMEM;
	if ((error = exec_stack_map(exec->vm, &stack_top)) ||
	    (error = elf_load(exec->vm, exec->inode, &exec->program)))
		return error;
	choose_ids(exec);
	if ((error = exec_stack_build(exec->vm, stack_top, &exec->program, exec->path,
				      &exec->arguments, &exec->environment, &exec->stack)) ||
	    (error = signal_map_trampoline(exec->vm, &exec->trampoline)))
		return error;
	vm_set_heap(exec->vm, exec->program.end);
	return 0;
}

/*
 * Gives back what the exec still holds: all of it after a failure, the scripts' lines after
 * success.
 */
static void release(struct exec *exec)
{
	inode_put(exec->inode);
	if (exec->vm)
		vm_put(exec->vm);
	for (uint32_t i = 0; i < SCRIPT_LEVELS_MAX; i++)
		kfree(exec->lines[i]);
}

static void take_over_memory(struct process *process, struct exec *exec)
{
	struct vm *old = process->vm;

	if (old)
		thread_leave_vm(current_thread());
	process->memory_peak = process_memory_peak(process);
	process->vm = exec->vm;
	exec->vm = NULL;
	sched_use_vm(process->vm);
	if (old)
		vm_put(old);
	process_release_vfork_parent(process);

	process->trampoline = exec->trampoline;
	process->arguments_start = exec->stack.arguments_start;
	process->arguments_end = exec->stack.arguments_end;
	process->environment_start = exec->stack.environment_start;
	process->environment_end = exec->stack.environment_end;
	process->auxiliary_start = exec->stack.auxiliary_start;
	process->auxiliary_end = exec->stack.auxiliary_end;
	inode_put(process->executable);
	process->executable = exec->inode;
	exec->inode = NULL;
}

static void reset_thread(struct thread *thread, const struct exec *exec)
{
	struct trapframe *frame = thread_trapframe(thread);
	const char *slash = strrchr(exec->path, '/');

	thread->tid = thread->process->pid;
	strscpy(thread->name, slash ? slash + 1 : exec->path, sizeof(thread->name));
	strscpy(thread->process->name, thread->name, sizeof(thread->process->name));
	thread->alt_stack = thread->alt_stack_size = 0;
	thread->restart_deadline_us = 0;

	*frame = (struct trapframe){
		.pc = exec->program.start,
		.sp = exec->stack.sp,
		.pstate = PSTATE_USER,
		.syscall = -1,
	};
	arch_set_tls(0);
	memset(thread->fp, 0, sizeof(*thread->fp));
	arch_fp_restore(thread->fp);
}

static void take_over_ids(struct process *process, const struct program *program)
{
	if (program->euid != process->euid || program->egid != process->egid)
		process->parent_death_signal = 0; /* the parent is not to disturb it */
	process->euid = program->euid;
	process->egid = program->egid;
	capabilities_follow_exec(process);
}

/* Nothing fails from here on. */
static void change_over(struct exec *exec)
{
	struct process *process = current_process();

	take_over_memory(process, exec);
	posix_timers_delete(process);
	file_table_close_on_exec(process->files);
	process->has_executed = true;
	process->exit_signal = SIGCHLD; /* whatever clone(2) said */
	take_over_ids(process, &exec->program);
	reset_thread(current_thread(), exec);
}

static int run(struct exec *exec)
{
	int error = prepare(exec);

	if (!error)
		error = process_end_other_threads();
	if (!error)
		error = signal_reset_for_exec(current_process());
	if (!error)
		error = fd_unshare();
	if (!error)
		change_over(exec);
	release(exec);
	return error;
}

/* A program started without any argument gets an empty name: many look at argv[0] unasked. */
static void ensure_name(struct string_list *arguments)
{
	user_addr_t first = 0;

	if (arguments->user && copy_from_user(&first, arguments->user, sizeof(first)))
		return; /* reported when the strings are measured */
	if (!first)
		*arguments = (struct string_list){.kernel = {""}, .kernel_count = 1};
}

static int64_t exec_user(int directory, user_addr_t path_from, user_addr_t arguments,
			 user_addr_t environment, uint32_t flags)
{
	struct exec *exec;
	char *path;
	int error;

	path = path_from_user(path_from, &error);
	if (!path)
		return error;
	exec = kzalloc(sizeof(*exec));
	error = exec ? path_at(directory, path_from, flags, &exec->inode) : -ENOMEM;
	if (!error) {
		if (path[0] == '\0') /* the descriptor itself was meant */
			snprintf(path, PATH_MAX, "/dev/fd/%d", directory);
		exec->path = path;
		exec->arguments.user = arguments;
		exec->environment.user = environment;
		ensure_name(&exec->arguments);
		error = run(exec);
	}
	kfree(exec);
	kfree(path);
	return error;
}

SYSCALL3(execve, user_addr_t, path, user_addr_t, arguments, user_addr_t, environment)
{
	return exec_user(AT_FDCWD, path, arguments, environment, 0);
}

SYSCALL5(execveat, int, directory, user_addr_t, path, user_addr_t, arguments, user_addr_t,
	 environment, uint32_t, flags)
{
	if (flags & ~(uint32_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	return exec_user(directory, path, arguments, environment, flags);
}

static void start_init(void *argument __unused)
{
	struct process *process = current_process();
	struct exec *exec = kzalloc(sizeof(*exec));
	int error;

	sched_thread_begins();
	error = console_open_std(process->files);
	if (error)
		printk("init: no console: error %d\n", error);
	if (!exec)
		panic("no memory for /init");
	exec->path = "/init";
	exec->arguments = (struct string_list){.kernel = {"/init"}, .kernel_count = 1};
	exec->environment = (struct string_list){.kernel = {"HOME=/", "TERM=linux"},
						 .kernel_count = 2};
	error = path_resolve(AT_FDCWD, exec->path, true, &exec->inode);
	if (!error)
		error = run(exec);
	if (error)
		panic("/init cannot be run: error %d", error);
	kfree(exec);
	arch_enter_user(current_trapframe());
}

void process_start_init(void)
{
	struct process *kernel = process_find(0);
	struct process *process = process_create(NULL);
	struct thread *thread;

	assert_always(process && process->pid == 1);
	process->umask = kernel->umask;
	memcpy(process->limits, kernel->limits, sizeof(process->limits));
	/* Of one user; the rest is for those who want to end that user's. */
	process->limits[RLIMIT_NPROC].rlim_cur /= 2;
	process->limits[RLIMIT_NPROC].rlim_max /= 2;
	process->root = inode_get(fs_root());
	process->cwd = inode_get(fs_root());
	process->files = file_table_create();
	thread = thread_create(process, "init", true, start_init, NULL);
	process->handlers = signal_handlers_create();
	if (!thread || !process->files || !process->handlers)
		panic("no memory for process 1");
	sched_start(thread);
}

void exec_syscalls_init(void)
{
	syscall_register(SYS_execve, sys_execve);
	syscall_register(SYS_execveat, sys_execveat);
}
