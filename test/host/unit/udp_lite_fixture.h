/*
 * What the tests of UDP-Lite start from beside udp_fixture.h: datagrams with TEXT from PEER to
 * PORT, of any coverage, and a socket that is bound there.
 */
#ifndef TEST_HOST_UNIT_UDP_LITE_FIXTURE_H
#define TEST_HOST_UNIT_UDP_LITE_FIXTURE_H

#include "net/ipv4/udp.h"
#include "net/ipv4/udp_wire.h"
#include "test/host/unit/udp_fixture.h"

#define PORT 5000
#define PEER_PORT 77
#define TEXT "0123456789"
#define TEXT_LENGTH 10
#define WHOLE (UDP_HEADER_LENGTH + TEXT_LENGTH)
#define DATAGRAM IP4_HEADER_MIN /* where it begins in a packet */
#define COVERAGE_FIELD 4        /* where it is in a datagram; of 16 bits */
#define CHECKSUM_FIELD 6

uint64_t lite_counted(enum udp_statistic which);

/*
 * The sum of a datagram's first bytes and its pseudo-header, folded: 0 when the checksum is right.
 */
be16 lite_sum(const uint8_t *datagram, ip4_t source, ip4_t destination, size_t length,
	      size_t covered);

/*
 * To udp_wire: a packet to one of our addresses. The field says `coverage`; the checksum is of
 * `covered` bytes. Returns its length.
 */
size_t lite_make_for(ip4_t destination, uint16_t coverage, size_t covered);
/* A sound one to OURS. */
size_t lite_make(uint16_t coverage);
void lite_arrives(uint16_t coverage);

struct socket *lite_socket(void);
struct socket *lite_bound(void); /* to PORT */
/* Is a datagram as long as TEXT there? It is now in udp_bytes. */
bool lite_comes(struct socket *socket);

#endif
