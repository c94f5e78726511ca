/*
 * The stateful target: a whole stack with two wires, and an input that says what happens to it. The
 * input is a list of operations, one byte each (its lower five bits: enum operation), with their
 * arguments behind; the upper three bits are the operation's own: a descriptor, a device, a flag.
 * What is missing at the end of the input reads as 0. docs/fuzzing.md has the language.
 *
 *	stack.c      the list of operations, and what must hold after each input
 *	bench.c      the making and the end of a stack; time, and calls that sleep
 *	wire.c       frames that come and go, and what must hold for those that go
 *	packet.c     packets with right checksums, and faults on demand
 *	frames.c     operations: frames of each protocol
 *	segments.c   operations: TCP segments
 *	calls.c      operations: calls on sockets
 *	messages.c   operations: sendmsg, recvmsg, read, write
 *	options.c    operations: setsockopt, getsockopt
 *	control.c    operations: ioctl, devices, settings, memory, /proc
 *	local.c      further operations: pairs of AF_UNIX, and files that travel
 *	requests.c   further operations: requests to netlink
 *	capture.c    further operations: filters, and rings that a process maps
 */
#ifndef TEST_HOST_FUZZ_STACK_STACK_H
#define TEST_HOST_FUZZ_STACK_STACK_H

#include "net/core/net.h"
#include "net/core/netdevice.h"
#include "test/host/fuzz/fuzz.h"

/* The same numbers for ever: inputs are kept. */
enum operation {
	OP_SOCKET = 0,
	OP_CLOSE = 1,
	OP_BIND = 2,
	OP_CONNECT = 3,
	OP_SEND = 4,
	OP_RECEIVE = 5,
	OP_SET_OPTION = 6,
	OP_GET_OPTION = 7,
	OP_IOCTL = 8,
	OP_SHUTDOWN = 9,
	OP_LISTEN = 10,
	OP_ACCEPT = 11,
	OP_NAME = 12,
	OP_POLL = 13,
	OP_UDP = 14,
	OP_ICMP = 15,
	OP_ICMP_ERROR = 16,
	OP_ARP = 17,
	OP_IGMP = 18,
	OP_TCP = 19,
	OP_TCP_ANSWER = 20,
	OP_FRAGMENT = 21,
	OP_PIECES = 22,
	OP_FRAME = 23,
	OP_MIRROR = 24,
	OP_TIME = 25,
	OP_DEVICE = 26,
	OP_SETTING = 27,
	OP_MEMORY = 28,
	OP_PROC = 29,
	OP_SENDFILE = 30,
	OP_TCP_SETTING = 31,
	OPERATIONS = 32
};

/* This operation's byte (OP_SOCKET with upper bits that it has no use for) says: see the next. */
#define FURTHER (OP_SOCKET | 6u << 5)

/* Further operations: the lower five bits of the byte behind FURTHER; the upper three as above. */
enum further_operation {
	OP_PAIR = 0,
	OP_PASS = 1,
	OP_UNLINK = 2,
	OP_REQUEST = 3,
	OP_FILTER = 4,
	OP_RING = 5,
	OP_SCRIBBLE = 6,
	FURTHER_OPERATIONS = 7
};

#define WIRES 2
#define DESCRIPTORS 8
#define STEPS_MAX 96
#define SENT_KEPT 8
#define SENT_BYTES 2048
#define PACKET_MAX 65535
#define FRAME_MAX (PACKET_MAX + 14)

/* A frame of ours, cut to SENT_BYTES. */
struct sent_frame {
	uint32_t length; /* of what is kept */
	uint32_t wire;
	uint8_t bytes[SENT_BYTES];
};

struct bench {
	struct net net;
	struct net_device wires[WIRES];
	struct fuzz_input *input;
	uint64_t now_us;
	uint64_t random_state;
	uint64_t allocations; /* live before */
	uint32_t sleeps;      /* of the call that is being made */
	uint64_t work;        /* timers and frames of this operation: it must end */

	struct sent_frame sent[SENT_KEPT];
	uint32_t sent_count;  /* in all; the newest stands at (sent_count - 1) % SENT_KEPT */
	bool foreign_headers; /* a process may write headers as it likes: frames prove nothing */
	bool foreign_payload; /* or payloads, or we forward those of others */
	bool answering;       /* the last check: replies are counted */
	uint32_t arp_replies, echo_replies;
};

/* bench.c */
void bench_create(struct bench *bench);
/* Everything back to where a stack must answer; asks it; takes it down; nothing may be left. */
void bench_finish(struct bench *bench);
void bench_run(struct bench *bench);
void bench_advance(struct bench *bench, uint64_t us);
/* Work that an operation causes must be bounded. */
void bench_count_work(struct bench *bench);

/* wire.c */
void wire_create(struct bench *bench, uint32_t wire);
/* A frame arrives. `how`: the flags of packet.h's finish that concern its memory. */
void wire_deliver(struct bench *bench, uint32_t wire, const uint8_t *frame, size_t length,
		  uint16_t how);
/* The frame sent `back` frames ago (0: the last), or NULL. */
const struct sent_frame *wire_sent(const struct bench *bench, uint32_t back);

/* The language's words for addresses and ports. */
ip4_t read_address(struct bench *bench);
uint16_t read_port(struct bench *bench);

static inline uint8_t read_u8(struct bench *bench)
{
	return fuzz_u8(bench->input);
}
/* -128..127 */
static inline int32_t read_signed(struct bench *bench)
{
	return (read_u8(bench) ^ 0x80) - 0x80;
}
static inline uint16_t read_u16(struct bench *bench)
{
	return fuzz_u16(bench->input);
}
static inline uint32_t read_u32(struct bench *bench)
{
	return fuzz_u32(bench->input);
}

/* `bits`: the upper three of the operation's byte. */
typedef void operation_function(struct bench *bench, uint32_t bits);

operation_function op_udp, op_icmp, op_icmp_error, op_arp, op_igmp, op_fragment, op_pieces,
	op_frame, op_mirror;
operation_function op_tcp, op_tcp_answer;
operation_function op_socket, op_close, op_bind, op_connect, op_shutdown, op_listen, op_accept,
	op_name, op_poll;
operation_function op_send, op_receive, op_sendfile;
operation_function op_set_option, op_get_option;
operation_function op_ioctl, op_device, op_setting, op_tcp_setting, op_memory, op_proc;
operation_function op_pair, op_pass, op_unlink, op_request, op_filter, op_ring, op_scribble;

/* local.c: a name of AF_UNIX as the input has it; its length. */
struct sockaddr_un;
uint32_t read_unix_name(struct bench *bench, struct sockaddr_un *name);
/* Every socket is closed: what was in their queues is closed, too. */
void check_no_file_in_flight(struct bench *bench);

/* bench.c: bytes in which an input may not name the addresses that the last check is about. */
void spare_the_witness(uint8_t *bytes, size_t n);

/* calls.c: the port that a descriptor's socket is bound to; 0: none. */
uint16_t bound_port(int fd);
/* A sockaddr as the input has it, at the end of an array; *length: of the call. */
void *read_name(struct bench *bench, uint32_t *length);
/* Bytes of a payload: from a word of the input to a length worth trying. */
size_t read_length(struct bench *bench);

static const struct mac OUR_MAC[WIRES] = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 1, 1}}};
static const struct mac PEER_MAC[WIRES] = {{{2, 0, 0, 0, 0, 2}}, {{2, 0, 0, 0, 1, 2}}};

#define OURS IP4(10, 0, 0, 1)
#define PEER IP4(10, 0, 0, 2)
#define GATEWAY IP4(10, 0, 0, 254)
#define OURS_BEHIND IP4(10, 1, 0, 1)
#define PEER_BEHIND IP4(10, 1, 0, 2)

#endif
