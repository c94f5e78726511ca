/*
 * The stack as a library: a complete stack in a host program, with devices whose frames the program
 * gives and takes. docs/host.md shows it in use; test/host/programs/example.c is the smallest
 * program.
 *
 *	host_clock_virtual(USEC_PER_SEC);                    (or leave the machine's clock on)
 *	const struct host_stack_options options = {.seed = 1};
 *	static struct host_stack stack;
 *	static struct host_device eth0;
 *	host_stack_create(&stack, &options);
 *	host_device_add(&eth0, &stack, &(struct host_device_options){.mac = MAC});
 *	host_device_set_address(&eth0, IP4(10, 0, 0, 1), 24);
 *	... socket_create(&stack.net, ...) and the other calls of net/core/socket.h ...
 *	host_device_receive(&eth0, frame, length);           a frame arrives
 *	while ((frame = host_device_take(&eth0))) ...        what the stack sent
 *	leaks = host_stack_destroy(&stack);
 *
 * Nothing here makes threads. Somebody, the pump, calls host_stack_run whenever there is something
 * to do (host_stack_next says when), and brings frames. Three ways, all tested in stack_test.c:
 *
 *	virtual clock, one thread	the function given to host_on_sleep is the pump: it runs
 *					when a socket call would sleep
 *	the machine's clock		one thread pumps; socket calls of others really sleep.
 *					options.stirred tells a sleeping pump of new work
 *	virtual clock, threads		the thread that called host_clock_virtual pumps and moves
 *					the clock; socket calls of the others really sleep
 *
 * Everything may be called by any thread, without the net lock, unless it says otherwise.
 */
#ifndef TEST_HOST_STACK_STACK_H
#define TEST_HOST_STACK_STACK_H

#include "net/core/net.h"
#include "net/core/netdevice.h"

struct host_stack_options {
	/* The stack's random numbers: the same seed, the same numbers. */
	uint64_t seed;
	/* Without IPv4 and what is above it: Ethernet, ARP and packet sockets alone. */
	bool link_only;
	/*
	 * There is work for host_stack_run, or a timer that is earlier than any before: wake the
	 * pump. From any thread, possibly with the net lock held, so it only marks or posts. NULL:
	 * the pump looks by itself.
	 */
	void (*stirred)(void *context);
	void *context;
};

struct host_stack {
	struct net net; /* first: what the stack's own functions take */
	struct host_stack_options options;
	struct link_type bare_ip;
	uint32_t rooms;        /* so many of them are made */
	uint64_t random_state; /* changed atomically */
	bool work;             /* net_run_softirq has something to do; changed atomically */
};

/*
 * Makes a stack with all its rooms and lo, which is up at 127.0.0.1 (link_only: up, no address).
 * 0 or -ENOMEM. It asks the machine's clock for the time, so host_clock_virtual comes before.
 */
int host_stack_create(struct host_stack *stack, const struct host_stack_options *options);

/* What is there that should not be. */
struct host_leaks {
	uint64_t packets, sockets; /* of this stack */
	/*
	 * Allocations of the whole process, counted when the last stack goes: those that were not
	 * there when the first one was made.
	 */
	uint64_t allocations;
};
static inline bool host_leaks_any(const struct host_leaks *leaks)
{
	return leaks->packets || leaks->sockets || leaks->allocations;
}

/*
 * Takes the stack apart, devices first. All sockets are closed, no other thread is inside; what was
 * forgotten is told (a socket that is still open is not closed here).
 */
struct host_leaks host_stack_destroy(struct host_stack *stack);

/*
 * Timers that are due and one round of the softirq. True when there is more to do at once. One
 * thread at a time.
 */
bool host_stack_run(struct host_stack *stack);

/* When host_stack_run has something to do: now, at a later time, or TIME_NEVER. */
uint64_t host_stack_next(struct host_stack *stack);

/* A default route by `gateway`, which is on the net of one of the devices. 0 or negative errno. */
int host_stack_set_gateway(struct host_stack *stack, ip4_t gateway);

/* Takes packets that are for others and sends them on, as a router does. */
void host_stack_set_forwarding(struct host_stack *stack, bool on);

/* A frame that the stack sent. */
struct host_frame {
	struct host_frame *next;
	uint64_t time_us; /* by the stack's clock */
	uint32_t length;
	uint8_t bytes[];
};

struct host_device;

struct host_device_options {
	/* NULL: eth0, eth1, ...; for bare_ip ip0, ip1, ... */
	const char *name;
	struct mac mac; /* all zero: 02:00:00:00:00:INDEX */
	uint32_t mtu;   /* bytes; 0: 1500 */
	bool unplugged; /* without carrier at first */
	/* Frames are IP packets without a link header; there is no ARP. `mac` is not used. */
	bool bare_ip;
	/*
	 * Takes each frame that is sent; `bytes` are valid during the call. Called with the net
	 * lock held: it must not call into this stack, and not wait. NULL: frames are queued for
	 * host_device_take.
	 */
	void (*transmit)(void *context, const uint8_t *bytes, uint32_t length);
	/* A batch of frames is over, as net_device_ops.xmit_flush; the address filter changed. */
	void (*flush)(void *context);
	void (*filter_changed)(void *context);
	void *context;
};

struct host_device {
	struct net_device dev;
	struct host_stack *stack;
	struct host_device_options options;
	struct host_frame *queue, **queue_end; /* sent; guarded by the net lock */
};

/*
 * A new interface, up. It stays the caller's memory, until host_device_remove or
 * host_stack_destroy. 0, -EEXIST, -ENOMEM.
 */
int host_device_add(struct host_device *device, struct host_stack *stack,
		    const struct host_device_options *options);
void host_device_remove(struct host_device *device);

/* Gives it an address, as ifconfig does. 0 or a negative errno. */
int host_device_set_address(struct host_device *device, ip4_t address, uint8_t prefix_length);

/* The MTU in bytes. 0 or -EINVAL. */
int host_device_set_mtu(struct host_device *device, uint32_t mtu);

/* Plugs the cable in and out. */
void host_device_set_carrier(struct host_device *device, bool carrier);

/* A frame arrives; it is copied. 0 or -ENOMEM (and rx_dropped counts). */
int host_device_receive(struct host_device *device, const void *bytes, uint32_t length);

/* The oldest frame that was sent and not yet taken, for the caller to free(); NULL: none. */
struct host_frame *host_device_take(struct host_device *device);

#endif
