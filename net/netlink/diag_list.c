/* The sockets of TCP, UDP, UDP-Lite and raw IPv4, one after the other, for SOCK_DIAG. */
#include "net/ipv4/raw.h"
#include "net/ipv4/udp.h"
#include "net/netlink/diag.h"
#include "net/tcp/tcp_view.h"

/* position: the part and the place within a port, the bucket, the place in it. */
static struct tcp_view_cursor tcp_cursor(const struct netlink_dump *dump)
{
	return (struct tcp_view_cursor){
		.part = (uint32_t)(dump->position[0] >> 32),
		.within = (uint32_t)dump->position[0],
		.at = {.bucket = (uint32_t)dump->position[1], .skip = (uint32_t)dump->position[2]}};
}

static void note_tcp_cursor(struct netlink_dump *dump, const struct tcp_view_cursor *cursor)
{
	dump->position[0] = (uint64_t)cursor->part << 32 | cursor->within;
	dump->position[1] = cursor->at.bucket;
	dump->position[2] = cursor->at.skip;
}

bool diag_fill_tcp(struct netlink_dump *dump, struct netlink_writer *writer)
{
	struct tcp_view_cursor cursor = tcp_cursor(dump);
	struct tcp_view view;

	while (tcp_view_next(dump->net, &cursor, &view)) {
		if (!diag_put_tcp(dump, writer, &view))
			return false;
		note_tcp_cursor(dump, &cursor);
	}
	note_tcp_cursor(dump, &cursor);
	return true;
}

static bool fill_datagrams(struct netlink_dump *dump, struct netlink_writer *writer,
			   const struct udp_state *state) NEEDS_NET_LOCK
{
	struct hash_cursor cursor = {.bucket = (uint32_t)dump->position[0],
				     .skip = (uint32_t)dump->position[1]};
	struct hash_node *node;

	while ((node = hash_table_next(&state->table.by_port, &cursor))) {
		const struct udp_socket *udp = container_of(node, struct udp_socket, by_port);

		if (!diag_put_datagram(dump, writer, &udp->inet, udp->inet.local.port))
			return false;
		dump->position[0] = cursor.bucket;
		dump->position[1] = cursor.skip;
	}
	dump->position[0] = cursor.bucket;
	return true;
}

bool diag_fill_udp(struct netlink_dump *dump, struct netlink_writer *writer)
{
	return fill_datagrams(dump, writer, udp_state(dump->net));
}

bool diag_fill_udp_lite(struct netlink_dump *dump, struct netlink_writer *writer)
{
	return fill_datagrams(dump, writer, udp_lite_state(dump->net));
}

/* position: the protocol, and how many of its sockets are told. */
bool diag_fill_raw(struct netlink_dump *dump, struct netlink_writer *writer)
{
	struct raw_state *state = raw_state(dump->net);
	const struct raw_socket *raw;

	for (; dump->position[0] < ARRAY_SIZE(state->of_protocol);
	     dump->position[0]++, dump->position[1] = 0) {
		uint64_t at = 0;

		list_for_each_entry(raw, &state->of_protocol[dump->position[0]], inet.socket.link) {
			if (at++ < dump->position[1])
				continue;
			/* The protocol stands where others have their port. */
			if (!diag_put_datagram(dump, writer, &raw->inet, raw->inet.socket.protocol))
				return false;
			dump->position[1]++;
		}
	}
	return true;
}
