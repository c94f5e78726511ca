/*
 * AF_PACKET sockets: what is told about a frame beside its bytes, and frames that are not whole or
 * not good.
 */
#include "test/host/unit/fixture.h"

#include <string.h>

#include "include/uapi/if_packet.h"
#include "include/uapi/time.h"
#include "kernel/byteorder.h"
#include "net/ethernet/ethernet.h"

#define TEST_TYPE 0x9999

static struct fixture f;
static uint8_t control[256];
static uint8_t bytes[2000];

static int set_up(void **state __unused)
{
	fixture_init(&f);
	return 0;
}

static int tear_down(void **state __unused)
{
	host_fail_allocation(0);
	fixture_destroy(&f);
	return 0;
}

static struct socket *make_socket(int type)
{
	struct socket *socket = NULL;

	assert_int_equal(
		socket_create(&f.net, AF_PACKET, type, (int)__builtin_bswap16(ETH_P_ALL), &socket),
		0);
	return socket;
}

static int set_option(struct socket *socket, int level, int option, int value)
{
	return socket_setsockopt(socket, level, option, &value, sizeof(value));
}

/* A frame of which the device says this about its checksum. */
static void frame_comes(enum skb_checksum checksum)
{
	struct sk_buff *skb = skb_alloc(&f.net, 60);
	uint8_t *frame = skb_put(skb, 60);

	memset(frame, 0, 60);
	memcpy(frame, FIXTURE_MAC.bytes, MAC_LENGTH);
	memcpy(frame + MAC_LENGTH, FIXTURE_PEER.bytes, MAC_LENGTH);
	put_be16(frame + 12, TEST_TYPE);
	skb->checksum = (uint8_t)checksum;
	net_lock(&f.net);
	netif_receive(&f.dev, skb);
	net_unlock(&f.net);
}

static int64_t receive(struct socket *socket, uint32_t flags)
{
	struct message message = {.flags = flags | MSG_DONTWAIT,
				  .control_to = control,
				  .control_room = sizeof(control)};

	memset(control, 0, sizeof(control));
	iov_init_kernel(&message.iov, bytes, sizeof(bytes));
	return socket_recvmsg(socket, &message);
}

static void checksums_that_the_device_looked_at(void **state __unused)
{
	static const struct {
		enum skb_checksum checksum;
		uint32_t status;
	} cases[] = {
		{SKB_CHECKSUM_NONE, TP_STATUS_USER},
		{SKB_CHECKSUM_VERIFIED, TP_STATUS_USER | TP_STATUS_CSUM_VALID},
		{SKB_CHECKSUM_PARTIAL, TP_STATUS_USER | TP_STATUS_CSUMNOTREADY},
	};
	struct socket *socket = make_socket(SOCK_RAW);
	int value = 0;
	uint32_t length = sizeof(value);

	assert_int_equal(set_option(socket, SOL_PACKET, PACKET_AUXDATA, 1), 0);
	assert_int_equal(socket_getsockopt(socket, SOL_PACKET, PACKET_AUXDATA, &value, &length), 0);
	assert_int_equal(value, 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct cmsghdr *header = (const void *)control;
		struct tpacket_auxdata data;

		frame_comes(cases[i].checksum);
		assert_int_equal(receive(socket, 0), 60);
		assert_int_equal(header->cmsg_type, PACKET_AUXDATA);
		memcpy(&data, CMSG_DATA(header), sizeof(data));
		assert_int_equal(data.tp_status, cases[i].status);
	}
	socket_close(socket);
}

/* SO_TIMESTAMPNS: in another unit, under another name. */
static void timestamps_in_nanoseconds(void **state __unused)
{
	struct socket *socket = make_socket(SOCK_RAW);
	const struct cmsghdr *header = (const void *)control;
	struct timespec stamp;

	assert_int_equal(set_option(socket, SOL_SOCKET, SO_TIMESTAMPNS, 1), 0);
	frame_comes(SKB_CHECKSUM_NONE);
	fixture_advance(&f, 2500000);
	assert_int_equal(receive(socket, 0), 60);
	assert_int_equal(header->cmsg_type, SCM_TIMESTAMPNS);
	memcpy(&stamp, CMSG_DATA(header), sizeof(stamp));
	assert_int_equal(stamp.tv_sec, 1000); /* of its arrival */
	assert_int_equal(stamp.tv_nsec, 0);
	/* Somebody's wish for timestamps is everybody's cost as long as the socket is there. */
	assert_int_equal(f.net.timestamp_users, 1);
	assert_int_equal(set_option(socket, SOL_SOCKET, SO_TIMESTAMPNS, 0), 0);
	assert_int_equal(f.net.timestamp_users, 0);
	socket_close(socket);
}

static void options_of_other_levels(void **state __unused)
{
	struct socket *socket = make_socket(SOCK_RAW);
	int value = 0;
	uint32_t length = sizeof(value);

	assert_int_equal(socket_getsockopt(socket, 255, PACKET_AUXDATA, &value, &length),
			 -ENOPROTOOPT);
	assert_int_equal(set_option(socket, 255, PACKET_AUXDATA, 1), -ENOPROTOOPT);
	assert_int_equal(set_option(socket, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1), 0);
	assert_int_equal(
		socket_getsockopt(socket, SOL_PACKET, PACKET_IGNORE_OUTGOING, &value, &length), 0);
	assert_int_equal(value, 1);
	assert_int_equal(receive(socket, MSG_ERRQUEUE), -EAGAIN); /* nothing ever goes there */
	assert_int_equal(receive(socket, MSG_OOB), -EINVAL);
	socket_close(socket);
}

/* Taps see what Ethernet refuses: also a frame that ends before its header does. */
static void frames_that_are_cut(void **state __unused)
{
	struct socket *raw = make_socket(SOCK_RAW), *datagram = make_socket(SOCK_DGRAM);
	uint8_t frame[14] = {0};

	memcpy(frame, FIXTURE_MAC.bytes, MAC_LENGTH);
	fixture_receive(&f, frame, 13);
	assert_int_equal(fixture_drops(&f, DROP_ETH_SHORT), 1);
	assert_int_equal(receive(raw, 0), -EAGAIN);
	fixture_receive(&f, frame, 14);
	assert_int_equal(receive(raw, 0), 14);
	assert_int_equal(receive(datagram, 0), 0);
	socket_close(raw);
	socket_close(datagram);
}

static void frames_for_which_there_is_no_memory(void **state __unused)
{
	struct socket *socket = make_socket(SOCK_RAW);
	struct tpacket_stats statistics;
	uint32_t length = sizeof(statistics);
	struct sk_buff *skb = skb_alloc(&f.net, 60);

	memset(skb_put(skb, 60), 0, 60);
	memcpy(skb->data, FIXTURE_MAC.bytes, MAC_LENGTH);
	host_fail_allocations_from(1);
	net_lock(&f.net);
	netif_receive(&f.dev, skb);
	net_unlock(&f.net);
	host_fail_allocation(0);
	assert_int_equal(receive(socket, 0), -EAGAIN);
	assert_int_equal(
		socket_getsockopt(socket, SOL_PACKET, PACKET_STATISTICS, &statistics, &length), 0);
	assert_int_equal(statistics.tp_packets, 1);
	assert_int_equal(statistics.tp_drops, 1);
	frame_comes(SKB_CHECKSUM_NONE);
	assert_int_equal(receive(socket, 0), 60);
	socket_close(socket);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(checksums_that_the_device_looked_at),
		TEST(timestamps_in_nanoseconds),
		TEST(options_of_other_levels),
		TEST(frames_that_are_cut),
		TEST(frames_for_which_there_is_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
