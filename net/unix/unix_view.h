/*
 * The sockets of AF_UNIX of a stack, one after the other, as others may know them: for SOCK_DIAG.
 *
 * Needs the net lock throughout; what a view points to is good under the same hold of it.
 */
#ifndef NET_UNIX_UNIX_VIEW_H
#define NET_UNIX_UNIX_VIEW_H

#include "net/core/net.h"
#include "net/core/socket.h"

struct inode;

struct unix_view {
	const struct socket *socket;
	const struct socket *peer; /* NULL: it has none, or that one is closed */
	const char *name;          /* as in sun_path: a path with its NUL, or an abstract name */
	uint32_t name_length;      /* bytes; 0: none */
	const struct inode *inode; /* its place in the file system, or NULL */
	uint8_t state;             /* TCP_ESTABLISHED, TCP_LISTEN or TCP_CLOSE, as Linux shows it */
	/* Bytes to be read, and sent but not yet read. A listener: who waits, and its backlog. */
	uint32_t receive_queue, send_queue;
};

/*
 * Shows every socket whose inode number is above `after`, in the order of these numbers, until
 * `visit` returns false: then it returns false, too.
 */
bool unix_view_each(struct net *net, uint64_t after,
		    bool (*visit)(const struct unix_view *view, void *context),
		    void *context) NEEDS_NET_LOCK;

/*
 * The inode numbers of those who wait to be accepted (0: closed meanwhile), `room` at most. How
 * many were written.
 */
uint32_t unix_view_pending(const struct unix_view *view, uint32_t *numbers,
			   uint32_t room) NEEDS_NET_LOCK;

#endif
