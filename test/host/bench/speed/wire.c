/* Two stations and a wire; see wire.h. */
#include "test/host/bench/speed/wire.h"

static void wire_xmit(struct net_device *dev, struct sk_buff *skb)
{
	struct wire_end *end = dev->driver;

	dev->statistics.tx_packets++;
	dev->statistics.tx_bytes += skb->len;
	skb_queue_append(&end->other->arriving, skb);
}

static const struct net_device_ops wire_ops = {.xmit = wire_xmit};

void wire_init(struct wire *wire, uint32_t features)
{
	for (uint32_t i = 0; i < WIRE_ENDS; i++) {
		wire->ends[i].other = &wire->ends[WIRE_ENDS - 1 - i];
		skb_queue_init(&wire->ends[i].arriving);
	}
	for (uint8_t i = 0; i < WIRE_ENDS; i++) {
		struct wire_end *end = &wire->ends[i];

		station_init_end(&end->station, &(const struct station_end){
							.own = (uint8_t)(i + 1),
							.peer = (uint8_t)(WIRE_ENDS - i),
							.features = features,
							.ops = &wire_ops,
							.driver = end,
						});
	}
}

void wire_destroy(struct wire *wire)
{
	wire_carry(wire);
	for (uint32_t i = 0; i < WIRE_ENDS; i++)
		station_destroy(&wire->ends[i].station);
}

/* The sender's packet becomes the receiver's, whose stack it is counted in. */
static void hand_over(struct sk_buff *skb, struct station *to)
{
	skb_orphan(skb);
	skb->net->live_skbs--;
	skb->net = &to->net;
	to->net.live_skbs++;
	/* A sum that was left to the device, and never was on a wire where it could break. */
	if (skb->checksum == SKB_CHECKSUM_PARTIAL)
		skb->checksum = SKB_CHECKSUM_VERIFIED;
}

/* One round of the softirq. False: nothing has arrived. */
static bool receive_batch(struct wire_end *end)
{
	struct sk_buff *skb;

	if (!end->arriving.length)
		return false;
	net_lock(&end->station.net);
	for (uint32_t i = 0; i < SPEED_BATCH && (skb = skb_queue_take(&end->arriving)); i++) {
		hand_over(skb, &end->station);
		netif_receive(&end->station.dev, skb);
	}
	net_unlock(&end->station.net);
	return true;
}

void wire_carry(struct wire *wire)
{
	bool more = true;

	while (more) {
		more = receive_batch(&wire->ends[0]);
		more |= receive_batch(&wire->ends[1]);
	}
}

void wire_advance(struct wire *wire, uint64_t us)
{
	for (uint32_t i = 0; i < WIRE_ENDS; i++)
		station_advance(&wire->ends[i].station, us);
}
