/*
 * Sockets of the stack that the program serves from its one loop: each tells through its wait list
 * that something happened to it, and then gets a turn. Nothing is polled and nothing sleeps.
 */
#ifndef TEST_HOST_PROGRAMS_VITRINE_HOST_SERVER_H
#define TEST_HOST_PROGRAMS_VITRINE_HOST_SERVER_H

#include "kernel/list.h"
#include "kernel/wait.h"
#include "net/core/socket.h"

#define SERVER_AT_ONCE 64 /* messages that one turn may handle: then the others get theirs */

/* What a turn leaves behind. */
enum served_state {
	SERVED_IDLE,  /* nothing more before it is woken */
	SERVED_MORE,  /* it wants another turn */
	SERVED_ENDED, /* to be removed */
};

struct served {
	struct waiter waiter;
	struct list_head link;       /* server->all */
	struct list_head ready_link; /* server->ready while it wants a turn */
	struct server *server;
	struct socket *socket;
	enum served_state (*turn)(struct served *served);
	void *context; /* the turn's */
	void *memory;  /* the turn's too, from malloc: freed with the socket */
};

struct server {
	struct net *net;
	struct list_head all, ready; /* struct served */
};

void server_init(struct server *server, struct net *net);

/*
 * Takes over the socket, and gives it a first turn. NULL when the host has no memory; then the
 * socket is closed.
 */
struct served *server_add(struct server *server, struct socket *socket,
			  enum served_state (*turn)(struct served *served), void *context);

/* Closes the socket. Not from its own turn. */
void server_remove(struct served *served);
void server_remove_all(struct server *server);

/* One turn for each socket that wants one. True when some want another. */
bool server_run(struct server *server);

#endif
