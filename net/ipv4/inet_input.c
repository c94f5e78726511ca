/* From a received packet to a process: bytes, the sender's name, ancillary data. */
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/ipv4/inet_socket.h"
#include "net/ipv4/ipv4_state.h"

static void put_pktinfo(const struct ip4_control *control, struct message *message)
{
	ip4_t ours = control->local;
	const struct in_pktinfo info = {
		.ipi_ifindex = control->ifindex,
		.ipi_spec_dst.s_addr = cpu_to_be32(ours),
		.ipi_addr.s_addr = cpu_to_be32(control->destination),
	};

	message_put_control(message, SOL_IP, IP_PKTINFO, &info, sizeof(info));
}

/* RFC 1122 4.1.3.2, RFC1122-5; 4.1.3.5, RFC1122-11 */
void ip4_tell_control(const struct inet_socket *inet, const struct sk_buff *skb,
		      struct message *message)
{
	const struct ip4_control *control = SKB_CONTROL(skb, const struct ip4_control);
	size_t options_length = control->header_length - (size_t)IP4_HEADER_MIN;

	if (inet->want_pktinfo)
		put_pktinfo(control, message);
	if (inet->want_ttl) {
		int ttl = control->ttl;

		message_put_control(message, SOL_IP, IP_TTL, &ttl, sizeof(ttl));
	}
	if (inet->want_tos)
		message_put_control(message, SOL_IP, IP_TOS, &control->tos, sizeof(control->tos));
	if (inet->want_options && options_length)
		message_put_control(message, SOL_IP, IP_RECVOPTS,
				    skb_network_header(skb) + IP4_HEADER_MIN, options_length);
	/*
	 * What may be sent back is the same: we enter nothing on arrival, and take no source
	 * routes.
	 */
	if (inet->want_options_back && options_length)
		message_put_control(message, SOL_IP, IP_RETOPTS,
				    skb_network_header(skb) + IP4_HEADER_MIN, options_length);
}

void inet_source_without_port(const struct sk_buff *skb, struct endpoint *from)
{
	*from = (struct endpoint){
		.addr = net_addr_ip4(SKB_CONTROL(skb, const struct ip4_control)->source)};
}

int64_t inet_receive(struct inet_socket *inet, struct message *message,
		     void (*source)(const struct sk_buff *skb, struct endpoint *from))
{
	struct sk_buff *skb;
	struct endpoint from;

	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (message->flags & MSG_ERRQUEUE)
		return inet_receive_error(inet, message);

	int error = socket_wait_receive(&inet->socket, message->flags, &skb);

	if (error || !skb) /* shut down: end of file */
		return error;

	size_t whole = skb->len, copied = MIN(whole, message->iov.remaining);

	error = skb_copy_to_iov(skb, 0, &message->iov, copied);
	if (!error) {
		source(skb, &from);
		inet_write_name(&from, &message->name, &message->name_length);
		socket_put_timestamp(&inet->socket, skb, message);
		ip4_put_control(inet, skb, message);
		if (copied < whole)
			message->flags_out |= MSG_TRUNC;
	}
	skb_free(skb);
	if (error)
		return error;
	return (int64_t)(message->flags & MSG_TRUNC ? whole : copied);
}
