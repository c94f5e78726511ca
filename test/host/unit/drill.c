/* See drill.h. */
#include "test/host/unit/drill.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOCAL "192.168.0.1"
#define REMOTE "192.0.2.1"
#define IP_HEADER 20
#define TCP_HEADER 20
#define PEER_ISS 5000
#define MSS_OPTION 2, 4, 1000 >> 8, 1000 & 255

/* build/check/packetdrill_test is beside build/host/. */
static void find_object(const char *folder, char path[PATH_MAX])
{
	char self[PATH_MAX] = "";

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	assert_true(snprintf(path, PATH_MAX, "%s/../%s/libvitrine-packetdrill.so", dirname(self),
			     folder) < PATH_MAX);
}

void drill_start(struct drill *drill, const char *folder, const char *flags)
{
	packetdrill_interface_init_function *init;
	char path[PATH_MAX];

	memset(drill, 0, sizeof(*drill));
	find_object(folder, path);
	drill->object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!drill->object)
		fail_msg("%s", dlerror());
	*(void **)&init = dlsym(drill->object, "packetdrill_interface_init");
	assert_non_null(init);
	init(flags, &drill->calls);
	drill->remote_port = 40000;
	drill->local_port = 8080;
}

void drill_stop(struct drill *drill)
{
	drill->calls.free(drill->calls.userdata);
	dlclose(drill->object);
}

/* Packets */

static void put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
	put16(to, value >> 16);
	put16(to + 2, value & 0xffff);
}

static uint32_t get16(const uint8_t *from)
{
	return (uint32_t)from[0] << 8 | from[1];
}

static uint32_t get32(const uint8_t *from)
{
	return get16(from) << 16 | get16(from + 2);
}

static uint32_t sum(const uint8_t *bytes, size_t n)
{
	uint32_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return total;
}

static uint16_t fold(uint32_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

/* Of a TCP packet: 0 when it is good. */
static uint16_t tcp_sum(const uint8_t *packet, size_t n)
{
	return fold(sum(packet + 12, 8) + IPPROTO_TCP + (uint32_t)(n - IP_HEADER) +
		    sum(packet + IP_HEADER, n - IP_HEADER));
}

void drill_send(struct drill *drill, const struct drill_segment *segment)
{
	uint8_t packet[IP_HEADER + TCP_HEADER + DRILL_OPTIONS_MAX + DRILL_PAYLOAD_MAX] = {0};
	uint8_t *tcp = packet + IP_HEADER;
	size_t header = TCP_HEADER + segment->options_length;
	size_t n = IP_HEADER + header + segment->length;

	packet[0] = 0x45;
	put16(packet + 2, (uint32_t)n);
	packet[8] = 64;
	packet[9] = IPPROTO_TCP;
	inet_pton(AF_INET, REMOTE, packet + 12);
	inet_pton(AF_INET, LOCAL, packet + 16);
	put16(packet + 10, fold(sum(packet, IP_HEADER)));
	put16(tcp, drill->remote_port);
	put16(tcp + 2, drill->local_port);
	put32(tcp + 4, segment->seq);
	put32(tcp + 8, segment->ack);
	tcp[12] = (uint8_t)(header / 4 << 4);
	tcp[13] = segment->flags;
	put16(tcp + 14, segment->window);
	memcpy(tcp + TCP_HEADER, segment->options, segment->options_length);
	if (segment->length)
		memcpy(tcp + header, segment->payload, segment->length);
	put16(tcp + 16, tcp_sum(packet, n));
	assert_int_equal(drill->calls.netdev_send(drill->calls.userdata, packet, n), 0);
}

void drill_send_at(struct drill *drill, uint8_t flags, uint32_t seq, uint32_t ack,
		   const void *payload, uint32_t length)
{
	const struct drill_segment segment = {
		.seq = drill->received_base + seq,
		.ack = drill->sent_base + ack,
		.flags = flags,
		.window = 1000,
		.payload = payload,
		.length = length,
	};

	drill_send(drill, &segment);
}

static void parse(struct drill *drill, size_t n)
{
	const uint8_t *packet = drill->packet, *tcp = packet + IP_HEADER;
	struct drill_segment *last = &drill->last;

	assert_true(n >= IP_HEADER + TCP_HEADER);
	assert_int_equal(packet[0], 0x45);
	assert_int_equal(get16(packet + 2), n);
	assert_int_equal(packet[9], IPPROTO_TCP);
	assert_int_equal(fold(sum(packet, IP_HEADER)), 0);
	assert_int_equal(tcp_sum(packet, n), 0);
	uint32_t header = (uint32_t)(tcp[12] >> 4) * 4;

	last->source = (uint16_t)get16(tcp);
	last->destination = (uint16_t)get16(tcp + 2);
	last->seq = get32(tcp + 4);
	last->ack = get32(tcp + 8);
	last->flags = tcp[13];
	last->window = (uint16_t)get16(tcp + 14);
	last->options_length = header - TCP_HEADER;
	memcpy(last->options, tcp + TCP_HEADER, last->options_length);
	last->payload = tcp + header;
	last->length = (uint32_t)(n - IP_HEADER - header);
}

bool drill_take(struct drill *drill)
{
	size_t n = sizeof(drill->packet);

	assert_int_equal(drill->calls.netdev_receive(drill->calls.userdata, drill->packet, &n,
						     &drill->last.time_us),
			 0);
	if (n)
		parse(drill, n);
	return n > 0;
}

void drill_expect(struct drill *drill, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length)
{
	assert_true(drill_take(drill));
	assert_int_equal(drill->last.flags, flags);
	assert_int_equal(drill->last.seq - drill->sent_base, seq);
	if (flags & DRILL_ACK)
		assert_int_equal(drill->last.ack - drill->received_base, ack);
	assert_int_equal(drill->last.length, length);
}

/* Time */

long long drill_now_us(struct drill *drill)
{
	struct timeval now;

	assert_int_equal(drill->calls.gettimeofday(drill->calls.userdata, &now, NULL), 0);
	return now.tv_sec * 1000000ll + now.tv_usec;
}

void drill_let_time_pass(struct drill *drill, unsigned us)
{
	assert_int_equal(drill->calls.usleep(drill->calls.userdata, us), 0);
}

/* Connections */

struct sockaddr_in drill_address(const char *text, uint16_t port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};

	assert_int_equal(inet_pton(AF_INET, text, &name.sin_addr), 1);
	return name;
}

int drill_listen(struct drill *drill)
{
	const struct packetdrill_interface *calls = &drill->calls;
	struct sockaddr_in name = drill_address("0.0.0.0", drill->local_port);
	int one = 1, fd = calls->socket(calls->userdata, AF_INET, SOCK_STREAM, IPPROTO_TCP);

	assert_true(fd > 2);
	assert_int_equal(
		calls->setsockopt(calls->userdata, fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)),
		0);
	assert_int_equal(calls->bind(calls->userdata, fd, (struct sockaddr *)&name, sizeof(name)),
			 0);
	assert_int_equal(calls->listen(calls->userdata, fd, 1), 0);
	return fd;
}

void drill_handshake(struct drill *drill)
{
	drill_handshake_after(drill, 0);
}

void drill_handshake_after(struct drill *drill, unsigned us)
{
	const struct drill_segment syn = {
		.seq = PEER_ISS,
		.flags = DRILL_SYN,
		.window = 32792,
		.options = {MSS_OPTION, 1, 1, 4, 2, 1, 3, 3, 7},
		.options_length = 12,
	};

	drill_send(drill, &syn);
	assert_true(drill_take(drill));
	assert_int_equal(drill->last.flags, DRILL_SYN | DRILL_ACK);
	drill->received_base = PEER_ISS;
	drill->sent_base = drill->last.seq;
	drill_let_time_pass(drill, us);
	drill_send_at(drill, DRILL_ACK, 1, 1, NULL, 0);
}

int drill_accepted(struct drill *drill, int *listener)
{
	*listener = drill_listen(drill);
	drill_handshake(drill);
	int fd = drill->calls.accept(drill->calls.userdata, *listener, NULL, NULL);

	assert_true(fd > *listener);
	return fd;
}

/* Calls that block */

static void *run(void *argument)
{
	struct drill_call *call = argument;

	__atomic_store_n(&call->thread_id, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	call->result = call->make(call->drill, call);
	call->error = errno;
	call->ended_us = drill_now_us(call->drill);
	return NULL;
}

char drill_call_state(const struct drill_call *call)
{
	char path[64], line[256], state = 0;
	int thread_id = __atomic_load_n(&call->thread_id, __ATOMIC_ACQUIRE);

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", thread_id);
	FILE *file = thread_id ? fopen(path, "r") : NULL;

	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file) && strrchr(line, ')'))
		state = strrchr(line, ')')[2];
	fclose(file);
	return state;
}

void drill_call_begin(struct drill_call *call)
{
	char state;

	call->thread_id = 0;
	assert_int_equal(pthread_create(&call->thread, NULL, run, call), 0);
	while (!__atomic_load_n(&call->thread_id, __ATOMIC_ACQUIRE))
		usleep(100);
	do {
		usleep(100);
		state = drill_call_state(call);
	} while (state && state != 'S');
}

void drill_call_end(struct drill_call *call)
{
	pthread_join(call->thread, NULL);
}
