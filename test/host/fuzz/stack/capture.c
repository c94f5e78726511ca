/* Operations: filters of sockets, and rings that a process maps. */
#include "include/uapi/filter.h"
#include "include/uapi/syscall.h"
#include "kernel/fs/file.h"
#include "kernel/mm/page.h"
#include "net/core/packet_ring.h"
#include "test/host/fuzz/stack/stack.h"
#include "test/host/services/host.h"

#define INSTRUCTIONS_MAX 32

/* Most codes that there are; new ones at the end. */
static const uint16_t codes[] = {
	BPF_LD | BPF_W | BPF_ABS,
	BPF_LD | BPF_H | BPF_ABS,
	BPF_LD | BPF_B | BPF_ABS,
	BPF_LD | BPF_W | BPF_IND,
	BPF_LD | BPF_H | BPF_IND,
	BPF_LD | BPF_B | BPF_IND,
	BPF_LD | BPF_IMM,
	BPF_LD | BPF_MEM,
	BPF_LD | BPF_W | BPF_LEN,
	BPF_LDX | BPF_IMM,
	BPF_LDX | BPF_MEM,
	BPF_LDX | BPF_B | BPF_MSH,
	BPF_LDX | BPF_W | BPF_LEN,
	BPF_ST,
	BPF_STX,
	BPF_ALU | BPF_ADD | BPF_X,
	BPF_ALU | BPF_SUB | BPF_X,
	BPF_ALU | BPF_MUL | BPF_K,
	BPF_ALU | BPF_DIV | BPF_X,
	BPF_ALU | BPF_MOD | BPF_X,
	BPF_ALU | BPF_AND | BPF_K,
	BPF_ALU | BPF_LSH | BPF_X,
	BPF_ALU | BPF_RSH | BPF_K,
	BPF_ALU | BPF_NEG,
	BPF_JMP | BPF_JA,
	BPF_JMP | BPF_JEQ | BPF_K,
	BPF_JMP | BPF_JGT | BPF_X,
	BPF_JMP | BPF_JSET | BPF_K,
	BPF_RET | BPF_K,
	BPF_RET | BPF_A,
	BPF_MISC | BPF_TAX,
	BPF_MISC | BPF_TXA,
};

/* Its code, its jumps (half a byte each), and its number: one byte, or a place of Linux's own. */
static struct sock_filter read_instruction(struct bench *bench)
{
	uint8_t code = read_u8(bench), jumps = read_u8(bench), number = read_u8(bench);
	struct sock_filter instruction = {.code = codes[code % ARRAY_SIZE(codes)],
					  .jt = jumps & 15,
					  .jf = jumps >> 4,
					  .k = number};

	if (code & 128)
		instruction.k += (uint32_t)(code & 64 ? SKF_NET_OFF : SKF_AD_OFF);
	return instruction;
}

/* How many instructions before a last one, BPF_RET (bit 7: taken off again; bit 6: locked). */
void op_filter(struct bench *bench, uint32_t bits)
{
	struct sock_filter instructions[INSTRUCTIONS_MAX + 1];
	uint8_t how = read_u8(bench);
	uint32_t count = how % INSTRUCTIONS_MAX;
	const struct sock_fprog program = {.len = (uint16_t)(count + 1),
					   .filter = (uintptr_t)instructions};
	int32_t one = 1;

	for (uint32_t i = 0; i < count; i++)
		instructions[i] = read_instruction(bench);
	instructions[count] = (struct sock_filter){BPF_RET | BPF_K, 0, 0, read_u8(bench)};
	host_syscall(SYS_setsockopt, bits, SOL_SOCKET, SO_ATTACH_FILTER, (uintptr_t)&program,
		     sizeof(program), 0);
	if (how & 64)
		host_syscall(SYS_setsockopt, bits, SOL_SOCKET, SO_LOCK_FILTER, (uintptr_t)&one,
			     sizeof(one), 0);
	if (how & 128)
		host_syscall(SYS_setsockopt, bits, SOL_SOCKET, SO_DETACH_FILTER, (uintptr_t)&one,
			     sizeof(one), 0);
}

/*
 * PACKET_RX_RING: the version (bits 0-1), blocks (bits 2-3; 0: no ring any more), pages in each
 * (bits 4-5), the rest wrong by a byte (bit 6); then frame size, time and private bytes.
 */
void op_ring(struct bench *bench, uint32_t bits)
{
	uint8_t how = read_u8(bench);
	int32_t version = how & 3;
	struct tpacket_req3 request = {
		.tp_block_nr = how >> 2 & 3,
		.tp_block_size = (uint32_t)PAGE_SIZE * ((how >> 4 & 3) + 1),
		.tp_frame_size = 128u * (read_u8(bench) % 64u + 1),
		.tp_retire_blk_tov = read_u8(bench),
		.tp_sizeof_priv = read_u8(bench),
	};

	request.tp_frame_nr = request.tp_block_size / request.tp_frame_size * request.tp_block_nr +
			      (how >> 6 & 1);
	host_syscall(SYS_setsockopt, bits, SOL_PACKET, PACKET_VERSION, (uintptr_t)&version,
		     sizeof(version), 0);
	host_syscall(SYS_setsockopt, bits, SOL_PACKET, PACKET_RX_RING, (uintptr_t)&request,
		     version == TPACKET_V3 ? sizeof(request) : sizeof(struct tpacket_req), 0);
}

static struct packet_ring *ring_of(struct bench *bench, struct file *file)
{
	struct socket *socket = file ? socket_of_file(file) : NULL;
	bool is_packet = socket && socket->family == AF_PACKET;

	(void)bench;
	return is_packet ? packet_socket_of(socket)->ring : NULL;
}

/* The process writes to a ring: a page, where in it (units of 8), and a word. */
void op_scribble(struct bench *bench, uint32_t bits)
{
	struct file *file = fd_get((int)bits);
	uint8_t which = read_u8(bench);
	uint16_t at = read_u16(bench);
	uint32_t word = read_u8(bench);

	net_lock(&bench->net);
	const struct packet_ring *ring = ring_of(bench, file);

	if (ring && ring->page_count) {
		uint8_t *page = page_address(ring->pages[which % ring->page_count]);

		memcpy(page + at * sizeof(uint64_t) % PAGE_SIZE, &word, sizeof(word));
	}
	net_unlock(&bench->net);
	file_put(file);
}
