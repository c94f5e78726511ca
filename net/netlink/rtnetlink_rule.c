/*
 * Rules of policy routing: RTM_GETRULE. There are two, which are the stack's only policy: what our
 * own addresses mean comes first, then the routes. None can be added or taken away.
 */
#include "kernel/errno.h"
#include "net/netlink/rtnetlink.h"

static const struct {
	uint32_t priority;
	uint8_t table;
} rules[] = {{0, RT_TABLE_LOCAL}, {32766, RT_TABLE_MAIN}};

static bool put_rule(struct netlink_writer *writer, const struct nlmsghdr *header, size_t i)
{
	const struct fib_rule_hdr info = {
		.family = AF_INET, .table = rules[i].table, .action = FR_ACT_TO_TBL};

	netlink_begin(writer, header);
	netlink_put_bytes(writer, &info, sizeof(info));
	netlink_put_u32(writer, FRA_TABLE, rules[i].table);
	netlink_put_u32(writer, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
	netlink_put_u8(writer, FRA_PROTOCOL, RTPROT_KERNEL);
	if (rules[i].priority)
		netlink_put_u32(writer, FRA_PRIORITY, rules[i].priority);
	return netlink_end(writer);
}

static bool fill_rules(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK
{
	struct nlmsghdr header = dump->header;

	header.nlmsg_type = RTM_NEWRULE;
	for (; dump->position[0] < ARRAY_SIZE(rules); dump->position[0]++) {
		if (!put_rule(writer, &header, dump->position[0]))
			return false;
	}
	return true;
}

static int dump_rules(struct netlink_request *request) NEEDS_NET_LOCK
{
	uint8_t family = rtnetlink_family(request);
	const struct netlink_dump dump = {.fill = family == AF_UNSPEC || family == AF_INET
							  ? fill_rules
							  : rtnetlink_fill_nothing};

	return netlink_dump_start(request, &dump);
}

const struct rtnetlink_matter rtnetlink_rules = {.dump = dump_rules};
