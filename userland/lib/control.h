/* The control messages that recvmsg(2) brings beside the data: cmsg(3). */
#ifndef USERLAND_LIB_CONTROL_H
#define USERLAND_LIB_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/*
 * Copies `size` bytes of the first control message of level IPPROTO_IP and this type. False when
 * there is none, or it is shorter.
 */
bool control_read(struct msghdr *message, int type, void *value, size_t size);

#endif
