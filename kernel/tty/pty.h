/*
 * Pseudo-terminals, pty(7): a terminal whose other end is not a wire but a program. Opening
 * /dev/ptmx makes one; the file is its master side, and /dev/pts/N is the terminal.
 *
 * What programs write to the terminal waits in a ring for the master to read, and holds them up
 * when the ring is full; what the master writes is typed, and holds the master up when nobody reads
 * it. So nothing is lost in either direction.
 *
 * Process context, with softirqs disabled around what the line discipline touches.
 */
#ifndef KERNEL_TTY_PTY_H
#define KERNEL_TTY_PTY_H

#include "kernel/fs/inode.h"
#include "kernel/tty/tty.h"
#include "kernel/types.h"
#include "kernel/wait.h"

#define PTY_MAX 256         /* at a time */
#define PTY_OUTPUT 8192u    /* bytes that wait for the master: a power of two */
#define PTY_ECHO_ROOM 1024u /* of them: what writers leave to the echo */

struct pty {
	struct tty tty;
	uint32_t number;          /* of /dev/pts/N */
	struct inode *node;       /* that name's inode while the master is open: a reference */
	bool locked;              /* the terminal cannot be opened: until unlockpt(3) */
	bool abandoned;           /* the terminal was open and is not any more */
	bool packet_mode;         /* the master reads packets: TIOCPKT of ioctl_tty(2) */
	uint8_t events;           /* TIOCPKT_ bits that it has not read yet */
	struct wait_list waiting; /* on the master side: readers, writers, poll */

	/* Output for the master: a ring; the counts only grow. */
	uint8_t output[PTY_OUTPUT];
	uint32_t head, tail;
};

/* /dev/ptmx and /dev/pts. Boot, after fs_init. */
void pty_init(void);

/* pty.c, for devpts.c: opens the terminal of `pty`; sets file->ops and file->private. */
int pty_open_terminal(struct pty *pty, struct file *file);

/* devpts.c, for pty.c. */

void devpts_init(void);

/* Gives the pseudo-terminal a number and a name. 0, -ENOSPC (there are PTY_MAX), or -ENOMEM. */
int devpts_add(struct pty *pty);

/* The name goes: the master is closed. */
void devpts_remove_name(struct pty *pty);

/* The number is free again: nobody uses the terminal any more. */
void devpts_remove_number(struct pty *pty);

#endif
