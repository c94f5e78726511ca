/*
 * Classic BPF: the small programs by which a process says which packets it wants. A machine with
 * two registers of 32 bits (A, X) and 16 words of scratch memory reads bytes of one packet, jumps
 * forward only, and returns how many of the packet's bytes to keep: 0 is none of it. `tcpdump -d
 * EXPRESSION` prints such programs. McCanne and Jacobson, "The BSD Packet Filter", 1993.
 *
 * A program is checked once, when it is attached; so it may run without being watched, but for the
 * loads from the packet, whose bounds are known only then. Nothing here has a state or a lock.
 */
#ifndef NET_CORE_BPF_H
#define NET_CORE_BPF_H

#include "include/uapi/filter.h"
#include "kernel/types.h"
#include "net/core/skbuff.h"

#define BPF_NOWHERE UINT32_MAX

/*
 * The packet that a program reads: `front_length` bytes at `front`, which may be none, followed by
 * the sk_buff's bytes from skb->data + skip on. `skip` may be negative: then it leads to a header
 * that was taken off. Offset 0 of the program is byte `start` of all this, so that headers which
 * it does not see by itself stand ahead of it, for SKF_NET_OFF and SKF_LL_OFF.
 */
struct bpf_packet {
	const struct sk_buff *skb;
	const uint8_t *front;
	uint32_t front_length;
	int32_t skip;
	uint32_t total; /* bytes in all */
	uint32_t start;
	uint32_t network, link; /* where these headers begin in it, or BPF_NOWHERE */

	int32_t ifindex; /* 0: no device is known */
	uint16_t hardware_type;
	uint16_t protocol; /* EtherType, host order */
	uint8_t packet_type;
	bool has_vlan;
	uint16_t vlan_tag; /* priority and number; 0 when !has_vlan */
	uint32_t mark;
};

/*
 * Is this a program? 0; -EINVAL when it has none or too many instructions, an unknown one, a jump
 * out of it, an end that is no BPF_RET, a division by the constant 0, a shift by more than 31, or
 * a word of scratch memory that is read on some path before it was written; -ENOMEM.
 */
int bpf_check(const struct sock_filter *program, uint32_t count) __must_check;

/* Runs a program that was checked. Bytes to keep; a load from where nothing is ends it with 0. */
uint32_t bpf_run(const struct sock_filter *program, const struct bpf_packet *packet);

#endif
