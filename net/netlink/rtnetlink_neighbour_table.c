/* RTM_GETNEIGHTBL: the table of neighbours as a whole, which is ARP's (`ip ntable`). */
#include "net/netlink/rtnetlink.h"

static void put_u64(struct netlink_writer *writer, uint16_t type, uint64_t value)
{
	netlink_put(writer, type, &value, sizeof(value));
}

static void put_parameters(struct netlink_writer *writer)
{
	const uint64_t reachable_ms = ARP_REACHABLE_US / USEC_PER_MSEC;
	size_t parameters = netlink_begin_nest(writer, NDTA_PARMS);

	put_u64(writer, NDTPA_REACHABLE_TIME, reachable_ms);
	put_u64(writer, NDTPA_BASE_REACHABLE_TIME, reachable_ms);
	put_u64(writer, NDTPA_RETRANS_TIME, ARP_RETRY_US / USEC_PER_MSEC);
	netlink_put_u32(writer, NDTPA_QUEUE_LEN, ARP_QUEUE_MAX);
	netlink_put_u32(writer, NDTPA_QUEUE_LENBYTES, ARP_QUEUE_BYTES_MAX);
	netlink_put_u32(writer, NDTPA_UCAST_PROBES, ARP_TRIES);
	netlink_put_u32(writer, NDTPA_MCAST_PROBES, ARP_TRIES);
	netlink_end_nest(writer, parameters);
}

/* position: 1 when it is told. */
static bool fill_tables(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK
{
	const struct ndtmsg info = {.ndtm_family = AF_INET};
	struct nlmsghdr header = dump->header;

	if (dump->position[0])
		return true;
	header.nlmsg_type = RTM_NEWNEIGHTBL;
	netlink_begin(writer, &header);
	netlink_put_bytes(writer, &info, sizeof(info));
	netlink_put_string(writer, NDTA_NAME, "arp_cache");
	netlink_put_u32(writer, NDTA_THRESH3, ARP_ENTRIES_MAX);
	put_parameters(writer);
	dump->position[0] = netlink_end(writer);
	return dump->position[0];
}

static int dump_tables(struct netlink_request *request) NEEDS_NET_LOCK
{
	uint8_t family = rtnetlink_family(request);
	const struct netlink_dump dump = {.fill = family == AF_UNSPEC || family == AF_INET
							  ? fill_tables
							  : rtnetlink_fill_nothing};

	return netlink_dump_start(request, &dump);
}

const struct rtnetlink_matter rtnetlink_neighbour_tables = {.dump = dump_tables};
