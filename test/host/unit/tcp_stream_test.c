/*
 * The bytes that wait to be sent: pieces of pages, found by sequence number, shared with packets.
 */
#include "net/tcp/tcp_stream.h"

#include <string.h>

#include "kernel/errno.h"
#include "kernel/iov.h"
#include "kernel/mm/page.h"
#include "test/host/unit/fixture.h"

#define FIRST 0xffffff00u /* the numbers go round soon */
#define PIECE_MAX 32768

static struct fixture f;
static struct tcp_stream stream;
static struct tcp_open_page open_page;
static uint8_t bytes[200000], taken[sizeof(bytes)];

static int set_up(void **state __unused)
{
	fixture_init(&f);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	tcp_stream_init(&stream, FIRST);
	open_page = (struct tcp_open_page){0};
	return 0;
}

static int tear_down(void **state __unused)
{
	tcp_stream_free(&stream);
	tcp_page_close(&open_page);
	assert_int_equal(stream.charged, 0);
	fixture_destroy(&f);
	return 0;
}

/* As a process writes, into the open page where there is one. How many bytes went in. */
static uint32_t write_bytes(uint32_t from, uint32_t length)
{
	struct tcp_open_page open = open_page;
	struct tcp_chunk *chunk;
	struct iov iov;
	int error;
	uint32_t written;

	iov_init_kernel(&iov, bytes + from, length);
	open_page.page = NULL;
	chunk = tcp_chunk_from_iov(&iov, length, open, &error);
	assert_non_null(chunk);
	written = chunk->length;
	tcp_page_keep(&open_page, chunk);
	tcp_stream_append(&stream, chunk);
	return written;
}

static void write_all(uint32_t from, uint32_t length)
{
	while (length) {
		uint32_t written = write_bytes(from, length);

		from += written;
		length -= written;
	}
}

static uint32_t count_chunks(void)
{
	struct tcp_chunk *chunk;
	uint32_t count = 0;

	list_for_each_entry(chunk, &stream.chunks, link)
		count++;
	return count;
}

/* The bytes from `at` of the stream's beginning on are `bytes` from there on. */
static void assert_holds(uint32_t at, uint32_t length)
{
	struct sk_buff *skb = skb_alloc(&f.net, 16);
	uint32_t attached = length;

	assert_non_null(skb);
	assert_int_equal(tcp_stream_attach(&stream, FIRST + at, &attached, skb), 0);
	assert_int_equal(attached, length);
	assert_int_equal(skb->len, length);
	skb_copy_bits(skb, 0, taken, length);
	assert_memory_equal(taken, bytes + at, length);
	skb_free(skb);
}

static void test_small_writes_share_a_page(void **state __unused)
{
	for (uint32_t i = 0; i < 100; i++)
		write_all(i * 10, 10);
	assert_int_equal(count_chunks(), 1);
	assert_int_equal(stream.charged, 1000 + TCP_CHUNK_OVERHEAD);
	assert_int_equal(stream.end - stream.start, 1000);
	assert_holds(0, 1000);
	assert_holds(995, 5);
}

/* A full page is left, and the write goes on in another. */
static void test_a_page_fills(void **state __unused)
{
	write_all(0, 4000);
	assert_int_equal(write_bytes(4000, 200), 96);
	assert_null(open_page.page);
	write_all(4096, 104);
	assert_int_equal(count_chunks(), 2);
	assert_non_null(open_page.page);
	assert_holds(0, 4200);
	assert_holds(4090, 20);
}

static void test_large_writes(void **state __unused)
{
	assert_int_equal(write_bytes(0, 100000), PIECE_MAX);
	write_all(PIECE_MAX, 100000 - PIECE_MAX);
	assert_int_equal(count_chunks(), 4);
	assert_holds(0, 65000);
	assert_holds(90000, 10000);
	assert_holds(10, 100); /* before where the last look ended */
	assert_holds(PIECE_MAX - 1, 2);
}

/* Two streams' small writes lie in one page; neither sees the other's. */
static void test_two_streams_share_a_page(void **state __unused)
{
	struct tcp_stream other;

	tcp_stream_init(&other, 1);
	write_all(0, 10);
	tcp_stream_append(&other, ({
		struct iov iov;
		int error;

		iov_init_kernel(&iov, bytes, 500);
		struct tcp_chunk *chunk = tcp_chunk_from_iov(&iov, 500, open_page, &error);

		open_page.page = NULL;
		tcp_page_keep(&open_page, chunk);
		chunk;
	}));
	write_all(10, 10);
	assert_int_equal(count_chunks(), 2);
	assert_holds(0, 20);
	tcp_stream_free(&other);
	assert_holds(0, 20);
}

static void test_release(void **state __unused)
{
	write_all(0, 40000);
	assert_int_equal(tcp_stream_release(&stream, FIRST), 0);
	assert_int_equal(tcp_stream_release(&stream, FIRST - 5), 0);
	assert_int_equal(tcp_stream_release(&stream, FIRST + 1000), 1000);
	assert_int_equal(stream.start, FIRST + 1000);
	assert_holds(1000, 39000);
	/* The first piece goes, with what it was charged beyond its bytes. */
	assert_int_equal(tcp_stream_release(&stream, FIRST + PIECE_MAX),
			 PIECE_MAX - 1000 + TCP_CHUNK_OVERHEAD);
	assert_int_equal(count_chunks(), 1);
	assert_holds(PIECE_MAX, 40000 - PIECE_MAX);
	/* Beyond the end, as the acknowledgement of a FIN is. */
	assert_int_equal(tcp_stream_release(&stream, FIRST + 40001),
			 40000 - PIECE_MAX + TCP_CHUNK_OVERHEAD);
	assert_int_equal(stream.charged, 0);
	assert_int_equal(stream.start, stream.end);
}

/* A packet keeps its pages, whatever becomes of the stream. */
static void test_packets_outlive_the_stream(void **state __unused)
{
	struct sk_buff *skb = skb_alloc(&f.net, 16);
	uint32_t length = 3000;

	assert_non_null(skb);
	write_all(0, 3000);
	assert_int_equal(tcp_stream_attach(&stream, FIRST, &length, skb), 0);
	tcp_stream_release(&stream, FIRST + 3000);
	tcp_page_close(&open_page);
	skb_copy_bits(skb, 0, taken, 3000);
	assert_memory_equal(taken, bytes, 3000);
	skb_free(skb);
}

/* sendfile: a page of somebody else's, behind whose bytes nothing is written. */
static void test_borrowed_pages(void **state __unused)
{
	struct page *page = page_alloc();

	assert_non_null(page);
	memcpy(page_address(page), bytes, PAGE_SIZE);
	for (uint32_t i = 0; i < 4; i++) {
		struct tcp_chunk *chunk = tcp_chunk_of_page(page, i * 100, 100);

		assert_non_null(chunk);
		tcp_page_keep(&open_page, chunk);
		assert_null(open_page.page);
		tcp_stream_append(&stream, chunk);
	}
	assert_int_equal(count_chunks(), 1);
	page_put(page);
	write_all(400, 100);
	assert_int_equal(count_chunks(), 2);
	assert_holds(0, 500);
	host_fail_allocation(1);
	assert_null(tcp_chunk_of_page(open_page.page, 0, 10));
	host_fail_allocation(0);
}

/* More pieces than a packet has fragments: it takes what it can. */
static void test_too_many_pieces(void **state __unused)
{
	struct sk_buff *skb = skb_alloc(&f.net, 16);
	uint32_t length = 200;

	assert_non_null(skb);
	for (uint32_t i = 0; i < 20; i++) {
		write_all(i * 10, 10);
		tcp_page_close(&open_page);
	}
	assert_int_equal(tcp_stream_attach(&stream, FIRST, &length, skb), -ENOSPC);
	assert_int_equal(length, SKB_MAX_FRAGMENTS * 10);
	assert_int_equal(skb->len, length);
	skb_free(skb);
}

static void test_without_memory(void **state __unused)
{
	struct iov iov;
	int error = 0;

	/* No block of 32 KiB, but smaller ones. */
	iov_init_kernel(&iov, bytes, PIECE_MAX);
	host_fail_allocation(1);
	struct tcp_chunk *chunk = tcp_chunk_from_iov(&iov, PIECE_MAX, open_page, &error);

	host_fail_allocation(0);
	assert_non_null(chunk);
	assert_int_equal(chunk->length, PIECE_MAX / 2);
	tcp_chunk_free(chunk);

	iov_init_kernel(&iov, bytes, 100);
	host_fail_allocations_from(1);
	assert_null(tcp_chunk_from_iov(&iov, 100, open_page, &error));
	assert_int_equal(error, -ENOMEM);
	host_fail_allocation(2); /* the piece's own structure */
	error = 0;
	assert_null(tcp_chunk_from_iov(&iov, 100, open_page, &error));
	assert_int_equal(error, -ENOMEM);
	host_fail_allocation(0);
}

static void test_bad_address(void **state __unused)
{
	struct iov iov;
	int error = 0;

	iov_init_user(&iov, 8, 100);
	assert_null(tcp_chunk_from_iov(&iov, 100, open_page, &error));
	assert_int_equal(error, -EFAULT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_small_writes_share_a_page),
		TEST(test_a_page_fills),
		TEST(test_large_writes),
		TEST(test_two_streams_share_a_page),
		TEST(test_release),
		TEST(test_packets_outlive_the_stream),
		TEST(test_borrowed_pages),
		TEST(test_too_many_pieces),
		TEST(test_without_memory),
		TEST(test_bad_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
