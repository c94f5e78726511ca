/*
 * The console: the terminal on the first PL011, and the way of the kernel log to it.
 *
 * With `console=framed` on the kernel command line (tools/vm's command mode) the line carries two
 * streams: a log line travels as SO text SI (0x0e, 0x0f), everything else is the terminal's output,
 * in which the bytes 0x0e, 0x0f and 0x10 are preceded by DLE (0x10).
 */
#ifndef KERNEL_TTY_CONSOLE_H
#define KERNEL_TTY_CONSOLE_H

/*
 * Finds the UART, takes over the kernel log from the early console, makes /dev/console,
 * /dev/ttyAMA0 and /dev/tty. Boot, after fs_init, with interrupts and softirqs working.
 */
void console_init(void);

/* Waits until all output has left: before power off. Any context. */
void console_flush(void);

#endif
