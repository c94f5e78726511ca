/* One stack and its device; see station.h. */
#include "test/host/bench/speed/station.h"

#include <string.h>

#include "kernel/printk.h"
#include "net/ethernet/arp.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/inet_socket.h"
#include "net/ipv4/ipv4.h"
#include "net/tcp/tcp.h"

/* A virtio buffer without MRG_RXBUF: the device's header, an Ethernet frame, and alignment. */
#define RECEIVE_BUFFER 1528
#define RECEIVE_PADDING 2  /* the IP header on a multiple of four */
#define FIRST_ROUTE 0x1400 /* 20.0.0.0 */

/* The last bytes of addresses. */
#define OWN 1
#define PEER 2

static uint64_t station_now(void *context)
{
	return ((const struct station *)context)->now_us;
}

/* splitmix64 */
static uint64_t random_number(struct station *station)
{
	uint64_t z = station->random_state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static void station_random(void *context, void *to, size_t n)
{
	uint8_t *bytes = to;

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)random_number(context);
}

/* As a driver with a ring: a frame is given back when its place is needed again. */
static void station_xmit(struct net_device *dev, struct sk_buff *skb)
{
	struct station *station = dev->driver;
	struct sk_buff **slot = &station->sent[station->sent_count++ % STATION_SENT];

	dev->statistics.tx_packets++;
	dev->statistics.tx_bytes += skb->len;
	if (*slot)
		skb_free(*slot);
	*slot = skb;
}

static const struct net_device_ops station_ops = {.xmit = station_xmit};

void station_must(int64_t error)
{
	if (error)
		panic("a benchmark cannot go on: error %ld", (long)error);
}

static struct mac mac_of(uint8_t last)
{
	return (struct mac){{0x02, 0, 0, 0, 0, last}};
}

static void configure(struct station *station, const struct station_end *end) NEEDS_NET_LOCK
{
	ip4_t network = STATION_ADDRESS & ip4_mask(24);

	station_must(netdev_up(station->net.loopback));
	station_must(netdev_up(&station->dev));
	station_must(ip4_add_address(&station->dev, network + end->own, 24, 0));
	station_must(
		arp_set_permanent(&station->dev, network + end->peer, mac_of(end->peer), true));
}

void station_init_end(struct station *station, const struct station_end *end)
{
	memset(station, 0, sizeof(*station));
	station->random_state = end->own;
	const struct net_environment environment = {
		.now_us = station_now,
		.random_bytes = station_random,
		.context = station,
	};

	station_must(net_init(&station->net, &environment));
	station_must(ethernet_init(&station->net));
	station_must(ipv4_init(&station->net));
	station_must(tcp_init(&station->net));
	netdev_init_ethernet(&station->dev, mac_of(end->own), end->ops, end->driver);
	station->dev.features = end->features;
	station_must(netdev_register(&station->net, &station->dev, "eth%d"));
	net_lock(&station->net);
	configure(station, end);
	net_unlock(&station->net);
}

void station_init(struct station *station, bool offload)
{
	station_init_end(station, &(const struct station_end){
					  .own = OWN,
					  .peer = PEER,
					  .features = offload ? NETDEV_CHECKSUM_OFFLOAD : 0,
					  .ops = &station_ops,
					  .driver = station,
				  });
}

void station_advance(struct station *station, uint64_t us)
{
	station->now_us += us;
	if (net_next_timer(&station->net) <= station->now_us)
		net_run_timers(&station->net);
}

void station_destroy(struct station *station)
{
	for (uint32_t i = 0; i < STATION_SENT; i++) {
		if (station->sent[i])
			skb_free(station->sent[i]);
	}
	netdev_unregister(&station->dev);
	tcp_destroy(&station->net);
	ipv4_destroy(&station->net);
	ethernet_destroy(&station->net);
	net_destroy(&station->net);
}

ip4_t station_route_address(uint32_t i)
{
	uint32_t upper = FIRST_ROUTE + i;

	return upper << 16 | (~upper & 0xffff);
}

void station_add_routes(struct station *station, uint32_t count)
{
	net_lock(&station->net);
	for (uint32_t i = 0; i < count; i++) {
		const struct route route = {
			.destination = station_route_address(i) & ip4_mask(24),
			.prefix_length = 24,
			.gateway = STATION_PEER,
		};

		station_must(route_add(&station->net, &route));
	}
	net_unlock(&station->net);
}

void station_receive(struct station *station, const uint8_t *frame, size_t length)
{
	struct sk_buff *skb = skb_alloc(&station->net, RECEIVE_PADDING + RECEIVE_BUFFER);

	assert_always(skb);
	skb_reserve(skb, RECEIVE_PADDING);
	memcpy(skb_put(skb, length), frame, length);
	if (station->dev.features & NETDEV_CHECKSUM_OFFLOAD)
		skb->checksum = SKB_CHECKSUM_VERIFIED;
	netif_receive(&station->dev, skb);
}

struct socket *station_bound_socket(struct station *station, int type, ip4_t address, uint16_t port)
{
	const struct endpoint local = {.addr = net_addr_ip4(address), .port = port};
	struct sockaddr_storage name;
	struct socket *socket = NULL;
	uint32_t length;

	station_must(socket_create(&station->net, AF_INET, type, 0, &socket));
	inet_write_name(&local, &name, &length);
	station_must(socket_bind(socket, &name, length));
	return socket;
}
