/*
 * /proc/meminfo and /proc/sys/vm: how much memory there is and what holds it.
 */
#include "kernel/lib/text.h"
#include "kernel/mm/area.h"
#include "kernel/mm/memory.h"
#include "kernel/mm/page.h"
#include "kernel/printk.h"
#include "kernel/procfs/procfs.h"

static void show_pages(struct text *text, const char *name, uint64_t pages)
{
	uint64_t kib = pages * (PAGE_SIZE / 1024);

	text_printf(text, "%-15s %8llu kB\n", name, (unsigned long long)kib);
}

/* What all processes could come to hold of their own if they touched all that they may write to. */
static uint64_t pages_promised(void)
{
	const struct vm *vm;
	uint64_t bytes = 0;

	list_for_each_entry(vm, &vm_all, link)
		for (uint32_t i = 0; i < vm->area_count; i++)
			if (area_is_data(&vm->areas[i]))
				bytes += vm->areas[i].end - vm->areas[i].start;
	return bytes / PAGE_SIZE;
}

/*
 * Files live in memory for good: there is no cache that could be given back, and no swap. "Shmem"
 * is all that files hold, as on a Linux whose file system is tmpfs alone.
 */
static void show_meminfo(struct text *text, void *context __unused)
{
	struct page_statistics memory = page_statistics();

	show_pages(text, "MemTotal:", memory.total);
	show_pages(text, "MemFree:", memory.free);
	show_pages(text, "MemAvailable:", memory.free);
	show_pages(text, "Buffers:", 0);
	show_pages(text, "Cached:", memory.used[PAGE_USE_FILE]);
	show_pages(text, "SwapCached:", 0);
	show_pages(text, "SwapTotal:", 0);
	show_pages(text, "SwapFree:", 0);
	show_pages(text, "AnonPages:", memory.used[PAGE_USE_ANONYMOUS]);
	show_pages(text, "Shmem:", memory.used[PAGE_USE_FILE]);
	show_pages(text, "Slab:", memory.used[PAGE_USE_SLAB]);
	show_pages(text, "SReclaimable:", 0);
	show_pages(text, "SUnreclaim:", memory.used[PAGE_USE_SLAB]);
	show_pages(text, "KernelStack:", memory.used[PAGE_USE_STACK]);
	show_pages(text, "PageTables:", memory.used[PAGE_USE_TABLE]);
	show_pages(text, "KernelOther:", memory.used[PAGE_USE_OTHER]);
	show_pages(text, "CommitLimit:", memory.total);
	show_pages(text, "Committed_AS:", pages_promised());
}

/* The same in pages, for vmstat(8), which also asks what went to and from disks: there are none. */
static void show_vmstat(struct text *text, void *context __unused)
{
	struct page_statistics memory = page_statistics();
	const struct {
		const char *name;
		uint64_t value;
	} lines[] = {
		{"nr_free_pages", memory.free},
		{"nr_anon_pages", memory.used[PAGE_USE_ANONYMOUS]},
		{"nr_file_pages", memory.used[PAGE_USE_FILE]},
		{"nr_shmem", memory.used[PAGE_USE_FILE]},
		{"nr_page_table_pages", memory.used[PAGE_USE_TABLE]},
		{"nr_slab_reclaimable", 0},
		{"nr_slab_unreclaimable", memory.used[PAGE_USE_SLAB]},
		{"pgpgin", 0},
		{"pgpgout", 0},
		{"pswpin", 0},
		{"pswpout", 0},
		{"pgfault", vm_fault_count()},
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(lines); i++)
		text_printf(text, "%s %llu\n", lines[i].name, (unsigned long long)lines[i].value);
}

/* A constant; `context` is the number. */
static void show_number(struct text *text, void *context)
{
	text_printf(text, "%lu\n", (unsigned long)(uintptr_t)context);
}

/* Memory is promised freely, and given when a page is touched: the only policy there is. */
static int32_t overcommit_memory = 1;

void meminfo_init(void)
{
	if (proc_register("meminfo", show_meminfo, NULL) ||
	    proc_register("vmstat", show_vmstat, NULL) ||
	    proc_register_number("sys/vm/overcommit_memory", &overcommit_memory, 1, 1) ||
	    proc_register_number("sys/vm/writable_code", &vm_writable_code, 0, 1) ||
	    proc_register("sys/vm/max_map_count", show_number, (void *)(uintptr_t)AREAS_MAX) ||
	    proc_register("sys/vm/mmap_min_addr", show_number,
			  (void *)(uintptr_t)USER_ADDRESS_START))
		panic("no memory for /proc/meminfo");
}
