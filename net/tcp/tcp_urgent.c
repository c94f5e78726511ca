/* Urgent data that arrives: RFC 9293 3.8.5; RFC 6093. */
#include "net/tcp/tcp_state.h"

/* The urgent byte is the one before the pointer's, as tcp(7) has it. */
static bool takes_urgent(const struct tcp_socket *tcp, uint32_t up)
{
	if (seq_upto(up, tcp->copied_seq))
		return false; /* read already */
	if (tcp->urgent_state == TCP_URGENT_NONE)
		return true;
	return seq_after(up, tcp->rcv_up);
}

/* RFC 9293 3.8.5, MUST-30, MUST-31, MUST-32, MUST-62 */
void tcp_receive_urgent(struct tcp_socket *tcp, const struct tcp_segment *segment,
			const struct sk_buff *skb)
{
	struct socket *socket = &tcp->inet.socket;

	if (segment->flags & TCP_URG && segment->header.urgent) {
		uint32_t up = segment->seq + segment->header.urgent;

		if (takes_urgent(tcp, up)) {
			tcp->rcv_up = up;
			tcp->urgent_state = TCP_URGENT_AWAITED;
			socket_tell_urgent(socket);
		}
	}
	if (tcp->urgent_state != TCP_URGENT_AWAITED)
		return;
	/* Has the byte itself come? */
	uint32_t at = tcp->rcv_up - 1;

	if (!seq_within(at, segment->seq, segment->seq + segment->payload))
		return;
	skb_copy_bits(skb, at - segment->seq, &tcp->urgent_byte, 1);
	tcp->urgent_state = TCP_URGENT_READY;
	socket_wake(socket, POLLPRI);
}
