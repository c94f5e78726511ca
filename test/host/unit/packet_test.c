/* AF_PACKET sockets, through the system calls a process would make. */
#include "test/host/unit/fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "include/uapi/fcntl.h"
#include "include/uapi/filter.h"
#include "include/uapi/if_arp.h"
#include "include/uapi/if_packet.h"
#include "include/uapi/sockios.h"
#include "include/uapi/syscall.h"
#include "include/uapi/uio.h"
#include "kernel/byteorder.h"
#include "net/ethernet/ethernet.h"

static struct fixture f;

#define TEST_TYPE 0x9999
#define PORT(x) __builtin_bswap16(x)

static int set_up(void **state __unused)
{
	fixture_init(&f);
	socket_syscalls_init();
	return 0;
}

static int tear_down(void **state __unused)
{
	host_fail_allocation(0);
	fixture_destroy(&f);
	return 0;
}

static int open_socket(int type, uint16_t protocol)
{
	int64_t fd = host_syscall(SYS_socket, AF_PACKET, (uint64_t)type | SOCK_NONBLOCK,
				  PORT(protocol), 0, 0, 0);

	assert_true(fd >= 0);
	return (int)fd;
}

static int64_t bind_to(int fd, int ifindex, uint16_t protocol)
{
	const struct sockaddr_ll name = {
		.sll_family = AF_PACKET, .sll_protocol = PORT(protocol), .sll_ifindex = ifindex};

	return host_syscall(SYS_bind, (uint64_t)fd, (uint64_t)&name, sizeof(name), 0, 0, 0);
}

static int64_t receive(int fd, void *to, size_t size, uint32_t flags, struct sockaddr_ll *from)
{
	uint32_t length = sizeof(*from);
	int64_t n = host_syscall(SYS_recvfrom, (uint64_t)fd, (uint64_t)to, size, flags,
				 (uint64_t)from, (uint64_t)(from ? &length : NULL));

	if (n >= 0 && from)
		assert_int_equal(length, 20);
	return n;
}

static int64_t send(int fd, const void *bytes, size_t n, const struct sockaddr_ll *to)
{
	return host_syscall(SYS_sendto, (uint64_t)fd, (uint64_t)bytes, n, 0, (uint64_t)to,
			    to ? sizeof(*to) : 0);
}

static int64_t set_option(int fd, int level, int option, const void *value, size_t size)
{
	return host_syscall(SYS_setsockopt, (uint64_t)fd, (uint64_t)level, (uint64_t)option,
			    (uint64_t)value, size, 0);
}

static void frame_comes(const char *payload)
{
	fixture_receive_ethernet(&f, FIXTURE_MAC, FIXTURE_PEER, TEST_TYPE, payload,
				 strlen(payload));
}

static void raw_sees_the_frame_and_its_sender(void **state __unused)
{
	int fd = open_socket(SOCK_RAW, ETH_P_ALL);
	struct sockaddr_ll from;
	uint8_t bytes[100];

	frame_comes("hello");
	assert_int_equal(receive(fd, bytes, sizeof(bytes), 0, &from), 19);
	assert_memory_equal(bytes, FIXTURE_MAC.bytes, 6);
	assert_memory_equal(bytes + 14, "hello", 5);
	assert_int_equal(from.sll_family, AF_PACKET);
	assert_int_equal(from.sll_protocol, PORT(TEST_TYPE));
	assert_int_equal(from.sll_ifindex, f.dev.ifindex);
	assert_int_equal(from.sll_hatype, ARPHRD_ETHER);
	assert_int_equal(from.sll_pkttype, PACKET_HOST);
	assert_int_equal(from.sll_halen, 6);
	assert_memory_equal(from.sll_addr, FIXTURE_PEER.bytes, 6);
	assert_int_equal(receive(fd, bytes, sizeof(bytes), 0, &from), -EAGAIN);
}

static void datagram_sees_the_payload(void **state __unused)
{
	int fd = open_socket(SOCK_DGRAM, TEST_TYPE);
	uint8_t bytes[100];

	frame_comes("hello");
	assert_int_equal(receive(fd, bytes, sizeof(bytes), 0, NULL), 5);
	assert_memory_equal(bytes, "hello", 5);
}

static void packet_types_are_told(void **state __unused)
{
	const struct mac group = {{1, 0, 0x5e, 0, 0, 9}}, other = {{2, 9, 9, 9, 9, 9}};
	const struct {
		struct mac destination;
		uint8_t type;
	} cases[] = {{MAC_BROADCAST, PACKET_BROADCAST},
		     {group, PACKET_MULTICAST},
		     {other, PACKET_OTHERHOST}};
	int fd = open_socket(SOCK_RAW, ETH_P_ALL);
	struct sockaddr_ll from;
	uint8_t bytes[100];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fixture_receive_ethernet(&f, cases[i].destination, FIXTURE_PEER, TEST_TYPE, "x", 1);
		assert_int_equal(receive(fd, bytes, sizeof(bytes), 0, &from), 15);
		assert_int_equal(from.sll_pkttype, cases[i].type);
	}
}

static void protocols_and_interfaces_select(void **state __unused)
{
	int arp = open_socket(SOCK_RAW, ETH_P_ARP), lo = open_socket(SOCK_RAW, ETH_P_ALL);
	int none = open_socket(SOCK_RAW, 0);
	uint8_t bytes[100];

	assert_int_equal(bind_to(lo, f.net.loopback->ifindex, 0), 0);
	frame_comes("x");
	assert_int_equal(receive(arp, bytes, sizeof(bytes), 0, NULL), -EAGAIN);
	assert_int_equal(receive(lo, bytes, sizeof(bytes), 0, NULL), -EAGAIN);
	assert_int_equal(receive(none, bytes, sizeof(bytes), 0, NULL), -EAGAIN);
	assert_int_equal(bind_to(none, 0, TEST_TYPE), 0);
	frame_comes("x");
	assert_int_equal(receive(none, bytes, sizeof(bytes), 0, NULL), 15);
}

static void outgoing_frames_are_seen_by_all_only(void **state __unused)
{
	const struct sockaddr_ll to = {.sll_family = AF_PACKET,
				       .sll_protocol = PORT(TEST_TYPE),
				       .sll_ifindex = f.dev.ifindex,
				       .sll_halen = 6,
				       .sll_addr = {2, 0, 0, 0, 0, 2}};
	int all = open_socket(SOCK_RAW, ETH_P_ALL), one = open_socket(SOCK_DGRAM, TEST_TYPE);
	struct sockaddr_ll from;
	uint8_t bytes[100];
	int32_t on = 1;

	assert_int_equal(send(one, "data", 4, &to), 4);
	assert_int_equal(fixture_sent(&f, 0)->length, 18);
	assert_memory_equal(fixture_sent(&f, 0)->bytes, FIXTURE_PEER.bytes, 6);
	assert_memory_equal(fixture_sent(&f, 0)->bytes + 6, FIXTURE_MAC.bytes, 6);
	assert_int_equal(get_be16(fixture_sent(&f, 0)->bytes + 12), TEST_TYPE);
	assert_int_equal(receive(all, bytes, sizeof(bytes), 0, &from), 18);
	assert_int_equal(from.sll_pkttype, PACKET_OUTGOING);
	assert_memory_equal(from.sll_addr, FIXTURE_MAC.bytes, 6);
	assert_int_equal(receive(one, bytes, sizeof(bytes), 0, NULL), -EAGAIN);
	assert_int_equal(set_option(all, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)), 0);
	assert_int_equal(send(one, "data", 4, &to), 4);
	assert_int_equal(receive(all, bytes, sizeof(bytes), 0, NULL), -EAGAIN);
}

static void raw_frames_are_sent_as_they_are(void **state __unused)
{
	int fd = open_socket(SOCK_RAW, 0);
	uint8_t frame[60];

	memset(frame, 0xab, sizeof(frame));
	assert_int_equal(send(fd, frame, sizeof(frame), NULL), -ENXIO); /* where to? */
	assert_int_equal(bind_to(fd, f.dev.ifindex, 0), 0);
	assert_int_equal(send(fd, frame, sizeof(frame), NULL), 60);
	assert_memory_equal(fixture_sent(&f, 0)->bytes, frame, sizeof(frame));
}

static void what_cannot_be_sent(void **state __unused)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_ifindex = f.dev.ifindex, .sll_halen = 6};
	int raw = open_socket(SOCK_RAW, 0), dgram = open_socket(SOCK_DGRAM, 0);
	static uint8_t frame[2000];

	assert_int_equal(send(raw, frame, 13, &to), -EINVAL);
	assert_int_equal(send(raw, frame, 1518, &to), 1518);
	assert_int_equal(send(raw, frame, 1519, &to), -EMSGSIZE);
	assert_int_equal(send(dgram, frame, 1500, &to), 1500);
	assert_int_equal(send(dgram, frame, 1501, &to), -EMSGSIZE);
	assert_int_equal(send(dgram, frame, 10, NULL), -EINVAL);
	to.sll_halen = 4;
	assert_int_equal(send(dgram, frame, 10, &to), -EINVAL);
	to.sll_halen = 6;
	assert_int_equal(
		host_syscall(SYS_sendto, (uint64_t)raw, (uint64_t)frame, 60, 0, (uint64_t)&to, 12),
		-EINVAL);
	to.sll_family = AF_INET;
	assert_int_equal(send(raw, frame, 60, &to), -EINVAL);
	to.sll_family = AF_PACKET;
	to.sll_ifindex = 77;
	assert_int_equal(send(raw, frame, 60, &to), -ENXIO);
	to.sll_ifindex = f.dev.ifindex;
	assert_int_equal(send(raw, (void *)8, 60, &to), -EFAULT);
	net_lock(&f.net);
	netdev_down(&f.dev);
	net_unlock(&f.net);
	assert_int_equal(send(raw, frame, 60, &to), -ENETDOWN);
	host_fail_allocation(1);
	net_lock(&f.net);
	netdev_up(&f.dev);
	net_unlock(&f.net);
	assert_int_equal(send(raw, frame, 60, &to), -ENOBUFS);
}

static void binding(void **state __unused)
{
	struct sockaddr_ll name = {.sll_family = AF_PACKET};
	uint32_t length = sizeof(name);
	int fd = open_socket(SOCK_RAW, ETH_P_ALL);
	int32_t error = 0;
	uint32_t error_length = sizeof(error);

	assert_int_equal(host_syscall(SYS_bind, (uint64_t)fd, (uint64_t)&name, 12, 0, 0, 0),
			 -EINVAL);
	name.sll_family = AF_INET;
	assert_int_equal(
		host_syscall(SYS_bind, (uint64_t)fd, (uint64_t)&name, sizeof(name), 0, 0, 0),
		-EINVAL);
	assert_int_equal(bind_to(fd, 99, 0), -ENODEV);
	assert_int_equal(bind_to(fd, f.dev.ifindex, ETH_P_IP), 0);
	assert_int_equal(host_syscall(SYS_getsockname, (uint64_t)fd, (uint64_t)&name,
				      (uint64_t)&length, 0, 0, 0),
			 0);
	assert_int_equal(length, sizeof(name));
	assert_int_equal(name.sll_ifindex, f.dev.ifindex);
	assert_int_equal(name.sll_protocol, PORT(ETH_P_IP));
	assert_int_equal(name.sll_hatype, ARPHRD_ETHER);
	assert_memory_equal(name.sll_addr, FIXTURE_MAC.bytes, 6);
	assert_int_equal(host_syscall(SYS_getpeername, (uint64_t)fd, (uint64_t)&name,
				      (uint64_t)&length, 0, 0, 0),
			 -EOPNOTSUPP);
	net_lock(&f.net);
	netdev_down(&f.dev);
	net_unlock(&f.net);
	assert_int_equal(bind_to(fd, f.dev.ifindex, ETH_P_IP), 0);
	assert_int_equal(host_syscall(SYS_getsockopt, (uint64_t)fd, SOL_SOCKET, SO_ERROR,
				      (uint64_t)&error, (uint64_t)&error_length, 0),
			 0);
	assert_int_equal(error, ENETDOWN);
}

static void truncation_and_peeking(void **state __unused)
{
	int fd = open_socket(SOCK_RAW, ETH_P_ALL);
	uint8_t bytes[10];

	frame_comes("hello");
	assert_int_equal(receive(fd, bytes, sizeof(bytes), MSG_PEEK, NULL), 10);
	assert_int_equal(receive(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_TRUNC, NULL), 19);
	assert_int_equal(receive(fd, bytes, sizeof(bytes), MSG_TRUNC, NULL), 19);
	assert_int_equal(receive(fd, bytes, sizeof(bytes), 0, NULL), -EAGAIN);
	assert_int_equal(receive(fd, bytes, sizeof(bytes), MSG_OOB, NULL), -EINVAL);
	frame_comes("hello");
	assert_int_equal(receive(fd, (void *)8, 10, 0, NULL), -EFAULT);
	frame_comes("hello");
	host_fail_allocation(1);
	assert_int_equal(receive(fd, bytes, sizeof(bytes), MSG_PEEK, NULL), -ENOBUFS);
}

static void the_buffer_has_an_end_and_a_count(void **state __unused)
{
	int fd = open_socket(SOCK_RAW, ETH_P_ALL);
	struct tpacket_stats statistics;
	uint32_t length = sizeof(statistics);
	int32_t size = 2304;
	uint8_t bytes[100];
	uint32_t kept = 0;

	assert_int_equal(set_option(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	for (int i = 0; i < 100; i++)
		frame_comes("x");
	while (receive(fd, bytes, sizeof(bytes), 0, NULL) > 0)
		kept++;
	assert_true(kept > 0 && kept < 20);
	assert_int_equal(fixture_drops(&f, DROP_SOCKET_BUFFER_FULL), 100 - kept);
	assert_int_equal(host_syscall(SYS_getsockopt, (uint64_t)fd, SOL_PACKET, PACKET_STATISTICS,
				      (uint64_t)&statistics, (uint64_t)&length, 0),
			 0);
	assert_int_equal(statistics.tp_packets, 100);
	assert_int_equal(statistics.tp_drops, 100 - kept);
	assert_int_equal(host_syscall(SYS_getsockopt, (uint64_t)fd, SOL_PACKET, PACKET_STATISTICS,
				      (uint64_t)&statistics, (uint64_t)&length, 0),
			 0);
	assert_int_equal(statistics.tp_packets, 0);
	host_fail_allocation(2); /* the first is the frame itself */
	frame_comes("x");
	assert_int_equal(fixture_drops(&f, DROP_NO_MEMORY), 1);
}

static void memberships(void **state __unused)
{
	struct packet_mreq request = {.mr_ifindex = f.dev.ifindex, .mr_type = PACKET_MR_PROMISC};
	struct packet_mreq group = {.mr_ifindex = f.dev.ifindex,
				    .mr_type = PACKET_MR_MULTICAST,
				    .mr_alen = 6,
				    .mr_address = {1, 0, 0x5e, 0, 0, 9}};
	int fd = open_socket(SOCK_RAW, ETH_P_ALL);

	assert_int_equal(
		set_option(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)), 0);
	assert_int_equal(
		set_option(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)), 0);
	assert_int_equal(f.dev.promiscuous, 1);
	assert_int_equal(
		set_option(fd, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &request, sizeof(request)), 0);
	assert_int_equal(f.dev.promiscuous, 1);
	assert_int_equal(
		set_option(fd, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &request, sizeof(request)), 0);
	assert_int_equal(f.dev.promiscuous, 0);
	assert_int_equal(
		set_option(fd, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &request, sizeof(request)),
		-EADDRNOTAVAIL);
	request.mr_type = PACKET_MR_ALLMULTI;
	assert_int_equal(
		set_option(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)), 0);
	assert_int_equal(f.dev.all_multicast, 1);
	assert_int_equal(set_option(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group, sizeof(group)),
			 0);
	assert_false(list_empty(&f.dev.multicast));
	assert_int_equal(host_syscall(SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0),
			 -ENOSYS); /* not a socket's call */
	host_close_all();          /* all memberships end with the socket */
	assert_int_equal(f.dev.all_multicast, 0);
	assert_true(list_empty(&f.dev.multicast));
}

static void memberships_that_cannot_be(void **state __unused)
{
	struct packet_mreq request = {.mr_ifindex = 99, .mr_type = PACKET_MR_PROMISC};
	int fd = open_socket(SOCK_RAW, ETH_P_ALL);

	assert_int_equal(set_option(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, 8), -EINVAL);
	assert_int_equal(
		set_option(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)),
		-ENODEV);
	request.mr_ifindex = f.dev.ifindex;
	request.mr_type = PACKET_MR_UNICAST;
	assert_int_equal(
		set_option(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)),
		-EOPNOTSUPP);
	request.mr_type = PACKET_MR_MULTICAST;
	assert_int_equal(
		set_option(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)),
		-EINVAL);
	request.mr_alen = 6; /* but 00:00:00:00:00:00 is no group */
	assert_int_equal(
		set_option(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)),
		-EINVAL);
	request.mr_address[0] = 1;
	for (uint64_t nth = 1; nth <= 2; nth++) {
		host_fail_allocation(nth);
		assert_int_equal(set_option(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request,
					    sizeof(request)),
				 -ENOBUFS);
	}
	host_fail_allocation(0);
	assert_true(list_empty(&f.dev.multicast));
}

static void a_membership_outlives_its_device(void **state __unused)
{
	const struct net_device_ops no_ops = {0};
	struct net_device dev;
	int fd = open_socket(SOCK_RAW, ETH_P_ALL);

	netdev_init_ethernet(&dev, FIXTURE_MAC, &no_ops, NULL);
	assert_int_equal(netdev_register(&f.net, &dev, "eth%d"), 0);

	struct packet_mreq request = {.mr_ifindex = dev.ifindex, .mr_type = PACKET_MR_PROMISC};

	assert_int_equal(
		set_option(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)), 0);
	netdev_unregister(&dev);
	host_close_all();
}

static void options_that_are_not_there(void **state __unused)
{
	const int options[] = {PACKET_TX_RING,      PACKET_FANOUT, PACKET_VNET_HDR,
			       PACKET_TX_TIMESTAMP, PACKET_LOSS,   PACKET_TX_HAS_OFF};
	int fd = open_socket(SOCK_RAW, ETH_P_ALL);
	int32_t value = 1;
	uint32_t length = sizeof(value);

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		assert_int_equal(set_option(fd, SOL_PACKET, options[i], &value, sizeof(value)),
				 -ENOPROTOOPT);
		assert_int_equal(host_syscall(SYS_getsockopt, (uint64_t)fd, SOL_PACKET,
					      (uint64_t)options[i], (uint64_t)&value,
					      (uint64_t)&length, 0),
				 -ENOPROTOOPT);
	}
	assert_int_equal(set_option(fd, SOL_IP, 1, &value, sizeof(value)), -ENOPROTOOPT);
	assert_int_equal(set_option(fd, SOL_PACKET, PACKET_AUXDATA, &value, 2), -EINVAL);
}

/* What a VLAN tag said stands beside the frame. IEEE 802.1Q */
static void vlan_tags_are_taken_out(void **state __unused)
{
	const uint8_t tagged[] = {0x20, 0x05, 0x99, 0x99, 'h', 'e', 'l', 'l', 'o'};
	static const struct sock_filter of_vlan_5[] = {
		{BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG)},
		{BPF_ALU | BPF_AND, 0, 0, 0xfff},
		{BPF_JMP | BPF_JEQ, 0, 1, 5},
		{BPF_RET, 0, 0, UINT32_MAX},
		{BPF_RET, 0, 0, 0},
	};
	const struct sock_fprog filter = {.len = ARRAY_SIZE(of_vlan_5),
					  .filter = (uint64_t)of_vlan_5};
	int raw = open_socket(SOCK_RAW, ETH_P_ALL), cooked = open_socket(SOCK_DGRAM, ETH_P_ALL);
	uint64_t control[16];
	uint8_t bytes[100];
	struct iovec piece = {.iov_base = (uint64_t)bytes, .iov_len = sizeof(bytes)};
	struct msghdr header = {.msg_iov = (uint64_t)&piece,
				.msg_iovlen = 1,
				.msg_control = (uint64_t)control,
				.msg_controllen = sizeof(control)};
	const struct cmsghdr *told = (const void *)control;
	const struct tpacket_auxdata *data = (const void *)CMSG_DATA(told);
	struct sockaddr_ll from;
	int32_t on = 1;

	assert_int_equal(set_option(raw, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)), 0);
	assert_int_equal(set_option(raw, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)), 0);
	frame_comes("untagged");
	fixture_receive_ethernet(&f, FIXTURE_MAC, FIXTURE_PEER, ETH_P_8021Q, tagged,
				 sizeof(tagged));
	assert_int_equal(host_syscall(SYS_recvmsg, (uint64_t)raw, (uint64_t)&header, 0, 0, 0, 0),
			 19);
	assert_memory_equal(bytes, FIXTURE_MAC.bytes, 6);
	assert_memory_equal(bytes + 6, FIXTURE_PEER.bytes, 6);
	assert_int_equal(get_be16(bytes + 12), TEST_TYPE);
	assert_memory_equal(bytes + 14, "hello", 5);
	assert_int_equal(data->tp_status & (TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID),
			 TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID);
	assert_int_equal(data->tp_vlan_tci, 0x2005);
	assert_int_equal(data->tp_vlan_tpid, ETH_P_8021Q);
	assert_int_equal(receive(raw, bytes, sizeof(bytes), 0, NULL), -EAGAIN);
	assert_int_equal(receive(cooked, bytes, sizeof(bytes), 0, NULL), 8);
	assert_int_equal(receive(cooked, bytes, sizeof(bytes), 0, &from), 5);
	assert_memory_equal(bytes, "hello", 5);
	assert_int_equal(from.sll_protocol, PORT(TEST_TYPE));
}

static void auxiliary_data_and_timestamps(void **state __unused)
{
	int fd = open_socket(SOCK_RAW, ETH_P_ALL);
	uint64_t control[16];
	uint8_t bytes[100];
	struct iovec piece = {.iov_base = (uint64_t)bytes, .iov_len = sizeof(bytes)};
	struct msghdr header = {.msg_iov = (uint64_t)&piece,
				.msg_iovlen = 1,
				.msg_control = (uint64_t)control,
				.msg_controllen = sizeof(control)};
	int32_t on = 1;

	assert_int_equal(set_option(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)), 0);
	assert_int_equal(set_option(fd, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on)), 0);
	frame_comes("hello");
	fixture_advance(&f, 3 * USEC_PER_SEC + 5);
	assert_int_equal(host_syscall(SYS_recvmsg, (uint64_t)fd, (uint64_t)&header, 0, 0, 0, 0),
			 19);
	assert_int_equal(header.msg_flags, 0);

	const struct cmsghdr *stamp = (const void *)control;
	const struct timeval *time = CMSG_DATA(stamp);

	assert_int_equal(stamp->cmsg_level, SOL_SOCKET);
	assert_int_equal(stamp->cmsg_type, SCM_TIMESTAMP);
	assert_int_equal(stamp->cmsg_len, 32);
	assert_int_equal(time->tv_sec, 1000); /* of arrival, not of reading */
	assert_int_equal(time->tv_usec, 0);

	const struct cmsghdr *second = (const void *)(control + 4);
	const struct tpacket_auxdata *data = CMSG_DATA(second);

	assert_int_equal(second->cmsg_level, SOL_PACKET);
	assert_int_equal(second->cmsg_type, PACKET_AUXDATA);
	assert_int_equal(data->tp_len, 19);
	assert_int_equal(data->tp_snaplen, 19);
	assert_int_equal(data->tp_net, 14);
	assert_int_equal(data->tp_status, TP_STATUS_USER);
	assert_int_equal(header.msg_controllen, 32 + 40);
}

static void loopback_shows_an_ethernet_header(void **state __unused)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = PORT(TEST_TYPE),
				 .sll_ifindex = f.net.loopback->ifindex,
				 .sll_halen = 6};
	int raw = open_socket(SOCK_RAW, ETH_P_ALL), dgram = open_socket(SOCK_DGRAM, TEST_TYPE);
	uint8_t frame[20] = {
		[12] = TEST_TYPE >> 8, [13] = TEST_TYPE & 0xff, [14] = 'h', [15] = 'i'};
	uint8_t bytes[100];
	struct sockaddr_ll from;

	assert_int_equal(send(dgram, "hi", 2, &to), 2);
	assert_int_equal(receive(raw, bytes, sizeof(bytes), 0, &from), 16); /* outgoing */
	assert_int_equal(from.sll_pkttype, PACKET_OUTGOING);
	fixture_run(&f);
	assert_int_equal(receive(raw, bytes, sizeof(bytes), 0, &from), 16); /* incoming */
	assert_memory_equal(bytes, frame, 16);
	assert_int_equal(from.sll_pkttype, PACKET_HOST);
	assert_int_equal(from.sll_hatype, ARPHRD_LOOPBACK);
	assert_int_equal(receive(dgram, bytes, sizeof(bytes), 0, &from), 2);

	assert_int_equal(send(raw, frame, 16, &to), 16);
	fixture_run(&f);
	assert_int_equal(receive(dgram, bytes, sizeof(bytes), 0, &from), 2);
	assert_memory_equal(bytes, "hi", 2);
}

static bool send_frame_once(struct fixture *fixture)
{
	fixture->while_asleep = NULL;
	frame_comes("awake");
	return true;
}

static void a_blocked_receive_is_woken(void **state __unused)
{
	int64_t fd = host_syscall(SYS_socket, AF_PACKET, SOCK_DGRAM, PORT(TEST_TYPE), 0, 0, 0);
	uint8_t bytes[100];

	f.while_asleep = send_frame_once;
	assert_int_equal(receive((int)fd, bytes, sizeof(bytes), 0, NULL), 5);
	assert_int_equal(receive((int)fd, bytes, sizeof(bytes), MSG_DONTWAIT, NULL), -EAGAIN);

	const struct timeval timeout = {.tv_sec = 2};
	uint64_t before = f.now_us;

	assert_int_equal(set_option((int)fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)),
			 0);
	assert_int_equal(receive((int)fd, bytes, sizeof(bytes), 0, NULL), -EAGAIN);
	assert_int_equal(f.now_us - before, 2 * USEC_PER_SEC);
	host_signal(true);
	assert_int_equal(receive((int)fd, bytes, sizeof(bytes), 0, NULL),
			 -EINTR); /* with a timeout: no restart */
	host_signal(false);
}

static void proc_net_packet(void **state __unused)
{
	char text[1000];
	int fd = open_socket(SOCK_RAW, ETH_P_ALL);

	assert_int_equal(bind_to(fd, f.dev.ifindex, 0), 0);
	assert_int_equal(packet_proc_init(&f.net), 0);
	assert_true(host_proc_read("net/packet", text, sizeof(text)) > 0);
	assert_string_equal(text,
			    "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"
			    "0000000000000000 1      3    0003   2     1 0      0      1000  \n");
}

static void families_and_types(void **state __unused)
{
	assert_int_equal(host_syscall(SYS_socket, AF_PACKET, SOCK_STREAM, 0, 0, 0, 0),
			 -ESOCKTNOSUPPORT);
	assert_int_equal(host_syscall(SYS_socket, AF_PACKET, 0, 0, 0, 0, 0), -EINVAL);
	assert_int_equal(host_syscall(SYS_socket, AF_PACKET, 0x100 | SOCK_RAW, 0, 0, 0, 0),
			 -EINVAL);
	assert_int_equal(host_syscall(SYS_socket, 999, SOCK_STREAM, 0, 0, 0, 0), -EAFNOSUPPORT);
	assert_int_equal(host_syscall(SYS_socketpair, AF_PACKET, SOCK_RAW, 0, 0, 0, 0),
			 -EOPNOTSUPP);
	host_fail_allocation(1);
	assert_int_equal(host_syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0, 0, 0, 0), -ENOMEM);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(raw_sees_the_frame_and_its_sender),
		TEST(datagram_sees_the_payload),
		TEST(packet_types_are_told),
		TEST(protocols_and_interfaces_select),
		TEST(outgoing_frames_are_seen_by_all_only),
		TEST(raw_frames_are_sent_as_they_are),
		TEST(what_cannot_be_sent),
		TEST(binding),
		TEST(truncation_and_peeking),
		TEST(the_buffer_has_an_end_and_a_count),
		TEST(memberships),
		TEST(memberships_that_cannot_be),
		TEST(a_membership_outlives_its_device),
		TEST(options_that_are_not_there),
		TEST(vlan_tags_are_taken_out),
		TEST(auxiliary_data_and_timestamps),
		TEST(loopback_shows_an_ethernet_header),
		TEST(a_blocked_receive_is_woken),
		TEST(proc_net_packet),
		TEST(families_and_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
