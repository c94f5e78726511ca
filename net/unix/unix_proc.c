/* /proc/net/unix, as Linux prints it, and /proc/sys/net/unix. */
#include "kernel/procfs/procfs.h"
#include "net/unix/unix.h"
#include "net/unix/unix_private.h"

#define FLAG_LISTENS 0x10000 /* __SO_ACCEPTCON */

/* The socket states that the file has always shown. */
enum { STATE_UNCONNECTED = 1, STATE_CONNECTED = 3 };

/* A path as it is; of an abstract name each NUL as '@'. */
static void show_name(struct text *text, const struct unix_address *address)
{
	uint32_t length = address->length - (uint32_t)sizeof(sa_family_t);
	bool abstract = address->path[0] == '\0';

	if (!abstract)
		length--; /* its NUL */
	text_printf(text, " ");
	for (uint32_t i = 0; i < length; i++)
		text_printf(text, "%c", address->path[i] ? address->path[i] : '@');
}

static void show_socket(struct text *text, const struct unix_socket *unix) NEEDS_NET_LOCK
{
	const struct socket *socket = &unix->socket;

	text_printf(text, "%016x: %08x %08x %08x %04x %02x %5llu", 0u, socket->references, 0u,
		    socket->listening ? FLAG_LISTENS : 0, socket->type,
		    unix->peer ? STATE_CONNECTED : STATE_UNCONNECTED,
		    (unsigned long long)socket->inode_number);
	if (unix->address)
		show_name(text, unix->address);
	text_printf(text, "\n");
}

void unix_show(struct text *text, void *context)
{
	struct net *net = context;
	struct unix_socket *unix;

	text_printf(text, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	net_lock(net);
	list_for_each_entry(unix, &unix_state(net)->sockets, socket.link)
		show_socket(text, unix);
	net_unlock(net);
}

int unix_proc_init(struct net *net)
{
	int error = proc_register("net/unix", unix_show, net);

	if (error)
		return error;
	return proc_register_number("sys/net/unix/max_dgram_qlen", &unix_state(net)->datagrams_max,
				    1, INT32_MAX);
}
