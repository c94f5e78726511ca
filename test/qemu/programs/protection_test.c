/*
 * Memory protection as a process meets it: what must not be written, run or touched ends the
 * process with a signal, and nothing is ever writable and executable.
 */
#include "check.h"

#include <signal.h>
#include <sys/mman.h>

static const char constant[] = "constant";
static uint32_t return_instruction = 0xd65f03c0; /* in writable data */

static int write_text(void)
{
	*(volatile char *)(uintptr_t)&write_text = 0;
	return 0;
}

static int write_constant(void)
{
	*(volatile char *)(uintptr_t)constant = 'x';
	return 0;
}

static int run_data(void)
{
	((void (*)(void))(uintptr_t)&return_instruction)();
	return 0;
}

static int run_stack(void)
{
	volatile uint32_t code = 0xd65f03c0;

	((void (*)(void))(uintptr_t)&code)();
	return 0;
}

static int read_null(void)
{
	return *(volatile char *)(uintptr_t)8;
}

static int read_kernel(void)
{
	return *(volatile char *)0xffffffc080000000;
}

static int jump_to_kernel(void)
{
	((void (*)(void))0xffffffc080000000)();
	return 0;
}

static int run_nonsense(void)
{
	__asm__ volatile(".inst 0");
	return 0;
}

static int overflow_stack(void)
{
	volatile char frame[65536];

	frame[0] = 1;
	return frame[0] ? overflow_stack() + frame[0]
			: 0; /* always, but the compiler cannot know */
}

static void dies_by(int (*function)(void), int signal)
{
	int status = status_of(function);

	CHECK(WIFSIGNALED(status));
	CHECK(WTERMSIG(status) == signal);
}

static void bad_accesses_kill(void)
{
	dies_by(write_text, SIGSEGV);
	dies_by(write_constant, SIGSEGV);
	dies_by(run_data, SIGSEGV);
	dies_by(run_stack, SIGSEGV);
	dies_by(read_null, SIGSEGV);
	dies_by(read_kernel, SIGSEGV);
	dies_by(jump_to_kernel, SIGSEGV);
	dies_by(run_nonsense, SIGILL);
	dies_by(overflow_stack, SIGSEGV);
}

/* The way of a program that makes code: write it, then give up writing. */
static void written_code_runs_afterwards(void)
{
	uint32_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);

	CHECK(code != MAP_FAILED);
	code[0] = 0x528000e0; /* mov w0, #7 */
	code[1] = 0xd65f03c0; /* ret */
	CHECK(mprotect(code, 4096, PROT_READ | PROT_EXEC) == 0);
	__builtin___clear_cache((char *)code, (char *)(code + 2));
	CHECK(((int (*)(void))(uintptr_t)code)() == 7);
}

RUN_TESTS({"bad accesses kill", bad_accesses_kill},
	  {"written code runs afterwards", written_code_runs_afterwards})
