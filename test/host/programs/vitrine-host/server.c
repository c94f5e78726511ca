/* Turns for sockets; see server.h. */
#include "test/host/programs/vitrine-host/server.h"

#include <stdlib.h>

static void want_turn(struct served *served)
{
	if (list_empty(&served->ready_link))
		list_append(&served->server->ready, &served->ready_link);
}

static void woken(struct waiter *waiter, uint32_t events __unused)
{
	want_turn(container_of(waiter, struct served, waiter));
}

void server_init(struct server *server, struct net *net)
{
	server->net = net;
	list_init(&server->all);
	list_init(&server->ready);
}

struct served *server_add(struct server *server, struct socket *socket,
			  enum served_state (*turn)(struct served *served), void *context)
{
	struct served *served = calloc(1, sizeof(*served));

	if (!served) {
		socket_close(socket);
		return NULL;
	}
	served->server = server;
	served->socket = socket;
	served->turn = turn;
	served->context = context;
	served->waiter.wake = woken;
	list_init(&served->ready_link);
	list_append(&server->all, &served->link);
	waiter_join(&served->waiter, &socket->wait);
	want_turn(served);
	return served;
}

void server_remove(struct served *served)
{
	waiter_leave(&served->waiter);
	list_remove(&served->ready_link);
	list_remove(&served->link);
	socket_close(served->socket);
	free(served->memory);
	free(served);
}

void server_remove_all(struct server *server)
{
	while (!list_empty(&server->all))
		server_remove(list_first_entry(&server->all, struct served, link));
}

bool server_run(struct server *server)
{
	struct list_head round; /* who wants a turn again waits for the next round */

	list_init(&round);
	list_splice(&round, &server->ready);
	while (!list_empty(&round)) {
		struct served *served = list_first_entry(&round, struct served, ready_link);

		list_remove(&served->ready_link);
		switch (served->turn(served)) {
		case SERVED_IDLE:
			break;
		case SERVED_MORE:
			want_turn(served);
			break;
		case SERVED_ENDED:
			server_remove(served);
			break;
		}
	}
	return !list_empty(&server->ready);
}
