/* /sys/class/net: what each interface's files say. */
#include <string.h>

#include "kernel/errno.h"
#include "kernel/procfs/sysfs.h"
#include "test/host/unit/fixture.h"

static struct fixture f;
static char text[64];

static int set_up(void **state __unused)
{
	fixture_init(&f);
	assert_int_equal(netdev_sysfs_init(&f.net), 0);
	return 0;
}

static int tear_down(void **state __unused)
{
	fixture_destroy(&f);
	return 0;
}

static const char *file(const char *object, const char *attribute)
{
	assert_true(host_sys_read(object, attribute, text, sizeof(text)) >= 0);
	return text;
}

static void every_interface_has_its_folder(void **state __unused)
{
	char name[SYS_NAME_MAX];

	assert_true(host_sys_object(0, name));
	assert_string_equal(name, "lo");
	assert_true(host_sys_object(1, name));
	assert_string_equal(name, "eth0");
	assert_false(host_sys_object(2, name));
}

static void properties(void **state __unused)
{
	static const char *const expected[][2] = {
		{"address", "02:00:00:00:00:01\n"},
		{"broadcast", "ff:ff:ff:ff:ff:ff\n"},
		{"addr_len", "6\n"},
		{"mtu", "1500\n"},
		{"carrier", "1\n"},
		{"operstate", "up\n"},
		{"flags", "0x1003\n"},
		{"ifindex", "2\n"},
		{"iflink", "2\n"},
		{"type", "1\n"},
		{"tx_queue_len", "1000\n"},
		{"speed", "-1\n"},
		{"rx_packets", "0\n"},
		{"tx_window_errors", "0\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_string_equal(file("eth0", expected[i][0]), expected[i][1]);
	assert_string_equal(file("lo", "operstate"), "unknown\n");
	assert_string_equal(file("lo", "type"), "772\n");
	assert_int_equal(host_sys_read("eth0", "nothing", text, sizeof(text)), -ENOENT);
}

static void they_follow_what_changes(void **state __unused)
{
	fixture_receive_ethernet(&f, FIXTURE_MAC, FIXTURE_PEER, 0x9999, "hello", 5);
	assert_string_equal(file("eth0", "rx_packets"), "1\n");
	assert_string_equal(file("eth0", "rx_bytes"), "19\n");
	net_lock(&f.net);
	netdev_set_carrier(&f.dev, false);
	net_unlock(&f.net);
	assert_string_equal(file("eth0", "carrier"), "0\n");
	assert_string_equal(file("eth0", "operstate"), "down\n");
	assert_string_equal(file("eth7", "mtu"), ""); /* gone since it was opened */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_interface_has_its_folder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(properties, set_up, tear_down),
		cmocka_unit_test_setup_teardown(they_follow_what_changes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
