/*
 * ARP's behaviour: asking, answering, and the life of an entry. See arp.h.
 *
 * References: RFC 826, RFC 1122 2.3.2, RFC 5227. Not implemented: proxy ARP (RFC 1027), by choice.
 */
#include "net/ethernet/arp.h"

#include "include/uapi/if_arp.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/ethernet/arp_wire.h"
#include "net/ethernet/ethernet.h"
#include "net/ethernet/ethernet_private.h"

void arp_set_address_operations(struct net *net, const struct arp_address_operations *operations)
{
	ethernet_of(net)->arp.operations = operations;
}

static bool is_ours(struct net_device *dev, ip4_t address) NEEDS_NET_LOCK
{
	const struct arp_address_operations *operations = arp_table_of(dev)->operations;

	return operations && operations->is_ours(dev, address);
}

static void transmit(struct net_device *dev, const struct arp_packet *packet,
		     struct mac destination) NEEDS_NET_LOCK
{
	struct sk_buff *skb = skb_alloc(dev->net, SKB_HEADROOM + ARP_PACKET_LENGTH);

	if (!skb) {
		dev->net->drops[DROP_NO_MEMORY]++;
		return;
	}
	skb_reserve(skb, SKB_HEADROOM);
	skb_mark_network_header(skb);
	arp_emit(packet, skb_put(skb, ARP_PACKET_LENGTH));
	ethernet_send(dev, skb, destination, ETHERTYPE_ARP);
}

static void send_request(struct net_device *dev, ip4_t source, ip4_t target,
			 struct mac destination) NEEDS_NET_LOCK
{
	const struct arp_packet request = {
		.operation = ARP_REQUEST,
		.sender_mac = dev->mac,
		.sender = source,
		.target = target,
	};

	transmit(dev, &request, destination);
}

/* RFC 5227 2.1.1: a probe counts until ANNOUNCE_WAIT has passed without an objection. */
void arp_probe(struct net_device *dev, ip4_t address)
{
	struct arp_watch *watch = arp_find_watch(arp_table_of(dev), dev, address, true);

	watch->probing_until_us = net_now(dev->net) + ARP_PROBE_WAIT_US;
	send_request(dev, IP4_ANY, address, dev->broadcast);
}

/* RFC 5227 2.3. */
void arp_announce(struct net_device *dev, ip4_t address)
{
	struct arp_watch *watch = arp_find_watch(arp_table_of(dev), dev, address, false);

	if (watch)
		watch->probing_until_us = 0;
	send_request(dev, address, address, dev->broadcast);
}

/*
 * The next try, and the time of the one after it. RFC 1122 2.3.2.1: at most one request a second to
 * one address. The first about a neighbour that was known goes to its old address alone: "Unicast
 * Poll".
 */
static void ask(struct arp_entry *entry) NEEDS_NET_LOCK
{
	struct net_device *dev = entry->dev;
	const struct arp_address_operations *operations = arp_table_of(dev)->operations;
	ip4_t source = operations ? operations->source_for(dev, entry->address) : IP4_ANY;
	bool poll = entry->state == ARP_STALE && entry->tries == 0;

	entry->tries++;
	net_timer_arm(dev->net, &entry->timer, net_now(dev->net) + ARP_RETRY_US);
	send_request(dev, source, entry->address, poll ? entry->mac : dev->broadcast);
}

/* No answer: the entry goes, and those who waited learn why. */
static void give_up(struct arp_entry *entry) NEEDS_NET_LOCK
{
	struct net_device *dev = entry->dev;
	struct arp_table *table = arp_table_of(dev);
	struct skb_queue waiting;
	struct sk_buff *skb;

	skb_queue_init(&waiting);
	while ((skb = skb_queue_take(&entry->waiting)))
		skb_queue_append(&waiting, skb);
	arp_remove(table, entry); /* first: what `unreachable` sends may come here again */
	while ((skb = skb_queue_take(&waiting))) {
		if (table->operations)
			table->operations->unreachable(dev, skb);
		else
			skb_drop(skb, DROP_ARP_UNRESOLVED);
	}
}

static void become_stale(struct arp_entry *entry) NEEDS_NET_LOCK
{
	entry->state = ARP_STALE;
	entry->tries = 0;
	entry->used = false;
	arp_tell(arp_table_of(entry->dev), entry, false);
}

void arp_timer_fired(struct timer *timer)
{
	struct arp_entry *entry = container_of(timer, struct arp_entry, timer);

	if (entry->state == ARP_REACHABLE && !entry->used) {
		arp_remove(arp_table_of(entry->dev), entry);
		return;
	}
	if (entry->state == ARP_REACHABLE)
		become_stale(entry);
	if (entry->tries >= ARP_TRIES)
		give_up(entry);
	else
		ask(entry);
}

static void set_reachable(struct arp_entry *entry) NEEDS_NET_LOCK
{
	struct net *net = entry->dev->net;

	entry->state = ARP_REACHABLE;
	entry->tries = 0;
	net_timer_arm(net, &entry->timer, net_now(net) + ARP_REACHABLE_US);
	arp_tell(arp_table_of(entry->dev), entry, false);
}

static void note_use(struct arp_entry *entry) NEEDS_NET_LOCK
{
	entry->used = true;
	if (entry->state != ARP_PERMANENT)
		arp_set_use(arp_table_of(entry->dev), entry, ARP_USED);
}

/* The neighbour answered: what waited goes out in the order in which it came. */
void arp_resolve(struct arp_entry *entry, struct mac mac)
{
	bool first = entry->state == ARP_INCOMPLETE;
	struct sk_buff *skb;

	entry->mac = mac;
	set_reachable(entry);
	if (first)
		note_use(entry);
	while ((skb = skb_queue_take(&entry->waiting)))
		ethernet_send(entry->dev, skb, mac, ETHERTYPE_IP4);
}

static bool queue_is_full(const struct skb_queue *waiting, const struct sk_buff *skb)
{
	return waiting->length >= ARP_QUEUE_MAX ||
	       (waiting->length && waiting->truesize + skb->truesize > ARP_QUEUE_BYTES_MAX);
}

/* RFC 1122 2.3.2.2: at least the latest packet is saved; ours are the latest few. */
static void wait_for_answer(struct arp_entry *entry, struct sk_buff *skb) NEEDS_NET_LOCK
{
	while (queue_is_full(&entry->waiting, skb))
		skb_drop(skb_queue_take(&entry->waiting), DROP_ARP_QUEUE_FULL);
	skb->dev = entry->dev;
	skb_queue_append(&entry->waiting, skb);
}

void arp_send(struct net_device *dev, struct sk_buff *skb, ip4_t next_hop)
{
	struct arp_table *table = arp_table_of(dev);
	struct arp_entry *entry = arp_find(table, dev, next_hop);

	if (unlikely(!entry)) {
		entry = arp_insert(table, dev, next_hop, ARP_ASKED, arp_timer_fired);
		if (!entry) {
			skb_drop(skb, DROP_NO_MEMORY);
			return;
		}
		wait_for_answer(entry, skb);
		ask(entry);
		return;
	}
	if (unlikely(entry->state == ARP_INCOMPLETE)) {
		wait_for_answer(entry, skb);
		return;
	}
	if (unlikely(!entry->used))
		note_use(entry);
	ethernet_send(dev, skb, entry->mac, ETHERTYPE_IP4);
}

void arp_doubt(struct net_device *dev, ip4_t neighbour)
{
	struct arp_entry *entry = arp_find(arp_table_of(dev), dev, neighbour);

	if (entry && entry->state == ARP_REACHABLE) {
		become_stale(entry);
		ask(entry);
	}
}

/* A sender that no host can be, or that is ourselves. */
static enum drop_reason check_sender(const struct net_device *dev, const struct arp_packet *packet)
{
	if (mac_is_multicast(packet->sender_mac) || mac_equal(packet->sender_mac, MAC_ZERO) ||
	    mac_equal(packet->sender_mac, dev->mac))
		return DROP_ARP_BAD_SENDER;
	if (packet->sender == IP4_ANY) /* a probe */
		return packet->operation == ARP_REQUEST ? DROP_NONE : DROP_ARP_BAD_SENDER;
	if (!ip4_is_unicast(packet->sender) || ip4_is_loopback(packet->sender))
		return DROP_ARP_BAD_SENDER;
	return DROP_NONE;
}

static void tell_conflict(struct net_device *dev, ip4_t address, struct mac other) NEEDS_NET_LOCK
{
	const struct arp_address_operations *operations = arp_table_of(dev)->operations;

	if (operations && operations->conflict)
		operations->conflict(dev, address, other);
}

/*
 * RFC 5227 2.4, (b) and (c): our address is used by another: one announcement, and none for ten
 * seconds after it.
 */
static void defend(struct net_device *dev, ip4_t address) NEEDS_NET_LOCK
{
	struct arp_watch *watch = arp_find_watch(arp_table_of(dev), dev, address, true);
	uint64_t now_us = net_now(dev->net);

	if (now_us < watch->defend_again_us)
		return;
	watch->defend_again_us = now_us + ARP_DEFEND_INTERVAL_US;
	arp_announce(dev, address);
}

/*
 * RFC 5227 2.1.1: does the packet say that `address`, which we are probing, is taken or also probed
 * by another?
 */
static bool objects_to_probe(struct net_device *dev, const struct arp_packet *packet,
			     ip4_t address) NEEDS_NET_LOCK
{
	const struct arp_watch *watch = arp_find_watch(arp_table_of(dev), dev, address, false);

	return watch && address != IP4_ANY && net_now(dev->net) < watch->probing_until_us &&
	       (packet->sender == address ||
		(packet->sender == IP4_ANY && packet->operation == ARP_REQUEST));
}

/* Detects, and acts on, another's use of an address of ours. */
static bool conflicts(struct net_device *dev, const struct arp_packet *packet) NEEDS_NET_LOCK
{
	if (packet->sender != IP4_ANY && is_ours(dev, packet->sender)) {
		defend(dev, packet->sender);
		tell_conflict(dev, packet->sender, packet->sender_mac);
		return true;
	}
	ip4_t probed = packet->sender != IP4_ANY ? packet->sender : packet->target;

	if (!objects_to_probe(dev, packet, probed))
		return false;
	tell_conflict(dev, probed, packet->sender_mac);
	return true;
}

/*
 * An entry's neighbour shows itself unasked, with the address that we know or another. Another is
 * not believed: the entry is asked again, by broadcast, and the answer decides. Meanwhile the old
 * address is used.
 */
static void observe(struct arp_entry *entry, struct mac mac) NEEDS_NET_LOCK
{
	if (entry->state == ARP_INCOMPLETE) {
		arp_resolve(entry, mac);
		return;
	}
	if (entry->state != ARP_REACHABLE || mac_equal(entry->mac, mac))
		return;
	entry->state = ARP_STALE;
	entry->tries = 1; /* without the unicast poll */
	ask(entry);
}

/* RFC 826: who asks us will hear from us soon. */
static void learn(struct net_device *dev, ip4_t sender, struct mac mac) NEEDS_NET_LOCK
{
	struct arp_table *table = arp_table_of(dev);
	struct arp_entry *entry = arp_find(table, dev, sender);

	if (entry) {
		observe(entry, mac);
		return;
	}
	if (table->operations->may_be_neighbour &&
	    !table->operations->may_be_neighbour(dev, sender))
		return;
	entry = arp_insert(table, dev, sender, ARP_LEARNED, arp_timer_fired);
	if (!entry)
		return;
	entry->mac = mac;
	set_reachable(entry);
}

static void send_reply(struct net_device *dev, const struct arp_packet *request) NEEDS_NET_LOCK
{
	const struct arp_packet reply = {
		.operation = ARP_REPLY,
		.sender_mac = dev->mac,
		.sender = request->target,
		.target_mac = request->sender_mac,
		.target = request->sender,
	};

	transmit(dev, &reply, request->sender_mac);
}

static enum drop_reason handle_request(struct net_device *dev,
				       const struct arp_packet *packet) NEEDS_NET_LOCK
{
	if (is_ours(dev, packet->target)) {
		if (packet->sender != IP4_ANY)
			learn(dev, packet->sender, packet->sender_mac);
		send_reply(dev, packet);
		return DROP_NONE;
	}
	struct arp_entry *entry = arp_find(arp_table_of(dev), dev, packet->sender);

	if (!entry)
		return DROP_ARP_NOT_FOR_US;
	observe(entry, packet->sender_mac);
	return DROP_NONE;
}

static enum drop_reason handle_reply(struct net_device *dev,
				     const struct arp_packet *packet) NEEDS_NET_LOCK
{
	struct arp_entry *entry = arp_find(arp_table_of(dev), dev, packet->sender);

	if (!entry)
		return DROP_ARP_UNSOLICITED;
	if (entry->state == ARP_INCOMPLETE || entry->state == ARP_STALE) {
		arp_resolve(entry, packet->sender_mac);
		return DROP_NONE;
	}
	if (packet->sender == packet->target) /* an announcement, in the form of a reply */
		observe(entry, packet->sender_mac);
	return DROP_ARP_UNSOLICITED;
}

static enum drop_reason handle(struct net_device *dev,
			       const struct arp_packet *packet) NEEDS_NET_LOCK
{
	enum drop_reason reason = check_sender(dev, packet);

	if (reason != DROP_NONE)
		return reason;
	if (conflicts(dev, packet))
		return DROP_ARP_CONFLICT;
	return packet->operation == ARP_REQUEST ? handle_request(dev, packet)
						: handle_reply(dev, packet);
}

void arp_receive(struct net_device *dev, struct sk_buff *skb)
{
	struct arp_packet packet;
	enum drop_reason reason = DROP_ARP_MALFORMED;

	if (skb_may_pull(skb, ARP_PACKET_LENGTH))
		reason = arp_parse(skb->data, ARP_PACKET_LENGTH, &packet);
	if (reason == DROP_NONE)
		reason = handle(dev, &packet);
	if (reason == DROP_NONE)
		skb_free(skb);
	else
		skb_drop(skb, reason);
}
