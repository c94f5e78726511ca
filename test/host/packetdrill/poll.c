/*
 * poll and epoll, whose arguments name descriptors. The structure of epoll is packed on some
 * machines, and not on those whose system calls these are; the kernel's poll takes its timeout as a
 * struct timespec.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "include/uapi/syscall.h"
#include "test/host/packetdrill/instance.h"
#include "test/host/packetdrill/interface.h"
#include "test/host/services/host.h"

#define POLL_MAX 64   /* descriptors of one call */
#define EVENTS_MAX 64 /* that one call brings */

struct kernel_epoll_event {
	uint32_t events;
	uint64_t data;
};

/* With the stack's descriptors; one that nobody knows stays one that nobody knows. */
static void translate_descriptors(struct pollfd *to, const struct pollfd *from, nfds_t count)
{
	for (nfds_t i = 0; i < count; i++) {
		int fd = descriptor_find(from[i].fd);

		to[i] = from[i];
		to[i].revents = 0;
		if (from[i].fd >= 0)
			to[i].fd = fd < 0 ? INT32_MAX : fd;
	}
}

static int interface_poll(void *userdata __unused, struct pollfd *fds, nfds_t count, int timeout_ms)
{
	const struct timespec timeout = {.tv_sec = timeout_ms / 1000,
					 .tv_nsec = timeout_ms % 1000 * 1000000l};
	struct pollfd inner[POLL_MAX];
	int64_t result = -EINVAL;

	call_begin();
	if (count <= POLL_MAX) {
		translate_descriptors(inner, fds, count);
		result = host_syscall(SYS_ppoll, (uintptr_t)inner, count,
				      timeout_ms < 0 ? 0 : (uintptr_t)&timeout, 0, 0, 0);
		for (nfds_t i = 0; i < count && result >= 0; i++)
			fds[i].revents = inner[i].revents;
	}
	return (int)call_end(result);
}

static int interface_epoll_create(void *userdata __unused, int size)
{
	call_begin();
	return (int)call_end(
		size > 0 ? descriptor_open(host_syscall(SYS_epoll_create1, 0, 0, 0, 0, 0, 0))
			 : -EINVAL);
}

static int interface_epoll_ctl(void *userdata __unused, int epoll_fd, int operation, int fd,
			       struct epoll_event *event)
{
	struct kernel_epoll_event inner = {0};

	if (event) {
		inner.events = event->events;
		inner.data = event->data.u64;
	}
	call_begin();
	return (int)call_end(host_syscall(
		SYS_epoll_ctl, (uint64_t)(int64_t)descriptor_find(epoll_fd), (uint64_t)operation,
		(uint64_t)(int64_t)descriptor_find(fd), event ? (uintptr_t)&inner : 0, 0, 0));
}

static int interface_epoll_wait(void *userdata __unused, int epoll_fd, struct epoll_event *events,
				int max, int timeout_ms)
{
	struct kernel_epoll_event inner[EVENTS_MAX];

	call_begin();
	int64_t result = host_syscall(SYS_epoll_pwait, (uint64_t)(int64_t)descriptor_find(epoll_fd),
				      (uintptr_t)inner, (uint64_t)MIN(max, EVENTS_MAX),
				      (uint64_t)timeout_ms, 0, 0);

	for (int64_t i = 0; i < result; i++) {
		events[i].events = inner[i].events;
		events[i].data.u64 = inner[i].data;
	}
	return (int)call_end(result);
}

void poll_fill_interface(struct packetdrill_interface *out)
{
	out->poll = interface_poll;
	out->epoll_create = interface_epoll_create;
	out->epoll_ctl = interface_epoll_ctl;
	out->epoll_wait = interface_epoll_wait;
}
