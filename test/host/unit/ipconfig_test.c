/* The kernel command line: its words, `ip=` in every form, and percent-encoded commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "userland/lib/argument.h"
#include "userland/lib/command_line.h"
#include "userland/lib/ip_option.h"

static struct ip_option parse(const char *text)
{
	struct ip_option option;
	const char *wrong = ip_option_parse(text, &option);

	if (wrong)
		fail_msg("%s: %s", text, wrong);
	return option;
}

static void test_method_alone(void **state)
{
	static const char *const dhcp[] = {"dhcp",   "on",         "any",          "",
					   "::::::", "::::::dhcp", ":::::eth0:any"};
	static const char *const off[] = {"off", "none", "::::::off", "::::::none"};

	(void)state;
	for (size_t i = 0; i < sizeof(dhcp) / sizeof(dhcp[0]); i++)
		assert_int_equal(parse(dhcp[i]).method, IP_METHOD_DHCP);
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		assert_int_equal(parse(off[i]).method, IP_METHOD_OFF);
}

static void test_static(void **state)
{
	struct ip_option option = parse("10.0.0.2::10.0.0.1:255.255.255.0::eth0:off");

	(void)state;
	assert_int_equal(option.method, IP_METHOD_STATIC);
	assert_int_equal(option.client, 0x0a000002);
	assert_int_equal(option.gateway, 0x0a000001);
	assert_int_equal(option.netmask, 0xffffff00);
	assert_string_equal(option.device, "eth0");
	assert_int_equal(option.dns[0], 0);
}

static void test_all_fields(void **state)
{
	struct ip_option option = parse(
		"10.0.0.2:10.0.0.9:10.0.0.1:255.255.0.0:box:eth1:none:10.0.0.3:10.0.0.4:10.0.0.5");

	(void)state;
	assert_int_equal(option.method, IP_METHOD_STATIC);
	assert_string_equal(option.hostname, "box");
	assert_string_equal(option.device, "eth1");
	assert_int_equal(option.netmask, 0xffff0000);
	assert_int_equal(option.dns[0], 0x0a000003);
	assert_int_equal(option.dns[1], 0x0a000004);
	option = parse("10.0.0.2::::::::10.0.0.4"); /* the second name server only */
	assert_int_equal(option.dns[0], 0x0a000004);
}

static void test_netmask_forms(void **state)
{
	(void)state;
	assert_int_equal(parse("10.0.0.2").netmask, 0xff000000);
	assert_int_equal(parse("172.16.0.2::::::off").netmask, 0xffff0000);
	assert_int_equal(parse("192.168.0.2::::::off").netmask, 0xffffff00);
	assert_int_equal(parse("10.0.0.2:::24::eth0:none").netmask, 0xffffff00);
	assert_int_equal(parse("10.0.0.2:::32::eth0:none").netmask, 0xffffffff);
	assert_int_equal(parse("10.0.0.2:::255.255.255.252").netmask, 0xfffffffc);
	assert_int_equal(ip_prefix_length(0xfffffffc), 30);
}

static void test_address_with_method(void **state)
{
	(void)state;
	assert_int_equal(parse("10.0.0.2").method, IP_METHOD_STATIC);
	assert_int_equal(parse("10.0.0.2::::::dhcp").method, IP_METHOD_DHCP);
	assert_int_equal(parse("10.0.0.2::::::dhcp").client, 0x0a000002);
}

static void test_device_and_method(void **state)
{
	(void)state;
	assert_string_equal(parse("eth1:dhcp").device, "eth1");
	assert_int_equal(parse("eth1:dhcp").method, IP_METHOD_DHCP);
	assert_int_equal(parse("eth1:off").method, IP_METHOD_OFF);
	assert_string_equal(parse("eth1:none").device, "eth1");
}

static void test_wrong_values(void **state)
{
	static const char *const wrong[] = {
		"dhpc",
		"bootp",
		"10.0.0",
		"10.0.0.256",
		"10.0.0.2.3",
		"010.0.0.2x",
		"127.0.0.2::::::off",
		"224.0.0.1",
		"0.0.0.1",
		"255.255.255.255",
		"10.0.0.2::10.0.0:255.255.255.0::eth0:off",
		"10.0.0.2:x:10.0.0.1:255.255.255.0::eth0:off",
		"10.0.0.2::10.0.0.1:255.0.255.0::eth0:off",
		"10.0.0.2::10.0.0.1:0.0.0.0::eth0:off",
		"10.0.0.2::10.0.0.1:33::eth0:off",
		"10.0.0.2::10.0.0.1:0::eth0:off",
		"10.0.0.2::10.0.0.1:2x::eth0:off",
		"10.0.0.2::10.0.0.1:abc::eth0:off",
		"10.0.0.2::10.0.0.1:24::a-device-with-a-long-name:off",
		"10.0.0.2::10.0.0.1:24::eth0/1:off",
		"10.0.0.2::10.0.0.1:24:a host:eth0:off",
		"10.0.0.2::10.0.0.1:24::eth0:rarp",
		"10.0.0.2::10.0.0.1:24::eth0:off:x",
		"10.0.0.2::10.0.0.1:24::eth0:off:1.1.1.1:x",
		"10.0.0.2::10.0.0.1:24::eth0:off:1.1.1.1:2.2.2.2:x",
		"10.0.0.2::10.0.0.1:24::eth0:off:1.1.1.1:2.2.2.2:3.3.3.3:4",
		"eth1:dhpc",
		"2001:db8::1",
	};
	struct ip_option option;
	char lengthy[600];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (!ip_option_parse(wrong[i], &option))
			fail_msg("%s was taken", wrong[i]);
	memset(lengthy, 'a', sizeof(lengthy));
	lengthy[sizeof(lengthy) - 1] = '\0';
	assert_non_null(ip_option_parse(lengthy, &option));
}

static void test_option_for_device(void **state)
{
	struct ip_option options[4];

	(void)state;
	assert_null(ip_option_for(options, 0, "eth0", true));

	options[0] = parse("eth1:off");
	options[1] = parse("dhcp");
	options[2] = parse("10.0.0.2:::24::eth0:off");
	assert_ptr_equal(ip_option_for(options, 3, "eth0", true), &options[2]);
	assert_ptr_equal(ip_option_for(options, 3, "eth1", false), &options[0]);
	assert_ptr_equal(ip_option_for(options, 3, "eth2", false), &options[1]);

	/* An address without a device is the first one's; the last word counts. */
	options[0] = parse("dhcp");
	options[1] = parse("10.0.0.2:::24:::off");
	assert_ptr_equal(ip_option_for(options, 2, "eth0", true), &options[1]);
	assert_ptr_equal(ip_option_for(options, 2, "eth1", false), &options[0]);
	assert_null(ip_option_for(&options[1], 1, "eth1", false));
	options[2] = parse("off");
	assert_ptr_equal(ip_option_for(options, 3, "eth0", true), &options[2]);
}

static void test_words(void **state)
{
	const char *cursor = "  quiet ip=dhcp\tvitrine.run=\"echo hi\" a\"b c\"d \n";
	static const char *const expected[] = {"quiet", "ip=dhcp", "vitrine.run=echo hi", "ab cd"};
	char word[64];

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_true(command_line_next(&cursor, word, sizeof(word)));
		assert_string_equal(word, expected[i]);
	}
	assert_false(command_line_next(&cursor, word, sizeof(word)));
	cursor = "abcdefgh \"open";
	assert_true(command_line_next(&cursor, word, 4));
	assert_string_equal(word, "abc");
	assert_true(command_line_next(&cursor, word, sizeof(word)));
	assert_string_equal(word, "open");
}

static void test_values(void **state)
{
	(void)state;
	assert_string_equal(command_line_value("ip=dhcp", "ip"), "dhcp");
	assert_string_equal(command_line_value("ip=", "ip"), "");
	assert_null(command_line_value("ipx=1", "ip"));
	assert_null(command_line_value("ip", "ip"));
	assert_null(command_line_value("i", "ip"));
}

static void test_percent_encoding(void **state)
{
	static const char *const wrong[] = {"%", "%4", "%4g", "%g4", "a%00b"};
	char text[64];

	(void)state;
	strcpy(text, "echo%20%22100%25%22%0aid%3B");
	assert_true(percent_decode(text));
	assert_string_equal(text, "echo \"100%\"\nid;");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		strcpy(text, wrong[i]);
		assert_false(percent_decode(text));
	}
}

static void test_numbers_of_options(void **state)
{
	static const char *const wrong[] = {
		"", "-1", "+1", " 1", "1 ", "1x", "0x1", "8", "99999999999999999999"};
	unsigned long number;
	uint64_t microseconds;

	(void)state;
	assert_true(argument_number("7", 0, 7, &number));
	assert_int_equal(number, 7);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(argument_number(wrong[i], 0, 7, &number));
	assert_true(argument_seconds("0.25", &microseconds));
	assert_int_equal(microseconds, 250000);
	assert_true(argument_seconds(".002", &microseconds));
	assert_int_equal(microseconds, 2000);
	assert_false(argument_seconds("1s", &microseconds));
	assert_false(argument_seconds("nan", &microseconds));
	assert_false(argument_seconds(".", &microseconds));
	assert_false(argument_seconds("86401", &microseconds));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_method_alone),
		cmocka_unit_test(test_static),
		cmocka_unit_test(test_all_fields),
		cmocka_unit_test(test_netmask_forms),
		cmocka_unit_test(test_address_with_method),
		cmocka_unit_test(test_device_and_method),
		cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_option_for_device),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_percent_encoding),
		cmocka_unit_test(test_numbers_of_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
