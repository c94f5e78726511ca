/*
 * reboot(2), sysinfo(2) and syslog(2) of the Linux arm64 ABI.
 */
#ifndef UAPI_REBOOT_H
#define UAPI_REBOOT_H

#include <stdint.h>

#define LINUX_REBOOT_MAGIC1 0xfee1dead
#define LINUX_REBOOT_MAGIC2 0x28121969
#define LINUX_REBOOT_MAGIC2A 0x05121996
#define LINUX_REBOOT_MAGIC2B 0x16041998
#define LINUX_REBOOT_MAGIC2C 0x20112000

#define LINUX_REBOOT_CMD_RESTART 0x01234567
#define LINUX_REBOOT_CMD_HALT 0xcdef0123
#define LINUX_REBOOT_CMD_CAD_ON 0x89abcdef
#define LINUX_REBOOT_CMD_CAD_OFF 0x00000000
#define LINUX_REBOOT_CMD_POWER_OFF 0x4321fedc

struct sysinfo {
	int64_t uptime;    /* seconds */
	uint64_t loads[3]; /* 1, 5 and 15 minutes, in 1/65536 */
	uint64_t totalram;
	uint64_t freeram;
	uint64_t sharedram;
	uint64_t bufferram;
	uint64_t totalswap;
	uint64_t freeswap;
	uint16_t procs;
	uint16_t padding;
	uint64_t totalhigh;
	uint64_t freehigh;
	uint32_t mem_unit; /* bytes that the memory fields count in */
};

#endif
