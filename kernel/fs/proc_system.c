/*
 * The files of /proc that tell of the machine as a whole, as proc(5) gives them.
 */
#include "include/uapi/time.h"
#include "kernel/clock.h"
#include "kernel/devicetree.h"
#include "kernel/fs/proc_files.h"
#include "kernel/lib/text.h"
#include "kernel/mm/page.h"
#include "kernel/printk.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/process.h"
#include "kernel/random.h"

static unsigned long long ticks(uint64_t us)
{
	return us / (USEC_PER_SEC / USER_HZ);
}

static void show_kib(struct text *text, const char *name, uint64_t pages)
{
	uint64_t kib = pages * (PAGE_SIZE / 1024);
	text_printf(text, "%-15s %8llu kB\n", name, (unsigned long long)kib);
}

static void show_meminfo(struct text *text, void *context __unused)
{
	struct page_statistics memory = page_statistics();
	show_kib(text, "MemTotal:", memory.total);
	show_kib(text, "MemFree:", memory.free);
	show_kib(text, "MemAvailable:", memory.free);
	/*
	 * Files live in memory for good: there is no cache that could be given back, and no swap.
	 */
	show_kib(text, "Buffers:", 0);
	show_kib(text, "Cached:", 0);
	show_kib(text, "SwapCached:", 0);
	show_kib(text, "SwapTotal:", 0);
	show_kib(text, "SwapFree:", 0);
	show_kib(text, "Shmem:", 0);
	show_kib(text, "SReclaimable:", 0);
}

/* CPU time since boot: what processes used, and what was left over. */
struct cpu_times {
	uint64_t user_us, system_us, idle_us;
};

static int add_times(struct process *process, void *context)
{
	struct cpu_times *times = context;
	uint64_t user_us, system_us;
	process_cpu_time(process, &user_us, &system_us);
	if (process->pid != 0) { /* process 0's threads idle, or work for all */
		times->user_us += user_us + process->children_user_us;
		times->system_us += system_us + process->children_system_us;
	}
	return 0;
}

static struct cpu_times cpu_times(void)
{
	struct cpu_times times = {0};
	process_for_each(add_times, &times);
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
	if (process->pid != 0 && proc_state(process) == 'R')
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
	text_printf(text,
		    "intr 0\nctxt 0\nbtime %llu\nprocesses %u\nprocs_running %u\nprocs_blocked 0\n",
		    (unsigned long long)(boot_us / USEC_PER_SEC), process_count(),
		    running_processes());
}

/* An idle machine takes no tick that could sample the load, so the averages are not kept. */
static void show_loadavg(struct text *text, void *context __unused)
{
	text_printf(text, "0.00 0.00 0.00 %u/%u %d\n", running_processes(), thread_count(),
		    current_process()->pid);
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

static void show_cpuinfo(struct text *text, void *context __unused)
{
	text_printf(text, "processor\t: 0\nCPU architecture: 8\n");
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

/* What programs ask about; memory is never promised beyond what there is when a page is touched. */
static int32_t overcommit_memory = 1;

void proc_system_init(void)
{
	static const struct {
		const char *path;
		proc_show *show;
		uint64_t number;
	} files[] = {
		{"cmdline", show_cmdline, 0},
		{"cpuinfo", show_cpuinfo, 0},
		{"filesystems", show_filesystems, 0},
		{"loadavg", show_loadavg, 0},
		{"meminfo", show_meminfo, 0},
		{"stat", show_stat, 0},
		{"uptime", show_uptime, 0},
		{"version", show_version, 0},
		{"sys/kernel/hostname", show_hostname, 0},
		{"sys/kernel/osrelease", show_osrelease, 0},
		{"sys/kernel/ostype", show_ostype, 0},
		{"sys/kernel/ngroups_max", show_number, PROCESS_GROUPS_MAX},
		{"sys/kernel/pid_max", show_number, PID_MAX},
		{"sys/kernel/random/boot_id", show_boot_id, 0},
		{"sys/kernel/random/entropy_avail", show_number, 256},
		{"sys/kernel/random/poolsize", show_number, 256},
		{"sys/kernel/random/uuid", show_uuid, 0},
	};
	int error = 0;
	random_bytes(boot_id, sizeof(boot_id));
	for (uint32_t i = 0; i < ARRAY_SIZE(files) && !error; i++)
		error = proc_register(files[i].path, files[i].show,
				      (void *)(uintptr_t)files[i].number);
	if (!error)
		error = proc_register_number("sys/vm/overcommit_memory", &overcommit_memory, 0, 2);
	if (error)
		panic("no memory for /proc");
}
