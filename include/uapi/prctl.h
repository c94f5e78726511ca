/*
 * prctl(2), personality(2) and capability numbers of the Linux arm64 ABI.
 */
#ifndef UAPI_PRCTL_H
#define UAPI_PRCTL_H

#include <stdint.h>

#define PR_SET_PDEATHSIG 1
#define PR_GET_PDEATHSIG 2
#define PR_GET_DUMPABLE 3
#define PR_SET_DUMPABLE 4
#define PR_GET_KEEPCAPS 7
#define PR_SET_KEEPCAPS 8
#define PR_SET_NAME 15
#define PR_GET_NAME 16
#define PR_CAPBSET_READ 23
#define PR_CAPBSET_DROP 24
#define PR_SET_NO_NEW_PRIVS 38
#define PR_GET_NO_NEW_PRIVS 39
#define PR_SET_VMA 0x53564d41

#define CAP_LAST_CAP 40

#define LINUX_CAPABILITY_VERSION_1 0x19980330
#define LINUX_CAPABILITY_VERSION_2 0x20071026
#define LINUX_CAPABILITY_VERSION_3 0x20080522

struct cap_user_header {
	uint32_t version;
	int32_t pid;
};

struct cap_user_data { /* two of them from version 2 on: capabilities 0..31 and 32..63 */
	uint32_t effective;
	uint32_t permitted;
	uint32_t inheritable;
};

#endif
