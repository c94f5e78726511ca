/* Names of AF_UNIX sockets: paths, abstract names, and those that the kernel chooses. unix(7) */
#include "kernel/fs/inode.h"
#include "kernel/fs/socket_inode.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "net/unix/unix_private.h"

#define FAMILY_LENGTH sizeof(sa_family_t)
#define CHOSEN_DIGITS 5 /* of an autobind name, hexadecimal */
#define CHOSEN_NAMES (1u << (4 * CHOSEN_DIGITS))

_Static_assert(offsetof(struct unix_address, path) ==
		       offsetof(struct unix_address, family) + FAMILY_LENGTH,
	       "family and path stand as in a sockaddr");

static bool is_abstract(const struct unix_address *address)
{
	return address->path[0] == '\0';
}

struct unix_address *unix_address_get(struct unix_address *address)
{
	if (address)
		__atomic_add_fetch(&address->references, 1, __ATOMIC_RELAXED);
	return address;
}

void unix_address_put(struct unix_address *address)
{
	if (address && !__atomic_sub_fetch(&address->references, 1, __ATOMIC_ACQ_REL))
		kfree(address);
}

void unix_address_tell(const struct unix_address *address, struct sockaddr_storage *name,
		       uint32_t *length)
{
	name->ss_family = AF_UNIX;
	*length = address ? address->length : FAMILY_LENGTH;
	if (address)
		memcpy(name, &address->family, address->length);
}

/* Reads a name that a process gives. 0 or -EINVAL. */
static int read_name(const struct sockaddr_storage *name, uint32_t length,
		     struct unix_address *address)
{
	if (length <= FAMILY_LENGTH || length > sizeof(struct sockaddr_un) ||
	    name->ss_family != AF_UNIX)
		return -EINVAL;
	memset(address, 0, sizeof(*address));
	memcpy(&address->family, name, length);
	address->length = length;
	/* A path ends at its NUL, and is told with one. */
	if (!is_abstract(address))
		address->length = (uint32_t)(FAMILY_LENGTH + strlen(address->path) + 1);
	return 0;
}

static struct hlist_head *bucket(struct net *net, const struct unix_address *address)
{
	uint32_t hash = 0;

	for (uint32_t i = 0; i < address->length - FAMILY_LENGTH; i++)
		hash = hash * 31 + (uint8_t)address->path[i];
	return &unix_state(net)->names[hash % UNIX_NAME_BUCKETS];
}

static bool same_name(const struct unix_address *a, const struct unix_address *b)
{
	return a->length == b->length && memcmp(a->path, b->path, a->length - FAMILY_LENGTH) == 0;
}

/* Each type has its own abstract names. */
static struct unix_socket *find_abstract(struct net *net, const struct unix_address *address,
					 uint16_t type) NEEDS_NET_LOCK
{
	struct unix_socket *unix;

	hlist_for_each_entry(unix, bucket(net, address), by_name)
		if (unix->socket.type == type && same_name(unix->address, address))
			return unix;
	return NULL;
}

/* 0, -EADDRINUSE or -ENOMEM. */
static int take_abstract(struct unix_socket *unix, const struct unix_address *wanted) NEEDS_NET_LOCK
{
	struct net *net = unix->socket.net;
	struct unix_address *address;

	if (find_abstract(net, wanted, unix->socket.type))
		return -EADDRINUSE;
	address = kmalloc(sizeof(*address));
	if (!address)
		return -ENOMEM;
	*address = *wanted;
	address->references = 1;
	unix->address = address;
	hlist_push(bucket(net, address), &unix->by_name);
	return 0;
}

int unix_autobind(struct unix_socket *unix)
{
	struct unix_state *state = unix_state(unix->socket.net);
	struct unix_address address = {.family = AF_UNIX,
				       .length = FAMILY_LENGTH + 1 + CHOSEN_DIGITS};
	int error = -EADDRINUSE;

	if (unix->address || unix->binding)
		return 0;
	for (uint32_t i = 0; i < CHOSEN_NAMES && error == -EADDRINUSE; i++) {
		uint32_t number = state->next_name++ % CHOSEN_NAMES;

		for (int digit = CHOSEN_DIGITS; digit > 0; digit--, number >>= 4)
			address.path[digit] = "0123456789abcdef"[number & 0xf];
		error = take_abstract(unix, &address);
	}
	return error == -EADDRINUSE ? -ENOSPC : error;
}

int unix_autobind_for_credentials(struct unix_socket *unix)
{
	return unix->socket.passcred ? unix_autobind(unix) : 0;
}

/* Makes the name in the file system; nobody else binds this socket meanwhile. */
static int take_path(struct unix_socket *unix, const struct unix_address *wanted)
{
	struct net *net = unix->socket.net;
	struct unix_address *address = kmalloc(sizeof(*address));
	struct inode *inode;

	if (!address)
		return -ENOMEM;
	*address = *wanted;
	address->references = 1;
	int error = socket_inode_create(address->path, &inode);

	if (error) {
		kfree(address);
		return error;
	}
	net_lock(net);
	unix->address = address;
	unix->inode = inode;
	inode->private = unix;
	net_unlock(net);
	return 0;
}

static int bind_locked(struct unix_socket *unix, const struct unix_address *wanted) NEEDS_NET_LOCK
{
	if (unix->address || unix->binding)
		return -EINVAL;
	if (wanted->length == FAMILY_LENGTH)
		return unix_autobind(unix);
	if (is_abstract(wanted))
		return take_abstract(unix, wanted);
	unix->binding = true;
	return 0;
}

int unix_bind(struct socket *socket, const struct sockaddr_storage *name, uint32_t length)
{
	struct unix_socket *unix = unix_socket(socket);
	struct unix_address wanted = {.length = FAMILY_LENGTH};
	int error = 0;

	if (length != FAMILY_LENGTH || name->ss_family != AF_UNIX)
		error = read_name(name, length, &wanted);
	if (error)
		return error;
	net_lock(socket->net);
	error = bind_locked(unix, &wanted);
	net_unlock(socket->net);
	if (error || wanted.length == FAMILY_LENGTH || is_abstract(&wanted))
		return error;
	error = take_path(unix, &wanted);
	net_lock(socket->net);
	unix->binding = false;
	net_unlock(socket->net);
	return error;
}

void unix_forget_name(struct unix_socket *unix)
{
	hlist_remove(&unix->by_name);
	if (!unix->inode)
		return;
	unix->inode->private = NULL;
	inode_put(unix->inode);
	unix->inode = NULL;
}

/* The socket of an abstract name or an inode, with a reference. NULL: nobody. */
static struct unix_socket *look_up(struct net *net, const struct unix_address *address,
				   uint16_t type, const struct inode *inode) NEEDS_NET_LOCK
{
	struct unix_socket *unix = inode ? inode->private : find_abstract(net, address, type);

	if (!unix || unix->socket.net != net)
		return NULL;
	socket_get(&unix->socket);
	return unix;
}

int unix_find(const struct unix_socket *from, const struct sockaddr_storage *name, uint32_t length,
	      struct unix_socket **result)
{
	struct net *net = from->socket.net;
	struct unix_address address;
	struct inode *inode = NULL;
	int error = read_name(name, length, &address);

	if (!error && !is_abstract(&address))
		error = socket_inode_find(address.path, &inode);
	if (error)
		return error;
	net_lock(net);
	*result = look_up(net, &address, from->socket.type, inode);
	net_unlock(net);
	inode_put(inode);
	if (!*result)
		return -ECONNREFUSED;
	if ((*result)->socket.type == from->socket.type)
		return 0;
	socket_put(&(*result)->socket);
	return -EPROTOTYPE;
}
