/*
 * The socket layer: descriptors, blocking, buffers, errors; by system calls on a test family.
 */
#include "test/host/unit/socket_family.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "include/uapi/fcntl.h"
#include "include/uapi/syscall.h"
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

static void making_and_closing(void **state __unused)
{
	struct test_socket *socket;
	int fd = open_socket(SOCK_CLOEXEC);

	socket = test_socket_of(fd);
	assert_int_equal(socket->socket.protocol, 7);
	assert_int_equal(f.net.live_sockets, 1);
	assert_int_equal(fd_close(fd), 0);
	assert_int_equal(f.net.live_sockets, 0);
	assert_int_equal(CALL(socket, AF_TEST, SOCK_DGRAM, 99), -EPROTONOSUPPORT);
	family.open_error = -ENOBUFS;
	assert_int_equal(CALL(socket, AF_TEST, SOCK_DGRAM), -ENOBUFS);
	assert_int_equal(f.net.live_sockets, 0);
}

static void a_packet_on_its_way_keeps_its_socket(void **state __unused)
{
	int fd = open_socket(0);
	struct sk_buff *skb = skb_alloc(&f.net, 100);

	skb_set_owner(skb, &test_socket_of(fd)->socket);
	assert_int_equal(fd_close(fd), 0);
	assert_int_equal(f.net.live_sockets, 1);
	skb_free(skb);
	assert_int_equal(f.net.live_sockets, 0);
}

static void descriptors_that_are_not_sockets(void **state __unused)
{
	static const struct file_ops no_ops = {0};
	const uint32_t calls[] = {SYS_bind,     SYS_connect,     SYS_listen,      SYS_accept,
				  SYS_accept4,  SYS_getsockname, SYS_getpeername, SYS_sendto,
				  SYS_recvfrom, SYS_setsockopt,  SYS_getsockopt,  SYS_shutdown,
				  SYS_sendmsg,  SYS_recvmsg,     SYS_sendmmsg,    SYS_recvmmsg};
	int fd = fd_install(file_create(&no_ops, NULL, 0), 0, false);

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		assert_int_equal(call(calls[i], (uint64_t[6]){(uint64_t)fd}), -ENOTSOCK);
		assert_int_equal(call(calls[i], (uint64_t[6]){99}), -EBADF);
	}
}

static void calls_that_a_kind_does_not_have(void **state __unused)
{
	uint64_t fd = (uint64_t)CALL(socket, AF_TEST, SOCK_SEQPACKET);
	struct sockaddr_storage name = {.ss_family = AF_TEST};
	uint32_t length = sizeof(name);
	char bytes[10];

	assert_int_equal(CALL(bind, fd, P(&name), 3), -EOPNOTSUPP);
	assert_int_equal(CALL(connect, fd, P(&name), 3), -EOPNOTSUPP);
	assert_int_equal(CALL(listen, fd, 1), -EOPNOTSUPP);
	assert_int_equal(CALL(accept, fd), -EOPNOTSUPP);
	assert_int_equal(CALL(shutdown, fd, SHUT_RDWR), -EOPNOTSUPP);
	assert_int_equal(CALL(getsockname, fd, P(&name), P(&length)), -EOPNOTSUPP);
	assert_int_equal(CALL(sendto, fd, P(bytes), 1), -EOPNOTSUPP);
	assert_int_equal(CALL(recvfrom, fd, P(bytes), 1), -EOPNOTSUPP);
	assert_int_equal(CALL(setsockopt, fd, SOL_TEST, 1, P(bytes), 4), -ENOPROTOOPT);
	assert_int_equal(CALL(getsockopt, fd, SOL_TEST, 1, P(bytes), P(&length)), -ENOPROTOOPT);
}

static void names(void **state __unused)
{
	uint64_t fd = (uint64_t)open_socket(0);
	struct sockaddr_storage name = {.ss_family = AF_TEST, .ss_bytes = {5}};
	int32_t length = sizeof(name);

	assert_int_equal(CALL(bind, fd, P(&name), sizeof(name) + 1), -EINVAL);
	assert_int_equal(CALL(bind, fd, P(&name), (uint64_t)-1), -EINVAL);
	assert_int_equal(CALL(bind, fd, 8, 3), -EFAULT);
	assert_int_equal(CALL(bind, fd, P(&name), 3), 0);
	assert_int_equal(CALL(getpeername, fd, P(&name), P(&length)), -ENOTCONN);
	assert_int_equal(CALL(connect, fd, P(&name), 3), 0);
	memset(&name, 0xff, sizeof(name));
	assert_int_equal(CALL(getpeername, fd, P(&name), P(&length)), 0);
	assert_int_equal(length, 3);
	assert_int_equal(name.ss_bytes[0], 5);
	length = 1; /* cut, but the whole length is told */
	memset(&name, 0xff, sizeof(name));
	assert_int_equal(CALL(getsockname, fd, P(&name), P(&length)), 0);
	assert_int_equal(length, 3);
	assert_int_equal(((uint8_t *)&name)[1], 0xff);
	length = -1;
	assert_int_equal(CALL(getsockname, fd, P(&name), P(&length)), -EINVAL);
	assert_int_equal(CALL(getsockname, fd, P(&name), 8), -EFAULT);
	length = 3;
	assert_int_equal(CALL(getsockname, fd, 8, P(&length)), -EFAULT);
	name.ss_family = AF_UNSPEC;
	assert_int_equal(CALL(connect, fd, P(&name), 3), 0);
	assert_int_equal(CALL(getpeername, fd, P(&name), P(&length)), -ENOTCONN);
}

static void sending_and_receiving(void **state __unused)
{
	int fd = open_socket(SOCK_NONBLOCK);
	struct sockaddr_storage name = {.ss_family = AF_TEST, .ss_bytes = {9}};
	uint32_t length = sizeof(name);
	char bytes[100];

	assert_int_equal(receive_text(fd, bytes, 0), -EAGAIN);
	assert_int_equal(CALL(sendto, (uint64_t)fd, P("one"), 3, 0, P(&name), 3), 3);
	assert_int_equal(CALL(sendto, (uint64_t)fd, P("one"), 3, 0, P(&name), 300), -EINVAL);
	assert_int_equal(CALL(sendto, (uint64_t)fd, P("one"), 3, 0, 8, 3), -EFAULT);
	assert_int_equal(CALL(sendto, (uint64_t)fd, 8, 3), -EFAULT);
	test_family_deliver(test_socket_of(fd));
	memset(&name, 0, sizeof(name));
	assert_int_equal(
		CALL(recvfrom, (uint64_t)fd, P(bytes), 100, MSG_PEEK, P(&name), P(&length)), 3);
	assert_int_equal(length, 3);
	assert_int_equal(name.ss_bytes[0], 9);
	assert_int_equal(CALL(recvfrom, (uint64_t)fd, P(bytes), 100, MSG_PEEK, P(&name), 8),
			 -EFAULT);
	assert_int_equal(receive_text(fd, bytes, 0), 3);
	assert_memory_equal(bytes, "one", 3);
}

static void the_file_of_a_socket(void **state __unused)
{
	int fd = open_socket(SOCK_NONBLOCK);
	struct file *file = fd_get(fd);
	char bytes[100];
	struct iov iov;

	assert_int_equal(file->flags, O_RDWR | O_NONBLOCK);
	assert_int_equal(file->ops->poll(file, NULL), POLLOUT | POLLWRNORM);
	iov_init_kernel(&iov, "text", 4);
	assert_int_equal(file->ops->write(file, &iov, NULL), 4);
	test_family_deliver(test_socket_of(fd));
	assert_int_equal(file->ops->poll(file, NULL), POLLOUT | POLLWRNORM | POLLIN | POLLRDNORM);
	iov_init_kernel(&iov, bytes, 0);
	assert_int_equal(file->ops->read(file, &iov, NULL), 0); /* and the packet stays */
	iov_init_kernel(&iov, bytes, 100);
	assert_int_equal(file->ops->read(file, &iov, NULL), 4);
	assert_int_equal(file->ops->read(file, &iov, NULL), -EAGAIN);
	file_put(file);
}

static void a_full_send_buffer_blocks(void **state __unused)
{
	int fd = open_socket(0);
	struct test_socket *socket = test_socket_of(fd);
	struct timeval timeout = {.tv_sec = 1, .tv_usec = 500000};
	int32_t size = 0;
	uint64_t before;

	assert_int_equal(fd, 0);
	assert_int_equal(CALL(setsockopt, 0, SOL_SOCKET, SO_SNDBUF, P(&size), 4), 0);
	assert_int_equal(socket->socket.send_buffer, 4608);
	while (CALL(sendto, 0, P("x"), 1, MSG_DONTWAIT) == 1)
		;
	assert_int_equal(CALL(sendto, 0, P("x"), 1, MSG_DONTWAIT), -EAGAIN);
	assert_true(socket->socket.send_charged >= 4608);
	assert_int_equal(socket_poll(&socket->socket, NULL) & POLLOUT, 0);

	before = f.now_us;
	assert_int_equal(CALL(setsockopt, 0, SOL_SOCKET, SO_SNDTIMEO, P(&timeout), sizeof(timeout)),
			 0);
	assert_int_equal(send_text(0, "x"), -EAGAIN);
	assert_int_equal(f.now_us - before, 1500000);

	f.while_asleep = deliver_everything;
	assert_int_equal(send_text(0, "last"), 4);
	f.while_asleep = NULL;
	test_family_deliver(socket);
	assert_int_equal(socket->socket.send_charged, 0);
	assert_true(socket_poll(&socket->socket, NULL) & POLLOUT);
	host_fail_allocation(1);
	assert_int_equal(send_text(0, "x"), -ENOBUFS);
}

static void waiting_for_a_packet(void **state __unused)
{
	int fd = open_socket(0);
	struct timeval timeout = {.tv_usec = 1};
	char bytes[100];

	host_signal(true);
	assert_int_equal(receive_text(fd, bytes, 0), -ERESTARTSYS);
	assert_int_equal(CALL(setsockopt, 0, SOL_SOCKET, SO_RCVTIMEO, P(&timeout), sizeof(timeout)),
			 0);
	assert_int_equal(receive_text(fd, bytes, 0), -EINTR);
	host_signal(false);
	assert_int_equal(receive_text(fd, bytes, 0), -EAGAIN);
	assert_int_equal(send_text(fd, "hello"), 5);
	f.while_asleep = deliver_everything;
	assert_int_equal(receive_text(fd, bytes, 0), 5);
	assert_int_equal(net_next_timer(&f.net), TIME_NEVER); /* the deadline is taken back */
}

static void pending_errors(void **state __unused)
{
	int fd = open_socket(SOCK_NONBLOCK);
	struct socket *socket = &test_socket_of(fd)->socket;
	int32_t error = 0;
	uint32_t length = sizeof(error);
	char bytes[100];

	net_lock(&f.net);
	socket_set_error(socket, ECONNREFUSED);
	net_unlock(&f.net);
	assert_true(socket_poll(socket, NULL) & POLLERR);
	assert_int_equal(receive_text(fd, bytes, 0), -ECONNREFUSED);
	assert_int_equal(receive_text(fd, bytes, 0), -EAGAIN);
	net_lock(&f.net);
	socket_set_error(socket, EHOSTUNREACH);
	net_unlock(&f.net);
	assert_int_equal(send_text(fd, "x"), -EHOSTUNREACH);
	net_lock(&f.net);
	socket_set_error(socket, ENETUNREACH);
	net_unlock(&f.net);
	assert_int_equal(
		CALL(getsockopt, (uint64_t)fd, SOL_SOCKET, SO_ERROR, P(&error), P(&length)), 0);
	assert_int_equal(error, ENETUNREACH);
	assert_int_equal(
		CALL(getsockopt, (uint64_t)fd, SOL_SOCKET, SO_ERROR, P(&error), P(&length)), 0);
	assert_int_equal(error, 0);
}

static void the_error_queue(void **state __unused)
{
	int fd = open_socket(SOCK_NONBLOCK);
	struct socket *socket = &test_socket_of(fd)->socket;
	char bytes[100];

	assert_int_equal(receive_text(fd, bytes, MSG_ERRQUEUE), -EAGAIN);
	net_lock(&f.net);
	socket->receive_buffer = 1;
	for (int i = 0; i < 2; i++) {
		struct sk_buff *skb = skb_alloc(&f.net, 10);

		memcpy(skb_put(skb, 3), "bad", 3);
		socket_queue_error(socket, skb);
	}
	net_unlock(&f.net);
	assert_int_equal(fixture_drops(&f, DROP_SOCKET_BUFFER_FULL), 1);
	assert_int_equal(socket->drops, 1);
	assert_true(socket_poll(socket, NULL) & POLLERR);
	assert_int_equal(receive_text(fd, bytes, MSG_ERRQUEUE), 3);
	assert_false(socket_poll(socket, NULL) & POLLERR);
}

static void shutting_down(void **state __unused)
{
	int fd = open_socket(0);
	struct socket *socket = &test_socket_of(fd)->socket;
	char bytes[100];

	assert_int_equal(CALL(shutdown, (uint64_t)fd, 3), -EINVAL);
	assert_int_equal(CALL(shutdown, (uint64_t)fd, (uint64_t)-1), -EINVAL);
	assert_int_equal(CALL(shutdown, (uint64_t)fd, SHUT_RD), 0);
	assert_int_equal(receive_text(fd, bytes, 0), 0); /* does not sleep */
	assert_int_equal(socket_poll(socket, NULL) & (POLLHUP | POLLRDHUP), POLLRDHUP);
	assert_int_equal(send_text(fd, "x"), 1);
	assert_int_equal(CALL(shutdown, (uint64_t)fd, SHUT_WR), 0);
	assert_int_equal(send_text(fd, "x"), -EPIPE);
	assert_true(socket_poll(socket, NULL) & POLLHUP);
}

static void accepting(void **state __unused)
{
	uint64_t fd = (uint64_t)open_socket(0);
	struct test_socket *listener = test_socket_of((int)fd);
	struct sockaddr_storage name;
	uint32_t length = sizeof(name);

	assert_int_equal(CALL(listen, fd, 5), 0);
	assert_int_equal(listener->backlog, 5);
	assert_int_equal(CALL(listen, fd, (uint64_t)-1), 0);
	assert_int_equal(listener->backlog, 4096);
	assert_int_equal(CALL(accept4, fd, 0, 0, 1), -EINVAL);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
			socket_create(&f.net, AF_TEST, SOCK_STREAM, 0, &listener->accepted), 0);
		if (i > 0) /* the first has lost its peer again */
			container_of(listener->accepted, struct test_socket, socket)->peer = 8;
		int64_t child = CALL(accept4, fd, i == 2 ? 8 : P(&name), P(&length), SOCK_NONBLOCK);

		if (i == 0)
			assert_int_equal(child, -ECONNABORTED);
		if (i == 2)
			assert_int_equal(child, -EFAULT);
		if (i != 1)
			continue;
		assert_true(child > 0);
		assert_int_equal(length, 3);
		assert_int_equal(name.ss_bytes[0], 8);
		struct file *file = fd_get((int)child);

		assert_true(file_nonblocking(file));
		file_put(file);
		assert_int_equal(CALL(accept, (uint64_t)child), -EAGAIN);
	}
	assert_int_equal(f.net.live_sockets, 2);
	assert_int_equal(socket_create(&f.net, AF_TEST, SOCK_STREAM, 0, &listener->accepted), 0);
	assert_true(CALL(accept, fd) > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(making_and_closing),
		TEST(a_packet_on_its_way_keeps_its_socket),
		TEST(descriptors_that_are_not_sockets),
		TEST(calls_that_a_kind_does_not_have),
		TEST(names),
		TEST(sending_and_receiving),
		TEST(the_file_of_a_socket),
		TEST(a_full_send_buffer_blocks),
		TEST(waiting_for_a_packet),
		TEST(pending_errors),
		TEST(the_error_queue),
		TEST(shutting_down),
		TEST(accepting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
