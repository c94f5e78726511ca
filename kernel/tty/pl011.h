/*
 * The ARM PL011 UART (DDI 0183): the machine's serial line, interrupt-driven both ways.
 *
 * There is one; its state is guarded by irq_save. Bytes wait in a ring in each direction. What was
 * received is offered from the softirq; what is not taken stays in the ring, then in the UART, and
 * so holds the sender up: nothing is lost.
 */
#ifndef KERNEL_TTY_PL011_H
#define KERNEL_TTY_PL011_H

#include "kernel/types.h"

struct pl011_client {
	/* Received bytes; returns how many are taken. Softirq context. */
	size_t (*receive)(const uint8_t *bytes, size_t n);
	/* Output that did not fit may fit now, or everything has left. Softirq context. */
	void (*output_ready)(void);
};

/* Finds the first PL011 of the device tree. False: there is none. Boot. */
bool pl011_init(const struct pl011_client *client);

/* Bytes that pl011_put would take. */
size_t pl011_room(void);

/* Queues all n bytes or, when they don't fit, none. Any context. */
bool pl011_put(const uint8_t *bytes, size_t n);

/*
 * Puts bytes out behind what is queued, polling the UART where the ring is full. Any context,
 * interrupts on or off.
 */
void pl011_put_polled(const uint8_t *bytes, size_t n);

/* Nothing is queued. */
bool pl011_drained(void);

/* Waits, polling, until nothing is queued: before the machine is switched off. */
void pl011_flush(void);

/* The client takes bytes again that it refused. Softirqs disabled. */
void pl011_resume(void);

#endif
