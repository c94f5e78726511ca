/* What SOCK_DIAG tells of a socket; of one of AF_INET struct inet_diag_msg and its attributes. */
#include "include/uapi/in.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "net/ipv4/inet_socket.h"
#include "net/netlink/diag.h"
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_view.h"

void diag_cookie(uint64_t inode, uint32_t cookie[2])
{
	cookie[0] = (uint32_t)inode;
	cookie[1] = (uint32_t)(inode >> 32);
}

bool diag_is_named(uint64_t inode, const uint32_t cookie[2])
{
	uint32_t own[2];

	if (cookie[0] == INET_DIAG_NOCOOKIE && cookie[1] == INET_DIAG_NOCOOKIE)
		return true;
	diag_cookie(inode, own);
	return own[0] == cookie[0] && own[1] == cookie[1];
}

int diag_dump(struct netlink_request *request,
	      bool (*fill)(struct netlink_dump *dump, struct netlink_writer *writer),
	      const void *wanted, size_t size)
{
	struct netlink_dump dump = {.fill = fill, .filter = kmalloc(size)};

	if (!dump.filter)
		return -ENOMEM;
	memcpy(dump.filter, wanted, size);
	return netlink_dump_start(request, &dump);
}

void diag_begin(struct netlink_writer *writer, const struct nlmsghdr *header, const void *body,
		size_t length)
{
	struct nlmsghdr own = *header;

	own.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	netlink_begin(writer, &own);
	netlink_put_bytes(writer, body, length);
}

void diag_put_memory(struct netlink_writer *writer, uint16_t attribute, const struct socket *socket,
		     const struct diag_queues *queues)
{
	const uint32_t memory[SK_MEMINFO_VARS] = {
		[SK_MEMINFO_RMEM_ALLOC] = queues->received,
		[SK_MEMINFO_RCVBUF] = (uint32_t)socket->receive_buffer,
		[SK_MEMINFO_WMEM_ALLOC] = queues->sent,
		[SK_MEMINFO_SNDBUF] = (uint32_t)socket->send_buffer,
		[SK_MEMINFO_WMEM_QUEUED] = queues->unsent,
		[SK_MEMINFO_DROPS] = (uint32_t)socket->drops,
	};

	netlink_put(writer, attribute, memory, sizeof(memory));
}

/* ---- AF_INET ---- */

static be32 wire_address(const struct endpoint *end)
{
	return cpu_to_be32(end->addr.family == AF_INET ? end->addr.v4 : IP4_ANY);
}

static void fill_ends(const struct diag_subject *subject, uint64_t inode,
		      struct inet_diag_sockid *id)
{
	id->idiag_sport = cpu_to_be16(subject->local->port);
	id->idiag_dport = cpu_to_be16(subject->remote->port);
	id->idiag_src[0] = wire_address(subject->local);
	id->idiag_dst[0] = wire_address(subject->remote);
	id->idiag_if = (uint32_t)subject->ifindex;
	diag_cookie(inode, id->idiag_cookie);
}

/* By its state; by its ports, where the request names them; by the filter. */
static bool is_wanted(const struct diag_filter *filter, const struct diag_subject *subject,
		      uint8_t state)
{
	uint16_t source = be16_to_cpu(filter->request.id.idiag_sport);
	uint16_t destination = be16_to_cpu(filter->request.id.idiag_dport);

	if (!(filter->request.idiag_states & 1u << state))
		return false;
	if ((source && source != subject->local->port) ||
	    (destination && destination != subject->remote->port))
		return false;
	return !filter->program_length ||
	       diag_filter_passes(filter->program, filter->program_length, subject);
}

static bool asked(const struct netlink_dump *dump, uint8_t attribute)
{
	const struct diag_filter *filter = dump->filter;

	return filter->request.idiag_ext & 1u << (attribute - 1);
}

static void put_memory(const struct netlink_dump *dump, struct netlink_writer *writer,
		       const struct socket *socket, const struct diag_queues *queues)
{
	const struct inet_diag_meminfo brief = {.idiag_rmem = queues->received,
						.idiag_wmem = queues->unsent,
						.idiag_tmem = queues->sent};

	if (asked(dump, INET_DIAG_MEMINFO))
		netlink_put(writer, INET_DIAG_MEMINFO, &brief, sizeof(brief));
	if (asked(dump, INET_DIAG_SKMEMINFO))
		diag_put_memory(writer, INET_DIAG_SKMEMINFO, socket, queues);
}

static void put_common(const struct netlink_dump *dump, struct netlink_writer *writer,
		       const struct inet_socket *inet)
{
	netlink_put_u8(writer, INET_DIAG_SHUTDOWN, inet->socket.shutdown);
	if (asked(dump, INET_DIAG_TOS))
		netlink_put_u8(writer, INET_DIAG_TOS, inet->tos);
	if (inet->socket.mark)
		netlink_put_u32(writer, INET_DIAG_MARK, inet->socket.mark);
}

/* ---- TCP ---- */

static struct diag_subject subject_of_view(const struct tcp_view *view)
{
	struct diag_subject subject = {.local = view->local, .remote = view->remote};

	if (view->tcp) {
		subject.ifindex = view->tcp->inet.socket.bound_ifindex;
		subject.mark = view->tcp->inet.socket.mark;
		subject.port_chosen = !view->tcp->inet.port_bound;
	}
	return subject;
}

static uint32_t milliseconds_until(struct net *net, uint64_t due_us) NEEDS_NET_LOCK
{
	uint64_t now_us = net_batch_time(net);

	return due_us > now_us ? (uint32_t)((due_us - now_us) / USEC_PER_MSEC) : 0;
}

static void put_tcp_attributes(const struct netlink_dump *dump, struct netlink_writer *writer,
			       const struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	const struct socket *socket = &tcp->inet.socket;
	const struct diag_queues queues = {.received = socket->receive_queue.truesize,
					   .sent = socket->send_charged,
					   .unsent = tcp->stream.charged};
	struct tcp_info info;

	put_common(dump, writer, &tcp->inet);
	put_memory(dump, writer, socket, &queues);
	if (asked(dump, INET_DIAG_CONG))
		netlink_put_string(writer, INET_DIAG_CONG, tcp->congestion.ops->name);
	if (asked(dump, INET_DIAG_INFO)) {
		tcp_fill_info(tcp, &info);
		netlink_put(writer, INET_DIAG_INFO, &info, sizeof(info));
	}
}

bool diag_put_tcp(struct netlink_dump *dump, struct netlink_writer *writer,
		  const struct tcp_view *view)
{
	const struct diag_subject subject = subject_of_view(view);
	struct inet_diag_msg body = {
		.idiag_family = AF_INET,
		.idiag_state = view->state,
		.idiag_timer = (uint8_t)view->timer,
		.idiag_retrans = (uint8_t)(view->timer == TCP_SHOWN_PROBE ? view->probes
									  : view->retransmits),
		.idiag_expires = milliseconds_until(dump->net, view->due_us),
		.idiag_rqueue = view->receive_queue,
		.idiag_wqueue = view->send_queue,
		.idiag_uid = view->uid,
		.idiag_inode = (uint32_t)view->inode,
	};

	if (!is_wanted(dump->filter, &subject, view->state))
		return true;
	fill_ends(&subject, view->tcp ? view->tcp->inet.socket.inode_number : 0, &body.id);
	diag_begin(writer, &dump->header, &body, sizeof(body));
	if (view->tcp)
		put_tcp_attributes(dump, writer, view->tcp);
	return netlink_end(writer);
}

/* ---- Datagrams ---- */

bool diag_put_datagram(struct netlink_dump *dump, struct netlink_writer *writer,
		       const struct inet_socket *inet, uint16_t local_port)
{
	const struct socket *socket = &inet->socket;
	const struct endpoint local = {.addr = inet->local.addr, .port = local_port};
	const struct diag_subject subject = {.local = &local,
					     .remote = &inet->remote,
					     .ifindex = socket->bound_ifindex,
					     .mark = socket->mark,
					     .port_chosen = !inet->port_bound};
	const struct diag_queues queues = {.received = socket->receive_queue.truesize,
					   .sent = socket->send_charged};
	uint8_t state = inet_connected(inet) ? TCP_ESTABLISHED : TCP_CLOSE;
	struct inet_diag_msg body = {
		.idiag_family = AF_INET,
		.idiag_state = state,
		.idiag_rqueue = queues.received,
		.idiag_wqueue = queues.sent,
		.idiag_uid = socket->uid,
		.idiag_inode = (uint32_t)socket->inode_number,
	};

	if (!is_wanted(dump->filter, &subject, state))
		return true;
	fill_ends(&subject, socket->inode_number, &body.id);
	diag_begin(writer, &dump->header, &body, sizeof(body));
	put_common(dump, writer, inet);
	put_memory(dump, writer, socket, &queues);
	if (socket->type == SOCK_RAW)
		netlink_put_u8(writer, INET_DIAG_PROTOCOL, (uint8_t)socket->protocol);
	return netlink_end(writer);
}
