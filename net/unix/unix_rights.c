/*
 * SCM_RIGHTS: open files that travel with a message, unix(7).
 *
 * A message holds a reference on each file, so a file in flight lives on when its sender has closed
 * it. How many are in flight is bounded: in a message by UNIX_FILES_MAX, and in all queues
 * together, for each user, by what the sending process might have open itself (RLIMIT_NOFILE).
 */
#include "kernel/fs/file.h"
#include "kernel/mm/kmalloc.h"
#include "net/unix/unix_private.h"

#define SLOT_SIZE sizeof(void *) /* of an entry of rights->files */

static struct unix_rights *allocate(size_t count)
{
	struct unix_rights *rights = kmalloc(sizeof(*rights) + count * SLOT_SIZE);

	if (!rights)
		return NULL;
	list_init(&rights->link);
	rights->count = 0;
	rights->sender = NULL;
	return rights;
}

int unix_rights_read(const int32_t *fds, size_t count, struct unix_rights **rights)
{
	size_t before = *rights ? (*rights)->count : 0;
	struct unix_rights *longer;

	if (count == 0)
		return 0;
	if (before + count > UNIX_FILES_MAX)
		return -EINVAL;
	longer = allocate(before + count);
	if (!longer)
		return -ENOMEM;
	for (; longer->count < before; longer->count++)
		longer->files[longer->count] = (*rights)->files[longer->count];
	kfree(*rights);
	*rights = longer;
	for (size_t i = 0; i < count; i++) {
		struct file *file = fd_get_path(fds[i]);

		if (!file)
			return -EBADF;
		longer->files[longer->count++] = file;
	}
	return 0;
}

struct unix_rights *unix_rights_copy(const struct unix_rights *rights)
{
	struct unix_rights *copy = allocate(rights->count);

	if (!copy)
		return NULL;
	for (; copy->count < rights->count; copy->count++)
		copy->files[copy->count] = file_get(rights->files[copy->count]);
	return copy;
}

/*
 * Closing the last reference of a socket may have to wait (SO_LINGER): for the process that closes
 * its own, not for whoever happens to clear up behind it.
 */
static void close_quickly(struct file *file)
{
	struct socket *socket = socket_of_file(file);

	if (socket && socket->linger_seconds && file->references == 1)
		socket->linger = false;
	file_put(file);
}

void unix_rights_put(struct unix_rights *rights)
{
	if (!rights)
		return;
	for (uint32_t i = 0; i < rights->count; i++)
		close_quickly(rights->files[i]);
	kfree(rights);
}

void unix_rights_install(struct unix_rights *rights, struct message *message)
{
	size_t left = message->control_to ? message->control_room - message->control_used : 0;
	size_t room = left > sizeof(struct cmsghdr)
			      ? (left - sizeof(struct cmsghdr)) / sizeof(int32_t)
			      : 0;
	bool close_on_exec = message->flags & MSG_CMSG_CLOEXEC;
	int32_t fds[UNIX_FILES_MAX];
	uint32_t count = 0;

	for (; count < MIN(rights->count, room); count++) {
		fds[count] = fd_install(rights->files[count], 0, close_on_exec);
		if (fds[count] < 0)
			break;
		file_get(rights->files[count]); /* the descriptor's is the one we had */
	}
	if (count)
		message_put_control(message, SOL_SOCKET, SCM_RIGHTS, fds, count * sizeof(fds[0]));
	if (count < rights->count)
		message->flags_out |= MSG_CTRUNC;
	unix_rights_put(rights);
}

struct unix_socket *unix_socket_of_file(struct file *file)
{
	struct socket *socket = socket_of_file(file);

	return socket && socket->family == AF_UNIX ? unix_socket(socket) : NULL;
}

/* One who has files in flight, for as long as he has. */
struct unix_user {
	struct list_head link; /* state->users */
	uint32_t uid;
	uint64_t files;
};

/* Found or made; NULL: no memory. */
static struct unix_user *user_of(struct unix_state *state, uint32_t uid)
{
	struct unix_user *user;

	list_for_each_entry(user, &state->users, link)
		if (user->uid == uid)
			return user;
	user = kmalloc(sizeof(*user));
	if (!user)
		return NULL;
	*user = (struct unix_user){.uid = uid};
	list_append(&state->users, &user->link);
	return user;
}

static void forget_if_idle(struct unix_user *user)
{
	if (user->files)
		return;
	list_remove(&user->link);
	kfree(user);
}

int unix_rights_depart(struct net *net, const struct unix_outgoing *out)
{
	struct unix_state *state = unix_state(net);
	struct unix_rights *rights = out->rights;
	struct unix_user *user = user_of(state, out->uid);

	if (!user)
		return -ENOMEM;
	if (user->files + rights->count > out->files_limit) {
		forget_if_idle(user);
		return -ETOOMANYREFS;
	}
	user->files += rights->count;
	rights->sender = user;
	for (uint32_t i = 0; i < rights->count; i++) {
		struct unix_socket *unix = unix_socket_of_file(rights->files[i]);

		if (!unix)
			continue;
		unix->in_flight++;
		state->sockets_in_flight++;
	}
	return 0;
}

void unix_rights_land(struct net *net, struct unix_rights *rights)
{
	struct unix_state *state = unix_state(net);

	rights->sender->files -= rights->count;
	forget_if_idle(rights->sender);
	rights->sender = NULL;
	for (uint32_t i = 0; i < rights->count; i++) {
		struct unix_socket *unix = unix_socket_of_file(rights->files[i]);

		if (!unix)
			continue;
		unix->in_flight--;
		state->sockets_in_flight--;
	}
}

/*
 * The next of state->dead for this call, or NULL: none, or another call is at it. `ours`: some were
 * given up, and the collector, to whom they looked like somebody's, may find more now.
 */
static struct unix_rights *next_dead(struct net *net, bool ours) NEEDS_NET_LOCK
{
	struct unix_state *state = unix_state(net);
	struct unix_rights *rights = NULL;

	if (state->burying && !ours)
		return NULL;
	if (ours && list_empty(&state->dead))
		unix_collect(net, NULL);
	if (!list_empty(&state->dead)) {
		rights = list_first_entry(&state->dead, struct unix_rights, link);
		list_remove(&rights->link);
	}
	state->burying = rights != NULL;
	return rights;
}

void unix_bury(struct net *net)
{
	struct unix_rights *rights;
	bool ours = false;

	do {
		net_lock(net);
		rights = next_dead(net, ours);
		net_unlock(net);
		ours = true;
		unix_rights_put(rights);
	} while (rights);
}
