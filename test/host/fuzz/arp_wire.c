/* ARP packets (net/ethernet/arp_wire.h). The input is one packet. */
#include "net/ethernet/arp_wire.h"

#include "test/host/fuzz/fuzz.h"

static bool same(const struct arp_packet *a, const struct arp_packet *b)
{
	return a->operation == b->operation && mac_equal(a->sender_mac, b->sender_mac) &&
	       mac_equal(a->target_mac, b->target_mac) && a->sender == b->sender &&
	       a->target == b->target;
}

/* What a parser accepts is all there is: written again, it is the same bytes. */
static void check_parse(const uint8_t *data, size_t size)
{
	struct arp_packet packet;
	uint8_t bytes[ARP_PACKET_LENGTH];
	enum drop_reason reason = arp_parse(data, size, &packet);

	CHECK(reason == DROP_NONE || reason == DROP_ARP_MALFORMED);
	if (reason != DROP_NONE)
		return;
	CHECK(size >= ARP_PACKET_LENGTH);
	CHECK(packet.operation == ARP_REQUEST || packet.operation == ARP_REPLY);
	arp_emit(&packet, bytes);
	CHECK(memcmp(bytes, data, sizeof(bytes)) == 0);
}

/* Any packet of ours can be read. */
static void check_emit(struct fuzz_input input)
{
	struct arp_packet packet = {.operation = fuzz_u8(&input) & 1 ? ARP_REQUEST : ARP_REPLY},
			  read;
	uint8_t bytes[ARP_PACKET_LENGTH];

	for (size_t i = 0; i < MAC_LENGTH; i++) {
		packet.sender_mac.bytes[i] = fuzz_u8(&input);
		packet.target_mac.bytes[i] = fuzz_u8(&input);
	}
	packet.sender = fuzz_u32(&input);
	packet.target = fuzz_u32(&input);
	arp_emit(&packet, bytes);
	CHECK(arp_parse(bytes, sizeof(bytes), &read) == DROP_NONE);
	CHECK(same(&packet, &read));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_parse(data, size);
	check_emit((struct fuzz_input){data, size});
	return 0;
}
