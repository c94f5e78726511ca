/* A walk through all that TCP has: see tcp_view.h. */
#include "net/tcp/tcp_view.h"

#include "net/tcp/tcp_state.h"

static enum tcp_shown_timer shown_timer(const struct tcp_socket *tcp, uint64_t *due_us)
{
	if (timer_armed(&tcp->retransmit)) {
		*due_us = tcp->retransmit.when_us;
		return tcp->timer_kind == TCP_TIMER_PERSIST ? TCP_SHOWN_PROBE
							    : TCP_SHOWN_RETRANSMIT;
	}
	if (timer_armed(&tcp->idle)) {
		*due_us = tcp->idle.when_us;
		return TCP_SHOWN_KEEPALIVE;
	}
	*due_us = 0;
	return TCP_SHOWN_NONE;
}

static void view_socket(struct tcp_socket *tcp, struct tcp_view *view) NEEDS_NET_LOCK
{
	const struct socket *socket = &tcp->inet.socket;
	bool listening = tcp->state == TCP_LISTEN;

	*view = (struct tcp_view){
		.tcp = tcp,
		.local = &tcp->inet.local,
		.remote = &tcp->inet.remote,
		.state = tcp->state,
		.send_queue = listening ? tcp->listen->backlog : tcp->stream.end - tcp->snd_una,
		.receive_queue = listening ? tcp->listen->accept_length : tcp_readable(tcp),
		.retransmits = tcp->rtt.backoff,
		.probes = tcp->probes_sent,
		.uid = socket->uid,
		.inode = tcp->orphan ? 0 : socket->inode_number,
		.references = socket->references,
	};
	view->timer = shown_timer(tcp, &view->due_us);
}

static bool next_of_port(const struct tcp_port *port, struct tcp_view_cursor *cursor,
			 struct tcp_view *view) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp;
	uint32_t at = 0;

	list_for_each_entry(tcp, &port->sockets, port_link) {
		if (at++ < cursor->within)
			continue;
		cursor->within = at;
		if (tcp->state != TCP_LISTEN)
			continue;
		view_socket(tcp, view);
		return true;
	}
	return false;
}

static bool next_listener(const struct tcp_table *table, struct tcp_view_cursor *cursor,
			  struct tcp_view *view) NEEDS_NET_LOCK
{
	for (;;) {
		struct hash_cursor behind = cursor->at;
		struct hash_node *node = hash_table_next(&table->ports, &behind);

		if (!node)
			return false;
		if (next_of_port(container_of(node, struct tcp_port, node), cursor, view))
			return true;
		cursor->at = behind;
		cursor->within = 0;
	}
}

static bool next_connection(const struct tcp_table *table, struct tcp_view_cursor *cursor,
			    struct tcp_view *view) NEEDS_NET_LOCK
{
	struct hash_node *node = hash_table_next(&table->connections, &cursor->at);

	if (node)
		view_socket(container_of(node, struct tcp_socket, inet.node), view);
	return node;
}

static bool next_request(const struct tcp_requests *requests, struct tcp_view_cursor *cursor,
			 struct tcp_view *view) NEEDS_NET_LOCK
{
	struct hash_node *node = hash_table_next(&requests->table, &cursor->at);

	if (!node)
		return false;
	struct tcp_request *request = container_of(node, struct tcp_request, node);

	*view = (struct tcp_view){
		.request = request,
		.local = &request->local,
		.remote = &request->remote,
		.state = TCP_SYN_RECV,
		.timer = TCP_SHOWN_RETRANSMIT,
		.due_us = request->due_us,
		.retransmits = request->retries,
	};
	return true;
}

static bool next_timewait(const struct tcp_timewaits *timewaits, struct tcp_view_cursor *cursor,
			  struct tcp_view *view) NEEDS_NET_LOCK
{
	struct hash_node *node = hash_table_next(&timewaits->table, &cursor->at);

	if (!node)
		return false;
	const struct tcp_timewait *timewait = container_of(node, struct tcp_timewait, node);

	*view = (struct tcp_view){
		.local = &timewait->local,
		.remote = &timewait->remote,
		.state = TCP_TIME_WAIT,
		.timer = TCP_SHOWN_TIME_WAIT,
		.due_us = timewait->due_us,
	};
	return true;
}

enum part { LISTENERS, CONNECTIONS, REQUESTS, TIMEWAITS, PARTS };

static bool next_of_part(const struct tcp_state_of_net *state, struct tcp_view_cursor *cursor,
			 struct tcp_view *view) NEEDS_NET_LOCK
{
	switch (cursor->part) {
	case LISTENERS:
		return next_listener(&state->table, cursor, view);
	case CONNECTIONS:
		return next_connection(&state->table, cursor, view);
	case REQUESTS:
		return next_request(&state->requests, cursor, view);
	default:
		return next_timewait(&state->timewaits, cursor, view);
	}
}

bool tcp_view_next(struct net *net, struct tcp_view_cursor *cursor, struct tcp_view *view)
{
	while (cursor->part < PARTS) {
		if (next_of_part(tcp_of(net), cursor, view))
			return true;
		*cursor = (struct tcp_view_cursor){.part = cursor->part + 1};
	}
	return false;
}
