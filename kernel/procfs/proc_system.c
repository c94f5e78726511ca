/*
 * The files of /proc that tell of the machine as a whole, as proc(5) gives them.
 */
#include "include/uapi/time.h"
#include "kernel/clock.h"
#include "kernel/devicetree.h"
#include "kernel/irq.h"
#include "kernel/lib/text.h"
#include "kernel/machine.h"
#include "kernel/printk.h"
#include "kernel/proc/load.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/process.h"
#include "kernel/proc/sched.h"
#include "kernel/procfs/proc_files.h"
#include "kernel/random.h"

static unsigned long long ticks(uint64_t us)
{
	return us / (USEC_PER_SEC / USER_HZ);
}

/* CPU time since boot: what processes used, and what was left over. */
struct cpu_times {
	uint64_t user_us, system_us, idle_us;
};

static struct cpu_times cpu_times(void)
{
	struct sched_statistics sum = sched_statistics();
	struct cpu_times times = {
		.user_us = arch_ticks_to_us(sum.user_ticks),
		.system_us = arch_ticks_to_us(sum.system_ticks),
	};
	uint64_t now = clock_now_us(), busy = times.user_us + times.system_us;
	times.idle_us = now > busy ? now - busy : 0;
	return times;
}

static void show_uptime(struct text *text, void *context __unused)
{
	uint64_t now = clock_now_us(), idle = cpu_times().idle_us;
	text_printf(text, "%llu.%02llu %llu.%02llu\n", (unsigned long long)(now / USEC_PER_SEC),
		    ticks(now % USEC_PER_SEC), (unsigned long long)(idle / USEC_PER_SEC),
		    ticks(idle % USEC_PER_SEC));
}

static int count_running(struct process *process, void *context)
{
	uint32_t *running = context;
	if (process->pid != 0 && proc_state(process, NULL) == 'R')
		(*running)++;
	return 0;
}

static uint32_t running_processes(void)
{
	uint32_t running = 0;
	process_for_each(count_running, &running);
	return running;
}

static void show_stat(struct text *text, void *context __unused)
{
	struct cpu_times times = cpu_times();
	for (uint32_t line = 0; line < 2; line++) /* all processors, then the one there is */
		text_printf(text, "%s %llu 0 %llu %llu 0 0 0 0 0 0\n", line ? "cpu0" : "cpu ",
			    ticks(times.user_us), ticks(times.system_us), ticks(times.idle_us));
	uint64_t boot_us = clock_realtime_ns() / NSEC_PER_USEC - clock_now_us();
	text_printf(text, "intr %llu\nctxt %llu\nbtime %llu\nprocesses %llu\n",
		    (unsigned long long)irq_count(),
		    (unsigned long long)sched_statistics().switches,
		    (unsigned long long)(boot_us / USEC_PER_SEC),
		    (unsigned long long)process_created_count());
	text_printf(text, "procs_running %u\nprocs_blocked 0\n", running_processes());
}

static void show_loadavg(struct text *text, void *context __unused)
{
	uint32_t load[LOAD_AVERAGES]; /* hundredths */
	load_averages(load);
	for (uint32_t i = 0; i < LOAD_AVERAGES; i++)
		text_printf(text, "%u.%02u ", load[i] / 100, load[i] % 100);
	text_printf(text, "%u/%u %d\n", running_processes(), thread_count(), process_last_pid());
}

static void show_version(struct text *text, void *context __unused)
{
	const struct utsname *names = system_names();
	text_printf(text, "%s version %s %s\n", names->sysname, names->release, names->version);
}

static void show_cmdline(struct text *text, void *context __unused)
{
	text_printf(text, "%s\n", kernel_command_line());
}

static void show_filesystems(struct text *text, void *context __unused)
{
	text_printf(text, "nodev\ttmpfs\nnodev\tproc\n");
}

static void show_hostname(struct text *text, void *context __unused)
{
	text_printf(text, "%s\n", system_names()->nodename);
}

static void show_osrelease(struct text *text, void *context __unused)
{
	text_printf(text, "%s\n", system_names()->release);
}

static void show_ostype(struct text *text, void *context __unused)
{
	text_printf(text, "%s\n", system_names()->sysname);
}

static void show_domainname(struct text *text, void *context __unused)
{
	text_printf(text, "%s\n", system_names()->domainname);
}

static void show_kernel_version(struct text *text, void *context __unused)
{
	text_printf(text, "%s\n", system_names()->version);
}

static void show_threads_max(struct text *text, void *context __unused)
{
	text_printf(text, "%llu\n",
		    (unsigned long long)process_find(0)->limits[RLIMIT_NPROC].rlim_max);
}

/* A constant of the kernel; `context` is the number. */
static void show_number(struct text *text, void *context)
{
	text_printf(text, "%lu\n", (unsigned long)(uintptr_t)context);
}

/* RFC 9562, 5.4: 122 random bits, the version and the variant. */
static void show_uuid_bytes(struct text *text, const uint8_t random[16])
{
	for (uint32_t i = 0; i < 16; i++) {
		uint8_t byte = random[i];
		if (i == 6)
			byte = (byte & 0x0f) | 0x40;
		if (i == 8)
			byte = (byte & 0x3f) | 0x80;
		bool dash = i == 4 || i == 6 || i == 8 || i == 10;
		text_printf(text, "%s%02x", dash ? "-" : "", byte);
	}
	text_printf(text, "\n");
}

static void show_uuid(struct text *text, void *context __unused)
{
	uint8_t random[16];
	random_bytes(random, sizeof(random));
	show_uuid_bytes(text, random);
}

static uint8_t boot_id[16];

static void show_boot_id(struct text *text, void *context __unused)
{
	show_uuid_bytes(text, boot_id);
}

void proc_system_init(void)
{
	static const struct {
		const char *path;
		proc_show *show;
		uint64_t number;
	} files[] = {
		{"cmdline", show_cmdline, 0},
		{"filesystems", show_filesystems, 0},
		{"loadavg", show_loadavg, 0},
		{"stat", show_stat, 0},
		{"uptime", show_uptime, 0},
		{"version", show_version, 0},
		{"sys/kernel/hostname", show_hostname, 0},
		{"sys/kernel/osrelease", show_osrelease, 0},
		{"sys/kernel/ostype", show_ostype, 0},
		{"sys/kernel/cap_last_cap", show_number, CAP_LAST_CAP},
		{"sys/kernel/domainname", show_domainname, 0},
		{"sys/kernel/ngroups_max", show_number, PROCESS_GROUPS_MAX},
		{"sys/kernel/pid_max", show_number, PID_MAX},
		{"sys/kernel/random/boot_id", show_boot_id, 0},
		{"sys/kernel/random/entropy_avail", show_number, 256},
		{"sys/kernel/random/poolsize", show_number, 256},
		{"sys/kernel/random/uuid", show_uuid, 0},
		{"sys/kernel/randomize_va_space", show_number, 2},
		{"sys/kernel/threads-max", show_threads_max, 0},
		{"sys/kernel/version", show_kernel_version, 0},
	};
	int error = 0;
	random_bytes(boot_id, sizeof(boot_id));
	for (uint32_t i = 0; i < ARRAY_SIZE(files) && !error; i++)
		error = proc_register(files[i].path, files[i].show,
				      (void *)(uintptr_t)files[i].number);
	if (error)
		panic("no memory for /proc");
}
