/* The rest of the machine: log, random numbers, interrupts, device tree, command line. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/devicetree.h"
#include "kernel/errno.h"
#include "kernel/irq.h"
#include "kernel/lock.h"
#include "kernel/machine.h"
#include "kernel/printk.h"
#include "kernel/random.h"
#include "kernel/string.h"
#include "test/host/services/host.h"

/* The last line and their number, guarded by irq_save. */
static char last_line[512];
static uint64_t lines;

void printk(const char *format, ...)
{
	va_list args;
	irq_flags_t flags = irq_save();

	va_start(args, format);
	vsnprintf(last_line, sizeof(last_line), format, args);
	va_end(args);
	lines++;
	if (getenv("VITRINE_LOG"))
		fputs(last_line, stderr);
	irq_restore(flags);
}

const char *host_log_last(void)
{
	return last_line;
}

uint64_t host_log_lines(void)
{
	return lines;
}

static void (*at_panic)(void);

void host_at_panic(void (*function)(void))
{
	at_panic = function;
}

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("panic: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	if (at_panic)
		at_panic();
	abort();
}

bool log_limit_allows(struct log_limit *limit __unused)
{
	return true;
}

static uint64_t random_state = 1; /* changed atomically */

void host_random_seed(uint64_t seed)
{
	__atomic_store_n(&random_state, seed, __ATOMIC_RELAXED);
}

/* splitmix64: equidistributed, and the same on every machine. */
uint64_t random_u64(void)
{
	uint64_t z = __atomic_add_fetch(&random_state, 0x9e3779b97f4a7c15, __ATOMIC_RELAXED);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint32_t random_u32(void)
{
	return (uint32_t)random_u64();
}

void random_bytes(void *to, size_t n)
{
	uint8_t *bytes = to;

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)random_u64();
}

void random_stir(const void *bytes __unused, size_t n __unused)
{
}

#define HOST_IRQS 64
static struct {
	irq_handler *handler;
	void *context;
} irqs[HOST_IRQS];

int irq_register(uint32_t irq, enum irq_trigger trigger __unused, irq_handler *handler,
		 void *context)
{
	if (irq >= HOST_IRQS)
		return -EINVAL;
	irqs[irq].handler = handler;
	irqs[irq].context = context;
	return 0;
}

bool host_irq(uint32_t irq)
{
	if (irq >= HOST_IRQS || !irqs[irq].handler)
		return false;
	irqs[irq].handler(irqs[irq].context);
	return true;
}

uint32_t dt_for_each(const char *compatible __unused, dt_visitor *visit __unused,
		     void *context __unused)
{
	return 0;
}

const void *dt_property(int node __unused, const char *name __unused, int *length __unused)
{
	return NULL;
}

const char *kernel_command_line(void)
{
	return "";
}

bool command_line_option(const char *name __unused, char *value __unused, size_t size __unused)
{
	return false;
}

volatile void *device_map(uint64_t physical __unused, uint64_t size __unused)
{
	return NULL;
}

void device_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
