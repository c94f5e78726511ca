/* Large packets for tests; see large_packet.h. */
#include "test/host/unit/large_packet.h"

#include <string.h>

#include "kernel/byteorder.h"
#include "kernel/mm/page.h"

uint8_t large_packet_byte(uint32_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

static void write_payload(void *to, uint32_t offset, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = large_packet_byte(offset + i);
}

static void write_headers(uint8_t *frame, const struct large_packet *large)
{
	uint8_t *ip = frame + ETHERNET_HEADER_LENGTH, *tcp = ip + IP_LENGTH;

	memset(frame, 0, HEADERS);
	memcpy(frame, FIXTURE_PEER.bytes, MAC_LENGTH);
	memcpy(frame + MAC_LENGTH, FIXTURE_MAC.bytes, MAC_LENGTH);
	put_be16(frame + 12, ETHERTYPE_IP4);
	ip[0] = 0x40 | IP_LENGTH / 4;
	put_be16(ip + 2, (uint16_t)(IP_LENGTH + TCP_LENGTH + large->length));
	put_be16(ip + 4, ID);
	put_be16(ip + 6, 0x4000); /* don't fragment */
	ip[8] = 64;
	ip[9] = IPPROTO_TCP;
	put_be32(ip + 12, OURS);
	put_be32(ip + 16, PEER);
	memset(ip + 20, 1, IP_OPTIONS);
	ip4_fix_checksum(ip);
	put_be16(tcp, 1000);
	put_be16(tcp + 2, 2000);
	put_be32(tcp + 4, SEQUENCE);
	put_be32(tcp + 8, 0x12345678);
	tcp[12] = TCP_LENGTH / 4 << 4;
	tcp[13] = large->flags;
	put_be16(tcp + 14, 512);
	put_be16(tcp + 18, URGENT);
	memset(tcp + 20, 1, TCP_OPTIONS);
}

size_t large_packet_write(uint8_t *frame, const struct large_packet *large)
{
	write_headers(frame, large);
	write_payload(frame + HEADERS, 0, large->length);
	return HEADERS + large->length;
}

static void add_pages(struct sk_buff *skb, const struct large_packet *large)
{
	for (uint32_t done = large->linear; done < large->length;) {
		uint32_t part = MIN(large->piece, large->length - done);
		struct page *page = page_alloc();

		assert_non_null(page);
		write_payload((uint8_t *)page_address(page) + (PAGE_SIZE - part), done, part);
		assert_int_equal(skb_add_fragment(skb, page, PAGE_SIZE - part, part), 0);
		done += part;
	}
}

struct sk_buff *large_packet_make(struct net *net, const struct large_packet *large)
{
	struct sk_buff *skb = skb_alloc(net, SKB_HEADROOM + HEADERS + large->linear);

	assert_non_null(skb);
	skb_reserve(skb, SKB_HEADROOM);
	write_headers(skb_put(skb, HEADERS), large);
	write_payload(skb_put(skb, large->linear), 0, large->linear);
	add_pages(skb, large);
	skb_mark_link_header(skb);
	skb->network_offset = skb->link_offset + ETHERNET_HEADER_LENGTH;
	skb->transport_offset = skb->network_offset + IP_LENGTH;
	skb->protocol = ETHERTYPE_IP4;
	skb->gso_size = large->gso_size;
	skb->gso_type = large->gso_type ? large->gso_type : SKB_GSO_TCP4;
	skb->checksum = SKB_CHECKSUM_PARTIAL;
	skb->csum_start = skb->transport_offset;
	skb->csum_offset = 16;
	return skb;
}
