/*
 * The collector: sockets that only messages hold, in queues that nobody can read any more.
 *
 * A socket can be sent over a socket. Two that lie in each other's queues, or one in its own, keep
 * one another alive when every descriptor is closed. So whenever a socket goes, or a descriptor of
 * one that is in flight, it is asked what can still be reached: every socket whose file somebody
 * else than messages holds, and from there, again and again, the sockets in the queues of those.
 * The messages of the others are discarded, which closes what they hold.
 *
 * A system call on a socket holds its file, so such a socket counts as reached, and the next
 * occasion finds what it left. Without a socket in flight, as nearly always, nothing is done.
 */
#include "kernel/fs/file.h"
#include "net/unix/unix_private.h"

static void reach(struct list_head *found, struct unix_socket *unix)
{
	if (unix->reached)
		return;
	unix->reached = true;
	list_append(found, &unix->reached_link);
}

/* Somebody else than messages holds it. */
static bool is_held(const struct unix_socket *unix, const struct unix_socket *leaving)
{
	const struct file *file = unix->socket.file;

	if (!file) /* it waits for accept, and goes with its listener; else it is being made */
		return list_empty(&unix->pending_link);
	uint32_t references = __atomic_load_n(&file->references, __ATOMIC_RELAXED);

	return references > unix->in_flight + (unix == leaving);
}

static void reach_what_it_holds(struct list_head *found, struct unix_socket *unix) NEEDS_NET_LOCK
{
	struct unix_socket *pending;
	struct sk_buff *skb;

	list_for_each_entry(pending, &unix->pending, pending_link)
		reach(found, pending);
	list_for_each_entry(skb, &unix->socket.receive_queue.list, link) {
		const struct unix_rights *rights = UNIX_CONTROL(skb)->rights;

		for (uint32_t i = 0; rights && i < rights->count; i++) {
			struct unix_socket *held = unix_socket_of_file(rights->files[i]);

			if (held)
				reach(found, held);
		}
	}
}

void unix_collect(struct net *net, const struct unix_socket *leaving)
{
	struct unix_state *state = unix_state(net);
	struct list_head found = LIST_HEAD_INIT(found);
	struct unix_socket *unix;

	if (state->sockets_in_flight == 0)
		return;
	list_for_each_entry(unix, &state->sockets, socket.link)
		unix->reached = false;
	list_for_each_entry(unix, &state->sockets, socket.link) {
		if (is_held(unix, leaving))
			reach(&found, unix);
	}
	while (!list_empty(&found)) {
		unix = list_first_entry(&found, struct unix_socket, reached_link);
		list_remove(&unix->reached_link);
		reach_what_it_holds(&found, unix);
	}
	list_for_each_entry(unix, &state->sockets, socket.link) {
		if (!unix->reached)
			unix_discard_queue(unix);
	}
}
