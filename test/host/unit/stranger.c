/* The other end of TCP connections, by hand; see stranger.h. */
#include "test/host/unit/stranger.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/byteorder.h"
#include "net/core/checksum.h"
#include "net/ethernet/ethernet.h"

#define FIRST_PORT 20000
#define FIRST_SEQ 0x10000000u
#define FIRST_STAMP 5000
#define LONGEST_WAIT_US (1000 * USEC_PER_SEC) /* outlasts every connection's end */

static uint16_t last_port = FIRST_PORT;
static uint64_t watched[DROP_REASON_COUNT];

/* ---- The stack ---- */

struct tcp_state_of_net *tcp_fixture_state(struct fixture *f)
{
	return tcp_of(&f->net);
}

struct socket *tcp_fixture_init(struct fixture *f)
{
	ip4_fixture_init(f);
	assert_int_equal(tcp_init(&f->net), 0);

	struct socket *listener = make_socket(f, SOCK_STREAM, 0);

	assert_int_equal(do_bind(listener, IP4_ANY, TCP_FIXTURE_PORT), 0);
	assert_int_equal(socket_listen(listener, 16), 0);
	return listener;
}

void tcp_fixture_destroy(struct fixture *f, struct socket *listener)
{
	socket_close(listener);
	fixture_clear_sent(f);
	fixture_advance(f, LONGEST_WAIT_US);
	assert_int_equal(tcp_fixture_state(f)->memory_used, 0);
	assert_int_equal(tcp_fixture_state(f)->orphans, 0);
	assert_int_equal(tcp_fixture_state(f)->table.connections.count, 0);
	tcp_destroy(&f->net);
	ip4_fixture_destroy(f);
}

/* ---- Segments to the stack ---- */

void stranger_init(struct stranger *stranger, struct fixture *f)
{
	*stranger = (struct stranger){
		.f = f,
		.address = PEER,
		.port = ++last_port,
		.ours = TCP_FIXTURE_PORT,
		.seq = FIRST_SEQ,
		.window = UINT16_MAX,
		.mss = SEGMENT_MAX,
		.wscale = -1,
		.ts_value = FIRST_STAMP,
	};
}

static void add_option(struct crafted *segment, uint8_t kind, const void *value, size_t length)
{
	uint8_t *to = segment->options + segment->options_length;

	assert_true(segment->options_length + 2 + length <= TCP_OPTIONS_MAX);
	to[0] = kind;
	to[1] = (uint8_t)(2 + length);
	if (length)
		memcpy(to + 2, value, length);
	segment->options_length += 2 + length;
}

static void add_timestamps(const struct stranger *stranger, struct crafted *segment)
{
	uint8_t value[8];

	put_be32(value, stranger->ts_value);
	put_be32(value + 4, stranger->ts_echo);
	add_option(segment, 8, value, sizeof(value));
}

struct crafted stranger_segment(const struct stranger *stranger, uint8_t flags)
{
	struct crafted segment = {
		.flags = flags,
		.seq = stranger->seq,
		.ack = flags & TCP_ACK ? stranger->ack : 0,
		.window = stranger->window,
	};

	if (stranger->timestamps && !(flags & TCP_SYN))
		add_timestamps(stranger, &segment);
	return segment;
}

struct crafted stranger_syn(const struct stranger *stranger)
{
	struct crafted segment = stranger_segment(stranger, TCP_SYN);
	uint8_t mss[2], scale = (uint8_t)stranger->wscale;

	put_be16(mss, stranger->mss);
	if (stranger->mss)
		add_option(&segment, 2, mss, sizeof(mss));
	if (stranger->wscale >= 0)
		add_option(&segment, 3, &scale, sizeof(scale));
	if (stranger->sack)
		add_option(&segment, 4, NULL, 0);
	if (stranger->timestamps)
		add_timestamps(stranger, &segment);
	return segment;
}

static void put_checksum(uint8_t *tcp, size_t length, const struct stranger *stranger,
			 uint16_t wrong)
{
	uint32_t pseudo = checksum_pseudo4(stranger->address, OURS, IPPROTO_TCP, (uint16_t)length);
	be16 checksum;

	put_be16(tcp + 16, 0);
	checksum = checksum_fold(checksum_add(tcp, length, pseudo));
	memcpy(tcp + 16, &checksum, sizeof(checksum));
	put_be16(tcp + 16, (uint16_t)(get_be16(tcp + 16) + wrong));
}

/* The segment's bytes; returns their number. */
static size_t make(const struct stranger *stranger, const struct crafted *segment, uint8_t *to)
{
	size_t options = ALIGN_UP(segment->options_length, 4);
	size_t header = TCP_HEADER_MIN + options, length = header + segment->length;

	memset(to, 0, header);
	put_be16(to, stranger->port);
	put_be16(to + 2, stranger->ours);
	put_be32(to + 4, segment->seq);
	put_be32(to + 8, segment->ack);
	to[12] = (uint8_t)((segment->words ? segment->words : header / 4) << 4);
	to[13] = segment->flags;
	put_be16(to + 14, segment->window);
	put_be16(to + 18, segment->urgent);
	memcpy(to + TCP_HEADER_MIN, segment->options, segment->options_length);
	if (segment->length)
		memcpy(to + header, segment->data, segment->length);
	length = segment->cut ? segment->cut : length;
	if (length >= TCP_HEADER_MIN)
		put_checksum(to, length, stranger, segment->wrong);
	return length;
}

void stranger_sends(struct stranger *stranger, const struct crafted *segment)
{
	uint8_t bytes[TCP_HEADER_MAX + SEGMENT_MAX], packet[IP4_HEADER_MAX + sizeof(bytes)];
	const struct ip4_spec spec = {
		.source = stranger->address,
		.protocol = IPPROTO_TCP,
		.tos = segment->tos,
		.options = segment->ip_options,
		.options_length = segment->ip_options_length,
	};
	size_t length;

	assert_true(segment->length <= SEGMENT_MAX);
	length = make(stranger, segment, bytes);
	ip4_arrives(stranger->f, packet, ip4_make(packet, &spec, bytes, length));
}

void stranger_says(struct stranger *stranger, const void *data, size_t length)
{
	struct crafted segment = stranger_segment(stranger, TCP_ACK | TCP_PSH);

	segment.data = data;
	segment.length = length;
	stranger_sends(stranger, &segment);
	stranger->seq += (uint32_t)length;
}

void stranger_flags(struct stranger *stranger, uint8_t flags)
{
	struct crafted segment = stranger_segment(stranger, flags);

	stranger_sends(stranger, &segment);
}

void stranger_icmp(struct stranger *stranger, uint8_t type, uint8_t code, uint32_t info,
		   uint32_t seq)
{
	uint8_t quote[IP4_HEADER_MIN + 8], message[sizeof(quote) + 8], packet[128];
	const struct ip4_spec inner = {
		.source = OURS, .destination = stranger->address, .protocol = IPPROTO_TCP};
	const struct ip4_spec outer = {.source = GATEWAY, .protocol = IPPROTO_ICMP};
	uint8_t ports[8];
	size_t length;

	put_be16(ports, stranger->ours);
	put_be16(ports + 2, stranger->port);
	put_be32(ports + 4, seq);
	ip4_make(quote, &inner, ports, sizeof(ports));
	length = icmp_make(message, type, code, info, quote, sizeof(quote));
	ip4_arrives(stranger->f, packet, ip4_make(packet, &outer, message, length));
}

/* ---- Segments of the stack ---- */

/* MUST-2 */
struct seen stranger_sees(const struct stranger *stranger, uint32_t i)
{
	struct ip4_header ip;
	struct seen seen;
	const uint8_t *packet = ip4_sent(stranger->f, i, &ip);
	const uint8_t *tcp = packet + ip.header_length;
	size_t length = (size_t)ip.total_length - ip.header_length;
	uint32_t pseudo = checksum_pseudo4(ip.source, ip.destination, IPPROTO_TCP,
					   (uint16_t)length);

	assert_int_equal(ip.protocol, IPPROTO_TCP);
	assert_int_equal(checksum_fold(checksum_add(tcp, length, pseudo)).raw, 0);
	assert_int_equal(tcp_parse(tcp, length, &seen.header), DROP_NONE);
	tcp_parse_options(tcp + TCP_HEADER_MIN, seen.header.header_length - TCP_HEADER_MIN,
			  seen.header.flags & TCP_SYN, &seen.options);
	seen.data = tcp + seen.header.header_length;
	seen.length = length - seen.header.header_length;
	seen.destination = ip.destination;
	return seen;
}

struct seen stranger_sees_only(struct stranger *stranger, uint8_t flags)
{
	struct seen seen;

	assert_int_equal(stranger->f->sent_count, 1);
	seen = stranger_sees(stranger, 0);
	assert_int_equal(seen.header.flags, flags);
	assert_int_equal(seen.destination, stranger->address);
	assert_int_equal(seen.header.destination, stranger->port);
	fixture_clear_sent(stranger->f);
	seen.data = NULL; /* went with its frame */
	return seen;
}

void stranger_sees_nothing(const struct stranger *stranger)
{
	assert_int_equal(stranger->f->sent_count, 0);
}

/* What the stranger learns of one segment in order. */
static void take_in(struct stranger *stranger, const struct seen *seen)
{
	uint32_t end = seen->header.seq + (uint32_t)seen->length;

	if (seen->header.flags & (TCP_SYN | TCP_FIN))
		end++;
	if (seen->header.seq == stranger->ack)
		stranger->ack = end;
	if (seen->options.has_timestamps)
		stranger->ts_echo = seen->options.ts_value;
}

void stranger_acknowledges(struct stranger *stranger)
{
	for (uint32_t i = 0; i < stranger->f->sent_count; i++) {
		const struct seen seen = stranger_sees(stranger, i);

		if (seen.header.destination == stranger->port)
			take_in(stranger, &seen);
	}
	fixture_clear_sent(stranger->f);
	stranger_flags(stranger, TCP_ACK);
}

/* ---- Handshakes ---- */

struct socket *stranger_connects(struct stranger *stranger, struct socket *listener)
{
	struct crafted syn = stranger_syn(stranger);
	struct socket *socket;
	struct seen answer;

	fixture_clear_sent(stranger->f);
	stranger_sends(stranger, &syn);
	answer = stranger_sees_only(stranger, TCP_SYN | TCP_ACK);
	assert_int_equal(answer.header.ack, stranger->seq + 1);
	stranger->seq++;
	stranger->irs = answer.header.seq;
	stranger->ack = answer.header.seq + 1;
	stranger->ts_echo = answer.options.ts_value;
	stranger_flags(stranger, TCP_ACK);
	assert_int_equal(socket_accept(listener, &socket, true), 0);
	assert_int_equal(tcp_socket(socket)->state, TCP_ESTABLISHED);
	fixture_clear_sent(stranger->f);
	return socket;
}

static int begin_connect(struct socket *socket, ip4_t address, uint16_t port)
{
	const struct endpoint to = {.addr = net_addr_ip4(address), .port = port};
	struct sockaddr_storage name;
	uint32_t length;

	inet_write_name(&to, &name, &length);
	return socket_connect(socket, &name, length, true);
}

struct socket *stranger_is_called(struct stranger *stranger)
{
	struct socket *socket = make_socket(stranger->f, SOCK_STREAM, 0);
	struct seen syn;

	fixture_clear_sent(stranger->f);
	assert_int_equal(begin_connect(socket, stranger->address, stranger->port), -EINPROGRESS);
	fixture_run(stranger->f);
	syn = stranger_sees_only(stranger, TCP_SYN);
	stranger->ours = syn.header.source;
	stranger->irs = syn.header.seq;
	stranger->ack = syn.header.seq + 1;
	stranger->ts_echo = syn.options.ts_value;
	return socket;
}

struct socket *stranger_is_connected(struct stranger *stranger)
{
	struct socket *socket = stranger_is_called(stranger);
	struct crafted answer = stranger_syn(stranger);

	answer.flags |= TCP_ACK;
	answer.ack = stranger->ack;
	stranger_sends(stranger, &answer);
	stranger->seq++;
	assert_int_equal(tcp_socket(socket)->state, TCP_ESTABLISHED);
	fixture_clear_sent(stranger->f);
	return socket;
}

/* ---- The process ---- */

int64_t socket_take(struct socket *socket, void *to, size_t n, uint32_t flags)
{
	struct message message = {.flags = flags | MSG_DONTWAIT};

	iov_init_kernel(&message.iov, to, n);
	return socket_recvmsg(socket, &message);
}

int64_t socket_give(struct socket *socket, const void *bytes, size_t n, uint32_t flags)
{
	struct message message = {.flags = flags | MSG_DONTWAIT};

	iov_init_kernel(&message.iov, (void *)(uintptr_t)bytes, n);
	return socket_sendmsg(socket, &message);
}

/* ---- What is left behind ---- */

void assert_still_serves(struct fixture *f, struct socket *listener)
{
	struct stranger honest;
	struct socket *socket;
	struct seen seen;
	char bytes[8];

	assert_still_answers(f);
	stranger_init(&honest, f);
	socket = stranger_connects(&honest, listener);
	stranger_says(&honest, "question", 8);
	assert_int_equal(socket_take(socket, bytes, sizeof(bytes), 0), 8);
	assert_memory_equal(bytes, "question", 8);
	fixture_clear_sent(f);
	assert_int_equal(socket_give(socket, "answer", 6, 0), 6);
	fixture_run(f);
	assert_int_equal(f->sent_count, 1);
	seen = stranger_sees(&honest, 0);
	assert_int_equal(seen.length, 6);
	assert_memory_equal(seen.data, "answer", 6);
	stranger_acknowledges(&honest);
	stranger_flags(&honest, TCP_RST);
	assert_int_equal(tcp_socket(socket)->state, TCP_CLOSE);
	socket_close(socket);
	fixture_clear_sent(f);
}

void drops_watch(struct fixture *f)
{
	memcpy(watched, f->net.drops, sizeof(watched));
}

void assert_dropped(struct fixture *f, enum drop_reason reason, uint64_t by)
{
	for (uint32_t i = 1; i < DROP_REASON_COUNT; i++) {
		uint64_t wanted = watched[i] + (i == (uint32_t)reason ? by : 0);

		if (f->net.drops[i] != wanted)
			fail_msg("%s went from %lu to %lu", drop_reason_name(i),
				 (unsigned long)watched[i], (unsigned long)f->net.drops[i]);
	}
	drops_watch(f);
}
