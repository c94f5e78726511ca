/*
 * eventfd(2).
 */
#ifndef UAPI_EVENTFD_H
#define UAPI_EVENTFD_H

#define EFD_SEMAPHORE 1
#define EFD_NONBLOCK 00004000
#define EFD_CLOEXEC 02000000

#endif
