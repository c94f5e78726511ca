/*
 * Each file of system calls registers its own; fs_syscalls_init calls them all.
 */
#ifndef KERNEL_FS_SYSCALLS_H
#define KERNEL_FS_SYSCALLS_H

void open_syscalls_init(void);
void read_write_syscalls_init(void);
void transfer_syscalls_init(void);
void stat_syscalls_init(void);
void names_syscalls_init(void);
void rename_syscalls_init(void);
void attribute_syscalls_init(void);
void resize_syscalls_init(void);
void xattr_syscalls_init(void);
void working_directory_syscalls_init(void);
void sync_syscalls_init(void);
void memfd_syscalls_init(void);

#endif
