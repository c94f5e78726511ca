/*
 * Errors are negative errno values of the Linux ABI. The three below never reach a process: the
 * signal code turns them into EINTR or a restart of the call (see signal(7), "Interruption of
 * system calls").
 */
#ifndef KERNEL_ERRNO_H
#define KERNEL_ERRNO_H

#include "include/uapi/errno.h"

#define ERESTARTSYS 512    /* restart if the handler has SA_RESTART or there is no handler */
#define ERESTARTNOHAND 514 /* restart only if no handler runs (poll, select, pause, nanosleep) */
#define ERESTART_RESTARTBLOCK 516 /* restart with the time that is left: nanosleep, poll */

#endif
