/* AF_PACKET at its edges: rings with frames of every make, memberships told apart, options. */
#include "test/host/unit/packet_ring_fixture.h"

#include <string.h>

#include "kernel/byteorder.h"
#include "kernel/mm/page.h"

#define BLOCK 4096u
#define LO 1 /* its number */

static int64_t get_number(int option)
{
	int32_t number = -1;
	uint32_t length = sizeof(number);
	int error = socket_getsockopt(made, SOL_PACKET, option, &number, &length);

	return error ? error : number;
}

/* A ring of one page a block. */
static void make_ring(int type, int version, uint32_t frame_size, uint32_t reserve)
{
	const struct tpacket_req3 request = {
		.tp_block_size = BLOCK,
		.tp_block_nr = 2,
		.tp_frame_size = frame_size,
		.tp_frame_nr = 2 * (BLOCK / frame_size),
		.tp_retire_blk_tov = 10,
	};

	open_packet_socket(type);
	assert_int_equal(set_number(PACKET_VERSION, version), 0);
	assert_int_equal(set_number(PACKET_RESERVE, (int32_t)reserve), 0);
	assert_int_equal(set_ring(&request, version), 0);
}

static void tagged_frame_comes(void)
{
	static const uint8_t payload[] = {0x20, 0x05, 0x99, 0x99, 'h', 'e', 'l', 'l', 'o'};

	fixture_receive_ethernet(&f, FIXTURE_MAC, FIXTURE_PEER, ETH_P_8021Q, payload,
				 sizeof(payload));
}

/* The frame without its tag, byte by byte. */
static void expect_untagged(const uint8_t *frame)
{
	assert_memory_equal(frame, FIXTURE_MAC.bytes, MAC_LENGTH);
	assert_memory_equal(frame + MAC_LENGTH, FIXTURE_PEER.bytes, MAC_LENGTH);
	assert_int_equal(get_be16(frame + 12), TEST_TYPE);
	assert_memory_equal(frame + 14, "hello", 5);
}

static void tags_stand_beside_the_frame_in_a_ring(void **state __unused)
{
	const uint32_t vlan = TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID;

	make_ring(SOCK_RAW, TPACKET_V2, 2048, 0);
	tagged_frame_comes();
	const struct tpacket2_hdr *header = seen(0);

	assert_int_equal(header->tp_status & vlan, vlan);
	assert_int_equal(header->tp_vlan_tci, 0x2005);
	assert_int_equal(header->tp_vlan_tpid, ETH_P_8021Q);
	assert_int_equal(header->tp_len, 14 + 5);
	assert_int_equal(header->tp_net - header->tp_mac, 14);
	expect_untagged(seen(header->tp_mac));
	socket_close(made);
	make_ring(SOCK_RAW, TPACKET_V3, 2048, 0);
	tagged_frame_comes();
	frame_comes("plain", 5);
	fixture_advance(&f, 10 * USEC_PER_MSEC);
	const struct tpacket_block_desc *block = seen(0);
	const struct tpacket3_hdr *first = seen(block->hdr.offset_to_first_pkt);
	const struct tpacket3_hdr *second = seen(block->hdr.offset_to_first_pkt +
						 first->tp_next_offset);

	assert_int_equal(first->hv1.tp_vlan_tci, 0x2005);
	assert_int_equal(first->hv1.tp_vlan_tpid, ETH_P_8021Q);
	expect_untagged((const uint8_t *)first + first->tp_mac);
	assert_int_equal(second->hv1.tp_vlan_tpid, 0);
	assert_int_equal(second->tp_status & vlan, 0);
}

static void a_tag_is_no_part_of_a_datagram(void **state __unused)
{
	make_ring(SOCK_DGRAM, TPACKET_V2, 2048, 0);
	tagged_frame_comes();
	const struct tpacket2_hdr *header = seen(0);

	assert_int_equal(header->tp_len, 5);
	assert_int_equal(header->tp_mac, header->tp_net);
	assert_memory_equal(seen(header->tp_net), "hello", 5);
}

/* A frame of ours on its way out, and one of lo, whose link header is made up. */
static void send_from(int ifindex)
{
	struct sk_buff *skb = skb_alloc(&f.net, SKB_HEADROOM + 20);
	struct net_device *dev;

	skb_reserve(skb, SKB_HEADROOM);
	memcpy(skb_put(skb, 20), "destinsource\x99\x99hello.", 20);
	skb->protocol = TEST_TYPE;
	net_lock(&f.net);
	dev = netdev_by_index(&f.net, ifindex);
	if (ifindex == LO)
		skb_pull(skb, 14);
	dev_xmit(dev, skb);
	net_unlock(&f.net);
	fixture_run(&f);
}

static void what_is_sent_is_in_the_ring(void **state __unused)
{
	uint64_t now_s = net_realtime(&f.net) / USEC_PER_SEC;

	make_ring(SOCK_RAW, TPACKET_V2, 2048, 0);
	send_from(f.dev.ifindex);
	const struct tpacket2_hdr *header = seen(0);
	const struct sockaddr_ll *source = (const void *)((const uint8_t *)header +
							  TPACKET_ALIGN(sizeof(*header)));

	assert_int_equal(header->tp_status & TP_STATUS_USER, TP_STATUS_USER);
	assert_int_equal(source->sll_pkttype, PACKET_OUTGOING);
	assert_int_equal(source->sll_ifindex, f.dev.ifindex);
	assert_in_range(header->tp_sec, now_s, now_s + 1);
	assert_memory_equal(seen(header->tp_mac), "destinsource\x99\x99hello.", 20);
	send_from(LO); /* out and in again */
	header = seen(2048);
	assert_int_equal(header->tp_snaplen, 14 + 6);
	assert_memory_equal(seen(2048 + header->tp_mac), "\0\0\0\0\0\0\0\0\0\0\0\0\x99\x99hello.",
			    20);
}

/* So much in front of each packet that nothing of it fits: it is told of all the same. */
static void a_frame_without_room_for_bytes(void **state __unused)
{
	make_ring(SOCK_RAW, TPACKET_V2, 128, 70);
	frame_comes("hello", 5);
	const struct tpacket2_hdr *header = seen(0), *next = seen(128);

	assert_int_equal(header->tp_status & TP_STATUS_USER, TP_STATUS_USER);
	assert_int_equal(header->tp_snaplen, 0);
	assert_int_equal(header->tp_len, 19);
	assert_int_equal(next->tp_status, TP_STATUS_KERNEL);
	for (uint32_t i = 0; i < 128; i++)
		assert_int_equal(*(uint8_t *)seen(128 + i), 0);
}

static void a_block_says_that_packets_were_lost(void **state __unused)
{
	uint8_t payload[1400] = {0};
	struct tpacket_block_desc *block;

	make_ring(SOCK_RAW, TPACKET_V3, 2048, 0);
	for (int i = 0; i < 6; i++) /* two in a block, two blocks */
		frame_comes(payload, sizeof(payload));
	block = seen(0);
	assert_int_equal(block->hdr.num_pkts, 2);
	assert_int_equal(block->hdr.block_status & TP_STATUS_LOSING, 0);
	block->hdr.block_status = TP_STATUS_KERNEL;
	frame_comes("late", 4);
	fixture_advance(&f, 10 * USEC_PER_MSEC);
	assert_int_equal(block->hdr.num_pkts, 1);
	assert_int_equal(block->hdr.block_status,
			 TP_STATUS_USER | TP_STATUS_BLK_TMO | TP_STATUS_LOSING);
}

/* Eleven times 368 bytes are all that a block has room for: the twelfth packet closes it. */
static void a_block_is_filled_to_its_last_byte(void **state __unused)
{
	uint8_t payload[272] = {0};
	const struct tpacket_block_desc *block;

	make_ring(SOCK_RAW, TPACKET_V3, 2048, 0);
	block = seen(0);
	for (int i = 0; i < 11; i++) {
		frame_comes(payload, sizeof(payload));
		assert_int_equal(block->hdr.block_status, TP_STATUS_KERNEL);
	}
	frame_comes(payload, sizeof(payload));
	assert_int_equal(block->hdr.block_status, TP_STATUS_USER);
	assert_int_equal(block->hdr.num_pkts, 11);
	assert_int_equal(block->hdr.blk_len, BLOCK);
}

/* What the process writes over a ring's headers changes nothing but what it reads. */
static void a_process_that_scribbles(void **state __unused)
{
	uint8_t payload[1400] = {0};

	for (int version = TPACKET_V2; version <= TPACKET_V3; version++) {
		make_ring(SOCK_RAW, version, 2048, 0);
		for (int round = 0; round < 20; round++) {
			memset(seen(0), 0xff, BLOCK);
			memset(seen(BLOCK), 0xff, BLOCK);
			frame_comes(payload, sizeof(payload));
			memset(seen(0), 0, BLOCK);
			memset(seen(BLOCK), 0, BLOCK);
			frame_comes(payload, sizeof(payload));
			fixture_advance(&f, 10 * USEC_PER_MSEC);
		}
		socket_close(made);
	}
	made = NULL;
}

/* The ring goes while its pages are mapped: who maps them keeps them. */
static void a_ring_that_ends_leaves_its_pages(void **state __unused)
{
	const struct tpacket_req3 none = {0};
	struct page *const *pages;
	uint64_t count;

	make_ring(SOCK_RAW, TPACKET_V2, 2048, 0);
	net_lock(&f.net);
	assert_int_equal(packet_ring_memory(made, 2 * BLOCK, &pages, &count), 0);
	struct page *first = pages[0];

	page_get(first);

	net_unlock(&f.net);
	assert_int_equal(socket_setsockopt(made, SOL_PACKET, PACKET_RX_RING, &none,
					   sizeof(struct tpacket_req)),
			 0);
	memset(page_address(first), 0x55, PAGE_SIZE);
	frame_comes("queued", 6); /* to the queue again */
	assert_int_equal(made->receive_queue.length, 1);
	assert_int_equal(*(uint8_t *)page_address(first), 0x55);
	page_put(first);
}

static void options_are_read_back(void **state __unused)
{
	static const int switches[] = {PACKET_AUXDATA, PACKET_IGNORE_OUTGOING, PACKET_ORIGDEV,
				       PACKET_QDISC_BYPASS};
	uint8_t byte = 0;

	open_packet_socket(SOCK_RAW);
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		for (int on = 1; on >= 0; on--) {
			assert_int_equal(set_number(switches[i], 5 * on), 0);
			assert_int_equal(get_number(switches[i]), on);
		}
	}
	assert_int_equal(set_number(PACKET_VERSION, TPACKET_V3), 0);
	assert_int_equal(get_number(PACKET_VERSION), TPACKET_V3);
	assert_int_equal(set_number(PACKET_RESERVE, 32768), 0);
	assert_int_equal(get_number(PACKET_RESERVE), 32768);
	assert_int_equal(set_number(PACKET_RESERVE, 32769), -EINVAL);
	assert_int_equal(set_number(PACKET_RESERVE, -1), -EINVAL);
	assert_int_equal(get_number(PACKET_RESERVE), 32768);
	assert_int_equal(set_number(PACKET_TIMESTAMP, 1), -EOPNOTSUPP);
	assert_int_equal(get_number(PACKET_TIMESTAMP), 0);
	assert_int_equal(socket_setsockopt(made, SOL_PACKET, PACKET_VERSION, &byte, 1), -EINVAL);
	assert_int_equal(socket_setsockopt(made, SOL_PACKET, PACKET_RESERVE, &byte, 1), -EINVAL);
	assert_int_equal(socket_setsockopt(made, SOL_PACKET, PACKET_TIMESTAMP, &byte, 1), -EINVAL);
	uint32_t length = 1;

	assert_int_equal(socket_getsockopt(made, SOL_PACKET, PACKET_HDRLEN, &byte, &length),
			 -EINVAL);
}

static int change_membership(int option, const struct packet_mreq *request)
{
	return socket_setsockopt(made, SOL_PACKET, option, request, sizeof(*request));
}

static void memberships_are_told_apart(void **state __unused)
{
	struct packet_mreq first = {.mr_ifindex = f.dev.ifindex,
				    .mr_type = PACKET_MR_MULTICAST,
				    .mr_alen = 6,
				    .mr_address = {1, 0, 0x5e, 0, 0, 9}};
	struct packet_mreq second = first, on_lo = first;

	second.mr_address[5] = 10;
	on_lo.mr_ifindex = LO;
	open_packet_socket(SOCK_RAW);
	assert_int_equal(change_membership(PACKET_ADD_MEMBERSHIP, &first), 0);
	assert_int_equal(change_membership(PACKET_DROP_MEMBERSHIP, &second), -EADDRNOTAVAIL);
	assert_int_equal(change_membership(PACKET_DROP_MEMBERSHIP, &on_lo), -EADDRNOTAVAIL);
	assert_int_equal(change_membership(PACKET_ADD_MEMBERSHIP, &second), 0);
	assert_int_equal(change_membership(PACKET_DROP_MEMBERSHIP, &first), 0);
	assert_false(list_empty(&f.dev.multicast));
	assert_int_equal(change_membership(PACKET_DROP_MEMBERSHIP, &second), 0);
	assert_true(list_empty(&f.dev.multicast));
	second.mr_alen = 5;
	assert_int_equal(change_membership(PACKET_DROP_MEMBERSHIP, &second), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tags_stand_beside_the_frame_in_a_ring),
		TEST(a_tag_is_no_part_of_a_datagram),
		TEST(what_is_sent_is_in_the_ring),
		TEST(a_frame_without_room_for_bytes),
		TEST(a_block_says_that_packets_were_lost),
		TEST(a_block_is_filled_to_its_last_byte),
		TEST(a_process_that_scribbles),
		TEST(a_ring_that_ends_leaves_its_pages),
		TEST(options_are_read_back),
		TEST(memberships_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
