/* ioctl on sockets: what any answers, interfaces, routes; on a test family. */
#include "test/host/unit/socket_family.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "include/uapi/if.h"
#include "include/uapi/ioctl.h"
#include "include/uapi/route.h"
#include "include/uapi/sockios.h"
#include "kernel/fs/file.h"

static struct fixture f;
static struct test_family family;

static int set_up(void **state __unused)
{
	fixture_init(&f);
	socket_syscalls_init();
	test_family_init(&family, &f.net);
	return 0;
}

static int tear_down(void **state __unused)
{
	host_fail_allocation(0);
	host_signal(false);
	host_close_all();
	test_family_destroy(&family);
	fixture_destroy(&f);
	return 0;
}

static int64_t file_ioctl(int fd, uint32_t command, void *argument)
{
	struct file *file = fd_get(fd);
	int64_t result = file->ops->ioctl(file, command, P(argument));

	file_put(file);
	return result;
}

static void ioctls_of_any_socket(void **state __unused)
{
	int fd = open_socket(SOCK_NONBLOCK);
	int32_t number = -1;
	struct timeval stamp;
	struct timespec fine;
	char bytes[100];

	assert_int_equal(file_ioctl(fd, FIONREAD, &number), 0);
	assert_int_equal(number, 0);
	assert_int_equal(send_text(fd, "hello"), 5);
	assert_int_equal(file_ioctl(fd, SIOCOUTQ, &number), 0);
	assert_true(number > 5);
	test_family_deliver(test_socket_of(fd));
	assert_int_equal(file_ioctl(fd, FIONREAD, &number), 0);
	assert_int_equal(number, 5);
	assert_int_equal(file_ioctl(fd, SIOCGSTAMP, &stamp), 0);
	assert_int_equal(f.net.timestamp_users, 1);
	assert_int_equal(stamp.tv_sec, 1000);
	fixture_advance(&f, 1500000);
	assert_int_equal(receive_text(fd, bytes, 0), 5);
	assert_int_equal(file_ioctl(fd, SIOCGSTAMPNS, &fine), 0);
	assert_int_equal(fine.tv_sec, 1001);
	assert_int_equal(fine.tv_nsec, 500000000);
	assert_int_equal(file_ioctl(fd, 0x1234, &number), -ENOTTY);
	assert_int_equal(file_ioctl(fd, SIOCATMARK, &number), -ENOTTY); /* streams only */
	assert_int_equal(file_ioctl(fd, FIONREAD, (void *)8), -EFAULT);
	number = 77;
	assert_int_equal(file_ioctl(fd, SIOCSPGRP, &number), 0);
	number = 0;
	assert_int_equal(file_ioctl(fd, SIOCGPGRP, &number), 0);
	assert_int_equal(number, 77);
}

static void interface_ioctls(void **state __unused)
{
	int fd = open_socket(0);
	struct ifreq request = {.ifr_name = "eth0"};

	assert_int_equal(file_ioctl(fd, SIOCGIFINDEX, &request), 0);
	assert_int_equal(request.ifr_ifindex, f.dev.ifindex);
	assert_int_equal(file_ioctl(fd, SIOCETHTOOL, &request), -EOPNOTSUPP);
	assert_int_equal(file_ioctl(fd, SIOCGIFADDR, &request),
			 -ENOTTY); /* no family here that knows it */
	assert_int_equal(family.last_ioctl, SIOCGIFADDR);
}

/* Each command brings as much from the process, and takes as much back, as it has an argument. */
static void arguments_of_every_size(void **state __unused)
{
	static const uint32_t commands[] = {SIOCSARP,    SIOCGARP,     SIOCDARP,   SIOCGMIIPHY,
					    SIOCGMIIREG, SIOCGIFMAP,   SIOCSIFMAP, SIOCDELRT,
					    SIOCGIFNAME, SIOCSIFTXQLEN};
	int fd = open_socket(0);

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		struct {
			uint8_t before[8];
			uint8_t argument[120]; /* the longest has as many: struct rtentry */
			uint8_t after[8];
		} memory;

		memset(&memory, 0, sizeof(memory));
		memset(memory.before, 0xaa, sizeof(memory.before));
		memset(memory.after, 0xaa, sizeof(memory.after));
		file_ioctl(fd, commands[i], memory.argument);
		for (size_t j = 0; j < 8; j++)
			assert_true(memory.before[j] == 0xaa && memory.after[j] == 0xaa);
		assert_int_equal(file_ioctl(fd, commands[i], (void *)8), -EFAULT);
	}
	assert_int_equal(file_ioctl(fd, SIOCSIFTXQLEN + 1, NULL), -ENOTTY);
}

static void the_owner_by_either_name(void **state __unused)
{
	int fd = open_socket(0);
	int32_t number = 55;

	assert_int_equal(file_ioctl(fd, FIOSETOWN, &number), 0);
	number = 0;
	assert_int_equal(file_ioctl(fd, FIOGETOWN, &number), 0);
	assert_int_equal(number, 55);
	assert_int_equal(file_ioctl(fd, FIOGETOWN, (void *)8), -EFAULT);
	assert_int_equal(file_ioctl(fd, FIOSETOWN, (void *)8), -EFAULT);
}

static void listing_interfaces(void **state __unused)
{
	struct ifreq array[2] = {0};
	struct ifconf list = {.ifc_len = sizeof(array), .ifc_buf = P(array)};
	int fd = open_socket(0);

	assert_int_equal(file_ioctl(fd, SIOCGIFCONF, &list), 0);
	assert_int_equal(list.ifc_len, sizeof(struct ifreq));
	assert_int_equal(list.ifc_buf, P(array));
	assert_string_equal(array[0].ifr_name, "test0");
	list.ifc_len = 10;
	assert_int_equal(file_ioctl(fd, SIOCGIFCONF, &list), 0);
	assert_int_equal(list.ifc_len, 0);
	list.ifc_buf = 0;
	assert_int_equal(file_ioctl(fd, SIOCGIFCONF, &list), 0);
	assert_int_equal(list.ifc_len, sizeof(struct ifreq));
	list.ifc_len = -1;
	assert_int_equal(file_ioctl(fd, SIOCGIFCONF, &list), -EINVAL);
	list.ifc_len = 0x7fffffff;
	list.ifc_buf = 8;
	assert_int_equal(file_ioctl(fd, SIOCGIFCONF, &list), -EFAULT);
	assert_int_equal(file_ioctl(fd, SIOCGIFCONF, (void *)8), -EFAULT);
	host_fail_allocation(1);
	assert_int_equal(file_ioctl(fd, SIOCGIFCONF, &list), -ENOMEM);
}

static void route_ioctls_name_a_device(void **state __unused)
{
	struct rtentry route = {.rt_dev = P("eth0")};
	int fd = open_socket(0);

	assert_int_equal(file_ioctl(fd, SIOCADDRT, &route), 0);
	assert_string_equal(family.route_device, "eth0");
	route.rt_dev = 0;
	assert_int_equal(file_ioctl(fd, SIOCADDRT, &route), 0);
	assert_string_equal(family.route_device, "");
	route.rt_dev = P("a-name-that-is-too-long");
	assert_int_equal(file_ioctl(fd, SIOCADDRT, &route), -ENODEV);
	route.rt_dev = 8;
	assert_int_equal(file_ioctl(fd, SIOCADDRT, &route), -EFAULT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(ioctls_of_any_socket),    TEST(interface_ioctls),
		TEST(arguments_of_every_size), TEST(the_owner_by_either_name),
		TEST(listing_interfaces),      TEST(route_ioctls_name_a_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
