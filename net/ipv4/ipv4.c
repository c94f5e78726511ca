/* IPv4's door: what a stack's IPv4 is made of, and which socket serves what. */
#include "net/ipv4/ipv4.h"

#include "include/uapi/capability.h"
#include "include/uapi/in.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/user.h"
#include "net/ethernet/arp.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/icmp.h"
#include "net/ipv4/igmp.h"
#include "net/ipv4/inet_socket.h"
#include "net/ipv4/ipv4_state.h"
#include "net/ipv4/ping.h"
#include "net/ipv4/raw.h"
#include "net/ipv4/udp.h"

/*
 * Linux's defaults, but for memory of fragments (a machine of 32 MiB) and for ping's groups (there
 * is one user).
 */
static const struct ip4_settings default_settings = {
	.ip_default_ttl = 64,
	.ip_local_port_range = {32768, 60999},
	.icmp_echo_ignore_broadcasts = 1,
	.icmp_ratelimit = 1000,
	.ping_group_range = {0, INT32_MAX},
	.ipfrag_high_thresh = 1 << 20,
	.ipfrag_time = 30,
	.igmp_max_memberships = IP_MAX_MEMBERSHIPS,
};

int ip4_protocol_register(struct net *net, const struct ip4_protocol *protocol)
{
	const struct ip4_protocol **slot = &ip4_stack(net)->protocols[protocol->protocol];

	if (*slot)
		return -EEXIST;
	*slot = protocol;
	return 0;
}

/*
 * socket(2): ESOCKTNOSUPPORT when the type is not there, EPROTONOSUPPORT when it is, without the
 * protocol.
 */
static const struct socket_ops *find_kind(struct net *net, int type, int *protocol, int *error)
{
	struct inet_kind *kind;

	*error = -EINVAL;
	if (*protocol < 0 || *protocol >= IPPROTO_MAX)
		return NULL;
	*error = -ESOCKTNOSUPPORT;
	list_for_each_entry(kind, &ip4_stack(net)->kinds, link) {
		if (kind->type != type)
			continue;
		if (kind->protocol ? *protocol == 0 || *protocol == kind->protocol
				   : *protocol != 0) {
			*protocol = kind->protocol ? kind->protocol : *protocol;
			return kind->ops;
		}
		*error = -EPROTONOSUPPORT;
	}
	return NULL;
}

static const struct socket_ops *find_permitted(struct net *net, int type, int *protocol, int *error)
{
	const struct socket_ops *ops = find_kind(net, type, protocol, error);

	if (!ops || type != SOCK_RAW || user_may(CAP_NET_RAW))
		return ops;
	*error = -EPERM;
	return NULL;
}

static struct ip4_stack *create_stack(struct net *net)
{
	struct ip4_stack *stack = kzalloc(sizeof(*stack));

	if (!stack)
		return NULL;
	stack->net = net;
	stack->settings = default_settings;
	stack->hash_secret = net_random_u32(net);
	net_random_bytes(net, stack->id_counters, sizeof(stack->id_counters));
	route_table_init(&stack->routes);
	pmtu_init(&stack->pmtu, net);
	reassembly_init(&stack->reassembly, net);
	list_init(&stack->kinds);
	list_init(&stack->observers);
	return stack;
}

static void register_with_core(struct net *net, struct ip4_stack *stack) NEEDS_NET_LOCK
{
	stack->link_protocol.ethertype = ETHERTYPE_IP4;
	stack->link_protocol.receive = ip4_receive;
	link_protocol_register(net, &stack->link_protocol);

	stack->notifier.changed = ip4_device_changed;
	device_notifier_register(net, &stack->notifier);

	stack->family.family = AF_INET;
	stack->family.find = find_permitted;
	stack->family.ioctl = ip4_ioctl;
	socket_family_register(net, &stack->family);

	arp_set_address_operations(net, &ip4_arp_operations);
}

int ipv4_init(struct net *net)
{
	/*
	 * The order in which kinds are registered is the order of preference: SOCK_DGRAM without
	 * protocol is UDP.
	 */
	static int (*const rooms[])(struct net * net) = {icmp_init, igmp_init, udp_init, raw_init,
							 ping_init};
	struct ip4_stack *stack = create_stack(net);
	struct net_device *dev;
	int error = 0;

	if (!stack)
		return -ENOMEM;
	net->state[NET_STATE_IPV4] = stack;
	for (size_t i = 0; i < ARRAY_SIZE(rooms) && !error; i++)
		error = rooms[i](net);
	if (error) {
		ipv4_destroy(net);
		return error;
	}
	net_lock(net);
	register_with_core(net, stack);
	list_for_each_entry(dev, &net->devices, link) {
		if (dev->flags & IFF_UP)
			ip4_device_changed(&stack->notifier, dev, DEVICE_UP);
	}
	net_unlock(net);
	return 0;
}

static void unregister_from_core(struct net *net, struct ip4_stack *stack) NEEDS_NET_LOCK
{
	if (!stack->family.family)
		return; /* ipv4_init did not come so far */
	arp_set_address_operations(net, NULL);
	list_remove(&stack->family.link);
	list_remove(&stack->notifier.link);
	list_remove(&stack->link_protocol.link);
}

void ipv4_destroy(struct net *net)
{
	struct ip4_stack *stack = ip4_stack(net);
	struct net_device *dev;

	net_lock(net);
	unregister_from_core(net, stack);
	list_for_each_entry(dev, &net->devices, link)
		ip4_interface_free(dev);
	reassembly_free(&stack->reassembly);
	pmtu_free(&stack->pmtu);
	route_table_free(net);
	net_unlock(net);

	ping_destroy(net);
	raw_destroy(net);
	udp_destroy(net);
	icmp_destroy(net);
	kfree(stack);
	net->state[NET_STATE_IPV4] = NULL;
}
