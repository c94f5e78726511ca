/*
 * Classic BPF: which programs are accepted, and what they answer; from tables, and, for programs
 * drawn at random, by what this machine's own kernel says of the same ones.
 */
#include "test/host/unit/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/byteorder.h"
#include "kernel/mm/page.h"
#include "net/core/bpf.h"
#include "test/host/unit/linux_filter.h"

#define DO(code, k)                                   \
	{                                             \
		(uint16_t)(code), 0, 0, (uint32_t)(k) \
	}
#define IF(code, k, jt, jf)                                         \
	{                                                           \
		(uint16_t)(BPF_JMP | (code)), jt, jf, (uint32_t)(k) \
	}
#define PROGRAM_MAX 20
#define EXTENSION(which) ((uint32_t)SKF_AD_OFF + (which))

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

static struct sk_buff *packet_of(const void *bytes, size_t n)
{
	struct sk_buff *skb = skb_alloc(&f.net, SKB_HEADROOM + n);

	assert_non_null(skb);
	skb_reserve(skb, SKB_HEADROOM);
	memcpy(skb_put(skb, n), bytes, n);
	return skb;
}

static struct bpf_packet plain(const struct sk_buff *skb)
{
	return (struct bpf_packet){
		.skb = skb, .total = skb->len, .network = BPF_NOWHERE, .link = BPF_NOWHERE};
}

static uint32_t run(const struct sock_filter *program, const void *bytes, size_t n)
{
	struct sk_buff *skb = packet_of(bytes, n);
	struct bpf_packet packet = plain(skb);
	uint32_t kept = bpf_run(program, &packet);

	skb_free(skb);
	return kept;
}

/* ---- What is accepted ---- */

static const struct {
	const char *why;
	uint32_t count;
	struct sock_filter program[PROGRAM_MAX];
} refused[] = {
	{"no end", 1, {DO(BPF_LD | BPF_IMM, 1)}},
	{"no end on one path", 3, {IF(BPF_JEQ, 1, 0, 1), DO(BPF_RET, 1), DO(BPF_MISC, 0)}},
	{"a jump behind the end", 2, {DO(BPF_JMP | BPF_JA, 1), DO(BPF_RET, 0)}},
	{"a jump far behind the end", 2, {DO(BPF_JMP | BPF_JA, UINT32_MAX), DO(BPF_RET, 0)}},
	{"a jump backwards",
	 3,
	 {DO(BPF_LD | BPF_IMM, 0), DO(BPF_JMP | BPF_JA, -2), DO(BPF_RET, 0)}},
	{"the true branch behind the end", 2, {IF(BPF_JEQ, 1, 1, 0), DO(BPF_RET, 0)}},
	{"the false branch behind the end", 2, {IF(BPF_JGT, 1, 0, 255), DO(BPF_RET, 0)}},
	{"the false branch just behind the end", 2, {IF(BPF_JGT, 1, 0, 1), DO(BPF_RET, 0)}},
	{"division by 0", 2, {DO(BPF_ALU | BPF_DIV, 0), DO(BPF_RET, 0)}},
	{"remainder by 0", 2, {DO(BPF_ALU | BPF_MOD, 0), DO(BPF_RET, 0)}},
	{"a shift by 32 to the left", 2, {DO(BPF_ALU | BPF_LSH, 32), DO(BPF_RET, 0)}},
	{"a shift by 32 to the right", 2, {DO(BPF_ALU | BPF_RSH, 32), DO(BPF_RET, 0)}},
	{"the 17th word read", 2, {DO(BPF_LD | BPF_MEM, 16), DO(BPF_RET, 0)}},
	{"the 17th word written", 2, {DO(BPF_ST, 16), DO(BPF_RET, 0)}},
	{"the 17th word written from X", 2, {DO(BPF_STX, 16), DO(BPF_RET, 0)}},
	{"memory never written", 2, {DO(BPF_LD | BPF_MEM, 3), DO(BPF_RET, 0)}},
	{"another word written", 3, {DO(BPF_ST, 2), DO(BPF_LDX | BPF_MEM, 3), DO(BPF_RET, 0)}},
	{"written on one path only",
	 5,
	 {DO(BPF_LD | BPF_LEN, 0), IF(BPF_JGT, 9, 1, 0), DO(BPF_ST, 0), DO(BPF_LD | BPF_MEM, 0),
	  DO(BPF_RET | BPF_A, 0)}},
	{"X returned", 1, {DO(BPF_RET | BPF_X, 0)}},
	{"an unknown operation", 2, {DO(BPF_ALU | 0xb0, 1), DO(BPF_RET, 0)}},
	{"bits beyond the instruction", 2, {DO(BPF_ALU | 0x100, 1), DO(BPF_RET, 0)}},
	{"an unknown jump", 2, {DO(BPF_JMP | 0x50, 0), DO(BPF_RET, 0)}},
	{"a jump always, by X", 2, {DO(BPF_JMP | BPF_JA | BPF_X, 0), DO(BPF_RET, 0)}},
	{"negation of X", 2, {DO(BPF_ALU | BPF_NEG | BPF_X, 0), DO(BPF_RET, 0)}},
	{"half a word to X", 2, {DO(BPF_LDX | BPF_H | BPF_ABS, 0), DO(BPF_RET, 0)}},
	{"a store with a width", 2, {DO(BPF_ST | BPF_H, 0), DO(BPF_RET, 0)}},
	{"an unknown extension",
	 2,
	 {DO(BPF_LD | BPF_W | BPF_ABS, EXTENSION(SKF_AD_MAX)), DO(BPF_RET, 0)}},
	{"an extension between two",
	 2,
	 {DO(BPF_LD | BPF_W | BPF_ABS, EXTENSION(1)), DO(BPF_RET, 0)}},
};

static void hostile_programs_are_refused(void **state __unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		int error = bpf_check(refused[i].program, refused[i].count);

		if (error != -EINVAL)
			fail_msg("%s: %d", refused[i].why, error);
	}
}

static void length_is_between_1_and_4096(void **state __unused)
{
	struct sock_filter *program = calloc(BPF_MAXINSNS + 1, sizeof(*program));

	for (uint32_t i = 0; i <= BPF_MAXINSNS; i++)
		program[i] = (struct sock_filter)DO(BPF_RET, 1);
	assert_int_equal(bpf_check(program, 0), -EINVAL);
	assert_int_equal(bpf_check(program, 1), 0);
	assert_int_equal(bpf_check(program, BPF_MAXINSNS), 0);
	assert_int_equal(bpf_check(program, BPF_MAXINSNS + 1), -EINVAL);
	host_fail_allocation(1);
	assert_int_equal(bpf_check(program, BPF_MAXINSNS), -ENOMEM);
	free(program);
}

static void memory_written_on_every_path_is_read(void **state __unused)
{
	static const struct sock_filter program[] = {
		DO(BPF_LD | BPF_LEN, 0), IF(BPF_JGT, 9, 0, 2), DO(BPF_ST, 0),
		DO(BPF_JMP | BPF_JA, 1), DO(BPF_STX, 0),       DO(BPF_LD | BPF_MEM, 0),
		DO(BPF_RET | BPF_A, 0),
	};

	assert_int_equal(bpf_check(program, ARRAY_SIZE(program)), 0);
	assert_int_equal(run(program, "0123456789", 10), 10);
	assert_int_equal(run(program, "012345678", 9), 0);
}

/* ---- What programs answer ---- */

static const uint8_t sample[] = {0x45, 0x01, 0x02, 0x03, 0x80, 0xff, 0x06, 0x07, 0x08, 0x09};

/* Each program leaves what is tested in A. */
static const struct {
	const char *what;
	uint32_t answer;
	uint32_t count;
	struct sock_filter program[PROGRAM_MAX];
} answers[] = {
	{"a word", 0x45010203, 1, {DO(BPF_LD | BPF_W | BPF_ABS, 0)}},
	{"half a word", 0x80ff, 1, {DO(BPF_LD | BPF_H | BPF_ABS, 4)}},
	{"a byte", 0xff, 1, {DO(BPF_LD | BPF_B | BPF_ABS, 5)}},
	{"the last byte", 9, 1, {DO(BPF_LD | BPF_B | BPF_ABS, 9)}},
	{"behind the last byte", 0, 2, {DO(BPF_LD | BPF_B | BPF_ABS, 10), DO(BPF_LD | BPF_IMM, 7)}},
	{"across the end", 0, 2, {DO(BPF_LD | BPF_W | BPF_ABS, 7), DO(BPF_LD | BPF_IMM, 7)}},
	{"the length", 10, 1, {DO(BPF_LD | BPF_W | BPF_LEN, 0)}},
	{"the length to X", 10, 2, {DO(BPF_LDX | BPF_W | BPF_LEN, 0), DO(BPF_MISC | BPF_TXA, 0)}},
	{"indirect", 0x0607, 2, {DO(BPF_LDX | BPF_IMM, 4), DO(BPF_LD | BPF_H | BPF_IND, 2)}},
	{"indirect, wrapping round",
	 0x4501,
	 2,
	 {DO(BPF_LDX | BPF_IMM, UINT32_MAX), DO(BPF_LD | BPF_H | BPF_IND, 1)}},
	{"indirect, in front", 0, 2, {DO(BPF_LDX | BPF_IMM, 1), DO(BPF_LD | BPF_B | BPF_IND, -2)}},
	{"the IP header's length",
	 20,
	 2,
	 {DO(BPF_LDX | BPF_B | BPF_MSH, 0), DO(BPF_MISC | BPF_TXA, 0)}},
	{"no such network header",
	 0,
	 2,
	 {DO(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF), DO(BPF_LD | BPF_IMM, 7)}},
	{"addition wraps", 1, 2, {DO(BPF_LD | BPF_IMM, UINT32_MAX), DO(BPF_ALU | BPF_ADD, 2)}},
	{"subtraction wraps", UINT32_MAX, 1, {DO(BPF_ALU | BPF_SUB, 1)}},
	{"multiplication", 42, 2, {DO(BPF_LD | BPF_IMM, 6), DO(BPF_ALU | BPF_MUL, 7)}},
	{"division", 0x7fffffff, 2, {DO(BPF_LD | BPF_IMM, UINT32_MAX), DO(BPF_ALU | BPF_DIV, 2)}},
	{"remainder", 4, 2, {DO(BPF_LD | BPF_IMM, 19), DO(BPF_ALU | BPF_MOD, 5)}},
	{"division by X, which is 0",
	 0,
	 3,
	 {DO(BPF_LD | BPF_IMM, 9), DO(BPF_ALU | BPF_DIV | BPF_X, 0), DO(BPF_LD | BPF_IMM, 7)}},
	{"remainder by X, which is 0",
	 0,
	 3,
	 {DO(BPF_LD | BPF_IMM, 9), DO(BPF_ALU | BPF_MOD | BPF_X, 0), DO(BPF_LD | BPF_IMM, 7)}},
	{"and", 8, 2, {DO(BPF_LD | BPF_IMM, 12), DO(BPF_ALU | BPF_AND, 10)}},
	{"or", 14, 2, {DO(BPF_LD | BPF_IMM, 12), DO(BPF_ALU | BPF_OR, 10)}},
	{"xor", 6, 2, {DO(BPF_LD | BPF_IMM, 12), DO(BPF_ALU | BPF_XOR, 10)}},
	{"xor by the extension",
	 6,
	 3,
	 {DO(BPF_LD | BPF_IMM, 12), DO(BPF_LDX | BPF_IMM, 10),
	  DO(BPF_LD | BPF_B | BPF_ABS, EXTENSION(SKF_AD_ALU_XOR_X))}},
	{"shift to the left", 0x80000000, 2, {DO(BPF_LD | BPF_IMM, 1), DO(BPF_ALU | BPF_LSH, 31)}},
	{"shift to the right", 1, 2, {DO(BPF_LD | BPF_IMM, UINT32_MAX), DO(BPF_ALU | BPF_RSH, 31)}},
	{"shift by X",
	 8,
	 3,
	 {DO(BPF_LD | BPF_IMM, 1), DO(BPF_LDX | BPF_IMM, 3), DO(BPF_ALU | BPF_LSH | BPF_X, 0)}},
	{"negation", UINT32_MAX, 2, {DO(BPF_LD | BPF_IMM, 1), DO(BPF_ALU | BPF_NEG, 0)}},
	{"scratch memory",
	 5,
	 6,
	 {DO(BPF_LD | BPF_IMM, 5), DO(BPF_ST, 15), DO(BPF_LD | BPF_IMM, 6),
	  DO(BPF_LDX | BPF_MEM, 15), DO(BPF_STX, 0), DO(BPF_LD | BPF_MEM, 0)}},
	{"a jump",
	 1,
	 3,
	 {DO(BPF_LD | BPF_IMM, 1), DO(BPF_JMP | BPF_JA, 1), DO(BPF_LD | BPF_IMM, 2)}},
	{"equal",
	 1,
	 4,
	 {DO(BPF_LD | BPF_IMM, 1), IF(BPF_JEQ, 1, 1, 0), DO(BPF_LD | BPF_IMM, 2),
	  DO(BPF_MISC | BPF_TAX, 0)}},
	{"greater is unsigned",
	 1,
	 4,
	 {DO(BPF_LD | BPF_IMM, -1), IF(BPF_JGT, 1, 0, 1), DO(BPF_LD | BPF_IMM, 1),
	  DO(BPF_MISC | BPF_TAX, 0)}},
	{"greater or equal to X",
	 1,
	 4,
	 {DO(BPF_LD | BPF_IMM, 0), IF(BPF_JGE | BPF_X, 9, 0, 1), DO(BPF_LD | BPF_IMM, 1),
	  DO(BPF_MISC | BPF_TAX, 0)}},
	{"a bit that is set",
	 1,
	 4,
	 {DO(BPF_LD | BPF_IMM, 6), IF(BPF_JSET, 4, 0, 1), DO(BPF_LD | BPF_IMM, 1),
	  DO(BPF_MISC | BPF_TAX, 0)}},
};

static void programs_answer(void **state __unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct sock_filter program[PROGRAM_MAX];
		uint32_t count = answers[i].count;

		memcpy(program, answers[i].program, sizeof(program));
		program[count] = (struct sock_filter)DO(BPF_RET | BPF_A, 0);
		if (bpf_check(program, count + 1))
			fail_msg("%s: refused", answers[i].what);
		uint32_t answer = run(program, sample, sizeof(sample));

		if (answer != answers[i].answer)
			fail_msg("%s: %#x", answers[i].what, answer);
	}
}

static uint32_t extension(const struct bpf_packet *packet, uint32_t which)
{
	const struct sock_filter program[] = {
		DO(BPF_LD | BPF_W | BPF_ABS, EXTENSION(which)),
		DO(BPF_ALU | BPF_OR, 0x40000000), /* where the load itself ends it: 0 */
		DO(BPF_RET | BPF_A, 0),
	};

	assert_int_equal(bpf_check(program, ARRAY_SIZE(program)), 0);
	uint32_t answer = bpf_run(program, packet);

	return answer ? answer & ~0x40000000u : UINT32_MAX;
}

static void extensions_tell_of_the_packet(void **state __unused)
{
	struct sk_buff *skb = packet_of(sample, sizeof(sample));
	struct bpf_packet packet = plain(skb);

	packet.protocol = 0x0806;
	packet.packet_type = SKB_OUTGOING;
	packet.mark = 77;
	assert_int_equal(extension(&packet, SKF_AD_PROTOCOL), 0x0806);
	assert_int_equal(extension(&packet, SKF_AD_PKTTYPE), SKB_OUTGOING);
	assert_int_equal(extension(&packet, SKF_AD_MARK), 77);
	assert_int_equal(extension(&packet, SKF_AD_QUEUE), 0);
	assert_int_equal(extension(&packet, SKF_AD_VLAN_TAG_PRESENT), 0);
	assert_int_equal(extension(&packet, SKF_AD_VLAN_TPID), 0);
	assert_int_equal(extension(&packet, SKF_AD_IFINDEX), UINT32_MAX);
	packet.ifindex = 2;
	packet.hardware_type = 1;
	packet.has_vlan = true;
	packet.vlan_tag = 0x2005;
	assert_int_equal(extension(&packet, SKF_AD_IFINDEX), 2);
	assert_int_equal(extension(&packet, SKF_AD_HATYPE), 1);
	assert_int_equal(extension(&packet, SKF_AD_VLAN_TAG_PRESENT), 1);
	assert_int_equal(extension(&packet, SKF_AD_VLAN_TAG), 0x2005);
	assert_int_equal(extension(&packet, SKF_AD_VLAN_TPID), 0x8100);
	assert_int_not_equal(extension(&packet, SKF_AD_RANDOM), extension(&packet, SKF_AD_RANDOM));
	skb_free(skb);
}

/* Four bytes in front, two taken off, the next two unseen: 01 02 03 04 | 47 | 08 09 ... */
static void headers_stand_ahead(void **state __unused)
{
	static const uint8_t front[] = {1, 2, 3, 4};
	struct sk_buff *skb = packet_of(sample, sizeof(sample));
	struct bpf_packet packet = plain(skb);
	const struct {
		uint32_t k, answer;
	} cases[] = {
		{0, 0x03048000u | 0xff},
		{2, 0x80ff0607},
		{(uint32_t)SKF_LL_OFF, 0x01020304},
		{(uint32_t)SKF_LL_OFF + 3, 0x0480ff06},
		{(uint32_t)SKF_NET_OFF, 0x80ff0607},
		{(uint32_t)SKF_NET_OFF + 2, 0x06070809},
		{(uint32_t)SKF_NET_OFF + 3, 0},
		{(uint32_t)SKF_NET_OFF - 1, 0},
		{(uint32_t)SKF_LL_OFF - 1, 0},
		{5, 0},
	};

	packet.front = front;
	packet.front_length = sizeof(front);
	packet.skip = 4;
	packet.total = sizeof(front) + skb->len - 4;
	packet.start = 2;
	packet.network = 4;
	packet.link = 0;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct sock_filter program[] = {DO(BPF_LD | BPF_W | BPF_ABS, cases[i].k),
						      DO(BPF_RET | BPF_A, 0)};

		assert_int_equal(bpf_check(program, ARRAY_SIZE(program)), 0);
		assert_int_equal(bpf_run(program, &packet), cases[i].answer);
	}
	skb_free(skb);
}

/* ---- Programs at random ---- */

static uint32_t seed = 20240229;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

/* Instructions that mean something, most of the time. */
static struct sock_filter draw_instruction(uint32_t behind)
{
	static const uint16_t codes[] = {
		BPF_LD | BPF_W | BPF_ABS,
		BPF_LD | BPF_H | BPF_ABS,
		BPF_LD | BPF_B | BPF_ABS,
		BPF_LD | BPF_W | BPF_IND,
		BPF_LD | BPF_H | BPF_IND,
		BPF_LD | BPF_B | BPF_IND,
		BPF_LD | BPF_LEN,
		BPF_LDX | BPF_LEN,
		BPF_LD | BPF_IMM,
		BPF_LDX | BPF_IMM,
		BPF_LD | BPF_MEM,
		BPF_LDX | BPF_MEM,
		BPF_LDX | BPF_B | BPF_MSH,
		BPF_ST,
		BPF_STX,
		BPF_MISC | BPF_TAX,
		BPF_MISC | BPF_TXA,
	};
	static const uint32_t numbers[] = {0,  1,  2,  3,  4,  5,  7,   8,          12,
					   15, 16, 31, 32, 60, 64, 255, 0x7fffffff, 0xffffffff};
	struct sock_filter at = {.jt = (uint8_t)draw(behind + 1), .jf = (uint8_t)draw(behind + 1)};

	at.k = draw(8) ? numbers[draw(ARRAY_SIZE(numbers))] : draw(1u << 24);
	switch (draw(4)) {
	case 0:
		at.code = (uint16_t)(BPF_ALU | draw(12) << 4 | (draw(2) ? BPF_X : 0));
		break;
	case 1:
		at.code = (uint16_t)(BPF_JMP | draw(5) << 4 | (draw(2) ? BPF_X : 0));
		break;
	default:
		at.code = codes[draw(ARRAY_SIZE(codes))];
		break;
	}
	return at;
}

static uint32_t draw_program(struct sock_filter *program)
{
	uint32_t count = 1 + draw(PROGRAM_MAX - 1);

	for (uint32_t i = 0; i + 1 < count; i++)
		program[i] = draw_instruction(count - i - 2);
	program[count - 1] = (struct sock_filter)DO(BPF_RET | (draw(4) ? BPF_A : BPF_K), draw(99));
	return count;
}

static void as_linux_says(void **state __unused)
{
	uint32_t accepted = 0, kept_some = 0;

	if (!linux_filter_open())
		skip();
	for (int i = 0; i < 20000; i++) {
		struct sock_filter program[PROGRAM_MAX];
		uint32_t count = draw_program(program);
		int error = bpf_check(program, count);

		assert_int_equal(-error, linux_filter_attach(program, (uint16_t)count));
		if (error)
			continue;
		accepted++;
		for (int j = 0; j < 4; j++) {
			uint8_t bytes[64];
			size_t n = 1 + draw(sizeof(bytes));

			for (size_t k = 0; k < n; k++)
				bytes[k] = (uint8_t)draw(256);
			uint32_t kept = (uint32_t)MIN((size_t)run(program, bytes, n), n);

			assert_int_equal(kept, linux_filter_verdict(bytes, n));
			kept_some += kept != 0;
		}
	}
	linux_filter_close();
	assert_true(accepted > 1000 && kept_some > 1000);
}

/* The bytes may stand in the linear area, in a page, or half and half. */
static void fragments_are_read_as_well(void **state __unused)
{
	for (uint32_t linear = 0; linear <= sizeof(sample); linear++) {
		struct sk_buff *skb = packet_of(sample, linear);
		struct page *page = page_alloc();

		assert_non_null(page);
		memcpy(page_address(page), sample, sizeof(sample));
		assert_int_equal(
			skb_add_fragment(skb, page, linear, (uint32_t)sizeof(sample) - linear), 0);
		struct bpf_packet packet = plain(skb);

		for (uint32_t at = 0; at + 4 <= sizeof(sample); at++) {
			const struct sock_filter program[] = {DO(BPF_LD | BPF_W | BPF_ABS, at),
							      DO(BPF_RET | BPF_A, 0)};

			assert_int_equal(bpf_run(program, &packet), get_be32(sample + at));
		}
		skb_free(skb);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hostile_programs_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(length_is_between_1_and_4096, set_up, tear_down),
		cmocka_unit_test_setup_teardown(memory_written_on_every_path_is_read, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(programs_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(extensions_tell_of_the_packet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(headers_stand_ahead, set_up, tear_down),
		cmocka_unit_test_setup_teardown(fragments_are_read_as_well, set_up, tear_down),
		cmocka_unit_test_setup_teardown(as_linux_says, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
