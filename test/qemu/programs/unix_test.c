/* AF_UNIX between processes: names in the file system, bytes and messages, waiting, the end. */
#define _GNU_SOURCE 1
#include "test/qemu/programs/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define PATH "/tmp/unix_test.socket"

static struct sockaddr_un path_name(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	strncpy(name.sun_path, path, sizeof(name.sun_path) - 1);
	return name;
}

static int bind_to(int fd, const char *path)
{
	struct sockaddr_un name = path_name(path);

	return bind(fd, (struct sockaddr *)&name, sizeof(name));
}

static int connect_to(int fd, const char *path)
{
	struct sockaddr_un name = path_name(path);

	return connect(fd, (struct sockaddr *)&name, sizeof(name));
}

static int new_socket(int type)
{
	int fd = socket(AF_UNIX, type, 0);

	CHECK(fd >= 0);
	return fd;
}

static int listener_at(const char *path, int type)
{
	int fd = new_socket(type);

	CHECK(bind_to(fd, path) == 0 && listen(fd, 5) == 0);
	return fd;
}

static void names_are_files(void)
{
	int fd = new_socket(SOCK_STREAM), client = new_socket(SOCK_STREAM);
	struct sockaddr_un name;
	socklen_t length = sizeof(name);
	struct stat status;
	mode_t mask = umask(027);

	CHECK(bind_to(fd, PATH) == 0);
	umask(mask);
	CHECK(stat(PATH, &status) == 0 && S_ISSOCK(status.st_mode));
	CHECK((status.st_mode & 07777) == 0750);
	CHECK(fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode));
	CHECK(getsockname(fd, (struct sockaddr *)&name, &length) == 0);
	CHECK(length == offsetof(struct sockaddr_un, sun_path) + sizeof(PATH));
	CHECK(strcmp(name.sun_path, PATH) == 0);
	CHECK_ERROR(bind_to(new_socket(SOCK_STREAM), PATH), EADDRINUSE);
	CHECK_ERROR(open(PATH, O_RDWR), ENXIO);
	CHECK_ERROR(connect_to(client, PATH), ECONNREFUSED);
	CHECK(listen(fd, 1) == 0);
	/* The name is the socket, wherever it is moved to, and by any link. */
	CHECK(rename(PATH, PATH ".moved") == 0);
	CHECK_ERROR(connect_to(client, PATH), ENOENT);
	CHECK(symlink(PATH ".moved", PATH) == 0);
	CHECK(connect_to(client, PATH) == 0);
	CHECK(chdir("/tmp") == 0 && link(PATH ".moved", PATH ".hard") == 0);
	CHECK(connect_to(new_socket(SOCK_STREAM), "unix_test.socket.hard") == 0);
	CHECK(unlink(PATH ".hard") == 0 && unlink(PATH) == 0);
	CHECK(close(fd) == 0);
	CHECK_ERROR(connect_to(new_socket(SOCK_STREAM), PATH ".moved"), ECONNREFUSED);
	CHECK(unlink(PATH ".moved") == 0);
	close(client);
}

static void names_that_cannot_be(void)
{
	int fd = new_socket(SOCK_DGRAM);

	CHECK_ERROR(bind_to(fd, "/no/such/folder"), ENOENT);
	CHECK_ERROR(bind_to(fd, "/etc/passwd/x"), ENOTDIR);
	CHECK_ERROR(bind_to(fd, "/etc/passwd"), EADDRINUSE);
	CHECK_ERROR(bind_to(fd, "/tmp"), EADDRINUSE);
	CHECK_ERROR(connect_to(fd, "/etc/passwd"), ECONNREFUSED);
	CHECK_ERROR(connect_to(fd, "/etc/passwd/x"), ENOTDIR);
	close(fd);
}

static int talk_to_parent(void)
{
	int fd = new_socket(SOCK_STREAM);
	char to[6] = "";

	CHECK(connect_to(fd, PATH) == 0);
	CHECK(write(fd, "hello", 5) == 5);
	CHECK(read(fd, to, 5) == 5 && strcmp(to, "world") == 0);
	CHECK(read(fd, to, 5) == 0);
	return 0;
}

static void between_processes(void)
{
	int fd = listener_at(PATH, SOCK_STREAM), status;
	pid_t child = fork();
	struct ucred peer;
	socklen_t length = sizeof(peer);
	char to[6] = "";

	if (child == 0)
		_exit(talk_to_parent());
	int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	CHECK(accepted >= 0 && fcntl(accepted, F_GETFD) == FD_CLOEXEC);
	CHECK(getsockopt(accepted, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0);
	CHECK(peer.pid == child && peer.uid == geteuid() && peer.gid == getegid());
	CHECK(read(accepted, to, 5) == 5 && strcmp(to, "hello") == 0);
	CHECK(write(accepted, "world", 5) == 5);
	close(accepted);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(close(fd) == 0 && unlink(PATH) == 0);
}

static int pair[2];

static int read_slowly(void)
{
	char to[5000];
	ssize_t part;
	long sum = 0;

	close(pair[0]);
	while ((part = read(pair[1], to, sizeof(to))) > 0)
		sum += part;
	return sum == 2000000 ? 0 : 1;
}

static void a_writer_waits_for_its_reader(void)
{
	static char bytes[2000000];
	int status;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	pid_t child = fork();

	if (child == 0)
		_exit(read_slowly());
	close(pair[1]);
	CHECK(write(pair[0], bytes, sizeof(bytes)) == sizeof(bytes));
	close(pair[0]);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static int write_until_killed(void)
{
	char bytes[4096] = "";

	for (;;)
		CHECK(write(pair[0], bytes, sizeof(bytes)) == sizeof(bytes));
}

static void a_waiting_writer_can_be_killed(void)
{
	int status, waiting = 0, before;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	pid_t child = fork();

	if (child == 0)
		_exit(write_until_killed());
	do { /* until the queue grows no more */
		before = waiting;
		usleep(20000);
		CHECK(ioctl(pair[1], FIONREAD, &waiting) == 0);
	} while (waiting == 0 || waiting != before);
	CHECK(kill(child, SIGKILL) == 0);
	CHECK(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL);
	close(pair[0]);
	close(pair[1]);
}

static void broken_pipes(void)
{
	signal(SIGPIPE, SIG_IGN);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	close(pair[1]);
	CHECK_ERROR(write(pair[0], "x", 1), EPIPE);
	close(pair[0]);
	signal(SIGPIPE, SIG_DFL);
}

static int write_into_broken_pipe(void)
{
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	close(pair[1]);
	CHECK_ERROR(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	return write(pair[0], "x", 1) == 1;
}

static void broken_pipes_end_programs(void)
{
	int status = status_of(write_into_broken_pipe);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

static void with_epoll(void)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
	int epoll = epoll_create1(0);
	char to[10];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event) == 0);
	CHECK(epoll_wait(epoll, &event, 1, 0) == 1 && event.events == EPOLLOUT);
	CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
	CHECK(write(pair[1], "x", 1) == 1);
	CHECK(epoll_wait(epoll, &event, 1, 1000) == 1 && event.events == (EPOLLIN | EPOLLOUT));
	CHECK(read(pair[0], to, 10) == 1 && epoll_wait(epoll, &event, 1, 0) == 0);
	while (write(pair[0], to, 10) == 10)
		;
	CHECK(errno == EAGAIN && epoll_wait(epoll, &event, 1, 0) == 0);
	while (read(pair[1], to, 10) > 0)
		;
	CHECK(epoll_wait(epoll, &event, 1, 1000) == 1 && event.events & EPOLLOUT);
	close(pair[1]);
	CHECK(epoll_wait(epoll, &event, 1, 1000) == 1);
	CHECK((event.events & (EPOLLHUP | EPOLLRDHUP | EPOLLIN)) ==
	      (EPOLLHUP | EPOLLRDHUP | EPOLLIN));
	close(pair[0]);
	close(epoll);
}

/* sendfile and splice, into a socket and out of it. */
static void files_and_pipes(void)
{
	int file = open("/tmp/unix_test.file", O_RDWR | O_CREAT | O_TRUNC, 0600), ends[2];
	static char bytes[20000], to[20000];
	off_t offset = 100;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 11 >> 3);
	CHECK(write(file, bytes, sizeof(bytes)) == sizeof(bytes));
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(ends) == 0);
	CHECK(sendfile(pair[0], file, &offset, 15000) == 15000 && offset == 15100);
	CHECK(recv(pair[1], to, 15000, MSG_WAITALL) == 15000);
	CHECK(memcmp(to, bytes + 100, 15000) == 0);
	CHECK(write(pair[0], bytes, 9000) == 9000);
	for (ssize_t done = 0, part; done < 9000; done += part) {
		part = splice(pair[1], NULL, ends[1], NULL, 9000 - (size_t)done, 0);
		CHECK(part > 0);
	}
	for (ssize_t done = 0, part; done < 9000; done += part) {
		part = splice(ends[0], NULL, pair[1], NULL, 9000 - (size_t)done, 0);
		CHECK(part > 0);
	}
	memset(to, 0, sizeof(to));
	CHECK(recv(pair[0], to, 9000, MSG_WAITALL) == 9000 && memcmp(to, bytes, 9000) == 0);
	CHECK(unlink("/tmp/unix_test.file") == 0);
	close(file);
	close(ends[0]);
	close(ends[1]);
	close(pair[0]);
	close(pair[1]);
}

/* As some shells do with socket pairs that stand for pipes. */
static void permissions_without_a_name(void)
{
	struct stat stat;
	int ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	CHECK(fstat(ends[0], &stat) == 0 && stat.st_mode == (S_IFSOCK | 0777));
	CHECK(fchmod(ends[0], S_IRUSR) == 0 && fchmod(ends[1], S_IWUSR) == 0);
	CHECK(fstat(ends[0], &stat) == 0 && stat.st_mode == (S_IFSOCK | S_IRUSR));
	CHECK(fstat(ends[1], &stat) == 0 && stat.st_mode == (S_IFSOCK | S_IWUSR));
	CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
	CHECK_ERROR(fchmod(ends[0], 0), EBADF);
}

static void many_messages_at_once(void)
{
	char to[3][10] = {"", "", ""};
	struct iovec out[3] = {{"one", 3}, {"two", 3}, {"three", 5}}, in[3];
	struct mmsghdr messages[3] = {0};

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	for (int i = 0; i < 3; i++) {
		messages[i].msg_hdr.msg_iov = &out[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		in[i] = (struct iovec){to[i], 4};
	}
	CHECK(sendmmsg(pair[0], messages, 3, 0) == 3 && messages[2].msg_len == 5);
	for (int i = 0; i < 3; i++)
		messages[i].msg_hdr.msg_iov = &in[i];
	CHECK(recvmmsg(pair[1], messages, 3, MSG_WAITFORONE, NULL) == 3);
	CHECK(strcmp(to[0], "one") == 0 && strcmp(to[1], "two") == 0);
	CHECK(strncmp(to[2], "thre", 4) == 0 && messages[2].msg_len == 4);
	CHECK(messages[2].msg_hdr.msg_flags & MSG_TRUNC);
	close(pair[0]);
	close(pair[1]);
}

static int open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* Without room in the descriptor table a pair is not half made, and a file is not half received. */
static void no_descriptors_left(void)
{
	struct rlimit limit, small;
	int fds[2], before;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	before = open_descriptors();
	small = limit;
	small.rlim_cur = (rlim_t)pair[1] + 2;
	CHECK(setrlimit(RLIMIT_NOFILE, &small) == 0);
	CHECK_ERROR(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), EMFILE);
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(open_descriptors() == before);
	CHECK_ERROR(socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)8), EFAULT);
	CHECK(open_descriptors() == before);
	close(pair[0]);
	close(pair[1]);
}

/* What is left when all of the above is over: nothing of ours. */
static void nothing_is_left(void)
{
	FILE *list = fopen("/proc/net/unix", "r");
	char line[300];

	CHECK(list && fgets(line, sizeof(line), list));
	CHECK(strcmp(line, "Num       RefCount Protocol Flags    Type St Inode Path\n") == 0);
	while (fgets(line, sizeof(line), list))
		CHECK(!strstr(line, "unix_test"));
	fclose(list);
}

RUN_TESTS({"names are files", names_are_files}, {"names that cannot be", names_that_cannot_be},
	  {"between processes", between_processes},
	  {"a writer waits for its reader", a_writer_waits_for_its_reader},
	  {"a waiting writer can be killed", a_waiting_writer_can_be_killed},
	  {"broken pipes", broken_pipes}, {"broken pipes end programs", broken_pipes_end_programs},
	  {"with epoll", with_epoll}, {"files and pipes", files_and_pipes},
	  {"permissions without a name", permissions_without_a_name},
	  {"many messages at once", many_messages_at_once},
	  {"no descriptors left", no_descriptors_left}, {"nothing is left", nothing_is_left})
