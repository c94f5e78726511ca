/*
 * What /proc tells of an address space: its areas, and how much of each is in memory.
 */
#include "kernel/mm/area.h"
#include "kernel/string.h"

#define NAME_SIZE 256

/* Bytes of an area that are in memory. "Dirty" is what no file has. */
struct residency {
	uint64_t resident, proportional;
	uint64_t shared_clean, shared_dirty, private_clean, private_dirty;
	uint64_t anonymous;
};

/* Other holders than address spaces: the file. */
static uint32_t mapping_count(const struct page *page, bool anonymous)
{
	uint32_t count = page->references - (anonymous ? 0 : 1);

	return MAX(count, 1u);
}

static void count_page(struct residency *sum, const struct page *page, bool anonymous, bool dirty)
{
	uint32_t count = mapping_count(page, anonymous);

	sum->resident += PAGE_SIZE;
	sum->proportional += PAGE_SIZE / count;
	if (anonymous)
		sum->anonymous += PAGE_SIZE;
	if (dirty)
		*(count > 1 ? &sum->shared_dirty : &sum->private_dirty) += PAGE_SIZE;
	else
		*(count > 1 ? &sum->shared_clean : &sum->private_clean) += PAGE_SIZE;
}

static struct residency area_residency(struct vm *vm, const struct area *area)
{
	struct residency sum = {0};

	for (user_addr_t at = area->start, span_end; at < area->end; at = span_end) {
		span_end = MIN(area->end, page_table_span_end(at));
		const uint64_t *entry = page_table_entry(&vm->table, at, false);
		for (; entry && at < span_end; at += PAGE_SIZE, entry++) {
			if (!entry_present(*entry) || vm_page_is_zero(entry_page(*entry)))
				continue;
			const struct page *page = entry_page(*entry);
			bool anonymous = vm_page_is_anonymous(area, at, page);
			bool dirty = anonymous ||
				     (area->flags & AREA_SHARED && entry_writable(*entry));
			count_page(&sum, page, anonymous, dirty);
		}
	}
	return sum;
}

static void add_area(struct vm_statistics *statistics, const struct area *area)
{
	uint64_t size = area->end - area->start;

	statistics->mapped += size;
	if (area->flags & AREA_STACK)
		statistics->stack += size;
	if (area->protection & PROT_EXEC)
		statistics->text += size;
	if (area_is_data(area))
		statistics->data += size;
}

/* A file without a name was made for shared anonymous memory. */
static bool is_shared_memory(const struct area *area)
{
	return area->inode && area->flags & AREA_SHARED && area->inode->links == 0;
}

struct vm_statistics vm_statistics(struct vm *vm)
{
	struct vm_statistics statistics = {
		.resident_peak = vm_peak(vm),
		.tables = vm->table.pages * PAGE_SIZE,
	};

	for (uint32_t i = 0; i < vm->area_count; i++) {
		const struct area *area = &vm->areas[i];
		struct residency in_memory = area_residency(vm, area);
		uint64_t of_files = in_memory.resident - in_memory.anonymous;

		add_area(&statistics, area);
		statistics.anonymous += in_memory.anonymous;
		*(is_shared_memory(area) ? &statistics.shared : &statistics.file) += of_files;
	}
	statistics.resident = statistics.anonymous + statistics.file + statistics.shared;
	return statistics;
}

uint64_t vm_size(const struct vm *vm)
{
	return (vm->resident + vm->table.pages) * PAGE_SIZE;
}

uint64_t vm_peak(const struct vm *vm)
{
	return MAX(vm->resident_peak, vm->resident) * PAGE_SIZE;
}

/* What /proc/PID/maps calls an area: a file's path, "[heap]", "[stack]" or nothing. */
static void name_area(const struct vm *vm, const struct area *area, char *name, size_t size)
{
	name[0] = '\0';
	if (is_shared_memory(area) && !area->inode->entry)
		strscpy(name, "/dev/zero (deleted)", size);
	else if (area->inode && inode_path(area->inode, name, size) < 0)
		name[0] = '\0';
	else if (area->flags & AREA_STACK)
		strscpy(name, "[stack]", size);
	else if (!area->inode && area->start < vm->heap_end && area->end > vm->heap_start)
		strscpy(name, "[heap]", size);
}

static void show_area(const struct vm *vm, const struct area *area, struct text *text)
{
	char name[NAME_SIZE];

	name_area(vm, area, name, sizeof(name));
	text_printf(text, "%08lx-%08lx %c%c%c%c %08lx 00:%02x %lu %*s%s\n", area->start, area->end,
		    area->protection & PROT_READ ? 'r' : '-',
		    area->protection & PROT_WRITE ? 'w' : '-',
		    area->protection & PROT_EXEC ? 'x' : '-', area->flags & AREA_SHARED ? 's' : 'p',
		    area->offset, area->inode ? (unsigned int)area->inode->filesystem : 0,
		    area->inode ? area->inode->number : 0ul, 20, "", name);
}

void vm_show_maps(struct vm *vm, struct text *text)
{
	for (uint32_t i = 0; i < vm->area_count; i++)
		show_area(vm, &vm->areas[i], text);
}

static void show_kib(struct text *text, const char *name, uint64_t bytes)
{
	text_printf(text, "%-15s %8llu kB\n", name, (unsigned long long)(bytes / 1024));
}

static void show_residency(struct text *text, const struct residency *sum)
{
	show_kib(text, "Rss:", sum->resident);
	show_kib(text, "Pss:", sum->proportional);
	show_kib(text, "Shared_Clean:", sum->shared_clean);
	show_kib(text, "Shared_Dirty:", sum->shared_dirty);
	show_kib(text, "Private_Clean:", sum->private_clean);
	show_kib(text, "Private_Dirty:", sum->private_dirty);
	show_kib(text, "Referenced:", sum->resident);
	show_kib(text, "Anonymous:", sum->anonymous);
	show_kib(text, "LazyFree:", 0);
	show_kib(text, "AnonHugePages:", 0);
	show_kib(text, "Swap:", 0);
	show_kib(text, "SwapPss:", 0);
	show_kib(text, "Locked:", 0);
}

void vm_show_smaps(struct vm *vm, struct text *text)
{
	for (uint32_t i = 0; i < vm->area_count; i++) {
		const struct area *area = &vm->areas[i];
		struct residency sum = area_residency(vm, area);

		show_area(vm, area, text);
		show_kib(text, "Size:", area->end - area->start);
		show_kib(text, "KernelPageSize:", PAGE_SIZE);
		show_kib(text, "MMUPageSize:", PAGE_SIZE);
		show_residency(text, &sum);
	}
}

static void add_residency(struct residency *sum, const struct residency *more)
{
	sum->resident += more->resident;
	sum->proportional += more->proportional;
	sum->shared_clean += more->shared_clean;
	sum->shared_dirty += more->shared_dirty;
	sum->private_clean += more->private_clean;
	sum->private_dirty += more->private_dirty;
	sum->anonymous += more->anonymous;
}

void vm_show_smaps_rollup(struct vm *vm, struct text *text)
{
	struct residency all = {0};

	if (vm->area_count == 0)
		return;
	for (uint32_t i = 0; i < vm->area_count; i++) {
		struct residency sum = area_residency(vm, &vm->areas[i]);

		add_residency(&all, &sum);
	}
	text_printf(text, "%08lx-%08lx ---p 00000000 00:00 0 %*s[rollup]\n", vm->areas[0].start,
		    vm->areas[vm->area_count - 1].end, 20, "");
	show_residency(text, &all);
}
