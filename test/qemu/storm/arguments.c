/* Arguments: mostly what a program might mean, sometimes not. */
#include "test/qemu/storm/arguments.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#define NSEC_PER_SEC 1000000000

static uint64_t minus(uint64_t value)
{
	return -value;
}

uint64_t one_of(struct dice *dice, const uint64_t *values, size_t count)
{
	return dice_one_in(dice, 24) ? number(dice) : values[dice_below(dice, (uint32_t)count)];
}

uint64_t some_of(struct dice *dice, const uint64_t *bits, size_t count)
{
	uint64_t sum = 0;

	if (dice_one_in(dice, 24))
		return number(dice);
	while (!dice_one_in(dice, 3))
		sum |= bits[dice_below(dice, (uint32_t)count)];
	return sum;
}

uint64_t zero(struct dice *dice)
{
	return dice_one_in(dice, 24) ? number(dice) : 0;
}

uint64_t small(struct dice *dice)
{
	return dice_one_in(dice, 24) ? number(dice) : dice_below(dice, 9);
}

uint64_t number(struct dice *dice)
{
	static const uint64_t edges[] = {
		0,           1,     0x7fffffff, 0x80000000,         0xffffffff,
		0x100000000, 4095,  4096,       0x7fffffffffffffff, 1ull << 63,
		1024,        65535, 65536,      1ull << 40,         4097,
	};

	switch (dice_below(dice, 4)) {
	case 0:
		return minus(1 + dice_below(dice, 200));
	case 1:
		return dice_bits(dice) >> dice_below(dice, 64);
	default:
		return edges[dice_below(dice, COUNT(edges))] + dice_below(dice, 3) - 1;
	}
}

uint64_t size(struct dice *dice)
{
	switch (dice_below(dice, 16)) {
	case 0:
		return number(dice);
	case 1:
		return 0;
	case 2:
	case 3:
	case 4:
		return dice_below(dice, 20000);
	case 5:
		return 4096ull * dice_below(dice, 20);
	default:
		return dice_below(dice, 300);
	}
}

uint64_t offset(struct dice *dice)
{
	return dice_one_in(dice, 8) ? number(dice) : dice_below(dice, 20000);
}

uint64_t descriptor(struct dice *dice)
{
	return dice_one_in(dice, 40) ? number(dice) : dice_below(dice, THING_FDS / 2);
}

#define OF_KIND(name, kind)                                                                     \
	uint64_t name(struct dice *dice)                                                        \
	{                                                                                       \
		return dice_one_in(dice, 8) ? descriptor(dice) : things_descriptor(dice, kind); \
	}

OF_KIND(file_fd, THING_FILE)
OF_KIND(folder_fd, THING_FOLDER)
OF_KIND(pipe_fd, THING_PIPE)
OF_KIND(socket_fd, THING_SOCKET)
OF_KIND(listener_fd, THING_LISTENER)
OF_KIND(epoll_fd, THING_EPOLL)
OF_KIND(timer_fd, THING_TIMER)
OF_KIND(signals_fd, THING_SIGNALS)
OF_KIND(watch_fd, THING_WATCH)
OF_KIND(terminal_fd, THING_TERMINAL)
OF_KIND(process_fd, THING_PROCESS)

uint64_t folder(struct dice *dice)
{
	return dice_one_in(dice, 3) ? folder_fd(dice) : (uint64_t)AT_FDCWD;
}

static uint64_t own_process(void)
{
	return (uint64_t)raw(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

/*
 * Every child leads a process group of its own, so 0 and the negative of its number are for it and
 * its children. The tids are the storm's, and outlive their owners by no more than a moment.
 */
uint64_t process(struct dice *dice)
{
	switch (dice_below(dice, 6)) {
	case 0:
		return 0;
	case 1:
		return minus(own_process());
	case 2:
		return thread(dice);
	case 3:
		return 0x7ffffff0 + dice_below(dice, 16);
	default:
		return own_process();
	}
}

uint64_t thread(struct dice *dice)
{
	uint64_t tid = (uint64_t)shared->tids[dice_below(dice, TIDS)];

	return tid ? tid : own_process();
}

uint64_t signal_number(struct dice *dice)
{
	static const uint64_t mild[] = {0,       SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGIO,
					SIGCONT, SIGURG,  36,      64,      SIGPIPE};

	if (dice_one_in(dice, 100))
		return dice_below(dice, 66); /* with those that end or stop it */
	return one_of(dice, mild, COUNT(mild));
}

uint64_t user(struct dice *dice)
{
	static const uint64_t users[] = {0, 65534, 1, 1000, 0xffffffff};

	return one_of(dice, users, COUNT(users));
}

uint64_t clock_number(struct dice *dice)
{
	return dice_one_in(dice, 8) ? number(dice) : dice_below(dice, 12);
}

uint64_t option_number(struct dice *dice)
{
	return dice_one_in(dice, 24) ? number(dice) : dice_below(dice, 80);
}

uint64_t memory(struct dice *dice)
{
	return arena_any(dice);
}

uint64_t place(struct dice *dice)
{
	return dice_one_in(dice, 24) ? arena_strange(dice) & ~0xfffull : arena_place(dice);
}

static uint64_t put_path(struct dice *dice, const char *name)
{
	char text[2000];

	if (!dice_one_in(dice, 24))
		return arena_put(dice, name, strlen(name) + 1);
	memset(text, 'a', sizeof(text)); /* a long one */
	for (size_t i = 0; i < sizeof(text); i += 1 + dice_below(dice, 300))
		text[i] = '/';
	text[0] = dice_one_in(dice, 2) ? '/' : '.';
	text[sizeof(text) - 1] = '\0';
	return arena_put(dice, text, sizeof(text));
}

uint64_t path(struct dice *dice)
{
	bool superuser = raw(SYS_geteuid, 0, 0, 0, 0, 0, 0) == 0;

	return put_path(dice, superuser ? things_own_path(dice) : things_path(dice));
}

uint64_t path_to_read(struct dice *dice)
{
	return put_path(dice, things_path(dice));
}

uint64_t name_of_attribute(struct dice *dice)
{
	return arena_put(dice, "user.storm", sizeof("user.storm"));
}

uint64_t address(struct dice *dice)
{
	uint8_t bytes[128] = {0};

	return arena_put(dice, bytes, things_address(dice, bytes) ? sizeof(bytes) : 1);
}

uint64_t address_length(struct dice *dice)
{
	static const uint64_t lengths[] = {16, 28, 110, 20, 12, 2, 4, 128, 1, 0};

	return one_of(dice, lengths, COUNT(lengths));
}

uint64_t length_at(struct dice *dice)
{
	uint32_t length = (uint32_t)address_length(dice);

	return dice_one_in(dice, 4) ? 0 : arena_put(dice, &length, sizeof(length));
}

#define VECTORS 6

static size_t fill_vectors(struct dice *dice, struct iovec *to)
{
	size_t count = dice_below(dice, VECTORS + 1);

	for (size_t i = 0; i < count; i++)
		to[i] = (struct iovec){(void *)arena_any(dice), dice_below(dice, 600)};
	if (count > 0 && dice_one_in(dice, 8))
		to[0].iov_len = size(dice);
	return count;
}

uint64_t vectors(struct dice *dice)
{
	struct iovec to[VECTORS] = {0};

	fill_vectors(dice, to);
	return arena_put(dice, to, sizeof(to));
}

/* SCM_RIGHTS with descriptors, credentials, or nonsense. */
static size_t fill_control(struct dice *dice, uint8_t *to)
{
	struct cmsghdr *header = (struct cmsghdr *)to;
	int fds[4], count = (int)dice_below(dice, 5);

	for (int i = 0; i < count; i++)
		fds[i] = (int)descriptor(dice);
	*header = (struct cmsghdr){.cmsg_len = CMSG_LEN((size_t)count * sizeof(int)),
				   .cmsg_level = SOL_SOCKET,
				   .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(header), fds, sizeof(fds));
	switch (dice_below(dice, 8)) {
	case 0:
		header->cmsg_len = (socklen_t)number(dice);
		break;
	case 1:
		header->cmsg_level = (int)dice_below(dice, 60);
		header->cmsg_type = (int)dice_below(dice, 60);
		break;
	case 2:
		header->cmsg_type = SCM_CREDENTIALS;
		break;
	default:
		break;
	}
	return CMSG_SPACE((size_t)count * sizeof(int));
}

static struct msghdr make_message(struct dice *dice)
{
	struct iovec to[VECTORS] = {0};
	uint8_t control[64] = {0}, name[128] = {0};
	struct msghdr header = {0};

	header.msg_iovlen = (int)fill_vectors(dice, to);
	header.msg_iov = (void *)arena_put(dice, to, sizeof(to));
	if (dice_one_in(dice, 2)) {
		header.msg_controllen = (socklen_t)fill_control(dice, control);
		header.msg_control = (void *)arena_put(dice, control, sizeof(control));
	}
	if (dice_one_in(dice, 2)) {
		header.msg_namelen = (socklen_t)things_address(dice, name);
		header.msg_name = (void *)arena_put(dice, name, sizeof(name));
	}
	if (dice_one_in(dice, 20))
		header.msg_iovlen = (int)number(dice);
	if (dice_one_in(dice, 20))
		header.msg_controllen = (socklen_t)number(dice);
	return header;
}

uint64_t message(struct dice *dice)
{
	struct msghdr header = make_message(dice);

	return arena_put(dice, &header, sizeof(header));
}

uint64_t messages(struct dice *dice)
{
	struct mmsghdr several[4];

	for (size_t i = 0; i < COUNT(several); i++)
		several[i] = (struct mmsghdr){.msg_hdr = make_message(dice)};
	return arena_put(dice, several, sizeof(several));
}

uint64_t poll_set(struct dice *dice)
{
	struct pollfd fds[8];

	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = (struct pollfd){(int)descriptor(dice), (short)dice_bits(dice), 0};
	return arena_put(dice, fds, sizeof(fds));
}

uint64_t event_at(struct dice *dice)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u64 = dice_bits(dice)};

	if (dice_one_in(dice, 2))
		event.events = (uint32_t)dice_bits(dice) & (uint32_t)dice_bits(dice);
	return arena_put(dice, &event, sizeof(event));
}

uint64_t descriptor_set(struct dice *dice)
{
	uint64_t bits[16] = {dice_bits(dice) & dice_bits(dice), 0};

	return dice_one_in(dice, 2) ? 0 : arena_put(dice, bits, sizeof(bits));
}

static struct timespec short_time(struct dice *dice)
{
	struct timespec time = {0, dice_below(dice, 3000000)};

	if (dice_one_in(dice, 16))
		time = (struct timespec){(time_t)number(dice), (long)number(dice)};
	if (dice_one_in(dice, 16))
		time.tv_sec = dice_below(dice, 3);
	return time;
}

uint64_t time_at(struct dice *dice)
{
	struct timespec time = short_time(dice);

	return dice_one_in(dice, 10) ? 0 : arena_put(dice, &time, sizeof(time));
}

uint64_t interval_at(struct dice *dice)
{
	struct timespec times[2] = {short_time(dice), short_time(dice)};

	times[0].tv_nsec /= 1000; /* of an itimerval these are microseconds */
	return arena_put(dice, times, sizeof(times));
}

uint64_t timer_at(struct dice *dice)
{
	struct itimerspec times = {.it_value = short_time(dice)};

	if (dice_one_in(dice, 2))
		times.it_interval = short_time(dice);
	return arena_put(dice, &times, sizeof(times));
}

uint64_t signal_set_at(struct dice *dice)
{
	uint64_t set = dice_bits(dice) & dice_bits(dice);

	return dice_one_in(dice, 4) ? 0 : arena_put(dice, &set, sizeof(set));
}

static void heard(int number)
{
	(void)number;
}

/* As the kernel has it: handler, flags, restorer, mask. Handlers of faults stay as they are. */
uint64_t action_at(struct dice *dice)
{
	uint64_t action[4] = {(uint64_t)heard, dice_bits(dice) & 0xd8000007, 0, dice_bits(dice)};

	if (dice_one_in(dice, 4))
		action[0] = (uint64_t)SIG_IGN;
	if (dice_one_in(dice, 60))
		action[0] = arena_any(dice);
	return dice_one_in(dice, 8) ? 0 : arena_put(dice, action, sizeof(action));
}

uint64_t signal_event_at(struct dice *dice)
{
	uint32_t event[16] = {(uint32_t)dice_bits(dice), 0, (uint32_t)signal_number(dice),
			      dice_below(dice, 5), (uint32_t)thread(dice)};

	return dice_one_in(dice, 4) ? 0 : arena_put(dice, event, sizeof(event));
}

uint64_t signal_stack_at(struct dice *dice)
{
	uint64_t stack[3] = {arena_any(dice), dice_below(dice, 4), size(dice)};

	return arena_put(dice, stack, sizeof(stack));
}

uint64_t limit_at(struct dice *dice)
{
	struct rlimit limit = {number(dice), number(dice)};

	return dice_one_in(dice, 4) ? 0 : arena_put(dice, &limit, sizeof(limit));
}

/* A range of a file, to be locked. */
uint64_t lock_at(struct dice *dice)
{
	struct flock lock = {.l_type = (short)dice_below(dice, 3),
			     .l_whence = (short)dice_below(dice, 3),
			     .l_start = (off_t)offset(dice),
			     .l_len = (off_t)(dice_one_in(dice, 4) ? number(dice) : small(dice))};

	return arena_put(dice, &lock, sizeof(lock));
}

uint64_t word_at(struct dice *dice)
{
	uint32_t word = dice_below(dice, 4);

	return arena_put(dice, &word, sizeof(word));
}

/* The value of a socket option or an ioctl: a number, or a structure's worth of numbers. */
uint64_t option_at(struct dice *dice)
{
	static const struct sock_filter accept_all[] = {{BPF_RET | BPF_K, 0, 0, 0xffff}};
	struct sock_fprog filter = {1, (struct sock_filter *)accept_all};
	uint32_t words[32] = {0};

	if (dice_one_in(dice, 16))
		return arena_put(dice, &filter, sizeof(filter));
	memcpy(words, "lo", 3); /* what an ioctl on devices begins with */
	if (dice_one_in(dice, 2))
		words[0] = dice_below(dice, 3);
	for (size_t i = 4; i < COUNT(words); i++)
		words[i] = dice_one_in(dice, 3) ? (uint32_t)number(dice) : dice_below(dice, 3);
	return arena_put(dice, words, sizeof(words));
}

uint64_t offset_at(struct dice *dice)
{
	uint64_t value = offset(dice);

	return dice_one_in(dice, 2) ? 0 : arena_put(dice, &value, sizeof(value));
}

/* The last argument of pselect6. */
uint64_t mask_and_size(struct dice *dice)
{
	uint64_t both[2] = {signal_set_at(dice), 8};

	return dice_one_in(dice, 2) ? 0 : arena_put(dice, both, sizeof(both));
}

uint64_t program(struct dice *dice)
{
	static const char *const programs[] = {"/test/storm", "/test/storm", "/proc/self/exe",
					       "/etc/passwd", "storm-f0",    "/nowhere"};
	const char *name = programs[dice_below(dice, COUNT(programs))];

	return arena_put(dice, name, strlen(name) + 1);
}

/* For execve: "storm --again SEED", or nonsense. */
uint64_t word_list(struct dice *dice)
{
	char seed[8] = {(char)('1' + dice_below(dice, 9)), (char)('0' + dice_below(dice, 10))};
	uint64_t words[8] = {(uint64_t) "storm", (uint64_t) "--again",
			     arena_put(dice, seed, sizeof(seed))};

	if (dice_one_in(dice, 8))
		words[dice_below(dice, 8)] = arena_any(dice);
	return dice_one_in(dice, 16) ? arena_any(dice) : arena_put(dice, words, sizeof(words));
}
