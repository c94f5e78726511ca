/* Operations: calls on sockets, by system calls, as a process makes them. */
#include "include/uapi/if_packet.h"
#include "include/uapi/in.h"
#include "include/uapi/netlink.h"
#include "include/uapi/syscall.h"
#include "kernel/byteorder.h"
#include "kernel/fs/file.h"
#include "net/core/inet.h"
#include "net/ipv4/inet_socket.h"
#include "test/host/fuzz/stack/stack.h"
#include "test/host/services/host.h"

#define NAME_ROOM 160

static int64_t call(uint32_t number, uint64_t a, uint64_t b, uint64_t c)
{
	return host_syscall(number, a, b, c, 0, 0, 0);
}

uint16_t bound_port(int fd)
{
	struct sockaddr_in name = {0};
	uint32_t length = sizeof(name);

	if (call(SYS_getsockname, (uint64_t)fd, (uintptr_t)&name, (uintptr_t)&length))
		return 0;
	return name.sin_family == AF_INET ? be16_to_cpu(name.sin_port) : 0;
}

/* Raw and packet sockets send what no stack would. */
static void note_kind(struct bench *bench, int family, int type)
{
	if (type == SOCK_RAW || family == AF_PACKET)
		bench->foreign_headers = bench->foreign_payload = true;
}

/* A kind; bit 0: non-blocking; bit 2: any numbers. */
void op_socket(struct bench *bench, uint32_t bits)
{
	static const struct {
		int family, type, protocol;
	} kinds[] = {
		{AF_INET, SOCK_DGRAM, 0},
		{AF_INET, SOCK_STREAM, 0},
		{AF_INET, SOCK_DGRAM, IPPROTO_ICMP},
		{AF_INET, SOCK_RAW, IPPROTO_ICMP},
		{AF_INET, SOCK_RAW, IPPROTO_UDP},
		{AF_INET, SOCK_RAW, IPPROTO_TCP},
		{AF_INET, SOCK_RAW, IPPROTO_RAW},
		{AF_PACKET, SOCK_RAW, 0x0300},   /* ETH_P_ALL in network order */
		{AF_PACKET, SOCK_DGRAM, 0x0008}, /* ETH_P_IP */
		{AF_INET, SOCK_RAW, 99},
		{AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE},
		{AF_UNIX, SOCK_STREAM, 0},
		{AF_UNIX, SOCK_DGRAM, 0},
		{AF_UNIX, SOCK_SEQPACKET, 0},
		{AF_NETLINK, SOCK_RAW, NETLINK_ROUTE},
		{AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG},
	};
	uint8_t which = read_u8(bench);
	int family = kinds[which % ARRAY_SIZE(kinds)].family;
	int type = kinds[which % ARRAY_SIZE(kinds)].type;
	int protocol = kinds[which % ARRAY_SIZE(kinds)].protocol;

	if (bits & 4) {
		family = read_u8(bench);
		type = read_u8(bench) % 16;
		protocol = read_u16(bench);
	}
	if (bits & 1)
		type |= SOCK_NONBLOCK;
	note_kind(bench, family, type & SOCK_TYPE_MASK);

	call(SYS_socket, (uint64_t)family, (uint64_t)type, (uint64_t)protocol);
}

void op_close(struct bench *bench, uint32_t bits)
{
	(void)bench;
	(void)fd_close((int)bits);
}

static void make_packet_name(struct bench *bench, struct sockaddr_ll *name)
{
	name->sll_family = AF_PACKET;
	name->sll_protocol = (uint16_t)(read_u8(bench) % 4 * 0x0100 + 0x0008);
	name->sll_ifindex = read_u8(bench) % 5;
	name->sll_halen = MAC_LENGTH;
	memcpy(name->sll_addr, PEER_MAC[0].bytes, MAC_LENGTH);
}

#define HOW_LOCAL(how) (((how)&0xf0) == 0x50)
#define HOW_NETLINK(how) (((how)&0xf0) == 0x60)

/* The kernel or a process, and groups. */
static uint32_t make_netlink_name(struct bench *bench, struct sockaddr_nl *name)
{
	*name = (struct sockaddr_nl){.nl_family = AF_NETLINK,
				     .nl_pid = read_u8(bench) % 4u,
				     .nl_groups = read_u8(bench)};
	return sizeof(*name);
}

/*
 * How (the upper half 5: a name of AF_UNIX, 6: of AF_NETLINK; else bits 0-1: 0 an Internet
 * address, 1 a link address, 2 AF_UNSPEC, 3 any family; bits 2-3: 0 the right length, 1 one byte
 * less, 2 none, 3 all of sockaddr_storage), then address and port, or what the name consists of.
 */
void *read_name(struct bench *bench, uint32_t *length)
{
	static uint8_t area[NAME_ROOM];
	uint8_t how = read_u8(bench);
	struct sockaddr_ll link = {0};
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_nl netlink;
	struct sockaddr_un local;
	const void *from = &in;
	uint32_t n = sizeof(in);

	if (HOW_LOCAL(how)) {
		n = read_unix_name(bench, &local);
		from = &local;
	} else if (HOW_NETLINK(how)) {
		n = make_netlink_name(bench, &netlink);
		from = &netlink;
	} else if ((how & 3) == 1) {
		make_packet_name(bench, &link);
		from = &link;
		n = sizeof(link);
	} else {
		in.sin_addr.s_addr = cpu_to_be32(read_address(bench));
		in.sin_port = cpu_to_be16(read_port(bench));
		if (how & 2)
			in.sin_family = how & 1 ? read_u8(bench) : AF_UNSPEC;
	}
	memset(area, 0, sizeof(area));
	switch (how >> 2 & 3) {
	case 1:
		n--;
		break;
	case 2:
		n = 0;
		break;
	case 3:
		memcpy(area, from, n);
		*length = sizeof(area);
		return area;
	default:
		break;
	}
	*length = n;
	return fuzz_copy_to_end(area, sizeof(area), from, n);
}

void op_bind(struct bench *bench, uint32_t bits)
{
	uint32_t length;
	void *name = read_name(bench, &length);

	call(SYS_bind, bits, (uintptr_t)name, length);
}

void op_connect(struct bench *bench, uint32_t bits)
{
	uint32_t length;
	void *name = read_name(bench, &length);

	call(SYS_connect, bits, (uintptr_t)name, length);
}

void op_shutdown(struct bench *bench, uint32_t bits)
{
	call(SYS_shutdown, bits, read_u8(bench) % 4, 0);
}

void op_listen(struct bench *bench, uint32_t bits)
{
	call(SYS_listen, bits, (uint64_t)read_signed(bench), 0);
}

void op_accept(struct bench *bench, uint32_t bits)
{
	uint8_t name[16];
	int32_t room = read_u8(bench) % (int32_t)(sizeof(name) + 1);

	call(SYS_accept, bits, (uintptr_t)name, (uintptr_t)&room);
}

/* Bit 7 of the argument: the peer's; the rest: the room for it. */
void op_name(struct bench *bench, uint32_t bits)
{
	static uint8_t area[128];
	uint8_t byte = read_u8(bench);
	int32_t room = byte & 127;

	call(byte & 128 ? SYS_getpeername : SYS_getsockname, bits,
	     (uintptr_t)(area + sizeof(area) - room), (uintptr_t)&room);
}

void op_poll(struct bench *bench, uint32_t bits)
{
	struct file *file = fd_get((int)bits);

	(void)bench;
	if (!file)
		return;
	if (file->ops->poll)
		(void)file->ops->poll(file, NULL);
	file_put(file);
}
