/* The filters of sockets: see socket_filter.h. */
#include "net/core/socket_filter.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "kernel/user.h"
#include "net/core/netdevice.h"

static size_t size_of(uint32_t count)
{
	return sizeof(struct socket_filter) + count * sizeof(struct sock_filter);
}

struct socket_filter *socket_filter_share(struct socket_filter *filter)
{
	if (filter)
		__atomic_add_fetch(&filter->references, 1, __ATOMIC_RELAXED);
	return filter;
}

void socket_filter_put(struct socket_filter *filter)
{
	if (filter && __atomic_sub_fetch(&filter->references, 1, __ATOMIC_ACQ_REL) == 0)
		kfree(filter);
}

/* 0 or -EPERM. */
static int replace(struct socket *socket, struct socket_filter *filter) NEEDS_NET_LOCK
{
	if (socket->filter_locked)
		return -EPERM;
	socket_filter_put(socket->filter);
	socket->filter = filter;
	socket->filtered = filter != NULL;
	return 0;
}

int socket_filter_attach(struct socket *socket, const struct sock_filter *program, uint32_t count)
{
	struct net *net = socket->net;
	int error = bpf_check(program, count);

	if (error)
		return error;
	if (size_of(count) > (size_t)net->core.optmem_max)
		return -ENOMEM;
	struct socket_filter *filter = kmalloc(size_of(count));

	if (!filter)
		return -ENOMEM;
	filter->references = 1;
	filter->count = count;
	memcpy(filter->program, program, count * sizeof(*program));
	net_lock(net);
	error = replace(socket, filter);
	net_unlock(net);
	if (error)
		kfree(filter);
	return error;
}

int socket_filter_detach(struct socket *socket)
{
	if (!socket->filter)
		return socket->filter_locked ? -EPERM : -ENOENT;
	return replace(socket, NULL);
}

int socket_filter_lock(struct socket *socket, bool on)
{
	if (socket->filter_locked && !on)
		return -EPERM;
	socket->filter_locked = on;
	return 0;
}

int socket_filter_read(struct socket *socket, struct sock_filter *to, uint32_t room)
{
	int count = 0;

	net_lock(socket->net);
	const struct socket_filter *filter = socket->filter;

	if (filter) {
		count = (int)filter->count;
		if (room && room < filter->count)
			count = -EINVAL;
		else if (room)
			memcpy(to, filter->program, filter->count * sizeof(*to));
	}
	net_unlock(socket->net);
	return count;
}

/* From the network header on, when that is still there, so that SKF_NET_OFF finds it. */
static void describe(const struct socket *socket, const struct sk_buff *skb,
		     struct bpf_packet *packet)
{
	const uint8_t *network = skb_network_header(skb);
	bool has_network = skb->network_offset != SKB_NO_HEADER && network <= skb->data;

	*packet = (struct bpf_packet){
		.skb = skb,
		.network = has_network ? 0 : BPF_NOWHERE,
		.link = BPF_NOWHERE,
		.ifindex = skb->dev ? skb->dev->ifindex : 0,
		.hardware_type = skb->dev ? skb->dev->type : 0,
		.protocol = skb->protocol,
		.packet_type = skb->packet_type,
		.mark = socket->mark,
	};
	if (has_network)
		packet->start = (uint32_t)(skb->data - network);
	packet->skip = -(int32_t)packet->start;
	packet->total = packet->start + skb->len;
}

bool socket_filter_apply(const struct socket *socket, struct sk_buff *skb, uint32_t header)
{
	struct bpf_packet packet;

	describe(socket, skb, &packet);
	uint32_t keep = bpf_run(socket->filter->program, &packet);

	if (keep == 0)
		return false;
	skb_trim(skb, MAX(keep, header));
	return true;
}

int socket_filter_from_user(struct socket *socket, user_addr_t value_at, uint32_t length)
{
	struct sock_fprog program;

	if (length != sizeof(program))
		return -EINVAL;
	if (copy_from_user(&program, value_at, sizeof(program)))
		return -EFAULT;
	if (program.len == 0 || program.len > BPF_MAXINSNS)
		return -EINVAL;
	size_t bytes = program.len * sizeof(struct sock_filter);
	struct sock_filter *copy = kmalloc(bytes);

	if (!copy)
		return -ENOMEM;
	int error = copy_from_user(copy, program.filter, bytes) ? -EFAULT : 0;

	if (!error)
		error = socket_filter_attach(socket, copy, program.len);
	kfree(copy);
	return error;
}

int socket_filter_to_user(struct socket *socket, user_addr_t value_at, user_addr_t length_at)
{
	struct sock_filter *copy = NULL;
	int32_t room;

	if (copy_from_user(&room, length_at, sizeof(room)))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	room = MIN(room, BPF_MAXINSNS);
	if (room) {
		copy = kmalloc((size_t)room * sizeof(*copy));
		if (!copy)
			return -ENOMEM;
	}
	int count = socket_filter_read(socket, copy, (uint32_t)room);
	int error = MIN(count, 0);

	if (room && count > 0 && copy_to_user(value_at, copy, (size_t)count * sizeof(*copy)))
		error = -EFAULT;
	kfree(copy);
	return error ? error : copy_to_user(length_at, &count, sizeof(count));
}
