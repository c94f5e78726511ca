/* The family for tests of the socket layer; see socket_family.h. */
#include "test/host/unit/socket_family.h"

#include <string.h>

#include "include/uapi/if.h"
#include "include/uapi/route.h"
#include "include/uapi/sockios.h"
#include "kernel/fs/file.h"

static struct test_socket *of(struct socket *socket)
{
	return container_of(socket, struct test_socket, socket);
}

static struct test_family *family_of(struct net *net)
{
	struct socket_family *family;

	list_for_each_entry(family, &net->families, link) {
		if (family->family == AF_TEST)
			return container_of(family, struct test_family, family);
	}
	return NULL;
}

static int test_open(struct socket *socket)
{
	skb_queue_init(&of(socket)->sent);
	return family_of(socket->net)->open_error;
}

static void test_close(struct socket *socket)
{
	skb_queue_drop_all(&of(socket)->sent, DROP_SOCKET_CLOSED);
}

static void test_linger(struct socket *socket)
{
	family_of(socket->net)->lingers++;
}

static int test_bind(struct socket *socket, const struct sockaddr_storage *name, uint32_t length)
{
	if (length < 3)
		return -EINVAL;
	of(socket)->name = (uint8_t)name->ss_bytes[0];
	return 0;
}

static int test_connect(struct socket *socket, const struct sockaddr_storage *name, uint32_t length)
{
	if (length < 3)
		return -EINVAL;
	of(socket)->peer = (uint8_t)name->ss_bytes[0];
	return 0;
}

static int test_disconnect(struct socket *socket)
{
	of(socket)->peer = 0;
	return 0;
}

static int test_shutdown(struct socket *socket, int how) NEEDS_NET_LOCK
{
	if (how != SHUT_WR)
		socket->shutdown |= SHUTDOWN_RECEIVE;
	if (how != SHUT_RD)
		socket->shutdown |= SHUTDOWN_SEND;
	socket_wake(socket, POLLIN | POLLOUT | POLLHUP);
	return 0;
}

static int test_name(struct socket *socket, bool peer, struct sockaddr_storage *name,
		     uint32_t *length)
{
	uint8_t byte = peer ? of(socket)->peer : of(socket)->name;

	if (peer && !byte)
		return -ENOTCONN;
	name->ss_family = AF_TEST;
	name->ss_bytes[0] = (char)byte;
	*length = 3;
	return 0;
}

static int test_transmit(struct socket *socket, const struct message *message, struct sk_buff *skb)
{
	uint64_t *control = SKB_CONTROL(skb, uint64_t);

	control[0] = message->name_length ? (uint8_t)message->name.ss_bytes[0] : 0;
	control[1] = message->control_length;
	skb_queue_append(&of(socket)->sent, skb);
	return 0;
}

static int64_t test_sendmsg(struct socket *socket, struct message *message)
{
	return socket_send_datagram(socket, message, test_transmit);
}

static int64_t test_recvmsg(struct socket *socket, struct message *message)
{
	struct sk_buff *skb;
	int error = message->flags & MSG_ERRQUEUE
			    ? 0
			    : socket_wait_receive(socket, message->flags, &skb);

	if (message->flags & MSG_ERRQUEUE) {
		skb = socket_take_queued_error(socket);
		if (!skb)
			return -EAGAIN;
		message->flags_out |= MSG_ERRQUEUE;
	}
	if (error || !skb)
		return error;
	size_t n = MIN((size_t)skb->len, (size_t)message->iov.remaining);

	error = skb_copy_to_iov(skb, 0, &message->iov, n);
	message->name.ss_family = AF_TEST;
	message->name.ss_bytes[0] = (char)SKB_CONTROL(skb, uint64_t)[0];
	message->name_length = 3;
	socket_put_timestamp(socket, skb, message);
	skb_free(skb);
	return error ? error : (int64_t)n;
}

static int test_listen(struct socket *socket, int backlog)
{
	of(socket)->backlog = backlog;
	socket->listening = true;
	return 0;
}

static int test_accept(struct socket *socket, struct socket **child, uint32_t flags)
{
	struct socket_wait wait;
	int error = 0;

	if (!of(socket)->accepted && (flags & MSG_DONTWAIT))
		return -EAGAIN;
	socket_wait_begin(&wait, socket, socket->receive_timeout_us);
	while (!of(socket)->accepted && !error)
		error = socket_wait_sleep(&wait);
	socket_wait_end(&wait);
	*child = of(socket)->accepted;
	of(socket)->accepted = NULL;
	return error;
}

static int test_setsockopt(struct socket *socket, int level, int option, const void *value,
			   uint32_t length)
{
	if (level != SOL_TEST || option != TEST_OPTION)
		return -ENOPROTOOPT;
	memcpy(of(socket)->option, value, length);
	of(socket)->option_length = length;
	return 0;
}

static int test_getsockopt(struct socket *socket, int level, int option, void *value,
			   uint32_t *length)
{
	if (level != SOL_TEST || option != TEST_OPTION)
		return -ENOPROTOOPT;
	*length = MIN(*length, of(socket)->option_length);
	memcpy(value, of(socket)->option, *length);
	return 0;
}

static const struct socket_ops test_ops = {
	.size = sizeof(struct test_socket),
	.open = test_open,
	.close = test_close,
	.linger = test_linger,
	.bind = test_bind,
	.connect = test_connect,
	.disconnect = test_disconnect,
	.shutdown = test_shutdown,
	.name = test_name,
	.sendmsg = test_sendmsg,
	.recvmsg = test_recvmsg,
	.listen = test_listen,
	.accept = test_accept,
	.setsockopt = test_setsockopt,
	.getsockopt = test_getsockopt,
};

/* SOCK_SEQPACKET: a kind that can do nothing. */
static const struct socket_ops bare_ops = {.size = sizeof(struct test_socket)};

static const struct socket_ops *test_find(struct net *net __unused, int type, int *protocol,
					  int *error)
{
	if (*protocol == 99) {
		*error = -EPROTONOSUPPORT;
		return NULL;
	}
	if (*protocol == 0)
		*protocol = 7;
	return type == SOCK_SEQPACKET ? &bare_ops : &test_ops;
}

/* One interface, "test0", for SIOCGIFCONF; routes by a device's name. */
static int test_ioctl(struct net *net, uint32_t command, void *argument)
{
	struct test_family *family = family_of(net);
	struct ifconf *list = argument;

	family->last_ioctl = command;
	if (command == SIOCGIFCONF) {
		if (!list->ifc_buf) {
			list->ifc_len = sizeof(struct ifreq);
			return 0;
		}
		if (list->ifc_len < (int32_t)sizeof(struct ifreq)) {
			list->ifc_len = 0;
			return 0;
		}
		strcpy(((struct ifreq *)list->ifc_buf)->ifr_name, "test0");
		list->ifc_len = sizeof(struct ifreq);
		return 0;
	}
	if (command == SIOCADDRT) {
		const struct rtentry *route = argument;

		strcpy(family->route_device, route->rt_dev ? (const char *)route->rt_dev : "");
		return 0;
	}
	return -ENOTTY;
}

void test_family_init(struct test_family *family, struct net *net)
{
	memset(family, 0, sizeof(*family));
	family->family = (struct socket_family){
		.family = AF_TEST, .find = test_find, .ioctl = test_ioctl};
	socket_family_register(net, &family->family);
}

void test_family_destroy(struct test_family *family)
{
	list_remove(&family->family.link);
}

void test_family_deliver(struct test_socket *socket)
{
	struct net *net = socket->socket.net;
	struct sk_buff *skb;

	net_lock(net);
	while ((skb = skb_queue_take(&socket->sent))) {
		skb_orphan(skb);
		socket_queue_receive(&socket->socket, skb);
	}
	net_unlock(net);
}

struct test_socket *test_socket_of(int fd)
{
	struct file *file = fd_get(fd);

	assert_non_null(file);
	struct socket *socket = socket_of_file(file);

	file_put(file);
	return of(socket);
}

int64_t call(uint32_t number, const uint64_t *arguments)
{
	return host_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
			    arguments[4], arguments[5]);
}

int open_socket(uint32_t flags)
{
	int64_t fd = CALL(socket, AF_TEST, SOCK_DGRAM | flags);

	assert_true(fd >= 0);
	return (int)fd;
}

int64_t send_text(int fd, const char *text)
{
	return CALL(sendto, (uint64_t)fd, P(text), strlen(text));
}

int64_t receive_text(int fd, char *to, uint32_t flags)
{
	return CALL(recvfrom, (uint64_t)fd, P(to), 100, flags);
}

bool deliver_everything(struct fixture *fixture __unused)
{
	struct test_socket *socket = test_socket_of(0);

	if (skb_queue_first(&socket->sent) == NULL)
		return false;
	test_family_deliver(socket);
	return true;
}
