/* A switch that learns: known unicast goes to one port, the rest to all others. */
#include "kernel/string.h"
#include "net/ethernet/ethernet.h"
#include "test/host/simulator/private.h"

/* The sender's place is remembered; when the memory is full, newcomers are not. */
static void learn(struct node *node, struct mac source, uint32_t port)
{
	uint32_t at = 0;

	while (at < node->station_count && !mac_equal(node->stations[at].mac, source))
		at++;
	if (at == ARRAY_SIZE(node->stations))
		return;
	node->stations[at] = (struct station){source, port};
	node->station_count = MAX(node->station_count, at + 1);
}

/* UINT32_MAX: not known. */
static uint32_t place_of(const struct node *node, struct mac destination)
{
	for (uint32_t i = 0; i < node->station_count; i++) {
		if (mac_equal(node->stations[i].mac, destination))
			return node->stations[i].port;
	}
	return UINT32_MAX;
}

void switch_forward(struct port *in, const uint8_t *bytes, uint32_t length)
{
	struct node *node = in->node;
	uint32_t in_index = (uint32_t)(in - node->ports);
	struct mac destination, source;

	if (length < ETHERNET_HEADER_LENGTH)
		return;
	memcpy(destination.bytes, bytes, MAC_LENGTH);
	memcpy(source.bytes, bytes + MAC_LENGTH, MAC_LENGTH);
	learn(node, source, in_index);
	uint32_t target = place_of(node, destination);

	for (uint32_t i = 0; i < node->port_count; i++) {
		struct port *out = &node->ports[i];

		if (i != in_index && out->link && (target == UINT32_MAX || target == i))
			link_send(out->link, out->side, bytes, length);
	}
}
