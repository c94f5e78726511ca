/*
 * The rooms of kernel/event that have system calls: poll and select, epoll, and the descriptors
 * that become readable when something has happened.
 */
#ifndef KERNEL_EVENT_EVENT_H
#define KERNEL_EVENT_EVENT_H

/* Registers them all. Boot. */
void event_syscalls_init(void);

void poll_syscalls_init(void);
void epoll_syscalls_init(void);
void eventfd_syscalls_init(void);
void timerfd_syscalls_init(void);
void signalfd_syscalls_init(void);
void inotify_syscalls_init(void);
void pidfd_syscalls_init(void);

#endif
