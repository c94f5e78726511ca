/*
 * Fast Open on the side of the client: what is remembered of servers, and what a SYN takes along.
 * RFC 7413 4.1.3, 4.2.1.
 */
#include "kernel/string.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_state.h"

bool tcp_fastopen_enabled(struct net *net, int32_t which)
{
	return tcp_of(net)->settings.tcp_fastopen & which;
}

static struct tcp_fastopen_server *find(struct net *net, const struct net_addr *address)
{
	struct tcp_fastopen_cache *cache = &tcp_of(net)->fastopen;

	for (uint32_t i = 0; i < TCP_FASTOPEN_CACHE; i++) {
		if (cache->entries[i].mss && net_addr_equal(&cache->entries[i].address, address))
			return &cache->entries[i];
	}
	return NULL;
}

/* The entry, a fresh one where there was none: the oldest goes. */
static struct tcp_fastopen_server *find_or_make(struct net *net, const struct net_addr *address)
{
	struct tcp_fastopen_cache *cache = &tcp_of(net)->fastopen;
	struct tcp_fastopen_server *server = find(net, address);

	if (server)
		return server;
	server = &cache->entries[cache->next++ % TCP_FASTOPEN_CACHE];
	*server = (struct tcp_fastopen_server){.address = *address};
	return server;
}

static bool without_cookie(const struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	return tcp->fastopen_no_cookie ||
	       tcp_fastopen_enabled(tcp_net(tcp), TCP_FASTOPEN_CLIENT_WITHOUT_COOKIE);
}

static bool takes_data(const struct tcp_socket *tcp,
		       const struct tcp_fastopen_server *server) NEEDS_NET_LOCK
{
	return without_cookie(tcp) || (server && server->length);
}

bool tcp_fastopen_defers(struct tcp_socket *tcp, const struct endpoint *remote)
{
	if (!tcp->fastopen_connect || !tcp_fastopen_enabled(tcp_net(tcp), TCP_FASTOPEN_CLIENT))
		return false;
	if (!takes_data(tcp, find(tcp_net(tcp), &remote->addr))) {
		tcp->fastopen_try = true; /* an ordinary connect that asks for a cookie */
		return false;
	}
	tcp->fastopen_remote = *remote;
	return true;
}

/*
 * As the server asked the last time, and as the path is. A SYN has more options than other
 * segments, on the way perhaps even more, and is not to be fragmented: RFC 7413 4.2.1.
 */
uint32_t tcp_fastopen_room(struct tcp_socket *tcp, const struct endpoint *remote)
{
	const struct inet_socket *inet = &tcp->inet;
	const struct tcp_fastopen_server *server = find(tcp_net(tcp), &remote->addr);
	struct inet_route route;
	uint32_t mss;

	if (!takes_data(tcp, server) ||
	    inet->family->route(tcp_net(tcp), remote->addr, inet->local.addr,
				inet->socket.bound_ifindex, &route))
		return 0;
	mss = route.mtu - inet->family->header_length - TCP_HEADER_MIN;
	if (server)
		mss = MIN(mss, server->mss);
	if (tcp->user_mss)
		mss = MIN(mss, tcp->user_mss);
	return mss > TCP_OPTIONS_MAX ? mss - (uint32_t)TCP_OPTIONS_MAX : 0;
}

void tcp_fastopen_syn(struct tcp_socket *tcp, struct tcp_options *options)
{
	const struct tcp_fastopen_server *server = find(tcp_net(tcp), &tcp->inet.remote.addr);

	if (without_cookie(tcp) || !tcp_fastopen_enabled(tcp_net(tcp), TCP_FASTOPEN_CLIENT))
		return;
	options->has_fastopen = true;
	if (!server)
		return;
	options->fastopen_experimental = server->length
						 ? server->experimental
						 : server->tried == TCP_FASTOPEN_TRY_EXPERIMENT;
	options->fastopen_length = server->length;
	memcpy(options->fastopen, server->cookie, server->length);
}

void tcp_fastopen_answered(struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	const struct tcp_options *options = &segment->options;
	struct tcp_fastopen_server *server = find_or_make(tcp_net(tcp), &tcp->inet.remote.addr);
	bool asked = !without_cookie(tcp);

	tcp->fastopen_remote = (struct endpoint){0};
	server->mss = options->mss ? options->mss : TCP_MSS_DEFAULT;
	if (asked && options->has_fastopen && options->fastopen_length) {
		server->experimental = options->fastopen_experimental;
		server->length = options->fastopen_length;
		memcpy(server->cookie, options->fastopen, server->length);
	} else if (asked && !server->length && !tcp->rtt.backoff &&
		   server->tried < TCP_FASTOPEN_TRIED_ALL) {
		server->tried++;
	}
}
