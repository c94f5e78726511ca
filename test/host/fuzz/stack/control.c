/* Operations: ioctl, devices, settings, memory, /proc. */
#include "include/uapi/if.h"
#include "include/uapi/if_arp.h"
#include "include/uapi/in.h"
#include "include/uapi/route.h"
#include "include/uapi/sockios.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/fs/file.h"
#include "net/core/socket.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/ipv4_state.h"
#include "net/netlink/netlink.h"
#include "net/tcp/tcp_state.h"
#include "net/unix/unix.h"
#include "test/host/fuzz/stack/stack.h"
#include "test/host/services/host.h"

/* Order matters to the inputs that are kept: new ones at the end. */
static const uint16_t commands[] = {
	SIOCINQ,        SIOCOUTQ,       SIOCGSTAMP,     SIOCGSTAMPNS,   SIOCADDRT,
	SIOCDELRT,      SIOCGIFNAME,    SIOCGIFCONF,    SIOCGIFFLAGS,   SIOCSIFFLAGS,
	SIOCGIFADDR,    SIOCSIFADDR,    SIOCGIFDSTADDR, SIOCSIFDSTADDR, SIOCGIFBRDADDR,
	SIOCSIFBRDADDR, SIOCGIFNETMASK, SIOCSIFNETMASK, SIOCGIFMTU,     SIOCSIFMTU,
	SIOCSIFHWADDR,  SIOCGIFHWADDR,  SIOCADDMULTI,   SIOCDELMULTI,   SIOCGIFINDEX,
	SIOCDARP,       SIOCGARP,       SIOCSARP,       SIOCATMARK,
};

static void put_address(struct sockaddr *to, ip4_t address)
{
	const struct sockaddr_in in = {.sin_family = AF_INET,
				       .sin_addr.s_addr = cpu_to_be32(address)};

	memcpy(to, &in, sizeof(in));
}

static const char *read_device(struct bench *bench)
{
	static const char *const names[] = {"eth0", "eth1", "lo", "none"};

	return names[read_u8(bench) % ARRAY_SIZE(names)];
}

/* Destination, gateway, prefix length, flags, device, metric. */
static void make_route(struct bench *bench, struct rtentry *route, char *name)
{
	uint8_t flags;

	put_address(&route->rt_dst, read_address(bench));
	put_address(&route->rt_gateway, read_address(bench));
	put_address(&route->rt_genmask, ip4_mask(read_u8(bench) % 33u));
	flags = read_u8(bench);
	route->rt_flags = (uint16_t)(RTF_UP | (flags & 6) | (flags & 8 ? RTF_REJECT : 0) |
				     (flags & 16 ? RTF_MTU : 0));
	if (flags & 32) {
		strcpy(name, read_device(bench));
		route->rt_dev = (uintptr_t)name;
	}
	route->rt_metric = (int16_t)read_signed(bench);
	route->rt_mtu = (uint64_t)flags << 4;
}

static void make_neighbour(struct bench *bench, struct arpreq *request)
{
	put_address(&request->arp_pa, read_address(bench));
	request->arp_ha.sa_family = ARPHRD_ETHER;
	memcpy(request->arp_ha.sa_data, PEER_MAC[0].bytes, MAC_LENGTH);
	request->arp_ha.sa_data[5] = (char)read_u8(bench);
	request->arp_flags = read_u8(bench) & 0x7e;
	strcpy(request->arp_dev, read_device(bench));
}

/* A device, and 0 an address, 1 a MAC, 2 a number for the rest. */
static void make_interface(struct bench *bench, struct ifreq *request)
{
	strcpy(request->ifr_name, read_device(bench));
	switch (read_u8(bench) % 3) {
	case 0:
		put_address(&request->ifr_addr, read_address(bench));
		break;
	case 1:
		request->ifr_hwaddr.sa_family = read_u8(bench) & 1;
		memcpy(request->ifr_hwaddr.sa_data, OUR_MAC[0].bytes, MAC_LENGTH);
		request->ifr_hwaddr.sa_data[0] = (char)read_u8(bench);
		break;
	default:
		request->ifr_mtu = read_u16(bench);
		break;
	}
}

static bool is_route_command(uint16_t command)
{
	return command == SIOCADDRT || command == SIOCDELRT;
}

static bool is_neighbour_command(uint16_t command)
{
	return command == SIOCSARP || command == SIOCGARP || command == SIOCDARP;
}

/* Which (255: a number as it stands), and its argument. */
void op_ioctl(struct bench *bench, uint32_t bits)
{
	static struct ifreq list[3];
	union {
		struct ifreq interface;
		struct rtentry route;
		struct arpreq neighbour;
		struct ifconf configuration;
	} argument = {0};
	char name[IFNAMSIZ] = {0};
	uint8_t which = read_u8(bench);
	uint16_t command = which == 255 ? (uint16_t)(0x8900 + read_u8(bench))
					: commands[which % ARRAY_SIZE(commands)];
	struct file *file = fd_get((int)bits);

	if (is_route_command(command))
		make_route(bench, &argument.route, name);
	else if (is_neighbour_command(command))
		make_neighbour(bench, &argument.neighbour);
	else if (command == SIOCGIFCONF)
		argument.configuration = (struct ifconf){.ifc_len = read_u8(bench) % sizeof(list),
							 .ifc_buf = (uintptr_t)list};
	else
		make_interface(bench, &argument.interface);
	if (!file)
		return;
	if (file->ops->ioctl)
		(void)file->ops->ioctl(file, command, (uintptr_t)&argument);
	file_put(file);
}

/* Bits 0-1: which device; bit 2 set: its MTU (2 bytes), else a byte: up, down, carrier. */
void op_device(struct bench *bench, uint32_t bits)
{
	struct net_device *devices[] = {&bench->wires[0], &bench->wires[1], bench->net.loopback};
	struct net_device *dev = devices[(bits & 3) % ARRAY_SIZE(devices)];
	uint16_t mtu = bits & 4 ? read_u16(bench) : 0;
	uint8_t what = bits & 4 ? 0xff : read_u8(bench);

	net_lock(&bench->net);
	if (what == 0xff)
		(void)netdev_set_mtu(dev, mtu);
	else if (what & 4)
		netdev_set_carrier(dev, what & 1);
	else if (what & 1)
		(void)netdev_up(dev);
	else
		netdev_down(dev);
	net_unlock(&bench->net);
}

/* Which, and its value as it would be written to /proc/sys. */
void op_setting(struct bench *bench, uint32_t bits)
{
	struct ip4_settings *settings = &ip4_stack(&bench->net)->settings;
	uint8_t value = read_u8(bench);

	switch (bits) {
	case 0:
		settings->ip_forward = value & 1;
		bench->foreign_payload |= value & 1;
		break;
	case 1:
		settings->icmp_echo_ignore_broadcasts = value & 1;
		settings->icmp_echo_ignore_all = value >> 1 & 1;
		break;
	case 2:
		settings->icmp_ratelimit = value * 10;
		break;
	case 3:
		settings->ipfrag_high_thresh = value * 1024;
		break;
	case 4:
		settings->ipfrag_time = 1 + value;
		break;
	case 5:
		settings->ip_default_ttl = MAX(value, 1);
		break;
	case 6:
		settings->ip_local_port_range[0] = 40000;
		settings->ip_local_port_range[1] = 40000 + value % 8;
		break;
	default:
		settings->igmp_max_memberships = value & 127;
		bench->net.core.packet_trace = value >> 7;
		break;
	}
}

/* TCP's: which, and its value. */
void op_tcp_setting(struct bench *bench, uint32_t bits)
{
#define FIELD(name) offsetof(struct tcp_settings, name)
	/* Order matters to the inputs that are kept: new ones at the end. */
	static const struct {
		size_t field;
		int32_t least, most;
	} known[] = {
		{FIELD(tcp_window_scaling), 0, 1},
		{FIELD(tcp_timestamps), 0, 1},
		{FIELD(tcp_sack), 0, 1},
		{FIELD(tcp_dsack), 0, 1},
		{FIELD(tcp_ecn), 0, 2},
		{FIELD(tcp_syncookies), 0, 2},
		{FIELD(tcp_max_syn_backlog), 1, 8},
		{FIELD(tcp_synack_retries), 0, 3},
		{FIELD(tcp_syn_retries), 1, 3},
		{FIELD(tcp_retries2), 0, 4},
		{FIELD(tcp_orphan_retries), 0, 3},
		{FIELD(tcp_max_orphans), 0, 2},
		{FIELD(tcp_fin_timeout), 1, 60},
		{FIELD(tcp_max_tw_buckets), 0, 3},
		{FIELD(tcp_tw_reuse), 0, 2},
		{FIELD(tcp_rfc1337), 0, 1},
		{FIELD(tcp_fastopen), 0, 7},
		{FIELD(tcp_slow_start_after_idle), 0, 1},
		{FIELD(tcp_mtu_probing), 0, 2},
		{FIELD(tcp_challenge_ack_limit), 0, 4},
		{FIELD(tcp_mem[2]), 1, 20},
		{FIELD(tcp_rmem[1]), 4096, 4200},
		{FIELD(tcp_abort_on_overflow), 0, 1},
		{FIELD(tcp_invalid_ratelimit), 0, 1},
	};
#undef FIELD
	uint8_t which = (uint8_t)(read_u8(bench) + bits) % ARRAY_SIZE(known);
	int32_t value = known[which].least +
			read_u8(bench) % (known[which].most - known[which].least + 1);

	memcpy((char *)&tcp_of(&bench->net)->settings + known[which].field, &value, sizeof(value));
}

/* The allocation `bits` + 8 n from now fails; bit 7: and all that follow. 0: none. */
void op_memory(struct bench *bench, uint32_t bits)
{
	uint8_t byte = read_u8(bench);
	uint64_t nth = bits + 8u * (byte & 127u);

	if (byte & 128)
		host_fail_allocations_from(nth);
	else
		host_fail_allocation(nth);
}

/* One of /proc's files is read; it was registered just now, for inputs that never ask. */
void op_proc(struct bench *bench, uint32_t bits)
{
	static const struct {
		int (*init)(struct net *net);
		const char *path;
	} files[] = {
		{netdev_proc_init, "net/dev"},    {netdev_proc_init, "net/drops"},
		{packet_proc_init, "net/packet"}, {ethernet_proc_init, "net/arp"},
		{ipv4_proc_init, "net/route"},    {ipv4_proc_init, "net/snmp"},
		{ipv4_proc_init, "net/netstat"},  {ipv4_proc_init, "net/udp"},
		{ipv4_proc_init, "net/raw"},      {ipv4_proc_init, "net/icmp"},
		{ipv4_proc_init, "net/igmp"},     {tcp_proc_init, "net/tcp"},
		{unix_proc_init, "net/unix"},     {netlink_proc_init, "net/netlink"},
	};
	static char text[65536];
	size_t which = (read_u8(bench) + bits) % ARRAY_SIZE(files);

	(void)files[which].init(&bench->net);
	(void)host_proc_read(files[which].path, text, sizeof(text));
	host_proc_reset();
}
