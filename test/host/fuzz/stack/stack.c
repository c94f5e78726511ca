/* The door, and the list of operations. See stack.h. */
#include "test/host/fuzz/stack/stack.h"

#include "kernel/fs/file.h"
#include "test/host/services/host.h"

/* Time passes: to the next timer, or by one of these. */
static void op_time(struct bench *bench, uint32_t bits)
{
	static const uint64_t spans_us[] = {
		1 * USEC_PER_MSEC, 40 * USEC_PER_MSEC, 200 * USEC_PER_MSEC, 1 * USEC_PER_SEC,
		3 * USEC_PER_SEC,  61 * USEC_PER_SEC,  601 * USEC_PER_SEC,
	};
	uint64_t next_us;

	if (bits < ARRAY_SIZE(spans_us)) {
		bench_advance(bench, spans_us[bits]);
		return;
	}
	next_us = net_next_timer(&bench->net);
	if (next_us != TIME_NEVER)
		bench_advance(bench, next_us > bench->now_us ? next_us - bench->now_us : 0);
}

static operation_function *const operations[OPERATIONS] = {
	[OP_SOCKET] = op_socket,
	[OP_CLOSE] = op_close,
	[OP_BIND] = op_bind,
	[OP_CONNECT] = op_connect,
	[OP_SEND] = op_send,
	[OP_RECEIVE] = op_receive,
	[OP_SET_OPTION] = op_set_option,
	[OP_GET_OPTION] = op_get_option,
	[OP_IOCTL] = op_ioctl,
	[OP_SHUTDOWN] = op_shutdown,
	[OP_LISTEN] = op_listen,
	[OP_ACCEPT] = op_accept,
	[OP_NAME] = op_name,
	[OP_POLL] = op_poll,
	[OP_UDP] = op_udp,
	[OP_ICMP] = op_icmp,
	[OP_ICMP_ERROR] = op_icmp_error,
	[OP_ARP] = op_arp,
	[OP_IGMP] = op_igmp,
	[OP_TCP] = op_tcp,
	[OP_TCP_ANSWER] = op_tcp_answer,
	[OP_FRAGMENT] = op_fragment,
	[OP_PIECES] = op_pieces,
	[OP_FRAME] = op_frame,
	[OP_MIRROR] = op_mirror,
	[OP_TIME] = op_time,
	[OP_DEVICE] = op_device,
	[OP_SETTING] = op_setting,
	[OP_MEMORY] = op_memory,
	[OP_PROC] = op_proc,
	[OP_SENDFILE] = op_sendfile,
	[OP_TCP_SETTING] = op_tcp_setting,
};

static operation_function *const further[FURTHER_OPERATIONS] = {
	[OP_PAIR] = op_pair,         [OP_PASS] = op_pass,     [OP_UNLINK] = op_unlink,
	[OP_REQUEST] = op_request,   [OP_FILTER] = op_filter, [OP_RING] = op_ring,
	[OP_SCRIBBLE] = op_scribble,
};

/*
 * Accepted and received ones can be more than an input has names for: those are in a row, because a
 * new one is always the lowest.
 */
static void close_unnamed(void)
{
	int fd = DESCRIPTORS;

	while (fd_close(fd) == 0)
		fd++;
}

static void run_operation(struct bench *bench)
{
	uint8_t byte = read_u8(bench);

	bench->work = 0;
	bench->sleeps = 0;
	if (byte == FURTHER) {
		byte = read_u8(bench);
		further[byte % OPERATIONS % FURTHER_OPERATIONS](bench, byte / OPERATIONS);
	} else {
		operations[byte % OPERATIONS](bench, byte / OPERATIONS);
	}
	close_unnamed();
	host_signal(false); /* what ended a call that slept */
	bench_run(bench);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bench bench;
	struct fuzz_input input = {data, size};

	bench.input = &input;
	bench_create(&bench);
	for (uint32_t i = 0; i < STEPS_MAX && input.left > 0; i++)
		run_operation(&bench);
	bench_finish(&bench);
	return 0;
}
