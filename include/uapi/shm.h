/*
 * System V shared memory as on arm64 Linux: shmget(2), shmat(2), shmctl(2).
 */
#ifndef UAPI_SHM_H
#define UAPI_SHM_H

#include <stdint.h>

#define IPC_PRIVATE 0
#define IPC_CREAT 01000
#define IPC_EXCL 02000

#define IPC_RMID 0
#define IPC_SET 1
#define IPC_STAT 2

#define SHM_RDONLY 010000
#define SHM_RND 020000
#define SHM_REMAP 040000
#define SHM_EXEC 0100000

struct ipc64_perm {
	int32_t key;
	uint32_t uid, gid, cuid, cgid; /* the owner's, and of who made it */
	uint32_t mode;
	uint16_t seq;
	uint16_t pad;
	uint64_t unused[2];
};

struct shmid64_ds {
	struct ipc64_perm shm_perm;
	uint64_t shm_segsz;                      /* bytes */
	int64_t shm_atime, shm_dtime, shm_ctime; /* seconds; 0: never */
	int32_t shm_cpid, shm_lpid;
	uint64_t shm_nattch;
	uint64_t unused[2];
};

#endif
