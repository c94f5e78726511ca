/* The socket options of UDP and UDP-Lite: udp(7), udplite(7). */
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/ipv4/udp.h"

static bool is_our_level(int level)
{
	return level == SOL_UDP || level == SOL_UDPLITE; /* of either, for either, as on Linux */
}

static int set_cork(struct udp_socket *udp, int32_t number) NEEDS_NET_LOCK
{
	udp->corked = number != 0;
	if (!udp->corked)
		udp_cork_push(udp); /* what becomes of it is told with the next call */
	return 0;
}

/* udplite(7): 0 stands for all; the header is always covered (RFC 3828 3.1, RFC3828-1). */
static uint16_t legal_coverage(int32_t number)
{
	if (number == 0)
		return 0;
	return (uint16_t)MAX(MIN(number, (int32_t)UINT16_MAX), UDP_HEADER_LENGTH);
}

/* RFC 3828 3.3, RFC3828-6, RFC3828-7 */
static int set_coverage(struct udp_socket *udp, int option, int32_t number)
{
	if (udp->inet.socket.protocol != IPPROTO_UDPLITE)
		return -ENOPROTOOPT;
	if (option == UDPLITE_SEND_CSCOV) {
		udp->send_coverage = legal_coverage(number);
		return 0;
	}
	udp->least_coverage = legal_coverage(number);
	udp->wants_coverage = true;
	return 0;
}

int udp_setsockopt(struct socket *socket, int level, int option, const void *value, uint32_t length)
{
	struct udp_socket *udp = udp_socket(socket);
	int32_t number;

	if (!is_our_level(level))
		return ip4_setsockopt(socket, level, option, value, length);
	if (length < sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	switch (option) {
	case UDP_CORK:
		return set_cork(udp, number);
	case UDPLITE_SEND_CSCOV:
	case UDPLITE_RECV_CSCOV:
		return set_coverage(udp, option, number);
	default:
		return -ENOPROTOOPT;
	}
}

static int get_number(const struct udp_socket *udp, int option, int32_t *number)
{
	bool lite = udp->inet.socket.protocol == IPPROTO_UDPLITE;

	if (option == UDP_CORK)
		*number = udp->corked;
	else if (option == UDPLITE_SEND_CSCOV && lite)
		*number = udp->send_coverage;
	else if (option == UDPLITE_RECV_CSCOV && lite)
		*number = udp->least_coverage;
	else
		return -ENOPROTOOPT;
	return 0;
}

int udp_getsockopt(struct socket *socket, int level, int option, void *value, uint32_t *length)
{
	int32_t number;

	if (!is_our_level(level))
		return ip4_getsockopt(socket, level, option, value, length);

	int error = get_number(udp_socket(socket), option, &number);

	if (error)
		return error;
	*length = MIN(*length, (uint32_t)sizeof(number));
	memcpy(value, &number, *length);
	return 0;
}
