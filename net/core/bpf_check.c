/*
 * What makes a classic BPF program acceptable. All jumps go forward: so a program ends after at
 * most as many steps as it has instructions, and one look at each from the first to the last sees
 * every path.
 */
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "net/core/bpf.h"

#define REGISTER_BITS 32

/* Loads at SKF_AD_OFF: what the machine has an answer to. */
static bool is_known_extension(uint32_t k)
{
	switch (k - (uint32_t)SKF_AD_OFF) {
	case SKF_AD_PROTOCOL:
	case SKF_AD_PKTTYPE:
	case SKF_AD_IFINDEX:
	case SKF_AD_MARK:
	case SKF_AD_QUEUE:
	case SKF_AD_HATYPE:
	case SKF_AD_RXHASH:
	case SKF_AD_CPU:
	case SKF_AD_ALU_XOR_X:
	case SKF_AD_VLAN_TAG:
	case SKF_AD_VLAN_TAG_PRESENT:
	case SKF_AD_RANDOM:
	case SKF_AD_VLAN_TPID:
		return true;
	default:
		return false;
	}
}

static bool is_good_load(const struct sock_filter *at)
{
	switch (at->code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
		return at->k < (uint32_t)SKF_AD_OFF || is_known_extension(at->k);
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_LDX | BPF_B | BPF_MSH:
		return true;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
		return at->k < BPF_MEMWORDS;
	default:
		return false;
	}
}

static bool is_good_calculation(const struct sock_filter *at)
{
	bool constant = BPF_SRC(at->code) == BPF_K;

	if ((at->code & ~(BPF_ALU | BPF_X | 0xf0)) != 0)
		return false;
	switch (BPF_OP(at->code)) {
	case BPF_DIV:
	case BPF_MOD:
		return !constant || at->k != 0;
	case BPF_LSH:
	case BPF_RSH:
		return !constant || at->k < REGISTER_BITS;
	case BPF_NEG:
		return constant;
	default:
		return BPF_OP(at->code) <= BPF_XOR;
	}
}

/* `behind`: instructions that follow this one. */
static bool is_good_jump(const struct sock_filter *at, uint32_t behind)
{
	switch (at->code) {
	case BPF_JMP | BPF_JA:
		return at->k < behind;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JEQ | BPF_X:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_X:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_X:
	case BPF_JMP | BPF_JSET | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_X:
		return at->jt < behind && at->jf < behind;
	default:
		return false;
	}
}

static bool is_good(const struct sock_filter *at, uint32_t behind)
{
	switch (BPF_CLASS(at->code)) {
	case BPF_ST:
		return at->code == BPF_ST && at->k < BPF_MEMWORDS;
	case BPF_STX:
		return at->code == BPF_STX && at->k < BPF_MEMWORDS;
	case BPF_ALU:
		return is_good_calculation(at);
	case BPF_JMP:
		return is_good_jump(at, behind);
	case BPF_RET:
		return at->code == (BPF_RET | BPF_K) || at->code == (BPF_RET | BPF_A);
	case BPF_MISC:
		return at->code == (BPF_MISC | BPF_TAX) || at->code == (BPF_MISC | BPF_TXA);
	default: /* BPF_LD, BPF_LDX */
		return is_good_load(at);
	}
}

static bool reads_memory(const struct sock_filter *at)
{
	return at->code == (BPF_LD | BPF_MEM) || at->code == (BPF_LDX | BPF_MEM);
}

/*
 * `written[i]` has a bit for each word of scratch memory that is written on every path to
 * instruction i. Tells those that may follow instruction i what holds behind it.
 */
static void pass_on(const struct sock_filter *program, uint32_t i, uint16_t *written)
{
	const struct sock_filter *at = &program[i];
	uint16_t now = written[i];

	switch (BPF_CLASS(at->code)) {
	case BPF_RET:
		return;
	case BPF_JMP:
		if (BPF_OP(at->code) == BPF_JA) {
			written[i + 1 + at->k] &= now;
			return;
		}
		written[i + 1 + at->jt] &= now;
		written[i + 1 + at->jf] &= now;
		return;
	case BPF_ST:
	case BPF_STX:
		now |= (uint16_t)BIT(at->k);
		break;
	default:
		break;
	}
	written[i + 1] &= now;
}

/* Of instructions that are good by themselves. What no path leads to may read anything. */
static int check_memory(const struct sock_filter *program, uint32_t count)
{
	uint16_t *written = kmalloc(count * sizeof(*written));
	int error = 0;

	if (!written)
		return -ENOMEM;
	memset(written, 0xff, count * sizeof(*written));
	written[0] = 0;
	for (uint32_t i = 0; i < count && !error; i++) {
		if (reads_memory(&program[i]) && !(written[i] & BIT(program[i].k)))
			error = -EINVAL;
		else
			pass_on(program, i, written);
	}
	kfree(written);
	return error;
}

int bpf_check(const struct sock_filter *program, uint32_t count)
{
	if (count == 0 || count > BPF_MAXINSNS)
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		if (!is_good(&program[i], count - i - 1))
			return -EINVAL;
	}
	/* Whatever does not jump goes on to the next; so the last has to be an end. */
	if (BPF_CLASS(program[count - 1].code) != BPF_RET)
		return -EINVAL;
	return check_memory(program, count);
}
