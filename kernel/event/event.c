#include "kernel/event/event.h"

void event_syscalls_init(void)
{
	poll_syscalls_init();
	epoll_syscalls_init();
	eventfd_syscalls_init();
	timerfd_syscalls_init();
	signalfd_syscalls_init();
	inotify_syscalls_init();
	pidfd_syscalls_init();
}
