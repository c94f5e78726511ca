/* ICMP headers, and the meaning of errors. */
#include "net/ipv4/icmp_wire.h"

#include "include/uapi/errno.h"
#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"

void icmp_parse(const uint8_t *bytes, struct icmp_header *header)
{
	header->type = bytes[0];
	header->code = bytes[1];
	header->info = get_be32(bytes + 4);
	header->id = get_be16(bytes + 4);
	header->sequence = get_be16(bytes + 6);
}

void icmp_emit(uint8_t type, uint8_t code, uint32_t info, uint8_t *bytes)
{
	bytes[0] = type;
	bytes[1] = code;
	put_be16(bytes + 2, 0);
	put_be32(bytes + 4, info);
}

bool icmp_type_is_error(uint8_t type)
{
	switch (type) {
	case ICMP_DEST_UNREACH:
	case ICMP_SOURCE_QUENCH:
	case ICMP_REDIRECT:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		return true;
	default:
		return type > NR_ICMP_TYPES;
	}
}

/*
 * RFC 1122 3.2.2.1, 4.1.3.3: which destination-unreachable codes end a conversation, and with what
 * errno.
 */
static const struct {
	uint8_t error;
	bool hard;
} unreachable_meaning[NR_ICMP_UNREACH + 1] = {
	[ICMP_NET_UNREACH] = {ENETUNREACH, false},    [ICMP_HOST_UNREACH] = {EHOSTUNREACH, false},
	[ICMP_PROT_UNREACH] = {ENOPROTOOPT, true},    [ICMP_PORT_UNREACH] = {ECONNREFUSED, true},
	[ICMP_FRAG_NEEDED] = {EMSGSIZE, false},       [ICMP_SR_FAILED] = {EOPNOTSUPP, false},
	[ICMP_NET_UNKNOWN] = {ENETUNREACH, true},     [ICMP_HOST_UNKNOWN] = {EHOSTDOWN, true},
	[ICMP_HOST_ISOLATED] = {ENONET, true},        [ICMP_NET_ANO] = {ENETUNREACH, true},
	[ICMP_HOST_ANO] = {EHOSTUNREACH, true},       [ICMP_NET_UNR_TOS] = {ENETUNREACH, false},
	[ICMP_HOST_UNR_TOS] = {EHOSTUNREACH, false},  [ICMP_PKT_FILTERED] = {EHOSTUNREACH, true},
	[ICMP_PREC_VIOLATION] = {EHOSTUNREACH, true}, [ICMP_PREC_CUTOFF] = {EHOSTUNREACH, true},
};

/* RFC 1191 7: the next lower MTU in use somewhere. */
static uint32_t plateau_below(uint32_t length)
{
	static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296};

	for (size_t i = 0; i < ARRAY_SIZE(plateaus); i++) {
		if (plateaus[i] < length)
			return plateaus[i];
	}
	return 68;
}

static uint32_t next_hop_mtu(const struct icmp_header *header, const struct ip4_header *inner)
{
	uint32_t mtu = header->info & 0xffff;

	if (mtu == 0)
		return plateau_below(inner->total_length);
	return mtu < 68 ? 0 : mtu;
}

struct icmp_error icmp_meaning(const struct icmp_header *header, const struct ip4_header *inner)
{
	struct icmp_error error = {.type = header->type, .code = header->code};

	switch (header->type) {
	case ICMP_DEST_UNREACH:
		if (header->code > NR_ICMP_UNREACH) {
			error.error = EHOSTUNREACH;
			break;
		}
		error.error = unreachable_meaning[header->code].error;
		error.hard = unreachable_meaning[header->code].hard;
		if (header->code == ICMP_FRAG_NEEDED)
			error.mtu = next_hop_mtu(header, inner);
		break;
	case ICMP_PARAMETERPROB:
		error.error = EPROTO;
		error.hard = true;
		break;
	default: /* time exceeded: a soft error */
		error.error = EHOSTUNREACH;
		break;
	}
	return error;
}
