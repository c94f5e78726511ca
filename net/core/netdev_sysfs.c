/* /sys/class/net: a directory for each interface, with a file for each of its properties. */
#include "include/uapi/if_arp.h"
#include "kernel/procfs/sysfs.h"
#include "kernel/string.h"
#include "net/core/netdevice.h"

_Static_assert(SYS_NAME_MAX >= IFNAMSIZ, "names of interfaces");

static bool name_at(void *context, uint32_t index, char name[SYS_NAME_MAX])
{
	struct net *net = context;
	const struct net_device *dev;
	bool found = false;

	net_lock(net);
	list_for_each_entry(dev, &net->devices, link) {
		if (index-- > 0)
			continue;
		strscpy(name, dev->name, SYS_NAME_MAX);
		found = true;
		break;
	}
	net_unlock(net);
	return found;
}

/* ---- Properties: functions called with the net lock held ---- */

typedef void show_device(struct text *text, const struct net_device *dev);

static void show_address(struct text *text, const struct net_device *dev)
{
	text_printf(text, MAC_FORMAT, MAC_ARGS(dev->mac));
}

static void show_broadcast(struct text *text, const struct net_device *dev)
{
	text_printf(text, MAC_FORMAT, MAC_ARGS(dev->broadcast));
}

static void show_address_length(struct text *text, const struct net_device *dev __unused)
{
	text_printf(text, "%d", MAC_LENGTH);
}

static void show_mtu(struct text *text, const struct net_device *dev)
{
	text_printf(text, "%u", dev->mtu);
}

static void show_state(struct text *text, const struct net_device *dev)
{
	bool up = dev->carrier && dev->flags & IFF_UP;

	text_printf(text, "%s", dev->flags & IFF_LOOPBACK ? "unknown" : up ? "up" : "down");
}

static void show_carrier(struct text *text, const struct net_device *dev)
{
	text_printf(text, "%d", dev->carrier && dev->flags & IFF_UP);
}

/* What ifconfig sets; the state of the wire is not among it. */
static void show_flags(struct text *text, const struct net_device *dev)
{
	text_printf(text, "0x%x", dev->flags);
}

static void show_index(struct text *text, const struct net_device *dev)
{
	text_printf(text, "%d", dev->ifindex);
}

static void show_type(struct text *text, const struct net_device *dev)
{
	text_printf(text, "%u", dev->type);
}

static void show_queue_length(struct text *text, const struct net_device *dev)
{
	text_printf(text, "%u", dev->tx_queue_length);
}

/* Nobody knows how fast a virtual wire is. */
static void show_speed(struct text *text, const struct net_device *dev __unused)
{
	text_printf(text, "-1");
}

enum property {
	ADDRESS,
	ADDRESS_LENGTH,
	BROADCAST,
	CARRIER,
	FLAGS,
	INDEX,
	MTU,
	STATE,
	SPEED,
	QUEUE_LENGTH,
	TYPE,
};

static show_device *const shows[] = {
	[ADDRESS] = show_address,
	[ADDRESS_LENGTH] = show_address_length,
	[BROADCAST] = show_broadcast,
	[CARRIER] = show_carrier,
	[FLAGS] = show_flags,
	[INDEX] = show_index,
	[MTU] = show_mtu,
	[STATE] = show_state,
	[SPEED] = show_speed,
	[QUEUE_LENGTH] = show_queue_length,
	[TYPE] = show_type,
};

/* `detail` is an enum property. */
static void show_property(struct text *text, void *context, const char *object,
			  const struct sys_attribute *attribute)
{
	struct net *net = context;

	net_lock(net);
	const struct net_device *dev = netdev_by_name(net, object);

	if (dev) {
		shows[attribute->detail](text, dev);
		text_printf(text, "\n");
	}
	net_unlock(net);
}

/*
 * `detail` is an offset into struct net_device_statistics; beyond it, a number that is never more
 * than 0.
 */
#define NEVER sizeof(struct net_device_statistics)

static void show_statistic(struct text *text, void *context, const char *object,
			   const struct sys_attribute *attribute)
{
	struct net *net = context;
	uint64_t value = 0;

	net_lock(net);
	const struct net_device *dev = netdev_by_name(net, object);

	if (dev) {
		if (attribute->detail < NEVER)
			memcpy(&value, (const char *)&dev->statistics + attribute->detail,
			       sizeof(value));
		text_printf(text, "%llu\n", (unsigned long long)value);
	}
	net_unlock(net);
}

#define PROPERTY(text, place)                                            \
	{                                                                \
		.name = (text), .show = show_property, .detail = (place) \
	}
#define COUNTER(text, place)                                                                     \
	{                                                                                        \
		.name = (text), .group = "statistics", .show = show_statistic, .detail = (place) \
	}
#define STATISTIC(text, member) COUNTER(text, offsetof(struct net_device_statistics, member))

static const struct sys_attribute attributes[] = {
	PROPERTY("address", ADDRESS),
	PROPERTY("addr_len", ADDRESS_LENGTH),
	PROPERTY("broadcast", BROADCAST),
	PROPERTY("carrier", CARRIER),
	PROPERTY("flags", FLAGS),
	PROPERTY("ifindex", INDEX),
	PROPERTY("mtu", MTU),
	PROPERTY("operstate", STATE),
	PROPERTY("speed", SPEED),
	PROPERTY("tx_queue_len", QUEUE_LENGTH),
	PROPERTY("type", TYPE),
	PROPERTY("iflink", INDEX), /* no device stands on another */
	STATISTIC("rx_bytes", rx_bytes),
	STATISTIC("rx_packets", rx_packets),
	STATISTIC("rx_errors", rx_errors),
	STATISTIC("rx_dropped", rx_dropped),
	STATISTIC("rx_fifo_errors", rx_fifo),
	STATISTIC("rx_frame_errors", rx_frame),
	STATISTIC("rx_compressed", rx_compressed),
	STATISTIC("multicast", rx_multicast),
	STATISTIC("tx_bytes", tx_bytes),
	STATISTIC("tx_packets", tx_packets),
	STATISTIC("tx_errors", tx_errors),
	STATISTIC("tx_dropped", tx_dropped),
	STATISTIC("tx_fifo_errors", tx_fifo),
	STATISTIC("tx_carrier_errors", tx_carrier),
	STATISTIC("tx_compressed", tx_compressed),
	STATISTIC("collisions", tx_collisions),
	COUNTER("rx_crc_errors", NEVER),
	COUNTER("rx_length_errors", NEVER),
	COUNTER("rx_missed_errors", NEVER),
	COUNTER("rx_over_errors", NEVER),
	COUNTER("tx_aborted_errors", NEVER),
	COUNTER("tx_heartbeat_errors", NEVER),
	COUNTER("tx_window_errors", NEVER),
};

int netdev_sysfs_init(struct net *net)
{
	const struct sys_class class = {.path = "class/net",
					.attributes = attributes,
					.count = ARRAY_SIZE(attributes),
					.name = name_at,
					.context = net};

	return sys_register_class(&class);
}
