/*
 * sk_buff: the verbs, fragments, copies, reallocation, queues, and what is left when memory fails.
 */
#include "test/host/unit/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/iov.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page.h"
#include "kernel/random.h"
#include "net/core/checksum.h"

static struct fixture f;

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

/*
 * A packet whose `linear` first bytes are linear and the others in fragments of `piece` bytes; byte
 * i is (uint8_t)(i * 7).
 */
static struct sk_buff *make(size_t linear, size_t total, size_t piece)
{
	struct sk_buff *skb = skb_alloc(&f.net, SKB_HEADROOM + linear);
	size_t at = linear;

	assert_non_null(skb);
	skb_reserve(skb, SKB_HEADROOM);
	uint8_t *bytes = skb_put(skb, linear);

	for (size_t i = 0; i < linear; i++)
		bytes[i] = (uint8_t)(i * 7);
	while (at < total) {
		struct page *page = page_alloc();
		size_t n = MIN(piece, total - at);

		for (size_t i = 0; i < n; i++)
			((uint8_t *)page_address(page))[5 + i] = (uint8_t)((at + i) * 7);
		assert_int_equal(skb_add_fragment(skb, page, 5, (uint32_t)n), 0);
		at += n;
	}
	return skb;
}

static void assert_bytes(const struct sk_buff *skb, size_t from, size_t n)
{
	uint8_t *copy = malloc(n + 1);

	skb_copy_bits(skb, 0, copy, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(copy[i], (uint8_t)((from + i) * 7));
	free(copy);
}

static void the_four_verbs(void **state __unused)
{
	struct sk_buff *skb = skb_alloc(&f.net, 100);

	assert_int_equal(f.net.live_skbs, 1);
	assert_int_equal(skb_tailroom(skb), 100);
	skb_reserve(skb, 30);
	assert_int_equal(skb_headroom(skb), 30);
	memset(skb_put(skb, 10), 1, 10);
	memset(skb_push(skb, 20), 2, 20);
	assert_int_equal(skb->len, 30);
	assert_int_equal(skb->data[19], 2);
	assert_int_equal(((uint8_t *)skb_pull(skb, 20))[0], 1);
	assert_int_equal(skb->len, 10);
	assert_int_equal(skb_headroom(skb), 30);
	skb_free(skb);
	assert_int_equal(f.net.live_skbs, 0);
}

static void drop_counts_its_reason(void **state __unused)
{
	skb_drop(skb_alloc(&f.net, 10), DROP_UDP_SHORT);
	assert_int_equal(fixture_drops(&f, DROP_UDP_SHORT), 1);
	assert_string_equal(drop_reason_name(DROP_UDP_SHORT), "UDP_SHORT");
}

static void may_pull_brings_fragments_in(void **state __unused)
{
	for (size_t piece = 1; piece <= 60; piece += 7) {
		for (size_t n = 0; n <= 81; n++) {
			size_t total = MIN((size_t)80, 20 + piece * SKB_MAX_FRAGMENTS);
			struct sk_buff *skb = make(20, total, piece);

			skb_mark_network_header(skb);
			assert_int_equal(skb_may_pull(skb, n), n <= total);
			if (n <= total)
				assert_true(skb_linear_len(skb) >= n);
			assert_int_equal(skb->len, total);
			assert_ptr_equal(skb_network_header(skb), skb->data);
			assert_int_equal(skb_linear_len(skb) + skb->fragments_len, total);
			assert_bytes(skb, 0, total);
			skb_free(skb);
		}
	}
}

static void trim_anywhere(void **state __unused)
{
	for (size_t n = 0; n <= 90; n++) {
		struct sk_buff *skb = make(20, 80, 17);

		skb_trim(skb, n);
		assert_int_equal(skb->len, MIN(n, (size_t)80));
		assert_int_equal(skb_linear_len(skb) + skb->fragments_len, skb->len);
		assert_bytes(skb, 0, skb->len);
		skb_free(skb);
	}
}

static void trim_the_front_anywhere(void **state __unused)
{
	for (size_t n = 0; n <= 80; n++) {
		struct sk_buff *skb = make(20, 80, 17);

		skb_trim_front(skb, n);
		assert_int_equal(skb->len, 80 - n);
		assert_int_equal(skb_linear_len(skb) + skb->fragments_len, skb->len);
		assert_bytes(skb, n, skb->len);
		skb_free(skb);
	}
}

static void clone_shares_fragments_and_copies_the_rest(void **state __unused)
{
	struct sk_buff *skb = make(20, 80, 30);
	struct socket *socket;

	assert_int_equal(socket_create(&f.net, AF_PACKET, SOCK_RAW, 0, &socket), 0);
	skb_set_owner(skb, socket);
	skb->protocol = 0x1234;
	skb_mark_link_header(skb);

	struct sk_buff *clone = skb_clone(skb);

	assert_int_equal(f.net.live_skbs, 2);
	assert_null(clone->owner);
	assert_int_equal(clone->protocol, 0x1234);
	assert_ptr_equal(skb_link_header(clone), clone->data);
	assert_int_equal(clone->fragments[0].page->references, 2);
	skb->data[0] ^= 0xff;
	skb_free(skb);
	assert_bytes(clone, 0, 80);
	skb_free(clone);
	socket_close(socket);
}

static void headroom_on_demand(void **state __unused)
{
	struct sk_buff *skb = make(20, 80, 30);

	skb->csum_start = SKB_HEADROOM + 4;
	skb->checksum = SKB_CHECKSUM_PARTIAL;
	skb_mark_transport_header(skb);
	assert_int_equal(skb_ensure_headroom(skb, SKB_HEADROOM), 0);
	assert_int_equal(skb_headroom(skb), SKB_HEADROOM);
	assert_int_equal(skb_ensure_headroom(skb, SKB_HEADROOM + 50), 0);
	assert_true(skb_headroom(skb) >= SKB_HEADROOM + 50);
	assert_ptr_equal(skb_transport_header(skb), skb->data);
	assert_ptr_equal(skb->head + skb->csum_start, skb->data + 4);
	assert_int_equal(skb->network_offset, 0xffff);
	assert_bytes(skb, 0, 80);
	skb_free(skb);
}

static void headers_that_were_pulled_survive_a_move(void **state __unused)
{
	struct sk_buff *skb = make(20, 80, 60);

	skb_mark_network_header(skb);
	skb_pull(skb, 10);
	assert_true(skb_may_pull(skb, 70)); /* moves */
	assert_int_equal(skb_network_header(skb)[9], 9 * 7);
	assert_int_equal(skb_ensure_headroom(skb, 300), 0);
	assert_int_equal(skb_network_header(skb)[0], 0);
	assert_bytes(skb, 10, 70);
	skb_free(skb);
}

static void checksums_run_over_fragments(void **state __unused)
{
	for (size_t piece = 1; piece < 30; piece++) {
		size_t total = MIN((size_t)200, 33 + piece * SKB_MAX_FRAGMENTS);
		struct sk_buff *skb = make(33, total, piece);
		uint8_t copy[200];

		skb_copy_bits(skb, 0, copy, total);
		for (size_t from = 0; from < 40; from++) {
			size_t n = total - from;

			assert_int_equal(checksum_fold(skb_checksum_add(skb, from, n, 0)).raw,
					 checksum_fold(checksum_add(copy + from, n, 0)).raw);
		}
		skb_free(skb);
	}
}

static void partial_checksum_is_completed(void **state __unused)
{
	struct sk_buff *skb = make(10, 80, 30);
	uint8_t copy[80];

	skb->checksum = SKB_CHECKSUM_PARTIAL;
	skb->csum_start = SKB_HEADROOM + 8;
	skb->csum_offset = 6; /* beyond the linear bytes */
	assert_int_equal(skb_checksum_complete(skb), 0);
	assert_int_equal(skb->checksum, SKB_CHECKSUM_NONE);
	skb_copy_bits(skb, 0, copy, sizeof(copy));

	be16 stored;

	memcpy(&stored, copy + 14, sizeof(stored));
	copy[14] = 14 * 7; /* what stood there: part of the sum, as a pseudo-header's would be */
	copy[15] = 15 * 7;
	assert_int_equal(stored.raw, checksum_fold(checksum_add(copy + 8, 72, 0)).raw);
	skb_free(skb);
}

/* A received packet that was cut, or unwrapped, since its device said where the sum is. */
static void partial_checksum_outside_of_the_packet(void **state __unused)
{
	struct sk_buff *skb = make(60, 60, 1);

	skb->checksum = SKB_CHECKSUM_PARTIAL;
	skb->csum_start = SKB_HEADROOM + 20;
	skb->csum_offset = 16;
	skb_trim(skb, 37); /* one byte short of the field's end */
	assert_int_equal(skb_checksum_complete(skb), -EINVAL);
	skb_pull(skb, 21); /* its start is gone */
	assert_int_equal(skb_checksum_complete(skb), -EINVAL);
	assert_bytes(skb, 21, skb->len);
	skb_free(skb);
}

/* Where the link header stands is remembered, too, when the linear bytes move. */
static void link_header_survives_a_move(void **state __unused)
{
	struct sk_buff *skb = make(40, 200, 80);

	skb_mark_link_header(skb);
	skb_pull(skb, 14);
	assert_true(skb_may_pull(skb, 150));
	assert_int_equal(skb_ensure_headroom(skb, 500), 0);
	assert_ptr_equal(skb_link_header(skb) + 14, skb->data);
	assert_int_equal(skb_link_header(skb)[3], 3 * 7);
	skb_free(skb);
}

/* A fragment's bytes fit behind the linear ones: nothing has to move. */
static void may_pull_into_the_tailroom(void **state __unused)
{
	struct sk_buff *skb = make(20, 60, 40);
	const uint8_t *data = skb->data;

	skb_trim(skb, 60);
	skb->tail -= 10; /* room, at the cost of what stood there */
	skb->len -= 10;
	assert_true(skb_may_pull(skb, 15));
	assert_ptr_equal(skb->data, data);
	assert_int_equal(skb->data[10], (uint8_t)(20 * 7));
	skb_free(skb);
}

static void partial_checksum_is_never_zero(void **state __unused)
{
	struct sk_buff *skb = skb_alloc(&f.net, 8);

	memcpy(skb_put(skb, 8), "\xff\xff\0\0\0\0\0\0",
	       8); /* sums to 0xffff: the checksum would be 0 */
	skb->checksum = SKB_CHECKSUM_PARTIAL;
	skb->csum_offset = 6;
	assert_int_equal(skb_checksum_complete(skb), 0);
	assert_int_equal(skb->data[6], 0xff);
	assert_int_equal(skb->data[7], 0xff);
	skb_free(skb);
}

static void to_and_from_memory(void **state __unused)
{
	struct sk_buff *skb = make(20, 80, 30);
	uint8_t bytes[80];
	struct iov iov;

	iov_init_kernel(&iov, bytes, sizeof(bytes));
	assert_int_equal(skb_copy_to_iov(skb, 10, &iov, 70), 0);
	for (size_t i = 0; i < 70; i++)
		assert_int_equal(bytes[i], (uint8_t)((10 + i) * 7));
	iov_init_user(&iov, 8, 80); /* an address that no process has */
	assert_int_equal(skb_copy_to_iov(skb, 0, &iov, 80), -EFAULT);
	skb_free(skb);

	skb = skb_alloc(&f.net, 80);
	iov_init_kernel(&iov, bytes, 70);
	assert_int_equal(skb_put_from_iov(skb, &iov, 70), 0);
	assert_memory_equal(skb->data, bytes, 70);
	skb_free(skb);
}

static void fragments_are_limited(void **state __unused)
{
	struct sk_buff *skb = make(0, SKB_MAX_FRAGMENTS, 1);
	struct page *page = page_alloc();

	assert_int_equal(skb_add_fragment(skb, page, 0, 1), -ENOSPC);
	page_put(page);
	assert_true(skb->truesize >= SKB_MAX_FRAGMENTS * PAGE_SIZE);
	skb_free(skb);
}

static void queues_keep_order_and_account(void **state __unused)
{
	struct sk_buff *a = skb_alloc(&f.net, 10), *b = skb_alloc(&f.net, 1000),
		       *c = skb_alloc(&f.net, 10);
	struct skb_queue queue;

	skb_queue_init(&queue);
	assert_null(skb_queue_first(&queue));
	assert_null(skb_queue_take(&queue));
	skb_queue_append(&queue, a);
	skb_queue_append(&queue, b);
	skb_queue_append(&queue, c);
	assert_int_equal(queue.truesize, a->truesize + b->truesize + c->truesize);
	skb_queue_unlink(&queue, b);
	skb_free(b);
	assert_ptr_equal(skb_queue_take(&queue), a);
	assert_int_equal(queue.length, 1);
	skb_free(a);
	skb_queue_drop_all(&queue, DROP_SOCKET_CLOSED);
	assert_int_equal(queue.truesize, 0);
	assert_int_equal(fixture_drops(&f, DROP_SOCKET_CLOSED), 1);
}

static void failed_allocations_leave_nothing(void **state __unused)
{
	host_fail_allocation(1);
	assert_null(skb_alloc(&f.net, 100));
	host_fail_allocation(0);

	struct sk_buff *skb = make(20, 80, 60);

	host_fail_allocation(1);
	assert_null(skb_clone(skb));
	host_fail_allocation(1);
	assert_false(skb_may_pull(skb, 80));
	host_fail_allocation(1);
	assert_int_equal(skb_ensure_headroom(skb, 1000), -ENOMEM);
	skb->checksum = SKB_CHECKSUM_PARTIAL;
	skb->csum_start = SKB_HEADROOM;
	skb->csum_offset = 70;
	host_fail_allocation(1);
	assert_int_equal(skb_checksum_complete(skb), -ENOMEM);
	host_fail_allocation(0);
	assert_bytes(skb, 0, 80); /* untouched */
	assert_int_equal(f.net.live_skbs, 1);
	skb_free(skb);
}

static void truesize_covers_what_is_held(void **state __unused)
{
	struct sk_buff *skb = skb_alloc(&f.net, 3000);

	assert_true(skb->truesize >= sizeof(*skb) + 3000);
	skb_free(skb);
}

static void trace_is_limited(void **state __unused)
{
	uint64_t lines = host_log_lines();

	skb_drop(skb_alloc(&f.net, 1), DROP_UDP_SHORT);
	assert_int_equal(host_log_lines(), lines);
	f.net.core.packet_trace = 1;
	for (int i = 0; i < 1000; i++)
		skb_drop(skb_alloc(&f.net, 1), DROP_UDP_SHORT);
	assert_int_equal(host_log_lines(), lines + 20);
	assert_string_equal(host_log_last(), "drop: UDP_SHORT - 0\n");
	fixture_advance(&f, USEC_PER_SEC);
	skb_drop(skb_alloc(&f.net, 1), DROP_UDP_SHORT);
	assert_int_equal(host_log_lines(), lines + 21);

	struct sk_buff *skb = skb_alloc(&f.net, 1); /* of a device, by its name */

	skb->dev = &f.dev;
	skb_drop(skb, DROP_ETH_VLAN);
	assert_string_equal(host_log_last(), "drop: ETH_VLAN eth0 0\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_four_verbs),
		TEST(drop_counts_its_reason),
		TEST(may_pull_brings_fragments_in),
		TEST(trim_anywhere),
		TEST(trim_the_front_anywhere),
		TEST(clone_shares_fragments_and_copies_the_rest),
		TEST(headroom_on_demand),
		TEST(headers_that_were_pulled_survive_a_move),
		TEST(checksums_run_over_fragments),
		TEST(partial_checksum_is_completed),
		TEST(partial_checksum_outside_of_the_packet),
		TEST(link_header_survives_a_move),
		TEST(may_pull_into_the_tailroom),
		TEST(partial_checksum_is_never_zero),
		TEST(to_and_from_memory),
		TEST(fragments_are_limited),
		TEST(queues_keep_order_and_account),
		TEST(failed_allocations_leave_nothing),
		TEST(truesize_covers_what_is_held),
		TEST(trace_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
