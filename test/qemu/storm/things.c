/*
 * What calls are about: descriptors of every kind, the names of files, the addresses of sockets.
 * Nothing of it is needed by the rest of the machine: files lie in the working directory, and what
 * of /proc and /dev is opened for writing concerns the process alone.
 */
#include "test/qemu/storm/storm.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#define PORT 7100 /* and some above */
#define PORTS 6

static uint8_t kinds[THING_FDS]; /* enum thing, of each descriptor */

/* Notes what `fd` is, when it is one; returns it. */
static int note(int fd, enum thing kind)
{
	if (fd >= 0 && fd < THING_FDS)
		kinds[fd] = (uint8_t)kind;
	return fd;
}

uint64_t things_descriptor(struct dice *dice, enum thing kind)
{
	uint32_t fd = 0;

	for (int i = 0; i < 2 * THING_FDS; i++) {
		fd = dice_below(dice, THING_FDS);
		if (kinds[fd] == kind)
			break;
	}
	return fd;
}

static const char *const own_paths[] = {
	"storm-f0",          "storm-f1", "storm-f2",          "storm-d0",
	"storm-d0/storm-f3", "storm-d1", "storm-d1/storm-f4", "storm-l0",
	"storm-l1",          "storm-s0", "storm-fifo",        "storm-d0/../storm-f0",
	"storm-d0/storm-d2", ".",        "storm-l0/storm-f5", "storm-f0/",
};

static const char *const other_paths[] = {
	"",
	"/",
	"..",
	"/proc/self",
	"/proc/self/maps",
	"/proc/self/smaps",
	"/proc/self/status",
	"/proc/self/stat",
	"/proc/self/fd",
	"/proc/self/fd/3",
	"/proc/self/fd/7",
	"/proc/self/fdinfo/5",
	"/proc/self/task",
	"/proc/self/exe",
	"/proc/self/cwd",
	"/proc/self/comm",
	"/proc/self/cmdline",
	"/proc/self/environ",
	"/proc/self/oom_score_adj",
	"/proc/self/mounts",
	"/proc/1/status",
	"/proc/meminfo",
	"/proc/stat",
	"/proc/net/tcp",
	"/proc/net/udp6",
	"/proc/net/unix",
	"/proc/net/dev",
	"/proc/net/packet",
	"/proc/net/snmp",
	"/proc/sys/net/core/somaxconn",
	"/proc/sys/kernel/random/uuid",
	"/sys/class/net/lo/statistics",
	"/dev/null",
	"/dev/zero",
	"/dev/full",
	"/dev/urandom",
	"/dev/ptmx",
	"/dev/pts/0",
	"/dev/pts/1",
	"/dev/shm",
	"/dev/fd/4",
	"/bin/busybox",
	"/etc/passwd",
	"/test/storm",
	"/nowhere/at/all",
};

const char *things_own_path(struct dice *dice)
{
	return own_paths[dice_below(dice, COUNT(own_paths))];
}

const char *things_path(struct dice *dice)
{
	if (dice_one_in(dice, 3))
		return other_paths[dice_below(dice, COUNT(other_paths))];
	return things_own_path(dice);
}

static size_t unix_address(struct dice *dice, struct sockaddr_un *to)
{
	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	switch (dice_below(dice, 4)) {
	case 0: /* abstract */
		to->sun_path[1] = (char)('a' + dice_below(dice, 4));
		return offsetof(struct sockaddr_un, sun_path) + 2;
	case 1:
		return offsetof(struct sockaddr_un, sun_path); /* autobind */
	default:
		strcpy(to->sun_path, "storm-s0");
		to->sun_path[7] = (char)('0' + dice_below(dice, 4));
		return sizeof(*to);
	}
}

static size_t inet_address(struct dice *dice, struct sockaddr_in *to)
{
	static const uint32_t addresses[] = {INADDR_LOOPBACK, INADDR_ANY,  INADDR_BROADCAST,
					     0xe0000001u,     0x7f000005u, 0x0a000203u};

	*to = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)(PORT + dice_below(dice, PORTS))),
		.sin_addr.s_addr = htonl(
			addresses[dice_one_in(dice, 3) ? dice_below(dice, COUNT(addresses)) : 0]),
	};
	return sizeof(*to);
}

static size_t inet6_address(struct dice *dice, struct sockaddr_in6 *to)
{
	*to = (struct sockaddr_in6){
		.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)(PORT + dice_below(dice, PORTS))),
		.sin6_scope_id = dice_below(dice, 2),
	};
	if (!dice_one_in(dice, 4))
		to->sin6_addr.s6_addr[15] = 1;
	if (dice_one_in(dice, 4))
		memcpy(to->sin6_addr.s6_addr + 10, "\xff\xff\x7f\0\0", 5);
	return sizeof(*to);
}

size_t things_address(struct dice *dice, void *to)
{
	switch (dice_below(dice, 8)) {
	case 0:
	case 1:
		return unix_address(dice, to);
	case 2:
		return inet6_address(dice, to);
	case 3:
		*(struct sockaddr_ll *)to = (struct sockaddr_ll){
			.sll_family = AF_PACKET,
			.sll_protocol = htons(dice_one_in(dice, 2) ? 3 : 0x800),
			.sll_ifindex = (int)dice_below(dice, 3),
			.sll_halen = (uint8_t)dice_below(dice, 9),
		};
		return sizeof(struct sockaddr_ll);
	case 4:
		*(struct sockaddr_nl *)to = (struct sockaddr_nl){
			.nl_family = AF_NETLINK, .nl_groups = dice_below(dice, 1024)};
		return sizeof(struct sockaddr_nl);
	case 5:
		memset(to, 0, 16); /* AF_UNSPEC: what was connected is so no more */
		return 16;
	default:
		return inet_address(dice, to);
	}
}

static int maybe_nonblocking(struct dice *dice)
{
	return dice_one_in(dice, 2) ? SOCK_NONBLOCK : 0; /* is O_NONBLOCK, too */
}

static void open_socket(struct dice *dice)
{
	static const struct {
		int family, type, protocol;
	} sockets[] = {
		{AF_INET, SOCK_STREAM, 0},           {AF_INET, SOCK_DGRAM, 0},
		{AF_INET6, SOCK_STREAM, 0},          {AF_INET6, SOCK_DGRAM, 0},
		{AF_INET, SOCK_RAW, IPPROTO_ICMP},   {AF_INET, SOCK_RAW, IPPROTO_RAW},
		{AF_INET, SOCK_DGRAM, IPPROTO_ICMP}, {AF_INET6, SOCK_RAW, IPPROTO_ICMPV6},
		{AF_PACKET, SOCK_RAW, 0x300},        {AF_PACKET, SOCK_DGRAM, 0x8},
		{AF_NETLINK, SOCK_RAW, 0},           {AF_NETLINK, SOCK_DGRAM, 4},
		{AF_UNIX, SOCK_STREAM, 0},           {AF_UNIX, SOCK_DGRAM, 0},
		{AF_UNIX, SOCK_SEQPACKET, 0},
	};
	uint32_t kind = dice_below(dice, COUNT(sockets));
	int fd = socket(sockets[kind].family, sockets[kind].type | maybe_nonblocking(dice),
			sockets[kind].protocol);
	uint8_t address[128];
	socklen_t length = (socklen_t)things_address(dice, address);

	note(fd, THING_SOCKET);
	if (fd < 0 || dice_one_in(dice, 2))
		return;
	if (dice_one_in(dice, 2))
		bind(fd, (void *)address, length);
	else
		connect(fd, (void *)address, length);
	if (dice_one_in(dice, 2) && listen(fd, 4) == 0)
		note(fd, THING_LISTENER);
}

/* A connection through the loopback device: both its ends. */
static void open_connection(struct dice *dice)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(name);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM | maybe_nonblocking(dice), 0);

	if (bind(listener, (void *)&name, length) == 0 && listen(listener, 1) == 0 &&
	    getsockname(listener, (void *)&name, &length) == 0 &&
	    connect(client, (void *)&name, length) == 0)
		note(accept4(listener, NULL, NULL, maybe_nonblocking(dice)), THING_SOCKET);
	note(client, THING_SOCKET);
	if (listener >= 0)
		close(listener);
}

static void open_terminal(struct dice *dice)
{
	int unlocked = 0, master = open("/dev/ptmx", O_RDWR | O_NOCTTY | maybe_nonblocking(dice));
	uint32_t number;
	char name[] = "/dev/pts/0";

	if (note(master, THING_TERMINAL) < 0 ||
	    raw(SYS_ioctl, (uint64_t)master, 0x80045430, (uint64_t)&number, 0, 0, 0) ||
	    raw(SYS_ioctl, (uint64_t)master, 0x40045431, (uint64_t)&unlocked, 0, 0, 0))
		return;
	name[sizeof(name) - 2] = (char)('0' + number % 10);
	note(open(name, O_RDWR | O_NOCTTY | maybe_nonblocking(dice)), THING_TERMINAL);
}

static void open_events(struct dice *dice)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT |
					      (dice_one_in(dice, 2) ? EPOLLET : 0)};
	int fd = note(epoll_create1(0), THING_EPOLL);

	for (int i = 0; i < 6; i++)
		epoll_ctl(fd, EPOLL_CTL_ADD, (int)dice_below(dice, THING_FDS), &event);
}

static void open_file(struct dice *dice)
{
	const char *path = things_path(dice);
	int own = path[0] == 's'; /* others are only read */
	int flags = own ? O_RDWR | (dice_one_in(dice, 2) ? O_CREAT : 0) : O_RDONLY;

	int fd = open(path, flags | O_NOCTTY | maybe_nonblocking(dice), 0666);
	struct stat stat;

	if (fd >= 0 && fstat(fd, &stat) == 0)
		note(fd, S_ISDIR(stat.st_mode) ? THING_FOLDER : THING_FILE);
}

static void note_both(const int ends[2], enum thing kind)
{
	note(ends[0], kind);
	note(ends[1], kind);
}

static void open_pipe(struct dice *dice)
{
	int ends[2];

	if (pipe2(ends, maybe_nonblocking(dice)) == 0)
		note_both(ends, THING_PIPE);
}

static void open_pair(struct dice *dice)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	int type = types[dice_below(dice, COUNT(types))] | maybe_nonblocking(dice);
	int ends[2];

	if (socketpair(AF_UNIX, type, 0, ends) == 0)
		note_both(ends, THING_SOCKET);
}

static void open_memory_file(struct dice *dice)
{
	int fd = note(memfd_create("storm", 0), THING_FILE);

	if (fd >= 0 && ftruncate(fd, dice_below(dice, 20000)))
		close(fd);
}

static void open_counter(struct dice *dice)
{
	note(eventfd(dice_below(dice, 3), maybe_nonblocking(dice)), THING_OTHER);
}

static void open_timer(struct dice *dice)
{
	note(timerfd_create((int)dice_below(dice, 2), maybe_nonblocking(dice)), THING_TIMER);
}

static void open_signals(struct dice *dice)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1 + (int)dice_below(dice, 8));
	note(signalfd(-1, &signals, maybe_nonblocking(dice)), THING_SIGNALS);
}

static void open_watch(struct dice *dice)
{
	int fd = note(inotify_init1(maybe_nonblocking(dice)), THING_WATCH);

	inotify_add_watch(fd, things_path(dice), IN_ALL_EVENTS);
}

static void open_process(struct dice *dice)
{
	(void)dice;
	note((int)raw(SYS_pidfd_open, (uint64_t)getpid(), 0, 0, 0, 0, 0), THING_PROCESS);
}

static void open_folder(struct dice *dice)
{
	note(open(dice_one_in(dice, 2) ? "." : "/proc/self", O_DIRECTORY), THING_FOLDER);
}

void things_open_one(struct dice *dice)
{
	static void (*const openers[])(struct dice * dice) = {
		open_pipe,       open_counter,     open_events,   open_timer,   open_signals,
		open_watch,      open_memory_file, open_terminal, open_process, open_pair,
		open_connection, open_socket,      open_socket,   open_socket,  open_folder,
		open_file,       open_file,
	};

	openers[dice_below(dice, COUNT(openers))](dice);
}

void things_open(struct dice *dice)
{
	mkdir("storm-d0", 0777);
	mkdir("storm-d1", 0777);
	if (symlink("storm-d0", "storm-l0") == 0 && symlink("storm-l1", "storm-l1") == 0)
		mkfifo("storm-fifo", 0666);
	for (int i = 0; i < 28; i++)
		things_open_one(dice);
}
