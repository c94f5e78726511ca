/*
 * /proc/net/{udp,raw,icmp}: one format for all, and Linux's to the column, since netstat counts
 * them.
 */
#include "kernel/byteorder.h"
#include "kernel/lib/text.h"
#include "net/ipv4/inet_socket.h"

#define LINE_WIDTH 127 /* without the newline */
#define STATE_ESTABLISHED 1
#define STATE_CLOSE 7 /* a datagram socket that is not connected */

void inet_show_heading(struct text *text)
{
	text_printf(text, "%-*s\n", LINE_WIDTH,
		    "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt"
		    "   uid  timeout inode ref pointer drops");
}

/* The bytes of the wire read as a little-endian number. */
static uint32_t shown(const struct endpoint *endpoint)
{
	return endpoint->addr.family == AF_INET ? __builtin_bswap32(endpoint->addr.v4) : 0;
}

void inet_show(struct text *text, uint32_t slot, const struct inet_socket *inet,
	       uint16_t local_port)
{
	const struct socket *socket = &inet->socket;
	size_t before = text->length;

	text_printf(
		text,
		"%5u: %08X:%04X %08X:%04X %02X %08X:%08X %02X:%08lX %08X %5u %8d %lu %u %016lx %lu",
		slot, shown(&inet->local), local_port, shown(&inet->remote), inet->remote.port,
		inet_connected(inet) ? STATE_ESTABLISHED : STATE_CLOSE, socket->send_charged,
		socket->receive_queue.truesize, 0u, 0ul, 0u, socket->uid, 0,
		(unsigned long)socket->inode_number, socket->references, 0ul,
		(unsigned long)socket->drops);

	size_t width = text->length - before;

	text_printf(text, "%*s\n", width < LINE_WIDTH ? (int)(LINE_WIDTH - width) : 0, "");
}
