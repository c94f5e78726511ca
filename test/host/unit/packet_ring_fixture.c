#include "test/host/unit/packet_ring_fixture.h"

#include "kernel/byteorder.h"
#include "kernel/mm/page.h"

struct fixture f;
struct socket *made;

int packet_ring_set_up(void **state __unused)
{
	fixture_init(&f);
	return 0;
}

int packet_ring_tear_down(void **state __unused)
{
	host_fail_allocation(0);
	if (made)
		socket_close(made);
	made = NULL;
	fixture_destroy(&f);
	return 0;
}

void open_packet_socket(int type)
{
	assert_int_equal(socket_create(&f.net, AF_PACKET, type, cpu_to_be16(ETH_P_ALL).raw, &made),
			 0);
}

int set_number(int option, int32_t number)
{
	return socket_setsockopt(made, SOL_PACKET, option, &number, sizeof(number));
}

int set_ring(const struct tpacket_req3 *request, int version)
{
	size_t size = version == TPACKET_V3 ? sizeof(*request) : sizeof(struct tpacket_req);

	return socket_setsockopt(made, SOL_PACKET, PACKET_RX_RING, request, (uint32_t)size);
}

void *seen(uint64_t at)
{
	const struct packet_ring *ring = packet_socket_of(made)->ring;

	return (uint8_t *)page_address(ring->pages[at / PAGE_SIZE]) + at % PAGE_SIZE;
}

void frame_comes(const void *payload, size_t n)
{
	fixture_receive_ethernet(&f, FIXTURE_MAC, FIXTURE_PEER, TEST_TYPE, payload, n);
}
