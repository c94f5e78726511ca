/*
 * timerfd_create(2).
 */
#ifndef UAPI_TIMERFD_H
#define UAPI_TIMERFD_H

#define TFD_NONBLOCK 00004000
#define TFD_CLOEXEC 02000000

#define TFD_TIMER_ABSTIME 1
#define TFD_TIMER_CANCEL_ON_SET 2

#endif
