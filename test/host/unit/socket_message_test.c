/* sendmsg, recvmsg, sendmmsg, recvmmsg and ancillary data, on a test family. */
#include "test/host/unit/socket_family.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "include/uapi/syscall.h"
#include "include/uapi/uio.h"

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

static void messages_of_several_pieces(void **state __unused)
{
	uint64_t fd = (uint64_t)open_socket(SOCK_NONBLOCK);
	struct sockaddr_storage name = {.ss_family = AF_TEST, .ss_bytes = {7}};
	char first[4] = "abc", second[100] = "defgh";
	struct iovec pieces[2] = {{P(first), 3}, {P(second), 5}};
	uint64_t control[4] = {24, 1};
	struct msghdr header = {.msg_name = P(&name),
				.msg_namelen = 3,
				.msg_iov = P(pieces),
				.msg_iovlen = 2,
				.msg_control = P(control),
				.msg_controllen = 24};

	assert_int_equal(CALL(sendmsg, fd, P(&header)), 8);
	assert_int_equal(SKB_CONTROL(skb_queue_first(&test_socket_of((int)fd)->sent), uint64_t)[1],
			 24);
	test_family_deliver(test_socket_of((int)fd));
	memset(first, 0, sizeof(first));
	memset(second, 0, sizeof(second));
	memset(&name, 0, sizeof(name));
	pieces[0].iov_len = 2;
	pieces[1].iov_len = 100;
	header.msg_namelen = sizeof(name);
	assert_int_equal(CALL(recvmsg, fd, P(&header)), 8);
	assert_memory_equal(first, "ab\0", 3);
	assert_memory_equal(second, "cdefgh", 6);
	assert_int_equal(header.msg_namelen, 3);
	assert_int_equal(name.ss_bytes[0], 7);
	assert_int_equal(header.msg_controllen, 0);
}

static void messages_that_cannot_be(void **state __unused)
{
	uint64_t fd = (uint64_t)open_socket(SOCK_NONBLOCK);
	char byte;
	struct iovec piece = {P(&byte), 1};
	struct msghdr good = {.msg_iov = P(&piece), .msg_iovlen = 1}, header;

	assert_int_equal(CALL(sendmsg, fd, 8), -EFAULT);
	assert_int_equal(CALL(recvmsg, fd, 8), -EFAULT);
	assert_int_equal(CALL(sendmsg, fd, P(&good), 0x80000000), -EINVAL);
	assert_int_equal(CALL(recvmsg, fd, P(&good), 0x80000000), -EINVAL);
	header = good;
	header.msg_iovlen = 1025;
	assert_int_equal(CALL(sendmsg, fd, P(&header)), -EMSGSIZE);
	assert_int_equal(CALL(recvmsg, fd, P(&header)), -EMSGSIZE);
	header = good;
	header.msg_iov = 8;
	assert_int_equal(CALL(sendmsg, fd, P(&header)), -EFAULT);
	assert_int_equal(CALL(recvmsg, fd, P(&header)), -EFAULT);
	header = good;
	header.msg_name = 8;
	header.msg_namelen = 3;
	assert_int_equal(CALL(sendmsg, fd, P(&header)), -EFAULT);
	header.msg_namelen = -1;
	assert_int_equal(CALL(sendmsg, fd, P(&header)), -EINVAL);
	header = good;
	header.msg_control = 8;
	header.msg_controllen = 24;
	assert_int_equal(CALL(sendmsg, fd, P(&header)), -EFAULT);
	header.msg_controllen = 100000;
	assert_int_equal(CALL(sendmsg, fd, P(&header)), -ENOBUFS);
	header.msg_controllen = 24;
	host_fail_allocation(2); /* the first is for the pieces */
	assert_int_equal(CALL(sendmsg, fd, P(&header)), -ENOBUFS);
	host_fail_allocation(0);
	assert_int_equal(send_text((int)fd, "x"), 1);
	test_family_deliver(test_socket_of((int)fd));
	header = good;
	header.msg_name = 8;
	header.msg_namelen = 3;
	assert_int_equal(CALL(recvmsg, fd, P(&header)), -EFAULT);
}

static void many_messages_in_one_call(void **state __unused)
{
	uint64_t fd = (uint64_t)open_socket(SOCK_NONBLOCK);
	char bytes[3] = {'a', 'b', 'c'};
	struct iovec pieces[3] = {{P(&bytes[0]), 1}, {P(&bytes[1]), 1}, {P(&bytes[2]), 1}};
	struct mmsghdr messages[3] = {0};
	struct timespec timeout = {.tv_sec = 1};

	for (int i = 0; i < 3; i++) {
		messages[i].msg_hdr.msg_iov = P(&pieces[i]);
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	assert_int_equal(CALL(recvmmsg, fd, P(messages), 3), -EAGAIN);
	assert_int_equal(CALL(sendmmsg, fd, P(messages), 3), 3);
	assert_int_equal(messages[2].msg_len, 1);
	pieces[2].iov_base = 8;
	assert_int_equal(CALL(sendmmsg, fd, P(messages), 3), 2);
	pieces[0].iov_base = 8;
	assert_int_equal(CALL(sendmmsg, fd, P(messages), 3), -EFAULT);
	pieces[0].iov_base = P(&bytes[0]);
	pieces[2].iov_base = P(&bytes[2]);
	test_family_deliver(test_socket_of((int)fd)); /* five of them */
	assert_int_equal(CALL(recvmmsg, fd, P(messages), 3, 0, 0), 3);
	assert_memory_equal(bytes, "abc", 3);
	assert_int_equal(CALL(recvmmsg, fd, P(messages), 3, 0, P(&timeout)), 2);
	assert_int_equal(timeout.tv_sec, 1);
	assert_int_equal(CALL(recvmmsg, fd, P(messages), 3, 0, 8), -EFAULT);
	timeout.tv_nsec = -1;
	assert_int_equal(CALL(recvmmsg, fd, P(messages), 3, 0, P(&timeout)), -EINVAL);
	assert_int_equal(CALL(recvmmsg, fd, P(messages), 3, 0x80000000), -EINVAL);
	assert_int_equal(CALL(sendmmsg, fd, P(messages), 3, 0x80000000), -EINVAL);
}

static void waiting_for_one_of_many(void **state __unused)
{
	uint64_t fd = (uint64_t)open_socket(0);
	char byte;
	struct iovec piece = {P(&byte), 1};
	struct mmsghdr messages[3] = {0};
	struct timespec at_once = {0};

	for (int i = 0; i < 3; i++) {
		messages[i].msg_hdr.msg_iov = P(&piece);
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	f.while_asleep = deliver_everything;
	assert_int_equal(send_text((int)fd, "1"), 1);
	assert_int_equal(send_text((int)fd, "2"), 1);
	assert_int_equal(CALL(recvmmsg, fd, P(messages), 3, MSG_WAITFORONE), 2);
	assert_int_equal(send_text((int)fd, "1"), 1);
	assert_int_equal(send_text((int)fd, "2"), 1);
	assert_int_equal(CALL(recvmmsg, fd, P(messages), 3, 0, P(&at_once)), 1);

	/* An error after the first datagram is for the next call. */
	char good;
	struct iovec pieces[2] = {{P(&good), 1}, {8, 1}};

	messages[0].msg_hdr.msg_iov = P(&pieces[0]);
	messages[1].msg_hdr.msg_iov = P(&pieces[1]);
	assert_int_equal(send_text((int)fd, "3"), 1);
	assert_int_equal(CALL(recvmmsg, fd, P(messages), 2), 1);
	assert_int_equal(test_socket_of((int)fd)->socket.error, EFAULT);
}

static void ancillary_data_out(void **state __unused)
{
	uint64_t room[8];
	struct message message = {.control_to = room, .control_room = sizeof(room)};
	const struct cmsghdr *header = (const void *)room;

	memset(room, 0xff, sizeof(room));
	message_put_control(&message, 1, 2, "abcde", 5);
	assert_int_equal(message.control_used, 24);
	assert_int_equal(header->cmsg_len, 21);
	assert_memory_equal(CMSG_DATA(header), "abcde\0\0\0", 8);
	message_put_control(&message, 3, 4, "12345678", 8);
	assert_int_equal(message.control_used, 48);
	assert_int_equal(message.flags_out, 0);
	message_put_control(&message, 3, 4, "x", 1); /* 16 bytes left: a header without its byte */
	assert_int_equal(message.flags_out, MSG_CTRUNC);
	assert_int_equal(message.control_used, 64);
	message_put_control(&message, 3, 4, "x", 1);
	assert_int_equal(message.control_used, 64);

	struct message none = {0};

	message_put_control(&none, 3, 4, "x", 1);
	assert_int_equal(none.flags_out, MSG_CTRUNC);
}

static void ancillary_data_in(void **state __unused)
{
	uint64_t data[] = {20, 5, 0, 24, 6, 0}; /* lengths 20 (padded) and 24 */
	struct message message = {.control = data, .control_length = sizeof(data)};
	const struct cmsghdr *header;
	int error;

	header = message_next_control(&message, NULL, &error);
	assert_int_equal(header->cmsg_level, 5);
	header = message_next_control(&message, header, &error);
	assert_int_equal(header->cmsg_level, 6);
	assert_null(message_next_control(&message, header, &error));
	assert_int_equal(error, 0);
	message.control_length -= 1;
	header = message_next_control(&message, NULL, &error);
	assert_null(message_next_control(&message, header, &error));
	assert_int_equal(error, -EINVAL);
	data[0] = 15; /* shorter than a header */
	assert_null(message_next_control(&message, NULL, &error));
	assert_int_equal(error, -EINVAL);
	data[0] = UINT64_MAX;
	assert_null(message_next_control(&message, NULL, &error));
	assert_int_equal(error, -EINVAL);
	message.control_length = 8;
	assert_null(message_next_control(&message, NULL, &error));
	assert_int_equal(error, 0);
	message.control = NULL;
	assert_null(message_next_control(&message, NULL, &error));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(messages_of_several_pieces), TEST(messages_that_cannot_be),
		TEST(many_messages_in_one_call),  TEST(waiting_for_one_of_many),
		TEST(ancillary_data_out),         TEST(ancillary_data_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
