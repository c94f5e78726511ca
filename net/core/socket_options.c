/* Options of level SOL_SOCKET: socket(7). */
#include "include/uapi/capability.h"
#include "include/uapi/time.h"
#include "kernel/string.h"
#include "kernel/user.h"
#include "net/core/netdevice.h"
#include "net/core/socket_filter.h"

#define RECEIVE_BUFFER_MIN 2304 /* bytes of truesize: one small packet */
#define SEND_BUFFER_MIN 4608    /* two */
#define TIMEOUT_MAX_US (1ull << 62)

/* The options that are one switch each. */
static const struct {
	uint16_t option, offset;
} switches[] = {
	{SO_REUSEADDR, offsetof(struct socket, reuse_address)},
	{SO_REUSEPORT, offsetof(struct socket, reuse_port)},
	{SO_BROADCAST, offsetof(struct socket, broadcast)},
	{SO_KEEPALIVE, offsetof(struct socket, keepalive)},
	{SO_OOBINLINE, offsetof(struct socket, oob_inline)},
	{SO_DONTROUTE, offsetof(struct socket, dont_route)},
	{SO_PASSCRED, offsetof(struct socket, passcred)},
	{SO_NO_CHECK, offsetof(struct socket, no_check)},
};

static bool *find_switch(struct socket *socket, int option)
{
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		if (switches[i].option == option)
			return (bool *)((char *)socket + switches[i].offset);
	}
	return NULL;
}

/* Doubled for what packets weigh beyond their bytes, as socket(7) says. */
static int32_t buffer_size(int32_t asked, int32_t most, int32_t least)
{
	uint32_t size = MIN((uint32_t)asked, (uint32_t)most);

	return (int32_t)MAX(MIN(size, (uint32_t)INT32_MAX / 2) * 2, (uint32_t)least);
}

static int set_timeout(uint64_t *timeout_us, const void *value, uint32_t length)
{
	struct timeval time;

	if (length < sizeof(time))
		return -EINVAL;
	memcpy(&time, value, sizeof(time));
	if (time.tv_usec < 0 || time.tv_usec >= (int64_t)USEC_PER_SEC)
		return -EDOM;
	if (time.tv_sec < 0) {
		*timeout_us = 1; /* as good as no waiting */
		return 0;
	}
	uint64_t whole_us;

	if (__builtin_mul_overflow((uint64_t)time.tv_sec, USEC_PER_SEC, &whole_us) ||
	    whole_us > TIMEOUT_MAX_US)
		*timeout_us = 0; /* beyond the end of time: none */
	else
		*timeout_us = whole_us + (uint64_t)time.tv_usec;
	return 0;
}

static int set_linger(struct socket *socket, const void *value, uint32_t length)
{
	struct linger linger;

	if (length < sizeof(linger))
		return -EINVAL;
	memcpy(&linger, value, sizeof(linger));
	socket->linger = linger.l_onoff != 0;
	if (socket->linger)
		socket->linger_seconds = (uint32_t)linger.l_linger;
	return 0;
}

/* An empty name takes the binding off. */
static int set_bound_device(struct socket *socket, const void *value,
			    uint32_t length) NEEDS_NET_LOCK
{
	char name[IFNAMSIZ] = {0};

	memcpy(name, value, MIN(length, (uint32_t)IFNAMSIZ - 1));
	if (!name[0]) {
		socket->bound_ifindex = 0;
		return 0;
	}
	const struct net_device *dev = netdev_by_name(socket->net, name);

	if (!dev)
		return -ENODEV;
	socket->bound_ifindex = dev->ifindex;
	return 0;
}

static int set_bound_index(struct socket *socket, int ifindex) NEEDS_NET_LOCK
{
	if (ifindex < 0)
		return -EINVAL;
	if (ifindex && !netdev_by_index(socket->net, ifindex))
		return -ENODEV;
	socket->bound_ifindex = ifindex;
	return 0;
}

static void set_timestamp(struct socket *socket, bool on, bool nanoseconds) NEEDS_NET_LOCK
{
	if (on != socket->timestamp && !socket->stamp_asked)
		socket->net->timestamp_users += on ? 1 : (uint32_t)-1;
	socket->timestamp = on;
	socket->timestamp_ns = on && nanoseconds;
}

static void set_receive_buffer(struct socket *socket, int32_t size)
{
	socket->receive_buffer = size;
	socket->receive_buffer_chosen = true;
}

static void set_send_buffer(struct socket *socket, int32_t size) NEEDS_NET_LOCK
{
	socket->send_buffer = size;
	socket->send_buffer_chosen = true;
	socket_wake(socket, POLLOUT | POLLWRNORM); /* there may be more room now */
}

static int set_number(struct socket *socket, int option, int32_t number) NEEDS_NET_LOCK
{
	const struct net *net = socket->net;
	bool forces = option == SO_RCVBUFFORCE || option == SO_SNDBUFFORCE;

	if (forces && !user_may(CAP_NET_ADMIN))
		return -EPERM;
	switch (option) {
	case SO_RCVBUF:
		set_receive_buffer(socket,
				   buffer_size(number, net->core.rmem_max, RECEIVE_BUFFER_MIN));
		return 0;
	case SO_RCVBUFFORCE:
		set_receive_buffer(socket,
				   buffer_size(MAX(number, 0), INT32_MAX, RECEIVE_BUFFER_MIN));
		return 0;
	case SO_SNDBUF:
		set_send_buffer(socket, buffer_size(number, net->core.wmem_max, SEND_BUFFER_MIN));
		return 0;
	case SO_SNDBUFFORCE:
		set_send_buffer(socket, buffer_size(MAX(number, 0), INT32_MAX, SEND_BUFFER_MIN));
		return 0;
	case SO_RCVLOWAT:
		socket->receive_low = number < 0 ? INT32_MAX : MAX(number, 1);
		return 0;
	case SO_PRIORITY:
		socket->priority = (uint32_t)number;
		return 0;
	case SO_MARK:
		socket->mark = (uint32_t)number;
		return 0;
	case SO_TIMESTAMP:
	case SO_TIMESTAMPNS:
		set_timestamp(socket, number != 0, option == SO_TIMESTAMPNS);
		return 0;
	case SO_BINDTOIFINDEX:
		return set_bound_index(socket, number);
	case SO_LOCK_FILTER:
		return socket_filter_lock(socket, number != 0);
	default:
		return -ENOPROTOOPT;
	}
}

static int set_option(struct socket *socket, int option, const void *value,
		      uint32_t length) NEEDS_NET_LOCK
{
	bool *one = find_switch(socket, option);
	int32_t number;

	switch (option) {
	case SO_BINDTODEVICE:
		return set_bound_device(socket, value, length);
	case SO_DETACH_FILTER: /* whose value is nobody's concern */
		return socket_filter_detach(socket);
	default:
		break;
	}
	if (length < sizeof(number))
		return -EINVAL;
	switch (option) {
	case SO_LINGER:
		return set_linger(socket, value, length);
	case SO_RCVTIMEO:
		return set_timeout(&socket->receive_timeout_us, value, length);
	case SO_SNDTIMEO:
		return set_timeout(&socket->send_timeout_us, value, length);
	default:
		break;
	}
	memcpy(&number, value, sizeof(number));
	if (!one)
		return set_number(socket, option, number);
	*one = number != 0;
	return 0;
}

int socket_setsockopt(struct socket *socket, int level, int option, const void *value,
		      uint32_t length)
{
	int error = -ENOPROTOOPT;

	net_lock(socket->net);
	if (level == SOL_SOCKET)
		error = set_option(socket, option, value, length);
	else if (socket->ops->setsockopt)
		error = socket->ops->setsockopt(socket, level, option, value, length);
	if (level == SOL_SOCKET && !error && socket->ops->option_set)
		socket->ops->option_set(socket, option);
	net_unlock(socket->net);
	return error;
}

/* As much of the answer as there is room for. */
static int answer(void *value, uint32_t *length, const void *from, size_t size)
{
	*length = MIN(*length, (uint32_t)size);
	memcpy(value, from, *length);
	return 0;
}

static int answer_timeout(void *value, uint32_t *length, uint64_t timeout_us)
{
	const struct timeval time = {
		.tv_sec = (int64_t)(timeout_us / USEC_PER_SEC),
		.tv_usec = (int64_t)(timeout_us % USEC_PER_SEC),
	};

	return answer(value, length, &time, sizeof(time));
}

static int answer_device(struct socket *socket, void *value, uint32_t *length) NEEDS_NET_LOCK
{
	const struct net_device *dev = netdev_by_index(socket->net, socket->bound_ifindex);

	if (!dev) {
		*length = 0;
		return 0;
	}
	if (*length < IFNAMSIZ)
		return -EINVAL;
	return answer(value, length, dev->name, strlen(dev->name) + 1);
}

static int answer_credentials(const struct socket *socket, void *value,
			      uint32_t *length) NEEDS_NET_LOCK
{
	struct ucred peer = {.pid = 0, .uid = UINT32_MAX, .gid = UINT32_MAX};

	if (socket->ops->peer_credentials)
		socket->ops->peer_credentials(socket, &peer);
	return answer(value, length, &peer, sizeof(peer));
}

static int get_number(struct socket *socket, int option, int32_t *number) NEEDS_NET_LOCK
{
	const bool *one = find_switch(socket, option);

	if (one) {
		*number = *one;
		return 0;
	}
	switch (option) {
	case SO_TYPE:
		*number = socket->type;
		return 0;
	case SO_DOMAIN:
		*number = socket->family;
		return 0;
	case SO_PROTOCOL:
		*number = socket->protocol;
		return 0;
	case SO_ERROR:
		*number = -socket_take_error(socket);
		return 0;
	case SO_ACCEPTCONN:
		*number = socket->listening;
		return 0;
	case SO_RCVBUF:
		*number = socket->receive_buffer;
		return 0;
	case SO_SNDBUF:
		*number = socket->send_buffer;
		return 0;
	case SO_RCVLOWAT:
		*number = socket->receive_low;
		return 0;
	case SO_SNDLOWAT:
		*number = 1;
		return 0;
	case SO_PRIORITY:
		*number = (int32_t)socket->priority;
		return 0;
	case SO_MARK:
		*number = (int32_t)socket->mark;
		return 0;
	case SO_TIMESTAMP:
		*number = socket->timestamp && !socket->timestamp_ns;
		return 0;
	case SO_TIMESTAMPNS:
		*number = socket->timestamp_ns;
		return 0;
	case SO_BINDTOIFINDEX:
		*number = socket->bound_ifindex;
		return 0;
	case SO_LOCK_FILTER:
		*number = socket->filter_locked;
		return 0;
	case SO_BPF_EXTENSIONS:
		*number = SKF_AD_MAX;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_option(struct socket *socket, int option, void *value,
		      uint32_t *length) NEEDS_NET_LOCK
{
	const struct linger linger = {.l_onoff = socket->linger,
				      .l_linger = (int32_t)socket->linger_seconds};
	int32_t number;

	switch (option) {
	case SO_LINGER:
		return answer(value, length, &linger, sizeof(linger));
	case SO_RCVTIMEO:
		return answer_timeout(value, length, socket->receive_timeout_us);
	case SO_SNDTIMEO:
		return answer_timeout(value, length, socket->send_timeout_us);
	case SO_BINDTODEVICE:
		return answer_device(socket, value, length);
	case SO_PEERCRED:
		return answer_credentials(socket, value, length);
	default:
		break;
	}
	int error = get_number(socket, option, &number);

	return error ? error : answer(value, length, &number, sizeof(number));
}

int socket_getsockopt(struct socket *socket, int level, int option, void *value, uint32_t *length)
{
	int error = -ENOPROTOOPT;

	net_lock(socket->net);
	if (level == SOL_SOCKET)
		error = get_option(socket, option, value, length);
	else if (socket->ops->getsockopt)
		error = socket->ops->getsockopt(socket, level, option, value, length);
	net_unlock(socket->net);
	return error;
}
