/*
 * struct net: one whole stack. Everything that changes hangs off it; there is no file-level state
 * in net/. The kernel has one; a host test makes as many as it likes.
 *
 * The net lock: one monitor per stack, entered by system calls and by the softirq for a bounded
 * piece of work. "Needs the net lock" in a comment is NEEDS_NET_LOCK in the declaration, which
 * clang checks. Nobody sleeps, copies to or from user memory, or calls out of net/ for long inside.
 */
#ifndef NET_CORE_NET_H
#define NET_CORE_NET_H

#include "kernel/list.h"
#include "kernel/lock.h"
#include "kernel/timer.h"
#include "kernel/types.h"
#include "net/core/drop.h"
#include "net/core/skbuff.h"

struct net_device;
struct link_protocol;
struct socket_family;

/* Where a stack's time and randomness come from. */
struct net_environment {
	uint64_t (*now_us)(void *context); /* monotonic */
	/* Microseconds since 1970, for SO_TIMESTAMP. NULL: now_us serves. */
	uint64_t (*realtime_us)(void *context);
	void (*random_bytes)(void *context, void *to, size_t n);
	/*
	 * The stack's earliest timer moved: call net_run_timers by then. Called with the net lock
	 * held. May be NULL when the owner polls net_next_timer.
	 */
	void (*timer_moved)(void *context, uint64_t when_us);
	/*
	 * There is work for net_run_softirq: call it soon (the kernel: SOFTIRQ_NET_RX). Any
	 * context, hard interrupts too, with or without the net lock. May be NULL when the owner
	 * calls it regularly.
	 */
	void (*work_raised)(void *context);
	void *context;
};

#define NET_PROTOCOL_STATES 16

/* Slots of net->state: where each room keeps what is its own. */
enum net_state {
	NET_STATE_ETHERNET,
	NET_STATE_IPV4,
	NET_STATE_ICMP,
	NET_STATE_IGMP,
	NET_STATE_UDP,
	NET_STATE_UDPLITE,
	NET_STATE_RAW,
	NET_STATE_PACKET,
	NET_STATE_TCP,
	NET_STATE_PING,
	NET_STATE_NETLINK,
	NET_STATE_RTNETLINK,
	NET_STATE_DIAG,
	NET_STATE_UNIX,
};

struct net {
	struct monitor lock;
	uint64_t batch_us; /* what net_batch_time says; 0: nobody has asked yet */
	struct net_environment environment;
	struct timer_base timers;

	struct list_head devices; /* struct net_device, by ifindex */
	int next_ifindex;
	struct net_device *loopback;

	struct list_head link_types;       /* struct link_type: what a device's frames look like */
	struct list_head link_protocols;   /* struct link_protocol: who takes which EtherType */
	struct list_head taps;             /* struct packet_tap: who sees every packet */
	struct list_head families;         /* struct socket_family */
	struct list_head device_notifiers; /* struct device_notifier */
	struct list_head unflushed; /* struct net_device: frames queued, device not yet told */
	struct list_head deferred;  /* struct net_deferred: to be done at the end of the batch */

	struct list_head pollers; /* struct net_poller, scheduled; guarded by irq_save */
	struct skb_queue backlog; /* packets looped back, waiting for net_run_softirq */

	void *state[NET_PROTOCOL_STATES]; /* one slot a room, by enum net_state */

	uint64_t drops[DROP_REASON_COUNT];
	uint64_t live_skbs;          /* allocated and not yet freed; changed atomically */
	uint64_t live_sockets;       /* changed atomically */
	uint64_t next_socket_number; /* what the next socket's inode_number will be */
	uint32_t timestamp_users; /* sockets that want the time of arrival; 0: packets carry none */

	uint64_t trace_second_us; /* packet_trace: when the current second began */
	uint32_t trace_lines;     /* printed in it */

	struct { /* /proc/sys/net/core */
		int32_t rmem_default, rmem_max, wmem_default, wmem_max, somaxconn;
		int32_t optmem_max;   /* bytes that a socket's filter may take */
		int32_t packet_trace; /* 1: each drop prints a line */
	} core;
};

/* A token for clang's analysis: "some stack's net lock". */
struct CAPABILITY("net lock") net_lock_token {
	char unused;
};
extern const struct net_lock_token net_lock_held;
#define NEEDS_NET_LOCK REQUIRES(net_lock_held)

/*
 * What is done under one hold of the lock is a batch: up to 64 packets of a softirq, or a system
 * call's part. Leaving the lock ends it: what was deferred is done (net_defer), and the devices on
 * which frames were queued are told (dev_flush_all).
 */
void net_lock(struct net *net) ACQUIRES(net_lock_held);
void net_unlock(struct net *net) RELEASES(net_lock_held);

/*
 * Something that many packets of a batch may ask for, and that is enough to be done once. `run` is
 * called with the net lock held; the link was zeroed or list_init'ed before the first net_defer.
 */
struct net_deferred {
	struct list_head link; /* net->deferred */
	void (*run)(struct net_deferred *deferred);
};
/* Runs it at the end of the batch, once, however often it was asked for. */
void net_defer(struct net *net, struct net_deferred *deferred) NEEDS_NET_LOCK;
/* Takes it off. */
void net_undefer(struct net_deferred *deferred) NEEDS_NET_LOCK;
/* Does now what was deferred. */
void net_run_deferred(struct net *net) NEEDS_NET_LOCK;

/*
 * Makes an empty stack with its loopback device (down). The rooms above register themselves:
 * ethernet_init(net), packet_init(net), ipv4_init(net), ... in the order of the house. 0 or
 * -ENOMEM.
 */
int net_init(struct net *net, const struct net_environment *environment);

/*
 * Frees what net_init made and drops what is in flight. Before it, all sockets are closed, all
 * other devices unregistered, and the rooms destroyed in the reverse order of their making. Host
 * only.
 */
void net_destroy(struct net *net);

uint64_t net_now(struct net *net);
/* The time of the batch: the clock is read when it is first asked for, not for each packet. */
uint64_t net_batch_time(struct net *net) NEEDS_NET_LOCK;
uint64_t net_realtime(struct net *net);
void net_random_bytes(struct net *net, void *to, size_t n);
uint32_t net_random_u32(struct net *net);

/* Timers of the stack: functions run in softirq context with the net lock held. */
void net_timer_arm(struct net *net, struct timer *timer, uint64_t when_us) NEEDS_NET_LOCK;
void net_timer_cancel(struct net *net, struct timer *timer) NEEDS_NET_LOCK;

/* Runs what is due. Softirq context; takes the net lock. */
void net_run_timers(struct net *net) EXCLUDES(net_lock_held);
/* The next expiry, or TIME_NEVER. */
uint64_t net_next_timer(struct net *net) EXCLUDES(net_lock_held);

/* Tells the environment that net_run_softirq has work (net/core/poller.h). Any context. */
void net_raise_work(struct net *net);

/*
 * The kernel's own stack: what system calls of the running process act on. Defined by kernel/main.c
 * and by the host.
 */
struct net *current_net(void);

#endif
