/* ECN for single routes, where the stack's own setting (tcp_ecn) says otherwise: route.h. */
#include "kernel/errno.h"
#include "net/ipv4/ipv4_state.h"
#include "net/ipv4/route_table.h"

int route_set_ecn(struct net *net, ip4_t destination, uint8_t prefix_length, bool ecn)
{
	struct route_table *table = &ip4_stack(net)->routes;
	struct route *route;
	int error = -ESRCH;

	hash_table_for_each_safe(route, &table->of_length[prefix_length], node) {
		if (route->destination != destination || route->type != ROUTE_UNICAST)
			continue;
		route->ecn = ecn;
		error = 0;
	}
	route_table_changed(table);
	return error;
}

void route_show_ecn(struct text *text, void *context)
{
	struct net *net = context;
	const struct route *route;

	net_lock(net);
	for (uint32_t length = 0; length < ROUTE_LENGTHS; length++) {
		hash_table_for_each_safe(route, &ip4_stack(net)->routes.of_length[length], node) {
			if (route->ecn)
				text_printf(text, IP4_FORMAT "/%u 1\n",
					    IP4_ARGS(route->destination), length);
		}
	}
	net_unlock(net);
}

/* A decimal number of at most `most`, and `end` behind it. */
static bool read_number(const char **at, uint32_t most, char end, uint32_t *number)
{
	const char *digit = *at;

	*number = 0;
	while (*digit >= '0' && *digit <= '9' && *number <= most)
		*number = *number * 10 + (uint32_t)(*digit++ - '0');
	if (digit == *at || *number > most || *digit != end)
		return false;
	*at = digit + (end != '\0');
	return true;
}

static bool read_address(const char **at, ip4_t *address)
{
	static const char ends[] = {'.', '.', '.', '/'};
	uint32_t byte;

	*address = 0;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (!read_number(at, UINT8_MAX, ends[i], &byte))
			return false;
		*address = *address << 8 | byte;
	}
	return true;
}

int route_store_ecn(const char *line, void *context)
{
	struct net *net = context;
	uint32_t length, ecn;
	ip4_t destination;

	if (!read_address(&line, &destination) || !read_number(&line, 32, ' ', &length) ||
	    !read_number(&line, 1, '\0', &ecn))
		return -EINVAL;
	net_lock(net);
	int error = route_set_ecn(net, destination, (uint8_t)length, ecn);

	net_unlock(net);
	return error;
}
