/* TCP connections for small programs: by name or address, with an error in words. */
#ifndef USERLAND_LIB_TCP_H
#define USERLAND_LIB_TCP_H

#include <stddef.h>
#include <stdint.h>

/*
 * Connects to "10.0.2.2" or a name. A socket, or -1 after "PROGRAM: HOST:PORT: what is wrong" on
 * stderr.
 */
int tcp_connect_to(const char *program, const char *host, uint16_t port);

/* A listening socket on every address, or -1 after a line on stderr. Not inherited by exec. */
int tcp_listen_on(const char *program, uint16_t port);

/*
 * Raises the number of descriptors that the program may have as far as the kernel lets it: for
 * servers, each of whose clients is one.
 */
void tcp_allow_many(void);

/* All of it; 0, or -1 with errno set. */
int write_all(int fd, const void *bytes, size_t length);

#endif
