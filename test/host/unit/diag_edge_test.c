/*
 * NETLINK_SOCK_DIAG, and what rtnetlink is asked less often, at their edges: what is refused, long
 * lists, no memory.
 */
#include <string.h>

#include "include/uapi/if_packet.h"
#include "include/uapi/in.h"
#include "include/uapi/netlink_diag.h"
#include "include/uapi/packet_diag.h"
#include "include/uapi/unix_diag.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "net/tcp/tcp.h"
#include "test/host/unit/diag_fixture.h"

#define EVERYTHING UINT32_MAX
#define FAILURES 12 /* more allocations than any request makes */

static const struct unix_diag_req all_unix = {
	.sdiag_family = AF_UNIX, .udiag_states = EVERYTHING, .udiag_show = EVERYTHING};
static const struct packet_diag_req all_packet = {.sdiag_family = AF_PACKET,
						  .pdiag_show = EVERYTHING};
static const struct netlink_diag_req all_netlink = {
	.sdiag_family = AF_NETLINK, .sdiag_protocol = NDIAG_PROTO_ALL, .ndiag_show = EVERYTHING};

static struct inet_diag_req_v2 all_inet(uint8_t family, uint8_t protocol)
{
	return (struct inet_diag_req_v2){.sdiag_family = family,
					 .sdiag_protocol = protocol,
					 .idiag_ext = 0xff,
					 .idiag_states = EVERYTHING};
}

/* ---- What is refused ---- */

static void requests_of_old(void **state __unused)
{
	const struct inet_diag_req_v2 inet = all_inet(AF_INET, IPPROTO_TCP);

	diag_refused(TCPDIAG_GETSOCK, NLM_F_DUMP, &inet, sizeof(inet), -ENOENT);
	diag_refused(DCCPDIAG_GETSOCK, NLM_F_DUMP, &inet, sizeof(inet), -ENOENT);
	diag_refused(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, NULL, 0, -EINVAL);
	diag_refused(SOCK_DIAG_BY_FAMILY, 0, &inet, sizeof(inet), -EOPNOTSUPP);
}

static void single_sockets_of_netlink(void **state __unused)
{
	const struct netlink_diag_req *request = &all_netlink;

	diag_refused(SOCK_DIAG_BY_FAMILY, 0, request, sizeof(*request), -EOPNOTSUPP);
	diag_refused(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, request, sizeof(*request) - 4, -EINVAL);
	diag_refused(SOCK_DESTROY, 0, request, sizeof(*request), -EOPNOTSUPP);
}

static void what_cannot_be_ended(void **state __unused)
{
	const uint8_t families[] = {AF_INET6, AF_INET, AF_INET};
	const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_TCP};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct inet_diag_req_v2 request = all_inet(families[i], protocols[i]);

		request.id.idiag_sport = cpu_to_be16(TCP_FIXTURE_PORT); /* at last a listener */
		diag_refused(SOCK_DESTROY, 0, &request, sizeof(request), -EOPNOTSUPP);
	}
}

static void attributes_must_be_whole(void **state __unused)
{
	const struct inet_diag_req_v2 request = all_inet(AF_INET, IPPROTO_TCP);

	diag_ask(&request, sizeof(request), NLM_F_DUMP);
	netlink_put(&netlink_request, INET_DIAG_REQ_PROTOCOL, "\6", 1);
	assert_int_equal(request_result(diag_socket), -ERANGE);
}

static void there_is_nothing_of_ipv6(void **state __unused)
{
	const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_RAW};

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		const struct inet_diag_req_v2 request = all_inet(AF_INET6, protocols[i]);

		assert_int_equal(diag_count(&request, sizeof(request)), 0);
	}
}

/* ---- What is asked for ---- */

static void ports_and_states_choose(void **state __unused)
{
	struct inet_diag_req_v2 request = all_inet(AF_INET, IPPROTO_UDP);
	struct socket *udp = make_bound(&netlink_stack, OURS, 9999);

	assert_int_equal(do_connect(udp, PEER, 53), 0);
	request.id.idiag_sport = cpu_to_be16(9999);
	request.id.idiag_dport = cpu_to_be16(53);
	assert_int_equal(diag_count(&request, sizeof(request)), 1);
	request.id.idiag_dport = cpu_to_be16(54);
	assert_int_equal(diag_count(&request, sizeof(request)), 0);
	request.id.idiag_dport = cpu_to_be16(0);
	request.id.idiag_sport = cpu_to_be16(9998);
	assert_int_equal(diag_count(&request, sizeof(request)), 0);
	request.id.idiag_sport = cpu_to_be16(0);
	request.idiag_states = 1u << TCP_CLOSE;
	assert_int_equal(diag_count(&request, sizeof(request)), 0);
	socket_close(udp);
}

static void all_that_is_told_of_a_datagram_socket(void **state __unused)
{
	const struct inet_diag_req_v2 request = all_inet(AF_INET, IPPROTO_UDP);
	struct socket *udp = make_bound(&netlink_stack, OURS, 9999);
	const uint8_t tos = 0x10;
	struct netlink_attribute attribute;
	struct inet_diag_msg body;

	assert_int_equal(socket_setsockopt(udp, SOL_IP, IP_TOS, &tos, sizeof(tos)), 0);
	assert_int_equal(set_option(udp, SOL_SOCKET, SO_MARK, 7), 0);
	diag_list(&request, sizeof(request));
	diag_next(&body, sizeof(body));
	assert_true(find_attribute(sizeof(body), INET_DIAG_TOS, &attribute));
	assert_int_equal(netlink_u8(&attribute), tos);
	assert_int_equal(number_attribute(sizeof(body), INET_DIAG_MARK), 7);
	assert_true(find_attribute(sizeof(body), INET_DIAG_MEMINFO, &attribute));
	assert_int_equal(attribute.length, sizeof(struct inet_diag_meminfo));
	diag_end();
	socket_close(udp);
}

static uint32_t netlink_flags(struct socket *socket)
{
	struct netlink_diag_msg body;
	uint32_t flags = UINT32_MAX;

	diag_list(&all_netlink, sizeof(all_netlink));
	while (next_message(diag_socket) && netlink_answer.header.nlmsg_type != NLMSG_DONE) {
		read_fixed(&body, sizeof(body));
		if (body.ndiag_ino == socket->inode_number)
			flags = number_attribute(sizeof(body), NETLINK_DIAG_FLAGS);
	}
	return flags;
}

static void flags_of_netlink_sockets(void **state __unused)
{
	assert_int_equal(netlink_flags(route_socket), 0);
	assert_int_equal(set_option(route_socket, SOL_NETLINK, NETLINK_PKTINFO, 1), 0);
	assert_int_equal(netlink_flags(route_socket), NDIAG_FLAG_PKTINFO);
	assert_int_equal(set_option(route_socket, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1), 0);
	assert_int_equal(set_option(route_socket, SOL_NETLINK, NETLINK_CAP_ACK, 1), 0);
	assert_int_equal(netlink_flags(route_socket),
			 NDIAG_FLAG_PKTINFO | NDIAG_FLAG_NO_ENOBUFS | NDIAG_FLAG_CAP_ACK);
}

/* A listener as Linux has it: no protocol yet, a group, frames of one size. */
static void a_packet_socket_that_hears_nothing(void **state __unused)
{
	const struct packet_mreq group = {.mr_ifindex = netlink_stack.dev.ifindex,
					  .mr_type = PACKET_MR_MULTICAST,
					  .mr_alen = MAC_LENGTH,
					  .mr_address = {0x01, 0, 0x5e, 0, 0, 9}};
	const struct tpacket_req shape = {
		.tp_block_size = 4096, .tp_block_nr = 1, .tp_frame_size = 2048, .tp_frame_nr = 2};
	struct packet_diag_mclist membership;
	struct packet_diag_info info;
	struct packet_diag_ring ring;
	struct packet_diag_msg body;
	struct socket *socket = diag_open(AF_PACKET, SOCK_RAW, 0);

	assert_int_equal(
		socket_setsockopt(socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group, sizeof(group)),
		0);
	assert_int_equal(set_option(socket, SOL_PACKET, PACKET_ORIGDEV, 1), 0);
	assert_int_equal(set_option(socket, SOL_PACKET, PACKET_VERSION, TPACKET_V2), 0);
	assert_int_equal(
		socket_setsockopt(socket, SOL_PACKET, PACKET_RX_RING, &shape, sizeof(shape)), 0);
	diag_list(&all_packet, sizeof(all_packet));
	diag_next(&body, sizeof(body));
	read_attribute(sizeof(body), PACKET_DIAG_INFO, &info, sizeof(info));
	assert_int_equal(info.pdi_flags, PDI_ORIGDEV);
	assert_int_equal(info.pdi_version, TPACKET_V2);
	read_attribute(sizeof(body), PACKET_DIAG_MCLIST, &membership, sizeof(membership));
	assert_int_equal(membership.pdmc_alen, MAC_LENGTH);
	assert_memory_equal(membership.pdmc_addr, group.mr_address, MAC_LENGTH);
	read_attribute(sizeof(body), PACKET_DIAG_RX_RING, &ring, sizeof(ring));
	assert_int_equal(ring.pdr_frame_nr, 2);
	assert_int_equal(ring.pdr_retire_tmo, 0);
	diag_end();
	socket_close(socket);
}

static void a_name_in_the_file_system(void **state __unused)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/diag_edge_test"};
	struct sockaddr_storage storage = {0};
	struct netlink_attribute attribute;
	struct unix_diag_vfs place;
	struct socket *socket = diag_open(AF_UNIX, SOCK_DGRAM, 0);

	memcpy(&storage, &name, sizeof(name));
	assert_int_equal(socket_bind(socket, &storage, sizeof(name)), 0);
	diag_list(&all_unix, sizeof(all_unix));
	expect_message(diag_socket, SOCK_DIAG_BY_FAMILY);
	assert_true(find_attribute(sizeof(struct unix_diag_msg), UNIX_DIAG_NAME, &attribute));
	assert_int_equal(attribute.length, sizeof("/diag_edge_test"));
	assert_string_equal((const char *)attribute.value, "/diag_edge_test");
	read_attribute(sizeof(struct unix_diag_msg), UNIX_DIAG_VFS, &place, sizeof(place));
	assert_int_not_equal(place.udiag_vfs_dev, 0);
	diag_end();
	socket_close(socket);
	assert_int_equal(host_unlink("/diag_edge_test"), 0);
}

/* ---- Long lists, and no memory ---- */

static void long_lists_come_whole(void **state __unused)
{
	const struct inet_diag_req_v2 raw = all_inet(AF_INET, IPPROTO_RAW);
	struct socket *sockets[3][400];

	for (size_t i = 0; i < ARRAY_SIZE(sockets[0]); i++) {
		sockets[0][i] = make_socket(&netlink_stack, SOCK_RAW, 89);
		sockets[1][i] = netlink_open_socket(NETLINK_ROUTE);
		sockets[2][i] = diag_open(AF_PACKET, SOCK_RAW, 0);
	}
	assert_int_equal(diag_count(&raw, sizeof(raw)), ARRAY_SIZE(sockets[0]));
	assert_int_equal(diag_count(&all_netlink, sizeof(all_netlink)), ARRAY_SIZE(sockets[0]) + 2);
	assert_int_equal(diag_count(&all_packet, sizeof(all_packet)), ARRAY_SIZE(sockets[0]));
	for (size_t kind = 0; kind < ARRAY_SIZE(sockets); kind++) {
		for (size_t i = 0; i < ARRAY_SIZE(sockets[0]); i++)
			socket_close(sockets[kind][i]);
	}
}

/* Whichever allocation fails, the next request is answered, and nothing is lost. */
static void ask_without_memory(struct socket *socket, uint16_t type, uint16_t flags,
			       const void *request, size_t length, uint16_t answer)
{
	for (uint32_t nth = 1; nth <= FAILURES; nth++) {
		request_begin(type, flags, request, length);
		host_fail_allocation(nth);
		(void)request_try(socket);
		netlink_drain(socket);
		host_fail_allocation(0);
		request_begin(type, flags, request, length);
		request_send(socket);
		expect_message(socket, answer);
		netlink_drain(socket);
	}
}

static void diag_without_memory(void **state __unused)
{
	const struct inet_diag_req_v2 inet = all_inet(AF_INET, IPPROTO_TCP);
	const uint16_t answer = SOCK_DIAG_BY_FAMILY;
	struct unix_diag_req one = {.sdiag_family = AF_UNIX,
				    .udiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}};
	struct socket *local = diag_open(AF_UNIX, SOCK_DGRAM, 0);
	struct socket *packet = diag_open(AF_PACKET, SOCK_RAW, 0);

	one.udiag_ino = (uint32_t)local->inode_number;
	ask_without_memory(diag_socket, answer, NLM_F_DUMP, &inet, sizeof(inet), answer);
	ask_without_memory(diag_socket, answer, NLM_F_DUMP, &all_unix, sizeof(all_unix), answer);
	ask_without_memory(diag_socket, answer, NLM_F_DUMP, &all_packet, sizeof(all_packet),
			   answer);
	ask_without_memory(diag_socket, answer, NLM_F_DUMP, &all_netlink, sizeof(all_netlink),
			   answer);
	ask_without_memory(diag_socket, answer, 0, &one, sizeof(one), answer);
	socket_close(local);
	socket_close(packet);
}

static void rtnetlink_without_memory(void **state __unused)
{
	const struct if_stats_msg statistics = {.filter_mask = 1, .ifindex = 1};
	const struct {
		struct netconfmsg info;
		uint8_t padding[3];
		struct nlattr attribute;
		uint32_t ifindex;
	} settings = {{AF_INET}, {0}, {8, NETCONFA_IFINDEX}, (uint32_t)NETCONFA_IFINDEX_ALL};

	ask_without_memory(route_socket, RTM_GETSTATS, NLM_F_DUMP, &statistics, sizeof(statistics),
			   RTM_NEWSTATS);
	ask_without_memory(route_socket, RTM_GETSTATS, 0, &statistics, sizeof(statistics),
			   RTM_NEWSTATS);
	ask_without_memory(route_socket, RTM_GETNETCONF, 0, &settings, sizeof(settings),
			   RTM_NEWNETCONF);
	ask_without_memory(route_socket, RTM_GETNEIGHTBL, NLM_F_DUMP, &settings.info, 4,
			   RTM_NEWNEIGHTBL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIAG_TEST(requests_of_old),
		DIAG_TEST(single_sockets_of_netlink),
		DIAG_TEST(what_cannot_be_ended),
		DIAG_TEST(attributes_must_be_whole),
		DIAG_TEST(there_is_nothing_of_ipv6),
		DIAG_TEST(ports_and_states_choose),
		DIAG_TEST(all_that_is_told_of_a_datagram_socket),
		DIAG_TEST(flags_of_netlink_sockets),
		DIAG_TEST(a_packet_socket_that_hears_nothing),
		DIAG_TEST(a_name_in_the_file_system),
		DIAG_TEST(long_lists_come_whole),
		DIAG_TEST(diag_without_memory),
		DIAG_TEST(rtnetlink_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
