/* Short forms of the stack's socket calls on kernel memory, which never sleep. */
#ifndef TEST_HOST_PROGRAMS_VITRINE_HOST_STACK_SOCKET_H
#define TEST_HOST_PROGRAMS_VITRINE_HOST_STACK_SOCKET_H

#include "net/core/socket.h"

/* A socket of SOCK_DGRAM or SOCK_STREAM bound to the port of any address. 0 or a negative errno. */
int stack_socket_open(struct net *net, int type, uint16_t port, struct socket **result);

int stack_socket_bind(struct socket *socket, ip4_t address, uint16_t port);

/* Sets an option of one int at level SOL_SOCKET. */
int stack_socket_set(struct socket *socket, int option, int value);

/*
 * One message; *message says from whom (name, name_length). Its length in bytes, -EAGAIN when
 * there is none, or another negative errno.
 */
int64_t stack_socket_receive(struct socket *socket, struct message *message, void *bytes,
			     size_t room);

/* Bytes sent or a negative errno. */
int64_t stack_socket_send(struct socket *socket, const struct sockaddr_storage *to,
			  uint32_t to_length, const void *bytes, size_t length);

#endif
