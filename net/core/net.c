/* A stack as a whole: its making and end, its lock, clock, timers and random numbers. See net.h. */
#include "net/core/net.h"

#include "kernel/errno.h"
#include "kernel/printk.h"
#include "kernel/string.h"
#include "net/core/netdevice.h"

#define DEFAULT_BUFFER 212992 /* bytes: Linux's net.core.rmem_default and its kin */
#define DEFAULT_SOMAXCONN 4096
#define DEFAULT_OPTION_MEMORY 131072 /* bytes: Linux's net.core.optmem_max since 6.7 */
#define FIRST_SOCKET_NUMBER 1000

const struct net_lock_token net_lock_held;

void net_lock(struct net *net) NO_LOCK_CHECK
{
	monitor_enter(&net->lock);
}

void net_defer(struct net *net, struct net_deferred *deferred)
{
	if (list_empty(&deferred->link))
		list_append(&net->deferred, &deferred->link);
}

void net_undefer(struct net_deferred *deferred)
{
	list_remove(&deferred->link);
}

void net_run_deferred(struct net *net)
{
	while (!list_empty(&net->deferred)) {
		struct net_deferred *first = list_first_entry(&net->deferred, struct net_deferred,
							      link);

		list_remove(&first->link);
		first->run(first);
	}
}

void net_unlock(struct net *net) NO_LOCK_CHECK
{
	if (!list_empty(&net->deferred))
		net_run_deferred(net);
	if (!list_empty(&net->unflushed))
		dev_flush_all(net);
	net->batch_us = 0;
	monitor_leave(&net->lock);
}

static void earliest_timer_changed(struct timer_base *base, uint64_t when_us)
{
	struct net *net = container_of(base, struct net, timers);

	if (net->environment.timer_moved)
		net->environment.timer_moved(net->environment.context, when_us);
}

int net_init(struct net *net, const struct net_environment *environment)
{
	memset(net, 0, sizeof(*net));
	net->environment = *environment;
	net->next_ifindex = 1;
	net->next_socket_number = FIRST_SOCKET_NUMBER;
	list_init(&net->devices);
	list_init(&net->link_types);
	list_init(&net->link_protocols);
	list_init(&net->taps);
	list_init(&net->families);
	list_init(&net->device_notifiers);
	list_init(&net->unflushed);
	list_init(&net->deferred);
	list_init(&net->pollers);
	skb_queue_init(&net->backlog);
	net->core.rmem_default = net->core.rmem_max = DEFAULT_BUFFER;
	net->core.wmem_default = net->core.wmem_max = DEFAULT_BUFFER;
	net->core.somaxconn = DEFAULT_SOMAXCONN;
	net->core.optmem_max = DEFAULT_OPTION_MEMORY;
	monitor_init(&net->lock);
	timer_base_init(&net->timers, earliest_timer_changed);

	int error = loopback_init(net);

	if (error)
		monitor_destroy(&net->lock);
	return error;
}

void net_destroy(struct net *net)
{
	net_lock(net);
	skb_queue_drop_all(&net->backlog, DROP_DEVICE_DOWN);
	net_unlock(net);
	loopback_destroy(net);
	assert_always(list_empty(&net->devices));
	monitor_destroy(&net->lock);
}

uint64_t net_now(struct net *net)
{
	return net->environment.now_us(net->environment.context);
}

uint64_t net_batch_time(struct net *net)
{
	if (!net->batch_us)
		net->batch_us = net_now(net);
	return net->batch_us;
}

uint64_t net_realtime(struct net *net)
{
	if (!net->environment.realtime_us)
		return net_now(net);
	return net->environment.realtime_us(net->environment.context);
}

void net_random_bytes(struct net *net, void *to, size_t n)
{
	net->environment.random_bytes(net->environment.context, to, n);
}

uint32_t net_random_u32(struct net *net)
{
	uint32_t number;

	net_random_bytes(net, &number, sizeof(number));
	return number;
}

void net_timer_arm(struct net *net, struct timer *timer, uint64_t when_us)
{
	timer_arm(&net->timers, timer, when_us);
}

void net_timer_cancel(struct net *net, struct timer *timer)
{
	timer_cancel(&net->timers, timer);
}

void net_run_timers(struct net *net)
{
	net_lock(net);
	timer_base_run(&net->timers, net_now(net));
	net_unlock(net);
}

uint64_t net_next_timer(struct net *net)
{
	net_lock(net);
	uint64_t when_us = timer_base_next(&net->timers);

	net_unlock(net);
	return when_us;
}

void net_raise_work(struct net *net)
{
	if (net->environment.work_raised)
		net->environment.work_raised(net->environment.context);
}
