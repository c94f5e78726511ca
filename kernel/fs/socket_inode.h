/*
 * Names of sockets in the file system: what bind(AF_UNIX) makes and connect looks up. The inode, of
 * kind S_IFSOCK, is where both meet: while a socket is bound to it, inode->private is that socket,
 * as net/unix has set it.
 *
 * Process context, nobody inside a monitor. Paths are kernel strings, of the calling process.
 */
#ifndef KERNEL_FS_SOCKET_INODE_H
#define KERNEL_FS_SOCKET_INODE_H

struct inode;

/*
 * Makes the name, with all permissions that the umask leaves. 0 and a reference, or a negative
 * errno: -EADDRINUSE when the name exists, and those of path_walk.
 */
int socket_inode_create(const char *path, struct inode **result);

/*
 * Where the path leads. 0 and a reference; -EACCES: to what the caller may not write;
 * -ECONNREFUSED: to no socket; those of path_walk.
 */
int socket_inode_find(const char *path, struct inode **result);

#endif
