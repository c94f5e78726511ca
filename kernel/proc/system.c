/*
 * The system as a whole: uname(2), sethostname(2), sysinfo(2), reboot(2), getrandom(2),
 * personality(2).
 */
#include "include/uapi/reboot.h"
#include "include/uapi/utsname.h"
#include "kernel/clock.h"
#include "kernel/machine.h"
#include "kernel/mm/page.h"
#include "kernel/printk.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/process.h"
#include "kernel/random.h"
#include "kernel/signal/signal.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/tty/console.h"
#include "kernel/user.h"

#define GRND_NONBLOCK 1
#define GRND_RANDOM 2
#define GRND_INSECURE 4

#define PERSONALITY_QUERY 0xffffffff

/* Programs look at the release to learn which calls they may try. */
static struct utsname names = {
	.sysname = "Linux",
	.nodename = "vitrine",
	.release = "6.1.0-vitrine",
	.version = "#1",
	.machine = "aarch64",
	.domainname = "(none)",
};

const struct utsname *system_names(void)
{
	return &names;
}

SYSCALL1(uname, user_addr_t, to)
{
	return copy_to_user(to, &names, sizeof(names));
}

static int64_t set_name(char *name, user_addr_t from, int64_t length)
{
	char copy[UTSNAME_LENGTH] = "";

	if (!user_may(CAP_SYS_ADMIN))
		return -EPERM;
	if (length < 0 || length >= UTSNAME_LENGTH)
		return -EINVAL;
	if (copy_from_user(copy, from, (size_t)length))
		return -EFAULT;
	memcpy(name, copy, sizeof(copy));
	return 0;
}

SYSCALL2(sethostname, user_addr_t, name, int, length)
{
	return set_name(names.nodename, name, length);
}

SYSCALL2(setdomainname, user_addr_t, name, int, length)
{
	return set_name(names.domainname, name, length);
}

SYSCALL1(sysinfo, user_addr_t, to)
{
	struct page_statistics pages = page_statistics();
	struct sysinfo info = {
		.uptime = (int64_t)(clock_now_us() / USEC_PER_SEC),
		.totalram = pages.total * PAGE_SIZE,
		.freeram = pages.free * PAGE_SIZE,
		.procs = (uint16_t)MIN(process_count(), UINT16_MAX),
		.mem_unit = 1,
	};

	return copy_to_user(to, &info, sizeof(info));
}

static bool reboot_magic_valid(uint32_t magic1, uint32_t magic2)
{
	return magic1 == LINUX_REBOOT_MAGIC1 &&
	       (magic2 == LINUX_REBOOT_MAGIC2 || magic2 == LINUX_REBOOT_MAGIC2A ||
		magic2 == LINUX_REBOOT_MAGIC2B || magic2 == LINUX_REBOOT_MAGIC2C);
}

SYSCALL3(reboot, uint32_t, magic1, uint32_t, magic2, uint32_t, command)
{
	if (!user_may(CAP_SYS_BOOT))
		return -EPERM;
	if (!reboot_magic_valid(magic1, magic2))
		return -EINVAL;
	console_flush();
	switch (command) {
	case LINUX_REBOOT_CMD_POWER_OFF:
	case LINUX_REBOOT_CMD_HALT:
		machine_power_off();
	case LINUX_REBOOT_CMD_RESTART:
		machine_restart();
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		return 0; /* there is no Ctrl-Alt-Del */
	default:
		return -EINVAL;
	}
}

SYSCALL3(getrandom, user_addr_t, to, uint64_t, length, uint32_t, flags)
{
	uint8_t bytes[256];
	uint64_t done = 0;

	if (flags & ~(uint32_t)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
	    (flags & GRND_RANDOM && flags & GRND_INSECURE))
		return -EINVAL;
	length = MIN(length, (uint64_t)INT32_MAX);
	while (done < length) {
		size_t n = MIN(sizeof(bytes), length - done);

		random_bytes(bytes, n);
		if (copy_to_user(to + done, bytes, n))
			return done ? (int64_t)done : -EFAULT;
		done += n;
		if (signal_pending())
			break;
	}
	return (int64_t)done;
}

/* There is one execution domain: it can be asked about and set to itself. */
SYSCALL1(personality, uint32_t, persona)
{
	return persona == PERSONALITY_QUERY || persona == 0 ? 0 : -EINVAL;
}

void system_syscalls_init(void)
{
	syscall_register(SYS_uname, sys_uname);
	syscall_register(SYS_sethostname, sys_sethostname);
	syscall_register(SYS_setdomainname, sys_setdomainname);
	syscall_register(SYS_sysinfo, sys_sysinfo);
	syscall_register(SYS_reboot, sys_reboot);
	syscall_register(SYS_getrandom, sys_getrandom);
	syscall_register(SYS_personality, sys_personality);
}
