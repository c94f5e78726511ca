/* Locks: one recursive mutex stands for "interrupts masked", a monitor is a mutex of its own. */
#include <pthread.h>
#include <stdlib.h>

#include "kernel/lock.h"
#include "kernel/printk.h"
#include "kernel/softirq.h"
#include "test/host/services/host.h"
#include "test/host/services/internal.h"

pthread_mutex_t *host_machine_lock(void)
{
	static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

	return &lock;
}

irq_flags_t irq_save(void)
{
	pthread_mutex_lock(host_machine_lock());
	return 0;
}

void irq_restore(irq_flags_t flags __unused)
{
	pthread_mutex_unlock(host_machine_lock());
}

static _Thread_local uint32_t monitors_entered;
static _Thread_local uint32_t softirqs_disabled;

void monitor_init(struct monitor *monitor)
{
	pthread_mutex_t *mutex = malloc(sizeof(*mutex));

	if (!mutex)
		panic("the host has no memory left");
	pthread_mutex_init(mutex, NULL);
	monitor->host = mutex;
	monitor->entered = 0;
}

void monitor_destroy(struct monitor *monitor)
{
	pthread_mutex_destroy(monitor->host);
	free(monitor->host);
	monitor->host = NULL;
}

void monitor_enter(struct monitor *monitor)
{
	pthread_mutex_lock(monitor->host);
	assert_always(monitor->entered == 0);
	monitor->entered = 1;
	monitors_entered++;
}

void monitor_leave(struct monitor *monitor)
{
	assert_always(monitor->entered == 1);
	monitor->entered = 0;
	monitors_entered--;
	pthread_mutex_unlock(monitor->host);
}

bool in_softirq(void)
{
	return monitors_entered || softirqs_disabled;
}

void softirq_disable(void)
{
	softirqs_disabled++;
}

void softirq_enable(void)
{
	softirqs_disabled--;
}

static struct {
	softirq_handler *handler;
	void *context;
	bool raised;
} softirqs[SOFTIRQ_COUNT];

void softirq_register(enum softirq which, softirq_handler *handler, void *context)
{
	softirqs[which].handler = handler;
	softirqs[which].context = context;
}

void softirq_raise(enum softirq which)
{
	__atomic_store_n(&softirqs[which].raised, true, __ATOMIC_RELEASE);
}

bool host_run_softirqs(void)
{
	bool any = false;

	for (uint32_t i = 0; i < SOFTIRQ_COUNT; i++) {
		if (!__atomic_exchange_n(&softirqs[i].raised, false, __ATOMIC_ACQ_REL))
			continue;
		any = true;
		if (softirqs[i].handler)
			softirqs[i].handler(softirqs[i].context);
	}
	return any;
}
