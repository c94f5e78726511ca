/* Pseudo-terminals: their names, both sides, and how they end. */
#define _GNU_SOURCE 1
#include "test/qemu/programs/pty.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif
#ifndef TIOCGPTLCK
#define TIOCGPTLCK 0x80045439
#endif

static void set_raw(int terminal)
{
	struct termios termios;

	CHECK(tcgetattr(terminal, &termios) == 0);
	cfmakeraw(&termios);
	CHECK(tcsetattr(terminal, TCSANOW, &termios) == 0);
}

static void names(void)
{
	struct pair pair = open_pair(), second = open_pair();
	struct stat by_name, by_fd;
	char path[32], name[32];
	int n, locked = 1;

	CHECK(isatty(pair.master) && isatty(pair.terminal));
	CHECK(strcmp(pair.name, second.name) != 0 && strncmp(pair.name, "/dev/pts/", 9) == 0);
	CHECK(stat(pair.name, &by_name) == 0 && fstat(pair.terminal, &by_fd) == 0);
	CHECK(S_ISCHR(by_name.st_mode) && by_name.st_rdev == by_fd.st_rdev);
	CHECK(by_name.st_ino == by_fd.st_ino && by_name.st_dev == by_fd.st_dev);
	CHECK(ttyname_r(pair.terminal, name, sizeof(name)) == 0 && strcmp(name, pair.name) == 0);
	snprintf(path, sizeof(path), "/dev/pts/0%s", pair.name + 9);
	CHECK_ERROR(stat(path, &by_name), ENOENT);
	CHECK(chown(pair.name, 100, 5) == 0 && chmod(pair.name, 0600) == 0);
	CHECK(fstat(pair.terminal, &by_fd) == 0 && by_fd.st_uid == 100);
	CHECK((by_fd.st_mode & 0777) == 0600);
	CHECK_ERROR(unlink(pair.name), EPERM);
	CHECK(open("/dev/pts/file", O_RDWR | O_CREAT, 0600) == -1);
	CHECK_ERROR(open("/dev/pts/255", O_RDWR), ENOENT);

	CHECK(ioctl(pair.master, TIOCGPTN, &n) == 0 && n == atoi(pair.name + 9));
	CHECK(ioctl(pair.master, TIOCSPTLCK, &locked) == 0);
	CHECK(ioctl(pair.master, TIOCGPTLCK, &n) == 0 && n == 1);
	CHECK_ERROR(open(pair.name, O_RDWR | O_NOCTTY), EIO);
	CHECK_ERROR(ioctl(pair.terminal, TIOCGPTN, &n), ENOTTY);
	CHECK_ERROR(ioctl(pair.terminal, TIOCSTI, "x"), EIO);
	CHECK_ERROR(ioctl(pair.master, TIOCSTI, "x"), EIO);
	close_pair(&pair);
	CHECK_ERROR(stat(pair.name, &by_name), ENOENT);
	close_pair(&second);
}

static int packet_of(int master)
{
	unsigned char packet[100];
	ssize_t n = read(master, packet, sizeof(packet));

	CHECK(n >= 1 && (packet[0] == 0 || n == 1));
	return packet[0] ? packet[0] : 1000 + (int)n - 1;
}

/* Packet mode, as screen and rlogind use it: a zero and output, or one byte of events. */
static void packets(void)
{
	struct pair pair = open_pair();
	struct pollfd master = {.fd = pair.master, .events = POLLIN | POLLPRI};
	struct termios termios;
	int on = 1;

	CHECK(ioctl(pair.master, TIOCPKT, &on) == 0);
	CHECK_ERROR(ioctl(pair.terminal, TIOCPKT, &on), ENOTTY);
	CHECK(poll(&master, 1, 0) == 0);
	send_text(pair.terminal, "four");
	CHECK(packet_of(pair.master) == 1000 + 4);
	CHECK(tcflush(pair.terminal, TCIFLUSH) == 0);
	CHECK(poll(&master, 1, 0) == 1 && master.revents == (POLLIN | POLLPRI));
	send_text(pair.terminal, "lost");
	CHECK(tcflush(pair.terminal, TCOFLUSH) == 0);
	CHECK(packet_of(pair.master) == (TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE));
	CHECK(tcflow(pair.terminal, TCOOFF) == 0 && tcflow(pair.terminal, TCOON) == 0);
	CHECK(packet_of(pair.master) == TIOCPKT_START);
	send_text(pair.master, "\023");
	CHECK(packet_of(pair.master) == TIOCPKT_STOP);
	send_text(pair.master, "\021");
	CHECK(packet_of(pair.master) == TIOCPKT_START);
	CHECK(tcgetattr(pair.terminal, &termios) == 0);
	termios.c_iflag &= ~(tcflag_t)IXON;
	CHECK(tcsetattr(pair.terminal, TCSANOW, &termios) == 0);
	CHECK(packet_of(pair.master) == TIOCPKT_NOSTOP);
	on = 0;
	CHECK(ioctl(pair.master, TIOCPKT, &on) == 0 && tcflush(pair.terminal, TCIFLUSH) == 0);
	send_text(pair.terminal, "plain");
	expect(pair.master, "plain");
	close_pair(&pair);
}

static void peer(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), terminal;
	char name[32];

	CHECK_ERROR(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY), EIO);
	CHECK(unlockpt(master) == 0);
	CHECK_ERROR(ioctl(master, TIOCGPTPEER, O_RDWR | O_CREAT), EINVAL);
	terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(terminal >= 0 && fcntl(terminal, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(terminal, F_GETFL) & (O_ACCMODE | O_NOCTTY)) == O_RDWR);
	CHECK(ttyname_r(terminal, name, sizeof(name)) == 0);
	close(terminal);
	close(master);
}

static void both_ways(void)
{
	struct pair pair = open_pair();
	struct winsize window = {.ws_row = 24, .ws_col = 80}, got;
	struct termios termios;
	int n;

	send_text(pair.terminal, "hello\n");
	expect(pair.master, "hello\r\n");
	send_text(pair.master, "typox\177\n");
	expect(pair.master, "typox\b \b\r\n");
	CHECK(ioctl(pair.terminal, FIONREAD, &n) == 0 && n == 5);
	expect(pair.terminal, "typo\n");
	CHECK(ioctl(pair.master, TIOCSWINSZ, &window) == 0);
	CHECK(ioctl(pair.terminal, TIOCGWINSZ, &got) == 0 && got.ws_col == 80);
	CHECK(tcgetattr(pair.master, &termios) == 0 && (termios.c_lflag & ICANON));
	set_raw(pair.terminal);
	send_text(pair.master, "\003\r");
	expect(pair.terminal, "\003\r");
	send_text(pair.terminal, "a\n");
	CHECK(ioctl(pair.master, FIONREAD, &n) == 0 && n == 2);
	CHECK(tcflush(pair.terminal, TCOFLUSH) == 0);
	CHECK(ioctl(pair.master, FIONREAD, &n) == 0 && n == 0);
	CHECK(tcdrain(pair.terminal) == 0);
	close_pair(&pair);
}

/* Each writes until it may not, and then everything is there. */
static void back_pressure(void)
{
	struct pair pair = open_pair();
	size_t written = 0, seen = 0;
	unsigned char byte;

	set_raw(pair.terminal);
	fcntl(pair.master, F_SETFL, O_NONBLOCK);
	fcntl(pair.terminal, F_SETFL, O_NONBLOCK);
	CHECK_ERROR(read(pair.master, &byte, 1), EAGAIN);
	CHECK_ERROR(read(pair.terminal, &byte, 1), EAGAIN);
	for (byte = 0; write(pair.terminal, &byte, 1) == 1; byte++)
		written++;
	CHECK(errno == EAGAIN && written > 1024);
	for (byte = 0; read(pair.master, &byte, 1) == 1; seen++)
		CHECK(byte == seen % 256);
	CHECK(errno == EAGAIN && seen == written);

	for (byte = 0, written = 0; write(pair.master, &byte, 1) == 1; byte++)
		written++;
	CHECK(errno == EAGAIN && written > 1024);
	CHECK(poll(&(struct pollfd){pair.master, POLLOUT, 0}, 1, 0) == 0);
	for (seen = 0; read(pair.terminal, &byte, 1) == 1; seen++)
		CHECK(byte == seen % 256);
	CHECK(errno == EAGAIN && seen == written);
	CHECK(poll(&(struct pollfd){pair.master, POLLOUT, 0}, 1, 0) == 1);
	close_pair(&pair);
}

#define STREAM (256 * 1024)

/* A child writes much to the terminal while the parent reads slowly: nothing is lost. */
static void long_stream(void)
{
	struct pair pair = open_pair();
	static unsigned char bytes[STREAM];
	size_t seen = 0;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		set_raw(pair.terminal);
		for (size_t i = 0; i < STREAM; i++)
			bytes[i] = (unsigned char)(i * 7 + i / 251);
		CHECK(write(pair.terminal, bytes, STREAM) == STREAM);
		_exit(0);
	}
	close(pair.terminal);
	while (seen < STREAM) {
		ssize_t n = read(pair.master, bytes, 1000);

		CHECK(n > 0);
		for (ssize_t i = 0; i < n; i++, seen++)
			CHECK(bytes[i] == (unsigned char)(seen * 7 + seen / 251));
	}
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK_ERROR(read(pair.master, bytes, 1), EIO);
	close(pair.master);
}

static short events_of(int fd)
{
	struct pollfd item = {fd, POLLIN | POLLOUT, 0};

	poll(&item, 1, 0);
	return item.revents;
}

static void terminal_closes(void)
{
	struct pair pair = open_pair();
	char bytes[8];

	CHECK(events_of(pair.master) == POLLOUT && events_of(pair.terminal) == POLLOUT);
	send_text(pair.terminal, "last");
	close(pair.terminal);
	CHECK(events_of(pair.master) == (POLLIN | POLLOUT | POLLHUP));
	expect(pair.master, "last");
	CHECK_ERROR(read(pair.master, bytes, 1), EIO);
	pair.terminal = open(pair.name, O_RDWR | O_NOCTTY);
	CHECK(pair.terminal >= 0 && events_of(pair.master) == POLLOUT);
	close_pair(&pair);
}

static void master_closes(void)
{
	struct pair pair = open_pair();
	char byte;

	close(pair.master);
	CHECK(read(pair.terminal, &byte, 1) == 0);
	CHECK_ERROR(write(pair.terminal, "x", 1), EIO);
	CHECK_ERROR(open(pair.name, O_RDWR), ENOENT);
	CHECK(events_of(pair.terminal) == (POLLIN | POLLOUT | POLLHUP | POLLERR));
	CHECK_ERROR(tcsetpgrp(pair.terminal, getpgrp()), EIO);
	close(pair.terminal);
}

static void epoll_sees_it(void)
{
	struct pair pair = open_pair();
	int epoll = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN, .data.fd = 7};

	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, pair.master, &event) == 0);
	CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
	send_text(pair.terminal, "x");
	CHECK(epoll_wait(epoll, &event, 1, 1000) == 1 && event.events == EPOLLIN);
	expect(pair.master, "x");
	CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
	close(pair.terminal);
	CHECK(epoll_wait(epoll, &event, 1, 1000) == 1 && (event.events & EPOLLHUP));
	close(pair.master);
	close(epoll);
}

/* As many as there may be, and again after they were closed: none is lost. */
static void bounded(void)
{
	int masters[512], count = 0;

	for (int round = 0; round < 2; round++) {
		for (count = 0; count < 512; count++) {
			masters[count] = open("/dev/ptmx", O_RDWR | O_NOCTTY);
			if (masters[count] < 0)
				break;
		}
		CHECK(errno == ENOSPC && count > 100 && count <= 256);
		while (count > 0)
			close(masters[--count]);
	}
}

static void descriptors_as_files(void)
{
	struct pair pair = open_pair();
	char path[32];
	int again, shm;

	snprintf(path, sizeof(path), "/dev/fd/%d", pair.terminal);
	again = open(path, O_RDWR | O_NOCTTY);
	CHECK(again >= 0);
	send_text(again, "x");
	expect(pair.master, "x");
	close(again);
	close_pair(&pair);
	shm = open("/dev/shm/name", O_RDWR | O_CREAT | O_EXCL, 0600);
	CHECK(shm >= 0 && unlink("/dev/shm/name") == 0);
	close(shm);
}

RUN_TESTS({"names", names}, {"packets", packets}, {"peer", peer}, {"both ways", both_ways},
	  {"back pressure", back_pressure}, {"long stream", long_stream},
	  {"the terminal closes", terminal_closes}, {"the master closes", master_closes},
	  {"epoll", epoll_sees_it}, {"bounded", bounded},
	  {"descriptors as files", descriptors_as_files})
