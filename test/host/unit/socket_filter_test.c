/* SO_ATTACH_FILTER and its kin on sockets of each kind, through the system calls. socket(7) */
#include "test/host/unit/ip4_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "include/uapi/filter.h"
#include "include/uapi/if_packet.h"
#include "include/uapi/syscall.h"
#include "kernel/byteorder.h"
#include "net/ipv4/udp.h"

static struct fixture f;
static uint8_t packet[2000], buffer[2000];

#define RETURN(n)                        \
	{                                \
		BPF_RET | BPF_K, 0, 0, n \
	}

static const struct sock_filter none[] = {RETURN(0)};
static const struct sock_filter all[] = {RETURN(UINT32_MAX)};
static const struct sock_filter ten_bytes[] = {RETURN(10)};
/* Of UDP and TCP: what was sent from port 9. */
static const struct sock_filter from_port_9[] = {
	{BPF_LD | BPF_H | BPF_ABS, 0, 0, 0},
	{BPF_JMP | BPF_JEQ, 0, 1, 9},
	RETURN(UINT32_MAX),
	RETURN(0),
};
/* From 10.0.0.2, by the network header. */
static const struct sock_filter from_peer[] = {
	{BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)SKF_NET_OFF + 12},
	{BPF_JMP | BPF_JEQ, 0, 1, 0x0a000002},
	RETURN(UINT32_MAX),
	RETURN(0),
};

static int setup(void **state __unused)
{
	ip4_fixture_init(&f);
	socket_syscalls_init();
	return 0;
}

static int teardown(void **state __unused)
{
	host_fail_allocation(0);
	ip4_fixture_destroy(&f);
	return 0;
}

static int open_socket(int family, int type, int protocol)
{
	int64_t fd = host_syscall(SYS_socket, (uint64_t)family, (uint64_t)type | SOCK_NONBLOCK,
				  (uint64_t)protocol, 0, 0, 0);

	assert_true(fd >= 0);
	return (int)fd;
}

static int64_t set(int fd, int option, const void *value, size_t size)
{
	return host_syscall(SYS_setsockopt, (uint64_t)fd, SOL_SOCKET, (uint64_t)option,
			    (uint64_t)value, size, 0);
}

static int64_t attach(int fd, const struct sock_filter *program, size_t count)
{
	const struct sock_fprog request = {.len = (uint16_t)count, .filter = (uint64_t)program};

	return set(fd, SO_ATTACH_FILTER, &request, sizeof(request));
}
#define ATTACH(fd, program) attach(fd, program, ARRAY_SIZE(program))

static int64_t get(int fd, int option, void *to, uint32_t *length)
{
	return host_syscall(SYS_getsockopt, (uint64_t)fd, SOL_SOCKET, (uint64_t)option,
			    (uint64_t)to, (uint64_t)length, 0);
}

static int64_t receive(int fd)
{
	return host_syscall(SYS_recvfrom, (uint64_t)fd, (uint64_t)buffer, sizeof(buffer), 0, 0, 0);
}

static int udp_socket_at(uint16_t port)
{
	const struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = cpu_to_be16(port)};
	int fd = open_socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(
		host_syscall(SYS_bind, (uint64_t)fd, (uint64_t)&name, sizeof(name), 0, 0, 0), 0);
	return fd;
}

static void udp_arrives(uint16_t from, const char *text)
{
	ip4_arrives(&f, packet, udp_packet(packet, from, 5000, text, strlen(text)));
}

static void udp_is_filtered_and_cut(void **state __unused)
{
	int fd = udp_socket_at(5000);

	assert_int_equal(ATTACH(fd, from_port_9), 0);
	udp_arrives(8, "no");
	udp_arrives(9, "yes");
	assert_int_equal(receive(fd), 3);
	assert_int_equal(receive(fd), -EAGAIN);
	assert_int_equal(fixture_drops(&f, DROP_SOCKET_FILTER), 1);
	assert_int_equal(udp_state(&f.net)->statistics[UDP_STAT_IN_ERRORS], 1);
	assert_int_equal(ATTACH(fd, ten_bytes), 0); /* of which 8 are the header's */
	udp_arrives(9, "yes");
	assert_int_equal(receive(fd), 2);
	assert_int_equal(ATTACH(fd, from_peer), 0);
	udp_arrives(8, "peer");
	assert_int_equal(receive(fd), 4);
	assert_int_equal(ATTACH(fd, none), 0);
	udp_arrives(9, "none");
	assert_int_equal(receive(fd), -EAGAIN);
	assert_int_equal(set(fd, SO_DETACH_FILTER, NULL, 0), 0);
	udp_arrives(9, "again");
	assert_int_equal(receive(fd), 5);
}

/* Shorter than the header a datagram does not become. */
static void header_is_not_cut(void **state __unused)
{
	static const struct sock_filter one_byte[] = {RETURN(1)};
	int fd = udp_socket_at(5000);

	assert_int_equal(ATTACH(fd, one_byte), 0);
	udp_arrives(9, "yes");
	assert_int_equal(receive(fd), 0);
	assert_int_equal(receive(fd), -EAGAIN);
}

static void raw_sockets_have_filters(void **state __unused)
{
	int fd = open_socket(AF_INET, SOCK_RAW, IPPROTO_UDP);

	assert_int_equal(ATTACH(fd, ten_bytes), 0);
	udp_arrives(9, "x");
	assert_int_equal(receive(fd), 10);
	assert_int_equal(ATTACH(fd, none), 0);
	udp_arrives(9, "x");
	assert_int_equal(receive(fd), -EAGAIN);
}

static int packet_socket(int type)
{
	return open_socket(AF_PACKET, type, cpu_to_be16(ETH_P_ALL).raw);
}

/* The same packet by its absolute place, behind the link header; and cut. */
static void packet_sockets_have_filters(void **state __unused)
{
	static const struct sock_filter udp_only[] = {
		{BPF_LD | BPF_H | BPF_ABS, 0, 0, 12},
		{BPF_JMP | BPF_JEQ, 0, 3, ETH_P_IP},
		{BPF_LD | BPF_B | BPF_ABS, 0, 0, 23},
		{BPF_JMP | BPF_JEQ, 0, 1, IPPROTO_UDP},
		RETURN(20),
		RETURN(0),
	};
	int raw = packet_socket(SOCK_RAW), cooked = packet_socket(SOCK_DGRAM);

	assert_int_equal(ATTACH(raw, udp_only), 0);
	assert_int_equal(ATTACH(cooked, from_peer), 0);
	ip4_arrives(&f, packet, echo_packet(packet, 1, "echo", 4));
	assert_int_equal(receive(raw), -EAGAIN);
	assert_int_equal(receive(cooked), 32);
	assert_int_equal(receive(cooked), -EAGAIN); /* the reply was not from there */
	udp_arrives(9, "datagram");
	assert_int_equal(receive(raw), 20);
	assert_int_equal(get_be16(buffer + 12), ETH_P_IP);
	assert_int_equal(receive(cooked), 36);
	assert_int_equal(buffer[0], 0x45);
}

/* What a filter refuses was not seen, says PACKET_STATISTICS. */
static void refused_frames_do_not_count(void **state __unused)
{
	int fd = packet_socket(SOCK_RAW);
	struct tpacket_stats statistics;
	uint32_t length = sizeof(statistics);

	assert_int_equal(ATTACH(fd, none), 0);
	udp_arrives(9, "x");
	assert_int_equal(ATTACH(fd, all), 0);
	udp_arrives(9, "x");
	assert_int_equal(host_syscall(SYS_getsockopt, (uint64_t)fd, SOL_PACKET, PACKET_STATISTICS,
				      (uint64_t)&statistics, (uint64_t)&length, 0),
			 0);
	/* The second datagram, and the ICMP errors about both. */
	assert_int_equal(statistics.tp_packets, 2);
	assert_int_equal(statistics.tp_drops, 0);
}

static void wrong_requests_are_refused(void **state __unused)
{
	static const struct sock_filter endless[] = {{BPF_JMP | BPF_JA, 0, 0, UINT32_MAX}};
	int fd = udp_socket_at(5000);
	struct sock_fprog request = {.len = 1, .filter = (uint64_t)all};

	assert_int_equal(ATTACH(fd, endless), -EINVAL);
	assert_int_equal(attach(fd, all, 0), -EINVAL);
	assert_int_equal(attach(fd, all, 5000), -EINVAL);
	assert_int_equal(set(fd, SO_ATTACH_FILTER, &request, sizeof(request) - 1), -EINVAL);
	assert_int_equal(set(fd, SO_ATTACH_FILTER, NULL, sizeof(request)), -EFAULT);
	request.filter = 0;
	assert_int_equal(set(fd, SO_ATTACH_FILTER, &request, sizeof(request)), -EFAULT);
	assert_int_equal(set(fd, SO_DETACH_FILTER, NULL, 0), -ENOENT);
	udp_arrives(9, "unfiltered");
	assert_int_equal(receive(fd), 10);
}

static void failing_memory_leaves_the_old_filter(void **state __unused)
{
	int fd = udp_socket_at(5000);

	assert_int_equal(ATTACH(fd, none), 0);
	for (uint64_t nth = 1; nth <= 3; nth++) {
		host_fail_allocation(nth);
		assert_int_equal(ATTACH(fd, all), -ENOMEM);
	}
	host_fail_allocation(0);
	udp_arrives(9, "x");
	assert_int_equal(receive(fd), -EAGAIN);
}

static void memory_of_a_filter_is_bounded(void **state __unused)
{
	struct sock_filter *program = calloc(BPF_MAXINSNS, sizeof(*program));
	int fd = udp_socket_at(5000);

	for (int i = 0; i < BPF_MAXINSNS; i++)
		program[i] = (struct sock_filter)RETURN(1);
	assert_int_equal(attach(fd, program, BPF_MAXINSNS), 0);
	f.net.core.optmem_max = 1000;
	assert_int_equal(attach(fd, program, BPF_MAXINSNS), -ENOMEM);
	assert_int_equal(attach(fd, program, 100), 0);
	free(program);
}

static void locked_filter_stays(void **state __unused)
{
	const int32_t on = 1, off = 0;
	uint32_t length = sizeof(on);
	int fd = udp_socket_at(5000);
	int32_t number;

	assert_int_equal(ATTACH(fd, all), 0);
	assert_int_equal(set(fd, SO_LOCK_FILTER, &off, sizeof(off)), 0);
	assert_int_equal(set(fd, SO_LOCK_FILTER, &on, sizeof(on)), 0);
	assert_int_equal(get(fd, SO_LOCK_FILTER, &number, &length), 0);
	assert_int_equal(number, 1);
	assert_int_equal(ATTACH(fd, none), -EPERM);
	assert_int_equal(set(fd, SO_DETACH_FILTER, NULL, 0), -EPERM);
	assert_int_equal(set(fd, SO_LOCK_FILTER, &off, sizeof(off)), -EPERM);
	udp_arrives(9, "still");
	assert_int_equal(receive(fd), 5);
}

/* Lengths are in instructions here. */
static void filter_is_read_back(void **state __unused)
{
	struct sock_filter program[10] = {0};
	uint32_t length = 10;
	int fd = udp_socket_at(5000);

	assert_int_equal(get(fd, SO_GET_FILTER, program, &length), 0);
	assert_int_equal(length, 0);
	assert_int_equal(ATTACH(fd, from_port_9), 0);
	length = 0;
	assert_int_equal(get(fd, SO_GET_FILTER, NULL, &length), 0);
	assert_int_equal(length, ARRAY_SIZE(from_port_9));
	length = 3;
	assert_int_equal(get(fd, SO_GET_FILTER, program, &length), -EINVAL);
	length = 10;
	assert_int_equal(get(fd, SO_GET_FILTER, program, &length), 0);
	assert_int_equal(length, ARRAY_SIZE(from_port_9));
	assert_memory_equal(program, from_port_9, sizeof(from_port_9));
	length = 10;
	assert_int_equal(get(fd, SO_GET_FILTER, (void *)8, &length), -EFAULT);
}

static void extensions_are_told(void **state __unused)
{
	uint32_t length = 4;
	int32_t number = 0;

	assert_int_equal(get(udp_socket_at(5000), SO_BPF_EXTENSIONS, &number, &length), 0);
	assert_int_equal(number, SKF_AD_MAX);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(udp_is_filtered_and_cut),
		TEST(header_is_not_cut),
		TEST(raw_sockets_have_filters),
		TEST(packet_sockets_have_filters),
		TEST(refused_frames_do_not_count),
		TEST(wrong_requests_are_refused),
		TEST(failing_memory_leaves_the_old_filter),
		TEST(memory_of_a_filter_is_bounded),
		TEST(locked_filter_stays),
		TEST(filter_is_read_back),
		TEST(extensions_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
