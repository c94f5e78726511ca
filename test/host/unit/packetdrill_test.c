/*
 * libvitrine-packetdrill.so through its table of functions, as the tool uses it: once with the
 * sanitizers, once as it is delivered.
 */
#include "test/host/unit/drill.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FLAGS "local=192.168.0.1/16 gateway=192.168.0.2 mtu=1500 seed=7"
#define MSEC 1000ll

static struct drill drill;
#define CALL(name, ...) drill.calls.name(drill.calls.userdata, __VA_ARGS__)

static int start(void **state)
{
	drill_start(&drill, *state, FLAGS);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	drill_stop(&drill);
	return 0;
}

/* ---- Beginning, data, end ---- */

static void test_data_goes_both_ways(void **state)
{
	char text[16] = "";
	int listener, fd = drill_accepted(&drill, &listener);

	(void)state;
	drill_send_at(&drill, DRILL_PSH | DRILL_ACK, 1, 1, "question", 8);
	drill_expect(&drill, DRILL_ACK, 1, 9, 0);
	assert_int_equal(CALL(read, fd, text, sizeof(text)), 8);
	assert_string_equal(text, "question");
	assert_int_equal(CALL(write, fd, "answer", 6), 6);
	drill_expect(&drill, DRILL_PSH | DRILL_ACK, 1, 9, 6);
	assert_memory_equal(drill.last.payload, "answer", 6);
	drill_send_at(&drill, DRILL_ACK, 9, 7, NULL, 0);
	assert_int_equal(CALL(close, fd), 0);
	drill_expect(&drill, DRILL_FIN | DRILL_ACK, 7, 9, 0);
	drill_send_at(&drill, DRILL_FIN | DRILL_ACK, 9, 8, NULL, 0);
	drill_expect(&drill, DRILL_ACK, 8, 10, 0);
	assert_int_equal(CALL(close, listener), 0);
}

/* What the tool's scripts expect of a SYN-ACK: docs/host.md. */
static void test_the_syn_ack_has_linux_options(void **state)
{
	static const uint8_t expected[] = {2, 4, 1460 >> 8, 1460 & 255, 1, 1, 4, 2, 1, 3, 3, 8};
	int listener = drill_listen(&drill);

	(void)state;
	drill_handshake(&drill);
	assert_int_equal(drill.last.options_length, sizeof(expected));
	assert_memory_equal(drill.last.options, expected, sizeof(expected));
	assert_int_equal(CALL(close, listener), 0);
}

static void test_the_syn_has_linux_options(void **state)
{
	struct sockaddr_in name = drill_address("192.0.2.1", 80);
	int fd = CALL(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);

	(void)state;
	assert_int_equal(CALL(connect, fd, (struct sockaddr *)&name, sizeof(name)), -1);
	assert_int_equal(errno, EINPROGRESS);
	assert_true(drill_take(&drill));
	assert_int_equal(drill.last.flags, DRILL_SYN);
	assert_int_equal(drill.last.options_length, 20);
	assert_memory_equal(drill.last.options, ((uint8_t[]){2, 4, 5, 180, 4, 2, 8, 10}), 8);
	assert_memory_equal(drill.last.options + 16, ((uint8_t[]){1, 3, 3, 8}), 4);
	assert_int_equal(CALL(close, fd), 0);
}

/* A refused connection: its error is told once, by poll and SO_ERROR. */
static void test_a_connection_is_refused(void **state)
{
	struct sockaddr_in name = drill_address("192.0.2.1", 80);
	int fd = CALL(socket, AF_INET, SOCK_STREAM, IPPROTO_TCP), error = 0;
	struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
	socklen_t length = sizeof(error);

	(void)state;
	assert_int_equal(CALL(fcntl, fd, F_GETFL), O_RDWR);
	assert_int_equal(CALL(fcntl, fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	assert_int_equal(CALL(fcntl, fd, F_GETFL), O_RDWR | O_NONBLOCK);
	assert_int_equal(CALL(connect, fd, (struct sockaddr *)&name, sizeof(name)), -1);
	assert_true(drill_take(&drill));
	assert_int_equal(CALL(poll, &pollfd, 1, 0), 0);
	drill.local_port = drill.last.source;
	drill.remote_port = 80;
	drill_send(&drill, &(struct drill_segment){.flags = DRILL_RST | DRILL_ACK,
						   .ack = drill.last.seq + 1});
	assert_int_equal(CALL(poll, &pollfd, 1, 0), 1);
	assert_int_equal(pollfd.revents, POLLOUT | POLLERR | POLLHUP);
	assert_int_equal(CALL(getsockopt, fd, SOL_SOCKET, SO_ERROR, &error, &length), 0);
	assert_int_equal(error, ECONNREFUSED);
	assert_int_equal(CALL(close, fd), 0);
}

/* ---- Time ---- */

static void test_time_stands_still_but_for_who_asks(void **state)
{
	long long first = drill_now_us(&drill), second = drill_now_us(&drill);

	(void)state;
	assert_in_range(second - first, 1, 10);
	drill_let_time_pass(&drill, 5000000);
	assert_in_range(drill_now_us(&drill) - second, 5000000, 5000010);
	assert_false(drill_take(&drill)); /* at once, with nothing to wait for */
}

static void test_a_lost_segment_is_sent_again(void **state)
{
	int listener, fd = drill_accepted(&drill, &listener);
	long long sent_us;

	(void)state;
	assert_int_equal(CALL(write, fd, "lost", 4), 4);
	drill_expect(&drill, DRILL_PSH | DRILL_ACK, 1, 1, 4);
	sent_us = drill.last.time_us;
	for (int i = 0; i < 4; i++) { /* a tail loss probe, and timeouts with their back-off */
		static const int after_ms[] = {200, 200, 400, 800};

		drill_expect(&drill, DRILL_PSH | DRILL_ACK, 1, 1, 4);
		assert_in_range(drill.last.time_us - sent_us, after_ms[i] * MSEC,
				(after_ms[i] + 4) * MSEC);
		sent_us = drill.last.time_us;
	}
	assert_int_equal(CALL(close, fd), 0);
	assert_int_equal(CALL(close, listener), 0);
}

static void test_the_same_seed_is_the_same_run(void **state)
{
	uint32_t isn[2];

	for (int i = 0; i < 2; i++) {
		int listener, fd = drill_accepted(&drill, &listener);

		(void)fd;
		isn[i] = drill.sent_base;
		drill_stop(&drill);
		close(fd);
		close(listener);
		drill_start(&drill, *state, FLAGS);
	}
	assert_int_equal(isn[0], isn[1]);
}

/* ---- Calls that block, on a second thread ---- */

static ssize_t make_accept(struct drill *r, struct drill_call *call)
{
	return r->calls.accept(r->calls.userdata, call->fd, NULL, NULL);
}

static ssize_t make_read(struct drill *r, struct drill_call *call)
{
	return r->calls.read(r->calls.userdata, call->fd, call->buffer, call->size);
}

static ssize_t make_write(struct drill *r, struct drill_call *call)
{
	return r->calls.write(r->calls.userdata, call->fd, call->buffer, call->size);
}

static ssize_t make_epoll_wait(struct drill *r, struct drill_call *call)
{
	return r->calls.epoll_wait(r->calls.userdata, call->fd, call->buffer, 1, 500);
}

static void test_accept_and_read_block(void **state)
{
	struct drill_call call = {.drill = &drill, .make = make_accept};
	char text[8] = "";

	(void)state;
	call.fd = drill_listen(&drill);
	drill_call_begin(&call);
	assert_int_equal(drill_call_state(&call), 'S');
	drill_let_time_pass(&drill, 100 * MSEC);
	drill_handshake(&drill);
	long long now = drill_now_us(&drill);

	drill_let_time_pass(&drill,
			    1000 * MSEC); /* does not begin before the call's end was told */
	drill_call_end(&call);
	assert_true(call.result > 2);
	assert_in_range(call.ended_us, now - 10, now + 10);

	int listener = call.fd;

	call = (struct drill_call){.drill = &drill,
				   .make = make_read,
				   .fd = (int)call.result,
				   .buffer = text,
				   .size = sizeof(text)};
	drill_call_begin(&call);
	assert_int_equal(drill_call_state(&call), 'S');
	drill_send_at(&drill, DRILL_PSH | DRILL_ACK, 1, 1, "awaited", 8);
	drill_expect(&drill, DRILL_ACK, 1, 9, 0);
	drill_call_end(&call);
	assert_int_equal(call.result, 8);
	assert_string_equal(text, "awaited");
	assert_int_equal(CALL(close, call.fd), 0);
	assert_int_equal(CALL(close, listener), 0);
}

/* The buffer is full until the peer acknowledges. */
static void test_write_blocks(void **state)
{
	static char data[200000];
	int listener, size = 4096, fd = drill_accepted(&drill, &listener);
	struct drill_call call = {.drill = &drill, .make = make_write, .fd = fd, .buffer = data};
	uint32_t acked = 1;

	(void)state;
	call.size = sizeof(data);
	assert_int_equal(CALL(setsockopt, fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	drill_call_begin(&call);
	assert_int_equal(drill_call_state(&call), 'S');
	while (acked < 1 + sizeof(data)) {
		assert_true(drill_take(&drill));
		acked = drill.last.seq - drill.sent_base + drill.last.length;
		drill_send_at(&drill, DRILL_ACK, 1, acked, NULL, 0);
	}
	drill_call_end(&call);
	assert_int_equal(call.result, sizeof(data));
	assert_int_equal(CALL(close, fd), 0);
	assert_int_equal(CALL(close, listener), 0);
}

/* What sleeps until a time wakes at that time. */
static void test_epoll_waits_for_its_timeout(void **state)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x123456789abcull}, got = {0};
	int listener, fd = drill_accepted(&drill, &listener), epoll = CALL(epoll_create, 1);
	struct drill_call call = {
		.drill = &drill, .make = make_epoll_wait, .fd = epoll, .buffer = &got};
	long long begun = drill_now_us(&drill);

	(void)state;
	assert_int_equal(CALL(epoll_ctl, epoll, EPOLL_CTL_ADD, fd, &event), 0);
	drill_call_begin(&call);
	assert_int_equal(drill_call_state(&call), 'S');
	drill_let_time_pass(&drill, 2000 * MSEC);
	drill_call_end(&call);
	assert_int_equal(call.result, 0);
	assert_in_range(call.ended_us - begun, 500 * MSEC, 500 * MSEC + 50);
	drill_send_at(&drill, DRILL_ACK, 1, 1, "x", 1);
	assert_int_equal(CALL(epoll_wait, epoll, &got, 1, 0), 1);
	assert_int_equal(got.events, EPOLLIN);
	assert_true(got.data.u64 == event.data.u64);
	assert_int_equal(CALL(close, epoll), 0);
	assert_int_equal(CALL(close, fd), 0);
	assert_int_equal(CALL(close, listener), 0);
}

/* Nobody is left to wake the thread that moves the clock: it is interrupted. */
static void test_waiting_in_vain_ends(void **state)
{
	int listener = drill_listen(&drill);

	(void)state;
	assert_int_equal(CALL(accept, listener, NULL, NULL), -1);
	assert_int_equal(errno, EINTR);
	assert_int_equal(CALL(close, listener), 0);
}

/* ---- The other calls ---- */

static void test_tcp_info_is_in_linux_layout(void **state)
{
	int listener, fd = drill_accepted(&drill, &listener);
	struct tcp_info info;
	socklen_t length = sizeof(info);

	(void)state;
	memset(&info, 0xee, sizeof(info));
	assert_int_equal(CALL(getsockopt, fd, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
	assert_int_equal(length, sizeof(info));
	assert_int_equal(info.tcpi_state, TCP_ESTABLISHED);
	assert_int_equal(info.tcpi_options, TCPI_OPT_SACK | TCPI_OPT_WSCALE);
	assert_int_equal(info.tcpi_snd_wscale, 7);
	assert_int_equal(info.tcpi_rcv_wscale, 8);
	assert_int_equal(info.tcpi_snd_mss, 1000);
	assert_int_equal(info.tcpi_snd_cwnd, 10);
	assert_int_equal(info.tcpi_advmss, 1460);
	assert_int_equal(info.tcpi_pmtu, 1500);
	assert_int_equal(CALL(close, fd), 0);
	assert_int_equal(CALL(close, listener), 0);
}

static void test_messages_vectors_and_ioctl(void **state)
{
	char a[4] = "", b[4] = "";
	struct iovec vectors[] = {{a, 3}, {b, 3}};
	struct msghdr message = {.msg_iov = vectors, .msg_iovlen = 2};
	int waiting = 0, listener, fd = drill_accepted(&drill, &listener);

	(void)state;
	drill_send_at(&drill, DRILL_ACK, 1, 1, "abcdefghi", 9);
	assert_int_equal(CALL(ioctl, fd, FIONREAD, &waiting), 0);
	assert_int_equal(waiting, 9);
	assert_int_equal(CALL(recvmsg, fd, &message, MSG_PEEK), 6);
	assert_int_equal(CALL(readv, fd, vectors, 1), 3);
	assert_string_equal(a, "abc");
	assert_int_equal(CALL(recv, fd, a, 3, 0), 3);
	assert_string_equal(a, "def");
	assert_string_equal(b, "def");
	assert_int_equal(CALL(recvfrom, fd, a, 3, MSG_DONTWAIT, NULL, NULL), 3);
	assert_int_equal(CALL(recv, fd, a, 3, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	message.msg_iovlen = 2;
	assert_int_equal(CALL(sendmsg, fd, &message, MSG_MORE), 6);
	assert_int_equal(CALL(writev, fd, vectors, 2), 6);
	assert_int_equal(CALL(shutdown, fd, SHUT_WR), 0);
	drill_expect(&drill, DRILL_ACK, 1, 10, 0);
	drill_expect(&drill, DRILL_PSH | DRILL_ACK, 1, 10, 12);
	assert_int_equal(CALL(send, fd, "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(CALL(close, fd), 0);
	assert_int_equal(CALL(close, listener), 0);
}

/* From a socket into a pipe and back. */
static void test_splice(void **state)
{
	loff_t none = 0;
	int fds[2], listener, fd = drill_accepted(&drill, &listener);

	(void)state;
	assert_int_equal(CALL(pipe, fds), 0);
	drill_send_at(&drill, DRILL_ACK, 1, 1, "spliced", 7);
	drill_expect(&drill, DRILL_ACK, 1, 8, 0);
	assert_int_equal(CALL(splice, fd, &none, fds[1], &none, 100, 0), 7);
	assert_int_equal(CALL(splice, fds[0], &none, fd, &none, 100, 0), 7);
	drill_expect(&drill, DRILL_PSH | DRILL_ACK, 1, 8, 7);
	assert_memory_equal(drill.last.payload, "spliced", 7);
	assert_int_equal(CALL(splice, fd, &none, listener, &none, 100, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(CALL(splice, fds[0], NULL, fd, NULL, 100, SPLICE_F_NONBLOCK), -1);
	assert_int_equal(errno, EAGAIN);
	for (int i = 0; i < 2; i++)
		assert_int_equal(CALL(close, fds[i]), 0);
	assert_int_equal(CALL(close, fd), 0);
	assert_int_equal(CALL(close, listener), 0);
}

static void test_errors(void **state)
{
	struct sockaddr_in name = drill_address("10.1.2.3", 1);
	int fd = CALL(socket, AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(CALL(close, 1000), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(CALL(close, 0), -1); /* the machine's, not the stack's */
	assert_int_equal(errno, EBADF);
	assert_int_equal(CALL(socket, AF_APPLETALK, SOCK_STREAM, 0), -1);
	assert_int_equal(errno, EAFNOSUPPORT);
	assert_int_equal(CALL(write, fd, "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(CALL(read, fd, NULL, 1), -1);
	assert_int_equal(errno, ENOTCONN);
	assert_int_equal(CALL(bind, fd, (struct sockaddr *)&name, sizeof(name)), -1);
	assert_int_equal(errno, EADDRNOTAVAIL);
	assert_int_equal(CALL(bind, fd, NULL, sizeof(name)), -1);
	assert_int_equal(errno, EFAULT);
	assert_int_equal(CALL(listen, fd, 1), 0);
	assert_int_equal(CALL(close, fd), 0);
	assert_int_equal(CALL(close, fd), -1);
	assert_int_equal(errno, EBADF);
}

/* The tool closes the machine's descriptors itself; the stack's end with the stack. */
static void test_descriptors_left_open(void **state)
{
	int listener, fd = drill_accepted(&drill, &listener);

	(void)state;
	assert_int_equal(close(fd), 0);
	assert_int_equal(close(listener), 0);
}

/* ---- What public scripts see of Linux ---- */

/* At 100 ms two segments leave as one packet, and the second of them pushes. */
static void test_push_ends_each_run(void **state)
{
	static const char data[12000];
	int listener = drill_listen(&drill), fd;

	(void)state;
	drill_handshake_after(&drill, 100 * MSEC);
	fd = CALL(accept, listener, NULL, NULL);
	assert_int_equal(CALL(write, fd, data, sizeof(data)), sizeof(data));
	for (uint32_t i = 0; i < 10; i++)
		drill_expect(&drill, i % 2 ? DRILL_PSH | DRILL_ACK : DRILL_ACK, 1 + 1000 * i, 1,
			     1000);
	assert_int_equal(CALL(close, fd), 0);
	assert_int_equal(CALL(close, listener), 0);
}

/* MSG_MORE holds back until nothing is under way any more, or until TCP_NODELAY is set. */
static void test_more_is_no_push(void **state)
{
	int listener, one = 1, fd = drill_accepted(&drill, &listener);

	(void)state;
	assert_int_equal(CALL(send, fd, "held", 4, MSG_MORE), 4);
	assert_int_equal(CALL(send, fd, "back", 4, MSG_MORE), 4);
	assert_int_equal(CALL(setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
	drill_expect(&drill, DRILL_ACK, 1, 1, 8);
	assert_int_equal(CALL(close, fd), 0);
	assert_int_equal(CALL(close, listener), 0);
}

#define OPTION_INQ 36 /* TCP_INQ: newer than some C libraries */

/* How much more there is; the end of the stream counts as one byte. */
static void test_receive_hint(void **state)
{
	char text[8], control[64];
	struct iovec vector = {text, 5};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control};
	int one = 1, rest, listener, fd = drill_accepted(&drill, &listener);

	(void)state;
	assert_int_equal(CALL(setsockopt, fd, IPPROTO_TCP, OPTION_INQ, &one, sizeof(one)), 0);
	drill_send_at(&drill, DRILL_ACK, 1, 1, "12345678", 8);
	for (int i = 0; i < 2; i++) {
		message.msg_controllen = sizeof(control);
		assert_int_equal(CALL(recvmsg, fd, &message, 0), i ? 3 : 5);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);

		assert_non_null(header);
		assert_int_equal(header->cmsg_level, IPPROTO_TCP);
		assert_int_equal(header->cmsg_type, OPTION_INQ);
		memcpy(&rest, CMSG_DATA(header), sizeof(rest));
		assert_int_equal(rest, i ? 1 : 3);
		if (!i)
			drill_send_at(&drill, DRILL_FIN | DRILL_ACK, 9, 1, NULL, 0);
	}
	assert_int_equal(CALL(close, fd), 0);
	assert_int_equal(CALL(close, listener), 0);
}

/* struct tcp_info, behind what older C libraries know of it; microseconds. */
#define AT_BUSY_TIME 168
#define AT_WINDOW_LIMITED 176

static uint64_t info_at(int fd, size_t offset)
{
	uint8_t info[256] = {0};
	socklen_t length = sizeof(info);
	uint64_t value;

	assert_int_equal(CALL(getsockopt, fd, IPPROTO_TCP, TCP_INFO, info, &length), 0);
	assert_true(length >= offset + sizeof(value));
	memcpy(&value, info + offset, sizeof(value));
	return value;
}

/* The peer's window is closed for 200 ms, and then its acknowledgement takes 30. */
static void test_times_of_waiting(void **state)
{
	int listener, fd = drill_accepted(&drill, &listener);
	struct drill_segment ack = {.flags = DRILL_ACK};

	(void)state;
	ack.seq = drill.received_base + 1;
	ack.ack = drill.sent_base + 1;
	drill_send(&drill, &ack);
	assert_int_equal(CALL(write, fd, "waits", 5), 5);
	drill_let_time_pass(&drill, 200 * MSEC);
	drill_send_at(&drill, DRILL_ACK, 1, 1, NULL, 0);
	drill_let_time_pass(&drill, 30 * MSEC);
	drill_send_at(&drill, DRILL_ACK, 1, 6, NULL, 0);
	drill_let_time_pass(&drill, 500 * MSEC);
	assert_in_range(info_at(fd, AT_WINDOW_LIMITED), 198 * MSEC, 202 * MSEC);
	assert_in_range(info_at(fd, AT_BUSY_TIME), 228 * MSEC, 232 * MSEC);
	assert_int_equal(CALL(close, fd), 0);
	assert_int_equal(CALL(close, listener), 0);
}

/* The cookie that Linux gives with the key of the public scripts, in the option it was asked by. */
static void test_fast_open_cookie(void **state)
{
	static const uint8_t cookie[] = {0x30, 0x21, 0xb9, 0xd8, 0x89, 0x01, 0x7e, 0xeb};
	struct drill_segment syn = {
		.seq = 5000, .flags = DRILL_SYN, .window = 32792, .options = {2, 4, 5, 180}};
	int listener = drill_listen(&drill);

	(void)state;
	memcpy(syn.options + 4, ((uint8_t[]){34, 2, 1, 1}), 4);
	syn.options_length = 8;
	drill_send(&drill, &syn);
	assert_true(drill_take(&drill));
	assert_int_equal(drill.last.options_length, 4 + 12);
	assert_memory_equal(drill.last.options + 4, ((uint8_t[]){34, 10}), 2);
	assert_memory_equal(drill.last.options + 6, cookie, sizeof(cookie));
	memcpy(syn.options + 4, ((uint8_t[]){254, 4, 0xf9, 0x89}), 4);
	drill.remote_port++;
	drill_send(&drill, &syn);
	assert_true(drill_take(&drill));
	assert_memory_equal(drill.last.options + 4, ((uint8_t[]){254, 12, 0xf9, 0x89}), 4);
	assert_memory_equal(drill.last.options + 8, cookie, sizeof(cookie));
	assert_int_equal(CALL(close, listener), 0);
}

/* What came a second time inside of new data is reported: RFC 2883 4.1. */
static void test_duplicates_within_new_data(void **state)
{
	static const char data[3000];
	int listener, fd = drill_accepted(&drill, &listener);
	uint8_t sack[] = {1, 1, 5, 10, 0, 0, 0, 0, 0, 0, 0, 0};

	(void)state;
	drill_send_at(&drill, DRILL_ACK, 1001, 1, data, 1000);
	drill_expect(&drill, DRILL_ACK, 1, 1, 0);
	drill_send_at(&drill, DRILL_ACK, 1, 1, data, 2000);
	drill_expect(&drill, DRILL_ACK, 1, 2001, 0);
	for (int i = 0; i < 4; i++) {
		sack[4 + i] = (uint8_t)((drill.received_base + 1001) >> (24 - 8 * i));
		sack[8 + i] = (uint8_t)((drill.received_base + 2001) >> (24 - 8 * i));
	}
	assert_int_equal(drill.last.options_length, sizeof(sack));
	assert_memory_equal(drill.last.options, sack, sizeof(sack));
	assert_int_equal(CALL(close, fd), 0);
	assert_int_equal(CALL(close, listener), 0);
}

/* ---- The flags ---- */

static void test_flags_reach_the_stack(void **state)
{
	int size = 0;
	socklen_t length = sizeof(size);

	drill_stop(&drill);
	drill_start(&drill, *state,
		    "local=10.1.2.3/8 gateway=10.9.9.9 mtu=1000 seed=3 "
		    "net.ipv4.tcp_rmem=4096,50000,60000 net.ipv4.tcp_no_such_thing=1");
	int fd = CALL(socket, AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in name = drill_address("10.1.2.3", 0);

	assert_int_equal(CALL(bind, fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(CALL(getsockopt, fd, SOL_SOCKET, SO_RCVBUF, &size, &length), 0);
	assert_int_equal(size, 50000);
	name = drill_address("172.16.0.1", 80);
	assert_int_equal(CALL(fcntl, fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(CALL(connect, fd, (struct sockaddr *)&name, sizeof(name)), -1);
	assert_true(drill_take(&drill));
	assert_memory_equal(drill.last.options, ((uint8_t[]){2, 4, 960 >> 8, 960 & 255}), 4);
	assert_int_equal(CALL(close, fd), 0);
}

#define TEST(function, folder) \
	cmocka_unit_test_prestate_setup_teardown(function, start, stop, folder)
#define TESTS(folder)                                                                             \
	TEST(test_data_goes_both_ways, folder), TEST(test_the_syn_ack_has_linux_options, folder), \
		TEST(test_the_syn_has_linux_options, folder),                                     \
		TEST(test_a_connection_is_refused, folder),                                       \
		TEST(test_time_stands_still_but_for_who_asks, folder),                            \
		TEST(test_a_lost_segment_is_sent_again, folder),                                  \
		TEST(test_the_same_seed_is_the_same_run, folder),                                 \
		TEST(test_accept_and_read_block, folder), TEST(test_write_blocks, folder),        \
		TEST(test_epoll_waits_for_its_timeout, folder),                                   \
		TEST(test_waiting_in_vain_ends, folder),                                          \
		TEST(test_tcp_info_is_in_linux_layout, folder),                                   \
		TEST(test_messages_vectors_and_ioctl, folder), TEST(test_splice, folder),         \
		TEST(test_errors, folder), TEST(test_descriptors_left_open, folder),              \
		TEST(test_flags_reach_the_stack, folder), TEST(test_push_ends_each_run, folder),  \
		TEST(test_more_is_no_push, folder), TEST(test_receive_hint, folder),              \
		TEST(test_times_of_waiting, folder), TEST(test_fast_open_cookie, folder),         \
		TEST(test_duplicates_within_new_data, folder)

int main(void)
{
	static char check[] = "check", host[] = "host";
	const struct CMUnitTest tests[] = {TESTS(check), TESTS(host)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
