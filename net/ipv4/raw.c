/* Raw sockets: who gets a copy of which packet, and of which error. */
#include "net/ipv4/raw.h"

#include "include/uapi/icmp.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "net/core/socket_filter.h"
#include "net/ipv4/ipv4_state.h"

static bool address_fits(const struct net_addr *bound, ip4_t address)
{
	return bound->family == AF_UNSPEC || bound->v4 == address;
}

static bool icmp_type_wanted(const struct raw_socket *raw, const struct sk_buff *skb,
			     const struct ip4_control *control)
{
	uint8_t type;

	if (control->protocol != IPPROTO_ICMP || raw->icmp_filter == 0)
		return true;
	if (skb->len <= control->header_length)
		return false;
	skb_copy_bits(skb, control->header_length, &type, sizeof(type));
	return type > 31 || !(raw->icmp_filter >> type & 1);
}

static bool wants(const struct raw_socket *raw, const struct sk_buff *skb,
		  const struct ip4_control *control)
{
	const struct inet_socket *inet = &raw->inet;

	if (inet->socket.bound_ifindex && inet->socket.bound_ifindex != control->ifindex)
		return false;
	return address_fits(&inet->local.addr, control->destination) &&
	       address_fits(&inet->remote.addr, control->source) &&
	       inet_group_allows(inet, control->destination, control->source, control->ifindex) &&
	       icmp_type_wanted(raw, skb, control);
}

static bool deliver(struct net_device *dev, const struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct raw_state *state = raw_state(dev->net);
	const struct ip4_control *control = SKB_CONTROL(skb, const struct ip4_control);
	struct raw_socket *raw;
	bool delivered = false;

	if (state->count == 0)
		return false;
	list_for_each_entry(raw, &state->of_protocol[control->protocol], inet.socket.link) {
		if (!wants(raw, skb, control))
			continue;
		delivered = true;

		struct sk_buff *copy = skb_clone(skb);

		if (copy && socket_filter_passes(&raw->inet.socket, copy, 0))
			socket_queue_receive(&raw->inet.socket, copy);
		else if (copy)
			skb_drop(copy, DROP_SOCKET_FILTER);
	}
	return delivered;
}

static bool error(struct net *net, const struct sk_buff *skb, const struct ip4_header *inner,
		  const struct icmp_error *what) NEEDS_NET_LOCK
{
	const struct endpoint to = {.addr = net_addr_ip4(inner->destination)};
	struct raw_socket *raw;
	bool known = false;

	list_for_each_entry(raw, &raw_state(net)->of_protocol[inner->protocol], inet.socket.link) {
		if (!address_fits(&raw->inet.local.addr, inner->source) ||
		    !address_fits(&raw->inet.remote.addr, inner->destination))
			continue;
		known = true;
		inet_report_error(&raw->inet, what, skb, 0, &to);
	}
	return known;
}

static const struct ip4_raw_operations operations = {
	.deliver = deliver,
	.error = error,
};

int raw_init(struct net *net)
{
	struct raw_state *state = kzalloc(sizeof(*state));

	if (!state)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(state->of_protocol); i++)
		list_init(&state->of_protocol[i]);
	net->state[NET_STATE_RAW] = state;
	state->kind = (struct inet_kind){.type = SOCK_RAW, .ops = &raw_socket_ops};
	inet_kind_register(net, &state->kind);
	ip4_stack(net)->raw = &operations;
	return 0;
}

void raw_destroy(struct net *net)
{
	kfree(net->state[NET_STATE_RAW]);
	net->state[NET_STATE_RAW] = NULL;
}

/* The protocol stands where others have their port. */
void raw_show(struct text *text, void *context)
{
	struct net *net = context;
	struct raw_state *state = raw_state(net);
	struct raw_socket *raw;

	inet_show_heading(text);
	net_lock(net);
	for (uint32_t protocol = 0; protocol < ARRAY_SIZE(state->of_protocol); protocol++) {
		list_for_each_entry(raw, &state->of_protocol[protocol], inet.socket.link)
			inet_show(text, protocol, &raw->inet, raw->inet.socket.protocol);
	}
	net_unlock(net);
}
