/*
 * The rooms of kernel/proc that have system calls: what process_syscalls_init calls.
 */
#ifndef KERNEL_PROC_PROC_H
#define KERNEL_PROC_PROC_H

#include "include/uapi/utsname.h"

void clone_syscalls_init(void);
void identity_syscalls_init(void);
void limits_syscalls_init(void);
void scheduling_syscalls_init(void);
void system_syscalls_init(void);
const struct utsname *system_names(void); /* what uname(2) gives, for /proc */
void prctl_syscalls_init(void);
void syslog_syscalls_init(void);

#endif
