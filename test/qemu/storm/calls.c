/*
 * The system calls of the storm: all that are served, but reboot(2), and those that life.c makes
 * with more care, as clone and exit.
 */
#include "test/qemu/storm/arguments.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

SOME_OF(open_flags, O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_CREAT, O_EXCL, O_TRUNC, O_APPEND,
	O_NONBLOCK, O_NONBLOCK, O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC, O_PATH, O_TMPFILE, O_NOCTTY)
SOME_OF(nonblock_flags, O_NONBLOCK, O_CLOEXEC)
SOME_OF(at_flags, AT_SYMLINK_NOFOLLOW, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH, AT_EACCESS)
SOME_OF(modes, 0700, 0070, 0007, S_IFIFO, S_IFREG, S_ISVTX, S_ISUID)
SOME_OF(rename_flags, 1, 2, 4)
SOME_OF(message_flags, MSG_DONTWAIT, MSG_DONTWAIT, MSG_PEEK, MSG_TRUNC, MSG_WAITALL, MSG_OOB,
	MSG_NOSIGNAL, MSG_MORE, MSG_ERRQUEUE, MSG_EOR, MSG_CMSG_CLOEXEC, 0x10000)
SOME_OF(protections, PROT_READ, PROT_WRITE, PROT_EXEC)
SOME_OF(map_flags, MAP_ANONYMOUS, MAP_ANONYMOUS, MAP_NORESERVE, MAP_POPULATE, MAP_LOCKED,
	MAP_GROWSDOWN, MAP_STACK)
ONE_OF(map_kind, MAP_PRIVATE, MAP_SHARED)
ONE_OF(page_offset, 0, 0, 4096, 8192, 1 << 20)
SOME_OF(remap_flags, MREMAP_MAYMOVE, MREMAP_FIXED, 4)
SOME_OF(sync_flags, MS_ASYNC, MS_SYNC, MS_INVALIDATE)
SOME_OF(lock_flags, MCL_CURRENT, MCL_FUTURE, 4)
SOME_OF(wait_flags, WNOHANG, WNOHANG, WUNTRACED, WCONTINUED, WEXITED, WNOWAIT, WSTOPPED)
SOME_OF(watch_mask, IN_ALL_EVENTS, IN_ONESHOT, IN_ONLYDIR, IN_MASK_ADD, IN_MODIFY, IN_CREATE)
SOME_OF(splice_flags, 1, 2, 4)
SOME_OF(timer_flags, 1, 2)
SOME_OF(random_flags, 1, 2, 4)
SOME_OF(stat_mask, 0x7ff, 0x800, 0x80000000)
SOME_OF(allocate_flags, 1, 2, 8, 16)
SOME_OF(lock_operation, LOCK_SH, LOCK_EX, LOCK_UN, LOCK_NB, LOCK_NB)
SOME_OF(memfd_flags, 1, 2, 4)
SOME_OF(close_flags, 2, 4)
SOME_OF(segment_flags, IPC_CREAT, IPC_CREAT, IPC_CREAT, IPC_EXCL, 0600, 0600, 0044)
SOME_OF(attach_flags, SHM_RDONLY, SHM_RND, SHM_RND, SHM_REMAP, SHM_EXEC)
ONE_OF(segment_command, IPC_RMID, IPC_SET, IPC_STAT, IPC_STAT)
ONE_OF(segment_key, IPC_PRIVATE, 101, 102, 103, 104)
/* The number of a segment that somebody has made under a key. */
static uint64_t segment(struct dice *dice)
{
	return (uint64_t)raw(SYS_shmget, segment_key(dice), 0, 0, 0, 0, 0);
}

ONE_OF(whence, SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE)
ONE_OF(file_command, F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW,
       F_SETOWN, F_GETOWN, F_DUPFD_CLOEXEC, F_SETPIPE_SZ, F_GETPIPE_SZ, F_OFD_GETLK, F_OFD_SETLK,
       F_OFD_SETLKW, F_ADD_SEALS, F_GET_SEALS, F_SETSIG)
ONE_OF(lock_command, F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW)
ONE_OF(device_command, FIONREAD, FIONBIO, FIOASYNC, FIOCLEX, FIONCLEX)
ONE_OF(terminal_command, FIONREAD, TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ, TIOCSWINSZ,
       TIOCGPGRP, TIOCSPGRP, TIOCSCTTY, TIOCNOTTY, TIOCGSID, TIOCGPTN, TIOCSPTLCK, TIOCOUTQ,
       TIOCSTI, TCFLSH, TCSBRK, TCXONC, TIOCEXCL, TIOCPKT, TIOCGPTPEER)
ONE_OF(socket_command, FIONREAD, SIOCGIFCONF, SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFNAME, SIOCGIFINDEX,
       SIOCGIFHWADDR, SIOCGIFMTU, SIOCGARP, SIOCSPGRP, SIOCATMARK, SIOCETHTOOL, SIOCADDRT,
       SIOCGSTAMP)
ONE_OF(family, AF_INET, AF_INET6, AF_UNIX, AF_PACKET, AF_NETLINK, AF_UNSPEC)
ONE_OF(socket_type, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM | SOCK_NONBLOCK,
       SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK)
ONE_OF(protocol, 0, 0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_RAW, IPPROTO_ICMPV6, 0x300,
       4)
ONE_OF(option_level, SOL_SOCKET, SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, IPPROTO_IPV6, 263, 270, 255)
ONE_OF(how, SHUT_RD, SHUT_WR, SHUT_RDWR)
ONE_OF(epoll_operation, EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL)
ONE_OF(short_wait, 0, 0, 1, 2, 5, (uint64_t)-1)
ONE_OF(futex_operation, FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP,
       FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET, FUTEX_WAIT | 128, FUTEX_WAKE | 128, FUTEX_LOCK_PI)
ONE_OF(advice, 0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21)
ONE_OF(mask_change, SIG_BLOCK, SIG_UNBLOCK, SIG_UNBLOCK, SIG_SETMASK)
ONE_OF(set_size, 8, 8, 8, 8, 8, 4, 16)
ONE_OF(wait_kind, P_ALL, P_PID, P_PGID, 3)
ONE_OF(resource, 3, 4, 6, 8, 9, 10, 11, 12, 13, 14, 15)
ONE_OF(personal, PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE, PR_SET_NAME,
       PR_GET_NAME, PR_SET_KEEPCAPS, PR_CAPBSET_READ, PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER,
       PR_GET_TIMERSLACK, 0x53564d41, PR_SET_MM)
ONE_OF(log_action, 2, 3, 9, 10)
ONE_OF(splice_size, 0, 1, 100, 4096, 5000, 65536, 1 << 20)
ONE_OF(policy, SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_FIFO)

static uint64_t maybe_fixed(struct dice *dice)
{
	return map_kind(dice) | map_flags(dice) | (dice_one_in(dice, 2) ? MAP_FIXED : 0);
}

static const struct call calls[] = {
	/* files */
	{SYS_openat, {folder, path, open_flags, modes, 0, 0}},
	{SYS_openat, {folder, path, open_flags, modes, 0, 0}},
	{SYS_close, {descriptor, zero, zero, zero, zero, zero}},
	{SYS_close_range, {descriptor, descriptor, close_flags, 0, 0, 0}},
	{SYS_read, {descriptor, memory, size, 0, 0, 0}},
	{SYS_read, {descriptor, memory, size, 0, 0, 0}},
	{SYS_write, {descriptor, memory, size, 0, 0, 0}},
	{SYS_write, {descriptor, memory, size, 0, 0, 0}},
	{SYS_readv, {descriptor, vectors, small, 0, 0, 0}},
	{SYS_writev, {descriptor, vectors, small, 0, 0, 0}},
	{SYS_pread64, {file_fd, memory, size, offset, 0, 0}},
	{SYS_pwrite64, {file_fd, memory, size, offset, 0, 0}},
	{SYS_preadv, {file_fd, vectors, small, offset, zero, 0}},
	{SYS_pwritev, {file_fd, vectors, small, offset, zero, 0}},
	{SYS_preadv2, {file_fd, vectors, small, offset, zero, small}},
	{SYS_pwritev2, {file_fd, vectors, small, offset, zero, small}},
	{SYS_lseek, {file_fd, offset, whence, 0, 0, 0}},
	{SYS_sendfile, {descriptor, file_fd, offset_at, size, 0, 0}},
	{SYS_copy_file_range, {file_fd, offset_at, file_fd, offset_at, size, zero}},
	{SYS_splice, {pipe_fd, zero, descriptor, offset_at, splice_size, splice_flags}},
	{SYS_splice, {descriptor, zero, pipe_fd, zero, splice_size, splice_flags}},
	{SYS_tee, {pipe_fd, pipe_fd, splice_size, splice_flags, 0, 0}},
	{SYS_vmsplice, {descriptor, vectors, small, splice_flags, 0, 0}},
	{SYS_truncate, {path, offset, 0, 0, 0, 0}},
	{SYS_ftruncate, {file_fd, offset, 0, 0, 0, 0}},
	{SYS_fallocate, {file_fd, allocate_flags, offset, offset, 0, 0}},
	{SYS_fcntl, {descriptor, file_command, descriptor, 0, 0, 0}},
	{SYS_fcntl, {file_fd, lock_command, lock_at, 0, 0, 0}},
	{SYS_ioctl, {terminal_fd, terminal_command, option_at, 0, 0, 0}},
	{SYS_ioctl, {socket_fd, socket_command, option_at, 0, 0, 0}},
	{SYS_ioctl, {descriptor, device_command, option_at, 0, 0, 0}},
	{SYS_dup, {descriptor, 0, 0, 0, 0, 0}},
	{SYS_dup3, {descriptor, descriptor, nonblock_flags, 0, 0, 0}},
	{SYS_pipe2, {memory, nonblock_flags, 0, 0, 0, 0}},
	{SYS_flock, {file_fd, lock_operation, 0, 0, 0, 0}},
	{SYS_fsync, {file_fd, 0, 0, 0, 0, 0}},
	{SYS_sync, {0}},
	{SYS_fadvise64, {file_fd, offset, offset, small, 0, 0}},
	{SYS_readahead, {file_fd, offset, size, 0, 0, 0}},
	{SYS_memfd_create, {path, memfd_flags, 0, 0, 0, 0}},

	/* names */
	{SYS_getdents64, {folder_fd, memory, size, 0, 0, 0}},
	{SYS_mkdirat, {folder, path, modes, 0, 0, 0}},
	{SYS_mknodat, {folder, path, modes, zero, 0, 0}},
	{SYS_unlinkat, {folder, path, at_flags, 0, 0, 0}},
	{SYS_unlinkat, {folder, path, zero, 0, 0, 0}},
	{SYS_linkat, {folder, path, folder, path, at_flags, 0}},
	{SYS_symlinkat, {path, folder, path, 0, 0, 0}},
	{SYS_renameat2, {folder, path, folder, path, rename_flags, 0}},
	{SYS_renameat, {folder, path, folder, path, 0, 0}},
	{SYS_readlinkat, {folder, path_to_read, memory, size, 0, 0}},
	{SYS_newfstatat, {folder, path_to_read, memory, at_flags, 0, 0}},
	{SYS_fstat, {descriptor, memory, 0, 0, 0, 0}},
	{SYS_statx, {folder, path_to_read, at_flags, stat_mask, memory, 0}},
	{SYS_statfs, {path_to_read, memory, 0, 0, 0, 0}},
	{SYS_fstatfs, {descriptor, memory, 0, 0, 0, 0}},
	{SYS_faccessat, {folder, path_to_read, small, 0, 0, 0}},
	{SYS_faccessat2, {folder, path_to_read, small, at_flags, 0, 0}},
	{SYS_utimensat, {folder, path, interval_at, at_flags, 0, 0}},
	{SYS_getcwd, {memory, size, 0, 0, 0, 0}},
	{SYS_getxattr, {path_to_read, name_of_attribute, memory, size, 0, 0}},
	{SYS_fsetxattr, {descriptor, name_of_attribute, memory, size, zero, 0}},
	{SYS_listxattr, {path_to_read, memory, size, 0, 0, 0}},
	{SYS_umask, {modes, 0, 0, 0, 0, 0}},

	/* memory */
	{SYS_mmap, {place, size, protections, maybe_fixed, file_fd, page_offset}},
	{SYS_mmap, {place, size, protections, maybe_fixed, descriptor, page_offset}},
	{SYS_munmap, {place, size, 0, 0, 0, 0}},
	{SYS_mprotect, {place, size, protections, 0, 0, 0}},
	{SYS_shmget, {segment_key, size, segment_flags, 0, 0, 0}},
	{SYS_shmat, {segment, place, attach_flags, 0, 0, 0}},
	{SYS_shmdt, {place, 0, 0, 0, 0, 0}},
	{SYS_shmctl, {segment, segment_command, memory, 0, 0, 0}},
	{SYS_mremap, {place, size, size, remap_flags, place, 0}},
	{SYS_madvise, {place, size, advice, 0, 0, 0}},
	{SYS_msync, {place, size, sync_flags, 0, 0, 0}},
	{SYS_mincore, {place, size, memory, 0, 0, 0}},
	{SYS_mlock, {place, size, 0, 0, 0, 0}},
	{SYS_mlock2, {place, size, small, 0, 0, 0}},
	{SYS_munlock, {place, size, 0, 0, 0, 0}},
	{SYS_mlockall, {lock_flags, 0, 0, 0, 0, 0}},
	{SYS_munlockall, {0}},
	{SYS_brk, {zero, 0, 0, 0, 0, 0}},

	/* events */
	{SYS_ppoll, {poll_set, small, time_at, signal_set_at, set_size, 0}},
	{SYS_pselect6,
	 {small, descriptor_set, descriptor_set, descriptor_set, time_at, mask_and_size}},
	{SYS_pselect6, {descriptor, descriptor_set, descriptor_set, zero, time_at, mask_and_size}},
	{SYS_epoll_create1, {nonblock_flags, 0, 0, 0, 0, 0}},
	{SYS_epoll_ctl, {epoll_fd, epoll_operation, descriptor, event_at, 0, 0}},
	{SYS_epoll_ctl, {epoll_fd, epoll_operation, descriptor, event_at, 0, 0}},
	{SYS_epoll_pwait, {epoll_fd, memory, small, short_wait, signal_set_at, set_size}},
	{SYS_epoll_pwait2, {epoll_fd, memory, small, time_at, signal_set_at, set_size}},
	{SYS_eventfd2, {small, nonblock_flags, 0, 0, 0, 0}},
	{SYS_timerfd_create, {clock_number, nonblock_flags, 0, 0, 0, 0}},
	{SYS_timerfd_settime, {timer_fd, timer_flags, timer_at, memory, 0, 0}},
	{SYS_timerfd_gettime, {timer_fd, memory, 0, 0, 0, 0}},
	{SYS_signalfd4, {signals_fd, signal_set_at, set_size, nonblock_flags, 0, 0}},
	{SYS_inotify_init1, {nonblock_flags, 0, 0, 0, 0, 0}},
	{SYS_inotify_add_watch, {watch_fd, path_to_read, watch_mask, 0, 0, 0}},
	{SYS_inotify_rm_watch, {watch_fd, small, 0, 0, 0, 0}},
	{SYS_pidfd_open, {thread, zero, 0, 0, 0, 0}},
	{SYS_pidfd_send_signal, {process_fd, signal_number, zero, zero, 0, 0}},

	/* signals and time */
	{SYS_rt_sigaction, {signal_number, action_at, memory, set_size, 0, 0}},
	{SYS_rt_sigprocmask, {mask_change, signal_set_at, memory, set_size, 0, 0}},
	{SYS_rt_sigpending, {memory, set_size, 0, 0, 0, 0}},
	{SYS_rt_sigtimedwait, {signal_set_at, memory, time_at, set_size, 0, 0}},
	{SYS_rt_sigsuspend, {signal_set_at, set_size, 0, 0, 0, 0}},
	{SYS_rt_sigqueueinfo, {process, signal_number, memory, 0, 0, 0}},
	{SYS_rt_tgsigqueueinfo, {process, thread, signal_number, memory, 0, 0}},
	{SYS_sigaltstack, {signal_stack_at, memory, 0, 0, 0, 0}},
	{SYS_kill, {process, signal_number, 0, 0, 0, 0}},
	{SYS_tkill, {thread, signal_number, 0, 0, 0, 0}},
	{SYS_tgkill, {process, thread, signal_number, 0, 0, 0}},
	{SYS_restart_syscall, {0}},
	{SYS_nanosleep, {time_at, memory, 0, 0, 0, 0}},
	{SYS_clock_nanosleep, {clock_number, small, time_at, memory, 0, 0}},
	{SYS_clock_gettime, {clock_number, memory, 0, 0, 0, 0}},
	{SYS_clock_getres, {clock_number, memory, 0, 0, 0, 0}},
	{SYS_gettimeofday, {memory, memory, 0, 0, 0, 0}},
	{SYS_setitimer, {small, interval_at, memory, 0, 0, 0}},
	{SYS_getitimer, {small, memory, 0, 0, 0, 0}},
	{SYS_timer_create, {clock_number, signal_event_at, memory, 0, 0, 0}},
	{SYS_timer_create, {zero, signal_event_at, memory, 0, 0, 0}},
	{SYS_timer_settime, {small, timer_flags, timer_at, memory, 0, 0}},
	{SYS_timer_gettime, {small, memory, 0, 0, 0, 0}},
	{SYS_timer_getoverrun, {small, 0, 0, 0, 0, 0}},
	{SYS_timer_delete, {small, 0, 0, 0, 0, 0}},

	/* processes */
	{SYS_wait4, {process, memory, wait_flags, memory, 0, 0}},
	{SYS_waitid, {wait_kind, process, memory, wait_flags, memory, 0}},
	{SYS_futex, {word_at, futex_operation, small, time_at, word_at, small}},
	{SYS_futex, {memory, futex_operation, small, time_at, memory, number}},
	{SYS_set_robust_list, {memory, number, 0, 0, 0, 0}},
	{SYS_get_robust_list, {thread, memory, memory, 0, 0, 0}},
	{SYS_set_tid_address, {memory, 0, 0, 0, 0, 0}},
	{SYS_setpgid, {zero, zero, 0, 0, 0, 0}},
	{SYS_getpgid, {process, 0, 0, 0, 0, 0}},
	{SYS_getsid, {process, 0, 0, 0, 0, 0}},
	{SYS_setsid, {0}},
	{SYS_prctl, {personal, number, memory, small, zero, 0}},
	{SYS_prlimit64, {thread, resource, zero, memory, 0, 0}},
	{SYS_prlimit64, {zero, resource, limit_at, memory, 0, 0}},
	{SYS_getrusage, {small, memory, 0, 0, 0, 0}},
	{SYS_times, {memory, 0, 0, 0, 0, 0}},
	{SYS_sysinfo, {memory, 0, 0, 0, 0, 0}},
	{SYS_uname, {memory, 0, 0, 0, 0, 0}},
	{SYS_getrandom, {memory, size, random_flags, 0, 0, 0}},
	{SYS_sched_getaffinity, {thread, size, memory, 0, 0, 0}},
	{SYS_sched_setaffinity, {thread, size, memory, 0, 0, 0}},
	{SYS_sched_setscheduler, {thread, policy, word_at, 0, 0, 0}},
	{SYS_sched_getparam, {thread, memory, 0, 0, 0, 0}},
	{SYS_sched_rr_get_interval, {thread, memory, 0, 0, 0, 0}},
	{SYS_sched_yield, {0}},
	{SYS_setpriority, {zero, zero, small, 0, 0, 0}},
	{SYS_getpriority, {small, process, 0, 0, 0, 0}},
	{SYS_getgroups, {size, memory, 0, 0, 0, 0}},
	{SYS_getresuid, {memory, memory, memory, 0, 0, 0}},
	{SYS_capget, {memory, memory, 0, 0, 0, 0}},
	{SYS_capset, {memory, memory, 0, 0, 0, 0}},
	{SYS_syslog, {log_action, memory, size, 0, 0, 0}},
	{SYS_getcpu, {memory, memory, memory, 0, 0, 0}},
	{SYS_personality, {number, 0, 0, 0, 0, 0}},

	/* sockets */
	{SYS_socket, {family, socket_type, protocol, 0, 0, 0}},
	{SYS_socketpair, {family, socket_type, zero, memory, 0, 0}},
	{SYS_bind, {socket_fd, address, address_length, 0, 0, 0}},
	{SYS_connect, {socket_fd, address, address_length, 0, 0, 0}},
	{SYS_connect, {socket_fd, address, address_length, 0, 0, 0}},
	{SYS_listen, {socket_fd, small, 0, 0, 0, 0}},
	{SYS_accept, {listener_fd, memory, length_at, 0, 0, 0}},
	{SYS_accept4, {listener_fd, memory, length_at, nonblock_flags, 0, 0}},
	{SYS_getsockname, {socket_fd, memory, length_at, 0, 0, 0}},
	{SYS_getpeername, {socket_fd, memory, length_at, 0, 0, 0}},
	{SYS_sendto, {socket_fd, memory, size, message_flags, address, address_length}},
	{SYS_sendto, {socket_fd, memory, size, message_flags, zero, zero}},
	{SYS_recvfrom, {socket_fd, memory, size, message_flags, memory, length_at}},
	{SYS_recvfrom, {socket_fd, memory, size, message_flags, zero, zero}},
	{SYS_sendmsg, {socket_fd, message, message_flags, 0, 0, 0}},
	{SYS_recvmsg, {socket_fd, message, message_flags, 0, 0, 0}},
	{SYS_sendmmsg, {socket_fd, messages, small, message_flags, 0, 0}},
	{SYS_recvmmsg, {socket_fd, messages, small, message_flags, time_at, 0}},
	{SYS_setsockopt, {socket_fd, option_level, option_number, option_at, size, 0}},
	{SYS_setsockopt, {socket_fd, option_level, option_number, option_at, address_length, 0}},
	{SYS_getsockopt, {socket_fd, option_level, option_number, memory, length_at, 0}},
	{SYS_shutdown, {socket_fd, how, 0, 0, 0, 0}},
};

/* What only the superuser may do, and would not concern it alone; so for others' children only. */
static const struct call privileged[] = {
	{SYS_chroot, {path, 0, 0, 0, 0, 0}},
	{SYS_clock_settime, {zero, time_at, 0, 0, 0, 0}},
	{SYS_settimeofday, {time_at, zero, 0, 0, 0, 0}},
	{SYS_sethostname, {memory, size, 0, 0, 0, 0}},
	{SYS_setgroups, {size, memory, 0, 0, 0, 0}},
	{SYS_setuid, {user, 0, 0, 0, 0, 0}},
	{SYS_setresuid, {user, user, user, 0, 0, 0}},
	{SYS_setresgid, {user, user, user, 0, 0, 0}},
	{SYS_setregid, {user, user, 0, 0, 0, 0}},
	{SYS_fchmod, {file_fd, modes, 0, 0, 0, 0}},
	{SYS_fchmodat, {folder, path, modes, 0, 0, 0}},
	{SYS_fchown, {file_fd, user, user, 0, 0, 0}},
	{SYS_fchownat, {folder, path, user, user, at_flags, 0}},
	{SYS_chdir, {path, 0, 0, 0, 0, 0}},
	{SYS_fchdir, {folder_fd, 0, 0, 0, 0, 0}},
};

static const struct call *choose(struct dice *dice)
{
	bool superuser = raw(SYS_geteuid, 0, 0, 0, 0, 0, 0) == 0;
	uint32_t n = dice_below(dice, COUNT(calls) + (superuser ? 0 : COUNT(privileged)));

	return n < COUNT(calls) ? &calls[n] : &privileged[n - COUNT(calls)];
}

void call_any(struct dice *dice)
{
	const struct call *call = choose(dice);
	uint64_t arguments[ARGUMENTS];

	for (int i = 0; i < ARGUMENTS; i++)
		arguments[i] = call->arguments[i] ? call->arguments[i](dice) : dice_bits(dice);
	raw_call(call->number, arguments);
	__atomic_add_fetch(&shared->calls, 1, __ATOMIC_RELAXED);
}
