/* Datagrams and who has received them; see udp_fixture.h. */
#include "test/host/unit/udp_fixture.h"

#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "net/ethernet/ethernet.h"

struct fixture udp_stack;
uint8_t udp_wire[UDP_ROOM];
uint8_t udp_bytes[UDP_ROOM];

int udp_set_up(void **state __unused)
{
	ip4_fixture_init(&udp_stack);
	return 0;
}

int udp_tear_down(void **state __unused)
{
	host_fail_allocation(0);
	ip4_fixture_destroy(&udp_stack);
	return 0;
}

void udp_arrives(uint16_t from, uint16_t to, const char *text)
{
	ip4_arrives(&udp_stack, udp_wire, udp_packet(udp_wire, from, to, text, strlen(text)));
}

void udp_arrives_for(ip4_t source, ip4_t destination, uint16_t from, uint16_t to)
{
	const struct ip4_spec spec = {.destination = destination};
	uint8_t datagram[64];
	size_t n = udp_make(datagram, source, destination, from, to, "x", 1);

	n = ip4_make(udp_wire, &spec, datagram, n);
	put_be32(udp_wire + 12, source); /* which may be 0 */
	ip4_fix_checksum(udp_wire);
	ip4_arrives(&udp_stack, udp_wire, n);
}

void udp_error_about(uint8_t protocol, uint8_t code, const void *datagram, size_t n)
{
	const struct ip4_spec inner = {.source = OURS, .destination = PEER, .protocol = protocol},
			      outer = {.protocol = IPPROTO_ICMP};
	uint8_t quoted[64], message[128];

	n = ip4_make(quoted, &inner, datagram, n);
	n = icmp_make(message, ICMP_DEST_UNREACH, code, 0, quoted, n);
	ip4_arrives(&udp_stack, udp_wire, ip4_make(udp_wire, &outer, message, n));
}

void udp_error_arrives(uint8_t code, uint16_t source_port, uint16_t destination_port)
{
	uint8_t datagram[32];
	size_t n = udp_make(datagram, OURS, PEER, source_port, destination_port, "lost one", 8);

	udp_error_about(IPPROTO_UDP, code, datagram, n);
}

uint32_t udp_take_all(struct socket *socket)
{
	uint32_t count = 0;

	while (do_receive(socket, udp_bytes, sizeof(udp_bytes), NULL) >= 0)
		count++;
	return count;
}

uint16_t udp_local_port(struct socket *socket)
{
	struct sockaddr_storage name;
	uint32_t length = sizeof(name);
	struct endpoint local;

	assert_int_equal(socket_name(socket, false, &name, &length), 0);
	assert_int_equal(inet_read_name(&name, length, &local), 0);
	return local.port;
}

void udp_join_group(struct socket *socket)
{
	struct ip_mreq request = {.imr_multiaddr.s_addr = cpu_to_be32(GROUP),
				  .imr_interface.s_addr = cpu_to_be32(OURS)};

	assert_int_equal(
		socket_setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request)), 0);
}

struct sk_buff *udp_frame(size_t n)
{
	struct sk_buff *skb = skb_alloc(&udp_stack.net, ETHERNET_HEADER_LENGTH + n);

	assert_non_null(skb);
	uint8_t *bytes = skb_put(skb, ETHERNET_HEADER_LENGTH + n);

	memcpy(bytes, FIXTURE_MAC.bytes, MAC_LENGTH);
	memcpy(bytes + MAC_LENGTH, FIXTURE_PEER.bytes, MAC_LENGTH);
	put_be16(bytes + 2 * MAC_LENGTH, ETHERTYPE_IP4);
	memcpy(bytes + ETHERNET_HEADER_LENGTH, udp_wire, n);
	return skb;
}

void udp_frame_arrives(struct sk_buff *skb)
{
	net_lock(&udp_stack.net);
	netif_receive(&udp_stack.dev, skb);
	net_unlock(&udp_stack.net);
	fixture_run(&udp_stack);
}

void udp_survives_failures(int protocol, size_t (*make)(void), void (*use)(struct socket *socket))
{
	uint64_t made = 1; /* by a run in which nothing fails: found by the 0th */

	for (uint64_t nth = 0; nth <= made; nth++) {
		struct socket *socket = NULL;
		struct sk_buff *frame = udp_frame(make());

		host_fail_allocation(nth);
		if (socket_create(&udp_stack.net, AF_INET, SOCK_DGRAM, protocol, &socket) == 0) {
			use(socket);
			udp_frame_arrives(frame);
			frame = NULL;
			udp_take_all(socket);
			socket_close(socket);
		}
		if (frame)
			skb_free(frame);
		if (nth == 0)
			made = host_allocations_made();
		host_fail_allocation(0);
		assert_still_answers(&udp_stack);
	}
	assert_true(made > 5);
}
