/* UDP sockets: sending and its errors, ancillary data, the error queue, options, blocking. */
#include "test/host/unit/udp_fixture.h"

#include <string.h>

#include "include/uapi/errqueue.h"
#include "include/uapi/icmp.h"
#include "include/uapi/sockios.h"
#include "kernel/byteorder.h"
#include "net/core/checksum.h"

/* RFC1122-8, RFC1122-10, RFC1122-13 */
static void test_send(void **state __unused)
{
	struct socket *socket = make_socket(&udp_stack, SOCK_DGRAM, 0);
	struct ip4_header header;

	assert_int_equal(do_send(socket, PEER, 7, "hello", 5), 5);
	const uint8_t *sent = ip4_sent(&udp_stack, 0, &header);

	assert_int_equal(header.protocol, IPPROTO_UDP);
	assert_true(header.dont_fragment);
	assert_int_equal(get_be16(sent + 20), udp_local_port(socket));
	assert_int_equal(get_be16(sent + 22), 7);
	assert_int_equal(get_be16(sent + 24), 13);
	assert_int_equal(checksum_fold(checksum_add(sent + 20, 13,
						    checksum_pseudo4(OURS, PEER, IPPROTO_UDP, 13)))
				 .raw,
			 0);
	assert_memory_equal(sent + 28, "hello", 5);
	socket_close(socket);
}

static void test_send_errors(void **state __unused)
{
	struct socket *socket = make_socket(&udp_stack, SOCK_DGRAM, 0);
	const struct route route = {0};

	assert_int_equal(do_send(socket, 0, 0, "x", 1), -EDESTADDRREQ);
	assert_int_equal(do_send(socket, PEER, 0, "x", 1), -EINVAL);
	assert_int_equal(do_send(socket, IP4_BROADCAST, 7, "x", 1), -EACCES);
	assert_int_equal(do_send(socket, SUBNET_BROADCAST, 7, "x", 1), -EACCES);
	assert_int_equal(do_connect(socket, SUBNET_BROADCAST, 7), -EACCES);
	assert_int_equal(set_option(socket, SOL_SOCKET, SO_BROADCAST, 1), 0);
	assert_int_equal(do_send(socket, SUBNET_BROADCAST, 7, "x", 1), 1);
	assert_int_equal(do_send(socket, PEER, 7, udp_bytes, 65508), -EMSGSIZE);
	assert_int_equal(do_send(socket, PEER, 7, udp_bytes, 65507), 65507);
	net_lock(&udp_stack.net);
	route_delete(&udp_stack.net, &route);
	net_unlock(&udp_stack.net);
	assert_int_equal(do_send(socket, FAR, 7, "x", 1), -ENETUNREACH);
	assert_int_equal(do_connect(socket, FAR, 7), -ENETUNREACH);
	assert_int_equal(socket_shutdown(socket, SHUT_WR), -ENOTCONN);
	assert_int_equal(do_send(socket, PEER, 7, "x", 1), -EPIPE);
	socket_close(socket);
	socket = make_bound(&udp_stack, IP4_LOOPBACK, 0);
	assert_int_equal(do_send(socket, PEER, 7, "x", 1), -EINVAL); /* never on a wire */
	assert_int_equal(fixture_drops(&udp_stack, DROP_IP4_BAD_SOURCE), 1);
	socket_close(socket);
}

static void test_large_datagram_comes_back_whole(void **state __unused)
{
	struct socket *socket = make_bound(&udp_stack, 0, 5000);
	static uint8_t big[65507];

	assert_int_equal(set_option(socket, SOL_SOCKET, SO_RCVBUF, 200000), 0);
	memset(big, 'q', sizeof(big));
	assert_int_equal(do_send(socket, OURS, 5000, big, sizeof(big)), 65507);
	fixture_run(&udp_stack);
	assert_int_equal(do_receive(socket, udp_bytes, sizeof(udp_bytes), NULL), 65507);
	assert_memory_equal(udp_bytes, big, sizeof(big));
	assert_int_equal(udp_stack.sent_count, 0); /* by lo */
	socket_close(socket);
}

/* ip(7): 0.0.0.0 as a destination is this host. */
static void test_send_to_any_is_to_ourselves(void **state __unused)
{
	struct socket *socket = make_bound(&udp_stack, 0, 5000);
	struct message message = {.flags = MSG_DONTWAIT};
	const struct endpoint to = {.port = 5000};
	struct endpoint from;

	inet_write_name(&to, &message.name, &message.name_length);
	iov_init_kernel(&message.iov, udp_bytes, 3);
	assert_int_equal(socket_sendmsg(socket, &message), 3);
	fixture_run(&udp_stack);
	assert_int_equal(do_receive(socket, udp_bytes, sizeof(udp_bytes), &from), 3);
	assert_int_equal(from.addr.v4, IP4_LOOPBACK);
	socket_close(socket);
}

static void test_dhcp_before_there_is_an_address(void **state __unused)
{
	struct socket *socket = make_socket(&udp_stack, SOCK_DGRAM, 0);
	struct ip4_header header;

	net_lock(&udp_stack.net);
	assert_int_equal(ip4_remove_address(&udp_stack.dev, OURS), 0);
	net_unlock(&udp_stack.net);
	assert_int_equal(set_option(socket, SOL_SOCKET, SO_BROADCAST, 1), 0);
	assert_int_equal(socket_setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5), 0);
	assert_int_equal(do_bind(socket, 0, 68), 0);
	assert_int_equal(do_send(socket, IP4_BROADCAST, 67, "discover", 8), 8);
	ip4_sent(&udp_stack, 0, &header);
	assert_int_equal(header.source, 0);
	assert_int_equal(header.destination, IP4_BROADCAST);
	assert_memory_equal(fixture_sent(&udp_stack, 0)->bytes, MAC_BROADCAST.bytes, 6);
	udp_take_all(socket);
	udp_arrives_for(IP4(10, 0, 0, 200), IP4_BROADCAST, 67, 68); /* the offer */
	assert_int_equal(udp_take_all(socket), 1);
	socket_close(socket);
}

static uint8_t control[256];

static int64_t receive_with_control(struct socket *socket, uint32_t flags, struct message *message)
{
	*message = (struct message){.flags = MSG_DONTWAIT | flags,
				    .control_to = control,
				    .control_room = sizeof(control)};
	iov_init_kernel(&message->iov, udp_bytes, sizeof(udp_bytes));
	return socket_recvmsg(socket, message);
}

static const void *find_control(const struct message *message, int type)
{
	size_t at = 0;

	while (at + sizeof(struct cmsghdr) <= message->control_used) {
		const struct cmsghdr *header = (const void *)(control + at);

		if (header->cmsg_level == SOL_IP && header->cmsg_type == type)
			return CMSG_DATA(header);
		at += CMSG_ALIGN(header->cmsg_len);
	}
	return NULL;
}

/* RFC1122-5, RFC1122-11 */
static void test_received_ancillary_data(void **state __unused)
{
	struct socket *socket = make_bound(&udp_stack, 0, 5000);
	static const int options[] = {IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_RECVOPTS, IP_RETOPTS};
	static const uint8_t ip_options[] = {IP4_OPTION_ROUTER_ALERT, 4, 0, 0};
	const struct ip4_spec spec = {
		.ttl = 33, .tos = 0x28, .options = ip_options, .options_length = 4};
	struct message message;
	size_t n = udp_make(udp_bytes, PEER, OURS, 9, 5000, "x", 1);

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		assert_int_equal(set_option(socket, SOL_IP, options[i], 1), 0);
	ip4_arrives(&udp_stack, udp_wire, ip4_make(udp_wire, &spec, udp_bytes, n));
	assert_int_equal(receive_with_control(socket, 0, &message), 1);
	const struct in_pktinfo *info = find_control(&message, IP_PKTINFO);

	assert_non_null(info);
	assert_int_equal(info->ipi_ifindex, udp_stack.dev.ifindex);
	assert_int_equal(be32_to_cpu(info->ipi_addr.s_addr), OURS);
	assert_int_equal(be32_to_cpu(info->ipi_spec_dst.s_addr), OURS);
	assert_int_equal(*(const int *)find_control(&message, IP_TTL), 33);
	assert_int_equal(*(const uint8_t *)find_control(&message, IP_TOS), 0x28);
	assert_memory_equal(find_control(&message, IP_RECVOPTS), ip_options, 4);
	assert_memory_equal(find_control(&message, IP_RETOPTS), ip_options, 4);
	udp_arrives_for(PEER, SUBNET_BROADCAST, 9, 5000);
	assert_int_equal(receive_with_control(socket, 0, &message), 1);
	info = find_control(&message, IP_PKTINFO);
	assert_int_equal(be32_to_cpu(info->ipi_addr.s_addr), SUBNET_BROADCAST);
	assert_int_equal(be32_to_cpu(info->ipi_spec_dst.s_addr), OURS);
	socket_close(socket);
}

static int64_t send_with_control(struct socket *socket, ip4_t to, int type, const void *data,
				 size_t n)
{
	struct message message = {
		.flags = MSG_DONTWAIT, .control = control, .control_length = CMSG_SPACE(n)};
	const struct cmsghdr header = {
		.cmsg_len = CMSG_LEN(n), .cmsg_level = SOL_IP, .cmsg_type = type};
	const struct endpoint endpoint = {.addr = net_addr_ip4(to), .port = 7};

	memset(control, 0, sizeof(control));
	memcpy(control, &header, sizeof(header));
	memcpy(control + sizeof(header), data, n);
	inet_write_name(&endpoint, &message.name, &message.name_length);
	iov_init_kernel(&message.iov, udp_bytes, 1);
	return socket_sendmsg(socket, &message);
}

/* RFC1122-12, RFC1122-16, RFC1122-17 */
static void test_sent_ancillary_data(void **state __unused)
{
	struct socket *socket = make_socket(&udp_stack, SOCK_DGRAM, 0);
	const ip4_t second = IP4(10, 0, 0, 9);
	struct in_pktinfo info = {.ipi_spec_dst.s_addr = cpu_to_be32(second)};
	struct ip4_header header;
	int ttl = 5, tos = 0x10, bad = 0;

	net_lock(&udp_stack.net);
	assert_int_equal(ip4_add_address(&udp_stack.dev, second, 24, 0), 0);
	net_unlock(&udp_stack.net);
	fixture_clear_sent(&udp_stack);
	assert_int_equal(send_with_control(socket, PEER, IP_PKTINFO, &info, sizeof(info)), 1);
	ip4_sent(&udp_stack, 0, &header);
	assert_int_equal(header.source, second);
	assert_int_equal(send_with_control(socket, PEER, IP_TTL, &ttl, sizeof(ttl)), 1);
	ip4_sent(&udp_stack, 1, &header);
	assert_int_equal(header.ttl, 5);
	assert_int_equal(send_with_control(socket, PEER, IP_TOS, &tos, sizeof(tos)), 1);
	ip4_sent(&udp_stack, 2, &header);
	assert_int_equal(header.tos, 0x10);
	assert_int_equal(send_with_control(socket, PEER, IP_TTL, &bad, sizeof(bad)), -EINVAL);
	assert_int_equal(send_with_control(socket, PEER, IP_PKTINFO, &info, 4), -EINVAL);
	info.ipi_spec_dst.s_addr = cpu_to_be32(FAR); /* not ours */
	assert_int_equal(send_with_control(socket, PEER, IP_PKTINFO, &info, sizeof(info)), -EINVAL);
	assert_int_equal(send_with_control(socket, PEER, 200, &ttl, 4), -EINVAL);
	socket_close(socket);
}

static void test_error_queue(void **state __unused)
{
	struct socket *socket = make_bound(&udp_stack, 0, 5000);
	struct message message;
	struct endpoint to;

	assert_int_equal(receive_with_control(socket, MSG_ERRQUEUE, &message), -EAGAIN);
	assert_int_equal(set_option(socket, SOL_IP, IP_RECVERR, 1), 0);
	udp_error_arrives(ICMP_PORT_UNREACH, 5000, 77);
	assert_true(socket_poll(socket, NULL) & POLLERR);
	assert_int_equal(do_receive(socket, udp_bytes, 10, NULL), -ECONNREFUSED);
	assert_int_equal(receive_with_control(socket, MSG_ERRQUEUE, &message), 8);
	assert_memory_equal(udp_bytes, "lost one", 8);
	assert_true(message.flags_out & MSG_ERRQUEUE);
	assert_int_equal(inet_read_name(&message.name, message.name_length, &to), 0);
	assert_int_equal(to.addr.v4, PEER);
	assert_int_equal(to.port, 77);
	const struct sock_extended_err *error = find_control(&message, IP_RECVERR);

	assert_non_null(error);
	assert_int_equal(error->ee_errno, ECONNREFUSED);
	assert_int_equal(error->ee_origin, SO_EE_ORIGIN_ICMP);
	assert_int_equal(error->ee_type, ICMP_DEST_UNREACH);
	assert_int_equal(error->ee_code, ICMP_PORT_UNREACH);
	struct sockaddr_in offender;

	memcpy(&offender, error + 1, sizeof(offender));
	assert_int_equal(be32_to_cpu(offender.sin_addr.s_addr), PEER);
	assert_int_equal(receive_with_control(socket, MSG_ERRQUEUE, &message), -EAGAIN);
	assert_false(socket_poll(socket, NULL) & POLLERR);
	socket_close(socket);
}

static void test_path_mtu_discovery(void **state __unused)
{
	struct socket *socket = make_bound(&udp_stack, 0, 5000);
	struct message message;
	struct ip4_header header;

	assert_int_equal(get_option(socket, SOL_IP, IP_MTU), -ENOTCONN);
	assert_int_equal(do_connect(socket, FAR, 7), 0);
	assert_int_equal(get_option(socket, SOL_IP, IP_MTU), 1500);
	net_lock(&udp_stack.net);
	route_learn_mtu(&udp_stack.net, FAR, 1000);
	net_unlock(&udp_stack.net);
	assert_int_equal(get_option(socket, SOL_IP, IP_MTU), 1000);
	assert_int_equal(do_send(socket, 0, 0, udp_bytes, 1200), 1200); /* IP_PMTUDISC_WANT cuts */
	assert_int_equal(udp_stack.sent_count, 2);
	ip4_sent(&udp_stack, 0, &header);
	assert_false(header.dont_fragment);
	assert_int_equal(set_option(socket, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO), 0);
	assert_int_equal(set_option(socket, SOL_IP, IP_RECVERR, 1), 0);
	assert_int_equal(do_send(socket, 0, 0, udp_bytes, 1200), -EMSGSIZE);
	assert_int_equal(receive_with_control(socket, MSG_ERRQUEUE, &message), 0);
	const struct sock_extended_err *error = find_control(&message, IP_RECVERR);

	assert_int_equal(error->ee_errno, EMSGSIZE);
	assert_int_equal(error->ee_origin, SO_EE_ORIGIN_LOCAL);
	assert_int_equal(error->ee_info, 1000);
	fixture_clear_sent(&udp_stack);
	assert_int_equal(set_option(socket, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE), 0);
	assert_int_equal(do_send(socket, 0, 0, udp_bytes, 1200), 1200);
	assert_int_equal(udp_stack.sent_count, 1);
	ip4_sent(&udp_stack, 0, &header);
	assert_true(header.dont_fragment);
	assert_int_equal(set_option(socket, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT), 0);
	assert_int_equal(do_send(socket, 0, 0, udp_bytes, 100), 100);
	ip4_sent(&udp_stack, 1, &header);
	assert_false(header.dont_fragment);
	assert_int_equal(set_option(socket, SOL_IP, IP_MTU_DISCOVER, 6), -EINVAL);
	socket_close(socket);
}

/* RFC1122-6 */
static void test_ip_options(void **state __unused)
{
	struct socket *socket = make_bound(&udp_stack, 0, 5000);
	static const uint8_t alert[] = {IP4_OPTION_ROUTER_ALERT, 4, 0, 0, 1};
	static const uint8_t source_route[] = {IP4_OPTION_LSRR, 7, 4, 1, 2, 3, 4};
	static const uint8_t bad[] = {200, 0};
	struct ip4_header header;

	assert_int_equal(get_option(socket, SOL_IP, IP_TTL), 64);
	assert_int_equal(set_option(socket, SOL_IP, IP_TTL, 3), 0);
	assert_int_equal(set_option(socket, SOL_IP, IP_TTL, 0), -EINVAL);
	assert_int_equal(set_option(socket, SOL_IP, IP_TTL, 256), -EINVAL);
	assert_int_equal(set_option(socket, SOL_IP, IP_TOS, 0x20), 0);
	assert_int_equal(get_option(socket, SOL_IP, IP_TOS), 0x20);
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_OPTIONS, alert, sizeof(alert)), 0);
	assert_int_equal(do_send(socket, PEER, 7, "x", 1), 1);
	const uint8_t *sent = ip4_sent(&udp_stack, 0, &header);

	assert_int_equal(header.ttl, 3);
	assert_int_equal(header.tos, 0x20);
	assert_int_equal(header.header_length, 28);
	assert_memory_equal(sent + 20, alert, sizeof(alert));
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_OPTIONS, source_route, 7), -EINVAL);
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_OPTIONS, bad, 2), -EINVAL);
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_OPTIONS, udp_bytes, 41), -EINVAL);
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_OPTIONS, NULL, 0), 0);
	assert_int_equal(set_option(socket, SOL_IP, IP_TTL, -1), 0);
	assert_int_equal(set_option(socket, SOL_IP, IP_HDRINCL, 1), -ENOPROTOOPT);
	assert_int_equal(set_option(socket, SOL_IP, IP_TRANSPARENT, 1), -ENOPROTOOPT);
	assert_int_equal(set_option(socket, SOL_UDP, UDP_SEGMENT, 1), -ENOPROTOOPT);
	assert_int_equal(get_option(socket, SOL_IP, 199), -ENOPROTOOPT);
	socket_close(socket);
}

static void test_peek_and_truncate(void **state __unused)
{
	struct socket *socket = make_bound(&udp_stack, 0, 5000);
	struct message message = {.flags = MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC};
	int32_t waiting;

	udp_arrives(9, 5000, "0123456789");
	assert_int_equal(socket_ioctl(socket, SIOCINQ, &waiting), 0);
	assert_int_equal(waiting, 10);
	iov_init_kernel(&message.iov, udp_bytes, 4);
	assert_int_equal(socket_recvmsg(socket, &message), 10);
	assert_true(message.flags_out & MSG_TRUNC);
	message.flags = MSG_DONTWAIT;
	iov_init_kernel(&message.iov, udp_bytes, 4);
	assert_int_equal(socket_recvmsg(socket, &message), 4);
	assert_true(message.flags_out & MSG_TRUNC);
	assert_int_equal(do_receive(socket, udp_bytes, 4, NULL), -EAGAIN); /* the rest is gone */
	socket_close(socket);
}

static bool datagram_comes(struct fixture *fixture)
{
	static bool came;

	came = !came;
	if (came)
		ip4_arrives(fixture, udp_wire, udp_packet(udp_wire, 9, 5000, "at last", 7));
	return came;
}

static void test_a_blocking_receive_waits(void **state __unused)
{
	struct socket *socket = make_bound(&udp_stack, 0, 5000);
	struct message message = {0};

	udp_stack.while_asleep = datagram_comes;
	iov_init_kernel(&message.iov, udp_bytes, sizeof(udp_bytes));
	assert_int_equal(socket_recvmsg(socket, &message), 7);
	socket_close(socket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UDP_TEST(test_send),
		UDP_TEST(test_send_errors),
		UDP_TEST(test_large_datagram_comes_back_whole),
		UDP_TEST(test_send_to_any_is_to_ourselves),
		UDP_TEST(test_dhcp_before_there_is_an_address),
		UDP_TEST(test_received_ancillary_data),
		UDP_TEST(test_sent_ancillary_data),
		UDP_TEST(test_error_queue),
		UDP_TEST(test_path_mtu_discovery),
		UDP_TEST(test_ip_options),
		UDP_TEST(test_peek_and_truncate),
		UDP_TEST(test_a_blocking_receive_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
