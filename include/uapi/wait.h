/*
 * wait4(2), waitid(2) of the Linux arm64 ABI.
 */
#ifndef UAPI_WAIT_H
#define UAPI_WAIT_H

#define WNOHANG 0x00000001
#define WUNTRACED 0x00000002
#define WSTOPPED 0x00000002
#define WEXITED 0x00000004
#define WCONTINUED 0x00000008
#define WNOWAIT 0x01000000
#define __WNOTHREAD 0x20000000
#define __WALL 0x40000000
#define __WCLONE 0x80000000

#define P_ALL 0
#define P_PID 1
#define P_PGID 2
#define P_PIDFD 3

/* A status word: an exit, a death by signal, a stop, a continuation. */
#define WAIT_STATUS_EXITED(code) (((code)&0xff) << 8)
#define WAIT_STATUS_SIGNALED(signal) ((signal)&0x7f)
#define WAIT_STATUS_STOPPED(signal) (((signal)&0xff) << 8 | 0x7f)
#define WAIT_STATUS_CONTINUED 0xffff

#endif
