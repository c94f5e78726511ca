/*
 * NETLINK_SOCK_DIAG: what ss asks. The sockets of AF_INET are listed with their ends, queues,
 * timers, memory and struct tcp_info, and single connections of TCP can be ended (ss -K).
 *
 * Needs the net lock, but for init and destroy.
 */
#ifndef NET_NETLINK_DIAG_H
#define NET_NETLINK_DIAG_H

#include "include/uapi/inet_diag.h"
#include "net/ipv4/hash_table.h"
#include "net/netlink/diag_filter.h"
#include "net/netlink/netlink.h"

struct inet_socket;
struct tcp_view;

/* 0 or -ENOMEM. */
int diag_init(struct net *net) EXCLUDES(net_lock_held);
void diag_destroy(struct net *net) EXCLUDES(net_lock_held);

/* A dump's filter: what is asked for. */
struct diag_filter {
	struct inet_diag_req_v2 request;
	size_t program_length; /* 0: none */
	uint8_t program[];     /* checked */
};

/* Lists of one protocol each: struct netlink_dump's `fill`. */
bool diag_fill_tcp(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK;
bool diag_fill_udp(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK;
bool diag_fill_raw(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK;

/* One socket's message, when the filter lets it through. False: it did not fit. diag_message.c */
bool diag_put_tcp(struct netlink_dump *dump, struct netlink_writer *writer,
		  const struct tcp_view *view) NEEDS_NET_LOCK;
bool diag_put_datagram(struct netlink_dump *dump, struct netlink_writer *writer,
		       const struct inet_socket *inet, uint16_t local_port) NEEDS_NET_LOCK;

/* SOCK_DESTROY: diag_destroy_tcp.c. 0, -ENOENT, -EOPNOTSUPP. */
int diag_destroy_tcp(struct net *net, const struct inet_diag_req_v2 *request) NEEDS_NET_LOCK;

/* The numbers by which a socket is known again. */
void diag_cookie(uint64_t inode, uint32_t cookie[2]);

#endif
