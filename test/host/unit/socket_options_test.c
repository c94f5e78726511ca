/* SOL_SOCKET options: values as Linux gives and takes them. */
#include "test/host/unit/socket_family.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "include/uapi/syscall.h"

static struct fixture f;
static struct test_family family;
static struct socket *one;

static int set_up(void **state __unused)
{
	fixture_init(&f);
	socket_syscalls_init();
	test_family_init(&family, &f.net);
	assert_int_equal(socket_create(&f.net, AF_TEST, SOCK_DGRAM, 0, &one), 0);
	return 0;
}

static int tear_down(void **state __unused)
{
	socket_close(one);
	test_family_destroy(&family);
	fixture_destroy(&f);
	return 0;
}

static int set_number(int option, int32_t value)
{
	return socket_setsockopt(one, SOL_SOCKET, option, &value, sizeof(value));
}

static int32_t get_number(int option)
{
	int32_t value = -99;
	uint32_t length = sizeof(value);

	assert_int_equal(socket_getsockopt(one, SOL_SOCKET, option, &value, &length), 0);
	assert_int_equal(length, 4);
	return value;
}

static void switches(void **state __unused)
{
	const int options[] = {SO_REUSEADDR, SO_REUSEPORT,  SO_BROADCAST, SO_KEEPALIVE,
			       SO_OOBINLINE, SO_DONTROUTE,  SO_PASSCRED,  SO_NO_CHECK,
			       SO_TIMESTAMP, SO_TIMESTAMPNS};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		assert_int_equal(get_number(options[i]), 0);
		assert_int_equal(set_number(options[i], 5), 0);
		assert_int_equal(get_number(options[i]), 1);
		assert_int_equal(set_number(options[i], 0), 0);
		assert_int_equal(get_number(options[i]), 0);
	}
	assert_int_equal(socket_setsockopt(one, SOL_SOCKET, SO_REUSEADDR, "\1", 1), -EINVAL);
	assert_int_equal(f.net.timestamp_users, 0);
	assert_int_equal(set_number(SO_TIMESTAMPNS, 1),
			 0); /* left on: the close switches stamping off */
	assert_int_equal(get_number(SO_TIMESTAMP), 0);
	assert_int_equal(f.net.timestamp_users, 1);
}

static void buffers_are_doubled_and_clamped(void **state __unused)
{
	assert_int_equal(get_number(SO_RCVBUF), 212992);
	assert_int_equal(get_number(SO_SNDBUF), 212992);
	assert_int_equal(set_number(SO_RCVBUF, 5000), 0);
	assert_int_equal(get_number(SO_RCVBUF), 10000);
	assert_int_equal(set_number(SO_RCVBUF, 0), 0);
	assert_int_equal(get_number(SO_RCVBUF), 2304);
	assert_int_equal(set_number(SO_RCVBUF, 100000000), 0);
	assert_int_equal(get_number(SO_RCVBUF), 425984);
	assert_int_equal(set_number(SO_RCVBUF, -1), 0);
	assert_int_equal(get_number(SO_RCVBUF), 425984);
	assert_int_equal(set_number(SO_RCVBUFFORCE, 1000000), 0);
	assert_int_equal(get_number(SO_RCVBUF), 2000000);
	assert_int_equal(set_number(SO_RCVBUFFORCE, INT32_MAX), 0);
	assert_int_equal(get_number(SO_RCVBUF), INT32_MAX - 1);
	assert_int_equal(set_number(SO_RCVBUFFORCE, -5), 0);
	assert_int_equal(get_number(SO_RCVBUF), 2304);
	assert_int_equal(set_number(SO_SNDBUF, 1), 0);
	assert_int_equal(get_number(SO_SNDBUF), 4608);
	assert_int_equal(set_number(SO_SNDBUFFORCE, 300000), 0);
	assert_int_equal(get_number(SO_SNDBUF), 600000);
}

static void what_the_socket_is(void **state __unused)
{
	assert_int_equal(get_number(SO_TYPE), SOCK_DGRAM);
	assert_int_equal(get_number(SO_DOMAIN), AF_TEST);
	assert_int_equal(get_number(SO_PROTOCOL), 7);
	assert_int_equal(get_number(SO_ACCEPTCONN), 0);
	assert_int_equal(get_number(SO_RCVLOWAT), 1);
	assert_int_equal(get_number(SO_SNDLOWAT), 1);
	assert_int_equal(set_number(SO_TYPE, 1), -ENOPROTOOPT);
	assert_int_equal(set_number(SO_DOMAIN, 1), -ENOPROTOOPT);
	assert_int_equal(set_number(SO_ERROR, 1), -ENOPROTOOPT);
	assert_int_equal(set_number(SO_SNDLOWAT, 1), -ENOPROTOOPT);
	assert_int_equal(set_number(SO_PEEK_OFF, 1), -ENOPROTOOPT);
	assert_int_equal(set_number(9999, 1), -ENOPROTOOPT);
	assert_int_equal(socket_listen(one, 3), 0);
	assert_int_equal(get_number(SO_ACCEPTCONN), 1);
}

static void numbers(void **state __unused)
{
	assert_int_equal(set_number(SO_PRIORITY, 6), 0);
	assert_int_equal(get_number(SO_PRIORITY), 6);
	assert_int_equal(set_number(SO_MARK, 77), 0);
	assert_int_equal(get_number(SO_MARK), 77);
	assert_int_equal(set_number(SO_RCVLOWAT, 0), 0);
	assert_int_equal(get_number(SO_RCVLOWAT), 1);
	assert_int_equal(set_number(SO_RCVLOWAT, 100), 0);
	assert_int_equal(get_number(SO_RCVLOWAT), 100);
	assert_int_equal(set_number(SO_RCVLOWAT, -1), 0);
	assert_int_equal(get_number(SO_RCVLOWAT), INT32_MAX);
}

static void timeouts(void **state __unused)
{
	const struct timeval good = {.tv_sec = 3, .tv_usec = 250000}, negative = {.tv_sec = -1},
			     wrong = {.tv_usec = 1000000}, wrong_too = {.tv_usec = -1}, none = {0},
			     huge = {.tv_sec = INT64_MAX};
	struct timeval answer;
	uint32_t length = sizeof(answer);
	const int options[] = {SO_RCVTIMEO, SO_SNDTIMEO};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		uint64_t *timeout = i ? &one->send_timeout_us : &one->receive_timeout_us;

		assert_int_equal(
			socket_setsockopt(one, SOL_SOCKET, options[i], &good, sizeof(good)), 0);
		assert_int_equal(*timeout, 3250000);
		assert_int_equal(socket_getsockopt(one, SOL_SOCKET, options[i], &answer, &length),
				 0);
		assert_memory_equal(&answer, &good, sizeof(good));
		assert_int_equal(
			socket_setsockopt(one, SOL_SOCKET, options[i], &wrong, sizeof(good)),
			-EDOM);
		assert_int_equal(
			socket_setsockopt(one, SOL_SOCKET, options[i], &wrong_too, sizeof(good)),
			-EDOM);
		assert_int_equal(socket_setsockopt(one, SOL_SOCKET, options[i], &good, 8), -EINVAL);
		assert_int_equal(*timeout, 3250000);
		assert_int_equal(
			socket_setsockopt(one, SOL_SOCKET, options[i], &negative, sizeof(good)), 0);
		assert_int_equal(*timeout, 1);
		assert_int_equal(
			socket_setsockopt(one, SOL_SOCKET, options[i], &huge, sizeof(good)), 0);
		assert_int_equal(*timeout, 0);
		assert_int_equal(
			socket_setsockopt(one, SOL_SOCKET, options[i], &none, sizeof(good)), 0);
		assert_int_equal(*timeout, 0);
	}
}

static void lingering(void **state __unused)
{
	struct linger linger = {1, 30}, answer;
	uint32_t length = sizeof(answer);

	assert_int_equal(socket_setsockopt(one, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	assert_int_equal(socket_getsockopt(one, SOL_SOCKET, SO_LINGER, &answer, &length), 0);
	assert_memory_equal(&answer, &linger, sizeof(linger));
	assert_int_equal(socket_setsockopt(one, SOL_SOCKET, SO_LINGER, &linger, 4), -EINVAL);
}

static void binding_to_a_device(void **state __unused)
{
	char name[16];
	uint32_t length = sizeof(name);

	assert_int_equal(socket_getsockopt(one, SOL_SOCKET, SO_BINDTODEVICE, name, &length), 0);
	assert_int_equal(length, 0);
	assert_int_equal(socket_setsockopt(one, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 4), 0);
	assert_int_equal(one->bound_ifindex, f.dev.ifindex);
	length = sizeof(name);
	assert_int_equal(socket_getsockopt(one, SOL_SOCKET, SO_BINDTODEVICE, name, &length), 0);
	assert_int_equal(length, 5);
	assert_string_equal(name, "eth0");
	length = 4;
	assert_int_equal(socket_getsockopt(one, SOL_SOCKET, SO_BINDTODEVICE, name, &length),
			 -EINVAL);
	assert_int_equal(socket_setsockopt(one, SOL_SOCKET, SO_BINDTODEVICE, "eth9", 5), -ENODEV);
	assert_int_equal(
		socket_setsockopt(one, SOL_SOCKET, SO_BINDTODEVICE, "eth0 and much more text", 20),
		-ENODEV);
	assert_int_equal(socket_setsockopt(one, SOL_SOCKET, SO_BINDTODEVICE, "", 0), 0);
	assert_int_equal(one->bound_ifindex, 0);
	assert_int_equal(set_number(SO_BINDTOIFINDEX, f.dev.ifindex), 0);
	assert_int_equal(get_number(SO_BINDTOIFINDEX), f.dev.ifindex);
	assert_int_equal(set_number(SO_BINDTOIFINDEX, 99), -ENODEV);
	assert_int_equal(set_number(SO_BINDTOIFINDEX, -1), -EINVAL);
	assert_int_equal(set_number(SO_BINDTOIFINDEX, 0), 0);
}

static void answers_are_cut_to_the_room(void **state __unused)
{
	uint8_t bytes[16];
	uint32_t length = 2;

	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(socket_getsockopt(one, SOL_SOCKET, SO_TYPE, bytes, &length), 0);
	assert_int_equal(length, 2);
	assert_int_equal(bytes[0], SOCK_DGRAM);
	assert_int_equal(bytes[2], 0xff);
	length = sizeof(bytes);
	assert_int_equal(socket_getsockopt(one, SOL_SOCKET, SO_PEERCRED, bytes, &length), 0);
	assert_int_equal(length, sizeof(struct ucred));
}

static void by_system_call(void **state __unused)
{
	uint64_t fd = (uint64_t)host_syscall(SYS_socket, AF_TEST, SOCK_DGRAM, 0, 0, 0, 0);
	static uint8_t value[2000];
	int32_t length = sizeof(value);

	memset(value, 3, sizeof(value));
	assert_int_equal(
		host_syscall(SYS_setsockopt, fd, SOL_TEST, TEST_OPTION, (uint64_t)value, 10, 0), 0);
	assert_int_equal(host_syscall(SYS_getsockopt, fd, SOL_TEST, TEST_OPTION, (uint64_t)value,
				      (uint64_t)&length, 0),
			 0);
	assert_int_equal(length, 10);
	assert_int_equal(
		host_syscall(SYS_setsockopt, fd, SOL_TEST, TEST_OPTION, (uint64_t)value, 2000, 0),
		0);
	assert_int_equal(test_socket_of((int)fd)->option_length, 1024);
	assert_int_equal(host_syscall(SYS_setsockopt, fd, SOL_TEST, TEST_OPTION, (uint64_t)value,
				      (uint64_t)-1, 0),
			 -EINVAL);
	assert_int_equal(host_syscall(SYS_setsockopt, fd, SOL_TEST, TEST_OPTION, 8, 4, 0), -EFAULT);
	assert_int_equal(host_syscall(SYS_setsockopt, fd, SOL_TEST, 2, (uint64_t)value, 4, 0),
			 -ENOPROTOOPT);
	length = -1;
	assert_int_equal(host_syscall(SYS_getsockopt, fd, SOL_TEST, TEST_OPTION, (uint64_t)value,
				      (uint64_t)&length, 0),
			 -EINVAL);
	assert_int_equal(
		host_syscall(SYS_getsockopt, fd, SOL_TEST, TEST_OPTION, (uint64_t)value, 8, 0),
		-EFAULT);
	length = 4;
	assert_int_equal(
		host_syscall(SYS_getsockopt, fd, SOL_TEST, TEST_OPTION, 8, (uint64_t)&length, 0),
		-EFAULT);
	assert_int_equal(host_syscall(SYS_getsockopt, fd, SOL_TEST, 2, (uint64_t)value,
				      (uint64_t)&length, 0),
			 -ENOPROTOOPT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(switches),
		TEST(buffers_are_doubled_and_clamped),
		TEST(what_the_socket_is),
		TEST(numbers),
		TEST(timeouts),
		TEST(lingering),
		TEST(binding_to_a_device),
		TEST(answers_are_cut_to_the_room),
		TEST(by_system_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
