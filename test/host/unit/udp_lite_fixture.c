/* Datagrams of UDP-Lite, sound ones and others; see udp_lite_fixture.h. */
#include "test/host/unit/udp_lite_fixture.h"

#include <string.h>

#include "net/core/checksum.h"

uint64_t lite_counted(enum udp_statistic which)
{
	return udp_lite_state(&udp_stack.net)->statistics[which];
}

be16 lite_sum(const uint8_t *datagram, ip4_t source, ip4_t destination, size_t length,
	      size_t covered)
{
	uint32_t pseudo = checksum_pseudo4(source, destination, IPPROTO_UDPLITE, (uint16_t)length);

	return checksum_fold(checksum_add(datagram, covered, pseudo));
}

size_t lite_make_for(ip4_t destination, uint16_t coverage, size_t covered)
{
	const struct ip4_spec spec = {.destination = destination, .protocol = IPPROTO_UDPLITE};
	const struct udp_header header = {
		.source = PEER_PORT, .destination = PORT, .covered = coverage};
	uint8_t datagram[WHOLE];

	udp_lite_emit(&header, datagram);
	memcpy(datagram + UDP_HEADER_LENGTH, TEXT, TEXT_LENGTH);
	udp_put_checksum(datagram, lite_sum(datagram, PEER, destination, WHOLE, covered));
	return ip4_make(udp_wire, &spec, datagram, WHOLE);
}

size_t lite_make(uint16_t coverage)
{
	return lite_make_for(OURS, coverage, coverage ? coverage : WHOLE);
}

void lite_arrives(uint16_t coverage)
{
	ip4_arrives(&udp_stack, udp_wire, lite_make(coverage));
}

struct socket *lite_socket(void)
{
	return make_socket(&udp_stack, SOCK_DGRAM, IPPROTO_UDPLITE);
}

struct socket *lite_bound(void)
{
	struct socket *socket = lite_socket();

	assert_int_equal(do_bind(socket, 0, PORT), 0);
	return socket;
}

bool lite_comes(struct socket *socket)
{
	return do_receive(socket, udp_bytes, sizeof(udp_bytes), NULL) == TEXT_LENGTH;
}
