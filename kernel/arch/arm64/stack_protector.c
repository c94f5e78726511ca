/*
 * What the compilers' stack protectors want. Our own code compares with the canary in the running
 * thread; libfdt, compiled for a hosted program, with a variable.
 */
#include "kernel/printk.h"

extern uint64_t __stack_chk_guard;
uint64_t __stack_chk_guard = 0xb5c9d1e7a3f28600ull; /* the zero byte stops string overruns */

void __stack_chk_fail(void) __noreturn;
void __stack_chk_fail(void)
{
	panic("stack smashed");
}
