/* NETLINK_SOCK_DIAG: the sockets of AF_UNIX, AF_PACKET and AF_NETLINK. */
#include <string.h>

#include "include/uapi/filter.h"
#include "include/uapi/if_packet.h"
#include "include/uapi/netlink_diag.h"
#include "include/uapi/packet_diag.h"
#include "include/uapi/tcp.h"
#include "include/uapi/unix_diag.h"
#include "kernel/errno.h"
#include "net/core/socket_filter.h"
#include "net/unix/unix.h"
#include "test/host/unit/diag_fixture.h"

#define ALL_STATES UINT32_MAX
#define ALL_SHOWN UINT32_MAX

/* The next message's fixed part; its size is that of the family. */
#define NEXT(body) diag_next(&(body), sizeof(body))
/* An attribute of the message that was read last. */
#define ATTRIBUTE(body, type, to) read_attribute(sizeof(body), type, &(to), sizeof(to))

/* ---- AF_UNIX ---- */

static struct socket *open_unix(int type)
{
	return diag_open(AF_UNIX, type, 0);
}

/* An abstract name; *length: of the sockaddr. */
static struct sockaddr_storage abstract(const char *text, uint32_t *length)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct sockaddr_storage storage = {0};

	memcpy(name.sun_path + 1, text, strlen(text));
	memcpy(&storage, &name, sizeof(name));
	*length = (uint32_t)(sizeof(sa_family_t) + 1 + strlen(text));
	return storage;
}

static struct socket *unix_listening(const char *text, int backlog)
{
	struct socket *socket = open_unix(SOCK_STREAM);
	uint32_t length;
	const struct sockaddr_storage name = abstract(text, &length);

	assert_int_equal(socket_bind(socket, &name, length), 0);
	assert_int_equal(socket_listen(socket, backlog), 0);
	return socket;
}

static void list_unix(uint32_t states, uint32_t show)
{
	const struct unix_diag_req request = {
		.sdiag_family = AF_UNIX, .udiag_states = states, .udiag_show = show};

	diag_list(&request, sizeof(request));
}

static uint32_t count_unix(uint32_t states)
{
	list_unix(states, 0);
	return count_to_done(diag_socket, SOCK_DIAG_BY_FAMILY);
}

static void a_listener_and_who_waits(void **state __unused)
{
	struct socket *listener = unix_listening("here", 5), *waiting = open_unix(SOCK_STREAM);
	struct unix_diag_rqlen queues;
	struct unix_diag_msg body;
	uint32_t length, number;
	const struct sockaddr_storage name = abstract("here", &length);
	char path[5];

	assert_int_equal(socket_connect(waiting, &name, length, true), 0);
	list_unix(1u << TCP_LISTEN, ALL_SHOWN);
	NEXT(body);
	assert_int_equal(body.udiag_family, AF_UNIX);
	assert_int_equal(body.udiag_type, SOCK_STREAM);
	assert_int_equal(body.udiag_state, TCP_LISTEN);
	assert_int_equal(body.udiag_ino, listener->inode_number);
	ATTRIBUTE(body, UNIX_DIAG_NAME, path);
	assert_memory_equal(path, "\0here", sizeof(path));
	ATTRIBUTE(body, UNIX_DIAG_ICONS, number);
	assert_int_equal(number, waiting->inode_number);
	ATTRIBUTE(body, UNIX_DIAG_RQLEN, queues);
	assert_int_equal(queues.udiag_rqueue, 1);
	assert_int_equal(queues.udiag_wqueue, 5);
	assert_false(has_attribute(sizeof(body), UNIX_DIAG_PEER));
	assert_false(has_attribute(sizeof(body), UNIX_DIAG_VFS));
	diag_end();
	socket_close(waiting);
	list_unix(1u << TCP_LISTEN, UDIAG_SHOW_ICONS);
	NEXT(body);
	ATTRIBUTE(body, UNIX_DIAG_ICONS, number);
	assert_int_equal(number, 0);
	diag_end();
	socket_close(listener);
}

static void a_pair_and_its_queue(void **state __unused)
{
	uint32_t memory[SK_MEMINFO_VARS], number;
	struct unix_diag_rqlen queues;
	struct unix_diag_msg body;
	struct socket *pair[2];
	uint8_t ends;

	assert_int_equal(socket_create_pair(&netlink_stack.net, AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(send_datagram(pair[0], "seven!!", 7), 7);
	assert_int_equal(socket_shutdown(pair[0], SHUT_RD), 0);
	list_unix(1u << TCP_ESTABLISHED, ALL_SHOWN);
	NEXT(body); /* in the order in which they were made */
	assert_int_equal(body.udiag_ino, pair[0]->inode_number);
	ATTRIBUTE(body, UNIX_DIAG_PEER, number);
	assert_int_equal(number, pair[1]->inode_number);
	ATTRIBUTE(body, UNIX_DIAG_SHUTDOWN, ends);
	assert_int_equal(ends, SHUTDOWN_RECEIVE);
	ATTRIBUTE(body, UNIX_DIAG_MEMINFO, memory);
	assert_int_equal(memory[SK_MEMINFO_WMEM_ALLOC], pair[0]->send_charged);
	assert_int_equal(memory[SK_MEMINFO_SNDBUF], pair[0]->send_buffer);
	assert_false(has_attribute(sizeof(body), UNIX_DIAG_ICONS));
	NEXT(body);
	assert_int_equal(body.udiag_ino, pair[1]->inode_number);
	ATTRIBUTE(body, UNIX_DIAG_RQLEN, queues);
	assert_int_equal(queues.udiag_rqueue, 7);
	diag_end();
	socket_close(pair[1]);
	list_unix(ALL_STATES, UDIAG_SHOW_PEER);
	NEXT(body);
	assert_int_equal(body.udiag_state, TCP_ESTABLISHED); /* as Linux shows it */
	assert_false(has_attribute(sizeof(body), UNIX_DIAG_PEER));
	diag_end();
	socket_close(pair[0]);
}

static void states_choose(void **state __unused)
{
	struct socket *listener = unix_listening("here", 1), *lone = open_unix(SOCK_DGRAM);
	struct socket *pair[2];

	assert_int_equal(socket_create_pair(&netlink_stack.net, AF_UNIX, SOCK_SEQPACKET, 0, pair),
			 0);
	assert_int_equal(count_unix(ALL_STATES), 4);
	assert_int_equal(count_unix(1u << TCP_LISTEN), 1);
	assert_int_equal(count_unix(1u << TCP_CLOSE), 1);
	assert_int_equal(count_unix(1u << TCP_ESTABLISHED), 2);
	assert_int_equal(count_unix(0), 0);
	socket_close(pair[0]);
	socket_close(pair[1]);
	socket_close(lone);
	socket_close(listener);
}

static void one_by_its_inode(void **state __unused)
{
	struct socket *socket = open_unix(SOCK_DGRAM);
	struct unix_diag_req request = {.sdiag_family = AF_UNIX,
					.udiag_ino = (uint32_t)socket->inode_number,
					.udiag_show = UDIAG_SHOW_UID,
					.udiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}};
	struct unix_diag_msg body;

	diag_ask(&request, sizeof(request), 0);
	request_send(diag_socket);
	NEXT(body);
	assert_int_equal(netlink_answer.header.nlmsg_flags & NLM_F_MULTI, 0);
	assert_int_equal(body.udiag_ino, socket->inode_number);
	assert_int_equal(number_attribute(sizeof(body), UNIX_DIAG_UID), socket->uid);
	expect_silence(diag_socket);
	memcpy(request.udiag_cookie, body.udiag_cookie, sizeof(body.udiag_cookie));
	diag_ask(&request, sizeof(request), 0);
	request_send(diag_socket);
	NEXT(body);
	request.udiag_cookie[1]++;
	diag_refused(SOCK_DIAG_BY_FAMILY, 0, &request, sizeof(request), -ESTALE);
	request.udiag_ino += 1000;
	diag_refused(SOCK_DIAG_BY_FAMILY, 0, &request, sizeof(request), -ENOENT);
	request.udiag_ino = 0;
	diag_refused(SOCK_DIAG_BY_FAMILY, 0, &request, sizeof(request), -EINVAL);
	diag_refused(SOCK_DIAG_BY_FAMILY, 0, &request, sizeof(request) - 4, -EINVAL);
	diag_refused(SOCK_DESTROY, 0, &request, sizeof(request), -EOPNOTSUPP);
	socket_close(socket);
}

static void many_come_in_pieces(void **state __unused)
{
	struct socket *sockets[1200];

	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		sockets[i] = open_unix(SOCK_DGRAM);
	assert_int_equal(count_unix(ALL_STATES), ARRAY_SIZE(sockets));
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		socket_close(sockets[i]);
}

/* Those that go while the list is read are missing from it; none is told twice. */
static void sockets_that_go_meanwhile(void **state __unused)
{
	struct socket *sockets[400];
	uint64_t last = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		sockets[i] = open_unix(SOCK_DGRAM);
	list_unix(ALL_STATES, 0);
	assert_true(next_message(diag_socket));
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i += 2)
		socket_close(sockets[i]);
	while (netlink_answer.header.nlmsg_type != NLMSG_DONE) {
		struct unix_diag_msg body;

		read_fixed(&body, sizeof(body));
		assert_true(body.udiag_ino > last);
		last = body.udiag_ino;
		assert_true(next_message(diag_socket));
	}
	assert_int_equal(last, sockets[ARRAY_SIZE(sockets) - 1]->inode_number);
	for (size_t i = 1; i < ARRAY_SIZE(sockets); i += 2)
		socket_close(sockets[i]);
}

/* ---- AF_PACKET ---- */

static struct socket *open_packet(int type, uint16_t protocol)
{
	return diag_open(AF_PACKET, type, __builtin_bswap16(protocol));
}

static void list_packet(uint32_t show)
{
	const struct packet_diag_req request = {.sdiag_family = AF_PACKET, .pdiag_show = show};

	diag_list(&request, sizeof(request));
}

static void a_packet_socket(void **state __unused)
{
	const struct packet_mreq promiscuous = {.mr_ifindex = netlink_stack.dev.ifindex,
						.mr_type = PACKET_MR_PROMISC};
	struct socket *socket = open_packet(SOCK_DGRAM, ETH_P_ARP);
	struct packet_diag_mclist membership;
	struct packet_diag_info info;
	struct packet_diag_msg body;
	uint32_t memory[SK_MEMINFO_VARS];

	assert_int_equal(socket_setsockopt(socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
					   sizeof(promiscuous)),
			 0);
	assert_int_equal(set_option(socket, SOL_PACKET, PACKET_AUXDATA, 1), 0);
	list_packet(ALL_SHOWN);
	NEXT(body);
	assert_int_equal(body.pdiag_family, AF_PACKET);
	assert_int_equal(body.pdiag_type, SOCK_DGRAM);
	assert_int_equal(body.pdiag_num, ETH_P_ARP);
	assert_int_equal(body.pdiag_ino, socket->inode_number);
	ATTRIBUTE(body, PACKET_DIAG_INFO, info);
	assert_int_equal(info.pdi_flags, PDI_RUNNING | PDI_AUXDATA);
	assert_int_equal(number_attribute(sizeof(body), PACKET_DIAG_UID), 0);
	ATTRIBUTE(body, PACKET_DIAG_MCLIST, membership);
	assert_int_equal(membership.pdmc_index, netlink_stack.dev.ifindex);
	assert_int_equal(membership.pdmc_type, PACKET_MR_PROMISC);
	assert_int_equal(membership.pdmc_count, 1);
	ATTRIBUTE(body, PACKET_DIAG_MEMINFO, memory);
	assert_int_equal(memory[SK_MEMINFO_RCVBUF], socket->receive_buffer);
	assert_false(has_attribute(sizeof(body), PACKET_DIAG_RX_RING));
	assert_false(has_attribute(sizeof(body), PACKET_DIAG_FANOUT));
	assert_false(has_attribute(sizeof(body), PACKET_DIAG_FILTER));
	diag_end();
	socket_close(socket);
}

static void a_ring_has_its_shape(void **state __unused)
{
	const struct tpacket_req3 request = {.tp_block_size = 8192,
					     .tp_block_nr = 2,
					     .tp_frame_size = 2048,
					     .tp_frame_nr = 8,
					     .tp_retire_blk_tov = 60};
	struct socket *socket = open_packet(SOCK_RAW, ETH_P_ALL);
	struct packet_diag_ring ring;
	struct packet_diag_msg body;

	assert_int_equal(set_option(socket, SOL_PACKET, PACKET_VERSION, TPACKET_V3), 0);
	assert_int_equal(
		socket_setsockopt(socket, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)),
		0);
	list_packet(PACKET_SHOW_RING_CFG);
	NEXT(body);
	ATTRIBUTE(body, PACKET_DIAG_RX_RING, ring);
	assert_int_equal(ring.pdr_block_size, 8192);
	assert_int_equal(ring.pdr_block_nr, 2);
	assert_int_equal(ring.pdr_frame_nr, 8);
	assert_int_equal(ring.pdr_retire_tmo, 60);
	assert_false(has_attribute(sizeof(body), PACKET_DIAG_INFO));
	diag_end();
	socket_close(socket);
}

/* The longest one, too; but not to everybody. */
static void a_filter_is_shown_to_the_privileged(void **state __unused)
{
	static const struct ucred nobody = {.pid = 2, .uid = 1000};
	static struct sock_filter program[BPF_MAXINSNS];
	struct socket *socket = open_packet(SOCK_RAW, ETH_P_ALL);
	struct netlink_attribute attribute;
	struct packet_diag_msg body;

	for (size_t i = 0; i < ARRAY_SIZE(program); i++)
		program[i] = (struct sock_filter){.code = BPF_RET | BPF_K, .k = (uint32_t)i};
	assert_int_equal(socket_filter_attach(socket, program, BPF_MAXINSNS), 0);
	list_packet(PACKET_SHOW_FILTER);
	NEXT(body);
	assert_true(find_attribute(sizeof(body), PACKET_DIAG_FILTER, &attribute));
	assert_int_equal(attribute.length, sizeof(program));
	assert_memory_equal(attribute.value, program, sizeof(program));
	diag_end();
	host_set_credentials(&nobody);
	list_packet(PACKET_SHOW_FILTER);
	NEXT(body);
	assert_false(has_attribute(sizeof(body), PACKET_DIAG_FILTER));
	diag_end();
	socket_close(socket);
}

static void what_packet_sockets_are_not_asked(void **state __unused)
{
	struct packet_diag_req request = {.sdiag_family = AF_PACKET};

	diag_refused(SOCK_DIAG_BY_FAMILY, 0, &request, sizeof(request), -EOPNOTSUPP);
	diag_refused(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request, sizeof(request) - 4, -EINVAL);
	diag_refused(SOCK_DESTROY, 0, &request, sizeof(request), -EOPNOTSUPP);
	request.sdiag_protocol = 3;
	diag_refused(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request, sizeof(request), -EINVAL);
}

/* ---- AF_NETLINK ---- */

static uint32_t count_netlink(uint8_t protocol)
{
	const struct netlink_diag_req request = {.sdiag_family = AF_NETLINK,
						 .sdiag_protocol = protocol};

	return diag_count(&request, sizeof(request));
}

static void netlink_sockets_too(void **state __unused)
{
	const struct netlink_diag_req request = {.sdiag_family = AF_NETLINK,
						 .sdiag_protocol = NETLINK_ROUTE,
						 .ndiag_show = ALL_SHOWN};
	uint32_t memory[SK_MEMINFO_VARS];
	struct netlink_diag_msg body;
	uint64_t groups;

	assert_int_equal(count_netlink(NDIAG_PROTO_ALL), 2);
	assert_int_equal(count_netlink(NETLINK_SOCK_DIAG), 1);
	assert_int_equal(count_netlink(NETLINK_GENERIC), 0);
	netlink_join(route_socket, RTNLGRP_LINK);
	diag_list(&request, sizeof(request));
	NEXT(body);
	assert_int_equal(body.ndiag_family, AF_NETLINK);
	assert_int_equal(body.ndiag_protocol, NETLINK_ROUTE);
	assert_int_equal(body.ndiag_ino, route_socket->inode_number);
	ATTRIBUTE(body, NETLINK_DIAG_GROUPS, groups);
	assert_int_equal(groups, 1u << (RTNLGRP_LINK - 1));
	ATTRIBUTE(body, NETLINK_DIAG_MEMINFO, memory);
	assert_int_equal(number_attribute(sizeof(body), NETLINK_DIAG_FLAGS), 0);
	diag_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIAG_TEST(a_listener_and_who_waits),
		DIAG_TEST(a_pair_and_its_queue),
		DIAG_TEST(states_choose),
		DIAG_TEST(one_by_its_inode),
		DIAG_TEST(many_come_in_pieces),
		DIAG_TEST(sockets_that_go_meanwhile),
		DIAG_TEST(a_packet_socket),
		DIAG_TEST(a_ring_has_its_shape),
		DIAG_TEST(a_filter_is_shown_to_the_privileged),
		DIAG_TEST(what_packet_sockets_are_not_asked),
		DIAG_TEST(netlink_sockets_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
