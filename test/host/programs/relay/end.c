/* The ends of the relay; see end.h. */
#include "test/host/programs/relay/end.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/host/tap/tap.h"

#define ETHERNET_HEADER 14
#define READ_ROUNDS 4       /* batches of one end before the other gets its turn */
#define RETRY_AFTER_US 1000 /* when the kernel has no memory: it cannot say when it has */

__attribute__((noreturn)) static void die(const char *end, const char *what)
{
	fprintf(stderr, "relay: %s: %s\n", end, what);
	exit(1);
}

/* Opening */

static void set_path(const char *end, struct sockaddr_un *name, const char *path, size_t length,
		     const char *suffix)
{
	name->sun_family = AF_UNIX;
	int n = snprintf(name->sun_path, sizeof(name->sun_path), "%.*s%s", (int)length, path,
			 suffix);

	if (length == 0)
		die(end, "no path");
	if (n < 0 || (size_t)n >= sizeof(name->sun_path))
		die(end, "the path is too long for a socket");
}

/* A socket that an earlier relay left behind goes; anything else stays. */
static void remove_stale(const struct end *end)
{
	struct stat status;

	if (lstat(end->own.sun_path, &status))
		return;
	if (!S_ISSOCK(status.st_mode))
		die(end->name, "there is a file of that name, and it is no socket");
	unlink(end->own.sun_path);
}

static void open_socket(struct end *end, const char *paths)
{
	const char *comma = strchr(paths, ',');

	if (comma) {
		set_path(end->name, &end->own, paths, (size_t)(comma - paths), "");
		set_path(end->name, &end->peer, comma + 1, strlen(comma + 1), "");
	} else {
		set_path(end->name, &end->own, paths, strlen(paths), "");
		set_path(end->name, &end->peer, paths, strlen(paths), ".vm");
	}
	end->is_socket = true;
	end->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (end->fd < 0)
		die(end->name, strerror(errno));
	remove_stale(end);
	if (bind(end->fd, (const struct sockaddr *)&end->own, sizeof(end->own)))
		die(end->name, strerror(errno));
}

void end_open(struct end *end, const char *text)
{
	memset(end, 0, sizeof(*end));
	end->name = text;
	if (strncmp(text, "unix=", 5) == 0) {
		open_socket(end, text + 5);
	} else {
		end->fd = tap_open(text + 4, false);
		if (end->fd < 0)
			exit(1);
	}
}

void end_close(struct end *end)
{
	while (end->waiting_count)
		free(end->waiting[--end->waiting_count]);
	if (end->is_socket)
		unlink(end->own.sun_path);
	close(end->fd);
}

/* In */

static uint8_t buffers[END_BATCH][FAULT_FRAME_MAX];

/* How many frames are in the buffers, and how long they are. */
static int read_socket(struct end *end, uint32_t *lengths)
{
	struct mmsghdr messages[END_BATCH];
	struct iovec parts[END_BATCH];

	memset(messages, 0, sizeof(messages));
	for (int i = 0; i < END_BATCH; i++) {
		parts[i] = (struct iovec){buffers[i], FAULT_FRAME_MAX};
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	int n = recvmmsg(end->fd, messages, END_BATCH, 0, NULL);

	for (int i = 0; i < n; i++)
		lengths[i] = messages[i].msg_len;
	return n;
}

static int read_tap(struct end *end, uint32_t *lengths)
{
	int n = 0;

	while (n < END_BATCH) {
		ssize_t length = read(end->fd, buffers[n], FAULT_FRAME_MAX);

		if (length < 0) {
			end->gone |= errno == EBADFD;
			break;
		}
		lengths[n++] = (uint32_t)length;
	}
	return n;
}

bool end_read(struct end *end,
	      void (*arrived)(void *context, const uint8_t *bytes, uint32_t length), void *context)
{
	uint32_t lengths[END_BATCH];

	for (int round = 0; round < READ_ROUNDS; round++) {
		int n = end->is_socket ? read_socket(end, lengths) : read_tap(end, lengths);

		for (int i = 0; i < n; i++) {
			if (lengths[i] >= ETHERNET_HEADER)
				arrived(context, buffers[i], lengths[i]);
		}
		if (n < END_BATCH)
			return false;
	}
	return true;
}

/* Out */

/* Frames written of those that wait; fewer than all of them with errno set, -1 for none. */
static int write_socket(struct end *end)
{
	struct mmsghdr messages[END_BATCH];
	struct iovec parts[END_BATCH];

	memset(messages, 0, sizeof(messages));
	for (uint32_t i = 0; i < end->waiting_count; i++) {
		parts[i] = (struct iovec){end->waiting[i]->bytes, end->waiting[i]->length};
		messages[i].msg_hdr.msg_name = &end->peer;
		messages[i].msg_hdr.msg_namelen = sizeof(end->peer);
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	return sendmmsg(end->fd, messages, end->waiting_count, 0);
}

static int write_tap(struct end *end)
{
	for (uint32_t i = 0; i < end->waiting_count; i++) {
		if (write(end->fd, end->waiting[i]->bytes, end->waiting[i]->length) < 0)
			return i ? (int)i : -1;
	}
	return (int)end->waiting_count;
}

static void forget_waiting(struct end *end, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		free(end->waiting[i]);
	end->waiting_count -= count;
	for (uint32_t i = 0; i < end->waiting_count; i++)
		end->waiting[i] = end->waiting[i + count];
}

/*
 * A datagram socket can be waited for only while it is connected to whom it sends. At other times
 * it is not, so that another may take that one's place.
 */
static void connect_to_wait(struct end *end, bool wait)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	if (!end->is_socket)
		return;
	if (wait)
		(void)!connect(end->fd, (const struct sockaddr *)&end->peer, sizeof(end->peer));
	else
		(void)!connect(end->fd, &nobody, sizeof(nobody));
}

/* Why the first frame that waits was not taken: it waits on, or is lost for a reason of its own. */
static void not_taken(struct end *end, int error, uint64_t now_us)
{
	switch (error) {
	case EINTR:
		return;
	case EAGAIN:
		end->full = true;
		connect_to_wait(end, true);
		return;
	case ENOBUFS:
	case ENOMEM:
		end->full = true;
		end->retry_us = now_us + RETRY_AFTER_US;
		return;
	case ENOENT:
	case ECONNREFUSED:
		end->absent++;
		break;
	default:
		end->gone |= error == EBADFD;
		end->refused++;
	}
	forget_waiting(end, 1);
}

static void write_waiting(struct end *end, uint64_t now_us)
{
	while (end->waiting_count && !end->full) {
		int n = end->is_socket ? write_socket(end) : write_tap(end);

		if (n > 0)
			forget_waiting(end, (uint32_t)n);
		else
			not_taken(end, errno, now_us);
	}
}

static void collect_due(struct end *end, struct fault_link *link, uint64_t now_us)
{
	struct fault_frame *frame;

	while (end->waiting_count < END_BATCH && (frame = fault_link_receive(link, now_us)))
		end->waiting[end->waiting_count++] = frame;
}

bool end_write(struct end *end, struct fault_link *link, uint64_t now_us)
{
	if (end->retry_us && end->retry_us <= now_us) {
		end->retry_us = 0;
		end->full = false;
	}
	for (int round = 0; round < READ_ROUNDS && !end->full; round++) {
		collect_due(end, link, now_us);
		if (!end->waiting_count)
			return false;
		write_waiting(end, now_us);
	}
	return !end->full && fault_link_next(link) <= now_us;
}

void end_writable(struct end *end)
{
	if (!end->full || end->retry_us)
		return;
	end->full = false;
	connect_to_wait(end, false);
}
