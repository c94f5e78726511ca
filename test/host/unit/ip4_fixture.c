/* A stack with IPv4 on a wire that the test holds; see ip4_fixture.h. */
#include "test/host/unit/ip4_fixture.h"

#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "net/core/checksum.h"
#include "net/ethernet/arp.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/icmp_wire.h"
#include "net/ipv4/udp_wire.h"

void ip4_fixture_init(struct fixture *f)
{
	const struct route route = {.gateway = GATEWAY, .dev = &f->dev};

	fixture_init(f);
	assert_int_equal(ipv4_init(&f->net), 0);
	net_lock(&f->net);
	assert_int_equal(ip4_add_address(&f->dev, OURS, 24, 0), 0);
	assert_int_equal(route_add(&f->net, &route), 0);
	assert_int_equal(arp_set_permanent(&f->dev, PEER, FIXTURE_PEER, true), 0);
	assert_int_equal(arp_set_permanent(&f->dev, GATEWAY, GATEWAY_MAC, true), 0);
	net_unlock(&f->net);
	fixture_clear_sent(f); /* the announcement of our address */
}

void ip4_fixture_destroy(struct fixture *f)
{
	host_close_all();
	fixture_run(f);
	ipv4_destroy(&f->net);
	fixture_destroy(f);
}

void ip4_fix_checksum(uint8_t *packet)
{
	size_t length = (packet[0] & 15u) * 4;

	put_be16(packet + 10, 0);
	be16 checksum = checksum_fold(checksum_add(packet, length, 0));

	memcpy(packet + 10, &checksum, sizeof(checksum));
}

size_t ip4_make(uint8_t *to, const struct ip4_spec *spec, const void *payload, size_t n)
{
	size_t header_length = IP4_HEADER_MIN + spec->options_length;

	to[0] = (uint8_t)(0x40 | header_length / 4);
	to[1] = spec->tos;
	put_be16(to + 2, (uint16_t)(header_length + n));
	put_be16(to + 4, spec->id);
	put_be16(to + 6, spec->fragment);
	to[8] = spec->ttl ? spec->ttl : 64;
	to[9] = spec->protocol ? spec->protocol : IPPROTO_UDP;
	put_be32(to + 12, spec->source ? spec->source : PEER);
	put_be32(to + 16, spec->destination ? spec->destination : OURS);
	if (spec->options_length)
		memcpy(to + IP4_HEADER_MIN, spec->options, spec->options_length);
	ip4_fix_checksum(to);
	if (n)
		memmove(to + header_length, payload, n);
	return header_length + n;
}

size_t udp_make(uint8_t *to, ip4_t source, ip4_t destination, uint16_t source_port,
		uint16_t destination_port, const void *payload, size_t n)
{
	const struct udp_header header = {.source = source_port,
					  .destination = destination_port,
					  .length = (uint16_t)(UDP_HEADER_LENGTH + n)};

	udp_emit(&header, to);
	if (n)
		memcpy(to + UDP_HEADER_LENGTH, payload, n);
	udp_put_checksum(to, checksum_fold(checksum_add(
				     to, UDP_HEADER_LENGTH + n,
				     checksum_pseudo4(source, destination, IPPROTO_UDP,
						      (uint16_t)(UDP_HEADER_LENGTH + n)))));
	return UDP_HEADER_LENGTH + n;
}

size_t icmp_make(uint8_t *to, uint8_t type, uint8_t code, uint32_t info, const void *payload,
		 size_t n)
{
	icmp_emit(type, code, info, to);
	if (n)
		memcpy(to + ICMP_HEADER_LENGTH, payload, n);
	be16 checksum = checksum_fold(checksum_add(to, ICMP_HEADER_LENGTH + n, 0));

	memcpy(to + 2, &checksum, sizeof(checksum));
	return ICMP_HEADER_LENGTH + n;
}

size_t udp_packet(uint8_t *to, uint16_t source_port, uint16_t destination_port, const void *payload,
		  size_t n)
{
	const struct ip4_spec spec = {0};
	size_t length = udp_make(to + IP4_HEADER_MIN, PEER, OURS, source_port, destination_port,
				 payload, n);

	return ip4_make(to, &spec, to + IP4_HEADER_MIN, length);
}

size_t echo_packet(uint8_t *to, uint16_t id, const void *payload, size_t n)
{
	const struct ip4_spec spec = {.protocol = IPPROTO_ICMP};
	size_t length = icmp_make(to + IP4_HEADER_MIN, ICMP_ECHO, 0, (uint32_t)id << 16 | 1,
				  payload, n);

	return ip4_make(to, &spec, to + IP4_HEADER_MIN, length);
}

void ip4_arrives(struct fixture *f, const uint8_t *packet, size_t n)
{
	fixture_receive_ethernet(f, FIXTURE_MAC, FIXTURE_PEER, ETHERTYPE_IP4, packet, n);
}

void ip4_arrives_broadcast(struct fixture *f, const uint8_t *packet, size_t n)
{
	fixture_receive_ethernet(f, MAC_BROADCAST, FIXTURE_PEER, ETHERTYPE_IP4, packet, n);
}

const uint8_t *ip4_sent(struct fixture *f, uint32_t i, struct ip4_header *header)
{
	const struct fixture_frame *frame = fixture_sent(f, i);
	const uint8_t *packet = frame->bytes + ETHERNET_HEADER_LENGTH;

	assert_true(frame->length >= ETHERNET_HEADER_LENGTH + IP4_HEADER_MIN);
	assert_int_equal(get_be16(frame->bytes + 12), ETHERTYPE_IP4);
	assert_int_equal(ip4_parse(packet, frame->length - ETHERNET_HEADER_LENGTH,
				   frame->length - ETHERNET_HEADER_LENGTH, header),
			 DROP_NONE);
	return packet;
}

void assert_still_answers(struct fixture *f)
{
	uint8_t packet[64];
	struct ip4_header header;

	fixture_clear_sent(f);
	ip4_arrives(f, packet, echo_packet(packet, 77, "still there?", 12));
	assert_int_equal(f->sent_count, 1);
	const uint8_t *reply = ip4_sent(f, 0, &header);

	assert_int_equal(header.destination, PEER);
	assert_int_equal(header.protocol, IPPROTO_ICMP);
	assert_int_equal(reply[IP4_HEADER_MIN], ICMP_ECHOREPLY);
	assert_memory_equal(reply + IP4_HEADER_MIN + ICMP_HEADER_LENGTH, "still there?", 12);
	fixture_clear_sent(f);
}

void assert_refused(struct fixture *f, const uint8_t *packet, size_t n, enum drop_reason reason)
{
	uint64_t before[DROP_REASON_COUNT], live = f->net.live_skbs;

	memcpy(before, f->net.drops, sizeof(before));
	fixture_clear_sent(f);
	ip4_arrives(f, packet, n);
	for (uint32_t i = 0; i < DROP_REASON_COUNT; i++) {
		if (f->net.drops[i] != before[i] + (i == reason))
			fail_msg("%s went from %lu to %lu", drop_reason_name(i),
				 (unsigned long)before[i], (unsigned long)f->net.drops[i]);
	}
	assert_int_equal(f->sent_count, 0);
	assert_int_equal(f->net.live_skbs, live);
	assert_still_answers(f);
}

struct socket *make_socket(struct fixture *f, int type, int protocol)
{
	struct socket *socket = NULL;

	assert_int_equal(socket_create(&f->net, AF_INET, type, protocol, &socket), 0);
	return socket;
}

static uint32_t make_name(ip4_t address, uint16_t port, struct sockaddr_storage *name)
{
	const struct endpoint endpoint = {.addr = net_addr_ip4(address), .port = port};
	uint32_t length;

	inet_write_name(&endpoint, name, &length);
	return length;
}

int do_bind(struct socket *socket, ip4_t address, uint16_t port)
{
	struct sockaddr_storage name;

	return socket_bind(socket, &name, make_name(address, port, &name));
}

int do_connect(struct socket *socket, ip4_t address, uint16_t port)
{
	struct sockaddr_storage name;

	return socket_connect(socket, &name, make_name(address, port, &name), false);
}

struct socket *make_bound(struct fixture *f, ip4_t address, uint16_t port)
{
	struct socket *socket = make_socket(f, SOCK_DGRAM, 0);

	assert_int_equal(do_bind(socket, address, port), 0);
	return socket;
}

int64_t do_send(struct socket *socket, ip4_t address, uint16_t port, const void *bytes, size_t n)
{
	struct message message = {.flags = MSG_DONTWAIT};

	if (address || port)
		message.name_length = make_name(address, port, &message.name);
	iov_init_kernel(&message.iov, (void *)(uintptr_t)bytes, n);
	return socket_sendmsg(socket, &message);
}

int64_t do_receive(struct socket *socket, void *to, size_t n, struct endpoint *from)
{
	struct message message = {.flags = MSG_DONTWAIT};
	int64_t result;

	iov_init_kernel(&message.iov, to, n);
	result = socket_recvmsg(socket, &message);
	if (result >= 0 && from)
		assert_int_equal(inet_read_name(&message.name, message.name_length, from), 0);
	return result;
}

int set_option(struct socket *socket, int level, int option, int value)
{
	return socket_setsockopt(socket, level, option, &value, sizeof(value));
}

int get_option(struct socket *socket, int level, int option)
{
	int value = -1;
	uint32_t length = sizeof(value);
	int error = socket_getsockopt(socket, level, option, &value, &length);

	return error ? error : value;
}
