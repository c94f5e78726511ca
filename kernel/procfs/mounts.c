/*
 * /proc/PID/mounts and mountinfo. Nothing is ever mounted or taken away: the tree is made at boot.
 */
#include "kernel/procfs/proc_files.h"

static const struct mount {
	uint32_t id, parent;
	enum filesystem device; /* st_dev of what is in it */
	const char *type, *place;
} mounts[] = {
	{1, 0, FILESYSTEM_MEMORY, "tmpfs", "/"},
	{2, 1, FILESYSTEM_PROC, "proc", "/proc"},
	{3, 1, FILESYSTEM_PTS, "devpts", "/dev/pts"},
	{4, 1, FILESYSTEM_SYS, "sysfs", "/sys"},
};

void proc_show_mounts(struct text *text, struct process *process __unused,
		      struct thread *thread __unused)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(mounts); i++)
		text_printf(text, "%s %s %s rw 0 0\n", mounts[i].type, mounts[i].place,
			    mounts[i].type);
}

/* proc(5): id, parent, major:minor, root, mount point, options, -, type, source, its options. */
void proc_show_mountinfo(struct text *text, struct process *process __unused,
			 struct thread *thread __unused)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(mounts); i++)
		text_printf(text, "%u %u 0:%u / %s rw - %s %s rw\n", mounts[i].id, mounts[i].parent,
			    (unsigned int)mounts[i].device, mounts[i].place, mounts[i].type,
			    mounts[i].type);
}
