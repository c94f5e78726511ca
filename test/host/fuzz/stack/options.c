/* Operations: socket options. */
#include "include/uapi/filter.h"
#include "include/uapi/icmp.h"
#include "include/uapi/if_packet.h"
#include "include/uapi/in.h"
#include "include/uapi/netlink.h"
#include "include/uapi/syscall.h"
#include "include/uapi/time.h"
#include "kernel/byteorder.h"
#include "test/host/fuzz/stack/stack.h"
#include "test/host/services/host.h"

#define VALUE_MAX 64

/* Order matters to the inputs that are kept: new ones at the end. */
static const struct {
	uint16_t level, option;
} known[] = {
	{SOL_SOCKET, SO_REUSEADDR},
	{SOL_SOCKET, SO_REUSEPORT},
	{SOL_SOCKET, SO_BROADCAST},
	{SOL_SOCKET, SO_RCVBUF},
	{SOL_SOCKET, SO_SNDBUF},
	{SOL_SOCKET, SO_RCVTIMEO},
	{SOL_SOCKET, SO_SNDTIMEO},
	{SOL_SOCKET, SO_LINGER},
	{SOL_SOCKET, SO_BINDTODEVICE},
	{SOL_SOCKET, SO_BINDTOIFINDEX},
	{SOL_SOCKET, SO_TIMESTAMP},
	{SOL_SOCKET, SO_TIMESTAMPNS},
	{SOL_SOCKET, SO_RCVLOWAT},
	{SOL_SOCKET, SO_DONTROUTE},
	{SOL_SOCKET, SO_KEEPALIVE},
	{SOL_SOCKET, SO_OOBINLINE},
	{SOL_SOCKET, SO_NO_CHECK},
	{SOL_SOCKET, SO_ERROR},
	{SOL_SOCKET, SO_MEMINFO},
	{SOL_SOCKET, SO_PEERCRED},
	{SOL_IP, IP_TOS},
	{SOL_IP, IP_TTL},
	{SOL_IP, IP_HDRINCL},
	{SOL_IP, IP_OPTIONS},
	{SOL_IP, IP_RECVOPTS},
	{SOL_IP, IP_PKTINFO},
	{SOL_IP, IP_MTU_DISCOVER},
	{SOL_IP, IP_RECVERR},
	{SOL_IP, IP_RECVTTL},
	{SOL_IP, IP_RECVTOS},
	{SOL_IP, IP_MTU},
	{SOL_IP, IP_FREEBIND},
	{SOL_IP, IP_MULTICAST_IF},
	{SOL_IP, IP_MULTICAST_TTL},
	{SOL_IP, IP_MULTICAST_LOOP},
	{SOL_IP, IP_MULTICAST_ALL},
	{SOL_IP, IP_ADD_MEMBERSHIP},
	{SOL_IP, IP_DROP_MEMBERSHIP},
	{SOL_PACKET, PACKET_ADD_MEMBERSHIP},
	{SOL_PACKET, PACKET_DROP_MEMBERSHIP},
	{SOL_PACKET, PACKET_AUXDATA},
	{SOL_PACKET, PACKET_STATISTICS},
	{SOL_PACKET, PACKET_IGNORE_OUTGOING},
	{SOL_RAW, 1 /* ICMP_FILTER */},
	{SOL_TCP, 1},
	{SOL_TCP, 2},
	{SOL_TCP, 3},
	{SOL_TCP, 4},
	{SOL_TCP, 5},
	{SOL_TCP, 6},
	{SOL_TCP, 7},
	{SOL_TCP, 8},
	{SOL_TCP, 9},
	{SOL_TCP, 10},
	{SOL_TCP, 11},
	{SOL_TCP, 12},
	{SOL_TCP, 13},
	{SOL_TCP, 18},
	{SOL_TCP, 23},
	{SOL_TCP, 24},
	{SOL_TCP, 25},
	{SOL_TCP, 30},
	{SOL_SOCKET, SO_RCVBUFFORCE},
	{SOL_SOCKET, SO_SNDBUFFORCE},
	{SOL_UDPLITE, UDPLITE_SEND_CSCOV},
	{SOL_UDPLITE, UDPLITE_RECV_CSCOV},
	{SOL_UDPLITE, UDP_CORK},
	{SOL_SOCKET, SO_PASSCRED},
	{SOL_SOCKET, SO_DETACH_FILTER},
	{SOL_SOCKET, SO_GET_FILTER},
	{SOL_NETLINK, NETLINK_ADD_MEMBERSHIP},
	{SOL_NETLINK, NETLINK_DROP_MEMBERSHIP},
	{SOL_NETLINK, NETLINK_PKTINFO},
	{SOL_NETLINK, NETLINK_NO_ENOBUFS},
	{SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS},
	{SOL_NETLINK, NETLINK_CAP_ACK},
	{SOL_NETLINK, NETLINK_EXT_ACK},
	{SOL_NETLINK, NETLINK_GET_STRICT_CHK},
	{SOL_PACKET, PACKET_VERSION},
	{SOL_PACKET, PACKET_RESERVE},
	{SOL_PACKET, PACKET_HDRLEN},
};

/* Which: a byte; 255: level and option (2 bytes each) as they stand. */
static void read_option(struct bench *bench, int *level, int *option)
{
	uint8_t which = read_u8(bench);

	if (which == 255) {
		*level = read_u16(bench);
		*option = read_u16(bench);
		return;
	}
	*level = known[which % ARRAY_SIZE(known)].level;
	*option = known[which % ARRAY_SIZE(known)].option;
}

/*
 * A value: its form in bits 0-2 (0 a number of one byte, 1 of four, 2 a membership, 3 a time, 4 a
 * linger, 5 a device's name, 6 a link membership, 7 bytes); bit 7: cut by one byte.
 */
static size_t read_value(struct bench *bench, uint8_t *to)
{
	static const char names[][8] = {"eth0", "eth1", "lo", ""};
	uint8_t form = read_u8(bench);
	size_t length = 0;

	switch (form & 7) {
	case 0: {
		int32_t number = read_signed(bench);

		length = sizeof(number);
		memcpy(to, &number, length);
		break;
	}
	case 1: {
		uint32_t number = read_u32(bench);

		length = sizeof(number);
		memcpy(to, &number, length);
		break;
	}
	case 2: {
		const struct ip_mreqn request = {
			.imr_multiaddr.s_addr = cpu_to_be32(read_address(bench)),
			.imr_address.s_addr = cpu_to_be32(read_address(bench)),
			.imr_ifindex = read_u8(bench) % 5,
		};

		length = form & 8 ? sizeof(struct ip_mreq) : sizeof(request);
		memcpy(to, &request, length);
		break;
	}
	case 3: {
		const struct timeval time = {read_signed(bench), read_u8(bench) * 4000};

		length = sizeof(time);
		memcpy(to, &time, length);
		break;
	}
	case 4: {
		const struct linger linger = {read_u8(bench) & 1, read_signed(bench)};

		length = sizeof(linger);
		memcpy(to, &linger, length);
		break;
	}
	case 5:
		length = 8;
		memcpy(to, names[read_u8(bench) % ARRAY_SIZE(names)], length);
		break;
	case 6: {
		struct packet_mreq request = {.mr_ifindex = read_u8(bench) % 5,
					      .mr_type = read_u8(bench) % 5,
					      .mr_alen = MAC_LENGTH};

		request.mr_address[0] = read_u8(bench);
		length = sizeof(request);
		memcpy(to, &request, length);
		break;
	}
	default: {
		size_t n = read_u8(bench) % VALUE_MAX;
		const uint8_t *bytes = fuzz_bytes(bench->input, n, &length);

		if (length)
			memcpy(to, bytes, length);
		break;
	}
	}
	return form & 128 && length ? length - 1 : length;
}

void op_set_option(struct bench *bench, uint32_t bits)
{
	static uint8_t area[VALUE_MAX];
	uint8_t value[VALUE_MAX];
	int level, option;

	read_option(bench, &level, &option);
	size_t length = read_value(bench, value);
	uint8_t *at = fuzz_copy_to_end(area, sizeof(area), value, length);

	if (level == SOL_SOCKET && option == SO_ATTACH_FILTER) /* an address within: op_filter */
		return;
	host_syscall(SYS_setsockopt, bits, (uint64_t)level, (uint64_t)option, (uintptr_t)at, length,
		     0);
}

/* Which, and the room. */
void op_get_option(struct bench *bench, uint32_t bits)
{
	static uint8_t area[256 * sizeof(struct sock_filter)];
	int level, option;

	read_option(bench, &level, &option);
	int32_t room = read_u8(bench); /* in instructions, of a filter */
	bool filter = level == SOL_SOCKET && option == SO_GET_FILTER;
	size_t bytes = (size_t)room * (filter ? sizeof(struct sock_filter) : 1);

	host_syscall(SYS_getsockopt, bits, (uint64_t)level, (uint64_t)option,
		     (uintptr_t)(area + sizeof(area) - bytes), (uintptr_t)&room, 0);
}
