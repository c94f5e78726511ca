/*
 * The frame on which a handler runs, in the layout of Linux arm64, and rt_sigreturn, which takes it
 * down.
 */
#include "include/uapi/mman.h"
#include "kernel/mm/vm.h"
#include "kernel/signal/signal.h"
#include "kernel/signal/signal_pending.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

/*
 * Above the frame stands a frame record (fp, lr), so that a debugger can walk through the handler.
 */
struct frame_record {
	uint64_t fp, lr;
};

#define STACK_BYTES ALIGN_UP(RT_SIGFRAME_SIZE + sizeof(struct frame_record), 16)

/* The page that every process has for handlers without SA_RESTORER. */
#define TRAMPOLINE_ADDRESS (USER_ADDRESS_END - PAGE_SIZE)

static const uint32_t trampoline_code[] = {
	0xd503245f, /* bti c: harmless where there is no BTI */
	0xd2801168, /* mov x8, #139 (rt_sigreturn) */
	0xd4000001, /* svc #0 */
};

int signal_map_trampoline(struct vm *vm, user_addr_t *address)
{
	int64_t mapped = vm_map(vm, TRAMPOLINE_ADDRESS, PAGE_SIZE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0);
	struct page *page;

	if (mapped < 0)
		return (int)mapped;
	page = vm_get_page(vm, TRAMPOLINE_ADDRESS, VM_WRITE);
	if (!page)
		return -ENOMEM;
	memcpy(page_address(page), trampoline_code, sizeof(trampoline_code));
	page_put(page);
	*address = TRAMPOLINE_ADDRESS;
	return vm_protect(vm, TRAMPOLINE_ADDRESS, PAGE_SIZE, PROT_READ | PROT_EXEC);
}

uint64_t signal_frame_size(void)
{
	return STACK_BYTES;
}

bool signal_on_alt_stack(user_addr_t sp)
{
	const struct thread *thread = current_thread();

	return thread->alt_stack_size && sp - thread->alt_stack < thread->alt_stack_size;
}

static user_addr_t frame_address(const struct trapframe *frame, const struct sigaction *action)
{
	const struct thread *thread = current_thread();
	user_addr_t sp = frame->sp;

	if (action->flags & SA_ONSTACK && thread->alt_stack_size && !signal_on_alt_stack(sp))
		sp = thread->alt_stack + thread->alt_stack_size;
	return ALIGN_DOWN(sp, 16) - STACK_BYTES;
}

static void save_fp(struct fpsimd_context *context)
{
	struct arch_fp_state *fp = current_thread()->fp;

	arch_fp_save(fp);
	context->head = (struct sigcontext_record){FPSIMD_MAGIC, sizeof(*context)};
	context->fpsr = fp->fpsr;
	context->fpcr = fp->fpcr;
	memcpy(context->vregs, fp->v, sizeof(fp->v));
}

static void restore_fp(const struct fpsimd_context *context)
{
	struct arch_fp_state *fp = current_thread()->fp;

	fp->fpsr = context->fpsr;
	fp->fpcr = context->fpcr;
	memcpy(fp->v, context->vregs, sizeof(fp->v));
	arch_fp_restore(fp);
}

static stack_t current_alt_stack(user_addr_t sp)
{
	const struct thread *thread = current_thread();
	stack_t stack = {
		.ss_sp = thread->alt_stack,
		.ss_size = thread->alt_stack_size,
		.ss_flags = SS_DISABLE,
	};

	if (thread->alt_stack_size)
		stack.ss_flags = signal_on_alt_stack(sp) ? SS_ONSTACK : 0;
	return stack;
}

bool signal_frame_push(struct trapframe *frame, const struct sigaction *action,
		       const struct siginfo *info, uint64_t mask)
{
	user_addr_t sp = frame_address(frame, action);
	struct frame_record record = {.fp = frame->x[29], .lr = frame->x[30]};
	struct rt_sigframe image = {
		.info = *info,
		.uc.uc_stack = current_alt_stack(frame->sp),
		.uc.uc_sigmask = mask,
		.uc.uc_mcontext.sp = frame->sp,
		.uc.uc_mcontext.pc = frame->pc,
		.uc.uc_mcontext.pstate = frame->pstate,
	};

	if (info->si_signo == SIGSEGV || info->si_signo == SIGBUS)
		image.uc.uc_mcontext.fault_address = info->si_addr;
	memcpy(image.uc.uc_mcontext.regs, frame->x, sizeof(frame->x));
	save_fp(&image.fpsimd);
	if (copy_to_user(sp, &image, sizeof(image)) ||
	    copy_to_user(sp + RT_SIGFRAME_SIZE, &record, sizeof(record)))
		return false;

	frame->x[0] = (uint64_t)info->si_signo;
	frame->x[1] = sp + offsetof(struct rt_sigframe, info);
	frame->x[2] = sp + offsetof(struct rt_sigframe, uc);
	frame->x[29] = sp + RT_SIGFRAME_SIZE;
	frame->x[30] = action->flags & SA_RESTORER ? action->restorer
						   : current_process()->trampoline;
	frame->sp = sp;
	frame->pc = action->handler;
	frame->pstate &= PSTATE_USER_MASK;
	return true;
}

/* The caller's stack is a frame made by signal_frame_push, unless the process has spoilt it. */
SYSCALL0(rt_sigreturn)
{
	struct trapframe *frame = current_trapframe();
	struct rt_sigframe image;

	current_thread()->restart_deadline_us = 0;
	if (!IS_ALIGNED(frame->sp, 16) || copy_from_user(&image, frame->sp, sizeof(image)) ||
	    image.fpsimd.head.magic != FPSIMD_MAGIC ||
	    image.fpsimd.head.size != sizeof(image.fpsimd)) {
		signal_fault(SIGSEGV, SI_KERNEL, frame->sp);
		return 0;
	}
	signal_set_mask(image.uc.uc_sigmask);
	memcpy(frame->x, image.uc.uc_mcontext.regs, sizeof(frame->x));
	frame->sp = image.uc.uc_mcontext.sp;
	frame->pc = image.uc.uc_mcontext.pc;
	frame->pstate = image.uc.uc_mcontext.pstate & PSTATE_USER_MASK;
	frame->syscall = -1;
	restore_fp(&image.fpsimd);
	return (int64_t)frame->x[0];
}

SYSCALL2(sigaltstack, user_addr_t, new, user_addr_t, old)
{
	struct thread *thread = current_thread();
	user_addr_t sp = current_trapframe()->sp;
	stack_t before = current_alt_stack(sp);
	stack_t stack = {0};

	if (new &&copy_from_user(&stack, new, sizeof(stack)))
		return -EFAULT;
	if (new) {
		if (signal_on_alt_stack(sp))
			return -EPERM;
		if (stack.ss_flags & ~(SS_DISABLE | SS_ONSTACK))
			return -EINVAL;
		if (stack.ss_flags & SS_DISABLE)
			stack = (stack_t){0};
		else if (stack.ss_size < MINSIGSTKSZ)
			return -ENOMEM;
		thread->alt_stack = stack.ss_sp;
		thread->alt_stack_size = stack.ss_size;
	}
	return old ? copy_to_user(old, &before, sizeof(before)) : 0;
}

void signal_frame_syscalls_init(void)
{
	syscall_register(SYS_rt_sigreturn, sys_rt_sigreturn);
	syscall_register(SYS_sigaltstack, sys_sigaltstack);
}
