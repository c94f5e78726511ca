/* The network softirq: scheduled pollers, then looped-back packets. See poller.h. */
#include "net/core/poller.h"

#include "net/core/netdevice.h"

void net_poller_init(struct net_poller *poller, struct net *net,
		     bool (*poll)(struct net_poller *poller, uint32_t budget))
{
	list_init(&poller->link);
	poller->net = net;
	poller->scheduled = false;
	poller->poll = poll;
}

void net_poller_schedule(struct net_poller *poller)
{
	irq_flags_t flags = irq_save();
	bool is_new = !poller->scheduled;

	if (is_new) {
		poller->scheduled = true;
		list_append(&poller->net->pollers, &poller->link);
	}
	irq_restore(flags);
	if (is_new)
		net_raise_work(poller->net);
}

void net_poller_remove(struct net_poller *poller)
{
	irq_flags_t flags = irq_save();

	list_remove(&poller->link);
	poller->scheduled = false;
	irq_restore(flags);
}

/*
 * The first poller of the list, taken off it before it runs, so that an interrupt meanwhile puts it
 * back.
 */
static struct net_poller *take_poller(struct list_head *round)
{
	struct net_poller *poller = NULL;
	irq_flags_t flags = irq_save();

	if (!list_empty(round)) {
		poller = list_first_entry(round, struct net_poller, link);
		list_remove(&poller->link);
		poller->scheduled = false;
	}
	irq_restore(flags);
	return poller;
}

static bool pollers_waiting(struct net *net)
{
	irq_flags_t flags = irq_save();
	bool any = !list_empty(&net->pollers);

	irq_restore(flags);
	return any;
}

static void run_pollers(struct net *net)
{
	struct list_head round; /* scheduled by now; who comes back waits for the next */
	struct net_poller *poller;
	irq_flags_t flags = irq_save();

	list_init(&round);
	list_splice(&round, &net->pollers);
	irq_restore(flags);
	while ((poller = take_poller(&round))) {
		if (poller->poll(poller, NET_POLL_BUDGET))
			net_poller_schedule(poller);
	}
}

bool net_run_softirq(struct net *net)
{
	net_lock(net);
	run_pollers(net);
	bool more = loopback_deliver(net, NET_POLL_BUDGET);

	net_unlock(net);
	return more || pollers_waiting(net);
}

bool net_work_pending(struct net *net)
{
	net_lock(net);
	bool looped_back = net->backlog.length > 0;

	net_unlock(net);
	return looped_back || pollers_waiting(net);
}
