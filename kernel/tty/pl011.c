#include "kernel/tty/pl011.h"

#include "kernel/devicetree.h"
#include "kernel/irq.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "kernel/random.h"
#include "kernel/softirq.h"

/* Registers, by byte offset (DDI 0183, 3.2). */
#define UARTDR 0x00    /* data; on reading, errors above bit 7 */
#define UARTFR 0x18    /* flags */
#define UARTLCR_H 0x2c /* line control */
#define UARTCR 0x30    /* control */
#define UARTIMSC 0x38  /* interrupts let through */
#define UARTMIS 0x40   /* interrupts that are up and let through */
#define UARTICR 0x44   /* interrupts to clear */

#define FLAG_BUSY 0x08
#define FLAG_RECEIVE_EMPTY 0x10
#define FLAG_TRANSMIT_FULL 0x20

#define LINE_FIFO_ENABLE 0x10
#define LINE_8_BITS 0x60

#define CONTROL_ENABLE 0x001
#define CONTROL_TRANSMIT 0x100
#define CONTROL_RECEIVE 0x200

#define INTERRUPT_RECEIVE 0x010
#define INTERRUPT_TRANSMIT 0x020
#define INTERRUPT_RECEIVE_TIMEOUT 0x040 /* bytes lie in the FIFO below its threshold */
#define INTERRUPTS_RECEIVE (INTERRUPT_RECEIVE | INTERRUPT_RECEIVE_TIMEOUT)
#define INTERRUPTS_ALL 0x7ff

#define RECEIVE_RING 1024u /* bytes; powers of two */
#define TRANSMIT_RING 16384u

static struct {
	volatile uint8_t *registers;
	const struct pl011_client *client;
	uint32_t interrupts; /* let through at present */

	/* The counts only grow; a ring's fill is the difference. */
	uint8_t received[RECEIVE_RING];
	uint32_t received_put, received_taken;
	uint8_t queued[TRANSMIT_RING];
	uint32_t queued_put, queued_taken;

	bool output_event; /* the client is to hear that there is room */
} uart;

static uint32_t register_read(uint32_t offset)
{
	return *(volatile uint32_t *)(uart.registers + offset);
}

static void register_write(uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(uart.registers + offset) = value;
}

static void let_through(uint32_t interrupts)
{
	if (uart.interrupts == interrupts)
		return;
	uart.interrupts = interrupts;
	register_write(UARTIMSC, interrupts);
}

static uint32_t queued_bytes(void)
{
	return uart.queued_put - uart.queued_taken;
}

/* Moves queued bytes into the FIFO as long as it takes them. Interrupts masked. */
static void pump(void)
{
	while (queued_bytes() > 0 && !(register_read(UARTFR) & FLAG_TRANSMIT_FULL))
		register_write(UARTDR, uart.queued[uart.queued_taken++ % TRANSMIT_RING]);
	if (queued_bytes() > 0)
		let_through(uart.interrupts | INTERRUPT_TRANSMIT);
	else
		let_through(uart.interrupts & ~(uint32_t)INTERRUPT_TRANSMIT);
}

/*
 * Empties the FIFO into the ring. When the ring is full the receive interrupts are shut off, and
 * the FIFO holds the sender up. Interrupts masked.
 */
static void drain_fifo(void)
{
	while (!(register_read(UARTFR) & FLAG_RECEIVE_EMPTY)) {
		if (uart.received_put - uart.received_taken == RECEIVE_RING) {
			let_through(uart.interrupts & ~(uint32_t)INTERRUPTS_RECEIVE);
			return;
		}
		uart.received[uart.received_put++ % RECEIVE_RING] = (uint8_t)register_read(UARTDR);
	}
	let_through(uart.interrupts | INTERRUPTS_RECEIVE);
}

static void interrupt(void *context __unused)
{
	uint32_t pending = register_read(UARTMIS);
	/* Cleared before the FIFO is looked at, so that a byte which comes now raises it again. */
	register_write(UARTICR, pending);
	if (pending & INTERRUPTS_RECEIVE) {
		drain_fifo();
		softirq_raise(SOFTIRQ_TTY);
	}
	if (pending & INTERRUPT_TRANSMIT) {
		pump();
		uart.output_event = true;
		softirq_raise(SOFTIRQ_TTY);
	}
}

/* Offers received bytes to the client, one stretch of the ring at a time, until it refuses some. */
static void deliver(void)
{
	for (;;) {
		irq_flags_t flags = irq_save();
		drain_fifo();
		uint32_t at = uart.received_taken % RECEIVE_RING;
		uint32_t waiting = uart.received_put - uart.received_taken;
		irq_restore(flags);
		if (waiting == 0)
			return;
		/* Only this function takes bytes out, so the stretch stays as it is. */
		uint32_t stretch = MIN(waiting, RECEIVE_RING - at);
		size_t taken = uart.client->receive(uart.received + at, stretch);
		uart.received_taken += (uint32_t)taken;
		if (taken < stretch)
			return;
	}
}

static void softirq(void *context __unused)
{
	deliver();
	irq_flags_t flags = irq_save();
	bool output = uart.output_event;
	uart.output_event = false;
	irq_restore(flags);
	if (output)
		uart.client->output_ready();
}

void pl011_resume(void)
{
	softirq_raise(SOFTIRQ_TTY);
}

size_t pl011_room(void)
{
	return TRANSMIT_RING - queued_bytes();
}

bool pl011_put(const uint8_t *bytes, size_t n)
{
	irq_flags_t flags = irq_save();
	bool fits = n <= pl011_room();
	if (fits) {
		for (size_t i = 0; i < n; i++)
			uart.queued[uart.queued_put++ % TRANSMIT_RING] = bytes[i];
		pump();
	}
	irq_restore(flags);
	return fits;
}

void pl011_put_polled(const uint8_t *bytes, size_t n)
{
	irq_flags_t flags = irq_save();
	for (size_t i = 0; i < n; i++) {
		while (pl011_room() == 0)
			pump();
		uart.queued[uart.queued_put++ % TRANSMIT_RING] = bytes[i];
	}
	pump();
	irq_restore(flags);
}

bool pl011_drained(void)
{
	return queued_bytes() == 0;
}

void pl011_flush(void)
{
	if (!uart.registers)
		return;
	irq_flags_t flags = irq_save();
	while (queued_bytes() > 0)
		pump();
	while (register_read(UARTFR) & FLAG_BUSY)
		;
	irq_restore(flags);
}

static void take_first(const struct dt_device *device, void *context)
{
	struct dt_device *found = context;
	if (found->reg_count == 0 && device->reg_count > 0 && device->irq_count > 0)
		*found = *device;
}

bool pl011_init(const struct pl011_client *client)
{
	struct dt_device device = {0};
	dt_for_each("arm,pl011", take_first, &device);
	if (device.reg_count == 0)
		return false;
	uart.registers = device_map(device.reg_base[0], device.reg_size[0]);
	if (!uart.registers)
		return false;
	uart.client = client;
	softirq_register(SOFTIRQ_TTY, softirq, NULL);

	/* The firmware or QEMU set the speed. */
	register_write(UARTIMSC, 0);
	register_write(UARTCR, 0);
	register_write(UARTLCR_H, LINE_FIFO_ENABLE | LINE_8_BITS);
	register_write(UARTICR, INTERRUPTS_ALL);
	register_write(UARTCR, CONTROL_ENABLE | CONTROL_TRANSMIT | CONTROL_RECEIVE);
	if (irq_register(device.irq[0], device.irq_trigger[0], interrupt, NULL)) {
		printk("pl011: interrupt %u is taken\n", device.irq[0]);
		return false;
	}
	let_through(INTERRUPTS_RECEIVE);
	softirq_raise(SOFTIRQ_TTY); /* for what was typed before */
	return true;
}
