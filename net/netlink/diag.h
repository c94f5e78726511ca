/*
 * NETLINK_SOCK_DIAG: what ss asks. The sockets of AF_INET are listed with their ends, queues,
 * timers, memory and struct tcp_info, and single connections of TCP can be ended (ss -K); those of
 * AF_UNIX, AF_PACKET and AF_NETLINK are listed. Each family has its file: diag.c knows them all.
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

/*
 * Each family's SOCK_DIAG_BY_FAMILY; at least a struct sock_diag_req is there. 0 or a negative
 * errno.
 */
int diag_inet(struct netlink_request *request) NEEDS_NET_LOCK;
int diag_unix(struct netlink_request *request) NEEDS_NET_LOCK;
int diag_packet(struct netlink_request *request) NEEDS_NET_LOCK;
int diag_netlink(struct netlink_request *request) NEEDS_NET_LOCK;

/* diag_message.c: what the families' messages have in common. */

/* Starts a dump whose filter is a copy of `wanted`. 0, -EBUSY, -ENOMEM. */
int diag_dump(struct netlink_request *request,
	      bool (*fill)(struct netlink_dump *dump, struct netlink_writer *writer),
	      const void *wanted, size_t size) NEEDS_NET_LOCK;

/* Begins a message of type SOCK_DIAG_BY_FAMILY with its fixed part. */
void diag_begin(struct netlink_writer *writer, const struct nlmsghdr *header, const void *body,
		size_t length);

/* Bytes that a socket's queues hold. */
struct diag_queues {
	uint32_t received, sent, unsent;
};
/* SK_MEMINFO_*, as the attribute of that number. */
void diag_put_memory(struct netlink_writer *writer, uint16_t attribute, const struct socket *socket,
		     const struct diag_queues *queues);

/* The numbers by which a socket is known again; and whether they are these, or none. */
void diag_cookie(uint64_t inode, uint32_t cookie[2]);
bool diag_is_named(uint64_t inode, const uint32_t cookie[2]);

/* ---- AF_INET ---- */

/* A dump's filter: what is asked for. */
struct diag_filter {
	struct inet_diag_req_v2 request;
	size_t program_length; /* 0: none */
	uint8_t program[];     /* checked */
};

/* Lists of one protocol each: struct netlink_dump's `fill`. */
bool diag_fill_tcp(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK;
bool diag_fill_udp(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK;
bool diag_fill_udp_lite(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK;
bool diag_fill_raw(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK;

/* One socket's message, when the filter lets it through. False: it did not fit. diag_message.c */
bool diag_put_tcp(struct netlink_dump *dump, struct netlink_writer *writer,
		  const struct tcp_view *view) NEEDS_NET_LOCK;
bool diag_put_datagram(struct netlink_dump *dump, struct netlink_writer *writer,
		       const struct inet_socket *inet, uint16_t local_port) NEEDS_NET_LOCK;

/* SOCK_DESTROY: diag_destroy_tcp.c. 0, -ENOENT, -EOPNOTSUPP. */
int diag_destroy_tcp(struct net *net, const struct inet_diag_req_v2 *request) NEEDS_NET_LOCK;

#endif
