/*
 * NETLINK_ROUTE's links at their edges: kinds of devices, filters, and requests that are not met.
 */
#include "test/host/unit/netlink_fixture.h"

#include "include/uapi/if_arp.h"
#include "kernel/errno.h"

static void begin_link(uint16_t type, uint16_t flags, int index)
{
	const struct ifinfomsg info = {.ifi_index = index};

	request_begin(type, flags, &info, sizeof(info));
}

static struct ifinfomsg get_link(int index)
{
	struct ifinfomsg info;

	begin_link(RTM_GETLINK, 0, index);
	request_send(route_socket);
	expect_message(route_socket, RTM_NEWLINK);
	read_fixed(&info, sizeof(info));
	return info;
}

static uint8_t operational_state(int index)
{
	struct netlink_attribute attribute;

	get_link(index);
	assert_true(find_attribute(sizeof(struct ifinfomsg), IFLA_OPERSTATE, &attribute));
	assert_int_equal(attribute.length, 1);
	return netlink_u8(&attribute);
}

static void the_state_follows_the_cable_and_the_switch(void **state __unused)
{
	const int index = netlink_stack.dev.ifindex;

	assert_int_equal(operational_state(LO), IF_OPER_UNKNOWN);
	assert_int_equal(operational_state(index), IF_OPER_UP);
	host_device_set_carrier(&netlink_stack.eth0, false);
	assert_int_equal(operational_state(index), IF_OPER_DOWN);
	assert_false(get_link(index).ifi_flags & IFF_LOWER_UP);
	host_device_set_carrier(&netlink_stack.eth0, true);
	assert_int_equal(operational_state(index), IF_OPER_UP);
	net_lock(&netlink_stack.net);
	netdev_down(&netlink_stack.dev);
	net_unlock(&netlink_stack.net);
	assert_int_equal(operational_state(index), IF_OPER_DOWN);
}

/* A device whose frames are bare IP packets has no link address that could be told. */
static void devices_without_a_link_address(void **state __unused)
{
	const struct host_device_options options = {.bare_ip = true};
	struct host_device ip0;

	assert_int_equal(host_device_add(&ip0, &netlink_stack.stack, &options), 0);
	assert_int_not_equal(get_link(ip0.dev.ifindex).ifi_type, ARPHRD_ETHER);
	assert_false(has_attribute(sizeof(struct ifinfomsg), IFLA_ADDRESS));
	assert_false(has_attribute(sizeof(struct ifinfomsg), IFLA_BROADCAST));
	get_link(LO);
	assert_true(has_attribute(sizeof(struct ifinfomsg), IFLA_ADDRESS));
	host_device_remove(&ip0);
}

static uint32_t count_links(uint8_t family, uint16_t attribute)
{
	const struct ifinfomsg info = {.ifi_family = family};

	request_begin(RTM_GETLINK, NLM_F_DUMP, &info, sizeof(info));
	if (attribute)
		netlink_put_u32(&netlink_request, attribute, 1);
	return request_count(route_socket, RTM_NEWLINK);
}

/* Who asks for a bridge's ports must not take every link for one. */
static void lists_are_of_what_is_asked_for(void **state __unused)
{
	assert_int_equal(count_links(AF_UNSPEC, 0), 2);
	assert_int_equal(count_links(AF_INET, 0), 2);
	assert_int_equal(count_links(AF_PACKET, IFLA_EXT_MASK), 2);
	assert_int_equal(count_links(AF_INET6, 0), 0);
	assert_int_equal(count_links(AF_UNSPEC, IFLA_MASTER), 0);
	assert_int_equal(count_links(AF_UNSPEC, IFLA_LINKINFO), 0);
	/* A strict reader's header is whole, and an attribute has its size. */
	begin_link(RTM_GETLINK, NLM_F_DUMP, 0);
	netlink_put_u8(&netlink_request, IFLA_EXT_MASK, 1);
	assert_int_equal(request_result(route_socket), -ERANGE);
	netlink_be_strict(route_socket);
	request_begin(RTM_GETLINK, NLM_F_DUMP, &(struct rtgenmsg){0}, sizeof(struct rtgenmsg));
	assert_int_equal(request_result(route_socket), -EINVAL);
}

/* More links than one piece holds: each is told of once, though one goes meanwhile. */
static void a_list_goes_on_where_it_stopped(void **state __unused)
{
	enum { MORE = 40, GONE = 20 };
	static struct host_device devices[MORE];
	const struct host_device_options options = {0};
	int last = 0, seen = 0;

	for (int i = 0; i < MORE; i++)
		assert_int_equal(host_device_add(&devices[i], &netlink_stack.stack, &options), 0);
	netlink_room = SMALL_ROOM;
	begin_link(RTM_GETLINK, NLM_F_DUMP, 0);
	request_send(route_socket);
	for (;;) {
		struct ifinfomsg info;

		assert_true(next_message(route_socket));
		if (last == 0) /* of the first piece */
			host_device_remove(&devices[GONE]);
		if (netlink_answer.header.nlmsg_type == NLMSG_DONE)
			break;
		read_fixed(&info, sizeof(info));
		assert_true(info.ifi_index > last);
		last = info.ifi_index;
		seen++;
	}
	assert_int_equal(seen, 2 + MORE - 1);
	for (int i = 0; i < MORE; i++) {
		if (i != GONE)
			host_device_remove(&devices[i]);
	}
}

static void what_is_asked_of_one_link_is_checked(void **state __unused)
{
	const struct ifinfomsg info = {0};

	request_begin(RTM_GETLINK, 0, &info, 4); /* cut */
	assert_int_equal(request_result(route_socket), -EINVAL);
	begin_link(RTM_GETLINK, 0, LO);
	netlink_put_u8(&netlink_request, IFLA_MTU, 1);
	assert_int_equal(request_result(route_socket), -ERANGE);
	begin_link(RTM_GETLINK, 0, 0);
	netlink_put_string(&netlink_request, IFLA_ALT_IFNAME, "eth0");
	request_send(route_socket);
	expect_message(route_socket, RTM_NEWLINK);
	begin_link(RTM_GETLINK, 0, -1);
	assert_int_equal(request_result(route_socket), -EINVAL);
}

static void changes_name_a_link_that_is_there(void **state __unused)
{
	begin_link(RTM_DELLINK, 0, 99);
	assert_int_equal(request_result(route_socket), -ENODEV);
	begin_link(RTM_SETLINK, 0, 99);
	assert_int_equal(request_result(route_socket), -ENODEV);
	begin_link(RTM_SETLINK, 0, 0);
	assert_int_equal(request_result(route_socket), -EINVAL);
	begin_link(RTM_SETLINK, NLM_F_EXCL, LO); /* EXCL is a matter of new ones */
	assert_int_equal(request_result(route_socket), 0);
	/* The name that it has is no new one. */
	begin_link(RTM_NEWLINK, 0, LO);
	netlink_put_string(&netlink_request, IFLA_IFNAME, "lo");
	assert_int_equal(request_result(route_socket), 0);
	begin_link(RTM_NEWLINK, 0, LO);
	netlink_put(&netlink_request, IFLA_IFNAME, "0123456789abcdef0123", 20);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
}

/* Without ifi_change the flags are meant as they stand; programs of old do that. */
static void flags_without_a_mask(void **state __unused)
{
	const struct ifinfomsg up = {.ifi_index = netlink_stack.dev.ifindex,
				     .ifi_flags = netlink_stack.dev.flags | IFF_PROMISC};
	const struct ifinfomsg silent = {.ifi_index = netlink_stack.dev.ifindex,
					 .ifi_flags = IFF_UP | IFF_NOARP};

	request_begin(RTM_NEWLINK, 0, &up, sizeof(up));
	assert_int_equal(request_result(route_socket), 0);
	assert_int_equal(netlink_stack.dev.promiscuous, 1);
	request_begin(RTM_NEWLINK, 0, &silent, sizeof(silent));
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	begin_link(RTM_NEWLINK, 0, netlink_stack.dev.ifindex); /* nothing is asked for */
	assert_int_equal(request_result(route_socket), 0);
	assert_true(netlink_stack.dev.flags & IFF_UP);
	assert_int_equal(netlink_stack.dev.promiscuous, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NETLINK_TEST(the_state_follows_the_cable_and_the_switch),
		NETLINK_TEST(devices_without_a_link_address),
		NETLINK_TEST(lists_are_of_what_is_asked_for),
		NETLINK_TEST(a_list_goes_on_where_it_stopped),
		NETLINK_TEST(what_is_asked_of_one_link_is_checked),
		NETLINK_TEST(changes_name_a_link_that_is_there),
		NETLINK_TEST(flags_without_a_mask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
