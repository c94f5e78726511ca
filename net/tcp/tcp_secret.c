#include "net/tcp/tcp_secret.h"

#include "kernel/lib/siphash.h"
#include "kernel/string.h"
#include "net/tcp/tcp_state.h"

#define ISS_TICK_US 4      /* RFC 9293 3.4.1, MUST-8 */
#define TIMESTAMPS_PLAIN 2 /* tcp_timestamps: they count from the start of the machine */

/* Both ends as the bytes that are hashed; nothing undefined between them. IPv4's are shorter. */
struct ends4 {
	uint32_t local, remote;
	uint16_t local_port, remote_port;
};
struct ends {
	uint8_t local[16], remote[16];
	uint16_t local_port, remote_port, family, zero;
};

static void put_address(uint8_t to[16], const struct net_addr *address)
{
	if (address->family == AF_INET)
		memcpy(to, &address->v4, sizeof(address->v4));
	else if (address->family)
		memcpy(to, address->v6, sizeof(address->v6));
}

static uint64_t hash_ends(const uint64_t key[2], const struct net_addr *local, uint16_t local_port,
			  const struct endpoint *remote)
{
	if (remote->addr.family == AF_INET) {
		const struct ends4 ends4 = {local->v4, remote->addr.v4, local_port, remote->port};

		return siphash(key, &ends4, sizeof(ends4));
	}

	struct ends ends = {
		.local_port = local_port,
		.remote_port = remote->port,
		.family = remote->addr.family,
	};

	put_address(ends.local, local);
	put_address(ends.remote, &remote->addr);
	return siphash(key, &ends, sizeof(ends));
}

void tcp_secrets_draw(struct net *net, struct tcp_secrets *secrets)
{
	net_random_bytes(net, secrets, sizeof(*secrets));
}

/*
 * RFC 6528 3: ISN = M + F(localip, localport, remoteip, remoteport, secretkey). RFC 9293 3.4.1,
 * MUST-8, MUST-9, SHLD-1.
 */
uint32_t tcp_secret_iss(struct net *net, const struct endpoint *local,
			const struct endpoint *remote)
{
	uint32_t clock = (uint32_t)(net_batch_time(net) / ISS_TICK_US);

	return clock + (uint32_t)hash_ends(tcp_of(net)->secrets.sequence, &local->addr, local->port,
					   remote);
}

/* One for each pair of addresses, so that the values of one peer's connections do not go back. */
uint32_t tcp_secret_timestamp_offset(struct net *net, const struct endpoint *local,
				     const struct endpoint *remote)
{
	const struct endpoint peer = {.addr = remote->addr};

	if (tcp_of(net)->settings.tcp_timestamps == TIMESTAMPS_PLAIN)
		return 0;
	return (uint32_t)hash_ends(tcp_of(net)->secrets.timestamp, &local->addr, 0, &peer);
}

uint32_t tcp_secret_port_offset(struct net *net, const struct net_addr *local,
				const struct endpoint *remote)
{
	return (uint32_t)hash_ends(tcp_of(net)->secrets.port, local, 0, remote);
}
