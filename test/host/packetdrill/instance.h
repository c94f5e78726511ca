/* What the files of this folder share: the stack under test, its descriptors and its clock. */
#ifndef TEST_HOST_PACKETDRILL_INSTANCE_H
#define TEST_HOST_PACKETDRILL_INSTANCE_H

#include "kernel/types.h"

struct instance;
struct packetdrill_interface;

/* ---- flags.c ---- */

struct instance_flags {
	uint32_t local, gateway; /* host order */
	uint8_t prefix_length;
	uint32_t mtu;
	uint64_t seed;
	const char *tunables; /* the whole text again */
};

/* Ends the program when the text makes no sense. `text` may be NULL. */
void flags_parse(const char *text, struct instance_flags *flags);
/* Sets the tunables, first those that scripts rely on; the stack's /proc files are registered. */
void flags_set_tunables(const char *text);

/* ---- stack.c ---- */

/* After clock_start. Ends the program when the flags ask for what cannot be. */
void stack_start(const struct instance_flags *flags);
void stack_stop(void);
/* As host_stack_run and host_stack_next. */
bool stack_run(void);
uint64_t stack_next(void);
/* A packet comes in. 0 or a negative errno. */
int stack_receive(const void *packet, size_t n);
/* The oldest packet that went out: its bytes; 0: there is none; -ENOBUFS: too long, and lost. */
int64_t stack_take(void *to, size_t room, uint64_t *time_us);

/* ---- clock.c ---- */

void clock_start(void);
void clock_fill_interface(struct packetdrill_interface *out);

/*
 * A call of the tool's begins: the calling thread is inside the stack, as host_enter has it. It
 * ends with what a system call answered, turned into the C library's -1 and errno.
 */
void call_begin(void);
int64_t call_end(int64_t result);

/* ---- descriptors.c: the numbers that the tool sees ---- */

/* A descriptor of the machine's own for the stack's, which it takes over, or a negative errno. */
int64_t descriptor_open(int64_t fd);
/* The stack's descriptor, or -1, which no call knows. */
int descriptor_find(int number);
/* Forgets it and gives it back to the machine. The stack's descriptor, or -1. */
int descriptor_close(int number);
void descriptor_forget_all(void);

/* ---- calls.c, poll.c ---- */

void calls_fill_interface(struct packetdrill_interface *out);
void poll_fill_interface(struct packetdrill_interface *out);

#endif
