/*
 * What an exception means: a page to bring in, a mistake of the process (a signal), or a mistake of
 * the kernel (a panic).
 */
#include "include/uapi/signal.h"
#include "kernel/arch/arm64/context.h"
#include "kernel/arch/arm64/layout.h"
#include "kernel/arch/arm64/system_registers.h"
#include "kernel/backtrace.h"
#include "kernel/mm/vm.h"
#include "kernel/printk.h"
#include "kernel/proc/oom.h"
#include "kernel/proc/process.h"
#include "kernel/signal/signal.h"

/* ESR_EL1: the exception's class. Arm ARM D13.2.37. */
#define ESR_CLASS(esr) ((esr) >> 26 & 0x3f)
#define CLASS_UNKNOWN 0x00
#define CLASS_BTI 0x0d
#define CLASS_ILLEGAL_STATE 0x0e
#define CLASS_SYSTEM_REGISTER 0x18
#define CLASS_FPAC 0x1c
#define CLASS_INSTRUCTION_USER 0x20
#define CLASS_INSTRUCTION_KERNEL 0x21
#define CLASS_PC_ALIGNMENT 0x22
#define CLASS_DATA_USER 0x24
#define CLASS_DATA_KERNEL 0x25
#define CLASS_SP_ALIGNMENT 0x26
#define CLASS_STEP_USER 0x32
#define CLASS_BREAK 0x3c

/* Of aborts. */
#define ESR_FAULT(esr) ((esr)&0x3f)
#define FAULT_KIND(fault) ((fault) >> 2)
#define FAULT_TRANSLATION 1 /* kinds; the low two bits are the level */
#define FAULT_ACCESS_FLAG 2
#define FAULT_PERMISSION 3
#define FAULT_ALIGNMENT 0x21
#define ESR_WRITE (1u << 6)
#define ESR_CACHE_MAINTENANCE (1u << 8)

/* Of BRK. */
#define BREAK_NUMBER(esr) ((esr)&0xffff)
#define BREAK_UBSAN 0x5500

#define PSTATE_IRQ_MASKED (1ull << 7)

struct exception_entry {
	int32_t instruction, fixup; /* relative to the field itself */
};
extern const struct exception_entry exception_table_start[], exception_table_end[];

/* Called by entry.S. */
void exception_from_user(struct trapframe *frame, uint64_t esr, uint64_t address);
void exception_from_kernel(struct trapframe *frame, uint64_t esr, uint64_t address);
void exception_unexpected(struct trapframe *frame, uint64_t kind) __noreturn;
void exception_stack_overflow(struct trapframe *frame) __noreturn;

static const char *const ubsan_kinds[] = {
	"addition overflow",
	"unreachable code",
	"control flow integrity",
	"division overflow",
	"dynamic type",
	"float cast overflow",
	"function type",
	"implicit conversion",
	"invalid builtin argument",
	"invalid object cast",
	"invalid value loaded",
	"missing return",
	"multiplication overflow",
	"negation overflow",
	"null argument",
	"null return",
	"null argument",
	"null return",
	"index out of bounds",
	"pointer overflow",
	"shift out of bounds",
	"subtraction overflow",
	"null or misaligned pointer",
	"alignment assumption",
	"array length not positive",
};

static const char *class_name(uint32_t class)
{
	switch (class) {
	case CLASS_UNKNOWN:
		return "undefined instruction";
	case CLASS_BTI:
		return "branch to an unmarked target";
	case CLASS_ILLEGAL_STATE:
		return "illegal execution state";
	case CLASS_SYSTEM_REGISTER:
		return "forbidden system register";
	case CLASS_FPAC:
		return "bad pointer signature";
	case CLASS_INSTRUCTION_USER:
	case CLASS_INSTRUCTION_KERNEL:
		return "bad instruction address";
	case CLASS_PC_ALIGNMENT:
		return "misaligned program counter";
	case CLASS_DATA_USER:
	case CLASS_DATA_KERNEL:
		return "bad memory access";
	case CLASS_SP_ALIGNMENT:
		return "misaligned stack pointer";
	case CLASS_STEP_USER:
	case CLASS_BREAK:
		return "breakpoint";
	default:
		return "exception";
	}
}

static enum vm_access abort_access(uint32_t class, uint64_t esr)
{
	if (class == CLASS_INSTRUCTION_USER)
		return VM_EXECUTE;
	/* Cache maintenance by address reports a write, but needs only to read. */
	return (esr & ESR_WRITE) && !(esr & ESR_CACHE_MAINTENANCE) ? VM_WRITE : VM_READ;
}

/* Aborts that bringing in a page, or copying it, can cure. */
static bool abort_is_page_fault(uint64_t esr)
{
	uint32_t kind = FAULT_KIND(ESR_FAULT(esr));

	return kind == FAULT_TRANSLATION || kind == FAULT_ACCESS_FLAG || kind == FAULT_PERMISSION;
}

static bool signal_has_handler(int signal)
{
	uint64_t handler = current_process()->handlers->action[signal].handler;

	return handler != SIG_DFL && handler != SIG_IGN;
}

/* Signals the process for its mistake, and says so in the log when that will be its end. */
static void fault_process(struct trapframe *frame, int signal, int code, uint64_t esr,
			  uint64_t address)
{
	struct process *process = current_process();

	if (signal == SIGKILL) {
		oom_wait();
		return; /* to the same instruction */
	}
	if (!signal_has_handler(signal))
		printk("%s[%d]: %s at pc 0x%lx, address 0x%lx\n", process->name, process->pid,
		       class_name(ESR_CLASS(esr)), frame->pc, address);
	signal_fault(signal, code, address);
}

/* Such an instruction would fault for ever: its page is either written or executed. */
static bool writes_own_page(uint64_t pc, uint64_t address, enum vm_access access)
{
	return access == VM_WRITE && pc / PAGE_SIZE == address / PAGE_SIZE;
}

static void user_abort(struct trapframe *frame, uint32_t class, uint64_t esr, uint64_t address)
{
	struct vm *vm = current_process()->vm;
	enum vm_access access = abort_access(class, esr);
	int error = -SIGBUS;
	int code = BUS_ADRERR;

	if (abort_is_page_fault(esr))
		error = writes_own_page(frame->pc, address, access) ? -SIGSEGV
								    : vm_fault(vm, address, access);
	else if (ESR_FAULT(esr) == FAULT_ALIGNMENT)
		code = BUS_ADRALN;
	if (error == 0)
		return;
	if (error == -SIGSEGV)
		code = vm_covers(vm, address) ? SEGV_ACCERR : SEGV_MAPERR;
	fault_process(frame, -error, code, esr, address);
}

void exception_from_user(struct trapframe *frame, uint64_t esr, uint64_t address)
{
	uint32_t class = ESR_CLASS(esr);

	interrupts_unmask();
	switch (class) {
	case CLASS_INSTRUCTION_USER:
	case CLASS_DATA_USER:
		user_abort(frame, class, esr, address);
		return;
	case CLASS_PC_ALIGNMENT:
		fault_process(frame, SIGBUS, BUS_ADRALN, esr, address);
		return;
	case CLASS_SP_ALIGNMENT:
		fault_process(frame, SIGBUS, BUS_ADRALN, esr, frame->sp);
		return;
	case CLASS_BREAK:
	case CLASS_STEP_USER:
		fault_process(frame, SIGTRAP, TRAP_BRKPT, esr, frame->pc);
		return;
	default:
		fault_process(frame, SIGILL, ILL_ILLOPC, esr, frame->pc);
	}
}

static void print_registers(const struct trapframe *frame)
{
	for (int i = 0; i < 30; i += 3)
		printk("  x%-2d %016lx  x%-2d %016lx  x%-2d %016lx\n", i, frame->x[i], i + 1,
		       frame->x[i + 1], i + 2, frame->x[i + 2]);
	printk("  x30 %016lx  sp  %016lx  pc  %016lx\n", frame->x[30], frame->sp, frame->pc);
}

static struct backtrace_start backtrace_of(const struct trapframe *frame)
{
	return (struct backtrace_start){.pc = frame->pc, .frame_pointer = frame->x[29]};
}

static void __noreturn kernel_break(struct trapframe *frame, uint64_t esr)
{
	struct backtrace_start start = backtrace_of(frame);
	uint32_t number = BREAK_NUMBER(esr);
	uint32_t kind = number - BREAK_UBSAN;

	if (number >= BREAK_UBSAN && kind < ARRAY_SIZE(ubsan_kinds))
		panic_at(&start, "undefined behaviour: %s", ubsan_kinds[kind]);
	panic_at(&start, "breakpoint 0x%x", number);
}

/*
 * The kernel touched a process's memory through kernel/user.h: bring the page in, or make the copy
 * fail.
 */
static bool user_copy_fault(struct trapframe *frame, uint64_t esr, uint64_t address)
{
	const struct exception_entry *entry = exception_table_start;
	struct vm *vm = current_process()->vm;

	while (entry < exception_table_end &&
	       (uint64_t)&entry->instruction + (uint64_t)(int64_t)entry->instruction != frame->pc)
		entry++;
	if (entry == exception_table_end)
		return false;
	if (!(frame->pstate & PSTATE_IRQ_MASKED))
		interrupts_unmask();
	if (vm && address < USER_ADDRESS_END && abort_is_page_fault(esr)) {
		if (vm_fault_in_call(vm, address, abort_access(CLASS_DATA_KERNEL, esr)) == 0)
			return true;
	}
	frame->pc = (uint64_t)&entry->fixup + (uint64_t)(int64_t)entry->fixup;
	return true;
}

void exception_from_kernel(struct trapframe *frame, uint64_t esr, uint64_t address)
{
	uint32_t class = ESR_CLASS(esr);
	struct backtrace_start start = backtrace_of(frame);

	if (class == CLASS_DATA_KERNEL && user_copy_fault(frame, esr, address))
		return;
	if (class == CLASS_BREAK)
		kernel_break(frame, esr);
	print_registers(frame);
	panic_at(&start, "%s in the kernel: address 0x%lx, esr 0x%lx", class_name(class), address,
		 esr);
}

void exception_unexpected(struct trapframe *frame, uint64_t kind)
{
	static const char *const kinds[] = {"exception on SP_EL0", "FIQ", "system error",
					    "exception from 32-bit code"};
	struct backtrace_start start = backtrace_of(frame);

	print_registers(frame);
	panic_at(&start, "unexpected %s", kinds[kind]);
}

void exception_stack_overflow(struct trapframe *frame)
{
	struct backtrace_start start = backtrace_of(frame);

	panic_at(&start, "kernel stack overflow: sp 0x%lx", frame->sp);
}
