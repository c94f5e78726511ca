/*
 * Classic BPF (net/core/bpf.h): whatever is accepted never reads beyond its packet, and ends. The
 * input is a packet and the program that reads it:
 *
 *	n	bytes of packet, 0 to 63; bit 6: they come in two halves, the second in a page; bit
 *		7: the first 14 are a header in front of the others
 *	...	the packet
 *	s	where the program's offset 0 is
 *	...	the program, 8 bytes an instruction: code (2), jt, jf, k (4)
 */
#include "net/core/bpf.h"

#include <stdlib.h>

#include "kernel/mm/page.h"
#include "net/core/net.h"
#include "test/host/fuzz/fuzz.h"

#define PACKET_MAX 63
#define IN_HALVES 0x40
#define WITH_FRONT 0x80
#define FRONT 14
#define INSTRUCTIONS_MAX 512

static uint8_t bytes[PACKET_MAX], front[FRONT];
static struct sock_filter program[INSTRUCTIONS_MAX];
static struct net net;

static void no_surprise(void *context, void *to, size_t n)
{
	(void)context;
	memset(to, 7, n);
}

static uint32_t read_program(struct fuzz_input *input)
{
	uint32_t count = 0;

	while (input->left && count < INSTRUCTIONS_MAX) {
		struct sock_filter *at = &program[count++];

		at->code = fuzz_u16(input);
		at->jt = fuzz_u8(input);
		at->jf = fuzz_u8(input);
		at->k = fuzz_u32(input);
	}
	return count;
}

/* The packet's bytes stand at the very end of their memory. `page` has room for the second half. */
static void make_packet(const uint8_t *from, uint32_t n, bool halves, struct page *page,
			struct sk_buff *skb)
{
	uint32_t linear = halves ? n / 2 : n;

	*skb = (struct sk_buff){.net = &net, .head = bytes, .len = n, .fragments_len = n - linear};
	skb->data = fuzz_copy_to_end(bytes, sizeof(bytes), from, linear);
	skb->tail = skb->end = bytes + sizeof(bytes);
	if (!halves)
		return;
	skb->fragment_count = 1;
	skb->fragments[0] = (struct skb_fragment){
		.page = page, .offset = PAGE_SIZE - (n - linear), .length = n - linear};
	memcpy((uint8_t *)page_address(page) + PAGE_SIZE - (n - linear), from + linear, n - linear);
}

static void check_run(const struct bpf_packet *packet)
{
	uint32_t kept = bpf_run(program, packet);

	CHECK(bpf_run(program, packet) == kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t how = fuzz_u8(&input);
	size_t n;
	const uint8_t *from = fuzz_bytes(&input, how & PACKET_MAX, &n);
	uint8_t start = fuzz_u8(&input);
	uint32_t count = read_program(&input);
	struct page *page;
	struct sk_buff skb;

	if (bpf_check(program, count))
		return 0;
	CHECK(count > 0 && BPF_CLASS(program[count - 1].code) == BPF_RET);
	page = page_alloc();
	CHECK(page);
	net.environment.random_bytes = no_surprise;
	make_packet(from, (uint32_t)n, how & IN_HALVES, page, &skb);
	struct bpf_packet packet = {.skb = &skb, .total = skb.len, .ifindex = 1, .link = 0};

	if (how & WITH_FRONT) {
		packet.front = front;
		packet.front_length = FRONT;
		packet.skip = (int32_t)(skb_linear_len(&skb) / 2);
		packet.total += FRONT - (uint32_t)packet.skip;
	}
	packet.start = start % (packet.total + 1);
	packet.network = packet.start;
	check_run(&packet);
	page_put(page);
	return 0;
}
