#include "test/host/unit/unix_fixture.h"

#include <string.h>

#include "include/uapi/poll.h"
#include "include/uapi/stat.h"
#include "kernel/fs/file.h"

struct fixture unix_world;
int unix_probes_live;

int unix_set_up(void **state __unused)
{
	static const struct ucred root = {.pid = 1};

	fixture_init(&unix_world);
	socket_syscalls_init();
	host_set_credentials(&root);
	unix_probes_live = 0;
	(void)host_signals_sent();
	return 0;
}

int unix_tear_down(void **state __unused)
{
	host_fail_allocation(0);
	host_signal(false);
	host_close_all();
	assert_int_equal(unix_probes_live, 0);
	fixture_destroy(&unix_world);
	return 0;
}

struct unix_name unix_named(const char *text)
{
	struct unix_name name = {.address.sun_family = AF_UNIX};

	strncpy(name.address.sun_path, text, UNIX_PATH_MAX);
	name.length = (uint32_t)(sizeof(sa_family_t) + strlen(text));
	if (text[0] == '@')
		name.address.sun_path[0] = '\0';
	return name;
}

int unix_socket_fd(int type)
{
	int64_t fd = CALL(socket, AF_UNIX, (uint64_t)type);

	assert_true(fd >= 0);
	return (int)fd;
}

int64_t unix_bind_to(int fd, const char *text)
{
	struct unix_name name = unix_named(text);

	return CALL(bind, (uint64_t)fd, P(&name.address), name.length);
}

int64_t unix_connect_to(int fd, const char *text)
{
	struct unix_name name = unix_named(text);

	return CALL(connect, (uint64_t)fd, P(&name.address), name.length);
}

int unix_bound(int type, const char *name)
{
	int fd = unix_socket_fd(type);

	assert_int_equal(unix_bind_to(fd, name), 0);
	return fd;
}

int unix_listener(int type, const char *name, int backlog)
{
	int fd = unix_bound(type, name);

	assert_int_equal(CALL(listen, (uint64_t)fd, (uint64_t)backlog), 0);
	return fd;
}

void unix_socketpair(int type, int fds[2])
{
	assert_int_equal(CALL(socketpair, AF_UNIX, (uint64_t)type, 0, P(fds)), 0);
}

void unix_connected(int type, int fds[2])
{
	int listener = unix_listener(type, "@unix_connected", 1);

	fds[0] = unix_socket_fd(type);
	assert_int_equal(unix_connect_to(fds[0], "@unix_connected"), 0);
	fds[1] = (int)CALL(accept, (uint64_t)listener);
	assert_true(fds[1] >= 0);
	assert_int_equal(fd_close(listener), 0);
}

int64_t unix_send(int fd, const void *bytes, size_t n, uint32_t flags)
{
	return CALL(sendto, (uint64_t)fd, P(bytes), n, flags);
}

int64_t unix_send_to(int fd, const char *text, const void *bytes, size_t n, uint32_t flags)
{
	struct unix_name name = unix_named(text);

	return CALL(sendto, (uint64_t)fd, P(bytes), n, flags, P(&name.address), name.length);
}

int64_t unix_receive(int fd, void *to, size_t n, uint32_t flags)
{
	return CALL(recvfrom, (uint64_t)fd, P(to), n, flags);
}

uint32_t unix_poll(int fd)
{
	struct file *file = fd_get(fd);
	uint32_t events = file_poll(file, NULL);

	file_put(file);
	return events;
}

int64_t unix_option(int fd, int option)
{
	int32_t value = 0;
	uint32_t length = sizeof(value);
	int64_t error = CALL(getsockopt, (uint64_t)fd, SOL_SOCKET, (uint64_t)option, P(&value),
			     P(&length));

	return error ? error : value;
}

void unix_set_option(int fd, int option, int32_t value)
{
	assert_int_equal(CALL(setsockopt, (uint64_t)fd, SOL_SOCKET, (uint64_t)option, P(&value),
			      sizeof(value)),
			 0);
}

int32_t unix_ioctl_number(int fd, uint32_t command)
{
	struct file *file = fd_get(fd);
	int32_t number = 0;
	int64_t error = file->ops->ioctl(file, command, P(&number));

	file_put(file);
	return error ? (int32_t)error : number;
}

void unix_set_nonblocking(int fd)
{
	struct file *file = fd_get(fd);

	file->flags |= O_NONBLOCK;
	file_put(file);
}

static int64_t send_control(int fd, const char *text, int type, const void *data, size_t n,
			    uint32_t flags)
{
	uint64_t control[200] = {0};
	struct cmsghdr *header = (void *)control;
	struct iovec piece = {P(text), strlen(text)};
	struct msghdr message = {.msg_iov = P(&piece), .msg_iovlen = 1, .msg_control = P(control)};

	header->cmsg_len = CMSG_LEN(n);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = type;
	memcpy(header + 1, data, n);
	message.msg_controllen = CMSG_SPACE(n);
	return CALL(sendmsg, (uint64_t)fd, P(&message), flags);
}

int64_t unix_send_fds(int fd, const char *text, const int32_t *fds, uint32_t count, uint32_t flags)
{
	return send_control(fd, text, SCM_RIGHTS, fds, count * sizeof(*fds), flags);
}

int64_t unix_send_credentials(int fd, const char *text, const struct ucred *credentials)
{
	return send_control(fd, text, SCM_CREDENTIALS, credentials, sizeof(*credentials), 0);
}

static void open_parcel(struct unix_parcel *parcel, const uint8_t *control, uint64_t length)
{
	struct cmsghdr header;

	for (uint64_t at = 0; at + sizeof(header) <= length; at += CMSG_ALIGN(header.cmsg_len)) {
		const uint8_t *data = control + at + sizeof(header);

		memcpy(&header, control + at, sizeof(header));
		assert_int_equal(header.cmsg_level, SOL_SOCKET);
		if (header.cmsg_type == SCM_RIGHTS) {
			parcel->fd_count = (uint32_t)((header.cmsg_len - sizeof(header)) / 4);
			memcpy(parcel->fds, data, parcel->fd_count * sizeof(int32_t));
		} else {
			assert_int_equal(header.cmsg_type, SCM_CREDENTIALS);
			memcpy(&parcel->credentials, data, sizeof(parcel->credentials));
			parcel->has_credentials = true;
		}
	}
}

struct unix_parcel unix_receive_parcel(int fd, size_t bytes, size_t room, uint32_t flags)
{
	struct unix_parcel parcel = {0};
	uint64_t control[400] = {0};
	struct iovec piece = {P(parcel.bytes), bytes};
	struct msghdr message = {.msg_iov = P(&piece),
				 .msg_iovlen = 1,
				 .msg_control = room ? P(control) : 0,
				 .msg_controllen = room};

	parcel.length = CALL(recvmsg, (uint64_t)fd, P(&message), flags);
	if (parcel.length < 0)
		return parcel;
	parcel.flags = message.msg_flags;
	open_parcel(&parcel, (const uint8_t *)control, message.msg_controllen);
	return parcel;
}

static void probe_release(struct file *file __unused)
{
	unix_probes_live--;
}

int unix_probe_fd(void)
{
	static const struct file_ops ops = {.release = probe_release, .mode = S_IFREG};

	unix_probes_live++;
	return fd_install(file_create(&ops, NULL, O_RDWR), 0, false);
}
