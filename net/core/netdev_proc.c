/* /proc/net/dev and /proc/net/drops, and the numbers under /proc/sys/net/core. */
#include "kernel/errno.h"
#include "kernel/procfs/procfs.h"
#include "net/core/netdevice.h"

#define BUFFER_MIN 2304 /* what SO_RCVBUF cannot go below either */

static void show_device(const struct net_device *dev, struct text *text)
{
	const struct net_device_statistics *s = &dev->statistics;

	text_printf(text, "%6s: %7llu %7llu %4llu %4llu %4llu %5llu %10llu %9llu ", dev->name,
		    (unsigned long long)s->rx_bytes, (unsigned long long)s->rx_packets,
		    (unsigned long long)s->rx_errors, (unsigned long long)s->rx_dropped,
		    (unsigned long long)s->rx_fifo, (unsigned long long)s->rx_frame,
		    (unsigned long long)s->rx_compressed, (unsigned long long)s->rx_multicast);
	text_printf(text, "%8llu %7llu %4llu %4llu %4llu %5llu %7llu %10llu\n",
		    (unsigned long long)s->tx_bytes, (unsigned long long)s->tx_packets,
		    (unsigned long long)s->tx_errors, (unsigned long long)s->tx_dropped,
		    (unsigned long long)s->tx_fifo, (unsigned long long)s->tx_collisions,
		    (unsigned long long)s->tx_carrier, (unsigned long long)s->tx_compressed);
}

static void show_devices(struct text *text, void *context)
{
	struct net *net = context;
	const struct net_device *dev;

	text_printf(text, "Inter-|   Receive                            "
			  "                    |  Transmit\n"
			  " face |bytes    packets errs drop fifo frame "
			  "compressed multicast|bytes    packets errs "
			  "drop fifo colls carrier compressed\n");
	net_lock(net);
	list_for_each_entry(dev, &net->devices, link)
		show_device(dev, text);
	net_unlock(net);
}

/* One line for each reason, `NAME COUNT`. Counters are read as they stand; nobody is held up. */
static void show_drops(struct text *text, void *context)
{
	struct net *net = context;

	for (uint32_t reason = DROP_NONE + 1; reason < DROP_REASON_COUNT; reason++)
		text_printf(
			text, "%s %llu\n", drop_reason_name(reason),
			(unsigned long long)__atomic_load_n(&net->drops[reason], __ATOMIC_RELAXED));
}

/* Packets that are somewhere in the stack, its drivers or its sockets: for finding leaks. */
static void show_packets(struct text *text, void *context)
{
	const struct net *net = context;

	text_printf(text, "live %llu\n",
		    (unsigned long long)__atomic_load_n(&net->live_skbs, __ATOMIC_RELAXED));
}

int netdev_proc_init(struct net *net)
{
	const struct {
		const char *path;
		int32_t *value;
		int32_t min, max;
	} numbers[] = {
		{"sys/net/core/rmem_default", &net->core.rmem_default, BUFFER_MIN, INT32_MAX},
		{"sys/net/core/rmem_max", &net->core.rmem_max, BUFFER_MIN, INT32_MAX},
		{"sys/net/core/wmem_default", &net->core.wmem_default, 2 * BUFFER_MIN, INT32_MAX},
		{"sys/net/core/wmem_max", &net->core.wmem_max, 2 * BUFFER_MIN, INT32_MAX},
		{"sys/net/core/somaxconn", &net->core.somaxconn, 0, INT32_MAX},
		{"sys/net/core/optmem_max", &net->core.optmem_max, 0, INT32_MAX},
		{"sys/net/core/packet_trace", &net->core.packet_trace, 0, 1},
	};

	if (proc_register("net/dev", show_devices, net) ||
	    proc_register("net/drops", show_drops, net) ||
	    proc_register("net/sk_buffs", show_packets, net))
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (proc_register_number(numbers[i].path, numbers[i].value, numbers[i].min,
					 numbers[i].max))
			return -ENOMEM;
	}
	return 0;
}
