/*
 * Filters of sockets: see diag_filter.h. A step takes a fixed time, and every jump leads forward.
 */
#include "net/netlink/diag_filter.h"

#include "kernel/byteorder.h"
#include "kernel/string.h"

#define STEP sizeof(struct inet_diag_bc_op)
#define ANY_PORT (-1)
#define PROGRAM_MAX 1024 /* bytes: checking takes their square, under the lock */

static struct inet_diag_bc_op read_step(const uint8_t *at)
{
	struct inet_diag_bc_op step;

	memcpy(&step, at, sizeof(step));
	return step;
}

/* Bytes of the address behind a struct inet_diag_hostcond; -1: no such family. */
static int address_length(uint8_t family)
{
	switch (family) {
	case AF_UNSPEC:
		return 0;
	case AF_INET:
		return 4;
	case AF_INET6:
		return 16;
	default:
		return -1;
	}
}

/* Bytes of a host condition at `at`; 0: it is cut, or there is no such thing. */
static size_t host_length(const uint8_t *at, size_t left)
{
	struct inet_diag_hostcond host;

	if (left < sizeof(host))
		return 0;
	memcpy(&host, at, sizeof(host));
	int length = address_length(host.family);

	if (length < 0 || host.prefix_len > 8 * length || left < sizeof(host) + (size_t)length)
		return 0;
	return sizeof(host) + (size_t)length;
}

/* The shortest argument of an instruction; -1: there is no such thing, or its argument is cut. */
static int least_argument(const uint8_t *at, size_t left)
{
	size_t host;

	switch (at[0]) {
	case INET_DIAG_BC_NOP:
	case INET_DIAG_BC_JMP:
	case INET_DIAG_BC_AUTO:
		return 0;
	case INET_DIAG_BC_S_GE:
	case INET_DIAG_BC_S_LE:
	case INET_DIAG_BC_S_EQ:
	case INET_DIAG_BC_D_GE:
	case INET_DIAG_BC_D_LE:
	case INET_DIAG_BC_D_EQ:
		return STEP; /* the port stands in `no` */
	case INET_DIAG_BC_DEV_COND:
		return sizeof(uint32_t);
	case INET_DIAG_BC_MARK_COND:
		return sizeof(struct inet_diag_markcond);
	case INET_DIAG_BC_S_COND:
	case INET_DIAG_BC_D_COND:
		host = host_length(at + STEP, left - STEP);
		return host ? (int)host : -1;
	default:
		return -1;
	}
}

/*
 * Bytes of the instruction with its argument: `yes` leads to the next one, and may pass over bytes
 * of no meaning (ss has room for an address where there is none). 0: it is no instruction.
 */
static size_t step_length(const uint8_t *at, size_t left)
{
	if (left < STEP)
		return 0;
	int argument = least_argument(at, left);
	size_t length = read_step(at).yes;

	if (argument < 0 || length < STEP + (size_t)argument || length > left || length % STEP)
		return 0;
	return length;
}

/* Does an instruction begin at `target`? */
static bool begins_step(const uint8_t *program, size_t length, size_t target)
{
	size_t at = 0;

	while (at < target) {
		size_t step = step_length(program + at, length - at);

		if (!step)
			return false;
		at += step;
	}
	return at == target;
}

/* Out, by one step past the end, stands for no. */
static bool jump_is_sound(const uint8_t *program, size_t length, size_t at, size_t jump)
{
	if (jump < STEP || jump % STEP)
		return false;
	return at + jump == length + STEP ||
	       (at + jump <= length && begins_step(program, length, at + jump));
}

bool diag_filter_check(const uint8_t *program, size_t length)
{
	size_t at = 0;

	if (!length || length > PROGRAM_MAX)
		return false;
	while (at < length) {
		struct inet_diag_bc_op step;

		if (!step_length(program + at, length - at))
			return false;
		step = read_step(program + at);
		if (step.code != INET_DIAG_BC_NOP && !jump_is_sound(program, length, at, step.no))
			return false;
		at += step.yes;
	}
	return true;
}

static bool address_matches(const struct net_addr *address, const struct inet_diag_hostcond *host,
			    const uint8_t *wanted)
{
	if (!host->prefix_len)
		return true;
	if (host->family != AF_INET || (address->family != AF_INET && address->family != AF_UNSPEC))
		return false;
	ip4_t mine = address->family == AF_INET ? address->v4 : IP4_ANY;

	return ((mine ^ get_be32(wanted)) & ip4_mask(host->prefix_len)) == 0;
}

static bool host_matches(const struct endpoint *end, const uint8_t *argument)
{
	struct inet_diag_hostcond host;

	memcpy(&host, argument, sizeof(host));
	if (host.port != ANY_PORT && host.port != end->port)
		return false;
	return address_matches(&end->addr, &host, argument + sizeof(host));
}

static bool mark_matches(uint32_t mark, const uint8_t *argument)
{
	struct inet_diag_markcond wanted;

	memcpy(&wanted, argument, sizeof(wanted));
	return (mark & wanted.mask) == wanted.mark;
}

static bool device_matches(int ifindex, const uint8_t *argument)
{
	uint32_t wanted;

	memcpy(&wanted, argument, sizeof(wanted));
	return (uint32_t)ifindex == wanted;
}

/* Is it so? `argument` is what stands behind the instruction. */
static bool holds(const struct inet_diag_bc_op *step, const uint8_t *argument,
		  const struct diag_subject *subject)
{
	uint16_t source = subject->local->port, destination = subject->remote->port;

	switch (step->code) {
	case INET_DIAG_BC_JMP:
		return false;
	case INET_DIAG_BC_S_GE:
		return source >= read_step(argument).no;
	case INET_DIAG_BC_S_LE:
		return source <= read_step(argument).no;
	case INET_DIAG_BC_S_EQ:
		return source == read_step(argument).no;
	case INET_DIAG_BC_D_GE:
		return destination >= read_step(argument).no;
	case INET_DIAG_BC_D_LE:
		return destination <= read_step(argument).no;
	case INET_DIAG_BC_D_EQ:
		return destination == read_step(argument).no;
	case INET_DIAG_BC_AUTO:
		return subject->port_chosen;
	case INET_DIAG_BC_S_COND:
		return host_matches(subject->local, argument);
	case INET_DIAG_BC_D_COND:
		return host_matches(subject->remote, argument);
	case INET_DIAG_BC_DEV_COND:
		return device_matches(subject->ifindex, argument);
	case INET_DIAG_BC_MARK_COND:
		return mark_matches(subject->mark, argument);
	default: /* INET_DIAG_BC_NOP */
		return true;
	}
}

bool diag_filter_passes(const uint8_t *program, size_t length, const struct diag_subject *subject)
{
	size_t at = 0;

	while (at < length) {
		struct inet_diag_bc_op step = read_step(program + at);

		at += holds(&step, program + at + STEP, subject) ? step.yes : step.no;
	}
	return at == length;
}
