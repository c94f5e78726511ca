/*
 * /proc/sysrq-trigger: what a person asks of the kernel itself, one letter at a time, as on Linux.
 */
#ifndef KERNEL_SYSRQ_H
#define KERNEL_SYSRQ_H

/* Registers the file. Boot. 0 or -ENOMEM. */
int sysrq_init(void);

#endif
