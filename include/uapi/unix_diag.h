/* NETLINK_SOCK_DIAG about sockets of AF_UNIX: what `ss -x` asks. */
#ifndef UAPI_UNIX_DIAG_H
#define UAPI_UNIX_DIAG_H

#include <stdint.h>

struct unix_diag_req {
	uint8_t sdiag_family;
	uint8_t sdiag_protocol;
	uint16_t pad;
	uint32_t udiag_states; /* of a dump: bit n: those in state n, TCP_ESTABLISHED ... */
	uint32_t udiag_ino;    /* of a question about one: its inode */
	uint32_t udiag_show;   /* UDIAG_SHOW_* */
	uint32_t udiag_cookie[2];
};
#define UDIAG_SHOW_NAME 0x01
#define UDIAG_SHOW_VFS 0x02
#define UDIAG_SHOW_PEER 0x04
#define UDIAG_SHOW_ICONS 0x08
#define UDIAG_SHOW_RQLEN 0x10
#define UDIAG_SHOW_MEMINFO 0x20
#define UDIAG_SHOW_UID 0x40

struct unix_diag_msg {
	uint8_t udiag_family;
	uint8_t udiag_type;
	uint8_t udiag_state;
	uint8_t pad;
	uint32_t udiag_ino;
	uint32_t udiag_cookie[2];
};

/* Attributes of an answer. */
#define UNIX_DIAG_NAME 0 /* as in sun_path: a path with its NUL, or an abstract name */
#define UNIX_DIAG_VFS 1
#define UNIX_DIAG_PEER 2  /* its inode */
#define UNIX_DIAG_ICONS 3 /* the inodes of those who wait for accept */
#define UNIX_DIAG_RQLEN 4
#define UNIX_DIAG_MEMINFO 5 /* as INET_DIAG_SKMEMINFO */
#define UNIX_DIAG_SHUTDOWN 6
#define UNIX_DIAG_UID 7

/* Where its name stands in the file system. */
struct unix_diag_vfs {
	uint32_t udiag_vfs_ino;
	uint32_t udiag_vfs_dev;
};

/* Bytes to be read, and sent but not yet read; of a listener, who waits, and its backlog. */
struct unix_diag_rqlen {
	uint32_t udiag_rqueue;
	uint32_t udiag_wqueue;
};

#endif
