/*
 * AF_UNIX, unix(7): sockets between processes of one machine. SOCK_STREAM carries bytes,
 * SOCK_DGRAM messages from anybody, SOCK_SEQPACKET messages over a connection. Names are paths in
 * the file system, or abstract ones: any bytes, known to one stack. Messages carry open files
 * (SCM_RIGHTS) and the sender's identity (SCM_CREDENTIALS).
 *
 * Nothing is ever lost or put out of order: a sender waits while too much of its own is unread.
 */
#ifndef NET_UNIX_UNIX_H
#define NET_UNIX_UNIX_H

#include "net/core/net.h"

/* Registers the family. 0 or -ENOMEM. */
int unix_init(struct net *net);
void unix_destroy(struct net *net);

/* Registers /proc/net/unix and /proc/sys/net/unix. Process context. 0 or -ENOMEM. */
int unix_proc_init(struct net *net);

#endif
