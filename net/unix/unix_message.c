/*
 * Messages: sk_buffs in a socket's receive queue, charged to their sender until they are read.
 * What travels besides the bytes is struct unix_control.
 */
#include "kernel/fs/fd_table.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page.h"
#include "kernel/string.h"
#include "kernel/user.h"
#include "net/core/socket_filter.h"
#include "net/unix/unix_private.h"

#define FRAGMENT_ORDER_MAX 4 /* blocks of at most 64 KiB */
#define MESSAGE_OVERHEAD 32  /* bytes of SO_SNDBUF that a message cannot have, as on Linux */

static int read_rights(struct unix_outgoing *out, const struct cmsghdr *header)
{
	size_t count = (header->cmsg_len - sizeof(*header)) / sizeof(int32_t);

	return unix_rights_read(CMSG_DATA(header), count, &out->rights);
}

/* A process may say that it is somebody else only as far as it might become that. */
static int read_credentials(struct unix_outgoing *out, const struct cmsghdr *header)
{
	if (header->cmsg_len != CMSG_LEN(sizeof(out->credentials)))
		return -EINVAL;
	memcpy(&out->credentials, CMSG_DATA(header), sizeof(out->credentials));
	return user_may_claim(&out->credentials);
}

static int read_control(struct unix_outgoing *out, const struct message *message)
{
	const struct cmsghdr *header = NULL;
	int error;

	while ((header = message_next_control(message, header, &error))) {
		if (header->cmsg_level != SOL_SOCKET)
			continue;
		if (header->cmsg_type == SCM_RIGHTS)
			error = read_rights(out, header);
		else if (header->cmsg_type == SCM_CREDENTIALS)
			error = read_credentials(out, header);
		else
			error = -EINVAL;
		if (error)
			return error;
	}
	return error;
}

int unix_outgoing_begin(struct unix_outgoing *out, const struct message *message)
{
	out->rights = NULL;
	out->files_limit = (uint64_t)fd_limit();
	user_real_credentials(&out->credentials);
	out->uid = out->credentials.uid;
	int error = read_control(out, message);

	if (error)
		unix_outgoing_end(out);
	return error;
}

void unix_outgoing_end(struct unix_outgoing *out)
{
	unix_rights_put(out->rights);
	out->rights = NULL;
}

uint64_t unix_message_max(const struct socket *socket)
{
	uint64_t structure = (uint64_t)SKB_MAX_FRAGMENTS * (PAGE_SIZE << FRAGMENT_ORDER_MAX);

	return MIN((uint64_t)socket->send_buffer - MESSAGE_OVERHEAD, structure);
}

/* The smallest blocks of which one packet can hold so many bytes. */
static uint32_t order_for(uint64_t length)
{
	uint32_t order = 0;

	while ((uint64_t)SKB_MAX_FRAGMENTS * (PAGE_SIZE << order) < length)
		order++;
	return order;
}

static int copy_to_fragments(struct sk_buff *skb, struct iov *iov, uint64_t length)
{
	uint32_t order = order_for(length);

	while (length) {
		uint32_t part = (uint32_t)MIN(length, (uint64_t)PAGE_SIZE << order);
		struct page *page = page_alloc_order(order);

		if (!page)
			return -ENOBUFS;
		if (skb_add_fragment(skb, page, 0, part)) {
			page_put(page);
			return -ENOBUFS;
		}
		if (iov_copy_from(iov, page_address(page), part))
			return -EFAULT;
		length -= part;
	}
	return 0;
}

int unix_message_copy(struct net *net, struct message *message, uint64_t length,
		      const struct unix_outgoing *out, struct sk_buff **result)
{
	bool linear = length <= UNIX_LINEAR_MAX;
	struct sk_buff *skb = skb_alloc(net, linear ? length : 0);
	int error;

	if (!skb)
		return -ENOBUFS;
	error = linear ? skb_put_from_iov(skb, &message->iov, length)
		       : copy_to_fragments(skb, &message->iov, length);
	if (error) {
		skb_free(skb);
		return error;
	}
	*UNIX_CONTROL(skb) = (struct unix_control){.credentials = out->credentials};
	*result = skb;
	return 0;
}

int unix_message_queue(struct unix_socket *from, struct unix_socket *to, struct unix_outgoing *out,
		       struct sk_buff *skb)
{
	struct net *net = from->socket.net;
	struct unix_control *control = UNIX_CONTROL(skb);

	/* What the receiver's filter does not want is lost, which is not the sender's business. */
	if (from->socket.type != SOCK_STREAM && !socket_filter_passes(&to->socket, skb, 0)) {
		skb_drop(skb, DROP_SOCKET_FILTER);
		return 0;
	}
	if (out->rights) {
		int error = unix_rights_depart(net, out);
		if (error)
			return error;
	}
	control->rights = out->rights;
	out->rights = NULL;
	control->source = unix_address_get(from->address);
	skb_set_owner(skb, &from->socket);
	skb_queue_append(&to->socket.receive_queue, skb);
	socket_wake(&to->socket, POLLIN | POLLRDNORM);
	return 0;
}

void unix_message_discard(struct sk_buff *skb)
{
	struct unix_control *control = UNIX_CONTROL(skb);

	if (control->rights) {
		unix_rights_land(skb->net, control->rights);
		list_append(&unix_state(skb->net)->dead, &control->rights->link);
	}
	unix_address_put(control->source);
	skb_free(skb);
}

void unix_discard_queue(struct unix_socket *unix)
{
	struct sk_buff *skb;

	while ((skb = skb_queue_take(&unix->socket.receive_queue)))
		unix_message_discard(skb);
}

int unix_incoming_take(struct unix_incoming *in, const struct unix_socket *unix,
		       struct sk_buff *skb, bool peek)
{
	struct unix_control *control = UNIX_CONTROL(skb);

	if (peek && control->rights) {
		in->rights = unix_rights_copy(control->rights);
		if (!in->rights)
			return -ENOMEM;
	} else if (control->rights) {
		in->rights = control->rights;
		control->rights = NULL;
		unix_rights_land(unix->socket.net, in->rights);
	}
	if (in->known)
		return 0;
	in->known = true;
	in->source = unix_address_get(control->source);
	in->credentials = control->credentials;
	in->with_credentials = unix->socket.passcred;
	return 0;
}

void unix_incoming_tell(struct unix_incoming *in, struct message *message)
{
	if (in->source)
		unix_address_tell(in->source, &message->name, &message->name_length);
	if (in->with_credentials)
		message_put_control(message, SOL_SOCKET, SCM_CREDENTIALS, &in->credentials,
				    sizeof(in->credentials));
	if (in->rights)
		unix_rights_install(in->rights, message);
	in->rights = NULL;
}

void unix_incoming_end(struct unix_incoming *in)
{
	unix_rights_put(in->rights);
	unix_address_put(in->source);
}
