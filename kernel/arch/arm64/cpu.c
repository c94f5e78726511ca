/*
 * The processor: which features it has, and switching on those that the kernel uses.
 */
#include "kernel/arch/arm64/cpu.h"
#include "kernel/arch/arm64/context.h"
#include "kernel/arch/arm64/mmu_bits.h"
#include "kernel/arch/arm64/system_registers.h"
#include "kernel/machine.h"
#include "kernel/proc/process.h"

#define CNTKCTL_USER_COUNTER 2 /* EL0 may read CNTVCT and CNTFRQ */

enum id_register { ISAR0, ISAR1, PFR0, ID_REGISTERS };

/* A feature that a program may use when the field is at least `minimum`: its bit in AT_HWCAP. */
static const struct hwcap_rule {
	enum id_register id;
	uint32_t shift, minimum, bit;
} hwcap_rules[] = {
	{ISAR0, 4, 1, 3},   /* AES */
	{ISAR0, 4, 2, 4},   /* PMULL */
	{ISAR0, 8, 1, 5},   /* SHA1 */
	{ISAR0, 12, 1, 6},  /* SHA2 */
	{ISAR0, 16, 1, 7},  /* CRC32 */
	{ISAR0, 20, 2, 8},  /* ATOMICS */
	{ISAR0, 28, 1, 12}, /* ASIMDRDM */
	{ISAR0, 32, 1, 17}, /* SHA3 */
	{ISAR0, 36, 1, 18}, /* SM3 */
	{ISAR0, 40, 1, 19}, /* SM4 */
	{ISAR0, 44, 1, 20}, /* ASIMDDP */
	{ISAR0, 12, 2, 21}, /* SHA512 */
	{ISAR0, 48, 1, 23}, /* ASIMDFHM */
	{ISAR1, 0, 1, 16},  /* DCPOP */
	{ISAR1, 12, 1, 13}, /* JSCVT */
	{ISAR1, 16, 1, 14}, /* FCMA */
	{ISAR1, 20, 1, 15}, /* LRCPC */
	{ISAR1, 20, 2, 26}, /* ILRCPC */
	{ISAR0, 52, 1, 27}, /* FLAGM */
	{ISAR1, 36, 1, 29}, /* SB */
};

uint64_t arch_hwcap(void)
{
	const uint64_t id[ID_REGISTERS] = {
		[ISAR0] = read_register(id_aa64isar0_el1),
		[ISAR1] = read_register(id_aa64isar1_el1),
		[PFR0] = read_register(id_aa64pfr0_el1),
	};
	uint64_t hwcap = 0;

	/*
	 * Absent is 15 here; 0 is there, 1 is there with half precision: FP, ASIMD, FPHP, ASIMDHP.
	 */
	if (id_field(id[PFR0], 16) != 15)
		hwcap |= BIT(0) | (id_field(id[PFR0], 16) >= 1 ? BIT(9) : 0);
	if (id_field(id[PFR0], 20) != 15)
		hwcap |= BIT(1) | (id_field(id[PFR0], 20) >= 1 ? BIT(10) : 0);
	for (size_t i = 0; i < ARRAY_SIZE(hwcap_rules); i++) {
		const struct hwcap_rule *rule = &hwcap_rules[i];
		if (id_field(id[rule->id], rule->shift) >= rule->minimum)
			hwcap |= BIT(rule->bit);
	}
	return hwcap;
}

bool cpu_has_random(void)
{
	return id_field(read_register(id_aa64isar0_el1), 60) >= 1;
}

bool cpu_random(uint64_t *value)
{
	uint64_t random;
	bool good;

	/* RNDR; the Z flag says that it failed. */
	__asm__ volatile("mrs %0, S3_3_C2_C4_0\n\tcset %w1, ne" : "=r"(random), "=r"(good)::"cc");
	*value = random;
	return good;
}

bool cpu_has_bti(void)
{
	return id_field(read_register(id_aa64pfr1_el1), 0) >= 1;
}

/*
 * PAN: the kernel's own loads and stores fault on user memory, so that a stray user pointer is
 * found at once. With SPAN clear every exception sets it.
 */
static bool has_pan;

static void enable_pan(void)
{
	has_pan = id_field(read_register(id_aa64mmfr1_el1), 20) != 0;
	if (!has_pan)
		return;
	write_register(sctlr_el1, read_register(sctlr_el1) & ~SCTLR_SPAN);
	instruction_barrier();
	cpu_forbid_user_access();
}

void cpu_allow_user_access(void)
{
	if (has_pan)
		__asm__ volatile(".inst 0xd500409f" ::: "memory"); /* msr pan, #0 */
}

void cpu_forbid_user_access(void)
{
	if (has_pan)
		__asm__ volatile(".inst 0xd500419f" ::: "memory"); /* msr pan, #1 */
}

void cpu_init(void)
{
	enable_pan();
	write_register(cntkctl_el1, CNTKCTL_USER_COUNTER);
	write_register(mdscr_el1, 0);
	instruction_barrier();
}

/*
 * QEMU before 8.0 leaves the barriers of a machine with one processor out, although its devices run
 * in a thread of their own: a write may then be seen after the next read, and a notification or an
 * interrupt is never sent. Reading the counter takes a lock there, which orders as a barrier does.
 */
void device_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	(void)read_register(cntvct_el0);
}

void cpu_idle(void)
{
	data_barrier();
	__asm__ volatile("wfi" ::: "memory");
	interrupts_unmask();
	instruction_barrier();
	interrupts_mask();
}

void machine_halt(void)
{
	interrupts_mask();
	for (;;)
		__asm__ volatile("wfi" ::: "memory");
}

/*
 * Kept in SP_EL0 while the kernel runs, where the compiler looks for the stack canary. Not
 * volatile: whoever asks twice is still the same thread, so the compiler need not read it twice.
 */
struct thread *current_thread(void)
{
	struct thread *thread;

	__asm__("mrs %0, sp_el0" : "=r"(thread));
	return thread;
}

struct trapframe *current_trapframe(void)
{
	char *top = (char *)current_thread()->kernel_stack + KERNEL_STACK_SIZE;

	return (struct trapframe *)(top - sizeof(struct trapframe));
}

void arch_set_tls(uint64_t tls)
{
	write_register(tpidr_el0, tls);
}

uint64_t arch_get_tls(void)
{
	return read_register(tpidr_el0);
}

void arch_thread_start(void);

void arch_context_prepare(struct arch_context *context, struct thread *thread, void *stack_top,
			  void (*function)(void *), void *argument)
{
	*context = (struct arch_context){
		.x19_x28 = {(uint64_t)function, (uint64_t)argument},
		.lr = (uint64_t)arch_thread_start,
		.sp = (uint64_t)stack_top,
		.thread = thread,
	};
}

void arch_adopt_boot_thread(struct thread *thread)
{
	const struct thread *boot = (const struct thread *)read_register(sp_el0);

	thread->stack_canary = boot->stack_canary;
	thread->kernel_stack = boot_stack;
	thread->context.thread = thread;
	write_register(tpidr_el1, thread);
	write_register(sp_el0, thread);
}
