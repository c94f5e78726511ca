/* One stack and its device; see station.h. */
#include "test/host/bench/speed/station.h"

#include <string.h>

#include "kernel/printk.h"
#include "net/ethernet/arp.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/inet_socket.h"
#include "net/ipv4/ipv4.h"

/* A virtio buffer without MRG_RXBUF: the device's header, an Ethernet frame, and alignment. */
#define RECEIVE_BUFFER 1528
#define RECEIVE_PADDING 2  /* the IP header on a multiple of four */
#define FIRST_ROUTE 0x1400 /* 20.0.0.0 */

static const struct mac our_mac = {{0x02, 0, 0, 0, 0, 1}};
static const struct mac peer_mac = {{0x02, 0, 0, 0, 0, 2}};

static uint64_t station_now(void *context __unused)
{
	return 0; /* nothing here waits */
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

static void must(int error)
{
	if (error)
		panic("a benchmark cannot be set up: error %d", error);
}

void station_init(struct station *station, bool offload)
{
	memset(station, 0, sizeof(*station));
	station->random_state = 1;
	const struct net_environment environment = {
		.now_us = station_now,
		.random_bytes = station_random,
		.context = station,
	};

	must(net_init(&station->net, &environment));
	must(ethernet_init(&station->net));
	must(ipv4_init(&station->net));
	netdev_init_ethernet(&station->dev, our_mac, &station_ops, station);
	station->dev.features = offload ? NETDEV_CHECKSUM_OFFLOAD : 0;
	must(netdev_register(&station->net, &station->dev, "eth%d"));
	net_lock(&station->net);
	must(netdev_up(station->net.loopback));
	must(netdev_up(&station->dev));
	must(ip4_add_address(&station->dev, STATION_ADDRESS, 24, 0));
	must(arp_set_permanent(&station->dev, STATION_PEER, peer_mac, true));
	net_unlock(&station->net);
}

void station_destroy(struct station *station)
{
	for (uint32_t i = 0; i < STATION_SENT; i++) {
		if (station->sent[i])
			skb_free(station->sent[i]);
	}
	netdev_unregister(&station->dev);
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

		must(route_add(&station->net, &route));
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

	must(socket_create(&station->net, AF_INET, type, 0, &socket));
	inet_write_name(&local, &name, &length);
	must(socket_bind(socket, &name, length));
	return socket;
}
