/* Makers of arguments, one for each kind; see struct call in storm.h. */
#ifndef TEST_QEMU_STORM_ARGUMENTS_H
#define TEST_QEMU_STORM_ARGUMENTS_H

#include "test/qemu/storm/storm.h"

/* A random one of the values; a random set of the bits. Now and then anything. */
uint64_t one_of(struct dice *dice, const uint64_t *values, size_t count);
uint64_t some_of(struct dice *dice, const uint64_t *bits, size_t count);

#define ONE_OF(name, ...)                                       \
	static uint64_t name(struct dice *dice)                 \
	{                                                       \
		static const uint64_t values[] = {__VA_ARGS__}; \
		return one_of(dice, values, COUNT(values));     \
	}
#define SOME_OF(name, ...)                                    \
	static uint64_t name(struct dice *dice)               \
	{                                                     \
		static const uint64_t bits[] = {__VA_ARGS__}; \
		return some_of(dice, bits, COUNT(bits));      \
	}

argument_maker zero;
argument_maker small;      /* 0 to 8 */
argument_maker number;     /* any, likely one at an edge */
argument_maker size;       /* of memory */
argument_maker offset;     /* in a file */
argument_maker descriptor; /* likely open */
argument_maker file_fd, folder_fd, pipe_fd, socket_fd, listener_fd, epoll_fd; /* likely of a kind */
argument_maker timer_fd, signals_fd, watch_fd, terminal_fd, process_fd;
argument_maker folder;  /* AT_FDCWD, or a descriptor */
argument_maker process; /* its own, another of the storm's, or none; nobody else's */
argument_maker thread;  /* likewise */
argument_maker signal_number;
argument_maker user; /* a uid or gid */
argument_maker clock_number;
argument_maker option_number; /* of a socket */

argument_maker memory;       /* any */
argument_maker place;        /* page-aligned, to be mapped and unmapped */
argument_maker path;         /* of what the caller may destroy */
argument_maker path_to_read; /* any */
argument_maker name_of_attribute;
argument_maker address, address_length, length_at;
argument_maker vectors, message, messages, poll_set, event_at, descriptor_set;
argument_maker time_at, interval_at, timer_at, signal_set_at, action_at, signal_event_at;
argument_maker signal_stack_at, limit_at, word_at, option_at, offset_at, mask_and_size;
argument_maker program, word_list, lock_at;

#endif
