/*
 * IGMP on the wire: versions 1 (RFC 1112), 2 (RFC 2236) and 3 (RFC 3376). Pure functions.
 */
#ifndef NET_IPV4_IGMP_WIRE_H
#define NET_IPV4_IGMP_WIRE_H

#include "kernel/types.h"
#include "net/core/addr.h"

#define IGMP_QUERY 0x11
#define IGMP_V1_REPORT 0x12
#define IGMP_V2_REPORT 0x16
#define IGMP_V2_LEAVE 0x17
#define IGMP_V3_REPORT 0x22

#define IGMP_MESSAGE_LENGTH 8 /* versions 1 and 2; a version 3 report's head and each record too */
#define IGMP_V3_QUERY_LENGTH 12

#define IGMP_ALL_HOSTS IP4(224, 0, 0, 1)
#define IGMP_ALL_ROUTERS IP4(224, 0, 0, 2)
#define IGMP_V3_ROUTERS IP4(224, 0, 0, 22)

enum igmp_record_type { /* RFC 3376 4.2.12 */
			IGMP_MODE_IS_INCLUDE = 1,
			IGMP_MODE_IS_EXCLUDE = 2,
			IGMP_CHANGE_TO_INCLUDE = 3,
			IGMP_CHANGE_TO_EXCLUDE = 4,
};

struct igmp_message {
	uint8_t type;
	uint8_t version;          /* of a query: 1, 2 or 3 */
	uint64_t max_response_us; /* of a query */
	ip4_t group;              /* 0: a general query */
};

/* `length` bytes, all readable. False: cut, or a wrong checksum. */
bool igmp_parse(const uint8_t *bytes, size_t length, struct igmp_message *message);

/* Writes IGMP_MESSAGE_LENGTH bytes: a version 1 or 2 report, or a leave. */
void igmp_emit(uint8_t type, ip4_t group, uint8_t *bytes);

/*
 * A version 3 report of `count` records: head and checksum, round the records that igmp_emit_record
 * wrote.
 */
void igmp_emit_record(enum igmp_record_type type, ip4_t group, uint8_t *bytes);
void igmp_emit_report_head(uint16_t count, uint8_t *bytes);

#endif
