/* /proc/net/route in Linux's format. */
#include "include/uapi/route.h"
#include "kernel/byteorder.h"
#include "net/ipv4/ipv4_state.h"

#define LINE_WIDTH 127 /* without the newline; no route fills it */

static uint32_t flags_of(const struct route *route)
{
	uint32_t flags = RTF_UP;

	if (route->type == ROUTE_UNREACHABLE)
		flags |= RTF_REJECT;
	if (route->gateway)
		flags |= RTF_GATEWAY;
	if (route->prefix_length == 32)
		flags |= RTF_HOST;
	return flags;
}

/* Addresses stand as the bytes of the wire read as a little-endian number. */
static void show_route(struct text *text, const struct route *route)
{
	size_t before = text->length;

	text_printf(text, "%s\t%08X\t%08X\t%04X\t%d\t%u\t%u\t%08X\t%u\t%u\t%u",
		    route->dev ? route->dev->name : "*", __builtin_bswap32(route->destination),
		    __builtin_bswap32(route->gateway), flags_of(route), 0, 0u, route->metric,
		    __builtin_bswap32(ip4_mask(route->prefix_length)), route->mtu, 0u, 0u);

	text_printf(text, "%*s\n", (int)(LINE_WIDTH - (text->length - before)), "");
}

/* What addresses of ours brought (local, broadcast) is another table on Linux, and not shown. */
static bool is_shown(const struct route *route)
{
	return route->type == ROUTE_UNICAST || route->type == ROUTE_UNREACHABLE;
}

void route_show(struct text *text, void *context)
{
	struct net *net = context;
	struct route *route;

	text_printf(text, "%-*s\n", LINE_WIDTH,
		    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU"
		    "\tWindow\tIRTT");
	net_lock(net);
	for (uint32_t length = 0; length < ROUTE_LENGTHS; length++) {
		hash_table_for_each_safe(route, &ip4_stack(net)->routes.of_length[length], node) {
			if (is_shown(route))
				show_route(text, route);
		}
	}
	net_unlock(net);
}
