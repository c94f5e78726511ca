/*
 * The only way to a process's memory. Process context; nobody inside a monitor. A page that is not
 * there yet is brought in; an address the process may not use gives -EFAULT.
 */
#ifndef KERNEL_USER_H
#define KERNEL_USER_H

#include "kernel/types.h"

struct ucred;

int copy_from_user(void *to, user_addr_t from, size_t n) __must_check; /* 0 or -EFAULT */
int copy_to_user(user_addr_t to, const void *from, size_t n) __must_check;
int clear_user(user_addr_t to, size_t n) __must_check;

/*
 * Copies a string of at most size - 1 bytes. Returns its length, -EFAULT, or -ENAMETOOLONG when it
 * has no end within `size`.
 */
int64_t copy_string_from_user(char *to, user_addr_t from, size_t size) __must_check;

/* Whether the calling process has this one of the superuser's rights: CAP_*, capabilities(7). */
bool user_may(uint32_t capability);

/* Who calls: the process's number, its effective user and its effective group. */
void user_credentials(struct ucred *credentials);
/* The same with its real user and group: what SCM_CREDENTIALS tells. */
void user_real_credentials(struct ucred *credentials);

/*
 * Whether the caller may say that it is somebody else: SCM_CREDENTIALS, unix(7). 0, -EPERM, or
 * -ESRCH when there is no such process.
 */
int user_may_claim(const struct ucred *credentials);

/* Sends the calling process a signal (SIGPIPE). */
void user_signal(int number);

/*
 * Sends the owner of a file (F_SETOWN: a process, or, as a negative number, a process group; 0:
 * nobody) a signal; an owner who is gone misses nothing. Any context but hard interrupt.
 */
void user_signal_owner(int32_t owner, int number);

#endif
