/* The machine that runs a checked classic BPF program on one packet. See bpf.h. */
#include "include/uapi/if_packet.h"
#include "kernel/byteorder.h"
#include "kernel/string.h"
#include "net/core/bpf.h"
#include "net/core/net.h"

#define SHIFT_MASK 31 /* a shift by X uses its lower five bits, as the processor's does */

struct machine {
	uint32_t a, x;
	uint32_t memory[BPF_MEMWORDS];
};

static uint32_t width_of(uint16_t code)
{
	if (BPF_SIZE(code) == BPF_W)
		return 4;
	return BPF_SIZE(code) == BPF_H ? 2 : 1;
}

static uint32_t big_endian(const uint8_t *bytes, uint32_t width)
{
	if (width == 4)
		return get_be32(bytes);
	return width == 2 ? get_be16(bytes) : bytes[0];
}

/* Bytes in front, behind, or on both sides of the joint, and in fragments. */
static void gather(const struct bpf_packet *packet, uint32_t at, uint32_t width, uint8_t *to)
{
	for (uint32_t i = 0; i < width; i++, at++) {
		int64_t of_skb = (int64_t)at - packet->front_length + packet->skip;

		if (at < packet->front_length)
			to[i] = packet->front[at];
		else if (of_skb < 0)
			to[i] = packet->skb->data[of_skb];
		else
			skb_copy_bits(packet->skb, (size_t)of_skb, &to[i], 1);
	}
}

/* A number at byte `at` of all there is. False: it is not all there. */
static bool load_at(const struct bpf_packet *packet, int64_t at, uint32_t width, uint32_t *value)
{
	if (at < 0 || at + width > packet->total)
		return false;
	int64_t of_skb = at - packet->front_length + packet->skip;

	if (likely(at >= packet->front_length && of_skb >= 0 &&
		   (uint64_t)of_skb + width <= skb_linear_len(packet->skb))) {
		*value = big_endian(packet->skb->data + of_skb, width);
		return true;
	}
	uint8_t bytes[sizeof(*value)];

	gather(packet, (uint32_t)at, width, bytes);
	*value = big_endian(bytes, width);
	return true;
}

static bool load_from_header(const struct bpf_packet *packet, uint32_t header, int64_t offset,
			     uint32_t width, uint32_t *value)
{
	return header != BPF_NOWHERE && load_at(packet, header + offset, width, value);
}

/* The offsets of a program: from 0 on the packet; below, in two areas, its headers. */
static bool load(const struct bpf_packet *packet, uint32_t k, uint32_t width, uint32_t *value)
{
	int32_t offset = (int32_t)k;

	if (likely(offset >= 0))
		return load_at(packet, (int64_t)packet->start + offset, width, value);
	if (offset >= SKF_NET_OFF)
		return load_from_header(packet, packet->network, (int64_t)offset - SKF_NET_OFF,
					width, value);
	if (offset >= SKF_LL_OFF)
		return load_from_header(packet, packet->link, (int64_t)offset - SKF_LL_OFF, width,
					value);
	return false;
}

/* Loads at SKF_AD_OFF. False: not known of this packet. */
static bool load_extension(struct machine *machine, uint32_t k, const struct bpf_packet *packet)
{
	switch (k - (uint32_t)SKF_AD_OFF) {
	case SKF_AD_PROTOCOL:
		machine->a = packet->protocol;
		return true;
	case SKF_AD_PKTTYPE:
		machine->a = packet->packet_type;
		return true;
	case SKF_AD_IFINDEX:
		machine->a = (uint32_t)packet->ifindex;
		return packet->ifindex != 0;
	case SKF_AD_HATYPE:
		machine->a = packet->hardware_type;
		return packet->ifindex != 0;
	case SKF_AD_MARK:
		machine->a = packet->mark;
		return true;
	case SKF_AD_ALU_XOR_X:
		machine->a ^= machine->x;
		return true;
	case SKF_AD_VLAN_TAG:
		machine->a = packet->vlan_tag;
		return true;
	case SKF_AD_VLAN_TAG_PRESENT:
		machine->a = packet->has_vlan;
		return true;
	case SKF_AD_VLAN_TPID:
		machine->a = packet->has_vlan ? ETH_P_8021Q : 0;
		return true;
	case SKF_AD_RANDOM:
		machine->a = net_random_u32(packet->skb->net);
		return true;
	default: /* one queue, one processor, and no hash of packets */
		machine->a = 0;
		return true;
	}
}

static bool load_a(struct machine *machine, const struct sock_filter *at,
		   const struct bpf_packet *packet)
{
	switch (BPF_MODE(at->code)) {
	case BPF_ABS:
		if (at->k >= (uint32_t)SKF_AD_OFF)
			return load_extension(machine, at->k, packet);
		return load(packet, at->k, width_of(at->code), &machine->a);
	case BPF_IND:
		return load(packet, machine->x + at->k, width_of(at->code), &machine->a);
	case BPF_LEN:
		machine->a = packet->total - packet->start;
		return true;
	case BPF_MEM:
		machine->a = machine->memory[at->k];
		return true;
	default: /* BPF_IMM */
		machine->a = at->k;
		return true;
	}
}

static bool load_x(struct machine *machine, const struct sock_filter *at,
		   const struct bpf_packet *packet)
{
	uint32_t byte;

	switch (BPF_MODE(at->code)) {
	case BPF_MSH: /* the length of the IPv4 header whose first byte stands there */
		if (!load(packet, at->k, 1, &byte))
			return false;
		machine->x = (byte & 0xf) * 4;
		return true;
	case BPF_LEN:
		machine->x = packet->total - packet->start;
		return true;
	case BPF_MEM:
		machine->x = machine->memory[at->k];
		return true;
	default: /* BPF_IMM */
		machine->x = at->k;
		return true;
	}
}

/* False: a division by 0, which ends the program. */
static bool calculate(struct machine *machine, const struct sock_filter *at)
{
	uint32_t operand = BPF_SRC(at->code) == BPF_X ? machine->x : at->k;
	uint32_t *a = &machine->a;

	switch (BPF_OP(at->code)) {
	case BPF_ADD:
		*a += operand;
		return true;
	case BPF_SUB:
		*a -= operand;
		return true;
	case BPF_MUL:
		*a *= operand;
		return true;
	case BPF_DIV:
		*a = operand ? *a / operand : 0;
		return operand != 0;
	case BPF_MOD:
		*a = operand ? *a % operand : 0;
		return operand != 0;
	case BPF_OR:
		*a |= operand;
		return true;
	case BPF_AND:
		*a &= operand;
		return true;
	case BPF_XOR:
		*a ^= operand;
		return true;
	case BPF_LSH:
		*a <<= operand & SHIFT_MASK;
		return true;
	case BPF_RSH:
		*a >>= operand & SHIFT_MASK;
		return true;
	default: /* BPF_NEG */
		*a = -*a;
		return true;
	}
}

/* Instructions to skip. */
static uint32_t jump(const struct machine *machine, const struct sock_filter *at)
{
	uint32_t operand = BPF_SRC(at->code) == BPF_X ? machine->x : at->k;

	switch (BPF_OP(at->code)) {
	case BPF_JA:
		return at->k;
	case BPF_JEQ:
		return machine->a == operand ? at->jt : at->jf;
	case BPF_JGT:
		return machine->a > operand ? at->jt : at->jf;
	case BPF_JGE:
		return machine->a >= operand ? at->jt : at->jf;
	default: /* BPF_JSET */
		return machine->a & operand ? at->jt : at->jf;
	}
}

uint32_t bpf_run(const struct sock_filter *program, const struct bpf_packet *packet)
{
	struct machine machine = {0};

	for (const struct sock_filter *at = program;; at++) {
		switch (BPF_CLASS(at->code)) {
		case BPF_LD:
			if (!load_a(&machine, at, packet))
				return 0;
			break;
		case BPF_LDX:
			if (!load_x(&machine, at, packet))
				return 0;
			break;
		case BPF_ST:
			machine.memory[at->k] = machine.a;
			break;
		case BPF_STX:
			machine.memory[at->k] = machine.x;
			break;
		case BPF_ALU:
			if (!calculate(&machine, at))
				return 0;
			break;
		case BPF_JMP:
			at += jump(&machine, at);
			break;
		case BPF_RET:
			return BPF_RVAL(at->code) == BPF_A ? machine.a : at->k;
		default: /* BPF_MISC */
			if (BPF_MISCOP(at->code) == BPF_TAX)
				machine.x = machine.a;
			else
				machine.a = machine.x;
			break;
		}
	}
}
