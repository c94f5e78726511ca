/* NETLINK_SOCK_DIAG: the sockets that ss shows, its filters, and connections ended from outside. */
#include <string.h>

#include "include/uapi/in.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "net/tcp/tcp.h"
#include "test/host/unit/diag_fixture.h"

#define ALL_STATES 0xfff
#define ASK(attribute) (1u << ((attribute)-1))

static void begin(uint8_t protocol, uint32_t states, uint8_t wanted)
{
	const struct inet_diag_req_v2 request = {.sdiag_family = AF_INET,
						 .sdiag_protocol = protocol,
						 .idiag_ext = wanted,
						 .idiag_states = states};

	diag_ask(&request, sizeof(request), NLM_F_DUMP);
}

static uint32_t count(uint8_t protocol, uint32_t states)
{
	begin(protocol, states, 0);
	return request_count(diag_socket, SOCK_DIAG_BY_FAMILY);
}

static struct inet_diag_msg next_socket(void)
{
	struct inet_diag_msg body;

	diag_next(&body, sizeof(body));
	return body;
}

static void listeners_and_connections(void **state __unused)
{
	struct netlink_attribute attribute;
	struct tcp_info info;
	struct stranger stranger;
	struct inet_diag_msg body;

	stranger_init(&stranger, &netlink_stack);
	assert_int_equal(count(IPPROTO_TCP, ALL_STATES), 1);
	struct socket *child = stranger_connects(&stranger, netlink_listener);

	stranger_says(&stranger, "hello", 5);
	begin(IPPROTO_TCP, ALL_STATES,
	      ASK(INET_DIAG_INFO) | ASK(INET_DIAG_CONG) | ASK(INET_DIAG_SKMEMINFO));
	request_send(diag_socket);
	body = next_socket();
	assert_int_equal(body.idiag_state, TCP_LISTEN);
	assert_int_equal(be16_to_cpu(body.id.idiag_sport), TCP_FIXTURE_PORT);
	assert_int_equal(body.idiag_wqueue, 16); /* the backlog */
	body = next_socket();
	assert_int_equal(body.idiag_state, TCP_ESTABLISHED);
	assert_int_equal(be32_to_cpu(body.id.idiag_src[0]), OURS);
	assert_int_equal(be32_to_cpu(body.id.idiag_dst[0]), PEER);
	assert_int_equal(be16_to_cpu(body.id.idiag_dport), stranger.port);
	assert_int_equal(body.idiag_rqueue, 5);
	assert_int_equal(body.idiag_inode, child->inode_number);
	read_attribute(sizeof(body), INET_DIAG_INFO, &info, sizeof(info));
	assert_int_equal(info.tcpi_bytes_received, 5);
	assert_true(find_attribute(sizeof(body), INET_DIAG_CONG, &attribute));
	assert_string_equal((const char *)attribute.value, "cubic");
	assert_true(find_attribute(sizeof(body), INET_DIAG_SKMEMINFO, &attribute));
	assert_int_equal(attribute.length, SK_MEMINFO_VARS * 4);
	diag_end();
	assert_int_equal(count(IPPROTO_TCP, 1u << TCP_LISTEN), 1);
	assert_int_equal(count(IPPROTO_TCP, 1u << TCP_TIME_WAIT), 0);
	socket_close(child);
}

static void half_open_ones_and_time_waits(void **state __unused)
{
	struct stranger stranger, other;

	stranger_init(&stranger, &netlink_stack);
	struct crafted syn = stranger_syn(&stranger);

	stranger_sends(&stranger, &syn);
	assert_int_equal(count(IPPROTO_TCP, 1u << TCP_SYN_RECV), 1);
	fixture_clear_sent(&netlink_stack);
	stranger_init(&other, &netlink_stack);
	other.port = (uint16_t)(stranger.port + 1);
	struct socket *child = stranger_connects(&other, netlink_listener);

	socket_close(child); /* our FIN first */
	stranger_acknowledges(&other);
	stranger_flags(&other, TCP_FIN | TCP_ACK);
	begin(IPPROTO_TCP, 1u << TCP_TIME_WAIT, 0);
	request_send(diag_socket);
	struct inet_diag_msg body = next_socket();

	assert_int_equal(body.idiag_timer, 3);
	assert_int_equal(body.idiag_inode, 0);
	assert_in_range(body.idiag_expires, 1, 120000);
	diag_end();
}

static void datagram_and_raw_sockets(void **state __unused)
{
	struct socket *udp = make_bound(&netlink_stack, OURS, 9999);
	struct socket *raw = make_socket(&netlink_stack, SOCK_RAW, 89);
	struct socket *lite = make_socket(&netlink_stack, SOCK_DGRAM, IPPROTO_UDPLITE);
	struct netlink_attribute attribute;
	struct inet_diag_msg body;

	assert_int_equal(do_bind(lite, OURS, 9998), 0);
	begin(IPPROTO_UDP, ALL_STATES, 0);
	request_send(diag_socket);
	body = next_socket();
	assert_int_equal(be16_to_cpu(body.id.idiag_sport), 9999);
	assert_int_equal(body.idiag_state, TCP_CLOSE);
	diag_end();
	assert_int_equal(do_connect(udp, PEER, 53), 0);
	assert_int_equal(count(IPPROTO_UDP, 1u << TCP_ESTABLISHED), 1);
	begin(IPPROTO_UDPLITE, ALL_STATES, 0);
	request_send(diag_socket);
	body = next_socket();
	assert_int_equal(be16_to_cpu(body.id.idiag_sport), 9998);
	diag_end();
	begin(IPPROTO_RAW, ALL_STATES, 0);
	request_send(diag_socket);
	next_socket();
	assert_true(find_attribute(sizeof(body), INET_DIAG_PROTOCOL, &attribute));
	assert_int_equal(netlink_u8(&attribute), 89);
	diag_end();
	socket_close(udp);
	socket_close(lite);
	socket_close(raw);
}

static void many_sockets_come_in_pieces(void **state __unused)
{
	struct socket *sockets[600];

	for (uint32_t i = 0; i < ARRAY_SIZE(sockets); i++)
		sockets[i] = make_bound(&netlink_stack, OURS, (uint16_t)(2000 + i));
	assert_int_equal(count(IPPROTO_UDP, ALL_STATES), ARRAY_SIZE(sockets));
	for (uint32_t i = 0; i < ARRAY_SIZE(sockets); i++)
		socket_close(sockets[i]);
}

/* As `ss 'sport = :NUMBER'` sends it: room for an address that is not there. */
static void put_port_filter(int32_t port)
{
	uint8_t program[16] = {0};
	const struct inet_diag_bc_op step = {
		.code = INET_DIAG_BC_S_COND, .yes = sizeof(program), .no = sizeof(program) + 4};
	const struct inet_diag_hostcond host = {.port = port};

	memcpy(program, &step, sizeof(step));
	memcpy(program + sizeof(step), &host, sizeof(host));
	netlink_put(&netlink_request, INET_DIAG_REQ_BYTECODE, program, sizeof(program));
}

static void filters_are_checked_and_kept_to(void **state __unused)
{
	begin(IPPROTO_TCP, ALL_STATES, 0);
	put_port_filter(TCP_FIXTURE_PORT);
	assert_int_equal(request_count(diag_socket, SOCK_DIAG_BY_FAMILY), 1);
	begin(IPPROTO_TCP, ALL_STATES, 0);
	put_port_filter(TCP_FIXTURE_PORT + 1);
	assert_int_equal(request_count(diag_socket, SOCK_DIAG_BY_FAMILY), 0);
	begin(IPPROTO_TCP, ALL_STATES, 0);
	netlink_put(&netlink_request, INET_DIAG_REQ_BYTECODE, "\7\20\24\0", 4); /* cut */
	assert_int_equal(request_result(diag_socket), -EINVAL);
	begin(IPPROTO_TCP, ALL_STATES, 0);
	netlink_put(&netlink_request, INET_DIAG_REQ_BYTECODE, NULL, 0);
	assert_int_equal(request_result(diag_socket), -EINVAL);
}

static void what_is_not_there(void **state __unused)
{
	const struct sock_diag_req nobody = {.sdiag_family = AF_MAX - 1};
	const struct inet_diag_req_v2 six = {.sdiag_family = AF_INET6,
					     .sdiag_protocol = IPPROTO_TCP,
					     .idiag_states = ALL_STATES};

	begin(IPPROTO_SCTP, ALL_STATES, 0);
	assert_int_equal(request_result(diag_socket), -ENOENT);
	begin(IPPROTO_TCP, ALL_STATES, 0); /* MPTCP's number is longer than a byte */
	netlink_put_u32(&netlink_request, INET_DIAG_REQ_PROTOCOL, 262);
	assert_int_equal(request_result(diag_socket), -ENOENT);
	diag_refused(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &nobody, sizeof(nobody), -ENOENT);
	diag_refused(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, "\2", 1, -EINVAL);
	diag_refused(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &six, sizeof(six) - 4, -EINVAL);
	request_begin(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &six, sizeof(six));
	assert_int_equal(request_count(diag_socket, SOCK_DIAG_BY_FAMILY), 0);
	diag_refused(99, 0, &six, sizeof(six), -EINVAL);
}

static void connections_are_ended_from_outside(void **state __unused)
{
	const struct ucred nobody = {.pid = 2, .uid = 1000}, root = {.pid = 1};
	struct stranger stranger;
	uint8_t byte;

	stranger_init(&stranger, &netlink_stack);
	struct socket *child = stranger_connects(&stranger, netlink_listener);
	struct inet_diag_req_v2 request = {
		.sdiag_family = AF_INET,
		.sdiag_protocol = IPPROTO_TCP,
		.id = {.idiag_sport = cpu_to_be16(TCP_FIXTURE_PORT),
		       .idiag_dport = cpu_to_be16(stranger.port),
		       .idiag_src = {cpu_to_be32(OURS)},
		       .idiag_dst = {cpu_to_be32(PEER)},
		       .idiag_cookie = {(uint32_t)child->inode_number + 1, 0}}};

	host_set_credentials(&nobody);
	diag_refused(SOCK_DESTROY, 0, &request, sizeof(request), -EPERM);
	host_set_credentials(&root);
	diag_refused(SOCK_DESTROY, 0, &request, sizeof(request), -ENOENT); /* another's cookie */
	request.id.idiag_cookie[0]--;
	fixture_clear_sent(&netlink_stack);
	diag_refused(SOCK_DESTROY, 0, &request, sizeof(request), 0);
	stranger_sees_only(&stranger, TCP_RST | TCP_ACK);
	assert_int_equal(socket_take(child, &byte, 1, 0), -ECONNABORTED);
	diag_refused(SOCK_DESTROY, 0, &request, sizeof(request), -ENOENT);
	socket_close(child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIAG_TEST(listeners_and_connections),
		DIAG_TEST(half_open_ones_and_time_waits),
		DIAG_TEST(datagram_and_raw_sockets),
		DIAG_TEST(many_sockets_come_in_pieces),
		DIAG_TEST(filters_are_checked_and_kept_to),
		DIAG_TEST(what_is_not_there),
		DIAG_TEST(connections_are_ended_from_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
