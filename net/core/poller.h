/*
 * Pollers: how a driver's interrupt gets its packets into the stack.
 *
 * The interrupt handler calls net_poller_schedule and nothing else. Soon after, the network softirq
 * runs net_run_softirq, which calls each scheduled poller's `poll` with the net lock held and a
 * budget of packets; then the looped-back packets are delivered and what was transmitted meanwhile
 * is flushed.
 */
#ifndef NET_CORE_POLLER_H
#define NET_CORE_POLLER_H

#include "kernel/list.h"
#include "kernel/types.h"
#include "net/core/net.h"

#define NET_POLL_BUDGET 64 /* packets that one poller may deliver in one round */

struct net_poller {
	struct list_head link; /* net->pollers while scheduled */
	struct net *net;
	bool scheduled;

	/*
	 * Takes up to `budget` packets. True when there may be more: it is called again in the next
	 * round. Before it returns false it has switched its device's interrupts on and looked once
	 * more. Being scheduled while it runs is noticed. Softirq context, the net lock held.
	 */
	bool (*poll)(struct net_poller *poller, uint32_t budget);
};

/* `poll` is described above. The structure is the caller's. */
void net_poller_init(struct net_poller *poller, struct net *net,
		     bool (*poll)(struct net_poller *poller, uint32_t budget));

/* Asks for a call of `poll`. Any context, hard interrupts too. */
void net_poller_schedule(struct net_poller *poller);

/* Before its memory goes: it will not be called again. */
void net_poller_remove(struct net_poller *poller) NEEDS_NET_LOCK;

/*
 * One round over the scheduled pollers and the looped-back packets. True when more is waiting: call
 * again soon. Softirq context (the kernel: SOFTIRQ_NET_RX); takes the net lock.
 */
bool net_run_softirq(struct net *net) EXCLUDES(net_lock_held);

/* Has net_run_softirq anything to do? For owners that call it regularly. Takes the net lock. */
bool net_work_pending(struct net *net) EXCLUDES(net_lock_held);

#endif
