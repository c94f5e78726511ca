/*
 * The filters that come with requests for lists of sockets: a program of tests and forward jumps,
 * as `ss 'dport = :22'` makes it. No state, no allocation, no socket.
 */
#ifndef NET_NETLINK_DIAG_FILTER_H
#define NET_NETLINK_DIAG_FILTER_H

#include "include/uapi/inet_diag.h"
#include "kernel/types.h"
#include "net/core/addr.h"

/* What a filter sees of a socket. */
struct diag_subject {
	const struct endpoint *local, *remote;
	int ifindex; /* that it is bound to; 0: none */
	uint32_t mark;
	bool port_chosen; /* by the stack, not by bind */
};

/*
 * Is it a program: whole instructions, and jumps that lead forward to the beginning of one, to the
 * end, or out?
 */
bool diag_filter_check(const uint8_t *program, size_t length);

/* Does the socket pass a program that was checked? */
bool diag_filter_passes(const uint8_t *program, size_t length, const struct diag_subject *subject);

#endif
