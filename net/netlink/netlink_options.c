/* Options of level SOL_NETLINK: netlink(7). */
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/netlink/netlink_private.h"

#define GROUP_BITS 64 /* of netlink_socket.groups */

/* The options that are one switch each. */
static const struct {
	uint8_t option;
	uint16_t offset;
} switches[] = {
	{NETLINK_PKTINFO, offsetof(struct netlink_socket, packet_info)},
	{NETLINK_NO_ENOBUFS, offsetof(struct netlink_socket, no_enobufs)},
	{NETLINK_CAP_ACK, offsetof(struct netlink_socket, cap_ack)},
	{NETLINK_EXT_ACK, offsetof(struct netlink_socket, extended_ack)},
	{NETLINK_GET_STRICT_CHK, offsetof(struct netlink_socket, strict)},
};

static bool *find_switch(struct netlink_socket *netlink, int option)
{
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		if (switches[i].option == option)
			return (bool *)((char *)netlink + switches[i].offset);
	}
	return NULL;
}

static int change_membership(struct netlink_socket *netlink, uint32_t group, bool join)
{
	if (group == 0 || group > MIN(netlink->protocol->groups, (uint32_t)GROUP_BITS))
		return -EINVAL;
	uint64_t bit = 1ull << (group - 1);

	netlink->groups = join ? netlink->groups | bit : netlink->groups & ~bit;
	return 0;
}

int netlink_setsockopt(struct socket *socket, int level, int option, const void *value,
		       uint32_t length)
{
	struct netlink_socket *netlink = netlink_socket_of(socket);
	bool *one = find_switch(netlink, option);
	uint32_t number;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (length < sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	if (one) {
		*one = number != 0;
		return 0;
	}
	if (option != NETLINK_ADD_MEMBERSHIP && option != NETLINK_DROP_MEMBERSHIP)
		return -ENOPROTOOPT;
	return change_membership(netlink, number, option == NETLINK_ADD_MEMBERSHIP);
}

/* As many words of the bit set as there is room for; its whole length in any case, netlink(7). */
static int list_memberships(const struct netlink_socket *netlink, void *value, uint32_t *length)
{
	const uint32_t whole = sizeof(netlink->groups);

	memcpy(value, &netlink->groups, MIN(*length & ~3u, whole));
	*length = whole;
	return 0;
}

int netlink_getsockopt(struct socket *socket, int level, int option, void *value, uint32_t *length)
{
	struct netlink_socket *netlink = netlink_socket_of(socket);
	const bool *one = find_switch(netlink, option);
	int32_t number;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (option == NETLINK_LIST_MEMBERSHIPS)
		return list_memberships(netlink, value, length);
	if (!one)
		return -ENOPROTOOPT;
	if (*length < sizeof(number))
		return -EINVAL;
	number = *one;
	memcpy(value, &number, sizeof(number));
	*length = sizeof(number);
	return 0;
}
