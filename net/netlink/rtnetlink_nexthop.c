/* Next hops that stand apart from routes: RTM_GETNEXTHOP. There are none, and none can be made. */
#include "kernel/errno.h"
#include "net/netlink/rtnetlink.h"

static int get_nexthop(struct netlink_request *request __unused) NEEDS_NET_LOCK
{
	return -ENOENT;
}

const struct rtnetlink_matter rtnetlink_nexthops = {.get = get_nexthop,
						    .dump = rtnetlink_dump_nothing};
