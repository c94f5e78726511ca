/* Options of level SOL_TCP: tcp(7). */
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_state.h"

#define KEEPALIVE_SECONDS_MAX 32767
#define KEEPALIVE_PROBES_MAX 127
#define SYN_RETRIES_MAX 127
#define LINGER2_SECONDS_MAX 120
#define DEFER_ACCEPT_SECONDS_MAX 3600

void tcp_inherit_options(struct tcp_socket *child, const struct tcp_socket *listener)
{
	struct inet_socket *to = &child->inet;
	const struct inet_socket *from = &listener->inet;

	to->ttl = from->ttl;
	to->tos = from->tos;
	to->mtu_discover = from->mtu_discover;
	to->free_bind = from->free_bind;
	to->multicast_ttl = from->multicast_ttl;
	to->multicast_loop = from->multicast_loop;
	child->nodelay = listener->nodelay;
	child->cork = listener->cork;
	child->user_mss = listener->user_mss;
	child->quickack_off = listener->quickack_off;
	child->window_clamp = listener->window_clamp;
	child->keepalive_idle_s = listener->keepalive_idle_s;
	child->keepalive_interval_s = listener->keepalive_interval_s;
	child->keepalive_probes = listener->keepalive_probes;
	child->linger2_s = listener->linger2_s;
	child->user_timeout_ms = listener->user_timeout_ms;
	child->notsent_low = listener->notsent_low;
	tcp_congestion_choose(child, listener->congestion.ops);
}

/*
 * TCP_CORK and TCP_NODELAY: what was held back may go now; with TCP_NODELAY whatever held it. RFC
 * 9293 3.7.4, MUST-17.
 */
static int set_flow(struct tcp_socket *tcp, bool *option, bool on, bool releases) NEEDS_NET_LOCK
{
	*option = on;
	if (!releases || tcp->state == TCP_CLOSE || tcp->state == TCP_LISTEN)
		return 0;
	if (tcp->nodelay)
		tcp_push(tcp);
	else
		tcp_output(tcp);
	return 0;
}

static int set_quickack(struct tcp_socket *tcp, int number) NEEDS_NET_LOCK
{
	tcp->quickack_off = number == 0;
	if (number == 0)
		return 0;
	tcp->quick_acks = UINT8_MAX;
	if (timer_armed(&tcp->delayed_ack))
		tcp_send_ack(tcp);
	return 0;
}

static int set_within(uint32_t *option, int number, int most) NEEDS_NET_LOCK
{
	if (number < 1 || number > most)
		return -EINVAL;
	*option = (uint32_t)number;
	return 0;
}

static int set_keepalive_probes(struct tcp_socket *tcp, int number)
{
	if (number < 1 || number > KEEPALIVE_PROBES_MAX)
		return -EINVAL;
	tcp->keepalive_probes = (uint8_t)number;
	return 0;
}

/* TCP_WINDOW_CLAMP: 0 takes it off, which only an unconnected socket may ask. */
static int set_window_clamp(struct tcp_socket *tcp, int number)
{
	const int32_t least = 2304 / 2; /* half of the smallest receive buffer */

	if (number == 0 && tcp->state != TCP_CLOSE)
		return -EINVAL;
	tcp->window_clamp = number ? (uint32_t)MAX(number, least) : 0;
	return 0;
}

static int set_user_mss(struct tcp_socket *tcp, int number)
{
	if (number && (number < TCP_MSS_FLOOR / 2 || number > INT16_MAX))
		return -EINVAL;
	tcp->user_mss = (uint16_t)number;
	return 0;
}

static int set_linger2(struct tcp_socket *tcp, int number)
{
	if (number < 0)
		tcp->linger2_s = -1;
	else
		tcp->linger2_s = number > LINGER2_SECONDS_MAX ? LINGER2_SECONDS_MAX : number;
	return 0;
}

static int set_number(struct tcp_socket *tcp, int option, int number) NEEDS_NET_LOCK
{
	int error;

	switch (option) {
	case TCP_NODELAY:
		return set_flow(tcp, &tcp->nodelay, number != 0, number != 0);
	case TCP_CORK:
		return set_flow(tcp, &tcp->cork, number != 0, number == 0);
	case TCP_QUICKACK:
		return set_quickack(tcp, number);
	case TCP_MAXSEG:
		return set_user_mss(tcp, number);
	case TCP_KEEPIDLE:
		error = set_within(&tcp->keepalive_idle_s, number, KEEPALIVE_SECONDS_MAX);
		break;
	case TCP_KEEPINTVL:
		error = set_within(&tcp->keepalive_interval_s, number, KEEPALIVE_SECONDS_MAX);
		break;
	case TCP_KEEPCNT:
		error = set_keepalive_probes(tcp, number);
		break;
	case TCP_SYNCNT:
		if (number < 1 || number > SYN_RETRIES_MAX)
			return -EINVAL;
		tcp->syn_retries = (uint8_t)number;
		return 0;
	case TCP_LINGER2:
		return set_linger2(tcp, number);
	case TCP_DEFER_ACCEPT:
		tcp->defer_accept_s = (uint32_t)MIN(MAX(number, 0), DEFER_ACCEPT_SECONDS_MAX);
		return 0;
	case TCP_WINDOW_CLAMP:
		return set_window_clamp(tcp, number);
	case TCP_USER_TIMEOUT:
		if (number < 0)
			return -EINVAL;
		tcp->user_timeout_ms = (uint32_t)number;
		return 0;
	case TCP_INQ:
		if (number < 0 || number > 1)
			return -EINVAL;
		tcp->receive_hint = number;
		return 0;
	case TCP_NOTSENT_LOWAT:
		tcp->notsent_low = number;
		tcp_write_space(tcp);
		return 0;
	default:
		return tcp_fastopen_setsockopt(tcp, option, number);
	}
	if (!error)
		tcp_keepalive_restart(tcp);
	return error;
}

static int set_congestion(struct tcp_socket *tcp, const void *value, uint32_t length) NEEDS_NET_LOCK
{
	char name[TCP_CA_NAME_MAX] = {0};

	if (length < 1)
		return -EINVAL;
	memcpy(name, value, MIN(length, (uint32_t)sizeof(name) - 1));
	const struct tcp_congestion_ops *ops = tcp_congestion_find(name);

	if (!ops)
		return -ENOENT;
	tcp_congestion_choose(tcp, ops);
	return 0;
}

int tcp_setsockopt(struct socket *socket, int level, int option, const void *value, uint32_t length)
{
	struct tcp_socket *tcp = tcp_socket(socket);
	int32_t number;

	if (level != SOL_TCP)
		return ip4_setsockopt(socket, level, option, value, length);
	if (option == TCP_CONGESTION)
		return set_congestion(tcp, value, length);
	if (option == TCP_FASTOPEN_KEY)
		return tcp_fastopen_set_key(tcp, value, length);
	if (length < sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	return set_number(tcp, option, number);
}

/* A setting of the socket's, or the stack's where it has none. */
static int32_t own_or(uint32_t own, int32_t stack)
{
	return own ? (int32_t)own : stack;
}

static int32_t linger2(const struct tcp_socket *tcp, const struct tcp_settings *settings)
{
	return tcp->linger2_s ? tcp->linger2_s : settings->tcp_fin_timeout;
}

static int get_number(struct tcp_socket *tcp, int option, int32_t *number) NEEDS_NET_LOCK
{
	const struct tcp_settings *settings = &tcp_of(tcp_net(tcp))->settings;

	switch (option) {
	case TCP_NODELAY:
		*number = tcp->nodelay;
		return 0;
	case TCP_CORK:
		*number = tcp->cork;
		return 0;
	case TCP_QUICKACK:
		*number = !tcp->quickack_off;
		return 0;
	case TCP_MAXSEG:
		*number = tcp->state == TCP_CLOSE || tcp->state == TCP_LISTEN
				  ? own_or(tcp->user_mss, TCP_MSS_DEFAULT)
				  : tcp->mss;
		return 0;
	case TCP_KEEPIDLE:
		*number = own_or(tcp->keepalive_idle_s, settings->tcp_keepalive_time);
		return 0;
	case TCP_KEEPINTVL:
		*number = own_or(tcp->keepalive_interval_s, settings->tcp_keepalive_intvl);
		return 0;
	case TCP_KEEPCNT:
		*number = own_or(tcp->keepalive_probes, settings->tcp_keepalive_probes);
		return 0;
	case TCP_SYNCNT:
		*number = own_or(tcp->syn_retries, settings->tcp_syn_retries);
		return 0;
	case TCP_LINGER2:
		*number = linger2(tcp, settings);
		return 0;
	case TCP_DEFER_ACCEPT:
		*number = (int32_t)tcp->defer_accept_s;
		return 0;
	case TCP_WINDOW_CLAMP:
		*number = (int32_t)tcp->window_clamp;
		return 0;
	case TCP_USER_TIMEOUT:
		*number = (int32_t)tcp->user_timeout_ms;
		return 0;
	case TCP_INQ:
		*number = tcp->receive_hint;
		return 0;
	case TCP_NOTSENT_LOWAT:
		*number = tcp->notsent_low;
		return 0;
	default:
		return tcp_fastopen_getsockopt(tcp, option, number);
	}
}

/* As much of the answer as there is room for. */
static int answer(void *value, uint32_t *length, const void *from, size_t size)
{
	*length = MIN(*length, (uint32_t)size);
	memcpy(value, from, *length);
	return 0;
}

int tcp_getsockopt(struct socket *socket, int level, int option, void *value, uint32_t *length)
{
	struct tcp_socket *tcp = tcp_socket(socket);
	struct tcp_info info;
	int32_t number;

	if (level != SOL_TCP)
		return ip4_getsockopt(socket, level, option, value, length);
	if (option == TCP_INFO) {
		tcp_fill_info(tcp, &info);
		return answer(value, length, &info, sizeof(info));
	}
	if (option == TCP_CONGESTION)
		return answer(value, length, tcp->congestion.ops->name, TCP_CA_NAME_MAX);
	int error = get_number(tcp, option, &number);

	return error ? error : answer(value, length, &number, sizeof(number));
}
