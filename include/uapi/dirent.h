/*
 * getdents64(2): a directory's entries as they are copied out.
 */
#ifndef UAPI_DIRENT_H
#define UAPI_DIRENT_H

#include <stdint.h>

#define DT_UNKNOWN 0
#define DT_FIFO 1
#define DT_CHR 2
#define DT_DIR 4
#define DT_BLK 6
#define DT_REG 8
#define DT_LNK 10
#define DT_SOCK 12

/* Followed by further bytes of the name, its NUL, and padding to 8 bytes. */
struct linux_dirent64 {
	uint64_t d_ino;
	int64_t d_off;     /* where the next entry begins: for lseek */
	uint16_t d_reclen; /* of the whole record */
	uint8_t d_type;    /* DT_* */
	char d_name[];
};

#endif
