/*
 * /proc/sys/fs: how many files are open, how many may be, and what a pipe may hold.
 */
#include "kernel/fs/fd_table.h"
#include "kernel/fs/file.h"
#include "kernel/fs/pipe.h"
#include "kernel/lib/text.h"
#include "kernel/mm/page.h"
#include "kernel/printk.h"
#include "kernel/procfs/proc_files.h"
#include "kernel/procfs/procfs.h"

/* Open files are limited by memory alone; this many would take a tenth of it: proc(5), file-max. */
static unsigned long long files_max(void)
{
	return page_statistics().total * PAGE_SIZE / 10 / 1024;
}

/* Allocated, free (there is no list of free ones), at most. */
static void show_file_nr(struct text *text, void *context __unused)
{
	text_printf(text, "%llu\t0\t%llu\n", (unsigned long long)file_count(), files_max());
}

static void show_file_max(struct text *text, void *context __unused)
{
	text_printf(text, "%llu\n", files_max());
}

static void show_nr_open(struct text *text, void *context __unused)
{
	text_printf(text, "%d\n", FD_MAX);
}

static void show_pipe_max_size(struct text *text, void *context __unused)
{
	text_printf(text, "%d\n", (int)PIPE_SIZE_MAX);
}

/* Allocated, free. */
static void show_inode_nr(struct text *text, void *context __unused)
{
	text_printf(text, "%llu\t0\n", (unsigned long long)inode_count());
}

void file_statistics_init(void)
{
	if (proc_register("sys/fs/file-nr", show_file_nr, NULL) ||
	    proc_register("sys/fs/file-max", show_file_max, NULL) ||
	    proc_register("sys/fs/nr_open", show_nr_open, NULL) ||
	    proc_register("sys/fs/pipe-max-size", show_pipe_max_size, NULL) ||
	    proc_register("sys/fs/inode-nr", show_inode_nr, NULL))
		panic("no memory for /proc/sys/fs");
}
